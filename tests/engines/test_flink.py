"""The stream on Flink: parallel, through machines that are killed, through savepoints, and started afresh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Databases
from tests.engines.flink import Flink
from tests.engines.histories import at_rest, captures, disordered, kept, ledger, prove_delivery, put
from tests.engines.processes import until
from tests.engines.streams import SLOW_SECONDS, Stream, batch_ledger, deployment, on_flink, savepoint_in, wait_for
from wirewatch.store import Store

JOB = "wirewatch-wirewatch-example"
FILES: dict[str, Any] = {"kind": "jsonl", "name": "files", "folder": "out"}


@pytest.mark.timeout(1800)
def test_ledger_is_that_of_a_pass_though_a_task_manager_and_the_workers_are_killed(
    flink: Flink, databases: Databases, tmp_path: Path
) -> None:
    config = deployment(tmp_path / "stream", databases.empty())
    store = Store.shared(config.store)
    brought = captures()
    mixed = disordered(brought, seed=3)
    stream = Stream(config, *on_flink(flink))
    try:
        wait_for(stream, "the job runs", lambda: JOB in flink.running())
        job = flink.running()[JOB]
        put(store, mixed[:30])
        wait_for(stream, "some is kept", lambda: kept(store) >= 3)
        flink.kill_task_manager()
        put(store, mixed[30:60])
        wait_for(stream, "the job was started again", lambda: flink.restarts(job) >= 1 and JOB in flink.running())
        before = kept(store)
        put(store, mixed[60:])
        wait_for(stream, "more is kept", lambda: kept(store) > before)
        flink.kill_pool()
        wait_for(stream, "all is kept and delivered", lambda: kept(store) >= len(brought) and at_rest(store))
        done = flink.checkpoints(job)
        wait_for(stream, "checkpoints go on", lambda: flink.checkpoints(job) > done)
        said = stream.stop()
    finally:
        stream.kill()

    assert str(flink.savepoints) in savepoint_in(said)
    assert ledger(store) == batch_ledger(tmp_path / "batch", brought)
    prove_delivery(store, tmp_path / "stream" / "out")


@pytest.mark.timeout(1800)
def test_job_goes_on_from_a_savepoint_in_a_newer_build_and_afresh_without_one(flink: Flink, tmp_path: Path) -> None:
    """Three jobs on one store: stopped with a savepoint, restored with a sink more, cancelled, and started anew."""
    config = deployment(tmp_path / "stream")
    store = Store.shared(config.store)
    brought = captures()
    mixed = disordered(brought, seed=4)
    stream = Stream(config, *on_flink(flink), name="first")
    try:
        put(store, mixed[:30])
        wait_for(stream, "some is kept", lambda: kept(store) >= 10)
        savepoint = savepoint_in(stream.stop())

        put(store, mixed[30:60])
        newer = deployment(tmp_path / "stream", sinks=[FILES, {"kind": "jsonl", "name": "more", "folder": "more"}])
        stream = Stream(newer, *on_flink(flink), "--from-savepoint", savepoint, name="newer")
        wait_for(stream, "the newer build has kept more", lambda: at_rest(store, ("files", "more")))
        job = flink.running()[JOB]
        restored = flink.ask(f"/jobs/{job}/checkpoints")["latest"]["restored"]

        put(store, mixed[60:])
        flink.cancel(job)
        assert stream.process.wait(seconds=SLOW_SECONDS) == 1
        said = stream.process.said()

        until("the cluster is free", lambda: JOB not in flink.running())
        stream = Stream(newer, *on_flink(flink), name="afresh")
        wait_for(stream, "all is kept and delivered", lambda: at_rest(store, ("files", "more")))
        second = Stream(newer, *on_flink(flink), name="second")
        assert second.process.wait(seconds=SLOW_SECONDS) == 1
        refused = second.process.said()
        stream.stop()
    finally:
        stream.kill()

    assert Path(restored["external_path"]).name == Path(savepoint).name
    assert "Flink ended the job (canceled). What was kept stays" in said
    assert f"A job {JOB} runs on {flink.rest} already" in refused
    assert ledger(store) == batch_ledger(tmp_path / "batch", brought)
    prove_delivery(store, tmp_path / "stream" / "out")
