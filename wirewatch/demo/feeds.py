"""The newspapers' feeds: RSS 2.0 for one, Atom for the other.

An entry's `updated` is the stamp its page prints, so an edition that comes without notice moves nothing here but
the words, and an edition that goes back takes `updated` back with it.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import Final
from xml.sax.saxutils import escape

from wirewatch.demo.pages import build
from wirewatch.demo.stories import Site, at

_DAWN: Final = at("06:00")


def feed(site: Site, now: datetime) -> str:
    """Return the site's feed at `now`, the newest story first."""
    return _rss(site, now) if site.feed_kind == "rss" else _atom(site, now)


def _rss(site: Site, now: datetime) -> str:
    items = "".join(
        f"""
    <item>
      <title>{escape(edition.words.headline)}</title>
      <link>{site.address}{edition.path}</link>
      <guid isPermaLink="false">{story.guid}</guid>
      <description>{escape(edition.words.standfirst)}</description>
      <dc:creator>{escape(edition.words.byline.removeprefix("By "))}</dc:creator>
      <category>{escape(edition.words.section)}</category>
      <pubDate>{format_datetime(edition.published, usegmt=True)}</pubDate>
      <atom:updated>{_rfc3339(edition.modified or edition.published)}</atom:updated>
    </item>"""
        for story, edition in site.printed(now)
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <channel>
    <title>{escape(site.name)}</title>
    <link>{site.address}/</link>
    <description>{escape(site.motto)}</description>
    <language>en-gb</language>
    <generator>Quoin {build(now)}</generator>
    <lastBuildDate>{format_datetime(_newest(site, now), usegmt=True)}</lastBuildDate>
    <atom:link rel="self" type="application/rss+xml" href="{site.feed_url}"/>{items}
  </channel>
</rss>
"""


def _atom(site: Site, now: datetime) -> str:
    entries = "".join(
        f"""
  <entry>
    <id>{story.guid}</id>
    <title>{escape(edition.words.headline)}</title>
    <link rel="alternate" type="text/html" href="{edition.path}"/>
    <published>{_rfc3339(edition.published)}</published>
    <updated>{_rfc3339(edition.modified or edition.published)}</updated>
    <author><name>{escape(edition.words.byline.removeprefix("By "))}</name></author>
    <category term="{escape(edition.words.section)}"/>
    <summary>{escape(edition.words.standfirst)}</summary>
  </entry>"""
        for story, edition in site.printed(now)
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB" xml:base="{site.address}/">
  <id>tag:{site.host},2026:feed</id>
  <title>{escape(site.name)}</title>
  <subtitle>{escape(site.motto)}</subtitle>
  <generator version="{build(now)}">Quoin</generator>
  <updated>{_rfc3339(_newest(site, now))}</updated>
  <link rel="self" type="application/atom+xml" href="{site.feed_url}"/>
  <link rel="alternate" type="text/html" href="{site.address}/"/>{entries}
</feed>
"""


def _newest(site: Site, now: datetime) -> datetime:
    stamps = (edition.modified or edition.published for _, edition in site.printed(now))
    return max(stamps, default=_DAWN)


def _rfc3339(stamp: datetime) -> str:
    return f"{stamp:%Y-%m-%dT%H:%M:%SZ}"
