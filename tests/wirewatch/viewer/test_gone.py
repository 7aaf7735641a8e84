"""What was forgotten, or thrown away for its age, is on no page and found by no search, and is counted all the same."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from starlette.testclient import TestClient

from tests.builders import NOON
from tests.wirewatch.viewer.asking import FERRY, json_of, key
from wirewatch.encoding import revive
from wirewatch.model import Revision
from wirewatch.store import Store, browsing, changes, forgetting, tables, tidying
from wirewatch.store.tidying import Retention

LATER = NOON + timedelta(days=400)


def texts_of(newsroom: TestClient) -> str:
    changes = json_of(newsroom, "/")["changes"]
    about = [f"/articles/{key(FERRY)}", "/", "/changes.atom", "/changes.feed.json", "/?q=subsidy", "/publishers"]
    told = [newsroom.get(address) for address in about + [one["href"] for one in changes]]
    assert {answer.status_code for answer in told} <= {200, 410}
    return "".join(answer.text for answer in told)


def test_a_forgotten_article_says_nothing_on_any_page(store: Store, newsroom: TestClient) -> None:
    before = json_of(newsroom, f"/articles/{key(FERRY)}")
    listed = json_of(newsroom, "/?q=subsidy")["changes"]
    assert listed
    assert "subsidy" in texts_of(newsroom)
    forgetting.forget(store, key(FERRY), "asked for", LATER, str)

    assert json_of(newsroom, "/?q=subsidy")["changes"] == []
    assert re.findall(r'.{40}ubsidy(?!" maxlength).{20}', texts_of(newsroom)) == []
    now = json_of(newsroom, f"/articles/{key(FERRY)}")
    assert len(now["revisions"]) == len(before["revisions"])
    assert len(now["changes"]) == len(before["changes"])
    for address in (before["revisions"][0]["href"], before["changes"][0]["href"]):
        answer = newsroom.get(address, headers={"accept": "text/html"})
        assert answer.status_code == 410
        assert "was forgotten on" in answer.text


def test_a_text_that_was_too_old_is_said_to_be_gone(store: Store, newsroom: TestClient) -> None:
    before = json_of(newsroom, f"/articles/{key(FERRY)}")
    tidying.tidy(store, Retention(texts=timedelta(days=30)), LATER)

    oldest = min(before["revisions"], key=lambda one: one["version"])
    answer = newsroom.get(oldest["href"], headers={"accept": "text/html"})
    assert answer.status_code == 410
    assert "was removed on" in answer.text
    latest = max(before["revisions"], key=lambda one: one["version"])
    assert newsroom.get(latest["href"]).status_code == 200
    change = json_of(newsroom, "/")["changes"]
    assert {one["sentence"] for one in change if one["article"]["key"] == key(FERRY)} == {
        "the words of this change are not kept any more"
    }


def test_a_change_without_words_moves_in_time_and_stays_under_its_filters(store: Store, newsroom: TestClient) -> None:
    page = json_of(newsroom, f"/articles/{key(FERRY)}")
    tidying.tidy(store, Retention(texts=timedelta(days=30)), LATER)
    moved = min(page["changes"], key=lambda one: one["new"]["version"])
    with store.begin() as conn:
        kept = {one.id: revive(Revision, one.body) for one in browsing.revision_rows(conn, key(FERRY))}
        old, new = kept[moved["old"]["id"]], kept[moved["new"]["id"]]
        changes.move(conn, moved["id"], old, replace(new, first_observed=LATER))
        row = conn.execute(sa.select(tables.changes).where(tables.changes.c.diff == moved["id"])).one()
    assert changes.time_of(row.place) == LATER
    assert row.words is None
    for field in moved["fields"]:
        assert json_of(newsroom, f"/?field={field}")["changes"][0]["id"] == moved["id"]
    assert json_of(newsroom, "/")["changes"][0]["id"] == moved["id"]
