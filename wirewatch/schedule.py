"""Decide when an article or a feed is due again.

Pure: the state and the time go in, a time comes out. Nothing here disables anything: a source that fails is asked less
often, never no more, and the only article that is asked no more is an old one that stopped changing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wirewatch.model import Availability, Source

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

LONGEST_ARTICLE_GAP: Final = 3 * DAY
GROWTH: Final = 1 / 5  # of the time since first sight or last change: 44 checks in 30 days, 24 of them on the first
JITTER: Final = 0.10  # of a gap, half of it to each side

# What the ledger waits for, with room for the jitter: a stale wording counts once it is seen again 10 minutes later, a
# suspect one once three observations span 6 hours, a 404 once three span a day.
STALE_GAP: Final = 11 * MINUTE
SUSPECT_GAP: Final = 190 * MINUTE
MISSING_GAP: Final = 12 * HOUR + 40 * MINUTE

SHORTEST_FEED_GAP: Final = 15 * MINUTE
LONGEST_FEED_GAP: Final = DAY
SHORTEST_INTERVAL: Final = MINUTE  # that can be configured
FRESH_SHARE: Final = 0.10  # of a feed's entries, new at each reading: nine readings can be missed before an entry is

# How many gaps each failure in a row adds: what passes by itself weighs least, what someone decided weighs most.
FAILURE_WEIGHTS: Final = {
    Availability.FAILING: 1,
    Availability.BLOCKED: 4,
    Availability.MISSING: 4,
    Availability.GONE: 24,
    Availability.REFUSED: 24,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ArticleState:
    """What is known of an article when its last check is settled.

    `since` is the latest of its first sight, its last change, a push and the feed's own `updated`: setting it anew
    starts the schedule again. `stale` says that an older wording came back and awaits confirmation. `failures` counts
    those in a row.
    """

    url: str
    since: datetime
    availability: Availability = Availability.AVAILABLE
    stale: bool = False
    failures: int = 0
    retry_after_seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedState:
    """What is known of a feed when its last check is settled.

    `gap_seconds` is the adaptive interval that led to this check (see `adapted_gap`), None before the first.
    `seen_share` is the share of entries that were known already, 1 for a 304, None if nothing could be read.
    `polite_seconds` is what the feed asks for, `retry_after_seconds` what the server asked for just now.
    """

    url: str
    gap_seconds: float | None = None
    seen_share: float | None = None
    polite_seconds: float | None = None
    availability: Availability = Availability.AVAILABLE
    failures: int = 0
    retry_after_seconds: float | None = None


def article_gap(age_seconds: float, floor_seconds: float) -> float:
    """Return how long an article of that age (since first sight or last change) may wait, before any jitter."""
    return _between(age_seconds * GROWTH, floor_seconds, max(LONGEST_ARTICLE_GAP, floor_seconds))


def next_article_check(state: ArticleState, now: datetime, source: Source) -> datetime | None:
    """Return when an article is due again, or None once it is older than `source.end_days`.

    Never sooner than `source.floor_seconds`, never later than 3 days, but for a `floor_seconds` that is longer. A
    wording that awaits confirmation is asked again sooner and may run over the end by the longest gap. A gone article
    is asked every 3 days, since its return is an event.
    """
    age = max((now - state.since).total_seconds(), 0.0)
    gap = article_gap(age, source.floor_seconds)
    if state.availability is Availability.GONE:
        gap = LONGEST_ARTICLE_GAP
    elif (awaited := _awaited_gap(state)) is not None:
        gap = min(gap, awaited)
    else:
        gap += source.floor_seconds * _failure_weight(state.availability, state.failures)
    longest = max(LONGEST_ARTICLE_GAP, source.floor_seconds)
    gap = _between(gap * _jitter(state.url), source.floor_seconds, longest)
    gap = max(gap, _between(state.retry_after_seconds or 0.0, 0.0, longest))
    end = source.end_days * DAY
    if _awaited_gap(state) is not None:
        end += LONGEST_ARTICLE_GAP
    return now + timedelta(seconds=gap) if age + gap <= end else None


def adapted_gap(state: FeedState) -> float:
    """Return a feed's adaptive interval in seconds, to be kept and given back as `gap_seconds`.

    A tenth of the entries new at each reading leaves it as it is; fewer make it up to half as long again, more make
    it up to twice as short. A reading that failed changes nothing.
    """
    gap = state.gap_seconds if state.gap_seconds is not None else SHORTEST_FEED_GAP
    if state.seen_share is not None:
        fresh = _between(1 - state.seen_share, 0.0, 1.0)
        gap *= _between(FRESH_SHARE / fresh, 0.5, 1.5) if fresh else 1.5
    return _between(gap, SHORTEST_FEED_GAP, LONGEST_FEED_GAP)


def next_feed_check(state: FeedState, now: datetime, source: Source) -> datetime:
    """Return when a feed is due again, at most a day from now.

    A configured interval (1 minute at least) is the user's word and stands above what the feed asks for, but not above
    failures and `Retry-After`. An adaptive one lies between 15 minutes and 24 hours and heeds the feed.
    """
    if source.interval_seconds is not None:
        floor = gap = _between(source.interval_seconds, SHORTEST_INTERVAL, LONGEST_FEED_GAP)
    else:
        floor = _between(state.polite_seconds or 0.0, SHORTEST_FEED_GAP, LONGEST_FEED_GAP)
        gap = max(adapted_gap(state), floor)
    gap *= 1 + _failure_weight(state.availability, state.failures)
    gap = _between(gap * _jitter(state.url), floor, LONGEST_FEED_GAP)
    return now + timedelta(seconds=max(gap, _between(state.retry_after_seconds or 0.0, 0.0, LONGEST_FEED_GAP)))


def _awaited_gap(state: ArticleState) -> float | None:
    """Return the longest wait with which what is pending is confirmed as soon as it can be, or None."""
    gaps = [STALE_GAP] if state.stale else []
    if state.availability is Availability.SUSPECT:
        gaps.append(SUSPECT_GAP)
    if state.availability is Availability.MISSING:
        gaps.append(MISSING_GAP)
    return min(gaps, default=None)


def _failure_weight(availability: Availability, failures: int) -> int:
    return max(failures, 0) * FAILURE_WEIGHTS.get(availability, 1)


def _jitter(url: str) -> float:
    """Return a factor about 1 that is the same for a URL everywhere and always, and spreads the URLs of a host."""
    share = int.from_bytes(hashlib.sha256(url.encode("utf-8", "replace")).digest()[:8]) / 2**64
    return 1 + JITTER * (share - 0.5)


def _between(value: float, low: float, high: float) -> float:
    """Return `value`, but at least `low` and at most `high`; what is not a number counts as `high`."""
    return max(low, min(high, value))
