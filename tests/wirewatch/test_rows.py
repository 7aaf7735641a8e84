"""The tables' columns follow the models, and a cell of CSV is never a formula and always the text that it was."""

from __future__ import annotations

import csv
import io
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import at
from tests.transforms.sinks.batches import event, item, record
from tests.wirewatch.test_records import FULL
from tests.wirewatch.test_records import record as made
from wirewatch.errors import BadContent
from wirewatch.events.data import EVENTS as EVENT_MODELS
from wirewatch.model import WORDING_FIELDS
from wirewatch.records import Record
from wirewatch.rows import DELIVERED, LEDGER, RECORDS, TABLES, rows_of, sights_of, spreadsheet
from wirewatch.rows.arrow import schema
from wirewatch.rows.dictionary import dictionary
from wirewatch.rows.types import kind_at
from wirewatch.store.outbox import Item

ROOT = Path(__file__).resolve().parents[2]


def of(kind: Literal["record", "event"], said: Any) -> Item:
    recorded = datetime(2026, 3, 16, tzinfo=UTC)
    return Item(kind=kind, item="x", article="a", payload=orjson.dumps(said).decode(), recorded=recorded)


def test_record_is_a_row_with_each_of_its_texts() -> None:
    ((table, row),) = rows_of(of("record", made(wording=FULL)))
    assert table == RECORDS
    assert {name: row[name] for name in WORDING_FIELDS} == {f.name: getattr(FULL, f.name) for f in fields(FULL)}


def test_every_row_has_every_column_of_its_table() -> None:
    for message in (record(), event(), item(1), item(2, "record")):
        for table, row in rows_of(message):
            assert list(row) == [column.name for column in table.columns]


PATHS = {
    "headlines[role=main].value": "text",
    "altIds[role=feedGuid][].value": "texts",
    "versionCreated": "time",
    "urgency": "integer",
    "associations[rel=lead-image].renditions[name=web].href": "text",
}


@pytest.mark.parametrize(("path", "kind"), PATHS.items())
def test_type_is_that_of_the_model(path: str, kind: str) -> None:
    assert kind_at((Record,), path) == kind


def test_type_of_an_event_is_that_of_the_models_that_have_the_place() -> None:
    assert kind_at(EVENT_MODELS, "data.significance.score") == "number"
    assert kind_at(EVENT_MODELS, "data.current.earlierWordingUnseen") == "flag"
    assert kind_at(EVENT_MODELS, "data.changedFields[]") == "texts"


def test_place_that_no_model_has_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        kind_at((Record,), "headlines[role=main].words")


WRONG: dict[str, Any] = {
    "text": {"language": 7},
    "time": {"versionCreated": "yesterday"},
    "time without a zone": {"versionCreated": "2026-03-16T14:21:00"},
    "integer": {"version": "two"},
    "integer of more than 64 bits": {"version": "9" * 20},
    "member of what has none": {"headlines": "Ferry"},
    "list of no objects": {"headlines": ["Ferry"]},
    "no object": ["Ferry"],
}


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG)
def test_message_that_is_not_of_its_model_is_refused_in_a_sentence(said: Any) -> None:
    with pytest.raises(BadContent, match=r"^[^\n]+\.$"):
        list(rows_of(of("record", said)))


@pytest.mark.parametrize("data", ["text", {"hunks": ["hunk"]}, {"hunks": 7}], ids=str)
def test_event_whose_hunks_are_none_is_refused(data: Any) -> None:
    with pytest.raises(BadContent):
        list(rows_of(of("event", {"data": data})))


def test_arrow_has_the_same_columns() -> None:
    for table in TABLES:
        assert schema(table.name).names == [column.name for column in table.columns]


def test_tables_are_clustered_by_columns_that_they_have() -> None:
    for table in DELIVERED:
        assert set(table.cluster) <= {column.name for column in table.columns}
        assert len(table.cluster) <= 4  # BigQuery's limit


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_cell_is_never_a_formula_and_gives_its_text_back(texts: list[str]) -> None:
    rows = [{"detail": f"{sign}{text}"} for text in texts for sign in ("", "=", "+", "-", "@", "\t", "\r", "'", "＝")]
    written = b"".join(spreadsheet.lines(LEDGER, rows))
    place = [column.name for column in LEDGER.columns].index("detail")
    cells = [cells[place] for cells in csv.reader(io.StringIO(written.decode(), newline=""))]
    assert not [cell for cell in cells if cell.startswith(tuple(spreadsheet.FORMULA))]
    assert [cell.removeprefix("'") for cell in cells] == [row["detail"] for row in rows]


def test_cells_that_are_no_text_are_left_alone() -> None:
    row = {"length": -5, "technical": True, "flags": ["=a"], "observed": datetime(2026, 3, 16, tzinfo=UTC)}
    (line,) = spreadsheet.lines(LEDGER, [row])
    assert b",-5," in line
    assert b",true," in line
    assert b'"[""=a""]"' in line
    assert b"2026-03-16T00:00:00.000000Z" in line


def test_data_dictionary_is_that_of_the_models() -> None:
    page = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert dictionary() in page, "write it anew: wirewatch schema --dictionary"


def test_sight_is_of_the_revision_that_had_begun_and_one_that_showed_none_is_of_none() -> None:
    def revision(name: str, begun: int) -> dict[str, Any]:
        return {"id": name, "version": 1, "technical": False, "content_hash": f"of {name}", "first_observed": at(begun)}

    def sight(minutes: int, outcome: str, content_hash: str | None) -> dict[str, Any]:
        return {
            "observed": at(minutes),
            "outcome": outcome,
            "content_hash": content_hash,
            "claims": (),
            "flags": ("a",),
        }

    sights = [
        sight(0, "new", "of a"),
        sight(5, "failed", None),
        sight(10, "suspect", "of b"),
        sight(20, "revised", "of b"),
        sight(30, "not_modified", "of b"),
        sight(40, "unchanged", "of b, by an older extractor"),
        sight(50, "gone", None),
    ]
    article = {"uri": "tag:a", "revisions": [revision("a", 0), revision("b", 20)], "observations": sights}
    rows = list(sights_of(article))
    assert [row["revision"] for row in rows] == ["a", None, None, "b", "b", "b", None]
    assert rows[0]["flags"] == ["a"]
