"""What a stream's ticks ask the store before they lease, and how a stream is told to come to rest.

What was leased and not kept yet is the stream's backlog: it lies on the way through some worker, or that worker died
and its lease has still to run out. A stream rests until a moment and no longer: whoever asked for it may be killed
before the job has ended, and the job then goes on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from wirewatch.store import Store
from wirewatch.store.sql import insert_new
from wirewatch.store.tables import articles, feeds, hosts, inbox, meta


def oldest_unkept(store: Store, now: datetime, *, lease_seconds: float) -> datetime | None:
    """Return since when the oldest of what was leased waits to be kept, or None if nothing does.

    A check waits from its start on, but not while its host wants no requests: that is no work that piles up.
    `lease_seconds` is how long captures out of the inbox are leased.
    """
    paused = sa.select(hosts.c.host).where(hosts.c.blocked_until > now)
    with store.reading() as conn:
        since = [
            # A leased row is due still, and those are found by their index.
            conn.scalar(
                sa.select(sa.func.min(table.c.start_at)).where(
                    table.c.due_at <= now, table.c.lease_ends > now, table.c.host.not_in(paused)
                )
            )
            for table in (feeds, articles)
        ]
        ends = conn.scalar(sa.select(sa.func.min(inbox.c.lease_ends)).where(inbox.c.lease_ends > now))
    if ends is not None:
        since.append(ends - timedelta(seconds=lease_seconds))
    return min((at for at in since if at is not None), default=None)


def ask_to_rest(store: Store, run: str, until: datetime) -> None:
    """Let no tick of a stream lease anything before `until`; what it holds is kept and delivered."""
    with store.begin() as conn:
        insert_new(conn, meta, {"key": _key(run), "value": until.isoformat()})


def is_to_rest(store: Store, run: str, now: datetime) -> bool:
    """Tell whether a stream was asked to come to rest, and not so long ago that it has to go on."""
    with store.reading() as conn:
        until = conn.scalar(sa.select(meta.c.value).where(meta.c.key == _key(run)))
    return until is not None and now < datetime.fromisoformat(until)


def forget(store: Store, run: str) -> None:
    """Forget that a stream was asked to come to rest: it has ended, or it could not be ended and goes on."""
    with store.begin() as conn:
        conn.execute(sa.delete(meta).where(meta.c.key == _key(run)))


def _key(run: str) -> str:
    return f"rest {run}"
