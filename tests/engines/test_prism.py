"""The stream on Prism: what is kept, what is delivered, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import Databases
from tests.engines.histories import at_rest, captures, disordered, kept, ledger, prove_delivery, put
from tests.engines.processes import until
from tests.engines.streams import SLOW_SECONDS, Stream, batch_ledger, deployment, wait_for
from tests.pipelines.site import FEED, atom, delivered, feed, page, story, world
from wirewatch.clock import SystemClock
from wirewatch.store import Store
from wirewatch.store.tables import meta

ON_PRISM = ["--runner", "prism", "--prism"]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("server", ["sqlite", "postgresql"])
def test_ledger_of_a_stream_is_that_of_a_pass(
    server: str, prism: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = "sqlite:///wirewatch.db"
    if server == "postgresql":
        databases: Databases = request.getfixturevalue("databases")
        address = databases.empty()
    config = deployment(tmp_path / "stream", address)
    store = Store.shared(config.store)
    brought = captures()
    mixed = disordered(brought, seed=1)
    stream = Stream(config, *ON_PRISM, str(prism))
    try:
        put(store, mixed[: len(mixed) // 2])
        wait_for(stream, "the first half is kept", lambda: kept(store) and at_rest(store))
        put(store, mixed[len(mixed) // 2 :])
        wait_for(stream, "all is kept", lambda: kept(store) == len(mixed) and at_rest(store))
        said = stream.stop()
    finally:
        stream.kill()

    assert ledger(store) == batch_ledger(tmp_path / "batch", brought)
    assert prove_delivery(store, tmp_path / "stream" / "out") >= len(brought) // 2
    assert "Coming to rest" in said
    assert "Traceback" not in said


@pytest.mark.timeout(1200)
def test_stream_watches_a_feed_keeps_to_the_hosts_spacing_and_comes_to_rest(prism: Path, tmp_path: Path) -> None:
    """Two streams on one store, one host at 400 ms; a change is delivered, and nothing is asked twice or too soon."""
    paths = [f"/{number}" for number in range(12)]
    answers = {"/feed.xml": feed(paths), **{path: page(story(f"Headline of {path}", about=path)) for path in paths}}
    settings = {"feeds": [{"url": FEED, "interval": "1m"}], "fetch": {"spacing": "400ms"}, "stream": {"tick": "2s"}}
    with world(tmp_path, answers, **settings) as w:
        streams = [Stream(w.config, *ON_PRISM, str(prism), name=f"stream-{number}") for number in (1, 2)]
        try:
            for stream in streams:
                wait_for(stream, "all articles are delivered", lambda: len(events(tmp_path)) == len(paths))
            w.site.answers["/3"] = page(story("Headline of /3", about="The council voted on /3 after all."))
            w.site.answers["/feed.xml"] = atom(paths, SystemClock().now())
            wait_for(streams[0], "the change is delivered", lambda: "revised" in " ".join(events(tmp_path)))
            said = [stream.stop() for stream in streams]
        finally:
            for stream in streams:
                stream.kill()
        gaps = [after.at - before.at for before, after in pairwise(w.site.log)]

    assert min(gaps) >= 0.4 - 0.05
    assert events(tmp_path).count("wirewatch.article.published.v1") == len(paths)
    assert events(tmp_path).count("wirewatch.article.revised.v1") == 1
    assert all("The job has ended" in one for one in said)


@pytest.mark.timeout(1200)
def test_stream_whose_process_is_killed_goes_on_when_it_is_started_afresh(prism: Path, tmp_path: Path) -> None:
    config = deployment(tmp_path / "stream")
    store = Store.shared(config.store)
    brought = captures()
    mixed = disordered(brought, seed=2)
    stream = Stream(config, *ON_PRISM, str(prism))
    try:
        put(store, mixed[:40])
        wait_for(stream, "some is kept", lambda: kept(store) >= 5)
        stream.kill()
        put(store, mixed[40:])
        stream = Stream(config, *ON_PRISM, str(prism))
        wait_for(stream, "all is kept and delivered", lambda: at_rest(store))
        stream.stop()
    finally:
        stream.kill()

    assert ledger(store) == batch_ledger(tmp_path / "batch", brought)
    prove_delivery(store, tmp_path / "stream" / "out")


@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform != "linux", reason="the engine's process is found in /proc")
def test_stream_starts_its_engine_again_when_that_is_killed(prism: Path, tmp_path: Path) -> None:
    config = deployment(tmp_path / "stream")
    store = Store.shared(config.store)
    brought = captures(8)
    stream = Stream(config, *ON_PRISM, str(prism))
    try:
        put(store, brought[:10])
        wait_for(stream, "the first captures are kept", lambda: kept(store) == 10 and at_rest(store))
        put(store, brought[10:])
        os.kill(engine_of(stream), signal.SIGKILL)
        wait_for(stream, "all is kept", lambda: kept(store) >= len(brought) and at_rest(store))
        said = stream.stop()
    finally:
        stream.kill()

    assert "Prism ended, with exit code -9: it said nothing. Starting again" in said
    assert "Traceback" not in said
    assert ledger(store) == batch_ledger(tmp_path / "batch", brought)
    prove_delivery(store, tmp_path / "stream" / "out")


@pytest.mark.timeout(1200)
def test_store_that_is_away_for_a_while_is_waited_for(prism: Path, tmp_path: Path) -> None:
    """Moved away in the middle of a stream and put back: no step fails, and nothing is lost."""
    config = deployment(tmp_path / "stream")
    store = Store.shared(config.store)
    brought = captures()
    file = Path(config.store.removeprefix("sqlite:///"))
    stream = Stream(config, *ON_PRISM, str(prism))
    try:
        put(store, brought[:20])
        wait_for(stream, "the first captures are kept", lambda: kept(store) == 20 and at_rest(store))
        put(store, brought[20:])
        store.close()
        with closing(sqlite3.connect(file)) as direct:  # all into the one file that is moved
            direct.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.rename(file.with_name("away"))
        until(
            "the stream says that it waits",
            lambda: stream.watches and "Waiting for the store" in stream.process.said(),
            seconds=SLOW_SECONDS,
        )
        file.with_name("away").rename(file)
        wait_for(stream, "all is kept", lambda: kept(store) == len(brought) and at_rest(store))
        stream.stop()
    finally:
        stream.kill()

    assert ledger(store) == batch_ledger(tmp_path / "batch", brought)
    with store.reading() as conn:
        assert not conn.scalars(sa.select(meta.c.key).where(meta.c.key.startswith("rest "))).all()


def engine_of(stream: Stream) -> int:
    """Return the number of the Prism that a stream has started, by its first thread."""
    number = stream.process.number
    children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    (found,) = (child for child in children if b"prism" in Path(f"/proc/{child}/cmdline").read_bytes())
    return int(found)


def events(folder: Path) -> list[str]:
    """Return the types of all events that the sink was given."""
    lines = delivered(folder / "out" / "events") if (folder / "out" / "events").exists() else []
    return [json.loads(line)["type"] for line in lines if re.search(rb'"type"', line)]
