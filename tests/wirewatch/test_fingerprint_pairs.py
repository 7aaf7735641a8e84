"""Pages of which extraction reads something else though little changed: the short cut passes over none of them."""

from __future__ import annotations

import json

import pytest

from tests.wirewatch.newspaper import HEADLINE, PARAGRAPHS, READ, capture
from wirewatch.model import Seen, Source
from wirewatch.reading import read_article

P = PARAGRAPHS
TEXT = "".join(f"<p>{one}</p>" for one in P)
TITLE = f"<h1>{HEADLINE}</h1>"
DESCRIBED = f'<meta name="description" content="{P[0]}">'
STATED = json.dumps(
    {
        "@type": "NewsArticle",
        "articleBody": "\n".join([*P, "A closing line that is stated.", *(one.lower() for one in P)]),
    }
)
LONG_LINKS = [
    f'<li><a href="/{n}">Story {n} of the boats, told at a length that {"no menu has " * 6}</a></li>' for n in range(30)
]


def bare(body: str, head: str = "", title: str = HEADLINE) -> str:
    stamp = '<meta property="article:published_time" content="2026-03-16T10:21:00Z">'
    return (
        f'<html lang="en"><head><title>{title} | Ellery Courier</title>{stamp}{head}</head><body>{body}</body></html>'
    )


def story(text: str = TEXT, *, before: str = "", behind: str = "", head: str = "", title: str = TITLE) -> str:
    return bare(f'<main><article>{title}{before}<div class="story">{text}</div></article></main>{behind}', head)


def _sections(*ids: str) -> str:
    texts = (*P, "The council meets again in May to decide on the summer.")
    parts = (
        f'<section class="topic" id="{one}"><p>{text}</p></section>' for one, text in zip(ids, texts, strict=False)
    )
    return bare(f"<main><article>{TITLE}{''.join(parts)}</article></main>")


def _numbered(*numbers: int) -> str:
    return story("".join(f'<p class="p-{n}">{one}</p>' for n, one in zip(numbers, P, strict=True)), head=DESCRIBED)


def _nested(links: int) -> str:
    outside = "<p>A paragraph outside of it all that is long enough to be one wherever it may stand on a page.</p>"
    widget = f'<div class="widget"><div class="widget">{TEXT}</div></div>'
    return bare(f'<main>{TITLE}{widget}</main>{outside}<ul class="links">{"".join(LONG_LINKS[:links])}</ul>')


def _cut_lines(author: str) -> str:
    lines = "".join(f"<p>Short {n}</p>" for n in "abcdefghij")
    box = f'<div class="author-box">By {author}</div>'
    return bare(f'<main>{TITLE}<div class="widget-2">{lines}</div>{box}<div class="widget-1">{TEXT}</div></main>')


def _under_line(author: str) -> str:
    head = f'<meta property="og:title" content="{HEADLINE}">'
    box = f'<div class="author-box">By {author}</div>'
    return story(before=box, title=f'<div class="top">{HEADLINE}<br>Local</div>', head=head)


def _ended(between: str) -> str:
    return story(f"{TEXT}<div>Thanks for reading to the end{between}Correction: An earlier version was wrong.</div>")


def _captioned(number: int) -> str:
    caption = f'<figcaption class="preview-caption"><span>{number}</span> people stood on the pier</figcaption>'
    return story(before=f"<figure><img src=a>{caption}</figure>")


def _listed(number: int) -> str:
    return story(f'{TEXT}<ul><li class="like"><b>{number}</b> boats in winter<br>and <b>12</b> in summer</li></ul>')


def _links(*titles: str) -> str:
    links = "".join(f'<li><a href="/{n}">{title}</a></li>' for n, title in enumerate(titles))
    return f'<ul class="links">{links}</ul>'


def _strip(cards: str) -> str:
    text = f'<p>Money for the boats.</p><article class="main">{TEXT}</article><p>More in the evening.</p>'
    return bare(f"<main>{cards}{TITLE}{text}</main>")


def _linked(author: str) -> str:
    lines = "".join(f"<p>{one} {n}</p>" for n, one in enumerate((*P, *P)[:8]))
    box = f'<div class="author-box">By {author}</div>'
    head = f'<meta property="og:title" content="{HEADLINE}">'
    return story(f"{lines}{box}<p>{P[3]} End</p>", title=f'<h2><a href="/me">{HEADLINE}</a></h2>', head=head)


def _described(between: str) -> str:
    said = P[0][:60]
    top = f'<div class="top"><p>{said}</p>{between}<p>Two boats sail, one is laid up.</p></div>'
    head = f'<meta name="description" content="{said}">'
    return story(before=top, behind=f"<div>{FEW_LINKS}</div>", head=head)


def _starred(shared: str) -> str:
    text = f'<div class="story">{TEXT}<div class="share">{shared}</div></div><p>The council meets again in May.</p>'
    return bare(f"<main><article>{TITLE}{text}<p>* * *</p></article></main>")


def _voted(number: int) -> str:
    line = f'<p class="subtitle discount"><b>{number}</b> votes against the ferry</p>'
    return bare(f'<main><header>{TITLE}{line}</header><article><div class="article-body">{TEXT}</div></article></main>')


