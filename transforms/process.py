"""What a worker process has once, however many pipelines and bundles it works on.

HTTP session, event loop, store engine and child processes belong to the process, not to a `DoFn`: Beam makes and
forgets `DoFn`s freely, and a client made anew for each costs more than the page. A `Job` is what Beam carries about;
the tools for it are made at first use and shared by all jobs that need the same ones.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import pickle
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import tenacity

from wirewatch.alerts.matching import NO_ALERTS, Alerting
from wirewatch.bounded import Pool
from wirewatch.clock import Clock
from wirewatch.errors import StoreError, WirewatchError
from wirewatch.fetch.client import Fetcher
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.fetch.slots import RobotsCopy
from wirewatch.keeping import Keeper
from wirewatch.model import Instance
from wirewatch.store import Store, hosts

T = TypeVar("T")
_log = logging.getLogger(__name__)

PRELOADED = ("wirewatch.reading", "wirewatch.judging")


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What a job that never ends knows beyond a pass: its ticks, and when it has enough to do."""

    every_seconds: float  # from tick to tick
    backlog_seconds: float  # what was leased and is not kept for so long holds the ticks
    patience_seconds: float = 600.0  # a store that is away is waited for so long, before the engine is told


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of one graph: what every step needs to know, small enough to be carried to every worker."""

    store: str = field(repr=False)  # its address, with its password
    instance: Instance
    clock: Clock
    run: str  # the name its counters are kept under
    fetch: FetchPolicy
    sinks: tuple[str, ...] = ()
    alerting: Alerting = NO_ALERTS
    children: int | None = None  # processes for untrusted work; None is one a core
    timeout_seconds: float = 10.0  # for one page in one of them
    horizon_seconds: float = 60.0
    wave: int = 500
    feeds_only: bool = False  # lease no articles yet: a feed may say of one where it is now, or that it changed
    replay: bool = False
    stream: Stream | None = None  # None: one pass, which ends

    @property
    def lease_seconds(self) -> float:
        """How long what was leased is nobody else's, counted from the last start in the lease."""
        return 300.0 if self.stream is None else 3 * self.stream.backlog_seconds + self.fetch.total_seconds


@dataclass(frozen=True, kw_only=True)
class StandingJob(Job):
    """The job of a graph that is run again and again in this process, each time for another wave.

    It is pickled as a reference by its `run`: a step that is made of it gets the job that `stand_in` named last.
    """

    def __reduce__(self) -> tuple[Callable[[str], Job], tuple[str]]:
        return _standing_in, (self.run,)


def stand_in(standing: StandingJob, job: Job) -> None:
    """Have the steps of a graph that are made from now on work for this job."""
    _standing[standing.run] = job


def _standing_in(run: str) -> Job:
    return _standing[run]


@dataclass(frozen=True, kw_only=True)
class Tools:
    """A process's own store, children, fetcher and event loop."""

    store: Store
    pool: Pool
    fetcher: Fetcher
    loop: asyncio.AbstractEventLoop

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the process's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)


def tools_for(job: Job) -> Tools:
    """Return this process's tools for the job; each is shared by all jobs that need one like it."""
    with _making:
        children = (job.children, job.timeout_seconds)
        if children not in _pools:
            _pools[children] = Pool(job.children, timeout_seconds=job.timeout_seconds, preload=PRELOADED)
        asking = pickle.dumps(job.fetch)
        if asking not in _fetchers:
            _fetchers[asking] = Fetcher(job.fetch)
        if not _loops:
            _loops.append(asyncio.new_event_loop())
            threading.Thread(target=_loops[0].run_forever, name="wirewatch-loop", daemon=True).start()
        store = _stores[job.store] = Store.shared(job.store)
        return Tools(store=store, pool=_pools[children], fetcher=_fetchers[asking], loop=_loops[0])


def keeper_for(job: Job) -> Keeper:
    """Return a keeper over this process's tools."""
    tools = tools_for(job)
    return Keeper(
        store=tools.store,
        pool=tools.pool,
        instance=job.instance,
        clock=job.clock,
        run=job.run,
        sinks=job.sinks,
        alerting=job.alerting,
        replay=job.replay,
    )


@dataclass(frozen=True)
class StoreSlots:
    """Hand out the store's slots to the fetcher."""

    store: Store
    clock: Clock

    def next_slot(self, host: str) -> datetime:
        return hosts.next_slot(self.store, host, self.clock.now())

    def robots(self, host: str) -> RobotsCopy | None:
        kept = hosts.robots(self.store, host)
        return None if kept is None else RobotsCopy(**_members(kept))

    def keep_robots(self, host: str, copy: RobotsCopy) -> None:
        hosts.keep_robots(self.store, host, hosts.Robots(**_members(copy)))

    def block_host(self, host: str, until: datetime) -> None:
        hosts.block_host(self.store, host, until)


@dataclass(frozen=True)
class PatientSlots:
    """Hand out a job's slots; in a stream, wait while the store is away."""

    job: Job

    def next_slot(self, host: str) -> datetime:
        return patiently(self.job, lambda: self._slots.next_slot(host))

    def robots(self, host: str) -> RobotsCopy | None:
        return patiently(self.job, lambda: self._slots.robots(host))

    def keep_robots(self, host: str, copy: RobotsCopy) -> None:
        patiently(self.job, lambda: self._slots.keep_robots(host, copy))

    def block_host(self, host: str, until: datetime) -> None:
        patiently(self.job, lambda: self._slots.block_host(host, until))

    @property
    def _slots(self) -> StoreSlots:
        return StoreSlots(tools_for(self.job).store, self.job.clock)


def patiently(job: Job, work: Callable[[], T]) -> T:
    """Return what the work returns; in a stream, wait while the store is away and do it again.

    The work must leave nothing half done where it raises StoreError, as a transaction does. A pass does not wait:
    whoever started it is told at once.
    """
    patience = 0.0 if job.stream is None else job.stream.patience_seconds
    again = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(StoreError),
        stop=tenacity.stop_after_delay(patience),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=5.0),
        before_sleep=_say_that_it_waits,
        reraise=True,
    )
    return again(work)


def _say_that_it_waits(attempt: tenacity.RetryCallState) -> None:
    if attempt.outcome is not None:
        _log.warning("Waiting for the store: %s", attempt.outcome.exception())


@contextmanager
def noting() -> Iterator[None]:
    """Remember an error of ours on its way out of a step.

    A runner turns whatever a step raises into its own error with a page of text; `noted` gives back what was meant.
    """
    try:
        yield
    except WirewatchError as error:
        note(error)
        raise


def note(error: WirewatchError) -> None:
    """Remember an error of ours, unless an earlier one is remembered: what went wrong first is what is told."""
    with _making:
        _noted[:1] = _noted[:1] or [error]


def noted() -> WirewatchError | None:
    """Return the first error of ours that a step met in this process, and forget it."""
    with _making:
        return _noted.pop() if _noted else None


_standing: dict[str, Job] = {}
_stores: dict[str, Store] = {}
_pools: dict[tuple[int | None, float], Pool] = {}
_fetchers: dict[bytes, Fetcher] = {}
_loops: list[asyncio.AbstractEventLoop] = []
_making = threading.Lock()
_noted: list[WirewatchError] = []


def _members(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


@atexit.register
def _close() -> None:
    for fetcher in _fetchers.values():
        asyncio.run_coroutine_threadsafe(fetcher.close(), _loops[0]).result(timeout=5)
    for loop in _loops:
        loop.call_soon_threadsafe(loop.stop)
    for store in _stores.values():
        store.close()
