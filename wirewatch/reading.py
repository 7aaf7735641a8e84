"""Read a capture as what it is: an article's page, or a feed with its entries.

Called in a bounded process, since everything in a capture came from outside. What had to be stopped there is a reading
too: the capture counts, and its bytes go to the dead letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wirewatch.availability import seen
from wirewatch.canonical import sha256
from wirewatch.errors import BadContent
from wirewatch.extract import read_page
from wirewatch.feeds import entry_readings, read_feed
from wirewatch.fingerprint import Recollection, same_bytes
from wirewatch.identity import capture_aliases, normalise_url
from wirewatch.model import Capture, Check, FeedReading, Reading, Seen, Source, Track

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


def read_at_once(capture: Capture, source: Source, check: Check | None) -> Reading | None:
    """Return the reading of an article's capture that need not be parsed, and None for one that must be.

    It has no content, or the very bytes that were read the last time. No child process is needed for that.
    """
    if seen(capture)[0] is not Seen.WORDING:
        return read_page(capture, source)
    if check is None or check.audit or not check.fingerprint:
        return None
    plain = Reading(
        url=normalise_url(capture.url),
        observed=capture.observed,
        seen=Seen.WORDING,
        page_hash=sha256(capture.body),
        track=source.track,
    )
    return same_bytes(check.fingerprint, capture, source, plain)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """An article's capture that is to be parsed.

    Only where it is `remembering` that a reading has a fingerprint: an archive's captures are read once.
    """

    capture: Capture
    source: Source
    remembering: bool = False
    fingerprint: str | None = None
    audit: bool = False


def read_pages(pages: Sequence[Page]) -> list[Reading]:
    """Return what each page says about its article."""
    return [
        read_article(page.capture, page.source, page.fingerprint, audit=page.audit)
        if page.remembering
        else read_page(page.capture, page.source)
        for page in pages
    ]


def read_article(capture: Capture, source: Source, kept: str | None = None, *, audit: bool = False) -> Reading:
    """Return what a capture says about its article, without extracting it where `kept`, its fingerprint, fits.

    The reading carries the fingerprint of its page. With `audit`, it is extracted all the same, and `short_cut` says
    whether the fingerprint was right.
    """
    memory = Recollection(kept=kept, capture=capture, source=source, audit=audit)
    return memory.judged(read_page(capture, source, memory))


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
