"""Decide where an article's text ends, by the page's structure and by the text that its data state.

The effects in the comments are on precision, recall and F1 over 181 and 252 pages (scrapinghub, Fundus), each rule
added to those before it. No rule here cuts into the middle of a text.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from wirewatch.extract.article import Block
from wirewatch.extract.furniture import key
from wirewatch.extract.page import HEADINGS, Line, Page, Part, squeeze

_SENTENCE: Final = 40  # characters; shorter blocks do not tell where the text is
_MOST_OF_TEXT: Final = 0.85  # share of the text that the article's element holds; 0.75 and 0.92 found fewer
_MOST_BEHIND: Final = 0.3  # of the text may lie behind the element's last line; more, and the element is misread
_AGREEING: Final = 0.6  # of the blocks' text is also in the stated text, for that to be the same article
_ALL_STATED: Final = 0.8  # of the stated text is in the blocks, for its end to be theirs: some state only a beginning
_LONGER: Final = 1.5  # times as long as the blocks is the stated text, where the page shows only a part
_LEVELS: Final = 3  # of elements around the blocks, in which those beside it are looked at
_GAINED: Final = 1.3  # times the blocks' text is in all of them together
_MOST_GAINED: Final = 5  # more is a list of articles
_HEADLINES: Final = frozenset({"h1", "h2"})
_COMPARED: Final = 200  # letters of a block that are looked up in the stated text


def until_the_end(blocks: list[Block], page: Page, stated: str | None) -> list[Block]:
    """Return the blocks without what follows the article, or the stated text where that is much longer."""
    spoken = stated_blocks(stated)
    blocks = _from_like_elements(blocks, page, key(" ".join(block.text for block in spoken)))
    if not blocks or not spoken:
        return _in_one_element(blocks, page) or spoken
    whole = key(" ".join(block.text for block in spoken))
    keys = [key(block.text) for block in blocks]
    total = sum(map(len, keys))
    shared = [n for n, same in enumerate(keys) if same and same[:_COMPARED] in whole]
    agreeing = sum(len(keys[n]) for n in shared)
    # A page that prints part of its text, or of which only part is found: +.0000 recall, +.0037 on Fundus.
    if agreeing >= (_AGREEING + 0.1) * total and len(whole) > _LONGER * total:
        return spoken
    # What follows the last stated block: no change on scrapinghub (few state their text), F1 +.0010 on Fundus.
    if shared and agreeing >= _AGREEING * total and agreeing >= _ALL_STATED * len(whole):
        blocks = blocks[: shared[-1] + 1]
    return _in_one_element(blocks, page)


def stated_blocks(text: str | None) -> list[Block]:
    """Return the paragraphs of a text that a page states in its data, as HTML or plain."""
    plain = re.sub(r"<[^<>]{1,300}>", "\n", html.unescape(text or ""))
    return [Block(line) for raw in plain.splitlines() if (line := squeeze(raw))]


def _from_like_elements(blocks: list[Block], page: Page, stated: str) -> list[Block]:
    """Return the text of all elements beside the one with the blocks that have its name, where they hold much text.

    Some pages divide an article among several elements, with an advertisement after each, and the extractor takes one:
    F1 +.0029 on scrapinghub (all on half B), none on Fundus, where no page is so; no page of either lost by it. Others
    print the next story under the first: an `article` is a story of its own, and so is what opens with a headline.
    """
    total = sum(len(block.text) for block in blocks)
    for home, alike in _alike(blocks, page):
        found = _one_story(_lines_in(alike, page), home, stated)
        if _GAINED * total < sum(len(block.text) for block in found) < _MOST_GAINED * total:
            return found
    return blocks


def stands_alone(blocks: list[Block], page: Page, more: float) -> bool:
    """Tell whether no elements beside the one with the blocks hold enough to be added, even with `more` characters."""
    total = sum(len(block.text) for block in blocks)
    for _, alike in _alike(blocks, page):
        lines = (line for inside in _lines_in(alike, page).values() for line in inside)
        held = sum(len(line.text) for line in lines if line.part is Part.TEXT and not line.link)
        if held + more > _GAINED * total:
            return False
    return True


def _alike(blocks: list[Block], page: Page) -> Iterator[tuple[int, list[int]]]:
    """Yield the elements around the blocks, inner ones first, each with all those beside it that have its name."""
    home = _home(blocks, page)
    for _ in range(_LEVELS):
        if not home or page.names[home].startswith("article "):
            return
        alike = [
            place
            for place in range(page.around[home], len(page.around))
            if page.around[place] == page.around[home] and page.names[place] == page.names[home]
        ]
        if len(alike) > 1 and " " in page.names[home].strip():
            yield home, alike
        home = page.around[home]


def _lines_in(places: list[int], page: Page) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {place: [] for place in places}
    for line in page.lines:
        place = line.place
        while place > places[0] and place not in found:
            place = page.around[place]
        if place in found:
            found[place].append(line)
    return found


def _one_story(lines: dict[int, list[Line]], home: int, stated: str) -> list[Block]:
    """Return the text of those elements that belong to the one with the blocks, by the stated text or the headlines."""
    story: list[Line] = []
    for place, inside in lines.items():
        if stated:
            story += inside if place == home or _agrees(inside, stated) else []
            continue
        if _opens_story(inside):
            if place > home:
                break
            story = []
        story += inside
    return [
        Block(line.text, heading=line.tag in HEADINGS) for line in story if line.part is Part.TEXT and not line.link
    ]


def _agrees(lines: Sequence[Line], stated: str) -> bool:
    keys = [key(line.text) for line in lines if line.part is Part.TEXT and not line.link]
    return sum(len(same) for same in keys if same[:_COMPARED] in stated) >= _AGREEING * sum(map(len, keys))


def _opens_story(lines: Sequence[Line]) -> bool:
    """Tell whether a headline stands before the first sentence."""
    before = takewhile(lambda line: line.tag in _HEADLINES or len(line.text) < _SENTENCE, lines)
    return any(line.tag in _HEADLINES for line in before)


def _in_one_element(blocks: list[Block], page: Page) -> list[Block]:
    """Return the blocks up to the last one inside the smallest element that holds most of the text.

    Boxes with the author's life, newsletters and other stories stand behind that element: F1 +.0011 on scrapinghub,
    +.0014 on Fundus. What stands before it is kept: a standfirst often has an element of its own (recall -.024).
    """
    home = _home(blocks, page)
    if not home:
        return blocks
    inside: set[str] = set()
    outside: set[str] = set()
    for line in page.lines:
        place = line.place
        while place > home:
            place = page.around[place]
        (inside if place == home else outside).add(key(line.text))
    last = max((n for n, block in enumerate(blocks) if key(block.text) not in outside - inside), default=len(blocks))
    behind = sum(len(block.text) for block in blocks[last + 1 :])
    return blocks[: last + 1] if behind < _MOST_BEHIND * sum(len(block.text) for block in blocks) else blocks


def _home(blocks: Sequence[Block], page: Page) -> int:
    """Return the number of the smallest block element around most of the text; 0 if there is none."""
    text = {key(block.text) for block in blocks if len(block.text) >= _SENTENCE}
    held: Counter[int] = Counter()
    for line in page.lines:
        if len(line.text) >= _SENTENCE and line.part in (Part.TEXT, Part.STANDFIRST) and key(line.text) in text:
            held[line.place] += len(line.text)
    total = held.total()
    for place in range(len(page.around) - 1, 0, -1):  # an element has a higher number than those around it
        if place in held:
            if held[place] >= _MOST_OF_TEXT * total:
                return place
            held[page.around[place]] += held[place]
    return 0
