"""A webhook gets signed CloudEvents once, and whatever it answers is heeded."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from tests.wirewatch.alerts.contract import SENT, ChannelContract, channel_of
from tests.wirewatch.alerts.receiver import Answer, Receiver, after, answered, endless, never, receiver
from tests.wirewatch.alerts.told import LINKS, alert, story
from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.model import Alert
from wirewatch.errors import ConfigurationError, DeliveryGone, DeliveryRefused, RetryLater

KEY = base64.b64encode(b"a secret of thirty-two bytes ....").decode()
SECRET = f"whsec_{KEY}"
OLDER = f"whsec_{base64.b64encode(b'the one before it, as long as it').decode()}"


def options(running: Receiver, **changes: Any) -> dict[str, Any]:
    defaults = {
        "kind": "webhook",
        "name": "desk",
        "url": running.url(),
        "secret": SECRET,
        "allow_addresses": ["127.0.0.1"],
    }
    return {**defaults, **changes}


async def attempt(channel: Channel, now: datetime = SENT) -> str:
    """Return what one attempt comes to: `sent`, or the error's kind and sentence."""
    one = alert()
    try:
        await channel.send(one, channel.compose(one, LINKS), now)
    except (RetryLater, DeliveryGone, DeliveryRefused) as error:
        return f"{type(error).__name__} {error}"
    finally:
        await channel.close()
    return "sent"


def outcome(*answers: Answer, **changes: Any) -> str:
    async def post() -> str:
        async with receiver(*answers) as running:
            return await attempt(channel_of(options(running, **changes)))

    return asyncio.run(post())


class TestWebhook(ChannelContract):
    secret = KEY

    @asynccontextmanager
    async def where(self, folder: Path) -> AsyncIterator[dict[str, Any]]:
        async with receiver() as self.running:
            yield options(self.running)

    def arrived(self) -> list[str]:
        return [posted.body.decode() for posted in self.running.posted]

    def broken(self, folder: Path) -> dict[str, Any] | None:
        nobody = Receiver([], port=9)  # listens nowhere; 9 is refused by our own rule, so another
        return options(nobody, url="http://127.0.0.1:61/hook?token=s3cr3t")

    def test_alert_says_what_it_is_about(self, tmp_path: Path) -> None:
        kept = '{"specversion":"1.0", "id":"7", "type":"wirewatch.article.revised.v1","data":{"é":1.0}}'
        assert self.told(tmp_path, alert(story(events=(kept,)))) == [kept]

    def test_alerts_arrive_in_their_order(self, tmp_path: Path) -> None:
        kept = [f'{{"id":"{n}"}}' for n in range(3)]
        assert self.told(tmp_path, *(alert(story(events=(one,)), id=f"{n:032x}") for n, one in enumerate(kept))) == kept


async def test_one_event_is_posted_as_it_was_kept_and_several_as_a_batch() -> None:
    async with receiver() as running:
        for one in (alert(story(events=('{"id":"1"}',))), alert(story(events=('{"id":"1"}', '{"id":"2"}')))):
            channel = channel_of(options(running))
            await channel.send(one, channel.compose(one, LINKS), SENT)
            await channel.close()
    first, second = running.posted
    assert first.headers["content-type"].startswith("application/cloudevents+json")
    assert first.body == b'{"id":"1"}'
    assert second.headers["content-type"].startswith("application/cloudevents-batch+json")
    assert second.body == b'[{"id":"1"},{"id":"2"}]'
    assert (first.headers["wirewatch-rule"], first.headers["wirewatch-alert"]) == ("ferries", "change")


async def test_alert_without_an_event_is_one_and_the_same_on_every_attempt() -> None:
    one = alert(kind="more", more=37)
    async with receiver() as running:
        channel = channel_of(options(running))
        for minutes in (0, 5):
            await channel.send(one, channel.compose(one, LINKS), SENT + timedelta(minutes=minutes))
        await channel.close()
    first, second = running.posted
    assert first.body == second.body
    event = json.loads(first.body)
    assert {"specversion", "id", "source", "type", "time"} <= event.keys()
    assert event["data"] == {
        "rule": "ferries",
        "more": 37,
        "text": 'And 37 more for the rule "ferries" within the hour, which were not sent one by one.',
    }


@pytest.mark.parametrize(
    ("one", "more"),
    [
        (alert(), None),
        (alert(kind="more", more=37), "37"),
        (alert(story(), story(), more=4), "4"),
        (alert(story(boilerplate=9), story(), kind="digest", more=4), "12"),
        (alert(story(boilerplate=14), story(boilerplate=14), kind="group", more=3), "12"),
    ],
    ids=["a change", "held back", "digest", "digest with a group", "group"],
)
async def test_receiver_is_told_how_many_more_there_are(one: Alert, more: str | None) -> None:
    async with receiver() as running:
        channel = channel_of(options(running))
        await channel.send(one, channel.compose(one, LINKS), SENT)
        await channel.close()
    assert running.posted[0].headers.get("wirewatch-more") == more


