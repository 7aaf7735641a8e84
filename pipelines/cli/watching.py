"""Run passes and replays, and say how they went."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from pipelines.cli.given import address
from pipelines.cli.screen import answers, emit, number, one_line, progress, say, tell
from pipelines.config import Config
from pipelines.run import PassReport, open_store, run_every, run_pass
from wirewatch.clock import Clock
from wirewatch.errors import WirewatchError
from wirewatch.model import Source
from wirewatch.store import articles

_log = logging.getLogger(__name__)
_SHOWN: Final = 10  # findings named one by one
_FAILED: Final = ("blocked", "failed", "refused", "invalid")


def run(config: Config, clock: Clock, *, strict: bool, as_json: bool) -> int:
    """Make one pass and return the exit code."""
    with progress() as step:
        report = run_pass(config, clock, step)
    _say(report, as_json=as_json)
    return _code(report, strict=strict)


def run_on(config: Config, clock: Clock, every: float, *, strict: bool, as_json: bool) -> int:
    """Make a pass every so many seconds until interrupted or asked to end; return the exit code."""
    from pipelines.logs import logging_as  # noqa: PLC0415 (a single pass has neither)
    from pipelines.monitor import monitored  # noqa: PLC0415

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    codes: list[int] = []
    logged = config.monitor.log == "json"

    def reported(report: PassReport) -> None:
        if logged:
            _log.info(report.sentence(), extra={"fields": {"pass": report.as_json()}})
        if as_json or not logged:
            _say(report, as_json=as_json)
        monitor.passed()
        codes.append(_code(report, strict=strict))
        if codes[-1]:
            stop.set()

    def failed(error: WirewatchError) -> None:
        again = f"{error} The next pass tries again."
        _log.error(again) if logged else tell(one_line(again, 500))

    with logging_as(config), monitored(config, clock) as monitor, progress() as step:
        run_every(
            config,
            clock,
            every,
            progress=step,
            begun=monitor.follow,
            reported=reported,
            failed=failed,
            stop=stop,
        )
    return codes[-1] if codes else 0


def watch(config: Config, urls: Sequence[str], clock: Clock, *, as_json: bool) -> int:
    """Read articles now and keep watching them; return 1 if one of them could not be read at all."""
    addresses = [address(url) for url in urls]
    store = open_store(config, clock.now())
    from pipelines.cli.article import find  # noqa: PLC0415 (what compares wordings; `run` has no use for it)

    known = dict(config.articles)
    for url in addresses:
        articles.watch(store, url, known.get(url, Source()), clock.now())
    with progress() as step:
        report = run_pass(config, clock, step)
    standing = [find(store, config, url) for url in addresses]
    if as_json:
        emit({"articles": [one.as_json() for one in standing], "pass": report.as_json()})
    else:
        for one in standing:
            answers().print(one.summary(clock.now()), soft_wrap=True)
        _say(report, as_json=False)
    return int(any(not one.history.revisions for one in standing))


def replay(
    config: Config,
    inputs: Sequence[Path],
    clock: Clock,
    *,
    url: str | None,
    observed_at: datetime | None,
    feed: str | None,
    as_json: bool,
) -> int:
    """Keep every capture in the inputs; return the exit code."""
    from pipelines.replay import replay as replay_captures  # noqa: PLC0415 (imports Beam)

    with progress() as step:
        report = replay_captures(config, inputs, clock, step, url=url, observed_at=observed_at, feed=feed)
    _say(report, as_json=as_json)
    return 0


def _say(report: PassReport, *, as_json: bool) -> None:
    if as_json:
        emit(report.as_json())
        sys.stdout.flush()
        return
    say(one_line(report.sentence()))
    for finding in report.findings[:_SHOWN]:
        tell(f"  {one_line(finding, 300)}")
    if len(report.findings) > _SHOWN:
        tell(f"  … and {number(len(report.findings) - _SHOWN, 'more problem')}")


def _code(report: PassReport, *, strict: bool) -> int:
    failed = any(counts.get(outcome) for counts in report.counts.values() for outcome in _FAILED)
    return int(strict and (failed or bool(report.findings)))
