"""When each host may be asked, for all workers, processes and jobs on one store together.

A slot is taken by moving the host's `next_slot` on in the same transaction; a slot that is not used is lost, never
given to another, because whoever holds it may only be late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from yarl import URL

from wirewatch.store import Store, tables
from wirewatch.store.sql import insert
from wirewatch.store.types import short_name

# RFC 9309, 2.4: a copy of robots.txt should not be used for more than 24 hours.
ROBOTS_KEPT: Final = timedelta(hours=24)
_DEFAULT_SPACING: Final = timedelta(seconds=1)
_DEFAULT_KEY: Final = "spacing_us"
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Robots:
    """A host's kept robots.txt; `status` is None where there was no answer, and `body` then says why."""

    origin: str
    status: int | None
    body: str
    fetched: datetime
    crawl_delay_seconds: float | None = None


def host_of(url: str) -> str:
    """Return the host whose rule a request falls under: its ASCII name in small letters, whatever the port."""
    return short_name((URL(url).raw_host or "").lower().rstrip("."))


def set_spacing_rule(store: Store, *, default_seconds: float, hosts: Mapping[str, float] | None = None) -> None:
    """Set the time between two starts on any host and, where they differ, on single ones; earlier rules end."""
    table = tables.hosts
    own = {short_name(host.lower()): _us(seconds) for host, seconds in (hosts or {}).items()}
    with store.begin() as conn:
        rule = insert(conn, tables.meta).values(key=_DEFAULT_KEY, value=str(_us(default_seconds)))
        conn.execute(rule.on_conflict_do_update(index_elements=["key"], set_={"value": rule.excluded.value}))
        _lock(conn, own)
        conn.execute(
            sa.update(table)
            .where(table.c.spacing_us.is_not(None), table.c.host.not_in(list(own)))
            .values(spacing_us=None)
        )
        for host, spacing in sorted(own.items()):
            conn.execute(sa.update(table).where(table.c.host == host).values(spacing_us=spacing))


def next_slot(store: Store, host: str, now: datetime) -> datetime:
    """Take the host's next free slot, not before `now`, and return it; robots.txt and redirects take slots too."""
    host = short_name(host)
    with store.begin() as conn:
        slots = Slots(conn, [host], now)
        start = slots.take(host)
        slots.keep(conn)
    return start


def block_host(store: Store, host: str, until: datetime) -> None:
    """Hand out no slot of the host before `until`; an earlier and longer block stays."""
    table = tables.hosts
    host = short_name(host)
    with store.begin() as conn:
        _lock(conn, [host])
        longer = sa.or_(table.c.blocked_until.is_(None), table.c.blocked_until < until)
        conn.execute(sa.update(table).where(table.c.host == host, longer).values(blocked_until=until))


def keep_robots(store: Store, host: str, robots: Robots) -> None:
    """Keep the host's robots.txt; its crawl delay is the least time between two requests from now on."""
    delay = robots.crawl_delay_seconds
    host = short_name(host)
    with store.begin() as conn:
        _lock(conn, [host])
        conn.execute(
            sa.update(tables.hosts)
            .where(tables.hosts.c.host == host)
            .values(
                robots_origin=robots.origin,
                robots_status=robots.status,
                robots_body=robots.body,
                robots_fetched=robots.fetched,
                crawl_delay_us=None if delay is None else _us(delay),
            )
        )


def robots(store: Store, host: str) -> Robots | None:
    """Return the host's kept robots.txt, however old, or None if it was never fetched."""
    table = tables.hosts
    with store.reading() as conn:
        row = conn.execute(sa.select(table).where(table.c.host == short_name(host))).one_or_none()
    if row is None or row.robots_fetched is None:
        return None
    delay = row.crawl_delay_us
    return Robots(
        origin=row.robots_origin,
        status=row.robots_status,
        body=row.robots_body,
        fetched=row.robots_fetched,
        crawl_delay_seconds=None if delay is None else delay / 1_000_000,
    )


class Slots:
    """The free slots of some hosts, whose rows stay locked until the transaction ends."""

    def __init__(
        self, conn: Connection, hosts: Collection[str], now: datetime, *, lead: timedelta = timedelta(0)
    ) -> None:
        """Lock the hosts and look up their slots; none lies within the host's spacing from now, or within `lead`."""
        default = conn.scalar(sa.select(tables.meta.c.value).where(tables.meta.c.key == _DEFAULT_KEY))
        default_us = int(default) if default is not None else _DEFAULT_SPACING // _MICROSECOND
        self._now = now
        self._spacing: dict[str, timedelta] = {}
        self._next: dict[str, datetime] = {}
        self._fresh_robots: set[str] = set()
        self._taken: set[str] = set()
        for row in _lock(conn, hosts):
            own = default_us if row.spacing_us is None else row.spacing_us
            self._spacing[row.host] = max(own, row.crawl_delay_us or 0) * _MICROSECOND
            soonest = now + min(lead, self._spacing[row.host])
            self._next[row.host] = max(soonest, row.next_slot or soonest, row.blocked_until or soonest)
            if row.robots_fetched is not None and row.robots_fetched > now - ROBOTS_KEPT:
                self._fresh_robots.add(row.host)

    def __iter__(self) -> Iterator[str]:
        return iter(self._next)

    def free(self, host: str, until: datetime, at_most: int) -> int:
        """Return how many slots are left up to `until`; at most one while the host's robots.txt has to be fetched."""
        first = self._next[host]
        if first > until:
            return 0
        if host not in self._fresh_robots:
            return 0 if host in self._taken else 1
        spacing = self._spacing[host]
        return at_most if not spacing else min(at_most, (until - first) // spacing + 1)

    def take(self, host: str) -> datetime:
        """Take the host's next slot."""
        start = self._next[host]
        self._next[host] = start + self._spacing[host]
        self._taken.add(host)
        return start

    def keep(self, conn: Connection) -> None:
        """Write down what was taken."""
        table = tables.hosts
        if self._taken:
            conn.execute(
                sa.update(table).where(table.c.host == sa.bindparam("of")).values(next_slot=sa.bindparam("slot")),
                [{"of": host, "slot": self._next[host]} for host in sorted(self._taken)],
            )


def _lock(conn: Connection, hosts: Collection[str]) -> list[sa.Row[tuple[object, ...]]]:
    """Return the hosts' rows but for robots.txt, made where missing, locked in one order that is the same for all."""
    table = tables.hosts
    names = sorted(set(hosts))
    known = set(conn.scalars(sa.select(table.c.host).where(table.c.host.in_(names))))
    if missing := [name for name in names if name not in known]:
        conn.execute(insert(conn, table).on_conflict_do_nothing(), [{"host": host} for host in missing])
    of_hosts = sa.select(*(column for column in table.c if column is not table.c.robots_body))
    of_hosts = of_hosts.where(table.c.host.in_(names))
    return list(conn.execute(of_hosts.order_by(table.c.host).with_for_update()))


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)
