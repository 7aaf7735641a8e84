"""Measure the short cut on real pages: changes that it misses, and how often it is taken where nothing changed.

    python benchmarks/shortcut.py [DATA] [--pages N] [--first N]

DATA is the folder of the shared test data (default: WIREWATCH_DATA, else ../shared/data). Every page is read once; then
edited copies of it are read again. A copy that the short cut calls unchanged is extracted all the same: a miss is one
of which extraction says something else. Pages in which no article is found are left out.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks._edits import INSIDE, OUTSIDE, STRESS, Edit, all_outside, page_of, tree_of
from benchmarks.extraction import Page, pages
from wirewatch.extract.decode import decode
from wirewatch.model import Capture, Reading, Seen, Source
from wirewatch.reading import read_article

LATER = timedelta(minutes=37)
SOURCE = Source()


def main(arguments: list[str]) -> int:
    """Print the tables; return 1 where a change was missed, 2 where the data is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("WIREWATCH_DATA", "../shared/data"), type=Path)
    parser.add_argument("--pages", type=int, default=10**6, help="take only every so many that N are left")
    parser.add_argument("--first", type=int, default=0, help="begin with page number N")
    given = parser.parse_args(arguments)
    if not (given.data / "extraction").is_dir():
        sys.stderr.write(
            f"{given.data} is not there: name the folder of the shared test data, or set WIREWATCH_DATA.\n"
        )
        return 2
    logging.disable(logging.CRITICAL)
    console = Console(width=110)
    every = list(pages(given.data))
    chosen = every[given.first :: max(1, len(every) // given.pages)][: given.pages]
    around = {**OUTSIDE, "all of these at once": all_outside, **STRESS}
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*INSIDE, *around)}
    missed: list[str] = []
    read = 0
    for page in chosen:
        clean = replace(page.capture(), body=page_of(tree_of(decode(page.capture()).text)))
        clean = replace(clean, headers=(("content-type", "text/html; charset=utf-8"),))
        first = read_article(clean, SOURCE)
        if first.seen is not Seen.WORDING:
            continue
        read += 1
        for name, edit in (*INSIDE.items(), *around.items()):
            verdict = _again(clean, first, edit, random.Random(f"{page.name} {name}"))
            if verdict == "read in full" and name not in INSIDE:
                verdict = _changed(clean, first, edit, random.Random(f"{page.name} {name}"))
            counts[name][verdict] += 1
            if verdict == "missed":
                missed.append(f"{page.name}: {name}")
                console.print(f"missed: {missed[-1]}")
    console.print(_inside({name: counts[name] for name in INSIDE}, read))
    console.print(_outside({name: counts[name] for name in around}))
    console.print(_cost(chosen[:: max(1, len(chosen) // 60)]))
    return 1 if missed else 0


def _again(clean: Capture, first: Reading, edit: Edit, chance: random.Random) -> str:
    """Return `nothing to edit`, `read in full` or, where the short cut was taken, `unchanged` or `missed`."""
    tree = tree_of(clean.body)
    if not edit(tree, first, chance):
        return "nothing to edit"
    copy = replace(clean, body=page_of(tree), observed=clean.observed + LATER)
    if read_article(copy, SOURCE, first.fingerprint).short_cut != "taken":
        return "read in full"
    return "missed" if read_article(copy, SOURCE, first.fingerprint, audit=True).short_cut == "wrong" else "unchanged"


def _changed(clean: Capture, first: Reading, edit: Edit, chance: random.Random) -> str:
    """Tell whether extraction sees a change in a page that was edited outside the article."""
    tree = tree_of(clean.body)
    edit(tree, first, chance)
    full = read_article(replace(clean, body=page_of(tree)), SOURCE)
    same = (full.text_hash, full.claims, full.aliases) == (first.text_hash, first.claims, first.aliases)
    return "read in full" if same else "changed"


def _inside(counts: dict[str, Counter[str]], read: int) -> Table:
    total: Counter[str] = sum(counts.values(), Counter())
    title = (
        f"{read} pages, {total.total() - total['nothing to edit']:,} edits that may change what is read; goal: 0 missed"
    )
    table = Table("edit", "pages", "read in full", "rightly unchanged", "missed", title=title, title_justify="left")
    for name, found in (*counts.items(), ("together", total)):
        edited = found.total() - found["nothing to edit"]
        table.add_row(name, str(edited), *(str(found[one]) for one in ("read in full", "unchanged", "missed")))
    return table


def _outside(counts: dict[str, Counter[str]]) -> Table:
    title = "edits outside the article, and two that are more than that"
    headings = ("edit", "pages", "changed after all", "of the rest: short cut taken", "goal", "missed")
    table = Table(*headings, title=title, title_justify="left")
    for name, found in counts.items():
        edited = found.total() - found["nothing to edit"] - found["changed"]
        taken = found["unchanged"] + found["missed"]
        share = f"{taken / max(1, edited):.1%}"
        goal = "" if name in STRESS else "95 %"
        table.add_row(name, str(edited + found["changed"]), str(found["changed"]), share, goal, str(found["missed"]))
    return table


def _cost(chosen: list[Page]) -> Table:
    """Return what the short cut costs beside reading in full: CPU time, the least of three turns."""
    table = Table("CPU ms a page", "", title=f"{len(chosen)} pages as they are", title_justify="left")
    captures = [replace(page.capture(), body=page.body + b"<!-- again -->") for page in chosen]
    firsts = [read_article(page.capture(), SOURCE) for page in chosen]
    pairs = list(zip(captures, firsts, strict=True))
    for name, again in (("read in full, and remembered", False), ("short cut", True)):
        least = float("inf")
        for _ in range(3):
            began = time.process_time()
            for capture, first in pairs:
                read_article(capture, SOURCE, first.fingerprint if again else None)
            least = min(least, time.process_time() - began)
        table.add_row(name, f"{1000 * least / len(pairs):.1f}")
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
