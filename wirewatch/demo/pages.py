"""The newspapers' pages, as HTML of the shape and size that real ones have.

The words of a story come from its edition and from nowhere else; whatever else is on the page is `Noise` and differs
on every answer.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from datetime import datetime
from importlib.resources import files
from string import Template
from typing import Any, Final

from wirewatch.demo.noise import Noise
from wirewatch.demo.stories import Edition, Site, Story, at

_HERE: Final = files("wirewatch.demo")
_PAGE: Final = Template(_HERE.joinpath("page.html").read_text("utf-8"))
_STORY: Final = {
    "rss": Template(_HERE.joinpath("courier_story.html").read_text("utf-8")),
    "atom": Template(_HERE.joinpath("post_story.html").read_text("utf-8")),
}
_CSS: Final = _HERE.joinpath("newspaper.css").read_text("utf-8")
_THEME: Final = {"rss": "courier", "atom": "post"}
_FEED_TYPE: Final = {"rss": "application/rss+xml", "atom": "application/atom+xml"}
_SKIES: Final = ("bright spells", "light cloud", "haze")
_DESKS: Final = ("Latest", "In depth", "In pictures", "Letters", "Archive", "Obituaries", "Notices", "Planning")
REBUILT: Final = at("16:45")
"""When both papers put out a new build of their site: no validator from before is good any more."""


def build(now: datetime) -> str:
    """Return the name of the build that makes the pages at `now`."""
    return "2026.12.2" if now >= REBUILT else "2026.12.1"


def story_page(site: Site, story: Story, edition: Edition, now: datetime, noise: Noise) -> str:
    """Return a story's page."""
    words = edition.words
    address = site.address + edition.path
    image = f"/images/{story.picture}.svg"
    head = [
        _tag("link", rel="canonical", href=story.canonical or address),
        _tag("meta", property="og:type", content="article"),
        _tag("meta", property="og:url", content=address),
        _tag("meta", property="og:image", content=site.address + image),
    ]
    if story.json_ld:
        head.append(_tag("meta", property="article:published_time", content=edition.published.isoformat()))
        if edition.modified is not None:
            head.append(_tag("meta", property="article:modified_time", content=edition.modified.isoformat()))
        linked = _news_article(site, story, edition)
        head.append(f'<script type="application/ld+json">{_json(linked)}</script>')
    content = _STORY[site.feed_kind].substitute(
        number=story.guid.rpartition("-" if site.feed_kind == "rss" else "/")[2],
        section=_text(words.section),
        section_path=_section_path(words.section),
        headline=_text(words.headline),
        standfirst=_text(words.standfirst),
        byline=_text(words.byline),
        stamps=_stamps(site, edition),
        image=image,
        caption=_text(words.caption),
        credit=_text(words.credit),
        body=_body(words.blocks, noise),
        correction=f'<p class="correction">{_text(words.correction)}</p>' if words.correction else "",
        tags="\n".join(f'<li><a href="/topics/{_slug(tag)}">{_text(tag)}</a></li>' for tag in story.tags),
        subscribers=f"{noise.number('subscribers', 8_100, 8_900):,}",
        comments=noise.number("comments", 3, 48),
        csrf=noise.token("csrf"),
        related=_cards(pair for pair in noise.order("related", site.printed(now))[:4] if pair[0] is not story),
    )
    return _shell(
        site,
        now,
        noise,
        title=f"{words.headline} | {site.name}",
        og_title=words.headline,
        description=words.standfirst,
        head="\n".join(head),
        content=content,
    )


def listing_page(site: Site, section: str | None, now: datetime, noise: Noise) -> str:
    """Return the front page (where `section` is None) or a section's page."""
    pairs = [pair for pair in site.printed(now) if section in (None, pair[1].words.section)]
    title = f"{section} news | {site.name}" if section else f"{site.name} | {site.motto}"
    return _shell(
        site,
        now,
        noise,
        title=title,
        og_title=title,
        description=site.motto,
        head=_tag("link", rel="canonical", href=site.address + (_section_path(section) if section else "/")),
        content=f'<h1>{_text(section or "Today in the news")}</h1>\n<div class="cards">\n{_cards(pairs)}\n</div>',
    )


