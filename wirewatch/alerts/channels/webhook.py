"""Post alerts as CloudEvents in JSON, signed as Standard Webhooks, https://www.standardwebhooks.com/.

An alert of one event is that event's kept bytes; one of several is a batch of them, in the order in which they
happened; one of none (how many were held back, or news of Wirewatch itself) is an event of its own. `webhook-id` is the
alert's id on every attempt, while time and signature are those of the attempt.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr

from wirewatch.alerts.channels.base import Channel, Said
from wirewatch.alerts.model import Alert
from wirewatch.canonical import canonical_json
from wirewatch.errors import ConfigurationError, DeliveryGone, DeliveryRefused, RetryLater, SourceRefuses
from wirewatch.fetch.policy import is_allowable
from wirewatch.units import seconds

if TYPE_CHECKING:
    from wirewatch.alerts.message import Message
    from wirewatch.fetch.posting import Poster, Reply

_ONE: Final = "application/cloudevents+json; charset=UTF-8"
_BATCH: Final = "application/cloudevents-batch+json; charset=UTF-8"
_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = (24, 64)  # Standard Webhooks, "Signature scheme"
# What says of this one message that it is wrong. Other refusals (401, 404 …) can be mended on the other side, and then
# nothing should have been lost.
_WRONG: Final = frozenset({400, 411, 413, 414, 415, 422, 431})


def _secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    least, most = _SECRET_BYTES
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX) + "==", validate=False)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_PREFIX) or not least <= len(key) <= most:
        raise ValueError(f"is no signing secret; it is {_PREFIX} and {least} to {most} random bytes in base64")
    return secret


def _address(url: str) -> str:
    from wirewatch.fetch.addresses import vet  # noqa: PLC0415 (imports an HTTP client)

    try:
        vet(url)
    except SourceRefuses as error:
        raise ValueError(f"is no address to post to: {error}") from None
    return url


def _allowable(text: str) -> str:
    if not is_allowable(text):
        raise ValueError("is neither an address nor a network nor a host name")
    return text


def _timeout(value: object) -> float:
    wait = seconds(value)
    if not 0.1 <= wait <= 120:
        raise ValueError("is not between 100ms and 2m")
    return wait


Secret = Annotated[SecretStr, AfterValidator(_secret), Said("signing secret")]


class WebhookChannel(Channel):
    """Post alerts as signed CloudEvents to an address."""

    kind: Literal["webhook"]
    url: Annotated[str, AfterValidator(_address), Said("web address"), Field(description="Where alerts are posted.")]
    secret: Annotated[Secret, Field(description="What alerts are signed with: `whsec_…`, from the environment.")]
    previous_secret: Secret | None = Field(
        default=None, description="The secret before it, still signed with as well while receivers change over."
    )
    timeout: Annotated[
        float,
        BeforeValidator(_timeout),
        Said("duration, 100ms to 2m"),
        Field(description="How long a request may take in all."),
    ] = 20.0
    allow_addresses: tuple[
        Annotated[str, AfterValidator(_allowable), Said("address, network or host")],
        ...,
    ] = Field(default=(), description="What may be posted to although it is not public: `[10.0.0.0/8]`.")
    ca_file: Path | None = Field(
        default=None, description="A PEM file of certificate authorities to trust beside the system's."
    )

    _poster: Poster | None = PrivateAttr(default=None)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the options, by key."""
        from wirewatch.fetch.connecting import trust  # noqa: PLC0415 (imports an HTTP client)

        yield from super().problems()
        try:
            trust(None if self.ca_file is None else str(self.ca_file))
        except ConfigurationError as error:
            yield "ca_file", str(error)

    async def send(self, alert: Alert, message: Message, now: datetime) -> None:
        """Post the alert's events; anything but a 2xx is an error."""
        body, content_type = _body(alert, message)
        headers = {"Content-Type": content_type, "Wirewatch-Rule": quote(alert.rule), "Wirewatch-Alert": alert.kind}
        if alert.untold:
            headers["Wirewatch-More"] = str(alert.untold)
        headers |= self._signed(alert.id, body, now)
        try:
            reply = await self._posting().post(self.url, body, headers, now)
        except SourceRefuses as error:
            raise DeliveryRefused(
                f"{error}; name it under allow_addresses of the channel {self.name} if it may be posted to",
                about=self.name,
            ) from error
        except RetryLater as error:
            raise RetryLater(
                f"Channel {self.name}: {error}", about=self.name, perhaps_taken=error.perhaps_taken
            ) from error
        self._heed(reply)

    async def close(self) -> None:
        """Close the connections, and give the threads back."""
        if self._poster is not None:
            await self._poster.close()
            self._poster = None
        await super().close()

    def _posting(self) -> Poster:
        from wirewatch.fetch.posting import Poster, PostPolicy  # noqa: PLC0415 (imports an HTTP client)

        if self._poster is None:
            self._poster = Poster(
                PostPolicy(
                    total_seconds=self.timeout,
                    allow_addresses=self.allow_addresses,
                    ca_file=None if self.ca_file is None else str(self.ca_file),
                )
            )
        return self._poster

    def _signed(self, name: str, body: bytes, now: datetime) -> dict[str, str]:
        from standardwebhooks import Webhook  # noqa: PLC0415

        at = now.astimezone(UTC)  # the library takes any time for UTC
        secrets = [one.get_secret_value() for one in (self.secret, self.previous_secret) if one is not None]
        return {
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(Webhook(one).sign(name, at, body.decode()) for one in secrets),
        }

    def _heed(self, reply: Reply) -> None:
        """Raise what a receiver's answer asks for."""
        said = f"Channel {self.name}: the receiver answered HTTP {reply.status}"
        if 200 <= reply.status < 300:
            return
        if reply.status == 410:
            raise DeliveryGone(f"{said}, so it wants no more alerts", about=self.name)
        if reply.status in _WRONG:
            raise DeliveryRefused(f"{said}, so it will never take this alert", about=self.name)
        if 300 <= reply.status < 400:
            raise RetryLater(f"{said}, and redirects are not followed: write the new address as `url`", about=self.name)
        raise RetryLater(said, about=self.name, retry_after_seconds=reply.retry_after_seconds)


def _body(alert: Alert, message: Message) -> tuple[bytes, str]:
    """Return what is posted: kept events as they are, byte for byte."""
    events = [event for story in alert.stories for event in story.events]
    if not events:
        return canonical_json(_own(alert, message)), _ONE
    if len(events) == 1:
        return events[0].encode(), _ONE
    return f"[{','.join(events)}]".encode(), _BATCH


def _own(alert: Alert, message: Message) -> dict[str, object]:
    """Return the event for an alert without one; the same on every attempt."""
    return {
        "specversion": "1.0",
        "id": alert.id,
        "source": f"https://{message.links.instance.authority}/alerts",
        "type": f"wirewatch.alert.{alert.kind}.v1",
        "time": alert.created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {"rule": alert.rule, "text": alert.text or message.first_line, "more": alert.more},
    }
