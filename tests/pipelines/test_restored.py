"""A store that is put back from a copy which is older than what the sinks have had."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.pipelines.site import HOST, delivered, feed, page, rss, story, world
from tests.wirewatch.fetch_site import answered

SINKS = [{"kind": "jsonl", "name": "files", "folder": "out"}, {"kind": "parquet", "name": "tables", "folder": "tables"}]


def copy(source: Path, target: Path) -> None:
    """Copy a store as `.backup` and `.restore` of SQLite's own program do, while others have it open."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


@pytest.mark.parametrize("sink", SINKS, ids=[one["kind"] for one in SINKS])
def test_it_is_noticed_once_and_nothing_that_a_sink_has_is_replaced(tmp_path: Path, sink: dict[str, str]) -> None:
    answers = {"/feed.xml": feed(["/a", "/b"]), "/a": page(), "/b": page(story("Library roof", about="The roof."))}
    with world(tmp_path, answers, sinks=[sink]) as here:
        database = tmp_path / "wirewatch.db"
        assert here.run(0).findings == []
        copied = tmp_path / "copy.db"
        copy(database, copied)
        here.site.answers["/a"] = page(story("Harbour council speaks of other boats"))
        assert here.run(20).findings == []
        folder = tmp_path / sink["folder"]
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        events = here.events() if sink["kind"] == "jsonl" else []

        copy(copied, database)
        report = here.run(40)
        assert len(report.findings) == 1
        assert report.findings[0].startswith(f"sink {sink['name']} has had messages up to number 6, and this store had")
        assert here.run(60).findings == []
        after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert {path: after[path] for path in before} == before
        if sink["kind"] == "jsonl":
            again = here.events()[len(events) :]
            assert [one["id"] for one in again] == [events[-1]["id"]]  # seen again, under its old id
            assert again[0]["recordedtime"] > events[-1]["recordedtime"]


def test_message_that_waits_in_the_copy_leaves_again_as_it_was(tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": answered(rss(["/a"])), "/a": page()}) as here:
        here.run(0)
        lines = delivered(tmp_path / "out" / "events")
        with here.store.begin() as conn:
            conn.exec_driver_sql("UPDATE deliveries SET delivered = NULL, batch = NULL")
        here.run(20)
        assert delivered(tmp_path / "out" / "events") == lines  # the same batch, in the same file
        assert json.loads(lines[0])["data"]["article"]["url"] == f"http://{HOST}/a"
