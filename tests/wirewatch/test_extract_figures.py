"""Measure the reading of invented pages in ten languages, as `benchmarks/extraction.py` measures that of real ones.

Each page in `measured/` does something that real pages do and that a rule exists for, so all of it is read rightly and
a figure that falls fails. That trafilatura alone reads less is asserted too: pages that anything would read well
measure nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trafilatura

from benchmarks.extraction import authors_of, score
from wirewatch.canonical import canonical_json, comparable, sha256
from wirewatch.extract import read_page
from wirewatch.extract.body import RULES_VERSION
from wirewatch.model import Capture, Reading, Source

PAGES = Path(__file__).parent / "measured"
GOLD: dict[str, dict[str, Any]] = json.loads((PAGES / "gold.json").read_text("utf-8"))
# Readings by one extractor are compared with each other, so another reading needs another name.
READ = (6, "77d4c4152db7712a08afe93e40433b1a0c05cf06609c57589dc91e6cbc01dc55")


def reading_of(name: str) -> Reading:
    return read_page(
        Capture(
            url=f"https://courier.example/{name.replace('_', '-')}",
            observed=datetime(2026, 3, 16, 16, 30, tzinfo=UTC),
            status=200,
            headers=(("content-type", "text/html; charset=utf-8"),),
            body=(PAGES / f"{name}.html").read_bytes(),
        ),
        Source(),
    )


def test_every_page_has_its_gold() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.html")) == sorted(GOLD)


def test_the_articles_words_are_found() -> None:
    ours, theirs = [], []
    for name, gold in GOLD.items():
        wording = reading_of(name).wording
        ours.append((gold["articleBody"], (wording and wording.body) or ""))
        alone = trafilatura.extract((PAGES / f"{name}.html").read_bytes(), include_comments=False)
        theirs.append((gold["articleBody"], alone or ""))
    assert score(ours) == (1.0, 1.0, 1.0, 1.0)
    *_, f1, exact = score(theirs)
    assert f1 < 0.9
    assert exact < 0.3


@pytest.mark.parametrize("name", GOLD)
def test_the_printed_headline_is_found(name: str) -> None:
    wording = reading_of(name).wording
    assert wording is not None
    assert comparable(wording.headline or "") == comparable(GOLD[name]["title"])


@pytest.mark.parametrize("name", GOLD)
def test_the_authors_are_found(name: str) -> None:
    wording = reading_of(name).wording
    assert wording is not None
    assert authors_of(wording.byline) == {comparable(author).lower() for author in GOLD[name]["authors"]}


READ_ALL = """
import sys
from datetime import UTC, datetime
from wirewatch.canonical import canonical_json
from wirewatch.extract import read_page
from wirewatch.model import Capture, Source
for path in sys.argv[1:]:
    name = path.rpartition("/")[2].removesuffix(".html").replace("_", "-")
    headers = (("content-type", "text/html; charset=utf-8"),)
    observed = datetime(2026, 3, 16, 16, 30, tzinfo=UTC)
    url = f"https://courier.example/{name}"
    with open(path, "rb") as page:
        capture = Capture(url=url, observed=observed, status=200, headers=headers, body=page.read())
    print(canonical_json(read_page(capture, Source())).decode())
"""


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_reads_the_same_in_another_order(seed: str) -> None:
    names = sorted(GOLD, reverse=seed == "1")
    found = subprocess.run(
        [sys.executable, "-c", READ_ALL, *(str(PAGES / f"{name}.html") for name in names)],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        check=True,
        capture_output=True,
        timeout=120,
    ).stdout
    assert found.splitlines() == [canonical_json(reading_of(name)) for name in names]


def test_what_is_read_and_the_extractors_name_change_together() -> None:
    readings = [reading_of(name).wording for name in sorted(GOLD)]
    digest = sha256(b"\n".join(canonical_json(wording) for wording in readings))
    assert (RULES_VERSION, digest) == READ, (
        "raise RULES_VERSION in wirewatch/extract/body.py, then write both down here"
    )
