"""A host is never asked faster than its rule allows, by all processes and jobs on one store together."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.wirewatch.fetch_site import MemorySlots, Site, answered, check, fetch, fetcher, site, to
from wirewatch.clock import FixedClock, SystemClock
from wirewatch.fetch.client import TooLate
from wirewatch.fetch.slots import Lanes, OutOfTime, Turns
from wirewatch.model import Capture
from wirewatch.store import Store, hosts

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 16, 14, 26, tzinfo=UTC)
STORY = answered(b"<p>Ferry")
SLACK = 0.05  # between the slot and the server's log


def gaps(paper: Site) -> list[float]:
    """Return the seconds between the starts of the requests, as the server saw them."""
    return [after.at - before.at for before, after in itertools.pairwise(paper.log)]


def test_two_processes_with_two_jobs_each_keep_the_hosts_spacing(tmp_path: Path) -> None:
    address, spacing = f"sqlite:///{tmp_path / 'store.sqlite'}", 0.25
    store = Store.open(address)
    hosts.set_spacing_rule(store, default_seconds=spacing)
    store.close()
    with site({f"/{n}": STORY for n in range(8)}) as paper:
        command = [sys.executable, str(ROOT / "tests/wirewatch/fetch_worker.py"), address]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        workers = [
            subprocess.Popen([*command, *(paper.url(f"/{n}") for n in range(first, 8, 2))], env=environment)
            for first in (0, 1)
        ]
        assert [worker.wait(60) for worker in workers] == [0, 0]
    pages = [path for path in paper.paths() if path != "/robots.txt"]
    assert sorted(pages) == sorted(f"/{n}" for n in range(8))
    assert min(gaps(paper)) >= spacing - SLACK


def test_robots_txt_and_redirects_take_slots_of_their_own() -> None:
    spacing = 0.2
    with site({"/story": to("/moved"), "/moved": STORY}) as paper:
        slots = MemorySlots(spacing)
        asked = check(paper.url(), start=slots.next_slot("127.0.0.1"))
        assert isinstance(fetch(asked, slots), Capture)
        assert paper.paths() == ["/robots.txt", "/story", "/moved"]
    assert len(slots.taken) >= 3  # one more if this machine was late for the first
    assert min(gaps(paper)) >= spacing - SLACK


def test_leased_slots_are_used_one_after_the_other_and_no_new_ones_taken() -> None:
    async def run(paper: Site, slots: MemorySlots) -> list[Any]:
        async with fetcher() as ours:
            await ours.fetch(check(paper.url("/0")), slots, SystemClock())  # learns robots.txt
            slots.taken.clear()
            first = datetime.now(UTC) + timedelta(seconds=0.3)
            checks = [check(paper.url(f"/{n}"), start=first + n * timedelta(seconds=0.2)) for n in range(4)]
            return await asyncio.gather(*(ours.fetch(one, slots, SystemClock()) for one in reversed(checks)))

    with site({f"/{n}": STORY for n in range(4)}) as paper:
        slots = MemorySlots(0.2)
        asyncio.run(run(paper, slots))
        assert len(paper.log) == 6
    assert min(gaps(paper)[2:]) >= 0.2 - SLACK


def test_crawl_delay_that_was_just_learned_replaces_slots_that_were_closer() -> None:
    async def run(paper: Site, slots: MemorySlots) -> list[Any]:
        async with fetcher() as ours:
            first = datetime.now(UTC) + timedelta(seconds=0.1)
            checks = [check(paper.url(f"/{n}"), start=first + n * timedelta(seconds=0.01)) for n in range(3)]
            return await asyncio.gather(*(ours.fetch(one, slots, SystemClock()) for one in checks))

    robots = answered(b"User-agent: *\nCrawl-delay: 0.3\n")
    with site({f"/{n}": STORY for n in range(3)} | {"/robots.txt": robots}) as paper:
        captures = asyncio.run(run(paper, MemorySlots()))
    assert [capture.status for capture in captures] == [200, 200, 200]
    assert min(gaps(paper)[1:]) >= 0.3 - SLACK


def test_host_that_asks_for_a_pause_gets_it_from_those_who_hold_slots_already() -> None:
    async def run(paper: Site) -> list[Any]:
        async with fetcher() as ours:
            slots = MemorySlots()
            await ours.fetch(check(paper.url("/learn-robots-txt")), slots, SystemClock())
            first = datetime.now(UTC)
            checks = [check(paper.url(f"/{n}"), start=first + n * timedelta(seconds=0.2)) for n in range(4)]
            return await asyncio.gather(*(ours.fetch(one, slots, SystemClock()) for one in checks))

    with site({f"/{n}": answered(status=429, retry_after="3600") for n in range(4)}) as paper:
        first, *others = asyncio.run(run(paper))
        assert paper.paths()[2:] == ["/0"]
    assert first.retry_after_seconds == 3600
    assert all(isinstance(other, TooLate) for other in others)


@pytest.mark.parametrize(
    ("start", "lease_ends", "spacing"),
    [
        pytest.param(60, 60, 0, id="slot at the end of the lease"),
        pytest.param(-60, -1, 0, id="lease over"),
        pytest.param(0, 30, 60, id="no slot for the page behind the one for robots.txt"),
    ],
)
def test_check_whose_lease_ends_first_is_handed_back(start: float, lease_ends: float, spacing: float) -> None:
    clock = FixedClock(NOW)
    slots = MemorySlots(spacing, clock)
    with site({"/story": STORY}) as paper:
        late = check(paper.url(), start=NOW + timedelta(seconds=start), lease_ends=NOW + timedelta(seconds=lease_ends))
        if not start:
            slots.next_slot("127.0.0.1")
        found = fetch(late, slots, clock)
        assert "/story" not in paper.paths()
    assert isinstance(found, TooLate)
    assert found.check == late


def test_unhurried_clock_needs_no_waiting() -> None:
    clock = FixedClock(NOW)
    with site({"/story": STORY}) as paper:
        capture = fetch(
            check(paper.url(), start=NOW, lease_ends=NOW + timedelta(minutes=5)), MemorySlots(0, clock), clock
        )
    assert isinstance(capture, Capture)
    assert capture.observed == NOW


class Ticking:
    """A clock on which a second passes whenever it is looked at: a machine too busy for any slot."""

    def __init__(self) -> None:
        self._now = NOW

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


@pytest.mark.parametrize(("spacing", "started"), [(0.0, True), (0.5, False)])
def test_machine_too_busy_for_its_slots_hands_back_where_there_is_a_spacing(spacing: float, started: bool) -> None:
    clock, fixed = Ticking(), MemorySlots(spacing, FixedClock(NOW))
    due = check("http://courier.example/", start=NOW, lease_ends=NOW + timedelta(minutes=5))
    turns = Turns(due, "courier.example", fixed, clock, Lanes(10, 10))

    async def run() -> bool:
        try:
            async with turns.at_slot("courier.example"):
                return True
        except OutOfTime:
            return False

    assert asyncio.run(run()) is started
    assert len(fixed.taken) <= 5


def test_lanes_of_hosts_nobody_asks_any_more_are_forgotten() -> None:
    async def run() -> int:
        lanes = Lanes(10, 2)
        for n in range(100):
            async with lanes.enter(f"paper{n}.example"):
                pass
        return len(lanes._hosts)

    assert asyncio.run(run()) <= 1
