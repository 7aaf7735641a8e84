"""Each sink gets each row at least once, under the same name and with the same bytes, an article's rows in order."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wirewatch.store.together import Workers
from wirewatch.canonical import sha256
from wirewatch.store import Store, dead_letters, outbox, tidying
from wirewatch.store.outbox import Batch, Item, Refused, announce
from wirewatch.store.tables import deliveries
from wirewatch.store.tables import outbox as outbox_table
from wirewatch.store.tidying import Retention

NOON = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)

CLAIM_AND_HANG = """
import sys, time
from datetime import datetime
from wirewatch.store import Store, outbox
batch = outbox.claim(Store.open(sys.argv[1]), "jsonl", now=datetime.fromisoformat(sys.argv[2]), limit=2)
print(batch.id, flush=True)
time.sleep(60)
"""

CLAIM_ALL = """
import json, sys
from datetime import datetime
from wirewatch.store import Store, outbox
store, now = Store.open(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
claimed = []
while batch := outbox.claim(store, "jsonl", now=now, limit=5):
    claimed.append([item.item for item in batch.items])
    outbox.mark(store, batch, now)
print(json.dumps(claimed))
store.close()
"""


def at(seconds: float) -> datetime:
    """Return a time that many seconds after noon of the tests' day."""
    return NOON + timedelta(seconds=seconds)


def item(name: str, article: str = "a", payload: str = "{}") -> Item:
    return Item(kind="event", item=name, article=article, payload=payload, recorded=NOON)


def put(store: Store, *items: Item, sinks: tuple[str, ...] = ("jsonl",)) -> None:
    with store.begin() as conn:
        for one in items:
            announce(conn, one, sinks)


def claim(store: Store, seconds: float = 0, sink: str = "jsonl", limit: int = 500) -> Batch | None:
    return outbox.claim(store, sink, now=at(seconds), limit=limit, lease_seconds=60)


def names(batch: Batch | None) -> list[str]:
    return [] if batch is None else [one.item for one in batch.items]


def test_items_leave_as_they_were_kept(store: Store) -> None:
    kept = [item("1", payload='{"headline": "Fährpreise – steigen"}'), replace(item("2"), kind="record", backfill=True)]
    put(store, *kept)
    batch = claim(store)
    assert batch is not None
    assert batch.items == tuple(kept)
    assert batch.lease_ends == at(60)


def test_item_is_kept_once(store: Store) -> None:
    put(store, item("1"))
    with store.begin() as conn:
        assert not announce(conn, item("1", payload="other"), ["jsonl", "mail"])
        assert announce(conn, replace(item("1"), kind="record"), ["jsonl"])
    assert outbox.waiting(store) == {"jsonl": 2}


def test_each_sink_gets_every_item(store: Store) -> None:
    put(store, item("1"), item("2"), sinks=("jsonl", "mail", "jsonl"))
    batch = claim(store)
    assert batch is not None
    assert outbox.mark(store, batch, at(1)) == 2
    assert outbox.waiting(store) == {"mail": 2}
    assert names(claim(store, sink="mail")) == ["1", "2"]


def test_item_for_no_sink_is_kept_and_waits_for_nobody(store: Store) -> None:
    put(store, item("1"), sinks=())
    assert outbox.waiting(store) == {}
    assert claim(store) is None


def test_batches_are_the_oldest_rows_and_their_ids_sort_by_age(store: Store) -> None:
    put(store, *(item(str(n), article=str(n)) for n in range(5)))
    batches = [claim(store, limit=2) for _ in range(4)]
    assert [names(batch) for batch in batches] == [["0", "1"], ["2", "3"], ["4"], []]
    ids = [batch.id for batch in batches if batch]
    assert ids == sorted(set(ids))


def test_abandoned_batch_comes_again_the_same_before_anything_new(store: Store) -> None:
    put(store, item("1"))
    first = claim(store)
    put(store, item("2", article="b"))
    second = claim(store, 60)
    assert first is not None
    assert second == replace(first, lease_ends=at(120))
    assert names(claim(store, 60)) == ["2"]


def test_articles_rows_wait_for_its_earlier_ones(store: Store) -> None:
    put(store, item("1", "a"))
    first = claim(store)
    put(store, item("2", "a"), item("3", "b"))
    assert names(claim(store)) == ["3"]
    assert claim(store) is None
    assert first is not None
    outbox.mark(store, first, at(1))
    assert names(claim(store)) == ["2"]


def test_released_batch_can_be_claimed_at_once(store: Store) -> None:
    put(store, item("1"))
    batch = claim(store)
    assert batch is not None
    outbox.release(store, batch, at(1))
    again = claim(store, 1)
    assert again is not None
    assert (again.id, again.items) == (batch.id, batch.items)
    outbox.release(store, batch, at(2))  # whose lease is another's by now
    assert claim(store, 2) is None


def test_batch_that_two_sent_is_marked_once(store: Store) -> None:
    put(store, item("1"))
    first = claim(store)
    second = claim(store, 60)
    assert first is not None
    assert second is not None
    assert outbox.mark(store, first, at(61)) == 1
    assert outbox.mark(store, second, at(62)) == 0
    assert outbox.waiting(store) == {}


def test_rows_that_are_undone_never_leave(store: Store) -> None:
    def fail() -> None:
        with store.begin() as conn:
            announce(conn, item("1"), ["jsonl"])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert claim(store) is None


def test_batch_of_a_killed_process_comes_again_the_same(store: Store) -> None:
    put(store, item("1"), item("2"), item("3"))
    command = [sys.executable, "-c", CLAIM_AND_HANG, store.url, NOON.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        batch_id = process.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
    assert claim(store, 299) is None  # all of one article: the third waits for the first two
    batch = claim(store, 300)
    assert batch is not None
    assert batch.id == batch_id
    assert names(batch) == ["1", "2"]


def test_two_processes_claim_no_row_twice(store: Store, workers: Workers) -> None:
    put(store, *(item(f"{n:03}", article=str(n % 7)) for n in range(100)))
    printed = workers.run(CLAIM_ALL, store.url, NOON.isoformat())
    claimed = [name for output in printed for batch in json.loads(output) for name in batch]
    left = []
    while batch := claim(store):  # one process may have ended while the other held the rest back
        left += names(batch)
        outbox.mark(store, batch, NOON)
    assert sorted(claimed + left) == [f"{n:03}" for n in range(100)]


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.sampled_from(["announce", "claim", "mark", "crash", "release", "mark late"]), min_size=5, max_size=25
    ),
    articles=st.integers(1, 3),
)
def test_nothing_is_lost_renamed_or_out_of_order(store: Store, steps: list[str], articles: int) -> None:
    with store.begin() as conn:
        conn.execute(sa.delete(deliveries))
        conn.execute(sa.delete(outbox_table))
    now, put_in, under_way = 0.0, 0, list[Batch]()
    seen: dict[str, list[str]] = {}  # batch id to names
    arrived: list[Item] = []
    for step in [*steps, "announce", *["crash", "claim", "mark"] * 40]:
        now += 1
        if step == "announce":
            put(store, item(f"{put_in:03}", article=str(put_in % articles)))
            put_in += 1
        elif step == "claim" and (batch := claim(store, now, limit=2)):
            assert seen.setdefault(batch.id, names(batch)) == names(batch)
            under_way.append(batch)
        elif step == "crash":
            now += 100
        elif step == "release" and under_way:
            outbox.release(store, under_way.pop(), at(now))
        elif step.startswith("mark") and under_way:
            batch = under_way.pop(0 if step == "mark late" else -1)
            if outbox.mark(store, batch, at(now)):
                arrived += batch.items
    assert sorted(one.item for one in arrived) == [f"{n:03}" for n in range(put_in)]
    for article in {one.article for one in arrived}:
        of_article = [one.item for one in arrived if one.article == article]
        assert of_article == sorted(of_article)


# A store that was put back from a copy


def last_row(store: Store) -> int:
    with store.reading() as conn:
        return outbox._last_row(conn)


def test_numbers_go_on_after_what_a_sink_has_had(store: Store) -> None:
    put(store, item("first"))
    last = last_row(store)
    assert outbox.go_on_after(store, last) is None
    assert outbox.go_on_after(store, last + 40) == last
    assert outbox.go_on_after(store, last + 40) is None
    put(store, item("second"))
    with store.reading() as conn:
        ids = conn.scalars(sa.select(outbox_table.c.id).order_by(outbox_table.c.id)).all()
    assert ids == [last, last + 41]


def test_empty_store_goes_on_after_what_a_sink_has_had(store: Store) -> None:
    last = last_row(store)
    assert outbox.go_on_after(store, last + 7) == last
    put(store, item("first"))
    batch = outbox.claim(store, "jsonl", now=NOON)
    assert batch is not None
    assert batch.id == f"{last + 8:012}-{last + 8:012}"


def refused_batch(store: Store) -> Batch:
    """Return a batch of two of which the sink has not taken the first."""
    put(store, item("1", payload='{"a": 1}'), item("2"))
    batch = claim(store)
    assert batch is not None
    return replace(batch, refused=(Refused(item=batch.items[0], reason="no such column"),))


