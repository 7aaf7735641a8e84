"""The SQL store: what is kept, what is due, and what still has to leave.

Every function that takes a `Connection` runs inside the caller's transaction; every one that takes a `Store` makes
its own. Never call the second kind inside the first: on SQLite a process would wait for itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection, Engine

from wirewatch.store import engine as _engine
from wirewatch.store import migrations

__all__ = ["Store"]

_shared: dict[str, Store] = {}
_sharing = threading.Lock()


class Store:
    """An open store. Open one a process and let all threads share it; a pickled store is the other process's own."""

    def __init__(self, url: str, engine: Engine) -> None:
        self.url = url  # with its password, for other processes of this job
        self.engine = engine

    @classmethod
    def open(cls, url: str, *, wait_seconds: float = 30.0) -> Store:
        """Open the store at `sqlite:///FILE` or `postgresql://…`, made or brought up to date if need be.

        A lock is waited for `wait_seconds`. Raises ConfigurationError for an address that cannot be one, and
        StoreError where the store cannot be opened or was written by a newer Wirewatch.
        """
        address = _engine.parse(url)
        store = cls(url, _engine.create(address, wait_seconds=wait_seconds))
        try:
            with _engine.explained(address):
                migrations.bring_up_to_date(store.engine)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def shared(cls, url: str) -> Store:
        """Return this process's one store at `url`, opened at first use; nobody closes it."""
        with _sharing:
            if url not in _shared:
                _shared[url] = cls.open(url)
            return _shared[url]

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Give a connection in a writing transaction, committed at the end, undone by any exception."""
        with _engine.explained(self.engine.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection in a transaction that only reads and sees one state of the store throughout."""
        with (
            _engine.explained(self.engine.url),
            self.engine.connect().execution_options(**_engine.READING) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __repr__(self) -> str:
        return f"Store({_engine.shown(self.engine.url)!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (Store.shared, (self.url,))
