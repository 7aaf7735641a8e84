"""What each page of the viewer says: the same model is the JSON answer and the template's one context, `page`.

A template is rendered as `render(NAME, page, visit)`: `page` is one of the models below, `visit` says who asks and
where. All texts are publisher text as it was read: whoever draws them escapes them. Times are aware UTC. Every `href`
is a path on this server, ready to be linked, and leads to the same thing as JSON with `.json` behind its path.

    template             model         address
    changes.html         Changes       /                     ?q= publisher= feed= language= field= class= disclosure=
                                                             signal= from= to= after=
    article.html         Article       /articles/KEY
    redline.html         Redline       /articles/KEY/diff/OLD..NEW       (ids of revisions: a permanent address)
    revision.html        RevisionPage  /articles/KEY/revisions/ID
    feeds.html           Feeds         /feeds
    feed.html            FeedPage      /feed?url=URL
    alerts.html          Alerts        /alerts               ?state= channel= after=
    alert.html           AlertPage     /alerts/ID
    dead_letters.html    DeadLetters   /dead-letters         ?replayed=yes after=
    dead_letter.html     DeadLetterPage  /dead-letters/ID
    publishers.html      Publishers    /publishers           ?days=
    publisher.html       PublisherPage /publishers/HOST      ?days=
    error.html           Failure       (any, with its status)

Posts, each a form with the hidden field `token` (`visit.token`): /alerts/ID/again, /dead-letters/ID/replay. Both
answer 303 to the page of the thing, with `?done=again` or `?done=replay`, which `visit.notice` puts into words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from wirewatch.model import Claim, Diff, Reason, Wording

Disclosure = Literal["disclosed", "undisclosed", "unknown"]
Signal = Literal["update", "correction"]
Weight = Literal["minor", "notable", "major"]


class Part(BaseModel):
    """A part of a page."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, ser_json_timedelta="float")


class Visit(Part):
    """Who asks, where and when; given to templates beside the page, and part of no JSON answer.

    `base` is the viewer's own public address without a slash at the end (from `viewer.public_url`, else from the
    request), for links that leave the page. `token` guards the posts. `notice` says what a post just did.
    """

    path: str
    query: str = ""
    base: str
    user: str | None = None
    token: str = ""
    notice: str | None = None
    now: datetime
    version: str = ""  # Wirewatch's own

    @property
    def json_href(self) -> str:
        """The same page as JSON."""
        path = "/changes" if self.path == "/" else self.path
        return f"{path}.json?{self.query}" if self.query else f"{path}.json"

    @property
    def address(self) -> str:
        """The whole public address of the page."""
        return f"{self.base}{self.path}?{self.query}" if self.query else f"{self.base}{self.path}"


