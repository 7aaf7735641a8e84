"""Where an article's text ends, and what its markup takes out of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.extract import read_page
from wirewatch.extract.article import Block, choose_headline
from wirewatch.extract.ends import stands_alone, until_the_end
from wirewatch.extract.furniture import is_ending
from wirewatch.extract.page import Page, parse, scan
from wirewatch.model import Capture, Source, Wording

PARAGRAPHS = [
    f"The harbour council of town {n} approved a large ferry subsidy on Monday, after a long debate in its old hall."
    for n in range(1, 6)
]
TEXT = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
LIFE = "Ina Holm has written about boats for twenty years and lives on the island with two dogs."


def body_of(inside: str, *, head: str = "") -> str | None:
    wording = wording_of(inside, head=head)
    return wording.body if wording else None


def wording_of(inside: str, *, head: str = "") -> Wording | None:
    page = (
        f"<html lang=en><head><title>Ferry</title>{head}</head><body><main><h1>Ferry</h1>{inside}</main></body></html>"
    )
    capture = Capture(
        url="https://courier.example/local/ferry-story",
        observed=datetime(2026, 3, 16, tzinfo=UTC),
        status=200,
        headers=(("content-type", "text/html; charset=utf-8"),),
        body=page.encode(),
    )
    return read_page(capture, Source()).wording


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(f"<div>{TEXT}</div><div><p>{LIFE}</p></div>", id="a box behind the text's element"),
        pytest.param(f"<div>{TEXT}<figure><figcaption>{LIFE}</figcaption></figure></div>", id="a caption"),
        pytest.param(f'<div>{TEXT}<div class="newsletter"><p>{LIFE}</p></div></div>', id="a newsletter's box"),
        pytest.param(f'<div>{TEXT}<p><a href="/x">{LIFE}</a></p></div>', id="a paragraph that is one link"),
        pytest.param(f"<div>{TEXT}<p>Ina Holm contributed to this report.</p></div>", id="thanks"),
        pytest.param(f"<div>{TEXT}<p>Sign up to our letter, every day.</p></div>", id="a call to subscribe"),
        pytest.param(f"<div>{TEXT}<div style='Display : none'><p>{LIFE}</p></div></div>", id="what is not shown"),
        pytest.param(f"<div>{TEXT}<p hidden>{LIFE}</p></div>", id="what is hidden"),
        pytest.param(f"<div>{TEXT}<div>{' '.join(PARAGRAPHS)}</div></div>", id="a copy in one piece"),
    ],
)
def test_what_surrounds_the_text_is_not_in_the_body(page: str) -> None:
    assert body_of(page) == "\n\n".join(PARAGRAPHS)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(f'<div class="related">{TEXT}</div>', id="all text in an element with an odd name"),
        pytest.param("".join(f"<div><p>{text}</p></div>" for text in PARAGRAPHS), id="each paragraph in an element"),
        pytest.param(f'<div style="display:none">{TEXT}</div>', id="all text in an element that a script will show"),
    ],
)
def test_text_is_kept_whatever_its_elements_are_called(page: str) -> None:
    assert body_of(page) == "\n\n".join(PARAGRAPHS)


@pytest.mark.parametrize("name", ["social-post-embed", "related", "share-box"])
def test_a_post_that_is_quoted_in_the_text_is_text(name: str) -> None:
    quote = f'<div class="{name}"><blockquote class="{name}"><p>{LIFE}</p></blockquote></div>'
    first, rest = TEXT[: TEXT.index("</p>") + 4], TEXT[TEXT.index("</p>") + 4 :]
    assert body_of(f"<div>{first}{quote}{rest}</div>") == "\n\n".join([PARAGRAPHS[0], LIFE, *PARAGRAPHS[1:]])


def test_the_first_paragraph_is_no_standfirst_because_the_description_repeats_it() -> None:
    head = f'<meta name="description" content="{PARAGRAPHS[0]}">'
    assert body_of(f"<div>{TEXT}</div>", head=head) == "\n\n".join(PARAGRAPHS)
    lead, rest = TEXT[: TEXT.index("</p>") + 4].replace("<p>", '<p class="intro">'), TEXT[TEXT.index("</p>") + 4 :]
    assert body_of(f"<div>{lead}{rest}</div>", head=head) == "\n\n".join(PARAGRAPHS[1:])


@pytest.mark.parametrize(
    "between",
    [
        '<div class="advert"><a href="/sail">Sail with us</a></div>',
        '<div class="dfp-slot"></div>',
        "<p></p>",
        "<figure></figure>",
    ],
)
def test_what_is_no_text_behind_the_first_paragraph_does_not_make_it_a_standfirst(between: str) -> None:
    head = f'<meta name="description" content="{PARAGRAPHS[0]}">'
    text = TEXT.replace("</p>", f"</p>{between}", 1)
    assert body_of(f"<div>{text}</div>", head=head) == "\n\n".join(PARAGRAPHS)


def test_what_is_called_an_excerpt_far_from_the_headline_is_another_storys() -> None:
    excerpt = '<div class="excerpt">The lighthouse keeps its lamp for another winter.</div>'
    adverts = 40 * '<div class="advert">Sail with us</div>'
    near, far = wording_of(f"{adverts}{excerpt}{TEXT}"), wording_of(f"{TEXT}{7 * '<p>One line more.</p>'}{excerpt}")
    assert near is not None
    assert near.standfirst == "The lighthouse keeps its lamp for another winter."
    assert far is not None
    assert far.standfirst is None


def stated(text: str) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "articleBody": text})}</script>'


def test_text_ends_where_the_stated_text_does() -> None:
    page = f"<div>{TEXT}<p>{LIFE}</p></div>"
    assert body_of(page, head=stated("\n".join(PARAGRAPHS))) == "\n\n".join(PARAGRAPHS)


def test_stated_text_is_taken_where_the_page_shows_only_its_beginning() -> None:
    page = f"<div>{TEXT[: TEXT.index('</p>', len(PARAGRAPHS[0]) + 20) + 4]}</div>"
    assert body_of(page, head=stated("\n".join(PARAGRAPHS))) == "\n\n".join(PARAGRAPHS)


def test_stated_text_of_something_else_changes_nothing() -> None:
    assert body_of(f"<div>{TEXT}</div>", head=stated("Quite another story. " * 60)) == "\n\n".join(PARAGRAPHS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Ina Holm and Jo Vane contributed reporting.", True),
        ("Sign up for our evening letter here.", True),
        ("She contributed four goals to the win.", False),
        ("The subscribers signed up in great numbers.", False),
    ],
)
def test_ending(line: str, expected: bool) -> None:
    assert is_ending(line) is expected


@pytest.mark.parametrize(
    ("printed", "given", "title", "expected"),
    [
        (["Vote on the ferry"], ["Ellery: Vote on the ferry"], "", "Ellery: Vote on the ferry"),
        (["Vote on the ferry"], ["Vote on the ferry | Sport"], "", "Vote on the ferry"),
        (["Vote on the ferry"], ["All our stories"], "", "Vote on the ferry"),
        (["Vote on the ferry"], ["Vote on the ferry-Sport|Courier", "Vote on the ferry"], "", "Vote on the ferry"),
        # The title for search engines yields to a printed headline that a second statement confirms, and to no other.
        (["Vote on boat"], ["Ferry: the vote", "Vote on boat"], "Ferry: the vote - Courier", "Vote on boat"),
        (["Vote on boat"], ["The boat vote", "Vote on boat"], "Vote on boat", "The boat vote"),
        (["Vote on boat"], ["The boat vote"], "The boat vote", "The boat vote"),
        ([], [], "Vote on the ferry - Courier", "Vote on the ferry"),
    ],
)
def test_headline_is_the_stated_one_if_it_is_of_this_article(
    printed: list[str], given: list[str], title: str, expected: str
) -> None:
    assert choose_headline(printed, given, title, "Courier") == expected


def like_elements(name: str) -> str:
    halves = (PARAGRAPHS[:2], PARAGRAPHS[2:])
    return "".join(
        f'<div class="{name}"><div class="body article__body">{"".join(f"<p>{text}</p>" for text in half)}</div></div>'
        for half in halves
    )


def test_an_article_divided_among_like_elements_is_read_whole() -> None:
    assert body_of(like_elements("part")) == "\n\n".join(PARAGRAPHS)


def story(tag: str, heading: str, texts: list[str]) -> str:
    inside = "".join(f"<p>{text}</p>" for text in texts)
    return f'<{tag} class="story full">{heading}{inside}</{tag}>'


OTHER = [
    f"Bakers of street {n} have sold their last loaf and shut the shop, which had stood there for ninety years."
    for n in range(1, 5)
]


@pytest.mark.parametrize("tag", ["article", "div"])
@pytest.mark.parametrize("heading", ["<h1>Bread</h1>", "<p>Food</p><h2>Bread</h2>"])
def test_the_next_story_on_the_page_is_another(tag: str, heading: str) -> None:
    found = blocks_of(story(tag, "<h2>The vote</h2>", PARAGRAPHS) + story(tag, heading, OTHER))
    assert found == PARAGRAPHS


def test_an_article_element_without_a_headline_is_another_story_too() -> None:
    assert blocks_of(story("article", "", PARAGRAPHS) + story("article", "", OTHER)) == PARAGRAPHS


def test_a_like_element_belongs_to_the_article_if_the_stated_text_has_it() -> None:
    page = story("div", "", PARAGRAPHS[:3]) + story("div", "<h2>Later</h2>", PARAGRAPHS[3:]) + story("div", "", OTHER)
    found = until_the_end([Block(text) for text in PARAGRAPHS[:3]], scanned(page), " ".join(PARAGRAPHS))
    assert [block.text for block in found] == [*PARAGRAPHS[:3], "Later", *PARAGRAPHS[3:]]


def test_elements_that_may_join_the_article_are_known_before_they_do() -> None:
    blocks = [Block(text) for text in PARAGRAPHS]
    alone = scanned(story("div", "", PARAGRAPHS) + "<div>Weather</div>")
    short = scanned(story("div", "", PARAGRAPHS) + story("div", "", ["Weather"]))
    long = scanned(story("div", "", PARAGRAPHS) + story("div", "<h2>Bread</h2>", OTHER))
    assert stands_alone(blocks, alone, 10**6)
    assert stands_alone(blocks, short, 100)
    assert not stands_alone(blocks, short, 1000)
    assert not stands_alone(blocks, long, 0)


def blocks_of(page: str) -> list[str]:
    """Return what is taken for the text where the extractor found the first story."""
    blocks = [Block(text) for text in PARAGRAPHS]
    return [block.text for block in until_the_end(blocks, scanned(page), None)]


def scanned(inside: str) -> Page:
    page = parse(f"<html><body><main>{inside}</main></body></html>")
    scan(page)
    return page


def test_an_element_is_no_furniture_if_most_of_the_text_is_in_it() -> None:
    inside = f'<div class="subscription-area">{TEXT}<div class="author-bio"><p>{LIFE}</p></div></div>'
    assert body_of(inside) == "\n\n".join(PARAGRAPHS)


def test_elements_of_one_name_are_judged_together() -> None:
    inside = "".join(f'<div class="topic-block"><p>{text}</p></div>' for text in PARAGRAPHS)
    assert body_of(f"<div><p>{LIFE}</p></div>{inside}") == "\n\n".join([LIFE, *PARAGRAPHS])


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('FROM THE PIER | <a href="/lamp">The lighthouse has a new lamp after sixty years</a>', False),
        ('She had told <a href="/lamp">the whole story of the lamp in her last book</a>.', True),
        ('She said: 「<a href="/lamp">the whole story of the lamp is in my last book。</a>」', True),
        ('ชาวเกาะเล่าว่า <a href="/lamp">lamp ของประภาคารได้รับการเปลี่ยนใหม่หลังจากหกสิบปี</a>', True),
        (f'<a href="/picture">{" " * 200}<img src="x.jpg">{" " * 200}</a>The lamp will be lit again on Monday', True),
    ],
)
def test_a_line_that_is_half_link_and_no_sentence_leads_elsewhere(line: str, kept: bool) -> None:
    body = body_of(f"{TEXT}<p>{line}</p><p>{LIFE}</p>") or ""
    assert ("lamp" in body) == kept
    assert body.startswith(PARAGRAPHS[0])
    assert body.endswith(LIFE)


@given(st.lists(st.sampled_from([*PARAGRAPHS, LIFE]), max_size=8), st.none() | st.sampled_from([LIFE, *PARAGRAPHS]))
def test_ends_only_ever_take_from_the_end_or_take_the_stated_text(texts: list[str], body: str | None) -> None:
    blocks = [Block(text) for text in texts]
    page = parse(f"<html><body><div>{TEXT}</div><div><p>{LIFE}</p></div></body></html>")
    scan(page)
    found = until_the_end(blocks, page, body)
    assert found == blocks[: len(found)] or found == [Block(body or "")]
