"""Dead letters that are brought in again while a stream runs: its next tick takes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.engines.streams import Stream, wait_for
from tests.pipelines.site import FEED, HOST, feed, page, rss, story, world
from wirewatch.clock import SystemClock
from wirewatch.model import Capture
from wirewatch.store import Store, dead_letters
from wirewatch.store.tables import observations


@pytest.mark.timeout(600)
def test_running_stream_reads_what_is_replayed(prism: Path, tmp_path: Path) -> None:
    """A page's letter, and a feed's, whose entry is fetched then."""
    with world(tmp_path, {"/feed.xml": feed(), "/b": page(story(about="b"))}, stream={"tick": "1s"}) as w:
        store = Store.shared(w.config.store)
        stream = Stream(w.config, "--runner", "prism", "--prism", str(prism))
        try:
            wait_for(stream, "the feed is read", lambda: any(one.last_success for one in w.health().values()))
            bury(store, f"http://{HOST}/a", story(about="a"), "text/html; charset=utf-8")
            bury(store, FEED, rss(["/b"]), "application/rss+xml")
            command = [str(Path(sys.executable).with_name("wirewatch")), "dead-letters", "replay", "--all"]
            subprocess.run([*command, "--config", str(w.config.path)], check=True, timeout=200)
            wait_for(stream, "both pages are kept", lambda: observed(store) == 2)
            stream.stop()
        finally:
            stream.kill()
        assert [letter.replayed is not None for letter in w.letters()] == [True, True]
        assert "/b" in w.site.paths()


def bury(store: Store, url: str, body: bytes, content_type: str) -> None:
    """Leave a dead letter as an earlier version did that could not read the capture."""
    headers, now = (("content-type", content_type),), SystemClock().now()
    capture = Capture(url=url, observed=now, status=200, headers=headers, body=body)
    with store.begin() as conn:
        dead_letters.add(conn, at=now, step="extract", reason="no article was found", capture=capture)


def observed(store: Store) -> int:
    with store.reading() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(observations)) or 0
