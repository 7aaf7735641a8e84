"""Write one revision of an article as a record: IPTC ninjs 3.1 in JSON, one record for each revision.

What no page, feed or configuration states is left out, never inferred: a record without `urgency` says that nobody
stated one. Every compared text stands in the record exactly as read, at the path that `FIELD_PATHS` gives it, because
an event's hunks count their positions in that very text.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from wirewatch.canonical import article_uri, sha256
from wirewatch.model import Alias, Facts, Instance, Revision, Source, Wording

_Item = TypeVar("_Item")
PubStatus = Literal["usable", "withheld", "canceled"]

# Where each compared field stands in a record: the property's name, then the `role` or `rel` of the item in its array,
# then the same again inside an associated item. The first segment is what an event's `changedFields` lists.
FIELD_PATHS: Final = {
    "headline": "headlines/main",
    "standfirst": "descriptions/standfirst",
    "byline": "by",
    "section": "subjects/section",
    "dateline": "descriptions/dateline",
    "body": "bodies/main",
    "caption": "associations/lead-image/descriptions/caption",
    "credit": "associations/lead-image/by",
    "correction": "bodies/correction",
}

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")  # the shape of BCP 47
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}", re.ASCII)  # RFC 6838, 4.2
_ADDRESS_LIMIT = 4096  # bytes; twice what identity keeps of a URL, so only pictures and configuration can exceed it
_PLACE_LIMIT = 200  # characters; no place name comes near
_RESERVED = "!$&'()*+,;=:@/?#[]%"  # RFC 3986, 2.2, and the sign that escapes
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PCHAR = r"[\w.~!$&'()*+,;=:@%-]"
_WEB_ADDRESS = re.compile(
    rf"https?://(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|[\w.~!$&'()*+,;=%-]+)(?::\d{{0,5}})?"
    rf"(?:/(?:{_PCHAR}|/)*)?(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?",
    re.ASCII | re.IGNORECASE,
)
# Where a dateline stops being a place: a dash, a bracket, a colon, or a comma before a part with a number (the date).
_AFTER_PLACE = re.compile(r"[—–(:]|\s-\s|,[^,]*\d")

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Address = Annotated[str, Field(json_schema_extra={"format": "uri"})]


class Published(BaseModel):
    """A part of what Wirewatch publishes: snake case here, camel case in JSON, absent members left out."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )


class Standard(Published):
    name: Literal["ninjs"] = "ninjs"
    version: Literal["3.1"] = "3.1"
    # pydantic knows a method of this name, hence the underscore
    schema_: Annotated[
        Literal["http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json"],
        Field(alias="schema"),
    ] = "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json"


class Text(Published):
    """A headline or description, by its role."""

    role: str | None = None
    content_type: str | None = None
    value: str


class Body(Text):
    """A body, by its role. Characters are code points, words are what spaces divide."""

    char_count: int | None = None
    word_count: int | None = None


class Named(Published):
    """A subject, place or organisation that the page, feed or configuration names."""

    name: str
    rel: str | None = None
    uri: Address | None = None


class InfoSource(Published):
    """Who published, carried or aggregated the article."""

    name: str
    role: Literal["publisher", "feed", "aggregator"]
    uri: Address | None = None


class RightsInfo(Published):
    linked_rights: Address


class AltId(Published):
    """Another name of the article (`canonicalUrl`, `feedGuid`) or of this revision (`contentHash`, `revisionId`)."""

    role: str
    value: str


class Rendition(Published):
    """Where the article or picture can be seen on the web."""

    name: str
    href: Address
    content_type: str | None = None


class Association(Published):
    """The revision before this one (`predecessor-version`), or the picture beside the text (`lead-image`)."""

    name: str
    rel: Literal["predecessor-version", "lead-image"]
    uri: Address
    type: Literal["text", "picture"]
    version: str | None = None
    version_created: Moment | None = None
    representation_type: Literal["full", "partial"] | None = None
    by: str | None = None
    descriptions: tuple[Text, ...] | None = None
    renditions: tuple[Rendition, ...] | None = None
    alt_ids: tuple[AltId, ...] | None = None


