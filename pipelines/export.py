"""Export what is kept: the ledger, records, events and hunks, by one set of filters, as JSON Lines, CSV or Parquet.

Articles come in the order of their uris and each one's rows in the order of time, so that the same store gives the same
bytes. They are read a hundred at a time, whatever their number. Filters choose articles, by what the latest record says
of publisher, feed and language; the period alone chooses among an article's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import IO, Any, Final, Literal

from wirewatch.canonical import article_uri, canonical_json
from wirewatch.errors import ConfigurationError
from wirewatch.model import Instance
from wirewatch.rows import EVENTS, HUNKS, LEDGER, RECORDS, Row, Table, rows_of, sights_of, spreadsheet
from wirewatch.store import Store, exporting, ledger
from wirewatch.store.outbox import Item

What = Literal["ledger", "records", "events", "hunks"]

_TABLES: Final[dict[What, Table]] = {"ledger": LEDGER, "records": RECORDS, "events": EVENTS, "hunks": HUNKS}
_TIMES: Final[dict[What, str]] = {
    "ledger": "observed",
    "records": "version_created",
    "events": "time",
    "hunks": "time",
}
_ROWS_AT_ONCE: Final = 2000  # of some kilobytes each: a row group of Parquet
_EVER: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is wanted; each filter that is empty lets everything through, several values are alternatives.

    `articles` are keys, `feeds` normalised addresses. A language lets its regions through, `en` also `en-GB`. `since`
    is part of the period and `until` is not.
    """

    publishers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def of_period(self, at: datetime | None) -> bool:
        """Tell whether a time lies in the period; what has no time lies in none but the one without ends."""
        if self.since is None and self.until is None:
            return True
        return at is not None and (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    @property
    def asks_of_records(self) -> bool:
        """Whether there are filters for which an article's record is needed."""
        return bool(self.publishers or self.languages or self.feeds)

    def of_record(self, row: Row) -> bool:
        """Tell whether an article is wanted whose latest record is this row."""
        named = {one.casefold() for one in self.publishers}
        if named and (row["publisher"] or "").casefold() not in named:
            return False
        if self.feeds and row["feed"] not in self.feeds:
            return False
        spoken = f"{(row['language'] or '').lower()}-"
        return not self.languages or any(spoken.startswith(f"{one.lower()}-") for one in self.languages)


def json_lines(store: Store, instance: Instance, what: What, selection: Selection) -> Iterator[bytes]:
    """Yield lines of JSON: articles of the ledger, records and events as they left, hunks as rows."""
    if what == "ledger":
        for article in _ledger(store, instance, selection):
            if any(selection.of_period(sight["observed"]) for sight in article["observations"]):
                yield canonical_json(article) + b"\n"
        return
    for item, row in _rows(store, what, selection):
        yield (canonical_json(row) if what == "hunks" else item.payload.encode()) + b"\n"


def csv_lines(store: Store, instance: Instance, what: What, selection: Selection) -> Iterator[bytes]:
    """Yield lines of CSV, a header first, that no spreadsheet takes for formulas."""
    table = _TABLES[what]
    yield spreadsheet.header(table)
    yield from spreadsheet.lines(table, rows(store, instance, what, selection))


def write_parquet(store: Store, instance: Instance, what: What, selection: Selection, file: IO[bytes]) -> None:
    """Write one Parquet file, a row group after the other."""
    from wirewatch.rows import arrow  # noqa: PLC0415 (pyarrow takes its time to import)

    found = rows(store, instance, what, selection)
    with arrow.parquet_writer(file, what) as writer:
        while some := list(islice(found, _ROWS_AT_ONCE)):
            arrow.add(writer, what, some)


def rows(store: Store, instance: Instance, what: What, selection: Selection) -> Iterator[Row]:
    """Yield rows as `wirewatch.rows` describes them."""
    if what != "ledger":
        yield from (row for _, row in _rows(store, what, selection))
        return
    for article in _ledger(store, instance, selection):
        yield from (sight for sight in sights_of(article) if selection.of_period(sight["observed"]))


def keys_of(store: Store, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys of the articles known under normalised addresses; raise ConfigurationError for one unknown."""
    if not names:
        return ()
    with store.reading() as conn:
        found = ledger.owners(conn, names)
    if unknown := [name for name in names if name not in found]:
        raise ConfigurationError(
            f"Nothing is kept under {unknown[0]}; `wirewatch show` knows an article by each address"
        )
    return tuple(sorted(set(found.values())))


def _ledger(store: Store, instance: Instance, selection: Selection) -> Iterator[dict[str, Any]]:
    uri: Callable[[str], str] = partial(article_uri, instance.authority, instance.since)
    with store.reading() as conn:
        for keys in _chosen(conn, selection, merged=False):
            yield from ledger.exported(conn, keys, uri)


def _rows(store: Store, what: What, selection: Selection) -> Iterator[tuple[Item, Row]]:
    """Yield rows with the messages that they are of."""
    time = _TIMES[what]
    with store.reading() as conn:
        for keys in _chosen(conn, selection, merged=True):
            of_articles = exporting.messages(conn, keys, "record" if what == "records" else "event")
            for article in keys:
                found = [
                    (item, row)
                    for item in of_articles[article]
                    for table, row in rows_of(item)
                    if table.name == what and selection.of_period(row[time])
                ]
                yield from sorted(found, key=lambda one: _place(what, one[1]))


def _place(what: What, row: Row) -> tuple[datetime, datetime, str, int]:
    """Return what an article's rows are sorted by; none of it depends on when they were kept."""
    key = row[_TABLES[what].columns[0].name]
    return row[_TIMES[what]] or _EVER, row.get("observed") or _EVER, key, row.get("place") or 0


def _chosen(conn: Any, selection: Selection, *, merged: bool) -> Iterator[list[str]]:
    """Yield the keys of the articles that are wanted, some at a time."""
    for keys in exporting.articles_of(conn, named=selection.articles or None, merged=merged):
        if not selection.asks_of_records:
            yield list(keys)
            continue
        latest = exporting.latest_records(conn, set(keys.values()))
        wanted = {key for key, item in latest.items() for _, row in rows_of(item) if selection.of_record(row)}
        yield [key for key, goes_on in keys.items() if goes_on in wanted]
