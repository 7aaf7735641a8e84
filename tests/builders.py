"""Builders with defaults: a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from wirewatch.canonical import content_hash, length, sha256, text_hash
from wirewatch.model import Alias, Claim, Reading, Seen, Wording

URL = "https://courier.example/local/ferry-subsidy"
NOON = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
STORY = "The harbour council approved a ferry subsidy. " * 5


def at(minutes: float) -> datetime:
    """Return a time that many minutes after noon of the tests' day."""
    return NOON + timedelta(minutes=minutes)


def claim(kind: Literal["published", "modified"], when: float | datetime | None, **changes: Any) -> Claim:
    """Return a claim of a time, given as minutes after noon or as it is."""
    moment = at(when) if isinstance(when, (int, float)) else when
    return Claim(**{"kind": kind, "at": moment, "where": "json-ld", "zone": "stated", "raw": str(moment), **changes})


def reading(minutes: float, body: str = STORY, *, headline: str = "Ferry", **changes: Any) -> Reading:
    """Return a reading of a page with that body at that many minutes after noon."""
    wording = Wording(headline=headline, body=body)
    defaults: dict[str, Any] = {
        "url": URL,
        "observed": at(minutes),
        "seen": Seen.WORDING,
        "wording": wording,
        "content_hash": content_hash(wording),
        "text_hash": text_hash(wording),
        "length": length(wording),
        "aliases": (Alias(kind="asked", name=changes.get("url", URL)),),
        "extractor": "test/1",
        "page_hash": sha256(f"{headline}{body}{minutes}".encode()),
    }
    return Reading(**{**defaults, **changes})


def absence(minutes: float, seen: Seen, detail: str = "", **changes: Any) -> Reading:
    """Return a reading of a capture that showed no article."""
    url = changes.pop("url", URL)
    aliases = (Alias(kind="asked", name=url),)
    return Reading(url=url, observed=at(minutes), seen=seen, detail=detail, aliases=aliases, **changes)


def not_modified(minutes: float, confirms: Reading) -> Reading:
    """Return a 304 that confirms the wording of an earlier reading."""
    return absence(minutes, Seen.NOT_MODIFIED, "HTTP 304", content_hash=confirms.content_hash)
