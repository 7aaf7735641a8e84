"""The Parquet sink: the contract of all sinks, and that DuckDB, pandas and Arrow read what it wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from tests.transforms.sinks.batches import batch, event, item, record, script
from tests.transforms.sinks.contract import SinkContract
from wirewatch.rows import DELIVERED
from wirewatch.rows.arrow import schema


def asked(folder: Path, question: str) -> list[tuple[Any, ...]]:
    """Ask DuckDB; `records` stands for all files of that table, and so on."""
    tables = {
        table.name: f"read_parquet('{folder}/out/{table.name}/**/*.parquet', hive_partitioning=true)"
        for table in DELIVERED
    }
    connection = duckdb.connect()
    try:
        return connection.execute(question.format(**tables)).fetchall()
    finally:
        connection.close()


class TestParquet(SinkContract):
    def options(self, folder: Path) -> dict[str, Any]:
        return {"kind": "parquet", "name": "out", "folder": str(folder / "out")}

    def broken(self, folder: Path) -> dict[str, Any]:
        (folder / "out").write_text("a file where the folder should be")
        return self.options(folder)

    def kept(self, folder: Path) -> dict[str, list[str]]:
        return {
            kind: [
                payload
                for path in sorted((folder / "out" / f"{kind}s").rglob("*.parquet"))
                for payload in pq.read_table(path, columns=["payload"])["payload"].to_pylist()
            ]
            for kind in ("record", "event")
        }

    def test_each_table_and_day_has_a_folder_and_each_batch_a_file(self, tmp_path: Path) -> None:
        day_after = replace(event(), item="e" * 32, recorded=event().recorded + timedelta(days=1))
        self.sink(tmp_path).write(batch(record(), event(), day_after))
        name = "20260316T153145Z-000000000001-000000000004.parquet"
        assert files(tmp_path / "out") == [
            f"events/day=2026-03-16/{name}",
            f"events/day=2026-03-17/{name}",
            f"hunks/day=2026-03-16/{name}",
            f"hunks/day=2026-03-17/{name}",
            f"records/day=2026-03-16/{name}",
        ]

    def test_every_file_of_a_table_has_its_schema_also_where_a_column_is_empty(self, tmp_path: Path) -> None:
        self.sink(tmp_path).write(batch(item(1), item(2, "record"), record(), event()))
        for table in DELIVERED:
            for path in (tmp_path / "out" / table.name).rglob("*.parquet"):
                found = pq.ParquetFile(path).schema_arrow
                assert found.equals(schema(table.name))
                assert all(field.metadata[b"description"] for field in found)

    def test_duckdb_reads_a_table_as_one(self, tmp_path: Path) -> None:
        self.sink(tmp_path).write(batch(record(), event()))
        self.sink(tmp_path).write(batch(item(5, "record"), item(6), first=5))
        assert asked(tmp_path, "SELECT day::text, count(*) FROM {records} GROUP BY 1") == [("2026-03-16", 2)]
        question = """
            SELECT r.headline, e.significance, e.words_added, e.reasons[1], h.old, h.new, e.time
            FROM {events} AS e JOIN {records} AS r USING (revision) JOIN {hunks} AS h ON h.event = e.event
            WHERE h.field = 'bodies/main' AND h.place = 1
        """
        made = datetime(2026, 3, 16, 15, 24, tzinfo=UTC)
        assert asked(tmp_path, question) == [
            ("Ferry fares rise after recount", "major", 3, "number", "4.2", "4.7", made)
        ]

    def test_pandas_reads_a_table_as_one(self, tmp_path: Path) -> None:
        self.sink(tmp_path).write(batch(record(), event()))
        hunks = pd.read_parquet(tmp_path / "out" / "hunks")
        assert hunks["new"].tolist() == [" after recount", "4.7"]
        assert hunks["place"].tolist() == [0, 1]
        assert str(hunks["time"].dtype) == "datetime64[us, UTC]"
        assert hunks["day"].astype(str).unique().tolist() == ["2026-03-16"]

    def test_folder_that_is_half_there_is_read_without_its_halves_and_made_whole(self, tmp_path: Path) -> None:
        """A writer was killed after the records; of the events there is half a file, of the hunks a folder."""
        self.sink(tmp_path).write(batch(record(), event()))
        whole = {path: (tmp_path / "out" / path).read_bytes() for path in files(tmp_path / "out")}
        events, hunks = ((tmp_path / "out" / path) for path in whole if not path.startswith("records"))
        events.with_name(f".{events.name}.dead.part").write_bytes(events.read_bytes()[:100])
        events.unlink()
        hunks.unlink()
        assert asked(tmp_path, "SELECT count(*) FROM {records}") == [(1,)]
        assert pd.read_parquet(tmp_path / "out" / "events").empty
        self.sink(tmp_path).write(batch(record(), event()))
        assert {path: (tmp_path / "out" / path).read_bytes() for path in files(tmp_path / "out")} == whole

    def test_message_that_is_not_of_its_model_is_refused_and_the_rest_is_written(self, tmp_path: Path) -> None:
        odd = replace(event(), item="0" * 32, payload='{"time":"yesterday"}')
        broken = replace(event(), item="1" * 32, payload="{")
        refused = self.sink(tmp_path).write(batch(odd, record(), broken, event()))
        assert [one.item for one in refused] == [odd, broken]
        assert refused[0].reason.startswith(f"time of {'0' * 32} is not what a time can be read from")
        assert refused[1].reason.startswith(f"The event {'1' * 32} is no JSON (")
        assert self.kept(tmp_path) == {"record": [record().payload], "event": [event().payload]}

    def test_full_disk_leaves_no_file_and_says_so(self, tmp_path: Path) -> None:
        """A limit on file size stands for the disk's: both end a write half-way with an error."""
        code = (
            "import resource, signal, sys\n"
            "import wirewatch.rows.arrow\n"
            "from tests.transforms.sinks.batches import batch\n"
            "from transforms.sinks import sink_adapter\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
            "try:\n"
            "    sink_adapter().validate_json(sys.argv[1]).write(batch())\n"
            "except Exception as failure:\n"
            "    print(type(failure).__name__, failure)\n"
        )
        with script(code, self.sink(tmp_path).model_dump_json()) as writer:
            said, _ = writer.communicate()
        assert said.startswith(b"DeliveryFailed There is no room left to write ")
        assert files(tmp_path / "out") == []


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
