"""Mark what changes on a page by itself: `5 minutes ago`, a count of comments, a list of other articles.

These are only marks. They take no weight from a change: whether an article is unsteady is seen after several revisions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Final

from wirewatch.canonical import comparable
from wirewatch.diff.words import words
from wirewatch.model import Hunk, Reason
from wirewatch.significance.lexicon import Lexicon, plain
from wirewatch.significance.sides import Side
from wirewatch.words import all_words, phrases

_LINE_LIMIT: Final = 300  # characters of a line that is looked at
_LISTING_REACH: Final = 15  # lines of a list between its heading and the change
_SENTENCE_ENDS: Final = tuple('.!?…。！？؟।"”»」')
_ITEM_LIMIT: Final = 140  # characters of a headline in a list


def passing(place: int, hunk: Hunk, old: Side, new: Side) -> Iterator[Reason]:
    """Yield the marks of one hunk."""
    if not (old.exact.strip() and new.exact.strip()) or max(len(old.exact), len(new.exact)) > _LINE_LIMIT:
        return  # a new line is news, and so is a long one; what passes by itself is exchanged
    line, before = _line(new.text, new.start, new.end), _line(old.text, old.start, old.end)
    counted = bool(old.numbers and new.numbers)
    ago = _ago().search(plain(comparable(line))) if counted else None
    if ago and _ago().search(plain(comparable(before))):
        yield Reason(kind="ago", field=hunk.field, hunk=place, new=ago[0].strip())
    if _is_sentence(line) or _is_sentence(before):
        return
    if counted and _counts(line, new.lexicon) and _counts(before, old.lexicon):
        yield Reason(kind="counter", field=hunk.field, hunk=place, new=line.strip()[:_ITEM_LIMIT])
    if heading := _heading(new.text, new.start):
        yield Reason(kind="listing", field=hunk.field, hunk=place, new=heading)


def _line(text: str, start: int, end: int) -> str:
    first = max(text.rfind("\n", 0, start) + 1, start - _LINE_LIMIT)
    last = text.find("\n", end)
    return text[first : min(last if last >= 0 else len(text), end + _LINE_LIMIT)]


def _is_sentence(text: str) -> bool:
    return any(line.rstrip().endswith(_SENTENCE_ENDS) or len(line) > _ITEM_LIMIT for line in text.splitlines())


def _counts(line: str, lexicon: Lexicon) -> bool:
    spoken = words(plain(line))
    pairs = {" ".join(pair) for pair in pairwise(spoken)}
    together = "".join(spoken)
    return bool(lexicon.counted & ({*spoken} | pairs)) or any(
        word in together for word in lexicon.counted if not word.isascii() and len(words(word)) > 1
    )


def _heading(text: str, start: int) -> str | None:
    """Return the heading of the list in which a line stands: `Most read`, above lines that are no sentences."""
    above = [line.strip() for line in text[max(0, start - 4_000) : start].split("\n")[:-1] if line.strip()]
    for line in reversed(above[-_LISTING_REACH:]):
        if plain(line).rstrip(":：").startswith(phrases("related")) and len(line) <= 60:
            return line
        if _is_sentence(line):
            return None
    return None


@cache
def _ago() -> re.Pattern[str]:
    """Return a pattern of `5 minutes ago` in all languages that are known."""
    shapes = set()
    for one in all_words().values():
        units = "|".join(
            sorted(map(re.escape, (*one.units.minute, *one.units.hour, *one.units.day)), key=len, reverse=True)
        )
        for ago in one.ago:
            if ago.before or ago.after:
                before, after = (rf"{re.escape(word)}\s?" if word else "" for word in (ago.before, ago.after))
                shapes.add(rf"{before}(?<!\d)\d{{1,3}}\s?(?:{units})\s?{after}")
    return re.compile("|".join(sorted(shapes, key=lambda shape: (-len(shape), shape))))
