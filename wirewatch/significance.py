"""Say what a diff means, as far as that is exact: whether it was said openly, its IPTC signal, and the reasons.

Silence is only called so where a stamp can prove it: a stamp that is gone, went backwards, names no time of day or was
read as "3 hours ago" proves nothing, and the disclosure is then unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from typing import Literal

from wirewatch.canonical import comparable
from wirewatch.diff.words import numbers, words
from wirewatch.model import WORDING_FIELDS, Claim, Diff, Hunk, Reason, Verdict, Wording


def judge(diff: Diff, old: Wording, new: Wording, *, old_stamp: Claim | None, new_stamp: Claim | None) -> Verdict:
    """Return the verdict; the stamps are each side's modified claim.

    Disclosed: words changed, and the stamp moved on, or one appeared, or a correction note appeared or grew.
    Undisclosed: words changed, and a stamp is there that did not move on; one that went back, over words that came
    back, tells the reader of no change either. Unknown: all else.
    Reasons are the numbers that changed, in the order of their hunks, then one for each changed field but the body.
    """
    changed = [name for name in diff.changed_fields if _form(old, name) != _form(new, name)]
    noted = len(_form(new, "correction")) > len(_form(old, "correction"))
    return Verdict(
        disclosure=_disclosure(noted, old_stamp, new_stamp) if changed else "unknown",
        signal="correction" if noted else "update",
        reasons=(*_number_reasons(diff), *_field_reasons(diff, changed)),
    )


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


def _number_reasons(diff: Diff) -> Iterator[Reason]:
    for place, hunk in enumerate(diff.hunks):
        if hunk.move is not None:
            continue
        before, after = numbers(hunk.old.exact), numbers(hunk.new.exact)
        gone, come = _without(before, after), _without(after, before)
        if hunk.op == "replace" or _is_numbers_only(hunk):
            for was, now in zip_longest(gone, come):
                yield Reason(kind="number", field=hunk.field, hunk=place, old=was, new=now)


def _is_numbers_only(hunk: Hunk) -> bool:
    """Tell whether nothing but numbers was put in or taken out; a whole new sentence is news, not a changed number."""
    text = hunk.old.exact or hunk.new.exact
    return len(words(text)) == len(numbers(text))


def _without(these: list[str], others: list[str]) -> list[str]:
    """Return `these` less the `others`, each as often as it occurs there, in order."""
    left = Counter(others)
    kept = []
    for number in these:
        if left[number]:
            left[number] -= 1
        else:
            kept.append(number)
    return kept


def _field_reasons(diff: Diff, changed: list[str]) -> Iterator[Reason]:
    first = {hunk.field: place for place, hunk in reversed(list(enumerate(diff.hunks)))}
    for name in WORDING_FIELDS:
        if name in changed and name != "body":
            yield Reason(kind=name, field=name, hunk=first[name])
