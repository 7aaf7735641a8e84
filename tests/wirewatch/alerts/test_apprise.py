"""What apprise sends is what we said, to mail and chat alike, and calls nobody.

Mail, Matrix, Mattermost and ntfy are the real protocols to real servers on localhost. Slack, Discord and Telegram live
at one address each, so the library is told another one; what arrives there is what they would get.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from tests.wirewatch.alerts.contract import ChannelContract, channel_of, deliver
from tests.wirewatch.alerts.receiver import Postbox, Receiver, after, answered, postbox, receiver
from tests.wirewatch.alerts.told import LINKS, NEW, OLD, alert, story
from wirewatch.alerts.channels.apprise import fitted, without_mentions, without_mentions_html
from wirewatch.alerts.message import compose
from wirewatch.alerts.model import Alert
from wirewatch.errors import RetryLater

ROOT = Path(__file__).parents[3]
CALLS = "@everyone <!channel> <!here|x> <@U024BE7LH> @room <users/all> @marta x@here"
MARKUP = "*bold* _under_ ~~struck~~ `code` [link](https://evil.example) <b>b</b> <https://evil.example|x> # head"


def options(url: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "apprise", "name": "people", "url": url, **changes}


def failure(url: str, **changes: Any) -> str:
    with pytest.raises(RetryLater) as caught:
        asyncio.run(deliver(channel_of(options(url, **changes)), alert()))
    return str(caught.value)


class TestMail(ChannelContract):
    secret = "hunter22"

    @asynccontextmanager
    async def where(self, folder: Path) -> AsyncIterator[dict[str, Any]]:
        with postbox() as self.box:
            yield options(self.box.address + f"&+X-Secret={self.secret}")

    def arrived(self) -> list[str]:
        return [f"{mail['subject']}\n{body(mail, 'plain')}\n{body(mail, 'html')}" for mail in self.box.mail]

    def broken(self, folder: Path) -> dict[str, Any] | None:
        return options(f"mailto://marta:{self.secret}@127.0.0.1:61/?from=a@wirewatch.example&to=desk@news.example")


def body(mail: Any, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n")


async def mailed(one: Alert, box: Postbox) -> Any:
    await deliver(channel_of(options(box.address)), one)
    return box.mail[-1]


async def test_mail_has_a_subject_text_with_marks_and_html() -> None:
    with postbox() as box:
        mail = await mailed(alert(), box)
    assert mail["subject"] == "Ellery Courier changed 12 to 15 killed in paragraph 3 – Ferry fire off the north pier"
    assert mail["x-wirewatch-alert"] == alert().id
    assert mail["auto-submitted"] == "auto-generated"
    text = body(mail, "plain")
    assert text.startswith(
        "Ellery Courier changed 12 to 15 killed in paragraph 3, 48 to 63 minutes after publication.\n"
    )
    assert "The coastguard counted [-12-]{+15+} killed" in text
    assert "Article: https://courier.example/local/ferry" in text
    assert "</del><ins" in body(mail, "html")


async def test_no_headline_becomes_a_header_or_another_recipient() -> None:
    one = alert(
        replace(story(), headline="Fire\r\nBcc: evil@courier.example\r\n\r\nMore", publisher="A\nTo: b@x.example")
    )
    with postbox() as box:
        mail = await mailed(one, box)
    assert box.recipients == ["desk@news.example"]
    assert mail["bcc"] is None
    assert mail["to"] == "desk@news.example"
    assert "Fire Bcc: evil@courier.example More" in mail["subject"]


async def test_publishers_markup_does_not_run_in_mail() -> None:
    one = alert(
        story(old=replace(OLD, headline="x"), new=replace(OLD, headline=f"x <img src=//evil.example/p> {MARKUP}"))
    )
    with postbox() as box:
        mail = await mailed(one, box)
    html = body(mail, "html")
    assert "<img" not in html
    assert "<b>b</b>" not in html
    assert "&lt;img src=//evil.example/p&gt;" in html


async def chat(url: Callable[[Receiver], str], one: Alert) -> Any:
    """Return the JSON that a service got."""
    async with receiver(answered(200, b"ok")) as running:
        await deliver(channel_of(options(url(running))), one)
    return json.loads(running.posted[-1].body)


def pointed_at(monkeypatch: pytest.MonkeyPatch, name: str, attribute: str) -> Callable[[Receiver, str], str]:
    """Have a service that lives at one address live at the receiver's."""
    import apprise  # noqa: PLC0415 (takes seconds)

    def point(running: Receiver, url: str) -> str:
        service = apprise.Apprise.instantiate(url)
        monkeypatch.setattr(type(service), attribute, running.url("") + name)
        return url

    return point


SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#desk"
DISCORD = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
TELEGRAM = "tgram://123456789:abcdefg_hijklmnop/12315544/"
HOSTILE = alert(story(old=replace(OLD, headline="x"), new=replace(NEW, headline=f"x {CALLS} {MARKUP}")))


async def test_slack_calls_nobody_and_renders_nothing_of_the_publishers(monkeypatch: pytest.MonkeyPatch) -> None:
    point = pointed_at(monkeypatch, "/services", "webhook_url")
    said = json.dumps(await chat(lambda running: point(running, SLACK), HOSTILE), ensure_ascii=False)
    assert "[-12-]{+15+}" in said
    assert "<!" not in said
    assert "<@" not in said
    assert "<https" not in said
    assert "@everyone" not in said
    assert json.loads(said)["mrkdwn"] is False


async def test_discord_calls_nobody_and_renders_nothing_of_the_publishers(monkeypatch: pytest.MonkeyPatch) -> None:
    point = pointed_at(monkeypatch, "/hooks", "notify_url")
    said = json.dumps(await chat(lambda running: point(running, DISCORD), HOSTILE), ensure_ascii=False)
    assert "allowed_mentions" not in said or json.loads(said)["allowed_mentions"]["parse"] == []
    for call in ("@everyone", "@here", "<@U", "@marta"):
        assert call not in said
    content = json.loads(said)["content"]
    assert "\\*bold\\* \\_under\\_ \\~\\~struck" in content
    assert "\\[link\\]\\(https://evil.example)" in content
    assert "\\[-12-\\]{+15+}" in content
    assert len(content) <= 2000


async def test_telegram_gets_html_that_it_knows_and_calls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    point = pointed_at(monkeypatch, "/bot", "notify_url")
    said = await chat(lambda running: point(running, TELEGRAM), HOSTILE)
    assert said["parse_mode"].lower() == "html"
    assert "[-12-]" in said["text"]
    assert "@marta" not in said["text"]
    assert "<b>b</b>" not in said["text"]
    assert len(said["text"]) <= 4096


async def test_mattermost_calls_nobody_and_renders_nothing_of_the_publishers() -> None:
    said = await chat(lambda running: f"mmost://127.0.0.1:{running.port}/3ccdd113474722377935511fc85d3dd4", HOSTILE)
    text = said["text"]
    assert "@channel" not in text
    assert "@everyone" not in text
    assert "[link](https://evil.example)" not in text
    assert "\\*bold\\*" in text
    assert "https://courier.example/local/ferry" in text


async def test_ntfy_gets_the_text() -> None:
    async with receiver(answered(200, b"{}")) as running:
        await deliver(channel_of(options(f"ntfy://127.0.0.1:{running.port}/ferries")), alert())
    said = json.loads(running.posted[-1].body)
    assert said["title"].startswith("Ellery Courier changed 12 to 15 killed")
    assert "[-12-]{+15+}" in said["message"]


async def test_form_gets_html_where_it_is_asked_for() -> None:
    async with receiver() as running:
        await deliver(channel_of(options(f"form://127.0.0.1:{running.port}/?format=html")), alert())
    assert "</del><ins" in parse_qs(running.posted[-1].body.decode())["message"][0]


@pytest.mark.parametrize(
    ("text", "calls_nobody"),
    [
        ("@everyone", "@\u2060everyone"),
        ("a@everyone", "a@\u2060everyone"),
        ("＠here", "＠\u2060here"),
        ("<!channel>", "<\u2060!channel>"),
        ("<@U1>", "<\u2060@\u2060U1>"),
        ("<users/all>", "<\u2060users/all>"),
        ("write to desk@news.example", "write to desk@news.example"),
        ("5 < 6 @ 7", "5 < 6 @ 7"),
        (
            "https://toots.example/@marta?x=@here and @marta",
            "https://toots.example/%40marta?x=%40here and @\u2060marta",
        ),
    ],
)
def test_mentions_are_broken_up_and_addresses_are_not(text: str, calls_nobody: str) -> None:
    assert without_mentions(text) == calls_nobody
    assert without_mentions(calls_nobody) == calls_nobody


