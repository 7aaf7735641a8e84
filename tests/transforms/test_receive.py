"""Reading a queue and keeping what it says are one stage of any engine, by Beam's reader and by ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import common_urns
from apache_beam.transforms.core import _BundleFinalizerParam as BundleFinalizer
from apache_beam.utils.timestamp import Duration, Timestamp

from tests.builders import NOON
from tests.engines.fake_pubsub import PROJECT, FakePubSub, fake_pubsub
from transforms.process import Job
from transforms.receive import ReceiveMessages
from transforms.sources import source_adapter
from transforms.sources._pubsub import Pull
from transforms.sources.base import MessageSource
from wirewatch.clock import FixedClock
from wirewatch.errors import IntakeFailed
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.model import Instance
from wirewatch.receiving import Message
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


READERS = {"prism": "/Pull", "flink": "/Pull", "dataflow": "/Pull/Read"}


@pytest.mark.parametrize(("engine", "reader"), READERS.items(), ids=READERS)
def test_nothing_but_steps_that_are_fused_lies_between_reading_and_keeping(
    engine: str, reader: str, tmp_path: Path
) -> None:
    """A shuffle, a window or a flatten there, and messages are acknowledged before they are kept."""
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    pipeline | ReceiveMessages(job(tmp_path), [source()], engine, NOON)
    transforms = pipeline.to_runner_api().components.transforms
    makes = {output: one for one in transforms.values() if not one.subtransforms for output in one.outputs.values()}
    (keep,) = (one for one in transforms.values() if one.unique_name.endswith("/Keep checks") and not one.subtransforms)
    steps = [keep]
    while not steps[-1].unique_name.endswith(reader):
        (came_from,) = steps[-1].inputs.values()
        steps.append(makes[came_from])
    assert {one.spec.urn for one in steps[:-1]} == {PAR_DO}


def test_first_step_behind_beams_own_reader_keeps_what_comes(
    pubsub: FakePubSub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Beam's oldest engine, which alone has that reader here; it finds the emulator by its own variable."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
    one = job(tmp_path)
    pubsub.publish(f"{PROJECT}/topics/checks", b"rubbish", {"url": "http://10.0.0.1/"})
    pipeline = beam.Pipeline("DirectRunner", options=PipelineOptions(["--streaming"]))
    pipeline | ReceiveMessages(one, [source(pubsub.address)], "dataflow", NOON)
    running = pipeline.run()
    try:
        store = Store.shared(one.store)
        while len(letters := dead_letters.listed(store)) < 2:
            assert running.state not in ("FAILED", "DONE")
    finally:
        running.cancel()
    assert {letter.file for letter in letters} == {f"{SUBSCRIPTION}#m0", f"{SUBSCRIPTION}#m1"}


def pull(server: FakePubSub) -> tuple[list[Message], BundleFinalizer]:
    """Let one tick come; return what was read, and what the engine holds to make the bundle final."""
    final = BundleFinalizer()
    return list(Pull(source(server.address)).process(Timestamp.now(), final)), final


def test_bundle_that_is_made_final_acknowledges_what_it_read_and_nothing_else(pubsub: FakePubSub) -> None:
    pubsub.publish(f"{PROJECT}/topics/checks", *({"n": n} for n in range(4)))
    read, final = pull(pubsub)
    pubsub.publish(f"{PROJECT}/topics/checks", {"n": 4})
    assert len(read) == 4
    assert pubsub.acknowledged() == set()
    final.finalize_bundle()
    assert pubsub.acknowledged() == {f"m{n}" for n in range(4)}


def test_tick_reads_however_late_it_comes_but_not_one_that_waited_while_another_read(pubsub: FakePubSub) -> None:
    """Those that waited come all at once, and each would wait a second for nothing."""
    reader, long_ago = Pull(source(pubsub.address)), Timestamp.now() - Duration(60)
    pubsub.publish(f"{PROJECT}/topics/checks", {"n": 1})
    assert len(list(reader.process(long_ago, BundleFinalizer()))) == 1
    pubsub.publish(f"{PROJECT}/topics/checks", {"n": 2})
    assert list(reader.process(long_ago + Duration(1), BundleFinalizer())) == []
    assert len(list(reader.process(Timestamp.now(), BundleFinalizer()))) == 1


def test_tick_reads_nothing_while_the_service_refuses(pubsub: FakePubSub) -> None:
    pubsub.publish(f"{PROJECT}/topics/checks", {"n": 1})
    pubsub.fail("Pull", 7)
    assert pull(pubsub)[0] == []
    pubsub.fail("Pull", 7, times=0)
    assert len(pull(pubsub)[0]) == 1


def test_check_leaves_the_message_in_the_queue(pubsub: FakePubSub) -> None:
    one: MessageSource = source(pubsub.address)
    pubsub.publish(f"{PROJECT}/topics/checks", {"n": 1})
    one.check()
    taken: list[Any] = []
    assert one.drain(taken.extend, limit=10) == 1
    with pytest.raises(IntakeFailed, match="There is no subscription"):
        source(pubsub.address, subscription=f"{PROJECT}/subscriptions/other").check()
