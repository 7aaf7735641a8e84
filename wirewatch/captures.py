"""Read captures that somebody else made: a line of JSON for each, as `wirewatch schema capture` describes it.

Whoever wrote the line may be wrong in everything it says: it is read strictly, and what is no capture is BadContent.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from wirewatch.canonical import storable
from wirewatch.errors import BadContent
from wirewatch.identity import normalise_url
from wirewatch.model import Capture
from wirewatch.schema import CaptureLine

LONGEST_LINE: Final = 64 << 20  # bytes; a feed of 15 MiB with every character escaped
LONGEST_BODY: Final = 15 << 20  # bytes, as for a feed that is fetched
_FIRST_TIME: Final = datetime(1990, 1, 1, tzinfo=UTC)  # there was no web before
_LAST_TIME: Final = datetime(9998, 12, 31, tzinfo=UTC)  # so that a year can be added to any time


def read_line(line: bytes) -> CaptureLine:
    """Return what a line says, or raise BadContent with the first thing that is wrong with it."""
    if len(line) > LONGEST_LINE:
        raise BadContent(f"The line has more than {LONGEST_LINE >> 20} MiB")
    try:
        return _said(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        raise BadContent(f"This is no capture: {place}: {first['msg']}") from error


def as_capture(said: CaptureLine, file: bytes | None = None) -> Capture:
    """Return the capture that a line describes; `file` holds the bytes that its `bodyPath` leads to.

    Raise BadContent where its address, time or size is none of a page's.
    """
    normalise_url(said.url)
    if not _FIRST_TIME <= said.observed_at <= _LAST_TIME:
        raise BadContent(f"observedAt is no time of the web's: {said.observed_at.isoformat()}", about=said.url)
    body = (said.body or "").encode("utf-8", "replace") if file is None else file
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
