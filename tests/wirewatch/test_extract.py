"""What a capture says, rule by rule; `test_extract_pages.py` compares whole readings."""

from __future__ import annotations

import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wirewatch.extract import EXTRACTOR, read_page
from wirewatch.extract.furniture import (
    byline_of,
    dateline_of,
    is_chrome,
    is_correction,
    is_credit,
    is_menu,
    split_credit,
)
from wirewatch.model import Capture, Reading, Seen, Source, Wording
from wirewatch.words import all_words

OBSERVED = datetime(2026, 3, 16, 16, 0, tzinfo=UTC)
FIRST = "The harbour council approved a large ferry subsidy on Monday, after a long debate in the old town hall."
SECOND = "The vote was 9 to 4, and the operator of the line did not immediately comment on the decision of the council."
TEXT = f"<p>{FIRST}</p>\n<p>{SECOND}</p>"
BODY = f"{FIRST}\n\n{SECOND}"


def html(
    text: str = TEXT, *, head: str = "", before: str = "", title: str = "Council backs the ferry", lang: str = "en"
) -> str:
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><title>{title}</title>{head}</head><body>'
        f"<article><h1>{title}</h1>{before}{text}</article></body></html>"
    )


def json_ld(**members: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **members})}</script>'


def capture(body: str | bytes, *, content_type: str | None = "text/html", **members: Any) -> Capture:
    raw = body if isinstance(body, bytes) else body.encode()
    headers = (("content-type", content_type),) if content_type else ()
    fields = {"url": "https://courier.example/local/council-backs-ferry", "status": 200, "headers": headers, **members}
    return Capture(observed=OBSERVED, body=raw, **fields)


def read(body: str | bytes, *, source: Source | None = None, **members: Any) -> Reading:
    return read_page(capture(body, **members), source or Source())


def wording(body: str | bytes, **members: Any) -> Wording:
    reading = read(body, **members)
    assert reading.wording is not None, reading.detail
    return reading.wording


# What is no article


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", "text/html", "empty"),
        (b" \n\t ", "text/html", "empty"),
        (b"%PDF-1.7 ...", "application/pdf", "a PDF"),
        (b"%PDF-1.7 ...", "text/html", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "text/html", "a PNG image"),
        (b"PK\x03\x04....", "text/html", "a ZIP archive"),
        (b"anything", "image/webp", "image/"),
        (b"\x01\x00\x02\x00" * 500, "text/html", "binary"),
        (b'{"headline": "x"}', "application/json", "JSON"),
        (b'<?xml version="1.0"?><rss version="2.0"/>', "application/xml", "a feed"),
        (b"<html><body></body></html>", "text/html", "no article"),
        (b"x" * (5 * 1024 * 1024 + 1), "text/plain", "bytes"),
    ],
)
def test_what_is_no_page_is_invalid_with_its_reason(body: bytes, content_type: str, reason: str) -> None:
    reading = read(body, content_type=content_type)
    assert reading.seen is Seen.INVALID
    assert reason in reading.detail
    assert reading.wording is None
    assert reading.page_hash is not None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (html("<div>" * 300 + TEXT + "</div>" * 300), "nested"),
        (html("<div>" * 100_000 + TEXT), "nested|tags"),
        (html("<p " + " ".join(f"a{n}=1" for n in range(20_000)) + ">x</p>"), "attributes"),
        (html("<p " + " ".join(f"a{n}=1" for n in range(2_000)) + ">x</p>"), "attributes"),
        (html("<i a=1 b=2 c=3></i>" * 35_000), "attributes"),
        (html("<p>x</p>" * 100_000), "tags"),
        (html("<p>x<p>x" * 25_000), "elements"),
        (html("<a href=x>x</a>" * 9_000), "links"),
        (html("<p>e" + "\u0301\u0316" * 500_000 + f"</p>{TEXT}"), "combining marks"),
        (html(f"<p>e{'&#x301;&#x316;' * 10_000}</p>{TEXT}"), "combining marks"),
    ],
    ids=[
        "deep",
        "very deep",
        "attributes",
        "fewer attributes",
        "attributes in all",
        "tags",
        "elements",
        "links",
        "marks",
        "marks by number",
    ],
)
def test_pages_that_would_take_minutes_are_refused_first(body: str, reason: str) -> None:
    reading = read(body)
    assert reading.seen is Seen.INVALID
    assert re.search(reason, reading.detail), reading.detail


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, Seen.MISSING), (410, Seen.GONE), (403, Seen.BLOCKED), (451, Seen.BLOCKED), (503, Seen.FAILED)],
)
def test_other_answers_are_what_http_says(status: int, expected: Seen) -> None:
    reading = read(html(), status=status)
    assert (reading.seen, reading.wording) == (expected, None)


