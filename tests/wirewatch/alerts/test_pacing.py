"""What a channel is told now, what waits and until when: decided from all that is known, and from nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import at
from wirewatch.alerts.channels import channel_adapter
from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.pacing import GROUPED, RETRIES, STORIES, Bundle, Decision, decide, next_attempt
from wirewatch.store.alerts import Desk, Match, match_id

HOST = "courier.example"


def match(article: str, minutes: float = 0, *, rule: str = "numbers", **changes: Any) -> Match:
    """Return what matched that many minutes after noon, ripe at once."""
    event = changes.pop("event", f"event of {article} at {minutes}")
    defaults: dict[str, Any] = {
        "id": match_id(event, rule, "desk"),
        "article": article,
        "host": HOST,
        "happened": "revised",
        "event": event,
        "rule": rule,
        "channel": "desk",
        "matched": at(minutes),
        "ripe": at(minutes),
        "diff": f"diff of {event}",
        "hunk_hash": f"hunks of {event}",
    }
    return Match(**{**defaults, **changes})


def channel(**options: Any) -> Channel:
    return channel_adapter().validate_python({"kind": "terminal", "name": "desk", **options})


def decided(
    *waiting: Match,
    now: float | datetime = 30,
    caps: dict[str, int] | None = None,
    options: dict[str, Any] | None = None,
    **known: Any,
) -> Decision:
    moment = at(now) if isinstance(now, (int, float)) else now
    desk = Desk(
        waiting=tuple(sorted(waiting, key=lambda one: (one.ripe, one.id))), **{"alike": {}, "told_groups": {}, **known}
    )
    return decide(desk, channel(**(options or {})), {"numbers": 20, "names": 20, **(caps or {})}, moment)


def told(decision: Decision) -> list[tuple[str, list[str]]]:
    """Return each alert's kind and the articles that it tells, once for each story."""
    return [(one.kind, [telling.matches[0].article for telling in one.tellings]) for one in decision.bundles]


def alike(*matches: Match, count: int | None = None) -> dict[str, int]:
    return {one.diff: count or len(matches) for one in matches if one.diff}


# At once


def test_each_article_is_an_alert_in_the_order_in_which_they_were_ripe() -> None:
    assert told(decided(match("b", 2), match("a", 1))) == [("change", ["a"]), ("change", ["b"])]


def test_successive_changes_of_an_article_that_wait_together_are_one_story() -> None:
    (bundle,) = decided(match("a", 1), match("a", 5)).bundles
    assert [one.matched for one in bundle.tellings[0].matches] == [at(1), at(5)]


def test_other_events_of_the_article_are_alerts_of_their_own() -> None:
    gone = match("a", 5, happened="withdrawn", diff=None, hunk_hash=None)
    assert told(decided(match("a", 1), gone)) == [("change", ["a"]), ("change", ["a"])]


def test_two_rules_that_match_one_event_make_one_alert() -> None:
    (bundle,) = decided(match("a", event="e"), match("a", event="e", rule="names")).bundles
    assert bundle.rules == ("names", "numbers")
    assert len(bundle.matches) == 2


def test_what_is_not_ripe_waits_until_it_is() -> None:
    decision = decided(match("a", 1), match("b", 40), now=30)
    assert told(decision) == [("change", ["a"])]
    assert decision.wake == at(40)


def test_article_of_which_an_alert_is_under_way_waits_for_its_end() -> None:
    assert told(decided(match("a", 1), match("b", 2), busy=frozenset({"a"}))) == [("change", ["b"])]


def test_nothing_is_told_to_a_channel_that_is_off() -> None:
    assert decided(match("a", 1), off=True) == Decision()


def test_follow_up_is_told_by_itself_and_is_not_capped() -> None:
    taken_back = match("a", 1, happened="retracted")
    decision = decided(taken_back, caps={"numbers": 1}, formed=((at(20), "change", "numbers"),))
    assert told(decision) == [("follow_up", ["a"])]


def test_follow_ups_of_one_alert_are_one_alert() -> None:
    def back(n: int, **changes: Any) -> Match:
        return match(f"article {n}", 1, happened="retracted", follows=f"match {n}", **changes)

    told_by = {f"match {n}": "digest" if n < 60 else f"alert {n}" for n in range(62)}
    decision = decided(*(back(n) for n in range(62)), back(62, ripe=at(40)), told_by=told_by)
    assert [(one.kind, len(one.tellings), one.more) for one in sorted(decision.bundles, key=lambda one: one.more)] == [
        ("follow_up", 1, 0),
        ("follow_up", 1, 0),
        ("follow_up", STORIES, 10),
    ]
    assert sum(len(one.matches) for one in decision.bundles) == 62
    assert decision.wake == at(40)


