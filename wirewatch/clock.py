"""The one clock a job is given.

Nothing below `pipelines/` asks the system for the time; whoever starts a job chooses the clock, and a clock survives
pickling, because Beam carries it to its workers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tell the time as an aware UTC `datetime`."""

    def now(self) -> datetime: ...


@dataclass(frozen=True)
class SystemClock:
    """Tell the machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """Tell one time for ever: for tests and for the demo's passes."""

    at: datetime

    def now(self) -> datetime:
        return self.at.astimezone(UTC)
