"""Ask rules about what the store has kept: which events they would have matched, and why; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from wirewatch.alerts.rules import Match, Matcher, Rule, Subject
from wirewatch.encoding import revive
from wirewatch.model import Diff, Happened, Revision, Source, Verdict, Wording
from wirewatch.store import Store, ledger
from wirewatch.store.tables import articles, diffs, feeds, outbox, revisions

_KINDS: Final[dict[str, Happened]] = {
    "wirewatch.article.revised.v1": "revised",
    "wirewatch.article.restamped.v1": "restamped",
    "wirewatch.article.withdrawn.v1": "withdrawn",
    "wirewatch.article.returned.v1": "returned",
}
_AT_A_TIME: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """One stored event with the rules that match it. `backfill` says that it would alert nobody."""

    event: str
    recorded: datetime
    happened: str
    url: str
    headline: str | None
    backfill: bool
    matches: tuple[Match, ...]


def tried(store: Store, rules: Sequence[Rule], since: datetime | None = None) -> Iterator[Tried]:
    """Yield each stored event that can alert, newest first, with what the rules say of it."""
    matcher, below = Matcher(rules), None
    query = (
        sa.select(outbox)
        .where(outbox.c.kind == "event", outbox.c.payload != "")
        .order_by(outbox.c.id.desc())
        .limit(_AT_A_TIME)
    )
    if since is not None:
        query = query.where(outbox.c.recorded >= since)
    while True:
        with store.reading() as conn:
            rows = conn.execute(query if below is None else query.where(outbox.c.id < below)).all()
            asked = [(row, event, _subject(conn, row.article, event)) for row in rows for event in _events(row)]
        for row, event, subject in asked:
            yield Tried(
                event=row.item,
                recorded=row.recorded,
                happened=subject.happened,
                url=subject.url,
                headline=event["data"]["article"].get("headline"),
                backfill=row.backfill,
                matches=tuple(matcher.matches(subject)),
            )
        if len(rows) < _AT_A_TIME:
            return
        below = rows[-1].id


def _events(row: sa.Row[Any]) -> Iterator[dict[str, Any]]:
    event = orjson.loads(row.payload)
    if event["type"] in _KINDS:
        yield event


def _subject(conn: Connection, article: str, event: dict[str, Any]) -> Subject:
    """Return what a rule is asked about, as the store has it now."""
    data = event["data"]
    key = conn.scalar(sa.select(articles.c.merged_into).where(articles.c.key == article)) or article
    query = sa.select(articles.c.feed, articles.c.source, feeds.c.source.label("feed_source"))
    query = query.select_from(articles.outerjoin(feeds, feeds.c.url == articles.c.feed))
    row = conn.execute(query.where(articles.c.key == key)).one()
    source = revive(Source, row.source or row.feed_source or {})
    happened = _KINDS[event["type"]]
    old, new, diff, verdict = None, None, None, None
    if happened == "revised":
        change = diffs.c.old_revision == data["previous"]["id"], diffs.c.new_revision == data["current"]["id"]
        kept = conn.execute(sa.select(diffs).where(diffs.c.article == article, *change)).first()
        if kept is not None:
            diff, verdict = revive(Diff, kept.diff), revive(Verdict, kept.verdict)  # without words, once removed
            old, new = (_wording(conn, key, side) for side in (kept.old_content_hash, kept.new_content_hash))
    elif happened == "withdrawn":
        old = _wording_of(conn, key, data["last"]["id"])
    else:
        new = _wording_of(conn, key, data["current"]["id"])
    about, wording = data["article"], new or old
    return Subject(
        happened=happened,
        url=about.get("url", ""),
        feed=row.feed,
        feed_name=source.feed_name,
        publisher=about.get("publisher"),
        section=(wording.section if wording else None) or source.section,
        language=about.get("language"),
        old=old,
        new=new,
        diff=diff,
        verdict=verdict,
    )


def _wording(conn: Connection, article: str, content_hash: str) -> Wording | None:
    found = ledger.texts_by_content(conn, article, [content_hash])
    return found[0].wording if found else None


def _wording_of(conn: Connection, article: str, revision: str) -> Wording | None:
    body = conn.scalar(sa.select(revisions.c.body).where(revisions.c.id == revision))
    return None if body is None else _wording(conn, article, revive(Revision, body).content_hash)
