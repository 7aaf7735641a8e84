"""The one graph, from what is due to what the sinks were given.

A batch pass runs it once a wave; names of steps are part of what a running job can be upgraded by, so they stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apache_beam as beam

from transforms.deliver import Deliver
from transforms.fetch import FetchPages, LeaseDue, TakeInbox
from transforms.process import Job
from transforms.reading import ExtractArticle, ParseFeed
from transforms.revisions import KeepRevisions
from transforms.sinks.base import Sink
from wirewatch.reading import is_feed


class WatchOnce(beam.PTransform[Any, Any]):
    """Turn each tick into one wave: lease, fetch, read, keep, deliver."""

    def __init__(self, job: Job, sinks: Sequence[Sink]) -> None:
        super().__init__()
        self.job = job
        self.sinks = sinks

    def expand(self, ticks: Any) -> Any:
        fetched = ticks | LeaseDue(self.job) | FetchPages(self.job)
        waiting = ticks | TakeInbox(self.job)
        captures = (fetched, waiting) | "Captures" >> beam.Flatten()
        return captures | ReadCaptures(self.job) | KeepRevisions(self.job) | Deliver(self.job, self.sinks)


class ReadCaptures(beam.PTransform[Any, Any]):
    """Turn captures into readings: what is a feed goes one way, what is a page the other."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def expand(self, captures: Any) -> Any:
        pages, feeds = captures | "ByKind" >> beam.Partition(_Kind(), 2)
        articles = pages | ExtractArticle(self.job)
        entries = feeds | ParseFeed(self.job)
        return (entries, articles) | "Reads" >> beam.Flatten()


class _Kind(beam.PartitionFn):
    def partition_for(self, element: Any, num_partitions: int, *args: Any, **kwargs: Any) -> int:
        if element.check is not None:
            return int(element.check.reason == "feed")
        return int(is_feed(element.capture))
