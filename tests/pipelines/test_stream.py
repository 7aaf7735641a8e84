"""The stream's graph, tick by tick, on a clock of its own; `tests/engines` has it on real engines."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.utils.timestamp import Timestamp

from pipelines.config import BadConfiguration, Config, load
from pipelines.engines import Running
from pipelines.engines.flink import Flink
from pipelines.engines.prism import Prism
from pipelines.graph import Watch
from pipelines.run import open_store
from pipelines.stream import WatchForEver, _rested
from pipelines.waves import run_graph
from tests.builders import NOON, at
from tests.pipelines.site import FEED, World, atom, feed, page, story, world
from transforms.process import Job, Stream, patiently
from transforms.sinks.base import Sink
from transforms.sources.pubsub import PubSubSource
from wirewatch.clock import FixedClock, SystemClock
from wirewatch.errors import ConfigurationError, DeliveryFailed, EngineFailed, StoreError
from wirewatch.model import Capture
from wirewatch.store import frontier, inbox, streams
from wirewatch.store.outbox import Item, announce

RESTORED = ["flink", "dataflow"]  # engines on which a newer build goes on with an older one's state
TICK = 5.0
INTERVAL = 60.0
RUN = "the stream"


def job_of(w: World, seconds: float) -> Job:
    """Return the stream's job so many seconds after noon; the clock stands still, so nothing waits for a slot."""
    config = w.config.streaming(w.config.stream.model_copy(update={"tick": TICK}))
    return replace(config.stream_job(FixedClock(at(seconds / 60)), RUN), horizon_seconds=0.0)


def tick(w: World, *meant: float, now: float | None = None) -> None:
    """Let ticks come that were meant for so many seconds after noon, at the last of them or `now`."""
    ticks = [Timestamp(at(one / 60).timestamp()) for one in meant]
    job = job_of(w, meant[-1] if now is None else now)
    run_graph("Ticks" >> beam.Create(ticks, reshuffle=False) | Watch(job, w.config.sinks))


def watched(folder: Path, **settings: Any) -> Any:
    """Return a world in which one feed with one article is watched each minute."""
    answers = {"/feed.xml": feed(["/a"]), "/a": page()}
    return world(folder, answers, feeds=[{"url": FEED, "interval": "1m"}], **settings)


def test_change_in_a_feed_is_delivered_after_its_interval_and_two_ticks_at_most(tmp_path: Path) -> None:
    """The change comes just after the feed was read, which is the worst moment; ticks with nothing due are left out."""
    with watched(tmp_path) as w:
        store = open_store(w.config, NOON)
        tick(w, 0)
        tick(w, TICK)
        first = w.kinds()
        w.site.answers["/a"] = page(story("Harbour council speaks of boats", about="The council voted after all."))
        w.site.answers["/feed.xml"] = atom(["/a"], at(0.5))
        due = (w.health()[FEED].due_at or NOON) - NOON
        next_tick = TICK * math.ceil(due.total_seconds() / TICK)
        waits = frontier.due(store, now=at((next_tick - TICK) / 60)).anything
        tick(w, next_tick)
        tick(w, next_tick + TICK)
        then = w.kinds()

    assert first == ["published"]
    assert not waits
    assert due.total_seconds() <= INTERVAL * 1.05  # with the jitter that spreads a host's feeds
    assert then == ["published", "revised"]


def test_engine_is_told_what_became_of_each_capture_and_how_long_it_took(tmp_path: Path) -> None:
    with watched(tmp_path) as w:
        open_store(w.config, NOON)
        tick(w, 0)
        pipeline = beam.Pipeline(runner=FnApiRunner())
        pipeline | beam.Create([Timestamp(at(1 / 60).timestamp())]) | Watch(job_of(w, 1), w.config.sinks)
        found = pipeline.run().metrics().query()
    counted = {(one.key.metric.namespace, one.key.metric.name): one.committed for one in found["counters"]}
    lags = {one.key.metric.name: one.committed for one in found["distributions"]}

    assert counted["transforms.fetch", "ticks_lease"] == 1
    assert counted["transforms.fetch", "leased"] == 1
    assert counted["transforms.revisions", "articles_new"] == 1
    assert counted["transforms.deliver", "files"] == 2
    assert lags["lag_ms"].count == 1


def test_ticks_of_a_burst_lease_nothing_but_for_the_last(tmp_path: Path) -> None:
    with watched(tmp_path) as w:
        open_store(w.config, NOON)
        tick(w, *(4000 - late for late in (3600, 60, 6)), now=4000)
        before = w.site.paths()
        tick(w, 4000)

    assert before == []
    assert "/feed.xml" in w.site.paths()


