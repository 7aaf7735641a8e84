"""When a request may start, as the store decides it for all processes and jobs together.

A slot is a moment, not a permission to go whenever one gets round to it: whoever comes too late for its slot would
run into the next one's, so it takes a new slot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from weakref import WeakValueDictionary

from wirewatch.clock import Clock
from wirewatch.model import Check

# A request later than this takes a new slot. Waking from `asyncio.sleep` on a busy machine took up to 12 ms here.
_TOLERANCE: Final = timedelta(milliseconds=25)
# So many new slots may be missed before the check is handed back: the machine has no time for it.
_TRIES: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class RobotsCopy:
    """What an origin (`https://courier.example`) answered when asked for its robots.txt, and when.

    `status` is None where there was no answer; `body` is then the reason. `crawl_delay_seconds` is the floor it sets
    for the time between two requests.
    """

    origin: str
    status: int | None
    body: str
    fetched: datetime
    crawl_delay_seconds: float | None = None


class Slots(Protocol):
    """Hand out the moments at which a host may be asked, and keep what is known about it.

    The caller implements it over the store. The methods may block; they are called on threads.
    """

    def next_slot(self, host: str) -> datetime:
        """Return the host's next free slot, and take it."""

    def robots(self, host: str) -> RobotsCopy | None:
        """Return the host's kept robots.txt."""

    def keep_robots(self, host: str, copy: RobotsCopy) -> None:
        """Keep the host's robots.txt; its crawl delay is the floor of the host's spacing from now on."""

    def block_host(self, host: str, until: datetime) -> None:
        """Hand out no slot of the host before `until`."""


class OutOfTime(Exception):
    """The next slot comes after the check's lease has ended."""

    def __init__(self, start: datetime) -> None:
        super().__init__(f"The next slot is at {start.isoformat()}, after the lease has ended")
        self.start = start


class Lanes:
    """Bound how many requests a process has under way at once, in all and to one host.

    `blocked` has the hosts that asked for a pause, and until when: slots leased before it are no longer good.
    """

    def __init__(self, parallel: int, per_host: int) -> None:
        self._all = asyncio.Semaphore(parallel)
        self._per_host = per_host
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self.blocked: dict[str, datetime] = {}

    @asynccontextmanager
    async def enter(self, host: str) -> AsyncIterator[None]:
        lane = self._hosts.get(host)
        if lane is None:
            lane = self._hosts[host] = asyncio.Semaphore(self._per_host)
        async with lane, self._all:
            yield


class Turns:
    """The slots that one check uses: first the one it was leased with, then new ones, each of its own host."""

    def __init__(self, check: Check, host: str, slots: Slots, clock: Clock, lanes: Lanes) -> None:
        self.slots = slots
        self.clock = clock
        self.arrived = clock.now()
        self._lease_ends = check.lease_ends
        self._lanes = lanes
        self._held: tuple[str, datetime] | None = (host, check.start)

    def give_up(self) -> None:
        """Let go of the slot the check was leased with: it was handed out under an older rule."""
        self._held = None

    async def wait(self, host: str) -> None:
        """Wait until the slot that is held for this host, if there is one."""
        if self._held and self._held[0] == host:
            await self._sleep_until(self._held[1])

    @asynccontextmanager
    async def at_slot(self, host: str) -> AsyncIterator[None]:
        """Enter at the host's next slot, or raise `OutOfTime`; the block is the request."""
        start = self._take(host)
        taken: datetime | None = None
        for _ in range(_TRIES):
            if self._blocked_beyond(host, self._lease_ends):
                raise OutOfTime(self._lanes.blocked[host])
            spaced = True
            if start is None:
                taken, earlier = await asyncio.to_thread(self.slots.next_slot, host), taken
                start = taken
                # Two new slots this close together: the host has hardly any spacing, and nobody can be too late.
                spaced = earlier is None or taken - earlier > _TOLERANCE
            await self._sleep_until(start)
            async with self._lanes.enter(host):
                in_time = not spaced or self.clock.now() - start <= _TOLERANCE
                if in_time and not self._blocked_beyond(host, start):
                    yield
                    return
            start = None
        raise OutOfTime(self.clock.now())

    async def block(self, host: str, until: datetime) -> None:
        """Let nobody ask the host before `until`, those with slots in this process included."""
        self._lanes.blocked[host] = until
        await asyncio.to_thread(self.slots.block_host, host, until)

    def _blocked_beyond(self, host: str, moment: datetime) -> bool:
        return host in self._lanes.blocked and self._lanes.blocked[host] > moment

    def _take(self, host: str) -> datetime | None:
        held, self._held = self._held, None
        return held[1] if held and held[0] == host else None

    async def _sleep_until(self, start: datetime) -> None:
        now = self.clock.now()
        if max(start, now) >= self._lease_ends:
            raise OutOfTime(start)
        if start > now:
            await asyncio.sleep((start - now).total_seconds())
