"""Make the engine of a store, and say in one sentence what a database cannot do.

SQLite's driver opens no transaction before the first write, so that two processes that read and then write lose each
other's updates in silence; here every writing transaction begins with BEGIN IMMEDIATE instead.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import URL, Connection, Engine, make_url

from wirewatch.errors import ConfigurationError, StoreError, Superseded

READING = {"wirewatch_reading": True}
"""Execution options of a connection whose transaction only reads."""

_SHAPES = "write sqlite:///FOLDER/FILE or postgresql://USER@HOST/DATABASE"
# PostgreSQL's codes (its manual, appendix A): serialization_failure, deadlock_detected.
_LOST_RACES = frozenset({"40001", "40P01"})
_EMPTIED = "has lost its tables: put back a copy, or start again to make a new one"
_POSTGRES = {
    "53100": "has no room left on its disk: free some and start again",
    "53300": "takes no more connections: close some and start again",
    "55P03": "is locked by another process: wait for it and start again",
    "57014": "stopped a statement that took too long: start again",
    "25006": "is read-only: give this user a writable database",
    "42501": "does not allow this user to do that: grant the rights and start again",
    "3D000": "does not exist: create the database and start again",
    "28P01": "refuses the password: mend the store's address",
    "42P01": _EMPTIED,
    "28000": "refuses this user: mend the store's address",
}
_PAUSE_SECONDS = 0.02
# SQLite's primary result codes.
_SQLITE = {
    sqlite3.SQLITE_BUSY: "is locked by another process: wait for it and start again",
    sqlite3.SQLITE_LOCKED: "is locked by another process: wait for it and start again",
    sqlite3.SQLITE_FULL: "has no room left on its disk: free some and start again",
    sqlite3.SQLITE_READONLY: "is read-only: make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: see that its folder exists and is writable",
    sqlite3.SQLITE_IOERR: "cannot be read or written by the disk: see to the disk and start again",
    sqlite3.SQLITE_CORRUPT: "is damaged: put back a copy",
    sqlite3.SQLITE_NOTADB: "is not a database: give the address of another file",
}


def parse(url: str) -> URL:
    """Return the address of a store, or raise ConfigurationError without repeating its password."""
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise ConfigurationError(f"The store's address cannot be read: {_SHAPES}.") from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ConfigurationError(f"A store cannot be kept in {parsed.drivername}: {_SHAPES}.")
    if parsed.database in (None, "", ":memory:"):
        raise ConfigurationError(f"The store needs a file, which other processes can open too: {_SHAPES}.")
    return parsed


def shown(url: URL) -> str:
    """Return the address as it may be shown: with neither password nor query, where a password may stand too."""
    return url.set(query={}, drivername=url.get_backend_name()).render_as_string(hide_password=True)


def create(url: URL, *, wait_seconds: float) -> Engine:
    """Return an engine whose transactions are what `Store` promises; a lock is waited for `wait_seconds`."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, wait_seconds)
    return _postgres(url, wait_seconds)


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Raise what the database cannot do as a StoreError, and a race that was lost as Superseded.

    Broken rules of the schema and wrong statements are faults of the program and pass through.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreError(f"The store {shown(url)} is too busy: start fewer jobs at once.", about=shown(url)) from error
    except (exc.IntegrityError, exc.DataError):
        raise
    except exc.DBAPIError as error:
        told = _translated(error, shown(url))
        if told is None:
            raise
        raise told from error.orig


def _translated(error: exc.DBAPIError, name: str) -> StoreError | None:
    cause: Any = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        told = _SQLITE.get(code)
        if told is None and "no such table" in str(cause):
            told = _EMPTIED
    else:
        code = getattr(cause, "sqlstate", None)
        if code in _LOST_RACES:
            return Superseded(f"Another process wrote to {name} at the same moment: try again.", about=name)
        told = _POSTGRES.get(code or "")
        if told is None and not isinstance(error, exc.ProgrammingError):
            told = "cannot be reached or broke the connection: see that it runs, and start again"
    return None if told is None else StoreError(f"The store {name} {told}.", about=name)


def _sqlite(url: URL, wait_seconds: float) -> Engine:
    folder = Path(url.database or "").parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"The store's folder {folder} cannot be made ({error.strerror}): choose another or mend its rights."
        raise StoreError(message, about=str(folder)) from error
    engine = sa.create_engine(url, connect_args={"timeout": wait_seconds}, pool_timeout=wait_seconds)

    @sa.event.listens_for(engine, "checkout")
    def _same_file(_connection: sqlite3.Connection, record: Any, _proxy: object) -> None:
        # SQLite goes on writing into a file that was deleted, and all of that would be gone with the process.
        if record.info["file"] != _file(url):
            raise StoreError(
                f"The store {shown(url)} was moved or deleted: put it back and start again.", about=shown(url)
            )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = _file(url)
        connection.isolation_level = None  # the driver begins nothing of its own
        connection.execute(f"PRAGMA busy_timeout = {round(wait_seconds * 1000)}")
        _write_ahead(connection, wait_seconds)
        # In WAL mode NORMAL cannot damage the file, but after a power cut the last commits may be missing.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("wirewatch_reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _file(url: URL) -> tuple[int, int] | None:
    """Return what tells the store's file from another at its place; None where there is none."""
    try:
        found = Path(url.database or "").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _write_ahead(connection: sqlite3.Connection, wait_seconds: float) -> None:
    """Put the file into WAL mode, where it stays.

    SQLite does not wait for this lock by itself: of three processes that opened 150 new files at once, 9 failed.
    """
    end = time.monotonic() + wait_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if time.monotonic() > end or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _postgres(url: URL, wait_seconds: float) -> Engine:
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=wait_seconds,
        connect_args={"connect_timeout": max(2, round(wait_seconds))},
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.autocommit = True
        connection.execute(f"SET lock_timeout = {round(wait_seconds * 1000)}")
        connection.autocommit = False

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("wirewatch_reading"):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine
