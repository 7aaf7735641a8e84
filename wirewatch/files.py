"""Write a file that is whole or not there, whenever the power goes or the writer is killed.

It is written under a name that begins with a dot and ends in `.part`, flushed to the disk, then renamed. Whoever reads
a folder by its files' endings never meets half of one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Have `write` write a file, which then takes the place of what was there; raise OSError where it cannot be.

    Also removes what a killed writer of the same file left, so that nobody else may be writing it at the time.
    """
    for leftover in path.parent.glob(f".{path.name}.*.part"):
        leftover.unlink(missing_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with aside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder outlive a power cut, as `fsync` of a file does only for its bytes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
