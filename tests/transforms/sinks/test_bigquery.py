"""The BigQuery sink, by Google's client on a fake of the service: the contract of all sinks, tables, and refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.transforms.sinks.batches import batch, event, item, record
from tests.transforms.sinks.contract import SinkContract
from tests.transforms.sinks.fake_bigquery import DATASET, PROJECT, Answer, FakeBigQuery, fake_bigquery
from transforms.sinks import sink_adapter
from transforms.sinks.base import Sink
from transforms.sinks.bigquery import ROW_BYTES
from wirewatch.errors import DeliveryFailed
from wirewatch.rows import DELIVERED, EVENTS, HUNKS, RECORDS

METHODS = ["load", "stream"]


@pytest.fixture
def service() -> Iterator[FakeBigQuery]:
    with fake_bigquery() as running:
        yield running


def sink_at(service: FakeBigQuery, **options: Any) -> Sink:
    settings = {"kind": "bigquery", "name": "out", "dataset": DATASET, "emulator": service.address}
    return sink_adapter().validate_python(settings | {"timeout_seconds": 5} | options)


class TestBigQuery(SinkContract):
    @pytest.fixture(autouse=True)
    def _own_service(self, service: FakeBigQuery) -> None:
        self.service = service

    def options(self, folder: Path) -> dict[str, Any]:
        return {"kind": "bigquery", "name": "out", "dataset": DATASET, "emulator": self.service.address}

    def broken(self, folder: Path) -> dict[str, Any]:
        return self.options(folder) | {"dataset": f"{PROJECT}.nowhere"}

    def kept(self, folder: Path) -> dict[str, list[str]]:
        return {kind: [row["payload"] for row in self.service.found(f"{kind}s")] for kind in ("record", "event")}


def test_tables_are_made_after_the_models(service: FakeBigQuery) -> None:
    sink_at(service).write(batch(record(), event()))
    assert sorted(service.tables) == ["news.events", "news.hunks", "news.records"]
    for table in DELIVERED:
        made = service.tables[f"news.{table.name}"]
        columns = [(one["name"], one["mode"] == "REPEATED") for one in made["schema"]["fields"]]
        assert columns == [(column.name, column.kind == "texts") for column in table.columns]
        assert all(one["description"] for one in made["schema"]["fields"])
        assert made["clustering"]["fields"] == list(table.cluster)
        assert made["timePartitioning"] == {"type": "DAY", "field": "recorded"}
    types = {one["name"]: one["type"] for one in service.tables["news.events"]["schema"]["fields"]}
    expected = {
        "event": "STRING",
        "time": "TIMESTAMP",
        "score": "FLOAT",
        "words_added": "INTEGER",
        "backfill": "BOOLEAN",
    }
    assert expected.items() <= types.items()


@pytest.mark.parametrize("method", METHODS)
def test_rows_say_what_their_message_says(service: FakeBigQuery, method: str) -> None:
    assert sink_at(service, method=method).write(batch(record(), event())) == ()
    (kept_record,), (kept_event,), hunks = (service.found(table.name) for table in (RECORDS, EVENTS, HUNKS))
    assert kept_record["body"] == "=The council asks 4.7 million"
    assert kept_record["version_created"] == "2026-03-16T15:24:00.000000Z"
    assert kept_event["reasons"] == ["number", "headline"]
    assert "old_stamp" not in kept_event
    assert [(one["event"], one["place"], one["new"]) for one in hunks] == [
        ("c" * 32, 0, " after recount"),
        ("c" * 32, 1, "4.7"),
    ]


@pytest.mark.parametrize(("streaming", "way"), [(False, "/upload/"), (True, "/insertAll")], ids=["pass", "stream"])
def test_a_pass_loads_and_a_stream_streams_unless_told_otherwise(
    service: FakeBigQuery, streaming: bool, way: str
) -> None:
    sink_at(service).suited(streaming=streaming).write(batch())
    written = [asked for asked in service.asked if asked.startswith("POST") and not asked.endswith("/tables")]
    assert written
    assert all(way in asked for asked in written)
    named = sink_at(service, method="load").suited(streaming=True)
    assert named.model_dump()["method"] == "load"


@pytest.mark.parametrize("method", METHODS)
def test_rows_that_are_refused_are_named_with_the_reason_and_the_rest_is_written(
    service: FakeBigQuery, method: str
) -> None:
    bad = item(3)
    why = {"reason": "invalid", "location": "payload", "message": "Invalid value."}
    service.refuses[bad.payload] = why
    refused = sink_at(service, method=method).write(batch(item(1), record(), bad, item(5)))
    assert [(one.item, one.reason) for one in refused] == [
        (bad, f"BigQuery's table {PROJECT}.news.events refused it: payload Invalid value.")
    ]
    assert [row["event"] for row in service.found("events")] == [item(1).item, item(5).item]
    assert len(service.found("records")) == 1


def test_batch_of_which_rows_were_refused_leaves_the_same_when_it_comes_again(service: FakeBigQuery) -> None:
    service.refuses[item(3).payload] = {"reason": "invalid", "message": "Invalid value."}
    sink = sink_at(service, method="load")
    first = sink.write(batch(item(1), item(3), item(5)))
    assert sink.write(batch(item(1), item(3), item(5))) == first
    assert [row["event"] for row in service.found("events")] == [item(1).item, item(5).item]


def test_message_that_is_no_message_is_refused_before_it_is_sent(service: FakeBigQuery) -> None:
    broken = replace(item(3), payload='{"time": "soon"}')
    (refused,) = sink_at(service).write(batch(item(1), broken))
    assert refused.item == broken
    assert "is not what a time can be read from" in refused.reason
    assert [row["event"] for row in service.found("events")] == [item(1).item]


def test_row_that_is_too_large_to_be_streamed_is_refused(service: FakeBigQuery) -> None:
    huge = replace(item(3), payload=json.dumps({"text": "a" * ROW_BYTES}))
    (refused,) = sink_at(service, method="stream").write(batch(item(1), huge, item(5)))
    assert refused.item == huge
    assert "takes rows of" in refused.reason
    assert len(service.found("events")) == 2


def test_batch_that_is_larger_than_one_request_is_loaded_whole(service: FakeBigQuery) -> None:
    many = batch(*(replace(item(n), payload=json.dumps({"text": "a" * 600_000})) for n in range(10)))
    sink_at(service).write(many)
    assert [row["event"] for row in service.found("events")] == [one.item for one in many.items]


def test_rows_are_streamed_in_requests_that_keep_the_quota(service: FakeBigQuery) -> None:
    many = batch(*(replace(item(n), payload="{}") for n in range(1100)))
    sink_at(service, method="stream").write(many)
    assert [row["event"] for row in service.found("events")] == [one.item for one in many.items]
    assert len([asked for asked in service.asked if asked.endswith("/insertAll")]) == 3


@pytest.mark.parametrize("method", METHODS)
def test_columns_that_a_newer_version_has_are_added(service: FakeBigQuery, method: str) -> None:
    sink_at(service).write(batch(first=5))
    older = service.tables["news.events"]
    of_theirs = {"name": "note", "type": "STRING", "mode": "NULLABLE"}
    older["schema"]["fields"] = [of_theirs, *(one for one in older["schema"]["fields"] if one["name"] != "dataref")]
    with fake_bigquery() as again:  # as another process meets it
        again.tables, again.rows = service.tables, service.rows
        sink_at(again, method=method).write(batch(record(), event()))
        names = [one["name"] for one in again.tables["news.events"]["schema"]["fields"]]
        assert (names[0], names[-1]) == ("note", "dataref")
        assert len(again.found("events")) == 5


def test_column_of_another_type_is_named(service: FakeBigQuery) -> None:
    with pytest.raises(DeliveryFailed, match="is STRING NULLABLE and has to be FLOAT"):
        _with_other_column(service, {"name": "score", "type": "STRING", "mode": "NULLABLE"})
    assert service.found("events") == []


def test_column_is_the_same_under_its_modern_name_and_in_capitals(service: FakeBigQuery) -> None:
    _with_other_column(service, {"name": "Score", "type": "FLOAT64", "mode": "NULLABLE"})
    assert len(service.found("events")) == 1


def _with_other_column(service: FakeBigQuery, column: dict[str, str]) -> None:
    reference = {"projectId": PROJECT, "datasetId": "news", "tableId": "events"}
    service.tables["news.events"] = {
        "tableReference": reference,
        "schema": {"fields": [column]},
        "etag": "1",
        "location": "europe-west1",
    }
    service._errors = lambda table, row: []  # type: ignore[method-assign]
    sink_at(service, method="stream").write(batch(event()))


def test_column_that_is_not_known_everywhere_yet_refuses_no_row_for_good(service: FakeBigQuery) -> None:
    service.refuses[item(1).payload] = {
        "reason": "invalid",
        "location": "dataref",
        "message": "no such field: dataref.",
    }
    sink = sink_at(service, method="stream")
    with pytest.raises(DeliveryFailed, match="nothing is lost, and the batch comes again"):
        sink.write(batch(item(1)))
    service.refuses.clear()
    assert sink.write(batch(item(1))) == ()


@pytest.mark.parametrize("method", METHODS)
def test_column_that_is_deleted_meanwhile_is_made_again(service: FakeBigQuery, method: str) -> None:
    sink = sink_at(service, method=method)
    sink.write(batch(item(1)))
    schema = service.tables["news.events"]["schema"]
    schema["fields"] = [one for one in schema["fields"] if one["name"] != "payload"]
    with pytest.raises(DeliveryFailed, match="no such field: payload"):
        sink.write(batch(item(3)))
    assert sink.write(batch(item(3))) == ()
    assert [row["event"] for row in service.found("events")] == [item(1).item, item(3).item]


@pytest.mark.parametrize("method", METHODS)
def test_table_that_is_deleted_meanwhile_is_made_again(service: FakeBigQuery, method: str) -> None:
    sink = sink_at(service, method=method)
    sink.write(batch(item(1)))
    del service.tables["news.events"]
    with pytest.raises(DeliveryFailed, match="does not find the table"):
        sink.write(batch(item(3)))
    sink.write(batch(item(3)))
    assert [row["event"] for row in service.found("events")][-1] == item(3).item


def test_job_that_the_service_lost_is_done_again_under_another_name(service: FakeBigQuery) -> None:
    service.breaks = 1
    sink_at(service).write(batch(item(1)))
    assert len(service.found("events")) == 1
    first, second = service.jobs
    assert (first[:-1], first[-1], second[-1]) == (second[:-1], "0", "1")


def test_store_that_was_put_back_names_no_job_as_before(service: FakeBigQuery) -> None:
    """It counts its rows anew: a batch has the name of an older one, and other rows."""
    sink = sink_at(service)
    sink.write(batch(item(1)))
    sink.write(replace(batch(item(3)), id=batch().id))
    assert [row["event"] for row in service.found("events")] == [item(1).item, item(3).item]


WRONG = {
    "no rights": (Answer(403, "accessDenied", "Access Denied"), "grant it roles/bigquery.dataEditor"),
    "quota": (Answer(403, "quotaExceeded", "Quota exceeded"), "takes no more for now"),
    "bad request": (Answer(400, "invalid", "Bad"), "does not take what was sent"),
}


@pytest.mark.parametrize(("answer", "told"), WRONG.values(), ids=WRONG)
def test_what_the_service_answers_is_told_in_a_sentence(service: FakeBigQuery, answer: Answer, told: str) -> None:
    sink = sink_at(service, method="stream")
    service.fails = [answer]
    with pytest.raises(DeliveryFailed, match=told):
        sink.write(batch(item(1)))
    sink.write(batch(item(1)))
    assert len(service.found("events")) == 1


def test_service_that_is_away_is_told_in_a_sentence(service: FakeBigQuery) -> None:
    sink = sink_at(service, method="load", timeout_seconds=0.5, emulator="127.0.0.1:9")
    with pytest.raises(DeliveryFailed, match=f"The dataset {DATASET} cannot be reached"):
        sink.write(batch(item(1)))


@pytest.mark.parametrize("dataset", ["news", "Project.news", "wirewatch-tests.news.events", "wirewatch-tests.a-b"])
def test_dataset_that_is_none_is_refused(service: FakeBigQuery, dataset: str) -> None:
    with pytest.raises(ValidationError, match="dataset"):
        sink_at(service, dataset=dataset)
