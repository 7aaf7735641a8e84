"""One pass: whatever is due is read, kept and handed on, in waves, until nothing is due.

The store is asked first. A pass in which nothing is due never starts Beam, so a cron job every minute costs little.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from pipelines.config import Config
from pipelines.sending import SendReport, complete_pass, look_round, send_waiting
from wirewatch.clock import Clock
from wirewatch.errors import ConfigurationError, IntakeFailed, WirewatchError
from wirewatch.store import Store, articles, counters, feeds, frontier, hosts, instance, leases, outbox

Progress = Callable[[str], None]

_MOST_MESSAGES: Final = 10_000  # out of one queue in one pass; what is left waits there for the next one

_SAID = {
    "new": "new",
    "revised": "revised",
    "restamped": "with a new stamp only",
    "gone": "gone",
    "stale": "showing an older copy",
    "suspect": "suspiciously short",
    "unchanged": "unchanged",
    "not_modified": "not modified",
    "duplicate": "known already",
    "blocked": "blocked",
    "failed": "failed",
    "refused": "refused",
    "invalid": "not an article",
}


@dataclass(frozen=True, kw_only=True)
class PassReport:
    """What a pass did. `counts` is `{"article": {outcome: n}, "feed": {outcome: n}}`; every capture is in it once."""

    counts: dict[str, dict[str, int]]
    delivered: dict[str, int] = field(default_factory=dict)  # rows, by sink
    received: int = 0  # messages out of queues
    waiting: int = 0  # rows that no sink has yet
    next_due: datetime | None = None
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)  # what a person should look at
    alerts: SendReport = field(default_factory=SendReport)

    def sentence(self) -> str:
        """Return the pass in one line."""
        read = {what: sum(counts.values()) for what, counts in self.counts.items()}
        parts = [f"Read {_number(read.get('feed', 0), 'feed')} and {_number(read.get('article', 0), 'article')}"]
        found = [f"{n} {_SAID[name]}" for name in _SAID if (n := self.counts.get("article", {}).get(name))]
        line = parts[0] + (f": {', '.join(found)}" if found else "") + "."
        line += f" Received {_number(self.received, 'message')}." if self.received else ""
        line += f" Delivered {_number(sum(self.delivered.values()), 'row')}." if self.delivered else ""
        line += f" {_number(self.waiting, 'row')} still waiting." if self.waiting else ""
        line += f" {self.alerts.sentence()}" if self.alerts.sentence() else ""
        line += f" {_number(len(self.findings), 'problem')}." if self.findings else ""
        line += f" Next due {self.next_due:%Y-%m-%d %H:%M} UTC." if self.next_due else ""
        return f"{line} ({self.seconds:.1f} s)"

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {
            "counts": self.counts,
            "received": self.received,
            "delivered": self.delivered,
            "waiting": self.waiting,
            "nextDue": self.next_due.isoformat() if self.next_due else None,
            "seconds": round(self.seconds, 3),
            "findings": self.findings,
            "alerts": self.alerts.as_json(),
        }


def run_pass(
    config: Config,
    clock: Clock,
    progress: Progress = lambda line: None,
    *,
    run: str | None = None,
    every_seconds: float | None = None,
) -> PassReport:
    """Read everything that is due, keep it, deliver it and send what is ripe of the alerts.

    `run` is the name under which its captures are counted; left out, it is given one. `every_seconds` is how often
    passes are to come, if that is known. Raise WirewatchError where the work could not be done.
    """
    began = time.monotonic()
    store = open_store(config, clock.now())
    look_round(config, store, clock.now())
    run = run or new_run()
    delivered: Counter[str] = Counter()
    older = older_than_sinks(config, store)
    received, findings = _receive(store, config, clock, progress)
    findings += _waves(store, config, clock, run, delivered=delivered, progress=progress)
    complete_pass(store, clock.now(), every_seconds)
    sent = send_waiting(config, store, clock, progress)
    seconds = time.monotonic() - began
    done = report(store, config, run, now=clock.now(), delivered=delivered, seconds=seconds, findings=findings)
    return replace(done, received=received, alerts=sent, findings=[*older, *done.findings, *sent.said])


def new_run() -> str:
    """Return a name that no other run has."""
    return secrets.token_hex(8)


def run_every(
    config: Config,
    clock: Clock,
    seconds: float,
    *,
    progress: Progress,
    begun: Callable[[str], None],
    reported: Callable[[PassReport], None],
    failed: Callable[[WirewatchError], None],
    stop: threading.Event,
) -> None:
    """Make a pass every so many seconds, counted from start to start, until `stop` is set.

    A pass that could not do its work is told to `failed`, and the next one tries again; only the first one's error is
    raised, since whoever started it is still there to mend it. `begun` is given each run's name.
    """
    passed = False
    while not stop.is_set():
        began, run = time.monotonic(), new_run()
        begun(run)
        try:
            report = run_pass(config, clock, progress, run=run, every_seconds=seconds)
        except WirewatchError as error:
            if not passed or isinstance(error, ConfigurationError):
                raise
            failed(error)
        else:
            passed = True
            reported(report)
        stop.wait(max(0.0, seconds - (time.monotonic() - began)))


def open_store(config: Config, now: datetime) -> Store:
    """Open the store and match the configuration into it: the installation's name, feeds, articles and host rules."""
    store = Store.shared(config.store)
    instance.claim_instance(store, config.instance)
    leases.end_dead(store, now)
    hosts.set_spacing_rule(store, default_seconds=config.spacing_seconds, hosts=config.host_spacing)
    feeds.match_feeds(store, config.feeds, now)
    articles.match_articles(store, config.articles, now)
    return store


