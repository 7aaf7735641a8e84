"""What is due, who reads it, and from which moment on.

A lease is a token on the row. Whoever settles names it, in the condition of the one UPDATE: a worker that was given
up for dead finds its token gone and changes nothing. `due_at` stays as it is while a row is leased, so a lease that
runs out makes its row due again by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.encoding import revive
from wirewatch.model import Check, Source
from wirewatch.store import Store
from wirewatch.store.hosts import Slots
from wirewatch.store.leases import new_lease
from wirewatch.store.sql import insert
from wirewatch.store.tables import articles, feed_days, feeds, hosts, inbox
from wirewatch.store.types import to_microseconds

# A server may confirm for ever what it no longer serves, and a fingerprint may be wrong: every tenth read is in full.
UNCONDITIONAL_EVERY: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """How much is due now, and when something will be that is not yet (None: never)."""

    feeds: int
    articles: int
    inbox: int
    next_due: datetime | None

    @property
    def anything(self) -> bool:
        return bool(self.feeds or self.articles or self.inbox)


def lease_due(
    store: Store,
    *,
    now: datetime,
    horizon_seconds: float = 60.0,
    limit: int = 500,
    lease_seconds: float = 300.0,
    lead_seconds: float = 0.0,
    feeds_only: bool = False,
) -> list[Check]:
    """Lease what is due, feeds first, each at its host's next free slot up to `horizon_seconds` from `now`.

    At most `limit` checks, in the order of their starts. All leases end together, `lease_seconds` after the last
    start. A host whose robots.txt has to be fetched first gets one check only. `lead_seconds` is how long a check may
    take to reach the fetcher: no slot lies nearer, or than the host's spacing, since whoever is late loses it.
    """
    until = now + timedelta(seconds=horizon_seconds)
    with store.begin() as conn:
        slots = Slots(conn, _hosts_with_work(conn, now, until, limit), now, lead=timedelta(seconds=lead_seconds))
        leased = [(row, slots.take(row.host)) for row in _pick(conn, feeds, slots, now=now, until=until, limit=limit)]
        if not feeds_only:
            more = _pick(conn, articles, slots, now=now, until=until, limit=limit - len(leased))
            leased += [(row, slots.take(row.host)) for row in more]
        if not leased:
            return []
        slots.keep(conn)
        lease = new_lease()
        ends = max(start for _, start in leased) + timedelta(seconds=lease_seconds)
        for table in (feeds, articles):
            _write_leases(
                conn, table, [(row.id, start) for row, start in leased if row.table == table.name], lease, ends
            )
    checks = [_check(row, start, lease, ends) for row, start in leased]
    return sorted(checks, key=lambda check: check.start)


def hand_back(store: Store, checks: Iterable[Check]) -> None:
    """End the leases of checks that were not read; they are due again at once."""
    with store.begin() as conn:
        for check in sorted(checks, key=lambda check: (check.article or "", check.url)):
            table, condition = _row_of(check)
            conn.execute(sa.update(table).where(condition).values(_NO_LEASE))


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """An article that was read under a lease, when it is due again, and how often in a row it could not be read."""

    article: str
    lease: str
    due_at: datetime | None
    failures: int


def settle_articles(conn: Connection, several: Sequence[Read]) -> int:
    """Count these articles' reads, set when they are due again, and end their leases; return how many that was.

    Where the lease is another's by now, nothing is changed. A push or a feed entry that asked for an article since the
    read began keeps it due.
    """
    if not several:
        return 0
    condition = sa.and_(articles.c.key == sa.bindparam("of"), articles.c.lease == sa.bindparam("leased"))
    due_at = sa.bindparam("due", type_=articles.c.due_at.type)
    values = _settled(articles, due_at, {"failures": sa.bindparam("failed")})
    rows = [{"of": one.article, "leased": one.lease, "due": one.due_at, "failed": one.failures} for one in several]
    return conn.execute(sa.update(articles).where(condition).values(values), rows).rowcount


def settle_feed(
    conn: Connection,
    check: Check,
    *,
    now: datetime,
    due_at: datetime,
    problem: str | None = None,
    detail: str = "",
    validators: tuple[str | None, str | None] | None = None,
    entries: int | None = None,
    new_entries: int = 0,
    polite_seconds: int | None = None,
    gap_seconds: int | None = None,
) -> bool:
    """Count a feed's read, set when it is due again and how it is, and end the lease.

    A `problem` counts as a failure and becomes the feed's detail. `validators` are ETag and Last-Modified, kept as
    they are if None, and `entries` how many the document had, None where it was not modified. Return False and change
    nothing if the lease is another's by now.
    """
    table, condition = _row_of(check)
    columns: dict[str, Any] = {"last_read": now, "last_detail": problem or detail}
    if problem is not None:
        columns |= {"failures": feeds.c.failures + 1}
        return _settle(conn, table, condition, due_at, columns) and _count_read(conn, check.url, now, failures=1)
    columns |= {"failures": 0, "last_success": now, "polite_seconds": polite_seconds, "gap_seconds": gap_seconds}
    if validators is not None:
        columns |= {"etag": validators[0], "last_modified": validators[1]}
    if entries is not None:
        columns |= {
            "last_entry_count": entries,
            "entries_seen": feeds.c.entries_seen + entries,
            "entries_new": feeds.c.entries_new + new_entries,
        }
    if new_entries:
        columns |= {"last_new": now}
    return _settle(conn, table, condition, due_at, columns) and _count_read(conn, check.url, now, entries=new_entries)


def due(store: Store, *, now: datetime, horizon_seconds: float = 60.0) -> Due:
    """Return what `lease_due` and the inbox would give now, and the next moment at which that changes."""
    with store.reading() as conn:
        return due_in(conn, now=now, horizon_seconds=horizon_seconds)


def due_in(conn: Connection, *, now: datetime, horizon_seconds: float = 60.0) -> Due:
    """Return what `due` does."""
    until = now + timedelta(seconds=horizon_seconds)
    row = conn.execute(_due(), {"now": now, "until": until}).one()
    return Due(
        feeds=row.feeds,
        articles=row.articles,
        inbox=row.inbox,
        next_due=min((at for at in row[3:] if at is not None), default=None),
    )


@lru_cache(maxsize=1)
def _due() -> sa.Select[Any]:
    """Select how much is due at `now` with a slot up to `until`: feeds, articles, inbox; then when that may change."""
    now, until = (sa.bindparam(name, type_=hosts.c.next_slot.type) for name in ("now", "until"))
    counts = []
    moments: list[sa.Select[Any]] = []
    for table in (feeds, articles):
        from_, asked = _with_hosts(table), _asked(table)
        is_due = sa.and_(asked, _is_due(table, now))
        counts.append(sa.select(sa.func.count()).select_from(from_).where(is_due, _has_slot(until)))
        moments += [
            sa.select(sa.func.min(table.c.due_at)).where(asked, table.c.due_at > now),
            sa.select(sa.func.min(table.c.lease_ends)).where(asked, table.c.due_at <= now, table.c.lease_ends > now),
        ]
        for waits in (hosts.c.next_slot, hosts.c.blocked_until):
            moments.append(sa.select(sa.func.min(waits)).select_from(from_).where(is_due, waits > until))
    waiting = sa.or_(inbox.c.lease_ends.is_(None), inbox.c.lease_ends <= now)
    counts.append(sa.select(sa.func.count()).select_from(inbox).where(waiting))
    moments.append(sa.select(sa.func.min(inbox.c.lease_ends)).where(inbox.c.lease_ends > now))
    names = ("feeds", "articles", "inbox")
    return sa.select(
        *(one.scalar_subquery().label(name) for one, name in zip(counts, names, strict=True)),
        *(one.scalar_subquery().label(f"moment_{n}") for n, one in enumerate(moments)),
    )


def oldest_due(table: sa.Table, now: datetime) -> sa.Select[datetime | None]:
    """Select since when the oldest row is due that nobody has leased and whose host may be asked now."""
    return (
        sa.select(sa.func.min(table.c.due_at))
        .select_from(_with_hosts(table))
        .where(_is_due(table, now), _asked(table), _has_slot(now))
    )


def due_now(table: sa.Table, now: datetime) -> sa.ColumnElement[Any]:
    """Return the `due_at` of a row that is to be read now; it shows on a running lease too, see `settle_articles`."""
    waiting = sa.and_(table.c.due_at <= now, table.c.lease.is_(None))
    return sa.case((waiting, table.c.due_at), else_=sa.literal(now, table.c.due_at.type))


def hosts_due(
    table: sa.Table, now: datetime, until: datetime, limit: int, *, oldest: int | None = None
) -> sa.Select[str, int]:
    """Select the hosts at which rows are due and that have a slot up to `until`, those that waited longest first.

    Each comes with its number of rows. Where `oldest` is given, only so many rows are looked at, those that waited
    longest: the same hosts, if that is enough for `limit`.
    """
    rows = (
        sa.select(table.c.host, table.c.due_at)
        .select_from(_with_hosts(table))
        .where(_is_due(table, now), _asked(table), _has_slot(until))
    )
    if oldest is not None:
        rows = rows.order_by(table.c.due_at, table.c.host).limit(oldest)
    found = rows.subquery()
    return (
        sa.select(found.c.host, sa.func.count().label("rows"))
        .group_by(found.c.host)
        .order_by(sa.func.min(found.c.due_at), found.c.host)
        .limit(limit)
    )


def _count_read(conn: Connection, feed: str, now: datetime, *, failures: int = 0, entries: int = 0) -> bool:
    """Count a read of a feed among those of its day."""
    values = {"reads": 1, "failures": failures, "entries": entries}
    first = insert(conn, feed_days).values(feed=feed, day=to_microseconds(now) // _DAY, **values)
    more = {name: feed_days.c[name] + first.excluded[name] for name in values}
    conn.execute(first.on_conflict_do_update(index_elements=["feed", "day"], set_=more))
    return True


_Moment = datetime | sa.BindParameter[datetime | None]
_LOOKED_AT: Final = 2  # rows that are due for each that may be leased; all, where few hosts have that many
_DAY: Final = timedelta(days=1) // timedelta(microseconds=1)
_NO_LEASE: Final = {"lease": None, "lease_ends": None, "start_at": None}


def _row_of(check: Check) -> tuple[sa.Table, sa.ColumnElement[bool]]:
    if check.reason == "feed":
        return feeds, sa.and_(feeds.c.url == check.url, feeds.c.lease == check.lease)
    return articles, sa.and_(articles.c.key == check.article, articles.c.lease == check.lease)


def _settle(
    conn: Connection,
    table: sa.Table,
    condition: sa.ColumnElement[bool],
    due_at: datetime | None,
    columns: dict[str, Any],
) -> bool:
    values = _settled(table, sa.literal(due_at, table.c.due_at.type), columns)
    return conn.execute(sa.update(table).where(condition).values(values)).rowcount == 1


def _settled(table: sa.Table, due_at: sa.ColumnElement[Any], columns: dict[str, Any]) -> dict[str, Any]:
    asked_since = sa.case((table.c.due_at > table.c.start_at, table.c.due_at), else_=due_at)
    return {"reads": table.c.reads + 1, **columns, **_NO_LEASE, "due_at": asked_since}


def _is_due(table: sa.Table, now: _Moment) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.due_at <= now, sa.or_(table.c.lease_ends.is_(None), table.c.lease_ends <= now))


def _asked(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return that the row's feed is not paused; `articles` needs the join of `_with_hosts`."""
    if table is feeds:
        return sa.not_(feeds.c.paused)
    paused = sa.select(feeds.c.url).where(feeds.c.url == articles.c.feed, feeds.c.paused)
    return sa.not_(paused.exists())


