"""The Pub/Sub sink on Google's own fake: the contract of all sinks, order per article, and what a topic refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.engines.fake_pubsub import AWAY, PROJECT, REFUSED, FakePubSub, Sent, fake_pubsub
from tests.transforms.sinks.batches import batch, item, of_article, script
from tests.transforms.sinks.contract import SinkContract
from transforms.sinks import sink_adapter
from transforms.sinks.base import Sink
from transforms.sinks.pubsub import REQUEST_BYTES, wrap
from wirewatch.errors import DeliveryFailed
from wirewatch.store.outbox import Batch

TOPIC = f"{PROJECT}/topics/news"
URI = "tag:wirewatch.example,2026:article/501482fb3a172e4d"
EVENT = {
    "specversion": "1.0",
    "id": "f943217fdbbffa8de90e7cfdf0552a7a",
    "source": "https://wirewatch.example/pipelines/revisions",
    "type": "wirewatch.article.revised.v1",
    "subject": URI,
    "time": "2026-03-16T15:24:00Z",
    "datacontenttype": "application/json",
    "partitionkey": URI,
    "data": {"significance": {"class": "major"}, "signal": "http://cv.iptc.org/newscodes/signal/update"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[FakePubSub]:
    with fake_pubsub() as running:
        running.topic("news")
        yield running


@pytest.fixture
def pubsub() -> Iterator[FakePubSub]:
    """Give a fake of a test's own, which can be made to fail."""
    with fake_pubsub() as running:
        running.topic("news")
        yield running


def sink_at(server: FakePubSub, **options: Any) -> Sink:
    settings = {"kind": "pubsub", "name": "out", "topic": TOPIC, "emulator": server.address}
    return sink_adapter().validate_python(settings | options)


def told(sent: list[Sent]) -> dict[str, list[int]]:
    """Return what a subscriber is told of each article, in its order."""
    found: dict[str, list[int]] = {}
    for one in sent:
        found.setdefault(one.ordering_key, []).append(json.loads(one.data)["n"])
    return found


class TestPubSub(SinkContract):
    @pytest.fixture(autouse=True)
    def _own_topic(self, server: FakePubSub, request: pytest.FixtureRequest) -> None:
        self.server = server
        self.topic = server.topic(f"t{abs(hash(request.node.nodeid))}")

    def options(self, folder: Path) -> dict[str, Any]:
        return {"kind": "pubsub", "name": "out", "topic": self.topic, "emulator": self.server.address}

    def broken(self, folder: Path) -> dict[str, Any]:
        return self.options(folder) | {"topic": f"{PROJECT}/topics/nowhere"}

    def kept(self, folder: Path) -> dict[str, list[str]]:
        """Return what a subscriber keeps that knows each message by its bytes, as it would by its `ce-id`."""
        found: dict[str, dict[str, None]] = {"record": {}, "event": {}}
        for one in self.server.messages(self.topic):
            found[one.attributes["kind"]][one.data.decode()] = None
        return {kind: list(payloads) for kind, payloads in found.items()}


def test_event_is_sent_as_it_is_with_its_attributes_for_filters() -> None:
    payload = json.dumps(EVENT)
    envelope = wrap(replace(item(1), payload=payload, backfill=True))
    assert envelope.data == payload.encode()
    assert envelope.ordering_key == URI
    assert envelope.attributes == {
        "content-type": "application/cloudevents+json",
        "kind": "event",
        "ce-specversion": "1.0",
        "ce-id": "f943217fdbbffa8de90e7cfdf0552a7a",
        "ce-source": "https://wirewatch.example/pipelines/revisions",
        "ce-type": "wirewatch.article.revised.v1",
        "ce-subject": URI,
        "ce-time": "2026-03-16T15:24:00Z",
        "ce-partitionkey": URI,
        "significance": "major",
        "signal": "http://cv.iptc.org/newscodes/signal/update",
        "backfill": "true",
    }


def test_record_is_an_event_whose_attributes_stand_outside() -> None:
    payload = json.dumps({"uri": URI, "versionCreated": "2026-03-16T15:24:00Z"})
    envelope = wrap(replace(item(7, "record"), payload=payload))
    assert envelope.data == payload.encode()
    assert envelope.ordering_key == URI
    assert envelope.attributes == {
        "content-type": "application/json",
        "kind": "record",
        "ce-specversion": "1.0",
        "ce-type": "wirewatch.record.v1",
        "ce-id": f"{7:032x}",
        "ce-source": "tag:wirewatch.example,2026:article",
        "ce-subject": URI,
        "ce-time": "2026-03-16T15:24:00Z",
    }


def test_attribute_that_is_too_long_is_left_out_and_stays_in_the_event() -> None:
    envelope = wrap(replace(item(1), payload=json.dumps({**EVENT, "dataref": "https://a.example/" + "é" * 600})))
    assert "ce-dataref" not in envelope.attributes
    assert "dataref" in json.loads(envelope.data)


