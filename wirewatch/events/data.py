"""Describe the events as models: what each says, in which shape, and how it is checked.

The published JSON Schemas are made from these models, so a change here changes what consumers were promised: a new
optional member raises `SCHEMA_VERSION` to 1-1, anything else to 2-0 and the type's `.v1` with it.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from wirewatch.records import FIELD_PATHS, Address, Moment, Published

SCHEMA_VERSION: Final = "1-0"  # of every event's data, of the record and of the capture

EventId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
FieldPath = Annotated[str, Field(json_schema_extra={"enum": sorted(FIELD_PATHS.values())})]


class ArticleRef(Published):
    """The article, as it is called now. A headline over 300 characters is cut."""

    uri: Address
    url: Address | None = None
    publisher: str | None = None
    language: str | None = None
    headline: str | None = None
    first_created: Moment | None = None


class Stamp(Published):
    """A time that the publisher states, where it was read, and how its zone is known. Unreadable, it has no `at`."""

    kind: Literal["published", "modified"]
    at: Moment | None = None
    where: Literal["json-ld", "meta", "time", "text", "feed"]
    zone: Literal["stated", "configured", "assumed"]
    flags: tuple[str, ...] | None = None


class RevisionRef(Published):
    """A revision by its id. `version` is its place when this was written and may shift; never link by it.

    `claims` are the publisher's own times at its first sight. `earlierWordingUnseen` marks a first sight that already
    carried an "Updated" stamp.
    """

    id: EventId
    version: str
    version_created: Moment
    observed_at: Moment
    content_hash: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    earlier_wording_unseen: Literal[True] | None = None
    claims: tuple[Stamp, ...] | None = None


class ObservedWindow(Published):
    """It happened after `notBefore`, when the former state was last seen, and by `notAfter`, when the new one was."""

    not_before: Moment | None = None
    not_after: Moment


class SelectorData(Published):
    """A Web Annotation text quote and text position: offsets in code points of the field's text."""

    exact: str
    prefix: str
    suffix: str
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class HunkData(Published):
    """One change in one field. In a `truncated` one, texts are cut; `start` and `end` still hold for the full text."""

    field: FieldPath
    op: Literal["insert", "delete", "replace"]
    old: SelectorData
    new: SelectorData
    move: int | None = None
    truncated: Literal[True] | None = None


class ReasonData(Published):
    """One exact reason why the change may matter; `hunk` counts the diff's hunks from 0, given or cut.

    `start` is given where `new` stands outside the hunk: the place of a `corrected` sentence in the new text.
    """

    kind: str
    field: FieldPath
    hunk: Annotated[int, Field(ge=0)]
    old: str | None = None
    new: str | None = None
    start: Annotated[int, Field(ge=0)] | None = None
    truncated: Literal[True] | None = None


class Significance(Published):
    """How much the change matters. `class` and `score` follow from the diff's reasons, given or cut, heaviest first."""

    # Python keeps the word, hence the underscore
    class_: Annotated[Literal["minor", "notable", "major"], Field(alias="class")]
    score: Annotated[float, Field(ge=0, le=1)]
    reasons: tuple[ReasonData, ...]


class Stats(Published):
    """The size of the change. `hunks` and `reasons` are given where not all are in the event."""

    words_added: Annotated[int, Field(ge=0)]
    words_removed: Annotated[int, Field(ge=0)]
    similarity: Annotated[float, Field(ge=0, le=1)]
    hunks: int | None = None
    reasons: int | None = None


class Data(Published):
    """What every event says. `backfill` marks what was read too late to alert anyone."""

    article: ArticleRef
    backfill: Literal[True] | None = None
    truncated: Literal[True] | None = None


class PublishedData(Data):
    """An article was seen for the first time: a baseline, not a change."""

    current: RevisionRef


