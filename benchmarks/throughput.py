"""Replay real pages through the whole job, beside a bare loop over trafilatura on the same pages in the same run.

    python benchmarks/throughput.py [DATA] [--pages N]

DATA is the folder of the shared test data (default: WIREWATCH_DATA, else ../shared/data); --pages takes only every so
many of its pages that N are left. The replay does what the
loop does and also reads the times, hashes, compares, keeps pages and revisions, and writes records and events.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trafilatura
from rich.console import Console
from rich.table import Table

from pipelines.config import load
from pipelines.replay import replay
from wirewatch.clock import FixedClock

ROUNDS = 10  # of memory; the first warms up
START = datetime(2026, 3, 16, 12, tzinfo=UTC)
_CONFIGURATION = """\
instance: {{authority: benchmark.example, since: "2026"}}
store: sqlite:///store-{name}.db
fetch: {{contact: nobody@benchmark.example}}
sinks: [{{kind: jsonl, name: files, folder: out-{name}}}]
work: {{children: {children}}}
"""


def main(arguments: list[str]) -> int:
    """Print the table; return 2 where the data is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("WIREWATCH_DATA", "../shared/data"), type=Path)
    parser.add_argument("--pages", type=int)
    given = parser.parse_args(arguments)
    data = given.data / "extraction"
    if not data.is_dir():
        sys.stderr.write(f"{data} is not there: name the folder of the shared test data, or set WIREWATCH_DATA.\n")
        return 2
    pages = dict(_pages(data))
    if given.pages:
        pages = dict(list(pages.items())[:: max(1, len(pages) // given.pages)][: given.pages])
    console = Console()
    table = Table("what", "pages", "seconds", "pages/s", "of the bare loop", box=None, pad_edge=False)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        bare = _bare_loop(list(pages.values()))
        table.add_row("bare_extraction(with_metadata=True)", *_figures(len(pages), bare, bare))
        for children in (1, 2):
            seconds, _ = _replayed(folder, pages, children=children, rounds=1)
            table.add_row(
                f"replay, {children} child process{'es' * (children > 1)}", *_figures(len(pages), seconds, bare)
            )
        console.print(table)
        _, resident = _replayed(folder, pages, children=2, rounds=ROUNDS, name="memory")
    console.print(f"\nResident MiB after each of {ROUNDS} rounds over the {len(pages)} pages, each an hour later:")
    console.print("  this process  " + " ".join(f"{own:4.0f}" for own, _ in resident))
    console.print("  its children  " + " ".join(f"{all_:4.0f}" for _, all_ in resident))
    return 0


def _pages(data: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each page with an address of its own; the corpora's own addresses say nothing here."""
    for path in sorted(data.rglob("*.html.gz")):
        yield f"https://benchmark.example/{path.relative_to(data).as_posix()}", gzip.decompress(path.read_bytes())


def _bare_loop(pages: list[bytes]) -> float:
    trafilatura.bare_extraction(pages[0].decode("utf-8", "replace"), with_metadata=True)
    began = time.perf_counter()
    for page in pages:
        trafilatura.bare_extraction(page.decode("utf-8", "replace"), with_metadata=True)
    return time.perf_counter() - began


def _replayed(
    folder: Path, pages: dict[str, bytes], *, children: int, rounds: int, name: str = ""
) -> tuple[float, list[tuple[float, float]]]:
    """Return the seconds of the last round, after a warm-up with one page, and the memory after each."""
    name = name or str(children)
    path = folder / f"{name}.yaml"
    path.write_text(_CONFIGURATION.format(name=name, children=children), encoding="utf-8")
    config = load(path, {})
    bodies = folder / "bodies"
    bodies.mkdir(exist_ok=True)
    for number, body in enumerate(pages.values()):
        (bodies / str(number)).write_bytes(body)
    clock = FixedClock(START + timedelta(days=1))
    replay(config, [_captures(folder, list(pages)[:2], START - timedelta(hours=1))], clock)
    seconds, resident = 0.0, []
    for one in range(rounds):
        captures = _captures(folder, list(pages), START + timedelta(hours=one))
        began = time.perf_counter()
        replay(config, [captures], clock)
        seconds = time.perf_counter() - began
        resident.append((_resident(os.getpid()), sum(_resident(child) for child in _children())))
    return seconds, resident


def _captures(folder: Path, urls: list[str], observed: datetime) -> Path:
    path = folder / "captures.jsonl"
    lines = (
        json.dumps({"url": url, "observedAt": observed.isoformat(), "bodyPath": f"bodies/{number}"})
        for number, url in enumerate(urls)
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _children() -> list[int]:
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [int(child) for task in found for child in task.read_text().split()]


def _resident(process: int) -> float:
    """Return resident MiB of a process, 0 where the system has no /proc."""
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def _figures(pages: int, seconds: float, bare: float) -> tuple[str, ...]:
    return (str(pages), f"{seconds:.1f}", f"{pages / seconds:.1f}", f"{bare / seconds:.2f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
