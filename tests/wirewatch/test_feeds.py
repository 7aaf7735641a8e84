"""What a feed says, however badly it is written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.feeds import entry_readings, read_feed
from wirewatch.model import Alias, Capture, Entry, FeedReading, Seen, Source, Track

OBSERVED = datetime(2026, 3, 16, 15, 26, 7, tzinfo=UTC)
URL = "https://courier.example/news/feed.xml"
FERRY = "https://courier.example/news/ferry-1"
ONE_ITEM = "<item><guid isPermaLink='false'>f1</guid><link>/news/ferry-1</link><title>Ferry stopped</title></item>"


def capture(body: bytes | str, content_type: str = "application/rss+xml", **changes: Any) -> Capture:
    headers = (("content-type", content_type), *changes.pop("headers", ()))
    data = body.encode() if isinstance(body, str) else body
    defaults: dict[str, Any] = {"url": URL, "observed": OBSERVED, "status": 200, "headers": headers, "body": data}
    return Capture(**defaults | changes)


def rss(*items: str, channel: str = "", namespaces: str = "") -> str:
    return f'<rss version="2.0" {namespaces}><channel><title>Courier</title>{channel}{"".join(items)}</channel></rss>'


def atom(*entries: str, attributes: str = "") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}><title>Courier</title>{"".join(entries)}</feed>'


def json_feed(*items: object, **members: object) -> str:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Courier", "items": items} | members)


def read(body: bytes | str, content_type: str = "application/rss+xml", **changes: Any) -> FeedReading:
    return read_feed(capture(body, content_type, **changes), Source())


def only_entry(body: bytes | str, content_type: str = "application/rss+xml", **changes: Any) -> Entry:
    reading = read(body, content_type, **changes)
    assert reading.problem is None
    (entry,) = reading.entries
    return entry


RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Courier</title></channel>
 <item rdf:about="https://courier.example/news/ferry-1"><title>Ferry stopped</title>
 <link>https://courier.example/news/ferry-1</link><dc:date>2026-03-16T14:21:00+01:00</dc:date>
 <dc:creator>Ada Brook</dc:creator></item></rdf:RDF>"""
CDF = f'<CHANNEL><TITLE>Courier</TITLE><ITEM HREF="{FERRY}"><TITLE>Ferry stopped</TITLE></ITEM></CHANNEL>'
ATOM_03 = f"""<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Courier</title><entry>
 <title>Ferry stopped</title><link rel="alternate" type="text/html" href="{FERRY}"/></entry></feed>"""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss(ONE_ITEM), id="RSS 2.0"),
        pytest.param(rss(ONE_ITEM).replace("2.0", "0.91"), id="RSS 0.91"),
        pytest.param(RDF, id="RSS 1.0"),
        pytest.param(RDF.replace("http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/"), id="RSS 0.90"),
        pytest.param(atom(f'<entry><title>Ferry stopped</title><link href="{FERRY}"/></entry>'), id="Atom 1.0"),
        pytest.param(ATOM_03, id="Atom 0.3"),
        pytest.param(CDF, id="CDF"),
        pytest.param(json_feed({"id": "f1", "title": "Ferry stopped", "url": FERRY}), id="JSON Feed 1.1"),
        pytest.param(
            json_feed({"title": "Ferry stopped", "url": FERRY}, version="https://jsonfeed.org/version/1"),
            id="JSON Feed 1.0",
        ),
    ],
)
@pytest.mark.parametrize("content_type", ["application/xml", "text/html", "application/octet-stream", ""])
def test_feed_of_every_format_is_read_under_any_content_type(body: str, content_type: str) -> None:
    reading = read(body, content_type)
    assert (reading.seen, reading.problem, reading.title) == (Seen.WORDING, None, "Courier")
    assert [(entry.title, entry.link) for entry in reading.entries] == [("Ferry stopped", FERRY)]