@pytest.mark.parametrize(
    ("answer", "changes", "perhaps"),
    [
        (never, {}, True),
        (after(2.0, answered()), {}, True),
        (b"no HTTP at all", {}, True),
        (answered(500), {}, False),
        (answered(302), {}, False),
        (answered(), {"url": "http://127.0.0.1:61/hook"}, False),
        (answered(), {"url": "https://127.0.0.1:{port}/hook"}, False),
        (answered(), {"url": "http://nobody.invalid/hook"}, False),
    ],
    ids=["hangs", "answers too late", "rubbish", "500", "redirects", "nobody there", "no TLS", "no such name"],
)
async def test_only_what_went_out_and_was_not_answered_may_have_arrived(
    answer: Answer, changes: dict[str, str], perhaps: bool
) -> None:
    one = alert()
    async with receiver(answer) as running:
        changed = {name: value.format(port=running.port) for name, value in changes.items()}
        channel = channel_of(options(running, timeout=0.5, **changed))
        with pytest.raises(RetryLater) as caught:
            await channel.send(one, channel.compose(one, LINKS), SENT)
        await channel.close()
    assert caught.value.perhaps_taken is perhaps


async def test_signature_holds_and_the_id_is_the_same_over_retries() -> None:
    now = datetime.now(timezone(timedelta(hours=1)))  # the library takes any time for UTC
    async with receiver(answered(500), answered()) as running:
        channel = channel_of(options(running))
        assert (await attempt(channel, now)).startswith("RetryLater")
        assert await attempt(channel, now + timedelta(seconds=5)) == "sent"
    first, second = running.posted
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == alert().id
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    for posted in running.posted:
        assert Webhook(SECRET).verify(posted.body, posted.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(OLDER).verify(posted.body, posted.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(posted.body + b" ", posted.headers)


async def test_while_secrets_change_over_both_verify() -> None:
    async with receiver() as running:
        assert await attempt(channel_of(options(running, previous_secret=OLDER)), datetime.now(UTC)) == "sent"
    (posted,) = running.posted
    assert Webhook(SECRET).verify(posted.body, posted.headers)
    assert Webhook(OLDER).verify(posted.body, posted.headers)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_is_taken_for_received(status: int) -> None:
    assert outcome(answered(status)) == "sent"


@pytest.mark.parametrize(
    ("status", "comes_to"),
    [
        (400, "DeliveryRefused Channel desk: the receiver answered HTTP 400, so it will never take this alert"),
        (401, "RetryLater Channel desk: the receiver answered HTTP 401"),
        (404, "RetryLater Channel desk: the receiver answered HTTP 404"),
        (410, "DeliveryGone Channel desk: the receiver answered HTTP 410, so it wants no more alerts"),
        (413, "DeliveryRefused Channel desk: the receiver answered HTTP 413, so it will never take this alert"),
        (500, "RetryLater Channel desk: the receiver answered HTTP 500"),
        (503, "RetryLater Channel desk: the receiver answered HTTP 503"),
    ],
)
def test_what_a_receiver_answers_decides_what_to_do_next(status: int, comes_to: str) -> None:
    assert outcome(answered(status)) == comes_to


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7.0),
        ((SENT + timedelta(minutes=2)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 120.0),
        ("999999999", 86400.0),
        ("soon", None),
    ],
    ids=["seconds", "date", "for ever", "rubbish"],
)
async def test_a_wait_that_is_asked_for_is_handed_on(status: int, retry_after: str, seconds: float | None) -> None:
    async with receiver(answered(status, retry_after=retry_after)) as running:
        channel = channel_of(options(running))
        with pytest.raises(RetryLater) as caught:
            await channel.send(alert(), channel.compose(alert(), LINKS), SENT)
        await channel.close()
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed(status: int) -> None:
    async with receiver() as elsewhere, receiver(answered(status, location=elsewhere.url())) as running:
        told = await attempt(channel_of(options(running)))
    assert told.startswith(
        f"RetryLater Channel desk: the receiver answered HTTP {status}, and redirects are not followed"
    )
    assert len(running.posted) == 1
    assert not elsewhere.posted


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(never, id="hangs"),
        pytest.param(after(2.0, answered()), id="answers 200 too late"),
        pytest.param(after(2.0, b""), id="closes late"),
    ],
)
def test_receiver_that_takes_too_long_is_tried_again(late: Answer) -> None:
    assert outcome(late, timeout=0.3) == "RetryLater Channel desk: 127.0.0.1 was not done within 0.3 seconds"


