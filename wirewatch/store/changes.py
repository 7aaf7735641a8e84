"""Keep, beside each live diff, the one row that lists of changes, filters, searches and feeds are read from.

A row's `place` is its time (the first sight of the new wording) in microseconds with eleven bits behind it, in which
changes of one moment are told apart. So one number orders by time, leads on from page to page, and is the number by
which the search index knows the change; it holds until the year 2112. Technical diffs, which may be the extractor's
doing, have no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.model import WORDING_FIELDS, Diff, Facts, Hunk, Reason, Revision, Selector, Source, Verdict, Wording
from wirewatch.store import searching
from wirewatch.store.sql import insert
from wirewatch.store.tables import change_fields, changes
from wirewatch.store.types import to_microseconds

SHOWN_HUNKS: Final = 6  # of a change, in a list
SHOWN_REASONS: Final = 8
SHOWN_CHARACTERS: Final = 300  # of a hunk or a reason, on either side
_SHOWN_HEADLINE: Final = 500
_LONGEST_NAME: Final = 150  # of a publisher
_LONGEST_TAG: Final = 44  # of a language; what has the shape of one is never longer
NO_WORDS: Final = "the words of this change are not kept any more"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IN_A_MOMENT: Final = 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A change with all that is shown of it: `sentence` says it in words, `source` is what the configuration says."""

    diff_id: str
    old: Revision
    new: Revision
    old_wording: Wording
    new_wording: Wording
    facts: Facts
    source: Source
    diff: Diff
    verdict: Verdict
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """The part of a change that is shown in a list; long texts are cut and end with `…`."""

    hunks: tuple[Hunk, ...]
    hunk_count: int
    reasons: tuple[Reason, ...]
    fields: tuple[str, ...]
    words_added: int
    words_removed: int
    similarity: float
    score: float
    old_revision: str
    new_revision: str


def place_at(at: datetime) -> int:
    """Return the first place of a moment: all changes at that time or later stand there or behind."""
    return to_microseconds(at) * _IN_A_MOMENT


