"""Real receivers on free ports of localhost: an HTTP one that does what it is told, and a mail server."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Posted:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers each request with the next of its answers, and the last one for ever; keeps what it was sent."""

    answers: list[Answer]
    port: int = 0
    scheme: str = "http"
    posted: list[Posted] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = first.split(" ")
                self.posted.append(Posted(method, path, headers, body))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if not isinstance(answer, bytes):
                    await answer(writer)
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ssl.SSLError):
            pass  # the sender has had enough
        finally:
            writer.close()


@asynccontextmanager
async def receiver(*answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver on the test's own loop until the block ends; it answers 200 where nothing is given."""
    running = Receiver(list(answers or [answered()]), scheme="https" if tls else "http")
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0, ssl=tls, limit=2**22)
    running.port = server.sockets[0].getsockname()[1]
    before = asyncio.all_tasks()
    try:
        yield running
    finally:
        server.close()
        for task in asyncio.all_tasks() - before - {asyncio.current_task()}:
            task.cancel()


def answered(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP answer; `retry_after="7"` becomes a header."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


def after(seconds: float, answer: bytes) -> Answer:
    """Return an answer that comes late."""

    async def send(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        writer.write(answer)
        await writer.drain()

    return send


async def never(writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing."""
    await asyncio.Event().wait()


def endless(head: bytes, chunk: bytes, sent: list[int]) -> Answer:
    """Return an answer that goes on for as long as anybody reads it; `sent` is told how many bytes left."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(chunk)
            sent.append(len(chunk))
            await writer.drain()

    return send


class Postbox:
    """A real SMTP server that keeps the mail it is sent."""

    def __init__(self) -> None:
        self.mail: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.refuses = ""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        if self.refuses:
            return self.refuses
        self.raw.append(envelope.content)
        self.recipients += envelope.rcpt_tos
        self.mail.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 Taken"

    @property
    def address(self) -> str:
        """How apprise spells the way here."""
        return f"mailto://127.0.0.1:{self.port}/?from=wirewatch@wirewatch.example&to=desk@news.example"


@contextmanager
def postbox() -> Iterator[Postbox]:
    """Run a mail server until the block ends."""
    box = Postbox()
    box.controller.start()
    try:
        yield box
    finally:
        box.controller.stop()
