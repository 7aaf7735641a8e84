"""Revise any text by recorded edits, so that what became of each sentence is known and a diff can be held against it.

Sentences are cut as Wirewatch cuts them: what is measured is which sentence is linked to which, not where one ends.
Only what a reader could tell apart is edited: sentences of six words or more that occur once; rewording leaves numbers
and quotations alone, so that those kinds stay themselves.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, floor
from typing import Final

from wirewatch.diff.words import Span, paragraphs, sentences

KINDS: Final = ("reworded", "added", "removed", "moved", "merged", "split", "number", "quotation")
EDITED: Final = (0.10, 0.40)  # share of a text's sentences
REWORDED: Final = (0.20, 0.60)  # share of a sentence's words
MOVED_OVER: Final = 3  # sentences at least that a moved one passes
FEWEST_WORDS: Final = 6
FEWEST_SENTENCES: Final = 10  # of those that can be edited

_WORD: Final = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")
_NUMBER: Final = re.compile(r"(?<![\w.,:/-])\d+(?:[.,]\d+)*(?![\w:/-]|[.,]\d)")
_QUOTED: Final = re.compile(r"“[^“”]*”|«[^«»]*»|„[^„“”]*[“”]|\"[^\"]*\"")
_RARE: Final = ("number", "quotation")
_JOINTS: Final = (" and ", ", ", "; ", " – ")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of sentences `old` of the old text: sentences `new` of the new one (both may be none)."""

    kind: str
    old: tuple[int, ...]
    new: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """Two texts, where their sentences stand, and what was done to each."""

    old: str
    new: str
    old_spans: list[Span]
    new_spans: list[Span]
    done: list[Done]


@dataclass(slots=True)
class _Item:
    """Sentences of the new text that come from sentences `old` of the old one; `ends` closes a paragraph."""

    texts: list[str]
    old: tuple[int, ...]
    ends: bool
    kind: str = "same"


@dataclass(slots=True)
class _Draft:
    """A text on the way: `items` in the order of the new text, `open` the numbers of those that may still be edited."""

    items: list[_Item]
    chance: random.Random
    bank: Sequence[str]
    strangers: Sequence[str]
    open: set[int] = field(default_factory=set)
    moving: list[_Item] = field(default_factory=list)


def revise(text: str, chance: random.Random, bank: Sequence[str], strangers: Sequence[str]) -> Revision | None:
    """Return a revision of the text with 10 to 40 % of its sentences edited; None where it has too few to edit.

    `bank` is where new words come from, `strangers` where added sentences do.
    """
    items = [item for paragraph in _paragraphs(text) for item in paragraph]
    for number, item in enumerate(items):
        item.old = (number,)
    counted = Counter(item.texts[0] for item in items)
    draft = _Draft(items, chance, bank, [stranger for stranger in strangers if stranger not in counted])
    draft.open = {n for n, i in enumerate(items) if counted[i.texts[0]] == 1 and _is_long(i.texts[0])}
    if len(draft.open) < FEWEST_SENTENCES:
        return None
    old, old_spans = _set(items)
    todo = max(1, round(chance.uniform(*EDITED) * len(items)))
    for number in chance.sample(sorted(draft.open), len(draft.open)):
        if todo and number in draft.open:
            todo -= _edit(draft, number)
    final = _placed(draft)
    new, new_spans = _set(final)
    done: list[Done] = []
    at = 0
    for item in final:
        done.append(Done(item.kind, item.old, tuple(range(at, at + len(item.texts)))))
        at += len(item.texts)
    return Revision(old, new, old_spans, new_spans, done)


def _paragraphs(text: str) -> list[list[_Item]]:
    found = []
    for start, end in pairwise((0, *paragraphs(text))):
        paragraph = text[start:end]
        parts = [paragraph[a:b].strip() for a, b in pairwise((0, *sentences(paragraph)))]
        kept = [_Item([" ".join(part.split())], (), ends=False) for part in parts if part]
        if kept:
            kept[-1].ends = True
            found.append(kept)
    return found


def _set(items: list[_Item]) -> tuple[str, list[Span]]:
    """Return the items as one text, and where each sentence stands in it."""
    texts = [(text, item.ends and n + 1 == len(item.texts)) for item in items for n, text in enumerate(item.texts)]
    whole = ""
    spans: list[Span] = []
    for (text, ends), (following, _) in pairwise([*texts, ("", True)]):
        spans.append((len(whole), len(whole) + len(text)))
        whole += text + ("\n\n" if ends or not _is_seen(text, following) else " ")
    return whole.rstrip(), spans


def _is_seen(sentence: str, following: str) -> bool:
    """Tell whether a reader sees where one ends in a line: a heading among sentences stands alone."""
    return len(sentence) + 1 in sentences(f"{sentence} {following}")


def _is_one(sentence: str) -> bool:
    return sentences(sentence) == [len(sentence)]


def _is_long(sentence: str) -> bool:
    return len(_WORD.findall(sentence)) >= FEWEST_WORDS


def _edit(draft: _Draft, number: int) -> bool:
    """Edit one sentence in a way chosen by chance among those that it allows."""
    item = draft.items[number]
    rare_first = draft.chance.random() < 0.5  # few sentences have a number or a quotation
    for kind in sorted(draft.chance.sample(KINDS, len(KINDS)), key=lambda kind: rare_first and kind not in _RARE):
        if _EDITS[kind](draft, number, item):
            draft.open.discard(number)
            return True
    return False


