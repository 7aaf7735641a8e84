"""Take in an answer's body no further than allowed, counted after decompression while decompressing.

The limit is on what comes out: a bomb of ten gigabytes is put down as soon as it has given one byte too many, and
nothing is ever inflated in order to be measured.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Final

from wirewatch.fetch.policy import MIB

ACCEPTED_CODINGS: Final = "gzip, deflate"

# RFC 1952 allows several gzip members in a row, and some servers write one for each flush; each costs 7 microseconds
# to begin, so that 5 MiB of empty ones would take two seconds.
_MOST_MEMBERS: Final = 1000
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS


class TooLarge(Exception):
    """The body goes on after the limit."""


class Damaged(Exception):
    """The body is not what its headers say; the text is the second half of a sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """What could be read of a body, and why it is not all of it."""

    data: bytes
    problem: str | None = None


async def read_body(chunks: AsyncIterable[bytes], content_encoding: str, limit: int) -> Body:
    """Return the decompressed body, of which at most `limit` bytes are read."""
    try:
        intake = Intake(content_encoding, limit)
    except Damaged as damage:
        return Body(data=b"", problem=f"The answer {damage}")
    try:
        async for chunk in chunks:
            intake.feed(chunk)
        intake.finish()
    except TooLarge:
        return Body(data=intake.data(), problem=f"The answer is larger than {_size(limit)}")
    except Damaged as damage:
        return Body(data=intake.data(), problem=f"The answer {damage}")
    return Body(data=intake.data())


class Intake:
    """Decompress a body chunk by chunk, and hold at most `limit` bytes of it.

    Raises `Damaged` for encodings in several layers or ones that were not asked for.
    """

    def __init__(self, content_encoding: str, limit: int) -> None:
        codings = [
            name for part in content_encoding.lower().split(",") if (name := part.strip()) not in {"", "identity"}
        ]
        if len(codings) > 1:
            raise Damaged("is encoded in several layers")
        self._coding = codings[0].removeprefix("x-") if codings else ""
        if self._coding not in {"", "gzip", "deflate"}:
            raise Damaged("is in an encoding that was not asked for")
        self._limit = limit
        self._held: list[bytes] = []
        self._size = 0
        self._wire = 0
        self._members = 0
        self._start = b""
        self._inflate: zlib._Decompress | None = None

    def data(self) -> bytes:
        """Return what has been read so far, at most `limit` bytes."""
        return b"".join(self._held)

    def feed(self, chunk: bytes) -> None:
        """Take in bytes as they came; raise `TooLarge` or `Damaged`."""
        # Compressed bytes count too: empty blocks can go on for ever without giving anything.
        self._wire += len(chunk)
        if self._coding:
            self._decompress(chunk)
        else:
            self._keep(chunk)
        if self._wire > self._limit:
            raise TooLarge

    def finish(self) -> None:
        """Say that nothing more will come; raise `Damaged` if something is missing."""
        if self._start or (self._inflate is not None and not self._inflate.eof):
            raise Damaged(f"breaks off in the middle of its {self._coding} data")

    def _decompress(self, chunk: bytes) -> None:
        data = self._start + chunk
        self._start = b""
        while data:
            if self._inflate is None or self._inflate.eof:
                if self._members and (self._coding == "deflate" or not _GZIP_MAGIC.startswith(data[:2])):
                    return  # padding or rubbish behind the end, which everybody ignores
                if len(data) < 2:
                    self._start = data
                    return
                self._begin(data)
            assert self._inflate is not None
            try:
                self._keep(self._inflate.decompress(data, self._limit - self._size + 1))
            except zlib.error as error:
                raise Damaged(f"is not the {self._coding} data it says it is") from error
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail

    def _begin(self, data: bytes) -> None:
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise Damaged(f"has more than {_MOST_MEMBERS} pieces of {self._coding} data")
        # "deflate" ought to have zlib's header (RFC 9110, 8.4.1.2), but not all servers know.
        has_header = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
        self._inflate = zlib.decompressobj(_GZIP if self._coding == "gzip" else _ZLIB if has_header else _RAW)

    def _keep(self, data: bytes) -> None:
        room = self._limit - self._size
        self._held.append(data[:room])
        self._size += min(len(data), room)
        if len(data) > room:
            raise TooLarge


def _size(limit: int) -> str:
    return (
        f"{limit // MIB} MiB" if limit % MIB == 0 else f"{limit // 1024} KiB" if limit % 1024 == 0 else f"{limit} bytes"
    )
