"""Measure whole passes beside the bare chain (fetch, trafilatura, SQLite) on the same pages in the same run.

    python benchmarks/pass.py [DATA] [--articles N] [--repeats N] [--pages N] [--stored N …] [--svg FILE]

The pages are invented, of 129 KB, and served by a process of its own; DATA is not looked at. CPU is that of this
process and its children by resource usage, in milliseconds a page, minimum and median of the repeats. --pages makes one
pass over so many pages and prints the memory; --stored fills the store with so many other articles and compares.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import apache_beam as beam
import trafilatura
from apache_beam.transforms.combiners import Count
from rich.console import Console
from rich.table import Table

from benchmarks._newsroom import HOSTS, Newsroom, article, kind
from benchmarks._svg import bars
from pipelines.config import Config, load
from pipelines.run import PassReport, run_pass
from pipelines.waves import run_graph
from wirewatch.bounded_child import GARBAGE
from wirewatch.canonical import article_key
from wirewatch.clock import FixedClock
from wirewatch.encoding import revive_json
from wirewatch.extract import read_page
from wirewatch.extract.decode import decode
from wirewatch.extract.page import parse
from wirewatch.fingerprint.memory import Fingerprint
from wirewatch.fingerprint.outline import outline
from wirewatch.model import Capture, Observation, Seen, Source
from wirewatch.reading import read_article
from wirewatch.store import Store, articles, ledger, tables

START: Final = datetime(2026, 3, 16, 16, tzinfo=UTC)
BETWEEN: Final = timedelta(hours=5)  # two passes; after a day, each host would be asked for robots.txt alone first
_CONFIGURATION = """\
instance: {{authority: benchmark.example, since: "2026"}}
store: sqlite:///{name}.db
fetch:
  contact: {name}@benchmark.example
  spacing: 0
  connect_to: {{{hosts}}}
