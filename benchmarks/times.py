"""Measure how well the publisher's times are read from real pages, beside a plain JSON-LD reader in the same run.

    python benchmarks/times.py DATA        (or WIREWATCH_DATA=DATA)

DATA/extraction/fundus is needed. A page counts if its first published claim is within a minute of the gold. Some gold
times state no zone: those are compared with the clock on the publisher's wall, as the page prints it. There is no gold
for modified times: the claim that dates an article is compared with each place that states one, read by a few lines
that share nothing with Wirewatch's reading of data; printed times are Wirewatch's own claims.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import logging
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from wirewatch.extract import read_page
from wirewatch.model import Capture, Claim, Source

GOAL = 245 / 252
MINUTE = timedelta(minutes=1)
FLAGS = ("before_published", "as_published", "future", "relative", "no_time", "unreadable")
_JSON_LD = re.compile(r"<script[^>]*ld\+json[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_META = re.compile(r"<meta\s[^>]*>", re.IGNORECASE)
_META_NAME = re.compile(
    r"""(?:property|name|itemprop)\s*=\s*["']?(?:article:modified_time|og:updated_time|dateModified|last-modified)["'\s>]""",
    re.IGNORECASE,
)
_META_CONTENT = re.compile(r"""content\s*=\s*["']([^"']+)["']""", re.IGNORECASE)


@dataclass(kw_only=True)
class Figures:
    """What was found on the pages; counts are of pages but for `flags`, which are of claims."""

    pages: int = 0
    published: Counter[str] = field(default_factory=Counter)  # right, by whether the gold states a zone
    gold: Counter[str] = field(default_factory=Counter)
    plain: int = 0
    modified: Counter[str] = field(default_factory=Counter)  # stated, by place
    agreeing: Counter[str] = field(default_factory=Counter)  # with the claim that dates the article, by place
    alike: Counter[str] = field(default_factory=Counter)  # these, and the same clock in a zone that is not stated
    dated: Counter[str] = field(default_factory=Counter)  # any modified time stated, and any found
    evidence: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    modified_flags: Counter[str] = field(default_factory=Counter)  # of the claims that date articles
    missed: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def right(self) -> int:
        return sum(self.published.values())


def plain_reader(page: str, name: str = "datePublished") -> datetime | None:
    """Return the first `datePublished` of a page's JSON-LD, or another time, as a short script would read it."""
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
                    return datetime.fromisoformat(str(item[name]))
                except (KeyError, ValueError):
                    waiting += [value for value in item.values() if isinstance(value, (dict, list))]
    return None


def plain_meta(page: str) -> datetime | None:
    """Return the first modified time of a page's meta elements."""
    for tag in _META.findall(page):
        content = _META_CONTENT.search(tag)
        if content and _META_NAME.search(tag):
            with suppress(ValueError):
                return datetime.fromisoformat(html.unescape(content[1]).strip())
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


def same_clock(found: datetime | None, printed: datetime) -> bool:
    """Tell whether a time read as UTC because no zone is printed may be the found one in some zone."""
    if found is None or found.tzinfo is None:
        return False
    apart = abs(found.replace(second=0, microsecond=0) - printed.replace(second=0, microsecond=0))
    return apart <= timedelta(hours=14) and not apart % timedelta(minutes=15)


def measured(folder: Path) -> Figures:
    """Read all pages of a folder in the layout of `extraction/fundus`."""
    golds: dict[str, dict[str, Any]] = json.loads((folder / "ground-truth.json").read_text("utf-8"))
    found = Figures(pages=len(golds))
    for name, gold in golds.items():
        body = gzip.decompress((folder / "html" / name).read_bytes())
        observed = datetime.fromisoformat(gold["crawl_date"]).replace(tzinfo=UTC)
        kind = (("content-type", "text/html"),)
        reading = read_page(Capture(url=gold["url"], observed=observed, status=200, headers=kind, body=body), Source())
        _count_page(
            found,
            name,
            datetime.fromisoformat(gold["publishing_date"]),
            body.decode("utf-8", "replace"),
            reading.claims,
        )
    return found


