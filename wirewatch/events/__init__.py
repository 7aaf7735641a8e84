"""Announce what happened to an article as a CloudEvents 1.0.2 message in JSON.

An event is finished here once and kept as it is: a resend hands over the kept bytes and never calls these functions
again. An event stays under 20 kB however long the texts are; what had to be cut is said by `truncated`, and the
positions in a cut hunk are still those of the full texts, which the two records hold.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal, NotRequired, TypedDict, Unpack

from wirewatch.canonical import article_uri, canonical_json
from wirewatch.events.data import (
    ArticleMerged,
    ArticlePublished,
    ArticleRef,
    ArticleRestamped,
    ArticleReturned,
    ArticleRevised,
    ArticleWithdrawn,
    Data,
    DiffRetracted,
    Event,
    MergedData,
    ObservedWindow,
    PublishedData,
    RestampedData,
    RetractedData,
    ReturnedData,
    RevisedData,
    RevisionRef,
    Significance,
    Stamp,
    Stats,
    WithdrawnData,
    schema_address,
    schema_name,
)
from wirewatch.events.fit import Given, fitted, shorten
from wirewatch.model import Claim, Diff, Instance, Revision, Verdict
from wirewatch.records import FIELD_PATHS, dump, moment, web_address

# What a publisher's text may take, in code points. One is at most 6 bytes of JSON, so an event without hunks and
# reasons stays under 12 kB at its worst, and some of both always fit.
_HEADLINE_LIMIT = 300
_PUBLISHER_LIMIT = 150
_LANGUAGE_LIMIT = 44  # what has the shape of a language is never longer
_REASON_LIMIT = 100  # of a withdrawal's reason, our own words

_SIGNALS: Final[dict[str, Any]] = {
    "update": "http://cv.iptc.org/newscodes/signal/update",
    "correction": "http://cv.iptc.org/newscodes/signal/correction",
}


class Common(TypedDict):
    """What every event is told: its id, whose it is, when it was recorded, and how the article is called now."""

    event_id: str
    instance: Instance
    recorded: datetime
    headline: NotRequired[str | None]
    publisher: NotRequired[str | None]
    language: NotRequired[str | None]
    backfill: NotRequired[bool]


def published(*, current: Revision, **common: Unpack[Common]) -> dict[str, Any]:
    """Announce an article's first sight. `time` is its `versionCreated`."""
    data = PublishedData(**_of(current, common), current=_revision(current))
    return _event(ArticlePublished, data, current.version_created, common)


def revised(
    *, previous: Revision, current: Revision, diff: Diff, verdict: Verdict, **common: Unpack[Common]
) -> dict[str, Any]:
    """Announce that the wording changed. `time` is the new revision's `versionCreated`.

    Where not everything fits, long texts in hunks and reasons are cut first, then hunks and reasons at the end.
    """

    def event(given: Given) -> dict[str, Any]:
        about = _of(current, common)
        data = RevisedData(
            **(about | {"truncated": True} if given.truncated else about),
            previous=_revision(previous),
            current=_revision(current),
            observed_window=_window(previous.last_observed, current.first_observed),
            signal=_SIGNALS[verdict.signal],
            disclosure=verdict.disclosure,
            significance=Significance(
                class_=verdict.significance_class, score=round(verdict.score, 2), reasons=given.reasons
            ),
            changed_fields=tuple(dict.fromkeys(FIELD_PATHS[name].split("/")[0] for name in diff.changed_fields)),
            stats=Stats(
                words_added=diff.words_added,
                words_removed=diff.words_removed,
                similarity=round(diff.similarity, 3),
                hunks=len(diff.hunks) if len(given.hunks) < len(diff.hunks) else None,
                reasons=len(verdict.reasons) if len(given.reasons) < len(verdict.reasons) else None,
            ),
            hunks=given.hunks,
        )
        return _event(ArticleRevised, data, current.version_created, common)

    return fitted(diff, verdict, event)


def restamped(
    *,
    current: Revision,
    observed: datetime,
    new_stamp: Claim,
    old_stamp: Claim | None = None,
    not_before: datetime | None = None,
    **common: Unpack[Common],
) -> dict[str, Any]:
    """Announce that the modified stamp moved though no word did. `time` is when the new stamp was first seen.

    `not_before` is when the old stamp was last seen, if known.
    """
    data = RestampedData(
        **_of(current, common),
        current=_revision(current),
        observed_window=_window(not_before, observed),
        disclosure="stamp_only",
        old_stamp=_stamp(old_stamp) if old_stamp else None,
        new_stamp=_stamp(new_stamp),
    )
    return _event(ArticleRestamped, data, observed, common)


