"""Write records and events as JSON Lines, a file of each for every batch.

A file's name comes from its batch, so a batch that comes again replaces its file by the same bytes. Whoever reads the
folder sees whole files only: a file that is being written begins with a dot and does not end in `.jsonl`.
"""

from __future__ import annotations

from functools import partial
from typing import IO, TYPE_CHECKING, ClassVar, Final, Literal

from transforms.sinks._files import Folder, batch_name, newest_row, write_into
from transforms.sinks.base import Sink
from wirewatch.errors import DeliveryFailed

if TYPE_CHECKING:
    from wirewatch.store.outbox import Batch, Item, Refused

_FOLDERS: Final[tuple[tuple[Literal["record", "event"], str], ...]] = (("record", "records"), ("event", "events"))


class JsonLinesSink(Sink):
    """Write JSON Lines into `records/` and `events/` of a folder."""

    on_this_machine: ClassVar[bool] = True

    kind: Literal["jsonl"]
    folder: Folder

    def write(self, batch: Batch) -> tuple[Refused, ...]:
        """Write a file of the batch's records and one of its events, those that it has."""
        for kind, subfolder in _FOLDERS:
            items = [item for item in batch.items if item.kind == kind]
            if items:
                write_into(self.folder, f"{subfolder}/{batch_name(batch)}.jsonl", partial(_write, items))
        return ()

    def newest_row(self) -> int:
        """Return the highest number of a message in the files."""
        return max(newest_row(self.folder / subfolder, "*.jsonl") for _, subfolder in _FOLDERS)


def _write(items: list[Item], file: IO[bytes]) -> None:
    for item in items:
        line = item.payload.encode()
        if b"\n" in line:
            raise DeliveryFailed(f"The {item.kind} {item.item} is not one line of JSON.", about=item.item)
        file.write(line + b"\n")
