"""The newsroom as a real HTTP server on this machine, with both newspapers behind one port.

Its time stands still until `set_time` moves it. Stopping it ends every connection, kept alive or not, and waits for
its threads: nothing of it is left when `stop` returns.
"""

from __future__ import annotations

import gzip
import itertools
import socket
import sys
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs

from wirewatch.demo.answers import SITES, Answer, Request, answer, browser_host, site_of
from wirewatch.demo.noise import Noise
from wirewatch.demo.stories import Site, at

LOOPBACK: Final = "127.0.0.1"
PASSES: Final = ("14:26", "15:31", "15:54", "16:10", "17:00")
"""The times of day at which the demo looks."""

_OPENING = at(PASSES[0])
_REMEMBERED = 10_000  # requests; five passes of the demo make about a hundred
_FORM_BYTES = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request that the newsroom answered."""

    host: str
    path: str
    status: int
    agent: str
    conditional: bool


class Newsroom:
    """Serve the Ellery Courier and the Harbour Post on a port of 127.0.0.1, at a time of one's choosing.

    Use it as a context manager, or call `stop`. Port 0 takes a free one.
    """

    def __init__(self, *, now: datetime = _OPENING, port: int = 0) -> None:
        self._numbers = itertools.count(1)
        self._asked: deque[Asked] = deque(maxlen=_REMEMBERED)
        self.set_time(now)
        self._server = _Server(self, port)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="newsroom", daemon=True)
        self._thread.start()

    @property
    def sites(self) -> tuple[Site, ...]:
        return SITES

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def address(self) -> str:
        """Where the newsroom listens: `127.0.0.1:PORT`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def connect_to(self) -> dict[str, str]:
        """The addresses behind the invented names, as `fetch.connect_to` in a configuration wants them."""
        return {site.host: self.address for site in SITES}

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The requests answered so far, the oldest first."""
        return tuple(self._asked)

    def set_time(self, now: datetime) -> None:
        """Move the newsroom to another time, forwards or back; refuse one without a zone."""
        if now.tzinfo is None:
            raise ValueError(f"A time without a zone: {now.isoformat()}")
        self._now = now

    def answer(self, host: str, request: Request) -> Answer:
        """Return what the newsroom answers to a GET; what `host` says chooses the newspaper."""
        site = site_of(host)
        if site is not None:
            return answer(site, request, self._now, Noise(next(self._numbers)))
        if host.partition(":")[0] in (LOOPBACK, "localhost") and request.path == "/":
            return Answer(headers=(("Content-Type", "text/html; charset=utf-8"),), body=self._desk().encode())
        return _plain(HTTPStatus.NOT_FOUND, f"No newspaper is made under the name {host[:200]!r} here.\n")

    def note(self, asked: Asked) -> None:
        """Remember a request."""
        self._asked.append(asked)

    def stop(self) -> None:
        """End the server, its connections and its threads; a second call does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.end_connections()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _desk(self) -> str:
        papers = "".join(f'<li><a href="http://{browser_host(s)}:{self.port}/">{s.name}</a></li>' for s in SITES)
        times = "".join(f'<button name="at" value="{clock}">{clock}</button> ' for clock in PASSES)
        return (
            '<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>The newsroom</title></head>'
            '<body style="font: 18px/1.6 Georgia, serif; max-width: 40rem; margin: 3rem auto">'
            f"<h1>It is {self._now:%H:%M} in the newsroom</h1><ul>{papers}</ul>"
            f'<form method="post" action="/_newsroom/time"><p>Make it {times}</p></form></body></html>'
        )


class _Server(ThreadingHTTPServer):
    """Know the open connections, so that those kept alive can be ended."""

    daemon_threads = False  # so that `server_close` waits for them
    request_queue_size = 64

    def __init__(self, newsroom: Newsroom, port: int) -> None:
        self.newsroom = newsroom
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((LOOPBACK, port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, client = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, client

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a reader that hangs up is no error of ours
            super().handle_error(request, client_address)

    def end_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the other side was faster


class _Handler(BaseHTTPRequestHandler):
    """Speak HTTP for the newsroom."""

    protocol_version = "HTTP/1.1"
    server_version = "Quoin"
    sys_version = ""
    timeout = 60
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        host = self.headers.get("Host", "")
        request = Request(
            path=self.path.partition("?")[0],
            if_none_match=self.headers.get("If-None-Match"),
            if_modified_since=self.headers.get("If-Modified-Since"),
        )
        self._send(self.server.newsroom.answer(host, request))

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        form = self._form()
        if site_of(self.headers.get("Host", "")) is not None or self.path != "/_newsroom/time":
            self._send(_plain(HTTPStatus.METHOD_NOT_ALLOWED, "Nothing can be sent here.\n", ("Allow", "GET, HEAD")))
            return
        try:
            self.server.newsroom.set_time(at(form.get("at", [""])[0]))
        except ValueError:
            self._send(_plain(HTTPStatus.BAD_REQUEST, "Send a time of day, such as at=15:31.\n"))
            return
        clock = f"{self.server.newsroom.now:%H:%M}"
        self._send(_plain(HTTPStatus.SEE_OTHER, f"It is {clock} in the newsroom.\n", ("Location", "/")))

    def _form(self) -> dict[str, list[str]]:
        """Read the request's form; whoever sends none, or too much, is cut off after the answer."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _FORM_BYTES:
            self.close_connection = True
            return {}
        return parse_qs(self.rfile.read(int(length)).decode("utf-8", "replace"))

    def _send(self, reply: Answer) -> None:
        body = reply.body
        headers = [*reply.headers, ("Vary", "Accept-Encoding")]
        if body and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=4, mtime=0)
            headers.append(("Content-Encoding", "gzip"))
        if reply.status is not HTTPStatus.NOT_MODIFIED:
            headers.append(("Content-Length", str(len(body))))
        self.send_response(reply.status)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self._note(reply.status)
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # the reader has left

    def _note(self, status: HTTPStatus) -> None:
        conditional = bool(self.headers.get("If-None-Match") or self.headers.get("If-Modified-Since"))
        self.server.newsroom.note(
            Asked(
                host=self.headers.get("Host", "").partition(":")[0],
                path=self.path,
                status=int(status),
                agent=self.headers.get("User-Agent", ""),
                conditional=conditional,
            )
        )

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the newsroom's time for the Date header, which must not contradict Last-Modified."""
        return format_datetime(self.server.newsroom.now, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name http.server gives it)
        """Write nothing: `Newsroom.asked` has the requests."""


def _plain(status: HTTPStatus, sentence: str, *headers: tuple[str, str]) -> Answer:
    return Answer(
        status=status, headers=(("Content-Type", "text/plain; charset=utf-8"), *headers), body=sentence.encode()
    )
