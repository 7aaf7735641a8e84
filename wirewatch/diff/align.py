"""Find the fewest edits, as a reader would mark them, that turn one text into another.

Paragraphs that are equal are set aside first, then equal sentences, then sentences that were moved; what is left is
paired by likeness, and only inside such a pair are words compared. Sentences that have nothing to do with each other
are exchanged whole: a word-by-word comparison of those would leave a confetti of shared `the` and `of`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final, NamedTuple

from wirewatch.diff.matching import Alphabet, heaviest_chain, likeness, matching_blocks
from wirewatch.diff.rewording import Edit, shared_words, word_edits
from wirewatch.diff.words import Span, paragraphs, sentences, shared_edges, tokens

# Two sentences are one, reworded, if at least this share of their words and marks is common to both, in order.
ALIKE: Final = 0.36
# A sentence as short as this one is not worth calling moved: "He declined to comment." appears anywhere.
MOVED_TOKENS: Final = 5
# Up to here every old sentence is compared with every new one; above, only with those that share rare words with it.
_ALL_PAIRS: Final = 256
_ALL_CELLS: Final = 1 << 26  # words and marks of the one side times those of the other: 1 ms
_RARE: Final = 8  # sentences a word may occur in to be rare
_CANDIDATES: Final = 3  # sentences looked at closely for each old one
# Beyond this many changed sentences in one place (a long article has 500) they are exchanged whole: 10 MB of them would
# take 30 s to pair, and nobody reads the result.
_MOST_SENTENCES: Final = 50_000


@dataclass(slots=True)
class Side:
    """One text in units, sentences or whole paragraphs that both texts have: unit n lies at bounds[n]:bounds[n + 1]."""

    text: str
    bounds: list[int]  # the white space behind a unit belongs to it
    keys: list[str]  # each unit without the space behind it

    def place(self, first: int, last: int | None = None) -> Span:
        """Return where the units from `first` to `last` inclusive stand, without the space behind them."""
        last = first if last is None else last
        return self.bounds[first], self.bounds[last] + len(self.keys[last])


class Block(NamedTuple):
    """Consecutive units that both texts have at the same place."""

    old: int
    new: int
    size: int


class Gap(NamedTuple):
    """What lies between two blocks: units first:last of either side."""

    old_first: int
    old_last: int
    new_first: int
    new_last: int


@dataclass(slots=True)
class Comparison:
    """Two texts, what both have at the same place, and what moved (by unit: the number of its move)."""

    old: Side
    new: Side
    blocks: list[Block]
    gone: dict[int, int]
    come: dict[int, int]
    alphabet: Alphabet

    def gaps(self) -> Iterator[Gap]:
        return _gaps(self.blocks, len(self.old.keys), len(self.new.keys))


def edits(old: str, new: str) -> list[Edit]:
    """Return the edits in order: apart from each other, none empty, none with an edge that both sides share."""
    compared = compare_units(old, new)
    found = [edit for block in compared.blocks for edit in _spacing_edits(compared, block)]
    for gap in compared.gaps():
        found.extend(_gap_edits(compared, gap))
    return _joined(sorted(found, key=lambda edit: edit[:4]))


def compare_units(old: str, new: str) -> Comparison:
    """Set aside equal paragraphs, then equal sentences, and mark which of the rest moved."""
    old_side, new_side = Side(old, [0], []), Side(new, [0], [])
    blocks: list[Block] = []
    old_paragraphs, new_paragraphs = _cut(old, 0, len(old), paragraphs), _cut(new, 0, len(new), paragraphs)
    ends = (len(old_paragraphs.keys), len(new_paragraphs.keys), 0)
    i = j = 0
    for a, b, size in (*_matched(old_paragraphs, new_paragraphs), ends):
        if a > i or b > j:
            old_part = _cut(old, old_paragraphs.bounds[i], old_paragraphs.bounds[a], sentences)
            new_part = _cut(new, new_paragraphs.bounds[j], new_paragraphs.bounds[b], sentences)
            at, new_at = len(old_side.keys), len(new_side.keys)
            blocks += [Block(at + m, new_at + n, length) for m, n, length in _matched(old_part, new_part)]
            _append(old_side, old_part.bounds, old_part.keys)
            _append(new_side, new_part.bounds, new_part.keys)
        i, j = a + size, b + size
        if size:
            blocks.append(Block(len(old_side.keys), len(new_side.keys), size))
            _append(old_side, old_paragraphs.bounds[a : i + 1], old_paragraphs.keys[a:i])
            _append(new_side, new_paragraphs.bounds[b : j + 1], new_paragraphs.keys[b:j])
    compared = Comparison(old_side, new_side, blocks, {}, {}, Alphabet())
    _mark_moves(compared)
    return compared


def _append(side: Side, bounds: list[int], keys: list[str]) -> None:
    side.bounds += bounds[1:]
    side.keys += keys


def _cut(text: str, start: int, end: int, cutter: Callable[[str], list[int]]) -> Side:
    if start == end:
        return Side(text, [start], [])
    bounds = [start, *(start + at for at in cutter(text[start:end]))]
    return Side(text, bounds, [text[a:b].rstrip() for a, b in pairwise(bounds)])


def _matched(old: Side, new: Side) -> Iterator[tuple[int, int, int]]:
    alphabet = Alphabet()
    return matching_blocks(alphabet.spell(old.keys), alphabet.spell(new.keys))


def _gaps(blocks: list[Block], old_end: int, new_end: int) -> Iterator[Gap]:
    i = j = 0
    for a, b, size in (*blocks, (old_end, new_end, 0)):
        if a > i or b > j:
            yield Gap(i, a, j, b)
        i, j = a + size, b + size


def _spacing_edits(compared: Comparison, block: Block) -> Iterator[Edit]:
    """Yield where only the white space behind equal units differs."""
    old, new = compared.old, compared.new
    a, b, size = block
    if old.text[old.bounds[a] : old.bounds[a + size]] == new.text[new.bounds[b] : new.bounds[b + size]]:
        return
    for n in range(size):
        length = len(old.keys[a + n])
        start, end = old.bounds[a + n] + length, old.bounds[a + n + 1]
        new_start, new_end = new.bounds[b + n] + length, new.bounds[b + n + 1]
        if old.text[start:end] != new.text[new_start:new_end]:
            yield Edit(start, end, new_start, new_end)


def _mark_moves(compared: Comparison) -> None:
    """Number the sentences that are missing in one place and new in another; neighbours that stay so move as one."""
    arrived: dict[str, list[int]] = defaultdict(list)
    gaps = list(compared.gaps())
    for gap in gaps:
        for unit in range(gap.new_first, gap.new_last):
            arrived[compared.new.keys[unit]].append(unit)
    for places in arrived.values():
        places.reverse()
    last, count = (-1, -1), 0
    for gap in gaps:
        for unit in range(gap.old_first, gap.old_last):
            key = compared.old.keys[unit]
            if not arrived.get(key) or len(tokens(key)) < MOVED_TOKENS:
                continue
            other = arrived[key].pop()
            if last != (unit - 1, other - 1):
                count += 1
            last = (unit, other)
            compared.gone[unit] = compared.come[other] = count


def _gap_edits(compared: Comparison, gap: Gap) -> Iterator[Edit]:
    """Yield the edits of one gap: words inside sentences that are alike, all else whole."""
    old, new = compared.old, compared.new
    i, j = gap.old_first, gap.new_first
    for a, a_end, b, b_end in (*pairs(compared, gap), (gap.old_last,) * 2 + (gap.new_last,) * 2):
        yield from _whole_edits(compared, (i, a), (j, b))
        i, j = a_end, b_end
        if a < a_end:
            old_span, new_span = (old.bounds[a], old.bounds[i]), (new.bounds[b], new.bounds[j])
            yield from word_edits(old.text, old_span, new.text, new_span, compared.alphabet)


def _whole_edits(compared: Comparison, old: Span, new: Span) -> Iterator[Edit]:
    """Yield the exchange of some sentences for others; those that moved stay apart from those that did not."""
    bounds, new_bounds = compared.old.bounds, compared.new.bounds
    at, new_at = bounds[old[0]], new_bounds[new[0]]
    old_runs, new_runs = list(_runs(old, compared.gone)), list(_runs(new, compared.come))
    if len(old_runs) == len(new_runs) == 1 and old_runs[0][2] is new_runs[0][2] is None:
        end, new_end = bounds[old[1]], new_bounds[new[1]]
        head, tail = shared_edges(compared.old.text[at:end], compared.new.text[new_at:new_end])
        yield Edit(at + head, end - tail, new_at + head, new_end - tail)
        return
    for first, last, move in old_runs:
        yield Edit(bounds[first], bounds[last], new_at, new_at, move)
    end = bounds[old[1]]
    for first, last, move in new_runs:
        yield Edit(end, end, new_bounds[first], new_bounds[last], move)


def _runs(span: Span, moved: dict[int, int]) -> Iterator[tuple[int, int, int | None]]:
    first = span[0]
    for unit in range(span[0], span[1]):
        if unit + 1 == span[1] or moved.get(unit) != moved.get(unit + 1):
            yield first, unit + 1, moved.get(unit)
            first = unit + 1


def pairs(compared: Comparison, gap: Gap) -> list[tuple[int, int, int, int]]:
    """Return which old sentences were reworded into which new ones, as ranges: (old, end, new, end), in order."""
    old_keys, new_keys = compared.old.keys, compared.new.keys
    if gap.old_last - gap.old_first == gap.new_last - gap.new_first == 1:
        before, after = old_keys[gap.old_first], new_keys[gap.new_first]
        if 2 * sum(shared_words(before, after)) >= max(len(before), len(after)):
            return [(gap.old_first, gap.old_last, gap.new_first, gap.new_last)]
    if gap.old_last - gap.old_first + gap.new_last - gap.new_first > _MOST_SENTENCES:
        return []
    old_units = [n for n in range(gap.old_first, gap.old_last) if n not in compared.gone]
    new_units = [n for n in range(gap.new_first, gap.new_last) if n not in compared.come]
    old = {n: compared.alphabet.spell(tokens(old_keys[n])) for n in old_units}
    new = {n: compared.alphabet.spell(tokens(new_keys[n])) for n in new_units}
    links = []
    for i, j in _candidates(old, new):
        score = likeness(old[i], new[j])
        if score >= ALIKE:
            links.append((i, j, score * (len(old[i]) + len(new[j]))))
    found = [(i, i + 1, j, j + 1) for i, j in heaviest_chain(links)]
    for n, pair in enumerate(found):
        floor = (found[n - 1][1], found[n - 1][3]) if n else (gap.old_first, gap.new_first)
        ceiling = (found[n + 1][0], found[n + 1][2]) if n + 1 < len(found) else (gap.old_last, gap.new_last)
        found[n] = _with_neighbours(pair, floor, ceiling, old, new)
    return found


def _with_neighbours(
    pair: tuple[int, int, int, int], floor: Span, ceiling: Span, old: dict[int, str], new: dict[int, str]
) -> tuple[int, int, int, int]:
    """Return the pair with those sentences beside it that make it more alike: one was split, or two were joined."""
    a, a_end, b, b_end = pair
    score = likeness(old[a], new[b])
    for step in ((-1, 0, 0, 0), (0, 1, 0, 0), (0, 0, -1, 0), (0, 0, 0, 1)):
        a, a_end, b, b_end = (at + by for at, by in zip(pair, step, strict=True))
        if a < floor[0] or b < floor[1] or a_end > ceiling[0] or b_end > ceiling[1]:
            continue
        if any(n not in old for n in range(a, a_end)) or any(n not in new for n in range(b, b_end)):
            continue
        wider = likeness("".join(old[n] for n in range(a, a_end)), "".join(new[n] for n in range(b, b_end)))
        if wider > score:
            pair, score = (a, a_end, b, b_end), wider
    return pair


def _candidates(old: dict[int, str], new: dict[int, str]) -> Iterator[tuple[int, int]]:
    """Yield the pairs worth a closer look: all of a few; of many, for each old one those that share most rare words."""
    cells = sum(map(len, old.values())) * sum(map(len, new.values()))
    if len(old) * len(new) <= _ALL_PAIRS and cells <= _ALL_CELLS:
        yield from ((i, j) for i in old for j in new)
        return
    holders: dict[str, list[int]] = defaultdict(list)
    for j, text in new.items():
        for unit in dict.fromkeys(text):
            holders[unit].append(j)
    for i, text in old.items():
        rare = (holders[unit] for unit in dict.fromkeys(text) if unit in holders and len(holders[unit]) <= _RARE)
        shared = Counter(chain.from_iterable(rare))
        yield from ((i, j) for j, _ in shared.most_common(_CANDIDATES))


def _joined(edits: list[Edit]) -> list[Edit]:
    """Return the edits with those that touch made one, but for moves, which keep their edges."""
    joined: list[Edit] = []
    for edit in edits:
        last = joined[-1] if joined else None
        if edit.old_start == edit.old_end and edit.new_start == edit.new_end:
            continue
        if (
            last is not None
            and last.move is edit.move is None
            and (last.old_end, last.new_end) == (edit.old_start, edit.new_start)
        ):
            joined[-1] = Edit(last.old_start, edit.old_end, last.new_start, edit.new_end)
        else:
            joined.append(edit)
    return joined