def test_mentions_are_broken_up_in_the_text_of_html_alone() -> None:
    fragment = '<a href="https://toots.example/@marta">@room &lt;!here&gt; a &amp; b</a>'
    assert without_mentions_html(fragment) == (
        '<a href="https://toots.example/@marta">@\u2060room &lt;\u2060!here&gt; a &amp; b</a>'
    )


@pytest.mark.parametrize("most", [200, 500, 1000, 4000])
def test_long_message_keeps_its_first_line_and_its_links(most: int) -> None:
    text = "\n\n".join(f"Paragraph {n} has {n} words." for n in range(200))
    message = compose(alert(story(replace(OLD, body=text), replace(NEW, body=text.replace("words", "ferries")))), LINKS)
    short = fitted(message, most)
    assert len(short) <= most
    assert short.startswith(message.first_line[: most - 1])
    if most > 500:
        assert "…" in short
        assert short.endswith(message.text[-100:])


def test_short_message_is_not_cut() -> None:
    message = compose(alert(), LINKS)
    assert fitted(message, len(message.text)) == message.text


# What goes wrong


def test_mail_server_that_refuses_is_tried_again() -> None:
    with postbox() as box:
        box.refuses = "550 No such desk"
        told = failure(box.address)
    assert told.startswith("Channel people: E-Mail did not take it: ")
    assert "desk@news.example" not in told


def test_mail_server_that_says_nothing_is_left_after_a_while() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        told = failure(f"mailto://127.0.0.1:{port}/?from=a@wirewatch.example&to=b@news.example&cto=5", timeout="1s")
    assert told == "Channel people: the service was not done within 1 seconds"


async def test_chat_that_hangs_is_left_after_a_while() -> None:
    async with receiver(after(3, answered())) as running:
        with pytest.raises(RetryLater, match="the service was not done within 1 seconds"):
            await deliver(channel_of(options(f"ntfy://127.0.0.1:{running.port}/ferries", timeout="1s")), alert())


async def test_a_slow_service_does_not_hold_up_the_loop() -> None:
    async with receiver(after(0.5, answered(200, b"{}"))) as running:
        sending = asyncio.create_task(deliver(channel_of(options(f"ntfy://127.0.0.1:{running.port}/ferries")), alert()))
        beats = 0
        while not sending.done():
            await asyncio.sleep(0.01)
            beats += 1
        await sending
    assert beats > 10


@pytest.mark.parametrize("status", [400, 403, 429, 500])
async def test_chat_that_refuses_is_tried_again(status: int) -> None:
    async with receiver(answered(status, b"no")) as running:
        url = f"mmost://127.0.0.1:{running.port}/3ccdd113474722377935511fc85d3dd4"
        with pytest.raises(RetryLater) as caught:
            await deliver(channel_of(options(url)), alert())
    assert "3ccdd113474722377935511fc85d3dd4" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "nonsense", "slack:too-short", "://too-short", "mail to://too-short"])
def test_what_has_no_scheme_is_no_address_of_apprises(url: str) -> None:
    with pytest.raises(ValidationError, match="is no address of apprise's") as caught:
        channel_of(options(url))
    assert "too-short" not in str(caught.value)


@pytest.mark.parametrize("url", ["slackk://too-short/b/c", "slack://too-short", "mailto://?", "file:///too-short"])
def test_address_that_apprise_cannot_use_is_told_at_a_check_and_when_sending(url: str) -> None:
    scheme = url.partition(":")[0]
    channel = channel_of(options(url))
    assert dict(channel.problems()) == {
        "url": f"apprise cannot use this {scheme}:// address; docs/alerts.md has examples"
    }
    assert failure(url) == f"Channel people: apprise cannot use its {scheme}:// address; mend `url`"


def test_reading_a_configuration_does_not_wait_for_apprise() -> None:
    program = (
        "import sys; from tests.wirewatch.alerts.contract import channel_of;"
        f"channel_of({options(SLACK)!r}); print('apprise' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_apprise_logs_nothing_of_what_it_does() -> None:
    logged: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == "apprise":
                logged.append(record.getMessage())

    listener = Listener(logging.DEBUG)
    logging.getLogger().addHandler(listener)
    try:
        with postbox() as box:
            box.refuses = "550 No such desk"
            assert "E-Mail did not take it" in failure(box.address)
    finally:
        logging.getLogger().removeHandler(listener)
    assert logged == []
