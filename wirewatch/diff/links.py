"""Say which sentences of one text are which of the other, and what was done to each.

This is the comparison that the hunks come from, told by sentences: what researchers count. A sentence that was both
moved and reworded is one removed and one added, as in the hunks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Final, Literal

from wirewatch.diff.align import Comparison, Gap, Pair, compare_units, moved_units
from wirewatch.diff.rewording import word_edits
from wirewatch.diff.words import Span, numbers, sentences, words

Kind = Literal["same", "moved", "reworded", "number", "quotation", "merged", "split", "added", "removed"]

# What stands between two quotation marks, these included; a straight mark opens where none is open.
_QUOTED: Final = re.compile('“[^“”]*”|«[^«»]*»|„[^„“”]*[“”]|「[^「」]*」|『[^『』]*』|"[^"]*"')


@dataclass(frozen=True, slots=True)
class Link:
    """One sentence, or several that were merged or split, in both texts: places in characters, without space around.

    `added` has an empty place in the old text, `removed` in the new one. With `number` only numbers are others, with
    `quotation` only words between quotation marks.
    """

    kind: Kind
    old: Span
    new: Span


def links(old: str, new: str) -> list[Link]:
    """Return the links of all sentences of both texts, by their place in the new one.

    Raises `BadContent` for texts with more than a million different words.
    """
    compared = compare_units(old, new)
    found: list[Link] = []
    for block in compared.blocks:
        for n in range(block.size):
            found += _unchanged(compared, "same", block.old + n, block.new + n)
    for gap, pairs in compared.gaps:
        found += _gap_links(compared, gap, pairs)
    for unit, other in moved_units(compared):
        found += _unchanged(compared, "moved", unit, other)
    return sorted(found, key=lambda link: (link.new, link.old))


def _gap_links(compared: Comparison, gap: Gap, pairs: list[Pair]) -> Iterator[Link]:
    """Yield what one gap's sentences became, but for those that moved."""
    old, new = compared.old, compared.new
    i, j = gap.old_first, gap.new_first
    for a, a_end, b, b_end in (*pairs, (gap.old_last,) * 2 + (gap.new_last,) * 2):
        at, new_at = old.bounds[a], new.bounds[b]
        gone = [old.place(n) for n in range(i, a) if n not in compared.gone and old.keys[n]]
        come = [new.place(n) for n in range(j, b) if n not in compared.come and new.keys[n]]
        yield from (Link("removed", place, (new_at, new_at)) for place in gone)
        yield from (Link("added", (at, at), place) for place in come)
        i, j = a_end, b_end
        if a < a_end:
            place, new_place = old.place(a, a_end - 1), new.place(b, b_end - 1)
            kind: Kind = "merged" if a_end - a > b_end - b else "split"
            if a_end - a == b_end - b:
                kind = _kind(compared, place, new_place)
            yield Link(kind, place, new_place)


def _unchanged(compared: Comparison, kind: Kind, unit: int, other: int) -> Iterator[Link]:
    """Yield the sentences of a unit that both texts have word for word."""
    (start, end), (new_start, _) = compared.old.place(unit), compared.new.place(other)
    for first, last in _sentence_spans(compared.old.text[start:end]):
        yield Link(kind, (start + first, start + last), (new_start + first, new_start + last))


def _sentence_spans(text: str) -> Iterator[Span]:
    for start, end in pairwise((0, *sentences(text))):
        if length := len(text[start:end].rstrip()):
            yield start, start + length


def _kind(compared: Comparison, span: Span, new_span: Span) -> Kind:
    """Return what was done to one sentence that stayed one."""
    old, new = compared.old.text, compared.new.text
    edits = word_edits(old, span, new, new_span, compared.alphabet)
    pieces = [(old[edit.old_start : edit.old_end], new[edit.new_start : edit.new_end]) for edit in edits]
    if all(_numbers_only(before) and _numbers_only(after) for before, after in pieces):
        return "number"
    places = [(edit.old_start, edit.old_end) for edit in edits], [(edit.new_start, edit.new_end) for edit in edits]
    if all(_quoted(text, whole, parts) for text, whole, parts in ((old, span, places[0]), (new, new_span, places[1]))):
        return "quotation"
    return "reworded"


def _numbers_only(text: str) -> bool:
    return bool(text.strip()) and numbers(text) == words(text) != []


def _quoted(text: str, sentence: Span, parts: list[Span]) -> bool:
    """Tell whether all these parts of a sentence lie between quotation marks."""
    quoted = [(match.start() + 1, match.end() - 1) for match in _QUOTED.finditer(text, *sentence)]
    around = (bisect_right(quoted, start, key=itemgetter(0)) - 1 for start, _ in parts)
    return all(n >= 0 and end <= quoted[n][1] for n, (_, end) in zip(around, parts, strict=True))