def test_follow_up_of_what_two_rules_told_is_one_story() -> None:
    both = [
        match("a", 1, happened="retracted", event="e", rule=rule, follows=rule, diff=None, hunk_hash=None)
        for rule in ("names", "numbers")
    ]
    (bundle,) = decided(*both, told_by={"names": "alert", "numbers": "alert"}).bundles
    assert (len(bundle.tellings), len(bundle.matches)) == (1, 2)


# Groups


def test_change_that_was_made_on_many_articles_becomes_one_alert() -> None:
    same = [match(f"article {n}", n, hunk_hash="same") for n in range(14)]
    decision = decided(match("other", 3), *same, alike=alike(*same))
    assert told(decision) == [("group", [f"article {n}" for n in range(GROUPED)]), ("change", ["other"])]
    group = decision.bundles[0]
    assert (group.more, len(group.matches), group.tellings[0].alike) == (4, 14, 14)


def test_group_takes_along_what_is_not_ripe_yet() -> None:
    same = [match("a", 1, hunk_hash="same"), match("b", 31, hunk_hash="same")]
    assert told(decided(*same, alike=alike(*same))) == [("group", ["a", "b"])]


def test_group_of_which_nothing_is_ripe_waits() -> None:
    same = [match("a", 40, hunk_hash="same"), match("b", 41, hunk_hash="same")]
    decision = decided(*same, alike=alike(*same))
    assert (told(decision), decision.wake) == ([], at(40))


def test_what_a_group_has_told_already_joins_it_in_silence() -> None:
    late = match("c", 20, hunk_hash="same")
    decision = decided(late, alike=alike(late, count=3), told_groups={(HOST, "same"): "alert"})
    assert (decision.bundles, decision.joined) == ((), {late.id: "alert"})


def test_same_change_on_another_host_is_another_group() -> None:
    late = match("c", 20, hunk_hash="same", host="harbourpost.example")
    assert told(decided(late, told_groups={(HOST, "same"): "alert"})) == [("change", ["c"])]


# Caps and rates


def test_rule_that_has_had_its_alerts_of_the_hour_is_held_and_closed_when_the_hour_is_over() -> None:
    many = [match(f"article {n}", n) for n in range(10)]
    first = decided(*many, caps={"numbers": 3})
    assert len(first.bundles) == 3
    assert first.held == tuple(one.id for one in many[3:])
    assert first.wake == at(60)
    held = [match(f"article {n}", n, state="held", held=at(30)) for n in range(3, 10)]
    waits = decided(*held, now=59)
    assert (waits.bundles, waits.wake) == ((), at(60))
    (closing,) = decided(*held, now=60).bundles
    assert (closing.kind, closing.more, closing.tellings, closing.rules) == ("more", 7, (), ("numbers",))
    assert len(closing.matches) == 7


def test_cap_counts_what_was_told_before_in_this_hour_and_not_in_the_last() -> None:
    formed = ((at(20), "change", "names, numbers"), (at(10), "more", "numbers"), (at(-10), "change", "numbers"))
    assert len(decided(match("a", 1), match("b", 2), caps={"numbers": 2}, formed=formed).bundles) == 1


def test_rule_without_room_does_not_hold_back_what_another_rule_may_tell() -> None:
    both = [match("a", event="e"), match("a", event="e", rule="names")]
    full = ((at(20), "change", "numbers"),)
    assert len(decided(*both, caps={"numbers": 1}, formed=full).bundles) == 1


def test_rate_lets_the_rest_wait_until_there_is_room() -> None:
    many = [match(f"article {n}", n) for n in range(5)]
    decision = decided(*many, options={"rate": "3/h"}, paced=(at(10),))
    assert len(decision.bundles) == 2
    assert decision.held == ()
    assert decision.wake == at(70)


@given(st.lists(st.integers(0, 59), max_size=12), st.integers(1, 5))
def test_rate_is_never_passed(sent: list[int], count: int) -> None:
    before = tuple(at(minute) for minute in sent)
    many = [match(f"article {n}", n) for n in range(9)]
    decision = decided(*many, now=59, options={"rate": f"{count}/h"}, caps={"numbers": 1000}, paced=before)
    assert len(decision.bundles) <= max(0, count - len(sent))
    assert decision.wake is not None or len(decision.bundles) == 9


