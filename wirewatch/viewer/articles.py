"""Make the pages of one article: its history, one revision of it, and what changed between two.

Addresses name revisions by their ids and never by the number that people see: a late capture may move a number, and a
link that a lawyer has kept must go on showing what it showed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import orjson
from sqlalchemy.engine import Connection

from wirewatch import redline as drawn
from wirewatch import wording
from wirewatch.availability import availability
from wirewatch.diff.words import words
from wirewatch.encoding import revive
from wirewatch.judging import judged_in
from wirewatch.model import Claim, Diff, Facts, Observation, Outcome, Revision, Seen, Verdict, Wording
from wirewatch.revisions import History, Ledger, fold, stamp_of
from wirewatch.store import browsing, ledger
from wirewatch.store.browsing import Narrowing
from wirewatch.store.labels import boilerplate_of, labels, sentences
from wirewatch.store.removing import pages_removed, texts_removed
from wirewatch.viewer import models
from wirewatch.viewer.lists import Library, event_of, lines, redline_href, reference, revision_href, revision_ref
from wirewatch.viewer.models import ArticleRef, RevisionRow, Sight, Stretch

MOST_FOLDED: Final = 5_000
"""Observations of an article that are worked through for its page; of more, only what was seen last is shown."""

_SHOWN_OF_MORE: Final = 500
_MOST_CHANGES: Final = 300
_QUIET: Final = frozenset({Outcome.UNCHANGED, Outcome.NOT_MODIFIED, Outcome.DUPLICATE})


class NotThere(Exception):
    """What an address names is not in the store."""


class Gone(Exception):
    """What an address names was kept once, and its words are not any more."""


def article(library: Library, conn: Connection, key: str) -> models.Article:
    """Return the page of an article."""
    row = found(conn, key)
    revisions = revisions_of(conn, key)
    texts = browsing.wording_rows(conn, key, {one.text_hash for one in revisions})
    rows = revision_rows(conn, revisions, texts)
    told = browsing.listed(conn, Narrowing(article=key), limit=_MOST_CHANGES)
    latest = texts.get(revisions[-1].text_hash) if revisions else None
    count = browsing.count_observations(conn, key)
    history, known = History(), Ledger(article=key)
    if count <= MOST_FOLDED:
        known = ledger.load(conn, key).ledger
        history = fold(known)
    sights = tuple(_sights(known, history)) if known.observations else tuple(_seen_last(conn, key, revisions))
    return models.Article.model_construct(
        article=_reference(library, row, told[0] if told else None, latest),
        standfirst=latest.wording.get("standfirst") if latest else None,
        availability=row.availability,
        available_since=row.availability_since,
        pending=history.pending.kind if history.pending else None,
        first_created=revisions[-1].first_created if revisions else None,
        first_seen=row.first_seen,
        last_read=row.last_read,
        last_change=row.last_change,
        due=row.due_at,
        detail=row.last_detail,
        revisions=rows,
        changes=tuple(reversed(lines(library, conn, told))),
        restamps=tuple(
            models.Stamped(
                version=one.revision.version, observed=one.observed, old=one.old.at if one.old else None, new=one.new.at
            )
            for one in history.restamps
        ),
        sights=sights,
        standing=tuple(_standing(known)),
        names=tuple(models.Name(kind=one.kind, name=one.name) for one in ledger.names(conn, key)),
        labels=tuple(sentences(labels(conn, known, history), history)) if known.observations else (),
        compare=redline_href(key, revisions[0].id, revisions[-1].id) if len(revisions) > 2 else None,
        timemap=f"/articles/{key}/timemap",
        cut=max(0, count - _SHOWN_OF_MORE) if count > MOST_FOLDED else 0,
    )


def revision(library: Library, conn: Connection, key: str, name: str) -> models.RevisionPage:
    """Return the page of one revision."""
    row = found(conn, key)
    revisions = revisions_of(conn, key)
    place = _place(revisions, name)
    one = revisions[place]
    refs = [revision_ref(key, each) for each in revisions]
    texts = browsing.wording_rows(conn, key, {one.text_hash, revisions[-1].text_hash})
    if one.text_hash not in texts:
        raise _gone(conn, row, one)
    text = texts[one.text_hash]
    facts = revive(Facts, text.facts)
    page = browsing.page_facts(conn, [one.page_hash]).get(one.page_hash) if one.page_hash else None
    record = browsing.payload(conn, "record", one.id)
    seen = browsing.observation_at(conn, key, one.first_observed, one.content_hash)
    claims = revive(Observation, seen).claims if seen else _claims(one)
    older = revisions[place - 1] if place else None
    newer = revisions[place + 1] if place + 1 < len(revisions) else None
    return models.RevisionPage.model_construct(
        article=_reference(library, row, None, texts.get(revisions[-1].text_hash)),
        revision=revision_rows(conn, [one], texts, older)[0],
        wording=revive(Wording, text.wording),
        language=facts.language,
        image_url=facts.image_url,
        subheadings=facts.subheadings,
        record=orjson.loads(record) if record else None,
        record_href=f"{revision_href(key, one.id)}/record.json" if record else None,
        page=_kept(key, one, page) if page else None,
        no_page=None if page else _no_page(conn, one),
        claims=claims,
        observations=browsing.count_sights(conn, key, one.content_hash, one.first_observed, one.last_observed),
        older=refs[place - 1] if older else None,
        newer=refs[place + 1] if newer else None,
        first=refs[0],
        last=refs[-1],
        older_diff=redline_href(key, older.id, one.id) if older else None,
        newer_diff=redline_href(key, one.id, newer.id) if newer else None,
        timemap=f"/articles/{key}/timemap",
        memento_datetime=one.first_observed,
    )


def redline(library: Library, conn: Connection, key: str, old: str, new: str) -> models.Redline:
    """Return what changed between two revisions of an article, whichever came first."""
    row = found(conn, key)
    revisions = revisions_of(conn, key)
    before, after = (revisions[_place(revisions, name)] for name in (old, new))
    texts = browsing.wording_rows(conn, key, {before.text_hash, after.text_hash, revisions[-1].text_hash})
    for one in (before, after):
        if one.text_hash not in texts:
            raise _gone(conn, row, one)
    old_wording, new_wording = (revive(Wording, texts[one.text_hash].wording) for one in (before, after))
    kept = browsing.neighbours(conn, before.id, after.id)
    if kept is not None:
        diff, verdict = revive(Diff, kept.diff), revive(Verdict, kept.verdict)
        sentence = browsing.sentence_of(conn, kept.id) or wording.sentence(diff, new_wording)
    else:
        stamps = (before.stamp, after.modified)
        judgement = judged_in(library.pool, old_wording, new_wording, *stamps, about=library.uri(key))
        diff, verdict, sentence = judgement.diff, judgement.verdict, judgement.sentence
    event = event_of(kept.id, kept.announced) if kept is not None else None
    alike, alike_hunks = boilerplate_of(conn, key, kept.id) if kept is not None else (None, {})
    href = redline_href(key, before.id, after.id)
    previous, following = _beside(key, revisions, before, after)
    rows = revision_rows(conn, [before, after], texts)
    return models.Redline.model_construct(
        article=_reference(library, row, None, texts.get(revisions[-1].text_hash)),
        old=rows[0],
        new=rows[1],
        old_wording=old_wording,
        new_wording=new_wording,
        diff=diff,
        fields=diff.changed_fields,
        verdict=models.Verdict.model_construct(
            disclosure=verdict.disclosure,
            signal=verdict.signal,
            class_=verdict.significance_class,
            score=verdict.score,
            reasons=verdict.reasons,
        ),
        sentence=sentence,
        not_before=before.last_observed,
        not_after=after.first_observed,
        after_seconds=(after.first_observed - after.first_created).total_seconds(),
        id=kept.id if kept is not None else None,
        boilerplate=alike,
        boilerplate_hunks=alike_hunks,
        event=event,
        event_href=f"/events/{event}" if event else None,
        plain=drawn.plain(diff, old_wording),
        plain_href=f"{href}.txt",
        previous=previous,
        next=following,
        swap=redline_href(key, after.id, before.id),
        revisions=tuple(revision_ref(key, one) for one in revisions),
        too_long=any(reason.kind == "uncompared" for reason in verdict.reasons),
    )


def found(conn: Connection, key: str) -> Any:
    """Return an article's row; raise NotThere where there is none, or Moved where it is part of another by now."""
    row = browsing.article_row(conn, key)
    if row is None:
        raise NotThere("Nothing is kept under this address.")
    if row.merged_into:
        raise Moved(row.merged_into)
    return row


