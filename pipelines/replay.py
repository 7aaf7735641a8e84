"""Replay captures out of files, in any order, as often as one likes: the ledger comes out the same.

First all captures are read and spooled, then all evidence of which addresses are one article is kept, and only then
the readings, in the order of time: an archive is told as it happened, and nothing of it has to be taken back.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

import apache_beam as beam

from pipelines.captures import Malformed, read_captures
from pipelines.config import Config
from pipelines.run import PassReport, Progress, open_store, report
from pipelines.spool import Load, Spool, SpoolReads
from pipelines.waves import run_graph
from transforms.deliver import Deliver
from transforms.fetch import Captured
from transforms.process import Job, keeper_for
from transforms.reading import ReadCaptures, ReadFeed
from transforms.revisions import KeepRevisions
from wirewatch.clock import Clock
from wirewatch.keeping import Evidence
from wirewatch.model import Capture, Source
from wirewatch.reading import is_feed
from wirewatch.store import Store, dead_letters, feeds

_T = TypeVar("_T")


def replay(
    config: Config,
    inputs: Sequence[Path],
    clock: Clock,
    progress: Progress = lambda line: None,
    *,
    url: str | None = None,
    observed_at: datetime | None = None,
    feed: str | None = None,
) -> PassReport:
    """Keep every capture in the inputs as back-fill, and deliver what follows; return what was done.

    Raise ConfigurationError where an input cannot be read at all; a malformed line becomes a dead letter.
    """
    began = time.monotonic()
    captures = read_captures(inputs, url=url, observed_at=observed_at, feed=feed)
    store = open_store(config, clock.now())
    job = replace(config.job(clock, secrets.token_hex(8)), replay=True)
    delivered: Counter[str] = Counter()
    malformed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="wirewatch-replay-") as folder:
        arrived, reads = Spool(Path(folder) / "captures"), Spool(Path(folder) / "reads")
        good = _good(captures, store, clock, malformed)
        for done, wave in _waves(good, job.wave):
            progress(f"Reading captures: {done:,}")
            sourced = ((one.observed, Captured(capture=one, source=_source(one, config, store))) for one in wave)
            run_graph(
                "Places" >> beam.Create(arrived.append(sourced))
                | "Captures" >> Load(arrived)
                | "Read" >> ReadCaptures(job)
                | "Spool" >> SpoolReads(reads)
            )
            arrived.path.unlink()
        places = reads.places()
        _keep_evidence(job, reads, places)
        for done, wave_of_places in _waves(places, job.wave):
            progress(f"Keeping readings: {done:,} of {len(places):,}")
            delivered.update(
                run_graph(
                    "Places" >> beam.Create(wave_of_places)
                    | "Reads" >> Load(reads)
                    | "Keep" >> KeepRevisions(job)
                    | "Deliver" >> Deliver(job, config.sinks)
                )
            )
    seconds = time.monotonic() - began
    return report(store, config, job.run, now=clock.now(), delivered=delivered, seconds=seconds, findings=malformed)


def _good(
    captures: Iterable[Capture | Malformed], store: Store, clock: Clock, malformed: list[str]
) -> Iterator[Capture]:
    for one in captures:
        if isinstance(one, Capture):
            yield one
            continue
        malformed.append(f"{one.file}:{one.line}: {one.reason}")
        with store.begin() as conn:
            dead_letters.add(
                conn,
                at=clock.now(),
                step="replay",
                reason=one.reason,
                url=one.url,
                file=one.file,
                line=one.line,
            )


def _source(capture: Capture, config: Config, store: Store) -> Source:
    """Return what the configuration, or else the store, says about where a capture comes from."""
    feed = capture.url if is_feed(capture) else capture.feed
    listed = dict(config.feeds) | dict(config.articles)
    known = listed.get(feed or capture.url) or listed.get(capture.url)
    if known is not None:
        return known
    with store.reading() as conn:
        health = feeds.health_of(conn, feed) if feed else None
    return health.source if health else Source(feed=feed)


def _keep_evidence(job: Job, reads: Spool, places: Sequence[int]) -> None:
    keeper = keeper_for(job)
    for read in reads.load(places):
        readings = read.read.entries if isinstance(read, ReadFeed) else (read.reading,)
        keeper.keep_all_names(
            [
                Evidence(url=reading.url, observed=reading.observed, aliases=reading.aliases, source=read.source)
                for reading in readings
                if len(reading.aliases) > 1
            ]
        )


def _waves(items: Iterable[_T], size: int) -> Iterator[tuple[int, list[_T]]]:
    """Yield the items in lists of at most `size`, each with how many there were up to its end."""
    rest, done = iter(items), 0
    while wave := list(islice(rest, size)):
        done += len(wave)
        yield done, wave
