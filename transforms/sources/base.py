"""Say what a source is: one frozen configuration of a queue whose messages ask for checks or bring captures.

A message is acknowledged only when what it says lies in the store. So nothing may stand between reading it and keeping
it that an engine could finish on its own: no shuffle, no window, no second stage. `ReceiveMessages` sees to that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.pvalue import PBegin, PCollection

    from wirewatch.receiving import Message


POLL_SECONDS: Final = 1.0  # how often a queue is asked that an engine cannot read by itself


class MessageSource(BaseModel, ABC):
    """Configure a queue and read from it; the base class of all sources.

    A source's file defines one subclass, with `kind: Literal["…"]` and its own options. It imports Beam only inside
    functions: reading a configuration must not wait for Beam.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: Annotated[
        str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,62}$", description="What a stream's steps call this source.")
    ]

    @property
    def on_this_machine(self) -> bool:
        """Tell whether no other machine can read it."""
        return False

    @property
    def acknowledged_within(self) -> float | None:
        """Return after how many seconds without an acknowledgement a message comes again, None for never."""
        return None

    @abstractmethod
    def create_read_transform(
        self, polls: beam.PTransform[PBegin, Any] | None
    ) -> beam.PTransform[PBegin, PCollection[Message]]:
        """Return the transform that reads messages for ever: at each of `polls`, or by the engine's own reader.

        A message is acknowledged when the bundle that read it is final. What a message of the same id said once, it
        says whenever it comes again.
        """

    @abstractmethod
    def check(self) -> None:
        """Raise IntakeFailed, with one sentence that says what to do, where the queue cannot be read."""

    @abstractmethod
    def drain(self, keep: Callable[[Sequence[Message]], object], limit: int) -> int:
        """Hand what waits to `keep`, a handful at a time, and acknowledge what it took; return how many there were.

        It ends when nothing comes any more, or soon after `limit` messages.
        Without Beam, for a pass. Raise IntakeFailed where the queue cannot be read; what `keep` raises goes
        through, and nothing of its handful is acknowledged.
        """