def test_not_modified_confirms_the_hash_it_carries() -> None:
    reading = read(b"", status=304, not_modified="ab" * 32)
    assert (reading.seen, reading.content_hash, reading.wording) == (Seen.NOT_MODIFIED, "ab" * 32, None)


@pytest.mark.parametrize(
    ("final_url", "expected"),
    [
        ("https://courier.example/", Seen.INVALID),
        ("https://courier.example/local/", Seen.INVALID),
        ("https://courier.example/login?next=/local/council-backs-ferry", Seen.BLOCKED),
        ("https://consent.courier.example/collect?id=1", Seen.BLOCKED),
        ("https://courier.example/2026/03/16/council-backs-ferry", Seen.WORDING),
    ],
)
def test_redirect_to_another_kind_of_page_is_not_the_article(final_url: str, expected: Seen) -> None:
    assert read(html(), final_url=final_url).seen is expected


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Just a moment...", "<p>Checking your browser before you reach the site. This takes a few seconds.</p>"),
        ("Access Denied", "<p>You do not have permission to see this page. Reference number 18.4.</p>"),
        ("Before you continue", "<p>Courier and its partners use cookies and data to deliver and measure.</p>"),
        ("Log in", "<form><p>Please enter your name.</p><input name=a><input type=password></form>"),
        ("Anmelden", "<form><p>Bitte geben Sie Ihren Namen ein.</p><input type=password></form>"),
    ],
)
def test_walls_are_blocked_and_never_a_wording(title: str, text: str) -> None:
    assert read(html(text, title=title)).seen is Seen.BLOCKED


def test_an_article_about_cookies_is_no_wall() -> None:
    page = html(
        TEXT * 3, title="We use cookies: what the new law says", head=json_ld(datePublished="2026-03-16T14:21Z")
    )
    assert read(page).seen is Seen.WORDING


# Bytes


@pytest.mark.parametrize(
    ("charset", "stated", "flags"),
    [
        ("utf-8", "utf-8", ()),
        ("utf-8", "iso-8859-1", ("wrong_charset",)),
        ("utf-8", "x-nonsense", ("unknown_charset",)),
        ("cp1252", "windows-1252", ()),
        ("cp1252", "iso-8859-1", ()),
        ("cp1252", "utf-8", ("wrong_charset",)),
        ("utf-16", "utf-8", ()),
        ("utf-8-sig", "iso-8859-1", ()),
    ],
)
def test_charset_is_what_the_bytes_are(charset: str, stated: str, flags: tuple[str, ...]) -> None:
    text = TEXT.replace("council", "Räte-Café “Größe”")
    reading = read(html(text).encode(charset), content_type=f"text/html; charset={stated}")
    assert reading.flags == flags
    assert reading.wording is not None
    assert "Räte-Café “Größe”" in (reading.wording.body or "")


@pytest.mark.parametrize("charset", ["shift_jis", "euc-jp", "iso-2022-jp", "utf-8"])
def test_charset_of_a_meta_tag_is_used(charset: str) -> None:
    sentence = "港湾評議会は月曜日、外島を結ぶフェリーに補助金を出すことを承認した。"
    page = html(f"<p>{sentence * 4}</p>", head=f'<meta charset="{charset}">', lang="ja")
    assert wording(page.encode(charset), content_type="text/html").body == sentence * 4


