"""The one graph, from what is due to what the sinks were given.

A pass runs it with one tick a wave, a stream with ticks that never end. The names of its steps are what a running job
is upgraded by, so they stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apache_beam as beam

from transforms.deliver import Deliver
from transforms.fetch import FetchPages, LeaseDue
from transforms.process import Job
from transforms.reading import ReadCaptures
from transforms.revisions import KeepRevisions
from transforms.sinks.base import Sink


class Watch(beam.PTransform[Any, Any]):
    """Turn each tick into one wave: lease, fetch, read, keep, deliver. A tick delivers what waits from before, too."""

    def __init__(self, job: Job, sinks: Sequence[Sink]) -> None:
        super().__init__()
        self.job = job
        self.sinks = sinks

    def expand(self, ticks: Any) -> Any:
        job = self.job
        kept = ticks | LeaseDue(job) | FetchPages(job) | ReadCaptures(job) | KeepRevisions(job)
        return (ticks, kept) | "Prompts" >> beam.Flatten() | Deliver(job, self.sinks)
