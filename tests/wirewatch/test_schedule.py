"""When articles and feeds are due again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.model import Availability, Source
from wirewatch.schedule import (
    FAILURE_WEIGHTS,
    ArticleState,
    FeedState,
    adapted_gap,
    article_gap,
    next_article_check,
    next_feed_check,
)

PUBLISHED = datetime(2026, 3, 16, 14, 21, tzinfo=UTC)
MINUTES = timedelta(minutes=1)
HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)


def article(**changes: Any) -> ArticleState:
    defaults: dict[str, Any] = {"url": "https://courier.example/ferry", "since": PUBLISHED}
    return ArticleState(**defaults | changes)


def feed(**changes: Any) -> FeedState:
    defaults: dict[str, Any] = {"url": "https://courier.example/feed", "gap_seconds": 3600.0, "seen_share": 0.9}
    return FeedState(**defaults | changes)


def wait(state: ArticleState | FeedState, after: timedelta = timedelta(0), **source: Any) -> timedelta:
    """Return how long it is from `after` the publication to the next check, which there must be."""
    now = PUBLISHED + after
    if isinstance(state, FeedState):
        return next_feed_check(state, now, Source(**source)) - now
    due = next_article_check(state, now, Source(**source))
    assert due is not None
    return due - now


def checks(state: ArticleState, first: timedelta, last: timedelta, **source: Any) -> list[timedelta]:
    """Return the times after publication at which the article is asked from `first` until `last`."""
    times, now = [], PUBLISHED + first
    while now <= PUBLISHED + last:
        times.append(now - PUBLISHED)
        due = next_article_check(state, now, Source(**source))
        if due is None:
            break
        now = due
    return times


urls = st.text(max_size=20).map(lambda tail: f"https://courier.example/{tail}")
ages = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40))
article_states = st.builds(
    ArticleState,
    url=urls,
    since=st.just(PUBLISHED),
    availability=st.sampled_from(Availability),
    stale=st.booleans(),
    failures=st.integers(0, 10**9),
    retry_after_seconds=st.none() | st.floats(),
)
feed_states = st.builds(
    FeedState,
    url=urls,
    gap_seconds=st.none() | st.floats(),
    seen_share=st.none() | st.floats(),
    polite_seconds=st.none() | st.floats(),
    availability=st.sampled_from(Availability),
    failures=st.integers(0, 10**9),
    retry_after_seconds=st.none() | st.floats(),
)


def test_article_that_never_changes_is_asked_44_times_in_30_days() -> None:
    age, asked = 0.0, 0
    while age <= 30 * 86_400:
        asked += 1
        age += article_gap(age, 600)
    assert asked == 44


@pytest.mark.parametrize("number", range(20))
def test_jitter_hardly_changes_how_often_an_article_is_asked(number: int) -> None:
    times = checks(article(url=f"https://courier.example/{number}"), timedelta(0), 40 * DAYS)
    assert 41 <= len(times) <= 47
    assert times[-1] <= 30 * DAYS


def test_articles_of_one_moment_are_not_all_asked_at_one_moment() -> None:
    waits = {wait(article(url=f"https://courier.example/{number}"), 5 * DAYS) for number in range(50)}
    assert max(waits) - min(waits) > timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "about"),
    [
        pytest.param(timedelta(0), 10 * MINUTES, id="first sight"),
        pytest.param(50 * MINUTES, 10 * MINUTES, id="a fifth is the floor"),
        pytest.param(5 * HOURS, 1 * HOURS, id="a fifth of hours"),
        pytest.param(10 * DAYS, 2 * DAYS, id="a fifth of days"),
        pytest.param(20 * DAYS, 3 * DAYS, id="the longest gap"),
    ],
)
def test_article_is_due_when_its_age_has_grown_by_a_fifth(age: timedelta, about: timedelta) -> None:
    assert wait(article(), age) == pytest.approx(about, abs=about * 0.05)


def test_change_push_or_feed_update_starts_the_schedule_again() -> None:
    assert wait(article(since=PUBLISHED + 10 * DAYS), 10 * DAYS) < 11 * MINUTES
    assert next_article_check(article(), PUBLISHED + 31 * DAYS, Source()) is None
    assert next_article_check(article(since=PUBLISHED + 31 * DAYS), PUBLISHED + 31 * DAYS, Source()) is not None


def test_floor_and_end_come_from_the_source() -> None:
    assert wait(article(), floor_seconds=60) < 2 * MINUTES
    assert wait(article(), floor_seconds=7200) >= 2 * HOURS
    assert wait(article(), 3 * DAYS, floor_seconds=5 * 86_400) == 5 * DAYS
    assert next_article_check(article(), PUBLISHED + 2 * DAYS, Source(end_days=2)) is None
    assert next_article_check(article(), PUBLISHED + 60 * DAYS, Source(end_days=90)) is not None


@given(url=urls, age=ages)
def test_stale_wording_is_asked_again_after_10_to_12_minutes(url: str, age: timedelta) -> None:
    assert 10 * MINUTES <= wait(article(url=url, stale=True), age / 2) <= 12 * MINUTES


@given(url=urls, age=st.timedeltas(timedelta(0), 25 * DAYS))
def test_suspect_wording_is_seen_often_enough_to_be_believed_within_ten_hours(url: str, age: timedelta) -> None:
    times = checks(article(url=url, availability=Availability.SUSPECT), age, age + 10 * HOURS)
    assert len(times) >= 3
    assert times[-1] - times[0] >= 6 * HOURS


@given(url=urls, age=st.timedeltas(timedelta(0), 25 * DAYS))
def test_missing_article_is_seen_often_enough_to_be_called_gone_within_38_hours(url: str, age: timedelta) -> None:
    times = checks(article(url=url, availability=Availability.MISSING), age, age + 38 * HOURS)
    assert len(times) >= 3
    assert times[-1] - times[0] >= 24 * HOURS


def test_what_awaits_confirmation_is_still_asked_just_after_the_end() -> None:
    assert next_article_check(article(stale=True), PUBLISHED + 30 * DAYS, Source()) is not None
    assert next_article_check(article(stale=True), PUBLISHED + 33 * DAYS, Source()) is None


def test_gone_article_is_asked_rarely_until_the_end() -> None:
    gone = article(availability=Availability.GONE)
    times = checks(gone, 1 * HOURS, 60 * DAYS)
    assert all(later - earlier > 2.8 * DAYS for earlier, later in pairwise(times))
    assert 10 <= len(times) <= 11


@pytest.mark.parametrize("availability", [Availability.FAILING, Availability.BLOCKED, Availability.REFUSED])
def test_failures_of_an_article_back_off_in_even_steps(availability: Availability) -> None:
    waits = [wait(article(availability=availability, failures=n)) / MINUTES for n in range(4)]
    steps = [later - earlier for earlier, later in pairwise(waits)]
    assert steps == pytest.approx([10 * FAILURE_WEIGHTS[availability]] * 3, rel=0.06, abs=1)


def test_retry_after_is_waited_for_but_not_for_ever() -> None:
    assert wait(article(retry_after_seconds=7200)) == 2 * HOURS
    assert wait(article(retry_after_seconds=1e12)) == 3 * DAYS
    assert wait(feed(retry_after_seconds=18_000), interval_seconds=60) == 5 * HOURS
    assert wait(feed(retry_after_seconds=1e12)) == 1 * DAYS


@given(state=article_states, age=ages, floor=st.integers(60, 86_400))
def test_article_is_never_asked_too_soon_nor_too_late(state: ArticleState, age: timedelta, floor: int) -> None:
    due = next_article_check(state, PUBLISHED + age, Source(floor_seconds=floor))
    assert due == next_article_check(state, PUBLISHED + age, Source(floor_seconds=floor))
    if due is not None:
        assert timedelta(seconds=floor) <= due - PUBLISHED - age <= 3 * DAYS
        assert due - PUBLISHED <= 33 * DAYS


@given(state=article_states, age=st.timedeltas(timedelta(0), 20 * DAYS))
def test_no_failure_ends_an_article_before_its_time(state: ArticleState, age: timedelta) -> None:
    assert next_article_check(state, PUBLISHED + age, Source()) is not None


@given(age=ages, later=ages, floor=st.integers(1, 86_400))
def test_older_article_never_waits_less(age: timedelta, later: timedelta, floor: int) -> None:
    younger, older = sorted([age.total_seconds(), later.total_seconds()])
    assert article_gap(younger, floor) <= article_gap(older, floor)


@given(url=urls, age=ages, failures=st.integers(0, 100), availability=st.sampled_from(list(FAILURE_WEIGHTS)))
def test_one_failure_more_never_means_less_patience(
    url: str, age: timedelta, failures: int, availability: Availability
) -> None:
    now = PUBLISHED + age
    fewer, more = (
        next_article_check(article(url=url, availability=availability, failures=n), now, Source(end_days=10_000))
        for n in (failures, failures + 1)
    )
    assert fewer is not None
    assert more is not None
    assert fewer <= more
    state = feed(url=url, availability=availability)
    assert next_feed_check(feed(url=url, availability=availability, failures=failures), now, Source()) <= (
        next_feed_check(feed(url=url, availability=availability, failures=failures + 1), now, Source())
    )
    assert next_feed_check(state, now, Source()) > now


def test_clock_that_went_backwards_counts_as_first_sight() -> None:
    assert wait(article(), -5 * DAYS) == wait(article())


@pytest.mark.parametrize(
    ("seen_share", "factor"),
    [
        pytest.param(1.0, 1.5, id="nothing new, or a 304"),
        pytest.param(0.95, 1.5, id="a twentieth new"),
        pytest.param(0.9, 1.0, id="a tenth new"),
        pytest.param(0.85, 2 / 3, id="more than a tenth new"),
        pytest.param(0.0, 0.5, id="all new: some may have been missed"),
        pytest.param(None, 1.0, id="could not be read"),
    ],
)
def test_feed_adapts_to_how_much_of_it_is_new(seen_share: float | None, factor: float) -> None:
    assert adapted_gap(feed(seen_share=seen_share)) == pytest.approx(3600 * factor)


def test_feed_that_always_brings_news_ends_at_15_minutes_and_a_silent_one_at_a_day() -> None:
    for seen_share, end in [(0.5, 15 * MINUTES), (1.0, 1 * DAYS)]:
        gap: float | None = None
        for _ in range(20):
            gap = adapted_gap(feed(gap_seconds=gap, seen_share=seen_share))
        assert gap == end.total_seconds()


def test_new_feed_begins_with_the_shortest_gap() -> None:
    assert adapted_gap(feed(gap_seconds=None, seen_share=None)) == 900


def test_feed_is_left_alone_as_long_as_it_asks_unless_the_user_says_otherwise() -> None:
    assert 2 * HOURS <= wait(feed(polite_seconds=7200)) <= 2.1 * HOURS
    assert wait(feed(polite_seconds=7200), interval_seconds=300) == pytest.approx(5 * MINUTES, rel=0.06)
    assert wait(feed(), interval_seconds=5) >= 1 * MINUTES


@given(state=feed_states, interval=st.none() | st.integers(-5, 10**9))
def test_feed_is_always_due_again_within_a_day(state: FeedState, interval: int | None) -> None:
    source = Source(interval_seconds=interval)
    due = next_feed_check(state, PUBLISHED, source)
    shortest = 1 * MINUTES if interval is not None else 15 * MINUTES
    assert shortest <= due - PUBLISHED <= 1 * DAYS
    assert due == next_feed_check(state, PUBLISHED, source)


@given(share=st.floats(0, 1), other=st.floats(0, 1), gap=st.floats(0, 200_000))
def test_feed_with_less_news_never_waits_less(share: float, other: float, gap: float) -> None:
    less, more = sorted([share, other])
    assert adapted_gap(feed(gap_seconds=gap, seen_share=less)) <= adapted_gap(feed(gap_seconds=gap, seen_share=more))


def test_failing_feed_waits_longer_each_time_and_comes_back() -> None:
    waits = [wait(feed(availability=Availability.FAILING, failures=n), interval_seconds=900) for n in range(200)]
    assert waits[2] - waits[1] == pytest.approx(waits[1] - waits[0], rel=0.01)
    assert waits[-1] <= 1 * DAYS
    assert wait(feed(), interval_seconds=900) == waits[0]
