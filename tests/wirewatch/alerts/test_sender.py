"""Sending to real receivers: once, under one id, in spite of failures, retractions, rivals and death."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.builders import at, claim
from tests.wirewatch.alerts.desk import alerting, events_of, ids_of, keep, kept, matches, office, said, webhook
from tests.wirewatch.alerts.receiver import Receiver, answered, never, receiver
from tests.wirewatch.kept import asks
from wirewatch.alerts.channels import channel_adapter
from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.pacing import RETRIES
from wirewatch.alerts.sender import AT_ONCE, Sent, send_every, send_once
from wirewatch.bounded import Pool
from wirewatch.errors import Superseded
from wirewatch.store import Store, alerts, dead_letters, leases

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as made:
        yield made


@dataclass
class Moment:
    """A clock that a test moves."""

    at: datetime

    def now(self) -> datetime:
        return self.at


async def sent(store: Store, pool: Pool, minutes: float, *channels: Channel, **changes: Any) -> tuple[Sent, list[str]]:
    """Send once, at that many minutes after noon; return what was done and what was said."""
    lines: list[str] = []
    done = await send_once(office(store, pool, at(minutes), *channels, **changes), lines.append)
    return done, lines


def changed(store: Store, pool: Pool, *names: str, minutes: float = 0, rules: Any = None) -> None:
    """Keep a change of a number in each of these articles, ten minutes after its first sight."""
    for name in names:
        keep(store, pool, [said(name, 12, minutes), said(name, 15, minutes + 10)], rules)


# Once


async def test_ripe_change_is_sent_once_and_an_unripe_one_waits(store: Store, pool: Pool) -> None:
    changed(store, pool, "a")
    async with receiver() as desk:
        channel = webhook(desk.port)
        early, _ = await sent(store, pool, 12, channel)
        assert (early.sent, early.wake, desk.posted) == (Counter(), at(13), [])
        done, lines = await sent(store, pool, 13, channel)
        assert (done.sent, done.wake, lines) == (Counter(desk=1), None, [])
        again, _ = await sent(store, pool, 30, channel)
    assert (again.sent, len(desk.posted)) == (Counter(), 1)
    assert matches(store) == [("revised", "sent")]
    ((entry, alert),) = kept(store)
    assert (entry.state, entry.attempts, alert.rule) == ("sent", 1, "numbers")
    assert "changed 12 to 15" in entry.subject


async def test_successive_changes_that_wait_are_one_redline_from_the_oldest_to_the_newest(
    store: Store, pool: Pool
) -> None:
    keep(store, pool, [said("a", n, minute) for n, minute in ((12, 0), (13, 10), (15, 20), (17, 30))])
    async with receiver() as desk:
        await sent(store, pool, 60, webhook(desk.port))
    ((_, alert),) = kept(store)
    (story,) = alert.stories
    assert story.diff is not None
    assert [(hunk.old.exact, hunk.new.exact) for hunk in story.diff.hunks] == [("12", "17")]
    assert (story.revisions, story.not_before, story.not_after) == (3, at(0), at(30))
    assert [len(one) for one in events_of(desk.posted)] == [3]


async def test_change_that_was_taken_back_by_a_later_one_is_told_both_ways(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0), said("a", 15, 10), said("a", 12, 20, claims=(claim("modified", 19),))])
    async with receiver() as desk:
        await sent(store, pool, 60, webhook(desk.port))
    ((_, alert),) = kept(store)
    diffs = [story.diff for story in alert.stories]
    assert [[hunk.new.exact for hunk in diff.hunks] for diff in diffs if diff] == [["15"], ["12"]]


async def test_change_of_many_articles_alike_is_one_alert_and_stays_one(store: Store, pool: Pool) -> None:
    changed(store, pool, *(f"story-{n}" for n in range(5)))
    async with receiver() as desk:
        channel = webhook(desk.port)
        done, _ = await sent(store, pool, 30, channel)
        changed(store, pool, "late", minutes=40)
        later, _ = await sent(store, pool, 90, channel)
    assert (done.sent, later.sent, later.wake) == (Counter(desk=1), Counter(), None)
    ((_, alert),) = kept(store)
    assert (alert.kind, len(alert.stories), {story.boilerplate for story in alert.stories}) == ("group", 5, {5})
    assert Counter(state for _, state in matches(store)) == {"sent": 5, "joined": 1}


async def test_cap_ends_with_how_many_more_there_were(store: Store, pool: Pool) -> None:
    for n in range(6):
        keep(store, pool, [said(f"story-{n}", 100 + n, 0), said(f"story-{n}", 200 + n, 10)])
    async with receiver() as desk:
        channel = webhook(desk.port)
        first, _ = await sent(store, pool, 20, channel, caps={"numbers": 2})
        assert (first.sent, first.wake) == (Counter(desk=2), at(60))
        last, _ = await sent(store, pool, 60, channel, caps={"numbers": 2})
    assert (last.sent, last.wake) == (Counter(desk=1), None)
    alert = kept(store)[-1][1]
    assert (alert.kind, alert.more) == ("more", 4)
    assert Counter(state for _, state in matches(store)) == {"sent": 6}


async def test_withdrawal_and_restamp_are_told_with_what_their_events_say(store: Store, pool: Pool) -> None:
    rules = alerting({"name": "numbers", "channels": "desk", "when": {"happened": "restamped"}})
    claims = [(claim("published", -5), claim("modified", minute)) for minute in (-4, 9)]
    keep(store, pool, [said("a", 12, 0, claims=claims[0]), said("a", 12, 10, claims=claims[1])], rules)
    async with receiver() as desk:
        await sent(store, pool, 30, webhook(desk.port))
    ((_, alert),) = kept(store)
    (story,) = alert.stories
    assert (story.happened, story.diff, story.not_after) == ("restamped", None, at(10))
    assert story.old_stamp is not None
    assert story.new_stamp is not None
    assert (story.old_stamp.at, story.new_stamp.at) == (at(-4), at(9))


# Taken back


async def test_retraction_after_sending_is_followed_up(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0), said("a", 15, 20)])
    async with receiver() as desk:
        channel = webhook(desk.port)
        await sent(store, pool, 25, channel)
        keep(store, pool, [said("a", 13, 10)], now=at(30))
        await sent(store, pool, 40, channel)
    kinds = sorted(alert.kind for _, alert in kept(store))
    assert kinds == ["change", "change", "follow_up"]
    (follow_up,) = (alert for _, alert in kept(store) if alert.kind == "follow_up")
    assert [story.happened for story in follow_up.stories] == ["retracted"]
    assert follow_up.stories[0].diff is not None
    told = next(alert for _, alert in kept(store) if alert.kind == "change")
    assert follow_up.stories[0].events[0] == told.stories[0].events[0]
    assert len(set(ids_of(desk.posted))) == len(desk.posted)


async def test_retraction_while_an_alert_fails_is_never_told_of(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0), said("a", 15, 20)])
    async with receiver(answered(500)) as desk:
        await sent(store, pool, 25, webhook(desk.port))
    keep(store, pool, [said("a", 13, 10)], now=at(60 * 8))  # too late to alert anybody itself
    async with receiver() as desk:
        done, _ = await sent(store, pool, 60 * 9, webhook(desk.port))
    assert (done.sent, desk.posted) == (Counter(), [])
    assert matches(store) == [("revised", "cancelled")]


async def test_retraction_while_an_alert_is_on_its_way_is_followed_up_when_it_has_arrived(
    store: Store, pool: Pool
) -> None:
    keep(store, pool, [said("a", 12, 0), said("a", 15, 20)])

    async def meanwhile(writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(keep, store, pool, [said("a", 13, 10)], now=at(60 * 8))
        writer.write(answered())
        await writer.drain()

    async with receiver(meanwhile, answered()) as desk:
        channel = webhook(desk.port)
        await sent(store, pool, 25, channel)
        await sent(store, pool, 60 * 9, channel)
    assert [alert.kind for _, alert in kept(store)] == ["change", "follow_up"]
    assert len(desk.posted) == 2


async def test_change_under_a_name_that_the_article_lost_is_told_under_the_one_it_has(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0), said("b", 12, 1), said("b", 15, 10)])
    keep(
        store, pool, [said("b", 15, 11, aliases=asks("https://courier.example/local/b", canonical=said("a", 1, 0).url))]
    )
    async with receiver() as desk:
        await sent(store, pool, 30, webhook(desk.port))
    ((_, alert),) = kept(store)
    assert alert.stories[0].uri.endswith(alert.stories[0].article)
    assert alert.stories[0].diff is not None


async def test_retraction_of_what_may_have_arrived_unanswered_is_followed_up(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0), said("a", 15, 20)])
    async with receiver(never, answered()) as desk:
        channel = webhook(desk.port, timeout=0.3)
        await sent(store, pool, 25, channel)
        keep(store, pool, [said("a", 13, 10)], now=at(60 * 8))
        for minutes in (60 * 9, 60 * 10):
            await sent(store, pool, minutes, channel)
    assert [alert.kind for _, alert in kept(store)] == ["change", "follow_up"]
    first, again, _ = ids_of(desk.posted)
    assert first == again


async def test_retraction_of_what_was_given_up_is_followed_up_when_it_is_sent_again(store: Store, pool: Pool) -> None:
    keep(store, pool, [said("a", 12, 0), said("a", 15, 20)])
    async with receiver(answered(400), answered()) as desk:
        channel = webhook(desk.port)
        await sent(store, pool, 25, channel)
        keep(store, pool, [said("a", 13, 10)], now=at(60 * 8))
        quiet, _ = await sent(store, pool, 60 * 9, channel)
        assert quiet.sent == Counter()
        alerts.send_again(store, [entry.id for entry, _ in kept(store)], at(60 * 9))
        for minutes in (60 * 9, 60 * 10):
            await sent(store, pool, minutes, channel)
    assert [alert.kind for _, alert in kept(store)] == ["change", "follow_up"]


# Failures


async def test_failing_receiver_is_tried_on_schedule_and_given_up_with_a_dead_letter(store: Store, pool: Pool) -> None:
    changed(store, pool, "a")
    async with receiver(answered(500)) as desk:
        channel = webhook(desk.port)
        now, waits = at(20), []
        for _ in range(len(RETRIES) + 1):
            lines: list[str] = []
            done = await send_once(office(store, pool, now, channel), lines.append)
            (line,) = lines
            if done.wake is not None:
                assert f"{done.wake:%Y-%m-%d %H:%M:%S}" in line
                nothing, _ = await sent(
                    store, pool, ((now - at(0)) + timedelta(seconds=1)).total_seconds() / 60, channel
                )
                assert nothing.failed == Counter()
                waits.append((done.wake - now).total_seconds())
                now = done.wake
    assert [least <= wait <= least * 1.1 for least, wait in zip(RETRIES, waits, strict=True)] == [True] * len(RETRIES)
    assert "given up after 9 attempts" in line
    assert len(set(ids_of(desk.posted))) == 1
    assert matches(store) == [("revised", "dead")]
    (letter,) = dead_letters.listed(store, limit=10)
    assert (letter.step, letter.replayable) == ("alert", False)
    assert "HTTP 500" in letter.reason
    async with receiver() as desk:
        assert alerts.send_again(store, [entry.id for entry, _ in kept(store)], now)
        done = await send_once(office(store, pool, now, webhook(desk.port)), print)
    assert done.sent == Counter(desk=1)
    assert matches(store) == [("revised", "sent")]


async def test_wait_that_a_receiver_asks_for_holds_the_whole_channel(store: Store, pool: Pool) -> None:
    changed(store, pool, "a")
    async with receiver(answered(429, retry_after="600"), answered()) as desk:
        channel = webhook(desk.port)
        done, _ = await sent(store, pool, 20, channel)
        assert done.wake == at(30)
        keep(store, pool, [said("b", 7, 12), said("b", 8, 20)])
        await sent(store, pool, 29, channel)
        assert len(desk.posted) == 1
        await sent(store, pool, 30, channel)
    assert len(desk.posted) == 3


async def test_receiver_that_wants_no_more_switches_its_channel_off_and_says_so(store: Store, pool: Pool) -> None:
    changed(store, pool, "a")
    async with receiver(answered(410)) as desk:
        channel = webhook(desk.port)
        _, lines = await sent(store, pool, 20, channel)
        keep(store, pool, [said("b", 7, 12), said("b", 8, 20)])
        await sent(store, pool, 60, channel)
    assert len(desk.posted) == 1
    assert "wants no more alerts" in lines[0]
    assert lines[0].endswith("it is off until `wirewatch alerts on desk`")
    assert alerts.backlog(store, ["desk"])["desk"].off_since == at(20)
    assert alerts.switch_on(store, "desk")
    async with receiver() as desk:
        done, _ = await sent(store, pool, 61, webhook(desk.port))
    assert done.sent == Counter(desk=1)


async def test_alert_that_will_never_be_taken_is_given_up_at_once_and_others_go_on(store: Store, pool: Pool) -> None:
    for n in range(3):
        keep(store, pool, [said(f"story-{n}", 100 + n, 0), said(f"story-{n}", 200 + n, 10)])
    async with receiver(answered(400), answered()) as desk:
        done, _ = await sent(store, pool, 20, webhook(desk.port))
    assert (done.dead, done.sent) == (Counter(desk=1), Counter(desk=2))
    assert len(dead_letters.listed(store, limit=10)) == 1


async def test_hanging_and_failing_channels_delay_no_other(store: Store, pool: Pool) -> None:
    rules = alerting({"name": "numbers", "channels": ["desk", "slow", "broken"], "when": {"reasons": "number"}})
    for n in range(20):
        keep(store, pool, [said(f"story-{n}", 100 + n, 0), said(f"story-{n}", 200 + n, 10)], rules)
    arrivals: list[float] = []

    async def note(writer: asyncio.StreamWriter) -> None:
        arrivals.append(time.monotonic())
        writer.write(answered())
        await writer.drain()

    async with receiver(never) as slow, receiver(answered(500)) as broken, receiver(note) as desk:
        channels = (webhook(slow.port, "slow", timeout=3), webhook(broken.port, "broken"), webhook(desk.port))
        began = time.monotonic()
        done, _ = await sent(store, pool, 20, *channels)
        took = time.monotonic() - began
    assert done.sent == Counter(desk=20)
    assert 0 < done.failed["slow"] <= 8  # those that were under way; the others wait for the next round
    assert max(arrivals) - began < took - 1


@contextmanager
def silent_mail_server() -> Iterator[int]:
    """Take connections and say nothing; end them with the block, so that no thread hangs on."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        yield silent.getsockname()[1]