BOMB = '<!DOCTYPE rss [<!ENTITY a "ferry ferry"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>' + rss(
    "<item><title>&c;</title></item>"
)
WIDE_BOMB = f'<!DOCTYPE rss [<!ENTITY a "{"ferry " * 2000}">]>' + rss(f"<item><title>{'&a;' * 1000}</title></item>")
MANY = "<!DOCTYPE rss [" + "".join(f'<!ENTITY e{n} "x">' for n in range(301)) + "]>" + rss(ONE_ITEM)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param("", "The answer is empty", id="empty"),
        pytest.param(" \n\ufeff ", "The answer is empty", id="nothing but spaces"),
        pytest.param(
            "<!DOCTYPE html><html><body><p>Front page</p></body></html>",
            "An HTML page came in place of a feed",
            id="HTML page",
        ),
        pytest.param(
            "<html><item>x</item></html>", "An HTML page came in place of a feed", id="HTML with an odd element"
        ),
        pytest.param('<rss version="2.0"><channel><tit', "The feed is cut short", id="truncated before any entry"),
        pytest.param('<opml version="2.0"><body/></opml>', "This is a list of feeds (OPML)", id="OPML"),
        pytest.param("%PDF-1.7 and so on", "This is no feed", id="PDF"),
        pytest.param("<svg><path/></svg>", "This is no feed", id="other XML"),
        pytest.param('<rdf:RDF xmlns:foaf="urn:foaf"></rdf:RDF>', "This is RDF, but not a feed", id="other RDF"),
        pytest.param(BOMB, "The feed's entities are made of other entities", id="nested entity bomb"),
        pytest.param(WIDE_BOMB, "The feed's entities would grow to more than", id="wide entity bomb"),
        pytest.param(MANY, "The feed declares more than 300 entities", id="many entities"),
        pytest.param(
            '<!DOCTYPE rss [<!ENTITY % x "<!ENTITY a \'b\'>"><!ENTITY c "%x;">]>' + rss(ONE_ITEM),
            "The feed's entities are made of other entities",
            id="parameter entity",
        ),
        pytest.param(
            f"<!DOCTYPE rss [{' ' * 100_000}]>" + rss(), "The feed's document type declaration has more", id="doctype"
        ),
        pytest.param("<!DOCTYPE rss [<rss/>", "The feed's document type declaration never ends", id="open doctype"),
        pytest.param(rss("<item/>" * 600_000), "The feed has more than 500000 tags", id="too many tags"),
        pytest.param('{"version": "https://jsonfeed.org', "The JSON is broken", id="truncated JSON"),
        pytest.param("[" * 100_000, "The JSON is broken", id="nested JSON"),
        pytest.param('{"items": []}', "This is JSON, but not a JSON Feed", id="other JSON"),
        pytest.param(
            '{"version": "https://jsonfeed.org/version/1", "items": 3}',
            "The JSON Feed has no list of `items`",
            id="JSON Feed without items",
        ),
        pytest.param(b"<rss>" + b"x" * (15 * 1024 * 1024), "The feed is larger than 15 MiB", id="too large"),
        pytest.param(bytes(range(256)), "This is no feed", id="bytes"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(body: bytes | str, problem: str) -> None:
    reading = read(body)
    assert reading.problem is not None
    assert reading.problem.startswith(problem)
    assert (reading.seen, reading.entries, reading.detail) == (Seen.INVALID, (), reading.problem)


@pytest.mark.parametrize(
    ("changes", "seen", "problem"),
    [
        pytest.param({"status": 304}, Seen.NOT_MODIFIED, None, id="304 is no problem"),
        pytest.param({"status": 404}, Seen.MISSING, "The feed did not come: HTTP 404", id="404"),
        pytest.param({"status": 403}, Seen.BLOCKED, "The feed did not come: HTTP 403", id="403"),
        pytest.param({"status": None, "problem": "no route"}, Seen.FAILED, "The feed did not come: no route", id="net"),
    ],
)
def test_answer_without_a_feed_says_what_http_said(changes: dict[str, Any], seen: Seen, problem: str | None) -> None:
    reading = read(rss(ONE_ITEM), **changes)
    assert (reading.seen, reading.problem, reading.entries) == (seen, problem, ())


@pytest.mark.parametrize("body", [rss(), atom(), json_feed(), "<rss/>", RDF[: RDF.index("<item")] + "</rdf:RDF>"])
def test_feed_without_entries_is_a_feed(body: str) -> None:
    assert read(body).problem is None


def test_truncated_feed_keeps_what_was_whole() -> None:
    whole = rss(ONE_ITEM, "<item><link>/news/quay-2</link><title>Quay reopens</title></item>")
    reading = read(whole[: whole.index(" reopens")])
    assert reading.problem is None
    assert "truncated" in reading.flags
    assert [entry.title for entry in reading.entries] == ["Ferry stopped", None]
    assert [r.url for r in entry_readings(reading, Source())] == [FERRY]


@pytest.mark.parametrize(
    ("body", "content_type", "flags"),
    [
        pytest.param(b"<?xml version='1.0'?>{}", "", (), id="UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", "", (), id="UTF-8 with BOM"),
        pytest.param(
            b"\xef\xbb\xbf\n<?xml version='1.0' encoding='iso-8859-1'?>{}", "", (), id="BOM above declaration"
        ),
        pytest.param(b"<?xml version='1.0' encoding='iso-8859-1'?>{}", "", ("wrong_encoding",), id="declared Latin-1"),
        pytest.param(b"<?xml version='1.0' encoding='ferry-7'?>{}", "", ("wrong_encoding",), id="unknown encoding"),
        pytest.param(b"{}", "text/xml; charset=us-ascii", ("wrong_encoding",), id="declared ASCII"),
        pytest.param(b"<?xml version='1.0' encoding='utf-16'?>{}", "", ("wrong_encoding",), id="declared UTF-16"),
    ],
)
def test_utf_8_is_known_whatever_is_declared(body: bytes, content_type: str, flags: tuple[str, ...]) -> None:
    document = body.replace(b"{}", rss("<item><title>Café déjà vu</title></item>").encode())
    reading = read(document, content_type)
    assert (reading.entries[0].title, reading.flags) == ("Café déjà vu", flags)


@pytest.mark.parametrize(
    ("codec", "declaration", "content_type"),
    [
        pytest.param("utf-16", "", "", id="UTF-16 with BOM"),
        pytest.param("utf-16-be", '<?xml version="1.0" encoding="utf-16"?>', "", id="UTF-16 without BOM"),
        pytest.param("utf-32-le", "", "", id="UTF-32 without BOM"),
        pytest.param("latin-1", '<?xml version="1.0" encoding="iso-8859-1"?>', "", id="Latin-1 in the document"),
        pytest.param("latin-1", "", "application/rss+xml; charset=ISO-8859-1", id="Latin-1 in the header"),
        pytest.param("cp1252", "", "", id="nowhere declared"),
        pytest.param("cp1252", '<?xml version="1.0" encoding="utf-8"?>', "", id="declared as UTF-8"),
        pytest.param("cp037", '<?xml version="1.0" encoding="cp037"?>', "", id="EBCDIC"),
        pytest.param("cp1252", '<?xml version="1.0" encoding="idna"?>', "", id="an encoding not for feeds"),
    ],
)
def test_other_encodings_are_read(codec: str, declaration: str, content_type: str) -> None:
    document = declaration + rss("<item><title>Café déjà vu</title></item>")
    assert only_entry(document.encode(codec), content_type).title == "Café déjà vu"


def test_control_characters_are_dropped_with_a_flag() -> None:
    reading = read(rss("<item><title>Fer\x0bry\x00 stop&#0;ped</title></item>"))
    assert "control_characters" in reading.flags
    assert reading.entries[0].title == "Ferry stop\ufffdped"
    reading = read(json_feed({"id": "1", "title": "Fer\x00ry"}))
    assert (reading.entries[0].title, reading.flags) == ("Fer\ufffdry", ("control_characters",))


@pytest.mark.parametrize(
    ("body", "title"),
    [
        pytest.param(rss("<item><title>Salt &amp; <![CDATA[<b>ice</b>]]></title></item>"), "Salt & ice", id="CDATA"),
        pytest.param(
            rss("<item><title>Fish &amp;amp; &lt;i&gt;chips&lt;/i&gt;</title></item>"), "Fish & chips", id="i"
        ),
        pytest.param(rss("<item><title>5 &lt; 6 and 7 &gt; 2</title></item>"), "5 < 6 and 7 > 2", id="not HTML"),
        pytest.param(rss("<item><title>A\n  long\ttitle</title></item>"), "A long title", id="spaces"),
        pytest.param(
            atom(
                '<entry><title type="html">&lt;b>Quay&lt;/b> &amp;amp; pier&lt;script>x()&lt;/script></title></entry>'
            ),
            "Quay & pier",
            id="Atom HTML",
        ),
        pytest.param(
            atom(
                '<entry><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <em>new</em> quay</div></title>'
                "</entry>"
            ),
            "A new quay",
            id="Atom XHTML",
        ),
        pytest.param(atom("<entry><title>The &lt;b> tag</title></entry>"), "The <b> tag", id="Atom text about tags"),
        pytest.param(atom("<entry><title>The mayor&amp;rsquo;s</title></entry>"), "The mayor’s", id="HTML called text"),
        pytest.param(rss("<item><title>Caf&eacute; shut</title></item>"), "Café shut", id="undeclared HTML entity"),
        pytest.param(
            '<!DOCTYPE rss [\n<!ENTITY who "the &#34;Courier&#34;">]>'
            + rss("<item><title>So says &who;</title></item>"),
            'So says the "Courier"',
            id="declared entity",
        ),
        pytest.param(
            '<!DOCTYPE rss PUBLIC "-//Old//DTD 0.91//EN" "http://127.0.0.1:9/rss.dtd">'
            + rss("<item><title>Ferry</title></item>"),
            "Ferry",
            id="doctype elsewhere",
        ),
        pytest.param(
            '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + rss("<item><title>A&x;B</title></item>"),
            "A&x;B",
            id="file named by an entity",
        ),
        pytest.param(
            rss("<item><title><![CDATA[On <!DOCTYPE and [ so on]]></title></item>"),
            "On <!DOCTYPE and [ so on",
            id="doctype in a text",
        ),
        pytest.param(json_feed({"id": "1", "title": " A <b> tag "}), "A <b> tag", id="JSON is plain"),
    ],
)
def test_title_is_plain_text(body: str, title: str) -> None:
    assert only_entry(body).title == title


def test_summary_keeps_its_paragraphs_and_nothing_hidden() -> None:
    html = "<p>The ferry\nstopped.</p><style>p {}</style><ul><li>One<br>boat</li></ul><!-- x --><div>Two boats</div>"
    summary = only_entry(rss(f"<item><description><![CDATA[{html}]]></description></item>")).summary
    assert summary == "The ferry stopped.\n\nOne boat\n\nTwo boats"
    assert only_entry(json_feed({"id": "1", "content_html": html})).summary == summary
    assert only_entry(json_feed({"id": "1", "content_text": "One.\n\nTwo."})).summary == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("body", "changes", "link"),
    [
        pytest.param(rss("<item><link>ferry-1</link></item>"), {}, FERRY, id="relative to the feed"),
        pytest.param(
            rss("<item><link>ferry-1</link></item>"),
            {"final_url": "https://cdn.example/a/b"},
            "https://cdn.example/a/ferry-1",
            id="relative to the address that answered",
        ),
        pytest.param(
            rss("<item><link>ferry-1</link></item>"),
            {"headers": (("content-location", "https://courier.example/x/feed"),)},
            "https://courier.example/x/ferry-1",
            id="relative to Content-Location",
        ),
        pytest.param(
            atom('<entry xml:base="b/"><link href="ferry-1"/></entry>', attributes='xml:base="https://a.example/"'),
            {},
            "https://a.example/b/ferry-1",
            id="xml:base in xml:base",
        ),
        pytest.param(json_feed({"id": "1", "url": "ferry-1"}), {}, FERRY, id="JSON, relative"),
        pytest.param(rss(f"<item><guid>{FERRY}</guid></item>"), {}, FERRY, id="guid that is the link"),
        pytest.param(rss(f"<item><guid isPermaLink='false'>{FERRY}</guid></item>"), {}, None, id="guid that is none"),
        pytest.param(rss("<item><link>javascript:alert(1)</link></item>"), {}, None, id="script"),
        pytest.param(rss("<item><link>file:///etc/passwd</link></item>"), {}, None, id="file"),
        pytest.param(rss("<item><link>http://[</link></item>"), {}, None, id="no address"),
        pytest.param(json_feed({"id": "1", "url": "http://["}), {}, None, id="no address in JSON"),
        pytest.param(rss(f"<item><link>\n {FERRY}?a=1&amp;b=2\n</link></item>"), {}, f"{FERRY}?a=1&b=2", id="spaces"),
        pytest.param(
            atom(f'<entry><link rel="self" href="/e/1"/><link rel="alternate" href="{FERRY}"/></entry>'),
            {},
            FERRY,
            id="the page, not the entry",
        ),
        pytest.param(rss('<item><enclosure url="https://a.example/x.mp3"/></item>'), {}, None, id="only an enclosure"),
        pytest.param(
            rss(
                f"<item><link>https://proxy.example/1</link><fb:origLink>{FERRY}</fb:origLink></item>",
                namespaces='xmlns:fb="http://rssnamespace.org/feedburner/ext/1.0"',
            ),
            {},
            FERRY,
            id="behind FeedBurner",
        ),
    ],
)
def test_link_leads_to_the_page(body: str, changes: dict[str, Any], link: str | None) -> None:
    assert only_entry(body, **changes).link == link


