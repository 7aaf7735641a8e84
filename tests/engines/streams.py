"""Streams as a person starts them: the command, in a process of its own, on a configuration and a store of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.config import Config
from pipelines.run import open_store, run_pass
from tests.builders import at
from tests.engines.flink import Flink
from tests.engines.histories import Brought, kept, ledger, put
from tests.engines.processes import Process, until
from tests.pipelines.site import configure
from wirewatch.clock import FixedClock, SystemClock
from wirewatch.store import Store

SLOW_SECONDS = 400.0  # for what takes twenty on an idle machine: Beam is imported by several processes at once


def deployment(folder: Path, store: str = "sqlite:///wirewatch.db", **settings: Any) -> Config:
    """Write a configuration that watches nothing by itself, and make its store."""
    folder.mkdir(exist_ok=True)
    config = configure(folder, store=store, **{"feeds": (), "stream": {"tick": "1s"}, **settings})
    open_store(config, SystemClock().now())
    return config


def batch_ledger(folder: Path, brought: Sequence[Brought]) -> bytes:
    """Return the ledger that a pass leaves which gets the captures in the order of time."""
    config = deployment(folder)
    store = Store.shared(config.store)
    put(store, brought)
    run_pass(config, FixedClock(at(600)))
    assert kept(store) == len(brought)
    return ledger(store)


class Stream:
    """A `wirewatch stream` on a configuration."""

    def __init__(self, config: Config, *options: str, name: str = "stream") -> None:
        command = [str(Path(sys.executable).with_name("wirewatch")), "stream", str(config.path), *options]
        self.process = Process(name, command, config.path.parent)

    @property
    def watches(self) -> bool:
        """Tell whether the engine has the job; fail if the command has ended."""
        assert self.process.runs, f"the stream ended with {self.process.wait()}:\n{self.process.said()[-4000:]}"
        return "Watching on" in self.process.said()

    def stop(self) -> str:
        """Ask it to end, wait until it has come to rest, and return what it said."""
        self.process.ask_to_end()
        code = self.process.wait(seconds=SLOW_SECONDS)
        said = self.process.said()
        assert code == 0, said[-4000:]
        return said

    def kill(self) -> None:
        self.process.kill()


def on_flink(cluster: Flink, *, parallelism: int = 2) -> list[str]:
    """Return the options of a stream on a cluster."""
    return [
        *("--runner", "flink", "--job-server", cluster.endpoint, "--workers", cluster.workers),
        *("--flink", cluster.rest, "--checkpoint-interval", "1s", "--parallelism", str(parallelism)),
    ]


def savepoint_in(said: str) -> str:
    """Return the savepoint that a stopped stream has named."""
    found = re.search(r"--from-savepoint (\S+)", said)
    assert found, said
    return found.group(1)


def wait_for(stream: Stream, what: str, condition: Any) -> None:
    """Wait until something is so, and fail at once if the stream ends before."""
    until("the job is taken", lambda: stream.watches, seconds=SLOW_SECONDS)
    until(what, lambda: stream.watches and condition(), seconds=SLOW_SECONDS)
