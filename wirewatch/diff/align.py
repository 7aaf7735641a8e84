"""Find the fewest edits, as a reader would mark them, that turn one text into another.

Paragraphs that are equal are set aside first, then equal sentences, then sentences that were moved; what is left is
paired by likeness, and only inside such a pair are words compared. If then sentences of one place are like those of
another, what was set aside is weighed against them: the heavier order stays, the lighter one moved. Sentences that have
nothing to do with each other are exchanged whole: compared word by word they would leave a confetti of shared `the`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise, product
from operator import itemgetter
from typing import Final, NamedTuple

from wirewatch.diff.matching import (
    Alphabet,
    heaviest_chain,
    likeness,
    matching_blocks,
    most_likeness,
    shared_head,
    shared_tail,
)
from wirewatch.diff.rewording import Edit, word_edits
from wirewatch.diff.words import Span, paragraphs, sentences, shared_edges, tokens

# Two sentences are one, reworded, if at least this share of their words and marks is common to both, in order.
ALIKE: Final = 0.36
# The same where one sentence stands alone against one other, between neighbours that stayed: what else should it be?
# On arXivEdits (train) F1 of the words marked is .926 with .36 here too, .933 with .25, and no better below.
ALIKE_ALONE: Final = 0.25
# A sentence as short as this one is not worth calling moved: "He declined to comment." appears anywhere.
MOVED_TOKENS: Final = 5
_MOVING: Final = 60  # what it costs to call a sentence moved, in characters, whatever its length
# Up to here every old sentence is compared with every new one; above, only with those that share rare words with it.
_ALL_PAIRS: Final = 256
_ALL_CELLS: Final = 1 << 26  # words and marks of the one side times those of the other: 1 ms
_RARE: Final = 8  # sentences a word may occur in to be rare
_CANDIDATES: Final = 3  # sentences looked at closely for each old one
# In all of one gap, words and marks of the one side times those of the other: 50 ms. What is left is exchanged whole.
_MOST_CELLS: Final = 1 << 31
# Beyond this many changed sentences in one place (a long article has 500) they are exchanged whole: 10 MB of them would
# take 30 s to pair, and nobody reads the result.
_MOST_SENTENCES: Final = 50_000


@dataclass(slots=True)
class Side:
    """One text in units, sentences or whole paragraphs that both texts have: unit n lies at bounds[n]:bounds[n + 1]."""

    text: str
    bounds: list[int]  # the white space behind a unit belongs to it
    keys: list[str]  # each unit without the space behind it
    codes: dict[int, str] = field(default_factory=dict)

    def place(self, first: int, last: int | None = None) -> Span:
        """Return where the units from `first` to `last` inclusive stand, without the space around them."""
        last = first if last is None else last
        space = len(self.keys[first]) - len(self.keys[first].lstrip())
        return self.bounds[first] + space, self.bounds[last] + len(self.keys[last])


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


class Pair(NamedTuple):
    """Sentences that were reworded, merged or split: units old:old_end became new:new_end."""

    old: int
    old_end: int
    new: int
    new_end: int


@dataclass(slots=True)
class Comparison:
    """Two texts, what both have at the same place, what lies between, and what moved (by unit: its move's number)."""

    old: Side
    new: Side
    blocks: list[Block]
    gaps: list[tuple[Gap, list[Pair]]]
    gone: dict[int, int]
    come: dict[int, int]
    alphabet: Alphabet

    def spelled(self, side: Side, unit: int) -> str:
        """Return a unit's words and marks, each as one character."""
        code = side.codes.get(unit)
        if code is None:
            code = side.codes[unit] = self.alphabet.spell(tokens(side.keys[unit]))
        return code


def edits(old: str, new: str) -> list[Edit]:
    """Return the edits in order: apart from each other, none empty, none with an edge that both sides share."""
    compared = compare_units(old, new)
    found = [edit for block in compared.blocks for edit in _spacing_edits(compared, block)]
    for gap, pairs in compared.gaps:
        found.extend(_gap_edits(compared, gap, pairs))
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
    compared = Comparison(old_side, new_side, blocks, [], {}, {}, Alphabet())
    _pair_and_move(compared)
    if len(compared.gaps) > 1 and (better := _better_blocks(compared)) is not None:
        compared.blocks = better
        _pair_and_move(compared)
    return compared


def _pair_and_move(compared: Comparison) -> None:
    gaps = list(_gaps(compared.blocks, len(compared.old.keys), len(compared.new.keys)))
    _mark_moves(compared, gaps)
    compared.gaps = [(gap, _pairs(compared, gap)) for gap in gaps]


def _better_blocks(compared: Comparison) -> list[Block] | None:
    """Return other blocks if more of the text stays in its place with them; None where these are best.

    The one sentence that both texts have word for word may be the one that moved, past others that were reworded.
    """
    old = compared.old
    elsewhere = [Block(unit, other, 1) for unit, other in moved_units(compared)]
    left, new_left = _unpaired(compared)
    if not elsewhere and not (left and new_left):
        return None
    crossing = list(_alike(compared, left, new_left))
    if not elsewhere and not crossing:
        return None
    links = [(a, b, _weight(old, a, a + size)) for a, b, size in (*compared.blocks, *elsewhere)]
    links += [(a, b, _weight(old, a, a_end) / 2) for _, pairs in compared.gaps for a, a_end, b, _ in pairs]
    links += crossing
    kept = set(heaviest_chain(links))
    better = sorted(block for block in (*compared.blocks, *elsewhere) if (block.old, block.new) in kept)
    return None if better == compared.blocks else better


def _unpaired(compared: Comparison) -> tuple[list[int], list[int]]:
    """Return the units of both sides that so far have nothing to do with the other text."""
    left: list[int] = []
    new_left: list[int] = []
    for gap, pairs in compared.gaps:
        if len(pairs) == 1 and (*pairs[0],) == (*gap,):
            continue
        paired = {n for pair in pairs for n in range(pair.old, pair.old_end)}
        new_paired = {n for pair in pairs for n in range(pair.new, pair.new_end)}
        left += [n for n in range(gap.old_first, gap.old_last) if n not in paired and n not in compared.gone]
        new_left += [n for n in range(gap.new_first, gap.new_last) if n not in new_paired and n not in compared.come]
    return left, new_left


def _weight(side: Side, first: int, last: int) -> float:
    """Return what it costs to call these units moved: each one something, and its length."""
    return side.bounds[last] - side.bounds[first] + _MOVING * (last - first)


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


def moved_units(compared: Comparison) -> list[tuple[int, int]]:
    """Return what moved, as (unit of the old text, unit of the new one)."""
    gone, come = (sorted(moves, key=lambda n: (moves[n], n)) for moves in (compared.gone, compared.come))
    return list(zip(gone, come, strict=True))


def _mark_moves(compared: Comparison, gaps: list[Gap]) -> None:
    """Number the sentences that are missing in one place and new in another; neighbours that stay so move as one."""
    compared.gone, compared.come = {}, {}
    arrived: dict[str, list[int]] = defaultdict(list)
    for gap in gaps:
        for unit in range(gap.new_first, gap.new_last):
            arrived[compared.new.keys[unit]].append(unit)
    for places in arrived.values():
        places.reverse()
    last, count = (-1, -1), 0
    for gap in gaps:
        for unit in range(gap.old_first, gap.old_last):
            key = compared.old.keys[unit]
            if not arrived.get(key) or len(compared.spelled(compared.old, unit)) < MOVED_TOKENS:
                continue
            other = arrived[key].pop()
            if last != (unit - 1, other - 1):
                count += 1
            last = (unit, other)
            compared.gone[unit] = compared.come[other] = count


def _gap_edits(compared: Comparison, gap: Gap, pairs: list[Pair]) -> Iterator[Edit]:
    """Yield the edits of one gap: words inside sentences that are alike, all else whole."""
    old, new = compared.old, compared.new
    i, j = gap.old_first, gap.new_first
    for a, a_end, b, b_end in (*pairs, (gap.old_last,) * 2 + (gap.new_last,) * 2):
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


def _pairs(compared: Comparison, gap: Gap) -> list[Pair]:
    """Return which old sentences were reworded into which new ones, in order."""
    if gap.old_last - gap.old_first == gap.new_last - gap.new_first == 1:
        before, after = compared.old.keys[gap.old_first], compared.new.keys[gap.new_first]
        if 2 * (shared_head(before, after) + shared_tail(before, after)) >= max(len(before), len(after)):
            return [Pair(gap.old_first, gap.old_last, gap.new_first, gap.new_last)]
    if gap.old_last - gap.old_first + gap.new_last - gap.new_first > _MOST_SENTENCES:
        return []
    old = [n for n in range(gap.old_first, gap.old_last) if n not in compared.gone]
    new = [n for n in range(gap.new_first, gap.new_last) if n not in compared.come]
    alike = _alike(compared, old, new, ALIKE_ALONE if len(old) == len(new) == 1 else ALIKE)
    found = [Pair(i, i + 1, j, j + 1) for i, j in heaviest_chain(list(alike))]
    for n, pair in enumerate(found):
        floor = (found[n - 1].old_end, found[n - 1].new_end) if n else (gap.old_first, gap.new_first)
        ceiling = (found[n + 1].old, found[n + 1].new) if n + 1 < len(found) else (gap.old_last, gap.new_last)
        found[n] = _with_neighbours(compared, pair, floor, ceiling)
    return found


def _alike(
    compared: Comparison, old: list[int], new: list[int], threshold: float = ALIKE
) -> Iterator[tuple[int, int, float]]:
    """Yield (old unit, new unit, weight) for those that may be one sentence, reworded."""
    if not old or not new:
        return
    old_codes = [compared.spelled(compared.old, n) for n in old]
    new_codes = [compared.spelled(compared.new, n) for n in new]
    cells = 0
    for i, j in _candidates(old_codes, new_codes, threshold):
        cells += len(old_codes[i]) * len(new_codes[j])
        if cells > _MOST_CELLS:
            return
        score = likeness(old_codes[i], new_codes[j])
        if score >= threshold:
            weight = _weight(compared.old, old[i], old[i] + 1) + _weight(compared.new, new[j], new[j] + 1)
            yield old[i], new[j], score * weight / 2


def _with_neighbours(compared: Comparison, pair: Pair, floor: Span, ceiling: Span) -> Pair:
    """Return the pair with those sentences beside it that make it more alike: one was split, or two were joined."""
    score = _pair_likeness(compared, pair)
    for step in ((-1, 0, 0, 0), (0, 1, 0, 0), (0, 0, -1, 0), (0, 0, 0, 1)):
        wider = Pair(*(at + by for at, by in zip(pair, step, strict=True)))
        if wider.old < floor[0] or wider.new < floor[1] or wider.old_end > ceiling[0] or wider.new_end > ceiling[1]:
            continue
        if any(n in compared.gone for n in range(wider.old, wider.old_end)):
            continue
        if any(n in compared.come for n in range(wider.new, wider.new_end)):
            continue
        closer = _pair_likeness(compared, wider, score)
        if closer > score:
            pair, score = wider, closer
    return pair


def _pair_likeness(compared: Comparison, pair: Pair, floor: float = 0.0) -> float:
    """Return how alike the two sides of a pair are, or 0 where their lengths alone keep them under `floor`."""
    old = "".join(compared.spelled(compared.old, n) for n in range(pair.old, pair.old_end))
    new = "".join(compared.spelled(compared.new, n) for n in range(pair.new, pair.new_end))
    return likeness(old, new) if most_likeness(len(old), len(new)) >= floor else 0.0


def _candidates(old: list[str], new: list[str], threshold: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs worth a closer look: all of a few; of many, for each old one those that share most rare words.

    None of which one side is too short to be as much like the other as `threshold`.
    """
    cells = sum(map(len, old)) * sum(map(len, new))
    if len(old) * len(new) <= _ALL_PAIRS and cells <= _ALL_CELLS:
        every = product(range(len(old)), range(len(new)))
        yield from ((i, j) for i, j in every if most_likeness(len(old[i]), len(new[j])) >= threshold)
        return
    holders: dict[str, list[int]] = defaultdict(list)
    for j, text in enumerate(new):
        for unit in dict.fromkeys(text):
            holders[unit].append(j)
    for i, text in enumerate(old):
        rare = (holders[unit] for unit in dict.fromkeys(text) if unit in holders and len(holders[unit]) <= _RARE)
        shared = sorted(Counter(chain.from_iterable(rare)).items(), key=itemgetter(1), reverse=True)
        near = ((i, j) for j, _ in shared if most_likeness(len(text), len(new[j])) >= threshold)
        yield from islice(near, _CANDIDATES)


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
