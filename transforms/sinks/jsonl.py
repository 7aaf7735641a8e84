"""Write records and events as JSON Lines, a file of each for every batch.

A file's name comes from its batch, so a batch that comes again replaces its file by the same bytes. Whoever reads the
folder sees whole files only: a file that is being written begins with a dot and does not end in `.jsonl`.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from pydantic import Field

from transforms.sinks.base import Sink
from wirewatch.canonical import sha256
from wirewatch.errors import DeliveryFailed

if TYPE_CHECKING:
    from wirewatch.store.outbox import Batch, Item

_FOLDERS: Final[tuple[tuple[Literal["record", "event"], str], ...]] = (("record", "records"), ("event", "events"))
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class JsonLinesSink(Sink):
    """Write JSON Lines into `records/` and `events/` of a folder."""

    on_this_machine: ClassVar[bool] = True

    kind: Literal["jsonl"]
    folder: Annotated[Path, Field(description="Made if it is not there, but not the folder that it lies in.")]

    def write(self, batch: Batch) -> None:
        """Write a file of the batch's records and one of its events, those that it has."""
        for kind, subfolder in _FOLDERS:
            items = [item for item in batch.items if item.kind == kind]
            if not items:
                continue
            path = self.folder / subfolder / _file_name(batch)
            try:
                _make_folder(self.folder)
                _make_folder(path.parent)
                _write_whole(path, items)
            except OSError as problem:
                raise DeliveryFailed(_sentence(path, problem), about=str(path)) from problem


def _file_name(batch: Batch) -> str:
    """Return a name that sorts by time and is the same whenever this batch is written."""
    recorded = batch.items[0].recorded.strftime("%Y%m%dT%H%M%SZ")
    batch_id = batch.id if _PLAIN_NAME.fullmatch(batch.id) else sha256(batch.id.encode())[:32]
    return f"{recorded}-{batch_id}.jsonl"


def _write_whole(path: Path, items: list[Item]) -> None:
    # What a killed writer of this very batch left behind; nobody else writes under these names while we hold its lease.
    for leftover in path.parent.glob(f".{path.name}.*.part"):
        leftover.unlink(missing_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with aside.open("xb") as file:
            file.writelines(_lines(items))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _lines(items: list[Item]) -> Iterator[bytes]:
    for item in items:
        line = item.payload.encode()
        if b"\n" in line:
            raise DeliveryFailed(f"The {item.kind} {item.item} is not one line of JSON.", about=item.item)
        yield line + b"\n"


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder outlive a power cut, as `fsync` of a file does only for its bytes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sentence(path: Path, problem: OSError) -> str:
    reason = problem.strerror or str(problem)
    if problem.errno in _FULL:
        return f"There is no room left to write {path} ({reason}): make room and run again, nothing is lost."
    if isinstance(problem, FileNotFoundError):
        return f"The folder that {path.parents[1]} should lie in is not there: create it or mend the sink's `folder`."
    return f"{path} cannot be written ({reason}): mend that or the sink's `folder` and run again, nothing is lost."
