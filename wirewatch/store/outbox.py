"""What still has to leave: finished records and events, and which sink has had which of them.

A batch is named and written down before its first row goes out, so after a crash the same rows go out again under
the same name, and a sink that writes files writes the same file. A row is never rebuilt. Long after every sink has had
it, it loses what it says and keeps its id, so that it is never announced again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.canonical import sha256
from wirewatch.store import Store, dead_letters
from wirewatch.store.leases import new_lease
from wirewatch.store.sql import insert, take_turns
from wirewatch.store.tables import deliveries, outbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One finished record or event. `item` is its id: one id never carries two contents."""

    kind: Literal["record", "event"]
    item: str
    article: str
    payload: str
    recorded: datetime
    backfill: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """An item that its sink will never take as it is, and why."""

    item: Item
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Rows that one sink gets together, oldest first; `id` sorts by age and is the same however often they are sent.

    `refused` are those of a written batch that the sink has not taken.
    """

    sink: str
    id: str
    items: tuple[Item, ...]
    lease_ends: datetime
    refused: tuple[Refused, ...] = ()


DELIVER: Final = "deliver"
"""The step of a dead letter that is an item which a sink refused; its `file` is `SINK/KIND/ITEM`."""


_ITEM = tuple(f.name for f in fields(Item))


def item_of(row: Any) -> Item:
    """Return a row of the outbox as an item."""
    return Item(**{name: getattr(row, name) for name in _ITEM})


def announce(conn: Connection, item: Item, sinks: Sequence[str]) -> bool:
    """Keep an item for each of the sinks; return False and change nothing if an item of that id is kept already."""
    return announce_all(conn, [item], sinks) == 1


def announce_all(conn: Connection, items: Sequence[Item], sinks: Sequence[str]) -> int:
    """Keep items in their order, as `announce` does each; return how many were new."""
    if not items:
        return 0
    new = insert(conn, outbox).on_conflict_do_nothing().returning(outbox.c.id, outbox.c.article)
    rows = conn.execute(new, [{name: getattr(item, name) for name in _ITEM} for item in items]).all()
    if sinks and rows:
        conn.execute(
            sa.insert(deliveries),
            [{"sink": sink, "outbox": row.id, "article": row.article} for row in rows for sink in dict.fromkeys(sinks)],
        )
    return len(rows)


def claim(store: Store, sink: str, *, now: datetime, limit: int = 500, lease_seconds: float = 300.0) -> Batch | None:
    """Lease the sink's next batch: first one that was begun and never marked, else the oldest waiting rows.

    An article's rows leave in order: none is given out while an earlier one is under way. None if nothing waits.
    """
    ends = now + timedelta(seconds=lease_seconds)
    with store.begin() as conn:
        take_turns(conn, f"outbox {sink}")
        batch = _abandoned(conn, sink, now) or _form(conn, sink, limit)
        if batch is None:
            return None
        in_batch = _in_batch(sink, batch)
        leased = {"lease": new_lease(), "lease_ends": ends, "attempts": deliveries.c.attempts + 1}
        conn.execute(sa.update(deliveries).where(in_batch).values(leased))
        rows = conn.execute(
            sa.select(outbox).join(deliveries, deliveries.c.outbox == outbox.c.id).where(in_batch).order_by(outbox.c.id)
        ).all()
    return Batch(sink=sink, id=batch, items=tuple(map(item_of, rows)), lease_ends=ends)


def mark(store: Store, batch: Batch, now: datetime) -> int:
    """Note that the whole batch has reached its sink; return how many rows were not marked before.

    What the sink refused is not waited for either: it becomes a dead letter, in the same transaction.
    """
    with store.begin() as conn:
        marked = conn.execute(
            sa.update(deliveries).where(_in_batch(batch.sink, batch.id)).values(delivered=now, lease_ends=None)
        ).rowcount
        for refused in batch.refused if marked else ():
            dead_letters.add(
                conn,
                at=now,
                step=DELIVER,
                reason=refused.reason,
                sha256=sha256(refused.item.payload.encode()),
                file=f"{batch.sink}/{refused.item.kind}/{refused.item.item}",
            )
    return marked


def deliver_again(conn: Connection, file: str) -> bool:
    """Let a sink have once more what it refused, by the `file` of the dead letter; return whether it is still kept."""
    sink, kind, item = file.split("/")
    kept = sa.select(outbox.c.id).where(outbox.c.kind == kind, outbox.c.item == item).scalar_subquery()
    mine = sa.and_(deliveries.c.sink == sink, deliveries.c.outbox == kept)
    return conn.execute(sa.update(deliveries).where(mine).values(delivered=None, batch=None)).rowcount == 1


def release(store: Store, batch: Batch, now: datetime) -> None:
    """Let the same batch be claimed again at once, unless another has claimed it meanwhile."""
    mine = sa.and_(_in_batch(batch.sink, batch.id), deliveries.c.lease_ends == batch.lease_ends)
    with store.begin() as conn:
        conn.execute(sa.update(deliveries).where(mine).values(lease_ends=now))


def waiting(store: Store) -> dict[str, int]:
    """Return how many rows each sink has not had yet, begun batches included."""
    count = sa.select(deliveries.c.sink, sa.func.count().label("n")).where(deliveries.c.delivered.is_(None))
    with store.reading() as conn:
        return {row.sink: row.n for row in conn.execute(count.group_by(deliveries.c.sink))}


def go_on_after(store: Store, row: int) -> int | None:
    """Number what is kept from now on after `row`, a number that a sink has had; return the last one that was given.

    None, and nothing is changed, if the store has got as far itself. It has not where it was put back from a copy that
    is older than what the sink has: the same numbers would stand for other messages.
    """
    with store.reading() as conn:
        if _last_row(conn) >= row:
            return None
    with store.begin() as conn:
        last = _last_row(conn)
        if last >= row:
            return None
        if conn.dialect.name == "postgresql":
            conn.execute(sa.select(sa.func.setval(_SEQUENCE, row)))
        else:
            counted = conn.exec_driver_sql("UPDATE sqlite_sequence SET seq = ? WHERE name = 'outbox'", (row,)).rowcount
            if not counted:
                conn.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?)", (row,))
    return last


_SEQUENCE = sa.func.pg_get_serial_sequence("outbox", "id")


def _last_row(conn: Connection) -> int:
    """Return the last number that was given to a message, kept or not; 0 before the first."""
    if conn.dialect.name == "postgresql":
        sequence = conn.scalar(sa.select(_SEQUENCE))
        given = conn.execute(sa.text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608 (PostgreSQL's own name)
        return int(given.last_value) if given.is_called else 0
    return conn.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").scalar() or 0


def _in_batch(sink: str, batch: str) -> sa.ColumnElement[bool]:
    return sa.and_(deliveries.c.sink == sink, deliveries.c.batch == batch, deliveries.c.delivered.is_(None))


def _abandoned(conn: Connection, sink: str, now: datetime) -> str | None:
    abandoned: str | None = conn.scalar(
        sa.select(sa.func.min(deliveries.c.batch)).where(
            deliveries.c.sink == sink,
            deliveries.c.delivered.is_(None),
            deliveries.c.batch.is_not(None),
            deliveries.c.lease_ends <= now,
        )
    )
    return abandoned


def _form(conn: Connection, sink: str, limit: int) -> str | None:
    of_sink = sa.and_(deliveries.c.sink == sink, deliveries.c.delivered.is_(None))
    under_way = sa.select(deliveries.c.article).where(of_sink, deliveries.c.batch.is_not(None))
    ids = conn.scalars(
        sa.select(deliveries.c.outbox)
        .where(of_sink, deliveries.c.batch.is_(None), deliveries.c.article.not_in(under_way))
        .order_by(deliveries.c.outbox)
        .limit(limit)
    ).all()
    if not ids:
        return None
    batch = f"{ids[0]:012}-{ids[-1]:012}"  # no other batch of this sink begins with the same row
    conn.execute(
        sa.update(deliveries).where(deliveries.c.sink == sink, deliveries.c.outbox.in_(ids)).values(batch=batch)
    )
    return batch
