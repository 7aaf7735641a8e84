"""How far the work is behind, as whoever watches over a job wants to know it: asked of the store, in one reading.

What waits for its host's turn is no lag: a host that asked not to be asked for a day holds up its own pages alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.store import Store, frontier
from wirewatch.store.tables import articles, dead_letters, deliveries, feeds, inbox, outbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Undelivered:
    """What one sink has not had yet, and since when its oldest row waits."""

    sink: str
    rows: int
    oldest: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """Since when the oldest of each thing waits (None: nothing does), and what needs a person."""

    feed_due: datetime | None
    article_due: datetime | None
    inbox: datetime | None
    undelivered: tuple[Undelivered, ...]
    feeds_well: int
    feeds_failing: int
    feeds_paused: int
    dead_letters: int  # that were not replayed

    @property
    def oldest_work(self) -> datetime | None:
        """Return since when the oldest check or capture waits that could be worked on now."""
        return min((at for at in (self.feed_due, self.article_due, self.inbox) if at is not None), default=None)


def lag(store: Store, now: datetime) -> Lag:
    """Return how far behind the work is."""
    with store.reading() as conn:
        waiting = sa.or_(inbox.c.lease_ends.is_(None), inbox.c.lease_ends <= now)
        failing = sa.and_(feeds.c.failures > 0, sa.not_(feeds.c.paused))
        return Lag(
            feed_due=conn.scalar(frontier.oldest_due(feeds, now)),
            article_due=conn.scalar(frontier.oldest_due(articles, now)),
            inbox=conn.scalar(sa.select(sa.func.min(inbox.c.received)).where(waiting)),
            undelivered=_undelivered(conn),
            feeds_well=_count(conn, feeds, feeds.c.failures == 0, sa.not_(feeds.c.paused)),
            feeds_failing=_count(conn, feeds, failing),
            feeds_paused=_count(conn, feeds, feeds.c.paused),
            dead_letters=_count(conn, dead_letters, dead_letters.c.replayed.is_(None)),
        )


def _undelivered(conn: Connection) -> tuple[Undelivered, ...]:
    first = (
        sa.select(deliveries.c.sink, sa.func.count().label("rows"), sa.func.min(deliveries.c.outbox).label("first"))
        .where(deliveries.c.delivered.is_(None))
        .group_by(deliveries.c.sink)
        .subquery()
    )
    query = sa.select(first.c.sink, first.c.rows, outbox.c.recorded).join(outbox, outbox.c.id == first.c.first)
    return tuple(
        Undelivered(sink=row.sink, rows=row.rows, oldest=row.recorded) for row in conn.execute(query.order_by("sink"))
    )


def _count(conn: Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
    return conn.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0
