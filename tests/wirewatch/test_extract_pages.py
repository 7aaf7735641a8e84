"""Whole readings of invented pages, each kept beside its page.

After a change of the rules that is meant, write them anew: `python tests/wirewatch/test_extract_pages.py`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from wirewatch.canonical import canonical_json
from wirewatch.extract import read_page
from wirewatch.model import Capture, Source

PAGES = Path(__file__).parent / "pages"
NAMES = sorted(path.name for path in PAGES.iterdir() if path.suffix in (".html", ".txt"))
SOURCE = Source(zone="Europe/London")
# Part of every reading and of no page: they change with the extractor's version.
VOLATILE = ("extractor", "page_hash")


def reading_of(name: str) -> dict[str, Any]:
    kind = "text/plain" if name.endswith(".txt") else "text/html"
    capture = Capture(
        url=f"https://courier.example/local/{name.partition('.')[0].replace('_', '-')}-story",
        observed=datetime(2026, 3, 16, 16, 30, tzinfo=UTC),
        status=200,
        headers=(("content-type", f"{kind}; charset=utf-8"),),
        body=(PAGES / name).read_bytes(),
    )
    found: dict[str, Any] = orjson.loads(canonical_json(read_page(capture, SOURCE)))
    return {member: value for member, value in found.items() if member not in VOLATILE}


def expected_path(name: str) -> Path:
    return PAGES / (
        f"{name.removesuffix('.html')}.expected.json" if name.endswith(".html") else f"{name}.expected.json"
    )


@pytest.mark.parametrize("name", NAMES)
def test_reading_is_the_one_kept_beside_the_page(name: str) -> None:
    assert reading_of(name) == json.loads(expected_path(name).read_text())


@pytest.mark.parametrize("clock", ["1421", "1524"])
def test_text_clipped_from_a_page_reads_as_the_page_does(clock: str) -> None:
    page, text = reading_of(f"ferry_{clock}.html"), reading_of(f"ferry_{clock}.txt")
    only_in_markup = {"section"}
    assert {name: value for name, value in page["wording"].items() if name not in only_in_markup} == text["wording"]
    assert page["claims"] == text["claims"]


if __name__ == "__main__":
    for each in NAMES:
        expected_path(each).write_text(json.dumps(reading_of(each), ensure_ascii=False, indent=2) + "\n")
