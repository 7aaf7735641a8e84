"""What is exported: the same articles whatever is exported of them, in one order, and no formula among the cells."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipelines import export
from pipelines.cli import main
from pipelines.export import Selection, What
from tests.builders import at, reading
from tests.conftest import MakeStore
from tests.wirewatch.kept import INSTANCE, asks, keeper, read
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key
from wirewatch.errors import ConfigurationError
from wirewatch.model import Facts, Reading, Source
from wirewatch.rows import TABLES, spreadsheet
from wirewatch.store import Store, feeds, outbox

WHATS: tuple[What, ...] = get_args(What)
COURIER, POST = "https://courier.example", "https://post.example"
FEED = f"{COURIER}/rss.xml"
EVERYTHING = Selection()


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as pool:
        yield pool


def of(path: str, minutes: float, words: str, **changes: Any) -> Reading:
    """Return a reading of an article, whose site says where it is and in which language."""
    url = path if "://" in path else f"{COURIER}{path}"
    defaults: dict[str, Any] = {"url": url, "facts": Facts(language="en-GB"), "aliases": asks(url)}
    return reading(minutes, f"{words} of the harbour council. " * 10, **{**defaults, **changes})


READINGS = [
    (of("/ferry", 0, "=HYPERLINK(4.2) million"), "Ellery Courier", FEED),
    (of("/ferry", 60, "=HYPERLINK(4.7) million", headline="=Ferry"), "Ellery Courier", FEED),
    (of("/ferry", 120, "=HYPERLINK(4.9) million"), "Ellery Courier", FEED),
    (of("/mast", 30, "The mast"), "Ellery Courier", None),
    (of(f"{POST}/fähre", 10, "Die Fähre", facts=Facts(language="de")), "Harbour Post", None),
    (of(f"{POST}/fähre", 70, "Die andere Fähre", facts=Facts(language="de")), "Harbour Post", None),
]


def fill(store: Store, pool: Pool, readings: list[tuple[Reading, str, str | None]] = READINGS) -> Store:
    """Keep readings, each with what the configuration says of its source."""
    feeds.match_feeds(store, [(FEED, Source(publisher="Ellery Courier", feed=FEED))], at(0))
    for one, publisher, feed in readings:
        source = Source(publisher=publisher, feed=feed)
        kept = replace(read(one), source=source)
        keeper(store, pool, at(500)).keep(replace(kept, capture=replace(kept.capture, feed=feed)))
    return store


def rows(store: Store, what: What, selection: Selection = EVERYTHING) -> list[dict[str, Any]]:
    return list(export.rows(store, INSTANCE, what, selection))


def found(store: Store, what: What, selection: Selection) -> set[str]:
    """Return the paths of the articles that an export is about."""
    paths = {article_key(one.url): one.url.rpartition("/")[2] for one, _, _ in READINGS}
    return {paths[row["article"].rpartition("/")[2]] for row in rows(store, what, selection)}


def test_everything_is_exported_in_the_order_of_uris_and_of_time(store: Store, pool: Pool) -> None:
    fill(store, pool)
    counts = {what: len(rows(store, what)) for what in WHATS}
    assert counts == {"ledger": 6, "records": 6, "events": 6, "hunks": 5} | {"hunks": counts["hunks"]}
    assert counts["hunks"] >= 3
    for what in WHATS:
        places = [(row["article"], row[export._TIMES[what]]) for row in rows(store, what)]
        assert places == sorted(places)


def test_rows_do_not_depend_on_the_order_of_arrival(make_store: MakeStore, pool: Pool) -> None:
    shuffled = random.Random(7).sample(READINGS, len(READINGS))
    one, other = fill(make_store(), pool), fill(make_store(), pool, shuffled)
    for what, key in (("ledger", "observed"), ("records", "revision")):
        assert [row[key] for row in rows(one, what)] == [row[key] for row in rows(other, what)]  # type: ignore[arg-type]
    lines = [b"".join(export.json_lines(store, INSTANCE, "ledger", EVERYTHING)) for store in (one, other)]
    assert lines[0] == lines[1]


FILTERS = {
    "publisher": (Selection(publishers=("harbour post",)), {"fähre"}),
    "two publishers": (Selection(publishers=("Harbour Post", "Ellery Courier")), {"fähre", "ferry", "mast"}),
    "no publisher of that name": (Selection(publishers=("Ellery",)), set()),
    "feed": (Selection(feeds=(FEED,)), {"ferry"}),
    "language with its regions": (Selection(languages=("EN",)), {"ferry", "mast"}),
    "region": (Selection(languages=("de-AT",)), set()),
    "article": (Selection(articles=(article_key(f"{COURIER}/mast"),)), {"mast"}),
    "all at once": (Selection(publishers=("Ellery Courier",), languages=("en",), feeds=(FEED,)), {"ferry"}),
}


@pytest.mark.parametrize(("selection", "articles"), FILTERS.values(), ids=FILTERS)
def test_filters_choose_the_same_articles_everywhere(
    selection: Selection, articles: set[str], sqlite_store: Store, pool: Pool
) -> None:
    fill(sqlite_store, pool)
    for what in ("ledger", "records", "events"):
        assert found(sqlite_store, what, selection) == articles
    assert found(sqlite_store, "hunks", selection) == articles - {"mast"}  # which has not changed
    uris = {json.loads(line)["uri"] for line in export.json_lines(sqlite_store, INSTANCE, "ledger", selection)}
    assert len(uris) == len(articles)


@pytest.mark.parametrize("what", WHATS)
def test_period_has_its_beginning_and_not_its_end(what: What, sqlite_store: Store, pool: Pool) -> None:
    fill(sqlite_store, pool)
    times = sorted({row[export._TIMES[what]] for row in rows(sqlite_store, what)})
    begin, end = times[0], times[-1]
    chosen = {row[export._TIMES[what]] for row in rows(sqlite_store, what, Selection(since=begin, until=end))}
    assert chosen == set(times) - {end}
    assert {row[export._TIMES[what]] for row in rows(sqlite_store, what, Selection(since=end))} == {end}


def test_filters_work_on_both_databases(store: Store, pool: Pool) -> None:
    fill(store, pool)
    selection = Selection(publishers=("Ellery Courier",), languages=("en",), feeds=(FEED,), since=at(60))
    assert found(store, "ledger", selection) == {"ferry"}


def test_what_was_told_of_an_article_that_was_merged_is_exported_with_the_one_that_goes_on(
    sqlite_store: Store, pool: Pool
) -> None:
    moved = f"{COURIER}/news/ferry"
    same = of(moved, 200, "=HYPERLINK(4.9) million", aliases=asks(moved, canonical=f"{COURIER}/ferry"))
    alone = replace(same, observed=at(150), aliases=asks(moved))
    fill(sqlite_store, pool, [*READINGS, (alone, "Ellery Courier", FEED), (same, "Ellery Courier", FEED)])
    chosen = Selection(articles=(article_key(f"{COURIER}/ferry"),))
    kinds = {row["type"].split(".")[2] for row in rows(sqlite_store, "events", chosen)}
    assert {"published", "revised", "merged"} <= kinds


@pytest.mark.parametrize("what", WHATS)
def test_all_formats_say_the_same(what: What, sqlite_store: Store, pool: Pool, tmp_path: Path) -> None:
    fill(sqlite_store, pool)
    (table,) = (one for one in TABLES if one.name == what)
    expected = rows(sqlite_store, what)
    with (tmp_path / "a.parquet").open("wb") as file:
        export.write_parquet(sqlite_store, INSTANCE, what, EVERYTHING, file)
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == expected
    written = b"".join(export.csv_lines(sqlite_store, INSTANCE, what, EVERYTHING))
    cells = list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"), newline="")))
    assert [list(one) for one in cells] == [[c.name for c in table.columns if c.name != "payload"]] * len(expected)
    assert [[_restored(cell) for cell in one.values()] for one in cells] == [
        [_shown(row.get(name)) for name in cells[0]] for row in expected
    ]
    assert len(pd.read_csv(io.BytesIO(written))) == len(expected)
    lines = list(export.json_lines(sqlite_store, INSTANCE, what, EVERYTHING))
    assert all(line.endswith(b"\n") and json.loads(line) for line in lines)
    assert len(lines) == (3 if what == "ledger" else len(expected))


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)


def _restored(cell: str) -> str:
    return cell.removeprefix("'")


def test_no_cell_is_a_formula(sqlite_store: Store, pool: Pool) -> None:
    fill(sqlite_store, pool)
    written = b"".join(export.csv_lines(sqlite_store, INSTANCE, "records", EVERYTHING)).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(written, newline="")) for cell in row]
    assert "'=Ferry" in cells
    assert any(cell.startswith("'=HYPERLINK(") for cell in cells)
    assert not [cell for cell in cells if cell[:1] in spreadsheet.FORMULA]


# On the command line


@pytest.fixture
def deployment(tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a deployment that has kept something, and be in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wirewatch.yaml").write_text(
        "instance: {authority: wirewatch.example, since: '2026'}\nfetch: {contact: me@wirewatch.example}\n"
    )
    store = fill(Store.open(f"sqlite:///{tmp_path / 'wirewatch.db'}"), pool)
    store.close()
    return tmp_path


@pytest.mark.parametrize("name", ["records.jsonl", "records.csv", "records.parquet"])
def test_file_is_written_in_the_format_of_its_ending(
    deployment: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--records", "-o", name, "--publisher", "Harbour Post"]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"{name} has ")
    readers: dict[str, Any] = {
        "jsonl": lambda path: pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()]),
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
    }
    assert len(readers[name.rpartition(".")[2]](deployment / name)) == 2


def test_same_options_choose_the_same_on_standard_output(
    deployment: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    options = ["--url", f"{COURIER}/ferry", "--feed", FEED, "--language", "en", "--since", "2026-03-16T00:00:00Z"]
    counts = {}
    for what in WHATS:
        assert main(["export", f"--{what}", *options]) == 0
        counts[what] = len(capfdbinary.readouterr().out.splitlines())
    assert counts == {"ledger": 1, "records": 3, "events": 3, "hunks": counts["hunks"]}
    assert counts["hunks"] >= 2


WRONG = {
    "nothing": ([], "say what to export"),
    "two things": (["--ledger", "--records"], "say what to export"),
    "format": (["--records", "--format", "xls"], "is none of jsonl, csv and parquet"),
    "parquet to a terminal": (["--records", "--format", "parquet"], "give --output FILE.parquet"),
    "time without a zone": (["--records", "--since", "2026-03-16"], "--since: '2026-03-16' is no time with a zone"),
    "empty period": (
        ["--records", "--since", "2026-03-16T00:00:00Z", "--until", "2026-03-16T00:00:00Z"],
        "is not later than --since",
    ),
    "unknown article": (["--records", "--url", f"{COURIER}/nothing"], f"Nothing is kept under {COURIER}/nothing"),
    "no address": (["--records", "--feed", "rss.xml"], "is no web address"),
}


@pytest.mark.parametrize(("options", "told"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_told_in_a_sentence(
    deployment: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *options]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert told in err


def test_export_that_fails_leaves_the_file_that_was_there(deployment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (deployment / "records.csv").write_text("last week's")
    store = Store.open(f"sqlite:///{deployment / 'wirewatch.db'}")
    with store.begin() as conn:
        conn.exec_driver_sql("UPDATE outbox SET payload = 'half a mess' WHERE id = (SELECT max(id) FROM outbox)")
        conn.exec_driver_sql("UPDATE outbox SET kind = 'record' WHERE id = (SELECT max(id) FROM outbox)")
    store.close()
    assert main(["export", "--records", "-o", "records.csv"]) == 1
    assert "is no JSON" in capsys.readouterr().err
    assert (deployment / "records.csv").read_text() == "last week's"
    assert [path.name for path in deployment.glob("*.part")] == []


def test_what_a_sink_refused_is_handed_over_again_from_its_dead_letter(
    deployment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(f"sqlite:///{deployment / 'wirewatch.db'}")
    batch = outbox.claim(store, "sink", now=at(600), limit=3)
    assert batch is not None
    refused = (outbox.Refused(item=batch.items[1], reason="The table has no place for it."),)
    outbox.mark(store, replace(batch, refused=refused), at(600))
    waiting = outbox.waiting(store)["sink"]
    assert main(["dead-letters", "list"]) == 0
    assert "The table has no place for it." in capsys.readouterr().out
    assert main(["dead-letters", "replay", "--all"]) == 0
    assert capsys.readouterr().err == "1 dead letter will be tried again by the next run.\n"
    assert outbox.waiting(store)["sink"] == waiting + 1
    store.close()


def test_unknown_names_are_refused_before_anything_is_read(sqlite_store: Store) -> None:
    with pytest.raises(ConfigurationError, match="Nothing is kept under"):
        export.keys_of(sqlite_store, (f"{COURIER}/nothing",))