class Record(Published):
    """One revision of an article, in ninjs 3.1.

    `urgency`, `organisations`, `places`, `subjects` but the section, and `edNote` appear only where they were stated.
    """

    standard: Standard
    uri: Address
    type: Literal["text"]
    profile: Literal["article-revision"]
    representation_type: Literal["full", "partial"]
    version: str
    first_created: Moment
    version_created: Moment
    pub_status: PubStatus
    urgency: Annotated[int, Field(ge=1, le=9)] | None = None
    language: str | None = None
    title: str | None = None
    headlines: tuple[Text, ...] | None = None
    descriptions: tuple[Text, ...] | None = None
    by: str | None = None
    located: str | None = None
    bodies: tuple[Body, ...] | None = None
    organisations: tuple[Named, ...] | None = None
    places: tuple[Named, ...] | None = None
    subjects: tuple[Named, ...] | None = None
    info_sources: tuple[InfoSource, ...]
    copyright_holder: str | None = None
    copyright_notice: str | None = None
    usage_terms: str | None = None
    rights_info: RightsInfo | None = None
    alt_ids: tuple[AltId, ...]
    renditions: tuple[Rendition, ...] | None = None
    ed_note: str | None = None
    associations: tuple[Association, ...] | None = None


def ninjs_record(
    *,
    instance: Instance,
    revision: Revision,
    previous: Revision | None,
    wording: Wording,
    facts: Facts,
    source: Source,
    aliases: Sequence[Alias] = (),
    pub_status: PubStatus = "usable",
    paywalled: bool = False,
) -> dict[str, Any]:
    """Return the record of one revision, valid against ninjs 3.1 and our own schema `record`.

    `previous` is the revision before it in time. Of a paywalled page only what it shows is known, so its record is
    `partial`. An address that is not a plain http(s) URL, or that carries a password, is left out.
    """
    uri = article_uri(instance.authority, instance.since, revision.article)
    record = Record(
        standard=Standard(),
        uri=uri,
        type="text",
        profile="article-revision",
        representation_type="partial" if paywalled else "full",
        version=str(revision.version),
        first_created=moment(revision.first_created),
        version_created=moment(revision.version_created),
        pub_status=pub_status,
        language=stated_language(facts, source),
        title=wording.headline or None,
        headlines=_texts(("main", wording.headline)),
        descriptions=_texts(("standfirst", wording.standfirst), ("dateline", wording.dateline)),
        by=wording.byline or None,
        located=_place(wording.dateline),
        bodies=_bodies(("main", wording.body), ("correction", wording.correction)),
        subjects=_section(wording.section or source.section),
        info_sources=_info_sources(instance, facts, source),
        copyright_holder=source.copyright_holder,
        copyright_notice=source.copyright_notice,
        usage_terms=source.usage_terms,
        rights_info=RightsInfo(linked_rights=terms) if (terms := web_address(source.terms_url)) else None,
        alt_ids=_alt_ids(revision, facts, aliases),
        renditions=_rendition(revision.url, facts.content_type),
        associations=_associations(instance, uri, previous, wording, facts),
    )
    return dump(record)


def dump(part: Published) -> dict[str, Any]:
    """Return the plain dictionary that JSON is made from, in the order of the model, absent members left out."""
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)


def moment(at: datetime) -> str:
    """Return RFC 3339 in UTC, with microseconds only where there are any. Refuse naive times."""
    if at.tzinfo is None:
        raise ValueError(f"A time without a zone: {at.isoformat()}")
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def stated_language(facts: Facts, source: Source) -> str | None:
    """Return the language that the page states, else the configuration's; what has not the shape of one is left out."""
    stated = (language for language in (facts.language, source.language) if language)
    return next((language for language in stated if _LANGUAGE.fullmatch(language)), None)


def stated_publisher(facts: Facts, source: Source) -> str | None:
    """Return the publisher's name: as the configuration has it, else as the page states it."""
    return source.publisher or facts.publisher or None