@pytest.mark.parametrize(
    ("items", "identities"),
    [
        pytest.param([ONE_ITEM], ["f1"], id="guid"),
        pytest.param(
            ["<item><guid> </guid><link>/a?utm_source=x</link></item>"], ["https://courier.example/a"], id="0"
        ),
        pytest.param(
            ["<item><guid>same</guid><link>/a</link></item>", "<item><guid>same</guid><link>/b</link></item>"],
            ["https://courier.example/a", "https://courier.example/b"],
            id="guid given twice",
        ),
        pytest.param(
            ["<item><title>One</title></item>", "<item><title>Two</title></item>"],
            ["text:", "text:"],
            id="neither guid nor link",
        ),
    ],
)
def test_entry_is_known_by_a_guid_of_its_own_else_by_its_link(items: list[str], identities: list[str]) -> None:
    entries = read(rss(*items)).entries
    assert all(entry.identity.startswith(start) for entry, start in zip(entries, identities, strict=True))
    assert len({entry.identity for entry in entries}) == len(entries)


def claims_of(item: str) -> list[tuple[str, str]]:
    namespaces = (
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:a="http://www.w3.org/2005/Atom" '
        'xmlns:t="http://purl.org/dc/terms/"'
    )
    entry = only_entry(rss(f"<item>{item}</item>", namespaces=namespaces))
    return [(claim.kind, f"{claim.at:%d %H:%M}" if claim.at else "?") for claim in entry.claims]


