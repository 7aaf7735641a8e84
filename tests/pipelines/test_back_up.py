"""A store that is put back, or taken back to an older schema, goes on; and no sink loses what it has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.cli import main
from tests.builders import at
from tests.pipelines.test_export import READINGS, fill
from tests.transforms.sinks.fake_bigquery import DATASET, FakeBigQuery, fake_bigquery
from tests.wirewatch.kept import exported, keep
from transforms.sinks import sink_adapter
from transforms.sinks.base import Sink
from wirewatch.bounded import Pool
from wirewatch.store import Store, migrations, outbox

SETTINGS = "instance: {authority: a.example, since: '2026'}\nfetch: {contact: me@a.example}\n"
OLDER = migrations.numbers()[:-1]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as pool:
        yield pool


@pytest.fixture
def service() -> Iterator[FakeBigQuery]:
    with fake_bigquery() as running:
        yield running


def copied(store: Path, to: Path) -> None:
    """Copy a store as docs/deploying.md says, with SQLite's own means."""
    source, target = sqlite3.connect(store), sqlite3.connect(to)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()


def deliver(store: Store, sink: Sink, now: datetime) -> None:
    """Hand the sink all that waits, in batches of two."""
    while batch := outbox.claim(store, "sink", now=now, limit=2, lease_seconds=60):
        assert sink.write(batch) == ()
        outbox.mark(store, batch, now)


def goes_on_after_being_put_back(folder: Path, pool: Pool, sink: Sink) -> tuple[set[str], set[str]]:
    """Deliver, put an older copy of the store back, and deliver what is found then.

    Return the ids of all events that were delivered before, and after.
    """
    path = folder / "wirewatch.db"
    readings = [one for one, _, _ in READINGS]
    store = Store.open(f"sqlite:///{path}")
    keep(store, pool, readings[:1], now=at(500))
    deliver(store, sink, at(500))
    copied(path, folder / "copy.db")
    keep(store, pool, readings[1:4], now=at(510))
    deliver(store, sink, at(510))
    before = events(store)
    store.close()
    for left in folder.glob("wirewatch.db*"):
        left.unlink()
    (folder / "copy.db").rename(path)
    store = Store.open(f"sqlite:///{path}")
    keep(store, pool, [readings[4], readings[5], *readings[2:4]], now=at(520))  # the second was seen by nobody since
    deliver(store, sink, at(520))
    after = events(store)
    assert outbox.waiting(store) == {}
    store.close()
    return before, after


def events(store: Store) -> set[str]:
    with store.reading() as conn:
        return {row[0] for row in conn.exec_driver_sql("SELECT item FROM outbox WHERE kind = 'event'")}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_store_that_is_older_than_its_sinks_writes_over_no_file(kind: str, tmp_path: Path, pool: Pool) -> None:
    out = tmp_path / "out"

    class Watched:
        """The sink, whose files are remembered with each batch."""

        def __init__(self) -> None:
            self.sink = sink_adapter().validate_python({"kind": kind, "name": "sink", "folder": str(out)})
            self.seen: dict[Path, bytes] = {}

        def write(self, batch: Any) -> Any:
            answer = self.sink.write(batch)
            found = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
            assert self.seen.items() <= found.items(), "a file was written over or is gone"
            assert len(found) > len(self.seen)
            self.seen = found
            return answer

    before, after = goes_on_after_being_put_back(tmp_path, pool, Watched())  # type: ignore[arg-type]
    assert before - after, "the second reading told what is not seen any more"
    assert after - before
    ids = set()
    for path in (out / "events").rglob(f"*.{kind}"):
        text = path.read_text() if kind == "jsonl" else "".join(pq.read_table(path)["payload"].to_pylist())
        ids |= {one for one in before | after if f'"{one}"' in text}
    assert ids == before | after


def test_store_that_is_older_than_bigquery_loads_what_is_new(tmp_path: Path, pool: Pool, service: FakeBigQuery) -> None:
    options = {"kind": "bigquery", "name": "sink", "dataset": DATASET, "emulator": service.address}
    before, after = goes_on_after_being_put_back(tmp_path, pool, sink_adapter().validate_python(options))
    assert {row["event"] for row in service.found("events")} == before | after


@pytest.mark.parametrize("older", OLDER)
def test_ledger_is_the_same_after_the_way_back_and_forth(older: str, store: Store, pool: Pool) -> None:
    fill(store, pool)
    before = exported(store)
    migrations.migrate(store.engine, older)
    migrations.migrate(store.engine, migrations.HEAD)
    assert exported(store) == before
    assert set(keep(store, pool, [one for one, _, _ in READINGS], now=at(600))) == {"duplicate"}


def test_store_is_rolled_back_by_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wirewatch.yaml").write_text(
        "instance: {authority: a.example, since: '2026'}\nfetch: {contact: me@a.example}\n"
    )
    assert main(["roll-back", "--to", OLDER[0]]) == 0
    assert capsys.readouterr().err.startswith(f"The store has schema {OLDER[0]}. ")
    connection = sqlite3.connect("wirewatch.db")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(OLDER[0],)]
    connection.close()
    assert main(["feeds", "list"]) == 0  # which brings it up to date again


@pytest.mark.parametrize("to", [migrations.HEAD, "0000", "base", "soon"])
def test_schema_that_is_none_is_refused(
    to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wirewatch.yaml").write_text(
        "instance: {authority: a.example, since: '2026'}\nfetch: {contact: me@a.example}\n"
    )
    assert main(["roll-back", "--to", to]) == 2
    assert f"there is {', '.join(OLDER)}" in capsys.readouterr().err
