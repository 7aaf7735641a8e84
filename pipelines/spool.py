"""Keep readings on disk between the two halves of a replay.

An archive does not fit into memory, and its captures are kept in the order of time, whatever order they lie in. The
file is this process's own and is gone with it.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam

from transforms.reading import ReadFeed
from wirewatch.keeping import Read

_MICROSECONDS = 1_000_000


class SpoolReads(beam.PTransform[Any, Any]):
    """Append readings to the spool file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def expand(self, reads: Any) -> Any:
        return reads | "Append" >> beam.ParDo(_Append(self.path))


class LoadSpooled(beam.PTransform[Any, Any]):
    """Turn places in the spool file into the readings that lie there."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def expand(self, places: Any) -> Any:
        return places | "Load" >> beam.ParDo(_Load(self.path))


def places(path: Path) -> list[tuple[int, int]]:
    """Return `(microseconds, offset)` of everything spooled, in the order of time."""
    found = []
    with path.open("rb") as file:
        while header := file.read(16):
            offset = file.tell() - 16
            found.append((int.from_bytes(header[:8], signed=True), offset))
            file.seek(int.from_bytes(header[8:]), 1)
    return sorted(found)


def load(path: Path, offsets: list[int]) -> Iterator[Read | ReadFeed]:
    """Yield what lies at these offsets."""
    with path.open("rb") as file:
        for offset in offsets:
            file.seek(offset + 8)
            size = int.from_bytes(file.read(8))
            yield pickle.loads(zlib.decompress(file.read(size)))  # noqa: S301 (written by this very process)


class _Append(beam.DoFn):
    def __init__(self, path: Path) -> None:
        self.path = path

    def process(self, read: Read | ReadFeed) -> None:
        at = int(read.capture.observed.timestamp()) * _MICROSECONDS + read.capture.observed.microsecond
        data = zlib.compress(pickle.dumps(read), level=1)
        with self.path.open("ab") as file:
            file.write(at.to_bytes(8, signed=True) + len(data).to_bytes(8) + data)


class _Load(beam.DoFn):
    def __init__(self, path: Path) -> None:
        self.path = path

    def process(self, offset: int) -> Iterator[Read | ReadFeed]:
        yield from load(self.path, [offset])
