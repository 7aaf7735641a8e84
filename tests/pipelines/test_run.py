"""A pass by what it does over time: what cannot be read, what comes back, what is due when, and what is delivered."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.builders import at
from tests.pipelines.site import FEED, HOST, World, counted, feed, key, page, rss, story, world
from tests.wirewatch.fetch_site import Send, answered
from wirewatch.errors import DeliveryFailed
from wirewatch.model import Availability, Capture
from wirewatch.store import frontier, inbox

URL: Final = f"http://{HOST}/a"
TEN_DAYS: Final = 14_400  # minutes; an article of that age is asked for every two days
NOTE: Final = story("Harbour council speaks of boats", "This story has been withdrawn.")


async def never(writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing."""
    await asyncio.sleep(60)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Take the request and close the connection."""


def go_on(w: World, passes: int = 1) -> list[float]:
    """Make passes, each when the article is due, and return at which minutes after noon."""
    minutes = []
    for _ in range(passes):
        due = w.row("/a").due_at
        assert due is not None
        minutes.append((due - at(0)).total_seconds() / 60)
        w.run(minutes[-1])
    return minutes


# What cannot be read


@pytest.mark.parametrize(
    ("answer", "availability", "outcome"),
    [
        pytest.param(answered(status=401), "blocked", "blocked", id="401"),
        pytest.param(answered(status=403), "blocked", "blocked", id="403"),
        pytest.param(answered(status=429), "blocked", "blocked", id="429"),
        pytest.param(answered(status=451), "blocked", "blocked", id="451"),
        pytest.param(answered(status=500), "failing", "failed", id="500"),
        pytest.param(answered(status=503), "failing", "failed", id="503"),
        pytest.param(never, "failing", "failed", id="time-out"),
        pytest.param(hang_up, "failing", "failed", id="no answer"),
        pytest.param(answered(status=404), "missing", "failed", id="404"),
        pytest.param(page(b""), "failing", "invalid", id="empty page"),
        pytest.param(page(NOTE), "suspect", "suspect", id="a sentence in place of the story"),
    ],
)
def test_failure_is_no_change_and_shows_in_availability_and_back_off(
    answer: bytes | Send, availability: str, outcome: str, tmp_path: Path
) -> None:
    answers = {"/feed.xml": feed(["/a"]), "/a": page()}
    with world(tmp_path, answers, fetch={"read_timeout": "300ms"}) as w:
        w.run(0)
        w.site.answers["/a"] = answer
        report = w.run(15)
        row, failing = w.row("/a"), w.article("/a")
        w.site.answers["/a"] = page()
        go_on(w)
        back = w.article("/a")

    assert counted(report) == {outcome: 1}
    assert failing.availability is Availability(availability)
    assert row.availability == availability
    assert row.failures == (0 if outcome == "suspect" else 1)
    assert row.due_at - at(15) >= timedelta(minutes=9)
    assert len(failing.revisions) == len(back.revisions) == 1
    assert back.availability is Availability.AVAILABLE
    assert w.row("/a").failures == 0
    assert w.kinds() == ["published"]


@pytest.mark.parametrize(
    ("link", "said"),
    [
        pytest.param("http://nowhere.invalid/a", "could not be resolved", id="no such name"),
        pytest.param(f"https://{HOST}/a", "TLS with", id="no TLS"),
        pytest.param("http://127.0.0.1/a", "not a public address", id="an address that is not public"),
    ],
)
def test_host_that_cannot_be_reached_is_a_finding_about_its_article(link: str, said: str, tmp_path: Path) -> None:
    document = rss(["/a", "/b"]).decode().replace(f"http://{HOST}/a", link).encode()
    with world(tmp_path, {"/feed.xml": answered(document), "/b": page()}) as w:
        report = w.run(0)
        failures = {one.detail for one in w.all_observations() if one.detail}

    assert counted(report).total() == 2
    assert counted(report)["new"] == 1
    assert [said in detail for detail in failures] == [True]


def test_article_that_robots_may_not_ask_is_refused_and_not_asked(tmp_path: Path) -> None:
    answers = {"/feed.xml": feed(["/a"]), "/a": page(), "/robots.txt": answered(b"User-agent: *\nDisallow: /a")}
    with world(tmp_path, answers) as w:
        report = w.run(0)
        asked = w.site.paths()

    assert counted(report) == {"refused": 1}
    assert "/a" not in asked


def test_host_that_asks_for_a_pause_gets_it(tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": answered(status=429, retry_after="7200")}) as w:
        w.run(0)
        w.run(60)
        asked = w.site.paths().count("/a")
        report = w.run(121)

    assert asked == 1
    assert counted(report) == {"blocked": 1}


# Going and coming back


def test_one_404_is_missing_and_three_over_a_day_are_gone_and_a_page_is_back(tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}) as w:
        w.run(0)
        w.site.answers["/a"] = answered(status=404)
        w.run(TEN_DAYS)
        availability, checks = [w.article("/a").availability], [float(TEN_DAYS)]
        for _ in range(2):
            checks += go_on(w)
            availability.append(w.article("/a").availability)
        w.site.answers["/a"] = page()
        go_on(w)

    assert availability == [Availability.MISSING, Availability.MISSING, Availability.GONE]
    assert checks[-1] - checks[0] >= 24 * 60
    assert w.article("/a").availability is Availability.AVAILABLE
    assert w.kinds() == ["published", "withdrawn", "returned"]


def test_410_is_gone_at_once(tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}) as w:
        w.run(0)
        w.site.answers["/a"] = answered(status=410)
        go_on(w, 2)
        gone = w.article("/a").availability
        w.site.answers["/a"] = page()
        go_on(w)

    assert gone is Availability.GONE
    assert w.kinds() == ["published", "withdrawn", "returned"]


def test_withdrawal_note_is_a_revision_once_three_observations_over_six_hours_agree(tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}) as w:
        w.run(0)
        w.site.answers["/a"] = page(NOTE)
        w.run(TEN_DAYS)
        availability, checks = [w.article("/a").availability], [float(TEN_DAYS)]
        for _ in range(2):
            checks += go_on(w)
            availability.append(w.article("/a").availability)
        revisions = w.article("/a").revisions

    assert availability == [Availability.SUSPECT, Availability.SUSPECT, Availability.AVAILABLE]
    assert 6 * 60 <= checks[-1] - checks[0] < 7 * 60
    assert [revision.first_observed for revision in revisions] == [at(0), at(TEN_DAYS)]
    assert w.kinds() == ["published", "revised"]


# What is delivered, and what waits


def test_feed_that_waits_in_the_inbox_is_read_once(tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed()}) as w:
        w.run(0)
        capture = Capture(url=FEED, feed=FEED, observed=at(1), status=200, body=rss(["/a"]))
        with w.store.begin() as conn:
            inbox.put(conn, "pushed", capture, at(1))
        report = w.run(1)
        again = w.run(30)

    assert sum(report.counts["feed"].values()) == 1
    assert again.counts["feed"] == {"unchanged": 1}
    assert frontier.due(w.store, now=at(30)).inbox == 0


def test_sink_that_cannot_write_keeps_its_rows_until_it_can(tmp_path: Path) -> None:
    sink = {"kind": "jsonl", "name": "files", "folder": "archive/out"}
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}, sinks=[sink]) as w:
        with pytest.raises(DeliveryFailed, match=r"is not there: create it or mend the sink's `folder`\.") as failed:
            w.run(0)
        (tmp_path / "archive").mkdir()
        report = w.run(2)

    assert failed.value.exit_code == 1
    assert report.delivered == {"files": 2}
    assert len(list((tmp_path / "archive" / "out").glob("*/*.jsonl"))) == 2


def test_pass_with_nothing_due_asks_nobody(tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}) as w:
        w.run(0)
        before = w.site.paths()
        report = w.run(1)

    assert report.counts == {"article": {}, "feed": {}}
    assert w.site.paths() == before
    assert report.next_due == w.row("/a").due_at


def test_articles_of_one_pass_are_all_read_however_small_its_waves(tmp_path: Path) -> None:
    paths = [f"/{number}" for number in range(7)]
    answers: dict[str, Any] = {path: page(story(f"Story {path}")) for path in paths}
    with world(tmp_path, {"/feed.xml": feed(paths), **answers}, work={"wave": 3}) as w:
        report = w.run(0)

    assert report.counts == {"article": {"new": 7}, "feed": {"new": 1}}
    assert {event["subject"].rsplit("/")[-1] for event in w.events()} == {key(path) for path in paths}