def _reword(draft: _Draft, _number: int, item: _Item) -> bool:
    text = item.texts[0]
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    every = [match.span() for match in _WORD.finditer(text)]
    free = [span for span in every if not any(a <= span[0] < b for a, b in quoted)]
    fewest, most = ceil(REWORDED[0] * len(every)), floor(REWORDED[1] * len(every))
    count = min(most, max(fewest, round(draft.chance.uniform(*REWORDED) * len(every))))
    if not fewest <= count <= len(free):
        return False
    return _now(item, "reworded", _replaced(draft, text, draft.chance.sample(free, count)))


def _quote(draft: _Draft, _number: int, item: _Item) -> bool:
    text = item.texts[0]
    quotes = [match for match in _QUOTED.finditer(text) if len(_WORD.findall(match[0])) >= 4]
    if not quotes:
        return False
    inside = [match.span() for match in _WORD.finditer(text, *draft.chance.choice(quotes).span())]
    count = draft.chance.randint(1, max(1, len(inside) // 2))
    return _now(item, "quotation", _replaced(draft, text, draft.chance.sample(inside, count)))


def _now(item: _Item, kind: str, *texts: str) -> bool:
    """Give an item its new sentences, unless a reader would see other ones in them."""
    if not all(map(_is_one, texts)):
        return False
    item.texts, item.kind = [*texts], kind
    return True


def _replaced(draft: _Draft, text: str, spans: list[Span]) -> str:
    for start, end in sorted(spans, reverse=True):
        word = text[start:end]
        other = next(w for w in iter(lambda: draft.chance.choice(draft.bank), "") if w.lower() != word.lower())
        text = text[:start] + (other.capitalize() if word[0].isupper() else other.lower()) + text[end:]
    return text


def _renumber(draft: _Draft, _number: int, item: _Item) -> bool:
    text = item.texts[0]
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    free = [m for m in _NUMBER.finditer(text) if not any(a <= m.start() < b for a, b in quoted)]
    if not free:
        return False
    match = draft.chance.choice(free)
    places = [n for n in range(*match.span()) if text[n].isdigit()]
    at = draft.chance.choice(places)
    digit = draft.chance.choice([d for d in "123456789" if d != text[at]])
    return _now(item, "number", text[:at] + digit + text[at + 1 :])


def _remove(_draft: _Draft, _number: int, item: _Item) -> bool:
    item.texts, item.kind = [], "removed"
    return True


def _add(draft: _Draft, number: int, item: _Item) -> bool:
    """Put a stranger behind the sentence; that one stays as it is, and is not edited any more."""
    stranger = draft.chance.choice(draft.strangers)
    taken = [text for other in draft.items for text in other.texts]
    if stranger in taken or len(item.texts) > 1:
        return False
    draft.items[number] = _Item([*item.texts, stranger], item.old, item.ends, "added")
    return True


def _merge(draft: _Draft, number: int, item: _Item) -> bool:
    if item.ends or number + 1 not in draft.open or item.texts[0][-1] not in ".!?":
        return False
    other = draft.items[number + 1]
    joined = item.texts[0].rstrip(".!?…") + draft.chance.choice(_JOINTS) + _first(other.texts[0], str.lower)
    if not _now(item, "merged", joined):
        return False
    item.old, item.ends = item.old + other.old, other.ends
    other.texts, other.old = [], ()
    draft.open.discard(number + 1)
    return True


def _split(draft: _Draft, _number: int, item: _Item) -> bool:
    text = item.texts[0]
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    found = list(_WORD.finditer(text))
    cuts = [
        (left.end(), right.start())
        for left, right in pairwise(found[3:-3])
        if text[left.end() : right.start()] in {" ", ", "}
        and len(left[0]) > 3
        and right[0][0].islower()
        and not any(a < left.end() < b for a, b in quoted)
    ]
    if not cuts:
        return False
    end, start = draft.chance.choice(cuts)
    first, second = f"{text[:end]}.", _first(text[start:], str.upper)
    return _is_seen(first, second) and _now(item, "split", first, second)


def _move(draft: _Draft, number: int, item: _Item) -> bool:
    """Take the sentence out; where it goes is decided once all other edits are done."""
    draft.items[number] = _Item([], (), ends=False)
    item.kind = "moved"
    draft.moving.append(item)
    if item.ends:
        item.ends = False
        for before in reversed(draft.items[:number]):
            if before.texts:
                before.ends = True
                break
    return True


def _first(text: str, case: Callable[[str], str]) -> str:
    return case(text[0]) + text[1:]


_EDITS: Final[dict[str, Callable[[_Draft, int, _Item], bool]]] = {
    "reworded": _reword,
    "added": _add,
    "removed": _remove,
    "moved": _move,
    "merged": _merge,
    "split": _split,
    "number": _renumber,
    "quotation": _quote,
}


def _placed(draft: _Draft) -> list[_Item]:
    """Return the items of the new text, with what is removed as items without text, and what moved in its new place."""
    staying = [item for item in draft.items if item.old or item.texts]
    slots: dict[int, list[_Item]] = {}
    for item in draft.moving:
        home = sum(other.old < item.old for other in staying)
        far = [n for n in range(len(staying) + 1) if _sentences_between(staying, n, home) >= MOVED_OVER]
        if far:
            slots.setdefault(draft.chance.choice(far), []).append(item)
        else:
            item.kind = "same"
            slots.setdefault(home, []).append(item)
    placed = []
    for n in range(len(staying) + 1):
        placed += slots.get(n, [])
        placed += staying[n : n + 1]
    return [part for item in placed for part in _apart(item)]


def _sentences_between(items: list[_Item], one: int, other: int) -> int:
    return sum(len(item.texts) for item in items[min(one, other) : max(one, other)])


def _apart(item: _Item) -> list[_Item]:
    """Return a sentence and the stranger put behind it as two items."""
    if item.kind != "added":
        return [item]
    return [_Item(item.texts[:1], item.old, ends=False), _Item(item.texts[1:], (), item.ends, "added")]
