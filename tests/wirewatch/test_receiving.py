"""What messages ask for is due, what they bring waits in the inbox, the rest are dead letters; or nothing of it is."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import NOON, URL, at
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.model import Source
from wirewatch.receiving import Intake, Message, receive
from wirewatch.store import Store, articles, dead_letters, feeds, frontier, inbox, tables

POLICY = FetchPolicy(contact="desk@wirewatch.example")
FEED = "https://courier.example/feed.xml"
QUEUE = "projects/newsroom/subscriptions/wirewatch"


def message(number: int, said: Any = None, **members: Any) -> Message:
    """Return a message with that body, or with these members as JSON."""
    data = said if isinstance(said, bytes) else json.dumps(said if said is not None else members).encode()
    return Message(id=f"{QUEUE}#{number}", data=data)


def brought(number: int, url: str = URL) -> Message:
    return message(number, url=url, observedAt="2026-03-16T12:00:00Z", body="<p>Ferry")


def due(store: Store, minutes: float = 1) -> set[str]:
    with store.reading() as conn:
        return {
            row.url
            for table in (tables.articles, tables.feeds)
            for row in conn.execute(sa.select(table.c.url).where(table.c.due_at <= at(minutes)))
        }


def letters(store: Store) -> list[tuple[str, str | None, str | None]]:
    return [(one.reason, one.url, one.file) for one in dead_letters.listed(store)]


def test_messages_become_checks_captures_and_dead_letters(store: Store) -> None:
    feeds.add_feed(store, FEED, Source(feed=FEED), at(-60))
    (check,) = frontier.lease_due(store, now=at(-59))
    with store.begin() as conn:
        frontier.settle_feed(conn, check, now=at(-59), due_at=at(600))
    messages = [message(1, url=URL), message(2, feed=FEED), brought(3), message(4, b"rubbish")]
    assert receive(store, messages, NOON, POLICY) == Intake(checks=2, captures=1, dead_letters=1)
    assert due(store) == {URL, FEED}
    (waiting,) = inbox.take(store, now=at(1))
    assert (waiting.id, waiting.capture.body) == (f"{QUEUE}#3", b"<p>Ferry")
    ((reason, url, file),) = letters(store)
    assert "no JSON" in reason
    assert (url, file) == (None, f"{QUEUE}#4")


def test_messages_that_come_again_change_nothing(store: Store) -> None:
    messages = [message(1, url=URL), brought(2), message(3, b"rubbish"), message(4, feed=FEED)]
    receive(store, messages, NOON, POLICY)
    receive(store, [*messages, *messages], at(1), POLICY)
    assert len(inbox.take(store, now=at(1))) == 1
    assert len(letters(store)) == 2
    with store.reading() as conn:
        assert conn.scalars(sa.select(tables.articles.c.due_at)).all() == [NOON]


def test_capture_lies_compressed_in_the_store(store: Store) -> None:
    page = "The harbour council approved a ferry subsidy. " * 2000
    receive(store, [message(1, url=URL, observedAt="2026-03-16T12:00:00Z", body=page)], NOON, POLICY)
    with store.reading() as conn:
        kept = conn.exec_driver_sql("SELECT length(capture) FROM inbox").scalar_one()
    assert kept < len(page) / 50
    assert inbox.take(store, now=NOON)[0].capture.body == page.encode()


def test_feed_that_nobody_watches_or_that_is_paused_is_not_begun(store: Store) -> None:
    feeds.add_feed(store, FEED, Source(feed=FEED), at(-60))
    feeds.pause_feed(store, FEED)
    messages = [message(1, feed="https://post.example/feed"), message(2, feed=FEED), message(3, url=FEED)]
    assert receive(store, messages, NOON, POLICY) == Intake(dead_letters=3)
    reasons = {url: reason for reason, url, _ in letters(store)}
    assert "`wirewatch feeds add`" in reasons["https://post.example/feed"]
    assert reasons[FEED] == "This feed is paused"
    with store.reading() as conn:
        assert conn.scalars(sa.select(tables.articles.c.url)).all() == []


def test_url_of_a_feed_asks_for_the_feed(store: Store) -> None:
    feeds.add_feed(store, FEED, Source(feed=FEED), at(600))
    assert receive(store, [message(1, url=FEED)], NOON, POLICY) == Intake(checks=1)
    assert due(store) == {FEED}


def test_article_that_is_asked_for_keeps_its_settings(store: Store) -> None:
    articles.watch(store, URL, Source(zone="Europe/London"), at(600))
    receive(store, [message(1, url=URL)], NOON, POLICY)
    (check,) = frontier.lease_due(store, now=at(1))
    assert check.source.zone == "Europe/London"


def test_nothing_of_a_handful_is_kept_where_its_end_cannot_be(store: Store) -> None:
    """A trigger stands for whatever a database may refuse: here, the dead letter, which is written last."""
    refuse = {
        "sqlite": "CREATE TRIGGER no BEFORE INSERT ON dead_letters BEGIN SELECT RAISE(ABORT, 'no'); END",
        "postgresql": "ALTER TABLE dead_letters ADD CONSTRAINT no CHECK (step <> 'receive')",
    }
    allow = {"sqlite": "DROP TRIGGER no", "postgresql": "ALTER TABLE dead_letters DROP CONSTRAINT no"}
    with store.begin() as conn:
        conn.exec_driver_sql(refuse[conn.dialect.name])
    messages = [message(1, url=URL), brought(2), message(3, b"rubbish")]
    with pytest.raises(sa.exc.IntegrityError):
        receive(store, messages, NOON, POLICY)
    assert (due(store), inbox.take(store, now=NOON), letters(store)) == (set(), [], [])
    with store.begin() as conn:
        conn.exec_driver_sql(allow[conn.dialect.name])
    receive(store, messages, NOON, POLICY)
    assert (due(store), len(inbox.take(store, now=NOON)), len(letters(store))) == ({URL}, 1, 1)


def test_workers_that_receive_the_same_wishes_in_any_order_keep_them_all(store: Store) -> None:
    wishes = [message(n, url=f"https://courier.example/{n}") for n in range(40)]
    handfuls = [wishes, wishes[::-1], wishes[20:] + wishes[:20], wishes]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda some: receive(store, some, NOON, POLICY), handfuls))
    assert [one.checks for one in done] == [40] * 4
    assert len(due(store)) == 40


def test_private_address_is_not_made_due(store: Store) -> None:
    assert receive(store, [message(1, url="http://10.0.0.1/")], NOON, POLICY) == Intake(dead_letters=1)
    assert letters(store) == [("10.0.0.1 is not a public address", "http://10.0.0.1/", f"{QUEUE}#1")]
    assert due(store) == set()