# Quiet hours and digests


def test_quiet_hours_are_kept_in_their_zone() -> None:
    quiet = {"quiet": {"begin": "14:00", "end": "15:00", "zone": "Europe/Helsinki"}}  # noon of UTC is 14:00 there
    decision = decided(match("a", 1), options=quiet)
    assert (decision.bundles, decision.wake) == ((), at(60))
    assert told(decided(match("a", 1), now=60, options=quiet)) == [("change", ["a"])]


def test_digest_waits_for_its_time_and_tells_all_together() -> None:
    waiting = match("a", 1), match("b", 5), match("a", 9), match("c", 90)
    early = decided(*waiting, now=60, options={"digest": "1h"})
    assert (early.bundles, early.wake) == ((), at(61))
    (digest,) = decided(*waiting, now=61, options={"digest": "1h"}).bundles
    assert (digest.kind, [len(one.matches) for one in digest.tellings]) == ("digest", [2, 1])


def test_digest_goes_as_soon_as_enough_articles_wait() -> None:
    options = {"digest": {"every": "1d", "count": 3}}
    assert decided(match("a", 1), match("b", 2), match("b", 3), options=options).bundles == ()
    assert told(decided(match("a", 1), match("b", 2), match("c", 3), options=options)) == [("digest", ["a", "b", "c"])]


def test_digest_tells_a_group_in_one_story_and_counts_what_is_too_much() -> None:
    same = [match(f"same {n}", n, hunk_hash="same") for n in range(5)]
    others = [match(f"other {n:03}", 10 + n / 100) for n in range(STORIES + 5)]
    (digest,) = decided(*same, *others, now=90, options={"digest": "1h"}, alike=alike(*same)).bundles
    assert (len(digest.tellings), digest.more) == (STORIES, 6)
    assert digest.tellings[0].alike == 5
    assert len(digest.matches) == STORIES + 10


# Nothing is told twice, and nothing is forgotten


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 50), st.sampled_from(["x", "y"]), st.booleans()), max_size=20
    ),
    st.sampled_from([{}, {"rate": "3/h"}, {"digest": "10m"}]),
    st.integers(1, 3),
)
def test_every_match_is_told_once_or_waits(
    given_matches: list[tuple[str, int, str, bool]], options: dict[str, Any], cap: int
) -> None:
    matches = {
        one.id: one
        for n, (article, minute, hunks, shared) in enumerate(given_matches)
        for one in [match(article, minute, event=f"{n}", hunk_hash=hunks if shared else None)]
    }
    known = {one.diff: 2 for one in matches.values() if one.hunk_hash and one.diff}
    decision = decided(*matches.values(), options=options, caps={"numbers": cap}, alike=known)
    out = [one.id for bundle in decision.bundles for one in bundle.matches] + [*decision.joined, *decision.held]
    assert len(out) == len(set(out))
    left = [one for one in matches.values() if one.id not in out]
    assert not left or decision.wake is not None


# Trying again


def test_failed_alert_is_tried_again_ever_later_and_then_given_up() -> None:
    waits = [next_attempt("alert", n, at(0)) for n in range(1, len(RETRIES) + 2)]
    assert waits[-1] is None
    for least, due in zip(RETRIES, waits, strict=False):
        assert due is not None
        assert timedelta(seconds=least) <= due - at(0) <= timedelta(seconds=least * 1.1)
    assert [RETRIES[0], RETRIES[-1]] == [5, 86_400]
    assert all(later > sooner for sooner, later in pairwise(RETRIES))


def test_wait_is_the_same_for_the_same_alert_and_another_for_others() -> None:
    assert next_attempt("alert", 3, at(0)) == next_attempt("alert", 3, at(0))
    assert len({next_attempt(f"alert {n}", 3, at(0)) for n in range(20)}) > 15


@pytest.mark.parametrize(("asked", "waits"), [(120, 120), (1, 5), (10**9, 86_400)])
def test_wait_that_a_receiver_asks_for_is_kept_within_a_day(asked: float, waits: float) -> None:
    due = next_attempt("alert", 1, at(0), asked)
    assert due is not None
    assert waits <= (due - at(0)).total_seconds() <= waits * 1.1


def test_bundle_knows_all_that_it_speaks_of() -> None:
    assert Bundle(kind="more", rest=(match("a"),), more=1).matches == (match("a"),)
