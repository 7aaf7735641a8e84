"""Hold the store for a server that outlives its troubles, and remember answers for as long as nothing was written.

A store that is locked, gone or of another version when it is asked is a page that says so, and the next request tries
again; the server itself never ends for it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import exc
from sqlalchemy.engine import Connection

from wirewatch.bounded import Pool
from wirewatch.errors import StoreError
from wirewatch.model import Instance
from wirewatch.store import Store, browsing
from wirewatch.store.instance import known_instance
from wirewatch.viewer.lists import Library

_WAIT_SECONDS: Final = 2.0  # for a lock
_LOOK_SECONDS: Final = 0.05  # between two looks whether anything was written: a change shows so much later
_STATE_SECONDS: Final = 5.0  # for which one connection is kept to look with
_REMEMBERED_BYTES: Final = 64 << 20
_LARGEST_BYTES: Final = 1 << 20


class Shelf:
    """The store, opened at the first request and again after trouble."""

    def __init__(self, url: str, instance: Instance, pool: Pool, *, limit_seconds: float) -> None:
        self._url = url
        self._instance = instance
        self._pool = pool
        self._limit_seconds = limit_seconds
        self._lock = threading.Lock()
        self._library: Library | None = None
        self._watcher: Connection | None = None
        self._watched_since = 0.0
        self._looked = 0.0
        self._state = ""
        self._turns = 0

    def library(self) -> Library:
        """Return what pages are made from; raise StoreError where the store cannot be opened."""
        with self._lock:
            if self._library is None:
                store = Store.open(self._url, wait_seconds=_WAIT_SECONDS)
                known = known_instance(store)
                if known is not None and known != self._instance:
                    store.close()
                    raise StoreError(
                        f"The store belongs to the installation {known.authority},{known.since}, which the"
                        " configuration does not name: write that under `instance` and start again."
                    )
                self._library = Library(store=store, instance=self._instance, pool=self._pool)
            return self._library

    @contextmanager
    def reading(self) -> Iterator[tuple[Library, Connection]]:
        """Give the library with a connection for one page, whose statements are stopped when their time is up."""
        with self.guarded() as library, browsing.limited(library.store, self._limit_seconds) as conn:
            yield library, conn

    @contextmanager
    def guarded(self) -> Iterator[Library]:
        """Give the library; let go of the store where it turns out to be of no use."""
        library = self.library()
        try:
            yield library
        except (StoreError, exc.DBAPIError) as error:
            self.close()
            if isinstance(error, StoreError):
                raise
            message = "The store is not as this version of Wirewatch needs it: bring it up to date and start again."
            raise StoreError(message) from error

    def state(self) -> str:
        """Return what is another once anything was written, at most a twentieth of a second later."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return self._state
        with self.guarded() as library, self._lock:
            if self._watcher is None or now - self._watched_since > _STATE_SECONDS:
                self._drop_watcher()
                reading = library.store.engine.connect().execution_options(wirewatch_reading=True)
                self._watcher, self._watched_since, self._turns = reading, now, self._turns + 1
            with self._watcher.begin():
                self._state = f"{self._turns} {browsing.state(self._watcher)}"
            self._looked = time.monotonic()
            return self._state

    def close(self) -> None:
        """Let go of the store until it is asked for again."""
        with self._lock:
            self._drop_watcher()
            if self._library is not None:
                self._library.store.close()
                self._library = None
            self._looked = 0.0

    def _drop_watcher(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """An answer, and the state of the store that it was made from."""

    state: str
    answer: Any
    size: int
    until: float


class Memory:
    """Answers by address, the latest 64 MiB of them."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds  # an answer says how long ago things were, too
        self._kept: OrderedDict[Any, Kept] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Any, state: str) -> Any:
        """Return the answer to the same question if nothing was written since, else None."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.state != state or kept.until < time.monotonic():
                return None
            self._kept.move_to_end(key)
            return kept.answer

    def put(self, key: Any, state: str, answer: Any, size: int) -> None:
        """Remember an answer."""
        if size > _LARGEST_BYTES:
            return
        kept = Kept(state=state, answer=answer, size=size, until=time.monotonic() + self._seconds)
        with self._lock:
            if (before := self._kept.pop(key, None)) is not None:
                self._size -= before.size
            self._kept[key] = kept
            self._size += size
            while self._size > _REMEMBERED_BYTES:
                _, dropped = self._kept.popitem(last=False)
                self._size -= dropped.size
