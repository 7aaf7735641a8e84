"""Write a configuration to start from, with the feeds that a page declares.

A title out of a page goes into the file between quotes and with `${` made harmless: the file is read back later, and
what it then says is the user's word.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import typer

from pipelines.cli.asking import OwnSlots, ask_by
from pipelines.cli.screen import one_line, progress, tell
from pipelines.config import load
from wirewatch.bounded import Pool
from wirewatch.clock import Clock
from wirewatch.errors import BadContent, ConfigurationError
from wirewatch.feeds import DeclaredFeed, discover_feeds, read_feed
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.identity import normalise_url
from wirewatch.model import Capture, FeedReading, Source

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/._~?&=%+@!;,-]*(?<!:)")
_UNKNOWN_CONTACT: Final = "${WIREWATCH_CONTACT}"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a user gave on the command line."""

    url: str | None
    contact: str | None
    authority: str | None
    connect_to: Sequence[str] = ()
    allow: Sequence[str] = ()


def init(path: Path, wishes: Wishes, clock: Clock) -> None:
    """Write the file, unless there is one."""
    if path.exists():
        raise ConfigurationError(f"{path} is there already; change it, or name another with --output", about=str(path))
    contact = wishes.contact or _asked_for_contact()
    if wishes.url and not contact:
        raise ConfigurationError(
            "Say how publishers can reach you before one is asked: --contact you@example.org, or set WIREWATCH_CONTACT"
        )
    feeds: tuple[DeclaredFeed, ...] = ()
    if wishes.url:
        with progress() as step, Pool(1) as pool:
            step(f"Asking {wishes.url}")
            capture = ask_by(_policy(contact or "", wishes), wishes.url, clock, OwnSlots(clock), feed=True)
            feeds = feeds_in(capture, pool).feeds
    text = _file(wishes, contact or _UNKNOWN_CONTACT, feeds, clock.now())
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}); name another with --output") from error
    _say_what_next(path, feeds, contact)


@dataclass(frozen=True, kw_only=True)
class Found:
    """The feeds that an address leads to: those that the page there declares, or `itself`."""

    feeds: tuple[DeclaredFeed, ...]
    itself: bool = False


def feeds_in(capture: Capture, pool: Pool) -> Found:
    """Return the feed that a capture is, or those that it declares; raise BadContent if there is none."""
    address = capture.final_url or capture.url
    reading = pool.run(read_feed, capture, Source(), returns=FeedReading, about=address)
    if reading.problem is None:
        kind = (capture.header("content-type") or "").partition(";")[0]
        feed = DeclaredFeed(url=normalise_url(address), type=kind, title=reading.title)
        return Found(feeds=(feed,), itself=True)
    found = pool.run(discover_feeds, capture.body, address, returns=tuple[DeclaredFeed, ...], about=address)
    if not found:
        raise BadContent(f"{address} is no feed and declares none: look for one on its pages and give its address")
    return Found(feeds=found)


def _policy(contact: str, wishes: Wishes) -> FetchPolicy:
    return FetchPolicy(contact=contact, connect_to=_pairs(wishes.connect_to), allow_addresses=tuple(wishes.allow))


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = dict(one.partition("=")[::2] for one in given)
    if not all(pairs.values()):
        raise ConfigurationError("--connect-to is written HOST=ADDRESS:PORT, such as courier.example=127.0.0.1:8080")
    return pairs


def _asked_for_contact() -> str | None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    answer: str = typer.prompt("A mail address or web page at which publishers can reach you", err=True)
    return answer.strip() or None


def _file(wishes: Wishes, contact: str, feeds: Sequence[DeclaredFeed], now: datetime) -> str:
    authority = wishes.authority or _domain(contact) or "wirewatch.example"
    lines = [
        "# What Wirewatch watches. All keys stand in docs/configuration.md; `wirewatch check` says what is wrong.",
        f'instance: {{authority: {authority}, since: "{now.year}"}}  # in every URI: a domain of yours, for good',
        "store: sqlite:///wirewatch.db",
        "fetch:",
        f"  contact: {_scalar(contact)}  # sent to publishers with every request",
    ]
    if connect_to := _pairs(wishes.connect_to):
        lines += ["  connect_to:", *(f"    {host}: {address}" for host, address in connect_to.items())]
    if wishes.allow:
        lines += ["  allow_addresses:", *(f"    - {_scalar(address)}" for address in wishes.allow)]
    lines += ["feeds:", *_feed_lines(feeds)]
    lines += ["sinks:", "  - {kind: jsonl, name: files, folder: out}"]
    return "\n".join(lines) + "\n"


def _feed_lines(feeds: Sequence[DeclaredFeed]) -> list[str]:
    if not feeds:
        return ["#  - url: https://courier.example/rss.xml"]
    first, *others = feeds
    name = [f"    name: {_scalar(one_line(first.title, 200))}"] if first.title else []
    return [
        f"  - url: {_scalar(first.url)}",
        *name,
        *(f"#  - url: {_scalar(feed.url)}  # {one_line(feed.title, 80)}".rstrip(" #") for feed in others),
    ]


def _scalar(text: str) -> str:
    """Return text as YAML reads it back: plain where nothing in it means anything, else in quotes."""
    if text == _UNKNOWN_CONTACT or _PLAIN.fullmatch(text):
        return text
    return json.dumps(text.replace("${", "$${"), ensure_ascii=False)


def _domain(contact: str) -> str | None:
    host = urlsplit(contact).hostname if "://" in contact else contact.rpartition("@")[2]
    return host if host and re.fullmatch(r"[a-z0-9.-]+\.[a-z0-9-]+", host) else None


def _say_what_next(path: Path, feeds: Sequence[DeclaredFeed], contact: str | None) -> None:
    config = load(path, {"WIREWATCH_CONTACT": contact or "nobody@example.org"})
    tell(f"{path} is written: it names this installation {config.instance.authority},{config.instance.since}.")
    if len(feeds) > 1:
        tell(f"The page declares {len(feeds)} feeds; the first is watched, take away the # before others.")
    if not contact:
        tell("Set WIREWATCH_CONTACT, or write into it how publishers can reach you.")
    option = "" if path == Path("wirewatch.yaml") else f" {path}"
    tell(f"Type  wirewatch run{option}  to begin." if feeds else f"Name a feed in it, then type  wirewatch run{option}")