def _no_page(conn: Connection, one: Revision) -> str:
    removed = pages_removed(conn, [one.page_hash] if one.page_hash else [])
    if removed:
        return f"The page was removed on {max(removed.values()):%Y-%m-%d}: its hash is kept."
    return "No page was kept: its publisher forbids that (noarchive), or none came with it."


def _gone(conn: Connection, row: Any, one: Revision) -> Gone:
    if row.forgotten is not None:
        return Gone(f"The article was forgotten on {row.forgotten:%Y-%m-%d}: of its words only hashes are kept.")
    at = texts_removed(conn, [row.key], [one.text_hash]).get((row.key, one.text_hash))
    when = f" on {at:%Y-%m-%d}" if at else ""
    return Gone(f"The text of revision {one.version} was removed{when}, as the configuration says: its hash is kept.")


class Moved(Exception):
    """An article turned out to be another one; `key` is that of the one that goes on."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def revisions_of(conn: Connection, key: str) -> list[Revision]:
    """Return an article's revisions, oldest first."""
    return [revive(Revision, row.body) for row in browsing.revision_rows(conn, key)]


def revision_rows(
    conn: Connection, revisions: Sequence[Revision], texts: dict[str, Any], before: Revision | None = None
) -> tuple[RevisionRow, ...]:
    """Return revisions with their facts; `before` is the one before the first of them."""
    kept = browsing.page_facts(conn, {one.page_hash for one in revisions if one.page_hash})
    made = []
    for older, one in pairwise([before, *revisions]):
        text = texts[one.text_hash].wording if one is not None and one.text_hash in texts else {}
        if one is None:
            continue
        made.append(
            RevisionRow.model_construct(
                **revision_ref(one.article, one).__dict__,
                headline=text.get("headline"),
                words=len(words(text.get("body") or "")),
                content_hash=one.content_hash,
                text_hash=one.text_hash,
                url=one.url,
                published=one.published,
                modified=one.modified,
                stamp=one.stamp,
                technical=one.technical,
                earlier_wording_unseen=one.earlier_wording_unseen,
                extractor=one.extractor,
                page_hash=one.page_hash,
                page_kept=one.page_hash in kept,
                diff_href=redline_href(one.article, older.id, one.id) if older else None,
            )
        )
    return tuple(made)


