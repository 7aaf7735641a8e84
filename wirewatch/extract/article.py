"""Put an article's fields together from its blocks of text, its lines and what the page states.

HTML and plain text end here alike: a `Draft` holds the candidates, and the rules below decide which block is which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from wirewatch.extract.furniture import (
    byline_of,
    dateline_of,
    is_chrome,
    is_correction,
    is_credit,
    is_ending,
    is_menu,
    key,
)
from wirewatch.model import Wording
from wirewatch.times import is_stamp, printed_stamps

_SITE_NAME = re.compile(r"\s+[|–—·•»:-]+\s+")
_ENDING = re.compile(r"\s+[|–—·•»:-]+\s+|\s?[-|–]{1,2}(?=[^\W\d_]+\s?[|ㅣ-])")
_SHORTEST_STANDFIRST = 8  # letters; anything shorter is a label
_TOP = 4  # blocks among which a repeated standfirst is looked for
_LAST = 4  # blocks among which thanks and calls to subscribe are looked for
_LOOKED_AT = 3_000  # blocks that may be stamps; 1.4 ms each where all differ, and a 20,000-word live blog has 2,000
_FEW = 3  # blocks, which may be quoted again in a later one
_COPY = 0.6  # of the earlier blocks' text is in a later one
_MOST_NOISE = 0.5  # share of the blocks that may be taken away for their place; more means that the place is misread


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph or, if `heading`, sub-heading of the text as extracted."""

    text: str
    heading: bool = False


@dataclass(slots=True)
class Draft:
    """The candidates for an article's fields, best first. `noise` holds keys of lines that belong to other parts.

    `found` are the blocks of text that `blocks` were chosen from, `start` is the place of the headline's line.
    """

    blocks: list[Block]
    found: list[Block] = field(default_factory=list)
    headline: str | None = None
    start: int = 0
    standfirsts: list[str] = field(default_factory=list)  # printed as such
    byline: str | None = None
    section: str | None = None
    dateline: str | None = None
    captions: list[str] = field(default_factory=list)  # of all pictures, the lead one first
    credit: str | None = None
    credits: list[str] = field(default_factory=list)
    corrections: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    noise: frozenset[str] = frozenset()
    language: str | None = None


def compose(draft: Draft) -> tuple[Wording, tuple[str, ...]]:
    """Return the wording, and its sub-headings."""
    blocks, notes = _without_notes(_without_furniture(draft))
    standfirst = _standfirst(draft, blocks)
    blocks = _once(blocks, standfirst)
    dateline = draft.dateline
    while blocks and not blocks[0].heading:
        found, rest = dateline_of(blocks[0].text)
        dateline = found or dateline
        if not standfirst or key(standfirst) not in (key(blocks[0].text), key(rest)):
            break
        blocks = blocks[1:]
    while blocks and blocks[-1].heading:
        blocks = blocks[:-1]
    blocks = _without_last_lines(_without_copies(blocks))
    corrections = list(dict.fromkeys([*draft.corrections, *notes]))
    wording = Wording(
        headline=draft.headline or None,
        standfirst=standfirst,
        byline=draft.byline,
        section=draft.section,
        dateline=dateline,
        body="\n\n".join(block.text for block in blocks) or None,
        caption=draft.captions[0] if draft.captions else None,
        credit=draft.credit,
        correction="\n\n".join(_distinct(corrections)) or None,
    )
    return wording, tuple(block.text for block in blocks if block.heading)


def _without_furniture(draft: Draft) -> list[Block]:
    known = {key(text) for text in (*draft.captions, *draft.credits, draft.credit or "", draft.byline or "")} - {""}
    headline = key(draft.headline or "")
    drop: set[str] = set()
    kept: list[Block] = []
    whole = sum(len(block.text) for block in draft.blocks) or 1
    for group in (known, draft.noise):
        if sum(len(block.text) for block in draft.blocks if key(block.text) in group) < _MOST_NOISE * whole:
            drop |= group
    for n, block in enumerate(draft.blocks):
        same = key(block.text)
        top = not any(not earlier.heading for earlier in kept)
        if not same or same in drop or (same == headline and top):
            continue
        if top and n < _LOOKED_AT and _opens_page(block.text, draft):
            continue
        if n < _LOOKED_AT and (printed_stamps(block.text, draft.language) or is_menu(block.text)):
            continue
        if is_chrome(block.text):
            continue
        if is_credit(block.text):
            continue
        kept.append(block)
    return kept


def _once(blocks: list[Block], standfirst: str | None) -> list[Block]:
    """Return the blocks without a standfirst among the first of them, where it is printed twice: F1 +.0001."""
    same = key(standfirst or "")
    return [block for n, block in enumerate(blocks) if n >= _TOP or not same or key(block.text) != same] or blocks


def _without_copies(blocks: list[Block]) -> list[Block]:
    """Return the blocks without those that print most of the earlier ones again in one piece, as some pages hide it.

    F1 +.0011 on scrapinghub, none on Fundus.
    """
    kept: list[Block] = []
    keys: list[str] = []
    for block in blocks:
        same = key(block.text)
        told = sum(map(len, keys))
        if (
            len(keys) > _FEW
            and len(same) > _COPY * told
            and sum(len(one) for one in keys if one in same) > _COPY * told
        ):
            continue
        kept.append(block)
        keys.append(same)
    return kept