def notice_page(site: Site, heading: str, sentence: str, now: datetime, noise: Noise) -> str:
    """Return a page that only says why there is no story: for 404 and 410."""
    return _shell(
        site,
        now,
        noise,
        title=f"{heading} | {site.name}",
        og_title=heading,
        description=sentence,
        head=_tag("meta", name="robots", content="noindex"),
        content=f"<h1>{_text(heading)}</h1>\n<p>{_text(sentence)}</p>",
    )


def picture(name: str) -> str:
    """Return an SVG of sky, sea and a sail, other colours for each name."""
    noise = Noise(0)
    sky, sea = noise.number(f"{name}/sky", 180, 230), noise.number(f"{name}/sea", 170, 215)
    x, horizon = noise.number(f"{name}/x", 250, 950), noise.number(f"{name}/horizon", 330, 430)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 675">'
        f'<rect width="1200" height="675" fill="hsl({sky} 35% 82%)"/>'
        f'<circle cx="{1200 - x}" cy="{horizon - 120}" r="60" fill="hsl(45 80% 90%)"/>'
        f'<rect y="{horizon}" width="1200" height="{675 - horizon}" fill="hsl({sea} 32% 42%)"/>'
        f'<path d="M{x} {horizon - 150}v190h-110z" fill="#fffdf8"/>'
        f'<path d="M{x + 8} {horizon - 110}v150h70z" fill="#e8dfcf"/>'
        f'<path d="M{x - 120} {horizon + 50}h220l-40 46h-140z" fill="#5b2c22"/></svg>'
    )


def section_of(site: Site, path: str) -> str | None:
    """Return the section whose page lies at `path`, or None."""
    return next((section for section in site.sections if _section_path(section) == path), None)


def _shell(site: Site, now: datetime, noise: Noise, *, content: str, **fields: str) -> str:
    escaped = {name: text if name == "head" else _text(text) for name, text in fields.items()}
    printed = site.printed(now)
    return _PAGE.substitute(
        escaped,
        content=content,
        theme=_THEME[site.feed_kind],
        site_name=_text(site.name),
        motto=_text(site.motto),
        feed_path=site.feed_path,
        feed_type=_FEED_TYPE[site.feed_kind],
        css=_CSS,
        build=build(now),
        csrf=noise.token("csrf"),
        nonce=noise.token("nonce"),
        request=noise.token("request"),
        page_data=_json({"site": site.host, "build": build(now), "request": noise.token("request")}),
        consent_data=_json(noise.consent()),
        ad_data=_json(noise.slots()),
        slot_top=noise.slot(0),
        slot_side=noise.slot(1),
        partners=noise.number("partners", 120, 190),
        weather=f"{noise.number('degrees', 7, 10)}°C, {noise.order('sky', _SKIES)[0]}",
        tide=f"17:{noise.number('tide', 10, 49)}",
        wind=noise.number("wind", 2, 5),
        readers=noise.number("readers", 90, 2_400),
        section_links="\n".join(
            f'<li><a href="{_section_path(section)}">{_text(section)}</a></li>' for section in site.sections
        ),
        mega_menu="\n".join(_menu(section) for section in site.sections),
        ticker="".join(_latest(edition) for _, edition in noise.order("ticker", printed)[:1]),
        most_read="\n".join(_counted(edition, noise) for _, edition in noise.order("most-read", printed)),
    )


def _menu(section: str) -> str:
    desks = "".join(f'<li><a href="{_section_path(section)}{_slug(desk)}">{desk}</a></li>' for desk in _DESKS)
    return f'<div class="menu-column"><b>{_text(section)}</b><ul>{desks}</ul></div>'


