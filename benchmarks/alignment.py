"""Measure which sentence is linked to which, and the kind of each edit, against revisions whose edits were recorded.

    python -m benchmarks.alignment DATA        (or WIREWATCH_DATA=DATA)

Texts of DATA are revised by `_revising.py`, once for each of five seeds, and the worst seed is shown. All links count,
also those of untouched sentences; `links of what was edited` leaves those out. A link is right if it joins exactly the
recorded sentences, an edit if its kind is right too. The peers link each sentence to the one that it shares most words
with, forwards, as the lexical matchers of NewsEdits do; their published figures are on other texts.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks._revising import KINDS, Revision, revise
from wirewatch.diff.links import links
from wirewatch.diff.words import Span

SEEDS: Final = (1, 2, 3, 4, 5)
PAIRS: Final = 500  # a seed
LONGEST: Final = 30_000  # characters of a text
LINKS_GOAL: Final = 0.97
KIND_GOAL: Final = 0.95
ALL_LINKS: Final = "links, all"
EDITED_LINKS: Final = "links of what was edited"
GOALS: Final = {ALL_LINKS: LINKS_GOAL, **dict.fromkeys(KINDS, KIND_GOAL)}

Found = tuple[str, tuple[int, ...], tuple[int, ...]]  # kind, sentences of the old text, sentences of the new one
Linker = Callable[[Revision], Iterable[Found]]


@dataclass(slots=True)
class Score:
    right: int = 0
    found: int = 0
    gold: int = 0

    def add(self, found: set[object], gold: set[object]) -> None:
        self.right += len(found & gold)
        self.found += len(found)
        self.gold += len(gold)

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else float(not self.gold)

    @property
    def recall(self) -> float:
        return self.right / self.gold if self.gold else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.found + self.gold) if self.found + self.gold else 1.0


@dataclass(slots=True)
class Scores:
    """The scores of one linker over many revisions, by row of the table."""

    rows: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))

    def add(self, revision: Revision, found: Iterable[Found]) -> None:
        gold = [(done.kind, done.old, done.new) for done in revision.done]
        mine = list(found)
        kept = {(i, j) for kind, old, new in gold if kind == "same" for i in old for j in new}
        wanted, got = ({(i, j) for _, old, new in side for i in old for j in new} for side in (gold, mine))
        self.rows[ALL_LINKS].add(set(got), set(wanted))
        self.rows[EDITED_LINKS].add(set(got - kept), set(wanted - kept))
        for kind in KINDS:
            self.rows[kind].add({m for m in mine if m[0] == kind}, {g for g in gold if g[0] == kind})


def wirewatch(revision: Revision) -> Iterable[Found]:
    """Yield what `wirewatch.diff.links` says, by the recorded sentences that lie in its places for the most part."""
    for link in links(revision.old, revision.new):
        yield link.kind, within(revision.old_spans, link.old), within(revision.new_spans, link.new)


def within(spans: list[Span], place: Span) -> tuple[int, ...]:
    first = max(0, bisect_left(spans, (place[0], place[0])) - 1)
    found = []
    for number in range(first, len(spans)):
        start, end = spans[number]
        if start >= place[1]:
            break
        if 2 * (min(end, place[1]) - max(start, place[0])) > end - start:
            found.append(number)
    return tuple(found)


def most_words_in_common(threshold: float) -> Linker:
    """Return a peer that links each new sentence to the old one with which it shares most words (Jaccard)."""

    def link(revision: Revision) -> Iterable[Found]:
        old = [set(re.findall(r"\w+", revision.old[a:b].lower())) for a, b in revision.old_spans]
        holders: dict[str, list[int]] = defaultdict(list)
        for number, bag in enumerate(old):
            for word in bag:
                holders[word].append(number)
        for number, (a, b) in enumerate(revision.new_spans):
            bag = set(re.findall(r"\w+", revision.new[a:b].lower()))
            shared = Counter(other for word in bag for other in holders.get(word, ()))
            best = max(((n / len(bag | old[other]), -other) for other, n in shared.items()), default=(0.0, 0))
            if best[0] >= threshold:
                yield "linked", (-best[1],), (number,)

    return link


def texts_of(data: Path) -> list[str]:
    """Return the article texts of two gold corpora, and the last version of each post."""
    found = []
    for corpus in ("fundus", "scrapinghub"):
        gold = json.loads((data / "extraction" / corpus / "ground-truth.json").read_text(encoding="utf-8"))
        found += [re.sub(r"\n+", "\n\n", page["articleBody"]) for page in gold.values()]
    with gzip.open(data / "revisions" / "gitrev_digitalgov.jsonl.gz", "rt", encoding="utf-8") as lines:
        found += [json.loads(line)["versions"][-1]["text"] for line in lines]
    return [text for text in dict.fromkeys(found) if len(text) <= LONGEST]


def revisions(texts: list[str], seed: int, most: int) -> list[Revision]:
    """Return up to `most` revisions of texts in an order by chance; a text too short to be edited is passed over."""
    chance = random.Random(seed)
    made: list[Revision] = []
    for text in chance.sample(texts, len(texts)):
        if len(made) == most:
            break
        others = chance.sample(texts, min(5, len(texts)))
        other = "\n\n".join(other for other in others if other != text)
        bank = re.findall(r"[^\W\d_]{2,}", other)
        strangers = re.findall(r"[A-Z][^.!?\n]{40,200}\.", other)
        if len(set(bank)) < 50 or len(strangers) < 20:
            continue
        if revision := revise(text, chance, bank, strangers):
            made.append(revision)
    return made


def scores(made: list[Revision], linker: Linker) -> Scores:
    found = Scores()
    for revision in made:
        found.add(revision, linker(revision))
    return found


def table(by_seed: dict[int, dict[str, Scores]]) -> Table:
    first = next(iter(by_seed.values()))
    shown = Table(title="Sentences: F1, worst of five seeds", title_justify="left")
    for number, column in enumerate(("", "goal", "gold, a seed", *first)):
        shown.add_column(column, justify="right" if number else "left", no_wrap=not number)
    for row in (ALL_LINKS, EDITED_LINKS, *KINDS):
        cells = []
        for name in first:
            tallies = [ways[name].rows[row] for ways in by_seed.values()]
            worst = min(tallies, key=lambda score: score.f1)
            linked = row in {ALL_LINKS, EDITED_LINKS}
            cells.append(f"{worst.f1:.4f}" if linked or name == "wirewatch" else "–")
        gold = min(ways["wirewatch"].rows[row].gold for ways in by_seed.values())
        shown.add_row(row, f"{GOALS[row]:.2f}" if row in GOALS else "", f"{gold:,}", *cells)
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure which sentence is linked to which.")
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("WIREWATCH_DATA"), metavar="DATA")
    data = parser.parse_args().data
    console = Console(width=110)
    if data is None or not (Path(data) / "extraction" / "fundus" / "ground-truth.json").is_file():
        console.print("No extraction/fundus/ground-truth.json: give the data folder, or set WIREWATCH_DATA.")
        return 2

    texts = texts_of(Path(data))
    linkers: dict[str, Linker] = {
        "wirewatch": wirewatch,
        "words in common ≥ .3": most_words_in_common(0.3),
        "words in common ≥ .5": most_words_in_common(0.5),
    }
    by_seed = {}
    for seed in SEEDS:
        made = revisions(texts, seed, PAIRS)
        by_seed[seed] = {name: scores(made, way) for name, way in linkers.items()}
        console.print(f"seed {seed}: {len(made)} pairs, {sum(len(r.done) for r in made):,} sentences")
    console.print(table(by_seed))
    console.print(
        "Published for NewsEdits, on its own gold of news revisions by people, so another measure: best matcher F1 "
        ".895, lexical BLEU-2 .892."
    )
    return int(any(ways["wirewatch"].rows[row].f1 < goal for ways in by_seed.values() for row, goal in GOALS.items()))


if __name__ == "__main__":
    sys.exit(main())