@pytest.mark.parametrize(
    ("item", "claims"),
    [
        pytest.param("<pubDate>Mon, 16 Mar 2026 14:21:00 GMT</pubDate>", [("published", "16 14:21")], id="published"),
        pytest.param("<dc:date>2026-03-16T14:21Z</dc:date>", [("published", "16 14:21")], id="Dublin Core's only date"),
        pytest.param("<a:updated>2026-03-16T15:24Z</a:updated>", [("modified", "16 15:24")], id="updated"),
        pytest.param(
            "<pubDate>16 Mar 2026 14:21 GMT</pubDate><dc:date>2026-03-16T13:00Z</dc:date>"
            "<t:modified>2026-03-16T15:24Z</t:modified>",
            [("published", "16 14:21"), ("modified", "16 15:24")],
            id="all of them",
        ),
        pytest.param("<pubDate>soon</pubDate>", [("published", "?")], id="unreadable"),
        pytest.param("<pubDate/>", [], id="empty"),
    ],
)
def test_claims_are_what_is_there_and_no_more(item: str, claims: list[tuple[str, str]]) -> None:
    assert claims_of(item) == claims


def test_modified_before_published_is_kept_with_a_flag() -> None:
    dates = {"date_published": "2026-03-16T15:00:00Z", "date_modified": "2026-03-16T14:00:00Z"}
    published, modified = only_entry(json_feed({"id": "1", **dates})).claims
    assert (published.flags, modified.flags) == ((), ("before_published",))


