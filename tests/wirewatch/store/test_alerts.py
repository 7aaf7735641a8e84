"""What waits for a channel, who may form and send it, and what becomes of it."""

from __future__ import annotations

from typing import Any

from tests.builders import at
from wirewatch.store import Store, alerts
from wirewatch.store.alerts import Formed, Made, Match, match_id


def match(article: str, minutes: float = 0, **changes: Any) -> Match:
    event = changes.pop("event", f"event of {article}")
    defaults: dict[str, Any] = {
        "id": match_id(event, "rule", "desk"),
        "article": article,
        "host": "courier.example",
        "happened": "revised",
        "event": event,
        "rule": "rule",
        "channel": "desk",
        "matched": at(minutes),
        "ripe": at(minutes),
    }
    return Match(**{**defaults, **changes})


def formed(name: str, minutes: float = 0) -> Formed:
    return Formed(id=name, channel="desk", rule="rule", kind="change", created=at(minutes), body=b"{}")


def form(store: Store, name: str, *matches: Match, minutes: float = 0) -> bool:
    """Keep matches, and an alert of them."""
    lease = alerts.lease_channel(store, "desk", at(minutes), 60)
    assert lease is not None
    with store.begin() as conn:
        alerts.keep(conn, matches)
        done = alerts.form(
            conn, "desk", lease, [Made(alert=formed(name, minutes), shown=frozenset(one.id for one in matches))]
        )
    alerts.release_channel(store, "desk", lease)
    return done


def claim(store: Store, minutes: float, limit: int = 10) -> list[Formed]:
    return alerts.claim(store, "desk", now=at(minutes), limit=limit, lease_seconds=60)


def states(store: Store) -> dict[str, str]:
    with store.reading() as conn:
        rows = conn.exec_driver_sql("SELECT event, state FROM alert_matches").all()
    return dict(rows)


def test_what_a_cap_holds_back_never_crowds_out_what_waits(store: Store) -> None:
    held = [match(f"held {n}", n, state="held", held=at(minute)) for n, minute in enumerate([-70, -65, 1, 2, 3])]
    with store.begin() as conn:
        alerts.keep(conn, [*held, *(match(f"fresh {n}", 10 + n) for n in range(3))])
    with store.reading() as conn:
        desk = alerts.desk(conn, "desk", at(30), 2)
    assert [one.article for one in desk.waiting] == ["fresh 0", "fresh 1", "held 0", "held 1", "held 2"]


def test_match_is_kept_once_whatever_comes_later(store: Store) -> None:
    with store.begin() as conn:
        alerts.keep(conn, [match("a", 0, why=("first",))])
        alerts.keep(conn, [match("a", 9, why=("again",))])
    with store.reading() as conn:
        (kept,) = alerts.desk(conn, "desk", at(30), 10).waiting
    assert (kept.why, kept.ripe) == (("first",), at(0))


def test_alert_is_claimed_by_one_until_its_lease_is_over(store: Store) -> None:
    assert form(store, "one", match("a"))
    assert [one.attempts for one in claim(store, 0)] == [1]
    assert claim(store, 0.5) == []
    assert [one.attempts for one in claim(store, 1)] == [2]


def test_who_was_given_up_for_dead_and_wakes_up_changes_nothing(store: Store) -> None:
    form(store, "one", match("a"))
    (slow,), (quick,) = claim(store, 0), claim(store, 2)
    alerts.mark_failed(store, slow, "too late", at(99))
    alerts.mark_sent(store, quick, "told", at(2), at(4))
    alerts.mark_failed(store, slow, "too late", at(99))
    (entry,) = alerts.listed(store, limit=10)
    assert (entry.state, entry.detail, entry.subject) == ("sent", "", "told")


def test_those_that_failed_least_are_claimed_first(store: Store) -> None:
    form(store, "one", match("a"))
    (first,) = claim(store, 0)
    alerts.mark_failed(store, first, "HTTP 500", at(1))
    form(store, "two", match("b"), minutes=1)
    assert [one.id for one in claim(store, 2, limit=1)] == ["two"]


def test_alert_of_which_a_match_was_cancelled_is_not_formed(store: Store) -> None:
    with store.begin() as conn:
        alerts.keep(conn, [match("a"), match("b")])
        alerts.take_back(conn, {"event of a": "retraction"}, at(0), at(2))
    assert form(store, "both", match("a"), match("b"))
    assert alerts.listed(store, limit=10) == []
    assert states(store) == {"event of a": "cancelled", "event of b": "waiting"}


