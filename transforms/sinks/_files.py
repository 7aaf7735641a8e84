"""Write a batch into files that are whole or not there.

A file's name comes from its batch, so a batch that comes again replaces its file, and clears what a killed writer of
the same batch left behind: nobody else writes under these names while we hold its lease.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final

from pydantic import Field

from wirewatch import files
from wirewatch.canonical import sha256
from wirewatch.errors import DeliveryFailed

if TYPE_CHECKING:
    from wirewatch.store.outbox import Batch

Folder = Annotated[Path, Field(description="Made if it is not there, but not the folder that it lies in.")]

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_BATCH: Final = re.compile(r"Z-[0-9]{12}-([0-9]{12})\.[a-z]+$")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def batch_name(batch: Batch) -> str:
    """Return a name that sorts by time and is the same whenever this batch is written.

    The time keeps it from being an older batch's name where a store was put back from a copy and counts its rows anew.
    """
    recorded = batch.items[0].recorded.strftime("%Y%m%dT%H%M%SZ")
    batch_id = batch.id if _PLAIN_NAME.fullmatch(batch.id) else sha256(batch.id.encode())[:32]
    return f"{recorded}-{batch_id}"


def write_into(folder: Path, place: str, write: Callable[[IO[bytes]], None]) -> None:
    """Have a file written at `place` in `folder`; raise DeliveryFailed where that cannot be done.

    The folders in between and the folder itself are made, but not the one that it lies in: a disk that is not mounted
    is to be noticed.
    """
    path = folder / place
    try:
        for needed in (folder, *reversed(path.relative_to(folder).parents[:-1])):
            _make_folder(folder / needed)
        files.write_whole(path, write)
    except OSError as problem:
        raise DeliveryFailed(_sentence(folder, path, problem), about=str(path)) from problem


def newest_row(folder: Path, pattern: str) -> int:
    """Return the highest number that files of batches are named after, among those that match; 0 if there are none."""
    named = (_BATCH.search(path.name) for path in folder.glob(pattern))
    return max((int(found[1]) for found in named if found), default=0)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(exist_ok=True)
    files.sync_folder(folder.parent)


def _sentence(folder: Path, path: Path, problem: OSError) -> str:
    reason = problem.strerror or str(problem)
    if problem.errno in _FULL:
        return f"There is no room left to write {path} ({reason}): make room and run again, nothing is lost."
    if isinstance(problem, FileNotFoundError):
        return f"The folder that {folder} should lie in is not there: create it or mend the sink's `folder`."
    return f"{path} cannot be written ({reason}): mend that or the sink's `folder` and run again, nothing is lost."