def older_than_sinks(config: Config, store: Store) -> list[str]:
    """Return in words which sinks have had more than this store ever gave out, and have it go on after that."""
    told = []
    for sink in config.sinks:
        newest = sink.newest_row()
        last = outbox.go_on_after(store, newest) if newest else None
        if last is not None:
            told.append(
                f"sink {sink.name} has had messages up to number {newest}, and this store had given out {last}: it was"
                " put back from an older copy. What it lacks is looked for again; events that left since then come once"
                " more under their old ids, as far as their pages can still be read, and what came and went in between"
                f" is with the sink alone. Numbers go on after {newest}"
            )
    return told


def _receive(store: Store, config: Config, clock: Clock, progress: Progress) -> tuple[int, list[str]]:
    """Keep what waits in the queues; return how many messages there were, and which queue could not be read."""
    if not config.sources:
        return 0, []
    from wirewatch import receiving  # noqa: PLC0415 (imports an HTTP client)

    received, findings = 0, []
    for source in config.sources:
        progress(f"Receiving messages of {source.name}")
        try:
            received += source.drain(
                lambda some: receiving.receive(store, some, clock.now(), config.fetch), limit=_MOST_MESSAGES
            )
        except IntakeFailed as error:
            findings.append(str(error))
    return received, findings


def _waves(
    store: Store, config: Config, clock: Clock, run: str, *, delivered: Counter[str], progress: Progress
) -> list[str]:
    """Run waves until nothing is due and nothing waits; return what another process held, in words."""
    sinks = {sink.name for sink in config.sinks}
    before: tuple[object, ...] | None = None
    while True:
        due = frontier.due(store, now=clock.now(), horizon_seconds=config.work.horizon)
        waiting = sum(n for sink, n in outbox.waiting(store).items() if sink in sinks)
        if not due.anything and not waiting:
            return []
        state = (due.feeds, due.articles, due.inbox, waiting, counters.totals(store, run))
        if state == before:
            return [_held(due, waiting)]
        before = state
        progress(_step(due, waiting))
        from pipelines.waves import run_wave  # noqa: PLC0415 (imports Beam)

        job = replace(config.job(clock, run), feeds_only=due.feeds > 0)
        delivered.update(run_wave(job, config.sinks))


def _step(due: frontier.Due, waiting: int) -> str:
    if due.anything:
        articles_now = 0 if due.feeds else due.articles
        work = [(due.feeds, "feed"), (articles_now, "article"), (due.inbox, "waiting capture")]
        return "Reading " + ", ".join(_number(n, what) for n, what in work if n)
    return f"Delivering {_number(waiting, 'row')}"


def _held(due: frontier.Due, waiting: int) -> str:
    if due.anything:
        return f"{due.feeds + due.articles + due.inbox} checks could not start in time; the next pass takes them"
    return f"{_number(waiting, 'row')} are being delivered by another process"


def report(
    store: Store,
    config: Config,
    run: str,
    *,
    now: datetime,
    delivered: Mapping[str, int],
    seconds: float,
    findings: Sequence[str],
) -> PassReport:
    """Return what a run did, as the store has it."""
    due = frontier.due(store, now=now, horizon_seconds=config.work.horizon)
    failing = [one for one in feeds.feed_health(store) if one.failures and not one.paused]
    sinks = {sink.name for sink in config.sinks}
    return PassReport(
        counts=counters.totals(store, run),
        delivered=dict(delivered),
        waiting=sum(n for sink, n in outbox.waiting(store).items() if sink in sinks),
        next_due=due.next_due,
        seconds=seconds,
        findings=[*(f"{one.url}: {one.detail}" for one in failing), *_wrong(store, run), *findings],
    )


def _wrong(store: Store, run: str) -> list[str]:
    """Return what is to be said of pages that the short cut took for unchanged."""
    wrong = counters.short_cuts(store, run).get("wrong", 0)
    said = (
        f"{_number(wrong, 'page')} would have passed for unchanged and had changed: that is a fault of Wirewatch's. "
        "`wirewatch dead-letters list` names them; please report it"
    )
    return [said] if wrong else []


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