def _with_hosts(table: sa.Table) -> sa.Join:
    return table.outerjoin(hosts, hosts.c.host == table.c.host)


def _has_slot(until: _Moment) -> sa.ColumnElement[bool]:
    return sa.and_(
        sa.or_(hosts.c.next_slot.is_(None), hosts.c.next_slot <= until),
        sa.or_(hosts.c.blocked_until.is_(None), hosts.c.blocked_until <= until),
    )


def _hosts_with_work(conn: Connection, now: datetime, until: datetime, limit: int) -> list[str]:
    """Return the hosts that have something due and a slot for it, those of feeds first."""
    found: list[str] = []
    for table in (feeds, articles):
        rows = conn.execute(hosts_due(table, now, until, limit, oldest=_LOOKED_AT * limit)).all()
        if len(rows) < limit and sum(row.rows for row in rows) == _LOOKED_AT * limit:
            rows = conn.execute(hosts_due(table, now, until, limit)).all()
        found += [row.host for row in rows]
    return list(dict.fromkeys(found))


def _pick(
    conn: Connection, table: sa.Table, slots: Slots, *, now: datetime, until: datetime, limit: int
) -> list[sa.Row[Any]]:
    """Return rows that are due, oldest first, from each host no more than it has slots; locked against all others."""
    hosts_by_room: dict[int, list[str]] = {}
    for host in slots:
        hosts_by_room.setdefault(slots.free(host, until, limit), []).append(host)
    hosts_by_room.pop(0, None)
    if not hosts_by_room or limit <= 0:
        return []
    picked = _oldest(conn, table, hosts_by_room, now=now, limit=limit)
    key = table.primary_key.columns.values()[0]
    own = (feeds.c.source.label("feed_source"),) if table is articles else ()
    from_ = articles.outerjoin(feeds, feeds.c.url == articles.c.feed) if table is articles else feeds
    rows = (
        sa.select(sa.literal(table.name).label("table"), key.label("id"), *table.c, *own)
        .select_from(from_)
        .where(key.in_(picked), _is_due(table, now))
        .order_by(table.c.due_at, key)
        .with_for_update(of=table, skip_locked=True, key_share=True)
    )
    return list(conn.execute(rows))


