"""What an alert is made of, between the sender that collects it and the channels that put it into words.

A story's events are the bytes that were kept when the diff was: an alert never builds one again. All else in it is
read from the store when it is sent, so labels and later revisions are those of that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from wirewatch.model import Claim, Diff, Happened, Revision, Verdict, Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """What happened to one article: one event, or several successive revisions told as one change.

    `old` and `new` are the wordings on both sides of `diff`, the oldest unsent and the newest; all three are None where
    no wording changed. `not_before` and `not_after` are the window in which the change happened. `boilerplate` counts
    the articles of the host that changed alike, this one included; 0 where it is the only one.
    """

    article: str  # its key
    uri: str
    url: str
    happened: Happened
    events: tuple[str, ...]  # kept CloudEvents, JSON, oldest first
    publisher: str | None = None
    headline: str | None = None
    language: str | None = None
    section: str | None = None
    feed: str | None = None
    old: Wording | None = None
    new: Wording | None = None
    diff: Diff | None = None
    diff_id: str | None = None
    verdict: Verdict | None = None
    old_revision: Revision | None = None
    new_revision: Revision | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    published: Claim | None = None  # the publisher's, of the newest revision
    old_stamp: Claim | None = None
    new_stamp: Claim | None = None
    detail: str = ""  # of a withdrawal: how, such as `HTTP 410`
    revisions: int = 1  # how many successive changes are told as this one
    boilerplate: int = 0
    unsteady: tuple[str, ...] = ()
    stale: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """What one channel is told at once. `id` is the same on every retry, and never stands for two contents.

    `kind`: a `change` is one story, a `digest` several that waited, a `group` one change made on many articles, a
    `follow_up` takes back what was sent, `more` says only how many were held back by the cap, `operator` is of
    Wirewatch itself and says it in `text`.
    """

    id: str
    kind: Literal["change", "digest", "group", "follow_up", "more", "operator"]
    channel: str
    rule: str  # its name; of an operator's alert the condition's
    created: datetime
    stories: tuple[Story, ...] = ()
    more: int = 0
    text: str = ""

    @property
    def untold(self) -> int:
        """Return of how many more articles it is than it has stories, those that changed alike among them."""
        alike = [story.boilerplate for story in self.stories if story.boilerplate > 1]
        if self.kind == "group":
            return max(self.more, max(alike, default=0) - len(self.stories))
        return self.more + sum(count - 1 for count in alike)