FEW_LINKS = _links("Late boats", "Early trams")
AD = '<div class="ad">Buy boats</div>'
SPANS = "".join(f"<span>{word}</span> " for word in f"{HEADLINE} for two more years now".split())
_MARIA, _JONAS = "Maria Quill", "Jonas Reed"
PAIRS: dict[str, tuple[str, str]] = {
    "an empty element behind a described paragraph": (
        story(head=DESCRIBED),
        story(TEXT.replace("</p>", '</p><div class="dfp-slot"></div>', 1), head=DESCRIBED),
    ),
    "a part of another id": (
        _sections("money", "vote", "boats", "history", "tender"),
        _sections("money", "vote", "boats", "history", "tender", "next"),
    ),
    "numbers in names": (_numbered(1, 2, 3, 4, 5), _numbered(7, 7, 7, 7, 7)),
    "a box that divides a line": (_ended(' <div class="ad">Buy boats</div> '), _ended(" ")),
    "an empty element that divides a line": (_ended(' <div class="slot"></div> '), _ended(" ")),
    "a box that divides a byline": (
        story(before='<div>By Marta Quill <div class="share">Share</div> Harbour correspondent of the paper.</div>'),
        story(before="<div>By Marta Quill  Harbour correspondent of the paper.</div>"),
    ),
    "a number in a caption": (_captioned(40), _captioned(60)),
    "a number before a line break": (_listed(40), _listed(60)),
    "a number in the standfirst": (_voted(5), _voted(4)),
    "a number in the section": (
        bare(f'<main><div class="kicker country"><b>75004 Paris</b></div>{TITLE}{TEXT}</main>'),
        bare(f'<main><div class="kicker country"><b>75011 Paris</b></div>{TITLE}{TEXT}</main>'),
    ),
    "a byline in a box under a line of the headline": (_under_line(_MARIA), _under_line(_JONAS)),
    "a byline in a box under a headline of many words": (
        bare(f'<main><h1>{SPANS}</h1><div class="author-box">By {_MARIA}</div>{TEXT}</main>', title="Local"),
        bare(f'<main><h1>{SPANS}</h1><div class="author-box">By {_JONAS}</div>{TEXT}</main>', title="Local"),
    ),
    "a byline in a box behind lines that are cut": (_cut_lines(_MARIA), _cut_lines(_JONAS)),
    "a line of the stated text in a box": (
        story(head=f'<script type="application/ld+json">{STATED}</script>'),
        story(
            head=f'<script type="application/ld+json">{STATED}</script>',
            behind='<aside class="promo"><p>A closing line that is stated.</p></aside>',
        ),
    ),
    "a box in the headline": (
        bare(f'<main><h1>{HEADLINE}<div class="share">12 shares</div></h1>{TEXT}</main>', title="Local"),
        bare(f'<main><h1>{HEADLINE}<div class="share">13 shares</div></h1>{TEXT}</main>', title="Local"),
    ),
    "misnamed elements in each other": (_nested(14), _nested(22)),
    "longer links in a list above the text": (
        story(before=_links(*READ[:2])),
        story(before=_links(*READ)),
    ),
    "a list of cards that may be taken for the article": (
        _strip('<div class="strip"><article class="card"><h3><a href="/a">Old tram</a></h3></article></div>'),
        _strip(""),
    ),
    "an element with a space behind a paragraph that is half a link": (
        story(f'{TEXT}<p>See <a href="/c">the full text of the ferry contract here</a>.</p>'),
        story(f'{TEXT}<p>See <a href="/c">the full text of the ferry contract here</a>.</p><div class="slot"> </div>'),
    ),
    "a space between two boxes in a line": (
        story(f"{TEXT}<div>The council meets in May.{AD}{AD}The summer is open.</div>"),
        story(f"{TEXT}<div>The council meets in May.{AD} {AD}The summer is open.</div>"),
    ),
    "a second line in a link": (
        story(before='<div><a href="/desk">Ferry desk<br>By Maria Quill</a></div>'),
        story(before='<div><a href="/desk">Ferry desk<br>By Jonas Reed</a></div>'),
    ),
    "a list behind a described line": (_described(""), _described(FEW_LINKS)),
    "a banner on a page without a headline": (
        bare(f"<main><div><p>{P[0]}</p></div><div>{TEXT}</div></main>", DESCRIBED),
        bare(
            f'<div class="cookie-banner">We like cookies</div><main><div><p>{P[0]}</p></div><div>{TEXT}</div></main>',
            DESCRIBED,
        ),
    ),
    "a byline in a box some lines under a linked headline": (_linked(_MARIA), _linked(_JONAS)),
    "a style that hides": (
        story(),
        story(TEXT.replace(f"<p>{P[4]}", f'<p style="overflow:hidden">{P[4]}')),
    ),
    "a line without letters in a box": (_starred("|"), _starred("x")),
    "an attribute by which text is replaced": (
        story(),
        story(TEXT.replace(f"<p>{P[4]}", f'<p data-lp-replacement-content="x">{P[4]}')),
    ),
    "control characters": (story(), story(TEXT.replace("</p><p>", "&#5;&#3;p &#4;", 1))),
}
# What is put in there belongs to no article, and extraction reads both pages alike.
ALIKE = {
    "an empty element behind a described paragraph",
    "a list behind a described line",
    "a banner on a page without a headline",
}


@pytest.mark.parametrize(("first", "second"), PAIRS.values(), ids=PAIRS)
def test_no_change_is_passed_over_where_little_decides(first: str, second: str) -> None:
    for one, other in ((first, second), (second, first)):
        read = read_article(capture(one), Source())
        assert read_article(capture(other, 30), Source(), read.fingerprint, audit=True).short_cut != "wrong"


@pytest.mark.parametrize("name", PAIRS)
def test_pages_are_read_otherwise_but_where_nothing_of_the_article_changed(name: str) -> None:
    one, other = (read_article(capture(html), Source()) for html in PAIRS[name])
    assert Seen.WORDING in (one.seen, other.seen)
    assert ((one.text_hash, one.claims) == (other.text_hash, other.claims)) == (name in ALIKE)
