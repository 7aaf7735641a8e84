"""The description of the API is true: schemathesis asks what it allows, and checks what it promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.builders import at
from tests.wirewatch.kept import INSTANCE
from tests.wirewatch.viewer import asking
from wirewatch.bounded import Pool
from wirewatch.clock import FixedClock
from wirewatch.store import Store, alerts, dead_letters
from wirewatch.viewer import openapi, safety
from wirewatch.viewer.answers import Viewer
from wirewatch.viewer.app import application
from wirewatch.viewer.shelf import Memory, Shelf

ALERT = "a" * 32
REFUSED = ("/changes.json", "/alerts.json", "/dead-letters.json", "/api/changes")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path_factory.mktemp('api') / 'store.sqlite'}")
    yield made
    made.close()


@pytest.fixture(scope="module")
def api(store: Store, pool: Pool) -> Iterator[Any]:
    """Give the schema of a viewer over the newsroom, with an alert and a dead letter."""
    asking.fill(store, pool)
    with store.begin() as conn:
        dead_letters.add(conn, at=at(0), step="extract", reason="This is a PDF", url=asking.FERRY)
        one = alerts.Formed(id=ALERT, channel="desk", rule="all", kind="single", created=at(0), body=b"{}")
        alerts.put(conn, one)
    shelf = Shelf(store.url, INSTANCE, pool, limit_seconds=30)
    guard = safety.Guard(hosts=None)
    app = application(Viewer(shelf=shelf, guard=guard, clock=FixedClock(asking.NOW), memory=Memory(seconds=0)))
    yield schemathesis.openapi.from_asgi("/openapi.json", app)
    shelf.close()


@pytest.mark.parametrize("path", sorted(orjson.loads(openapi.description(""))["paths"]))
def test_what_the_description_allows_is_answered_as_it_promises(api: Any, path: str) -> None:
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=api[path]["GET"].as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
    def ask(case: schemathesis.Case[Any]) -> None:
        # A made-up cursor, or a period that ends before it begins, is refused: the description says 400, and no schema
        # can say which ones.
        case.call_and_validate(excluded_checks=[positive_data_acceptance] if path in REFUSED else [])

    ask()


def test_what_is_there_is_answered_as_the_description_promises(api: Any, store: Store) -> None:
    with store.reading() as conn:
        row = conn.exec_driver_sql("SELECT diff, article FROM changes ORDER BY place DESC LIMIT 1").one()
        old, new, item = conn.exec_driver_sql(
            "SELECT old_revision, new_revision, item FROM diffs, outbox WHERE diffs.id = ? AND kind = 'event'"
            " AND outbox.article = diffs.article LIMIT 1",
            (row.diff,),
        ).one()
    known = {
        "key": row.article,
        "revision": new,
        "pair": f"{old}..{new}",
        "alert": ALERT,
        "letter": 1,
        "host": "courier.example",
        "event": item,
    }
    asked = set()
    for result in api.get_all_operations():
        operation = result.ok()
        names = {one.name for one in operation.path_parameters}
        query = {"url": asking.FEED} if operation.path == "/feed.json" else {}
        case = operation.Case(path_parameters={name: known[name] for name in names}, query=query)
        response = case.call()
        # The newsroom's readings came out of no feed that is watched.
        assert response.status_code == (404 if operation.path == "/feed.json" else 200), operation.path
        case.validate_response(response)
        asked.add(operation.path)
    assert len(asked) == 14
