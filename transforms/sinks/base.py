"""Say what a sink is: one frozen configuration that can write a batch of finished records and events.

A batch can come twice, after a crash between writing and marking: a sink must leave the same then, not more. And what
it returns without an error is believed to be on the disk for good: its rows are never handed out again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.pvalue import PCollection

    from wirewatch.store.outbox import Batch, Refused


class Sink(BaseModel, ABC):
    """Configure a sink and write to it; the base class of all sinks.

    A sink's file defines one subclass, with `kind: Literal["…"]` and its own options, and implements `write`. It
    imports Beam only inside functions: reading a configuration must not wait for Beam.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    on_this_machine: ClassVar[bool] = False  # it writes to the disk of whichever machine works

    kind: str
    name: Annotated[
        str,
        Field(
            pattern="^[a-z0-9][a-z0-9_-]{0,62}$",
            description="What the outbox calls this sink; a new name gets everything from then on, an old one goes on.",
        ),
    ]

    @abstractmethod
    def write(self, batch: Batch) -> tuple[Refused, ...]:
        """Write the whole batch durably, in its order, or nothing of it that a reader would take for whole.

        Return what will never be taken as it is, each with the reason: that becomes a dead letter, and the rest is
        written. Writing the same batch again leaves what writing it once does. Raises `DeliveryFailed` with one
        sentence that says what to do; the batch then comes again.
        """

    def suited(self, *, streaming: bool) -> Sink:
        """Return the sink as it works in a job that never ends, or in a pass; most know no difference."""
        return self

    def newest_row(self) -> int:
        """Return the highest number of a message that is seen to have been written, by which a store that was put back
        from an older copy is noticed; 0 where nothing shows it."""
        return 0

    def create_write_transform(self) -> beam.PTransform[PCollection[Batch], PCollection[Batch]]:
        """Return the transform that takes batches and gives back those that were written, to be marked as delivered.

        Override it where a sink has its own transform in Beam; `write` is then what that transform does.
        """
        from transforms.sinks._write import WriteBatches  # noqa: PLC0415 (Beam takes seconds to import)

        return WriteBatches(self)
