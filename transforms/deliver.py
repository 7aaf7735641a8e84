"""Hand what is kept to the sinks: claim it, write it, then mark it.

Everything a sink ever gets comes this way, from the outbox; what comes in here is only the prompt to look into it. A
crash between writing and marking makes the same batch come again with the same id and bytes, and a sink that knows its
batches leaves it at that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.process import Job, noting, patiently, tools_for
from transforms.sinks.base import Sink
from wirewatch.store import outbox
from wirewatch.store.outbox import Batch

BATCH_ROWS = 2000  # of some kilobytes each
DELIVERED = "transforms.deliver"  # metrics: rows marked, by sink
LEASE_SECONDS = 60.0  # a batch whose writer died, or could not write it, waits so long


class Deliver(beam.PTransform[Any, Any]):
    """Hand each sink what it has not had, once for each bundle of the input; give back rows marked, by sink.

    A pass is one bundle: rows leave when all of it is kept. In a stream they leave as soon as the bundle is kept that
    brought them; the shuffle has it end there, and not wait for the sinks.
    """

    def __init__(self, job: Job, sinks: Sequence[Sink]) -> None:
        super().__init__()
        self.job = job
        self.sinks = sinks

    def expand(self, kept: Any) -> Any:
        prompts = kept | "Prompt" >> beam.ParDo(_OncePerBundle())
        if self.job.stream is not None:
            prompts |= "Shuffle" >> beam.Reshuffle()
        delivered = tuple(
            prompts
            | f"Claim {sink.name}" >> beam.ParDo(_Claim(self.job, sink.name))
            | sink.suited(streaming=self.job.stream is not None).create_write_transform()
            | f"Mark {sink.name}" >> beam.ParDo(_Mark(self.job))
            for sink in self.sinks
        )
        return delivered | "All" >> beam.Flatten(pipeline=kept.pipeline)


class _OncePerBundle(beam.DoFn):
    def __init__(self) -> None:
        self.seen = False

    def start_bundle(self) -> None:
        self.seen = False

    def process(self, _: object) -> None:
        self.seen = True

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self.seen:
            yield WindowedValue(None, GlobalWindow().max_timestamp(), (GlobalWindow(),))


class _Claim(beam.DoFn):
    def __init__(self, job: Job, sink: str) -> None:
        self.job = job
        self.sink = sink

    def process(self, _: object) -> Iterator[Batch]:
        """Claim until nothing waits, and for half a lease at most.

        A batch that could not be written stays leased for so long, and would then be claimed again for ever: the bundle
        would never end, nor anything that waits for it. The next prompt goes on.
        """
        ends = time.monotonic() + LEASE_SECONDS / 2
        with noting():
            while time.monotonic() < ends and (batch := patiently(self.job, self._claimed)):
                yield batch

    def _claimed(self) -> Batch | None:
        now = self.job.clock.now()
        return outbox.claim(
            tools_for(self.job).store, self.sink, now=now, limit=BATCH_ROWS, lease_seconds=LEASE_SECONDS
        )


class _Mark(beam.DoFn):
    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, batch: Batch) -> Iterator[tuple[str, int]]:
        with noting():
            marked = patiently(self.job, lambda: outbox.mark(tools_for(self.job).store, batch, self.job.clock.now()))
        Metrics.counter(DELIVERED, batch.sink).inc(marked)
        yield batch.sink, marked