def _reference(library: Library, row: Any, told: Any, text: Any) -> ArticleRef:
    facts = revive(Facts, text.facts) if text else Facts()
    return reference(
        library,
        row.key,
        url=row.url,
        host=row.host,
        headline=text.wording.get("headline") if text else None,
        publisher=told.publisher if told is not None else facts.publisher,
        language=facts.language,
        feed=row.feed,
    )


def _place(revisions: Sequence[Revision], name: str) -> int:
    for place, one in enumerate(revisions):
        if one.id == name:
            return place
    raise NotThere("This article has no such revision.")


def _beside(
    key: str, revisions: Sequence[Revision], before: Revision, after: Revision
) -> tuple[str | None, str | None]:
    """Return the redlines of the change before and the change after these two."""
    ids = [one.id for one in revisions]
    first, last = sorted((ids.index(before.id), ids.index(after.id)))
    previous = redline_href(key, ids[first - 1], ids[first]) if first else None
    following = redline_href(key, ids[last], ids[last + 1]) if last + 1 < len(ids) else None
    return previous, following


def _kept(key: str, one: Revision, page: Any) -> models.KeptPage:
    return models.KeptPage(
        hash=page.hash,
        size=page.size,
        content_type=page.content_type,
        kept=page.kept,
        headers=tuple((name, value) for name, value in page.headers),
        href=f"{revision_href(key, one.id)}/page",
    )


def _claims(one: Revision) -> tuple[Claim, ...]:
    return tuple(claim for claim in (one.published, one.modified) if claim is not None)


# What was seen


def _sights(known: Ledger, history: History) -> Iterator[Sight]:
    """Yield what was seen; sights in a row that say the same are one."""
    run: Sight | None = None
    stamp: datetime | None = None
    for observation, outcome in zip(known.observations, history.outcomes, strict=True):
        version = _version(history.revisions, observation)
        said = _stamp(observation)
        moved = said if said is not None and said.at != stamp else None
        stamp = said.at if said is not None else stamp
        same = run is not None and (run.outcome, run.version, run.detail) == (outcome, version, observation.detail)
        if run is not None and same and moved is None and (outcome in _QUIET or observation.detail):
            run = run.model_copy(update={"last": observation.observed, "count": run.count + 1})
            continue
        if run is not None:
            yield run
        run = Sight(
            outcome=outcome.value,
            first=observation.observed,
            last=observation.observed,
            count=1,
            version=version,
            detail=observation.detail,
            stamp=moved,
        )
    if run is not None:
        yield run


def _version(revisions: Sequence[Revision], observation: Observation) -> int | None:
    for one in revisions:
        same = one.content_hash == observation.content_hash
        if same and one.first_observed <= observation.observed <= one.last_observed:
            return one.version
    return None


def _stamp(observation: Observation) -> Claim | None:
    return stamp_of(observation.claims, "modified") or stamp_of(observation.claims, "published")


def _standing(known: Ledger) -> Iterator[Stretch]:
    """Yield how the article could be read, from one observation that says another thing to the next."""
    run: Stretch | None = None
    for one in known.observations:
        now = availability(one.seen, paywalled=one.paywalled).value
        if run is not None and run.availability == now:
            run = run.model_copy(update={"last": one.observed})
            continue
        if run is not None:
            yield run.model_copy(update={"last": one.observed})
        run = Stretch(availability=now, first=one.observed, last=one.observed, detail=one.detail)
    if run is not None:
        yield run


def _seen_last(conn: Connection, key: str, revisions: Sequence[Revision]) -> Iterator[Sight]:
    """Yield the last sights of an article of which too many are kept to be worked through."""
    versions = {one.content_hash: one.version for one in revisions}
    for row in reversed(browsing.latest_observations(conn, key, _SHOWN_OF_MORE)):
        outcome = "unchanged" if row.seen == Seen.WORDING else row.seen
        version = versions.get(row.content_hash)
        yield Sight(outcome=outcome, first=row.observed, last=row.observed, count=1, version=version)
