"""What an invented newspaper has written, and when it rewrote it.

A story is a list of editions, and an edition holds from its `since` until the next one. What it says of itself
(`published`, `modified`) is another matter: some editions come without a word of notice, and one goes back to an
older stamp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

DAY: Final = datetime(2026, 3, 16, tzinfo=UTC)
"""The demo's only day: a Monday before the clocks go forward, so London's local time is UTC."""


def at(clock: str) -> datetime:
    """Return the time `HH:MM` on the demo's day, in UTC; raise ValueError for anything else."""
    time = datetime.strptime(clock, "%H:%M").replace(tzinfo=UTC)
    return DAY.replace(hour=time.hour, minute=time.minute)


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The words of one edition. Blank lines divide `body`; a block that begins with `## ` is a sub-heading."""

    headline: str
    standfirst: str
    byline: str
    section: str
    body: str
    caption: str
    credit: str
    dateline: str = ""
    correction: str = ""

    @property
    def blocks(self) -> tuple[str, ...]:
        """The body's paragraphs and sub-headings, the standfirst repeated as the first one, as newspapers do."""
        first = f"{self.dateline} — {self.standfirst}" if self.dateline else self.standfirst
        rest = (" ".join(block.split()) for block in self.body.strip().split("\n\n"))
        return (first, *rest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Edition:
    """One state of a story: from `since` on it lies at `path` with these words and these stamps."""

    since: datetime
    path: str
    words: Words
    published: datetime
    modified: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """One story and its life. `validators` are the headers with which its page can be confirmed by a 304."""

    guid: str
    picture: str
    tags: tuple[str, ...]
    editions: tuple[Edition, ...]
    gone_from: datetime | None = None
    json_ld: bool = True
    validators: tuple[Literal["etag", "last-modified"], ...] = ()
    canonical: str | None = None  # where it names another address than its own

    def edition(self, now: datetime) -> Edition | None:
        """Return the edition that holds at `now`, or None before the first one and once the story is gone."""
        if self.gone_from is not None and now >= self.gone_from:
            return None
        held = [edition for edition in self.editions if edition.since <= now]
        return held[-1] if held else None

    def changed(self, now: datetime) -> datetime:
        """Return when the edition that holds at `now` began."""
        return max(edition.since for edition in self.editions if edition.since <= now)

    def paths(self, now: datetime) -> frozenset[str]:
        """Return every path the story has lain at by `now`; none before its first edition."""
        return frozenset(edition.path for edition in self.editions if edition.since <= now)

    @property
    def first_path(self) -> str:
        return self.editions[0].path


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """One invented newspaper on one invented host."""

    host: str
    name: str
    motto: str
    feed_path: str
    feed_kind: Literal["rss", "atom"]
    sections: tuple[str, ...]
    stories: tuple[Story, ...]

    @property
    def address(self) -> str:
        return f"http://{self.host}"

    @property
    def feed_url(self) -> str:
        return self.address + self.feed_path

    def printed(self, now: datetime) -> tuple[tuple[Story, Edition], ...]:
        """Return the stories that can be read at `now`, the newest first."""
        held = ((story, edition) for story in self.stories if (edition := story.edition(now)) is not None)
        return tuple(sorted(held, key=lambda pair: pair[1].published, reverse=True))


def revise(words: Words, *, replacing: dict[str, str] | None = None, **fields: str) -> Words:
    """Return `words` with whole fields changed and with passages of the body replaced.

    A passage is given with single spaces; raise ValueError unless it is there exactly once.
    """
    body = "\n\n".join(words.blocks[1:])
    for old, new in (replacing or {}).items():
        if body.count(old) != 1:
            raise ValueError(f"The body has this passage {body.count(old)} times: {old}")
        body = body.replace(old, new)
    return replace(words, body=body, **fields)
