"""Find correction notes, and the sentence that a note speaks of.

A note is known by how its paragraph begins (`Correction:`) or by a phrase that nothing else has (`an earlier version of
this article`). The extraction moves notes that it knows to the wording's own field; here is looked for those that it
left in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise
from typing import Final

from wirewatch.canonical import comparable
from wirewatch.diff.words import numbers, sentences, words
from wirewatch.model import Diff, Hunk, Reason, Wording
from wirewatch.significance.lexicon import SPACELESS, Lexicon, note_phrases, plain
from wirewatch.significance.sides import is_too_long, units, worth
from wirewatch.words import phrases

_HEAD: Final = 160  # characters of a paragraph in which a note shows itself
_OPENING: Final = " *_[(【（《•–—-\"'"
_MARKS: Final = ":：.—–-】]）)、，|。;"
_NOTE_LIMIT: Final = 2_000  # characters of a note that are looked at
_MOST_PARAGRAPHS: Final = 500  # of one hunk that are looked at: 20 ms
_TEXT_LIMIT: Final = 100_000  # characters of a text in which its sentence is looked for
_SHOWN: Final = 300  # characters of the sentence that a reason quotes
_WHERE: Final = ("headline", "standfirst", "body")


def is_note(paragraph: str) -> bool:
    """Tell whether a paragraph of the text is a correction or clarification note."""
    head = plain(comparable(paragraph[:_HEAD])).lstrip(_OPENING)
    if note_phrases().search(head):
        return True
    found = _openings().match(head)
    if not found:
        return False
    rest = head[found.end() :].lstrip(" *_")
    return not rest or rest[0] in _MARKS or bool(re.match(r"\(|\W?\s?[^\W\d_]{0,12}\.?\s?\d", rest))


@cache
def _openings() -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(map(re.escape, phrases('correction')))})(?!\w)")


def new_note(diff: Diff, old: Wording, new: Wording) -> tuple[int, str] | None:
    """Return the hunk in which a note appeared or grew, and the note's new text; None where there is no new note."""
    before, after = comparable(old.correction or ""), comparable(new.correction or "")
    for place, hunk in enumerate(diff.hunks):
        if hunk.field == "correction" and _adds(before, after):
            return place, (new.correction or "")[:_NOTE_LIMIT]
        if hunk.move is None and hunk.field in ("standfirst", "body") and _says_more(hunk):
            for paragraph in islice(_touched(getattr(new, hunk.field) or "", hunk), _MOST_PARAGRAPHS):
                if is_note(paragraph) and not _stood(paragraph, hunk, old):
                    return place, paragraph[:_NOTE_LIMIT]
    return None


def _says_more(hunk: Hunk) -> bool:
    """Tell whether a hunk may have brought a note: it changed words, or is too long to be asked."""
    return is_too_long(hunk) or units(hunk.old.exact) != units(hunk.new.exact)


def _adds(before: str, after: str) -> bool:
    """Tell whether a note says more than it did, or says something else."""
    if len(after) > len(before):
        return True
    said = set(words(plain(before)))
    fresh = [word for word in words(plain(after)) if word not in said]
    return 2 * len(fresh) > len(words(after)) > 0


def _touched(text: str, hunk: Hunk) -> Iterator[str]:
    """Yield the beginnings of the new side's paragraphs that the hunk wrote into."""
    if not hunk.new.exact.strip():
        return
    start = text.rfind("\n", 0, hunk.new.start + len(hunk.new.exact) - len(hunk.new.exact.lstrip())) + 1
    for line in text[start : hunk.new.end + _NOTE_LIMIT].splitlines():
        if start >= hunk.new.end:
            return
        if line.strip():
            yield line
        start += len(line) + 1


def _stood(paragraph: str, hunk: Hunk, old: Wording) -> bool:
    """Tell whether the old text had this note, with at least as many words; a note that was reworded is no new one."""
    text = getattr(old, hunk.field) or ""
    start = text.rfind("\n", 0, hunk.old.start) + 1
    end = text.find("\n", hunk.old.end)
    earlier = [line for line in text[start : end if end >= 0 else None].splitlines() if is_note(line)]
    return any(not _adds(comparable(line), comparable(paragraph)) for line in earlier)


def corrected(note: str, place: int, diff: Diff, new: Wording, lexicon: Lexicon) -> Reason | None:
    """Return the sentence that a note speaks of: the one with most of its numbers and names, if any has one.

    The reason names the sentence's field, its words, and where they start; its hunk is the one that changed the
    sentence, or the note's own where the sentence had been changed before.
    """
    wanted = _traits(note, lexicon)
    best: tuple[float, Reason] | None = None
    for field in _WHERE:
        text = (getattr(new, field) or "")[:_TEXT_LIMIT]
        hunks = [(n, h) for n, h in enumerate(diff.hunks) if h.field == field and h.move is None]
        for start, end in pairwise([0, *sentences(text)] if text else []):
            said = text[start:end].strip()
            inside = [(n, h) for n, h in hunks if n != place and h.new.start < end and h.new.end >= start]
            score = _shared(wanted, _traits(said, lexicon))
            if not score or said in note or is_note(said):
                continue
            if inside:
                score += 0.5 + _shared(wanted, _traits(" ".join(h.old.exact for _, h in inside), lexicon))
            if best is None or score > best[0]:
                at = start + len(text[start:end]) - len(text[start:end].lstrip())
                hunk = inside[0][0] if inside else place
                best = score, Reason(kind="corrected", field=field, hunk=hunk, new=said[:_SHOWN], start=at)
    return best[1] if best else None


def _shared(wanted: set[str], found: set[str]) -> float:
    """Return how much two sets of traits share; a number tells more than one of several names."""
    return sum(2.0 if any(c.isdigit() for c in trait) else 1.0 for trait in wanted & found)


def _traits(text: str, lexicon: Lexicon) -> set[str]:
    """Return the numbers and the words with a capital or of katakana, which is how names can be told in a note."""
    figures = {worth(number, lexicon.thousands) for number in numbers(text)}
    spoken = words(text)
    counted = {str(lexicon.numerals[word]) for word in map(plain, spoken) if word in lexicon.numerals}
    capitals = {
        plain(word).removesuffix("'s")
        for word in spoken
        if len(word) > 2
        and (word[0].isupper() or (SPACELESS.match(word) and len(word) > 2))
        and plain(word) not in lexicon.common
        and plain(word) not in _generic()
    }
    return figures | {n for n in counted if len(n) > 1} | capitals


@cache
def _generic() -> frozenset[str]:
    """Words with which notes and sentences begin, and months, which stand in stamps."""
    spoken = {word for phrase in (*phrases("correction"), *phrases("modified")) for word in words(phrase)}
    return frozenset(spoken | {word for note in note_phrases().pattern.split("|") for word in words(note)})
