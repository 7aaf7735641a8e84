"""Builders of invented articles, revisions and diffs, and the validators that published messages must satisfy."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.validators import validator_for
from referencing import Registry, Resource

from wirewatch.canonical import content_hash, diff_id, event_id, revision_id, text_hash
from wirewatch.model import Claim, Diff, Hunk, Instance, Reason, Revision, Selector, Verdict, Wording
from wirewatch.schema import schemas

INSTANCE = Instance(authority="wirewatch.example", since="2026")
ARTICLE = "501482fb3a172e4d"
DATA = Path(os.environ.get("WIREWATCH_DATA", Path(__file__).parents[3] / "shared" / "data"))
EXAMPLES = DATA.parent / "examples"


def at(clock: str, day: int = 16) -> datetime:
    return datetime.fromisoformat(f"2026-03-{day:02}T{clock}").replace(tzinfo=UTC)


def claim(clock: str, **changes: Any) -> Claim:
    defaults: dict[str, Any] = {
        "kind": "modified",
        "at": at(clock),
        "where": "text",
        "zone": "configured",
        "raw": f"March 16, 2026 {clock}",
    }
    return Claim(**(defaults | changes))


def wording(**changes: str | None) -> Wording:
    defaults: dict[str, str | None] = {
        "headline": "Lighthouse keeper retires after forty winters",
        "body": "The keeper rowed home on Monday.\n\nThe lamp will be lit 365 nights a year.",
    }
    return Wording(**(defaults | changes))


def revision(clock: str = "14:26:07", words: Wording | None = None, **changes: Any) -> Revision:
    words = words or wording()
    content = content_hash(words)
    defaults: dict[str, Any] = {
        "id": revision_id(ARTICLE, content, 1),
        "article": ARTICLE,
        "version": 1,
        "occurrence": 1,
        "content_hash": content,
        "text_hash": text_hash(words),
        "url": "https://courier.example/local/lighthouse",
        "first_observed": at(clock),
        "last_observed": at(clock),
        "first_created": at("14:21"),
        "version_created": at("14:21"),
    }
    return Revision(**(defaults | changes))


def selector(exact: str, start: int = 4, prefix: str = "The ", suffix: str = " rowed") -> Selector:
    return Selector(exact=exact, prefix=prefix, suffix=suffix, start=start, end=start + len(exact))


def hunk(old: str = "keeper", new: str = "crew", field: str = "body", **changes: Any) -> Hunk:
    op = "replace" if old and new else ("insert" if new else "delete")
    defaults: dict[str, Any] = {"field": field, "op": op, "old": selector(old), "new": selector(new)}
    return Hunk(**(defaults | changes))


def diff(*hunks: Hunk, **changes: Any) -> Diff:
    defaults: dict[str, Any] = {"words_added": 1, "words_removed": 1, "similarity": 0.87654}
    return Diff(hunks=hunks or (hunk(),), **(defaults | changes))


def verdict(*reasons: Reason, **changes: Any) -> Verdict:
    defaults: dict[str, Any] = {
        "disclosure": "undisclosed",
        "signal": "update",
        "significance_class": "notable",
        "score": 0.3,
    }
    return Verdict(reasons=reasons, **(defaults | changes))


def common(**changes: Any) -> Any:
    """Return the arguments that all events take."""
    defaults: dict[str, Any] = {
        "event_id": event_id(diff_id(ARTICLE, "a", "b", 1), "revised", 1),
        "instance": INSTANCE,
        "recorded": at("15:31:45"),
        "headline": "Lighthouse keeper retires after forty winters",
        "publisher": "Ellery Courier",
        "language": "en-GB",
    }
    return defaults | changes


def assert_valid(message: dict[str, Any], schema_name: str) -> None:
    """Fail with every place at which `message` breaks our own schema of that name."""
    assert _problems(_ours(schema_name), message) == []


def assert_valid_by_standard(message: dict[str, Any], file: str) -> None:
    """Fail with every place at which `message` breaks a standard's own schema; skip where the schemas are not here."""
    path = DATA / "schemas" / file
    if not path.exists():
        pytest.skip(f"{path} is not here: set WIREWATCH_DATA to the folder that holds schemas/{file}")
    assert _problems(_standard(path), message) == []


def example(file: str) -> dict[str, Any]:
    path = EXAMPLES / file
    if not path.exists():
        pytest.skip(f"{path} is not here: set WIREWATCH_DATA to the data folder beside examples/")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@cache
def _ours(schema_name: str) -> Any:
    return _validator(schemas()[schema_name])


@cache
def _standard(path: Path) -> Any:
    return _validator(json.loads(path.read_text()))


def _validator(schema: dict[str, Any]) -> Any:
    # ninjs refers to a schema on the web for the one member that we never write.
    geojson = Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema"})
    registry: Registry[Any] = Registry().with_resource("https://geojson.org/schema/GeoJSON.json", geojson)
    checker = FormatChecker()
    assert {"uri", "date-time"} <= set(checker.checkers), (
        "install jsonschema[format-nongpl]: formats would go unchecked"
    )
    return validator_for(schema, default=Draft202012Validator)(schema, registry=registry, format_checker=checker)


def _problems(validator: Any, message: dict[str, Any]) -> list[str]:
    return [f"{problem.json_path}: {problem.message}" for problem in validator.iter_errors(message)]
