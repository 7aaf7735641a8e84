"""Turn the model of a page into the page: one template each, and the few words that all of them share.

Every text of a publisher's is escaped, because every text is: what a filter returns as `Markup` was built by
`Markup.format`. A name that a model does not have is an error and never an empty place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wirewatch.model import Claim, Facts, Reason, Source
from wirewatch.records import stated_language, web_address
from wirewatch.redline import HEADINGS, visible
from wirewatch.significance.weights import WEIGHTS
from wirewatch.viewer import drawing, redlines
from wirewatch.viewer.markup import filled
from wirewatch.viewer.models import Article, Bucket, Day, PublisherRow, Verdict, Visit
from wirewatch.wording.language import span

# A sign and words for each of a closed list, and a sentence that explains it.
DISCLOSURES: Final = {
    "disclosed": ("✓", "Disclosed", "The publisher moved its time stamp on, or noted the change."),
    "undisclosed": ("✕", "Not disclosed", "The publisher shows a time stamp, and it did not move on."),
    "unknown": ("?", "Disclosure unknown", "The publisher shows no time stamp that could tell."),
}
CLASSES: Final = {"major": ("▲", "Major"), "notable": ("△", "Notable"), "minor": ("·", "Minor")}
AVAILABILITIES: Final = {
    "available": ("✓", "Available"),
    "suspect": ("?", "Suspect: the page lost most of its text"),
    "blocked": ("✕", "Blocked: the site does not let us read it"),
    "paywalled": ("¤", "Behind a paywall; only the visible part is known"),
    "missing": ("?", "Missing, not yet confirmed"),
    "gone": ("✕", "Gone from its address"),
    "failing": ("!", "Failing: the site answers with errors"),
    "refused": ("✕", "Refused: robots.txt or our own rules forbid it"),
}
STATES: Final = {
    "well": ("✓", "Well", "good"),
    "new": ("·", "New, not read yet", ""),
    "quiet": ("?", "Quiet for unusually long", "warn"),
    "failing": ("!", "Failing", "bad"),
    "paused": ("‖", "Paused", ""),
    "sent": ("✓", "Sent", "sent"),
    "waiting": ("…", "Waiting", "waiting"),
    "dead": ("✕", "Given up", "dead"),
}
OUTCOMES: Final = {
    "new": "first seen",
    "revised": "revised",
    "unchanged": "read again, nothing changed",
    "restamped": "new time stamp, no word changed",
    "not_modified": "not modified (HTTP 304)",
    "duplicate": "the same capture again",
    "stale": "an older wording came back, waiting for confirmation",
    "suspect": "most of the text was missing",
    "gone": "gone",
    "blocked": "blocked",
    "failed": "failed",
    "refused": "not asked",
    "invalid": "no article found on the page",
}
_WHERE: Final = {
    "json-ld": "in the page’s JSON-LD",
    "meta": "in the page’s metadata",
    "time": "in a time element",
    "text": "in the printed text",
    "feed": "in the feed",
}
_ZONES: Final = {
    "stated": "zone stated",
    "configured": "zone from the configuration",
    "assumed": "zone assumed",
}
_NO_PLACE: Final = frozenset({"unreadable", "relative", "no_time"})  # a claim of this kind is at no moment
_REASONS: Final = 12  # quoted of one kind
_KIBI: Final = 1024
_TIMES: Final = 4096  # kept as HTML; a list of changes tells the same ones again and again


def render(template: str, page: object, visit: Visit) -> str:
    """Return a page as HTML; `page` is one of `wirewatch.viewer.models`, as its docstring pairs them."""
    return _environment().get_template(template).render(page=page, visit=visit)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("wirewatch.viewer"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        ago=ago,
        claimed=claimed,
        duration=duration,
        every=every,
        json=as_json,
        language_tag=language_tag,
        number=number,
        paragraph=redlines.paragraph,
        paragraphs=redlines.paragraphs_of,
        percent=percent,
        plural=plural,
        safe_href=web_address,
        sentence=sentence,
        size=size,
        stretch=stretch,
        time=time,
        visible=visible,
        window=window,
    )
    environment.globals.update(
        AVAILABILITIES=AVAILABILITIES,
        CLASSES=CLASSES,
        DISCLOSURES=DISCLOSURES,
        FIELDS=HEADINGS,
        OUTCOMES=OUTCOMES,
        STATES=STATES,
        asked=asked,
        meter=drawing.meter,
        days_plot=days_plot,
        disclosure_shares=disclosure_shares,
        excerpts=redlines.excerpts,
        buckets_plot=buckets_plot,
        rows=redlines.rows,
        stamps_of=stamps_of,
        timeline=timeline,
        why=why,
    )
    return environment


# Times


@lru_cache(maxsize=_TIMES)
def time(at: datetime, style: str = "full") -> Markup:
    """Return a time that scripts tell in the reader's zone; `style` is `full`, `clock`, `zoned` or `day`."""
    shown = {
        "full": _full(at),
        "clock": f"{_utc(at):%H:%M}",
        "zoned": f"{_utc(at):%H:%M} UTC",
        "day": f"{_utc(at):%-d %B %Y}",
    }[style]
    return filled(
        '<time datetime="{iso}" data-style="{style}" title="{title}">{shown}</time>',
        iso=_iso(at),
        style=style,
        title=f"{_utc(at):%-d %B %Y, %H:%M:%S} UTC",
        shown=shown,
    )


