"""One process with two jobs that fetch from one host over one store: `fetch_worker.py STORE URL...`."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from wirewatch.clock import SystemClock
from wirewatch.fetch.addresses import host_of
from wirewatch.fetch.client import Fetcher
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.fetch.slots import RobotsCopy
from wirewatch.model import Capture, Check
from wirewatch.store import Store, hosts


class StoreSlots:
    """The store's slots, as a job gives them to its fetcher."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_slot(self, host: str) -> datetime:
        return hosts.next_slot(self._store, host, datetime.now(UTC))

    def robots(self, host: str) -> RobotsCopy | None:
        kept = hosts.robots(self._store, host)
        if kept is None:
            return None
        return RobotsCopy(
            origin=kept.origin,
            status=kept.status,
            body=kept.body,
            fetched=kept.fetched,
            crawl_delay_seconds=kept.crawl_delay_seconds,
        )

    def keep_robots(self, host: str, copy: RobotsCopy) -> None:
        kept = hosts.Robots(
            origin=copy.origin,
            status=copy.status,
            body=copy.body,
            fetched=copy.fetched,
            crawl_delay_seconds=copy.crawl_delay_seconds,
        )
        hosts.keep_robots(self._store, host, kept)

    def block_host(self, host: str, until: datetime) -> None:
        hosts.block_host(self._store, host, until)


async def job(slots: StoreSlots, urls: list[str]) -> list[str]:
    """Fetch all of `urls`, each in a slot it is leased with; return those that did not come."""
    fetcher = Fetcher(FetchPolicy(contact="desk@courier.example", allow_addresses=("127.0.0.1",)))
    ends = datetime.now(UTC) + timedelta(minutes=5)
    starts = [(url, slots.next_slot(host_of(url))) for url in urls]
    checks = [Check(url=url, reason="article", start=start, lease_ends=ends) for url, start in starts]
    try:
        found = await asyncio.gather(*(fetcher.fetch(check, slots, SystemClock()) for check in checks))
    finally:
        await fetcher.close()
    return [str(one) for one in found if not isinstance(one, Capture) or one.status != 200]


async def main(store: Store, urls: list[str]) -> int:
    slots = StoreSlots(store)
    failed = await asyncio.gather(job(slots, urls[::2]), job(slots, urls[1::2]))
    print(*failed[0], *failed[1], sep="\n", file=sys.stderr)
    return len(failed[0]) + len(failed[1])


if __name__ == "__main__":
    opened = Store.open(sys.argv[1])
    code = asyncio.run(main(opened, sys.argv[2:]))
    opened.close()
    sys.exit(code)
