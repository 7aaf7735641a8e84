"""Every page can be drawn from its model, and whatever a publisher writes stays text."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from jinja2 import UndefinedError
from lxml import html

from tests.wirewatch.viewer.invented import HOSTILE, START, VISIT, change, ferry_rows, pages, story
from wirewatch.model import Wording
from wirewatch.redline import visible
from wirewatch.viewer.models import Failure
from wirewatch.viewer.rendering import ago, render, stamps_of, stretch, time, why, window

PAGES = pages()


def drawn(name: str, query: str = "") -> html.HtmlElement:
    """Return a page as a browser would take it in."""
    template, page = PAGES[name]
    return html.document_fromstring(render(template, page, VISIT.model_copy(update={"query": query})))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_a_title_one_heading_and_ids_of_its_own(name: str) -> None:
    page = drawn(name)
    assert page.findtext(".//title").endswith("Wirewatch")
    assert len(page.xpath("//h1")) == 1
    doubled = [one for one, count in Counter(page.xpath("//@id")).items() if count > 1]
    # One feed or letter may be invented twice on a page; what is made by the templates may not.
    assert [one for one in doubled if not one.startswith("change-")] == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_that_a_publisher_writes_runs_or_leads_anywhere_else(name: str) -> None:
    page = drawn(name)
    assert [script.get("src") for script in page.xpath("//script")] == ["/static/viewer.js"]
    assert page.xpath("//@style | //style") == []
    assert [attribute for attribute in page.xpath("//@*") if attribute.attrname.startswith("on")] == []
    assert all(href.startswith(("/", "#", "http://courier.example")) for href in page.xpath("//a/@href"))
    assert all(address.startswith("/static/") for address in page.xpath("//link[@rel='stylesheet']/@href | //@src"))


@pytest.mark.parametrize("name", [name for name in PAGES if "redline" in name])
@pytest.mark.parametrize("query", ["", "view=side"], ids=["inline", "side by side"])
def test_every_anchor_of_a_redline_leads_somewhere(name: str, query: str) -> None:
    page = drawn(name, query)
    targets = set(page.xpath("//@id"))
    assert {href[1:] for href in page.xpath("//a/@href") if href.startswith("#")} <= targets


def test_hostile_text_is_shown_as_it_is() -> None:
    assert visible(HOSTILE) in drawn("redline-hostile").findtext(".//h1")


def test_what_a_page_lacks_is_an_error_and_no_empty_place() -> None:
    with pytest.raises(UndefinedError):
        render("changes.html", Failure(status=404, title="T", detail="D"), VISIT)


def test_publisher_text_says_its_language_and_finds_its_direction() -> None:
    heading = drawn("redline-arabic").find(".//h1")
    assert (heading.get("lang"), heading.get("dir")) == ("ar", "auto")


def test_a_link_unfolds_in_a_chat() -> None:
    said = {one.get("property"): one.get("content") for one in drawn("redline-ferry").xpath("//meta[@property]")}
    assert said["og:title"] == "Harbour council approves ferry subsidy after recount"
    assert said["og:description"].startswith('Ellery Courier added "after recount" to the headline')
    assert said["og:description"].endswith("Disclosed.")


def test_the_publishers_own_words_for_its_times_are_shown() -> None:
    text = drawn("article").text_content()
    assert "PUBLISHED: JUNE 4, 2023 14:21" in text
    assert "UPDATED: JUNE 4, 2023 15:24" in text


def test_each_moment_a_publisher_states_is_told_once() -> None:
    assert [f"{at:%H:%M}" for _, at in stamps_of(story())] == ["14:21", "15:24"]


def test_reasons_are_told_by_kind_with_the_words_that_became_others() -> None:
    old, new = ferry_rows()
    one = change(old, new, (Wording(body="9 b 4"), Wording(body="8 b 5")))
    told = html.fragment_fromstring(why(one.verdict)).text_content()
    assert told == "Why major: wordingWords were exchanged for others. “9” became “8”; “4” became “5”"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (time(START), "4 June 2023, 14:21 UTC"),
        (window(START, START + timedelta(minutes=70)), "between 14:21 and 15:31 UTC on 4 June 2023"),
        (
            window(START, START + timedelta(days=1)),
            "between 4 June 2023, 14:21 UTC and 5 June 2023, 14:21 UTC",
        ),
        (stretch(START, START), "once, 4 June 2023, 14:21 UTC"),
        (ago(START, START + timedelta(minutes=7)), "7 minutes ago"),
        (ago(START, START - timedelta(hours=3)), "in 3 hours"),
        (ago(START, START), "just now"),
    ],
    ids=["time", "one day", "two days", "once", "past", "future", "now"],
)
def test_times_are_told_in_words_and_kept_for_programs(shown: str, text: str) -> None:
    element = html.fragment_fromstring(shown, create_parent="p")
    assert element.text_content() == text
    assert all(one.get("datetime").endswith("Z") and "UTC" in one.get("title") for one in element.iter("time"))
