"""Read captures in bounded processes: pages as articles, feeds as their entries.

A bundle's captures are handed to the child processes as they come and taken back as they are done, in whatever order;
nothing after this step depends on order. A capture on which work had to be stopped is read as invalid, and never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from wirewatch.reading import FeedRead, read_whole_feed, stopped_article, stopped_feed


@dataclass(frozen=True, kw_only=True)
class ReadFeed:
    """A feed's capture with what it says, whence it came, and the check that asked for it, if one did."""

    capture: Capture
    read: FeedRead
    source: Source
    check: Check | None = None


class ExtractArticle(beam.PTransform[Any, Any]):
    """Turn captures of pages into readings."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def expand(self, captures: Any) -> Any:
        return captures | "Extract" >> beam.ParDo(_InChildren(self.job, read_page, Reading, _article))


class ParseFeed(beam.PTransform[Any, Any]):
    """Turn captures of feeds into readings of them and, where they are the tracked text, of their entries."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def expand(self, captures: Any) -> Any:
        return captures | "Parse" >> beam.ParDo(_InChildren(self.job, read_whole_feed, FeedRead, _feed))


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
    return ReadFeed(capture=capture, read=read, source=captured.source, check=captured.check)


class _InChildren(beam.DoFn):
    def __init__(
        self, job: Job, function: Callable[[Capture, Source], Any], returns: type, build: Callable[[Captured, Any], Any]
    ) -> None:
        self.job = job
        self.function = function
        self.returns = returns
        self.build = build
        self.under_way: dict[Future[Any], Captured] = {}

    def start_bundle(self) -> None:
        self.under_way = {}

    def process(self, captured: Captured) -> Iterator[Any]:
        capture = captured.capture
        future = tools_for(self.job).pool.submit(
            self.function, capture, captured.source, returns=self.returns, about=capture.url
        )
        self.under_way[future] = captured
        yield from self._done(future for future in list(self.under_way) if future.done())

    def finish_bundle(self) -> Iterator[WindowedValue]:
        window = GlobalWindow()
        while self.under_way:
            done, _ = wait(self.under_way, return_when="FIRST_COMPLETED")
            for read in self._done(done):
                yield WindowedValue(read, window.max_timestamp(), (window,))

    def _done(self, futures: Any) -> Iterator[Any]:
        with noting():
            for future in futures:
                captured = self.under_way.pop(future)
                error = future.exception()
                if error is not None and not isinstance(error, BadContent):
                    raise error
                yield self.build(captured, error or future.result())
