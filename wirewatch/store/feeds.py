"""Which feeds are watched, and how each of them is.

A feed that vanishes from the configuration is paused, not forgotten: its history stays, and neither it nor its
articles are asked until it comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.canonical import canonical_json
from wirewatch.encoding import revive
from wirewatch.model import Source
from wirewatch.store import Store
from wirewatch.store.frontier import due_now
from wirewatch.store.hosts import host_of
from wirewatch.store.sql import insert_new, take_turns
from wirewatch.store.tables import articles, feed_days, feeds


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedHealth:
    """How a feed is: when it was read, how that went, what it brings and when it is due.

    `failures` counts those in a row. `detail` is the last problem or answer in words.
    """

    url: str
    source: Source
    origin: str  # "config" or "added"
    paused: bool
    due_at: datetime | None
    reads: int
    failures: int
    last_read: datetime | None
    last_success: datetime | None
    last_new: datetime | None
    detail: str
    entries_seen: int
    entries_new: int
    last_entry_count: int
    polite_seconds: int | None
    gap_seconds: int | None

    @property
    def share_new(self) -> float | None:
        """Return which share of all entries read was new, None before the first."""
        return self.entries_new / self.entries_seen if self.entries_seen else None


def match_feeds(store: Store, configured: Sequence[tuple[str, Source]], now: datetime) -> None:
    """Make the store's feeds those of the configuration: add, change, resume, and pause what is no longer listed.

    Feeds that were added by hand stay as they are. What is new, changed or resumed is due now, and a feed whose
    settings changed is read whole.
    """
    wanted = dict(configured)
    with store.begin() as conn:
        take_turns(conn, "feeds")
        known = {row.url: row for row in conn.execute(sa.select(feeds))}
        for url, source in sorted(wanted.items()):
            _put(conn, known.get(url), url, source, origin="config", now=now)
        gone = sorted(url for url, row in known.items() if row.origin == "config" and url not in wanted)
        for url in gone:
            conn.execute(sa.update(feeds).where(feeds.c.url == url).values(paused=True))


def add_feed(store: Store, url: str, source: Source, now: datetime) -> bool:
    """Watch a feed that no configuration lists; return False if it was watched already (its settings are taken)."""
    with store.begin() as conn:
        take_turns(conn, "feeds")
        known = conn.execute(sa.select(feeds).where(feeds.c.url == url)).one_or_none()
        _put(conn, known, url, source, origin="added", now=now)
    return known is None or known.paused


def pause_feed(store: Store, url: str) -> bool:
    """Ask neither the feed nor its articles until it is added again; return False if there is no such feed."""
    with store.begin() as conn:
        return conn.execute(sa.update(feeds).where(feeds.c.url == url).values(paused=True)).rowcount == 1


def remove_feed(store: Store, url: str) -> bool:
    """Forget a feed; its articles are kept and not asked any more. Return False if there is no such feed."""
    with store.begin() as conn:
        left = sa.update(articles).where(articles.c.feed == url)
        conn.execute(left.values(feed=None, due_at=None, lease=None, lease_ends=None, start_at=None))
        conn.execute(sa.delete(feed_days).where(feed_days.c.feed == url))
        return conn.execute(sa.delete(feeds).where(feeds.c.url == url)).rowcount == 1


def feed_health(store: Store) -> list[FeedHealth]:
    """Return how each feed is, by URL."""
    with store.reading() as conn:
        return all_health(conn)


def all_health(conn: Connection) -> list[FeedHealth]:
    """Return how each feed is, by URL."""
    return [_health(row) for row in conn.execute(sa.select(feeds).order_by(feeds.c.url))]


def health_of(conn: Connection, url: str) -> FeedHealth | None:
    """Return how one feed is, or None if there is no such feed."""
    row = conn.execute(sa.select(feeds).where(feeds.c.url == url)).one_or_none()
    return None if row is None else _health(row)


def _put(conn: Connection, row: sa.Row[Any] | None, url: str, source: Source, *, origin: str, now: datetime) -> None:
    if row is None:
        new = {"url": url, "source": source, "origin": origin, "host": host_of(url), "due_at": now}
        insert_new(conn, feeds, new)
        return
    values: dict[str, Any] = {}
    if canonical_json(row.source) != canonical_json(source):
        values |= {"source": source, "etag": None, "last_modified": None, "due_at": due_now(feeds, now)}
    if row.paused:
        values |= {"paused": False, "due_at": due_now(feeds, now)}
    if row.origin != origin:
        values |= {"origin": origin}
    if values:
        conn.execute(sa.update(feeds).where(feeds.c.url == url).values(values))


def _health(row: sa.Row[Any]) -> FeedHealth:
    return FeedHealth(
        url=row.url,
        source=revive(Source, row.source),
        origin=row.origin,
        paused=row.paused,
        due_at=row.due_at,
        reads=row.reads,
        failures=row.failures,
        last_read=row.last_read,
        last_success=row.last_success,
        last_new=row.last_new,
        detail=row.last_detail,
        entries_seen=row.entries_seen,
        entries_new=row.entries_new,
        last_entry_count=row.last_entry_count,
        polite_seconds=row.polite_seconds,
        gap_seconds=row.gap_seconds,
    )
