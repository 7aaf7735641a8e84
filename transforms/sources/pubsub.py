"""Read messages from a subscription of Pub/Sub.

On Dataflow and DirectRunner by Beam's own reader, which no other engine has; everywhere else by one of ours. A message
comes again, after ten seconds or so, until it is acknowledged, and that happens only when it lies in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from transforms.google import Emulator, explained
from transforms.pubsub import Subscription, retrying, subscriber
from transforms.sources.base import MessageSource
from wirewatch.canonical import sha256
from wirewatch.errors import IntakeFailed

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.pvalue import PBegin, PCollection

    from wirewatch.receiving import Message

HANDFUL: Final = 500  # messages pulled at once; Pub/Sub gives 1,000 or 10 MB at most
_ACKS: Final = 1000  # in one request, which may have 512 KiB
_WAIT: Final = 1.0  # second for the answer that nothing waits; an engine's checkpoint waits so long too
_PATIENCE: Final = 30.0  # seconds that the service may be away


class PubSubSource(MessageSource):
    """Read a subscription of Google Cloud Pub/Sub."""

    kind: Literal["pubsub"]
    subscription: Subscription
    emulator: Emulator = None
    ack_deadline_seconds: Annotated[
        int,
        Field(
            ge=10,
            le=600,
            description="Until a message that was read and not kept comes again; longer than two checkpoints take.",
        ),
    ] = 60

    @property
    def on_this_machine(self) -> bool:
        """Tell whether it is an emulator's: Dataflow asks Google's service alone."""
        return self.emulator is not None

    @property
    def acknowledged_within(self) -> float:
        """Return the deadline that is asked for with each message."""
        return self.ack_deadline_seconds

    def create_read_transform(
        self, polls: beam.PTransform[PBegin, Any] | None
    ) -> beam.PTransform[PBegin, PCollection[Message]]:
        """Return Beam's reader where the engine has it, else ours."""
        from transforms.sources._pubsub import ReadNatively, ReadOurselves  # noqa: PLC0415 (imports Beam)

        return ReadNatively(self) if polls is None else ReadOurselves(self, polls)

    def check(self) -> None:
        """Take one message, if there is one, and have it come again at once: a subscriber may do nothing lighter."""
        self.hand_back([pulled.ack for pulled in self.pull(1)])

    def drain(self, keep: Callable[[Sequence[Message]], object], limit: int) -> int:
        """Pull until nothing comes for a second."""
        taken = 0
        while taken < limit and (handful := self.pull(HANDFUL)):
            keep([pulled.message for pulled in handful])
            self.acknowledge([pulled.ack for pulled in handful])
            taken += len(handful)
        return taken

    def pull(self, limit: int) -> list[Pulled]:
        """Return messages, at most `limit`; none if none come within a second."""
        from google.api_core.exceptions import DeadlineExceeded  # noqa: PLC0415

        with self._explained():
            try:
                answer = subscriber(self.emulator).pull(
                    request={"subscription": self.subscription, "max_messages": limit},
                    retry=retrying(_PATIENCE, late=False),
                    timeout=_WAIT,
                )
            except DeadlineExceeded:
                return []
        found = [
            Pulled(
                message=self.named(one.message.message_id, one.message.data),
                ack=one.ack_id,
                published=one.message.publish_time,
            )
            for one in answer.received_messages
        ]
        self._come_again([pulled.ack for pulled in found], self.ack_deadline_seconds)
        return found

    def acknowledge(self, acks: Sequence[str]) -> None:
        """Have these messages not come again. One that is too late for it comes again and changes nothing."""
        for some in _requests(acks):
            with self._explained():
                subscriber(self.emulator).acknowledge(
                    request={"subscription": self.subscription, "ack_ids": some},
                    retry=retrying(_PATIENCE),
                    timeout=_PATIENCE,
                )

    def hand_back(self, acks: Sequence[str]) -> None:
        """Have these messages come again at once."""
        self._come_again(acks, 0)

    def named(self, message_id: str, data: bytes) -> Message:
        """Return a message under a name that is no other's; one without an id is named after what it says."""
        from wirewatch.receiving import Message  # noqa: PLC0415 (imports an HTTP client, and a configuration waits)

        return Message(id=f"{self.subscription}#{message_id or sha256(data)}", data=data)

    def _come_again(self, acks: Sequence[str], seconds: int) -> None:
        for some in _requests(acks):
            with self._explained():
                subscriber(self.emulator).modify_ack_deadline(
                    request={"subscription": self.subscription, "ack_ids": some, "ack_deadline_seconds": seconds},
                    retry=retrying(_PATIENCE),
                    timeout=_PATIENCE,
                )

    def _explained(self) -> AbstractContextManager[None]:
        return explained(IntakeFailed, "subscription", self.subscription, "roles/pubsub.subscriber")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pulled:
    """A message with what acknowledges it, and when it was published."""

    message: Message
    ack: str
    published: datetime


def _requests(acks: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(acks), _ACKS):
        yield acks[start : start + _ACKS]
