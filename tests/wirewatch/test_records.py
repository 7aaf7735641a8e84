"""Records: every text has a home in ninjs 3.1, nothing is inferred, nothing hostile breaks them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rfc3986_validator import validate_rfc3986  # type: ignore[import-untyped]

from tests.wirewatch.newsroom import (
    INSTANCE,
    assert_valid,
    assert_valid_by_standard,
    at,
    example,
    revision,
    wording,
)
from wirewatch.model import WORDING_FIELDS, Alias, Facts, Source, Wording
from wirewatch.records import FIELD_PATHS, moment, ninjs_record, stated_language, stated_publisher, web_address

FULL = Wording(
    headline="Ferry council approves lamp subsidy",
    standfirst="A narrow vote, twice counted.",
    byline="By Marta Quill",
    section="Harbour",
    dateline="PORT ELLERY, March 16 (Wire) —",
    body="The council met.\n\nIt voted 9 to 4.",
    caption="The lamp at dusk.",
    credit="Photograph: Ada Wren",
    correction="An earlier version gave the wrong count.",
)


def record(**changes: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "instance": INSTANCE,
        "revision": revision(),
        "previous": None,
        "wording": wording(),
        "facts": Facts(),
        "source": Source(),
    }
    return ninjs_record(**(defaults | changes))


def text_at(record: dict[str, Any], path: str) -> str:
    """Return the text at one of `FIELD_PATHS`, by nothing but the rule that `docs/records.md` states."""
    here: Any = record
    for segment in path.split("/"):
        if isinstance(here, list):
            here = next(item for item in here if segment in (item.get("role"), item.get("rel")))
        else:
            here = here[segment]
    if isinstance(here, dict):
        here = here.get("value", here.get("name"))
    assert isinstance(here, str)
    return here


def test_record_has_the_shape_of_the_published_example() -> None:
    expected = example("record_v2.json")
    source = Source(
        feed="https://courier.example/local/rss.xml",
        feed_name="Ellery Courier: Local",
        publisher="Ellery Courier",
        publisher_url="https://courier.example/",
        copyright_holder="Ellery Courier",
        copyright_notice="© 2026 Ellery Courier",
        usage_terms="Internal monitoring only; the full text must not be redistributed.",
        terms_url="https://courier.example/terms",
    )
    words = Wording(
        headline=expected["title"], byline=expected["by"], dateline="Port Ellery", body=expected["bodies"][0]["value"]
    )
    url = "https://courier.example/local/ferry-subsidy"
    first = revision("14:26:07", url=url)
    second = revision("15:31:44", words, url=url, version=2, version_created=at("15:24"))
    made = record(
        revision=second,
        previous=first,
        wording=words,
        facts=Facts(language="en-GB", canonical_url=url, content_type="text/html; charset=utf-8"),
        source=source,
        aliases=[Alias(kind="guid", name="https://courier.example/local/rss.xml#guid=courier-88213")],
    )
    made["altIds"] = [alt for alt in made["altIds"] if alt["role"] in ("canonicalUrl", "feedGuid")]
    expected["altIds"] = [alt for alt in expected["altIds"] if alt["role"] != "contentHash"]
    del made["descriptions"]  # the dateline's exact words; the example's page states none
    del made["associations"][0]["altIds"]  # the id of the revision before, which the example does not give
    for stated_elsewhere in ("urgency", "organisations", "places", "subjects", "edNote"):
        del expected[stated_elsewhere]
    assert made == expected


@pytest.mark.parametrize("field", WORDING_FIELDS)
def test_every_compared_text_stands_exactly_as_read_at_its_path(field: str) -> None:
    full = record(wording=FULL)
    assert text_at(full, FIELD_PATHS[field]) == getattr(FULL, field)


def test_every_compared_field_has_one_path() -> None:
    assert tuple(FIELD_PATHS) == WORDING_FIELDS
    assert len(set(FIELD_PATHS.values())) == len(WORDING_FIELDS)


@pytest.mark.parametrize(
    ("dateline", "located"),
    [
        pytest.param("PORT ELLERY —", "PORT ELLERY", id="a dash"),
        pytest.param("PORT ELLERY (Wire) –", "PORT ELLERY", id="an agency"),
        pytest.param("Port Ellery, March 16 -", "Port Ellery", id="a date"),
        pytest.param("PARIS, Texas:", "PARIS, Texas", id="a second place is part of it"),
        pytest.param("STOKE-ON-TRENT", "STOKE-ON-TRENT", id="hyphens belong to the name"),
        pytest.param("— ", None, id="no place"),
    ],
)
def test_located_is_the_datelines_place_alone(dateline: str, located: str | None) -> None:
    assert record(wording=wording(dateline=dateline)).get("located") == located


def test_documentation_gives_every_field_its_path() -> None:
    page = (Path(__file__).parents[2] / "docs" / "records.md").read_text()
    assert [path for path in FIELD_PATHS.values() if f"| `{path}`" not in page] == []


def test_what_nobody_states_is_left_out() -> None:
    assert set(record(wording=Wording(body="Words."))) == {
        "standard",
        "uri",
        "type",
        "profile",
        "representationType",
        "version",
        "firstCreated",
        "versionCreated",
        "pubStatus",
        "bodies",
        "infoSources",
        "altIds",
        "renditions",
    }


def test_paywalled_page_makes_a_partial_record() -> None:
    assert record(paywalled=True)["representationType"] == "partial"


def test_feed_address_with_a_password_is_not_published() -> None:
    sources = record(source=Source(feed="https://me:secret@courier.example/rss.xml", feed_name="Local"))["infoSources"]
    assert sources[0] == {"name": "Local", "role": "feed"}
    unnamed = record(source=Source(feed="https://me:secret@courier.example/rss.xml"))
    assert "secret" not in str(unnamed)


def test_predecessor_is_named_by_its_id_too() -> None:
    first = revision()
    association = record(revision=revision("15:31:44", wording(body="New."), version=2), previous=first)[
        "associations"
    ][0]
    assert association["rel"] == "predecessor-version"
    assert {"role": "revisionId", "value": first.id} in association["altIds"]


def test_another_picture_has_another_uri_and_the_same_picture_the_same() -> None:
    def picture(url: str, caption: str) -> str:
        made = record(wording=wording(caption=caption), facts=Facts(image_url=url))
        uri = made["associations"][0]["uri"]
        assert isinstance(uri, str)
        return uri

    lamp = picture("https://courier.example/lamp.jpg", "The lamp.")
    assert picture("https://courier.example/lamp.jpg", "The lamp, lit.") == lamp
    assert picture("https://courier.example/boat.jpg", "The lamp.") != lamp


@pytest.mark.parametrize(
    ("page", "configured", "language"),
    [
        pytest.param("cy", "en-GB", "cy", id="the page's own"),
        pytest.param(None, "en-GB", "en-GB", id="the configuration's"),
        pytest.param("<script>", "en-GB", "en-GB", id="no language at all"),
        pytest.param("x" * 100, None, None, id="too long for one"),
    ],
)
def test_language_is_what_is_stated(page: str | None, configured: str | None, language: str | None) -> None:
    assert stated_language(Facts(language=page), Source(language=configured)) == language


def test_publisher_is_called_what_the_configuration_calls_it() -> None:
    facts = Facts(publisher="ELLERY COURIER | HOME")
    assert stated_publisher(facts, Source(publisher="Ellery Courier")) == "Ellery Courier"
    assert stated_publisher(facts, Source()) == "ELLERY COURIER | HOME"


@pytest.mark.parametrize(
    ("time", "written"),
    [
        pytest.param(at("15:24"), "2026-03-16T15:24:00Z", id="whole seconds"),
        pytest.param(datetime(2026, 3, 16, 15, 24, 0, 250, UTC), "2026-03-16T15:24:00.000250Z", id="microseconds"),
        pytest.param(
            datetime(2026, 3, 16, 17, 24, tzinfo=timezone(timedelta(hours=2))), "2026-03-16T15:24:00Z", id="a zone"
        ),
    ],
)
def test_moment_is_rfc_3339_in_utc(time: datetime, written: str) -> None:
    assert moment(time) == written


def test_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        moment(datetime(2026, 3, 16))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("https://courier.example/a?id=1#b", "https://courier.example/a?id=1#b", id="as it is"),
        pytest.param("http://[::1]:8080/a", "http://[::1]:8080/a", id="IPv6"),
        pytest.param("https://courier.example/phare/île", "https://courier.example/phare/%C3%AEle", id="accents"),
        pytest.param("https://courier.example/100%", "https://courier.example/100%25", id="a stray per cent sign"),
        pytest.param("https://courier.example/a b|c", "https://courier.example/a%20b%7Cc", id="forbidden characters"),
        pytest.param("https://me:secret@courier.example/", None, id="a password"),
        pytest.param("http://[fe80::1%25eth0]/", None, id="a zone id"),
        pytest.param("http://[12345::]/", None, id="no IPv6"),
        pytest.param("javascript:alert(1)", None, id="a script"),
        pytest.param("data:image/png;base64,AAAA", None, id="data"),
        pytest.param("/local", None, id="relative"),
        pytest.param("https://courier.example/" + "a" * 5000, None, id="too long"),
        pytest.param("", None, id="empty"),
    ],
)
def test_web_address_is_a_plain_http_uri_or_nothing(text: str, address: str | None) -> None:
    assert web_address(text) == address


@settings(deadline=None)
@given(st.one_of(st.text(), st.text().map("https://courier.example/".__add__), st.text().map("http://".__add__)))
def test_web_address_of_any_text_is_valid_by_rfc_3986_or_nothing(text: str) -> None:
    address = web_address(text)
    assert address is None or validate_rfc3986(address, rule="URI")
    assert address is None or web_address(address) == address


_TEXT = st.none() | st.text(max_size=40)
_RECORDS = st.builds(
    lambda words, facts, source, guid, paywalled: record(
        revision=revision("15:31:44", words, version=2),
        previous=revision(),
        wording=words,
        facts=facts,
        source=source,
        aliases=[Alias(kind="guid", name=f"https://courier.example/rss#guid={guid}")],
        paywalled=paywalled,
    ),
    words=st.builds(Wording, **dict.fromkeys(WORDING_FIELDS, _TEXT)),
    facts=st.builds(
        Facts, **dict.fromkeys(("language", "publisher", "canonical_url", "image_url", "content_type"), _TEXT)
    ),
    source=st.builds(Source, **dict.fromkeys(("feed", "feed_name", "publisher", "publisher_url", "terms_url"), _TEXT)),
    guid=st.text(max_size=20),
    paywalled=st.booleans(),
)


@settings(deadline=None)
@given(made=_RECORDS)
def test_record_of_any_words_is_valid_by_our_schema(made: dict[str, Any]) -> None:
    assert_valid(made, "record")


@settings(deadline=None)
@given(made=_RECORDS)
def test_record_of_any_words_is_valid_by_ninjs(made: dict[str, Any]) -> None:
    assert_valid_by_standard(made, "ninjs-schema_3.1.json")


@settings(deadline=None)
@given(words=st.builds(Wording, **dict.fromkeys(WORDING_FIELDS, _TEXT)))
def test_any_words_stand_in_the_record_exactly_as_read(words: Wording) -> None:
    made = record(wording=words)
    assert {name: text_at(made, FIELD_PATHS[name]) for name in words.present()} == words.present()