def ago(at: datetime, now: datetime) -> Markup:
    """Return how long ago a time is, or in how long it comes."""
    seconds = (now - at).total_seconds()
    far = span(abs(seconds))
    told = plural(far.count, far.unit)
    shown = "just now" if not far.count else f"{told} ago" if seconds > 0 else f"in {told}"
    return filled('<time datetime="{iso}" title="{title}">{shown}</time>', iso=_iso(at), title=_full(at), shown=shown)


@lru_cache(maxsize=_TIMES)
def window(begin: datetime, end: datetime) -> Markup:
    """Return between which two of our looks something happened."""
    if _utc(begin).date() != _utc(end).date():
        return filled("between {begin} and {end}", begin=time(begin), end=time(end))
    return filled("between {when}", when=_on_one_day(begin, end, "and"))


def stretch(begin: datetime, end: datetime) -> Markup:
    """Return from when to when something was seen."""
    if begin == end:
        return filled("once, {when}", when=time(begin))
    if _utc(begin).date() != _utc(end).date():
        return filled("{begin} to {end}", begin=time(begin), end=time(end))
    return _on_one_day(begin, end, "to")


def _on_one_day(begin: datetime, end: datetime, word: str) -> Markup:
    first, last, day = time(begin, "clock"), time(end, "zoned"), time(end, "day")
    return filled("{first} {word} {last} on {day}", first=first, word=word, last=last, day=day)


def duration(seconds: float) -> str:
    """Return a length of time in words: `63 minutes`, `3 days`."""
    far = span(seconds)
    return plural(far.count, far.unit)


def every(seconds: float) -> str:
    """Return an interval in words: `minute`, `15 minutes`."""
    return duration(seconds).removeprefix("1 ")


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _iso(at: datetime) -> str:
    return f"{_utc(at):%Y-%m-%dT%H:%M:%SZ}"


def _full(at: datetime) -> str:
    return f"{_utc(at):%-d %B %Y, %H:%M} UTC"


# Words


@lru_cache(maxsize=_TIMES)
def language_tag(language: str | None) -> str | None:
    """Return a language as HTML may name it, or None where what was stated has not the shape of one."""
    return stated_language(Facts(language=language), Source())


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{number(count)} {one if count == 1 else many or f'{one}s'}"


def number(count: float) -> str:
    """Return a number with a thin space between thousands."""
    return f"{count:,}".replace(",", "\u202f")


def percent(share: float) -> str:
    """Return a share of 0 to 1 in per cent."""
    return f"{share * 100:.0f} %"


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    if count < _KIBI:
        return f"{count} bytes"
    return f"{count / _KIBI:.0f} KiB" if count < _KIBI**2 else f"{count / _KIBI**2:.1f} MiB"


def sentence(text: str) -> str:
    """Return a clause as a sentence, with a capital and a full stop."""
    shown = visible(text.strip())
    return f"{shown[:1].upper()}{shown[1:]}{'' if shown.endswith(('.', '!', '?')) else '.'}"


def claimed(claim: Claim) -> str:
    """Return where a time was read, and what is known of its zone."""
    flags = "".join(f", {flag.replace('_', ' ')}" for flag in claim.flags)
    return f"{_WHERE[claim.where]}, {_ZONES[claim.zone]}{flags}"