def test_record_that_is_larger_than_pubsub_takes_is_announced(pubsub: FakePubSub) -> None:
    huge = replace(item(1, "record"), payload=json.dumps({"uri": URI, "text": "x" * REQUEST_BYTES}))
    after = replace(item(2, "record"), payload=json.dumps({"uri": URI}))
    sink_at(pubsub).write(batch(huge, after))
    first, second = pubsub.messages()
    assert first.attributes["ce-type"] == "wirewatch.record.toolarge.v1"
    assert json.loads(first.data) == {"uri": URI, "revision": huge.item, "bytes": len(huge.payload)}
    assert (first.attributes["ce-id"], first.ordering_key) == (huge.item, URI)
    assert second.attributes["ce-type"] == "wirewatch.record.v1"


def test_messages_of_an_article_arrive_in_order_however_many_there_are(pubsub: FakePubSub) -> None:
    """More than one request takes of one article, among others of many."""
    articles = ["a"] * 2100 + [f"b{n}" for n in range(40)] * 3
    sink_at(pubsub).write(batch(*(of_article(n, article) for n, article in enumerate(articles))))
    expected: dict[str, list[int]] = {}
    for n, article in enumerate(articles):
        expected.setdefault(article, []).append(n)
    assert told(pubsub.messages()) == expected


def test_failure_in_the_middle_stops_its_article_and_the_batch_comes_again_in_order(pubsub: FakePubSub) -> None:
    """What a publisher that holds a key after a failure would keep for ever is sent again, from the beginning."""
    sink = sink_at(pubsub)
    rows = batch(*(of_article(n, "a") for n in range(2100)), of_article(5000, "b"))
    pubsub.fail("Publish", REFUSED, key="a", after=1)
    with pytest.raises(DeliveryFailed, match="This account may not use the topic"):
        sink.write(rows)
    assert told(pubsub.messages())["a"] == list(range(1000))
    pubsub.fail("Publish", 0, times=0)
    sink.write(rows)
    assert told(pubsub.messages())["a"] == [*range(1000), *range(2100)]
    assert 5000 in told(pubsub.messages())["b"]


def test_call_that_fails_for_a_moment_is_made_again(pubsub: FakePubSub) -> None:
    pubsub.fail("Publish", AWAY, times=2)
    rows = batch(*(of_article(n, "a") for n in range(3)))
    sink_at(pubsub).write(rows)
    assert told(pubsub.messages()) == {"a": [0, 1, 2]}


def test_writer_killed_between_two_requests_leaves_what_the_next_one_completes(pubsub: FakePubSub) -> None:
    code = (
        "import json, sys\n"
        "from tests.transforms.sinks.batches import batch, of_article\n"
        "from transforms.sinks import sink_adapter\n"
        "import transforms.sinks.pubsub as sink\n"
        "requests = sink._requests\n"
        "def stalling(envelopes):\n"
        "    for number, some in enumerate(requests(envelopes)):\n"
        "        if number == 1:\n"
        "            print('here', flush=True)\n"
        "            sys.stdin.read()\n"
        "        yield some\n"
        "sink._requests = stalling\n"
        "rows = batch(*(of_article(n, 'a') for n in range(1500)))\n"
        "sink_adapter().validate_json(sys.argv[1]).write(rows)\n"
    )
    sink = sink_at(pubsub)
    with script(code, sink.model_dump_json()) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"here\n"
        writer.kill()
    sink.write(batch(*(of_article(n, "a") for n in range(1500))))
    assert told(pubsub.messages())["a"] == [*range(1000), *range(1500)]


REFUSALS = {
    "no permission": (REFUSED, "may not use the topic .* grant it roles/pubsub.publisher"),
    "more than the quota": (3, "does not take what was sent"),
}


@pytest.mark.parametrize(("code", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_refusal_says_what_to_do_and_nothing_is_given_up(pubsub: FakePubSub, code: int, sentence: str) -> None:
    pubsub.fail("Publish", code)
    with pytest.raises(DeliveryFailed, match=sentence) as failure:
        sink_at(pubsub).write(batch())
    assert failure.value.about == TOPIC
    pubsub.fail("Publish", code, times=0)
    sink_at(pubsub).write(batch())
    assert len(pubsub.messages()) == len(batch().items)


def test_service_that_stays_away_is_given_up_for_all_articles_at_once() -> None:
    where = {"topic": TOPIC, "emulator": "127.0.0.1:9"}  # discard: nobody listens
    sink = sink_adapter().validate_python({"kind": "pubsub", "name": "out", "timeout_seconds": 0.5, **where})
    rows: Batch = batch(*(of_article(n, f"a{n}") for n in range(500)))
    with pytest.raises(DeliveryFailed, match="cannot be reached"):
        sink.write(rows)


def test_missing_topic_is_named(pubsub: FakePubSub) -> None:
    with pytest.raises(DeliveryFailed, match=f"There is no topic {PROJECT}/topics/other: create it") as failure:
        sink_at(pubsub, topic=f"{PROJECT}/topics/other").write(batch())
    assert failure.value.about == f"{PROJECT}/topics/other"


@pytest.mark.parametrize(
    "topic", ["news", "projects/p/subscriptions/news", "projects/p/topics/", "projects//topics/news"]
)
def test_name_that_is_no_topics_is_refused(topic: str) -> None:
    with pytest.raises(ValidationError, match="write projects/PROJECT/topics/TOPIC"):
        sink_adapter().validate_python({"kind": "pubsub", "name": "out", "topic": topic})
