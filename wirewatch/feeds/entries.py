"""Turn a feed's entries into readings of their own, for feeds whose titles and summaries are the tracked text.

An entry's link names its article only while no other entry of the feed has the same one: a ticker whose entries all
link to one page is many articles, known by their guids.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from wirewatch.canonical import content_hash, length, text_hash
from wirewatch.feeds.reading import page_address
from wirewatch.identity import guid_name
from wirewatch.model import Alias, Entry, Facts, FeedReading, Reading, Seen, Source, Track, Wording

EXTRACTOR: Final = "feed-entries/1"


def entry_readings(feed: FeedReading, source: Source) -> tuple[Reading, ...]:
    """Return one reading for each entry that can be known again, each article once.

    Left out are an entry with neither link nor guid, a second one of the same name, and the last one of a feed that
    was cut short, since half of it may be missing.
    """
    entries = feed.entries[:-1] if "truncated" in feed.flags else feed.entries
    pages = Counter(page[1] for entry in entries if (page := page_address(entry.link)))
    readings = (_reading(entry, feed, source, pages) for entry in entries)
    return tuple({reading.url: reading for reading in reversed([r for r in readings if r])}.values())[::-1]


def _reading(entry: Entry, feed: FeedReading, source: Source, pages: Counter[str]) -> Reading | None:
    page = page_address(entry.link)
    own_page = page[1] if page and (pages[page[1]] == 1 or entry.guid is None) else None
    guid = guid_name(source.feed or feed.url, entry.guid) if entry.guid else None
    url = own_page or guid
    if url is None:
        return None
    wording = Wording(headline=entry.title, byline=entry.byline, section=entry.section, body=entry.summary)
    says_something = entry.title or entry.summary
    return Reading(
        url=url,
        observed=feed.observed,
        seen=Seen.WORDING if says_something else Seen.INVALID,
        detail="" if says_something else "the entry has neither title nor summary",
        wording=wording if says_something else None,
        content_hash=content_hash(wording) if says_something else None,
        text_hash=text_hash(wording) if says_something else None,
        length=length(wording),
        claims=entry.claims,
        aliases=_aliases(url, guid),
        facts=Facts(language=feed.language or source.language, canonical_url=page[0] if page else None),
        flags=feed.flags,
        extractor=EXTRACTOR,
        track=Track.ENTRIES,
    )


def _aliases(url: str, guid: str | None) -> tuple[Alias, ...]:
    asked = Alias(kind="asked", name=url)
    return (asked,) if guid is None or guid == url else (asked, Alias(kind="guid", name=guid))
