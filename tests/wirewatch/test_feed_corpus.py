"""Every public test feed at hand is read or refused, with no entry fewer than feedparser finds.

The files are not part of this project: the folder that has them as `feeds/` is named by the environment variable
WIREWATCH_DATA, else `../shared/data` is looked at.
"""

from __future__ import annotations

import io
import os
import warnings
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest

from wirewatch.errors import BadContent
from wirewatch.feeds import entry_readings, read_feed, read_opml
from wirewatch.model import Capture, Source

FEEDS = Path(os.environ.get("WIREWATCH_DATA", "../shared/data")) / "feeds"
FILES = sorted(path for path in FEEDS.rglob("*") if path.is_file())
OBSERVED = datetime(2026, 3, 16, 15, 26, 7, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not FILES, reason=f"{FEEDS} is not there: set WIREWATCH_DATA to a folder with test feeds in feeds/"
)


def found_by_feedparser(body: bytes) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return len(feedparser.parse(io.BytesIO(body)).entries)


def test_every_feed_is_read_or_refused_with_no_entry_fewer_than_feedparser_finds() -> None:
    counts: Counter[str] = Counter()
    fewer = []
    for path in FILES:
        body = path.read_bytes()
        reading = read_feed(Capture(url="https://courier.example/feed", observed=OBSERVED, body=body), Source())
        entry_readings(reading, Source())
        expected = found_by_feedparser(body)
        if len(reading.entries) < expected:
            fewer.append((str(path), expected, len(reading.entries), reading.problem))
        counts.update(files=1, refused=reading.problem is not None, entries=len(reading.entries), feedparser=expected)
        counts.update(dates=sum(len(entry.claims) for entry in reading.entries))
        counts.update(unread_dates=sum(claim.at is None for entry in reading.entries for claim in entry.claims))
    print(dict(counts))
    assert fewer == []


def test_every_opml_is_read_or_refused() -> None:
    counts: Counter[str] = Counter()
    for path in FILES:
        try:
            counts.update(read=1, feeds=len(read_opml(path.read_bytes())))
        except BadContent as error:
            counts.update(refused=1)
            assert str(error)  # noqa: PT017 - either will do
    print(dict(counts))
    assert counts["read"] > 0
