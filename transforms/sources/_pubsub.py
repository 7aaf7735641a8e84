"""Put a subscription on Beam: by the engine's own reader, or by one of ours where an engine has none.

Ours acknowledges what a checkpoint covers once the engine says that the checkpoint is final. The engine says so of the
stage that reads, and knows nothing of later ones: what is behind a shuffle may be lost with its worker all the same.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
from apache_beam.coders import Coder, PickleCoder
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub
from apache_beam.io.unbounded_source import CheckpointMark, ReadFromUnboundedSource, UnboundedReader, UnboundedSource
from apache_beam.metrics.metric import Metrics
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp

from transforms.sources.pubsub import HANDFUL, PubSubSource, Pulled
from wirewatch.errors import IntakeFailed
from wirewatch.receiving import Message

_log = logging.getLogger(__name__)
_POLL_SECONDS: Final = 1.0  # while nothing comes
_BUNDLE_SECONDS: Final = 2.0  # of reading, then what was read is kept


class ReadNatively(beam.PTransform[Any, Any]):
    """Read messages by the engine's own reader: on Dataflow, and on DirectRunner for a try."""

    def __init__(self, source: PubSubSource) -> None:
        super().__init__()
        self.source = source

    def expand(self, begin: Any) -> Any:
        read = ReadFromPubSub(subscription=self.source.subscription, with_attributes=True)
        return begin | "Pull" >> read | "Name" >> beam.ParDo(_Name(self.source))


class ReadOurselves(beam.PTransform[Any, Any]):
    """Read messages by a reader of ours, on any engine that makes bundles final."""

    def __init__(self, source: PubSubSource) -> None:
        super().__init__()
        self.source = source

    def expand(self, begin: Any) -> Any:
        return begin | "Pull" >> ReadFromUnboundedSource(
            _Subscription(self.source),
            poll_interval=_POLL_SECONDS,
            max_records_per_bundle=HANDFUL,
            max_read_time_seconds=_BUNDLE_SECONDS,
        )


class _Name(beam.DoFn):
    def __init__(self, source: PubSubSource) -> None:
        self.source = source

    def process(self, message: PubsubMessage) -> Iterable[Message]:
        yield self.source.named(message.message_id, message.data)


@dataclass(frozen=True)
class _Subscription(UnboundedSource):
    """A subscription as Beam reads it; `reader` tells those apart that read it side by side."""

    source: PubSubSource
    reader: int = 0

    def split(self, desired_num_splits: int, options: Any = None) -> list[UnboundedSource]:
        return [_Subscription(self.source, reader) for reader in range(self.source.readers)]

    def create_reader(self, options: Any, checkpoint_mark: CheckpointMark | None) -> UnboundedReader:
        """Return a reader that knows nothing of the one before it: what was not acknowledged comes again by itself."""
        return _Reader(self.source)

    def get_checkpoint_mark_coder(self) -> Coder:
        return PickleCoder()


@dataclass(frozen=True)
class _Mark(CheckpointMark):
    """What was read since the last mark, to be acknowledged once it is final."""

    source: PubSubSource
    acks: tuple[str, ...]

    def finalize_checkpoint(self) -> None:
        self.source.acknowledge(self.acks)
        Metrics.counter(__name__, "acknowledged").inc(len(self.acks))


class _Reader(UnboundedReader):
    def __init__(self, source: PubSubSource) -> None:
        self._source = source
        self._waiting: deque[Pulled] = deque()
        self._read: list[str] = []
        self._current: Pulled | None = None
        self._watermark = MIN_TIMESTAMP

    def start(self) -> bool:
        return self.advance()

    def advance(self) -> bool:
        if not self._waiting:
            self._pull()
        if not self._waiting:
            return False
        self._current = self._waiting.popleft()
        self._read.append(self._current.ack)
        self._watermark = max(self._watermark, self.get_current_timestamp())
        return True

    def get_current(self) -> Message:
        return self._pulled.message

    def get_current_timestamp(self) -> Timestamp:
        return Timestamp.from_utc_datetime(self._pulled.published)

    def get_watermark(self) -> Timestamp:
        return self._watermark

    def get_checkpoint_mark(self) -> CheckpointMark:
        mark = _Mark(self._source, tuple(self._read))
        self._read = []
        return mark

    def close(self) -> None:
        """Hand back what was pulled and never read, so that another reader need not wait for it."""
        self._source.hand_back([pulled.ack for pulled in self._waiting])
        self._waiting.clear()

    @property
    def _pulled(self) -> Pulled:
        assert self._current is not None, "there is a message once start or advance said so"
        return self._current

    def _pull(self) -> None:
        """Pull more; while the subscription cannot be read, the job goes on without it."""
        try:
            self._waiting.extend(self._source.pull(HANDFUL))
        except IntakeFailed as error:
            _log.warning("%s", error)
            Metrics.counter(__name__, "pulls_failed").inc()
