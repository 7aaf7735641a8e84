"""Read plain text that was clipped from a page: its menu line, headline, byline, stamps and all.

Text has no markup, so order stands in for it: what comes before the first paragraph is the page's head.
"""

from __future__ import annotations

import re
from collections import Counter

from wirewatch.errors import BadContent
from wirewatch.extract.article import Block, Draft
from wirewatch.extract.furniture import (
    byline_of,
    ends_sentence,
    is_chrome,
    is_correction,
    is_credit,
    is_menu,
    is_subheading,
    key,
    split_credit,
)
from wirewatch.extract.page import squeeze
from wirewatch.times import Printed, is_stamp, printed_stamps

LINES_LIMIT = 20_000  # a 20,000-word live blog has about 2,000
_FOLDED = range(50, 90)  # columns at which mail and editors break lines


def read_text(text: str, language: str | None) -> tuple[Draft, list[Printed]]:
    """Return the candidates for the fields, and the times printed in the text."""
    lines = _lines(text)
    stamps = [stamp for line in lines if len(line) <= 200 for stamp in printed_stamps(line, language)]
    headline, rest = _headline(lines, language)
    draft = Draft(blocks=[], headline=headline, language=language)
    head, body = _divided(rest, language)
    twice = {same for same, count in Counter(map(key, rest)).items() if count > 1 and same}
    _read_head(head, twice, body, draft)
    seen_caption = {key(caption) for caption in draft.captions}
    for line in body:
        if key(line) in seen_caption or key(line) == key(headline or "") or printed_stamps(line, language):
            continue
        draft.blocks.append(Block(line, heading=is_subheading(line) and not is_correction(line)))
    draft.blocks = _before_links(draft.blocks)
    for line in head:
        if not printed_stamps(line, language) and not stamps and is_stamp(line, language):
            stamps.append(Printed(kind="published", where="text", raw=line))
    return draft, stamps


def _lines(text: str) -> list[str]:
    if text.count("\n") > LINES_LIMIT:
        raise BadContent(f"the text has more than {LINES_LIMIT} lines")
    groups = [group.splitlines() for group in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n"))]
    lines: list[str] = []
    for group in groups:
        folded = len(group) > 1 and all(len(line.rstrip()) in _FOLDED for line in group[:-1])
        lines.extend([" ".join(group)] if folded else group)
    return [line for raw in lines if (line := squeeze(raw))]


def _headline(lines: list[str], language: str | None) -> tuple[str | None, list[str]]:
    """Return the first line that can be a headline, and the lines after it."""
    for n, line in enumerate(lines[:30]):
        if is_menu(line) or is_chrome(line) or is_stamp(line, language) or byline_of(line, language) or len(line) > 300:
            continue
        words = line.split()
        if len(words) >= 3 or (len(line) >= 8 and not line.isascii()):
            return line, lines[n + 1 :]
    return None, lines


def _divided(lines: list[str], language: str | None) -> tuple[list[str], list[str]]:
    """Return the lines before the first paragraph, and the others.

    The head ends behind the last byline, stamp, or line printed twice, as long as no two other lines lie between.
    """
    counts = Counter(map(key, lines))
    end = others = 0
    for n, line in enumerate(lines[:20]):
        known = is_stamp(line, language) or byline_of(line, language) or is_credit(line) or is_menu(line) or is_chrome(line)
        if known or counts[key(line)] > 1:
            end, others = n + 1, 0
            continue
        others += 1
        if others > 1:
            break
    return lines[:end], lines[end:]


def _read_head(head: list[str], twice: set[str], body: list[str], draft: Draft) -> None:
    language, later = draft.language, {key(line) for line in body}
    counts = Counter(map(key, head))
    for line in head:
        if is_menu(line) or is_chrome(line) or is_stamp(line, language):
            continue
        if byline := byline_of(line, language):
            draft.byline = draft.byline or byline
            continue
        if is_credit(line):
            draft.credit = draft.credit or line
            continue
        caption, credit = split_credit(line)
        printed_twice = counts[key(line)] > 1
        if credit and caption:
            draft.captions.append(caption)
            draft.credits.append(line)
            draft.credit = draft.credit or credit
        elif printed_twice and (draft.standfirsts or key(line) in later):
            draft.captions.append(line)
        elif key(line) in twice and not draft.standfirsts and not printed_twice:
            draft.standfirsts.append(line)
        elif printed_twice and not draft.captions and not draft.standfirsts:
            draft.captions.append(line)
        elif not draft.standfirsts and not printed_twice:
            draft.standfirsts.append(line)
    draft.captions = list(dict.fromkeys(draft.captions))
    captions = {key(caption) for caption in draft.captions}
    if not captions:
        draft.captions = []
    draft.descriptions = list(draft.standfirsts)


def _before_links(blocks: list[Block]) -> list[Block]:
    """Return the blocks without the list of headlines that follows `Related:` at the end."""
    for n, block in enumerate(blocks):
        if n and is_chrome(block.text) and all(not ends_sentence(later.text) or is_chrome(later.text) for later in blocks[n:]):
            return blocks[:n]
    return blocks
