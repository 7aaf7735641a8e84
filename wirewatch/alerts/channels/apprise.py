"""Send alerts by whatever apprise knows: e-mail, Slack, Teams, Telegram, Matrix and a hundred others.

Apprise is given what it needs to know what it handles: HTML as HTML, text as text, so that it escapes for services
that would read markup into it. What remains are mentions, which no escaping covers; they are broken up here. Its calls
block, so they run on a thread of the channel's; given no time limit of its own, apprise stays on that thread, while
with one it would use a pool that all channels share.
"""

from __future__ import annotations

import asyncio
import html
import logging
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from wirewatch.alerts.channels.base import Channel, Said
from wirewatch.alerts.model import Alert
from wirewatch.errors import RetryLater
from wirewatch.units import seconds

if TYPE_CHECKING:
    from apprise import Apprise

    from wirewatch.alerts.message import Message

# What it means, apprise alone can say; it takes a second to import, and nothing that only reads a configuration waits.
_FORM: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://\S+")
_MAIL: Final = frozenset({"mailto", "mailtos"})  # where an @ calls nobody
# Services that render Markdown in what apprise hands them as plain text; where it knows their markup, it escapes.
_RENDERING: Final = frozenset(
    "discord flock fluxer fluxers guilded mmost mmosts nctalk nctalks revolt ryver zulip".split()  # noqa: SIM905
)
_MARKUP: Final = re.compile(r"[\\`*_~|\[\]()<>#]")
# An invisible character that no service takes for part of a name: the word joiner.
_BREAK: Final = "\u2060"
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"']+")
# What calls people: @name, and also inside of a word where the name is everybody's; and what Slack, Discord and Google
# write as <!here>, <@U1>, <users/all>.
_MENTION: Final = re.compile(
    r"(?<![^\W_])[@＠](?=\w)|[@＠](?=everyone|here|channel|room|all|team)|<(?=[!@#&:/\w])", re.IGNORECASE
)
_TAG: Final = re.compile(r"(<[^>]*>)")
_ESCAPED: Final = 1.6  # how much longer a text becomes, at most, where a service's markup is escaped in it
_LEAST_SECRET: Final = 4  # characters; shorter parts of an address tell nothing, and stand in every sentence


def _address(url: SecretStr) -> SecretStr:
    if not _FORM.fullmatch(url.get_secret_value()):
        raise ValueError(
            "is no address of apprise's; it begins like mailto:// or slack://, and docs/alerts.md has some"
        )
    return url


def _opened(url: SecretStr) -> Apprise | None:
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 (takes seconds to import)

    logging.getLogger("apprise").propagate = False  # what goes wrong is raised, not logged: its lines name addresses
    about: dict[str, Any] = {"app_id": "Wirewatch", "app_desc": "Wirewatch", "app_url": ""}
    asset = AppriseAsset(**about, image_url_mask="", image_url_logo="", service_timeout=0)
    service = Apprise(asset=asset)
    return service if service.add(url.get_secret_value()) and len(service) == 1 else None


def _timeout(value: object) -> float:
    wait = seconds(value)
    if not 1 <= wait <= 50:
        raise ValueError("is not between 1s and 50s")
    return wait