class Filters(Part):
    """What the list of changes is narrowed to; absent ones narrow nothing. `from_` is included, `to` is not.

    A time without a zone is UTC; a bare day as `to` includes that day.
    """

    q: str | None = None
    publisher: str | None = None  # a host
    feed: str | None = None  # its URL
    language: str | None = None  # a tag, such as en-GB
    field: str | None = None  # one of model.WORDING_FIELDS
    class_: Weight | None = Field(default=None, alias="class")
    disclosure: Disclosure | None = None
    signal: Signal | None = None
    from_: datetime | None = Field(default=None, alias="from")
    to: datetime | None = None

    @property
    def any(self) -> bool:
        """Whether anything is narrowed."""
        return any(value is not None for value in self.__dict__.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One value that a filter may take; `href` is the list with it chosen, or without it where it is."""

    value: str
    label: str
    chosen: bool
    href: str


class Choices(Part):
    """The values that each filter may take."""

    publishers: tuple[Choice, ...] = ()
    feeds: tuple[Choice, ...] = ()
    languages: tuple[Choice, ...] = ()
    fields: tuple[Choice, ...] = ()
    classes: tuple[Choice, ...] = ()
    disclosures: tuple[Choice, ...] = ()
    signals: tuple[Choice, ...] = ()


class ArticleRef(Part):
    """An article as it is named elsewhere. `headline` is the latest known there, `url` the publisher's address."""

    key: str
    uri: str
    url: str
    headline: str | None = None
    publisher: str | None = None
    host: str
    language: str | None = None
    feed: str | None = None
    href: str


class RevisionRef(Part):
    """A revision as it is named elsewhere. `version` is its place now, and part of no address."""

    id: str
    version: int
    version_created: datetime
    first_observed: datetime
    last_observed: datetime
    href: str


class Verdict(Part):
    """What a change means; `reasons` are the heaviest first."""

    disclosure: Disclosure
    signal: Signal
    class_: Weight = Field(alias="class")
    score: float
    reasons: tuple[Reason, ...] = ()


class Change(Part):
    """One revision and the next: what a line of the list of changes shows.

    The change happened between `not_before` (the old wording was last seen) and `not_after` (the new one first).
    `headline` is the new one, `old_headline` is there where it was another. `hunks` of `diff` carry 24 characters
    around each change, enough for a short redline. `boilerplate` counts the articles of the host on which the same
    was changed within a day. `event` is the id of the CloudEvent that announced it, where one did.
    """

    id: str
    article: ArticleRef
    headline: str | None = None
    old_headline: str | None = None
    old: RevisionRef
    new: RevisionRef
    not_before: datetime
    not_after: datetime
    after_seconds: float  # from the article's publication to `not_after`
    sentence: str
    verdict: Verdict
    fields: tuple[str, ...]
    diff: Diff  # of a very large change only the first hunks
    hunks: int  # in all
    boilerplate: int | None = None
    event: str | None = None
    event_href: str | None = None
    href: str  # its redline


class Changes(Part):
    """The front page: the latest changes, newest first. `older` leads on, `newest` back to the beginning."""

    filters: Filters = Filters()
    choices: Choices = Choices()
    changes: tuple[Change, ...] = ()
    older: str | None = None  # href
    newest: str | None = None  # href, None where this is the beginning
    next: str | None = None  # the cursor in `older`, for programs
    atom: str  # href
    json_feed: str  # href
    articles: int = 0  # in the store, at least: tells an empty store from a filter that finds nothing
    feeds: int = 0


class Sight(Part):
    """What was seen of an article, by our clock; sights in a row that say the same are one, with their number."""

    outcome: str  # model.Outcome
    first: datetime
    last: datetime
    count: int
    version: int | None = None
    detail: str = ""
    stamp: Claim | None = None  # where the publisher's clock was read and had moved


class Stretch(Part):
    """How an article could be read from one time to the next."""

    availability: str  # model.Availability
    first: datetime
    last: datetime
    detail: str = ""


class RevisionRow(RevisionRef):
    """A revision with its facts. The three claims are the publisher's: at first sight, and the last stamp seen."""

    headline: str | None = None
    words: int = 0  # of the body
    content_hash: str
    text_hash: str
    url: str
    published: Claim | None = None
    modified: Claim | None = None
    stamp: Claim | None = None
    technical: bool = False
    earlier_wording_unseen: bool = False
    extractor: str | None = None
    page_hash: str | None = None
    page_kept: bool = False
    diff_href: str | None = None  # the redline from the revision before it


class Stamped(Part):
    """The publisher's stamp moved and no word did."""

    version: int
    observed: datetime
    old: datetime | None = None
    new: datetime | None = None


class Name(Part):
    """Another name of the article, and which kind of evidence gave it."""

    kind: str  # asked, redirect, canonical, guid
    name: str


class Article(Part):
    """One article: how it stands, its revisions oldest first, what changed between them, and all that was seen."""

    article: ArticleRef
    standfirst: str | None = None
    availability: str | None = None
    available_since: datetime | None = None
    pending: str | None = None  # "stale" or "suspect": a wording that is not believed yet
    first_created: datetime | None = None  # published, by the publisher's clock where it says so
    first_seen: datetime | None = None
    last_read: datetime | None = None
    last_change: datetime | None = None
    due: datetime | None = None
    detail: str = ""
    revisions: tuple[RevisionRow, ...] = ()
    changes: tuple[Change, ...] = ()  # oldest first; technical ones are left out
    restamps: tuple[Stamped, ...] = ()
    sights: tuple[Sight, ...] = ()  # oldest first
    standing: tuple[Stretch, ...] = ()
    names: tuple[Name, ...] = ()
    labels: tuple[str, ...] = ()  # sentences
    compare: str | None = None  # href of first to last revision, where there are more than two
    timemap: str  # href
    cut: int = 0  # so many sights are left out in the middle


class Redline(Part):
    """What changed between two revisions of one article, with both whole texts.

    Applying `diff.hunks` to `old_wording` gives `new_wording`, exactly. `previous` and `next` are the redlines of the
    neighbouring changes; `id` and `event` are there where the two are neighbours and the change was announced.
    """

    article: ArticleRef
    old: RevisionRow
    new: RevisionRow
    old_wording: Wording
    new_wording: Wording
    diff: Diff
    fields: tuple[str, ...]
    verdict: Verdict
    sentence: str
    not_before: datetime
    not_after: datetime
    after_seconds: float
    id: str | None = None
    boilerplate: int | None = None
    boilerplate_hunks: dict[int, int] = {}  # by place in diff.hunks: on how many articles of the host
    event: str | None = None
    event_href: str | None = None
    plain: str  # the redline as plain text, to copy
    plain_href: str
    previous: str | None = None  # href
    next: str | None = None  # href
    swap: str  # href of the same two, the other way round
    revisions: tuple[RevisionRef, ...] = ()  # all of the article, oldest first, to choose from
    too_long: bool = False  # the two were too long to be compared; `diff` has no hunks


class KeptPage(Part):
    """The page that a revision was read from, as it came. It is only ever given as a download."""

    hash: str  # SHA-256
    size: int
    content_type: str | None = None
    kept: datetime
    headers: tuple[tuple[str, str], ...] = ()
    href: str


class RevisionPage(Part):
    """One revision: the text as it was, its record, hashes, and the evidence of the times."""

    article: ArticleRef
    revision: RevisionRow
    wording: Wording
    language: str | None = None
    image_url: str | None = None
    subheadings: tuple[str, ...] = ()
    record: dict[str, Any] | None = None  # ninjs 3.1, as it left
    record_href: str | None = None
    page: KeptPage | None = None
    no_page: str | None = None  # why there is none, in words
    claims: tuple[Claim, ...] = ()  # all times stated when it was first seen
    observations: int = 0  # how often this wording was seen
    older: RevisionRef | None = None
    newer: RevisionRef | None = None
    first: RevisionRef
    last: RevisionRef
    older_diff: str | None = None  # href
    newer_diff: str | None = None  # href
    timemap: str  # href
    memento_datetime: datetime


class Day(Part):
    """What one day brought (UTC)."""

    day: datetime
    reads: int = 0
    failures: int = 0
    entries: int = 0  # new articles
    changes: int = 0
    undisclosed: int = 0


class FeedRow(Part):
    """How a feed is. `slow` says in words why it is asked no more often, or why nothing comes."""

    url: str
    name: str | None = None
    publisher: str | None = None
    host: str
    origin: str
    paused: bool
    state: Literal["well", "failing", "quiet", "paused", "new"]
    due: datetime | None = None
    reads: int
    failures: int  # in a row
    last_read: datetime | None = None
    last_success: datetime | None = None
    last_new: datetime | None = None
    detail: str = ""
    share_new: float | None = None
    last_entry_count: int
    every_seconds: float | None = None  # the interval in force
    slow: str | None = None
    articles: int = 0
    days: tuple[Day, ...] = ()  # the last 30, oldest first, each there
    href: str


class HostRow(Part):
    """A host that may not be asked now, or that many pages of cannot be read."""

    host: str
    blocked_until: datetime | None = None
    unreadable: int = 0
    pages: int = 0


class Feeds(Part):
    """All feeds, those in trouble first."""

    feeds: tuple[FeedRow, ...] = ()
    hosts: tuple[HostRow, ...] = ()
    last_pass: datetime | None = None
    waiting: int = 0  # checks that are due
    next_due: datetime | None = None


class FeedPage(Part):
    """One feed, its newest articles and the latest changes of them."""

    feed: FeedRow
    articles: tuple[ArticleRef, ...] = ()
    changes: tuple[Change, ...] = ()
    all_changes: str  # href


class AlertRow(Part):
    """One alert: what was sent, where, when, and what failed."""

    id: str
    channel: str
    rule: str
    kind: str
    created: datetime
    state: Literal["waiting", "sent", "dead"]
    due: datetime
    attempts: int
    failures: int
    settled: datetime | None = None
    detail: str = ""
    subject: str = ""
    again: bool = False  # it can be sent again
    href: str


class ChannelRow(Part):
    """How much of a channel waits, and whether its receiver is gone."""

    name: str
    matches: int = 0
    alerts: int = 0
    next_ripe: datetime | None = None
    off_since: datetime | None = None
    reason: str = ""


class Alerts(Part):
    """What channels were told, newest first."""

    state: str | None = None
    channel: str | None = None
    channels: tuple[ChannelRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    older: str | None = None  # href
    newest: str | None = None  # href
    next: str | None = None


class MatchRow(Part):
    """One match that an alert tells of, and why it was one."""

    rule: str
    state: str
    happened: str
    matched: datetime
    why: tuple[str, ...] = ()
    article: ArticleRef | None = None
    event: str
    event_href: str


class AlertPage(Part):
    """One alert with the matches it tells of."""

    alert: AlertRow
    matches: tuple[MatchRow, ...] = ()


class DeadLetterRow(Part):
    """One input that could not be used."""

    id: int
    at: datetime
    step: str
    reason: str
    url: str | None = None
    sha256: str | None = None
    file: str | None = None
    line: int | None = None
    replayed: datetime | None = None
    replayable: bool
    href: str


class DeadLetters(Part):
    """What could not be used, newest first; those that were replayed only if asked for."""

    with_replayed: bool = False
    letters: tuple[DeadLetterRow, ...] = ()
    older: str | None = None  # href
    newest: str | None = None  # href
    next: str | None = None


class DeadLetterPage(Part):
    """One dead letter, with what is known of its capture."""

    letter: DeadLetterRow
    observed: datetime | None = None
    content_type: str | None = None
    size: int | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Bucket(Part):
    """One bar of a plot: how many, and how many of these undisclosed."""

    label: str
    count: int
    undisclosed: int = 0


class PublisherRow(Part):
    """How a publisher edits, over the period. Shares are 0 to 1, None where nothing is to be shared."""

    host: str
    name: str | None = None
    articles: int = 0  # first seen in the period
    changed_articles: int = 0
    changes: int = 0
    disclosed: int = 0
    undisclosed: int = 0
    unknown: int = 0
    major: int = 0
    corrections: int = 0
    undisclosed_share: float | None = None  # of those that are disclosed or not
    median_after_seconds: float | None = None  # from publication to change
    days: tuple[Day, ...] = ()
    href: str


class Publishers(Part):
    """All publishers with changes in the period, those with the most first."""

    period_days: int
    publishers: tuple[PublisherRow, ...] = ()


class PublisherPage(Part):
    """One publisher: how often it edits, how long after publication, and how much of that undisclosed."""

    period_days: int
    publisher: PublisherRow
    delays: tuple[Bucket, ...] = ()  # by time from publication to change
    classes: tuple[Bucket, ...] = ()
    fields: tuple[Bucket, ...] = ()
    hours: tuple[Bucket, ...] = ()  # by hour of the day, UTC
    changes: tuple[Change, ...] = ()  # the latest
    all_changes: str  # href


class Failure(Part):
    """Why there is no page: one sentence, and what to do about it."""

    status: Annotated[int, Field(ge=400, le=599)]
    title: str
    detail: str
    todo: str | None = None


class Events(Part):
    """What has happened since a cursor, in the order it was recorded: finished CloudEvents, as every sink gets them."""

    events: tuple[dict[str, Any], ...] = ()
    next: str  # the cursor for what comes after these; ask again with it, now or later
    more: bool  # there is more already
