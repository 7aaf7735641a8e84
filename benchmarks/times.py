"""Measure how well the publisher's times are read from real pages, beside a plain JSON-LD reader in the same run.

    python benchmarks/times.py DATA        (or WIREWATCH_DATA=DATA)

DATA/extraction/fundus is needed. A page counts if its first published claim is within a minute of the gold. Some gold
times state no zone: those are compared with the clock on the publisher's wall, as the page prints it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import os
import re
import sys
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from wirewatch.extract import read_page
from wirewatch.model import Capture, Claim, Source

GOAL = 245
MINUTE = timedelta(minutes=1)
_JSON_LD = re.compile(r"<script[^>]*ld\+json[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")


def plain_reader(page: str) -> datetime | None:
    """Return the first `datePublished` of a page's JSON-LD, as a short script would read it."""
    for block in _JSON_LD.findall(page):
        try:
            waiting: list[Any] = [json.loads(block, strict=False)]
        except ValueError:
            continue
        while waiting:
            item = waiting.pop(0)
            if isinstance(item, list):
                waiting[:0] = item
            elif isinstance(item, dict):
                try:
                    return datetime.fromisoformat(str(item["datePublished"]))
                except (KeyError, ValueError):
                    waiting += [value for value in item.values() if isinstance(value, (dict, list))]
    return None


def agrees(found: datetime | None, raw: str, gold: datetime) -> bool:
    """Tell whether a time is the gold's; where that has no zone, whether the clock on the wall is the same."""
    if found is None:
        return False
    if gold.tzinfo is not None:
        return abs((found if found.tzinfo else found.replace(tzinfo=UTC)) - gold) <= MINUTE
    wall = found.replace(tzinfo=None)
    with suppress(ValueError):  # printed in words: the claim is in UTC where no zone is configured
        wall = datetime.fromisoformat(raw.strip()).replace(tzinfo=None)
    return abs(wall - gold) <= MINUTE


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how well the publisher's times are read.")
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("WIREWATCH_DATA"), metavar="DATA")
    data = parser.parse_args().data
    console = Console(width=110)
    if data is None or not (folder := Path(data) / "extraction" / "fundus").is_dir():
        console.print("No extraction/fundus: give the data folder, or set WIREWATCH_DATA.")
        return 2
    logging.disable(logging.CRITICAL)
    golds: dict[str, dict[str, Any]] = json.loads((folder / "ground-truth.json").read_text("utf-8"))
    count: Counter[str] = Counter()
    evidence: Counter[tuple[str, str, str]] = Counter()
    missed: list[tuple[str, str, str]] = []
    for name, gold in golds.items():
        body = gzip.decompress((folder / "html" / name).read_bytes())
        observed = datetime.fromisoformat(gold["crawl_date"]).replace(tzinfo=UTC)
        kind = (("content-type", "text/html"),)
        reading = read_page(Capture(url=gold["url"], observed=observed, status=200, headers=kind, body=body), Source())
        first: dict[str, Claim] = {}
        for claim in reading.claims:
            first.setdefault(claim.kind, claim)
            count.update(claim.flags)
        for claim in first.values():
            evidence[claim.kind, claim.where, claim.zone] += 1
        published = first.get("published")
        at = datetime.fromisoformat(gold["publishing_date"])
        known = "with zone" if at.tzinfo else "clock on the wall"
        count[f"{known}, of"] += 1
        if published is not None and agrees(published.at, published.raw, at):
            count[known] += 1
        else:
            missed.append((name, str(at), published.raw if published else "no time found"))
        plain = plain_reader(body.decode("utf-8", "replace"))
        count["plain"] += agrees(plain, str(plain), at)

    right = count["with zone"] + count["clock on the wall"]
    table = Table("", "pages", title="Published within a minute", title_justify="left")
    table.add_row("wirewatch", f"{right} of {len(golds)} (goal: {GOAL})")
    for known in ("with zone", "clock on the wall"):
        table.add_row(f"  gold: {known}", f"{count[known]} of {count[f'{known}, of']}")
    table.add_row("first datePublished of the JSON-LD", f"{count['plain']} of {len(golds)}")
    console.print(table)
    table = Table("kind", "evidence", "zone", "pages", title="What dates the articles", title_justify="left")
    for (kind_of, where, zone), pages in sorted(evidence.items()):
        table.add_row(kind_of, where, zone, str(pages))
    console.print(table)
    flags = ("relative", "future", "before_published", "no_time", "unreadable")
    console.print("Flagged claims:", ", ".join(f"{flag} {count[flag]}" for flag in flags))
    table = Table("page", "gold", "read", title="Missed", title_justify="left")
    for line in missed:
        table.add_row(*line)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
