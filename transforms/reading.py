"""Read captures in bounded processes: pages as articles, feeds as their entries.

A bundle's captures are handed to the child processes as they come and taken back as they are done, in whatever order;
nothing after this step depends on order. A capture on which work had to be stopped is read as invalid, and never lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.fetch import Captured
from transforms.process import Job, noting, tools_for
from wirewatch.errors import BadContent
from wirewatch.extract import read_page
from wirewatch.keeping import Read
from wirewatch.model import Capture, Check, Reading, Source
from wirewatch.reading import FeedRead, is_feed, read_whole_feed, stopped_article, stopped_feed
from wirewatch.store.inbox import Received


@dataclass(frozen=True, kw_only=True)
class ReadFeed:
    """A feed's capture with what it says, whence it came, and the check that asked for it or the inbox it waited in."""

    capture: Capture
    read: FeedRead
    source: Source
    check: Check | None = None
    received: Received | None = None


class ReadCaptures(beam.PTransform[Any, Any]):
    """Turn captures into readings: pages as articles, feeds as their entries.

    One step for both kinds, so that pages go from the fetch to the ledger without being copied from stage to stage.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def expand(self, captures: Any) -> Any:
        return captures | "Read" >> beam.ParDo(_Read(self.job))


def _article(captured: Captured, answer: Reading | BadContent) -> Read:
    capture = captured.capture
    reading = stopped_article(capture, answer) if isinstance(answer, BadContent) else answer
    return Read(
        capture=capture,
        reading=reading,
        source=captured.source,
        check=captured.check,
        received=captured.received,
    )


def _feed(captured: Captured, answer: FeedRead | BadContent) -> ReadFeed:
    capture = captured.capture
    read = stopped_feed(capture, answer) if isinstance(answer, BadContent) else answer
    return ReadFeed(
        capture=capture, read=read, source=captured.source, check=captured.check, received=captured.received
    )


class _Read(beam.DoFn):
    def __init__(self, job: Job) -> None:
        self.job = job
        self.under_way: dict[Future[Any], Captured] = {}

    def start_bundle(self) -> None:
        self.under_way = {}

    def process(self, captured: Captured) -> Iterator[Read | ReadFeed]:
        capture = captured.capture
        work = (read_whole_feed, FeedRead) if _is_feed(captured) else (read_page, Reading)
        future = tools_for(self.job).pool.submit(work[0], capture, captured.source, returns=work[1], about=capture.url)
        self.under_way[future] = captured
        yield from self._done([one for one in self.under_way if one.done()])

    def finish_bundle(self) -> Iterator[WindowedValue]:
        window = GlobalWindow()
        while self.under_way:
            done, _ = wait(self.under_way, return_when="FIRST_COMPLETED")
            for read in self._done(done):
                yield WindowedValue(read, window.max_timestamp(), (window,))

    def _done(self, futures: Iterable[Future[Any]]) -> Iterator[Read | ReadFeed]:
        with noting():
            for future in futures:
                captured = self.under_way.pop(future)
                error = future.exception()
                if error is not None and not isinstance(error, BadContent):
                    raise error
                yield (_feed if _is_feed(captured) else _article)(captured, error or future.result())


def _is_feed(captured: Captured) -> bool:
    if captured.check is not None:
        return captured.check.reason == "feed"
    return is_feed(captured.capture)
