"""What a site's robots.txt allows us, under RFC 9309.

"No robots.txt" and "could not read robots.txt" are opposites: an answer 404 allows everything, an answer 500 or none
at all allows nothing until it can be read.
"""

from __future__ import annotations

import asyncio
import codecs
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakValueDictionary

from protego import Protego
from yarl import URL

from wirewatch.canonical import storable
from wirewatch.errors import RetryLater, SourceRefuses
from wirewatch.fetch.addresses import host_of, origin_of
from wirewatch.fetch.slots import RobotsCopy, Turns

PRODUCT: Final = "Wirewatch"
ROBOTS_BYTES: Final = 500 * 1024  # RFC 9309, 2.5: at least 500 KiB are parsed
ROBOTS_REDIRECTS: Final = 5  # RFC 9309, 2.3.1.2: at least five are followed

_FRESH: Final = timedelta(hours=24)  # RFC 9309, 2.4: no longer than 24 hours
_FRESH_FAILURE: Final = timedelta(minutes=10)  # as soon as an article may be asked again
_LONGEST_DELAY: Final = timedelta(days=1).total_seconds()
_MOST_ORIGINS: Final = 1000  # rules held in memory; parsed, a large robots.txt takes 1 MB

_AGENT_LINE: Final = re.compile(r"\s*user(?:-|\s*)agent\s*[:\s]\s*([^#]*)", re.IGNORECASE)
_AGENT_PRODUCT: Final = re.compile(r"[A-Za-z_-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back for a robots.txt, redirects followed."""

    status: int
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What one origin allows; `rules` is None where all is allowed or, with a `problem`, nothing."""

    fetched: datetime
    rules: Protego | None = None
    status: int | None = None
    problem: str | None = None
    crawl_delay_seconds: float | None = None

    def fresh(self, now: datetime) -> bool:
        """Tell whether these may still be gone by."""
        return abs(now - self.fetched) < (_FRESH_FAILURE if self.problem else _FRESH)

    def permit(self, url: URL) -> None:
        """Raise `SourceRefuses` or `RetryLater` unless `url` may be asked."""
        host = host_of(url)
        if self.problem and self.status is None:
            raise RetryLater(f"The robots.txt of {host} could not be read: {self.problem}", about=str(url))
        if self.problem:
            raise SourceRefuses(f"The robots.txt of {host} could not be read: {self.problem}", about=str(url))
        if self.rules is not None and not self.rules.can_fetch(str(url), PRODUCT):
            raise SourceRefuses(f"The robots.txt of {host} does not allow this address", about=str(url))


class Robots:
    """Know each origin's robots.txt: from memory, from the store, else by asking, one at a time for each origin.

    `ask` fetches a robots.txt by its URL; it raises `RetryLater` where there is no answer.
    """

    def __init__(self, ask: Callable[[URL, Turns], Awaitable[Answer]]) -> None:
        self._ask = ask
        self._memory: OrderedDict[str, Rules] = OrderedDict()
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def permit(self, url: URL, turns: Turns) -> None:
        """Return if `url` may be asked, else raise `SourceRefuses` or, where there was no answer, `RetryLater`."""
        origin, host = origin_of(url), host_of(url)
        rules = self._remembered(origin, turns) or await self._kept(origin, host, turns)
        if rules is None:
            # Whoever's slot comes first asks, in that slot, so that the others' slots stay good.
            await turns.wait(host)
            async with self._lock(origin):
                rules = self._remembered(origin, turns) or await self._fetch(origin, host, turns)
        if rules.crawl_delay_seconds and rules.fetched >= turns.arrived:
            turns.give_up()
        rules.permit(url)

    def _lock(self, origin: str) -> asyncio.Lock:
        lock = self._asking.get(origin)
        if lock is None:
            lock = self._asking[origin] = asyncio.Lock()
        return lock

    def _remembered(self, origin: str, turns: Turns) -> Rules | None:
        rules = self._memory.get(origin)
        if rules is None or not rules.fresh(turns.clock.now()):
            return None
        self._memory.move_to_end(origin)
        return rules

    async def _kept(self, origin: str, host: str, turns: Turns) -> Rules | None:
        copy = await asyncio.to_thread(turns.slots.robots, host)
        if copy is None or copy.origin != origin:
            return None
        rules = await asyncio.to_thread(understand, copy)
        return self._remember(origin, rules) if rules.fresh(turns.clock.now()) else None

    async def _fetch(self, origin: str, host: str, turns: Turns) -> Rules:
        try:
            answer = await self._ask(URL(origin) / "robots.txt", turns)
            status, text = answer.status, decode(answer.body)
        except RetryLater as error:
            status, text = None, str(error)
        copy = RobotsCopy(origin=origin, status=status, body=storable(text)[0], fetched=turns.clock.now())
        rules = await asyncio.to_thread(understand, copy)
        copy = replace(copy, crawl_delay_seconds=rules.crawl_delay_seconds)
        await asyncio.to_thread(turns.slots.keep_robots, host, copy)
        return self._remember(origin, rules)

    def _remember(self, origin: str, rules: Rules) -> Rules:
        self._memory[origin] = rules
        if len(self._memory) > _MOST_ORIGINS:
            self._memory.popitem(last=False)
        return rules


def understand(copy: RobotsCopy) -> Rules:
    """Return the rules that a kept answer makes: 2xx its text's, 5xx and none refuse, all others allow."""
    if copy.status is None:
        return Rules(fetched=copy.fetched, problem=copy.body or "no answer")
    if copy.status >= 500:
        return Rules(fetched=copy.fetched, status=copy.status, problem=f"HTTP {copy.status}")
    if not 200 <= copy.status < 300:
        return Rules(fetched=copy.fetched, status=copy.status)
    parsed = Protego.parse(_ours(copy.body))
    delay = parsed.crawl_delay(PRODUCT)
    return Rules(
        fetched=copy.fetched,
        status=copy.status,
        rules=parsed,
        crawl_delay_seconds=min(delay, _LONGEST_DELAY) if delay else None,
    )


def decode(body: bytes) -> str:
    """Return a robots.txt as text: UTF-8 with what is not replaced, or UTF-16 if it begins so; without its BOM."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body[:ROBOTS_BYTES].decode("utf-16", errors="replace")
    return body[:ROBOTS_BYTES].decode("utf-8-sig", errors="replace")


def _ours(text: str) -> str:
    """Return the text with all groups that are not ours or everybody's under one other name.

    Protego copies each rule into each of its group's names, so that half a file of names before half a file of rules
    would take 30 GB; and it takes a group for `wire` as ours, which RFC 9309, 2.2.1, does not.
    """
    return "\n".join(map(_our_line, text.splitlines()))


def _our_line(line: str) -> str:
    found = _AGENT_LINE.match(line)
    if found is None:
        return line
    name = found[1].strip()
    if name.split(maxsplit=1)[:1] == ["*"]:
        return "User-agent: *"
    token = _AGENT_PRODUCT.match(name)
    ours = token is not None and token[0].lower() == PRODUCT.lower()
    return f"User-agent: {PRODUCT if ours else 'another'}"
