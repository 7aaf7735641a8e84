"""Recognise the pages that stand in an article's way: consent, login, and challenges to prove one is human.

They often answer 200 with a full page, and their words must never become a revision.
"""

from __future__ import annotations

import re
from functools import cache

from wirewatch.extract.article import Draft
from wirewatch.extract.page import Page
from wirewatch.extract.stated import Stated
from wirewatch.words import phrases

_WALL_TEXT_LIMIT = 2500  # characters; consent texts in nine languages had 400 to 1,900
_CHALLENGE_MARK = re.compile(
    r"cf-(?:challenge|browser-verification|turnstile)|g-recaptcha|h-captcha|px-captcha|datadome", re.IGNORECASE
)


def wall(page: Page, draft: Draft, data: Stated) -> str | None:
    """Return which wall the page is, or None. A page that states its article's data or is long enough is none."""
    length = sum(len(block.text) for block in draft.blocks)
    if data.times or length > _WALL_TEXT_LIMIT or (data.is_article and length > 400):
        return None
    titles = [text.lower().strip() for text in (page.title, draft.headline or "") if text]
    for kind, reason in (
        ("challenge", "a challenge to prove one is human"),
        ("consent", "a consent page"),
        ("login", "a login page"),
    ):
        if any(_opening(kind).match(title) for title in titles) and (kind != "login" or page.asks_password):
            return f"the answer is {reason}, not the article"
    if length < 400:
        first = " ".join(line.text for line in page.lines[:40])[:2000].lower()
        if _opening("consent").search(first):
            return "the answer is a consent page, not the article"
        if page.asks_password:
            return "the answer is a login page, not the article"
        if any(_CHALLENGE_MARK.search(str(value)) for value in _ids(page)):
            return "the answer is a challenge to prove one is human, not the article"
    return None


def _ids(page: Page) -> list[str]:
    found = page.tree.xpath("//*[self::div or self::form]/@id | //*[self::div or self::form]/@class")
    return [str(value) for value in found[:500]]


@cache
def _opening(kind: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(map(re.escape, phrases(kind)))})(?!\w)")
