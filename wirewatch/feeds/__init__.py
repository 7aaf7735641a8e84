"""Read feeds: what a capture says about its entries, and where feeds are to be found.

Nothing here fetches anything, and a feed's own word is never taken on trust: its zone names, its encoding, its guids
and its lengths are all checked. An entry is known by its guid only where that guid is unique in the document.
"""

from wirewatch.feeds.dates import http_date, place, read_claim, read_stamp
from wirewatch.feeds.discovery import DeclaredFeed, discover_feeds
from wirewatch.feeds.entries import entry_readings
from wirewatch.feeds.opml import OpmlFeed, read_opml
from wirewatch.feeds.reading import read_feed

__all__ = [
    "DeclaredFeed",
    "OpmlFeed",
    "discover_feeds",
    "entry_readings",
    "http_date",
    "place",
    "read_claim",
    "read_feed",
    "read_opml",
    "read_stamp",
]
