"""Matching, where it is kept what changed: who is to be told of what, once, and of what nobody is."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders import absence, at, claim, reading
from tests.wirewatch.alerts.desk import alerting, keep, matches, said, url
from tests.wirewatch.kept import asks, keeper, read, uri
from wirewatch.bounded import Pool
from wirewatch.model import Reading, Seen
from wirewatch.store import Store, alerts
from wirewatch.store.tables import alert_matches, outbox


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as made:
        yield made


def test_change_is_matched_once_for_each_rule_and_channel(store: Store, pool: Pool) -> None:
    rules = alerting(
        {"name": "numbers", "channels": ["desk", "mail"], "when": {"reasons": "number"}},
        {"name": "all", "channels": "desk"},
        {"name": "names", "channels": "desk", "when": {"reasons": "name"}},
    )
    changes = [said("a", 12, 0), said("a", 15, 10)]
    keep(store, pool, changes, rules)
    keep(store, pool, changes, rules)
    with store.reading() as conn:
        rows = conn.execute(sa.select(alert_matches).order_by(alert_matches.c.rule, alert_matches.c.channel)).all()
        event = conn.scalar(sa.select(outbox.c.item).where(outbox.c.kind == "event").order_by(outbox.c.id.desc()))
    assert [(row.rule, row.channel, row.state) for row in rows] == [
        ("all", "desk", "waiting"),
        ("numbers", "desk", "waiting"),
        ("numbers", "mail", "waiting"),
    ]
    assert {row.event for row in rows} == {event}
    assert {row.id for row in rows} == {alerts.match_id(row.event, row.rule, row.channel) for row in rows}
    assert {row.ripe - row.matched for row in rows} == {timedelta(minutes=2)}
    assert rows[1].why == ["revised", "number in the body: “12” → “15”"]


@pytest.mark.parametrize(
    ("second", "now", "replay"),
    [
        (None, None, False),
        (said("a", 15, 10), at(24 * 60), False),
        (said("a", 15, 10), None, True),
        (said("a", 15, 10, extractor="test/2", page_hash=None), None, False),
        (said("a", 12, 10, claims=(claim("modified", 5),)), None, False),
    ],
    ids=["first sight", "kept a day later", "replayed", "read by another extractor", "only a new stamp"],
)
def test_nobody_is_told_of_what_is_no_news(
    store: Store, pool: Pool, second: Reading | None, now: datetime | None, replay: bool
) -> None:
    rules = alerting({"name": "all", "channels": "desk"})
    keep(store, pool, [said("a", 12, 0, claims=(claim("modified", 0),))], rules)
    if second is not None:
        keep(store, pool, [second], rules, now=now, replay=replay)
    assert matches(store) == []


def test_restamp_withdrawal_and_return_are_told_to_those_who_name_them(store: Store, pool: Pool) -> None:
    rules = alerting({"name": "r", "channels": "desk", "when": {"happened": ["restamped", "withdrawn", "returned"]}})
    first, again = (said("a", 12, minute, claims=(claim("modified", minute),)) for minute in (0, 10))
    gone = absence(20, Seen.GONE, "HTTP 410", url=url("a"))
    keep(store, pool, [first, again, gone, said("a", 12, 30, claims=again.claims)], rules)
    assert [happened for happened, _ in matches(store)] == ["restamped", "withdrawn", "returned"]


def test_retraction_cancels_what_was_not_told(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0), said("a", 15, 20)])
    assert matches(store) == [("revised", "waiting")]
    keep(store, pool, [said("a", 13, 10)], now=at(22))
    assert sorted(matches(store)) == [("revised", "cancelled"), ("revised", "waiting"), ("revised", "waiting")]


def test_late_reading_that_alerts_nobody_still_cancels(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0), said("a", 15, 20)])
    keep(store, pool, [said("a", 13, 10)], now=at(60 * 24))
    assert matches(store) == [("revised", "cancelled")]


def test_what_waits_goes_on_under_the_article_that_it_turned_out_to_be(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0), said("b", 12, 1), said("b", 15, 10)])
    names = asks(url("b"), canonical=url("a"))
    keep(store, pool, [said("b", 15, 20, aliases=names)])
    with store.reading() as conn:
        (row,) = conn.execute(sa.select(alert_matches)).all()
        joined = conn.scalar(sa.select(outbox.c.article).order_by(outbox.c.id.desc()))
    assert row.state == "waiting"
    assert uri(row.article) == uri(joined or "")


def test_change_whose_transaction_fails_is_matched_no_more_than_it_is_kept(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0)])
    with store.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE counters RENAME TO away")  # the last thing that is written
    with pytest.raises(Exception, match=r"counters|lost its tables"):
        keep(store, pool, [said("a", 15, 10)])
    with store.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE away RENAME TO counters")
    assert matches(store) == []
    keep(store, pool, [said("a", 15, 10)])
    assert matches(store) == [("revised", "waiting")]


def test_words_are_asked_of_the_wordings_that_were_compared(store: Store, pool: Pool) -> None:
    rules = alerting(
        {"name": "w", "channels": "desk", "when": {"old_words": "12", "new_words": "15", "about": "harbour"}}
    )
    keep(store, pool, [said("a", 12, 0), said("a", 15, 10), said("a", 17, 20)], rules)
    assert len(matches(store)) == 1


def test_rules_go_to_other_processes_without_what_was_made_of_them(store: Store, pool: Pool) -> None:
    rules = alerting({"name": "p", "channels": "desk", "when": {"patterns": "1[25] crossings"}})
    keep(store, pool, [said("a", 12, 0), said("a", 15, 10)], rules)
    other = pickle.loads(pickle.dumps(rules))
    keep(store, pool, [said("b", 12, 0), said("b", 15, 10)], other)
    assert len(matches(store)) == 2


def test_keeping_without_rules_writes_no_matches(store: Store, pool: Pool) -> None:
    for one in (reading(0, "One. " * 30), reading(10, "Two. " * 30)):
        keeper(store, pool, at(11)).keep(read(one))
    assert matches(store) == []
