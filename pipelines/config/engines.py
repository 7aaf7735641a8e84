"""Say which engine cannot run which deployment, and what to do instead: pure, so that `wirewatch check` says it too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from pipelines.config.settings import FetchSettings, StreamSettings
from transforms.sinks.base import Sink
from transforms.sources.base import MessageSource
from wirewatch.store.engine import parse
from wirewatch.ticks import LEAD_SECONDS
from wirewatch.units import duration_text

_HERE: Final = ("localhost", "127.0.0.1", "[::1]")
_OF_FLINK: Final = {
    "job_server": "it takes the job, such as localhost:8099",
    "workers": "the code runs there, such as localhost:50000",
    "flink": "the job is followed and stopped by it, such as http://localhost:8081",
    "checkpoint_interval": (
        "without one Flink writes no state down and acknowledges no message, and a job that fails has lost its place;"
        " 30s is usual"
    ),
}
_OF_DATAFLOW: Final = {
    "project": "the job runs in it",
    "region": "the job runs in it, such as europe-west1",
    "temp": "Dataflow stages the job there, such as gs://BUCKET/FOLDER",
    "image": "the workers are started from it",
}


def horizon_seconds(settings: StreamSettings) -> float:
    """Return how far ahead of a tick its requests may lie: up to where the next tick's begin."""
    return settings.tick + LEAD_SECONDS


def refusals(
    settings: StreamSettings,
    *,
    store: str,
    fetch: FetchSettings,
    sources: Sequence[MessageSource],
    sinks: Sequence[Sink],
) -> Iterator[tuple[str, str]]:
    """Yield what cannot be run, as a key of `stream` and what is wrong with it and to be done."""
    if settings.runner == "prism" and settings.parallelism > 1:
        yield "parallelism", "Prism is one process, and fills the cores by `work.children`; leave it out, or use flink"
    if settings.runner == "flink":
        yield from _of_flink(settings, fetch)
        for source in sources:
            patience = source.acknowledged_within
            if patience is not None and settings.checkpoint_interval and patience < 2 * settings.checkpoint_interval:
                why = f"messages of {source.name} come again after {duration_text(patience)}, before two checkpoints"
                yield "checkpoint_interval", f"{why}; make it shorter, or the source's `ack_deadline_seconds` longer"
    if settings.runner == "dataflow":
        yield from _missing(settings, _OF_DATAFLOW)
        if settings.parallelism > 1:
            yield "parallelism", "Dataflow chooses its number of workers itself; leave it out"
        for source in sources:
            if source.on_this_machine:
                yield "runner", f"the source {source.name} names an emulator, which Dataflow does not read from"
    for sink in sinks:
        if sink.on_this_machine and _several_machines(settings):
            why = f"the sink {sink.name} writes to a machine's own disk, and this engine works on several"
            yield "runner", f"{why}; let records and events go to a queue or a database"
    if parse(store).get_backend_name() == "sqlite" and _several_machines(settings):
        yield (
            "runner",
            "an SQLite file is good for one machine, and this engine works on several; use postgresql:// as the store",
        )


def _of_flink(settings: StreamSettings, fetch: FetchSettings) -> Iterator[tuple[str, str]]:
    yield from _missing(settings, _OF_FLINK)
    # A bundle waits for its slots and its answers, and a checkpoint waits for all bundles.
    timeout = settings.checkpoint_timeout
    shown = duration_text(timeout)
    if horizon_seconds(settings) >= timeout / 4:
        yield "tick", f"it must be under a quarter of `checkpoint_timeout` ({shown}): requests wait for their slots"
    if horizon_seconds(settings) + fetch.total_timeout >= timeout:
        why = (
            f"a checkpoint has {shown} and waits for every page, which waits for its slot and may then take"
            f" {duration_text(fetch.total_timeout)} (`fetch.total_timeout`); make it longer"
        )
        yield "checkpoint_timeout", why


def _missing(settings: StreamSettings, wanted: dict[str, str]) -> Iterator[tuple[str, str]]:
    for key, why in wanted.items():
        if getattr(settings, key) is None:
            yield key, f"{settings.runner} needs it: {why}"


def _several_machines(settings: StreamSettings) -> bool:
    """Tell whether the engine's addresses say that it is not on this machine alone."""
    if settings.runner == "dataflow":
        return True
    if settings.runner != "flink":
        return False
    places = [settings.job_server, settings.workers, urlsplit(settings.flink or "").netloc or None]
    return any(place.rpartition(":")[0] not in _HERE for place in places if place is not None)
