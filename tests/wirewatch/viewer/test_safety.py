"""Who is answered, what every answer forbids, and that forms come from our own pages."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from tests.builders import at
from tests.wirewatch.viewer import asking
from tests.wirewatch.viewer.asking import BASE
from wirewatch.bounded import Pool
from wirewatch.errors import ConfigurationError
from wirewatch.model import Capture
from wirewatch.store import Store, alerts, dead_letters
from wirewatch.store.tables import inbox
from wirewatch.viewer import safety

HOSTS = {
    "this machine": ("127.0.0.1:8730", 200),
    "its name": ("localhost:9000", 200),
    "version 6": ("[::1]:8730", 200),
    "a page that points its own name here": ("evil.example", 421),
    "a name that only begins alike": ("localhost.evil.example", 421),
    "with a user": ("localhost@evil.example", 421),
    "none": ("", 421),
    "no name": ("[:::", 421),
}


@pytest.mark.parametrize("name", HOSTS)
def test_only_own_names_are_answered(read_newsroom: TestClient, name: str) -> None:
    host, status = HOSTS[name]
    assert read_newsroom.get("/", headers={"host": host}).status_code == status


def test_public_name_is_answered_and_stands_in_links(sqlite_store: Store, pool: Pool) -> None:
    asking.fill(sqlite_store, pool)
    with asking.viewer(
        sqlite_store.url, pool, public_url="https://watch.example/", base="https://watch.example"
    ) as client:
        assert client.get("/").status_code == 200
        feed = client.get("/changes.feed.json").json()
        assert feed["home_page_url"] == "https://watch.example/"
        assert feed["items"][0]["url"].startswith("https://watch.example/articles/")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "watch.example"])
def test_other_addresses_are_refused_without_a_proxy_that_names_the_user(address: str) -> None:
    with pytest.raises(ConfigurationError, match="user_header"):
        safety.guard(address, "https://watch.example", None)
    assert safety.guard(address, "https://watch.example", "X-Forwarded-User").knows("watch.example")
    assert not safety.guard(address, "https://watch.example", "X-Forwarded-User").knows("evil.example")


def test_behind_a_proxy_nobody_without_a_name_is_answered(
    sqlite_newsroom: TestClient, sqlite_store: Store, pool: Pool
) -> None:
    guard = safety.guard("0.0.0.0", "https://watch.example", "X-Forwarded-User")
    with asking.viewer(sqlite_store.url, pool, guard=guard, base="https://watch.example") as client:
        for address in ("/", "/changes.json", "/openapi.json", "/changes.atom"):
            assert client.get(address).status_code == 401, address
            assert client.get(address, headers={"x-forwarded-user": "maya"}).status_code == 200, address


def test_every_answer_forbids_what_a_page_here_never_needs(read_newsroom: TestClient) -> None:
    for address in (
        "/",
        "/nothing",
        "/static/viewer.css",
        "/changes.json",
        "/changes.atom",
        "/alerts",
        "/?from=x",
        "/changes",
    ):
        answer = read_newsroom.get(address)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, address
        assert "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
    refused = read_newsroom.put("/")
    assert (refused.status_code, "default-src" in refused.headers["content-security-policy"]) == (405, True)


def test_pages_ask_for_nothing_elsewhere_and_run_nothing_inline(read_newsroom: TestClient) -> None:
    for address in ("/", f"/articles/{asking.key(asking.FERRY)}", "/feeds", "/publishers", "/alerts"):
        html = read_newsroom.get(address).text
        assert not re.findall(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["']?(?:https?:)?//""", html), address
        assert not re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", html), address


def test_answer_that_is_known_already_is_not_sent_again(read_newsroom: TestClient) -> None:
    first = read_newsroom.get("/changes.json")
    again = read_newsroom.get("/changes.json", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    style = read_newsroom.get("/static/viewer.css")
    assert read_newsroom.get("/static/viewer.css", headers={"if-none-match": style.headers["etag"]}).status_code == 304


# Forms


@pytest.fixture
def letter(sqlite_store: Store) -> int:
    with sqlite_store.begin() as conn:
        capture = Capture(url=asking.FERRY, observed=at(0), status=200, body=b"%PDF-1.7")
        return dead_letters.add(conn, at=at(0), step="extract", reason="This is a PDF", capture=capture)


def test_form_of_our_own_page_replays_a_dead_letter(
    sqlite_newsroom: TestClient, sqlite_store: Store, letter: int
) -> None:
    page = sqlite_newsroom.get(f"/dead-letters/{letter}")
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    (token,) = set(re.findall(r'name="token" value="([0-9a-f]{64})"', page.text))
    done = sqlite_newsroom.post(f"/dead-letters/{letter}/replay", data={"token": token}, headers={"origin": BASE})
    assert (done.status_code, done.headers["location"]) == (303, f"/dead-letters/{letter}?done=replay")
    assert "read again by the next run" in sqlite_newsroom.get(done.headers["location"]).text
    with sqlite_store.reading() as conn:
        assert conn.execute(inbox.select()).one().id == f"dead-letter-{letter}"


FORGED = {
    "no token": ({}, {}, False),
    "no cookie": ({"token": "own"}, {}, True),
    "another's token": ({"token": "0" * 64}, {}, False),
    "another origin": ({"token": "own"}, {"origin": "https://evil.example"}, False),
    "another site": ({"token": "own"}, {"sec-fetch-site": "cross-site"}, False),
    "a token that is no ASCII": ({"token": "é"}, {}, False),
}


@pytest.mark.parametrize("name", FORGED)
def test_form_of_anybody_else_does_nothing(
    sqlite_newsroom: TestClient, sqlite_store: Store, letter: int, name: str
) -> None:
    data, headers, forget = FORGED[name]
    page = sqlite_newsroom.get(f"/dead-letters/{letter}")
    own = re.findall(r'name="token" value="([0-9a-f]{64})"', page.text)[0]
    if forget:
        sqlite_newsroom.cookies.clear()
    given = {key: own if value == "own" else value for key, value in data.items()}
    refused = sqlite_newsroom.post(f"/dead-letters/{letter}/replay", data=given, headers=headers)
    assert refused.status_code == 403
    with sqlite_store.reading() as conn:
        assert conn.execute(inbox.select()).all() == []


def test_form_that_is_too_large_is_not_read(sqlite_newsroom: TestClient, letter: int) -> None:
    assert sqlite_newsroom.post(f"/dead-letters/{letter}/replay", content=b"x" * 100_000).status_code == 413


def test_alert_is_sent_again_by_a_form(sqlite_newsroom: TestClient, sqlite_store: Store) -> None:
    name = "a" * 32
    with sqlite_store.begin() as conn:
        alerts.put(conn, alerts.Formed(id=name, channel="desk", rule="all", kind="single", created=at(0), body=b"{}"))
        conn.exec_driver_sql("UPDATE alerts SET state = 'dead', settled = 1, detail = 'HTTP 500'")
    page = sqlite_newsroom.get(f"/alerts/{name}")
    (token,) = set(re.findall(r'name="token" value="([0-9a-f]{64})"', page.text))
    done = sqlite_newsroom.post(f"/alerts/{name}/again", data={"token": token})
    assert (done.status_code, done.headers["location"]) == (303, f"/alerts/{name}?done=again")
    (listed,) = alerts.listed(sqlite_store, limit=1)
    assert listed.state == "waiting"
    assert sqlite_newsroom.post(f"/alerts/{name}/again", data={"token": token}).status_code == 404
