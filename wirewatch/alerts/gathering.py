"""Make stories of what was matched: read events, wordings and labels as the store has them now, and compare.

Labels and later revisions are those of this moment, so a change that no longer stands has no story, and successive
changes of one article are one, from the oldest untold wording to the newest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
from wirewatch.store.labels import stale, unsteady_in
from wirewatch.store.tables import articles, diffs, feeds, revisions, wordings


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """The stories of a telling, none where nothing of it stands any more, and the matches of what does not."""

    stories: tuple[Story, ...]
    void: tuple[str, ...] = ()


def gather(store: Store, pool: Pool, instance: Instance, tellings: Sequence[Telling]) -> list[Gathered]:
    """Return what there is to tell of each telling; comparing is done in the pool, outside of any transaction."""
    if not tellings:
        return []
    with store.reading() as conn:
        known = _known(conn, instance, [match for telling in tellings for match in telling.matches])
    drafts = [known.draft(telling) for telling in tellings]
    return [Gathered(stories=tuple(_compared(story, pool) for story in stories), void=void) for stories, void in drafts]


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the store has on some matches, read in one transaction with a few statements for all.

    `said` are events by id; `changes` the kept diffs by id, and `told` the matches that follow-ups take back.
    """

    instance: Instance
    said: Mapping[str, str]
    changes: Mapping[str, sa.Row[Any]]
    told: Mapping[str, Match]
    rows: Mapping[str, Any]
    revisions: Mapping[str, Revision]
    texts: Mapping[tuple[str, str], Wording]
    unsteady: Mapping[str, tuple[str, ...]]
    stale: Mapping[str, tuple[datetime, ...]]

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
        own = self.changes.get(match.diff or "")
        if own is None or own.live:
            return own
        wanted = (own.old_content_hash, own.new_content_hash)
        same = (
            row
            for row in self.changes.values()
            if row.live and row.article == match.article and (row.old_content_hash, row.new_content_hash) == wanted
        )
        return min(same, key=lambda row: row.observed, default=None)

    def _revised(self, article: str, changes: Sequence[sa.Row[Any]], events: Mapping[str, str], alike: int) -> Story:
        first, last = changes[0], changes[-1]
        old, new = self.revisions.get(first.old_revision), self.revisions.get(last.new_revision)
        before = self.texts.get((article, old.text_hash)) if old else None
        after = self.texts.get((article, new.text_hash)) if new else None
        kept = len(changes) == 1 and before is not None and _leads(first, before, after)
        return replace(
            self._common(article, "revised", [events[one.id] for one in changes], after),
            old=before,
            new=after,
            diff=revive(Diff, first.diff) if kept else None,
            verdict=revive(Verdict, first.verdict) if kept else None,
            diff_id=last.id,
            old_revision=old,
            new_revision=new,
            not_before=old.last_observed if old else None,
            not_after=last.observed,
            published=new.published if new else None,
            old_stamp=old.stamp if old else None,
            new_stamp=new.modified if new else None,
            revisions=len(changes),
            boilerplate=alike if alike > 1 else 0,
            unsteady=self.unsteady.get(article, ()),
            stale=any(at > last.observed for at in self.stale.get(article, ())),
        )

    def _passed(self, match: Match) -> Story:
        """Return the story of a restamp, a withdrawal or a return, as its event tells it."""
        data = orjson.loads(self.said[match.event])["data"]
        revision = self.revisions.get((data.get("current") or data.get("last") or {}).get("id", ""))
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
        told = self.told.get(match.follows or "")
        events = [event for event in (told.event if told else None, match.event) if event in self.said]
        story = self._common(match.article, "retracted", [event for event in events if event], None)
        row = self.changes.get((told.diff if told else None) or "")
        if row is None:
            return story
        sides = [self.texts.get((match.article, side)) for side in (row.old_content_hash, row.new_content_hash)]
        old, new = sides
        if old is None or new is None or not _leads(row, old, new):
            return story
        return replace(story, old=old, new=new, diff=revive(Diff, row.diff), diff_id=row.id)

    def _common(self, article: str, happened: str, events: Sequence[str], wording: Wording | None) -> Story:
        """Return what every story has: who published what, where, as the newest event and the article's row say."""
        about = orjson.loads(self.said[events[-1]])["data"]["article"] if events else {}
        row = self.rows[article]
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


def _known(conn: Connection, instance: Instance, matches: Sequence[Match]) -> _Known:
    keys = {match.article for match in matches}
    told = {one.id: one for one in matches_by_id(conn, {match.follows for match in matches if match.follows})}
    said = payloads(conn, {match.event for match in (*matches, *told.values())})
    # All changes of these articles: what was joined since has its change under another id.
    names = {match.diff for match in (*matches, *told.values()) if match.diff}
    kept = conn.execute(sa.select(diffs).where(sa.or_(diffs.c.id.in_(names), diffs.c.article.in_(keys)))).all()
    live: dict[str, list[Any]] = {}
    for row in kept:
        if row.live:
            live.setdefault(row.article, []).append(row)
    query = sa.select(articles.c.key, articles.c.url, articles.c.feed, articles.c.source)
    query = query.add_columns(feeds.c.source.label("feed_source"))
    query = query.select_from(articles.outerjoin(feeds, feeds.c.url == articles.c.feed))
    bodies = conn.execute(sa.select(revisions.c.id, revisions.c.body).where(revisions.c.article.in_(keys)))
    ledgers = {key: loaded.ledger for key, loaded in ledger.load_all(conn, sorted(keys)).items()}
    return _Known(
        instance=instance,
        said=said,
        changes={row.id: row for row in kept},
        told=told,
        rows={row.key: row for row in conn.execute(query.where(articles.c.key.in_(keys)))},
        revisions={row.id: revive(Revision, row.body) for row in bodies},
        texts=_texts(conn, keys),
        unsteady={key: unsteady_in((row.id, row.verdict) for row in own)[0] for key, own in live.items()},
        stale={key: stale(one, fold(one)) for key, one in ledgers.items()},
    )


def _texts(conn: Connection, keys: Collection[str]) -> dict[tuple[str, str], Wording]:
    """Return the kept wordings of articles, by key and hash: that of the text, and that of its content."""
    found: dict[tuple[str, str], Wording] = {}
    rows = conn.execute(sa.select(wordings).where(wordings.c.article.in_(keys)).order_by(wordings.c.text_hash.desc()))
    for row in rows:
        found[row.article, row.text_hash] = found[row.article, row.content_hash] = revive(Wording, row.wording)
    return found


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
