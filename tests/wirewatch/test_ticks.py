"""A tick leases only if it comes in time, nothing is behind, and the stream is to go on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, at
from wirewatch.ticks import Turn, turn_of

EVERY = 5.0
BACKLOG = 60.0


def turn(tick: float, **changes: Any) -> Turn:
    """Return what a tick of so many seconds after noon does at noon."""
    given_: dict[str, Any] = {
        "every_seconds": EVERY,
        "oldest_unkept": None,
        "backlog_seconds": BACKLOG,
        "resting": False,
    }
    return turn_of(at(tick / 60), NOON, **{**given_, **changes})


@pytest.mark.parametrize(
    ("tick", "expected"),
    [(0, Turn.LEASE), (-5, Turn.LEASE), (-5.1, Turn.LATE), (-3600, Turn.LATE), (3600, Turn.LEASE)],
    ids=["in time", "one interval late", "later", "clock was set forward", "clock was set back"],
)
def test_tick_that_is_older_than_one_interval_leases_nothing(tick: float, expected: Turn) -> None:
    assert turn(tick) is expected


@pytest.mark.parametrize(
    ("since", "expected"),
    [(None, Turn.LEASE), (30, Turn.LEASE), (-60, Turn.LEASE), (-61, Turn.HELD)],
    ids=["nothing", "not begun", "as old as the limit", "older"],
)
def test_tick_leases_nothing_while_something_waits_too_long_to_be_kept(since: float | None, expected: Turn) -> None:
    oldest: datetime | None = None if since is None else at(since / 60)
    assert turn(0, oldest_unkept=oldest) is expected


def test_stream_that_is_to_rest_leases_nothing_more() -> None:
    assert turn(0, resting=True) is Turn.RESTING


@given(missed=st.integers(1, 10_000), phase=st.floats(0, EVERY, exclude_max=True))
def test_of_all_ticks_that_come_in_a_burst_at_most_two_lease(missed: int, phase: float) -> None:
    burst = [turn(-phase - EVERY * number) for number in range(missed)]
    assert burst.count(Turn.LEASE) <= 2
    assert burst[0] is Turn.LEASE