@pytest.mark.parametrize(
    ("body", "byline", "section"),
    [
        pytest.param(
            atom("<entry><author><name>Ada Brook</name><email>a@b.example</email></author></entry>"),
            "Ada Brook",
            None,
            id="Atom",
        ),
        pytest.param(rss("<item><author>a@b.example (Ada Brook)</author></item>"), "Ada Brook", None, id="RSS"),
        pytest.param(rss("<item><author>Ada &lt;a@b.example></author></item>"), "Ada", None, id="mail in angles"),
        pytest.param(rss("<item><author>Ada (Quay desk)</author></item>"), "Ada (Quay desk)", None, id="no mail"),
        pytest.param(rss("<item><category>Local</category></item>"), None, "Local", id="one category"),
        pytest.param(
            rss("<item><category>Local</category><category>Ferries</category></item>"), None, None, id="keywords"
        ),
        pytest.param(
            json_feed({"id": "1", "authors": [{"name": "Ada Brook"}, {"name": "Bo Lind"}], "tags": ["Local"]}),
            "Ada Brook, Bo Lind",
            "Local",
            id="JSON Feed 1.1",
        ),
        pytest.param(
            json_feed({"id": 7, "author": {"name": "Ada Brook"}, "tags": ["a", "b"]}), "Ada Brook", None, id="1.0"
        ),
        pytest.param(json_feed({"id": [], "author": "Ada", "tags": "a", "title": 3}), None, None, id="wrong types"),
    ],
)
def test_byline_and_section_are_taken_where_given(body: str, byline: str | None, section: str | None) -> None:
    entry = only_entry(body)
    assert (entry.byline, entry.section) == (byline, section)


