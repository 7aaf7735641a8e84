"""Messages of Pub/Sub on real engines: none is acknowledged that the store does not have, whatever is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.config import Config
from tests.engines.fake_pubsub import AWAY, PROJECT, FakePubSub, fake_pubsub
from tests.engines.flink import Flink
from tests.engines.processes import until
from tests.engines.streams import SLOW_SECONDS, Stream, deployment, on_flink, wait_for
from tests.pipelines.site import HOST, story
from wirewatch.store import Store
from wirewatch.store.tables import articles, dead_letters, inbox

TOPIC = f"{PROJECT}/topics/checks"
SUBSCRIPTION = f"{PROJECT}/subscriptions/wirewatch"
OBSERVED_SECONDS = 5.0  # behind a shuffle, messages were seen acknowledged 2 s before they were kept
PATIENCE = {"seconds": SLOW_SECONDS}


@pytest.fixture
def pubsub() -> Iterator[FakePubSub]:
    with fake_pubsub() as server:
        server.subscription(server.topic())
        yield server


def configured(folder: Path, server: FakePubSub, **options: Any) -> Config:
    where = {"subscription": SUBSCRIPTION, "emulator": server.address, "ack_deadline_seconds": 10, **options}
    return deployment(folder / "stream", sources=[{"kind": "pubsub", "name": "checks", **where}])


def message(number: int) -> Any:
    """Return a message of one of the three kinds, which leaves a trace of its own in the store."""
    if number % 10 == 9:
        return f"rubbish {number}".encode()
    if number % 2:
        return {"url": f"http://{HOST}/{number}"}
    page = story(f"Headline {number}", about=f"It is about {number}.").decode()
    return {"url": f"http://{HOST}/{number}", "observedAt": "2026-03-16T12:00:00Z", "body": page}


def publish(server: FakePubSub, numbers: range) -> None:
    server.publish(TOPIC, *(message(number) for number in numbers))


def kept(store: Store) -> set[str]:
    """Return the ids of the messages of which the store has what they said; the fake counts them from m0 on."""
    with store.reading() as conn:
        urls = conn.scalars(sa.select(articles.c.url)).all()
        names = [*conn.scalars(sa.select(inbox.c.id)), *conn.scalars(sa.select(dead_letters.c.file))]
    return {f"m{url.rpartition('/')[2]}" for url in urls} | {name.partition("#")[2] for name in names if name}


def lost(server: FakePubSub, store: Store) -> set[str]:
    """Return what is acknowledged and not kept. The order matters: what is acknowledged must have been kept before."""
    acknowledged = server.acknowledged()
    return acknowledged - kept(store)


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Keep everybody else from writing."""
    with store.begin():  # BEGIN IMMEDIATE
        yield


def all_acknowledged(server: FakePubSub, store: Store) -> bool:
    assert not lost(server, store)
    return server.acknowledged() == {one.id for one in server.messages()}


def prove_that_acknowledging_waits_for_the_store(server: FakePubSub, config: Config, stream: Stream) -> None:
    """Lock the store while messages come: they are pulled, and none is acknowledged before the lock is gone."""
    store = Store.shared(config.store)
    publish(server, range(20))
    wait_for(stream, "the first messages are acknowledged", lambda: all_acknowledged(server, store))
    with locked(store):
        publish(server, range(20, 40))
        late = {f"m{number}" for number in range(20, 40)}
        wait_for(
            stream, "the messages are pulled", lambda: late <= {one.id for one in server.messages() if one.deliveries}
        )
        until_then = time.monotonic() + OBSERVED_SECONDS
        while time.monotonic() < until_then:
            assert stream.watches
            assert not server.acknowledged() & late
    wait_for(stream, "they are acknowledged now", lambda: all_acknowledged(server, store))


def prove_that_nothing_is_lost(
    server: FakePubSub, config: Config, stream: Stream, kills: Sequence[Callable[[], Stream]]
) -> None:
    """Kill something while messages come, once for each of `kills`."""
    store = Store.shared(config.store)
    done = len(server.messages())
    for kill in kills:
        publish(server, range(done, done + 300))
        done += 300
        wait_for(stream, "some are acknowledged", lambda done=done: len(server.acknowledged()) > done - 300)
        assert not lost(server, store)
        stream = kill()
        assert not lost(server, store)
    wait_for(stream, "all are acknowledged", lambda: all_acknowledged(server, store))
    assert kept(store) == {f"m{number}" for number in range(done)}
    stream.stop()


@pytest.mark.timeout(900)
def test_prism_acknowledges_what_the_store_has(prism: Path, pubsub: FakePubSub, tmp_path: Path) -> None:
    config = configured(tmp_path, pubsub)
    stream = Stream(config, "--runner", "prism", "--prism", str(prism))
    try:
        prove_that_acknowledging_waits_for_the_store(pubsub, config, stream)
        stream.stop()
    finally:
        stream.kill()


@pytest.mark.timeout(900)
def test_stream_on_prism_that_is_killed_loses_no_message(prism: Path, pubsub: FakePubSub, tmp_path: Path) -> None:
    config = configured(tmp_path, pubsub)
    streams: list[Stream] = []

    def start() -> Stream:
        name = f"stream-{len(streams)}"
        streams.append(Stream(config, "--runner", "prism", "--prism", str(prism), name=name))
        return streams[-1]

    def kill() -> Stream:
        streams[-1].kill()
        return start()

    try:
        prove_that_nothing_is_lost(pubsub, config, start(), [kill] * 3)
    finally:
        for stream in streams:
            stream.kill()


@pytest.mark.timeout(1800)
def test_flink_loses_no_message_when_its_machines_are_killed(flink: Flink, pubsub: FakePubSub, tmp_path: Path) -> None:
    config = configured(tmp_path, pubsub)
    stream = Stream(config, *on_flink(flink))

    def after(kill: Callable[[], None]) -> Callable[[], Stream]:
        def killed() -> Stream:
            kill()
            return stream

        return killed

    try:
        prove_that_acknowledging_waits_for_the_store(pubsub, config, stream)
        prove_that_nothing_is_lost(pubsub, config, stream, [after(flink.kill_task_manager), after(flink.kill_pool)])
    finally:
        stream.kill()


@pytest.mark.timeout(900)
def test_stream_goes_on_while_pubsub_is_away_and_reads_on_when_it_is_back(
    prism: Path, pubsub: FakePubSub, tmp_path: Path
) -> None:
    config = configured(tmp_path, pubsub)
    store = Store.shared(config.store)
    stream = Stream(config, "--runner", "prism", "--prism", str(prism))
    try:
        publish(pubsub, range(2))
        wait_for(stream, "the first messages are acknowledged", lambda: all_acknowledged(pubsub, store))
        pubsub.fail("Pull", AWAY)
        publish(pubsub, range(2, 4))
        until("it says so", lambda: stream.watches and "cannot be reached" in stream.process.said(), **PATIENCE)
        pubsub.fail("Pull", AWAY, times=0)
        wait_for(stream, "the others are acknowledged", lambda: all_acknowledged(pubsub, store))
        stream.stop()
    finally:
        stream.kill()


@pytest.mark.timeout(300)
def test_stream_does_not_start_on_a_subscription_that_is_not_there(
    prism: Path, pubsub: FakePubSub, tmp_path: Path
) -> None:
    config = configured(tmp_path, pubsub, subscription=f"{PROJECT}/subscriptions/other")
    stream = Stream(config, "--runner", "prism", "--prism", str(prism))
    assert stream.process.wait(seconds=SLOW_SECONDS) == 1
    assert f"There is no subscription {PROJECT}/subscriptions/other: create it" in stream.process.said()
