"""Speak to Google Cloud Pub/Sub, or to an emulator of it: one client for each address in a process.

The clients are the generated ones, below the library's own publisher and subscriber: those send and fetch on threads of
their own, go on after their caller has given up, and hold a topic's key for ever after one failure. Here a call is a
call. Importing this module imports none of it, so that a configuration can be read at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.pubsub_v1 import PublisherClient, SubscriberClient

_NAME: Final = re.compile(r"projects/[a-z0-9.:-]{1,100}/(topics|subscriptions)/[A-Za-z][A-Za-z0-9._~+%-]{2,254}")


def _named(kind: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        found = _NAME.fullmatch(text)
        if found is None or found.group(1) != f"{kind}s":
            raise ValueError(f"is no {kind}'s full name; write projects/PROJECT/{kind}s/{kind.upper()}")
        return text

    return check


Topic = Annotated[
    str, AfterValidator(_named("topic")), Field(description="Its full name, `projects/PROJECT/topics/TOPIC`.")
]
Subscription = Annotated[
    str,
    AfterValidator(_named("subscription")),
    Field(description="Its full name, `projects/PROJECT/subscriptions/SUBSCRIPTION`."),
]

_ANY_SIZE: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


@lru_cache
def publisher(emulator: str | None) -> PublisherClient:
    """Return this process's client for publishing."""
    from google.pubsub_v1 import PublisherClient  # noqa: PLC0415
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport  # noqa: PLC0415

    if emulator is None:
        return PublisherClient()
    return PublisherClient(transport=PublisherGrpcTransport(channel=_channel(emulator)))


@lru_cache
def subscriber(emulator: str | None) -> SubscriberClient:
    """Return this process's client for pulling and acknowledging."""
    from google.pubsub_v1 import SubscriberClient  # noqa: PLC0415
    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport  # noqa: PLC0415

    if emulator is None:
        return SubscriberClient()
    return SubscriberClient(transport=SubscriberGrpcTransport(channel=_channel(emulator)))


def retrying(seconds: float, *, late: bool = True) -> Retry:
    """Return the rule that a call is made again, for so many seconds in all, while the service cannot be reached.

    `late` counts an answer that does not come in time among that.
    """
    from google.api_core import exceptions, retry  # noqa: PLC0415

    passing = (
        exceptions.ServiceUnavailable,
        exceptions.InternalServerError,
        exceptions.Aborted,
        exceptions.TooManyRequests,
        exceptions.Unknown,
        *([exceptions.DeadlineExceeded] if late else []),
    )
    return retry.Retry(
        predicate=retry.if_exception_type(*passing), initial=0.1, maximum=5.0, multiplier=2.0, timeout=seconds
    )


def _channel(address: str) -> Any:
    import grpc  # noqa: PLC0415

    return grpc.insecure_channel(address, options=_ANY_SIZE)
