"""Read captures in bounded processes: pages as articles, feeds as their entries.

A bundle's captures are handed to the child processes as they come and taken back as they are done, in whatever order;
nothing after this step depends on order. Where the children have enough to do, captures wait for each other and travel
together: a page that says what it said the last time costs little more than its way there and back. A capture on which
work had to be stopped is read as invalid, and never lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.fetch import Captured
from transforms.process import Job, noting, tools_for
from wirewatch.errors import BadContent
from wirewatch.keeping import Read
from wirewatch.model import Capture, Check, Reading, Source
from wirewatch.reading import (
    FeedRead,
    Page,
    is_feed,
    read_at_once,
    read_pages,
    read_whole_feed,
    stopped_article,
    stopped_feed,
)
from wirewatch.store.inbox import Received

BATCH_PAGES = 8  # one page there and back costs 0.3 ms alone
BATCH_BYTES = 1 << 20  # a child has 10 seconds for a batch; 1 MiB of pages take it a fifth of one


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


@dataclass
class _Batch:
    """Captures of articles that travel together."""

    captured: list[Captured] = field(default_factory=list)
    size: int = 0  # bytes

    def add(self, captured: Captured) -> None:
        self.captured.append(captured)
        self.size += len(captured.capture.body)

    @property
    def full(self) -> bool:
        return len(self.captured) >= BATCH_PAGES or self.size >= BATCH_BYTES


class _Read(beam.DoFn):
    def __init__(self, job: Job) -> None:
        self.job = job
        self.under_way: dict[Future[Any], list[Captured]] = {}
        self.next = _Batch()

    def start_bundle(self) -> None:
        self.under_way, self.next = {}, _Batch()

    def process(self, captured: Captured) -> Iterator[Read | ReadFeed]:
        capture = captured.capture
        pool = tools_for(self.job).pool
        if _is_feed(captured):
            feed = pool.submit(read_whole_feed, capture, captured.source, returns=FeedRead, about=capture.url)
            self.under_way[feed] = [captured]
        elif (reading := read_at_once(capture, captured.source, captured.check)) is not None:
            yield _article(captured, reading)
        else:
            self.next.add(captured)
            if self.next.full or pool.has_room():
                self._send()
        yield from self._done([one for one in self.under_way if one.done()])

    def finish_bundle(self) -> Iterator[WindowedValue]:
        window = GlobalWindow()
        self._send()
        while self.under_way:
            done, _ = wait(self.under_way, return_when="FIRST_COMPLETED")
            for read in self._done(done):
                yield WindowedValue(read, window.max_timestamp(), (window,))

    def _send(self) -> None:
        """Hand the waiting captures of articles to the child processes."""
        batch, self.next = self.next.captured, _Batch()
        if batch:
            self._submit(batch)

    def _submit(self, batch: list[Captured]) -> None:
        pages = [_page(captured) for captured in batch]
        about = batch[0].capture.url if len(batch) == 1 else ""
        future = tools_for(self.job).pool.submit(read_pages, pages, returns=tuple[Reading, ...], about=about)
        self.under_way[future] = batch

    def _done(self, futures: Iterable[Future[Any]]) -> Iterator[Read | ReadFeed]:
        with noting():
            for future in futures:
                batch = self.under_way.pop(future)
                error = future.exception()
                if error is not None and not isinstance(error, BadContent):
                    raise error
                if _is_feed(batch[0]):
                    yield _feed(batch[0], error or future.result())
                elif error is None:
                    yield from map(_article, batch, future.result())
                elif len(batch) == 1:
                    yield _article(batch[0], error)
                else:  # one of them was too much: each on its own
                    for captured in batch:
                        self._submit([captured])


def _page(captured: Captured) -> Page:
    check = captured.check
    if check is None:
        return Page(capture=captured.capture, source=captured.source)
    return Page(
        capture=captured.capture,
        source=captured.source,
        remembering=True,
        fingerprint=check.fingerprint,
        audit=check.audit,
    )


def _is_feed(captured: Captured) -> bool:
    if captured.check is not None:
        return captured.check.reason == "feed"
    return is_feed(captured.capture)
