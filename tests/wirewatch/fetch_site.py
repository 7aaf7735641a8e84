"""A real web site on a free port of localhost, which does exactly the bytes it is told to.

It speaks raw sockets, because what is tested is mostly what no web framework would send.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from wirewatch.clock import Clock, SystemClock
from wirewatch.fetch.addresses import host_of
from wirewatch.fetch.client import Fetcher, TooLate
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.fetch.slots import RobotsCopy, Slots
from wirewatch.model import Capture, Check

Send = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    at: float
    path: str
    headers: dict[str, str]


@dataclass
class Site:
    """What the site answers by path, and what it was asked."""

    answers: dict[str, bytes | Send]
    tls: ssl.SSLContext | None = None
    port: int = 0
    log: list[Request] = field(default_factory=list)

    def url(self, path: str = "/story", host: str = "127.0.0.1") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [request.path for request in self.log]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while first := await reader.read(1):
                if first == b"\x16":  # TLS, where there is none
                    writer.write(answered(status=400))
                    break
                head = first + await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                path = lines[0].split(" ")[1]
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                self.log.append(Request(at=time.monotonic(), path=path, headers=headers))
                answer = self.answers.get(path, answered(b"Not here.", status=404))
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await answer(writer)
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ssl.SSLError):
            pass  # the client has had enough
        finally:
            writer.close()


@contextmanager
def site(answers: Mapping[str, bytes | Send] | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Run a site in a thread until the block ends."""
    running = Site(dict(answers or {}), tls)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def main() -> None:
        server = await asyncio.start_server(running.serve, "127.0.0.1", 0, ssl=tls)
        running.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    ready.wait()
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def answered(body: bytes = b"", *, status: int = 200, **headers: str) -> bytes:
    """Return an HTTP answer; `content_type="text/html"` becomes the header `content-type`."""
    fields = {"content-length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode("latin-1") + body


def to(location: str, status: int = 302) -> bytes:
    return answered(status=status, location=location)


class MemorySlots:
    """Slots of one process, as the store would hand them out."""

    def __init__(self, spacing_seconds: float = 0, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._spacing = timedelta(seconds=spacing_seconds)
        self._next: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self.taken: list[str] = []
        self.copies: dict[str, RobotsCopy] = {}
        self.blocked: dict[str, datetime] = {}

    def next_slot(self, host: str) -> datetime:
        with self._lock:
            now = self._clock.now()
            start = max(now, self._next.get(host, now))
            delay = self.copies[host].crawl_delay_seconds if host in self.copies else None
            self._next[host] = start + max(self._spacing, timedelta(seconds=delay or 0))
            self.taken.append(host)
            return start

    def robots(self, host: str) -> RobotsCopy | None:
        return self.copies.get(host)

    def keep_robots(self, host: str, copy: RobotsCopy) -> None:
        self.copies[host] = copy

    def block_host(self, host: str, until: datetime) -> None:
        self.blocked[host] = until


def policy(**changes: Any) -> FetchPolicy:
    """Return a policy that may ask this machine."""
    return FetchPolicy(**{"contact": "desk@courier.example", "allow_addresses": ("127.0.0.1",), **changes})


def check(url: str, **changes: Any) -> Check:
    """Return a check that may start now."""
    now = datetime.now(UTC)
    defaults = {"url": url, "reason": "article", "start": now, "lease_ends": now + timedelta(minutes=5)}
    return Check(**{**defaults, **changes})


@asynccontextmanager
async def fetcher(**changes: Any) -> AsyncIterator[Fetcher]:
    one = Fetcher(policy(**changes))
    try:
        yield one
    finally:
        await one.close()


def fetch(
    asked: Check | str, slots: Slots | None = None, clock: Clock | None = None, **changes: Any
) -> Capture | TooLate:
    """Fetch one check with a fetcher of its own; `changes` are the policy's."""
    one = check(asked) if isinstance(asked, str) else asked

    async def run() -> Capture | TooLate:
        async with fetcher(**changes) as ours:
            return await ours.fetch(one, slots or MemorySlots(clock=clock), clock or SystemClock())

    return asyncio.run(run())


def captured(asked: Check | str, slots: Slots | None = None, clock: Clock | None = None, **changes: Any) -> Capture:
    """Fetch one check that is not too late."""
    capture = fetch(asked, slots, clock, **changes)
    assert isinstance(capture, Capture)
    return capture


def host(running: Site) -> str:
    return host_of(running.url())
