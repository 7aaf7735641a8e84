"""Two processes beside the test's own, for all tests of the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.wirewatch.store.together import Workers


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """Start two processes for the session."""
    both = Workers()
    yield both
    both.stop()
