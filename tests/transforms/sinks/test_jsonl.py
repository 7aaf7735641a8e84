"""The JSON Lines sink: the contract of all sinks, and what is a file's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.transforms.sinks.batches import batch, item, script
from tests.transforms.sinks.contract import SinkContract
from transforms.sinks import sink_adapter
from wirewatch.errors import DeliveryFailed


class TestJsonLines(SinkContract):
    def options(self, folder: Path) -> dict[str, Any]:
        return {"kind": "jsonl", "name": "out", "folder": str(folder / "out")}

    def broken(self, folder: Path) -> dict[str, Any]:
        (folder / "out").write_text("a file where the folder should be")
        return self.options(folder)

    def kept(self, folder: Path) -> dict[str, list[str]]:
        return {
            kind: [
                line
                for path in sorted((folder / "out" / subfolder).glob("*.jsonl"))
                for line in path.read_text().splitlines()
            ]
            for kind, subfolder in (("record", "records"), ("event", "events"))
        }

    def test_file_is_named_after_its_batch(self, tmp_path: Path) -> None:
        self.sink(tmp_path).write(batch())
        assert files(tmp_path) == [
            "out/events/20260316T153145Z-000000000001-000000000004.jsonl",
            "out/records/20260316T153145Z-000000000001-000000000004.jsonl",
        ]

    def test_repeated_batch_leaves_the_same_bytes_and_clears_what_a_killed_writer_left(self, tmp_path: Path) -> None:
        self.sink(tmp_path).write(batch())
        path = tmp_path / files(tmp_path)[0]
        before = path.read_bytes()
        path.with_name(f".{path.name}.dead.part").write_text("half a li")
        self.sink(tmp_path).write(batch())
        assert len(files(tmp_path)) == 2
        assert path.read_bytes() == before

    def test_files_can_be_read_by_whoever_the_umask_lets(self, tmp_path: Path) -> None:
        mask = os.umask(0o022)
        try:
            self.sink(tmp_path).write(batch())
        finally:
            os.umask(mask)
        assert (tmp_path / files(tmp_path)[0]).stat().st_mode & 0o777 == 0o644

    def test_missing_parent_folder_is_named_and_not_made(self, tmp_path: Path) -> None:
        sink = sink_adapter().validate_python(
            {"kind": "jsonl", "name": "out", "folder": str(tmp_path / "disk" / "out")}
        )
        with pytest.raises(DeliveryFailed, match="disk/out should lie in is not there"):
            sink.write(batch())
        assert not (tmp_path / "disk").exists()

    def test_item_of_several_lines_is_refused_and_leaves_no_file(self, tmp_path: Path) -> None:
        class Pretty:
            kind, item, payload, recorded = "record", "a", '{\n"n": 1}', item(1).recorded

        with pytest.raises(DeliveryFailed, match="not one line"):
            self.sink(tmp_path).write(batch(item(1), Pretty()))  # type: ignore[arg-type]
        assert files(tmp_path) == []

    def test_full_disk_leaves_no_file_and_says_so(self, tmp_path: Path) -> None:
        """A limit on file size stands for the disk's: both end a write half-way with an error."""
        code = (
            "import resource, signal, sys\n"
            "from tests.transforms.sinks.batches import batch\n"
            "from transforms.sinks import sink_adapter\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
            "try:\n"
            "    sink_adapter().validate_json(sys.argv[1]).write(batch())\n"
            "except Exception as failure:\n"
            "    print(type(failure).__name__, failure)\n"
        )
        with script(code, self.sink(tmp_path).model_dump_json()) as writer:
            said, _ = writer.communicate()
        assert said.startswith(b"DeliveryFailed There is no room left to write ")
        assert files(tmp_path) == []


def test_sinks_are_found_without_importing_beam_or_what_a_sink_writes_with() -> None:
    code = """
import sys, transforms.sinks
assert transforms.sinks.SINKS
assert not {'apache_beam', 'google.cloud.bigquery', 'pyarrow', 'sqlalchemy'} & {*sys.modules}
"""
    with script(code) as process:
        process.communicate()
    assert process.returncode == 0


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
