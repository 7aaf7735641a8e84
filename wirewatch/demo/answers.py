"""What the newsroom answers to a request: a plain function of the request, the demo's time and the request's number.

A 304 is given only while the words, the stamps and the site's build are the same; pages of stories without
validators are sent anew every time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from wirewatch.demo.courier import COURIER
from wirewatch.demo.feeds import feed
from wirewatch.demo.harbour_post import HARBOUR_POST
from wirewatch.demo.noise import Noise
from wirewatch.demo.pages import REBUILT, build, listing_page, notice_page, picture, section_of, story_page
from wirewatch.demo.stories import Edition, Site, Story

SITES: Final = (COURIER, HARBOUR_POST)

_HTML: Final = "text/html; charset=utf-8"
_ROBOTS: Final = """\
User-agent: *
Disallow: /admin/
Disallow: /comments/
Allow: /
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a site is asked: a path without its query, and the validators sent along."""

    path: str
    if_none_match: str | None = None
    if_modified_since: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a site answers."""

    status: HTTPStatus = HTTPStatus.OK
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def site_of(host: str) -> Site | None:
    """Return the site behind a Host header: `courier.example`, or `courier.localhost` for a browser without set-up."""
    name = host.partition(":")[0].lower()
    return next((site for site in SITES if name in (site.host, browser_host(site))), None)


def browser_host(site: Site) -> str:
    """Return the name under which a browser on this machine reaches the site: `.localhost` is always loopback."""
    return site.host.removesuffix(".example") + ".localhost"


def answer(site: Site, request: Request, now: datetime, noise: Noise) -> Answer:
    """Return the site's answer to a GET."""
    path = request.path
    for story in site.stories:
        if path in story.paths(now):
            return _story(site, story, request, now, noise)
    if path == site.feed_path:
        return _feed(site, request, now)
    if path == "/" or section_of(site, path):
        return _page(listing_page(site, section_of(site, path), now, noise))
    if path == "/robots.txt":
        return _text(_ROBOTS, "text/plain; charset=utf-8")
    if path.startswith("/images/") and path.endswith(".svg"):
        return _text(picture(path), "image/svg+xml", ("Cache-Control", "max-age=86400"))
    if path.startswith("/admin/"):
        return _page(
            notice_page(site, "Editors only", "This is where the paper is made.", now, noise), HTTPStatus.FORBIDDEN
        )
    notice = notice_page(site, "Page not found", "There is nothing at this address, and never was.", now, noise)
    return _page(notice, HTTPStatus.NOT_FOUND)


def _story(site: Site, story: Story, request: Request, now: datetime, noise: Noise) -> Answer:
    edition = story.edition(now)
    if edition is None:
        sentence = "The article that stood here has been removed by the editors."
        return _page(notice_page(site, "This article is gone", sentence, now, noise), HTTPStatus.GONE)
    if request.path != edition.path:
        return Answer(status=HTTPStatus.MOVED_PERMANENTLY, headers=(("Location", edition.path),))
    validators = _validators(story, edition, now)
    if _confirmed(request, validators):
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=tuple(validators.items()))
    return _page(story_page(site, story, edition, now, noise), HTTPStatus.OK, *validators.items())


def _feed(site: Site, request: Request, now: datetime) -> Answer:
    body = feed(site, now)
    validators = {"ETag": f'"{_digest(body)}"'}
    if _confirmed(request, validators):
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=tuple(validators.items()))
    kind = "application/rss+xml" if site.feed_kind == "rss" else "application/atom+xml"
    return _text(body, f"{kind}; charset=utf-8", *validators.items())


def _validators(story: Story, edition: Edition, now: datetime) -> dict[str, str]:
    headers = {}
    if "etag" in story.validators:
        headers["ETag"] = f'W/"{_digest(repr(edition) + build(now))}"'
    if "last-modified" in story.validators:
        since = max(story.changed(now), REBUILT) if now >= REBUILT else story.changed(now)
        headers["Last-Modified"] = format_datetime(since, usegmt=True)
    return headers


def _confirmed(request: Request, validators: dict[str, str]) -> bool:
    """Say whether a 304 may be given; If-None-Match goes before If-Modified-Since (RFC 9110, 13.2.2)."""
    if request.if_none_match is not None and "ETag" in validators:
        current = validators["ETag"].removeprefix("W/")
        return current in [tag.strip().removeprefix("W/") for tag in request.if_none_match.split(",")]
    if request.if_modified_since is not None and "Last-Modified" in validators:
        try:
            since = parsedate_to_datetime(request.if_modified_since)
        except ValueError:
            return False
        return parsedate_to_datetime(validators["Last-Modified"]) <= since
    return False


def _page(page: str, status: HTTPStatus = HTTPStatus.OK, *headers: tuple[str, str]) -> Answer:
    return Answer(
        status=status,
        headers=(("Content-Type", _HTML), ("Cache-Control", "private, max-age=0"), *headers),
        body=page.encode(),
    )


def _text(text: str, content_type: str, *headers: tuple[str, str]) -> Answer:
    return Answer(headers=(("Content-Type", content_type), *headers), body=text.encode())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