async def test_mail_server_that_hangs_takes_no_thread_that_others_need(
    store: Store, pool: Pool, tmp_path: Path
) -> None:
    rules = alerting({"name": "numbers", "channels": ["people", "feed", "desk"], "when": {"reasons": "number"}})
    for n in range(10):
        keep(store, pool, [said(f"story-{n}", 100 + n, 0), said(f"story-{n}", 200 + n, 10)], rules)
    make = channel_adapter().validate_python
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))  # fewer than the server makes hang
    done, failed, stop = Counter[str](), Counter[str](), asyncio.Event()

    def heard(one: Sent) -> None:
        done.update(one.sent)
        failed.update(one.failed)
        if done.total() == 20:
            stop.set()

    async with receiver() as desk:
        with silent_mail_server() as port:
            address = f"mailto://127.0.0.1:{port}/?from=a@wirewatch.example&to=b@news.example&cto=50&rto=50"
            people = make({"kind": "apprise", "name": "people", "url": address, "timeout": "50s"})
            feed = make({"kind": "atom", "name": "feed", "file": tmp_path / "alerts.atom"})
            work = office(store, pool, at(20), people, feed, webhook(desk.port))
            sending = asyncio.create_task(send_every(work, 0.05, stop, print, sent=heard))
            await asyncio.wait_for(stop.wait(), 45)
            assert (done, failed) == (Counter(feed=10, desk=10), Counter())  # the mail server still says nothing
        await sending
    assert failed == Counter(people=AT_ONCE)


