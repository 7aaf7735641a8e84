"""Keep captures and readings on disk between the steps of a replay.

An archive does not fit into memory, nor into a pipeline's description, and its readings are kept in the order of time,
whatever order they lie in. A spool is this process's own file and is gone with it.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import apache_beam as beam
import zstandard

from transforms.process import noting
from wirewatch.errors import StoreError
from wirewatch.store.types import to_microseconds


@dataclass(frozen=True)
class Spool:
    """A file of records, each behind its time in microseconds and its length, eight bytes each."""

    path: Path

    def append(self, records: Iterable[tuple[datetime, Any]]) -> list[int]:
        """Add records with the times that they are ordered by; return their places.

        Raise StoreError where there is no room.
        """
        places = []
        try:
            with self.path.open("ab") as file:
                for at, record in records:
                    places.append(file.tell())
                    data = zstandard.compress(pickle.dumps(record), 1)
                    file.write(to_microseconds(at).to_bytes(8, signed=True) + len(data).to_bytes(8) + data)
        except OSError as error:
            reason = f"{self.path} cannot be written ({error.strerror or error}): make room there, or set TMPDIR."
            raise StoreError(reason, about=str(self.path)) from error
        return places

    def places(self) -> list[int]:
        """Return the places of all records, in the order of time."""
        if not self.path.exists():
            return []
        found = []
        with self.path.open("rb") as file:
            while header := file.read(16):
                found.append((int.from_bytes(header[:8], signed=True), file.tell() - 16))
                file.seek(int.from_bytes(header[8:]), 1)
        return [place for _, place in sorted(found)]

    def load(self, places: Iterable[int]) -> Iterator[Any]:
        """Yield the records at these places."""
        with self.path.open("rb") as file:
            for place in places:
                file.seek(place + 8)
                size = int.from_bytes(file.read(8))
                yield pickle.loads(zstandard.decompress(file.read(size)))  # noqa: S301 (this very process wrote it)


class Load(beam.PTransform[Any, Any]):
    """Turn places in a spool into the records that lie there."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self.spool = spool

    def expand(self, places: Any) -> Any:
        return places | "Spread" >> beam.Reshuffle() | "Load" >> beam.ParDo(_Load(self.spool))


class SpoolReads(beam.PTransform[Any, Any]):
    """Append readings to a spool."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self.spool = spool

    def expand(self, reads: Any) -> Any:
        return reads | "Append" >> beam.ParDo(_Append(self.spool))


class _Load(beam.DoFn):
    def __init__(self, spool: Spool) -> None:
        self.spool = spool

    def process(self, place: int) -> Iterator[Any]:
        yield from self.spool.load([place])


class _Append(beam.DoFn):
    def __init__(self, spool: Spool) -> None:
        self.spool = spool

    def process(self, read: Any) -> None:
        with noting():
            self.spool.append([(read.capture.observed, read)])
