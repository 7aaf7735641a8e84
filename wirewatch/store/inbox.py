"""Captures that were brought to us and wait to be read: replays and pushes.

Whoever brings one may be told so only after the transaction of `put` has ended; bringing it twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.model import Capture
from wirewatch.store import Store
from wirewatch.store.leases import new_lease
from wirewatch.store.packed import pack, unpack
from wirewatch.store.sql import insert_new
from wirewatch.store.tables import inbox

_BYTES: Final = 32 << 20  # compressed, taken at once; pages are five to six times as large


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A capture out of the inbox, under a lease."""

    id: str
    capture: Capture
    lease: str


def put(conn: Connection, capture_id: str, capture: Capture, received: datetime) -> bool:
    """Keep a capture until it is read; return False if one of that id waits already."""
    return insert_new(conn, inbox, {"id": capture_id, "capture": pack(capture), "received": received})


def take(store: Store, *, now: datetime, limit: int = 500, lease_seconds: float = 300.0) -> list[Received]:
    """Lease the captures that wait longest, as many as fit into memory; those whose lease ran out wait again."""
    lease = new_lease()
    free = sa.or_(inbox.c.lease_ends.is_(None), inbox.c.lease_ends <= now)
    order = (inbox.c.received, inbox.c.id)
    with store.begin() as conn:
        waiting = sa.select(inbox.c.id, sa.func.length(inbox.c.capture).label("size")).where(free)
        sizes = conn.execute(waiting.order_by(*order).limit(limit).with_for_update(skip_locked=True)).all()
        fit = [row.id for n, row in enumerate(sizes) if n == 0 or sum(one.size for one in sizes[: n + 1]) <= _BYTES]
        taken = inbox.c.id.in_(fit)
        ends = now + timedelta(seconds=lease_seconds)
        conn.execute(sa.update(inbox).where(taken).values(lease=lease, lease_ends=ends))
        rows = conn.execute(sa.select(inbox.c.id, inbox.c.capture).where(taken).order_by(*order)).all()
    return [Received(id=row.id, capture=unpack(row.capture), lease=lease) for row in rows]


def drop(conn: Connection, received: Received) -> bool:
    """Remove a capture that was read, in the transaction that keeps what it said; False if the lease is another's."""
    mine = sa.and_(inbox.c.id == received.id, inbox.c.lease == received.lease)
    return conn.execute(sa.delete(inbox).where(mine)).rowcount == 1


def give_back(store: Store, received: Received) -> None:
    """Let a capture that was not read wait again."""
    mine = sa.and_(inbox.c.id == received.id, inbox.c.lease == received.lease)
    with store.begin() as conn:
        conn.execute(sa.update(inbox).where(mine).values(lease=None, lease_ends=None))
