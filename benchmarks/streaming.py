"""Take captures through a stream on Prism and on Flink, or keep one under steady load and draw its memory.

    python benchmarks/streaming.py [DATA] [--captures N] [--engines prism,flink]
    python benchmarks/streaming.py [DATA] --soak 30m [--rate 2] [--engines prism] [--plot docs/soak.svg]

DATA is the folder of the shared test data (default: WIREWATCH_DATA, else ../shared/data). The captures wait in the
inbox of a PostgreSQL before they are asked for, and the time runs from the first that is kept to the last, so that no
engine's start is in it. Each worker has one child process for untrusted work: what parallelism brings is seen then.
`make test-engines` installs the engines.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.config import Config
from tests.conftest import Databases
from tests.engines.flink import Flink
from tests.engines.histories import at_rest, kept, put
from tests.engines.install import missing
from tests.engines.streams import Stream, deployment, on_flink
from wirewatch.clock import SystemClock
from wirewatch.model import Capture
from wirewatch.store import Store
from wirewatch.units import seconds as duration

GOAL = 1.6  # times as many captures a second on Flink at parallelism 2 as at 1
PATIENCE = 1800.0
ARTICLES = 400  # of the soak: each is revised again and again, and none so often that its own ledger becomes the load
LOOK_SECONDS = 10.0
WARM = 8  # captures
MiB = 2**20


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What is needed for any run: where it is, the databases, the pages, the cluster if one is wanted."""

    folder: Path
    databases: Databases
    pages: Sequence[bytes]
    cluster: Flink | None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One engine's figures. Seconds are those of the wall; `cpu` is that of all its processes together."""

    captures: int
    seconds: float
    cpu: float
    checkpoint: str = ""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Resident memory at one moment of a soak, in MiB."""

    at: float
    engine: float
    workers: float
    children: float
    captures: int


def main(arguments: list[str]) -> int:
    """Print the table, or draw the soak; return 2 where the data or the engines are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("WIREWATCH_DATA", "../shared/data"), type=Path)
    parser.add_argument("--captures", type=int, default=400)
    parser.add_argument("--engines", default="prism,flink")
    parser.add_argument("--soak", type=duration)
    parser.add_argument("--rate", type=float, default=2.0, help="captures a second")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args(arguments)
    if missing():
        sys.stderr.write(f"{', '.join(missing())} not installed: make test-engines installs the engines.\n")
        return 2
    pages = list(_pages(given.data / "extraction"))
    if not pages:
        sys.stderr.write(
            f"{given.data} is not there: name the folder of the shared test data, or set WIREWATCH_DATA.\n"
        )
        return 2
    with tempfile.TemporaryDirectory(prefix="wirewatch-benchmark-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        (folder / "databases").mkdir(mode=0o700)
        databases = Databases(folder / "databases")
        engines = given.engines.split(",")
        try:
            with _cluster(folder, wanted="flink" in engines) as cluster:
                bench = Bench(folder=folder, databases=databases, pages=pages, cluster=cluster)
                if given.soak:
                    _soak(bench, engines[0], given.soak, given.rate, given.plot)
                else:
                    _throughput(bench, engines, given.captures)
        finally:
            databases.stop()
    return 0


def _throughput(bench: Bench, engines: Sequence[str], captures: int) -> None:
    table = Table(
        "engine", "captures", "seconds", "captures/s", "CPU s", "beside", "checkpoint", box=None, pad_edge=False
    )
    found: dict[str, Measured] = {}
    runs = [("prism", 1)] * ("prism" in engines) + [("flink", 1), ("flink", 2)] * ("flink" in engines)
    for engine, parallelism in runs:
        name = f"{engine}, parallelism {parallelism}" if engine == "flink" else engine
        found[name] = one = _measure(bench, engine, parallelism, captures)
        base = found.get("flink, parallelism 1")
        beside = f"{one.captures / one.seconds / (base.captures / base.seconds):.2f}" if base else ""
        goal = f" (goal {GOAL})" if parallelism == 2 else ""
        figures = (str(one.captures), f"{one.seconds:.1f}", f"{one.captures / one.seconds:.1f}", f"{one.cpu:.1f}")
        table.add_row(name, *figures, beside + goal, one.checkpoint)
    Console(width=160).print(table)


def _measure(bench: Bench, engine: str, parallelism: int, captures: int) -> Measured:
    cluster = bench.cluster if engine == "flink" else None
    config = _deployment(bench, f"{engine}{parallelism}")
    store = Store.shared(config.store)
    with _running(config, on_flink(cluster, parallelism=parallelism) if cluster else _on_prism()) as stream:
        put(store, _captures(bench.pages, 0, WARM))  # what is started at the first use, is started then
        _wait(stream, lambda: kept(store) == WARM and at_rest(store))
        cpu, began = _cpu(stream, cluster), time.time()
        put(store, _captures(bench.pages, WARM, captures))
        _wait(stream, lambda: kept(store) > WARM)
        first, before = time.monotonic(), kept(store)
        _wait(stream, lambda: kept(store) == WARM + captures)
        seconds, spent = time.monotonic() - first, _cpu(stream, cluster) - cpu
        checkpoint = _checkpoints(cluster, began) if cluster else ""
        return Measured(captures=captures + WARM - before, seconds=seconds, cpu=spent, checkpoint=checkpoint)


def _soak(bench: Bench, engine: str, lasts: float, rate: float, plot: Path | None) -> None:
    config = _deployment(bench, "soak")
    store = Store.shared(config.store)
    looks: list[Look] = []
    with _running(config, on_flink(bench.cluster) if bench.cluster else _on_prism()) as stream:
        put(store, _captures(bench.pages, 0, WARM))
        _wait(stream, lambda: kept(store) == WARM and at_rest(store))
        began, fed = time.monotonic(), WARM
        while (now := time.monotonic() - began) < lasts:
            due = WARM + int(now * rate)
            put(store, _captures(bench.pages, fed, due - fed))
            fed = due
            if not looks or now - looks[-1].at >= LOOK_SECONDS:
                looks.append(_look(stream, bench.cluster, now, kept(store)))
                _tell(looks[-1], fed)
            _wait_a_little(stream)
        behind = fed - kept(store)
        _wait(stream, lambda: kept(store) == fed)
    _report(looks, engine, rate, behind)
    if plot:
        plot.write_text(_drawn(looks, engine, rate), encoding="utf-8")


def _report(looks: Sequence[Look], engine: str, rate: float, behind: int) -> None:
    table = Table("resident MiB", "second fifth", "last fifth", "most", box=None, pad_edge=False)
    fifth = max(1, len(looks) // 5)
    for name in ("engine", "workers", "children"):
        values = [getattr(look, name) for look in looks]
        first, last = statistics.median(values[fifth : 2 * fifth] or values), statistics.median(values[-fifth:])
        table.add_row(name, f"{first:.0f}", f"{last:.0f}", f"{max(values):.0f}")
    minutes = looks[-1].at / 60
    Console().print(
        f"{engine}: {looks[-1].captures:,} captures in {minutes:.0f} minutes, {rate:g} a second; {behind} behind"
    )
    Console().print(table)


def _deployment(bench: Bench, name: str) -> Config:
    sinks = [{"kind": "jsonl", "name": "files", "folder": "out"}]
    return deployment(bench.folder / name, bench.databases.empty(), sinks=sinks, work={"children": 1, "wave": 200})


def _on_prism() -> list[str]:
    from tests.engines.install import PRISM  # noqa: PLC0415

    return ["--runner", "prism", "--prism", str(PRISM)]


@contextmanager
def _cluster(folder: Path, *, wanted: bool) -> Iterator[Flink | None]:
    """Give a cluster if one is wanted; its two TaskManagers have a slot each, so two tasks never share a worker."""
    if not wanted:
        yield None
        return
    cluster = Flink(folder / "flink")
    try:
        yield cluster
    finally:
        cluster.stop()


@contextmanager
def _running(config: Config, options: Sequence[str]) -> Iterator[Stream]:
    stream = Stream(config, *options)
    try:
        _wait(stream, lambda: stream.watches)
        yield stream
        stream.stop()
    finally:
        stream.kill()


def _wait(stream: Stream, condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"The stream is stuck:\n{stream.process.said()[-3000:]}")
        _wait_a_little(stream)


def _wait_a_little(stream: Stream) -> None:
    if not stream.process.runs:
        raise SystemExit(f"The stream ended:\n{stream.process.said()[-3000:]}")
    threading.Event().wait(0.1)


def _captures(pages: Sequence[bytes], first: int, count: int) -> list[tuple[str, Capture]]:
    """Return captures number `first` and on: the pages in turn, each under addresses of its own, a little changed."""
    now = SystemClock().now()
    headers = (("content-type", "text/html; charset=utf-8"),)
    found = []
    for number in range(first, first + count):
        body = pages[number % len(pages)]
        changed = body.replace(b"</p>", f" Report number {number}.</p>".encode(), 3)
        url = f"https://benchmark.example/{number % len(pages)}-{number % ARTICLES}"
        found.append((f"{number}", Capture(url=url, observed=now, status=200, headers=headers, body=changed)))
    return found


def _pages(data: Path) -> Iterator[bytes]:
    for path in itertools.islice(sorted(data.rglob("*.html.gz")), 0, 400):
        yield gzip.decompress(path.read_bytes())


def _checkpoints(cluster: Flink, began: float) -> str:
    job = next(iter(cluster.running().values()))
    history = cluster.ask(f"/jobs/{job}/checkpoints")["history"]
    took = [one["end_to_end_duration"] for one in history if one["status"] == "COMPLETED"]
    recent = [one["end_to_end_duration"] for one in history if one["trigger_timestamp"] >= began * 1000]
    took = [one for one in recent if one] or took
    return f"{statistics.median(took):.0f} ms, at most {max(took)} ms" if took else "none completed"


def _look(stream: Stream, cluster: Flink | None, at: float, captures: int) -> Look:
    engines: list[int] = []
    workers: list[int] = []
    children: list[int] = []
    roots = [stream.process.number] + ([one.number for one in cluster.processes] if cluster else [])
    for process in itertools.chain.from_iterable(_tree(root) for root in roots):
        command = Path(f"/proc/{process}/cmdline").read_bytes() if Path(f"/proc/{process}").exists() else b""
        if b"bounded_child" in command:
            children.append(process)
        elif b"prism" in command.partition(b"\0")[0] or command.startswith(b"java"):
            engines.append(process)
        else:
            workers.append(process)
    resident = [sum(map(_resident, group)) for group in (engines, workers, children)]
    return Look(at=at, engine=resident[0], workers=resident[1], children=resident[2], captures=captures)


def _tell(look: Look, fed: int) -> None:
    sizes = f"engine {look.engine:.0f}, workers {look.workers:.0f}, children {look.children:.0f} MiB"
    sys.stdout.write(f"{look.at:6.0f} s  {look.captures:6d} of {fed} kept  {sizes}\n")
    sys.stdout.flush()


def _cpu(stream: Stream, cluster: Flink | None) -> float:
    """Return the CPU seconds of all processes of a stream, those that have ended included."""
    roots = [stream.process.number] + ([one.number for one in cluster.processes] if cluster else [])
    ticks = 0
    for process in itertools.chain.from_iterable(_tree(root) for root in roots):
        fields = _stat(process)
        ticks += sum(int(field) for field in fields[11:15]) if fields else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def _tree(root: int) -> list[int]:
    """Return a process and all below it."""
    found = [root]
    for process in found:
        found += [int(one) for task in Path(f"/proc/{process}/task").glob("*/children") for one in _read(task).split()]
    return found


def _stat(process: int) -> list[str]:
    return _read(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()


def _resident(process: int) -> float:
    lines = _read(Path(f"/proc/{process}/status")).splitlines()
    return next((int(line.split()[1]) * 1024 / MiB for line in lines if line.startswith("VmRSS")), 0.0)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""


_COLOURS = {"engine": "#7a5195", "workers": "#003f5c", "children": "#ef5675"}


def _drawn(looks: Sequence[Look], engine: str, rate: float) -> str:
    """Return the soak as an SVG: resident memory over time, a line for the engine, the workers and their children."""
    width, height, left, bottom = 720, 320, 56, 40
    last = max(looks[-1].at, 1.0)
    most = max(max(look.engine, look.workers, look.children) for look in looks)
    top = max(100.0, -(-most // 100) * 100)

    def place(at: float, value: float) -> str:
        x = left + (width - left - 16) * at / last
        y = height - bottom - (height - bottom - 40) * value / top
        return f"{x:.1f},{y:.1f}"

    heading = f"Resident memory (MiB), {engine}, {rate:g} captures a second, {looks[-1].captures:,} captures"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        '<g font-family="sans-serif" font-size="12">',
        f"<title>Resident memory of a stream on {engine} at {rate:g} captures a second</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{left}" y="20" font-size="14">{heading}</text>',
    ]
    for step in range(5):
        value = top * step / 4
        x, y = place(0, value).split(",")
        right = place(last, value).split(",")[0]
        parts.append(f'<line x1="{x}" y1="{y}" x2="{right}" y2="{y}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{value:.0f}</text>')
        x = place(last * step / 4, 0).split(",")[0]
        minutes = last * step / 4 / 60
        parts.append(f'<text x="{x}" y="{height - 20}" text-anchor="middle">{minutes:.0f} min</text>')
    for number, (name, colour) in enumerate(_COLOURS.items()):
        points = " ".join(place(look.at, getattr(look, name)) for look in looks)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{left + 10 + 110 * number}" y="38" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</g></svg>"]) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
