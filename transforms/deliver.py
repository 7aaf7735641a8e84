"""Hand what is kept to the sinks: claim it, write it, then mark it.

Everything a sink ever gets comes this way, from the outbox. A crash between writing and marking makes the same batch
come again with the same id and bytes, and a sink that knows its batches leaves it at that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.combiners import Count

from transforms.process import Job, noting, tools_for
from transforms.sinks.base import Sink
from wirewatch.store import outbox
from wirewatch.store.outbox import Batch

BATCH_ROWS = 2000  # of some kilobytes each
DELIVERED = "transforms.deliver"  # metrics: rows marked, by sink
LEASE_SECONDS = 60.0  # a batch of a writer that died waits so long


class Deliver(beam.PTransform[Any, Any]):
    """Once all of the input is done, hand each sink what it has not had; give back the batches that were written."""

    def __init__(self, job: Job, sinks: Sequence[Sink]) -> None:
        super().__init__()
        self.job = job
        self.sinks = sinks

    def expand(self, kept: Any) -> Any:
        gate = kept | "WaitForAll" >> Count.Globally()
        delivered = tuple(
            gate
            | f"Claim {sink.name}" >> beam.ParDo(_Claim(self.job, sink.name))
            | sink.create_write_transform()
            | f"Mark {sink.name}" >> beam.ParDo(_Mark(self.job))
            for sink in self.sinks
        )
        return delivered | "All" >> beam.Flatten(pipeline=kept.pipeline)


class _Claim(beam.DoFn):
    def __init__(self, job: Job, sink: str) -> None:
        self.job = job
        self.sink = sink

    def process(self, gate: object) -> Iterator[Batch]:
        job = self.job
        with noting():
            store = tools_for(job).store
            while batch := outbox.claim(
                store, self.sink, now=job.clock.now(), limit=BATCH_ROWS, lease_seconds=LEASE_SECONDS
            ):
                yield batch


class _Mark(beam.DoFn):
    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, batch: Batch) -> Iterator[tuple[str, int]]:
        with noting():
            marked = outbox.mark(tools_for(self.job).store, batch, self.job.clock.now())
        Metrics.counter(DELIVERED, batch.sink).inc(marked)
        yield batch.sink, marked
