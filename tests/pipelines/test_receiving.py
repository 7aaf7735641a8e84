"""A pass takes what waits in a queue: it keeps it, acknowledges it, and reads it. On Google's own fake of Pub/Sub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import at
from tests.engines.fake_pubsub import AWAY, PROJECT, REFUSED, FakePubSub, fake_pubsub
from tests.pipelines.site import FEED, HOST, World, feed, page, rss, story, world
from tests.transforms.sinks.batches import script
from wirewatch.errors import StoreError

SUBSCRIPTION = f"{PROJECT}/subscriptions/wirewatch"
STORY = f"http://{HOST}/a"


@pytest.fixture
def pubsub() -> Iterator[FakePubSub]:
    with fake_pubsub() as server:
        server.subscription(server.topic())
        yield server


TOPIC = f"{PROJECT}/topics/checks"


def queue(server: FakePubSub, **options: Any) -> dict[str, Any]:
    where = {"subscription": SUBSCRIPTION, "emulator": server.address}
    return {"sources": [{"kind": "pubsub", "name": "checks", **where, **options}]}


def capture(path: str, body: bytes, minute: int, **members: Any) -> dict[str, Any]:
    said = {"url": f"http://{HOST}{path}", "observedAt": at(minute).isoformat(), "body": body.decode()}
    return {**said, **members}


def reasons(w: World) -> list[str]:
    return [letter.reason for letter in w.letters()]


def test_message_that_asks_for_an_article_has_it_read_in_the_same_pass(pubsub: FakePubSub, tmp_path: Path) -> None:
    with world(tmp_path, {"/a": page()}, feeds=[], **queue(pubsub)) as w:
        pubsub.publish(TOPIC, {"url": STORY})
        report = w.run(0)
        assert (report.received, report.counts["article"]) == (1, {"new": 1})
        assert "Received 1 message." in report.sentence()
        assert w.run(1).received == 0
    assert pubsub.acknowledged() == {one.id for one in pubsub.messages()}


def test_message_that_asks_for_a_feed_has_it_read_before_its_time(pubsub: FakePubSub, tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page(), "/b": page(story("B"))}, **queue(pubsub)) as w:
        w.run(0)
        w.site.answers["/feed.xml"] = feed(["/a", "/b"])
        assert w.run(1).counts["feed"] == {}
        pubsub.publish(TOPIC, {"feed": FEED})
        report = w.run(2)
    assert report.counts["feed"] == {"revised": 1}
    assert report.counts["article"]["new"] == 1


def test_captures_that_are_brought_become_revisions_in_their_own_order(pubsub: FakePubSub, tmp_path: Path) -> None:
    later, earlier = story("Council says no to boats"), story("Council says yes to boats")
    with world(tmp_path, feeds=[], **queue(pubsub)) as w:
        pubsub.publish(TOPIC, capture("/a", later, 30), capture("/a", earlier, 10), capture("/a", later, 30))
        report = w.run(60)
        revisions = w.article("/a").revisions
    assert sum(report.counts["article"].values()) == 3
    assert [one.first_observed for one in revisions] == [at(10), at(30)]
    assert w.kinds()[-1] == "revised"
    assert not any(event["data"].get("backfill") for event in w.events())


def test_feed_that_is_brought_makes_its_entries_due(pubsub: FakePubSub, tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed(), "/b": page()}, **queue(pubsub)) as w:
        w.run(0)
        pubsub.publish(TOPIC, capture("/feed.xml", rss(["/b"]), 1, contentType="application/rss+xml"))
        report = w.run(2)
    assert report.counts == {"article": {"new": 1}, "feed": {"revised": 1}}


def test_page_that_is_brought_is_read_with_its_feeds_settings(pubsub: FakePubSub, tmp_path: Path) -> None:
    """An hour lies between the zone that the feed is configured with and the one that is assumed else."""
    stamped = story(head='<meta property="article:published_time" content="2026-07-16T12:00:00">')
    feeds = [{"url": FEED, "zone": "Europe/London"}]
    with world(tmp_path, {"/feed.xml": feed()}, feeds=feeds, **queue(pubsub)) as w:
        pubsub.publish(TOPIC, capture("/a", stamped, 0, feed=FEED))
        w.run(1)
        (revision,) = w.article("/a").revisions
    assert revision.published is not None
    assert revision.published.zone == "configured"


POISON = {
    "not JSON": (b"\x00 rubbish", "is no JSON"),
    "lacks its fields": ({"body": "<p>"}, "url: Field required"),
    "private address": ({"url": "http://169.254.169.254/latest"}, "169.254.169.254 is not a public address"),
    "lying type": ({"url": ["http://courier.example/"]}, "url is no text"),
    "unknown feed": ({"feed": "http://other.example/feed"}, "No feed of this address is watched"),
}


@pytest.mark.parametrize(("message", "reason"), POISON.values(), ids=POISON)
def test_poison_is_a_dead_letter_and_never_comes_again(
    pubsub: FakePubSub, tmp_path: Path, message: Any, reason: str
) -> None:
    with world(tmp_path, {"/a": page()}, feeds=[], **queue(pubsub)) as w:
        pubsub.publish(TOPIC, message, {"url": STORY})
        report = w.run(0)
        (letter,) = w.letters()
    assert reason in letter.reason
    assert (letter.step, letter.file) == ("receive", f"{SUBSCRIPTION}#m0")
    assert report.counts["article"] == {"new": 1}
    assert pubsub.acknowledged() == {"m0", "m1"}


def test_message_of_10_mb_is_a_dead_letter(pubsub: FakePubSub, tmp_path: Path) -> None:
    with world(tmp_path, feeds=[], **queue(pubsub)) as w:
        pubsub.publish_huge(TOPIC, json.dumps(capture("/a", b"x" * 9_900_000, 0)).encode())
        w.run(0)
        assert "has 9,900,000 bytes, more than the 5,242,880 that a page may have" in reasons(w)[0]
    assert pubsub.acknowledged() == {"m0"}


REFUSALS = {
    "no permission": (
        REFUSED,
        f"This account may not use the subscription {SUBSCRIPTION}: grant it roles/pubsub.subscr",
    ),
    "gone": (5, f"There is no subscription {SUBSCRIPTION}: create it"),
}


@pytest.mark.parametrize(("code", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_queue_that_cannot_be_read_is_a_finding_and_the_pass_goes_on(
    pubsub: FakePubSub, tmp_path: Path, code: int, sentence: str
) -> None:
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page()}, **queue(pubsub)) as w:
        pubsub.publish(TOPIC, {"url": STORY})
        pubsub.fail("Pull", code)
        report = w.run(0)
        assert report.counts["article"] == {"new": 1}
        assert sentence in report.findings[0]
        pubsub.fail("Pull", code, times=0)
        assert w.run(1).received == 1


def test_pull_that_fails_for_a_moment_is_made_again(pubsub: FakePubSub, tmp_path: Path) -> None:
    with world(tmp_path, {"/a": page()}, feeds=[], **queue(pubsub)) as w:
        pubsub.publish(TOPIC, {"url": STORY})
        pubsub.fail("Pull", AWAY, times=2)
        assert w.run(0).received == 1


def test_nothing_is_acknowledged_that_the_store_did_not_keep(pubsub: FakePubSub, tmp_path: Path) -> None:
    with world(tmp_path, {"/a": page()}, feeds=[], **queue(pubsub)) as w:
        w.run(0)
        pubsub.publish(TOPIC, {"url": STORY}, b"rubbish")
        (source,) = w.config.sources

        def fail(_: object) -> None:
            raise StoreError("The store has no room left.")

        with pytest.raises(StoreError):
            source.drain(fail, limit=10)
        assert pubsub.acknowledged() == set()


def test_killed_between_keeping_and_acknowledging_the_message_comes_again_and_changes_nothing(
    pubsub: FakePubSub, tmp_path: Path
) -> None:
    """The fake lets a message come again ten seconds after it was pulled, as the service does."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pipelines.config import load\n"
        "from tests.builders import NOON\n"
        "from wirewatch import receiving\n"
        "from wirewatch.store import Store\n"
        "config = load(Path(sys.argv[1]), {})\n"
        "def keep(some):\n"
        "    receiving.receive(Store.shared(config.store), some, NOON, config.fetch)\n"
        "    print('kept', flush=True)\n"
        "    sys.stdin.read()\n"
        "config.sources[0].drain(keep, limit=10)\n"
    )
    with world(tmp_path, {"/a": page()}, feeds=[], **queue(pubsub, ack_deadline_seconds=10)) as w:
        w.run(0)
        pubsub.publish(TOPIC, {"url": STORY}, capture("/b", story("B"), 0), b"rubbish")
        with script(code, str(w.config.path)) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"kept\n"
            process.kill()
        assert pubsub.acknowledged() == set()
        assert w.run(1).counts["article"] == {"new": 2}
        while pubsub.acknowledged() != {"m0", "m1", "m2"}:  # each pass waits a second for a message
            again = w.run(2)
        assert {one.deliveries for one in pubsub.messages()} == {2}
        assert set(again.counts["article"]) <= {"unchanged", "duplicate"}
        assert len(w.letters()) == 1
        assert len(w.article("/a").revisions) == len(w.article("/b").revisions) == 1