def test_lease_that_another_has_by_now_forms_nothing(store: Store) -> None:
    old = alerts.lease_channel(store, "desk", at(0), 60)
    assert old is not None
    assert alerts.lease_channel(store, "desk", at(1), 60)
    with store.begin() as conn:
        alerts.keep(conn, [match("a")])
        assert not alerts.form(conn, "desk", old, [Made(alert=formed("one"), shown=frozenset({match("a").id}))])
    assert states(store) == {"event of a": "waiting"}


def test_what_was_sent_and_goes_out_again_still_gets_its_follow_up(store: Store) -> None:
    form(store, "one", match("a"))
    alerts.mark_sent(store, claim(store, 0)[0], "told", at(0), at(2))
    assert alerts.send_again(store, ["one", "nothing"], at(5)) == ["one"]
    with store.begin() as conn:
        alerts.take_back(conn, {"event of a": "retraction"}, at(6), at(8))
    assert states(store) == {"event of a": "formed"}
    alerts.mark_sent(store, claim(store, 7)[0], "told", at(7), at(9))
    assert states(store) == {"event of a": "sent", "retraction": "waiting"}


def test_attempt_whose_end_nobody_marked_may_have_arrived(store: Store) -> None:
    form(store, "one", match("a"))
    assert claim(store, 0)  # by a sender that dies
    (second,) = claim(store, 2)
    alerts.mark_failed(store, second, "HTTP 500", at(3))
    with store.begin() as conn:
        alerts.take_back(conn, {"event of a": "retraction"}, at(4), at(6))
    assert states(store) == {"event of a": "formed"}
    alerts.mark_sent(store, claim(store, 5)[0], "told", at(5), at(7))
    assert states(store) == {"event of a": "sent", "retraction": "waiting"}


def test_what_was_given_up_but_may_have_arrived_is_followed_up_whenever_it_is_taken_back(store: Store) -> None:
    for n, name in enumerate(("before", "after")):
        form(store, name, match(name, n), minutes=n)
    first, second = claim(store, 2)
    with store.begin() as conn:
        alerts.take_back(conn, {"event of before": "retraction 1"}, at(3), at(5))
        for one in (first, second):
            assert alerts.mark_dead(conn, one, "no answer", at(4), perhaps_taken=True)
        alerts.take_back(conn, {"event of after": "retraction 2"}, at(5), at(7))
    assert states(store) == {
        "event of before": "dead",
        "event of after": "dead",
        "retraction 1": "waiting",
        "retraction 2": "waiting",
    }


def test_what_was_only_counted_is_not_followed_up(store: Store) -> None:
    shown, counted = match("a"), match("b")
    made = Made(alert=formed("one"), shown=frozenset({shown.id}), counted=frozenset({counted.id}))
    lease = alerts.lease_channel(store, "desk", at(0), 60)
    assert lease is not None
    with store.begin() as conn:
        alerts.keep(conn, [shown, counted])
        alerts.form(conn, "desk", lease, [made])
    alerts.mark_sent(store, claim(store, 0)[0], "told", at(0), at(2))
    with store.begin() as conn:
        alerts.take_back(conn, {one.event: f"retraction of {one.article}" for one in (shown, counted)}, at(5), at(7))
    assert states(store) == {"event of a": "sent", "event of b": "sent", "retraction of a": "waiting"}
    with store.reading() as conn:
        assert alerts.desk(conn, "desk", at(8), 10).told_by == {shown.id: "one"}


def test_more_matches_than_a_statement_takes_are_held_and_given_up(store: Store) -> None:
    many = [match("a").id, *(f"match {n}" for n in range(70_000)), match("b").id]  # PostgreSQL takes 65,535 at once
    with store.begin() as conn:
        alerts.keep(conn, [match("a"), match("b")])
        alerts.hold(conn, many, at(1))
    assert states(store) == {"event of a": "held", "event of b": "held"}
    with store.begin() as conn:
        alerts.cancel(conn, many)
    assert states(store) == {"event of a": "cancelled", "event of b": "cancelled"}


def test_backlog_counts_what_waits_and_says_since_when_a_channel_is_off(store: Store) -> None:
    form(store, "one", match("a"))
    with store.begin() as conn:
        alerts.keep(conn, [match("b", 7), match("c", 5)])
        alerts.switch_off(conn, "mail", "HTTP 410", at(3))
    found = alerts.backlog(store, ["desk", "mail"])
    assert (found["desk"].matches, found["desk"].alerts) == (2, 1)
    assert (found["desk"].next_ripe, found["desk"].next_due) == (at(5), at(0))
    assert (found["mail"].off_since, found["mail"].reason) == (at(3), "HTTP 410")
    assert alerts.anything_waits(store, ["desk"], at(0))
    assert not alerts.anything_waits(store, ["mail"], at(0))
