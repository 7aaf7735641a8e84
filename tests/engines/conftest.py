"""Engines to test on: each is started at the first test that asks for it, and skipped where it is not installed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.flink import Flink
from tests.engines.install import COMMAND, FLINK, JOB_SERVER, PRISM, REQUIRED


def _need(engine: str, *places: Path) -> None:
    if all(place.exists() for place in places):
        return
    sentence = f"{engine} is not installed in build/engines: `{COMMAND}` installs it and runs this test"
    if REQUIRED in os.environ:
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def prism() -> Path:
    """Give Prism's program."""
    _need("Prism", PRISM)
    return PRISM


@pytest.fixture(scope="session")
def cluster() -> Iterator[Flink]:
    """Start one Flink cluster for the session."""
    _need("Flink", FLINK, JOB_SERVER)
    with tempfile.TemporaryDirectory(prefix="wirewatch-flink-", ignore_cleanup_errors=True) as folder:
        started = Flink(Path(folder))
        yield started
        started.stop()


@pytest.fixture
def flink(cluster: Flink) -> Iterator[Flink]:
    """Give the cluster, and end what a test leaves running on it."""
    yield cluster
    for job in cluster.unfinished():
        cluster.cancel(job)
