"""Turn readings into kept revisions, diffs and announcements.

The thin shell around `wirewatch.keeping`: whatever a runner does (repeat an element, split a bundle, lose a worker),
keeping the same reading twice changes nothing, and the counters are counted where it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.process import Job, keeper_for, noting, patiently
from transforms.reading import ReadFeed
from wirewatch.keeping import Read, apart
from wirewatch.model import Check, Outcome

TOGETHER: Final = 50  # readings; what is in one transaction is read again if the process dies in it
TOGETHER_BYTES: Final = 8 << 20  # of their pages, which are kept in it too where they say something new
KEPT = "transforms.revisions"  # metrics: captures by what and outcome, as `articles_revised`
LAG = "lag_ms"  # from the start of a check until it is kept


class KeepRevisions(beam.PTransform[Any, Any]):
    """Keep readings of articles and feeds; give back the outcome of each capture, as `(what, outcome)`."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def expand(self, reads: Any) -> Any:
        return reads | "RecordAndCommit" >> beam.ParDo(_RecordAndCommit(self.job))


class _RecordAndCommit(beam.DoFn):
    """Keep readings some at a time: most say what was said before, and a transaction costs more than they do."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.waiting: list[Read] = []
        self.bytes = 0

    def start_bundle(self) -> None:
        self.waiting, self.bytes = [], 0

    def process(self, read: Read | ReadFeed) -> Iterator[tuple[str, str]]:
        if isinstance(read, ReadFeed):
            with noting():
                outcome = patiently(self.job, lambda: self._keep_feed(read))
            yield self._counted("feed", read.check, outcome)
            return
        self.waiting.append(read)
        self.bytes += len(read.capture.body)
        if len(self.waiting) >= TOGETHER or self.bytes >= TOGETHER_BYTES:
            yield from self._keep()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        window = GlobalWindow()
        for counted in self._keep():
            yield WindowedValue(counted, window.max_timestamp(), (window,))

    def _keep(self) -> Iterator[tuple[str, str]]:
        reads, self.waiting, self.bytes = self.waiting, [], 0
        if not reads:
            return
        with noting():
            keeper = keeper_for(self.job)
            told = patiently(self.job, lambda: keeper.keep_at_once(reads))
            for some in apart(reads, [n for n in range(len(reads)) if n not in told]):
                outcomes = patiently(self.job, partial(keeper.keep_together, [reads[n] for n in some]))
                if outcomes is None:
                    outcomes = [patiently(self.job, partial(keeper.keep_alone, reads[n])) for n in some]
                told |= zip(some, outcomes, strict=True)
            for n, read in enumerate(reads):
                yield self._counted("article", read.check, told[n])

    def _keep_feed(self, read: ReadFeed) -> Outcome:
        return keeper_for(self.job).keep_feed(read.read, read.capture, read.source, read.check, read.received)

    def _counted(self, what: str, check: Check | None, outcome: Outcome) -> tuple[str, str]:
        Metrics.counter(KEPT, f"{what}s_{outcome.value}").inc()
        if check is not None:
            lag = self.job.clock.now() - check.start
            Metrics.distribution(KEPT, LAG).update(round(lag.total_seconds() * 1000))
        return what, outcome.value
