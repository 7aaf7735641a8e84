"""The headers we send, the ones we keep, and what the kept ones say about waiting.

What a server sends is hostile text: only headers of interest are kept, none of any length, and a validator is sent
back exactly as it came or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from wirewatch.canonical import storable
from wirewatch.fetch.bodies import ACCEPTED_CODINGS
from wirewatch.model import Check

KEPT: Final = frozenset(
    {
        *("cache-control", "content-disposition", "content-language", "content-type", "date", "etag", "expires"),
        *("last-modified", "link", "location", "memento-datetime", "retry-after", "x-robots-tag"),
    }
)
_VALIDATORS: Final = frozenset({"etag", "last-modified"})
_LONGEST_VALUE: Final = 8000  # what most servers themselves accept as one header
_MOST_KEPT: Final = 40

_FEEDS: Final = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
_PAGES: Final = "text/html, application/xhtml+xml;q=0.9, text/plain;q=0.8, */*;q=0.5"

# A day, after which a host is asked whether it still means it; `Retry-After: 999999999` is seen in the wild.
_LONGEST_WAIT: Final = 86400.0
_SECONDS: Final = re.compile(r"\d{1,12}(\.\d+)?", re.ASCII)


def request_headers(check: Check) -> dict[str, str]:
    """Return the headers that a check's request has beside `User-Agent`."""
    headers = {"Accept": _FEEDS if check.reason == "feed" else _PAGES, "Accept-Encoding": ACCEPTED_CODINGS}
    if check.etag and check.etag.isprintable():
        headers["If-None-Match"] = check.etag
    if check.last_modified and check.last_modified.isprintable():
        headers["If-Modified-Since"] = check.last_modified
    return headers


def kept_headers(items: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers of interest with lower-case names, in their order."""
    kept = []
    for name, raw in items:
        key = name.lower()
        if key not in KEPT:
            continue
        value, damaged = storable(raw)
        if key in _VALIDATORS and (damaged or len(value) > _LONGEST_VALUE):
            continue  # half a validator would never match
        kept.append((key, value[:_LONGEST_VALUE]))
    return tuple(kept[:_MOST_KEPT])


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the wait that `Retry-After` asks for, a day at most, or None where it asks for none that can be read.

    A date is compared with the answer's own `Date` if there is one, so that a wrong clock does no harm.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _LONGEST_WAIT)
    until = _http_date(value)
    if until is None:
        return None
    sent = _http_date(headers.get("date", "")) or now
    return min(max((until - sent).total_seconds(), 0.0), _LONGEST_WAIT)


def _http_date(value: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(value[:100])
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
