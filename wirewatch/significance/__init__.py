"""Say what a diff means: whether it was said openly, its IPTC signal, how much it matters, and the reasons.

Class and score follow from the reasons alone (`weights` has the table), and nothing is ever dropped: a change that is
not understood is notable. Silence is only called so where a stamp can prove it: a stamp that is gone, went backwards,
names no time of day or was read as "3 hours ago" proves nothing, and the disclosure is then unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from wirewatch.canonical import comparable
from wirewatch.diff.words import words
from wirewatch.model import WORDING_FIELDS, Claim, Diff, Reason, Verdict, Wording
from wirewatch.significance.lexicon import Lexicon, lexicon_of
from wirewatch.significance.notes import corrected, new_note
from wirewatch.significance.reasons import hunk_reasons
from wirewatch.significance.sides import is_too_long, units
from wirewatch.significance.weights import LIGHT, WEIGHTS, by_weight, weigh

__all__ = ["LIGHT", "WEIGHTS", "judge", "uncompared"]

# Fields whose words say something by themselves; of the others only that they changed is said.
_READ: Final = ("headline", "standfirst", "caption", "body")
_MOST_HUNKS: Final = 2_000  # looked at closely: 0.1 s; a live blog's worst update has some hundred
_REWRITTEN_WORDS: Final = 50  # of a shorter text, half is soon changed
_COUNTED: Final = 1_000_000  # characters of a text whose words are counted for that: 0.2 s


def judge(diff: Diff, old: Wording, new: Wording, *, old_stamp: Claim | None, new_stamp: Claim | None) -> Verdict:
    """Return the verdict; the stamps are each side's modified claim.

    Disclosed: words changed, and the stamp moved on, or one appeared, or a correction note appeared or grew.
    Undisclosed: words changed, and a stamp is there that did not move on; one that went back, over words that came
    back, tells the reader of no change either. Unknown: all else.
    Reasons come heaviest first, those of one weight in the order of their hunks.
    """
    changed = _changed(diff, old, new)
    lexicon = lexicon_of(new.body or old.body or " ".join((*old.present().values(), *new.present().values())))
    note = new_note(diff, old, new)
    found = list(_reasons(diff, old, new, lexicon))
    found += _field_reasons(diff, changed, found)
    if note is not None:
        place, text = note
        if diff.hunks[place].field != "correction":
            found.append(Reason(kind="correction", field=diff.hunks[place].field, hunk=place))
        if (sentence := corrected(text, place, diff, new, lexicon)) is not None:
            found.append(sentence)
    significance_class, score = weigh(found)
    return Verdict(
        disclosure=_disclosure(note is not None, old_stamp, new_stamp) if changed else "unknown",
        signal="correction" if note is not None else "update",
        significance_class=significance_class,
        score=score,
        reasons=tuple(by_weight(found)),
    )


def uncompared(diff: Diff) -> Verdict:
    """Return the verdict on texts that are too long to be judged: anything may have changed in them."""
    reasons = [Reason(kind="uncompared", field=hunk.field, hunk=place) for place, hunk in enumerate(diff.hunks)]
    significance_class, score = weigh(reasons)
    return Verdict(
        disclosure="unknown",
        signal="update",
        significance_class=significance_class,
        score=score,
        reasons=tuple(reasons),
    )


def _reasons(diff: Diff, old: Wording, new: Wording, lexicon: Lexicon) -> Iterator[Reason]:
    """Yield the reasons of the hunks; light ones once a kind and field, with the first hunk."""
    seen: set[tuple[str, str]] = set()
    moves: set[int] = set()
    for place, hunk in enumerate(diff.hunks):
        if hunk.move is not None:
            if hunk.move not in moves:
                moves.add(hunk.move)
                yield Reason(kind="moved", field=hunk.field, hunk=place)
            continue
        if hunk.field not in _READ:
            continue
        if place >= _MOST_HUNKS:
            yield Reason(kind="rewritten", field=hunk.field, hunk=place)
            return
        texts = (getattr(old, hunk.field) or "", getattr(new, hunk.field) or "")
        for reason in hunk_reasons(place, hunk, *texts, lexicon):
            key = (reason.kind, reason.field)
            if reason.kind not in LIGHT or key not in seen:
                seen.add(key)
                yield reason
    if (first := _rewritten(diff, old)) is not None:
        yield Reason(kind="rewritten", field="body", hunk=first)


def _rewritten(diff: Diff, old: Wording) -> int | None:
    """Return the body's first hunk if most of its words are gone."""
    if diff.words_removed * 2 <= _REWRITTEN_WORDS or not old.body or len(old.body) > _COUNTED:
        return None
    count = len(words(old.body))
    if count < _REWRITTEN_WORDS or diff.words_removed * 2 <= count:
        return None
    return next((place for place, hunk in enumerate(diff.hunks) if hunk.field == "body"), None)


def _field_reasons(diff: Diff, changed: list[str], found: list[Reason]) -> Iterator[Reason]:
    """Yield one reason for each changed field but the body, unless only its spelling or marks changed."""
    first: dict[str, int] = {}
    for place, hunk in enumerate(diff.hunks):
        first.setdefault(hunk.field, place)
    weighty = {reason.field for reason in found if reason.kind not in LIGHT}
    for name in WORDING_FIELDS:
        if name in changed and name != "body" and (name not in _READ or name in weighty):
            yield Reason(kind=name, field=name, hunk=first[name])


def _changed(diff: Diff, old: Wording, new: Wording) -> list[str]:
    """Return the fields whose comparable form changed; whole texts are levelled only where the hunks do not tell."""
    told = (hunk for hunk in diff.hunks if hunk.move is None and not is_too_long(hunk))
    sure = {hunk.field for hunk in told if units(hunk.old.exact) != units(hunk.new.exact)}
    return [name for name in diff.changed_fields if name in sure or _form(old, name) != _form(new, name)]


def _form(wording: Wording, name: str) -> str:
    return comparable(getattr(wording, name) or "")


def _disclosure(noted: bool, old: Claim | None, new: Claim | None) -> Literal["disclosed", "undisclosed", "unknown"]:
    if noted or (old is None and new is not None):
        return "disclosed"
    if old is None or new is None:
        return "unknown"
    if {"relative", "no_time"} & {*old.flags, *new.flags} or old.at is None or new.at is None:
        return _by_words(old, new)
    before, after = old.at, new.at
    if old.where != new.where:  # one place may state seconds and the other not
        before, after = before.replace(second=0, microsecond=0), after.replace(second=0, microsecond=0)
    if old.zone != new.zone and before != after:
        return "unknown"  # the difference may be that of the zones
    return "disclosed" if before < after else "undisclosed"


def _by_words(old: Claim, new: Claim) -> Literal["disclosed", "unknown"]:
    """Judge stamps without an exact time: another day is a move, anything else proves nothing."""
    if "relative" in (*old.flags, *new.flags) or old.at is None or new.at is None:
        return "unknown"
    return "disclosed" if old.at.date() < new.at.date() else "unknown"
