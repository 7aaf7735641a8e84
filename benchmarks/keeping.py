"""Time tidying, verifying and exporting over a large store, what they take of memory, and readers beside the tidying.

    python benchmarks/keeping.py [DATA] [--revisions N] [--store URL]

Needs no data: articles are invented and written in bulk, four revisions each, half of the articles older than what is
to stay. DATA is taken, as by the other benchmarks, and not looked at. Each job runs in a process of its own, whose peak
of memory is compared with that on a store of a tenth of the size.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from wirewatch.canonical import article_key, article_uri, canonical_json, content_hash, diff_id, sha256, text_hash
from wirewatch.chain import links as chain
from wirewatch.model import Diff, Facts, Hunk, Observation, Seen, Selector, Source, Verdict, Wording
from wirewatch.revisions import Ledger, fold
from wirewatch.store import Store, forgetting, ledger
from wirewatch.store.ledger import observation_row
from wirewatch.store.links import row_of
from wirewatch.store.tables import (
    aliases,
    articles,
    deliveries,
    diffs,
    links,
    observations,
    outbox,
    pages,
    revisions,
    wordings,
)
from wirewatch.store.tidying import Retention, tidy
from wirewatch.store.verifying import verify

NOW: Final = datetime(2026, 3, 16, 12, tzinfo=UTC)
EACH: Final = 4  # revisions of an article
AT_ONCE: Final = 500  # articles written in one transaction
HEADERS: Final = (("content-type", "text/html; charset=utf-8"), ("etag", '"5b9692a5c336"'))
KEPT_HEADERS: Final = canonical_json(HEADERS)
SOURCE: Final = canonical_json(Source())
FACTS: Final = canonical_json(Facts(language="en"))
VERDICT: Final = canonical_json(Verdict(disclosure="unknown", signal="update", significance_class="minor", score=0.1))
RETENTION: Final = Retention(pages=timedelta(days=60), texts=timedelta(days=60))
# Rows a second of a processor: a store of a million revisions is tidied in ten minutes of a night, and checked or
# exported in a quarter of an hour.
GOALS: Final = {"tidy": 2_000.0, "verify": 1_000.0, "export": 1_000.0}
MEMORY_GOAL: Final = 1.25  # times the peak on a tenth of the store
READER_GOAL: Final = 100.0  # ms, 95th percentile of a query while tidying
SPAWN: Final = multiprocessing.get_context("spawn")


def fill(store: Store, revisions_wanted: int) -> None:
    """Write articles in bulk, as keeping them one by one would have left them."""
    chance, count = random.Random(3), max(revisions_wanted // EACH, 1)
    words = ["".join(chance.choices("abcdefghilmnoprstu", k=chance.randint(3, 9))) for _ in range(4000)]
    for start in range(0, count, AT_ONCE):
        rows: dict[sa.Table, list[dict[str, Any]]] = {}
        for number in range(start, min(start + AT_ONCE, count)):
            for table, row in _article(chance, words, number):
                rows.setdefault(table, []).append(row)
        with store.begin() as conn:
            order = (articles, aliases, observations, wordings, revisions, links, diffs, pages, outbox, deliveries)
            for table in order:
                conn.execute(table.insert(), rows[table])


def _article(chance: random.Random, words: Sequence[str], number: int) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    url = f"https://courier.example/story-{number}"
    key, began = article_key(url), NOW - timedelta(days=200 if number % 2 else 20, seconds=number % 80_000)
    text = " ".join(chance.choices(words, k=120))
    texts = [f"{text} {' '.join(chance.choices(words, k=5))}" for _ in range(EACH)]
    wording = [Wording(headline=f"Story {number}", body=body) for body in texts]
    bodies = [f"<!doctype html><article><p>{body}</p>".encode() for body in texts]
    seen = tuple(
        Observation(
            observed=began + timedelta(hours=3 * n),
            url=url,
            seen=Seen.WORDING,
            content_hash=content_hash(wording[n]),
            text_hash=text_hash(wording[n]),
            length=len(texts[n]),
            extractor="benchmark/1",
            page_hash=sha256(bodies[n]),
        )
        for n in range(EACH)
    )
    history = fold(Ledger(article=key, observations=seen))
    last = history.revisions[-1]
    yield articles, {"key": key, "url": url, "host": "courier.example", "ledger_version": EACH, "source": SOURCE,
                     "first_seen": began, "last_change": last.first_observed, "availability": "available"}  # fmt: skip
    yield aliases, {"url": url, "name": url, "kind": "asked", "article": key, "observed": began}
    for n, (one, revision) in enumerate(zip(seen, history.revisions, strict=True)):
        yield observations, observation_row(key, one)
        yield wordings, {"article": key, "text_hash": one.text_hash, "content_hash": one.content_hash,
                         "wording": canonical_json(wording[n]), "facts": FACTS}  # fmt: skip
        body = canonical_json(revision)
        names = [column.name for column in revisions.c if column.name != "body"]
        yield revisions, {**{name: getattr(revision, name) for name in names}, "body": body}
        yield pages, {"hash": one.page_hash, "size": len(bodies[n]), "headers": KEPT_HEADERS,
                      "content_type": "text/html", "kept": one.observed, "body": bodies[n]}  # fmt: skip
        message = number * EACH + n + 1
        yield outbox, {"id": message, "kind": "record", "item": revision.id, "article": key, "payload": texts[n],
                       "recorded": one.observed, "backfill": False}  # fmt: skip
        yield deliveries, {"sink": "files", "outbox": message, "article": key, "delivered": one.observed}
    for link in chain(history.revisions, lambda _: HEADERS):
        yield links, row_of(key, link, last.first_observed)
    for n, change in enumerate(history.transitions):
        yield diffs, {
            "id": diff_id(key, change.old.content_hash, change.new.content_hash, 1),
            "article": key, "old_revision": change.old.id, "new_revision": change.new.id,
            "old_content_hash": change.old.content_hash, "new_content_hash": change.new.content_hash,
            "occurrence": 1, "live": True, "announced": 1, "digest": "0" * 64, "host": "courier.example",
            "observed": change.new.first_observed, "hunk_hash": sha256(texts[n].encode())[:32],
            "diff": canonical_json(_diff(texts[n], texts[n + 1])),
            "verdict": VERDICT,
        }  # fmt: skip


def _diff(old: str, new: str) -> Diff:
    start = len(old.rsplit(" ", 5)[0]) + 1
    sides = [
        Selector(exact=text[start:], prefix=text[start - 30 : start], suffix="", start=start, end=len(text))
        for text in (old, new)
    ]
    hunk = Hunk(field="body", op="replace", old=sides[0], new=sides[1])
    return Diff(hunks=(hunk,), words_added=5, words_removed=5, similarity=0.95)


# Jobs


def _tidy(url: str) -> int:
    return sum(one.rows for one in tidy(Store.open(url), RETENTION, NOW).values())


def _verify(url: str) -> int:
    checked = verify(Store.open(url))
    assert not checked.wrong, checked.faults[:3]
    return checked.revisions


def _export(url: str) -> int:
    """Write the ledger export to nowhere; return how many revisions were in it."""
    store, lines = Store.open(url), 0
    with Path(os.devnull).open("wb") as nowhere:
        for line in ledger.export(store, lambda key: article_uri("benchmark.example", "2026", key)):
            nowhere.write(line)
            lines += 1
    return lines * EACH


JOBS: Final[dict[str, Callable[[str], int]]] = {"export": _export, "verify": _verify, "tidy": _tidy}


def _run(job: str, url: str, answer: Connection) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    rows = JOBS[job](url)
    wall, spent = time.perf_counter() - began, time.process_time() - cpu
    answer.send((rows, wall, spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def measured(job: str, url: str, beside: Callable[[], object] = lambda: None) -> tuple[int, float, float, float]:
    """Run a job in a process of its own, with `beside` done meanwhile.

    Return rows, seconds, seconds of a processor, and the peak of memory in MB.
    """
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_run, args=(job, url, theirs))
    process.start()
    while not ours.poll(0.01):
        if not process.is_alive():
            raise SystemExit(f"The {job} failed")
        beside()
    rows, seconds, spent, peak = ours.recv()
    process.join()
    return rows, seconds, spent, peak / (1024 if sys.platform == "linux" else 1024**2)


class Reader:
    """Somebody who looks at articles, as a viewer does: one query after the other, each timed."""

    def __init__(self, url: str, count: int) -> None:
        self.store, self.count, self.chance, self.took = Store.open(url), count, random.Random(5), [0.0][:0]

    def __call__(self) -> None:
        key = article_key(f"https://courier.example/story-{self.chance.randrange(self.count)}")
        began = time.perf_counter()
        with self.store.reading() as conn:
            conn.execute(sa.select(revisions).where(revisions.c.article == key)).all()
            conn.execute(sa.select(wordings).where(wordings.c.article == key)).all()
            conn.execute(sa.select(diffs).where(diffs.c.article == key)).all()
        self.took.append((time.perf_counter() - began) * 1000)

    def p95(self) -> float:
        """Return the 95th percentile in ms, and begin anew."""
        took, self.took = sorted(self.took), []
        return took[int(len(took) * 0.95)]


def main() -> int:
    """Print the tables; return 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", help="not looked at")
    parser.add_argument("--revisions", type=int, default=100_000)
    parser.add_argument("--store", help="an empty PostgreSQL database; SQLite in a temporary folder if left out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wirewatch-keeping-") as folder:
        url = given.store or f"sqlite:///{folder}/large.sqlite"
        small = f"sqlite:///{folder}/small.sqlite"
        began = time.perf_counter()
        for address, count in ((small, given.revisions // 10), (url, given.revisions)):
            store = Store.open(address)
            fill(store, count)
            store.close()
        console = Console(width=110, highlight=False)
        made = time.perf_counter() - began
        console.print(f"{given.revisions:,} revisions on {url.partition(':')[0]}, made in {made:.0f} s\n")
        return _tables(console, url, small, given.revisions // EACH)


def _tables(console: Console, url: str, small: str, count: int) -> int:
    reader = Reader(url, count)
    for _ in range(500):
        reader()
    alone, met = reader.p95(), True
    table = Table("job", "rows", "rows a CPU s", "goal", "rows a s", "peak MB", "on a tenth", "times", "goal", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for job, goal in (("export", GOALS["export"]), ("verify", GOALS["verify"]), ("tidy", GOALS["tidy"])):
        *_, before = measured(job, small)
        rows, seconds, spent, peak = measured(job, url, reader if job == "tidy" else lambda: None)
        speed, times = rows / spent, peak / before
        met &= speed >= goal and times <= MEMORY_GOAL
        told = (f"{rows:,}", f"{speed:,.0f}", f"{goal:,.0f}", f"{rows / seconds:,.0f}", f"{peak:.0f}", f"{before:.0f}")
        table.add_row(job, *told, f"{times:.2f}", f"{MEMORY_GOAL}")
    console.print(table)
    beside = reader.p95()
    met &= beside <= READER_GOAL
    table = Table("a reader's query, 95th percentile in ms", "alone", "while tidying", "goal", box=None)
    table.add_row("revisions, texts and diffs of an article", f"{alone:.1f}", f"{beside:.1f}", f"{READER_GOAL:.0f}")
    console.print(table)
    key = article_key("https://courier.example/story-2")
    began = time.perf_counter()
    forgetting.forget(reader.store, key, "a benchmark", NOW, str)
    console.print(f"\nForgetting one article took {(time.perf_counter() - began) * 1000:.0f} ms.")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
