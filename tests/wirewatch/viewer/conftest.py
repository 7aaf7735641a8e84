"""One child process for all tests of the viewer, and viewers over a newsroom on both databases."""

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


@pytest.fixture
def newsroom(store: Store, pool: Pool) -> Iterator[TestClient]:
    """Give a client of a viewer over the newsroom, on SQLite and on PostgreSQL."""
    asking.fill(store, pool)
    with asking.viewer(store.url, pool) as client:
        yield client


@pytest.fixture
def sqlite_newsroom(sqlite_store: Store, pool: Pool) -> Iterator[TestClient]:
    """Give a client of a viewer over the newsroom, for tests of something else than the store."""
    asking.fill(sqlite_store, pool)
    with asking.viewer(sqlite_store.url, pool) as client:
        yield client