async def test_answer_that_drips_does_not_outlast_the_limit() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        for letter in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n":
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async with receiver(drip) as running:
        told = await attempt(channel_of(options(running, timeout="300ms")))
    assert told == "RetryLater Channel desk: 127.0.0.1 was not done within 0.3 seconds"


@pytest.mark.parametrize(
    ("head", "comes_to"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n", "sent"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "sent"),
        (b"HTTP/1.1 500 No\r\n\r\n", "RetryLater Channel desk: the receiver answered HTTP 500"),
    ],
    ids=["10 MB", "chunks for ever", "error for ever"],
)
async def test_answer_that_does_not_end_is_not_read(head: bytes, comes_to: str) -> None:
    sent: list[int] = []
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n" if b"chunked" in head else b"x" * 0x4000
    async with receiver(endless(head, chunk, sent)) as running:
        assert await attempt(channel_of(options(running))) == comes_to
    assert sum(sent) < 8 * 2**20  # what fits into the sockets' buffers, and not ten megabytes


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"],
    ids=["nothing", "another protocol", "status"],
)
def test_answer_that_is_no_http_is_tried_again(rubbish: bytes) -> None:
    assert outcome(after(0, rubbish)).startswith("RetryLater Channel desk: ")


def test_two_messages_use_one_connection() -> None:
    async def post() -> int:
        async with receiver() as running:
            channel = channel_of(options(running))
            for _ in range(2):
                await channel.send(alert(), channel.compose(alert(), LINKS), SENT)
            await channel.close()
            return running.connections

    assert asyncio.run(post()) == 1


@pytest.mark.parametrize(
    ("named", "comes_to"),
    [
        ((), "DeliveryRefused Channel"),
        (("10.0.0.0/8",), "DeliveryRefused Channel"),
        (("127.0.0.0/8",), "sent"),
        (("localhost",), "sent"),
    ],
    ids=["nothing", "another network", "its network", "its name"],
)
async def test_private_address_is_refused_unless_it_is_named(named: tuple[str, ...], comes_to: str) -> None:
    async with receiver() as running:
        url = running.url(host="localhost")
        told = await attempt(channel_of(options(running, url=url, allow_addresses=named)))
    if comes_to == "sent":
        assert told == comes_to
        return
    assert told.startswith("DeliveryRefused localhost leads to ")
    assert told.endswith("name it under allow_addresses of the channel desk if it may be posted to")
    assert not running.posted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "ftp://news.example/hook"}, "is no address to post to: Only http and https are asked, not ftp"),
        ({"url": "news.example/hook"}, "is no address to post to"),
        ({"url": "https://user:pass@news.example/"}, "carries a user name or password"),
        ({"url": "http://news.example:25/"}, "Port 25 is not one that serves web pages"),
        ({"secret": "hunter2"}, "is no signing secret; it is whsec_ and 24 to 64 random bytes in base64"),
        ({"secret": "whsec_c2hvcnQ="}, "is no signing secret"),
        ({"timeout": "5m"}, "is not between 100ms and 2m"),
        ({"allow_addresses": ["?"]}, "is neither an address nor a network nor a host name"),
    ],
    ids=["ftp", "no scheme", "password", "mail port", "no secret", "short secret", "patience", "no address"],
)
def test_wrong_option_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        channel_of(options(Receiver([])) | change)
    assert "hunter2" not in str(caught.value)


def certificate(**changes: Any) -> tuple[trustme.CA, ssl.SSLContext]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", **changes).configure_cert(context)
    return authority, context


@pytest.mark.parametrize(
    ("changes", "trusted", "comes_to"),
    [
        ({}, True, "sent"),
        ({}, False, "RetryLater Channel desk: The certificate of 127.0.0.1 is not valid: "),
        (
            {"not_after": datetime(2026, 1, 1, tzinfo=UTC), "not_before": datetime(2025, 1, 1, tzinfo=UTC)},
            True,
            "RetryLater Channel desk: The certificate of 127.0.0.1 is not valid: certificate has expired",
        ),
    ],
    ids=["trusted", "unknown authority", "expired"],
)
async def test_certificate_must_be_valid(tmp_path: Path, changes: Any, trusted: bool, comes_to: str) -> None:
    authority, context = certificate(**changes)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with receiver(tls=context) as running:
        told = await attempt(channel_of(options(running, **({"ca_file": tmp_path / "ca.pem"} if trusted else {}))))
    assert told.startswith(comes_to)
    assert bool(running.posted) == (comes_to == "sent")


async def test_file_of_authorities_that_is_not_there_is_the_configurations_fault(tmp_path: Path) -> None:
    channel = channel_of(options(Receiver([], port=61), ca_file=tmp_path / "none.pem"))
    with pytest.raises(ConfigurationError, match=r"The ca_file .*none\.pem cannot be read"):
        await attempt(channel)
    await channel.close()