def _oldest(
    conn: Connection, table: sa.Table, hosts_by_room: dict[int, list[str]], *, now: datetime, limit: int
) -> list[str]:
    """Return the keys of rows that are due, oldest first, from each host no more than it has room for."""
    key = table.primary_key.columns.values()[0]
    hosts_with_room = list(itertools.chain(*hosts_by_room.values()))
    least, *rooms = sorted(hosts_by_room)
    most = min(limit, sum(room * len(names) for room, names in hosts_by_room.items()))
    due_rows = (
        sa.select(key.label("id"), table.c.host, table.c.due_at)
        .where(_is_due(table, now), _asked(table), table.c.host.in_(hosts_with_room))
        .order_by(table.c.due_at, key)
    )
    picked: list[str] = []
    for oldest in (_LOOKED_AT * limit, None):
        rows = due_rows.limit(oldest).subquery()
        place = sa.func.row_number().over(partition_by=rows.c.host, order_by=(rows.c.due_at, rows.c.id))
        ranked = sa.select(rows, place.label("place"), sa.func.count().over().label("of")).subquery()
        # Not a join with a list of hosts: PostgreSQL guessed one row and compared every row with every host (0.7 s).
        more = [sa.and_(ranked.c.place <= room, ranked.c.host.in_(hosts_by_room[room])) for room in rooms]
        has_room = sa.or_(ranked.c.place <= least, *more)
        query = sa.select(ranked.c.id, ranked.c.of).where(has_room).order_by(ranked.c.due_at, ranked.c.id)
        found = conn.execute(query.limit(limit)).all()
        picked = [row.id for row in found]
        if len(picked) == most or not picked or found[0].of < _LOOKED_AT * limit:
            break
    return picked