@pytest.mark.parametrize(
    "odd", ["\0", "&#0;", "&#xd800;", "\x0b\x01"], ids=["NUL", "NUL by number", "surrogate", "controls"]
)
def test_what_is_no_character_never_reaches_the_store(odd: str) -> None:
    body = wording(html(TEXT.replace("Monday", f"Mon{odd}day"))).body or ""
    assert "town hall" in body
    assert not re.search("[\0\x01\x0b\ud800-\udfff]", body)


# Metadata that make a library give up


@pytest.mark.parametrize(
    ("head", "flags", "claim_flags"),
    [
        (json_ld(datePublished="2026-03-16T14:21:00+99:99"), (), [("unreadable",)]),
        ('<meta property="article:published_time" content="2026-03-16T14:21:00+99:99">', (), [("unreadable",)]),
        (json_ld(headline="a\ud800", datePublished="2026-03-16T14:21Z"), ("replaced_characters",), [()]),
        (
            '<script type="application/ld+json">{"datePublished": "2026-03-16T14:21Z",,}</script>',
            ("unreadable_json_ld",),
            [()],
        ),
        (f'<script type="application/ld+json">{"[" * 100_000}</script>', ("unreadable_json_ld",), []),
        (f'<script type="application/ld+json">{json.dumps([[]] * 5000)}</script>', (), []),
        (json_ld(headline={"a": [1]}, author=7, datePublished=20260316, publisher=[None], image=[[]]), (), []),
    ],
    ids=["zone", "zone in meta", "surrogate", "broken", "deep", "long", "odd types"],
)
def test_bad_metadata_flag_the_claim_and_keep_the_article(
    head: str, flags: tuple[str, ...], claim_flags: list[Any]
) -> None:
    reading = read(html(head=head))
    assert reading.wording is not None
    assert reading.wording.body == BODY
    assert reading.flags == flags
    assert [claim.flags for claim in reading.claims] == claim_flags


# Fields


@pytest.mark.parametrize(
    ("title", "head", "expected"),
    [
        ("Council backs the ferry", "", "Council backs the ferry"),
        (
            "Council backs the ferry | Ellery Courier",
            '<meta property="og:site_name" content="Ellery Courier">',
            "Council backs the ferry",
        ),
        ("Ellery Courier", json_ld(headline="Council backs the ferry"), "Council backs the ferry"),
        ("A ferry &amp; a harbour", json_ld(headline="A ferry &amp; a harbour"), "A ferry & a harbour"),
    ],
)
def test_headline_is_the_printed_one_without_the_site_name(title: str, head: str, expected: str) -> None:
    page = f"<html><head><title>{title}</title>{head}</head><body><article>{TEXT}</article></body></html>"
    assert wording(page).headline == expected


def test_headline_laid_out_over_several_lines_is_one() -> None:
    page = html().replace(
        "<h1>Council backs the ferry</h1>", "<h1><div>Council</div><span>backs the</span><br>ferry</h1>"
    )
    assert wording(page).headline == "Council backs the ferry"


def test_standfirst_is_not_repeated_in_the_body() -> None:
    line = "Boats to the outer islands will sail all winter."
    page = html(
        f"<p>{line}</p>{TEXT}",
        before=f'<p class="standfirst">{line}</p>',
        head=f'<meta name="description" content="{line}">',
    )
    found = wording(page)
    assert (found.standfirst, found.body) == (line, BODY)


def test_standfirst_behind_a_dateline_is_not_repeated_either() -> None:
    line = "Boats to the outer islands will sail all winter."
    found = wording(html(f"<p>PORT ELLERY — {line}</p>{TEXT}", before=f'<p class="standfirst">{line}</p>'))
    assert (found.standfirst, found.dateline, found.body) == (line, "Port Ellery", BODY)


def test_captions_and_credits_are_not_in_the_body() -> None:
    caption = "The ferry Grey Heron leaves the inner harbour at dawn."
    figure = (
        f"<figure><img src=/a.jpg><figcaption>{caption} <span class=credit>Photo: Jo Vane</span></figcaption></figure>"
    )
    found = wording(html(f"{figure}<p>{caption}</p>{TEXT}"))
    assert (found.caption, found.credit, found.body) == (caption, "Photo: Jo Vane", BODY)


