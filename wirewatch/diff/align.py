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
from typing import Final

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
class _Side:
    """Consecutive units of one text: unit n lies at bounds[n]:bounds[n + 1], the space behind it included."""

    text: str
    bounds: list[int]
    keys: list[str]  # each unit without the space behind it

    def cut(self, first: int, last: int, cutter: Callable[[str], list[int]]) -> _Side:
        """Return units `first` to `last` as one side of its own, cut anew."""
        return _cut(self.text, self.bounds[first], self.bounds[last], cutter)


@dataclass(slots=True)
class _Gap:
    """What lies between equal units: units first:last of either side."""

    old: _Side
    new: _Side
    old_first: int
    old_last: int
    new_first: int
    new_last: int


def edits(old: str, new: str) -> list[Edit]:
    """Return the edits in order: apart from each other, none empty, none with an edge that both sides share."""
    found: list[Edit] = []
    gaps: list[_Gap] = []
    for gap in _gaps(_cut(old, 0, len(old), paragraphs), _cut(new, 0, len(new), paragraphs), found):
        old_sentences = gap.old.cut(gap.old_first, gap.old_last, sentences)
        new_sentences = gap.new.cut(gap.new_first, gap.new_last, sentences)
        gaps.extend(_gaps(old_sentences, new_sentences, found))
    old_moves, new_moves = _moves(gaps)
    alphabet = Alphabet()
    for number, gap in enumerate(gaps):
        found.extend(_gap_edits(gap, old_moves.get(number, {}), new_moves.get(number, {}), alphabet))
    return _joined(sorted(found, key=lambda edit: edit[:4]))


def _cut(text: str, start: int, end: int, cutter: Callable[[str], list[int]]) -> _Side:
    if start == end:
        return _Side(text, [start], [])
    bounds = [start, *(start + at for at in cutter(text[start:end]))]
    return _Side(text, bounds, [text[a:b].rstrip() for a, b in pairwise(bounds)])


def _gaps(old: _Side, new: _Side, found: list[Edit]) -> Iterator[_Gap]:
    """Yield what lies between equal units; add to `found` where only the space behind equal units differs."""
    alphabet = Alphabet()
    i = j = 0
    blocks = matching_blocks(alphabet.spell(old.keys), alphabet.spell(new.keys))
    for a, b, size in (*blocks, (len(old.keys), len(new.keys), 0)):
        if a > i or b > j:
            yield _Gap(old, new, i, a, j, b)
        i, j = a + size, b + size
        if old.text[old.bounds[a] : old.bounds[i]] != new.text[new.bounds[b] : new.bounds[j]]:
            found.extend(_spacing_edits(old, new, a, b, size))


def _spacing_edits(old: _Side, new: _Side, a: int, b: int, size: int) -> Iterator[Edit]:
    for n in range(size):
        length = len(old.keys[a + n])
        start, end = old.bounds[a + n] + length, old.bounds[a + n + 1]
        new_start, new_end = new.bounds[b + n] + length, new.bounds[b + n + 1]
        if old.text[start:end] != new.text[new_start:new_end]:
            yield Edit(start, end, new_start, new_end)


_Moves = dict[int, dict[int, int]]  # by gap, then by unit: the number of the move


def _moves(gaps: list[_Gap]) -> tuple[_Moves, _Moves]:
    """Number the sentences that are missing in one place and new in another; neighbours that stay so move as one."""
    arrived: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, gap in enumerate(gaps):
        for unit in range(gap.new_first, gap.new_last):
            arrived[gap.new.keys[unit]].append((number, unit))
    for places in arrived.values():
        places.reverse()
    gone: _Moves = defaultdict(dict)
    come: _Moves = defaultdict(dict)
    last, count = (-1, -1, -1, -1), 0
    for number, gap in enumerate(gaps):
        for unit in range(gap.old_first, gap.old_last):
            key = gap.old.keys[unit]
            if not arrived.get(key) or len(tokens(key)) < MOVED_TOKENS:
                continue
            there, other = arrived[key].pop()
            if last != (number, unit - 1, there, other - 1):
                count += 1
            last = (number, unit, there, other)
            gone[number][unit] = come[there][other] = count
    return gone, come


