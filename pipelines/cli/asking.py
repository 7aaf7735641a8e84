"""Ask for one page from the command line, by the same rules as every job.

Where there is a configuration, the slots are its store's: a host is asked no sooner than its spacing allows, whatever
else is running on the same store. `init` has none yet and keeps the spacing for itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pipelines.config import Config
from wirewatch.clock import Clock
from wirewatch.errors import RetryLater, SourceRefuses, WirewatchError
from wirewatch.fetch.addresses import host_of
from wirewatch.fetch.client import Fetcher, TooLate
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.fetch.slots import RobotsCopy, Slots
from wirewatch.identity import normalise_url
from wirewatch.model import Capture, Check, Source

_SPACING: Final = timedelta(seconds=1)
_PATIENCE: Final = timedelta(minutes=5)  # for one's turn at a busy host


@dataclass
class OwnSlots:
    """The slots of one command that has no store."""

    clock: Clock
    _next: dict[str, datetime] = field(default_factory=dict)
    _robots: dict[str, RobotsCopy] = field(default_factory=dict)

    def next_slot(self, host: str) -> datetime:
        start = max(self.clock.now(), self._next.get(host, self.clock.now()))
        delay = self._robots[host].crawl_delay_seconds if host in self._robots else None
        self._next[host] = start + max(_SPACING, timedelta(seconds=delay or 0))
        return start

    def robots(self, host: str) -> RobotsCopy | None:
        return self._robots.get(host)

    def keep_robots(self, host: str, copy: RobotsCopy) -> None:
        self._robots[host] = copy

    def block_host(self, host: str, until: datetime) -> None:
        self._next[host] = max(until, self._next.get(host, until))


def ask(config: Config, url: str, clock: Clock, *, source: Source | None = None, feed: bool = False) -> Capture:
    """Return what came back from `url`, asked in a slot of the configuration's store."""
    from transforms.process import StoreSlots  # noqa: PLC0415 (imports all that reads a page)
    from wirewatch.store import hosts  # noqa: PLC0415

    store = config.open_store()
    try:
        hosts.set_spacing_rule(store, default_seconds=config.spacing_seconds, hosts=config.host_spacing)
        return ask_by(config.fetch, url, clock, StoreSlots(store, clock), source=source, feed=feed)
    finally:
        store.close()


def ask_by(
    policy: FetchPolicy, url: str, clock: Clock, slots: Slots, *, source: Source | None = None, feed: bool = False
) -> Capture:
    """Return what came back from `url`; raise RetryLater or SourceRefuses where nothing that can be read did."""
    url = normalise_url(url)
    start = slots.next_slot(host_of(url))
    check = Check(
        url=url,
        reason="feed" if feed else "article",
        start=start,
        lease_ends=max(start, clock.now()) + _PATIENCE,
        source=source or Source(),
    )
    answer = asyncio.run(_fetch(policy, check, slots, clock))
    if isinstance(answer, TooLate):
        raise RetryLater(f"{host_of(url)} has no free slot before {answer.start:%H:%M} UTC; try again then", about=url)
    if problem := _problem(answer):
        raise problem
    return answer


async def _fetch(policy: FetchPolicy, check: Check, slots: Slots, clock: Clock) -> Capture | TooLate:
    fetcher = Fetcher(policy)
    try:
        return await fetcher.fetch(check, slots, clock)
    finally:
        await fetcher.close()


def _problem(capture: Capture) -> WirewatchError | None:
    if capture.refused:
        return SourceRefuses(f"{capture.url} was not asked: {capture.problem}", about=capture.url)
    if capture.problem is not None:
        return RetryLater(f"{capture.url} gave no page: {capture.problem}", about=capture.url)
    if capture.status is not None and not 200 <= capture.status < 300:
        return RetryLater(f"{capture.url} answered HTTP {capture.status}", about=capture.url)
    return None
