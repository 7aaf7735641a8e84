"""An invented paper's pages, with everything around the article that changes from read to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tests.builders import at
from wirewatch.model import Capture

ADDRESS = "https://courier.example/local/ferry-subsidy"
HEADLINE = "Harbour council approves ferry subsidy"
PARAGRAPHS = (
    "The harbour council approved a 4.2 million ferry subsidy on Monday, after a debate of four hours in the old hall.",
    "The vote was 9 to 4. The operator, Ellery Ferries, did not immediately comment on the “generous” decision.",
    "The money keeps the winter boats to the islands running, with one crossing a day between November and March.",
    "Ellery Ferries has run the crossing since 1974, and said last year that it could not go on without help.",
    "Two members had asked for a public tender, a motion that fell before lunch by a wide margin on Monday.",
)
READ = ("Winter boats to be cheaper this year", "Library roof repaired after the storm", "Lighthouse opens to visitors")
MENU = "".join(f'<li><a href="/{name}">{name.title()}</a></li>' for name in ("local", "sport", "culture", "weather"))


def page(
    paragraphs: Sequence[str] = PARAGRAPHS,
    *,
    headline: str = HEADLINE,
    modified: str = "2026-03-16T11:24:00Z",
    read: Sequence[str] = READ,
    above: str = "",
    under: str = "",
    printed: str = "Published 16 March 2026 10:21",
    head: str = "",
) -> str:
    """Return a page; `above` stands before its article and `under` behind the text, `read` are its most-read links."""
    text = "\n".join(f"<p>{one}</p>" for one in paragraphs)
    links = "".join(f'<li><a href="/story-{n}">{title}</a></li>' for n, title in enumerate(read))
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{headline} | Ellery Courier</title>
<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "{headline}",
"datePublished": "2026-03-16T10:21:00Z", "dateModified": "{modified}", "author": {{"name": "Marta Quill"}}}}</script>
<link rel="canonical" href="{ADDRESS}"><meta property="og:title" content="{headline}">
<meta property="article:section" content="Local"><meta name="description" content="Money for the winter boats.">{head}
</head><body class="page"><header class="site-header"><nav class="menu"><ul>{MENU}</ul></nav></header>
<div class="latest"><ul class="titles"><li><a href="/x">Museum buys an old tram from the harbour</a></li></ul></div>
<main>{above}<article><h1>{headline}</h1><p class="byline">By Marta Quill</p><p class="stamp">{printed}</p>
<figure><img src="/boat.jpg"><figcaption>The last boat of the day leaves the pier</figcaption></figure>
<div class="story">
{text}
{under}</div></article>
<aside class="most-read"><h2>Most read</h2><ol>{links}</ol></aside>
<div class="social"><span class="share-count">12 shares</span></div>
</main><div class="more"><ul class="links">{links}</ul></div>
<section class="comments"><h3>3 comments</h3><p>I have taken that boat for years.</p></section>
<footer><p>Ellery Courier, 3 Pier Road. All rights reserved, and all wrongs are put right on page two.</p></footer>
</body></html>"""


def capture(html: str | bytes, minutes: float = 0, *, url: str = ADDRESS, observed: datetime | None = None) -> Capture:
    """Return a capture of a page at that many minutes after noon."""
    return Capture(
        url=url,
        observed=observed or at(minutes),
        status=200,
        headers=(("content-type", "text/html; charset=utf-8"),),
        body=html.encode() if isinstance(html, str) else html,
        final_url=url,
    )
