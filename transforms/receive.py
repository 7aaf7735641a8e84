"""Receive messages: read each queue for ever, and keep what it says before it is acknowledged.

The step that keeps is fused to the reader, and commits before its bundle ends. Put nothing between the two: an engine
acknowledges what a stage has read when that stage is done, whatever becomes of the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from transforms.process import Job, noting, patiently, tools_for
from transforms.sources.base import POLL_SECONDS, MessageSource
from transforms.ticks import ticks
from wirewatch.receiving import Message, receive

MOST_MESSAGES: Final = 500  # kept in one transaction
MOST_BYTES: Final = 16 << 20


class ReceiveMessages(beam.PTransform[Any, Any]):
    """Write what the messages of all sources ask for or bring into the store, from a moment on.

    Dataflow reads a queue by itself; the other engines ask it at ticks.
    """

    def __init__(self, job: Job, sources: Sequence[MessageSource], engine: str, since: datetime) -> None:
        super().__init__()
        self.job = job
        self.sources = sources
        self.engine = engine
        self.since = since

    def expand(self, begin: Any) -> Any:
        return tuple(
            begin
            | f"Read {source.name}" >> source.create_read_transform(self._polls())
            | f"Keep {source.name}" >> beam.ParDo(_Keep(self.job))
            for source in self.sources
        )

    def _polls(self) -> beam.PTransform[Any, Any] | None:
        return None if self.engine == "dataflow" else ticks(self.engine, self.since, POLL_SECONDS)


class _Keep(beam.DoFn):
    """The thin shell around `receive`."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.messages: list[Message] = []
        self.size = 0

    def start_bundle(self) -> None:
        self.messages, self.size = [], 0

    def process(self, message: Message) -> None:
        self.messages.append(message)
        self.size += len(message.data)
        if len(self.messages) >= MOST_MESSAGES or self.size >= MOST_BYTES:
            self._keep()

    def finish_bundle(self) -> None:
        if self.messages:
            self._keep()

    def _keep(self) -> None:
        job = self.job
        with noting():
            kept = patiently(job, lambda: receive(tools_for(job).store, self.messages, job.clock.now(), job.fetch))
        for name in ("checks", "captures", "dead_letters"):
            Metrics.counter(__name__, name).inc(getattr(kept, name))
        self.messages, self.size = [], 0
