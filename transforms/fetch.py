"""Lease what is due and fetch it.

The lease and the fetch are two steps with a shuffle between, so that the checks of one lease spread over all workers;
the store has given each its start already, so no worker needs to know of the others. What waits in the inbox was
fetched by someone else and goes the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.process import Job, StoreSlots, noting, tools_for
from wirewatch.fetch import TooLate
from wirewatch.model import Capture, Check, Source
from wirewatch.store import Store, feeds, frontier, inbox
from wirewatch.store.inbox import Received

LEAD_SECONDS = 1.0  # from the lease to the fetcher; a wave of 500 takes 0.3 s through Beam


@dataclass(frozen=True, kw_only=True)
class Captured:
    """A capture, whence it came, and the check that asked for it or the inbox it waited in."""

    capture: Capture
    source: Source
    check: Check | None = None
    received: Received | None = None


class LeaseDue(beam.PTransform[Any, Any]):
    """Turn each tick into the checks that are due, feeds first, each with its start, and what waits in the inbox."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def expand(self, ticks: Any) -> Any:
        return ticks | "Lease" >> beam.ParDo(_Lease(self.job)) | "Spread" >> beam.Reshuffle()


class FetchPages(beam.PTransform[Any, Any]):
    """Fetch each check at its start; all of a bundle wait together. What could not start in time is handed back."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def expand(self, checks: Any) -> Any:
        return checks | "Fetch" >> beam.ParDo(_Fetch(self.job))


class _Lease(beam.DoFn):
    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, tick: object) -> Iterator[Check | Captured]:
        job = self.job
        with noting():
            store, now = tools_for(job).store, job.clock.now()
            yield from frontier.lease_due(
                store,
                now=now,
                horizon_seconds=job.horizon_seconds,
                limit=job.wave,
                lead_seconds=LEAD_SECONDS,
                feeds_only=job.feeds_only,
            )
            for received in inbox.take(store, now=now, limit=job.wave):
                source = _source_of(store, received.capture.feed)
                yield Captured(capture=received.capture, source=source, received=received)


class _Fetch(beam.DoFn):
    def __init__(self, job: Job) -> None:
        self.job = job
        self.under_way: dict[Future[Capture | TooLate], Check] = {}

    def start_bundle(self) -> None:
        self.under_way = {}

    def process(self, check: Check | Captured) -> Iterator[Captured]:
        if isinstance(check, Captured):
            yield check
            return
        tools = tools_for(self.job)
        slots = StoreSlots(tools.store, self.job.clock)
        self.under_way[tools.start(tools.fetcher.fetch(check, slots, self.job.clock))] = check

    def finish_bundle(self) -> Iterator[WindowedValue]:
        with noting():
            for future in as_completed(list(self.under_way)):
                check = self.under_way.pop(future)
                answer = future.result()
                if isinstance(answer, TooLate):
                    frontier.hand_back(tools_for(self.job).store, [check])
                    continue
                captured = Captured(capture=answer, source=check.source, check=check)
                yield WindowedValue(captured, GlobalWindow().max_timestamp(), (GlobalWindow(),))


def _source_of(store: Store, feed: str | None) -> Source:
    with store.reading() as conn:
        known = feeds.health_of(conn, feed) if feed else None
    return known.source if known else Source(feed=feed)
