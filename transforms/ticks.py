"""Let ticks come from the engine, without end.

On Flink they come from the cluster's own source. Beam's `PeriodicImpulse` begins there with one element, and an engine
that writes its state down in the wrong moment keeps that element for ever; what it defers is never removed from the
state either. Flink's source has no state: it ticks whenever it runs, after a restart too. Each parallel task has one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import apache_beam as beam
from apache_beam.io.flink.flink_streaming_impulse_source import FlinkStreamingImpulseSource
from apache_beam.transforms.periodicsequence import PeriodicImpulse
from apache_beam.utils.timestamp import Timestamp


def ticks(engine: str, since: datetime, every_seconds: float) -> beam.PTransform[Any, Any]:
    """Return what gives a tick at `since` and so many seconds after each: the moment it is meant for, a `Timestamp`."""
    if engine == "flink":
        return _TicksOfFlink(every_seconds)
    return PeriodicImpulse(start_timestamp=Timestamp(since.timestamp()), fire_interval=every_seconds)


class _TicksOfFlink(beam.PTransform[Any, Any]):
    def __init__(self, every_seconds: float) -> None:
        super().__init__()
        self.every_seconds = every_seconds

    def expand(self, begin: Any) -> Any:
        source = FlinkStreamingImpulseSource()
        source.config = {"interval_ms": round(self.every_seconds * 1000)}  # its own setter would set it for all sources
        return begin | "Source" >> source | "Now" >> beam.Map(lambda _: Timestamp.now())