class AppriseChannel(Channel):
    """Send alerts by e-mail, Slack, Teams, Telegram, Matrix or another service that apprise knows."""

    kind: Literal["apprise"]
    url: Annotated[
        SecretStr,
        AfterValidator(_address),
        Said("apprise address"),
        Field(description="Where alerts go, in apprise's spelling, from the environment."),
    ]
    timeout: Annotated[
        float,
        BeforeValidator(_timeout),
        Said("duration, 1s to 50s"),
        Field(description="How long sending one alert may take."),
    ] = 30.0

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the options, by key."""
        yield from super().problems()
        if _opened(self.url) is None:
            yield "url", f"apprise cannot use this {self._scheme}:// address; docs/alerts.md has examples"

    async def send(self, alert: Alert, message: Message, now: datetime) -> None:
        """Hand the message to the service, as HTML where that takes it, else as text."""
        try:
            async with asyncio.timeout(self.timeout):
                problem = await self.in_thread(self._notify, alert, message)
        except TimeoutError:
            problem = f"the service was not done within {self.timeout:g} seconds"
        if problem is not None:
            # Apprise does not tell a refusal from an answer that came too late.
            raise RetryLater(
                f"Channel {self.name}: {self._without_secrets(problem)}", about=self.name, perhaps_taken=True
            )

    def _notify(self, alert: Alert, message: Message) -> str | None:
        """Return what went wrong, or None. Blocks."""
        from apprise import NotifyFormat  # noqa: PLC0415

        opened = _opened(self.url)
        if opened is None:
            return f"apprise cannot use its {self._scheme}:// address; mend `url`"
        service: Any = opened[0]
        is_mail = self._scheme in _MAIL
        if is_mail:
            # The id is the same on every attempt; and no out-of-office message answers (RFC 3834, 5).
            service.headers |= {"X-Wirewatch-Alert": alert.id, "Auto-Submitted": "auto-generated"}
        body = message.html if is_mail else without_mentions_html(message.html)
        as_html = service.resolve_format(NotifyFormat.HTML) == NotifyFormat.HTML and len(body) <= service.body_maxlen
        if not as_html:
            body = self._text(message, service.body_maxlen)
        subject = message.subject if is_mail else without_mentions(message.subject)
        # Where there are no subjects, or markup in them, the first line says the same.
        has_subject = service.title_maxlen > 0 and self._scheme not in _RENDERING
        result = opened.notify(
            body=body,
            title=subject[: service.title_maxlen] if has_subject else "",
            body_format=NotifyFormat.HTML if as_html else NotifyFormat.TEXT,
        )
        if result:
            return None
        said = next((entry.message for entry in reversed(list(result.logs())) if entry.message), "it did not say why")
        return f"{service.service_name} did not take it: {' '.join(said.split())[:300]}"

    def _text(self, message: Message, most: int) -> str:
        if self._scheme in _MAIL:
            return fitted(message, most)
        text = without_mentions(fitted(message, int(most / _ESCAPED)))
        if self._scheme in _RENDERING:
            text = without_markup(text)
        return text if len(text) <= most else f"{text[: most - 1]}…"

    @property
    def _scheme(self) -> str:
        return self.url.get_secret_value().partition("://")[0].lower()

    def _without_secrets(self, text: str) -> str:
        """Return a sentence without any part of the channel's address."""
        parts = re.split(r"[/:@?&=,%]+", self.url.get_secret_value().partition("://")[2])
        for part in sorted((part for part in parts if len(part) >= _LEAST_SECRET), key=len, reverse=True):
            text = text.replace(part, "…")
        return text


def without_mentions(text: str) -> str:
    """Return a text in which nothing calls anybody, by an invisible character; web addresses keep working."""
    return _around_addresses(text, lambda part: _MENTION.sub(_broken, part), lambda url: url.replace("@", "%40"))


def without_markup(text: str) -> str:
    """Return a text that Markdown shows as it is, web addresses apart."""
    return _around_addresses(text, lambda part: _MARKUP.sub(r"\\\g<0>", part), lambda url: url)


def _around_addresses(text: str, change: Callable[[str], str], change_address: Callable[[str], str]) -> str:
    parts, at = [], 0
    for address in _ADDRESS.finditer(text):
        parts += [change(text[at : address.start()]), change_address(address[0])]
        at = address.end()
    return "".join([*parts, change(text[at:])])


def without_mentions_html(fragment: str) -> str:
    """Return the same of an HTML fragment, whose elements stay as they are."""
    pieces = _TAG.split(fragment)
    return "".join(
        piece if index % 2 else html.escape(without_mentions(html.unescape(piece)), quote=False)
        for index, piece in enumerate(pieces)
    )


def fitted(message: Message, most: int) -> str:
    """Return a message's text, or as many of its lines as fit, beginning and end: the last ones have the links."""
    if len(message.text) <= most:
        return message.text
    lines = message.text.split("\n")
    end = lines.index("", len(lines) - 7) if "" in lines[-7:] else len(lines) - 3
    foot = "\n".join(["…", *lines[end:]])
    room = most - len(foot) - 1
    if room < len(message.first_line):
        return f"{message.text[: most - 1]}…"
    return f"{message.text[:room].rpartition(chr(10))[0] or message.text[:room]}\n{foot}"


def _broken(match: re.Match[str]) -> str:
    return f"{match[0]}{_BREAK}"
