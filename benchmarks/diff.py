"""Measure how fast two wordings are compared, beside difflib on words with and without its autojunk.

    python benchmarks/diff.py DATA        (or WIREWATCH_DATA=DATA)

Takes the first pairs of a shuffled sample of `revisions/gitrev_digitalgov.jsonl.gz` until the time is up, the same
pairs for all three, and checks on each that applying the diff gives the new text. difflib's opcodes are without
sentences, moves or places in the text, so it does less. Two cases of 20,000 words follow.
"""

from __future__ import annotations

import argparse
import difflib
import gzip
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table

from wirewatch.diff import apply, compare
from wirewatch.diff.words import tokens
from wirewatch.model import Wording

PAIRS = 2_000
SECONDS = 40.0  # for the pairs, all three ways together
Pair = tuple[str, str]


def ours(old: str, new: str) -> None:
    compare(Wording(body=old), Wording(body=new))


def difflib_words(old: str, new: str) -> None:
    difflib.SequenceMatcher(None, tokens(old), tokens(new), autojunk=False).get_opcodes()


def difflib_autojunk(old: str, new: str) -> None:
    difflib.SequenceMatcher(None, tokens(old), tokens(new), autojunk=True).get_opcodes()


WAYS: dict[str, Callable[[str, str], None]] = {
    "wirewatch": ours,
    "difflib, words, autojunk": difflib_autojunk,
    "difflib, words, no autojunk": difflib_words,
}


def real_pairs(data: Path) -> list[Pair]:
    """Return all successive versions that differ, in an order shuffled with a fixed seed."""
    pairs = []
    with gzip.open(data / "revisions" / "gitrev_digitalgov.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            texts = [version["text"] for version in json.loads(line)["versions"]]
            pairs += [(old, new) for old, new in pairwise(texts) if old != new]
    random.Random(1).shuffle(pairs)
    return pairs


def invented(words: int, seed: int, vocabulary: int = 3_000) -> str:
    """Return paragraphs of four sentences of invented words."""
    chance = random.Random(seed)
    bank = ["".join(chance.choices("abcdefghij", k=chance.randint(2, 9))) for _ in range(vocabulary)]
    lines = [" ".join(chance.choices(bank, k=20)).capitalize() + "." for _ in range(words // 20)]
    return "\n\n".join(" ".join(lines[n : n + 4]) for n in range(0, len(lines), 4))


def edited(text: str, seed: int, changes: int) -> str:
    """Return the text with that many words, in places spread by chance, replaced."""
    words = text.split(" ")
    inside = [at for at, word in enumerate(words) if "\n" not in word]
    for at in random.Random(seed).sample(inside, changes):
        words[at] = "changed"
    return " ".join(words)


def timed(way: Callable[[str, str], None], pair: Pair) -> float:
    start = time.perf_counter()
    way(*pair)
    return time.perf_counter() - start


def measured(pairs: list[Pair], seconds: float) -> dict[str, list[float]]:
    """Return each way's times for the same pairs, as many as the time allows."""
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    end = time.perf_counter() + seconds
    for pair in pairs:
        if time.perf_counter() > end:
            break
        for name, way in WAYS.items():
            times[name].append(timed(way, pair))
    return times


def rows(times: dict[str, list[float]]) -> Iterator[tuple[str, str, str, str]]:
    for name, all_times in times.items():
        in_order = sorted(all_times)
        tail = in_order[int(len(in_order) * 0.95)]
        yield name, f"{len(in_order) / sum(in_order):,.0f}", f"{tail * 1e3:.2f}", f"{in_order[-1] * 1e3:.1f}"


def table(title: str, columns: list[str], lines: Sequence[tuple[str, ...]]) -> Table:
    shown = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        shown.add_column(column, justify="right" if number else "left")
    for line in lines:
        shown.add_row(*line)
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how fast two wordings are compared.")
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("WIREWATCH_DATA"), metavar="DATA")
    data = parser.parse_args().data
    console = Console()
    if data is None or not (Path(data) / "revisions" / "gitrev_digitalgov.jsonl.gz").is_file():
        console.print("No revisions/gitrev_digitalgov.jsonl.gz: give the data folder, or set WIREWATCH_DATA.")
        return 2

    pairs = real_pairs(Path(data))[:PAIRS]
    for old, new in pairs:
        before = Wording(body=old)
        if (apply(compare(before, Wording(body=new)), before).body or "") != new:
            console.print("A diff did not give back the new text.")
            return 1
    times = measured(pairs, SECONDS)
    count = len(times["wirewatch"])
    length = sum(len(old.split()) for old, _ in pairs[:count]) // count
    columns = ["", "pairs/s", "95 % under, ms", "slowest, ms"]
    console.print(table(f"{count:,} real pairs, {length} words on average", columns, [*rows(times)]))

    articles = [(text := invented(2_000, seed), edited(text, seed, 5)) for seed in range(40)]
    console.print(table("40 pairs of 2,000 words, 5 words changed", columns, [*rows(measured(articles, 8))]))

    blog = invented(20_000, 1)
    cases = {
        "wholly rewritten": (blog, invented(20_000, 2)),
        "one line added on top": (blog, f"15:24 The vote will be counted again.\n\n{blog}"),
        "one line added, all one paragraph": (blog.replace("\n\n", " "), "15:24 Again. " + blog.replace("\n\n", " ")),
        "every fifth word changed": (blog, edited(blog, 1, 4_000)),
    }
    lines = [(name, f"{min(timed(ours, pair) for _ in range(3)) * 1e3:.1f}") for name, pair in cases.items()]
    console.print(table("20,000 words (goal: under 250 ms)", ["", "wirewatch, ms"], lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
