"""Find out how long a feed asks to be left alone.

All wishes count and the longest one wins, but never more than a day: a forgotten `ttl` of a year, or an `Expires` in
the next century, must not silence a feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from wirewatch.feeds.dates import http_date
from wirewatch.model import Capture

LONGEST_SECONDS: Final = 24 * 3600
_PERIOD_SECONDS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?([0-9]{1,10})", re.IGNORECASE)


def polite_seconds(
    capture: Capture, *, ttl: str | None = None, period: str | None = None, frequency: str | None = None
) -> int | None:
    """Return the longest wait asked for, at most 24 hours, or None if nothing is asked.

    `ttl` is RSS's, in minutes; `period` and `frequency` are the Syndication module's (so often a period).
    """
    waits = [wait for wait in _waits(capture, ttl, period, frequency) if wait > 0]
    return int(min(max(waits), LONGEST_SECONDS)) if waits else None


def _waits(capture: Capture, ttl: str | None, period: str | None, frequency: str | None) -> Iterator[float]:
    yield 60 * (_whole(ttl) or 0)
    # RSS 1.0 Syndication: the period is daily and the frequency 1 where only the other is given.
    if period is not None or frequency is not None:
        seconds = _PERIOD_SECONDS.get((period or "daily").strip().lower(), 0)
        yield seconds / max(_whole(frequency) or 1, 1)
    if match := _MAX_AGE.search(capture.header("cache-control") or ""):
        yield int(match[1])
    elif expires := http_date(capture.header("expires") or ""):  # RFC 9111, 5.3: max-age overrides it
        yield _seconds_from(_sent(capture), expires)
    if capture.retry_after_seconds is not None:
        yield min(capture.retry_after_seconds, LONGEST_SECONDS)
    retry = (capture.header("retry-after") or "").strip()
    if (seconds_asked := _whole(retry)) is not None:
        yield seconds_asked
    elif until := http_date(retry):
        yield _seconds_from(_sent(capture), until)


def _sent(capture: Capture) -> datetime:
    """Return the server's own time of its answer, so that a wrong clock there cancels out."""
    return http_date(capture.header("date") or "") or capture.observed


def _seconds_from(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(seconds=1)


def _whole(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) else None
