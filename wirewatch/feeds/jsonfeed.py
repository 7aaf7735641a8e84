"""Read JSON Feed 1.0 and 1.1 (jsonfeed.org).

Strict about what it is, forgiving about its members: one of the wrong type is treated as absent, never as an error.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import orjson

from wirewatch.errors import BadContent
from wirewatch.feeds.raw import ENTRY_LIMIT, NAME_LIMIT, SUMMARY_LIMIT, TITLE_LIMIT, RawEntry, RawFeed
from wirewatch.feeds.text import as_written, plain, tidy


def read_json_feed(text: str, base: str) -> RawFeed:
    """Return the feed in `text`, links made absolute from `base`. Raise BadContent saying why where there is none."""
    try:
        feed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadContent(f"The JSON is broken: {error}"[:200]) from error
    version = feed.get("version") if isinstance(feed, dict) else None
    if not isinstance(version, str) or "jsonfeed.org/version" not in version:
        raise BadContent("This is JSON, but not a JSON Feed: it has no `version` of jsonfeed.org")
    items = feed.get("items")
    if not isinstance(items, list):
        raise BadContent("The JSON Feed has no list of `items`")
    entries = [item for item in items if isinstance(item, dict)]
    return RawFeed(
        title=tidy(_text(feed, "title"), limit=TITLE_LIMIT, one_line=True) or None,
        language=_text(feed, "language") or None,
        entries=tuple(_entry(item, base) for item in entries[:ENTRY_LIMIT]),
        flags=("too_many_entries",) * (len(entries) > ENTRY_LIMIT) + ("control_characters",) * ("\\u0000" in text),
    )


def _entry(item: dict[str, Any], base: str) -> RawEntry:
    link = _text(item, "url") or _text(item, "external_url")
    words = _text(item, "summary") or _text(item, "content_text")
    summary = tidy(words, limit=SUMMARY_LIMIT) or plain(_text(item, "content_html"), limit=SUMMARY_LIMIT)
    tags = item.get("tags")
    return RawEntry(
        guid=_id(item.get("id")),
        link=_resolved(link, base),
        title=as_written(_text(item, "title"), limit=TITLE_LIMIT) or None,
        summary=summary or None,
        byline=_byline(item),
        section=tidy(tags[0], limit=NAME_LIMIT) if isinstance(tags, list) and _is_one_text(tags) else None,
        published=_text(item, "date_published") or None,
        modified=_text(item, "date_modified") or None,
    )


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value.strip() if isinstance(value, str) else ""


def _id(value: object) -> str | None:
    """Return the id as text; the specification wants numbers made into it."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def _resolved(link: str, base: str) -> str | None:
    try:
        return urljoin(base, link) if link else None
    except ValueError:
        return None


def _byline(item: dict[str, Any]) -> str | None:
    authors = item.get("authors")  # 1.1
    people = authors if isinstance(authors, list) else [item.get("author")]  # 1.0
    names = [_text(person, "name") for person in people if isinstance(person, dict)]
    return tidy(", ".join(filter(None, names)), limit=NAME_LIMIT, one_line=True) or None


def _is_one_text(tags: list[object]) -> bool:
    """Say whether there is just one tag: several are keywords, and their order means nothing."""
    return len(tags) == 1 and isinstance(tags[0], str) and bool(tags[0].strip())