SY = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'


@pytest.mark.parametrize(
    ("channel", "headers", "seconds"),
    [
        pytest.param("", {}, None, id="nothing asked"),
        pytest.param("<ttl>90</ttl>", {}, 5400, id="ttl"),
        pytest.param("<ttl>soon</ttl>", {}, None, id="ttl that is no number"),
        pytest.param("<ttl>999999</ttl>", {}, 86_400, id="no longer than a day"),
        pytest.param("<sy:updatePeriod>daily</sy:updatePeriod>", {}, 86_400, id="daily"),
        pytest.param(
            "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
            {},
            21_600,
            id="four times daily",
        ),
        pytest.param("<sy:updateFrequency>0</sy:updateFrequency>", {}, 86_400, id="frequency nought"),
        pytest.param("", {"cache-control": "public, max-age=1800"}, 1800, id="max-age"),
        pytest.param("", {"cache-control": "s-maxage=7200, no-cache"}, None, id="meant for others"),
        pytest.param(
            "",
            {"expires": "Mon, 16 Mar 2026 13:00:00 GMT", "date": "Mon, 16 Mar 2026 12:00:00 GMT"},
            3600,
            id="Expires by the server's own clock",
        ),
        pytest.param("", {"expires": "Mon, 16 Mar 2026 15:27:07 GMT"}, 60, id="Expires by ours"),
        pytest.param("", {"expires": "0"}, None, id="expired"),
        pytest.param("", {"retry-after": "120"}, 120, id="Retry-After in seconds"),
        pytest.param("", {"retry-after": "Mon, 16 Mar 2026 15:28:07 GMT"}, 120, id="Retry-After as a date"),
        pytest.param("<ttl>5</ttl>", {"cache-control": "max-age=60", "retry-after": "30"}, 300, id="the longest"),
    ],
)
def test_polite_seconds_is_the_longest_wait_asked_for(
    channel: str, headers: dict[str, str], seconds: int | None
) -> None:
    reading = read(rss(channel=channel, namespaces=SY), headers=tuple(headers.items()))
    assert reading.polite_seconds == seconds


