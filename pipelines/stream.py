"""The job that never ends: ticks take the place of passes, on an engine that outlives its machines.

It is the same graph as a pass's. What is kept lies in the store, so a job may be killed, lost or started anew at any
time: the next one goes on where the store is. What an engine adds is only that it need not be started again by hand.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import apache_beam as beam

from pipelines import engines
from pipelines.config import Config
from pipelines.graph import Watch
from pipelines.run import older_than_sinks, open_store
from transforms.process import Job, patiently
from transforms.receive import ReceiveMessages
from transforms.sinks.base import Sink
from transforms.sources.base import MessageSource
from transforms.ticks import ticks
from wirewatch.clock import Clock
from wirewatch.errors import EngineFailed, StoreError
from wirewatch.store import Store, leases, streams
from wirewatch.store.lag import lag

_LOOK_SECONDS: Final = 1.0  # how often the engine is asked whether the job still runs
_STEADY_SECONDS: Final = 600.0  # a job that ran for so long did not fail because it was started
_MOST_FAILURES: Final = 5  # in a row; the pauses between them make a minute


class WatchForEver(beam.PTransform[Any, Any]):
    """Let ticks come from a moment on, and watch at each; beside that, receive what queues bring."""

    def __init__(
        self,
        job: Job,
        sinks: Sequence[Sink],
        since: datetime,
        sources: Sequence[MessageSource] = (),
        *,
        engine: str,
    ) -> None:
        super().__init__()
        self.job = job
        self.sinks = sinks
        self.since = since
        self.sources = sources
        self.engine = engine

    def expand(self, pipeline: Any) -> Any:
        assert self.job.stream is not None, "a pass has no ticks"
        if self.sources:
            pipeline | ReceiveMessages(self.job, self.sources, self.engine, self.since)
        come = ticks(self.engine, self.since, self.job.stream.every_seconds)
        return pipeline | "Ticks" >> come | Watch(self.job, self.sinks)


def stream(
    config: Config,
    clock: Clock,
    *,
    stop: threading.Event,
    begun: Callable[[str], None],
    said: Callable[[str], None],
    savepoint: str | None = None,
) -> None:
    """Watch on the configured engine until `stop` is set; then come to rest, and end the job.

    `begun` is given the name under which its captures are counted.

    Raise EngineFailed where the engine does not take the job or loses it, StoreError where the store cannot be used,
    IntakeFailed where a queue cannot be read at the start.
    """
    store = open_store(config, clock.now())
    engine = config.stream.runner
    for source in config.sources if engine != "dataflow" else ():  # a job there has an account of its own
        source.check()
    for line in older_than_sinks(config, store):
        said(line)
    job = config.stream_job(clock, f"stream-{secrets.token_hex(8)}")
    begun(job.run)
    failures = 0
    while True:
        began = time.monotonic()
        graph = WatchForEver(job, config.sinks, clock.now(), config.sources, engine=engine)
        running = engines.start(config, graph, savepoint=savepoint)
        said(f"Watching on {config.stream.runner}; a tick every {config.stream.tick:g} s.")
        try:
            why = _over_before(stop, running)
            if why is None:
                said("Coming to rest: nothing more is leased, what is under way is kept and delivered.")
                said(_end(store, config, job, clock, running))
                return
        finally:
            running.close()
        failures = 1 if time.monotonic() - began > _STEADY_SECONDS else failures + 1
        if running.given_up or failures >= _MOST_FAILURES:
            raise EngineFailed(f"{why} What was kept stays; mend that and start the stream again.")
        said(f"{why} Starting again; what was under way is done again.")
        if stop.wait(2**failures):
            return
        patiently(job, lambda: leases.end_own(store, clock.now()))


def _over_before(stop: threading.Event, running: engines.Running) -> str | None:
    """Wait until a job fails, and return why, or until `stop` is set, and return None."""
    while not stop.wait(_LOOK_SECONDS):
        if why := running.failure():
            return why
    return None


def _end(store: Store, config: Config, job: Job, clock: Clock, running: engines.Running) -> str:
    """Let a job come to rest and end it; return what is left of it, in words."""
    try:
        rested = _came_to_rest(store, config, job, clock, running)
        if why := running.failure():
            raise EngineFailed(f"{why} What was kept stays.")
        left = running.stop()
    finally:  # a job that could not be ended goes on
        with suppress(StoreError):
            streams.forget(store, job.run)
    late = "Not everything came to rest in time; what is left is read or delivered by the next job. "
    return left if rested else late + left


def _longest_end(config: Config, job: Job) -> timedelta:
    """Return how long it may take to come to rest and to end the job; if it is not over then, nobody waits for it."""
    return timedelta(seconds=2 * job.lease_seconds + config.stream.checkpoint_timeout)


def _came_to_rest(store: Store, config: Config, job: Job, clock: Clock, running: engines.Running) -> bool:
    """Have ticks lease nothing more and wait until what was leased is kept and delivered; return whether it was."""
    try:
        return _rested(store, config, job, clock, running)
    except StoreError:  # it is away: so is all that could be waited for
        return False


def _rested(store: Store, config: Config, job: Job, clock: Clock, running: engines.Running) -> bool:
    """Wait for what was leased when the rest began, then for what had been announced when that was kept.

    Whatever other jobs on the store lease and announce later is theirs.
    """
    deadline = time.monotonic() + job.lease_seconds
    sinks = {sink.name for sink in config.sinks}
    asked = clock.now()
    streams.ask_to_rest(store, job.run, asked + _longest_end(config, job))
    last_tick = asked + timedelta(seconds=config.stream.tick)  # one under way may lease until then
    last_start = last_tick + timedelta(seconds=job.horizon_seconds)
    kept: datetime | None = None
    while time.monotonic() < deadline and running.failure() is None:
        time.sleep(_LOOK_SECONDS / 4)
        now = clock.now()
        if kept is None:
            oldest = streams.oldest_unkept(store, now, lease_seconds=job.lease_seconds)
            kept = now if now > last_tick and (oldest is None or oldest > last_start) else None
        elif all(waiting.oldest > kept for waiting in lag(store, now).undelivered if waiting.sink in sinks):
            return True
    return False