@pytest.mark.parametrize(
    "line",
    [
        "Published: MARCH 16, 2026 14:21",
        "Updated 3 minutes ago",
        "Read more: Lighthouse lamp to be replaced",
        "Lesen Sie auch: Neue Lampe für den Leuchtturm",
        "関連記事：灯台の灯り、春までに交換へ",
        "Sign up for our morning newsletter",
        "Share this article",
        "Photo: Jo Vane",
        "Home | News | Local | Sport",
    ],
)
def test_lines_around_the_text_are_not_in_the_body(line: str) -> None:
    assert wording(html(f"<p>{FIRST}</p><p>{line}</p><p>{SECOND}</p>")).body == BODY


@pytest.mark.parametrize(
    ("title", "head", "line", "lang"),
    [
        ("Ferry sails", json_ld(headline="Ferry"), "The ferry sails at dawn.", "en"),
        ("Quay shut", "", "The board kept the quay shut on Tuesday, for a fourth day.", "en"),
        ("渡轮停航", "", "岛上议会星期一宣布渡轮停航，直到风暴过去为止。", "zh"),
        ("Ein Abend am Hafen", "", "Autor Jan Quill im Gespräch über Väter, Söhne und den Hafen von Ellery", "de"),
        (
            "Die neue Fähre",
            json_ld(author={"name": "Orla Vane"}),
            "Von Ellery nach Lowmoor in drei Stunden",
            "de",
        ),
        ("The cup maker", json_ld(author={"name": "Orla Vane"}), "By Royal Appointment", "en"),
    ],
)
def test_a_short_first_line_that_is_text_is_kept(title: str, head: str, line: str, lang: str) -> None:
    page = html(f"<p>{line}</p>{TEXT}", title=title, head=head, lang=lang)
    assert wording(page).body == f"{line}\n\n{BODY}"


@pytest.mark.parametrize(
    ("line", "head"),
    [
        ("By Orla Vane", json_ld(author={"name": "Orla Vane"})),
        ("By O. Vane", json_ld(author={"name": "Orla Vane"})),
    ],
)
def test_a_byline_of_a_stated_author_is_not_in_the_body(line: str, head: str) -> None:
    assert wording(html(f"<p>{line}</p>{TEXT}", head=head)).body == BODY


def test_a_page_that_is_one_line_with_the_headlines_words_has_a_text() -> None:
    page = html("<p>The ferry sails at dawn.</p>", title="Ferry sails", head=json_ld(headline="Ferry"))
    assert wording(page).body == "The ferry sails at dawn."


def test_subheadings_stand_in_order() -> None:
    reading = read(html(f"<p>{FIRST}</p><h2>What islanders pay</h2><p>{SECOND}</p>"))
    assert reading.wording is not None
    assert reading.wording.body == f"{FIRST}\n\nWhat islanders pay\n\n{SECOND}"
    assert reading.facts.subheadings == ("What islanders pay",)