def _without_last_lines(blocks: list[Block]) -> list[Block]:
    """Return the blocks without the lines of thanks and the calls to subscribe among the last ones.

    Who else contributed: F1 +.0003 and +.0001. Calls to subscribe: +.0004 and +.0005; in the whole text they would cost
    recall.
    """
    start = len(blocks) - _LAST
    return [block for n, block in enumerate(blocks) if n < start or not is_ending(block.text)] or blocks


def _opens_page(text: str, draft: Draft) -> bool:
    """Tell whether a block before the first paragraph is a byline, a stamp or the author's name.

    Where the authors are stated, a line that names none of them is text: `By Royal Appointment`.
    """
    if is_stamp(text, draft.language):
        return True
    if byline := byline_of(text, draft.language):
        return not draft.authors or any(_names(byline, author) for author in draft.authors)
    return len(text) <= 120 and any(key(text) == key(author) for author in draft.authors)


def _names(byline: str, author: str) -> bool:
    """Tell whether a byline has an author's name, or a word of it: `By M. Quill` for Marta Quill."""
    words = {key(word) for word in byline.split()}
    return key(author) in key(byline) or any(len(word) > 2 and key(word) in words for word in author.split())


def _without_notes(blocks: list[Block]) -> tuple[list[Block], list[str]]:
    kept: list[Block] = []
    notes: list[str] = []
    waiting = ""  # a heading that announces the note
    for block in blocks:
        if waiting:
            notes.append(f"{waiting} {block.text}" if waiting[-1] in ":：" else f"{waiting}: {block.text}")
            waiting = ""
        elif is_correction(block.text):
            if len(block.text) <= 40 and not re.search(r"[:：.。]\s*\S", block.text):
                waiting = block.text
            else:
                notes.append(block.text)
        else:
            kept.append(block)
    return (kept, notes) if kept else (blocks, [])


def _standfirst(draft: Draft, blocks: Sequence[Block]) -> str | None:
    """Return what is printed as a standfirst; a description that only repeats the first paragraph is none."""
    later = {key(block.text) for block in blocks[3:]}
    for text in draft.standfirsts:
        same = key(text)
        if len(same) >= _SHORTEST_STANDFIRST and same not in later and same != key(draft.headline or ""):
            return text
    return None


def _distinct(notes: Sequence[str]) -> list[str]:
    """Return the notes without those that another one contains."""
    keys = [key(note) for note in notes]
    return [
        note
        for n, note in enumerate(notes)
        if not any(keys[n] in other and (keys[n] != other or m < n) for m, other in enumerate(keys) if m != n)
    ]


def choose_headline(printed: Sequence[str], stated: Sequence[str], title: str, publisher: str | None) -> str | None:
    """Return the headline that the page's data state, without the site's name, else the printed one.

    On 252 pages the first stated one was right on 83 %, the printed one on 68 %: print adds and leaves out kickers. A
    stated one that shares no word with the printed one is of something else, or the site's name. One that is also the
    page's title is written for search engines; where another statement confirms the printed one, that is the headline:
    +2.4 % exact (+1.6 % on half A, +3.1 % on half B). Without the title's vote confirmation gains and loses as much.
    """
    claimed = [bare for text in stated if (bare := without_site_name(text, publisher))]
    shown = [*printed, *([bare] if (bare := without_site_name(title, publisher)) else [])]
    if claimed and key(claimed[0]) == key(without_site_name(title, publisher)):
        seen = {key(text) for text in printed}
        claimed.sort(key=lambda text: key(text) not in seen)
    for text in claimed:
        if not printed or any(likeness(text, other) for other in printed):
            return _without_ending(text, [*shown, *claimed])
    return next((text for text in shown if len(text) > 3), None)


def _without_ending(text: str, others: Sequence[str]) -> str:
    """Return a title cut where a shorter candidate ends and a mark follows: `… | Sport`, `… - Courier`."""
    shorter = (other for other in others if len(other) > 3 and text.startswith(other))
    return next((other for other in shorter if _ENDING.match(text, len(other))), text)


def likeness(one: str, other: str) -> float:
    """Return how much two titles have in common, from 0 to 1: the share of the shorter one's words."""
    first, second = set(one.lower().split()), set(other.lower().split())
    shared = len(first & second)
    if not shared and not one.isascii():
        return SequenceMatcher(None, one[:200], other[:200], autojunk=False).ratio()
    return shared / max(1, min(len(first), len(second)))


def without_site_name(text: str, publisher: str | None) -> str:
    """Return a title without the site's name at its end or beginning: `… | Ellery Courier`."""
    if not text:
        return text
    pieces = _SITE_NAME.split(text)
    if len(pieces) < 2:
        return text
    name = key(publisher or "")
    if name and key(pieces[-1]) and (key(pieces[-1]) in name or name in key(pieces[-1])):
        return text[: text.rindex(pieces[-1])].rstrip(" |–—·•»:-")
    if name and key(pieces[0]) == name:
        return text[len(pieces[0]) :].lstrip(" |–—·•»:-")
    return text