sinks: [{{kind: jsonl, name: files, folder: out-{name}}}]
work: {{children: {children}}}
"""


@dataclass
class Spent:
    """CPU milliseconds a page and pages a second of each repeat."""

    cpu: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    @property
    def least(self) -> float:
        return min(self.cpu)

    def row(self, bare: Spent | None = None) -> tuple[str, ...]:
        share = f"{self.least / bare.least:.2f}" if bare else ""
        return (f"{self.least:.1f}", f"{statistics.median(self.cpu):.1f}", share, f"{max(self.rate):.1f}")


def main(arguments: list[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--articles", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pages", type=int, default=0)
    parser.add_argument("--stored", type=int, nargs="*", default=[])
    parser.add_argument("--svg", type=Path)
    given = parser.parse_args(arguments)
    console = Console(width=120)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: compare CPU and ratios within this run.\n")
    with tempfile.TemporaryDirectory() as folder, Newsroom() as newsroom:
        if given.pages:
            return _memory(console, newsroom, Path(folder), given.pages)
        if given.stored:
            return _stored(console, newsroom, Path(folder), given.articles, given.stored)
        passes(console, newsroom, Path(folder), given.articles, given.repeats)
        _nothing_due(console, newsroom, Path(folder))
        steps = _steps(newsroom, Path(folder), min(given.articles, 100))
        console.print(_step_table(steps))
        if given.svg:
            given.svg.write_text(bars("CPU milliseconds a page, by step", steps), encoding="utf-8")
    return 0


def passes(console: Console, newsroom: Newsroom, folder: Path, n: int, repeats: int) -> None:
    """Print what passes cost and found."""
    names = ("bare chain", "first pass", "second pass", "third pass", "fourth pass, 304", "first pass, 2 children")
    spent = {name: Spent() for name in names}
    found: dict[str, PassReport] = {}
    _warm_up(newsroom, folder)
    for repeat in range(repeats):
        newsroom.set("1")
        _measure(spent["bare chain"], n, partial(_bare, newsroom, folder / f"bare{repeat}.db", n))
        deployed = _deploy(folder, newsroom, f"one{repeat}", 1, n)
        for place, (name, state) in enumerate(zip(names[1:5], ("1", "2", "2", "304"), strict=True)):
            newsroom.set(state)
            clock = FixedClock(START + place * BETWEEN)
            left = n if place < 2 else n - sum(kind(one) == "gone" for one in range(n))
            found[name] = _measure(spent[name], left, partial(run_pass, deployed, clock))
        newsroom.set("1")
        two = _deploy(folder, newsroom, f"two{repeat}", 2, n)
        _measure(spent[names[5]], n, partial(run_pass, two, FixedClock(START)))
    bare = spent["bare chain"]
    goals = (
        "",
        "≤ 1.25",
        "",
        "≤ 0.25",
        "≤ 0.1",
        f"{max(spent[names[5]].rate) / max(spent['first pass'].rate):.2f} × one child's pages/s; goal 1.7",
    )
    table = Table(
        "work", "CPU ms, least", "median", "of bare", "pages/s", "goal", title=f"{n} articles", title_justify="left"
    )
    for name, goal in zip(names, goals, strict=True):
        table.add_row(name, *spent[name].row(bare), goal)
    console.print(table)
    console.print(_findings(found, n))


def _findings(found: dict[str, PassReport], n: int) -> Table:
    made = {what: sum(kind(one) == what for one in range(n)) for what in ("body", "headline", "stamp", "gone")}
    table = Table("pass", "what was found", "what was done", title="what passes found", title_justify="left")
    done = (
        "all new",
        f"{made['body'] + made['headline']} revised, {made['stamp']} restamped, {made['gone']} gone",
        "nothing",
        "nothing",
    )
    for (name, report), what in zip(found.items(), done, strict=True):
        table.add_row(name, ", ".join(f"{n} {one}" for one, n in report.counts["article"].items()), what)
    return table


def _deploy(folder: Path, newsroom: Newsroom, name: str, children: int, n: int) -> Config:
    path = folder / f"{name}.yaml"
    hosts = ", ".join(f'"{host}": "127.0.0.1:{newsroom.port}"' for host in HOSTS)
    path.write_text(_CONFIGURATION.format(name=name, hosts=hosts, children=children), encoding="utf-8")
    config = load(path, {})
    store = Store.shared(config.store)
    for number in range(n):
        articles.watch(store, _address(number), Source(), START)
    return config


def _address(number: int) -> str:
    return f"http://{HOSTS[number % len(HOSTS)]}/news/{number}"


def _warm_up(newsroom: Newsroom, folder: Path) -> None:
    """Have everything imported and made once, as in a process that makes pass after pass."""
    asyncio.run(_bare_chain(newsroom, folder / "warm-bare.db", 4))
    for children in (1, 2):
        run_pass(_deploy(folder, newsroom, f"warm{children}", children, 8), FixedClock(START))


def _measure(spent: Spent, pages: int, work: Callable[[], Any]) -> Any:
    cpu, began = _cpu(), time.perf_counter()
    result = work()
    spent.cpu.append(1000 * (_cpu() - cpu) / pages)
    spent.rate.append(pages / (time.perf_counter() - began))
    return result


def _cpu() -> float:
    """Return CPU seconds of this process and of its children, but for the newsroom; running ones by /proc."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    total = own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    for child in _children():
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _children() -> list[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    every = [int(child) for task in tasks for child in task.read_text().split()]
    return [child for child in every if b"_newsroom" not in Path(f"/proc/{child}/cmdline").read_bytes()]


def _bare(newsroom: Newsroom, path: Path, n: int) -> None:
    asyncio.run(_bare_chain(newsroom, path, n))


async def _bare_chain(newsroom: Newsroom, path: Path, n: int) -> None:
    """Fetch, extract with metadata and keep the text, one after the other: the least that a watcher would do."""
    conn = sqlite3.connect(path)
    conn.execute("create table articles (url text, title text, body text)")
    resolver = aiohttp.TCPConnector(limit=8)
    async with aiohttp.ClientSession(connector=resolver) as session:
        for number in range(n):
            async with session.get(f"http://127.0.0.1:{newsroom.port}/news/{number}") as answer:
                body = await answer.read()
            found: Any = trafilatura.bare_extraction(body, with_metadata=True)
            if found is not None:
                conn.execute("insert into articles values (?, ?, ?)", (_address(number), found.title, found.text))
            if number % 50 == 49:
                conn.commit()
    conn.commit()
    conn.close()


def _nothing_due(console: Console, newsroom: Newsroom, folder: Path) -> None:
    config = _deploy(folder, newsroom, "idle", 1, 0)
    table = Table("a pass in which nothing is due", "seconds", "CPU s", "goal", title_justify="left")
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [str(Path(sys.executable).with_name("wirewatch")), "run", str(config.path)]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    table.add_row("wirewatch run, from the shell", f"{time.perf_counter() - began:.1f}", f"{cpu:.2f}", "< 3 s")
    cpu_before, began = time.process_time(), time.perf_counter()
    run_pass(config, FixedClock(START))
    table.add_row(
        "the next one of run --every",
        f"{time.perf_counter() - began:.2f}",
        f"{time.process_time() - cpu_before:.2f}",
        "no start-up",
    )
    console.print(table)


def _memory(console: Console, newsroom: Newsroom, folder: Path, n: int) -> int:
    """Print resident memory after each tenth of a pass over so many pages."""
    config = _deploy(folder, newsroom, "memory", 2, n)
    resident: list[float] = []

    def note(line: str) -> None:
        resident.append(sum(map(_resident, [os.getpid(), *_children()])))

    run_pass(config, FixedClock(START), note)
    note("")
    console.print(f"{n} pages, resident MiB of all processes at each wave of 500 (goal: under 700, no growth):")
    console.print("  " + " ".join(f"{one:.0f}" for one in resident))
    return 0


def _resident(one: int) -> float:
    lines = Path(f"/proc/{one}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def _stored(console: Console, newsroom: Newsroom, folder: Path, n: int, sizes: Sequence[int]) -> int:
    """Print what a page of a third pass costs beside so many other articles."""
    table = Table(
        "articles in the store", "CPU ms a page, least", "of the first", title="goal: within 10 %", title_justify="left"
    )
    first = 0.0
    _warm_up(newsroom, folder)
    for size in sizes:
        newsroom.set("2")
        config = _deploy(folder, newsroom, f"stored{size}", 1, n)
        _fill(Store.shared(config.store), size)
        spent = Spent()
        for place in range(4):
            clock = FixedClock(START + place * BETWEEN)
            _measure(spent if place else Spent(), n, partial(run_pass, config, clock))
        first = first or spent.least
        table.add_row(f"{size:,}", f"{spent.least:.1f}", f"{spent.least / first:.2f}")
    console.print(table)
    return 0


def _fill(store: Store, size: int) -> None:
    """Put articles into the store that were read once and are due in years."""
    with store.begin() as conn:
        for start in range(0, size, 1000):
            urls = [f"https://other{n % 50}.example/news/{n}" for n in range(start, min(size, start + 1000))]
            keys = [article_key(url) for url in urls]
            conn.execute(
                tables.articles.insert(),
                [
                    {"key": key, "url": url, "host": url.split("/")[2], "due_at": START + timedelta(days=4000)}
                    for key, url in zip(keys, urls, strict=True)
                ],
            )
            seen = [Observation(observed=START, url=url, seen=Seen.WORDING, content_hash="0" * 64) for url in urls]
            conn.execute(
                tables.observations.insert(),
                [ledger.observation_row(key, one) for key, one in zip(keys, seen, strict=True)],
            )
            conn.execute(
                tables.aliases.insert(),
                [
                    {"url": url, "name": url, "kind": "asked", "article": key, "observed": START}
                    for key, url in zip(keys, urls, strict=True)
                ],
            )


# Where the time goes

_ELEMENTS: Final = 2000
_REST: Final = "Beam's start, keep, to and fro"


def _steps(newsroom: Newsroom, folder: Path, n: int) -> dict[str, dict[str, float]]:
    """Return CPU milliseconds a page of each step, of a page in a first and in a third pass."""
    pages = [_capture(number, 1) for number in range(n)]
    later = [_capture(number, 2) for number in range(n)]
    firsts = [read_article(page, Source()) for page in pages]
    prints = [revive_json(Fingerprint, one.fingerprint or "").rules for one in firsts]
    trees = [parse(decode(page).text).tree for page in later]
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)  # as in the child processes
    fetched = _each(n, lambda: asyncio.run(_only_fetch(newsroom, n)))
    decoded = _each(n, lambda: [decode(page) for page in later])
    parsed = _each(n, lambda: [parse(decode(page).text) for page in later]) - decoded
    outlined = _each(n, lambda: [outline(tree, rules).digest() for tree, rules in zip(trees, prints, strict=True)])
    short = _each(
        n, lambda: [read_article(page, Source(), one.fingerprint) for page, one in zip(later, firsts, strict=True)]
    )
    read = _each(n, lambda: [read_page(page, Source()) for page in pages])
    remembered = _each(n, lambda: [read_article(page, Source()) for page in pages]) - read
    gc.set_threshold(*usual)
    gc.unfreeze()
    start = _each(1, lambda: run_graph(_through_beam(1)))
    element = (_each(1, lambda: run_graph(_through_beam(_ELEMENTS + 1))) - start) / _ELEMENTS
    first, third = _whole(newsroom, folder, n)
    common = {"fetch": fetched, "decode": decoded, "parse": parsed}
    in_full = {"extract": read - decoded - parsed, "remember": remembered, "Beam, an element": element}
    again = {"compare": outlined, "what the page states": short - decoded - parsed - outlined}
    again["Beam, an element"] = element
    return {
        "first pass": {**common, **in_full, _REST: first - fetched - read - remembered - element},
        "third pass": {**common, **again, _REST: third - fetched - short - element},
    }


def _whole(newsroom: Newsroom, folder: Path, n: int) -> tuple[float, float]:
    config = _deploy(folder, newsroom, "steps", 1, n)
    newsroom.set("1")
    spent = [Spent() for _ in range(3)]
    for place, one in enumerate(spent):
        clock = FixedClock(START + place * BETWEEN)
        _measure(one, n, partial(run_pass, config, clock))
    return spent[0].least, spent[2].least


def _capture(number: int, nonce: int) -> Capture:
    kinds = (("content-type", "text/html; charset=utf-8"),)
    return Capture(url=_address(number), observed=START, status=200, headers=kinds, body=article(number, "1", nonce))


def _each(n: int, work: Callable[[], Any]) -> float:
    least = float("inf")
    for _ in range(3):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
    return 1000 * least / n


async def _only_fetch(newsroom: Newsroom, n: int) -> None:
    async with aiohttp.ClientSession() as session:
        for number in range(n):
            async with session.get(f"http://127.0.0.1:{newsroom.port}/news/{number}") as answer:
                await answer.read()


def _through_beam(n: int) -> Any:
    """Return a graph like the wave's, with steps that do nothing: what is left is Beam's."""
    return (
        "Tick" >> beam.Create([None])
        | "Lease" >> beam.FlatMap(_numbers, n)
        | "Spread" >> beam.Reshuffle()
        | "Fetch" >> beam.Map(_same)
        | "Read" >> beam.Map(_same)
        | "Keep" >> beam.Map(_same)
        | "Count" >> Count.Globally()
    )


def _numbers(_: object, n: int) -> range:
    return range(n)


def _same(one: int) -> int:
    return one


def _step_table(steps: dict[str, dict[str, float]]) -> Table:
    table = Table(
        "pass", "step", "CPU ms a page", title="where the time goes (Beam's goal: under 1 ms)", title_justify="left"
    )
    for name, found in steps.items():
        for step, cost in found.items():
            table.add_row(name, step, f"{cost:.2f}")
        table.add_row(name, "together", f"{sum(found.values()):.2f}", end_section=True)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
