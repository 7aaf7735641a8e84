"""Decide what a stream's tick does: lease what is due, or leave it for a later one.

A tick is worth something only when it comes: an engine that starts late, or goes on after a halt, sends all ticks that
it missed at once, and each of them would lease as much as one that came in time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LEAD_SECONDS: Final = 1.0  # from the lease to the fetcher; a wave of 500 takes 0.3 s through Beam


class Turn(StrEnum):
    """What a tick does. All but `LEASE` lease nothing."""

    LEASE = "lease"
    LATE = "late"  # it is older than one interval, and a newer one follows
    HELD = "held"  # what was leased before has not been kept for too long: no more of it
    RESTING = "resting"  # the stream was asked to come to rest


def is_late(tick: datetime, now: datetime, every_seconds: float) -> bool:
    """Tell whether a tick comes when the one after it is due already."""
    return now - tick > timedelta(seconds=every_seconds)


def turn_of(
    tick: datetime,
    now: datetime,
    *,
    every_seconds: float,
    oldest_unkept: datetime | None,
    backlog_seconds: float,
    resting: bool,
) -> Turn:
    """Return what a tick does that was meant for the moment `tick`, one of them each `every_seconds`.

    `oldest_unkept` is since when the oldest of what was leased waits to be kept.
    """
    if is_late(tick, now, every_seconds):
        return Turn.LATE
    if resting:
        return Turn.RESTING
    if oldest_unkept is not None and now - oldest_unkept > timedelta(seconds=backlog_seconds):
        return Turn.HELD
    return Turn.LEASE
