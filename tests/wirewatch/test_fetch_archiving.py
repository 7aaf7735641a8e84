"""A page that says `noarchive` is read, and its bytes are not kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.fetch.archiving import may_archive
from wirewatch.model import Capture


def page(body: bytes = b"", *tags: str) -> Capture:
    headers = tuple(("x-robots-tag", tag) for tag in tags)
    return Capture(url="https://courier.example/", observed=datetime.now(UTC), body=body, headers=headers)


@pytest.mark.parametrize(
    "tags",
    [
        ("noarchive",),
        ("NoArchive",),
        ("noindex, noarchive",),
        ("noindex", "noarchive"),
        ("wirewatch: noarchive",),
        ("otherbot: noindex", "noarchive"),
        ("otherbot: noindex, wirewatch: nofollow, noarchive",),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST, noarchive",),
        ("max-snippet: 20, noarchive",),
    ],
)
def test_header_that_forbids(tags: tuple[str, ...]) -> None:
    assert not may_archive(page(b"", *tags))


@pytest.mark.parametrize(
    "tags", [(), ("all",), ("none",), ("otherbot: noarchive",), ("otherbot: nofollow, noarchive",)]
)
def test_header_that_does_not_forbid(tags: tuple[str, ...]) -> None:
    assert may_archive(page(b"", *tags))


@pytest.mark.parametrize(
    "html",
    [
        b'<meta name="robots" content="noarchive">',
        b"<META CONTENT='noindex,NOARCHIVE' NAME='Robots'/>",
        b"<meta name=robots content=noarchive>",
        b'<meta name="wirewatch" content="nofollow noarchive">',
        b"<p>" * 1000 + b'<meta name="robots"\n content="noarchive">',
        '\ufeff<meta name="robots" content="noarchive">'.encode(),
        '<meta name="robots" content="noarchive">'.encode("utf-16"),
    ],
)
def test_page_that_forbids(html: bytes) -> None:
    assert not may_archive(page(html))


@pytest.mark.parametrize(
    "html",
    [
        b"",
        b"<p>noarchive",
        b'<meta name="robots" content="noindex, max-snippet:20">',
        b'<meta name="otherbot" content="noarchive">',
        b'<meta name="description" content="robots, noarchive">',
        b"<metaphor name=robots content=noarchive>",
    ],
)
def test_page_that_does_not_forbid(html: bytes) -> None:
    assert may_archive(page(html))


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(body: bytes) -> None:
    assert isinstance(may_archive(page(b"<meta name=robots content=" + body)), bool)


def test_page_of_nothing_but_tags_that_never_close_is_looked_through() -> None:
    assert may_archive(page(b"<meta " * 1_000_000))
    assert may_archive(page(b"<meta name=robots content='" + b"x" * 5_000_000))
