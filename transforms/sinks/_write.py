"""Put a sink's `write` on Beam: the one shell that sinks share.

A batch that could not be written is not given back, so it is not marked, and comes again when its lease has run out.
The error is noted: a pass ends with it, and a stream goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.pvalue import PCollection

from transforms.process import note
from transforms.sinks.base import Sink
from wirewatch.errors import DeliveryFailed
from wirewatch.store.outbox import Batch

_log = logging.getLogger(__name__)


@beam.typehints.with_input_types(Batch)
@beam.typehints.with_output_types(Batch)
class WriteBatches(beam.PTransform[PCollection[Batch], PCollection[Batch]]):
    """Write batches to one sink and give back each that was written."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(label=f"WriteTo {sink.name}")
        self._sink = sink

    def expand(self, batches: PCollection[Batch]) -> PCollection[Batch]:
        return batches | "Write" >> beam.ParDo(_Write(self._sink))


class _Write(beam.DoFn):
    """The thin shell around `Sink.write`."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink
        self._written = Metrics.counter(__name__, f"written_{sink.name}")
        self._refused = Metrics.counter(__name__, f"refused_{sink.name}")
        self._failed = Metrics.counter(__name__, f"failed_{sink.name}")

    def process(self, batch: Batch) -> Iterator[Batch]:
        try:
            refused = self._sink.write(batch)
        except DeliveryFailed as error:
            _log.warning("Sink %s: %s", batch.sink, error)
            self._failed.inc()
            note(error)
            return
        for one in refused:
            _log.warning("Sink %s has not taken the %s %s: %s", batch.sink, one.item.kind, one.item.item, one.reason)
        self._written.inc(len(batch.items) - len(refused))
        self._refused.inc(len(refused))
        yield replace(batch, refused=refused)
