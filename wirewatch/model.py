"""The records that walk through Wirewatch, from the decision to ask to the announcement of a change.

All are frozen. Times are aware UTC. Words mean what `docs/design.md` says they mean: above all, a *wording* is the
text that is compared, a *reading* is everything one capture says, and an *observation* is the little that is kept of
every reading for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal


class Seen(StrEnum):
    """What a capture showed, before anything is known about its neighbours in time."""

    WORDING = "wording"  # an article's text
    NOT_MODIFIED = "not_modified"  # HTTP 304: confirms the content hash it carries
    MISSING = "missing"  # 404
    GONE = "gone"  # 410
    BLOCKED = "blocked"  # 401, 402, 403, 429, 451, a consent, login or challenge page
    FAILED = "failed"  # 5xx and other statuses, DNS, TLS, time-out, too large
    REFUSED = "refused"  # robots.txt, or an address we may not ask
    INVALID = "invalid"  # content in which no article was found


class Outcome(StrEnum):
    """The counter a capture ends in: exactly one, and they add up."""

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    RESTAMPED = "restamped"
    NOT_MODIFIED = "not_modified"
    DUPLICATE = "duplicate"
    STALE = "stale"
    SUSPECT = "suspect"
    GONE = "gone"
    BLOCKED = "blocked"
    FAILED = "failed"  # a 404 that is not yet confirmed counts here
    REFUSED = "refused"
    INVALID = "invalid"


class Availability(StrEnum):
    """Whether an article can be read at its address now."""

    AVAILABLE = "available"
    SUSPECT = "suspect"
    BLOCKED = "blocked"
    PAYWALLED = "paywalled"
    MISSING = "missing"  # 404, not yet confirmed
    GONE = "gone"
    FAILING = "failing"
    REFUSED = "refused"


Happened = Literal["published", "revised", "restamped", "withdrawn", "returned", "merged", "retracted"]
"""What an event says has happened to an article; the third word of its type."""


class Track(StrEnum):
    """What of a feed is tracked: the pages its entries link to, or the entries' own title and summary."""

    PAGES = "pages"
    ENTRIES = "entries"


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """The installation's name, for URIs and links; chosen once, part of no id.

    `authority` is a domain name, `since` a year or date at which it was held (RFC 4151).
    """

    authority: str
    since: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What the configuration says about where a capture comes from; all that a reading may take from outside the page.

    `zone` is an IANA name for stamps without a zone; `zone_names` gives ambiguous abbreviations a meaning, as pairs
    such as `("IST", "Asia/Kolkata")`.
    """

    feed: str | None = None
    publisher: str | None = None
    publisher_url: str | None = None
    feed_name: str | None = None
    section: str | None = None
    language: str | None = None
    zone: str | None = None
    zone_names: tuple[tuple[str, str], ...] = ()
    track: Track = Track.PAGES
    copyright_holder: str | None = None
    copyright_notice: str | None = None
    usage_terms: str | None = None
    terms_url: str | None = None
    interval_seconds: int | None = None  # a feed's fixed interval; None lets it adapt
    floor_seconds: int = 600  # an article is never asked again sooner
    end_days: int = 30  # after its first sight or last change an article is asked no more


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """The decision to read one URL: why, with which validators, not before `start`, and under which lease."""

    url: str
    reason: Literal["feed", "article", "push"]
    start: datetime
    lease: str = ""
    lease_ends: datetime
    source: Source = field(default_factory=Source)
    article: str | None = None  # the article's key, for reason "article" and "push"
    guid: str | None = None  # the feed entry that named the article
    etag: str | None = None  # sent as If-None-Match; both None on an unconditional read
    last_modified: str | None = None  # sent as If-Modified-Since
    content_hash: str | None = None  # the wording that a 304 would confirm
    ledger_version: int | None = None
    fingerprint: str | None = None  # by which a page that says the same is told (`wirewatch.fingerprint`)
    audit: bool = False  # read the page in full all the same, and see whether the fingerprint was right


@dataclass(frozen=True, kw_only=True, slots=True)
class Capture:
    """What came back, or did not: `status` is None and `problem` says why where there was no answer.

    `headers` has lower-case names. `redirects` are the addresses between `url` and `final_url`, in order.
    `moved` says that every redirect on the way was permanent (301, 308), so that `final_url` is the one to ask from now
    on. `not_modified` is the content hash that a 304 confirms. `refused` marks a request that was never made.
    """

    url: str
    observed: datetime
    final_url: str | None = None
    redirects: tuple[str, ...] = ()
    moved: bool = False
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    not_modified: str | None = None
    problem: str | None = None
    refused: bool = False
    retry_after_seconds: float | None = None
    feed: str | None = None
    guid: str | None = None

    def header(self, name: str) -> str | None:
        """Return the first header of that (lower-case) name, or None."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A time that the publisher states, and where it was read.

    `zone` says whether the publisher stated a zone, the configuration gave it, or it was assumed: UTC where there is
    none, the commonest meaning of a name that has several. `flags` are from a closed list: `future`,
    `before_published`, `as_published`, `unreadable`, `relative`, `no_time`. A claim that could not be read keeps its
    words in `raw` and has no `at`.
    """

    kind: Literal["published", "modified"]
    at: datetime | None
    where: Literal["json-ld", "meta", "time", "text", "feed"]
    zone: Literal["stated", "configured", "assumed"]
    raw: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Alias:
    """A name under which a capture's article is known, with the kind of evidence.

    `name` is a normalised URL, or `FEED-URL#guid=GUID` for a guid.
    """

    kind: Literal["asked", "redirect", "canonical", "guid"]
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """The fields that are compared, exactly as read; blank lines divide the paragraphs and sub-headings of `body`."""

    headline: str | None = None
    standfirst: str | None = None
    byline: str | None = None
    section: str | None = None
    dateline: str | None = None
    body: str | None = None
    caption: str | None = None
    credit: str | None = None
    correction: str | None = None

    def present(self) -> dict[str, str]:
        """Return the fields that are there, by name, in their fixed order."""
        return {name: text for name in WORDING_FIELDS if (text := getattr(self, name))}


WORDING_FIELDS: Final = tuple(f.name for f in fields(Wording))


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a page states beside the compared words; goes into records, never into a comparison."""

    language: str | None = None
    publisher: str | None = None
    canonical_url: str | None = None
    image_url: str | None = None
    subheadings: tuple[str, ...] = ()
    content_type: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """Everything one capture says about one article.

    `url` is the normalised URL asked. `content_hash` is over the comparable form of the wording, `text_hash` over its
    exact form, and `length` counts the characters of the body's comparable form: all three are worked out where the
    page is read, in a bounded process. A 304 carries the content hash it confirms and no wording. `page_hash` is the
    SHA-256 of the bytes; `keep_page` is False where the page says `noarchive`.

    `fingerprint` is by what the next page that says the same is told. `short_cut` says that the last one was asked:
    it was `taken`, and then there is no wording, or the page was read all the same and it was `right` or `wrong`.
    """

    url: str
    observed: datetime
    seen: Seen
    detail: str = ""
    wording: Wording | None = None
    content_hash: str | None = None
    text_hash: str | None = None
    length: int = 0
    claims: tuple[Claim, ...] = ()
    aliases: tuple[Alias, ...] = ()
    facts: Facts = field(default_factory=Facts)
    flags: tuple[str, ...] = ()
    paywalled: bool = False
    extractor: str | None = None
    page_hash: str | None = None
    keep_page: bool = True
    track: Track = Track.PAGES
    fingerprint: str | None = None
    short_cut: Literal["", "taken", "right", "wrong"] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a feed. `identity` is its guid where that is non-empty and unique in the document, else its link."""

    identity: str
    guid: str | None = None
    link: str | None = None
    title: str | None = None
    summary: str | None = None
    byline: str | None = None
    section: str | None = None
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedReading:
    """Everything one capture says about a feed. `problem` says why it could not be read; `entries` are then empty.

    `polite_seconds` is the longest wait that the feed or its headers ask for (`ttl`, `sy:update*`, `Cache-Control`,
    `Expires`, `Retry-After`).
    """

    url: str
    observed: datetime
    seen: Seen
    detail: str = ""
    problem: str | None = None
    title: str | None = None
    language: str | None = None
    entries: tuple[Entry, ...] = ()
    flags: tuple[str, ...] = ()
    polite_seconds: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """The little that is kept of every capture of an article: its place in time, what was seen, and the claims."""

    observed: datetime
    url: str
    seen: Seen
    detail: str = ""
    content_hash: str | None = None
    text_hash: str | None = None
    length: int = 0  # of the body, in characters of its comparable form
    claims: tuple[Claim, ...] = ()
    flags: tuple[str, ...] = ()
    paywalled: bool = False
    extractor: str | None = None
    page_hash: str | None = None
    track: Track = Track.PAGES


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A wording that differs from the one before it in time.

    `version` is its place now and part of no id. `first_observed` and `last_observed` are the first and last time this
    wording was seen before the next one. `modified` is the claim at first sight, `stamp` the last one, after restamps.
    `technical` marks a difference that may be the extractor's and announces nothing.
    """

    id: str
    article: str
    version: int
    occurrence: int
    content_hash: str
    text_hash: str
    url: str
    first_observed: datetime
    last_observed: datetime
    first_created: datetime
    version_created: datetime
    published: Claim | None = None
    modified: Claim | None = None
    stamp: Claim | None = None
    earlier_wording_unseen: bool = False
    technical: bool = False
    extractor: str | None = None
    page_hash: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Selector:
    """Where a hunk lies in one side's text, as a Web Annotation text quote and position; offsets in code points."""

    exact: str
    prefix: str
    suffix: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Hunk:
    """One change inside one field. `move` numbers the two halves of a moved sentence alike."""

    field: str
    op: Literal["insert", "delete", "replace"]
    old: Selector
    new: Selector
    move: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Diff:
    """What changed from one wording to the next, field by field. Applying `hunks` to the old text gives the new one."""

    hunks: tuple[Hunk, ...]
    words_added: int
    words_removed: int
    similarity: float  # 0 to 1, over the characters of the body, or of all fields where there is no body

    @property
    def changed_fields(self) -> tuple[str, ...]:
        changed = {hunk.field for hunk in self.hunks}
        return tuple(name for name in WORDING_FIELDS if name in changed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One exact reason why a change may matter: which field and hunk, and the words where there are any.

    `start` is where `new` stands in the new text, given where that is not inside the hunk: a `corrected` sentence.
    """

    kind: str
    field: str
    hunk: int
    old: str | None = None
    new: str | None = None
    start: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a diff means: whether it was said openly, the IPTC signal, how much it matters, and the reasons.

    `score` is between 0 and 1; it and the class follow from the reasons.
    """

    disclosure: Literal["disclosed", "undisclosed", "unknown"]
    signal: Literal["update", "correction"]
    significance_class: Literal["minor", "notable", "major"]
    score: float
    reasons: tuple[Reason, ...] = ()
