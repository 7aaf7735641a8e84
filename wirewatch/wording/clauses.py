"""Take a diff apart into what was done where, before any language puts it into words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from wirewatch.canonical import comparable
from wirewatch.diff.words import paragraph_number, paragraphs, words
from wirewatch.model import Diff, Hunk, Reason, Wording
from wirewatch.redline import visible

_QUOTED: Final = 60  # characters of a quotation
# A number as figures alone, and the word that stands behind it in the same line.
_FIGURES: Final = re.compile(r"[-+−]?[$¢-¥\u20a0-\u20cf]?\d[\d.,:/]*[%‰]?")
_BEHIND: Final = re.compile(r"[ \u00a0\u202f]([^\W\d_]{3,20})(?![\w'’-])")
# What can stand behind a number without being what it counts.
_NOT_COUNTED: Final = frozenset(
    re.findall(
        r"\w+",
        """
    after against along among and are before behind below between but came can could did does during for from
    had has have into less made more must near nor not now off once onto only other our out over per said shall
    she should than that the their them then there they this though through until upon was were what when where
    which while who will with without would you aber als auch auf aus bei bis das dem den der des die dies doch
    durch ein eine einem einen einer eines für gegen haben hat hatte hier ich ihr ist kann man mehr mit nach
    nicht noch nur oder ohne seit sich sie sind sowie statt über und unter uns vom von vor waren was wegen wenn
    wer werden wie wir wird worden wurde wurden zum zur zwischen aux avec ces dans des les par plus pour que qui
    sont sur une con del las los más para por dal dei nel non per più sono
    """,
    )
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where: a field, and in the body the number of the paragraph."""

    field: str
    paragraph: int = 0


@dataclass(frozen=True, slots=True)
class Quote:
    """A text on one line, of a long one its beginning; `words` is then how many the whole has, else 0."""

    text: str
    words: int = 0


@dataclass(frozen=True, slots=True)
class Clause:
    """What was done, and to which words; `counted` is the word behind a number that became another.

    It is empty where no word behind the number is counted by it, and None where no number became another.
    """

    did: Literal["added", "removed", "changed", "moved"]
    old: Quote | None = None
    new: Quote | None = None
    counted: str | None = None


def clauses(diff: Diff, new: Wording) -> dict[Clause, list[Place]]:
    """Return each different thing that was done, in the order of the text, with the places where."""
    return _gathered(_each(diff, paragraphs(new.body or "")))


def weightiest(diff: Diff, new: Wording, reasons: Sequence[Reason]) -> dict[Clause, list[Place]]:
    """Return the same, first what `reasons` name, in their order, with the words that numbers count."""
    order = {hunk: rank for rank, hunk in reversed(list(enumerate(reason.hunk for reason in reasons)))}
    told = [
        (order.get(index, len(reasons)), index, _counting(clause, diff.hunks[index], new), place)
        for index, clause, place in _indexed(diff, paragraphs(new.body or ""))
    ]
    return _gathered((clause, place) for _, _, clause, place in sorted(told, key=lambda one: one[:2]))


def _gathered(each: Iterator[tuple[Clause, Place]]) -> dict[Clause, list[Place]]:
    places: dict[Clause, list[Place]] = {}
    for clause, place in each:
        where = places.setdefault(clause, [])
        if place not in where:
            where.append(place)
    return {clause: sorted(where, key=lambda place: place.field != "body") for clause, where in places.items()}


def _each(diff: Diff, breaks: list[int]) -> Iterator[tuple[Clause, Place]]:
    for _, clause, place in _indexed(diff, breaks):
        yield clause, place


def _indexed(diff: Diff, breaks: list[int]) -> Iterator[tuple[int, Clause, Place]]:
    homes = {hunk.move: hunk for hunk in diff.hunks if hunk.move is not None and hunk.op == "insert"}
    for index, hunk in enumerate(diff.hunks):
        old, new = _quoted(hunk.old.exact), _quoted(hunk.new.exact)
        if hunk.move is not None:
            if hunk.op == "delete":
                yield index, Clause("moved", old=old), _place(homes[hunk.move], breaks)
        elif comparable(hunk.old.exact) == comparable(hunk.new.exact):
            continue
        elif hunk.op == "insert":
            yield index, Clause("added", new=new), _place(hunk, breaks)
        elif hunk.op == "delete":
            yield index, Clause("removed", old=old), _place(hunk, breaks)
        else:
            yield index, Clause("changed", old=old, new=new), _place(hunk, breaks)


def _counting(clause: Clause, hunk: Hunk, new: Wording) -> Clause:
    """Return the clause with the word that its number counts, where it is a number that became another."""
    if hunk.op != "replace" or not all(_FIGURES.fullmatch(side.exact) for side in (hunk.old, hunk.new)):
        return clause
    behind = _BEHIND.match(getattr(new, hunk.field) or "", hunk.new.end)
    if behind is None or behind[1].lower() in _NOT_COUNTED:
        return Clause(clause.did, clause.old, clause.new, counted="")
    return Clause(clause.did, clause.old, clause.new, counted=visible(behind[1]))


def _place(hunk: Hunk, breaks: list[int]) -> Place:
    if hunk.field != "body":
        return Place(hunk.field)
    text = hunk.new.exact
    start = hunk.new.start + len(text) - len(text.lstrip())
    return Place("body", paragraph_number(breaks, start))


def _quoted(text: str) -> Quote:
    line = visible(" ".join(text.split()))
    if len(line) <= _QUOTED:
        return Quote(line)
    cut = line.rfind(" ", 0, _QUOTED)
    return Quote(f"{line[: cut if cut > 0 else _QUOTED]}…", len(words(text)))