def test_retry_after_counts_even_if_there_is_no_feed() -> None:
    assert read("", status=503, retry_after_seconds=600.0).polite_seconds == 600


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("<item><title>x&#xD800;&#99999999999;&#x110000;&#;</title></item>"), id="characters"),
        pytest.param(rss("<item>" + "<a>" * 20_000 + "</item>"), id="depth"),
        pytest.param(rss(f"<item><description>{'&lt;div&gt;' * 20_000}x</description></item>"), id="depth in HTML"),
        pytest.param(atom("<entry><content type='xhtml'><svg></content><title>x</title><title>y"), id="open svg"),
        pytest.param(rss("<item><pubDate>" + "1" * 10_000 + "</pubDate></item>"), id="long number"),
        pytest.param(rss("<item><a:b>x</a:b></item>"), id="unknown namespace"),
        pytest.param(rss("<item><title>e" + "\u0301" * 40_000 + "</title></item>"), id="combining marks"),
        pytest.param(rss(f"<item><link>{'http://x' * 20_000}</link></item>"), id="long link"),
        pytest.param(rss(f"<item><author>{'a.' * 20_000}</author></item>"), id="long name"),
        pytest.param(rss("<item>" + "".join(f"<category>{n}</category>" for n in range(9_999)) + "</item>"), id="tags"),
        pytest.param(rss("<item " + " ".join(f"a{n}='1'" for n in range(9_999)) + "/>"), id="many attributes"),
        pytest.param(rss("".join(f"<a{n}:x xmlns:a{n}='u{n}'/>" for n in range(5_000))), id="many namespaces"),
        pytest.param(rss("<item xml:base='http://['><link>a</link></item>"), id="base that is no address"),
        pytest.param("<!-- " + rss(ONE_ITEM), id="open comment"),
        pytest.param("<?xml " + rss(ONE_ITEM), id="open declaration"),
        pytest.param(rss("<item><title><![CDATA[x</title></item>"), id="open CDATA"),
        pytest.param(rss("<item><title a='1' a='2' =>x</title></item>"), id="attributes"),
    ],
)
def test_hostile_feed_is_read_or_refused(body: str) -> None:
    reading = read(body)
    entry_readings(reading, Source(track=Track.ENTRIES))
    assert (reading.problem is None) == (reading.seen is Seen.WORDING)


def test_entries_beyond_5000_are_left_out_with_a_flag() -> None:
    for body in (rss("<item><link>/a</link></item>" * 5001), json_feed(*[{"id": str(n)} for n in range(5001)])):
        reading = read(body)
        assert (len(reading.entries), reading.flags) == (5000, ("too_many_entries",))


@pytest.mark.parametrize(
    "body",
    [
        rss(f"<item><title>{'quay ' * 1_000}</title></item>"),
        rss(f"<item><description>{'&lt;p&gt;quay' * 50_000}</description></item>"),
        json_feed({"id": "1", "content_text": "quay " * 50_000}),
    ],
    ids=["title", "HTML", "JSON"],
)
def test_text_of_boundless_length_is_cut_with_a_flag(body: str) -> None:
    reading = read(body)
    assert reading.flags == ("text_cut",)
    assert len(reading.entries[0].title or "") <= 2_000
    assert len(reading.entries[0].summary or "") <= 200_000


