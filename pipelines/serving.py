"""Serve a deployment's viewer: in the foreground for whoever looks, or beside something else for a while."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from pipelines.config import Config
from wirewatch.bounded import Pool
from wirewatch.clock import Clock
from wirewatch.errors import ConfigurationError
from wirewatch.viewer import safety
from wirewatch.viewer.answers import Viewer
from wirewatch.viewer.app import application
from wirewatch.viewer.shelf import Shelf

_BACKLOG: Final = 512
_MOST_AT_ONCE: Final = 1_000  # requests; more are told to come back
_CHILDREN: Final = 1  # compare revisions that are no neighbours


def serve(config: Config, clock: Clock, said: Callable[[str], None]) -> None:
    """Serve until stopped; `said` is told the address once it answers.

    Raise ConfigurationError where it may not or cannot listen there. A store that cannot be opened is a page that says
    so, until it can be.
    """
    with _server(config, clock) as (server, listening, address):
        said(f"The viewer is at {config.viewer.public_url or address} (Ctrl-C stops it)")
        server.run(sockets=[listening])


@contextmanager
def serving(config: Config, clock: Clock) -> Iterator[str]:
    """Serve beside the caller's own work, and give the address."""
    with _server(config, clock) as (server, listening, address):
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="viewer", daemon=True)
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _server(config: Config, clock: Clock) -> Iterator[tuple[uvicorn.Server, socket.socket, str]]:
    settings = config.viewer
    guard = safety.guard(settings.address, settings.public_url, settings.user_header)
    listening = _listen(settings.address, settings.port)
    with listening, Pool(_CHILDREN, timeout_seconds=config.work.timeout) as pool:
        shelf = Shelf(config.store, config.instance, pool, limit_seconds=settings.time_limit)
        try:
            app = application(Viewer(shelf=shelf, guard=guard, clock=clock, public_url=settings.public_url))
            options = uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                backlog=_BACKLOG,
                limit_concurrency=_MOST_AT_ONCE,
                timeout_graceful_shutdown=5,
            )
            host = f"[{settings.address}]" if ":" in settings.address else settings.address
            yield uvicorn.Server(options), listening, f"http://{host}:{listening.getsockname()[1]}"
        finally:
            shelf.close()


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)  # who asks before the first answer can be given waits for it
    except OSError as error:
        listening.close()
        message = f"{address}:{port} cannot be listened at ({error.strerror or error}); choose another: --port"
        raise ConfigurationError(message, about=address) from error
    return listening