def withdrawn(*, last: Revision, observed: datetime, reason: str, **common: Unpack[Common]) -> dict[str, Any]:
    """Announce that the article is gone. `time` is when that was seen, `reason` how: `HTTP 410`, say."""
    data = WithdrawnData(
        **_of(last, common),
        last=_revision(last),
        observed_window=_window(last.last_observed, observed),
        reason=shorten(reason, _REASON_LIMIT),
    )
    return _event(ArticleWithdrawn, data, observed, common)


def returned(
    *, current: Revision, observed: datetime, not_before: datetime | None = None, **common: Unpack[Common]
) -> dict[str, Any]:
    """Announce that an article that was gone can be read again. `time` is when that was seen.

    `not_before` is when it was last seen gone, if known.
    """
    data = ReturnedData(
        **_of(current, common), current=_revision(current), observed_window=_window(not_before, observed)
    )
    return _event(ArticleReturned, data, observed, common)


def merged(
    *,
    article: str,
    survivor: str,
    observed: datetime,
    evidence: Literal["asked", "redirect", "canonical", "guid"] | None = None,
    url: str | None = None,
    **common: Unpack[Common],
) -> dict[str, Any]:
    """Announce that `article` turned out to be `survivor`, both given by key. `time` is when the evidence was seen.

    Its subject is the name that ends, so that it reaches whoever holds something under that name.
    """
    instance = common["instance"]
    data = MergedData(
        **_about(article, common, url=url),
        survivor=article_uri(instance.authority, instance.since, survivor),
        evidence=evidence,
    )
    return _event(ArticleMerged, data, observed, common)


def retracted(*, article: str, retracts: str, url: str | None = None, **common: Unpack[Common]) -> dict[str, Any]:
    """Take back the event whose id is `retracts`, about the article of that key. `time` is when it was recorded."""
    data = RetractedData(**_about(article, common, url=url), retracted=retracts)
    return _event(DiffRetracted, data, common["recorded"], common)


def serialise(message: dict[str, Any]) -> str:
    """Return an event or record as one line of canonical JSON: the same message is always the same bytes."""
    return canonical_json(message).decode()


def _event(kind: type[Event], data: Data, time: datetime, common: Common) -> dict[str, Any]:
    authority = common["instance"].authority
    event_type = kind.model_fields["type"].default
    event = kind(
        id=common["event_id"],
        source=f"https://{authority}/pipelines/revisions",
        type=event_type,
        subject=data.article.uri,
        time=moment(time),
        dataschema=schema_address(authority, schema_name(event_type)),
        recordedtime=moment(common["recorded"]),
        partitionkey=data.article.uri,
        dataref=f"https://{authority}/events/{common['event_id']}",
        data=data,
    )
    return dump(event)


def _of(revision: Revision, common: Common) -> dict[str, Any]:
    return _about(revision.article, common, url=revision.url, first_created=revision.first_created)


def _about(
    article: str, common: Common, *, url: str | None = None, first_created: datetime | None = None
) -> dict[str, Any]:
    """Return the members that all events share."""
    instance = common["instance"]
    headline, publisher = common.get("headline") or None, common.get("publisher") or None
    language = common.get("language") or None
    cut = len(headline or "") > _HEADLINE_LIMIT or len(publisher or "") > _PUBLISHER_LIMIT
    return {
        "article": ArticleRef(
            uri=article_uri(instance.authority, instance.since, article),
            url=web_address(url),
            publisher=publisher and shorten(publisher, _PUBLISHER_LIMIT),
            language=language and language[:_LANGUAGE_LIMIT],
            headline=headline and shorten(headline, _HEADLINE_LIMIT),
            first_created=moment(first_created) if first_created else None,
        ),
        "backfill": True if common.get("backfill") else None,
        "truncated": True if cut else None,
    }


def _revision(revision: Revision) -> RevisionRef:
    claims = tuple(_stamp(claim) for claim in (revision.published, revision.modified) if claim)
    return RevisionRef(
        id=revision.id,
        version=str(revision.version),
        version_created=moment(revision.version_created),
        observed_at=moment(revision.first_observed),
        content_hash=f"sha256:{revision.content_hash}",
        earlier_wording_unseen=True if revision.earlier_wording_unseen else None,
        claims=claims or None,
    )


def _stamp(claim: Claim) -> Stamp:
    return Stamp(
        kind=claim.kind,
        at=moment(claim.at) if claim.at else None,
        where=claim.where,
        zone=claim.zone,
        flags=claim.flags or None,
    )


def _window(not_before: datetime | None, not_after: datetime) -> ObservedWindow:
    """Return the window; a former state that was seen again later, as a late capture can show, bounds nothing."""
    known = not_before is not None and not_before <= not_after
    return ObservedWindow(not_before=moment(not_before) if not_before and known else None, not_after=moment(not_after))
