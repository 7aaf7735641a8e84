"""Read captures out of files: JSON Lines, plain or gzip, and single pages.

One bad line never ends the reading: it comes out as `Malformed`, with its file and line number, and the next line is
read. What a line points to must lie in its own folder, since the file may come from anyone.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import ValidationError

from wirewatch.canonical import storable
from wirewatch.errors import BadContent, ConfigurationError
from wirewatch.identity import normalise_url
from wirewatch.model import Capture
from wirewatch.schema import CaptureLine

LONGEST_LINE: Final = 64 << 20  # bytes; a feed of 15 MiB with every character escaped
LONGEST_BODY: Final = 15 << 20  # bytes, as for a feed that is fetched
_FIRST_TIME: Final = datetime(1990, 1, 1, tzinfo=UTC)  # there was no web before
_LAST_TIME: Final = datetime(9998, 12, 31, tzinfo=UTC)  # so that a year can be added to any time
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
    if len(line) > LONGEST_LINE:
        raise BadContent(f"The line has more than {LONGEST_LINE >> 20} MiB")
    try:
        said = _said(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        raise BadContent(f"This is no capture: {place}: {first['msg']}") from error
    normalise_url(said.url)
    if not _FIRST_TIME <= said.observed_at <= _LAST_TIME:
        raise BadContent(f"observedAt is no time of the web's: {said.observed_at.isoformat()}", about=said.url)
    body = said.body.encode("utf-8", "replace") if said.body is not None else b""
    if said.body_path is not None:
        body = _body(folder, said.body_path, said.url)
    if len(body) > LONGEST_BODY:
        raise BadContent(f"The body has more than {LONGEST_BODY >> 20} MiB", about=said.url)
    return Capture(
        url=said.url,
        observed=said.observed_at,
        final_url=said.final_url,
        status=said.status if said.status is not None or said.not_modified else 200,
        headers=_headers(said),
        body=body,
        not_modified=said.not_modified.removeprefix("sha256:") if said.not_modified else None,
        feed=said.feed,
    )


def _said(line: bytes) -> CaptureLine:
    """Return what a line says; half a character, which Python's own `json` writes, becomes U+FFFD."""
    try:
        return CaptureLine.model_validate_json(line)
    except ValidationError:
        if b"\\ud" not in line.lower():
            raise
        try:
            whole = json.dumps(json.loads(line), ensure_ascii=False)
        except (ValueError, RecursionError):
            whole = ""  # which is no capture either
        return CaptureLine.model_validate_json(storable(whole)[0])


def _headers(said: CaptureLine) -> tuple[tuple[str, str], ...]:
    headers = {name.lower(): value for name, value in (said.headers or {}).items()}
    if said.content_type:
        headers["content-type"] = said.content_type
    if said.body is not None:
        # The text came as JSON, so whatever the page declares of its bytes no longer holds.
        kind = headers.get("content-type", "text/html").split(";")[0].strip()
        headers["content-type"] = f"{kind}; charset=utf-8"
    return tuple(sorted(headers.items()))


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
