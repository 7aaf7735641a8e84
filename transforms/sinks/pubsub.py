"""Publish records and events to a topic of Pub/Sub: an event as it is, its attributes repeated for filters.

Order is kept for each article and for nothing else: its uri is the ordering key. After a failure the whole batch comes
again, so a subscriber meets some messages twice, with the same `ce-id` and the same bytes, and never one before those
of its article that precede it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from transforms.google import Emulator, explained
from transforms.pubsub import Topic, publisher, retrying
from transforms.sinks.base import Sink
from wirewatch.errors import DeliveryFailed

if TYPE_CHECKING:
    from wirewatch.store.outbox import Batch, Item, Refused

# Pub/Sub's quotas: 10 MB and 1,000 messages a request, 1,024 bytes an attribute. A request has one ordering key.
REQUEST_BYTES: Final = 9_900_000
_REQUEST_MESSAGES: Final = 1000
_ATTRIBUTE_BYTES: Final = 1024
_OVERHEAD: Final = 1000  # bytes: at most, what a message has beside data and attributes
_PARALLEL: Final = 16  # requests under way: one takes 20 to 50 ms, and most articles have one message
_NOT_REPEATED: Final = ("data", "datacontenttype")


class PubSubSink(Sink):
    """Publish to a topic of Google Cloud Pub/Sub."""

    kind: Literal["pubsub"]
    topic: Topic
    emulator: Emulator = None
    timeout_seconds: Annotated[
        float, Field(ge=0.1, le=50, description="How long Pub/Sub may be away before a batch is put back.")
    ] = 30.0  # half of a batch's lease

    def write(self, batch: Batch) -> tuple[Refused, ...]:
        """Publish an article's messages one after the other, those of different articles side by side."""
        articles: dict[str, list[Envelope]] = {}
        for item in batch.items:
            envelope = wrap(item)
            articles.setdefault(envelope.ordering_key, []).append(envelope)
        stop = threading.Event()
        sent = _threads().map(lambda some: self._publish(some, stop), articles.values())
        problems = [problem for problem in sent if problem is not None]
        if problems:
            raise problems[0]
        return ()

    def _publish(self, envelopes: Sequence[Envelope], stop: threading.Event) -> DeliveryFailed | None:
        """Publish one article's messages in their order; give back what went wrong, and have the others stop too."""
        try:
            for some in _requests(envelopes):
                if stop.is_set():
                    return None
                with explained(DeliveryFailed, "topic", self.topic, "roles/pubsub.publisher"):
                    messages = [
                        {"data": one.data, "attributes": one.attributes, "ordering_key": one.ordering_key}
                        for one in some
                    ]
                    publisher(self.emulator).publish(
                        request={"topic": self.topic, "messages": messages},
                        retry=retrying(self.timeout_seconds),
                        timeout=self.timeout_seconds,
                    )
        except DeliveryFailed as problem:
            stop.set()
            return problem
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """A message as Pub/Sub takes it."""

    data: bytes
    attributes: dict[str, str]
    ordering_key: str

    @property
    def size(self) -> int:
        return len(self.data) + sum(len(f"{name}{value}".encode()) for name, value in self.attributes.items())


def wrap(item: Item) -> Envelope:
    """Return an item as a message: CloudEvents' Pub/Sub binding, structured for events and binary for records.

    A record that is larger than Pub/Sub takes is announced by a small message of another type; it is in the store.
    """
    said: dict[str, Any] = json.loads(item.payload)
    data = item.payload.encode()
    if item.kind == "event":
        named = {f"ce-{name}": value for name, value in said.items() if name not in _NOT_REPEATED}
        about = said.get("data") or {}
        named |= {"content-type": "application/cloudevents+json", "kind": "event"}
        named |= {"significance": (about.get("significance") or {}).get("class"), "signal": about.get("signal")}
        key = said.get("partitionkey") or item.article
    else:
        key = said.get("uri") or item.article
        named = {
            "content-type": "application/json",
            "kind": "record",
            "ce-specversion": "1.0",
            "ce-type": "wirewatch.record.v1",
            "ce-id": item.item,
            "ce-source": key.rpartition("/")[0],
            "ce-subject": key,
            "ce-time": said.get("versionCreated"),
        }
    named["backfill"] = item.backfill or None
    envelope = Envelope(data=data, attributes=_attributes(named), ordering_key=key)
    if envelope.size + _OVERHEAD <= REQUEST_BYTES:
        return envelope
    stub = json.dumps({"uri": key, "revision": item.item, "bytes": len(data)}).encode()
    small = {"content-type": "application/json", "ce-type": f"wirewatch.{item.kind}.toolarge.v1"}
    return Envelope(data=stub, attributes=envelope.attributes | small, ordering_key=key)


def _attributes(named: dict[str, Any]) -> dict[str, str]:
    """Return those that an attribute can hold: texts and numbers that are not too long."""
    texts = {
        name: json.dumps(value) if isinstance(value, (bool, int, float)) else value for name, value in named.items()
    }
    return {
        name: text
        for name, text in texts.items()
        if isinstance(text, str) and text and len(text.encode()) <= _ATTRIBUTE_BYTES
    }


def _requests(envelopes: Sequence[Envelope]) -> Iterator[list[Envelope]]:
    """Yield the messages in handfuls of one request each."""
    some: list[Envelope] = []
    size = 0
    for one in envelopes:
        needs = one.size + _OVERHEAD
        if some and (len(some) == _REQUEST_MESSAGES or size + needs > REQUEST_BYTES):
            yield some
            some, size = [], 0
        some.append(one)
        size += needs
    if some:
        yield some


@lru_cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_PARALLEL, thread_name_prefix="pubsub")