def as_json(value: object) -> str:
    """Return a value as indented JSON."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _by_kind(found: Sequence[Reason]) -> list[tuple[str, str, list[Reason], int]]:
    """Return reasons by kind, in their order: kind, what it says, those that quote words, and how many more do."""
    kinds: dict[str, list[Reason]] = {}
    for reason in found:
        kinds.setdefault(reason.kind, []).append(reason)
    told = []
    for kind, of_kind in kinds.items():
        quoting = [reason for reason in of_kind if reason.old or reason.new]
        told.append((kind, WEIGHTS[kind].says, quoting[:_REASONS], max(len(quoting) - _REASONS, 0)))
    return told


def why(verdict: Verdict) -> Markup:
    """Return the reasons behind a change's class, to be unfolded."""
    found = _by_kind(verdict.reasons)
    if not found:
        return Markup("")
    return filled(
        '<details class="reasons"><summary>Why {weight}: {kinds}</summary><ul>{items}</ul></details>',
        weight=CLASSES[verdict.class_][1].lower(),
        kinds=", ".join(kind.replace("_", " ") for kind, *_ in found),
        items=Markup("").join(
            filled(
                "<li>{says} {quoted}{more}</li>",
                says=says,
                quoted=Markup("; ").join(_became(reason) for reason in quoting),
                more=f" And {more} more." if more else "",
            )
            for _, says, quoting, more in found
        ),
    )


def _became(reason: Reason) -> Markup:
    old, new = visible(reason.old or ""), visible(reason.new or "")
    if old and new:
        return filled("“<bdi>{old}</bdi>” became “<bdi>{new}</bdi>”", old=old, new=new)
    return filled("“<bdi>{text}</bdi>” {did}", text=new or old, did="came" if new else "went")


def asked(visit: Visit, name: str) -> str:
    """Return the last value of a part of the query, or nothing."""
    return parse_qs(visit.query).get(name, [""])[-1]


# Drawings


def timeline(page: Article) -> Markup:
    """Return an article's timeline."""
    before = {change.new.id: change for change in page.changes}
    dots = []
    for place, revision in enumerate(page.revisions):
        change = before.get(revision.id)
        since = change.not_before if change else page.revisions[place - 1].last_observed if place else None
        dots.append(
            drawing.Dot(
                at=revision.first_observed,
                version=revision.version,
                since=since,
                says=sentence(change.sentence) if change else "",
            )
        )
    outages = [
        drawing.Outage(since=one.first, until=one.last, says=AVAILABILITIES[one.availability][1])
        for one in page.standing
        if one.availability != "available"
    ]
    last = max([page.last_read or dots[-1].at, *(one.at for one in dots), *(one.until for one in outages if one.until)])
    stamps = [
        drawing.Stamp(
            at=at, kind="published" if claim.kind == "published" else "updated", raw=claim.raw, zone=claim.zone
        )
        for claim, at in stamps_of(page)
    ]
    return drawing.timeline(stamps, dots, outages, last_seen=last)


def stamps_of(page: Article) -> list[tuple[Claim, datetime]]:
    """Return each moment that the publisher has stated, once, in time, with the claim in the words of the page."""
    stated: dict[tuple[str, datetime], Claim] = {}
    for claim in _claims(page):
        if claim.at is None or _NO_PLACE & set(claim.flags):
            continue
        known = stated.get((claim.kind, claim.at))
        if known is None or (claim.where == "text" and known.where != "text"):
            stated[claim.kind, claim.at] = claim
    published = {at for kind, at in stated if kind == "published"}
    told = [(claim, at) for (kind, at), claim in stated.items() if kind == "published" or at not in published]
    return sorted(told, key=lambda one: one[1])


def _claims(page: Article) -> Iterator[Claim]:
    for revision in page.revisions:
        yield from (claim for claim in (revision.published, revision.modified, revision.stamp) if claim)
    yield from (sight.stamp for sight in page.sights if sight.stamp)


def days_plot(days: Sequence[Day], name: str, title: str, unit: str) -> Markup:
    """Return a plot of one figure of each day: `reads`, `failures`, `entries`, `changes` or `undisclosed`."""
    counts = [(f"{_utc(day.day):%-d %B}", float(getattr(day, name))) for day in days]
    return drawing.bars(counts, title=title, unit=unit, kind=name, ticks=[0, len(counts) - 1])


def buckets_plot(buckets: Sequence[Bucket], title: str, unit: str) -> Markup:
    """Return a plot of buckets, every sixth of which is named."""
    counts = [(one.label, float(one.count)) for one in buckets]
    return drawing.bars(counts, title=title, unit=unit, height=80, ticks=range(0, len(counts), 6))


def disclosure_shares(publisher: PublisherRow) -> Markup:
    """Return how much of a publisher's changes it disclosed, as one bar."""
    parts = [(name, DISCLOSURES[name][1], getattr(publisher, name)) for name in DISCLOSURES]
    return drawing.shares(parts, title="Changes by disclosure")