def _gap_edits(gap: _Gap, gone: dict[int, int], come: dict[int, int], alphabet: Alphabet) -> Iterator[Edit]:
    """Yield the edits of one gap: words inside sentences that are alike, all else whole."""
    i, j = gap.old_first, gap.new_first
    for a, a_end, b, b_end in (*_pairs(gap, gone, come, alphabet), (gap.old_last,) * 2 + (gap.new_last,) * 2):
        yield from _whole_edits(gap, (i, a), (j, b), gone, come)
        i, j = a_end, b_end
        if a < a_end:
            old_span, new_span = (gap.old.bounds[a], gap.old.bounds[i]), (gap.new.bounds[b], gap.new.bounds[j])
            yield from word_edits(gap.old.text, old_span, gap.new.text, new_span, alphabet)


def _whole_edits(gap: _Gap, old: Span, new: Span, gone: dict[int, int], come: dict[int, int]) -> Iterator[Edit]:
    """Yield the exchange of some sentences for others; those that moved stay apart from those that did not."""
    at, new_at = gap.old.bounds[old[0]], gap.new.bounds[new[0]]
    old_runs, new_runs = list(_runs(old, gone)), list(_runs(new, come))
    if len(old_runs) == len(new_runs) == 1 and old_runs[0][2] is new_runs[0][2] is None:
        end, new_end = gap.old.bounds[old[1]], gap.new.bounds[new[1]]
        head, tail = shared_edges(gap.old.text[at:end], gap.new.text[new_at:new_end])
        yield Edit(at + head, end - tail, new_at + head, new_end - tail)
        return
    for first, last, move in old_runs:
        yield Edit(gap.old.bounds[first], gap.old.bounds[last], new_at, new_at, move)
    end = gap.old.bounds[old[1]]
    for first, last, move in new_runs:
        yield Edit(end, end, gap.new.bounds[first], gap.new.bounds[last], move)


def _runs(span: Span, moved: dict[int, int]) -> Iterator[tuple[int, int, int | None]]:
    first = span[0]
    for unit in range(span[0], span[1]):
        if unit + 1 == span[1] or moved.get(unit) != moved.get(unit + 1):
            yield first, unit + 1, moved.get(unit)
            first = unit + 1


def _pairs(
    gap: _Gap, gone: dict[int, int], come: dict[int, int], alphabet: Alphabet
) -> list[tuple[int, int, int, int]]:
    """Return which old sentences were reworded into which new ones, as ranges: (old, end, new, end), in order."""
    if gap.old_last - gap.old_first == gap.new_last - gap.new_first == 1 and not gone and not come:
        before, after = gap.old.keys[gap.old_first], gap.new.keys[gap.new_first]
        if 2 * sum(shared_words(before, after)) >= max(len(before), len(after)):
            return [(gap.old_first, gap.old_last, gap.new_first, gap.new_last)]
    if gap.old_last - gap.old_first + gap.new_last - gap.new_first > _MOST_SENTENCES:
        return []
    old = {n: alphabet.spell(tokens(gap.old.keys[n])) for n in range(gap.old_first, gap.old_last) if n not in gone}
    new = {n: alphabet.spell(tokens(gap.new.keys[n])) for n in range(gap.new_first, gap.new_last) if n not in come}
    links = []
    for i, j in _candidates(old, new):
        score = likeness(old[i], new[j])
        if score >= ALIKE:
            links.append((i, j, score * (len(old[i]) + len(new[j]))))
    pairs = [(i, i + 1, j, j + 1) for i, j in heaviest_chain(links)]
    for n, pair in enumerate(pairs):
        floor = (pairs[n - 1][1], pairs[n - 1][3]) if n else (gap.old_first, gap.new_first)
        ceiling = (pairs[n + 1][0], pairs[n + 1][2]) if n + 1 < len(pairs) else (gap.old_last, gap.new_last)
        pairs[n] = _with_neighbours(pair, floor, ceiling, old, new)
    return pairs


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