def test_ticks_are_held_while_something_leased_waits_too_long_and_go_on_when_it_is_kept(tmp_path: Path) -> None:
    with watched(tmp_path) as w:
        store = open_store(w.config, NOON)
        with store.begin() as conn:
            inbox.put(conn, "one", Capture(url="http://courier.example/x", observed=NOON), NOON)
        lease = w.config.stream_job(FixedClock(NOON), RUN).lease_seconds
        (taken,) = inbox.take(store, now=at(0), lease_seconds=lease)
        tick(w, 61)
        held = w.site.paths()
        inbox.give_back(store, taken)
        tick(w, 66)

    assert held == []
    assert "/feed.xml" in w.site.paths()


def test_stream_that_comes_to_rest_leases_nothing_and_delivers_what_waits(tmp_path: Path) -> None:
    with watched(tmp_path, sinks=[{"kind": "jsonl", "name": "files", "folder": "later/out"}]) as w:
        store = open_store(w.config, NOON)
        tick(w, 0)
        with pytest.raises(DeliveryFailed, match="is not there"):
            tick(w, TICK)
        asked = len(w.site.log)
        (tmp_path / "later").mkdir()
        streams.ask_to_rest(store, RUN, at(60))
        tick(w, 600)

    assert len(w.site.log) == asked
    assert len(list((tmp_path / "later" / "out" / "events").iterdir())) == 1


def test_tick_ends_the_leases_of_a_worker_that_was_killed_on_this_machine(tmp_path: Path) -> None:
    with watched(tmp_path) as w:
        store = open_store(w.config, NOON)
        child = os.fork()
        if not child:
            store.engine.dispose(close=False)
            frontier.lease_due(store, now=NOON)
            os._exit(0)
        os.waitpid(child, 0)
        leased = frontier.due(store, now=NOON).feeds
        tick(w, 1)

    assert leased == 0
    assert "/feed.xml" in w.site.paths()


def test_step_waits_for_a_store_that_is_away_in_a_stream_and_not_in_a_pass(tmp_path: Path) -> None:
    with watched(tmp_path) as w:
        job = w.config.job(FixedClock(NOON), RUN)
    calls: list[int] = []

    def away_twice() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise StoreError("The store is away.")
        return "kept"

    stream = Stream(every_seconds=TICK, backlog_seconds=60, patience_seconds=30)
    assert patiently(replace(job, stream=stream), away_twice) == "kept"
    calls.clear()
    with pytest.raises(StoreError, match=r"The store is away\."):
        patiently(job, away_twice)
    assert len(calls) == 1


def test_step_gives_a_store_up_that_stays_away(tmp_path: Path) -> None:
    with watched(tmp_path) as w:
        job = w.config.job(FixedClock(NOON), RUN)
    stream = Stream(every_seconds=TICK, backlog_seconds=60, patience_seconds=0.3)

    def away() -> None:
        raise StoreError("The store is away.")

    with pytest.raises(StoreError):
        patiently(replace(job, stream=stream), away)


class _Runs:
    """A job that runs."""

    given_up = True

    def failure(self) -> None:
        """Return nothing: it has not failed."""


def test_stream_comes_to_rest_though_another_on_its_store_goes_on(tmp_path: Path) -> None:
    with watched(tmp_path, stream={"tick": "1s"}) as w:
        clock = SystemClock()
        store = open_store(w.config, clock.now())
        job = w.config.stream_job(clock, RUN)
        later = clock.now() + timedelta(hours=1)
        with store.begin() as conn:
            inbox.put(conn, "one", Capture(url="http://courier.example/x", observed=clock.now()), clock.now())
            item = Item(kind="event", item="theirs", article="a", payload="{}", recorded=later)
            announce(conn, item, [sink.name for sink in w.config.sinks])
        assert len(inbox.take(store, now=later, lease_seconds=job.lease_seconds)) == 1
        assert _rested(store, w.config, job, clock, cast("Running", _Runs()))


# What a running job is upgraded by


class _Nowhere(Sink):
    kind: str = "nowhere"

    def write(self, batch: Any) -> tuple[()]:
        """Do nothing."""
        return ()


def steps(engine: str) -> list[str]:
    """Return the names of all steps of a stream with one source and one sink."""
    folder = Path(__file__).parents[2] / "configs"
    config = load(folder / "stream.yaml", {"WIREWATCH_CONTACT": "me@a.example"})
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    sinks = [_Nowhere(kind="nowhere", name="files")]
    sources = [PubSubSource(kind="pubsub", name="checks", subscription="projects/newsroom/subscriptions/checks")]
    graph = WatchForEver(config.stream_job(FixedClock(NOON), RUN), sinks, NOON, sources, engine=engine)
    pipeline | "Wirewatch" >> graph
    return sorted(one.unique_name for one in pipeline.to_runner_api().components.transforms.values())


