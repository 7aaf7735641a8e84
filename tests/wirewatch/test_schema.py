"""Schemas: they are sound, they accept the published examples, and they refuse what we would never write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from tests.wirewatch.newsroom import assert_valid, at, common, diff, example, revision, verdict
from wirewatch import events
from wirewatch.schema import CaptureLine, schemas

NAMES = tuple(schemas())
EVENT = events.revised(
    previous=revision(), current=revision(first_observed=at("15:31:44")), diff=diff(), verdict=verdict(), **common()
)


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_sound_and_named_by_its_address(name: str) -> None:
    schema = schemas("news.example")[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://news.example/schemas/{name}/1-0.json"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", NAMES)
def test_schema_knows_neither_null_nor_unnamed_members(name: str) -> None:
    text = json.dumps(schemas()[name])
    assert '"null"' not in text
    assert '"default"' not in text
    assert '"additionalProperties": false' in text


@pytest.mark.parametrize("file", ["record_v1.json", "record_v2.json"])
def test_published_example_of_a_record_is_valid(file: str) -> None:
    assert_valid(example(file), "record")


def test_published_example_of_an_event_is_valid() -> None:
    event = example("event.json")
    assert_valid(event, "event")
    assert_valid(event["data"], "article-revised")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param({"type": "wirewatch.article.vanished.v1"}, "is not valid", id="an unknown type"),
        pytest.param({"type": "wirewatch.diff.retracted.v1"}, "is not valid", id="another type's data"),
        pytest.param({"time": "yesterday"}, "is not valid", id="no time"),
        pytest.param({"id": "1"}, "is not valid", id="no id of ours"),
        pytest.param({"trace": "x"}, "is not valid", id="an unknown attribute"),
    ],
)
def test_event_that_we_would_never_write_is_refused(change: dict[str, Any], problem: str) -> None:
    validator = Draft202012Validator(schemas()["event"], format_checker=FormatChecker())
    messages = [error.message for error in validator.iter_errors(EVENT | change)]
    assert messages
    assert all(problem in message for message in messages)


LINE = {"url": "https://courier.example/a", "observedAt": "2026-03-16T14:26:07Z"}


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="nothing but the two"),
        pytest.param({"status": 200, "body": "<p>Words</p>", "contentType": "text/html"}, id="a page"),
        pytest.param({"bodyPath": "a.html.gz", "headers": {"etag": '"1"'}}, id="a page in a file"),
        pytest.param({"status": 304, "notModified": "a" * 64}, id="a confirmation"),
    ],
)
def test_capture_line_is_read_as_its_schema_says(more: dict[str, Any]) -> None:
    line = LINE | more
    assert_valid(line, "capture")
    read = CaptureLine.model_validate_json(json.dumps(line))
    assert read.model_dump(by_alias=True, mode="json", exclude_none=True) == line


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"observedAt": "2026-03-16T14:26:07"}, id="a time without a zone"),
        pytest.param({"body": "a", "bodyPath": "b"}, id="two bodies"),
        pytest.param({"status": "200"}, id="a status in quotes"),
        pytest.param({"status": 99}, id="no status"),
        pytest.param({"observed_at": "2026-03-16T14:26:07Z"}, id="an unknown member"),
        pytest.param({"url": ""}, id="no address"),
    ],
)
def test_capture_line_is_refused_by_the_model_and_by_its_schema(wrong: dict[str, Any]) -> None:
    line = LINE | wrong
    with pytest.raises(ValidationError):
        CaptureLine.model_validate_json(json.dumps(line))
    validator = Draft202012Validator(schemas()["capture"], format_checker=FormatChecker())
    assert list(validator.iter_errors(line))
