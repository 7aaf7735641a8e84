"""Look at how well Wirewatch itself can see: its feeds, hosts and passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.model import Availability
from wirewatch.store.sql import insert, take_turns
from wirewatch.store.tables import articles, feeds, meta

_PASSES: Final = "passes"
_PASSES_KEPT: Final = 6
_ARRIVALS: Final = 50  # of a feed, the latest
_BLIND: Final = (Availability.SUSPECT.value, Availability.BLOCKED.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedSight:
    """How a feed does. `gaps_seconds` lie between the last moments at which it brought something new, oldest first."""

    url: str
    failures: int
    last_success: datetime | None
    last_new: datetime | None
    detail: str
    gaps_seconds: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class HostSight:
    """How many of a host's watched pages cannot be read rightly, of how many."""

    host: str
    blind: int
    pages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Passes:
    """When the last passes were completed, oldest first, and how often they are to come, where that was said."""

    completed: tuple[datetime, ...] = ()
    every_seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """All that an operator is told from, but for channels."""

    feeds: tuple[FeedSight, ...] = ()
    hosts: tuple[HostSight, ...] = ()
    passes: Passes = field(default_factory=Passes)


def sight(conn: Connection, now: datetime, quiet_for: timedelta) -> Sight:
    """Return how well is seen. Arrivals are looked up of feeds that have brought nothing for `quiet_for` only."""
    a = articles.c
    blind = sa.func.sum(sa.case((a.availability.in_(_BLIND), 1), else_=0))
    hosts = sa.select(a.host, blind.label("blind"), sa.func.count().label("pages"))
    hosts = hosts.where(a.due_at.is_not(None), a.availability.is_not(None)).group_by(a.host)
    f = feeds.c
    watched = sa.select(f.url, f.failures, f.last_success, f.last_new, f.last_detail).where(f.paused.is_(False))
    return Sight(
        feeds=tuple(
            FeedSight(
                url=row.url,
                failures=row.failures,
                last_success=row.last_success,
                last_new=row.last_new,
                detail=row.last_detail,
                gaps_seconds=_gaps(conn, row.url) if row.last_new and row.last_new < now - quiet_for else (),
            )
            for row in conn.execute(watched.order_by(f.url))
        ),
        hosts=tuple(
            HostSight(host=row.host, blind=row.blind, pages=row.pages)
            for row in conn.execute(hosts.having(blind > 0).order_by(a.host))
        ),
        passes=passes(conn),
    )


def passes(conn: Connection) -> Passes:
    """Return when the last passes were completed."""
    kept = conn.scalar(sa.select(meta.c.value).where(meta.c.key == _PASSES))
    if kept is None:
        return Passes()
    plain = orjson.loads(kept)
    return Passes(
        completed=tuple(datetime.fromisoformat(at) for at in plain["completed"]), every_seconds=plain["every"]
    )


def complete_pass(conn: Connection, now: datetime, every_seconds: float | None) -> None:
    """Note that a pass was completed, and how often they are to come, if that was said."""
    take_turns(conn, _PASSES)
    completed = (*passes(conn).completed, now)[-_PASSES_KEPT:]
    value = orjson.dumps({"completed": [at.isoformat() for at in completed], "every": every_seconds}).decode()
    kept = insert(conn, meta).values(key=_PASSES, value=value)
    conn.execute(kept.on_conflict_do_update(index_elements=["key"], set_={"value": kept.excluded.value}))


def _gaps(conn: Connection, feed: str) -> tuple[float, ...]:
    first = articles.c.first_seen
    latest = sa.select(first).where(articles.c.feed == feed, first.is_not(None)).distinct().order_by(first.desc())
    moments: Sequence[datetime] = sorted(conn.scalars(latest.limit(_ARRIVALS)))
    apart = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    return tuple(gap for gap in apart if gap >= 60)  # what one reading brought, came at once
