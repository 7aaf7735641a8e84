"""Let others see how a job is that never ends: /metrics for Prometheus, /healthz for whoever restarts it.

All figures are asked of the store when somebody asks for them, so every process on one store gives the same for what
waits; add up none of those. Only the counters of captures are a process's own.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import orjson
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipelines.config import Config
from wirewatch import __version__
from wirewatch.clock import Clock
from wirewatch.errors import ConfigurationError, StoreError
from wirewatch.model import Outcome
from wirewatch.store import Store, counters
from wirewatch.store.lag import Lag, lag

_log = logging.getLogger(__name__)
_WAIT_SECONDS: Final = 5.0  # for the store; Prometheus waits 10
_SLOW_SECONDS: Final = 10.0  # for a request
_MOST_RUNS: Final = 100
_WHATS: Final = ("article", "feed")


class Monitor(Collector):
    """Know how a job is. `follow` names the run whose captures are counted, `passed` says that a pass has ended."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._address = config.store
        self._sinks = tuple(sink.name for sink in config.sinks)
        self._stale_after = timedelta(seconds=config.monitor.stale_after)
        self._clock = clock
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._runs: list[str] = []  # the last is under way
        self._done: Counter[tuple[str, str]] = Counter()  # of runs that are over and no more in `_runs`
        self._seen = 0
        self._grew = clock.now()
        self._last_pass: datetime | None = None

    def follow(self, run: str) -> None:
        """Count the captures of this run from now on, beside those of the runs before."""
        with self._lock:
            self._runs.append(run)
            if len(self._runs) > _MOST_RUNS:  # and nobody has asked for so long
                with suppress(StoreError):  # then it is done at the next one
                    self._counted()

    def passed(self) -> None:
        """Note that a pass has ended."""
        self._last_pass = self._clock.now()

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            if self._store is not None:
                self._store.close()

    def problems(self) -> list[str]:
        """Return why the job should be looked at, in sentences; nothing where it is well.

        It is not, where the store cannot be used, and where something waits for longer than `stale_after` in which
        nothing was kept.
        """
        try:
            behind, _ = self._look()
        except StoreError as error:
            return [str(error)]
        now, oldest = self._clock.now(), behind.oldest_work
        if oldest is None or now - oldest <= self._stale_after or now - self._grew <= self._stale_after:
            return []
        kept, due = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (self._grew, oldest))
        return [f"Nothing was kept since {kept} UTC, and the oldest of what is due waits since {due} UTC."]

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; where the store cannot be used, those that need none."""
        yield _gauge("wirewatch_build_info", "The version that runs.", {(__version__,): 1}, ("version",))
        if self._last_pass is not None:
            at = self._last_pass.timestamp()
            yield _gauge("wirewatch_last_pass_timestamp_seconds", "When the last pass ended.", {(): at})
        try:
            behind, counted = self._look()
        except StoreError as error:
            _log.warning("%s", error)
            yield _gauge("wirewatch_store_up", "Whether the store can be used.", {(): 0})
            return
        yield _gauge("wirewatch_store_up", "Whether the store can be used.", {(): 1})
        yield from self._of_captures(counted)
        yield from self._of_lag(behind)

    def _of_captures(self, counted: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
        captures = CounterMetricFamily(
            "wirewatch_captures", "Captures this process has kept, by how each ended.", labels=("what", "outcome")
        )
        for what in _WHATS:
            for outcome in Outcome:
                captures.add_metric((what, outcome.value), counted.get((what, outcome.value), 0))
        yield captures
        at = self._grew.timestamp()
        yield _gauge("wirewatch_last_kept_timestamp_seconds", "When a capture was last seen to be kept.", {(): at})

    def _of_lag(self, behind: Lag) -> Iterator[Metric]:
        waiting = {("feed",): behind.feed_due, ("article",): behind.article_due, ("capture",): behind.inbox}
        ages = {what: self._age(since) for what, since in waiting.items()}
        yield _gauge(
            "wirewatch_oldest_due_seconds",
            "How long the oldest due check, or capture that was brought, waits that could be worked on now.",
            ages,
            ("what",),
        )
        rows = dict.fromkeys(((sink,) for sink in self._sinks), 0) | {(o.sink,): o.rows for o in behind.undelivered}
        yield _gauge("wirewatch_undelivered_rows", "Rows that a sink has not had yet.", rows, ("sink",))
        oldest = {(o.sink,): self._age(o.oldest) for o in behind.undelivered}
        yield _gauge(
            "wirewatch_oldest_undelivered_seconds",
            "How long the oldest row waits that a sink has not had yet.",
            dict.fromkeys(rows, 0.0) | oldest,
            ("sink",),
        )
        feeds = {("well",): behind.feeds_well, ("failing",): behind.feeds_failing, ("paused",): behind.feeds_paused}
        yield _gauge("wirewatch_feeds", "Feeds, by how they are.", feeds, ("state",))
        letters = {(): behind.dead_letters}
        yield _gauge("wirewatch_dead_letters", "What could not be used and was not replayed.", letters)

    def _age(self, since: datetime | None) -> float:
        return 0.0 if since is None else max(0.0, (self._clock.now() - since).total_seconds())

    def _look(self) -> tuple[Lag, Counter[tuple[str, str]]]:
        """Ask the store, and note whether anything was kept since the last look."""
        with self._lock:
            behind = lag(self._opened(), self._clock.now())
            counted = self._counted()
            if (seen := counted.total()) > self._seen:
                self._seen, self._grew = seen, self._clock.now()
        return behind, counted

    def _counted(self) -> Counter[tuple[str, str]]:
        """Return the captures of all runs, and add up those of the runs that are over."""
        while len(self._runs) > 1:
            self._done += self._of_run(self._runs[0])
            self._runs.pop(0)
        return self._done + (self._of_run(self._runs[0]) if self._runs else Counter())

    def _of_run(self, run: str) -> Counter[tuple[str, str]]:
        totals = counters.totals(self._opened(), run)
        return Counter({(what, outcome): n for what, of in totals.items() for outcome, n in of.items()})

    def _opened(self) -> Store:
        if self._store is None:
            self._store = Store.open(self._address, wait_seconds=_WAIT_SECONDS)
        return self._store


@contextmanager
def monitored(config: Config, clock: Clock) -> Iterator[Monitor]:
    """Give a monitor for as long as a job runs; it answers where the configuration says, or nowhere.

    Raise ConfigurationError where that address cannot be listened at.
    """
    monitor = Monitor(config, clock)
    if config.monitor.port is None:
        yield monitor
        return
    where = (config.monitor.address, config.monitor.port)
    try:
        server = _Server(where, monitor)
    except OSError as error:
        message = (
            f"monitor: {where[0]}:{where[1]} cannot be listened at ({error.strerror or error}); choose another port"
        )
        raise ConfigurationError(message) from error
    threading.Thread(target=server.serve_forever, name="monitor", daemon=True).start()
    try:
        yield monitor
    finally:
        server.shutdown()
        server.server_close()
        monitor.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, where: tuple[str, int], monitor: Monitor) -> None:
        self.monitor = monitor
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(monitor)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        super().__init__(where, _Answer)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say little: a caller that went away is no fault of ours."""
        _log.debug("A request to the monitor broke off", exc_info=True)


class _Answer(BaseHTTPRequestHandler):
    timeout = _SLOW_SECONDS
    server: _Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._send(200, generate_latest(self.server.registry), CONTENT_TYPE_LATEST)
        elif path == "/healthz":
            problems = self.server.monitor.problems()
            said = orjson.dumps({"healthy": not problems, "problems": problems})
            self._send(503 if problems else 200, said + b"\n", "application/json")
        else:
            self._send(404, b"There is /metrics and /healthz.\n", "text/plain; charset=utf-8")

    def log_message(self, *_: object) -> None:
        """Keep the log free of what is asked every few seconds."""

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _gauge(name: str, words: str, values: Mapping[Any, float], labels: Sequence[str] = ()) -> GaugeMetricFamily:
    metric = GaugeMetricFamily(name, words, labels=labels)
    for given, value in values.items():
        metric.add_metric(given, value)
    return metric
