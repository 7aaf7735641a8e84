"""Say what changed from one wording to the next, as hunks that rebuild the new wording to the last space.

Comparison here is exact: a curly quote for a straight one is a hunk, although it is no change to the ledger. So a pair
that counts as unchanged may still have a diff, and a diff always gives back what was read.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final, Literal

from rapidfuzz.distance import LCSseq

from wirewatch.diff.align import edits
from wirewatch.diff.rewording import Edit
from wirewatch.diff.words import words
from wirewatch.errors import BadContent
from wirewatch.model import WORDING_FIELDS, Diff, Hunk, Selector, Wording

__all__ = ["apply", "compare"]

# Code points kept on either side of a hunk, enough for a reader or a text-quote selector to find it again.
_CONTEXT: Final = 24
# Characters of a hunk compared at once for the similarity; longer ones are compared in as many proportional slices.
# Whole, 20,000 rewritten words take 360 ms, sliced 9 ms; the result differs by 1 %.
_SLICE: Final = 2_000


def compare(old: Wording, new: Wording) -> Diff:
    """Return what changed, field by field; an absent field is an empty text.

    The three figures are of the running text: of the body where either side has one, else of all fields together.
    A word is what a reader calls one (a number or a hyphenated word is one, a punctuation mark none); moved words are
    neither added nor removed. `similarity` is Indel's over characters, `2 * common / (old + new)`, with characters
    counted as common in their order if they lie outside the hunks or are matched inside one.

    Raises `BadContent` for texts with more than a million different words.
    """
    hunks: list[Hunk] = []
    for name in WORDING_FIELDS:
        before, after = _text(old, name), _text(new, name)
        if before != after:
            hunks.extend(_hunk(name, before, after, _tight(before, after, edit)) for edit in edits(before, after))
    measured = ("body",) if old.body or new.body else WORDING_FIELDS
    text = [hunk for hunk in hunks if hunk.field in measured]
    return Diff(
        hunks=tuple(hunks),
        words_added=sum(len(words(hunk.new.exact)) for hunk in text if hunk.move is None),
        words_removed=sum(len(words(hunk.old.exact)) for hunk in text if hunk.move is None),
        similarity=_similarity(
            sum(len(_text(old, name)) for name in measured), sum(len(_text(new, name)) for name in measured), text
        ),
    )


def apply(diff: Diff, old: Wording) -> Wording:
    """Return the new wording; a field left without text is None.

    Raises `BadContent` where the diff was made from another wording.
    """
    texts: dict[str, str | None] = {}
    for name in diff.changed_fields:
        before, parts, at = _text(old, name), [], 0
        for hunk in diff.hunks:
            if hunk.field != name:
                continue
            if hunk.old.start < at or before[hunk.old.start : hunk.old.end] != hunk.old.exact:
                raise BadContent("This diff was made from another wording; apply it to the one it names.", about=name)
            parts += [before[at : hunk.old.start], hunk.new.exact]
            at = hunk.old.end
        texts[name] = "".join([*parts, before[at:]]) or None
    return replace(old, **texts)


def _text(wording: Wording, name: str) -> str:
    text: str | None = getattr(wording, name)
    return text or ""


def _tight(old: str, new: str, edit: Edit) -> Edit:
    """Return the edit without the spaces that both sides begin or end with: a sentence put before a break is added.

    An edit of spaces alone stays whole.
    """
    start, end, new_start, new_end, move = edit
    if not (old[start:end] + new[new_start:new_end]).strip():
        return edit
    while start < end and new_start < new_end and old[start] == new[new_start] and old[start].isspace():
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and old[end - 1] == new[new_end - 1] and old[end - 1].isspace():
        end, new_end = end - 1, new_end - 1
    return Edit(start, end, new_start, new_end, move)


def _hunk(name: str, old: str, new: str, edit: Edit) -> Hunk:
    op: Literal["insert", "delete", "replace"] = "replace"
    if edit.old_start == edit.old_end:
        op = "insert"
    elif edit.new_start == edit.new_end:
        op = "delete"
    return Hunk(
        field=name,
        op=op,
        old=_selector(old, edit.old_start, edit.old_end),
        new=_selector(new, edit.new_start, edit.new_end),
        move=edit.move,
    )


def _selector(text: str, start: int, end: int) -> Selector:
    prefix, suffix = text[max(0, start - _CONTEXT) : start], text[end : end + _CONTEXT]
    return Selector(exact=text[start:end], prefix=prefix, suffix=suffix, start=start, end=end)


def _similarity(old_length: int, new_length: int, hunks: list[Hunk]) -> float:
    if not old_length + new_length:
        return 1.0
    kept = old_length - sum(len(hunk.old.exact) for hunk in hunks)
    common = kept + sum(_common(hunk.old.exact, hunk.new.exact) for hunk in hunks)
    return 2 * common / (old_length + new_length)


def _common(old: str, new: str) -> int:
    """Return how many characters both have in common, in order; of long texts, slice by proportional slice."""
    slices = -(-max(len(old), len(new)) // _SLICE)
    if slices <= 1:
        return LCSseq.similarity(old, new)
    cuts = [(len(old) * n // slices, len(new) * n // slices) for n in range(slices + 1)]
    return sum(LCSseq.similarity(old[a:b], new[c:d]) for (a, c), (b, d) in pairwise(cuts))