def time_of(place: int) -> datetime:
    """Return the time at which the change at a place was seen."""
    return _EPOCH + timedelta(microseconds=place // _IN_A_MOMENT)


def forget(conn: Connection, diff_ids: Sequence[str]) -> None:
    """Remove what is shown of these diffs."""
    if diff_ids:
        _remove(conn, changes.c.diff.in_(diff_ids))


def forget_article(conn: Connection, article: str) -> None:
    """Remove all that is shown of an article."""
    _remove(conn, changes.c.article == article)


def empty(conn: Connection, diff_ids: Sequence[str]) -> None:
    """Remove every word from what is shown of these diffs; lists go on counting them."""
    rows = conn.execute(sa.select(changes.c.place, changes.c.shown).where(changes.c.diff.in_(diff_ids))).all()
    if not rows:
        return
    searching.forget(conn, [row.place for row in rows])
    emptied = sa.update(changes).where(changes.c.place == sa.bindparam("emptied"))
    nothing = {"headline": None, "old_headline": None, "sentence": NO_WORDS}
    conn.execute(
        emptied.values(**nothing, shown=sa.bindparam("kept")),
        [{"emptied": row.place, "kept": {**wordless(row.shown), "hunks": []}} for row in rows],
    )


def move(conn: Connection, diff_id: str, old: Revision, new: Revision) -> None:
    """Put what is shown of a diff, whose words are not kept any more, where it stands in time now."""
    row = conn.execute(sa.select(changes).where(changes.c.diff == diff_id)).one_or_none()
    if row is None:
        return
    names = conn.scalars(sa.select(change_fields.c.field).where(change_fields.c.place == row.place)).all()
    kept = {name: value for name, value in row._mapping.items() if name not in ("place", "words")}
    kept["shown"] = {**row.shown, "old_revision": old.id, "new_revision": new.id}
    kept["delay_us"] = _delay(new)
    _remove(conn, changes.c.diff == diff_id)
    place = _put(conn, kept, place_at(new.first_observed) + _spread(diff_id))
    conn.execute(sa.insert(change_fields), [{"field": name, "place": place} for name in names])


def keep(conn: Connection, told: Sequence[Told]) -> None:
    """Keep what is shown of these changes in place of what was shown of them before."""
    forget(conn, [one.diff_id for one in told])
    for one in told:
        if one.new.technical:
            continue
        place = _put(conn, row_of(one), place_at(one.new.first_observed) + _spread(one.diff_id))
        names = one.diff.changed_fields
        conn.execute(sa.insert(change_fields), [{"field": name, "place": place} for name in names])
        searching.keep(conn, place, text_of(one))


def row_of(told: Told) -> dict[str, Any]:
    """Return what is kept of a change, but for its place."""
    facts, source, old, new = told.facts, told.source, told.old, told.new
    return {
        "diff": told.diff_id,
        "article": new.article,
        "host": urlsplit(new.url).netloc,
        "feed": source.feed,
        "publisher": _cut(source.publisher or facts.publisher, _LONGEST_NAME),
        "language": _cut(facts.language or source.language, _LONGEST_TAG),
        "class": told.verdict.significance_class,
        "disclosure": told.verdict.disclosure,
        "signal": told.verdict.signal,
        "delay_us": _delay(new),
        "headline": _cut(told.new_wording.headline, _SHOWN_HEADLINE),
        "old_headline": _cut(told.old_wording.headline, _SHOWN_HEADLINE),
        "sentence": told.sentence,
        "shown": shown(told.diff, told.verdict, old.id, new.id),
    }


def shown(diff: Diff, verdict: Verdict, old_revision: str, new_revision: str) -> Shown:
    """Return the part of a change that a list shows."""
    return Shown(
        hunks=tuple(map(_hunk, diff.hunks[:SHOWN_HUNKS])),
        hunk_count=len(diff.hunks),
        reasons=tuple(
            replace(one, old=_cut(one.old, SHOWN_CHARACTERS), new=_cut(one.new, SHOWN_CHARACTERS))
            for one in verdict.reasons[:SHOWN_REASONS]
        ),
        fields=diff.changed_fields,
        words_added=diff.words_added,
        words_removed=diff.words_removed,
        similarity=diff.similarity,
        score=verdict.score,
        old_revision=old_revision,
        new_revision=new_revision,
    )


def text_of(told: Told) -> str:
    """Return what a change is found by: all of the new text, and what was taken out of the old one."""
    new = told.new_wording
    removed = (hunk.old.exact for hunk in told.diff.hunks if hunk.old.exact and hunk.move is None)
    present = new.present()
    ordered = [present[name] for name in WORDING_FIELDS if name in present and name != "body"]
    return "\n".join((*ordered, *removed, new.body or ""))


def _put(conn: Connection, row: Mapping[str, Any], place: int) -> int:
    """Put a row at the first free place from `place` on, and return where."""
    while True:
        new = insert(conn, changes).values(place=place, **row)
        put = conn.execute(new.on_conflict_do_nothing(index_elements=["place"]).returning(changes.c.place))
        if put.scalar() is not None:
            return place
        place += 1


def _delay(new: Revision) -> int:
    return to_microseconds(new.first_observed) - to_microseconds(new.first_created)


def _spread(diff_id: str) -> int:
    return int(diff_id[:4], 16) % (_IN_A_MOMENT // 2)


def _remove(conn: Connection, which: sa.ColumnElement[bool]) -> None:
    places = conn.scalars(sa.select(changes.c.place).where(which)).all()
    if places:
        searching.forget(conn, places)
        conn.execute(sa.delete(change_fields).where(change_fields.c.place.in_(places)))
        conn.execute(sa.delete(changes).where(changes.c.place.in_(places)))


def wordless(judged: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict, or what is shown of one, without the words that its reasons quote."""
    if "reasons" not in judged:
        return dict(judged)
    reasons = [{name: one[name] for name in one if name not in ("old", "new")} for one in judged["reasons"]]
    return {**judged, "reasons": reasons}


def _hunk(hunk: Hunk) -> Hunk:
    return replace(hunk, old=_selector(hunk.old), new=_selector(hunk.new))


def _selector(side: Selector) -> Selector:
    return replace(side, exact=_cut(side.exact, SHOWN_CHARACTERS) or "")


def _cut(text: str | None, most: int) -> str | None:
    return text if text is None or len(text) <= most else f"{text[: most - 1]}…"