@pytest.mark.parametrize("engine", RESTORED)
def test_names_of_all_steps_are_what_running_jobs_have(engine: str) -> None:
    """A name that changes here is a step without its state in every job that is restored: see docs/streaming.md."""
    names = Path(__file__).with_name(f"stream_steps_{engine}.txt")
    assert "\n".join(steps(engine)) + "\n" == names.read_text(encoding="utf-8")


# What an engine cannot run

FLINK = (
    "{runner: flink, job_server: 'localhost:8099', workers: 'localhost:50000', flink: 'http://localhost:8081',"
    " checkpoint_interval: 30s"
)
REFUSED = {
    "engine that keeps all outputs": (
        "stream: {runner: DirectRunner}",
        ["stream.runner: 'DirectRunner' is an engine for work that ends: DirectRunner keeps every output in memory."],
    ),
    "unknown engine": (
        "stream: {runner: spark}",
        ["stream.runner: 'spark' is no engine for a stream; there is prism, flink, dataflow"],
    ),
    "Flink without anything": (
        "stream: {runner: flink}",
        [
            "stream.checkpoint_interval: flink needs it: without one Flink writes no state down",
            "stream.flink: flink needs it:",
            "stream.job_server: flink needs it:",
            "stream.workers: flink needs it:",
        ],
    ),
    "SQLite on several machines": (
        f"stream: {FLINK.replace('localhost:8081', 'flink.example:8081')}}}",
        ["stream.runner: an SQLite file is good for one machine, and this engine works on several; use postgresql://"],
    ),
    "tick that is long for a checkpoint": (
        f"stream: {FLINK}, tick: 150s}}",
        ["stream.tick: it must be under a quarter of `checkpoint_timeout` (10m)"],
    ),
    "page that is long for a checkpoint": (
        f"stream: {FLINK}, checkpoint_timeout: 60s}}",
        ["stream.checkpoint_timeout: a checkpoint has 1m and waits for every page"],
    ),
    "parallel Prism": ("stream: {parallelism: 2}", ["stream.parallelism: Prism is one process"]),
    "Dataflow without anything": (
        "stream: {runner: dataflow}",
        [
            "stream.image: dataflow needs it",
            "stream.project: dataflow needs it",
            "stream.region: dataflow needs it",
            "stream.runner: an SQLite file is good for one machine",
            "stream.temp: dataflow needs it",
        ],
    ),
    "files on Dataflow": (
        (
            "store: postgresql://db/news\nsinks: [{kind: jsonl, name: files, folder: out}]\n"
            "stream: {runner: dataflow, project: p, region: r, temp: 'gs://b/t', image: i}"
        ),
        [
            (
                "stream.runner: the sink files writes to a machine's own disk, and this engine works on several;"
                " let records and events go to a queue or a database"
            )
        ],
    ),
    "no endpoint": ("stream: {workers: 'localhost'}", ["stream.workers: 'localhost' is no host and port"]),
}


def configuration(folder: Path, text: str = "") -> Config:
    path = folder / "wirewatch.yaml"
    path.write_text(f'instance: {{authority: a.example, since: "2026"}}\nfetch: {{contact: me@a.example}}\n{text}\n')
    return load(path, {})


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_an_engine_cannot_run_is_refused_with_what_to_do(text: str, expected: list[str], tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as refused:
        configuration(tmp_path, text)
    told = sorted(f"{one.place}: {one.message}" for one in refused.value.problems)
    assert len(told) == len(expected)
    assert all(said.startswith(begins) for said, begins in zip(told, expected, strict=True)), told


def test_engine_on_the_command_line_is_held_to_the_same(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with pytest.raises(BadConfiguration, match=r"stream\.checkpoint_interval: flink needs it"):
        config.streaming(config.stream.model_copy(update={"runner": "flink"}))


def test_slots_of_a_stream_lie_within_a_tick_and_a_lead(tmp_path: Path) -> None:
    config = configuration(tmp_path, "stream: {tick: 10s}")
    job = config.stream_job(FixedClock(NOON), RUN)
    assert job.horizon_seconds == 11
    assert job.lease_seconds > config.stream.backlog + config.fetch_settings.total_timeout


ENGINES: dict[str, tuple[Callable[[Config, Any], Any], str, str]] = {
    "no Prism at that place": (Prism, "stream: {prism: nowhere}", "There is no Prism at .*go install"),
    "no Flink there": (
        Flink,
        f"stream: {FLINK.replace(':8081', ':9')}}}",
        "Flink does not answer at http://localhost:9",
    ),
}


@pytest.mark.parametrize(("engine", "text", "said"), ENGINES.values(), ids=ENGINES)
def test_engine_that_is_not_there_is_said_in_a_sentence(
    engine: Callable[[Config, Any], Any], text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises((EngineFailed, ConfigurationError), match=said):
        engine(configuration(tmp_path, text), None)
