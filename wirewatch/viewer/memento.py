"""Say which revisions of an article there are, as web archives do (RFC 7089, Memento).

A memento's time is when we first saw the wording, by our own clock: what the publisher states of its times is evidence
beside it and no time at which anybody looked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from wirewatch.errors import BadContent
from wirewatch.records import web_address
from wirewatch.viewer.models import Article, RevisionPage, RevisionRef, RevisionRow


def date(at: datetime) -> str:
    """Return a time as HTTP writes it: `Mon, 16 Mar 2026 14:26:00 GMT`."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def wanted(header: str | None) -> datetime | None:
    """Return the time of an Accept-Datetime header, None without one; raise BadContent for what is no date."""
    if header is None:
        return None
    try:
        at = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        at = None
    if at is None:
        raise BadContent("Accept-Datetime is no date: write one like Mon, 16 Mar 2026 14:26:00 GMT.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def nearest(found: Article, at: datetime | None) -> RevisionRow | None:
    """Return the revision that stood at a time: the last seen by then, else the first; the newest if none is named."""
    if not found.revisions:
        return None
    if at is None:
        return found.revisions[-1]
    before = [one for one in found.revisions if one.first_observed <= at]
    return before[-1] if before else found.revisions[0]


def timemap(found: Article, base: str) -> str:
    """Return all revisions in link format (RFC 6690), oldest first."""
    own = f"{base}{found.timemap}"
    parts = _of_article(found.article.url, base, found.article.href)
    if found.revisions:
        first, last = found.revisions[0].first_observed, found.revisions[-1].first_observed
        span = f'; from="{date(first)}"; until="{date(last)}"'
    else:
        span = ""
    parts.append(f'<{own}>; rel="self"; type="application/link-format"{span}')
    count = len(found.revisions)
    for place, one in enumerate(found.revisions):
        parts.append(
            _memento(one, base, [*(["first"] if not place else []), *(["last"] if place == count - 1 else [])])
        )
    return ",\n".join(parts) + "\n"


def links(found: Article, base: str) -> str:
    """Return the Link header of an article's time gate."""
    parts = _of_article(found.article.url, base, found.article.href)
    parts.append(_timemap(base, found.timemap))
    if found.revisions:
        parts += [_memento(found.revisions[0], base, ["first"]), _memento(found.revisions[-1], base, ["last"])]
    return ", ".join(parts)


def links_of_revision(found: RevisionPage, base: str) -> str:
    """Return the Link header of one revision."""
    parts = _of_article(found.article.url, base, found.article.href)
    parts.append(_timemap(base, found.timemap))
    beside = ((found.first, "first"), (found.older, "prev"), (found.newer, "next"), (found.last, "last"))
    parts += [_memento(one, base, [relation]) for one, relation in beside if one is not None]
    return ", ".join(parts)


def _of_article(url: str, base: str, href: str) -> list[str]:
    original = web_address(url)
    gate = f'<{base}{href}/timegate>; rel="timegate"'
    return [f'<{original}>; rel="original"', gate] if original else [gate]


def _timemap(base: str, href: str) -> str:
    return f'<{base}{href}>; rel="timemap"; type="application/link-format"'


def _memento(one: RevisionRef, base: str, relations: list[str]) -> str:
    return f'<{base}{one.href}>; rel="{" ".join([*relations, "memento"])}"; datetime="{date(one.first_observed)}"'
