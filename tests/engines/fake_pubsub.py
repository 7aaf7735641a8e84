"""Google's own fake of Pub/Sub, for a test: topics, subscriptions, what became of each message, and calls that fail.

Each fake is a server of its own on a free port of this machine; it ends with the test, or with this process.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE, Popen
from urllib.parse import urlencode
from urllib.request import urlopen

import grpc
import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from tests.engines.install import COMMAND, PUBSUB, REQUIRED

PROJECT = "projects/newsroom"
NOT_BUILT = f"Google's fake of Pub/Sub is not built: `{COMMAND}` builds it"
REFUSED, GONE, TOO_MUCH, AWAY = 7, 5, 8, 14  # PERMISSION_DENIED, NOT_FOUND, RESOURCE_EXHAUSTED, UNAVAILABLE


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What the fake knows of one message."""

    id: str
    topic: str
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str
    deliveries: int
    acknowledged: int


@dataclass(frozen=True, kw_only=True)
class FakePubSub:
    """A running fake: `address` is Pub/Sub's, `aside` the one that only tests know."""

    address: str
    aside: str
    publisher: PublisherClient
    subscriber: SubscriberClient

    def topic(self, name: str = "checks") -> str:
        """Make a topic and return its full name."""
        return self.publisher.create_topic(request={"name": f"{PROJECT}/topics/{name}"}).name

    def subscription(self, topic: str, name: str = "wirewatch", **settings: object) -> str:
        """Make a subscription and return its full name."""
        wanted = {"name": f"{PROJECT}/subscriptions/{name}", "topic": topic, "ack_deadline_seconds": 10, **settings}
        return self.subscriber.create_subscription(request=wanted).name

    def publish(self, topic: str, *messages: object) -> list[str]:
        """Publish messages, as JSON unless they are bytes; return their ids."""
        datas = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in messages]
        request = {"topic": topic, "messages": [{"data": data} for data in datas]}
        return list(self.publisher.publish(request=request).message_ids)

    def publish_huge(self, topic: str, data: bytes) -> str:
        """Publish a message that is larger than the fake takes by the service itself."""
        return str(self._call(f"publish?{urlencode({'topic': topic})}", data).decode())

    def fail(self, call: str, code: int, *, times: int = -1, after: int = 0, key: str = "") -> None:
        """Have calls fail: all, or `times` of them, once `after` of them went well; 0 times ends it."""
        self._call(f"fail?{urlencode({'call': call, 'code': code, 'times': times, 'after': after, 'key': key})}", b"")

    def messages(self, topic: str | None = None) -> list[Sent]:
        """Return all messages that were ever published, in their order."""
        found = json.loads(self._call("messages")) or []
        return [
            Sent(
                id=one["ID"],
                topic=one["Topic"],
                data=b64decode(one["Data"] or ""),
                attributes=one["Attributes"] or {},
                ordering_key=one["OrderingKey"],
                deliveries=one["Deliveries"],
                acknowledged=one["Acks"],
            )
            for one in found
            if topic in (None, one["Topic"])
        ]

    def acknowledged(self) -> set[str]:
        """Return the ids of the messages that were acknowledged."""
        return {one.id for one in self.messages() if one.acknowledged}

    def _call(self, path: str, data: bytes | None = None) -> bytes:
        with urlopen(f"http://{self.aside}/{path}", data, timeout=30) as answer:
            body: bytes = answer.read()
        return body


@contextmanager
def fake_pubsub() -> Iterator[FakePubSub]:
    """Run a fake; skip the test where it is not built, or fail it where all engines have to be."""
    if not PUBSUB.exists():
        if REQUIRED in os.environ:
            pytest.fail(NOT_BUILT)
        pytest.skip(NOT_BUILT)
    with Popen([PUBSUB], stdin=PIPE, stdout=PIPE) as server:
        assert server.stdout is not None
        address, aside = server.stdout.readline().decode().split()
        try:
            with grpc.insecure_channel(address) as channel:
                yield FakePubSub(
                    address=address,
                    aside=aside,
                    publisher=PublisherClient(transport=PublisherGrpcTransport(channel=channel)),
                    subscriber=SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)),
                )
        finally:
            server.terminate()
