"""What a job that never ends tells of itself: metrics, health, and a log for programs."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.config import Config
from pipelines.logs import JsonLines, without_secrets
from pipelines.monitor import Monitor, monitored
from pipelines.run import open_store, run_pass
from tests.builders import at
from tests.pipelines.site import HOST, World, configure, feed, page, world
from tests.wirewatch.fetch_site import answered
from wirewatch.clock import FixedClock
from wirewatch.errors import ConfigurationError
from wirewatch.model import Capture, Outcome
from wirewatch.store import Store, dead_letters, hosts, inbox, outbox
from wirewatch.store.outbox import Item

ROOT = Path(__file__).parents[2]


class MovingClock:
    """A clock that tests move."""

    def __init__(self, minutes: float = 0) -> None:
        self.minutes = minutes

    def now(self) -> datetime:
        return at(self.minutes)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def metrics(port: int) -> dict[tuple[str, ...], float]:
    """Return all samples, by name and labels in the order of those' names."""
    status, text = ask(port, "/metrics")
    assert status == 200
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextmanager
def watched(config: Config, clock: MovingClock) -> Iterator[tuple[Monitor, int]]:
    assert config.monitor.port is not None
    with monitored(config, clock) as monitor:
        yield monitor, config.monitor.port


def listening(**settings: Any) -> dict[str, Any]:
    return {"monitor": {"port": free_port(), **settings}}


def test_metrics_add_up_over_passes_and_name_every_outcome(tmp_path: Path) -> None:
    answers = {"/feed.xml": feed(["/a", "/b"]), "/a": page(), "/b": answered(status=404)}
    clock = MovingClock()
    with world(tmp_path, answers, **listening()) as w, watched(w.config, clock) as (monitor, port):
        for minutes in (0, 60):
            clock.minutes = minutes
            monitor.follow(run_of(w, minutes))
            monitor.passed()
        found = metrics(port)
        health = ask(port, "/healthz")
    counted = {
        name[1]: n for name, n in found.items() if name[0] == "wirewatch_captures_total" and name[2] == "article"
    }
    assert set(counted) == {outcome.value for outcome in Outcome}
    assert (counted["new"], counted["failed"], sum(counted.values())) == (1, 2, 4)
    assert found["wirewatch_captures_total", "new", "feed"] == 1
    assert found["wirewatch_last_pass_timestamp_seconds",] == at(60).timestamp()
    assert found["wirewatch_store_up",] == 1
    assert found["wirewatch_undelivered_rows", "files"] == 0
    assert (found["wirewatch_feeds", "well"], found["wirewatch_feeds", "failing"]) == (1, 0)
    assert "process_resident_memory_bytes" in {name[0] for name in found} or sys.platform != "linux"
    assert health == (200, '{"healthy":true,"problems":[]}\n')


def run_of(w: World, minutes: float) -> str:
    """Make a pass under a name of its own, and return that."""
    run = f"run at {minutes}"
    run_pass(w.config, FixedClock(at(minutes)), run=run)
    return run


def test_lag_is_the_age_of_what_waits(tmp_path: Path) -> None:
    clock = MovingClock(10)
    with world(tmp_path, **listening()) as w, watched(w.config, clock) as (_, port):
        store = w.store
        open_it(w)  # the feed is due from 12:00 on
        with store.begin() as conn:
            inbox.put(conn, "one", Capture(url=f"http://{HOST}/a", observed=at(0)), at(4))
            row = Item(kind="event", item="0" * 32, article="a" * 16, payload="{}", recorded=at(7))
            outbox.announce(conn, row, ["files"])
            dead_letters.add(conn, at=at(0), step="feed", reason="no feed")
        found = metrics(port)
    assert found["wirewatch_oldest_due_seconds", "feed"] == 600
    assert found["wirewatch_oldest_due_seconds", "article"] == 0
    assert found["wirewatch_oldest_due_seconds", "capture"] == 360
    assert found["wirewatch_oldest_undelivered_seconds", "files"] == 180
    assert found["wirewatch_undelivered_rows", "files"] == 1
    assert found["wirewatch_dead_letters",] == 1


def open_it(w: World) -> None:
    open_store(w.config, at(0))


def test_job_that_keeps_nothing_although_something_is_due_is_not_well(tmp_path: Path) -> None:
    clock = MovingClock()
    noon = "2026-03-16 12:00:00 UTC"
    problem = f"Nothing was kept since {noon}, and the oldest of what is due waits since {noon}."
    answers = {"/feed.xml": feed()}
    settings = listening(stale_after="15m")
    with world(tmp_path, answers, **settings) as w, watched(w.config, clock) as (monitor, port):
        open_it(w)
        clock.minutes = 14
        assert ask(port, "/healthz")[0] == 200
        clock.minutes = 16
        status, said = ask(port, "/healthz")
        assert (status, json.loads(said)) == (503, {"healthy": False, "problems": [problem]})
        monitor.follow(run_of(w, 16))
        assert ask(port, "/healthz")[0] == 200


