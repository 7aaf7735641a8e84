"""Measure how often a change of nothing but marks, case and spaces is classed as more than minor.

    python benchmarks/significance.py DATA        (or WIREWATCH_DATA=DATA)

Takes the successive versions in `revisions/gitrev_digitalgov.jsonl.gz` that have the same words (runs of letters,
figures and underscores, without regard to case). Those equal when compared as revisions are give none; of the others at
least 95 % should be minor, and those that are not are counted by their heaviest reason. Another table has the classes
and the speed of judging all changes, without the time for comparing. The peers are the comparisons of page watchers: of
the text as it is, and with its white space folded; whatever differs is an alarm.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table

from wirewatch.canonical import comparable
from wirewatch.diff import compare
from wirewatch.model import Reason, Verdict, Wording
from wirewatch.significance import judge

OTHERS = 1_000  # of the pairs whose words changed
GOAL = 0.95
_WORD = re.compile(r"\w+")
Pair = tuple[str, str]


@dataclass(slots=True)
class Judged:
    """The verdicts on some pairs, and the seconds that each judgement took."""

    verdicts: list[Verdict] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def pairs(data: Path) -> list[Pair]:
    """Return all successive versions."""
    with gzip.open(data / "revisions" / "gitrev_digitalgov.jsonl.gz", "rt", encoding="utf-8") as lines:
        histories = [[version["text"] for version in json.loads(line)["versions"]] for line in lines]
    return [pair for texts in histories for pair in pairwise(texts)]


def same_words(pair: Pair) -> bool:
    old, new = ([word.lower() for word in _WORD.findall(text)] for text in pair)
    return old == new


def fold_spaces(text: str) -> str:
    return " ".join(text.split())


def minor_share(result: Judged) -> float:
    """Return the share of verdicts that are minor."""
    return sum(verdict.significance_class == "minor" for verdict in result.verdicts) / len(result.verdicts)


def judged(some: Iterable[Pair]) -> Judged:
    result = Judged()
    for old, new in some:
        before, after = Wording(body=old), Wording(body=new)
        diff = compare(before, after)
        start = time.perf_counter()
        verdict = judge(diff, before, after, old_stamp=None, new_stamp=None)
        result.seconds.append(time.perf_counter() - start)
        result.verdicts.append(verdict)
    return result


def shown(reason: Reason) -> str:
    """Return a reason's two sides, short and in one line."""
    old, new = (repr((text or "")[:30]) for text in (reason.old, reason.new))
    return f"{old} → {new}"


def table(title: str, columns: list[str], rows: Sequence[tuple[str, ...]]) -> Table:
    drawn = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        drawn.add_column(column, justify="right" if number in (1, 2) else "left")
    for row in rows:
        drawn.add_row(*row)
    return drawn


def class_row(name: str, result: Judged) -> tuple[str, ...]:
    counts = Counter(verdict.significance_class for verdict in result.verdicts)
    total, tail = len(result.verdicts), sorted(result.seconds)[int(len(result.seconds) * 0.95)]
    shares = (f"{counts[name] / total:.1%}" for name in ("minor", "notable", "major"))
    return name, f"{total:,}", f"{total / sum(result.seconds):,.0f}", f"{tail * 1e3:.2f}", *shares


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how often a change of marks alone is more than minor.")
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("WIREWATCH_DATA"), metavar="DATA")
    data = parser.parse_args().data
    console = Console(width=130)
    if data is None or not (Path(data) / "revisions" / "gitrev_digitalgov.jsonl.gz").is_file():
        console.print("No revisions/gitrev_digitalgov.jsonl.gz: give the data folder, or set WIREWATCH_DATA.")
        return 2

    every = pairs(Path(data))
    changed = [pair for pair in every if comparable(pair[0]) != comparable(pair[1])]
    alike = [pair for pair in changed if same_words(pair)]
    others = [pair for pair in changed if not same_words(pair)]
    random.Random(1).shuffle(others)
    result, rest = judged(alike), judged(others[:OTHERS])

    share = minor_share(result)
    spoken = [pair for pair in every if same_words(pair)]
    quiet = sum(comparable(old) == comparable(new) for old, new in spoken) + round(share * len(alike))
    as_it_is, folded = (sum(level(old) == level(new) for old, new in spoken) for level in (str, fold_spaces))
    found = [
        ("all pairs", f"{len(every):,}", "", "", "", ""),
        ("equal when compared as revisions are: no revision", f"{len(every) - len(changed):,}", "", "", "", ""),
        ("other pairs with the same words", f"{len(alike):,}", "", "", "", ""),
        ("  of these minor", f"{round(share * len(alike)):,}", f"{share:.1%}", f"≥ {GOAL:.0%}", "", ""),
        (
            "pairs with the same words that raise no alarm",
            f"{quiet:,} of {len(spoken):,}",
            f"{quiet / len(spoken):.1%}",
            "",
            f"{as_it_is / len(spoken):.1%}",
            f"{folded / len(spoken):.1%}",
        ),
    ]
    peers = ["peer: text as it is", "peer: spaces folded"]
    console.print(table("Same words", ["", "pairs", "share", "goal", *peers], found))

    heavier = [verdict for verdict in result.verdicts if verdict.significance_class != "minor"]
    kinds: dict[str, list[Reason]] = {}
    for verdict in heavier:
        kinds.setdefault(verdict.reasons[0].kind, []).append(verdict.reasons[0])
    rows = [
        (kind, f"{len(reasons)}", "", ";  ".join(dict.fromkeys(map(shown, reasons[:6]))))
        for kind, reasons in sorted(kinds.items(), key=lambda item: -len(item[1]))
    ]
    console.print(table("Those that are more, by their heaviest reason", ["reason", "pairs", "", "such as"], rows))

    columns = ["pairs", "count", "judged/s", "95 % under, ms", "minor", "notable", "major"]
    classes = [class_row("same words", result), class_row("other words, a sample", rest)]
    console.print(table("Classes and speed", columns, classes))
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
