"""The shells on Beam, each once: what a runner may do to them, and what becomes of errors in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from pipelines.waves import run_graph
from tests.builders import NOON, at, reading
from tests.wirewatch.fetch_site import answered, site
from transforms.deliver import Deliver
from transforms.fetch import Captured, FetchPages, LeaseDue
from transforms.process import Job, Stream, noted, noting, tools_for
from transforms.reading import ReadCaptures
from transforms.revisions import KeepRevisions
from transforms.sinks.base import Sink
from wirewatch.clock import FixedClock
from wirewatch.errors import StoreError
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.keeping import Read
from wirewatch.model import Capture, Check, Instance, Source
from wirewatch.store import Store, counters, feeds, frontier, hosts, outbox
from wirewatch.store.outbox import Batch

PAGE = b"<html><body><main><h1>Ferry</h1><p>The harbour council met on Monday evening and spoke of boats.</p></main>"


class Counting(Sink):
    """Takes everything and keeps nothing."""

    kind: str = "counting"

    def write(self, batch: Batch) -> tuple[outbox.Refused, ...]:
        """Do nothing."""
        return ()


def job(folder: Path, **changes: Any) -> Job:
    """Return a job over a store of its own that may ask this machine."""
    defaults: dict[str, Any] = {
        "store": f"sqlite:///{folder / 'wirewatch.db'}",
        "instance": Instance(authority="wirewatch.example", since="2026"),
        "clock": FixedClock(NOON),
        "run": "this run",
        "fetch": FetchPolicy(contact="desk@courier.example", allow_addresses=("127.0.0.1",)),
        "children": 1,
    }
    return Job(**{**defaults, **changes})


def out_of(source: Sequence[Any], transform: Any, expected: Any) -> None:
    """Run a transform over elements and check what comes out."""
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        assert_that(pipeline | beam.Create(list(source)) | transform, expected)


def test_lease_gives_checks_of_what_is_due_and_a_second_tick_gives_none(tmp_path: Path) -> None:
    one = job(tmp_path)
    store = Store.shared(one.store)
    hosts.set_spacing_rule(store, default_seconds=0)
    feeds.match_feeds(store, [(f"https://{name}.example/feed", Source()) for name in "abc"], NOON)

    def three_checks(checks: Sequence[Check]) -> None:
        assert sorted(check.url for check in checks) == [f"https://{name}.example/feed" for name in "abc"]

    out_of([None, None], LeaseDue(one), three_checks)


def test_check_that_could_not_start_in_time_is_handed_back(tmp_path: Path) -> None:
    one = job(tmp_path)
    store = Store.shared(one.store)
    feeds.match_feeds(store, [("https://a.example/feed", Source())], NOON)
    (check,) = frontier.lease_due(store, now=NOON)
    late = Check(**{name: getattr(check, name) for name in check.__dataclass_fields__} | {"lease_ends": at(-1)})

    out_of([late], FetchPages(one), equal_to([]))

    assert frontier.due(store, now=NOON).feeds == 1


def test_pages_are_fetched_and_read_and_kept(tmp_path: Path) -> None:
    one = job(tmp_path)
    with site({"/robots.txt": answered(status=404), "/a": answered(PAGE, content_type="text/html")}) as running:
        check = Check(url=running.url("/a"), reason="push", start=NOON, lease_ends=NOON + timedelta(minutes=5))
        out_of([check], FetchPages(one) | ReadCaptures(one) | KeepRevisions(one), equal_to([("article", "new")]))

    assert counters.totals(Store.shared(one.store), "this run") == {"article": {"new": 1}, "feed": {}}


def test_capture_of_a_feed_goes_another_way_than_that_of_a_page(tmp_path: Path) -> None:
    headers = (("content-type", "application/rss+xml"),)
    captures = [
        Capture(url="https://a.example/feed", observed=NOON, status=200, headers=headers, body=b"<rss/>"),
        Capture(url="https://a.example/page", observed=NOON, status=200, body=PAGE),
    ]

    def one_of_each(reads: Sequence[Any]) -> None:
        assert sorted(type(read).__name__ for read in reads) == ["Read", "ReadFeed"]

    out_of([Captured(capture=one, source=Source()) for one in captures], ReadCaptures(job(tmp_path)), one_of_each)


def test_reading_that_a_runner_repeats_is_a_duplicate(tmp_path: Path) -> None:
    one = job(tmp_path)
    read = Read(capture=Capture(url="https://a.example/", observed=NOON), reading=reading(0), source=Source())

    out_of([read, read], KeepRevisions(one), equal_to([("article", "new"), ("article", "duplicate")]))


def test_deliver_hands_each_sink_all_that_waits_once_and_counts_it(tmp_path: Path) -> None:
    one = job(tmp_path, sinks=("first", "second"))
    read = Read(capture=Capture(url="https://a.example/", observed=NOON), reading=reading(0), source=Source())
    sinks = [Counting(name="first"), Counting(name="second")]
    graph = beam.Create([read]) | KeepRevisions(one) | Deliver(one, sinks)

    delivered = run_graph(graph)

    assert delivered == {"first": 2, "second": 2}
    assert outbox.waiting(Store.shared(one.store)) == {}


def test_deliver_without_sinks_is_nothing_to_do(tmp_path: Path) -> None:
    read = Read(capture=Capture(url="https://a.example/", observed=NOON), reading=reading(0), source=Source())

    assert run_graph(beam.Create([read]) | KeepRevisions(job(tmp_path)) | Deliver(job(tmp_path), [])) == {}


def test_error_of_ours_comes_out_of_a_pipeline_as_it_was_raised(tmp_path: Path) -> None:
    missing = tmp_path / "file"
    missing.touch()
    one = job(tmp_path, store=f"sqlite:///{missing}/wirewatch.db")

    with pytest.raises(StoreError, match="cannot be made"):
        run_graph(beam.Create([None]) | LeaseDue(one))


def test_error_is_noted_on_its_way_out_and_forgotten_once_it_is_told() -> None:
    with pytest.raises(StoreError), noting():
        raise StoreError("The store is full.")

    assert str(noted()) == "The store is full."
    assert noted() is None


def test_tools_are_shared_by_jobs_that_need_like_ones(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, same, other = (
        tools_for(job(tmp_path)),
        tools_for(job(tmp_path, run="next")),
        tools_for(job(tmp_path / "other")),
    )

    assert (one.store, one.pool, one.fetcher, one.loop) == (same.store, same.pool, same.fetcher, same.loop)
    assert (one.pool, one.fetcher, one.loop) == (other.pool, other.fetcher, other.loop)
    assert one.store is not other.store


@pytest.mark.parametrize("stream", [None, Stream(every_seconds=5, backlog_seconds=60)], ids=["pass", "stream"])
def test_sink_is_told_whether_the_job_ends(stream: Stream | None, tmp_path: Path) -> None:
    asked: list[bool] = []

    class Asked(Counting):
        def suited(self, *, streaming: bool) -> Sink:
            asked.append(streaming)
            return self

    pipeline = beam.Pipeline(runner=FnApiRunner())
    pipeline | beam.Create([None]) | Deliver(job(tmp_path, stream=stream), [Asked(name="out")])
    assert asked == [stream is not None]