def test_job_with_nothing_to_do_is_well_however_long(tmp_path: Path) -> None:
    clock = MovingClock()
    with world(tmp_path, feeds=[], **listening()) as w, watched(w.config, clock) as (_, port):
        open_it(w)
        clock.minutes = 60 * 24 * 30
        assert ask(port, "/healthz")[0] == 200


def test_host_that_asked_not_to_be_asked_is_no_lag(tmp_path: Path) -> None:
    clock = MovingClock()
    with world(tmp_path, **listening()) as w, watched(w.config, clock) as (_, port):
        open_it(w)
        hosts.block_host(w.store, HOST, at(60 * 24))
        clock.minutes = 60
        assert metrics(port)["wirewatch_oldest_due_seconds", "feed"] == 0
        assert ask(port, "/healthz")[0] == 200


def test_store_that_is_gone_is_told_by_both_and_by_no_password(tmp_path: Path) -> None:
    config = configure(tmp_path, **listening())
    clock = MovingClock()
    with watched(config, clock) as (_, port):
        Store.shared(config.store).close()
        assert ask(port, "/healthz")[0] == 200
        (tmp_path / "wirewatch.db").unlink()
        status, said = ask(port, "/healthz")
        found = metrics(port)
    assert status == 503
    assert "was moved or deleted: put it back" in json.loads(said)["problems"][0]
    assert found["wirewatch_store_up",] == 0
    assert ("wirewatch_build_info", "0.1.0") in found


def test_other_paths_and_methods_are_refused(tmp_path: Path) -> None:
    config = configure(tmp_path, **listening())
    with watched(config, MovingClock()) as (_, port):
        assert ask(port, "/")[0] == 404
        with pytest.raises(HTTPError, match="501"):
            urlopen(f"http://127.0.0.1:{port}/metrics", b"x", timeout=30)


def test_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = configure(tmp_path, monitor={"port": taken.getsockname()[1]})
        with pytest.raises(ConfigurationError, match="cannot be listened at"), monitored(config, MovingClock()):
            pass


def test_nothing_listens_unless_it_is_configured_and_then_on_this_machine_only(tmp_path: Path) -> None:
    config = configure(tmp_path)
    assert (config.monitor.port, config.monitor.address) == (None, "127.0.0.1")


SECRETS = {
    "store": ("postgresql://wirewatch:s3cret@db.example/w is away", "postgresql://wirewatch:…@db.example/w is away"),
    "named": ("connect(password='s3cret', host='db')", "connect(password='…', host='db')"),
    "in an address": ("GET /a?token=s3cret&page=2", "GET /a?token=…&page=2"),
    "harmless": ("http://courier.example:8080/a@b has no token", "http://courier.example:8080/a@b has no token"),
}


@pytest.mark.parametrize(("text", "shown"), SECRETS.values(), ids=SECRETS)
def test_log_shows_no_secret(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    record = logging.LogRecord("transforms.x", logging.WARNING, "x.py", 1, "%s", (text,), None)
    assert json.loads(JsonLines().format(record))["message"] == shown


def test_log_line_is_one_whatever_is_in_it() -> None:
    try:
        int("two\nlines \ud800 password=s3cret")
    except ValueError:
        told = sys.exc_info()
    record = logging.LogRecord("pipelines.run", logging.ERROR, "x.py", 1, "a\nb %d", (7,), told)
    record.fields = {"pass": {"counts": {"article": {"new": 1}}}}
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["logger"], said["message"]) == ("error", "pipelines.run", "a\nb 7")
    assert said["pass"] == {"counts": {"article": {"new": 1}}}
    assert "Traceback" in said["exception"]
    assert "s3cret" not in said["exception"]


def test_run_that_goes_on_logs_its_passes_and_answers_and_ends_cleanly(tmp_path: Path) -> None:
    """The command as a service manager starts it; nothing but lines of JSON is written."""
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}, **listening(log="json")) as w:
        command = [str(Path(sys.executable).with_name("wirewatch")), "run", str(w.config.path), "--every", "1h"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            first = json.loads(process.stderr.readline())
            found = metrics(w.config.monitor.port or 0)
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            assert process.wait(timeout=60) == 0
            assert process.stdout.read() == b""
    assert first["message"].startswith("Read 1 feed and 1 article: 1 new.")
    assert first["pass"]["counts"] == {"article": {"new": 1}, "feed": {"new": 1}}
    assert found["wirewatch_captures_total", "new", "article"] == 1
    assert [json.loads(line) for line in rest.splitlines()] == []


def test_job_that_cannot_begin_logs_why_as_json(tmp_path: Path) -> None:
    config = configure(tmp_path)
    (tmp_path / "wirewatch.db").write_bytes(b"no database " * 100)
    command = [str(Path(sys.executable).with_name("wirewatch")), "run", str(config.path), "--every", "1h"]
    done = subprocess.run(
        [*command, "--log", "json"], capture_output=True, cwd=ROOT, env=dict(os.environ), check=False, timeout=100
    )
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["level"] == "critical"
    assert "is not a database" in json.loads(line)["message"]
    assert done.returncode == 1
