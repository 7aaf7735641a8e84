"""What still has to leave: finished records and events, and which sink has had which of them.

A batch is named and written down before its first row goes out, so after a crash the same rows go out again under
the same name, and a sink that writes files writes the same file. A row is never rebuilt. Long after every sink has had
it, it loses what it says and keeps its id, so that it is never announced again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.store import Store
from wirewatch.store.leases import new_lease
from wirewatch.store.sql import insert, take_turns
from wirewatch.store.tables import deliveries, outbox

KEPT_FOR: Final = timedelta(days=90)  # rules are tried on what was announced, too
_AT_A_TIME: Final = 500  # rows emptied in one transaction


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
class Batch:
    """Rows that one sink gets together, oldest first; `id` sorts by age and is the same however often they are sent."""

    sink: str
    id: str
    items: tuple[Item, ...]
    lease_ends: datetime


_ITEM = tuple(f.name for f in fields(Item))


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
    items = tuple(
        Item(
            kind=row.kind,
            item=row.item,
            article=row.article,
            payload=row.payload,
            recorded=row.recorded,
            backfill=row.backfill,
        )
        for row in rows
    )
    return Batch(sink=sink, id=batch, items=items, lease_ends=ends)


def mark(store: Store, batch: Batch, now: datetime) -> int:
    """Note that the whole batch has reached its sink; return how many rows were not marked before."""
    with store.begin() as conn:
        return conn.execute(
            sa.update(deliveries).where(_in_batch(batch.sink, batch.id)).values(delivered=now, lease_ends=None)
        ).rowcount


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


def empty(store: Store, before: datetime) -> int:
    """Remove what rows say that were recorded before a moment and that no sink waits for; return how many.

    A sink that is behind keeps what it has not had, whatever its age. An id stays, and is never announced again.
    """
    emptied = 0
    while some := _empty_some(store, before):
        emptied += some
    return emptied


def _empty_some(store: Store, before: datetime) -> int:
    full = outbox.c.payload != sa.literal_column("''")  # as its index says it, which no parameter would match
    waited_for = sa.exists().where(deliveries.c.outbox == outbox.c.id, deliveries.c.delivered.is_(None))
    with store.begin() as conn:
        ids = conn.scalars(
            sa.select(outbox.c.id)
            .where(full, outbox.c.recorded < before, ~waited_for)
            .order_by(outbox.c.recorded)
            .limit(_AT_A_TIME)
        ).all()
        conn.execute(sa.delete(deliveries).where(deliveries.c.outbox.in_(ids)))
        conn.execute(sa.update(outbox).where(outbox.c.id.in_(ids)).values(payload=""))
    return len(ids)


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
