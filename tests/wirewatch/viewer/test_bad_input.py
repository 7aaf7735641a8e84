"""Whatever comes in, there is a page that says what is wrong, with the right status, and never a traceback."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from tests.builders import reading
from tests.wirewatch.viewer import asking
from tests.wirewatch.viewer.asking import BUSES, FERRY, json_of, key, story
from wirewatch.bounded import Pool
from wirewatch.canonical import content_hash, text_hash
from wirewatch.model import Instance, Source, Wording
from wirewatch.store import Store, migrations
from wirewatch.store.instance import claim_instance
from wirewatch.viewer.cursors import cursor

ID, OTHER = "0" * 32, "f" * 32
SCRIPT = "<script>alert(1)</script>"

ADDRESSES = {
    "no such page": ("/nothing", 404, "no page at this address"),
    "a slash too many": ("/feeds/", 404, "no page at this address"),
    "unknown article": (f"/articles/{'0' * 16}", 404, "Nothing is kept"),
    "article's id of another shape": ("/articles/ferry", 404, "no article"),
    "article's id with a path in it": ("/articles/..%2f..%2fetc%2fpasswd", 404, ""),
    "article's id with NUL": ("/articles/%00", 404, ""),
    "unknown revision": (f"/articles/{key(FERRY)}/revisions/{ID}", 404, "no such revision"),
    "revision's id of another shape": (f"/articles/{key(FERRY)}/revisions/1", 404, "no revision"),
    "unknown revision alone": (f"/revisions/{ID}", 404, "no revision of that id"),
    "unknown page": (f"/articles/{key(FERRY)}/revisions/{ID}/page", 404, "no such revision"),
    "unknown record": (f"/articles/{key(FERRY)}/revisions/{ID}/record.json", 404, "No record"),
    "redline of unknown revisions": (f"/articles/{key(FERRY)}/diff/{ID}..{OTHER}", 404, "no such revision"),
    "redline without two revisions": (f"/articles/{key(FERRY)}/diff/{ID}", 404, "two revisions by their ids"),
    "redline by numbers": (f"/articles/{key(FERRY)}/diff/1..2", 404, "two revisions by their ids"),
    "unknown event": (f"/events/{ID}", 404, "no event of that id"),
    "unknown alert": (f"/alerts/{ID}", 404, "no alert of that id"),
    "unknown dead letter": ("/dead-letters/7", 404, "no dead letter of that number"),
    "dead letter beyond all numbers": (f"/dead-letters/{'9' * 30}", 404, "no dead letter"),
    "unknown feed": ("/feed?url=https://nobody.example/rss", 404, "No feed of that address"),
    "no feed named": ("/feed", 400, "Say which feed"),
    "unknown publisher": ("/publishers/nobody.example", 404, "No change of that publisher"),
    "unknown class": ("/?class=huge", 400, "minor, notable or major"),
    "unknown field": ("/?field=colour", 400, "The filter field takes headline"),
    "unknown disclosure": ("/?disclosure=yes", 400, "disclosed, undisclosed or unknown"),
    "unknown signal": ("/?signal=1", 400, "update or correction"),
    "a date that is none": ("/?from=2026-02-30", 400, "is no date"),
    "a date in words": ("/?to=yesterday", 400, "is no date"),
    "a date before all times": ("/?from=0001-01-01", 400, "is no date"),
    "a date after all times": ("/?to=9999-12-31", 400, "is no date"),
    "a period that ends before it begins": ("/?from=2026-03-17&to=2026-03-15", 400, "ends before it begins"),
    "a cursor cut short": ("/?after=cafe", 400, "cut short or changed"),
    "a cursor tampered with": ("/?after=cafe-0000", 400, "cut short or changed"),
    "a cursor beyond all places": (f"/?after={'f' * 16}-0000", 400, "cut short or changed"),
    "a cursor of events that is none": ("/api/changes?since=x", 400, "cut short or changed"),
    "a cursor of alerts that is none": ("/alerts?after=x", 400, "cut short or changed"),
    "a cursor of dead letters that is none": ("/dead-letters?after=x", 400, "cut short or changed"),
    "an unknown state": ("/alerts?state=lost", 400, "waiting, sent or dead"),
    "replayed perhaps": ("/dead-letters?replayed=perhaps", 400, "yes or no"),
    "no days": ("/publishers?days=0", 400, "from 1 to 366"),
    "too many days": ("/publishers?days=1e9", 400, "from 1 to 366"),
    "a limit below all": ("/?limit=-1", 400, "from 1 to 200"),
    "10 kB of query": (f"/?q={'a' * 10_000}", 414, "An address has at most"),
    "a long search": (f"/?q={'a+' * 400}", 400, "at most 500 characters"),
    "too many words": (f"/?q={'a+' * 30}", 400, "at most 20 words"),
    "a quotation mark that is not closed": ('/?q="ferry', 400, "opened and not closed"),
    "a search for nothing": ("/?q=...", 400, "names no word"),
    "a search without what": ("/?q=-ferry", 400, "names no word"),
    "search words that FTS5 knows": ("/?q=AND+OR+NOT+NEAR(", 200, ""),
    "search words that PostgreSQL knows": ("/?q=a:*|b+!c+<->+%27", 200, ""),
    "a search for SQL": ("/?q=%27;DROP+TABLE+changes--", 200, ""),
    "bytes that are no text": ("/?publisher=%80%ff&feed=%fe", 200, ""),
    "NUL in a filter": ("/?publisher=%00", 200, ""),
    "a surrogate in a filter": ("/?feed=%ed%a0%80", 200, ""),
    "percent signs": ("/?q=%25%25&publisher=%zz", 400, "names no word"),
    "a filter given twice": ("/?class=minor&class=major", 200, ""),
    "an empty filter": ("/?class=&q=&from=", 200, ""),
    "a script in a filter": (f"/?publisher={SCRIPT}", 200, ""),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_that_means_nothing_is_told_so(read_newsroom: TestClient, name: str) -> None:
    address, status, says = ADDRESSES[name]
    html = read_newsroom.get(address, headers={"accept": "text/html"})
    assert (html.status_code, html.headers["content-type"].partition(";")[0]) == (status, _kind(address))
    assert says in re.sub(r"&#\d+;|&\w+;", "'", html.text).replace("\n", " ")
    assert SCRIPT not in html.text
    assert "Traceback" not in html.text
    told = read_newsroom.get(address, headers={"accept": "application/json"})
    assert told.status_code == status
    if status >= 400:
        assert told.json()["status"] == status
        assert says in told.json()["detail"]


def _kind(address: str) -> str:
    return "application/json" if address.startswith("/api/") or address.endswith(".json") else "text/html"


def test_script_in_every_field_of_an_article_is_text_on_every_page(sqlite_store: Store, pool: Pool) -> None:
    first = _wording(f'{SCRIPT} "one"')
    told = [reading(n * 60, url="https://courier.example/local/hostile") for n in range(2)]
    for n, made in enumerate(told):
        wording = first if n == 0 else replace(first, headline=f"{SCRIPT} two", body=f"{first.body} {SCRIPT}")
        told[n] = replace(made, wording=wording, content_hash=content_hash(wording), text_hash=text_hash(wording))
    asking.fill(sqlite_store, pool, tuple(told), {"courier.example": Source(publisher=SCRIPT, language=SCRIPT)})
    with asking.viewer(sqlite_store.url, pool) as client:
        change = json_of(client, "/")["changes"][0]
        addresses = [
            "/",
            change["href"],
            change["new"]["href"],
            change["article"]["href"],
            "/publishers",
            "/changes.atom",
        ]
        addresses += ["/publishers/courier.example", "/?q=alert", change["href"] + ".txt"]
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code == 200, address
            if answer.headers["content-type"].startswith("text/html"):
                assert "<script>alert" not in answer.text, address


def _wording(text: str) -> Wording:
    return Wording(
        headline=text,
        standfirst=text,
        byline=text,
        section=text,
        dateline=text,
        body=f"{text} " * 20,
        caption=text,
        credit=text,
        correction=text,
    )


def test_revision_of_two_megabytes_is_kept_listed_found_and_shown(sqlite_store: Store, pool: Pool) -> None:
    long = "Rain fell on the harbour all day long and nobody minded. " * 36_000
    told = (
        story(0, FERRY, "A long story", long),
        story(60, FERRY, "A long story", f"{long} The end was near."),
        story(120, FERRY, "A long story", "Short again, of late."),
        story(480, FERRY, "A long story", "Short again, of late."),
        story(500, FERRY, "A long story", "Short again, of late."),
    )
    asking.fill(sqlite_store, pool, told)
    with asking.viewer(sqlite_store.url, pool) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert len(page.content) < 100_000
        for change in json_of(client, "/?q=harbour")["changes"]:
            for address in (change["href"], change["new"]["href"], change["article"]["href"]):
                assert client.get(address).status_code == 200


# The store itself


def test_empty_store_is_a_page_that_says_so(sqlite_store: Store, pool: Pool) -> None:
    with asking.viewer(sqlite_store.url, pool) as client:
        for address in (
            "/",
            "/feeds",
            "/alerts",
            "/dead-letters",
            "/publishers",
            "/changes.atom",
            "/changes.feed.json",
        ):
            assert client.get(address).status_code == 200, address
        page = json_of(client, "/")
        assert (page["changes"], page["articles"], page["feeds"]) == ([], 0, 0)
        assert json_of(client, "/api/changes") == {"events": [], "next": cursor(0), "more": False}


def test_locked_store_is_told_and_served_again_when_it_is_free(sqlite_store: Store, pool: Pool) -> None:
    asking.fill(sqlite_store, pool)
    path = sqlite_store.engine.url.database or ""
    sqlite_store.close()
    with asking.viewer(sqlite_store.url, pool) as client:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN IMMEDIATE")
            other.execute("DELETE FROM inbox")
            locked = client.get("/")
        assert locked.status_code == 503
        assert "locked by another process" in locked.text
        assert path not in locked.text
        assert locked.headers["retry-after"] == "5"
        assert client.get("/").status_code == 200


def test_store_of_an_older_schema_is_brought_up_to_date_when_it_is_opened(sqlite_store: Store, pool: Pool) -> None:
    asking.fill(sqlite_store, pool)
    migrations.migrate(sqlite_store.engine, "0003")
    sqlite_store.close()
    with asking.viewer(sqlite_store.url, pool) as client:
        page = json_of(client, "/")
    assert len(page["changes"]) == 5
    assert page["changes"][0]["sentence"]


def test_store_that_lost_its_tables_or_is_newer_is_told(sqlite_store: Store, pool: Pool) -> None:
    asking.fill(sqlite_store, pool)
    with asking.viewer(sqlite_store.url, pool) as client:
        assert client.get("/").status_code == 200
        with sqlite_store.begin() as conn:
            conn.exec_driver_sql("DROP TABLE change_fields")
        lost = client.get("/?field=headline")
        assert lost.status_code == 503
        assert "lost its tables" in lost.text
        with sqlite_store.begin() as conn:
            conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        newer = client.get("/?field=body")
        assert newer.status_code == 503
        assert "newer Wirewatch" in newer.text


def test_store_of_another_installation_is_told(sqlite_store: Store, pool: Pool) -> None:
    claim_instance(sqlite_store, Instance(authority="other.example", since="2020"))
    with asking.viewer(sqlite_store.url, pool) as client:
        told = client.get("/")
    assert (told.status_code, "other.example,2020" in told.text) == (503, True)


def test_store_that_cannot_be_reached_is_told_without_its_password(pool: Pool) -> None:
    with asking.viewer("postgresql://reader:hunter2@127.0.0.1:1/nowhere", pool) as client:
        told = client.get("/")
    assert told.status_code == 503
    assert "hunter2" not in told.text


def test_page_that_takes_too_long_is_stopped_while_it_works(store: Store, pool: Pool) -> None:
    asking.fill(store, pool)
    from wirewatch.errors import TookTooLong  # noqa: PLC0415
    from wirewatch.store import browsing  # noqa: PLC0415

    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"
    )
    with pytest.raises(TookTooLong), browsing.limited(store, 0.2) as conn:
        conn.exec_driver_sql(endless)
    with asking.viewer(store.url, pool, limit_seconds=0.000001) as client:
        told = client.get("/?q=ferry")
        assert told.status_code in (200, 503)  # a search of nine words may be through before anybody looks
    with browsing.limited(store, 30) as conn:
        assert conn.exec_driver_sql("SELECT 1").scalar() == 1


def test_many_readers_at_once_are_all_answered(read_newsroom: TestClient) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(read_newsroom.get(f"/articles/{key(BUSES)}").status_code for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert statuses == [200] * 40
