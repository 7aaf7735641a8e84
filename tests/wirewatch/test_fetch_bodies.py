"""Bodies are taken in up to their limit, as they come out of the decompression."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import zlib
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.fetch.bodies import Body, read_body

STORY = b"The harbour council approved a ferry subsidy. " * 20


def _raw_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "none": ("", bytes),
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without its header": ("deflate", _raw_deflate),
    "gzip in two members": ("gzip", lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:])),
}


def read(wire: bytes, coding: str = "gzip", limit: int = 10_000, pieces: int = 100) -> Body:
    """Return the body that comes in so many bytes at a time."""

    async def chunks() -> AsyncIterator[bytes]:
        for n in range(0, len(wire), pieces):
            yield wire[n : n + pieces]

    return asyncio.run(read_body(chunks(), coding, limit))


@given(
    data=st.binary(max_size=300),
    coding=st.sampled_from(list(CODINGS)),
    limit=st.integers(100, 400),
    pieces=st.integers(1, 50),
)
def test_body_is_whole_or_cut_at_the_limit(data: bytes, coding: str, limit: int, pieces: int) -> None:
    name, encode = CODINGS[coding]
    wire = encode(data)
    body = read(wire, name, limit, pieces)
    if len(data) <= limit and len(wire) <= limit:
        assert body == Body(data=data)
    else:
        assert data.startswith(body.data)
        assert len(body.data) <= limit
        assert body.problem == f"The answer is larger than {limit} bytes"


@given(wire=st.binary(max_size=300), coding=st.sampled_from(["gzip", "deflate"]), pieces=st.integers(1, 50))
def test_rubbish_is_a_problem_and_never_an_error(wire: bytes, coding: str, pieces: int) -> None:
    assert len(read(wire, coding, 500, pieces).data) <= 500


@pytest.mark.parametrize(
    ("wire", "coding", "problem"),
    [
        pytest.param(gzip.compress(STORY)[:-20], "gzip", "breaks off in the middle of its gzip data", id="gzip cut"),
        pytest.param(gzip.compress(STORY)[:1], "gzip", "breaks off in the middle of its gzip data", id="one byte"),
        pytest.param(zlib.compress(STORY)[:-6], "deflate", "breaks off in the middle of its deflate data", id="cut"),
        pytest.param(STORY, "gzip", "is not the gzip data it says it is", id="not gzip"),
        pytest.param(gzip.compress(STORY), "gzip, gzip", "is encoded in several layers", id="layers"),
        pytest.param(gzip.compress(STORY), "br", "is in an encoding that was not asked for", id="brotli"),
        pytest.param(gzip.compress(b"") * 1001, "gzip", "has more than 1000 pieces of gzip data", id="members"),
    ],
)
def test_encoding_that_lies_is_a_problem(wire: bytes, coding: str, problem: str) -> None:
    assert read(wire, coding, limit=1_000_000).problem == f"The answer {problem}"


@pytest.mark.parametrize("behind", [b"\0\0\0\0", b"<!-- served by a cache -->"])
def test_what_follows_the_end_of_gzip_is_ignored(behind: bytes) -> None:
    assert read(gzip.compress(STORY) + behind) == Body(data=STORY)


def test_empty_body_is_empty_whatever_its_encoding() -> None:
    assert read(b"", "gzip") == Body(data=b"")


def test_blocks_that_give_nothing_do_not_go_on_for_ever() -> None:
    async def endless() -> AsyncIterator[bytes]:
        deflate = zlib.compressobj(wbits=31)
        yield deflate.compress(b"") + deflate.flush(zlib.Z_SYNC_FLUSH)
        for _ in itertools.repeat(None):
            yield b"\0\0\0\xff\xff" * 100  # an empty stored block

    assert asyncio.run(read_body(endless(), "gzip", 10_000)).problem == "The answer is larger than 10000 bytes"


@pytest.mark.parametrize(
    ("limit", "words"), [(5 * 1024 * 1024, "5 MiB"), (500 * 1024, "500 KiB"), (1000, "1000 bytes")]
)
def test_limit_is_named_in_words(limit: int, words: str) -> None:
    assert read(bytes(limit + 1), "", limit, pieces=limit).problem == f"The answer is larger than {words}"
