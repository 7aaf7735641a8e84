"""One child process for all tests of the viewer, and viewers over a newsroom on both databases.

A test that only reads takes `read_newsroom`, which is filled once; one that writes takes a `newsroom` of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.wirewatch.viewer import asking
from wirewatch.bounded import Pool
from wirewatch.store import Store


@pytest.fixture(scope="package")
def pool() -> Iterator[Pool]:
    """Give a child process."""
    with Pool(1) as made:
        yield made


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def read_newsroom(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pool: Pool
) -> Iterator[TestClient]:
    """Give a client of a viewer over a newsroom that nobody writes to, on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        databases = request.getfixturevalue("databases")
        store: Store = databases.take()
        finish = databases.give_back
    else:
        store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('newsroom') / 'store.sqlite'}")
        finish = Store.close
    asking.fill(store, pool)
    with asking.viewer(store.url, pool) as client:
        yield client
    finish(store)


@pytest.fixture
def newsroom(store: Store, pool: Pool) -> Iterator[TestClient]:
    """Give a client of a viewer over a newsroom of the test's own, on SQLite and on PostgreSQL."""
    asking.fill(store, pool)
    with asking.viewer(store.url, pool) as client:
        yield client


@pytest.fixture
def sqlite_newsroom(sqlite_store: Store, pool: Pool) -> Iterator[TestClient]:
    """Give a client of a viewer over a newsroom of the test's own, for tests of something else than the store."""
    asking.fill(sqlite_store, pool)
    with asking.viewer(sqlite_store.url, pool) as client:
        yield client
