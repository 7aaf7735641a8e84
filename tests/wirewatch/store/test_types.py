"""What goes into a column comes out of it, on both databases alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wirewatch.canonical import storable
from wirewatch.store import Store
from wirewatch.store.sql import insert
from wirewatch.store.tables import aliases, dead_letters, meta, outbox, pages
from wirewatch.store.types import short_name, to_microseconds

NOON = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
TIMES = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
TEXTS = st.text(max_size=50) | st.text(st.characters(codec=None), max_size=20)
# One store serves all examples of a test; each example writes rows of its own.
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)


def through(store: Store, column: sa.Column[Any], value: Any) -> Any:
    """Return what the column gives back for the value."""
    row = {"hash": "h", "size": 1, "headers": [], "kept": NOON, "body": b""} | {column.name: value}
    with store.begin() as conn:
        conn.execute(sa.delete(pages))
        conn.execute(sa.insert(pages).values(row))
        return conn.scalar(sa.select(column))


@SHARED
@given(at=TIMES)
def test_time_comes_back_to_the_microsecond_in_utc(store: Store, at: datetime) -> None:
    kept = through(store, pages.c.kept, at)
    assert kept == at
    assert kept.tzinfo is UTC


def test_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a zone"):
        through(store, pages.c.kept, datetime(2026, 3, 16, 12, 0))  # noqa: DTZ001 - the point of the test


@given(at=TIMES, later=TIMES)
def test_microseconds_are_in_the_order_of_time(at: datetime, later: datetime) -> None:
    assert (to_microseconds(at) < to_microseconds(later)) == (at < later)


@SHARED
@given(text=TEXTS)
def test_text_comes_back_as_it_was_or_with_replacement_characters(store: Store, text: str) -> None:
    assert through(store, pages.c.content_type, text) == storable(text)[0]


@SHARED
@given(value=st.dictionaries(TEXTS, TEXTS | st.integers(-(2**53), 2**53) | st.booleans() | st.none(), max_size=4))
def test_json_comes_back_with_what_no_store_keeps_replaced(store: Store, value: dict[str, Any]) -> None:
    expected = {storable(k)[0]: storable(v)[0] if isinstance(v, str) else v for k, v in value.items()}
    assert through(store, pages.c.headers, value) == expected


@SHARED
@given(body=st.binary(max_size=2000))
def test_bytes_come_back_whole(store: Store, body: bytes) -> None:
    assert through(store, pages.c.body, body) == body


def test_text_sorts_by_code_point(store: Store) -> None:
    words = ["a", "B", "ä", "Z", "_", "é", "\ue000", "😀"]
    with store.begin() as conn:
        conn.execute(sa.insert(meta), [{"key": word, "value": ""} for word in words])
        assert list(conn.scalars(sa.select(meta.c.key).order_by(meta.c.key))) == sorted(words)
        assert conn.scalar(sa.select(sa.func.max(meta.c.key))) == "😀"


@pytest.mark.parametrize("table", [outbox, dead_letters], ids=["outbox", "dead letters"])
def test_number_is_never_given_twice(store: Store, table: sa.Table) -> None:
    row = {"kind": "event", "item": "i", "article": "a", "payload": "", "recorded": NOON, "backfill": False}
    row = row if table is outbox else {"at": NOON, "step": "s", "reason": "r"}
    given_ids = []
    for _ in range(2):
        with store.begin() as conn:
            given_ids.append(conn.scalar(sa.insert(table).values(row).returning(table.c.id)))
            conn.execute(sa.delete(table))
    assert given_ids[0] < given_ids[1]


@given(name=st.text(max_size=400) | st.text("x/é😀", min_size=900, max_size=1100), other=st.text(max_size=1100))
def test_short_name_is_short_stable_and_tells_names_apart(name: str, other: str) -> None:
    short = short_name(name)
    assert len(short.encode()) <= 1000
    assert short_name(short) == short
    assert short == storable(name)[0] or "#sha256=" in short
    if storable(name)[0] != storable(other)[0]:
        assert short_name(other) != short


def test_longest_names_fit_into_a_key(store: Store) -> None:
    # Random enough that PostgreSQL cannot compress it into its index.
    long = "".join(chr(0x4E00 + (n * n * 7919 + n * 104729) % 20000) for n in range(5000))
    with store.begin() as conn:
        conn.execute(insert(conn, aliases).values(url=long, name=long[::-1], kind="guid", article="a", observed=NOON))
        assert conn.scalar(sa.select(aliases.c.article).where(aliases.c.name == long[::-1])) == "a"
