"""Ask a viewer over a store of a million revisions from 50 connections at once, and print how long pages take.

    python -m benchmarks.viewer [DATA] [--articles N] [--store FILE] [--seconds S] [--connections N]

DATA is not read: everything is invented (`benchmarks/_newsrooms.py`). The store is made anew below build/, or kept and
used again with --store. Every kind of page is asked at its own addresses, drawn anew each time, by an asynchronous
client in a process of its own. Two ways of asking: `paced` leaves each connection a second between two requests, as
readers do, and shows what one of them waits for; `flat out` leaves none, and shows how much the server can do at most.
The goal is for `paced`; flat out, 50 who never pause wait for each other, 50 requests divided by those done a second.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from benchmarks import _newsrooms as newsrooms
from wirewatch.store import Store

GOAL_MS = 50.0
ARTICLES = 200_000
_CONFIGURATION = """\
instance: {authority: benchmark.example, since: "2026"}
store: sqlite:///STORE
fetch: {contact: nobody@benchmark.example}
"""


def main(arguments: list[str]) -> int:
    """Print the table; return 1 where a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", help="not read")
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--store", type=Path, default=Path("build/viewer.db"))
    parser.add_argument("--seconds", type=float, default=8.0, help="for each row of the table")
    parser.add_argument("--connections", type=int, default=50)
    given = parser.parse_args(arguments)
    _filled(given.store, given.articles)
    config = given.store.with_suffix(".yaml")
    config.write_text(_CONFIGURATION.replace("STORE", given.store.name))
    console = Console(width=110)
    table = Table("page", "asked", "median ms", "p95 ms", "goal", "requests/s", "server MB", box=None, pad_edge=False)
    missed = False
    with _Server(config) as server:
        for name, draw in _kinds(given.articles).items():
            for how, pause in (("paced", 1.0), ("flat out", 0.0)):
                times = server.asked(name, draw, given.connections, given.seconds, pause)
                median, p95 = quantiles(times, n=20)[9] * 1000, quantiles(times, n=20)[18] * 1000
                missed |= how == "paced" and p95 > GOAL_MS
                goal = f"< {GOAL_MS:g}" if how == "paced" else ""
                rate = len(times) / given.seconds
                table.add_row(
                    name, how, f"{median:.1f}", f"{p95:.1f}", goal, f"{rate:,.0f}", f"{server.megabytes():.0f}"
                )
    console.print(table)
    size = given.store.stat().st_size / 1e9
    console.print(f"{given.articles:,} articles, {given.connections} connections, a store of {size:.1f} GB")
    return 1 if missed else 0


def _filled(path: Path, articles: int) -> None:
    done = path.with_suffix(".done")
    if done.exists() and done.read_text() == str(articles):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    for one in (path, done, Path(f"{path}-wal"), Path(f"{path}-shm")):
        one.unlink(missing_ok=True)
    start = time.perf_counter()
    store = Store.open(f"sqlite:///{path}")
    counts = newsrooms.fill(store, articles)
    store.close()
    done.write_text(str(articles))
    told = ", ".join(f"{count:,} {table}" for table, count in counts.items())
    print(f"Filled in {time.perf_counter() - start:.0f} s: {told}", file=sys.stderr)


def _kinds(articles: int) -> dict[str, Callable[[random.Random], str]]:
    """Return what is asked, by the name of its row: how an address is drawn."""
    words = newsrooms.vocabulary()
    long = [number for number in range(1, min(articles, 20_000), 100) if newsrooms.is_long(number)]

    def narrowed(chance: random.Random) -> str:
        host = f"publisher=h{chance.randrange(newsrooms.HOSTS)}.example"
        return f"/?{host}&disclosure={chance.choice(('disclosed', 'undisclosed'))}"

    def redline(chance: random.Random) -> str:
        number = chance.choice(long)
        old, new = newsrooms.revision_of(number, 0), newsrooms.revision_of(number, 1)
        return f"/articles/{newsrooms.key_of(number)}/diff/{old}..{new}"

    return {
        "front page": lambda _: "/",
        "filter": narrowed,
        "search": lambda chance: f"/?q={chance.choice(words[:3000])}+{chance.choice(words[:300])}",
        "article": lambda chance: f"/articles/{newsrooms.key_of(chance.randrange(articles))}",
        "redline, 2,000 words": redline,
        "article as JSON": lambda chance: f"/articles/{newsrooms.key_of(chance.randrange(articles))}.json",
    }


class _Server:
    """`wirewatch serve` in a process of its own."""

    def __init__(self, config: Path) -> None:
        run = "import sys; from pipelines.cli import main; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", run, "serve", str(config), "--port", str(_free_port())]
        self._address = f"http://127.0.0.1:{command[-1]}"
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."})

    def __enter__(self) -> _Server:
        assert self._process.stderr is not None
        assert b"viewer is at" in self._process.stderr.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def asked(
        self, name: str, draw: Callable[[random.Random], str], connections: int, seconds: float, pause: float
    ) -> list[float]:
        """Return how long each request took, in seconds; the first of each connection are left out."""
        chance = random.Random(f"{name} {pause}")
        addresses = [self._address + draw(chance) for _ in range(20_000)]
        asking = multiprocessing.get_context("fork")
        near, far = asking.Pipe()
        client = asking.Process(target=_ask, args=(far, addresses, connections, seconds, pause))
        client.start()
        times: list[float] = near.recv()
        client.join()
        return times

    def megabytes(self) -> float:
        """Return how much memory the server holds."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def _ask(pipe: Any, addresses: list[str], connections: int, seconds: float, pause: float) -> None:
    pipe.send(asyncio.run(_times(addresses, connections, seconds, pause)))


async def _times(addresses: list[str], connections: int, seconds: float, pause: float) -> list[float]:
    times: list[float] = []
    chance = random.Random(1)
    left = iter(addresses * 50)
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, headers={"accept": "text/html"}) as session:
        begin = time.perf_counter()

        async def one(number: int) -> None:
            await asyncio.sleep(pause * number / connections)
            first = True
            while time.perf_counter() - begin < seconds + pause:
                start = time.perf_counter()
                async with session.get(next(left)) as answer:
                    body = await answer.read()
                    assert answer.status == 200, (answer.status, str(answer.url), body[:300])
                if not first:
                    times.append(time.perf_counter() - start)
                first = False
                await asyncio.sleep(pause * chance.uniform(0.8, 1.2))

        await asyncio.gather(*(one(number) for number in range(connections)))
    return times


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
