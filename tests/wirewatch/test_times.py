"""Publishers' stamps, in the forms and languages they are written in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.extract import read_page
from wirewatch.model import Capture, Claim, Source
from wirewatch.times import Kind, Printed, claims, countries_of, is_stamp, printed_stamps, read_time
from wirewatch.times.claims import Where

OBSERVED = datetime(2026, 3, 16, 16, 0, tzinfo=UTC)
AT_1421 = datetime(2026, 3, 16, 14, 21, tzinfo=UTC)


def read(
    raw: str, language: str | None = None, source: Source | None = None, countries: tuple[str, ...] = ()
) -> tuple[datetime | None, str, tuple[str, ...]]:
    moment = read_time(raw, source=source or Source(), observed=OBSERVED, language=language, countries=countries)
    return moment.at, moment.zone, moment.flags


@pytest.mark.parametrize(
    ("raw", "language"),
    [
        ("2026-03-16T14:21", None),
        ("2026-03-16 14:21:00", None),
        ("20260316T142100", None),
        ("MARCH 16, 2026 14:21", "en"),
        ("Monday 16 March 2026 2:21 p.m.", "en"),
        ("Mar. 16th, 2026, 2:21pm", "en"),
        ("16.03.2026, 14:21 Uhr", "de"),
        ("16. März 2026 um 14:21", "de"),
        ("16 mars 2026 à 14h21", "fr"),
        ("16/03/2026 à 14h21", "fr"),
        ("16 de marzo de 2026 a las 14:21", "es"),
        ("16 de março de 2026, 14h21", "pt"),
        ("16 marzo 2026 alle 14:21", "it"),
        ("16 maart 2026 om 14.21", "nl"),
        ("16 marca 2026, 14:21", "pl"),
        ("16. března 2026 14:21", "cs"),
        ("2026. március 16. 14:21", "hu"),
        ("16 марта 2026, 14:21", "ru"),
        ("16 березня 2026, 14:21", "uk"),
        ("16 Mart 2026 Pazartesi 14:21", "tr"),
        ("١٦ مارس ٢٠٢٦ ١٤:٢١", "ar"),
        ("16 tháng 3, 2026 14:21", "vi"),
        ("2026年3月16日 14時21分", "ja"),
        ("2026/3/16 下午2:21", "zh"),
        ("2026. 3. 16. 오후 2:21", "ko"),
    ],
)
def test_local_time_is_read_to_the_minute_and_marked_assumed(raw: str, language: str | None) -> None:
    assert read(raw, language) == (AT_1421, "assumed", ())


@pytest.mark.parametrize(
    ("raw", "zone"),
    [
        ("2026-03-16T14:21:00Z", "stated"),
        ("2026-03-16T15:21:00.123+01:00", "stated"),
        ("2026-03-16 16:21 +0200", "stated"),
        ("Mon, 16 Mar 2026 14:21:00 GMT", "stated"),
        ("Mon Mar 16 2026 15:21:00 GMT+0100 (CET)", "stated"),
        ("March 16, 2026 10:21 a.m. ET", "stated"),
        ("March 16, 2026 10:21 EDT", "stated"),
        ("16 March 2026 15:21 BST", "assumed"),
        ("16 March 2026 19:51 IST", "assumed"),
        ("1773670860", "stated"),
    ],
)
def test_zone_is_stated_only_where_its_name_has_one_meaning(raw: str, zone: str) -> None:
    assert read(raw, "en") == (AT_1421, zone, ())


def test_zone_without_a_name_is_the_sources() -> None:
    source = Source(zone="America/New_York")
    assert read("March 16, 2026 10:21", "en", source) == (AT_1421, "configured", ())


@pytest.mark.parametrize(
    "source",
    [Source(zone_names=(("IST", "Asia/Jerusalem"),)), Source(zone="Asia/Jerusalem")],
    ids=["by its names", "by its zone"],
)
def test_ambiguous_zone_name_is_the_sources(source: Source) -> None:
    assert read("March 16, 2026 16:21 IST", "en", source) == (AT_1421, "configured", ())


@pytest.mark.parametrize(
    ("raw", "countries"),
    [
        ("16 March 2026 19:51 IST", ("IN",)),
        ("16 March 2026 16:21 IST", ("IL",)),
        ("16 March 2026 15:21 IST", ("IE",)),
        ("16 March 2026 20:21 BST", ("BD",)),
        ("16 March 2026 15:21 BST", ("GB",)),
        ("16 March 2026 22:21 CST", ("CN",)),
        ("16 March 2026 22:21 CST", ("TW",)),
        ("16 March 2026 08:21 CST", ("MX",)),
        ("16 March 2026 09:21 CST", ("CU",)),
        ("16 March 2026 17:21 AST", ("SA",)),
        ("16 March 2026 10:21 AST", ("CA",)),
        ("16 March 2026 18:21 GST", ("AE",)),
        ("16 March 2026 18:21 AMT", ("AM",)),
        ("16 March 2026 10:21 AMT", ("BR",)),
        ("March 16, 2026 9:21 a.m. CT", ("US",)),
        ("16 March 2026 22:21 PST", ("PH",)),
        ("17 March 2026 00:21 EST", ("AU",)),
        ("16 March 2026 16:21 IST", ("US", "IL", "IN")),
        ("March 16, 2026 09:21 EST", ("GB",)),
        ("March 16, 2026 09:21 EST", ("US", "AU")),
        ("March 16, 2026 10:21 EDT", ("CA", "AU")),
        ("March 16, 2026 06:21 PST", ("US", "PH")),
        ("March 16, 2026 09:21 CDT", ("US", "CU")),
    ],
)
def test_ambiguous_zone_name_means_what_it_does_in_the_publishers_country(raw: str, countries: tuple[str, ...]) -> None:
    assert read(raw, "en", countries=countries) == (AT_1421, "stated", ())


@pytest.mark.parametrize("countries", [(), ("FR",), ("US",)])
def test_ambiguous_zone_name_is_assumed_where_no_country_uses_it(countries: tuple[str, ...]) -> None:
    assert read("16 March 2026 19:51 IST", "en", countries=countries) == (AT_1421, "assumed", ())


@pytest.mark.parametrize(
    "source",
    [Source(zone_names=(("IST", "Asia/Jerusalem"),)), Source(zone="Asia/Jerusalem")],
    ids=["by its names", "by its zone"],
)
def test_configuration_goes_before_the_publishers_country(source: Source) -> None:
    assert read("March 16, 2026 16:21 IST", "en", source, ("IN",)) == (AT_1421, "configured", ())


@pytest.mark.parametrize(
    ("raw", "zone", "country", "kind"),
    [
        ("March 16, 2026 10:21 EDT", "America/New_York", "AU", "stated"),
        ("March 16, 2026 09:21 EST", "America/New_York", "AU", "stated"),  # out of season, as some print it all year
        ("March 16, 2026 06:21 PST", "America/Los_Angeles", "PH", "stated"),
        ("March 16, 2026 08:21 CST", "America/Chicago", "CN", "configured"),
        ("March 16, 2026 22:21 CST", "Asia/Shanghai", "US", "configured"),
        ("March 16, 2026 22:21 PST", "Asia/Manila", "US", "configured"),
        ("March 16, 2026 15:21 BST", "Europe/London", "BD", "configured"),
    ],
)
def test_a_name_of_the_configured_zone_means_what_it_does_there(raw: str, zone: str, country: str, kind: str) -> None:
    assert read(raw, "en", Source(zone=zone), (country,)) == (AT_1421, kind, ())


@pytest.mark.parametrize(
    ("source", "address", "url", "language", "expected"),
    [
        ({}, "IN", None, None, ("IN",)),
        ({}, "india", None, None, ("IN",)),
        ({}, "The United Kingdom", None, None, ("GB",)),
        ({}, "UK", None, None, ("GB",)),
        ({}, "Mumbai, Maharashtra", None, None, ()),
        ({}, None, "https://courier.example.in/a", None, ("IN",)),
        ({}, None, "https://courier.co.uk/a", None, ("GB",)),
        ({}, None, "https://courier.example/a", None, ()),
        ({}, None, "https://192.0.2.1/a", None, ()),
        ({}, None, "https://[broken/a", None, ()),
        ({}, None, None, "en-IN", ("IN",)),
        ({}, None, None, "zh-Hans-CN", ("CN",)),
        ({}, None, None, "en_IE", ("IE",)),
        ({}, None, None, "en", ()),
        ({}, None, None, "es-419", ()),
        ({}, "IL", "https://courier.example.in/a", "en-US", ("IL", "IN", "US")),
        ({"publisher_url": "https://courier.ie", "language": "en-GB"}, "IN", None, "en-US", ("IE", "GB", "IN", "US")),
        ({"feed": "https://courier.co.il/rss"}, None, "https://courier.example/a", "en-US", ("IL", "US")),
    ],
)
def test_publishers_country_is_what_is_configured_then_what_the_page_says(
    source: dict[str, str], address: str | None, url: str | None, language: str | None, expected: tuple[str, ...]
) -> None:
    assert countries_of(Source(**source), address=address, url=url, language=language) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "head"),
    [
        pytest.param("https://courier.example.in/a", "", id="by the domain"),
        pytest.param("https://courier.example/a", '<html lang="en-IN">', id="by the language's region"),
        pytest.param(
            "https://courier.example/a",
            '<html lang="en-US"><script type="application/ld+json">{"@type": "NewsMediaOrganization", "name": "Post",'
            ' "address": {"@type": "PostalAddress", "addressCountry": {"@type": "Country", "name": "India"}}}</script>',
            id="by the publisher's address",
        ),
        pytest.param(
            "https://courier.example/a",
            '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Ferry sails", "publisher":'
            ' {"@type": "Organization", "name": "Courier", "address": {"addressCountry": "IN"}}}</script>',
            id="by the address of the article's publisher",
        ),
    ],
)
def test_a_pages_zone_name_is_that_of_its_publishers_country(url: str, head: str) -> None:
    text = "".join(f"<p>The ferry of pier {n} sails on, {n} minutes late, the harbour says.</p>" for n in range(9))
    stamped = f"<h1>Ferry sails</h1><p>Published: 16 March 2026 19:51 IST</p>{text}"
    body = f"{head}<body><article>{stamped}</article></body>".encode()
    told = (("content-type", "text/html; charset=utf-8"),)
    page = Capture(url=url, observed=OBSERVED, status=200, headers=told, body=body)
    (claim,) = read_page(page, Source()).claims
    assert (claim.at, claim.zone, claim.where) == (AT_1421, "stated", "text")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en-US", datetime(2026, 3, 4, 10, 0, tzinfo=UTC)),
        ("en-GB", datetime(2026, 4, 3, 10, 0, tzinfo=UTC)),
        ("fr", datetime(2026, 4, 3, 10, 0, tzinfo=UTC)),
        ("en", None),
        (None, None),
    ],
)
def test_day_and_month_are_told_apart_by_the_language_or_not_at_all(
    language: str | None, expected: datetime | None
) -> None:
    at, _, flags = read("03/04/2026 10:00", language)
    assert at == expected
    assert flags == (() if expected else ("unreadable",))


@pytest.mark.parametrize(
    ("raw", "language", "expected"),
    [
        ("3 hours ago", "en", OBSERVED - timedelta(hours=3)),
        ("an hour ago", "en", OBSERVED - timedelta(hours=1)),
        ("just now", "en", OBSERVED),
        ("vor 5 Minuten", "de", OBSERVED - timedelta(minutes=5)),
        ("il y a 2 jours", "fr", OBSERVED - timedelta(days=2)),
        ("hace 3 horas", "es", OBSERVED - timedelta(hours=3)),
        ("3時間前", "ja", OBSERVED - timedelta(hours=3)),
        ("today at 14:21", "en", AT_1421),
        ("gestern, 14:21 Uhr", "de", AT_1421 - timedelta(days=1)),
        ("14:21", "en", AT_1421),
        ("March 16, 2:21 pm", "en", AT_1421),
        ("December 31, 23:00", "en", datetime(2025, 12, 31, 23, 0, tzinfo=UTC)),
    ],
)
def test_relative_time_is_read_against_the_capture(raw: str, language: str, expected: datetime) -> None:
    at, _, flags = read(raw, language)
    assert (at, flags) == (expected, ("relative",))


@pytest.mark.parametrize(
    "raw",
    [
        "2026-03-16T14:21:00+99:99",
        "2026-13-45T14:21Z",
        "31 February 2026 10:00",
        "0001-01-01T00:00:00Z",
        "soon",
        "",
        "\ud800",
        "9" * 500,
    ],
    ids=["impossible zone", "impossible month", "impossible day", "year one", "words", "empty", "surrogate", "digits"],
)
def test_what_cannot_be_a_time_is_flagged_and_never_raises(raw: str) -> None:
    assert read(raw, "en") == (None, "assumed", ("unreadable",))


def test_a_date_alone_says_so() -> None:
    assert read("March 16, 2026", "en") == (datetime(2026, 3, 16, tzinfo=UTC), "assumed", ("no_time",))


@pytest.mark.parametrize(("language", "month"), [("pl", 11), ("cs", 11), ("uk", 11)])
def test_month_is_read_in_the_pages_own_language(language: str, month: int) -> None:
    raw = {"pl": "16 lis 2025 10:00", "cs": "16. listopadu 2025 10:00", "uk": "16 лис 2025 10:00"}[language]
    assert read(raw, language)[0] == datetime(2025, month, 16, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("Published: JUNE 4, 2023 14:21", ["published"]),
        ("Updated: JUNE 4, 2023 15:24", ["modified"]),
        ("Published: JUNE 4, 2023 14:21 | Updated: JUNE 4, 2023 15:24", ["published", "modified"]),
        ("First published on Sunday 4 June 2023 14.21 BST", ["published"]),
        ("Last updated 3 hours ago", ["modified"]),
        ("Zuletzt aktualisiert am 4. Juni 2023 um 15:24 Uhr", ["modified"]),
        ("Publié le 04/06/2023 à 14h21, mis à jour le 04/06/2023 à 15h24", ["published", "modified"]),
        ("Actualizado el 4 de junio de 2023, 15:24", ["modified"]),
        ("Publicado em 04/06/2023 14h21 - Atualizado em 04/06/2023 15h24", ["published", "modified"]),
        ("Aggiornato il 4 giugno 2023 alle 15:24", ["modified"]),
        ("Bijgewerkt op 4 juni 2023 15:24", ["modified"]),
        ("Publicerad 2023-06-04 14:21 Uppdaterad 2023-06-04 15:24", ["published", "modified"]),
        ("Обновлено: 4 июня 2023, 15:24", ["modified"]),
        ("Güncelleme Tarihi: 04.06.2023 15:24", ["modified"]),
        ("نُشر في ٤ يونيو ٢٠٢٣ ١٤:٢١", ["published"]),
        ("2023年6月4日 14時21分 公開 2023年6月4日 15時24分 更新", ["published", "modified"]),
        ("发布时间：2023年6月4日 14:21", ["published"]),
        ("입력 2023.06.04. 오후 2:21 수정 2023.06.04. 오후 3:24", ["published", "modified"]),
        ("By Marta Quill, updated 4 June 2023 15:24", ["modified"]),
    ],
)
def test_labelled_times_of_a_line_are_found(line: str, kinds: list[Kind]) -> None:
    assert [stamp.kind for stamp in printed_stamps(line)] == kinds
    assert is_stamp(line)


@pytest.mark.parametrize(
    "line",
    [
        "The report, published on March 4, 2026, says that the harbour council was wrong about the dredging.",
        "Updated 16 March 2026: An earlier version of this article misstated the sum that the council approved.",
        "She was published twice.",
        "The vote was 9 to 4.",
    ],
)
def test_prose_is_no_stamp(line: str) -> None:
    assert printed_stamps(line) == ()
    assert not is_stamp(line)


def test_clock_after_a_date_in_the_same_line_is_of_that_day() -> None:
    stamps = printed_stamps("Veröffentlicht am 04.06.2023, 14:21 Uhr, aktualisiert um 15:24 Uhr", "de")
    found = claims(stamps, source=Source(), observed=OBSERVED, language="de")
    assert [claim.at for claim in found] == [
        datetime(2023, 6, 4, 14, 21, tzinfo=UTC),
        datetime(2023, 6, 4, 15, 24, tzinfo=UTC),
    ]


def stamp(raw: str, kind: Kind = "published", where: Where = "json-ld") -> Printed:
    return Printed(kind=kind, where=where, raw=raw)


def judged(*stamps: Printed, source: Source | None = None) -> tuple[Claim, ...]:
    return claims(stamps, source=source or Source(), observed=OBSERVED, language="en")


def test_claims_come_in_the_order_of_trust() -> None:
    found = judged(
        stamp("2026-03-16T14:25Z", where="text"), stamp("2026-03-16T14:22Z", where="meta"), stamp("2026-03-16T14:21Z")
    )
    assert [claim.where for claim in found] == ["json-ld", "meta", "text"]


def test_data_without_a_zone_yield_to_print_that_states_one_for_the_same_clock() -> None:
    found = judged(stamp("2026-03-16T14:21"), stamp("16 March 2026 14:21 CET", where="text"))
    assert (found[0].where, found[0].at) == ("text", datetime(2026, 3, 16, 13, 21, tzinfo=UTC))


def test_data_without_a_zone_stay_first_where_print_means_another_time() -> None:
    found = judged(stamp("2026-03-16T14:21"), stamp("16 March 2026 14:29 CET", where="text"))
    assert found[0].where == "json-ld"


@pytest.mark.parametrize(
    "weak", ["2026-03-16T14:21+99:99", "2026-03-16", "2031-01-01T00:00Z"], ids=["unreadable", "date", "future"]
)
def test_a_flagged_claim_yields_to_a_sound_one(weak: str) -> None:
    found = judged(stamp(weak), stamp("16 March 2026 14:21", where="text"))
    assert found[0].where == "text"
    assert found[1].flags


def test_stamps_in_the_future_and_before_publication_are_kept_and_flagged() -> None:
    ahead = judged(stamp("2026-03-16T16:06Z"))
    assert ahead[0].flags == ("future",)
    assert judged(stamp("2026-03-16T16:04Z"))[0].flags == ()
    found = judged(stamp("2026-03-16T14:21Z"), stamp("2026-03-16T14:20Z", "modified"))
    assert [claim.flags for claim in found] == [(), ("before_published",)]


@pytest.mark.parametrize(
    ("published", "modified", "flags"),
    [
        ("2026-03-16T14:21Z", "2026-03-16T14:22Z", ()),
        ("2026-03-16T14:21Z", "2026-03-16T14:20Z", ("before_published",)),
        ("2026-03-16T14:21Z", "2026-03-16T14:21:00Z", ("as_published",)),
        ("2026-03-16T14:21Z", "2026-03-16T15:21+01:00", ("as_published",)),
        ("2026-03-16T14:21Z", "2026-03-16T18:00Z", ("future",)),
        ("2026-03-16T18:21Z", "2026-03-16T18:00Z", ("future", "before_published")),
        ("2026-03-16T14:21Z", "2026-03-16", ("no_time",)),
        ("2026-03-16", "2026-03-16", ("no_time",)),
        ("2026-03-16T14:21Z", "3 hours ago", ("relative", "before_published")),
        ("2026-03-16T12:21Z", "3 hours ago", ("relative",)),
        ("2026-03-16T14:21Z", "yesterday", ("relative", "no_time")),
        ("2026-03-16T14:21Z", "soon", ("unreadable",)),
        ("soon", "2026-03-16T14:20Z", ()),
    ],
)
def test_a_modified_time_is_kept_whatever_it_is_and_flagged_for_it(
    published: str, modified: str, flags: tuple[str, ...]
) -> None:
    found = judged(stamp(published), stamp(modified, "modified"))
    assert [claim.kind for claim in found] == ["published", "modified"]
    assert (found[1].raw, found[1].flags) == (modified, flags)


@given(st.text(max_size=250), st.sampled_from([None, "en", "de", "ja", "ar", "xx"]))
def test_any_text_is_read_without_raising(raw: str, language: str | None) -> None:
    moment = read_time(raw, source=Source(zone="Nowhere/Never"), observed=OBSERVED, language=language)
    assert (moment.at is None) == ("unreadable" in moment.flags)
    printed_stamps(raw, language)
    is_stamp(raw, language)


@given(
    st.integers(min_value=800_000_000, max_value=2_000_000_000).map(
        lambda seconds: datetime.fromtimestamp(seconds, UTC)
    ),
    st.sampled_from(
        ["%Y-%m-%dT%H:%M", "%d %B %Y %H:%M", "%B %d, %Y %I:%M %p", "%d.%m.%Y %H:%M", "%a, %d %b %Y %H:%M:%S +0000"]
    ),
)
def test_whatever_is_written_is_read_back(at: datetime, form: str) -> None:
    found, _, _ = read(at.strftime(form), "en")
    assert found is not None
    assert found.replace(second=0) == at.replace(second=0)