def test_what_a_sink_refuses_is_a_dead_letter_and_waits_no_more(store: Store) -> None:
    batch = refused_batch(store)
    assert outbox.mark(store, batch, at(1)) == 2
    assert outbox.waiting(store) == {}
    (letter,) = dead_letters.listed(store)
    assert (letter.step, letter.reason, letter.file) == (outbox.DELIVER, "no such column", "jsonl/event/1")
    assert letter.sha256 == sha256(b'{"a": 1}')
    assert letter.replayable


def test_batch_that_is_marked_again_leaves_no_second_dead_letter(store: Store) -> None:
    batch = refused_batch(store)
    assert [outbox.mark(store, batch, at(n)) for n in (1, 2)] == [2, 0]
    assert len(dead_letters.listed(store)) == 1


def test_what_a_sink_refused_can_be_handed_over_again_to_that_sink_alone(store: Store) -> None:
    outbox.mark(store, refused_batch(store), at(1))
    put(store, item("3", article="b"), sinks=("other",))
    (letter,) = dead_letters.listed(store)
    with store.begin() as conn:
        assert outbox.deliver_again(conn, letter.file or "")
        assert not outbox.deliver_again(conn, "jsonl/event/7")
    assert outbox.waiting(store) == {"jsonl": 1, "other": 1}
    again = claim(store, 2)
    assert again is not None
    assert [(one.item, one.payload) for one in again.items] == [("1", '{"a": 1}')]


# What every sink has had, long ago


def empty(store: Store, before: datetime) -> int:
    return tidying.tidy(store, Retention(messages=timedelta(0)), before)["messages"].rows


def test_row_that_every_sink_has_had_loses_what_it_says_and_is_never_announced_again(store: Store) -> None:
    put(store, *(item(f"{n:04}", article=f"{n}", payload='{"n": 1}') for n in range(1100)))
    while batch := outbox.claim(store, "jsonl", now=at(0)):
        outbox.mark(store, batch, at(1))
    assert empty(store, NOON) == 0, "what was recorded at noon is not older than noon"
    assert empty(store, at(1)) == 1100
    assert empty(store, at(1)) == 0
    with store.begin() as conn:
        assert not announce(conn, item("0007", payload='{"n": 2}'), ["jsonl", "late"])
        assert set(conn.scalars(sa.select(outbox_table.c.payload))) == {""}
        assert conn.scalar(sa.select(sa.func.count()).select_from(deliveries)) == 0
    assert outbox.waiting(store) == {}


def test_sink_that_is_behind_keeps_what_it_has_not_had(store: Store) -> None:
    put(store, item("both"), sinks=("jsonl", "slow"))
    put(store, item("done"))
    for batch in (outbox.claim(store, "jsonl", now=at(0)), outbox.claim(store, "slow", now=at(0))):
        assert batch is not None
        if batch.sink == "jsonl":
            outbox.mark(store, batch, at(1))
    assert empty(store, at(9)) == 1
    again = outbox.claim(store, "slow", now=at(1000))
    assert again is not None
    assert [(one.item, one.payload) for one in again.items] == [("both", "{}")]
    outbox.mark(store, again, at(1001))
    assert empty(store, at(9)) == 1


def test_rows_to_empty_are_found_by_their_index(store: Store) -> None:
    """The outbox keeps an id for each message there ever was: it is never read whole."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(store.engine, "before_cursor_execute", note)
    assert empty(store, NOON) == 0
    sa.event.remove(store.engine, "before_cursor_execute", note)
    statement, parameters = next(one for one in asked if one[0].startswith("SELECT outbox.id"))
    with store.reading() as conn:
        explain = "EXPLAIN QUERY PLAN"
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN"
        assert "ix_outbox_full" in str(conn.exec_driver_sql(f"{explain} {statement}", parameters).all())
