"""Lay records, events, hunks and sights out as rows of tables: one set of columns for every sink and every export.

A column names the place in the message that it is read from, and its type is that of the model there: a member that
changes in the model changes in every table at once. What no column has is in `payload`, the message as it left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal, Protocol

from wirewatch.errors import BadContent
from wirewatch.events.data import EVENTS as EVENT_MODELS
from wirewatch.events.data import HunkData
from wirewatch.records import Record
from wirewatch.rows.types import Kind, kind_at

Row = dict[str, Any]

_SHOWN: Final = {"new", "revised", "unchanged", "restamped", "not_modified"}  # outcomes of sights of a revision
_STEP: Final = re.compile(r"(?P<member>\w+)(?:\[(?P<by>\w+)=(?P<value>[\w-]+)\])?(?P<each>\[\])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column. `path` is where its value stands in the message; without one, it comes from what is kept beside it."""

    name: str
    kind: Kind
    says: str
    path: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table. `cluster` names the columns by which its rows are best kept together, the most telling one first."""

    name: str
    says: str
    columns: tuple[Column, ...]
    cluster: tuple[str, ...]


class Finished(Protocol):
    """A finished record or event, as the outbox has it."""

    @property
    def kind(self) -> Literal["record", "event"]: ...
    @property
    def item(self) -> str: ...
    @property
    def payload(self) -> str: ...
    @property
    def recorded(self) -> datetime: ...
    @property
    def backfill(self) -> bool: ...


def rows_of(message: Finished) -> Iterator[tuple[Table, Row]]:
    """Yield a message as rows: a record is one, an event is one and one more for each of its hunks.

    Raise BadContent for what is no JSON object, or holds something else than the model says at a column's place.
    """
    said = _parsed(message)
    kept = {"recorded": message.recorded, "backfill": message.backfill, "payload": message.payload}
    if message.kind == "record":
        yield RECORDS, _row(RECORDS, said, {"revision": message.item, **kept}, message.item)
        return
    event = _row(EVENTS, said, {"event": message.item, **kept}, message.item)
    yield EVENTS, event
    shared = {name: event[name] for name in _SHARED}
    hunks = (said.get("data") or {}).get("hunks") or []
    if not isinstance(hunks, list):
        raise BadContent(f"data.hunks of {message.item} is no list.", about=message.item)
    for place, hunk in enumerate(hunks):
        yield HUNKS, _row(HUNKS, {"hunk": hunk}, {**shared, "place": place}, message.item)


def sights_of(article: Mapping[str, Any]) -> Iterator[Row]:
    """Yield one article of the ledger export as rows of `LEDGER`: one for each sight of it, in the order of time.

    A sight of a wording is of the last revision that had begun by then and has that wording; where a newer extractor
    has read its page again since, of the last one that had begun.
    """
    revisions = article["revisions"]
    for sight in article["observations"]:
        begun = [one for one in revisions if one["first_observed"] <= sight["observed"]]
        same = [one for one in begun if one["content_hash"] == sight["content_hash"]]
        shown = (same or begun) if sight["outcome"] in _SHOWN else []
        revision = shown[-1] if shown else {}
        claims = {claim.kind: claim.at for claim in sight["claims"]}
        yield {
            "article": article["uri"],
            "revision": revision.get("id"),
            "version": revision.get("version"),
            "technical": revision.get("technical"),
            "published": claims.get("published"),
            "modified": claims.get("modified"),
            **{column.name: _plain(sight[column.name]) for column in LEDGER.columns if column.name in sight},
        }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _parsed(message: Finished) -> dict[str, Any]:
    try:
        said = json.loads(message.payload)
    except ValueError as error:
        raise BadContent(f"The {message.kind} {message.item} is no JSON ({error}).", about=message.item) from error
    if not isinstance(said, dict):
        raise BadContent(f"The {message.kind} {message.item} is no JSON object.", about=message.item)
    return said


def _row(table: Table, said: Mapping[str, Any], kept: Mapping[str, Any], item: str) -> Row:
    row: Row = {}
    for column in table.columns:
        if column.path is None or column.name in kept:
            row[column.name] = kept[column.name]
            continue
        try:
            row[column.name] = _reader(column.path, column.kind)(said)
        except (AttributeError, TypeError, ValueError) as error:
            why = f"{column.path} of {item} is not what a {column.kind} can be read from"
            raise BadContent(f"{why}, and the table {table.name} has no place for it.", about=item) from error
    return row


@cache
def _reader(path: str, kind: Kind) -> Callable[[Mapping[str, Any]], Any]:
    convert = _CONVERTERS[kind]
    taken = [step.groups() for name in path.split(".") if (step := _STEP.fullmatch(name))]
    if "[" not in path:
        return _plain_reader([step[0] for step in taken], convert)

    def read(said: Mapping[str, Any]) -> Any:
        found: list[Any] = [said]
        for member, by, value, each in taken:
            found = [inner for one in found if (inner := one.get(member)) is not None]
            if by or each:
                found = [one for several in found for one in several if not by or one.get(by) == value]
        if kind == "texts":
            return [convert(one) for one in found]
        return convert(found[0]) if found else None

    return read


def _plain_reader(members: Sequence[str], convert: Callable[[Any], Any]) -> Callable[[Mapping[str, Any]], Any]:
    def read(said: Any) -> Any:
        for member in members:
            said = said.get(member)
            if said is None:
                return None
        return convert(said)

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _integer(value: Any) -> int:
    if isinstance(value, (bool, float)):
        raise TypeError
    counted = int(value)  # a version is a text that counts
    if not -(2**63) <= counted < 2**63:
        raise ValueError
    return counted


def _number(value: Any) -> float:
    if isinstance(value, (bool, str)):
        raise TypeError
    return float(value)


def _time(value: Any) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError
    return at


_CONVERTERS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    "text": _text,
    "texts": _text,
    "flag": _flag,
    "integer": _integer,
    "number": _number,
    "time": _time,
}


def _kept(name: str, kind: Kind, says: str) -> Column:
    return Column(name=name, kind=kind, says=says)


def _read(models: Sequence[Any], name: str, path: str, says: str, kind: Kind | None = None) -> Column:
    return Column(name=name, kind=kind or kind_at(models, path), path=path, says=says)


def _of_record(name: str, path: str, says: str, kind: Kind | None = None) -> Column:
    return _read((Record,), name, path, says, kind)


def _of_event(name: str, path: str, says: str, kind: Kind | None = None) -> Column:
    return _read(EVENT_MODELS, name, path, says, kind)


def _of_hunk(name: str, path: str, says: str) -> Column:
    return Column(name=name, kind=kind_at((HunkData,), path), path=f"hunk.{path}", says=says)


_RECORDED: Final = _kept("recorded", "time", "When Wirewatch wrote the message; days are divided by it.")
_BACKFILL: Final = _kept("backfill", "flag", "Whether it was read too late to alert anyone, as from an archive.")
_PAYLOAD: Final = _kept("payload", "text", "The message itself, the JSON that every sink gets. Not in CSV.")

RECORDS: Final = Table(
    name="records",
    says="One row for each revision of each article: its words, and what is stated about them.",
    cluster=("publisher", "article"),
    columns=(
        _kept("revision", "text", "The revision's id; no two rows that differ have the same one."),
        _of_record("article", "uri", "The article's uri, the same for all of its revisions."),
        _of_record("version", "version", "The revision's place when the record was written; part of no id.", "integer"),
        _of_record("url", "renditions[name=web].href", "Where the article was read."),
        _of_record("canonical_url", "altIds[role=canonicalUrl].value", "The address that the page calls its own."),
        _of_record("guids", "altIds[role=feedGuid].value", "What feeds call the article.", "texts"),
        _of_record("content_hash", "altIds[role=contentHash].value", "SHA-256 over all compared words."),
        _of_record("first_created", "firstCreated", "When the article was first published."),
        _of_record("version_created", "versionCreated", "When this wording was made; exports sort by it."),
        _of_record("status", "pubStatus", "usable, withheld or canceled."),
        _of_record("completeness", "representationType", "partial behind a paywall, else full."),
        _of_record("language", "language", "As the page states it, else the configuration."),
        _of_record("publisher", "infoSources[role=publisher].name", "As the configuration names it, else the page."),
        _of_record("publisher_url", "infoSources[role=publisher].uri", "The publisher's address."),
        _of_record("feed", "infoSources[role=feed].uri", "The address of the feed that brought the article."),
        _of_record("feed_name", "infoSources[role=feed].name", "The feed's name, else its address."),
        _of_record("headline", "headlines[role=main].value", "The headline, exactly as read."),
        _of_record("standfirst", "descriptions[role=standfirst].value", "The lines between headline and text."),
        _of_record("byline", "by", "Who wrote it, as printed."),
        _of_record("section", "subjects[rel=section].name", "The section of the paper."),
        _of_record("dateline", "descriptions[role=dateline].value", "Place and date that open the text."),
        _of_record("body", "bodies[role=main].value", "The text; blank lines divide its paragraphs."),
        _of_record("caption", "associations[rel=lead-image].descriptions[role=caption].value", "Below the picture."),
        _of_record("credit", "associations[rel=lead-image].by", "Whose picture it is."),
        _of_record("correction", "bodies[role=correction].value", "The publisher's note on what was mended."),
        _of_record("characters", "bodies[role=main].charCount", "Length of the text in code points."),
        _of_record("words", "bodies[role=main].wordCount", "Length of the text in what spaces divide."),
        _of_record("place", "located", "The dateline's place."),
        _of_record("image_url", "associations[rel=lead-image].renditions[name=web].href", "The picture's address."),
        _of_record(
            "previous_revision",
            "associations[rel=predecessor-version].altIds[role=revisionId].value",
            "The id of the revision before this one.",
        ),
        _of_record("copyright_holder", "copyrightHolder", "As the configuration says."),
        _of_record("copyright_notice", "copyrightNotice", "As the configuration says."),
        _of_record("usage_terms", "usageTerms", "What may be done with the text, as the configuration says."),
        _of_record("terms_url", "rightsInfo.linkedRights", "Where the terms stand."),
        _RECORDED,
        _BACKFILL,
        _PAYLOAD,
    ),
)

_ABOUT: Final = (
    _of_event("article", "subject", "The uri of the article that it is about."),
    _of_event("time", "time", "When the publisher made it, as far as is known; exports sort by it."),
    _of_event("observed", "data.current.observedAt", "When the newer wording was first seen."),
    _of_event("url", "data.article.url", "Where the article was read."),
    _of_event("publisher", "data.article.publisher", "As the configuration names it, else the page."),
    _of_event("language", "data.article.language", "As the page states it, else the configuration."),
    _of_event("previous_revision", "data.previous.id", "The id of the revision before the change."),
    _of_event("revision", "data.current.id", "The id of the revision after it, or of the only one."),
)

_SHARED: Final = ("event", *(column.name for column in _ABOUT), "recorded", "backfill")  # of an event and its hunks

EVENTS: Final = Table(
    name="events",
    says="One row for each event: what happened to an article, when, and how much it matters.",
    cluster=("type", "publisher", "article"),
    columns=(
        _kept("event", "text", "The event's id; an event that comes again has the same one."),
        _of_event("type", "type", "What happened, such as wirewatch.article.revised.v1."),
        *_ABOUT,
        _of_event("headline", "data.article.headline", "As it is called now; cut after 300 characters."),
        _of_event("first_created", "data.article.firstCreated", "When the article was first published."),
        _of_event("version", "data.current.version", "The newer revision's place; part of no id.", "integer"),
        _of_event("version_created", "data.current.versionCreated", "When the newer wording was made."),
        _of_event("not_before", "data.observedWindow.notBefore", "When the former state was last seen."),
        _of_event("not_after", "data.observedWindow.notAfter", "When the new state was first seen."),
        _of_event("disclosure", "data.disclosure", "Whether the publisher said that something changed."),
        _of_event("signal", "data.signal", "IPTC's word for an update or a correction."),
        _of_event("significance", "data.significance.class", "minor, notable or major."),
        _of_event("score", "data.significance.score", "The same as a number from 0 to 1."),
        _of_event("reasons", "data.significance.reasons[].kind", "Why it may matter, heaviest first."),
        _of_event("changed_fields", "data.changedFields[]", "Which parts of the record changed."),
        _of_event("words_added", "data.stats.wordsAdded", "Words of the new text that are not in the old one."),
        _of_event("words_removed", "data.stats.wordsRemoved", "Words of the old text that are not in the new one."),
        _of_event("similarity", "data.stats.similarity", "1 where the texts are the same, 0 where nothing is."),
        _of_event("earlier_wording_unseen", "data.current.earlierWordingUnseen", "First seen after an update."),
        _of_event("last_revision", "data.last.id", "Of a withdrawn article: the id of its last revision."),
        _of_event("reason", "data.reason", "Of a withdrawn article: how that was seen."),
        _of_event("old_stamp", "data.oldStamp.at", "Of a restamp: the publisher's time before."),
        _of_event("new_stamp", "data.newStamp.at", "Of a restamp: the publisher's time now."),
        _of_event("survivor", "data.survivor", "Of a merger: the uri that goes on."),
        _of_event("evidence", "data.evidence", "Of a merger: what showed that two articles are one."),
        _of_event("retracted", "data.retracted", "The id of the event that this one takes back."),
        _of_event("truncated", "data.truncated", "Whether hunks or reasons were cut to keep the event small."),
        _of_event("dataref", "dataref", "Where the viewer shows it."),
        _RECORDED,
        _BACKFILL,
        _PAYLOAD,
    ),
)

HUNKS: Final = Table(
    name="hunks",
    says="One row for each change inside a revised event. Leave out those whose event is `retracted` by another.",
    cluster=("field", "publisher", "article"),
    columns=(
        _kept("event", "text", "The id of the event that it is part of."),
        _kept("place", "integer", "Its place among the event's hunks, from 0."),
        *_ABOUT,
        _of_hunk("field", "field", "Which part of the record, such as bodies/main."),
        _of_hunk("op", "op", "insert, delete or replace."),
        _of_hunk("old", "old.exact", "The words that went; empty for an insert."),
        _of_hunk("new", "new.exact", "The words that came; empty for a delete."),
        _of_hunk("before", "new.prefix", "What stands before them."),
        _of_hunk("after", "new.suffix", "What stands after them."),
        _of_hunk("old_start", "old.start", "Where they began in the old text, in code points from 0."),
        _of_hunk("old_end", "old.end", "Where they ended."),
        _of_hunk("new_start", "new.start", "Where they begin in the new text."),
        _of_hunk("new_end", "new.end", "Where they end."),
        _of_hunk("move", "move", "The two halves of a moved sentence have the same number."),
        _of_hunk("truncated", "truncated", "Whether its words were cut to keep the event small."),
        _RECORDED,
        _BACKFILL,
    ),
)

LEDGER: Final = Table(
    name="ledger",
    says="One row for each sight of each article: what was seen when, and the revision that it showed.",
    cluster=("article",),
    columns=(
        _kept("article", "text", "The article's uri."),
        _kept("observed", "time", "When it was seen, by our clock; exports sort by it."),
        _kept("url", "text", "The address that was asked."),
        _kept("outcome", "text", "What it turned out to be, such as new, revised or unchanged."),
        _kept("seen", "text", "What came back, before it was compared: wording, not_modified, gone and others."),
        _kept("detail", "text", "The same in words, where there is something to say."),
        _kept("revision", "text", "The id of the revision that was seen."),
        _kept("version", "integer", "That revision's place; part of no id."),
        _kept("technical", "flag", "Whether that revision may differ by how it was extracted only."),
        _kept("content_hash", "text", "SHA-256 over all compared words."),
        _kept("text_hash", "text", "A hash of the words exactly as read."),
        _kept("page_hash", "text", "SHA-256 of the page's bytes."),
        _kept("length", "integer", "Characters of the body, as compared."),
        _kept("published", "time", "The time of publication that the publisher claimed then."),
        _kept("modified", "time", "The time of the last change that the publisher claimed then."),
        _kept("paywalled", "flag", "Whether only a part could be read."),
        _kept("flags", "texts", "What was odd about it."),
        _kept("extractor", "text", "What read the page, with its version."),
    ),
)

TABLES: Final = (RECORDS, EVENTS, HUNKS, LEDGER)
DELIVERED: Final = (RECORDS, EVENTS, HUNKS)
"""The tables that sinks have; the ledger follows from what the store has and is exported only."""
