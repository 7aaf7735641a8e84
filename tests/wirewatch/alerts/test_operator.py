"""What an operator is told of Wirewatch itself: once when it begins, and once when all is well again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders import at
from tests.wirewatch.alerts.desk import kept
from wirewatch.alerts.operator import conditions, look
from wirewatch.model import Source
from wirewatch.store import Store, alerts, feeds, health
from wirewatch.store.health import FeedSight, HostSight, Passes, Sight
from wirewatch.store.tables import alerts as alerts_table
from wirewatch.store.tables import articles
from wirewatch.store.tables import feeds as feeds_table

FEED = "https://courier.example/rss.xml"
HOUR = 60.0
DAY = 24 * HOUR


def feed(*, failures: int = 0, success: float | None = 0, new: float | None = 0, gaps: tuple[float, ...] = ()) -> Sight:
    """Return the sight of one feed; times in minutes after noon, gaps in minutes."""
    moments = [None if one is None else at(one) for one in (success, new)]
    one = FeedSight(
        url=FEED,
        failures=failures,
        last_success=moments[0],
        last_new=moments[1],
        detail="HTTP 503",
        gaps_seconds=tuple(gap * 60 for gap in gaps),
    )
    return Sight(feeds=(one,))


def passes(*completed: float, every: float | None = None) -> Sight:
    return Sight(passes=Passes(completed=tuple(at(one) for one in completed), every_seconds=every))


def told(sight: Sight, minutes: float, known: dict[str, datetime] | None = None) -> list[str]:
    """Return the names of what is worth telling at that moment."""
    found = conditions(sight, {}, known or {}, at(minutes))
    return [name for name, one in found.items() if one.tell_at <= at(minutes)]


@pytest.mark.parametrize(
    ("sight", "minutes", "names"),
    [
        (feed(failures=9), DAY - 1, []),
        (feed(failures=9), DAY, [f"failing {FEED}"]),
        (feed(failures=9, success=None), DAY, []),  # since when is not known yet
        (feed(gaps=(60,) * 9), 5 * HOUR, []),
        (feed(gaps=(60,) * 9), 5 * HOUR + 1, [f"silent {FEED}"]),
        (feed(gaps=(60,) * 9 + (9 * 60,)), 9 * HOUR, []),  # its nights are as long
        (feed(gaps=(60,) * 4), DAY, []),  # too few to tell what is usual
        (feed(gaps=(1,) * 9), 5 * HOUR, []),
        (Sight(hosts=(HostSight(host="courier.example", blind=2, pages=4),)), 0, []),
        (Sight(hosts=(HostSight(host="courier.example", blind=3, pages=4),)), 0, ["blind courier.example"]),
        (Sight(hosts=(HostSight(host="courier.example", blind=2, pages=2),)), 0, []),
        (passes(0, every=600), 30, []),
        (passes(0, every=600), 31, ["passes"]),
        (passes(0, every=10), 2, []),
        (passes(0, every=10), 4, ["passes"]),
        (passes(*range(-50, 1, 10)), 31, ["passes"]),
        (passes(-10, 0), DAY, []),  # too few to tell how often they come
        (passes(), DAY, []),
    ],
)
def test_condition_is_told_when_it_is_time(sight: Sight, minutes: float, names: list[str]) -> None:
    assert told(sight, minutes) == names


def test_host_counts_as_blind_until_two_thirds_of_its_pages_are_seen() -> None:
    half = Sight(hosts=(HostSight(host="courier.example", blind=2, pages=5),))
    assert told(half, 0) == []
    assert told(half, 0, {"blind courier.example": at(-60)}) == ["blind courier.example"]
    assert (
        told(Sight(hosts=(HostSight(host="courier.example", blind=1, pages=5),)), 0, {"blind courier.example": at(-60)})
        == []
    )


def texts(store: Store) -> list[str]:
    return [alert.text for _, alert in kept(store)]


def test_feed_that_fails_for_a_day_is_told_once_and_once_when_it_is_well(store: Store) -> None:
    feeds.add_feed(store, FEED, Source(), at(0))

    def read(minutes: float, **columns: object) -> None:
        with store.begin() as conn:
            conn.execute(sa.update(feeds_table).values(**columns))
        look(store, "desk", ["desk"], at(minutes))

    read(0, last_success=at(0), failures=0)
    read(HOUR, failures=3, last_detail="HTTP 503")
    assert texts(store) == []
    read(DAY + 1, failures=30)
    read(DAY + 20, failures=31)
    (text,) = texts(store)
    assert text == f"The feed {FEED} could not be read since 2026-03-16 12:00 UTC: HTTP 503"
    read(2 * DAY, failures=0, last_success=at(2 * DAY))
    read(2 * DAY + 20, failures=0)
    assert texts(store)[1:] == [f"The feed {FEED} can be read again; that was not so since 2026-03-16 12:00 UTC."]
    read(2 * DAY + 30, failures=1)
    read(3 * DAY + 30, failures=20)
    assert len(texts(store)) == 3
    assert {(entry.kind, entry.channel, entry.rule) for entry, _ in kept(store)} == {("operator", "desk", "failing")}


def test_feed_that_failed_for_less_than_a_day_is_never_spoken_of(store: Store) -> None:
    feeds.add_feed(store, FEED, Source(), at(0))
    for minutes, failures in ((HOUR, 3), (2 * HOUR, 0), (3 * HOUR, 0)):
        with store.begin() as conn:
            conn.execute(sa.update(feeds_table).values(last_success=at(0), failures=failures))
        look(store, "desk", ["desk"], at(minutes))
    assert texts(store) == []


def test_silence_of_a_feed_is_measured_by_when_its_articles_came(store: Store) -> None:
    feeds.add_feed(store, FEED, Source(), at(0))
    came = [
        {
            "key": f"{n:016}",
            "url": f"https://courier.example/{n}",
            "host": "courier.example",
            "feed": FEED,
            "first_seen": at(n * HOUR),
        }
        for n in range(8)
    ]
    with store.begin() as conn:
        conn.execute(sa.insert(articles), came)
        conn.execute(sa.update(feeds_table).values(last_success=at(20 * HOUR), last_new=at(7 * HOUR)))
    look(store, "desk", ["desk"], at(11 * HOUR))
    assert texts(store) == []
    look(store, "desk", ["desk"], at(12 * HOUR + 1))
    assert texts(store) == [
        f"The feed {FEED} has brought nothing new since 2026-03-16 19:00 UTC; usually something comes every 1h."
    ]


def test_channel_whose_deliveries_are_dead_is_told_of_until_one_arrives(store: Store) -> None:
    def ended(name: str, state: str, minutes: float) -> None:
        row = {"id": name, "channel": "mail", "rule": "r", "kind": "change", "created": at(minutes), "due": at(minutes)}
        with store.begin() as conn:
            conn.execute(
                sa.insert(alerts_table).values(**row, state=state, settled=at(minutes), detail="HTTP 500", body=b"")
            )
        look(store, "desk", ["desk", "mail"], at(minutes))

    def told_of_mail() -> list[str]:
        return [alert.text for _, alert in kept(store, channel="desk")]

    ended("a", "sent", 0)
    assert told_of_mail() == []
    ended("b", "dead", 10)
    ended("c", "dead", 20)
    assert told_of_mail() == ["The channel mail gave up its last alert: HTTP 500"]
    ended("d", "sent", 30)
    assert told_of_mail()[1:] == ["The channel mail takes alerts again; that was not so since 2026-03-16 12:10 UTC."]


def test_channel_that_is_off_counts_as_dead(store: Store) -> None:
    with store.begin() as conn:
        alerts.switch_off(conn, "mail", "HTTP 410", at(0))
    assert look(store, "desk", ["desk", "mail"], at(1)) == 1
    assert alerts.switch_on(store, "mail")
    assert look(store, "desk", ["desk", "mail"], at(2)) == 1


def test_passes_are_remembered_with_how_often_they_are_to_come(store: Store) -> None:
    for n in range(9):
        with store.begin() as conn:
            health.complete_pass(conn, at(n * 10), 600.0 if n == 8 else None)
    with store.reading() as conn:
        kept_passes = health.passes(conn)
    assert kept_passes.completed == tuple(at(n * 10) for n in range(3, 9))
    assert kept_passes.every_seconds == 600
    assert look(store, "desk", [], at(80) + timedelta(minutes=31)) == 1
    assert look(store, "desk", [], at(80) + timedelta(minutes=41)) == 0


def test_two_processes_that_look_at_once_tell_it_once(store: Store) -> None:
    with store.begin() as conn:
        alerts.switch_off(conn, "mail", "HTTP 410", at(0))
    assert [look(store, "desk", ["mail"], at(1)) for _ in range(3)] == [1, 0, 0]