whole_feeds = st.sampled_from([rss(ONE_ITEM, channel="<ttl>5</ttl>"), RDF, CDF, ATOM_03, json_feed({"id": "1"}), BOMB])
pieces = st.sampled_from(
    [b"<", b"&", b"]]>", b"<item>", b"</rss>", b"&#0;", b"\xff", b"\x00", b"<![CDATA[", b"<!", b'"']
)


@given(body=st.binary(max_size=200) | whole_feeds.map(str.encode), content_type=st.text(max_size=30), data=st.data())
def test_no_bytes_make_it_raise(body: bytes, content_type: str, data: st.DataObject) -> None:
    for _ in range(3):
        start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(body))] * 2)))
        body = body[:start] + data.draw(pieces | st.binary(max_size=4)) + body[end if end - start < 20 else start :]
    reading = read_feed(capture(body, content_type), Source())
    entry_readings(reading, Source())
    assert (reading.problem is None) == (reading.seen is Seen.WORDING)
    assert reading == read_feed(capture(body, content_type), Source())


@given(cut=st.integers(0, 400))
def test_feed_cut_anywhere_gives_only_what_the_whole_one_gives(cut: int) -> None:
    body = rss(ONE_ITEM, "<item><guid>f2</guid><title>Quay reopens</title></item>").encode()
    whole = {reading.content_hash for reading in entry_readings(read(body), Source())}
    assert {reading.content_hash for reading in entry_readings(read(body[:cut]), Source())} <= whole


def test_entry_is_a_reading_of_its_own() -> None:
    item = (
        "<item><guid isPermaLink='false'>f1</guid><link>/news/ferry-1?utm_source=rss</link><title>Ferry stopped</title>"
        "<description>&lt;p&gt;No boats.&lt;/p&gt;</description><author>Ada Brook</author><category>Local</category>"
        "<pubDate>16 Mar 2026 14:21 GMT</pubDate></item>"
    )
    feed = read(rss(item, channel="<language>en-gb</language>"))
    (reading,) = entry_readings(feed, Source(feed=URL))
    assert reading.url == FERRY
    assert (reading.observed, reading.seen, reading.track) == (OBSERVED, Seen.WORDING, Track.ENTRIES)
    assert (reading.extractor, reading.facts.language) == ("feed-entries/1", "en-gb")
    assert reading.wording is not None
    assert reading.wording.present() == {
        "headline": "Ferry stopped",
        "byline": "Ada Brook",
        "section": "Local",
        "body": "No boats.",
    }
    assert reading.aliases == (Alias(kind="asked", name=FERRY), Alias(kind="guid", name=f"{URL}#guid=f1"))
    assert [claim.kind for claim in reading.claims] == ["published"]
    assert reading.content_hash
    assert reading.text_hash


@pytest.mark.parametrize(
    ("items", "urls"),
    [
        pytest.param(["<item><guid isPermaLink='false'>t1</guid></item>"], [f"{URL}#guid=t1"], id="guid alone"),
        pytest.param(["<item><title>x</title></item>"], [], id="nothing to know it by"),
        pytest.param(
            [f"<item><guid isPermaLink='false'>t{n}</guid><link>/ticker</link></item>" for n in (1, 2)],
            [f"{URL}#guid=t1", f"{URL}#guid=t2"],
            id="all link to one ticker",
        ),
        pytest.param(
            ["<item><link>/a</link><title>New</title></item>", "<item><link>/a</link><title>Old</title></item>"],
            ["https://courier.example/a"],
            id="one link twice",
        ),
    ],
)
def test_each_article_of_a_feed_is_read_once(items: list[str], urls: list[str]) -> None:
    readings = entry_readings(read(rss(*items)), Source(feed=URL))
    assert [reading.url for reading in readings] == urls
    assert all(reading.aliases[0].name == reading.url for reading in readings)
    assert all(alias.name != "https://courier.example/ticker" for reading in readings for alias in reading.aliases)


def test_entry_without_words_is_invalid_and_no_change() -> None:
    (reading,) = entry_readings(read(rss("<item><link>/a</link></item>")), Source())
    assert (reading.seen, reading.wording, reading.content_hash) == (Seen.INVALID, None, None)
