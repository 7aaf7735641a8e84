"""Speak to Google Cloud Pub/Sub, or to an emulator of it: one client for each address in a process.

The clients are the generated ones, below the library's own publisher and subscriber: those send and fetch on threads of
their own, go on after their caller has given up, and hold a topic's key for ever after one failure. Here a call is a
call. Importing this module imports none of it, so that a configuration can be read at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field

from wirewatch.errors import WirewatchError

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.pubsub_v1 import PublisherClient, SubscriberClient

_NAME: Final = re.compile(r"projects/[a-z0-9.:-]{1,100}/(topics|subscriptions)/[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
_ENDPOINT: Final = re.compile(r"[A-Za-z0-9_.-]{1,253}:[0-9]{1,5}")


def _named(kind: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        found = _NAME.fullmatch(text)
        if found is None or found.group(1) != f"{kind}s":
            raise ValueError(f"is no {kind}'s full name; write projects/PROJECT/{kind}s/{kind.upper()}")
        return text

    return check


def _endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise ValueError("is no host and port, such as localhost:8085")
    return text


Topic = Annotated[
    str, AfterValidator(_named("topic")), Field(description="Its full name, `projects/PROJECT/topics/TOPIC`.")
]
Subscription = Annotated[
    str,
    AfterValidator(_named("subscription")),
    Field(description="Its full name, `projects/PROJECT/subscriptions/SUBSCRIPTION`."),
]
Emulator = Annotated[
    Annotated[str, AfterValidator(_endpoint)] | None,
    Field(description="Host and port of an emulator, asked without credentials; left out, Google's service is."),
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


@contextmanager
def explained(kind: type[WirewatchError], what: str, place: str, role: str) -> Iterator[None]:
    """Raise what Pub/Sub answers as one sentence with what to do; `what` and `place` name the topic or subscription."""
    from google.api_core import exceptions  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    try:
        yield
    except exceptions.NotFound as error:
        message = f"There is no {what} {place}: create it, or mend the configuration's `{what}`; nothing is lost."
        raise kind(message, about=place) from error
    except (exceptions.Forbidden, exceptions.Unauthorized) as error:
        message = f"This account may not use the {what} {place}: grant it {role}; nothing is lost."
        raise kind(message, about=place) from error
    except GoogleAuthError as error:
        message = (
            f"There are no credentials for the {what} {place} (GOOGLE_APPLICATION_CREDENTIALS names a file with some):"
            " give this machine an account; nothing is lost."
        )
        raise kind(message, about=place) from error
    except exceptions.InvalidArgument as error:
        raise kind(f"The {what} {place} does not take what was sent ({error.message}).", about=place) from error
    except exceptions.GoogleAPIError as error:
        message = f"The {what} {place} cannot be reached ({_words(error)}): see to that and try again; nothing is lost."
        raise kind(message, about=place) from error


def _words(error: Any) -> str:
    cause = getattr(error, "cause", None) or error
    return str(getattr(cause, "message", None) or cause)[:200]


def _channel(address: str) -> Any:
    import grpc  # noqa: PLC0415

    return grpc.insecure_channel(address, options=_ANY_SIZE)
