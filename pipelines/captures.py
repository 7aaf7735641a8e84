"""Read captures out of files: JSON Lines, plain or gzip, and single pages.

One bad line never ends the reading: it comes out as `Malformed`, with its file and line number, and the next line is
read. What a line points to must lie in its own folder, since the file may come from anyone.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from wirewatch.captures import LONGEST_BODY, LONGEST_LINE, as_capture, read_line
from wirewatch.errors import BadContent, ConfigurationError
from wirewatch.identity import normalise_url
from wirewatch.model import Capture

_PAGE_TYPES: Final = {".html": "text/html", ".htm": "text/html", ".txt": "text/plain; charset=utf-8"}
_LINES: Final = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


@dataclass(frozen=True, kw_only=True, slots=True)
class Malformed:
    """A line that is no capture."""

    file: str
    line: int
    reason: str
    url: str | None = None


def read_captures(
    inputs: Sequence[Path], *, url: str | None = None, observed_at: datetime | None = None, feed: str | None = None
) -> Iterator[Capture | Malformed]:
    """Yield the captures of all inputs, in the order of the files and lines.

    `url`, `observed_at` and `feed` are for single pages (`.html`, `.txt`), which cannot say them. Raise
    ConfigurationError at once where an input cannot be read at all.
    """
    for path in inputs:
        if not path.is_file():
            raise ConfigurationError(
                f"{path} is no file: name capture files (.jsonl, .jsonl.gz) or pages (.html, .txt)"
            )
        if path.suffix.lower() not in _PAGE_TYPES and not path.name.lower().endswith(_LINES):
            raise ConfigurationError(f"{path} has an ending that is not known: .jsonl, .jsonl.gz, .html or .txt are")
    pages = [path for path in inputs if path.suffix.lower() in _PAGE_TYPES]
    if pages and (url is None or observed_at is None):
        raise ConfigurationError(f"{pages[0]} does not say where and when it was read: add --url and --observed-at")
    if url is not None:
        _refuse_no_address(url)
    if len(pages) > 1:
        raise ConfigurationError("Only one page can be replayed at a time: each was read at a time of its own")
    if not pages and (url is not None or observed_at is not None):
        raise ConfigurationError("--url and --observed-at are for single pages: capture files say both themselves")
    return _read_all(inputs, url, observed_at, feed)


def _refuse_no_address(url: str) -> None:
    try:
        normalise_url(url)
    except BadContent as error:
        raise ConfigurationError(f"--url is no address of a page: {error}", about=url) from error


def _read_all(
    inputs: Sequence[Path], url: str | None, observed_at: datetime | None, feed: str | None
) -> Iterator[Capture | Malformed]:
    for path in inputs:
        content_type = _PAGE_TYPES.get(path.suffix.lower())
        if content_type is None:
            yield from _read_lines(path)
        elif url is not None and observed_at is not None:
            yield Capture(
                url=url,
                observed=observed_at,
                status=200,
                headers=(("content-type", content_type),),
                body=_page(path),
                feed=feed,
            )


def _read_lines(path: Path) -> Iterator[Capture | Malformed]:
    number = 0
    try:
        with _opened(path) as file:
            for line in _lines(file):
                number += 1
                if not line.strip():
                    continue
                try:
                    yield _capture(line, path.parent)
                except BadContent as error:
                    yield Malformed(file=str(path), line=number, reason=str(error), url=error.about or None)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        yield Malformed(file=str(path), line=number + 1, reason=f"The file is damaged from here on: {error}")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}", about=str(path)) from error


def _lines(file: BinaryIO | io.BufferedReader) -> Iterator[bytes]:
    """Yield the lines, of one that is too long its beginning only."""
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)


def _opened(path: Path) -> BinaryIO | io.BufferedReader:
    if path.name.endswith(".gz"):
        return io.BufferedReader(gzip.open(path))
    return path.open("rb")


def _capture(line: bytes, folder: Path) -> Capture:
    said = read_line(line)
    return as_capture(said, None if said.body_path is None else _body(folder, said.body_path, said.url))


def _body(folder: Path, name: str, url: str) -> bytes:
    try:
        root, path = folder.resolve(), (folder / name).resolve()
        if not path.is_relative_to(root):
            raise BadContent(f"bodyPath {name[:200]!r} leads out of the capture file's folder", about=url)
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(LONGEST_BODY + 1)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise BadContent(f"bodyPath {name[:200]!r} cannot be read: {error}", about=url) from error


def _page(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LONGEST_BODY + 1)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}", about=str(path)) from error
