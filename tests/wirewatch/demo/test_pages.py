"""The newspapers' pages and feeds, as plain functions of time and request."""

from __future__ import annotations

import json
from datetime import timedelta
from html.parser import HTMLParser
from http import HTTPStatus

import feedparser
import lxml.html
import pytest
import trafilatura
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.demo.answers import SITES, Answer, Request, answer, site_of
from wirewatch.demo.noise import Noise
from wirewatch.demo.stories import DAY, Edition, Site, Story, Words, at, revise

VOID = {"meta", "link", "img", "input", "br", "hr"}
STORIES = [pytest.param(site, story, id=story.first_path) for site in SITES for story in site.stories]
EDITIONS = [
    pytest.param(site, story, edition, id=f"{edition.since:%H%M}{edition.path}")
    for site in SITES
    for story in site.stories
    for edition in story.editions
]


class Nesting(HTMLParser):
    """Check that every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Leave elements that close themselves, as in SVG."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def ask(site: Site, path: str, clock: str = "14:26", **validators: str) -> Answer:
    return answer(site, Request(path=path, **validators), at(clock), Noise(1))


def page(site: Site, edition: Edition, request: int = 1) -> str:
    return answer(site, Request(path=edition.path), edition.since, Noise(request)).body.decode()


def only(tree: lxml.html.HtmlElement, path: str) -> str:
    (found,) = tree.xpath(path)
    return str(found)


@pytest.mark.parametrize(("site", "story", "edition"), EDITIONS)
def test_page_is_well_formed_and_of_a_real_pages_size(site: Site, story: Story, edition: Edition) -> None:
    text = page(site, edition)
    nesting = Nesting()
    nesting.feed(text)
    assert nesting.open == []
    assert text.startswith("<!DOCTYPE html>")
    assert 20_000 < len(text.encode()) < 60_000
    ids = lxml.html.fromstring(text).xpath("//@id")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("site", "story", "edition"), EDITIONS)
def test_page_says_everywhere_what_its_edition_says(site: Site, story: Story, edition: Edition) -> None:
    text = page(site, edition)
    tree = lxml.html.fromstring(text)
    words = edition.words
    assert only(tree, "//title/text()") == f"{words.headline} | {site.name}"
    assert only(tree, "//main//h1/text()") == words.headline
    assert only(tree, "//meta[@property='og:title']/@content") == words.headline
    assert only(tree, "//meta[@name='description']/@content") == words.standfirst
    assert only(tree, "//link[@rel='canonical']/@href") == story.canonical or site.address + edition.path
    assert only(tree, "//*[@class='byline']/text()") == words.byline
    assert text.count("Published: ") == 1
    assert text.count("Updated: ") == (edition.modified is not None)
    assert len(tree.xpath("//figcaption//text()[contains(., $caption)]", caption=words.caption)) == 1
    assert len(tree.xpath("//*[contains(@class, 'caption-again')][text() = $caption]", caption=words.caption)) == 1
    paragraphs = tree.xpath("//*[contains(@class, 'story-body')]/*[self::p or self::h2]")
    wanted = [*(block.removeprefix("## ") for block in words.blocks), *filter(None, [words.correction])]
    assert [p.text_content() for p in paragraphs] == wanted


@pytest.mark.parametrize(("site", "story"), STORIES)
def test_story_has_six_paragraphs_and_a_sub_heading_or_more(site: Site, story: Story) -> None:
    blocks = story.editions[0].words.blocks
    assert sum(block.startswith("## ") for block in blocks) >= 1
    assert sum(not block.startswith("## ") for block in blocks) >= 6


def test_courier_prints_stamps_in_capitals_and_without_a_zone() -> None:
    text = ask(SITES[0], "/local/ferry-subsidy", "15:31").body.decode()
    assert "Published: MARCH 16, 2026 14:21" in text
    assert "Updated: MARCH 16, 2026 15:24" in text


def test_two_stories_carry_only_printed_stamps() -> None:
    without = [(site, story) for site in SITES for story in site.stories if not story.json_ld]
    assert len(without) == 2
    for site, story in without:
        text = page(site, story.editions[0])
        assert "ld+json" not in text
        assert "article:published_time" not in text


@pytest.mark.parametrize(("site", "story", "edition"), EDITIONS)
def test_linked_data_agrees_with_the_page(site: Site, story: Story, edition: Edition) -> None:
    blocks = lxml.html.fromstring(page(site, edition)).xpath("//script[@type='application/ld+json']/text()")
    assert len(blocks) == story.json_ld
    for block in blocks:
        data = json.loads(block)
        article = next(part for part in data.get("@graph", [data]) if part["@type"] == "NewsArticle")
        assert article["headline"] == edition.words.headline
        assert article["datePublished"] == edition.published.isoformat()
        assert article["dateModified"] == (edition.modified or edition.published).isoformat()


@pytest.mark.parametrize(("site", "story", "edition"), EDITIONS)
def test_body_can_be_extracted_and_nothing_around_it_comes_along(site: Site, story: Story, edition: Edition) -> None:
    text, again = (str(trafilatura.extract(page(site, edition, n), include_comments=False, fast=True)) for n in (1, 2))
    assert text == again
    for block in edition.words.blocks:
        assert block.removeprefix("## ") in text
    for noise in (
        "Most read",
        "Advertisement",
        "partners",
        "inbox",
        "Related stories",
        "views",
        "Invented",
        "Tides and",
    ):
        assert noise not in text


@given(
    site=st.sampled_from(SITES),
    minutes=st.integers(min_value=0, max_value=24 * 60 - 1),
    requests=st.lists(st.integers(min_value=1, max_value=10**6), min_size=2, max_size=2, unique=True),
)
def test_two_answers_differ_in_bytes_and_agree_in_words(site: Site, minutes: int, requests: list[int]) -> None:
    now = DAY + timedelta(minutes=minutes)
    for path in ["/", *(edition.path for _, edition in site.printed(now)[:2])]:
        first, second = (answer(site, Request(path=path), now, Noise(n)) for n in requests)
        assert first.status is second.status is HTTPStatus.OK
        assert first.body != second.body
        if path != "/":
            one, other = (lxml.html.fromstring(reply.body.decode()) for reply in (first, second))
            story = "//main//h1 | //*[contains(@class, 'story-body')]/*[not(contains(@class, 'advert'))]"
            assert [e.text_content() for e in one.xpath(story)] == [e.text_content() for e in other.xpath(story)]


@given(site=st.sampled_from(SITES), minutes=st.integers(min_value=0, max_value=24 * 60 - 1))
def test_feed_names_what_can_be_read_and_when_it_was_updated(site: Site, minutes: int) -> None:
    now = DAY + timedelta(minutes=minutes)
    reply = answer(site, Request(path=site.feed_path), now, Noise(1))
    parsed = feedparser.parse(reply.body, response_headers={"content-type": dict(reply.headers)["Content-Type"]})
    assert not parsed.bozo
    printed = site.printed(now)
    assert [entry.id for entry in parsed.entries] == [story.guid for story, _ in printed]
    assert [entry.link for entry in parsed.entries] == [site.address + edition.path for _, edition in printed]
    assert [entry.title for entry in parsed.entries] == [edition.words.headline for _, edition in printed]
    stamps = [edition.modified or edition.published for _, edition in printed]
    assert [entry.updated for entry in parsed.entries] == [f"{stamp:%Y-%m-%dT%H:%M:%SZ}" for stamp in stamps]
    for _, edition in printed:
        assert answer(site, Request(path=edition.path), now, Noise(1)).status is HTTPStatus.OK


@pytest.mark.parametrize(
    ("path", "clock", "status"),
    [
        pytest.param("/", "14:26", 200, id="front page"),
        pytest.param("/", "00:00", 200, id="front page before the first story"),
        pytest.param("/local/", "14:26", 200, id="section"),
        pytest.param("/robots.txt", "14:26", 200, id="robots"),
        pytest.param("/images/tin-bath.svg", "14:26", 200, id="picture"),
        pytest.param("/admin/", "14:26", 403, id="editors only"),
        pytest.param("/local/nothing", "14:26", 404, id="never was"),
        pytest.param("/local/goat-traffic", "14:26", 404, id="not yet written"),
        pytest.param("/business/smokehouse-quay", "14:57", 200, id="not yet withdrawn"),
        pytest.param("/business/smokehouse-quay", "15:31", 410, id="withdrawn"),
        pytest.param("/news/harbour-swim", "14:26", 200, id="not yet moved"),
        pytest.param("/sport/hundredth-crossing", "14:26", 404, id="where nothing moved to yet"),
        pytest.param("/news/harbour-swim", "15:31", 301, id="moved"),
        pytest.param("/sport/hundredth-crossing", "15:31", 200, id="where it moved to"),
    ],
)
def test_path_is_answered_with_status(path: str, clock: str, status: int) -> None:
    assert ask(SITES[0], path, clock).status == status


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.host)
def test_every_page_declares_the_feed(site: Site) -> None:
    tree = lxml.html.fromstring(ask(site, "/").body.decode())
    assert only(tree, "//link[@rel='alternate']/@href") == site.feed_path


@pytest.mark.parametrize(
    ("validators", "clock", "status"),
    [
        pytest.param(("ETag",), "15:54", 304, id="same words"),
        pytest.param(("Last-Modified",), "15:54", 304, id="same words by date"),
        pytest.param(("ETag", "Last-Modified"), "16:10", 304, id="both"),
        pytest.param(("ETag",), "14:26", 200, id="other words"),
        pytest.param(("ETag", "Last-Modified"), "17:00", 200, id="same words in other bytes"),
        pytest.param(("Last-Modified",), "17:00", 200, id="same words in other bytes by date"),
    ],
)
def test_page_read_at_1531_is_confirmed_while_its_words_stay(
    validators: tuple[str, ...], clock: str, status: int
) -> None:
    headers = dict(ask(SITES[0], "/local/ferry-subsidy", "15:31").headers)
    sent = {"ETag": "if_none_match", "Last-Modified": "if_modified_since"}
    reply = ask(SITES[0], "/local/ferry-subsidy", clock, **{sent[name]: headers[name] for name in validators})
    assert reply.status == status
    assert bool(reply.body) == (status == 200)


def test_unreadable_date_confirms_nothing() -> None:
    assert ask(SITES[0], "/local/ferry-subsidy", "15:31", if_modified_since="last Tuesday").status == 200


def test_feed_is_confirmed_until_an_entry_or_the_build_changes() -> None:
    tag = dict(ask(SITES[1], "/feed.atom", "15:31").headers)["ETag"]
    assert ask(SITES[1], "/feed.atom", "16:10", if_none_match=tag).status == 304
    assert ask(SITES[1], "/feed.atom", "17:00", if_none_match=tag).status == 200


@pytest.mark.parametrize(
    ("host", "found"),
    [
        pytest.param("courier.example", "courier.example", id="name"),
        pytest.param("HarbourPost.example:80", "harbourpost.example", id="capitals and a port"),
        pytest.param("courier.localhost:8080", "courier.example", id="a browser's name"),
        pytest.param("127.0.0.1:8080", None, id="address"),
        pytest.param("", None, id="none"),
    ],
)
def test_host_names_the_newspaper(host: str, found: str | None) -> None:
    site = site_of(host)
    assert (site.host if site else None) == found


def test_revising_a_passage_that_is_not_there_is_refused() -> None:
    words = Words(headline="A", standfirst="B.", byline="C", section="D", body="One. One.", caption="E", credit="F")
    assert revise(words, replacing={"One. One.": "Two."}).blocks == ("B.", "Two.")
    with pytest.raises(ValueError, match="2 times"):
        revise(words, replacing={"One.": "Two."})
