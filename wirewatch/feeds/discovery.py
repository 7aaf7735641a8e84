"""Find the feeds that a web page declares.

Only declarations count (`<link rel="alternate" type="…feed type…">`): an address that merely looks like a
feed's is a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from lxml import etree
from lxml.html import HTMLParser

from wirewatch.feeds.raw import TITLE_LIMIT
from wirewatch.feeds.reading import page_address
from wirewatch.feeds.text import tidy

# Not `application/json`: WordPress declares each page's REST record so.
FEED_TYPES: Final = frozenset({
    "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json",
    "application/x-rss+xml", "application/xml", "text/xml", "text/rss",
})  # fmt: skip
PAGE_LIMIT: Final = 5 * 1024 * 1024  # bytes, as the fetcher's for a page
DECLARED_LIMIT: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredFeed:
    """A feed that a page declares, its address absolute."""

    url: str
    type: str
    title: str | None = None


def discover_feeds(html: bytes, url: str) -> tuple[DeclaredFeed, ...]:
    """Return the feeds that the page at `url` declares, each once, in the page's order; none of bytes that are no page.

    A page that is itself a feed declares none: try `read_feed` first.
    """
    parser = HTMLParser(remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(html[:PAGE_LIMIT], parser) if html.strip() else None
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        return ()
    base = _joined(url, next((href for element in root.iter("base") if (href := element.get("href"))), "")) or url
    found: dict[str, DeclaredFeed] = {}
    for link in root.iter("link"):
        feed = _declared(link, base)
        if feed is not None:
            found.setdefault(feed.url, feed)
        if len(found) == DECLARED_LIMIT:
            break
    return tuple(found.values())


def _declared(link: etree._Element, base: str) -> DeclaredFeed | None:
    kinds = (link.get("rel") or "").lower().split()
    media_type = (link.get("type") or "").partition(";")[0].strip().lower()
    if "alternate" not in kinds or "stylesheet" in kinds or media_type not in FEED_TYPES:
        return None
    href = (link.get("href") or "").strip()
    address = page_address(_joined(base, href)) if href else None
    if address is None:
        return None
    title = tidy(link.get("title") or "", limit=TITLE_LIMIT, one_line=True)
    return DeclaredFeed(url=address[0], type=media_type, title=title or None)


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip())
    except ValueError:
        return ""