def _count_page(found: Figures, name: str, at: datetime, page: str, claims: Sequence[Claim]) -> None:
    first: dict[str, Claim] = {}
    for claim in claims:
        first.setdefault(claim.kind, claim)
        found.flags.update(claim.flags)
    for claim in first.values():
        found.evidence[claim.kind, claim.where, claim.zone] += 1
    published, modified = first.get("published"), first.get("modified")
    known = "with zone" if at.tzinfo else "clock on the wall"
    found.gold[known] += 1
    if published is not None and agrees(published.at, published.raw, at):
        found.published[known] += 1
    else:
        found.missed.append((name, str(at), published.raw if published else "no time found"))
    plain = plain_reader(page)
    found.plain += agrees(plain, str(plain), at)
    stated = dict(_modified(page, claims))
    for place, when in stated.items():
        found.modified[place] += 1
        same = modified is not None and agrees(modified.at, modified.raw, when)
        found.agreeing[place] += same
        found.alike[place] += same or (modified is not None and place == "printed" and same_clock(modified.at, when))
    found.dated["stated"] += bool(stated)
    found.dated["found"] += modified is not None and bool(stated)
    found.dated["right"] += modified is not None and any(
        agrees(modified.at, modified.raw, when) for when in stated.values()
    )
    if modified is not None:
        found.modified_flags.update(modified.flags or ["none"])


def _modified(page: str, claims: Sequence[Claim]) -> Iterator[tuple[str, datetime]]:
    """Yield each place that states a modified time, with the time."""
    if (when := plain_reader(page, "dateModified")) is not None:
        yield "JSON-LD", when
    if (when := plain_meta(page)) is not None:
        yield "meta", when
    printed = (c for c in claims if c.kind == "modified" and c.where in ("time", "text"))
    if (claim := next((c for c in printed if c.at is not None), None)) and claim.at is not None:
        yield ("printed, relative or a date" if {"relative", "no_time"} & {*claim.flags} else "printed"), claim.at


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how well the publisher's times are read.")
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("WIREWATCH_DATA"), metavar="DATA")
    data = parser.parse_args().data
    console = Console(width=110)
    if data is None or not (folder := Path(data) / "extraction" / "fundus").is_dir():
        console.print("No extraction/fundus: give the data folder, or set WIREWATCH_DATA.")
        return 2
    logging.disable(logging.CRITICAL)
    found = measured(folder)
    _print(console, found)
    return 0 if found.right >= GOAL * found.pages else 1


def _print(console: Console, found: Figures) -> None:
    table = Table("", "pages", "goal", "peer", title="Published within a minute", title_justify="left")
    table.add_row("all pages", f"{found.right} of {found.pages}", f"≥ {GOAL * found.pages:.0f}", f"{found.plain}")
    for known in ("with zone", "clock on the wall"):
        table.add_row(f"  gold: {known}", f"{found.published[known]} of {found.gold[known]}", "", "")
    console.print(table)
    console.print(
        "Peer: the first datePublished of the JSON-LD, in the same run; one of forty lines found 236 of 252.\n"
    )

    dated = found.dated
    columns = ("where it is stated", "pages", "the claim is within a minute of it", "or but for the zone")
    table = Table(*columns, title="Modified", title_justify="left")
    for place in ("JSON-LD", "meta", "printed", "printed, relative or a date"):
        table.add_row(place, *(f"{counts[place]}" for counts in (found.modified, found.agreeing, found.alike)))
    table.add_row("anywhere", f"{dated['stated']}", f"{dated['right']} of one of these", "")
    table.add_row("  a claim was found", "", f"{dated['found']}", "")
    console.print(table)
    flags = ", ".join(f"{flag} {count}" for flag, count in found.modified_flags.most_common())
    console.print(f"Flags of the modified times that date articles: {flags}\n")

    table = Table("kind", "evidence", "zone", "pages", title="What dates the articles", title_justify="left")
    for (kind_of, where, zone), pages in sorted(found.evidence.items()):
        table.add_row(kind_of, where, zone, str(pages))
    console.print(table)
    console.print("Flagged claims:", ", ".join(f"{flag} {found.flags[flag]}" for flag in FLAGS), "\n")
    table = Table("page", "gold", "read", title="Published, missed", title_justify="left")
    for line in found.missed:
        table.add_row(*line)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
