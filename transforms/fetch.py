"""Lease what is due and fetch it.

In a stream a shuffle lies between the lease and the fetch, so that the checks of one lease spread over all workers; the
store has given each its start already, so no worker needs to know of the others. What waits in the inbox was fetched by
someone else and goes the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.process import Job, PatientSlots, Stream, noting, patiently, tools_for
from wirewatch.fetch.client import TooLate
from wirewatch.identity import normalise_url
from wirewatch.model import Capture, Check, Source
from wirewatch.reading import feed_of
from wirewatch.store import Store, articles, feeds, frontier, health, inbox, leases, streams
from wirewatch.store.inbox import Received
from wirewatch.ticks import LEAD_SECONDS, Turn, is_late, turn_of


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
        leased = ticks | "Lease" >> beam.ParDo(_Lease(self.job))
        if self.job.stream is None:  # a pass is one process: a shuffle would cost it a stage and copies of all checks
            return leased
        return leased | "Spread" >> beam.Reshuffle()


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
            turn = Turn.LEASE if job.stream is None else patiently(job, partial(self._turn, tick, job.stream))
            Metrics.counter(__name__, f"ticks_{turn}").inc()
            if turn is not Turn.LEASE:
                return
            checks = patiently(job, self._leased)
            received = patiently(job, self._received)
            if job.stream is not None:
                patiently(job, partial(self._noted, job.stream))
        Metrics.counter(__name__, "leased").inc(len(checks) + len(received))
        yield from checks
        yield from received

    def _turn(self, tick: Any, stream: Stream) -> Turn:
        job = self.job
        now, meant = job.clock.now(), datetime.fromtimestamp(float(tick), UTC)
        if is_late(meant, now, stream.every_seconds):  # there may be thousands: nothing is asked for them
            return Turn.LATE
        store = tools_for(job).store
        leases.end_dead(store, now)
        return turn_of(
            meant,
            now,
            every_seconds=stream.every_seconds,
            oldest_unkept=streams.oldest_unkept(store, now, lease_seconds=job.lease_seconds),
            backlog_seconds=stream.backlog_seconds,
            resting=streams.is_to_rest(store, job.run, now),
        )

    def _noted(self, stream: Stream) -> None:
        """Note that a tick did its work: whoever waits for passes hears where none does any more."""
        job = self.job
        with tools_for(job).store.begin() as conn:
            health.complete_pass(conn, job.clock.now(), stream.every_seconds)

    def _leased(self) -> list[Check]:
        job = self.job
        return frontier.lease_due(
            tools_for(job).store,
            now=job.clock.now(),
            horizon_seconds=job.horizon_seconds,
            limit=job.wave,
            lease_seconds=job.lease_seconds,
            lead_seconds=LEAD_SECONDS,
            feeds_only=job.feeds_only,
        )

    def _received(self) -> list[Captured]:
        job = self.job
        store = tools_for(job).store
        taken = inbox.take(store, now=job.clock.now(), limit=job.wave, lease_seconds=job.lease_seconds)
        return [Captured(capture=one.capture, source=_source_of(store, one.capture), received=one) for one in taken]


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
        fetching = tools.fetcher.fetch(check, PatientSlots(self.job), self.job.clock)
        self.under_way[tools.start(fetching)] = check

    def finish_bundle(self) -> Iterator[WindowedValue]:
        with noting():
            for future in as_completed(list(self.under_way)):
                check = self.under_way.pop(future)
                answer = future.result()
                if isinstance(answer, TooLate):
                    patiently(self.job, partial(frontier.hand_back, tools_for(self.job).store, [check]))
                    continue
                captured = Captured(capture=answer, source=check.source, check=check)
                yield WindowedValue(captured, GlobalWindow().max_timestamp(), (GlobalWindow(),))


def _source_of(store: Store, capture: Capture) -> Source:
    """Return what the store knows of where a brought capture comes from: of its feed, else of its page."""
    feed = feed_of(capture)
    with store.reading() as conn:
        known = feeds.health_of(conn, feed) if feed else None
        if known is not None:
            return known.source
        return articles.source_of(conn, normalise_url(capture.url)) or Source(feed=feed)
