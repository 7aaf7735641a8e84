"""Where feeds are found: in the pages that declare them and in OPML lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.errors import BadContent
from wirewatch.feeds import DeclaredFeed, OpmlFeed, discover_feeds, read_opml

PAGE = "https://courier.example/news/index.html"


def page(*links: str, base: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head>{base}{''.join(links)}</head><body><p>Ferries</p></body></html>".encode()


def link(href: str = "/feed", media_type: str = "application/rss+xml", rel: str = "alternate") -> str:
    return f'<link rel="{rel}" type="{media_type}" href="{href}" title="All  news">'


def opml(*outlines: str) -> bytes:
    return f'<?xml version="1.0"?><opml version="2.0"><head/><body>{"".join(outlines)}</body></opml>'.encode()


@pytest.mark.parametrize(
    ("html", "urls"),
    [
        pytest.param(page(link()), ["https://courier.example/feed"], id="RSS"),
        pytest.param(page(link("a.atom", "application/atom+xml")), ["https://courier.example/news/a.atom"], id="Atom"),
        pytest.param(page(link("/f.json", "application/feed+json")), ["https://courier.example/f.json"], id="JSON"),
        pytest.param(
            page(link(media_type="Application/RSS+xml; charset=utf-8", rel="Alternate home")),
            ["https://courier.example/feed"],
            id="capitals and parameters",
        ),
        pytest.param(
            page(link("a"), base='<base href="https://cdn.example/x/">'), ["https://cdn.example/x/a"], id="base"
        ),
        pytest.param(page(link("a"), base='<base href="http://[">'), ["https://courier.example/news/a"], id="bad base"),
        pytest.param(
            page(link(), link("/feed"), link("/b")),
            ["https://courier.example/feed", "https://courier.example/b"],
            id="each once",
        ),
        pytest.param(page(link("/wp-json/1", "application/json")), [], id="WordPress's record of the page"),
        pytest.param(page(link("/style", "text/css", "alternate stylesheet")), [], id="style sheet"),
        pytest.param(page(link(rel="next")), [], id="not an alternate"),
        pytest.param(page(link("javascript:x()")), [], id="script"),
        pytest.param(page(link("")), [], id="no address"),
        pytest.param(page(link("http://[")), [], id="an impossible address"),
        pytest.param(b"", [], id="empty"),
        pytest.param(b"\x00\xff\xfe<", [], id="no page"),
        pytest.param(b"<div>" * 100_000, [], id="nested"),
        pytest.param("<p>Café</p>".encode("utf-16"), [], id="UTF-16"),
    ],
)
def test_page_names_the_feeds_it_declares(html: bytes, urls: list[str]) -> None:
    assert [feed.url for feed in discover_feeds(html, PAGE)] == urls


def test_declared_feed_has_its_type_and_title() -> None:
    assert discover_feeds(page(link()), PAGE) == (
        DeclaredFeed(url="https://courier.example/feed", type="application/rss+xml", title="All news"),
    )


@given(st.binary(max_size=300))
def test_no_bytes_make_discovery_raise(html: bytes) -> None:
    assert isinstance(discover_feeds(b"<html><link rel=alternate " + html, PAGE), tuple)


def test_opml_gives_feeds_with_their_folders() -> None:
    feeds = read_opml(
        opml(
            '<outline text="News"><outline text="Local">',
            '<outline text=" The  Courier " type="rss" xmlUrl=" https://courier.example/feed "/></outline>',
            '<outline title="Harbour" XMLURL="https://harbour.example/feed"/></outline>',
            '<outline xmlUrl="feed://quay.example/feed"/><outline xmlUrl="feed:https://pier.example/feed"/>',
        )
    )
    assert feeds == (
        OpmlFeed(url="https://courier.example/feed", title="The Courier", folders=("News", "Local")),
        OpmlFeed(url="https://harbour.example/feed", title="Harbour", folders=("News",)),
        OpmlFeed(url="http://quay.example/feed"),
        OpmlFeed(url="https://pier.example/feed"),
    )


def test_opml_leaves_out_what_is_no_feed_and_what_it_had() -> None:
    feeds = read_opml(
        opml(
            '<outline text="A" xmlUrl="https://a.example/"/><outline text="Again" xmlUrl="https://a.example/"/>',
            '<outline text="Link" type="link" url="https://b.example/"/><outline xmlUrl=""/>',
            '<outline xmlUrl="ftp://c.example/"/><outline xmlUrl="feed.xml"/><!-- --><other xmlUrl="https://d.example/"/>',
        )
    )
    assert [(feed.url, feed.title) for feed in feeds] == [("https://a.example/", "A")]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "latin-1"])
def test_opml_is_read_in_any_encoding(codec: str) -> None:
    (feed,) = read_opml(opml('<outline text="Café" xmlUrl="https://a.example/"/>').decode().encode(codec))
    assert feed.title == "Café"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "The OPML is empty", id="empty"),
        pytest.param(b"<opml><body><outline></body></opml>", "The OPML is broken: mismatched tag: line 1", id="broken"),
        pytest.param(opml()[:-7], "The OPML is broken: no element found", id="truncated"),
        pytest.param(opml('<outline text="&nbsp;"/>'), "The OPML is broken: undefined entity", id="HTML's entity"),
        pytest.param(b"<rss><channel/></rss>", "This is no OPML: its outermost element is 'rss'", id="a feed"),
        pytest.param(b"<html><body/></html>", "This is no OPML: its outermost element is 'html'", id="a page"),
        pytest.param(b"<opml><head/></opml>", "The OPML has no body", id="no body"),
        pytest.param(
            b'<!DOCTYPE opml [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><opml><body/></opml>',
            "The OPML declares entities",
            id="entities",
        ),
        pytest.param(
            b'<!DOCTYPE opml [<!ENTITY a SYSTEM "file:///etc/hostname">]><opml><body>&a;</body></opml>',
            "The OPML declares entities",
            id="a file by entity",
        ),
        pytest.param(opml("<outline/>" * 50_001), "The OPML has more than 50000 outlines", id="too many"),
        pytest.param(b" " * (15 * 1024**2 + 1), "The OPML is larger than 15 MiB", id="too large"),
    ],
)
def test_opml_that_is_none_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadContent, match=f"^{reason}"):
        read_opml(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_opml_or_refused(data: bytes) -> None:
    for whole in (data, opml().replace(b"<head/>", data), opml(f"<outline {data.decode('latin-1')}/>")):
        try:
            assert isinstance(read_opml(whole), tuple)
        except BadContent as error:
            assert str(error)  # noqa: PT017 - either will do


def test_opml_nested_deeply_is_read() -> None:
    nested = '<outline text="a">' * 5_000 + '<outline xmlUrl="https://a.example/"/>' + "</outline>" * 5_000
    (feed,) = read_opml(opml(nested))
    assert feed.url == "https://a.example/"
