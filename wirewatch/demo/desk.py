"""The newsroom's listening desk: a webhook receiver and a mail server on this machine, to which alerts are sent.

What it takes in, it has checked: a message whose signature does not hold, or whose time is not the newsroom's, is
turned away, as any receiver would. It remembers ids, so that what comes twice is counted and not told twice.
"""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import hmac
import json
import re
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Literal, Self

from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook

LOOPBACK: Final = "127.0.0.1"
EDITOR: Final = "desk@harbourpost.example"
_TOLERANCE_SECONDS: Final = 300  # what Standard Webhooks allows between a message's time and the receiver's
_BODY_BYTES: Final = 2**20
_ARTICLE: Final = re.compile(r"^\s*Article: (\S+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """One message. `id` is the alert's, the same however often it was sent.

    `links` are the articles that it is of. `told` is what a webhook's event says: the last words of its type, such as
    `revised`, and the headline; of a mail the subject and the first line.
    """

    by: Literal["webhook", "mail"]
    at: datetime  # in the newsroom
    id: str
    told: tuple[str, str]
    links: tuple[str, ...]


class Desk:
    """Listen on two ports of 127.0.0.1 until stopped. `clock` tells the time in the newsroom.

    Use it as a context manager, or call `stop`.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        self.turned_away: list[str] = []  # why, of each message that was
        self.repeated = 0
        self._clock = clock
        self._arrived: dict[tuple[str, str], Arrived] = {}
        self._lock = threading.Lock()
        self._hooks = _Hooks(self)
        self._mail = _Mail(self)

    @property
    def webhook_url(self) -> str:
        """Where webhooks are taken."""
        return f"http://{LOOPBACK}:{self._hooks.server_address[1]}/alerts"

    @property
    def mail_url(self) -> str:
        """Where mail is taken, as apprise spells it."""
        return f"mailto://{LOOPBACK}:{self._mail.port}/?from=wirewatch@wirewatch.example&to={EDITOR}"

    @property
    def arrived(self) -> tuple[Arrived, ...]:
        """What has arrived so far, in its order, each message once."""
        with self._lock:
            return tuple(self._arrived.values())

    def take_webhook(self, headers: dict[str, str], body: bytes) -> HTTPStatus:
        """Return what a posted message is answered with, and keep it if it is what it says it is."""
        if (problem := self._problem(headers, body)) is not None:
            self.turned_away.append(problem)
            return HTTPStatus.UNAUTHORIZED
        said = json.loads(body)
        events = said if isinstance(said, list) else [said]
        self._keep(
            Arrived(
                by="webhook",
                at=self._clock(),
                id=headers["webhook-id"],
                told=_kind_and_headline(events[0]),
                links=tuple(event["data"]["article"]["url"] for event in events if "article" in event["data"]),
            )
        )
        return HTTPStatus.NO_CONTENT

    def take_mail(self, content: bytes) -> None:
        """Keep a mail."""
        mail = email.message_from_bytes(content, policy=email.policy.default)
        part = mail.get_body(("plain",))
        text = "" if part is None else part.get_content()
        first_line = next((line for line in text.splitlines() if line.strip()), "")
        self._keep(
            Arrived(
                by="mail",
                at=self._clock(),
                id=str(mail["X-Wirewatch-Alert"] or mail["Message-ID"]),
                told=(str(mail["Subject"] or ""), first_line),
                links=tuple(_ARTICLE.findall(text)),
            )
        )

    def stop(self) -> None:
        """End both servers and their threads; a second call does nothing."""
        self._hooks.stop()
        self._mail.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _problem(self, headers: dict[str, str], body: bytes) -> str | None:
        """Return why a message is not taken.

        The library's own check goes by the machine's time, and here it is 16 March 2026, so time and signature are
        checked with what it is made of.
        """
        name, stamp, given = (headers.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
        if not (name and stamp.isascii() and stamp.isdigit() and given):
            return "a header of Standard Webhooks is missing"
        sent = datetime.fromtimestamp(int(stamp), UTC)
        if abs((sent - self._clock()).total_seconds()) > _TOLERANCE_SECONDS:
            return f"sent at {sent:%Y-%m-%d %H:%M}, which is not now"
        wanted = Webhook(self.secret).sign(name, sent, body.decode(errors="replace"))
        if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given.split(" ")):
            return "the signature does not hold"
        return None

    def _keep(self, message: Arrived) -> None:
        with self._lock:
            if (message.by, message.id) in self._arrived:
                self.repeated += 1
            else:
                self._arrived[message.by, message.id] = message


def _kind_and_headline(event: dict[str, Any]) -> tuple[str, str]:
    kind = event["type"].split(".")[-2]
    data = event["data"]
    return kind, data["article"].get("headline", "") if "article" in data else data.get("text", "")


class _Hooks(ThreadingHTTPServer):
    """Take webhooks, one message for each connection."""

    daemon_threads = False  # so that `server_close` waits for them

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        super().__init__((LOOPBACK, 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="desk webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a sender that hangs up is no fault of the desk's
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Hooks
    timeout = 10

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _BODY_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        self._answer(self.server.desk.take_webhook({k.lower(): v for k, v in self.headers.items()}, body))

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Say nothing: what matters is in `arrived`."""


class _Mail:
    """Take mail, on an event loop of its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop = asyncio.new_event_loop()
        listening = self._loop.create_server(lambda: SMTP(self, hostname="desk", loop=self._loop), LOOPBACK, 0)
        self._server = self._loop.run_until_complete(listening)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="desk mail", daemon=True)
        self._thread.start()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's)
        content = envelope.content or b""
        self._desk.take_mail(content.encode() if isinstance(content, str) else content)
        return "250 Taken"

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for one in connections:
            one.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
