"""Builders of stories and alerts: a test names only what it is about."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.builders import at, claim
from wirewatch.alerts.message import Links
from wirewatch.alerts.model import Alert, Story
from wirewatch.canonical import article_key, article_uri, content_hash, diff_id, event_id, revision_id, text_hash
from wirewatch.diff import compare
from wirewatch.model import Happened, Instance, Revision, Wording
from wirewatch.significance import judge

INSTANCE = Instance(authority="wirewatch.example", since="2026")
LINKS = Links(instance=INSTANCE)
FERRY = "https://courier.example/local/ferry"
OLD = Wording(
    headline="Ferry fire off the north pier",
    body=(
        "A ferry caught fire off the north pier on Monday morning, the coastguard said.\n\n"
        "Two lifeboats were sent.\n\n"
        "The coastguard counted 12 killed and many more hurt. A spokesman said the crossing would be closed."
    ),
)
NEW = replace(OLD, body=(OLD.body or "").replace("12 killed", "15 killed"))


def story(old: Wording | None = OLD, new: Wording | None = NEW, **changes: Any) -> Story:
    """Return a story: the ferry's published at 13:28, changed between 14:16 and 14:31, its stamp where it was."""
    url = changes.get("url", FERRY)
    key = article_key(url)
    diff = compare(old, new) if old is not None and new is not None else None
    stamps = {name: changes.get(name) for name in ("old_stamp", "new_stamp")}
    verdict = judge(diff, old, new, **stamps) if diff is not None and old is not None and new is not None else None
    happened: Happened = changes.get("happened", "revised")
    told = event_id(key, happened, 0)
    defaults: dict[str, Any] = {
        "article": key,
        "uri": article_uri(INSTANCE.authority, INSTANCE.since, key),
        "url": url,
        "happened": happened,
        "events": (json.dumps({"specversion": "1.0", "id": told, "type": f"wirewatch.article.{happened}.v1"}),),
        "publisher": "Ellery Courier",
        "headline": (new or old or OLD).headline,
        "language": "en-GB",
        "old": old,
        "new": new,
        "diff": diff,
        "diff_id": diff_id(key, "a", "b", 1) if diff else None,
        "verdict": verdict,
        "old_revision": revision(key, old, 1, at(91)) if old else None,
        "new_revision": revision(key, new, 2, at(151)) if new else None,
        "not_before": at(136),
        "not_after": at(151),
        "published": claim("published", 88),
    }
    return Story(**{**defaults, **changes})


def revision(key: str, wording: Wording, version: int, observed: datetime) -> Revision:
    """Return a revision of that wording."""
    return Revision(
        id=revision_id(key, content_hash(wording), version),
        article=key,
        version=version,
        occurrence=1,
        content_hash=content_hash(wording),
        text_hash=text_hash(wording),
        url=FERRY,
        first_observed=observed,
        last_observed=observed,
        first_created=at(88),
        version_created=observed,
    )


def alert(*stories: Story, **changes: Any) -> Alert:
    """Return an alert of those stories, of the ferry's where none is given."""
    told = stories or (() if "text" in changes or changes.get("kind") == "more" else (story(),))
    defaults: dict[str, Any] = {
        "id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "kind": "change" if len(told) == 1 else "digest",
        "channel": "desk",
        "rule": "ferries",
        "created": at(153),
        "stories": told,
    }
    return Alert(**{**defaults, **changes})
