"""Put a subscription on Beam: by the engine's own reader, or by one of ours where an engine has none.

Ours pulls at ticks, and acknowledges once the engine says that the bundle is final in which it pulled. The engine says
so of the stage that reads, and knows nothing of later ones: what is behind a shuffle may be lost with its worker all
the same. Before the reader there is one, so that each handful of ticks is a bundle, and ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub
from apache_beam.metrics.metric import Metrics
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp

from transforms.sources.pubsub import HANDFUL, PubSubSource, Pulled
from wirewatch.errors import IntakeFailed
from wirewatch.receiving import Message

_log = logging.getLogger(__name__)
_READ_SECONDS: Final = 2.0  # at one tick, while messages come; then what was read is kept


class ReadNatively(beam.PTransform[Any, Any]):
    """Read messages by the engine's own reader: on Dataflow, and on DirectRunner for a try."""

    def __init__(self, source: PubSubSource) -> None:
        super().__init__()
        self.source = source

    def expand(self, begin: Any) -> Any:
        read = ReadFromPubSub(subscription=self.source.subscription, with_attributes=True)
        return begin | "Pull" >> read | "Name" >> beam.ParDo(_Name(self.source))


class ReadOurselves(beam.PTransform[Any, Any]):
    """Pull messages at ticks, on any engine that makes bundles final."""

    def __init__(self, source: PubSubSource, polls: beam.PTransform[Any, Any]) -> None:
        super().__init__()
        self.source = source
        self.polls = polls

    def expand(self, begin: Any) -> Any:
        return begin | "Polls" >> self.polls | "Spread" >> beam.Reshuffle() | "Pull" >> beam.ParDo(Pull(self.source))


class _Name(beam.DoFn):
    def __init__(self, source: PubSubSource) -> None:
        self.source = source

    def process(self, message: PubsubMessage) -> Iterable[Message]:
        yield self.source.named(message.message_id, message.data)


class Pull(beam.DoFn):
    """Pull what waits, at each tick that is no older than the last time.

    An engine may bring a tick seconds after its moment, and all that came while a bundle was kept at once.
    """

    def __init__(self, source: PubSubSource) -> None:
        self.source = source
        self.read = MIN_TIMESTAMP

    def process(self, tick: Timestamp, finalizer: Any = beam.DoFn.BundleFinalizerParam) -> Iterator[Message]:
        acks: list[str] = []
        finalizer.register(partial(self.source.acknowledge, acks))  # each time: Prism wants to make all bundles final
        if tick < self.read:
            return
        ends = time.monotonic() + _READ_SECONDS
        while time.monotonic() < ends and (pulled := self._pull()):
            acks += [one.ack for one in pulled]
            yield from (one.message for one in pulled)
            Metrics.counter(__name__, "pulled").inc(len(pulled))
        self.read = Timestamp.now()

    def _pull(self) -> list[Pulled]:
        """Pull some; while the subscription cannot be read, the job goes on without it."""
        try:
            return self.source.pull(HANDFUL)
        except IntakeFailed as error:
            _log.warning("%s", error)
            Metrics.counter(__name__, "pulls_failed").inc()
            return []