def _write_leases(
    conn: Connection, table: sa.Table, starts: list[tuple[str, datetime]], lease: str, ends: datetime
) -> None:
    if not starts:
        return
    key = table.primary_key.columns.values()[0]
    conn.execute(
        sa.update(table)
        .where(key == sa.bindparam("id"))
        .values(lease=lease, lease_ends=ends, start_at=sa.bindparam("start")),
        [{"id": row_id, "start": start} for row_id, start in starts],
    )


def _check(row: sa.Row[Any], start: datetime, lease: str, ends: datetime) -> Check:
    conditional = row.reads % UNCONDITIONAL_EVERY != UNCONDITIONAL_EVERY - 1
    etag, last_modified = (row.etag, row.last_modified) if conditional else (None, None)
    if row.table == feeds.name:
        return Check(
            url=row.url,
            reason="feed",
            start=start,
            lease=lease,
            lease_ends=ends,
            source=revive(Source, row.source),
            etag=etag,
            last_modified=last_modified,
        )
    return Check(
        url=row.url,
        reason="article",
        start=start,
        lease=lease,
        lease_ends=ends,
        source=revive(Source, row.source or row.feed_source or {}),
        article=row.key,
        guid=row.guid,
        etag=etag,
        last_modified=last_modified,
        content_hash=row.content_hash,
        ledger_version=row.ledger_version,
        fingerprint=row.fingerprint,
        audit=not conditional,
    )
