"""Reading a queue and keeping what it says are one stage of any engine, by Beam's reader and by ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import common_urns

from tests.builders import NOON
from tests.engines.fake_pubsub import PROJECT, FakePubSub, fake_pubsub
from transforms.process import Job
from transforms.receive import ReceiveMessages
from transforms.sources import source_adapter
from transforms.sources._pubsub import _Reader, _Subscription
from transforms.sources.base import MessageSource
from wirewatch.clock import FixedClock
from wirewatch.errors import IntakeFailed
from wirewatch.fetch import FetchPolicy
from wirewatch.model import Instance
from wirewatch.store import Store, dead_letters

SUBSCRIPTION = f"{PROJECT}/subscriptions/wirewatch"
PAR_DO = common_urns.primitives.PAR_DO.urn


@pytest.fixture
def pubsub() -> Iterator[FakePubSub]:
    with fake_pubsub() as server:
        server.subscription(server.topic())
        yield server


def source(address: str = "localhost:1", **options: Any) -> Any:
    settings = {"kind": "pubsub", "name": "checks", "subscription": SUBSCRIPTION, "emulator": address}
    return source_adapter().validate_python(settings | options)


def job(folder: Path) -> Job:
    return Job(
        store=f"sqlite:///{folder / 'store.sqlite'}",
        instance=Instance(authority="wirewatch.example", since="2026"),
        clock=FixedClock(NOON),
        run="this run",
        fetch=FetchPolicy(contact="desk@wirewatch.example"),
    )


@pytest.mark.parametrize("native", [True, False], ids=["Beam's reader", "ours"])
def test_nothing_but_steps_that_are_fused_lies_between_reading_and_keeping(tmp_path: Path, native: bool) -> None:
    """A shuffle, a window or a flatten there, and messages are acknowledged before they are kept."""
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    pipeline | ReceiveMessages(job(tmp_path), [source()], native=native)
    transforms = pipeline.to_runner_api().components.transforms
    makes = {output: one for one in transforms.values() if not one.subtransforms for output in one.outputs.values()}
    (keep,) = (one for one in transforms.values() if one.unique_name.endswith("/Keep checks") and not one.subtransforms)
    steps = [keep]
    while not steps[-1].unique_name.endswith(("/Pull/Read", "/Pull/ReadUnbounded")):
        (came_from,) = steps[-1].inputs.values()
        steps.append(makes[came_from])
    assert {one.spec.urn for one in steps[:-1]} == {PAR_DO}
    assert steps[-1].unique_name.endswith("/Pull/Read" if native else "/Pull/ReadUnbounded")


def test_first_step_behind_beams_own_reader_keeps_what_comes(
    pubsub: FakePubSub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Beam's oldest engine, which alone has that reader here; it finds the emulator by its own variable."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
    one = job(tmp_path)
    pubsub.publish(f"{PROJECT}/topics/checks", b"rubbish", {"url": "http://10.0.0.1/"})
    pipeline = beam.Pipeline("DirectRunner", options=PipelineOptions(["--streaming"]))
    pipeline | ReceiveMessages(one, [source(pubsub.address)], native=True)
    running = pipeline.run()
    try:
        store = Store.shared(one.store)
        while len(letters := dead_letters.listed(store)) < 2:
            assert running.state not in ("FAILED", "DONE")
    finally:
        running.cancel()
    assert {letter.file for letter in letters} == {f"{SUBSCRIPTION}#m0", f"{SUBSCRIPTION}#m1"}


def test_mark_acknowledges_what_was_read_before_it_and_nothing_else(pubsub: FakePubSub) -> None:
    pubsub.publish(f"{PROJECT}/topics/checks", *({"n": n} for n in range(4)))
    reader = _Reader(source(pubsub.address))
    assert [reader.start(), reader.advance()] == [True, True]
    mark = reader.get_checkpoint_mark()
    assert reader.advance()
    assert pubsub.acknowledged() == set()
    mark.finalize_checkpoint()
    assert len(pubsub.acknowledged()) == 2
    mark.finalize_checkpoint()
    assert len(pubsub.acknowledged()) == 2


def test_reader_that_is_closed_hands_back_what_it_never_gave_on(pubsub: FakePubSub) -> None:
    pubsub.publish(f"{PROJECT}/topics/checks", *({"n": n} for n in range(3)))
    first, second = _Reader(source(pubsub.address)), _Reader(source(pubsub.address))
    first.start()
    first.close()
    met = [second.start(), second.advance(), second.advance()]
    assert met == [True, True, False]


def test_reader_says_that_nothing_waits_also_while_the_service_refuses(pubsub: FakePubSub) -> None:
    pubsub.fail("Pull", 7)
    reader = _Reader(source(pubsub.address))
    assert [reader.start(), reader.advance()] == [False, False]
    pubsub.fail("Pull", 7, times=0)
    pubsub.publish(f"{PROJECT}/topics/checks", {"n": 1})
    assert reader.advance()


def test_readers_that_share_a_subscription_are_told_apart() -> None:
    readers = _Subscription(source(readers=3)).split(20)
    assert len(set(map(repr, readers))) == 3
    assert [one.reader for one in readers if isinstance(one, _Subscription)] == [0, 1, 2]


def test_check_leaves_the_message_in_the_queue(pubsub: FakePubSub) -> None:
    one: MessageSource = source(pubsub.address)
    pubsub.publish(f"{PROJECT}/topics/checks", {"n": 1})
    one.check()
    taken: list[Any] = []
    assert one.drain(taken.extend, limit=10) == 1
    with pytest.raises(IntakeFailed, match="There is no subscription"):
        source(pubsub.address, subscription=f"{PROJECT}/subscriptions/other").check()