@pytest.mark.parametrize(
    ("head", "before", "expected"),
    [
        ("", "<p>By Marta Quill</p>", "By Marta Quill"),
        ("", '<p class="byline">By Marta Quill | 16 March 2026</p>', "By Marta Quill"),
        ("", "<p>Monday, 16 March 2026 | By Marta Quill</p>", "By Marta Quill"),
        ("", '<p class="byline">By Marta Quill 16 March 2026</p>', "By Marta Quill"),
        ("", '<p class="date">Marta Quill | 16 March 2026</p>', "Marta Quill"),
        ("", '<p>Marta Quill | 16 March 2026</p><p class="byline">Marta Quill</p>', "Marta Quill"),
        ("", "<p>World News | 16 March 2026</p>", None),
        (json_ld(articleSection="World News"), '<p class="date">World News | 16 March 2026</p>', None),
        (json_ld(dateline="Port Ellery"), '<p class="date">Port Ellery – 16.03.2026</p>', None),
        ("", '<div class="share">By Marta Quill</div>', "By Marta Quill"),
        (json_ld(author={"givenName": "Marta", "familyName": "Quill"}), "", "Marta Quill"),
        (json_ld(author=[{"name": "Marta Quill (mqu)"}, [{"name": "Tomas Reed"}]]), "", "Marta Quill, Tomas Reed"),
        (json_ld(author={"name": "Marta Quill, senior writer on boats"}), "", "Marta Quill"),
        (
            json_ld(author=[{"name": "Marta Quill"}, {"name": "Tomas Reed"}]),
            "<address>By Marta Quill</address><address>and Tomas Reed</address>",
            "Marta Quill, Tomas Reed",
        ),
        (
            json_ld(author={"name": "Marta Quill"}),
            '<p class="byline">By Marta Quill<b>Reporter</b></p>',
            "By Marta Quill",
        ),
        # An author that is only the publisher, a login or an address hides nobody, and stands where nobody is named.
        (
            '<meta property="og:site_name" content="The Courier"><meta name="lp.author" content="Marta Quill">'
            + json_ld(author={"name": "The Courier"}),
            "",
            "Marta Quill",
        ),
        (
            '<meta property="og:site_name" content="The Courier">' + json_ld(author={"name": "The Courier"}),
            "<p>By Marta Quill</p>",
            "By Marta Quill",
        ),
        (
            '<meta property="og:site_name" content="The Courier">' + json_ld(author={"name": "The Courier"}),
            "",
            "The Courier",
        ),
        ('<meta name="author" content="Marta Quill">' + json_ld(author={"name": "marta-quill"}), "", "Marta Quill"),
        ('<link rel="canonical" href="https://["><meta name="author" content="Marta Quill">', "", "Marta Quill"),
        ('<meta name="author" content="m.quill@courier.example">', "", None),
        ('<meta name="author" content="(Image: Tomas Reed)">', "", None),
        ('<meta name="smartbanner:author" content="Courier Apps">', "", None),
        (json_ld(author={"name": "Marta Quill"}), "", "Marta Quill"),
        (json_ld(author=[{"name": "Marta Quill"}, {"name": "Tomas Reed"}]), "", "Marta Quill, Tomas Reed"),
        (
            '<meta name="author" content="Marta Quill">',
            '<p class="byline">By Marta Quill in Port Ellery</p>',
            "By Marta Quill in Port Ellery",
        ),
    ],
)
def test_byline_is_printed_or_stated(head: str, before: str, expected: str | None) -> None:
    found = wording(html(head=head, before=before))
    assert (found.byline, found.body) == (expected, BODY)


@pytest.mark.parametrize(
    ("value", "paywalled"),
    [(False, True), ("False", True), ("http://schema.org/False", True), (True, False), ("true", False)],
)
def test_paywall_is_what_the_page_states(value: object, paywalled: bool) -> None:
    assert read(html(head=json_ld(isAccessibleForFree=value))).paywalled is paywalled


@pytest.mark.parametrize("code", sorted(all_words()))
def test_correction_note_is_a_field_in_every_language(code: str) -> None:
    note = (
        f"{all_words()[code].correction[0].capitalize()}: 9 · 4 — Port Ellery, Marta Quill, Great Skerry, Grey Heron."
    )
    found = wording(html(f"{TEXT}<p>{note}</p>", lang=code))
    assert (found.correction, found.body) == (note, BODY)


def test_stated_correction_that_is_printed_too_is_read_once() -> None:
    note = "Correction: An earlier version gave the wrong price."
    found = wording(html(f"{TEXT}<p>{note}</p>", head=json_ld(correction=note)))
    assert (found.correction, found.body) == (note, BODY)


@pytest.mark.parametrize(
    ("lang", "head", "source", "expected"),
    [
        ("en-gb", "", Source(), "en-GB"),
        ("", '<meta property="og:locale" content="de_AT">', Source(), "de-AT"),
        ("", json_ld(inLanguage="fr"), Source(), "fr"),
        ("", "", Source(language="sv"), "sv"),
        ("", "", Source(), "en"),
        ("not a language!", "", Source(), "en"),
    ],
)
def test_language_is_stated_configured_or_found(lang: str, head: str, source: Source, expected: str) -> None:
    assert read(html(lang=lang, head=head), source=source).facts.language == expected


