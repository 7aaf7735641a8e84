"""Say what a capture of a feed shows: its entries, or in one sentence why there are none to be had.

Total: no bytes make it raise. It is meant for a bounded process all the same, since feedparser's loose parser is slow.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from functools import lru_cache
from typing import Final

from wirewatch import availability
from wirewatch.canonical import canonical_json, storable
from wirewatch.errors import BadContent
from wirewatch.feeds.dates import read_claim
from wirewatch.feeds.jsonfeed import read_json_feed
from wirewatch.feeds.polite import polite_seconds
from wirewatch.feeds.raw import GUID_LIMIT, NAME_LIMIT, RawEntry, RawFeed
from wirewatch.feeds.syndication import read_syndication
from wirewatch.feeds.text import decode
from wirewatch.identity import normalise_url
from wirewatch.model import Capture, Claim, Entry, FeedReading, Seen, Source

FEED_LIMIT: Final = 15 * 1024 * 1024  # bytes, as the fetcher's
_SHORT: Final = 2000  # characters; a longer link is not remembered
_LINE_ENDS = re.compile(r"[\t\r\n]")  # WHATWG URL, 4.4: to be dropped from addresses


def read_feed(capture: Capture, source: Source) -> FeedReading:
    """Return everything the capture says about a feed; where it cannot be read, `problem` says why.

    Flags: `malformed` (not well-formed, read all the same), `truncated`, `wrong_encoding`, `control_characters`,
    `too_many_entries` (5,000 are kept), `text_cut` (a title beyond 2,000 or a summary beyond 200,000 characters).
    """
    seen, detail = availability.seen(capture)
    if seen is not Seen.WORDING:
        problem = None if seen is Seen.NOT_MODIFIED else f"The feed did not come: {detail}"
        return FeedReading(
            url=capture.url,
            observed=capture.observed,
            seen=seen,
            detail=detail,
            problem=problem,
            polite_seconds=polite_seconds(capture),
        )
    try:
        feed, flags = _read(capture)
    except BadContent as error:
        return FeedReading(
            url=capture.url,
            observed=capture.observed,
            seen=Seen.INVALID,
            detail=str(error),
            problem=str(error),
            polite_seconds=polite_seconds(capture),
        )
    cut = ("text_cut",) * any(entry.text_cut for entry in feed.entries)
    return FeedReading(
        url=capture.url,
        observed=capture.observed,
        seen=seen,
        title=feed.title,
        language=storable(feed.language[:NAME_LIMIT])[0] if feed.language else None,
        entries=_entries(feed, capture, source),
        flags=tuple(dict.fromkeys(flags + feed.flags + cut)),
        polite_seconds=polite_seconds(capture, ttl=feed.ttl, period=feed.period, frequency=feed.frequency),
    )


def page_address(link: str | None) -> tuple[str, str] | None:
    """Return a link as it is to be asked for and in its normal form, or None if it leads to no web page."""
    if link is None:
        return None
    return _known_address(link) if len(link) <= _SHORT else _address(link)


def _address(link: str) -> tuple[str, str] | None:
    address = storable(_LINE_ENDS.sub("", link).strip())[0]
    try:
        return address, normalise_url(address)
    except BadContent:
        return None


# A feed has mostly the links that it had the last time: with 30 entries, 5 ms a reading instead of 13.
_known_address = lru_cache(maxsize=4096)(_address)


def _read(capture: Capture) -> tuple[RawFeed, tuple[str, ...]]:
    if len(capture.body) > FEED_LIMIT:
        raise BadContent(f"The feed is larger than {FEED_LIMIT // 1024**2} MiB")
    text, flags = decode(capture.body, capture.header("content-type") or "")
    if not text.strip():
        raise BadContent("The answer is empty")
    base = capture.header("content-location") or ""
    base = base if re.match(r"https?://", base, re.IGNORECASE) else capture.final_url or capture.url
    read = read_json_feed if text.startswith(("{", "[")) else read_syndication
    return read(text, base), flags


def _entries(feed: RawFeed, capture: Capture, source: Source) -> tuple[Entry, ...]:
    guids = Counter(guid for entry in feed.entries if (guid := _guid(entry)))
    return tuple(_entry(entry, guids, capture, source) for entry in feed.entries)


def _guid(entry: RawEntry) -> str | None:
    return storable(" ".join(entry.guid[:GUID_LIMIT].split()))[0] or None if entry.guid else None


def _entry(entry: RawEntry, guids: Counter[str], capture: Capture, source: Source) -> Entry:
    guid, page = _guid(entry), page_address(entry.link)
    if guid is not None and guids[guid] > 1:
        guid = None
    return Entry(
        identity=guid or (page[1] if page else _of_words(entry)),
        guid=guid,
        link=page[0] if page else None,
        title=entry.title,
        summary=entry.summary,
        byline=entry.byline,
        section=entry.section,
        claims=_claims(entry, capture, source),
    )


def _of_words(entry: RawEntry) -> str:
    """Name an entry that has neither guid nor link by what it says, so that two of them stay two."""
    return "text:" + hashlib.sha256(canonical_json([entry.title, entry.summary])).hexdigest()[:32]


def _claims(entry: RawEntry, capture: Capture, source: Source) -> tuple[Claim, ...]:
    claims = []
    if entry.published:
        claims.append(read_claim(entry.published, kind="published", source=source, observed=capture.observed))
    if entry.modified:
        claims.append(read_claim(entry.modified, kind="modified", source=source, observed=capture.observed))
    times = [claim.at for claim in claims if claim.at]
    if len(times) == 2 and times[1] <= times[0]:
        claims[1] = _with_flag(claims[1], "before_published" if times[1] < times[0] else "as_published")
    return tuple(claims)


def _with_flag(claim: Claim, flag: str) -> Claim:
    return Claim(
        kind=claim.kind, at=claim.at, where=claim.where, zone=claim.zone, raw=claim.raw, flags=(*claim.flags, flag)
    )
