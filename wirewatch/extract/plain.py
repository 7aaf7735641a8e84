"""Read plain text that was clipped from a page: its menu line, headline, byline, stamps and all.

Text has no markup, so order stands in for it: what comes before the first paragraph is the page's head.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

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
    _read_head(head, body, draft)
    captions = {key(caption) for caption in draft.captions}
    for line in body:
        if _same(line) in captions or key(line) == key(headline or "") or printed_stamps(line, language):
            continue
        draft.blocks.append(Block(line, heading=is_subheading(line) and not is_correction(line)))
    draft.blocks = _before_links(draft.blocks)
    for line in head:
        if not printed_stamps(line, language) and not stamps and is_stamp(line, language):
            stamps.append(Printed(kind="published", where="text", raw=line))
    return draft, stamps


def _lines(text: str) -> list[str]:
    """Return the text's lines; where it is folded at a column, its paragraphs."""
    if text.count("\n") > LINES_LIMIT:
        raise BadContent(f"the text has more than {LINES_LIMIT} lines")
    lines = text.splitlines()
    broken = [line for line, after in pairwise(lines) if after.strip() and line.strip()]
    folded = [line for line in broken if len(line.rstrip()) in _FOLDED]
    if len(folded) >= 3 and 2 * len(folded) > len(broken) and max(map(len, lines)) <= _FOLDED.stop:
        lines = [" ".join(group.splitlines()) for group in re.split(r"\n[ \t]*\n", "\n".join(lines))]
    return [line for raw in lines if (line := squeeze(raw))]


def _headline(lines: list[str], language: str | None) -> tuple[str | None, list[str]]:
    """Return the first line that can be a headline, and the lines after it."""
    for n, line in enumerate(lines[:30]):
        if _is_furniture(line, language) or len(line) > 300:
            continue
        words = line.split()
        if len(words) >= 3 or (len(line) >= 8 and not line.isascii()):
            return line, lines[n + 1 :]
    return None, lines


def _divided(lines: list[str], language: str | None) -> tuple[list[str], list[str]]:
    """Return the lines before the first paragraph, and the others.

    The head ends behind the last byline, stamp, or line printed twice, as long as no two other lines lie between.
    """
    counts = Counter(map(_same, lines))
    end = others = 0
    for n, line in enumerate(lines[:20]):
        if counts[_same(line)] > 1 or (_is_furniture(line, language) and not (others and is_chrome(line))):
            end, others = n + 1, 0
            continue
        others += 1
        if others > 1:
            break
    return lines[:end], lines[end:]


def _read_head(head: list[str], body: list[str], draft: Draft) -> None:
    """Find byline, standfirst, caption and credit among the lines of a head; what is none of them is text.

    A caption is printed twice in a row or carries a credit. A standfirst stands alone, or is the first of two.
    """
    draft.byline = next((byline for line in head if (byline := byline_of(line, draft.language))), None)
    draft.credit = next((line for line in head if is_credit(line)), None)
    places: dict[str, list[int]] = {}
    texts = [line for line in head if not is_credit(line)]
    for n, line in enumerate(texts):
        if not _is_furniture(line, draft.language):
            places.setdefault(_same(line), []).append(n)
    twice_in_a_row = [same for same, found in places.items() if len(found) > 1 and found[1] == found[0] + 1]
    for same, found in places.items():
        lines = [texts[n] for n in found]
        parts = [split_credit(line) for line in lines]
        credit = next((credit for _, credit in parts if credit), None)
        alone = same not in twice_in_a_row or len(twice_in_a_row) > 1
        if credit or (draft.standfirsts and len(found) > 1) or not alone:
            draft.captions.append(parts[0][0])
            draft.credits.extend(lines)
            draft.credit = draft.credit or credit
        elif not draft.standfirsts:
            draft.standfirsts.append(lines[0])
        else:
            body.insert(0, lines[0])


def _is_furniture(line: str, language: str | None) -> bool:
    by_itself = is_menu(line) or is_chrome(line) or is_credit(line)
    return by_itself or is_stamp(line, language) or byline_of(line, language) is not None


def _same(line: str) -> str:
    return key(split_credit(line)[0] or line)


def _before_links(blocks: list[Block]) -> list[Block]:
    """Return the blocks without the list of headlines that follows `Related:` at the end."""
    for n, block in enumerate(blocks):
        if (
            n
            and is_chrome(block.text)
            and all(not ends_sentence(later.text) or is_chrome(later.text) for later in blocks[n:])
        ):
            return blocks[:n]
    return blocks
