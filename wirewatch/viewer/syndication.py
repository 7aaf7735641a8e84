"""Write a list of changes as a feed, Atom (RFC 4287) or JSON Feed 1.1, with whatever filters the list has.

An entry's id is that of the event that announced the change, so a reader that follows two lists shows a change once.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from wirewatch import atom as writing
from wirewatch.model import Hunk
from wirewatch.records import moment, web_address
from wirewatch.redline import HEADINGS, visible
from wirewatch.viewer import filters
from wirewatch.viewer.lists import Library
from wirewatch.viewer.models import Change, Changes, Filters

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DISCLOSED: Final = {
    "disclosed": "Disclosed by the publisher.",
    "undisclosed": "Not disclosed by the publisher.",
    "unknown": "",
}


def atom(library: Library, listed: Changes, *, base: str, address: str) -> bytes:
    """Return a list of changes as an Atom feed; `base` is the viewer's address, `address` the feed's own."""
    feed = writing.Feed(
        id=library.tag("changes", _name(listed.filters)),
        title=_title(listed.filters),
        updated=max((one.not_after for one in listed.changes), default=_EPOCH),
        author="Wirewatch",
        address=address,
    )
    entries = (
        writing.Entry(
            id=_id(library, one),
            title=_headline(one),
            updated=one.not_after,
            author=visible(one.article.publisher or one.article.host),
            html=_html(one),
            published=one.not_after,
            links=tuple(_links(one, base)),
            categories=(
                (one.verdict.class_, "https://wirewatch.example/class"),
                (one.verdict.disclosure, "https://wirewatch.example/disclosure"),
            ),
        )
        for one in listed.changes
    )
    return writing.write(feed, entries, most=len(listed.changes))


def json_feed(library: Library, listed: Changes, *, base: str, address: str) -> bytes:
    """Return a list of changes as a JSON Feed."""
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _title(listed.filters),
        "home_page_url": f"{base}/{filters.query(listed.filters)}",
        "feed_url": address,
        "items": [_item(library, one, base) for one in listed.changes],
    }
    return orjson.dumps(feed)


def _item(library: Library, one: Change, base: str) -> dict[str, Any]:
    original = web_address(one.article.url)
    return {
        "id": _id(library, one),
        "url": f"{base}{one.href}",
        **({"external_url": original} if original else {}),
        "title": _headline(one),
        "content_html": _html(one),
        "content_text": _sentence(one),
        "date_published": moment(one.not_after),
        "authors": [{"name": visible(one.article.publisher or one.article.host)}],
        "tags": [one.verdict.class_, one.verdict.disclosure, one.verdict.signal],
        **({"language": one.article.language} if one.article.language else {}),
    }


def _links(one: Change, base: str) -> list[tuple[str, str]]:
    links = [
        ("alternate", f"{base}{one.href}"),
        ("predecessor-version", f"{base}{one.old.href}"),
        ("version-history", f"{base}{one.article.href}"),
    ]
    original = web_address(one.article.url)
    return [*links, ("related", original)] if original else links


def _id(library: Library, one: Change) -> str:
    return library.tag("event", one.event) if one.event else library.tag("diff", one.id)


def _name(chosen: Filters) -> str:
    return filters.query(chosen).removeprefix("?") or "all"


def _title(chosen: Filters) -> str:
    narrowed = ", ".join(f"{name} {value}" for name, value in _said(chosen))
    return f"Changes: {visible(narrowed)}" if narrowed else "Changes"


def _said(chosen: Filters) -> list[tuple[str, str]]:
    plain = chosen.model_dump(by_alias=True)
    return [
        (name, f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value))
        for name in filters.NAMES
        if (value := plain[name]) is not None
    ]


def _headline(one: Change) -> str:
    return visible(one.headline or one.article.url)


def _sentence(one: Change) -> str:
    told = one.sentence[:1].upper() + one.sentence[1:]
    return f"{told}. {_DISCLOSED[one.verdict.disclosure]}".strip()


def _html(one: Change) -> str:
    parts = [f"<p>{html.escape(visible(_sentence(one)))}</p>", *(_hunk(hunk) for hunk in one.diff.hunks)]
    if (more := one.hunks - len(one.diff.hunks)) > 0:
        parts.append(f"<p>and {more:,} more {'change' if more == 1 else 'changes'}</p>")
    return "\n".join(parts)


def _hunk(hunk: Hunk) -> str:
    before, after = hunk.new.prefix.rpartition("\n")[2], hunk.new.suffix.partition("\n")[0]
    old = f"<del>{_escaped(hunk.old.exact)}</del>" if hunk.old.exact else ""
    new = f"<ins>{_escaped(hunk.new.exact)}</ins>" if hunk.new.exact else ""
    return f'<p dir="auto">{HEADINGS[hunk.field]}: …{_escaped(before)}{old}{new}{_escaped(after)}…</p>'


def _escaped(text: str) -> str:
    return html.escape(visible(text))
