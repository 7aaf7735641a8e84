"""Make stories of what was matched: read events, wordings and labels as the store has them now, and compare.

Labels and later revisions are those of this moment, so a change that no longer stands has no story, and successive
changes of one article are one, from the oldest untold wording to the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from wirewatch.alerts.model import Story
from wirewatch.alerts.pacing import Telling
from wirewatch.bounded import Pool
from wirewatch.canonical import article_uri
from wirewatch.diff import apply
from wirewatch.encoding import revive
from wirewatch.errors import BadContent
from wirewatch.judging import judged_in
from wirewatch.model import Claim, Diff, Happened, Instance, Revision, Source, Verdict, Wording
from wirewatch.revisions import fold
from wirewatch.store import Store, ledger
from wirewatch.store.alerts import Match, matches_by_id, payloads
from wirewatch.store.labels import stale, unsteady
from wirewatch.store.tables import articles, diffs, feeds, revisions


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """The stories of a telling, none where nothing of it stands any more, and the matches of what does not."""

    stories: tuple[Story, ...]
    void: tuple[str, ...] = ()


def gather(store: Store, pool: Pool, instance: Instance, tellings: Sequence[Telling]) -> list[Gathered]:
    """Return what there is to tell of each telling; comparing is done in the pool, outside of any transaction."""
    with store.reading() as conn:
        said = payloads(conn, {match.event for telling in tellings for match in telling.matches})
        known = _Known(conn=conn, instance=instance, said=said)
        drafts = [known.draft(telling) for telling in tellings]
    return [Gathered(stories=tuple(_compared(story, pool) for story in stories), void=void) for stories, void in drafts]


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the store has on one channel's matches, in one transaction."""

    conn: Connection
    instance: Instance
    said: dict[str, str]

    def draft(self, telling: Telling) -> tuple[list[Story], tuple[str, ...]]:
        """Return a telling's stories, those of several changes without their diff, and the matches that are void."""
        first = telling.matches[0]
        if first.happened == "retracted":
            return [self._retracted(first)], ()
        if first.happened != "revised":
            return [self._passed(first)], ()
        standing = {match.id: self._standing(match) for match in telling.matches}
        void = tuple(match for match, row in standing.items() if row is None)
        rows = {row.id: row for row in standing.values() if row is not None}
        changes = sorted(rows.values(), key=lambda row: (row.observed, row.id))
        if not changes:
            return [], void
        events = {row.id: match.event for match in telling.matches if (row := standing[match.id]) is not None}
        there_and_back = changes[0].old_content_hash == changes[-1].new_content_hash
        runs = [[one] for one in changes] if there_and_back else [changes]
        return [self._revised(first.article, run, events, telling.alike) for run in runs], void

    def _standing(self, match: Match) -> sa.Row[Any] | None:
        """Return the kept change that a match is of; where articles were joined since, the same one of the survivor."""
        own = self.conn.execute(sa.select(diffs).where(diffs.c.id == match.diff)).one_or_none()
        if own is None or own.live:
            return own
        same = sa.select(diffs).where(
            diffs.c.article == match.article,
            diffs.c.live,
            diffs.c.old_content_hash == own.old_content_hash,
            diffs.c.new_content_hash == own.new_content_hash,
        )
        return self.conn.execute(same.order_by(diffs.c.observed)).first()

    def _revised(self, article: str, changes: Sequence[sa.Row[Any]], events: dict[str, str], alike: int) -> Story:
        first, last = changes[0], changes[-1]
        old, new = self._revision(first.old_revision), self._revision(last.new_revision)
        texts = ledger.texts(self.conn, [article], {one.text_hash for one in (old, new) if one})
        before = texts[old.text_hash].wording if old and old.text_hash in texts else None
        after = texts[new.text_hash].wording if new and new.text_hash in texts else None
        kept = len(changes) == 1 and before is not None and _leads(first, before, after)
        story = self._common(article, "revised", [events[one.id] for one in changes], after)
        return replace(
            story,
            old=before,
            new=after,
            diff=revive(Diff, first.diff) if kept else None,
            verdict=revive(Verdict, first.verdict) if kept else None,
            diff_id=last.id,
            old_revision=old,
            new_revision=new,
            not_before=old.last_observed if old else None,
            not_after=changes[0].observed if len(changes) == 1 else last.observed,
            published=new.published if new else None,
            old_stamp=old.stamp if old else None,
            new_stamp=new.modified if new else None,
            revisions=len(changes),
            boilerplate=alike if alike > 1 else 0,
            unsteady=unsteady(self.conn, article)[0],
            stale=self._stale_since(article, last.observed),
        )

    def _passed(self, match: Match) -> Story:
        """Return the story of a restamp, a withdrawal or a return, as its event tells it."""
        data = orjson.loads(self.said[match.event])["data"]
        revision = self._revision((data.get("current") or data.get("last") or {}).get("id"))
        window = data.get("observedWindow", {})
        return replace(
            self._common(match.article, match.happened, [match.event], None),
            new_revision=revision,
            not_before=_moment(window.get("notBefore")),
            not_after=_moment(window.get("notAfter")),
            published=revision.published if revision else None,
            old_stamp=_claim(data.get("oldStamp")),
            new_stamp=_claim(data.get("newStamp")),
            detail=data.get("reason", ""),
        )

    def _retracted(self, match: Match) -> Story:
        """Return the story that takes another one back, with the change that is no more."""
        original = matches_by_id(self.conn, [match.follows or ""])
        told = [one.event for one in original]
        said = payloads(self.conn, told)
        self.said.update(said)
        story = self._common(match.article, "retracted", [*said, match.event], None)
        row = self.conn.execute(
            sa.select(diffs).where(diffs.c.id.in_([one.diff for one in original if one.diff]))
        ).first()
        if row is None:
            return story
        sides = {
            text.content_hash: text.wording
            for text in ledger.texts_by_content(self.conn, match.article, [row.old_content_hash, row.new_content_hash])
        }
        old, new = sides.get(row.old_content_hash), sides.get(row.new_content_hash)
        if old is None or new is None or not _leads(row, old, new):
            return story
        return replace(story, old=old, new=new, diff=revive(Diff, row.diff), diff_id=row.id)

    def _common(self, article: str, happened: str, events: Sequence[str], wording: Wording | None) -> Story:
        """Return what every story has: who published what, where, as the newest event and the article's row say."""
        about = orjson.loads(self.said[events[-1]])["data"]["article"] if events else {}
        query = sa.select(articles.c.url, articles.c.feed, articles.c.source, feeds.c.source.label("feed_source"))
        query = query.select_from(articles.outerjoin(feeds, feeds.c.url == articles.c.feed))
        row = self.conn.execute(query.where(articles.c.key == article)).one()
        source = revive(Source, row.source or row.feed_source or {})
        return Story(
            article=article,
            uri=article_uri(self.instance.authority, self.instance.since, article),
            url=about.get("url") or row.url,
            happened=cast(Happened, happened),
            events=tuple(self.said[event] for event in events),
            publisher=about.get("publisher") or source.publisher,
            headline=(wording.headline if wording else None) or about.get("headline"),
            language=about.get("language") or source.language,
            section=(wording.section if wording else None) or source.section,
            feed=row.feed,
        )

    def _revision(self, revision: str | None) -> Revision | None:
        body = self.conn.scalar(sa.select(revisions.c.body).where(revisions.c.id == revision))
        return None if body is None else revive(Revision, body)

    def _stale_since(self, article: str, changed: datetime) -> bool:
        own = ledger.load(self.conn, article).ledger
        return any(at > changed for at in stale(own, fold(own)))


def _compared(story: Story, pool: Pool) -> Story:
    """Return the story with what changed from its old wording to its new one."""
    if story.happened != "revised" or story.diff is not None or story.old is None or story.new is None:
        return story
    found = judged_in(pool, story.old, story.new, story.old_stamp, story.new_stamp, about=story.url)
    return replace(story, diff=found.diff, verdict=found.verdict)


def _leads(row: sa.Row[Any], old: Wording, new: Wording | None) -> bool:
    """Tell whether a kept diff leads from one wording to the other; one read by another extractor may not."""
    try:
        return apply(revive(Diff, row.diff), old) == new
    except BadContent:
        return False


def _claim(plain: dict[str, Any] | None) -> Claim | None:
    if plain is None:
        return None
    return Claim(
        kind=plain["kind"],
        at=_moment(plain.get("at")),
        where=plain["where"],
        zone=plain["zone"],
        raw="",
        flags=tuple(plain.get("flags", ())),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