async def test_race_with_another_process_is_run_again(
    store: Store, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(store, pool, "a")
    lost: list[str] = []

    def losing(name: str) -> Callable[..., Any]:
        real = getattr(alerts, name)

        def once(*arguments: Any, **options: Any) -> Any:
            if name in lost:
                return real(*arguments, **options)
            lost.append(name)
            raise Superseded("Another process wrote at the same moment: try again.")

        return once

    steps = ["form", "claim", "mark_failed", "mark_sent"]
    for name in steps:
        monkeypatch.setattr(alerts, name, losing(name))
    async with receiver(answered(500), answered()) as desk:
        for minutes in (20, 40):
            await sent(store, pool, minutes, webhook(desk.port))
    assert lost == steps
    assert matches(store) == [("revised", "sent")]
    assert len(desk.posted) == 2


@pytest.mark.parametrize("reason", ["stopped", "quiet"])
async def test_sender_begins_nothing_more_once_it_is_stopped_or_the_channel_is_quiet(
    store: Store, pool: Pool, reason: str
) -> None:
    for n in range(20):
        keep(store, pool, [said(f"story-{n}", 100 + n, 0), said(f"story-{n}", 200 + n, 10)])
    stop, clock = asyncio.Event(), Moment(at(20))

    async def end(writer: asyncio.StreamWriter) -> None:
        if reason == "stopped":
            stop.set()
        else:
            clock.at = at(31)
        writer.write(answered())
        await writer.drain()

    def heard(_: Sent) -> None:
        stop.set()

    quiet = {"quiet": f"{at(30):%H:%M}-{at(90):%H:%M}"} if reason == "quiet" else {}
    async with receiver(end) as desk:
        made = office(store, pool, at(20), webhook(desk.port, **quiet), clock=clock)
        await send_every(made, 0.05, stop, print, sent=heard)
    assert len(desk.posted) == AT_ONCE
    assert [one.state for one in alerts.listed(store, limit=100)].count("waiting") == 12


async def test_alerts_that_pile_up_while_a_channel_fails_keep_to_its_rate(store: Store, pool: Pool) -> None:
    for n in range(9):
        keep(store, pool, [said(f"story-{n}", 100 + n, 0), said(f"story-{n}", 200 + n, 10)])
    async with receiver(answered(500)) as desk:
        for minutes in (20, 21, 23, 30):
            await sent(store, pool, minutes, webhook(desk.port, rate="3/min"))
    async with receiver() as desk:
        first, _ = await sent(store, pool, 70, webhook(desk.port, rate="3/min"))
        second, _ = await sent(store, pool, 70.5, webhook(desk.port, rate="3/min"))
        third, _ = await sent(store, pool, 71.1, webhook(desk.port, rate="3/min"))
    assert [one.sent.total() for one in (first, second, third)] == [3, 0, 3]


async def test_fault_that_nobody_foresaw_is_tried_again_and_stops_no_other_channel(
    store: Store, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = alerting({"name": "numbers", "channels": ["desk", "other"], "when": {"reasons": "number"}})
    changed(store, pool, "a", rules=rules)

    async def fault(self: Channel, alert: object, message: object, now: datetime) -> None:
        if self.name == "other":
            raise ZeroDivisionError("nobody foresaw this")
        await send(self, alert, message, now)  # type: ignore[arg-type]

    async with receiver() as desk:
        channels = webhook(desk.port), webhook(desk.port, "other")
        send = type(channels[0]).send
        monkeypatch.setattr(type(channels[0]), "send", fault)
        done, lines = await sent(store, pool, 20, *channels)
    assert (done.sent, done.failed) == (Counter(desk=1), Counter(other=1))
    assert "ZeroDivisionError: nobody foresaw this" in lines[0]


async def test_sender_that_goes_on_sends_on_each_channels_own_beat_until_it_is_stopped(
    store: Store, pool: Pool
) -> None:
    changed(store, pool, "a")
    stop, rounds = asyncio.Event(), []

    def heard(one: Sent) -> None:
        rounds.append(one.sent.total())
        if len(rounds) == 3:
            stop.set()

    async with receiver() as desk:
        await send_every(office(store, pool, at(30), webhook(desk.port)), 0.05, stop, print, sent=heard)
    assert rounds == [1, 0, 0]


# Rivals and death

DRIVER = """
import asyncio, os, signal, sys
import sqlalchemy as sa
from tests.builders import at
from tests.wirewatch.alerts.desk import office, webhook
from tests.wirewatch.alerts.told import LINKS, alert
from wirewatch.alerts.sender import send_once
from wirewatch.bounded import Pool
from wirewatch.fetch import connecting, posting
from wirewatch.store import Store, leases

webhook(8080).compose(alert(), LINKS)  # fills the templates' cache before any fork
connecting.trust(None)

def send(address, url, die_at):
    store = Store.open(address)
    steps = 0
    def step(connection, *rest):
        nonlocal steps
        if rest and rest[1].startswith(("SELECT", "BEGIN")):
            return
        steps += 1
        if steps == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
    for event in ("before_cursor_execute", "commit"):
        sa.event.listen(store.engine, event, step)
    leases.end_dead(store, at(60))
    with Pool(1) as pool:
        asyncio.run(send_once(office(store, pool, at(60), webhook(8080, url=url), caps={"numbers": 1000}), print))
    store.close()

def start(*arguments):
    child = os.fork()
    if child == 0:
        send(*arguments)
        os._exit(0)
    return child

for line in sys.stdin:
    address, url, die_at, rivals = line.split()
    children = [start(address, url, int(die_at)) for _ in range(int(rivals))]
    print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children), flush=True)
"""


@contextmanager
def senders() -> Iterator[Callable[..., list[int]]]:
    """Give what starts senders at once in processes of their own, each of which may die at a step, and how they ended.

    They are forked from one that has imported all it needs; a step is a statement that writes, or a commit.
    """
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as driver:
        assert driver.stdin is not None
        assert driver.stdout is not None
        talk, listen = driver.stdin, driver.stdout

        def start(address: str, url: str, *, die_at: int = 0, rivals: int = 1) -> list[int]:
            talk.write(f"{address} {url} {die_at} {rivals}\n")
            talk.flush()
            return [int(code) for code in listen.readline().split()]

        try:
            yield start
        finally:
            driver.kill()


class Mailbox:
    """Remembers which alerts arrived at which address, with a hash of what each said."""

    def __init__(self) -> None:
        self.arrived: dict[str, list[tuple[str, bytes]]] = {}


@contextmanager
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """Run a receiver on a thread, for senders in other processes."""
    box = Mailbox()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            box.arrived.setdefault(self.path, []).append((self.headers["webhook-id"], body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield box, server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.timeout(400)
def test_sender_killed_at_every_step_loses_nothing_and_repeats_at_most_one_alert_each(
    sqlite_store: Store, pool: Pool, tmp_path: Path
) -> None:
    keep(sqlite_store, pool, [said("a", 100, 0), said("a", 200, 10)])
    keep(sqlite_store, pool, [said("b", 300, 0), said("b", 400, 10)])
    keep(sqlite_store, pool, [said("e", 500, 0), said("e", 600, 10)])
    changed(sqlite_store, pool, "c", "d")  # one group
    before = Path(sqlite_store.url.removeprefix("sqlite:///"))
    sqlite_store.close()  # all of it is in the file then
    with mailbox() as (box, port), senders() as start:
        for step in range(1, 500):
            path = tmp_path / f"{step}.sqlite"
            shutil.copyfile(before, path)
            address, url = f"sqlite:///{path}", f"http://127.0.0.1:{port}/{step}"
            (death,) = start(address, url, die_at=step)
            assert start(address, url) == [0]
            got = box.arrived[f"/{step}"]
            times = Counter(name for name, _ in got)
            assert len(times) == 4, f"killed at step {step}"
            assert max(times.values()) <= 2, f"killed at step {step}"
            assert len(set(got)) == 4, f"killed at step {step}, one id came with two contents"
            store = Store.open(address)
            assert {state for _, state in matches(store)} == {"sent"}
            store.close()
            if death == 0:
                break
            assert death == -signal.SIGKILL
    assert death == 0
    assert step > 30


@pytest.mark.timeout(300)
def test_four_senders_at_once_send_each_alert_once(store: Store, pool: Pool) -> None:
    for n in range(30):
        keep(store, pool, [said(f"story-{n}", 1000 + n, 0), said(f"story-{n}", 2000 + n, 10)])
    with mailbox() as (box, port), senders() as start:
        assert start(store.url, f"http://127.0.0.1:{port}/desk", rivals=4) == [0, 0, 0, 0]
        got = [name for name, _ in box.arrived["/desk"]]
    assert len(got) == len(set(got)) == 30


def test_rival_takes_over_what_a_dead_sender_held(store: Store, pool: Pool) -> None:
    changed(store, pool, "a")
    lease = alerts.lease_channel(store, "desk", at(20), 300)
    assert lease is not None
    assert alerts.lease_channel(store, "desk", at(21), 300) is None
    assert alerts.lease_channel(store, "desk", at(26), 300) is not None


async def test_leases_of_this_machines_dead_are_free_at_once(store: Store, pool: Pool) -> None:
    changed(store, pool, "a")
    async with receiver() as desk:
        channel = webhook(desk.port)
        gone = f"{leases.new_lease().split('/')[0]}/999999999/0/0"
        with store.begin() as conn:
            conn.exec_driver_sql("INSERT INTO alert_channels (name) VALUES ('desk')")
            conn.exec_driver_sql(
                f"UPDATE alert_channels SET lease = '{gone}', lease_ends = {int(at(600).timestamp()) * 10**6}"
            )
        waits, _ = await sent(store, pool, 20, channel)
        assert waits.sent == Counter()
        leases.end_dead(store, at(20))
        done, _ = await sent(store, pool, 20, channel)
    assert done.sent == Counter(desk=1)
    assert isinstance(desk, Receiver)
