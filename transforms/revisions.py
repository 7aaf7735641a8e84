"""Turn readings into kept revisions, diffs and announcements.

The thin shell around `wirewatch.keeping`: whatever a runner does (repeat an element, split a bundle, lose a worker),
keeping the same reading twice changes nothing, and the counters are counted where it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from transforms.process import Job, keeper_for, noting, patiently
from transforms.reading import ReadFeed
from wirewatch.keeping import Read
from wirewatch.model import Outcome

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
    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, read: Read | ReadFeed) -> Iterator[tuple[str, str]]:
        what = "feed" if isinstance(read, ReadFeed) else "article"
        with noting():
            outcome = patiently(self.job, lambda: self._kept(read))
        Metrics.counter(KEPT, f"{what}s_{outcome.value}").inc()
        if read.check is not None:
            lag = self.job.clock.now() - read.check.start
            Metrics.distribution(KEPT, LAG).update(round(lag.total_seconds() * 1000))
        yield what, outcome.value

    def _kept(self, read: Read | ReadFeed) -> Outcome:
        keeper = keeper_for(self.job)
        if isinstance(read, ReadFeed):
            return keeper.keep_feed(read.read, read.capture, read.source, read.check, read.received)
        return keeper.keep(read)