def test_facts_are_absolute_and_the_canonical_link_is_an_alias() -> None:
    head = '<link rel="canonical" href="/2026/ferry-council-vote"><meta property="og:image" content="/a.jpg">'
    reading = read(html(head=head))
    assert reading.facts.canonical_url == "https://courier.example/2026/ferry-council-vote"
    assert reading.facts.image_url == "https://courier.example/a.jpg"
    assert [alias.kind for alias in reading.aliases] == ["asked", "canonical"]


def test_noarchive_is_kept_to() -> None:
    assert read(html()).keep_page
    assert not read(html(head='<meta name="robots" content="noarchive">')).keep_page


def test_stated_text_is_read_where_the_page_prints_none() -> None:
    page = f"<html lang=en><head>{json_ld(headline='A', articleBody=BODY)}</head><body><div id=app></div></body></html>"
    assert wording(page).body is not None


# Plain text


def test_folded_text_has_paragraphs() -> None:
    folded = "\n".join(
        [
            "Council backs the ferry line",
            "",
            "The harbour council approved a large ferry subsidy on Monday,",
            "after a debate that lasted well into the afternoon, and then it",
            "voted on the new fog horn for the lighthouse of Great Skerry.",
            "",
            "The vote was 9 to 4, and the operator of the ferries did not say",
            "what it will do with the money that it has now been promised to.",
        ]
    )
    body = wording(folded, content_type="text/plain").body or ""
    assert [paragraph.split()[0] for paragraph in body.split("\n\n")] == ["The", "The"]


def test_plain_text_that_is_html_is_read_as_html() -> None:
    assert wording(html(), content_type="text/plain").body == BODY


def test_short_text_after_a_link_heading_is_dropped_only_at_the_end() -> None:
    text = f"Council backs the ferry\n\n{FIRST}\n\nRelated stories\n\nLamp to be replaced\n\nEel festival moves\n"
    assert wording(text, content_type="text/plain").body == FIRST


# Rules for one line


@pytest.mark.parametrize(
    ("line", "language", "expected"),
    [
        ("By Marta Quill", "en", "By Marta Quill"),
        ("BY MARTA QUILL AND TOMAS REED", "en", "BY MARTA QUILL AND TOMAS REED"),
        ("Von Grete Anker", "de", "Von Grete Anker"),
        ("Par Jeanne Quai | Publié le 16/03/2026", "fr", "Par Jeanne Quai"),
        ("بقلم سلمى المرفئي", "ar", "بقلم سلمى المرفئي"),
        (
            "By Monday the ferry had left the harbour and the mayor behind, and nobody said a word about it.",
            "en",
            None,
        ),
        ("by the sea", "en", None),
        ("Von Montag an fahren die Boote.", "de", None),
        ("Byelections", "en", None),
    ],
)
def test_byline_of_a_line(line: str, language: str, expected: str | None) -> None:
    assert byline_of(line, language) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Correction: The vote was 9 to 4.", True),
        ("CORRECTION (16 March 2026): The vote was 9 to 4.", True),
        ("Editor’s note: this was changed.".replace("’", "'"), True),
        ("An earlier version of this article misstated the sum.", True),
        ("【訂正】投票は九対四でした。", True),
        ("Berichtigung: Die Abstimmung endete 9 zu 4.", True),
        ("Correction officers left the prison on Monday.", False),
        ("Corrections will be made to the harbour wall.", False),
        ("The council issued a correction.", False),
    ],
)
def test_correction_note(line: str, expected: bool) -> None:
    assert is_correction(line) is expected


