"""Read a capture as what it is: an article's page, or a feed with its entries.

Called in a bounded process, since everything in a capture came from outside. What had to be stopped there is a reading
too: the capture counts, and its bytes go to the dead letters.
"""

from __future__ import annotations

from dataclasses import dataclass

from wirewatch.canonical import sha256
from wirewatch.errors import BadContent
from wirewatch.feeds import entry_readings, read_feed
from wirewatch.identity import capture_aliases, normalise_url
from wirewatch.model import Capture, FeedReading, Reading, Seen, Source, Track

_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json")


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedRead:
    """A feed's reading and, where its entries are themselves the tracked text, one reading for each."""

    feed: FeedReading
    entries: tuple[Reading, ...] = ()


def is_feed(capture: Capture) -> bool:
    """Tell whether a capture is a feed's: it was asked for as one, or says so of itself."""
    return (
        capture.feed == capture.url
        or (capture.header("content-type") or "").split(";")[0].strip().lower() in _FEED_TYPES
    )


def feed_of(capture: Capture) -> str | None:
    """Return the feed's address in normal form: of the feed that a capture is of, else of the one that named it."""
    address = capture.url if is_feed(capture) else capture.feed
    try:
        return normalise_url(address) if address else None
    except BadContent:  # whoever brought the capture may have written anything there
        return None


def read_whole_feed(capture: Capture, source: Source) -> FeedRead:
    """Return what a capture says about a feed and, with `track: entries`, about each of its entries."""
    feed = read_feed(capture, source)
    return FeedRead(feed=feed, entries=entry_readings(feed, source) if source.track is Track.ENTRIES else ())


def stopped_article(capture: Capture, error: BadContent) -> Reading:
    """Return the reading of a capture on which work had to be stopped."""
    return Reading(
        url=normalise_url(capture.url),
        observed=capture.observed,
        seen=Seen.INVALID,
        detail=str(error),
        aliases=capture_aliases(capture, canonical_url=None),
        page_hash=sha256(capture.body) if capture.body else None,
    )


def stopped_feed(capture: Capture, error: BadContent) -> FeedRead:
    """Return the reading of a feed's capture on which work had to be stopped."""
    return FeedRead(
        feed=FeedReading(
            url=capture.url, observed=capture.observed, seen=Seen.INVALID, detail=str(error), problem=str(error)
        )
    )