def web_address(text: str | None) -> str | None:
    """Return an http(s) address in the characters that RFC 3986 allows, or None where it is none.

    An address that carries a user name is none: what is published must not carry a feed's password.
    """
    if not text or len(text) > _ADDRESS_LIMIT:
        return None
    address = _STRAY_PERCENT.sub("%25", quote(text, safe=_RESERVED, errors="replace"))
    match = _WEB_ADDRESS.fullmatch(address)
    if match is None or len(address) > _ADDRESS_LIMIT or not _is_ipv6(match["ipv6"] or "::"):
        return None
    return address


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _texts(*texts: tuple[str, str | None]) -> tuple[Text, ...] | None:
    return _some(Text(role=role, content_type="text/plain", value=text) for role, text in texts if text)


def _bodies(*texts: tuple[str, str | None]) -> tuple[Body, ...] | None:
    return _some(
        Body(role=role, content_type="text/plain", char_count=len(text), word_count=len(text.split()), value=text)
        for role, text in texts
        if text
    )


def _section(section: str | None) -> tuple[Named, ...] | None:
    return (Named(name=section, rel="section"),) if section else None


def _place(dateline: str | None) -> str | None:
    if not dateline:
        return None
    place = _AFTER_PLACE.split(dateline[:_PLACE_LIMIT], maxsplit=1)[0]
    return place.strip(" \t\n,;/|-") or None


def _info_sources(instance: Instance, facts: Facts, source: Source) -> tuple[InfoSource, ...]:
    publisher = stated_publisher(facts, source)
    feed = source.feed_name or web_address(source.feed)
    parties = (
        publisher and InfoSource(name=publisher, role="publisher", uri=web_address(source.publisher_url)),
        feed and InfoSource(name=feed, role="feed", uri=web_address(source.feed)),
        InfoSource(name="Wirewatch", role="aggregator", uri=f"https://{instance.authority}/"),
    )
    return tuple(party for party in parties if party)


def _alt_ids(revision: Revision, facts: Facts, aliases: Sequence[Alias]) -> tuple[AltId, ...]:
    guids = sorted({alias.name.partition("#guid=")[2] for alias in aliases if alias.kind == "guid"})
    canonical = web_address(facts.canonical_url)
    return (
        *([AltId(role="canonicalUrl", value=canonical)] if canonical else ()),
        *(AltId(role="feedGuid", value=guid) for guid in guids if guid),
        AltId(role="contentHash", value=f"sha256:{revision.content_hash}"),
        AltId(role="revisionId", value=revision.id),
    )


def _rendition(url: str | None, content_type: str | None) -> tuple[Rendition, ...] | None:
    href = web_address(url)
    if href is None:
        return None
    media_type = (content_type or "").partition(";")[0].strip().lower()
    known = media_type if _MEDIA_TYPE.fullmatch(media_type) else None
    return (Rendition(name="web", href=href, content_type=known),)


def _associations(
    instance: Instance, uri: str, previous: Revision | None, wording: Wording, facts: Facts
) -> tuple[Association, ...] | None:
    associations = (
        previous and _predecessor(uri, previous),
        (wording.caption or wording.credit or facts.image_url) and _lead_image(instance, uri, wording, facts),
    )
    return _some(association for association in associations if association)


def _predecessor(uri: str, previous: Revision) -> Association:
    return Association(
        name="previous version",
        rel="predecessor-version",
        uri=uri,
        type="text",
        version=str(previous.version),
        version_created=moment(previous.version_created),
        representation_type="partial",
        alt_ids=(
            AltId(role="contentHash", value=f"sha256:{previous.content_hash}"),
            AltId(role="revisionId", value=previous.id),
        ),
    )


def _lead_image(instance: Instance, uri: str, wording: Wording, facts: Facts) -> Association:
    """Return the picture beside the text. Its uri is made from its address: another address is another picture."""
    digest = sha256((facts.image_url or uri).encode(errors="replace"))[:16]
    return Association(
        name="lead image",
        rel="lead-image",
        uri=f"tag:{instance.authority},{instance.since}:picture/{digest}",
        type="picture",
        by=wording.credit or None,
        descriptions=_texts(("caption", wording.caption)),
        renditions=_rendition(facts.image_url, None),
    )


def _some(items: Iterable[_Item]) -> tuple[_Item, ...] | None:
    return tuple(items) or None