@pytest.mark.parametrize(
    ("paragraph", "place"),
    [
        ("PORT ELLERY — The council voted.", "Port Ellery"),
        ("KETTLE POINT, Ore. – The toll will rise.", "Kettle Point, Ore."),
        ("Port Ellery (AFP) - The council voted.", "Port Ellery"),
        ("ST JOHN’S — The council voted.", "St John’s"),
        ("The council – all of it – voted.", None),
        ("A vote - the first - was held.", None),
        ("Ferries — not buses — will sail.", None),
    ],
)
def test_dateline_is_a_place_in_capitals_or_before_an_agency(paragraph: str, place: str | None) -> None:
    assert dateline_of(paragraph)[0] == place


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("The ferry at dawn. Photo: Jo Vane", ("The ferry at dawn.", "Photo: Jo Vane")),
        ("The ferry at dawn (Foto: Jo Vane)", ("The ferry at dawn", "Foto: Jo Vane")),
        ("The ferry at dawn. © Jo Vane", ("The ferry at dawn.", "© Jo Vane")),
        ("The ferry at dawn.", ("The ferry at dawn.", None)),
        ("A photo of the ferry hangs in the hall.", ("A photo of the ferry hangs in the hall.", None)),
    ],
)
def test_credit_at_the_end_of_a_caption(caption: str, expected: tuple[str, str | None]) -> None:
    assert split_credit(caption) == expected


@pytest.mark.parametrize(
    "line",
    [
        FIRST,
        SECOND,
        "She read more than he did.",
        "Watch officers saw the light.",
        "Share prices fell.",
        "The related costs rose.",
    ],
)
def test_prose_is_none_of_the_furniture(line: str) -> None:
    assert not any(rule(line) for rule in (is_chrome, is_menu, is_credit, is_correction))


# Properties


def test_extractor_id_names_library_version_and_rules() -> None:
    assert re.fullmatch(r"trafilatura/\d+\.\d+\.\d+ fast=\w+ .*wirewatch/\d+", EXTRACTOR)
    assert read(html()).extractor == EXTRACTOR


def test_same_bytes_give_the_same_reading_in_any_order_and_thread() -> None:
    pages = [
        capture(html(f"<p>{FIRST} {n}</p><p>{SECOND}</p><p>{n} {FIRST}</p>", title=f"Story number {n}"))
        for n in range(12)
    ]
    alone = [read_page(page, Source()) for page in pages]
    shuffled = random.Random(7).sample(range(12), 12)
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda n: read_page(pages[n], Source()), shuffled))
    assert [alone[n] for n in shuffled] == together


_PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<div class='related'>", "</div>", "<h1>", "</h1>", "<time datetime='x'>", "<figure>"),
        *("<figcaption>", "<!--", "<script type='application/ld+json'>", "</script>", "{", '"@type":"NewsArticle",'),
        *("By ", "Updated: 16 March 2026 14:21", FIRST, "\0", "é", "&#xd800;", "<![CDATA[", "<svg>", "<table><tr><td>"),
    ]
)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.one_of(_PIECES, st.text(max_size=12)), max_size=25),
    st.sampled_from(["text/html", "text/plain", "x/y", None]),
)
def test_any_page_gives_a_reading_that_can_be_stored(pieces: list[str], content_type: str | None) -> None:
    reading = read("".join(pieces).encode("utf-8", "surrogatepass"), content_type=content_type)
    assert (reading.wording is None) == (reading.seen is not Seen.WORDING)
    assert bool(reading.detail) == (reading.seen is not Seen.WORDING)
    for text in (reading.detail, *(reading.wording.present().values() if reading.wording else ())):
        text.encode("utf-8")
        assert "\0" not in text


@settings(deadline=None, max_examples=40)
@given(
    st.binary(max_size=200),
    st.sampled_from(["text/html", "text/html; charset=\x00", "text/plain; charset=utf-7", None]),
)
def test_any_bytes_give_a_reading(body: bytes, content_type: str | None) -> None:
    assert read(body, content_type=content_type).observed == OBSERVED


@pytest.mark.parametrize(
    "crumbs",
    [
        '<nav class="breadcrumb"><ol><li><a href="/">Home</a></li><li><a href="/local">Local</a></li></ol></nav>',
        '<div class="breadcrumbs"><a href="/local">Local</a></div>',
        '\n<a class="kicker" href="/local">Local</a>\n',
    ],
    ids=["nav", "div", "kicker"],
)
def test_section_is_the_last_crumb_before_the_headline(crumbs: str) -> None:
    assert wording(html().replace("<h1>", f"{crumbs}<h1>")).section == "Local"
