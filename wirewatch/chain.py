"""Tie an article's revisions to each other, so that none can be altered, left out or slipped in unnoticed.

A link is the SHA-256 of what was seen with one revision and of the link before it. It holds only what never changes by
itself: not when a wording was last seen, since every re-read moves that. What a late capture re-dates makes new links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from wirewatch.canonical import canonical_json, sha256
from wirewatch.model import Revision

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One revision's link: `hash` is the SHA-256 of `body`, canonical JSON, whose `before` is the hash of the last."""

    revision: str
    place: int  # from 1
    hash: str
    body: bytes


def links(revisions: Iterable[Revision], headers_of: Callable[[Revision], Headers | None]) -> tuple[Link, ...]:
    """Return the chain of an article's revisions, which stand in the order of time.

    `headers_of` gives the headers with which a revision's page came, None where its page was not kept.
    """
    made: list[Link] = []
    for place, one in enumerate(revisions, 1):
        before = made[-1] if made else None
        body = canonical_json(_says(one, headers_of(one), before))
        made.append(Link(revision=one.id, place=place, hash=sha256(body), body=body))
    return tuple(made)


def fixed(revision: Revision) -> tuple[object, ...]:
    """Return what of a revision its link holds; while it is the same for all, so is the chain."""
    return tuple(says for name, says in _says(revision, None, None).items() if name not in ("before", "previous"))


def _says(revision: Revision, headers: Headers | None, before: Link | None) -> dict[str, Any]:
    return {
        "article": revision.article,
        "before": before.hash if before else None,
        "content_hash": revision.content_hash,
        "first_created": revision.first_created,
        "first_observed": revision.first_observed,
        "headers": headers,
        "page_hash": revision.page_hash,
        "previous": before.revision if before else None,
        "revision": revision.id,
        "text_hash": revision.text_hash,
        "url": revision.url,
        "version_created": revision.version_created,
    }