class RevisedData(Data):
    """The wording changed. Applying `hunks` to the old texts gives the new ones, spaces included."""

    previous: RevisionRef
    current: RevisionRef
    observed_window: ObservedWindow
    signal: Literal["http://cv.iptc.org/newscodes/signal/update", "http://cv.iptc.org/newscodes/signal/correction"]
    disclosure: Literal["disclosed", "undisclosed", "unknown"]
    significance: Significance
    changed_fields: tuple[str, ...]
    stats: Stats
    hunks: tuple[HunkData, ...]


class RestampedData(Data):
    """The publisher's "Updated" stamp moved, and no word did."""

    current: RevisionRef
    observed_window: ObservedWindow
    disclosure: Literal["stamp_only"]
    old_stamp: Stamp | None = None
    new_stamp: Stamp


class WithdrawnData(Data):
    """The article is gone from its address, `reason` says how that was seen; `last` is its last wording."""

    last: RevisionRef
    observed_window: ObservedWindow
    reason: str


class ReturnedData(Data):
    """An article that was gone can be read again; whether its wording changed is for a revised event to say."""

    current: RevisionRef
    observed_window: ObservedWindow


class MergedData(Data):
    """Two articles turned out to be one: `article` is the name that ends, `survivor` the one that goes on."""

    survivor: Address
    evidence: Literal["asked", "redirect", "canonical", "guid"] | None = None


class RetractedData(Data):
    """An earlier event is taken back, because an earlier capture turned up or two articles were joined."""

    retracted: EventId


class Event(Published):
    """The CloudEvents attributes, with the extensions `recordedtime`, `partitionkey` and `dataref`.

    `type` is the event's, `dataschema` its data's schema, `time` when it happened as far as is known.
    """

    specversion: Literal["1.0"] = "1.0"
    id: EventId
    source: Address
    type: str
    subject: Address
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Address
    recordedtime: Moment
    partitionkey: str
    dataref: Address
    data: Data


class ArticlePublished(Event):
    type: Literal["wirewatch.article.published.v1"] = "wirewatch.article.published.v1"
    data: PublishedData


class ArticleRevised(Event):
    type: Literal["wirewatch.article.revised.v1"] = "wirewatch.article.revised.v1"
    data: RevisedData


class ArticleRestamped(Event):
    type: Literal["wirewatch.article.restamped.v1"] = "wirewatch.article.restamped.v1"
    data: RestampedData


class ArticleWithdrawn(Event):
    type: Literal["wirewatch.article.withdrawn.v1"] = "wirewatch.article.withdrawn.v1"
    data: WithdrawnData


class ArticleReturned(Event):
    type: Literal["wirewatch.article.returned.v1"] = "wirewatch.article.returned.v1"
    data: ReturnedData


class ArticleMerged(Event):
    type: Literal["wirewatch.article.merged.v1"] = "wirewatch.article.merged.v1"
    data: MergedData


class DiffRetracted(Event):
    type: Literal["wirewatch.diff.retracted.v1"] = "wirewatch.diff.retracted.v1"
    data: RetractedData


AnyEvent = Annotated[
    ArticlePublished
    | ArticleRevised
    | ArticleRestamped
    | ArticleWithdrawn
    | ArticleReturned
    | ArticleMerged
    | DiffRetracted,
    Field(discriminator="type"),
]
EVENTS: Final[tuple[type[Event], ...]] = (
    ArticlePublished,
    ArticleRevised,
    ArticleRestamped,
    ArticleWithdrawn,
    ArticleReturned,
    ArticleMerged,
    DiffRetracted,
)


def schema_address(authority: str, name: str) -> str:
    """Return the address of a schema of ours, which is its `$id` and what an event's `dataschema` says."""
    return f"https://{authority}/schemas/{name}/{SCHEMA_VERSION}.json"


def schema_name(event_type: str) -> str:
    """Return the name of the schema of an event type's data: `article-revised` for `wirewatch.article.revised.v1`."""
    return "-".join(event_type.split(".")[1:3])
