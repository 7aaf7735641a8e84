"""A pass by what it does over time: what cannot be read, what comes back, what is due when, and what is delivered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from pipelines.run import PassReport, run_every
from tests.builders import at
from tests.conftest import Databases
from tests.pipelines.site import FEED, HOST, World, counted, feed, key, page, rss, story, world
from tests.wirewatch.fetch_site import Send, answered
from wirewatch.clock import FixedClock
from wirewatch.errors import DeliveryFailed, StoreError, WirewatchError
from wirewatch.model import Availability, Capture
from wirewatch.store import frontier, inbox
from wirewatch.store.tables import articles

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


# A process that goes on, and a store that does not


def test_passes_that_follow_one_another_leave_nothing_behind(tmp_path: Path) -> None:
    left: list[tuple[int, int]] = []
    stop = threading.Event()

    def reported(_report: PassReport) -> None:
        left.append((threading.active_count(), len(list(Path("/dev/fd").iterdir()))))  # a child has two pipes
        w.site.answers["/a"] = page(story(f"Headline number {len(left)}"))
        with w.store.begin() as conn:
            conn.execute(sa.update(articles).values(due_at=at(0)))
        if len(left) == 8:
            stop.set()

    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}) as w:
        keep_on(w, reported, stop)

    assert len(left) == 8
    assert left[7] == left[3]


def test_pass_that_fails_is_told_and_the_next_one_tries_again(tmp_path: Path) -> None:
    """The store is away for the second pass of three; what was due then is read by the third."""
    file, stop = tmp_path / "wirewatch.db", threading.Event()
    told: list[str] = []

    def reported(report: PassReport) -> None:
        told.append(str(report.counts["article"]))
        if len(told) == 3:
            stop.set()
        else:  # what is open stays open, and refuses to be used
            file.rename(file.with_name("away"))

    def failed(error: WirewatchError) -> None:
        told.append(str(error))
        file.with_name("away").rename(file)
        with w.store.begin() as conn:
            conn.execute(sa.update(articles).values(due_at=at(0)))

    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}) as w:
        keep_on(w, reported, stop, failed)

    assert told[0] == "{'new': 1}"
    assert told[1].endswith("was moved or deleted: put it back and start again.")
    assert told[2] == "{'duplicate': 1}"  # the clock stands still


def test_first_pass_that_fails_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "wirewatch.db").write_bytes(b"no database " * 100)
    with world(tmp_path) as w, pytest.raises(StoreError, match="is not a database"):
        keep_on(w, print, threading.Event())


def keep_on(
    w: World,
    reported: Callable[[PassReport], None],
    stop: threading.Event,
    failed: Callable[[WirewatchError], None] = print,
) -> None:
    """Make passes with no time between them until they are stopped."""
    run_every(
        w.config,
        FixedClock(w.now),
        0,
        progress=lambda _line: None,
        begun=lambda _run: None,
        reported=reported,
        failed=failed,
        stop=stop,
    )


@pytest.mark.parametrize("moment", ["between two passes", "in a pass"])
def test_store_that_is_deleted_is_said_in_a_sentence_and_nothing_is_kept_elsewhere(moment: str, tmp_path: Path) -> None:
    def delete() -> None:
        for path in tmp_path.glob("wirewatch.db*"):
            path.unlink()

    async def delete_and_answer(writer: asyncio.StreamWriter) -> None:
        delete()
        writer.write(page(story("Another headline")))

    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}) as w:
        w.run(0)
        if moment == "in a pass":
            w.site.answers["/a"] = delete_and_answer
        else:
            delete()
        with pytest.raises(StoreError, match=r"was moved or deleted: put it back and start again\.") as failed:
            w.run(30)

    assert failed.value.exit_code == 1
    assert not list(tmp_path.glob("wirewatch.db*"))
    assert w.kinds() == ["published"]


def test_postgresql_that_breaks_all_connections_in_a_pass_loses_nothing(databases: Databases, tmp_path: Path) -> None:
    address = databases.empty()
    admin = sa.create_engine(make_url(address).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    async def break_and_answer(writer: asyncio.StreamWriter) -> None:
        with admin.connect() as conn:
            conn.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        w.site.answers["/a"] = page()
        writer.write(page())

    with world(tmp_path, {"/feed.xml": feed(["/a", "/b"]), "/a": break_and_answer, "/b": page()}, store=address) as w:
        outcomes: list[dict[str, int]] = []
        for minutes in (0, 10):
            try:
                outcomes.append(dict(counted(w.run(minutes))))
            except StoreError as error:
                assert error.exit_code == 1  # noqa: PT017 (either is right: it depends on what was under way)
        w.store.close()
        admin.dispose()

    assert sum(n for counts in outcomes for name, n in counts.items() if name == "new") <= 2
    assert sorted(w.kinds()) == ["published"] * 2