def _latest(edition: Edition) -> str:
    return f'Latest: <a href="{edition.path}">{_text(edition.words.headline)}</a>'


def _counted(edition: Edition, noise: Noise) -> str:
    views = f"{noise.number(edition.path, 240, 9_800):,}"
    headline = _text(edition.words.headline)
    return f'<li><a href="{edition.path}">{headline}</a> <span class="views">{views} views</span></li>'


def _cards(pairs: Iterable[tuple[Story, Edition]]) -> str:
    return "\n".join(
        f'<div class="card"><a href="{edition.path}"><img src="/images/{story.picture}.svg" alt="" loading="lazy"></a>'
        f'<h3><a href="{edition.path}">{_text(edition.words.headline)}</a></h3>'
        f"<p>{_text(edition.words.standfirst)}</p>"
        f'<time datetime="{edition.published:%Y-%m-%dT%H:%MZ}">{edition.published:%H:%M}</time></div>'
        for story, edition in pairs
    )


def _body(blocks: tuple[str, ...], noise: Noise) -> str:
    lines = [
        f"<h2>{_text(block[3:])}</h2>" if block.startswith("## ") else f"<p>{_text(block)}</p>" for block in blocks
    ]
    slot = noise.slot(2)
    lines.insert(3, f'<div class="advert" id="{slot}" data-slot="{slot}"><span>Advertisement</span></div>')
    return "\n".join(lines)


def _stamps(site: Site, edition: Edition) -> str:
    stamps = [("Published", edition.published)]
    if edition.modified is not None:
        stamps.append(("Updated", edition.modified))
    if site.feed_kind == "rss":
        return " ".join(f"<span>{word}: {_printed(stamp)}</span>" for word, stamp in stamps)
    return " ".join(
        f'<span>{word}: <time datetime="{stamp:%Y-%m-%dT%H:%M:%SZ}">{stamp.day} {stamp:%B %Y, %H:%M}</time></span>'
        for word, stamp in stamps
    )


def _printed(stamp: datetime) -> str:
    """Return `MARCH 16, 2026 14:21`: local time without a zone, which in London in March is UTC."""
    return f"{stamp:%B}".upper() + f" {stamp.day}, {stamp:%Y %H:%M}"


def _news_article(site: Site, story: Story, edition: Edition) -> dict[str, Any]:
    words = edition.words
    article = {
        "@type": "NewsArticle",
        "mainEntityOfPage": {"@type": "WebPage", "@id": site.address + edition.path},
        "headline": words.headline,
        "description": words.standfirst,
        "datePublished": edition.published.isoformat(),
        "dateModified": (edition.modified or edition.published).isoformat(),
        "author": [{"@type": "Person", "name": words.byline.removeprefix("By ").partition(",")[0]}],
        "articleSection": words.section,
        "inLanguage": "en-GB",
        "isAccessibleForFree": True,
        "image": [f"{site.address}/images/{story.picture}.svg"],
        "publisher": {"@type": "NewsMediaOrganization", "name": site.name, "url": site.address + "/"},
    }
    if site.feed_kind == "rss":
        return {"@context": "https://schema.org", **article}
    crumbs = [
        {"@type": "ListItem", "position": 1, "name": "Front page", "item": site.address + "/"},
        {
            "@type": "ListItem",
            "position": 2,
            "name": words.section,
            "item": site.address + _section_path(words.section),
        },
    ]
    return {
        "@context": "https://schema.org",
        "@graph": [{"@type": "BreadcrumbList", "itemListElement": crumbs}, article],
    }


def _section_path(section: str) -> str:
    return f"/{_slug(section)}/"


def _slug(text: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _tag(element: str, /, **attributes: str) -> str:
    return f"<{element} " + " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items()) + ">"


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _json(value: Any) -> str:
    """Return JSON that may stand inside a script element."""
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")
