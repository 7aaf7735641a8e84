"""Make the pages that say how well is watched: feeds, and how publishers edit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final, Literal

from sqlalchemy.engine import Connection

from wirewatch.model import WORDING_FIELDS
from wirewatch.redline import HEADINGS
from wirewatch.store import browsing, frontier, health
from wirewatch.store.browsing import Narrowing
from wirewatch.store.feeds import FeedHealth, all_health
from wirewatch.store.health import FeedSight, Sight
from wirewatch.store.hosts import host_of
from wirewatch.units import duration_text
from wirewatch.viewer import filters
from wirewatch.viewer.articles import NotThere
from wirewatch.viewer.lists import LINES, Library, feed_href, lines, publisher_href, reference
from wirewatch.viewer.models import (
    ArticleRef,
    Bucket,
    Day,
    FeedPage,
    FeedRow,
    Feeds,
    Filters,
    HostRow,
    PublisherPage,
    PublisherRow,
    Publishers,
)

DAYS: Final = 30
MOST_DAYS: Final = 366
_LATE: Final = timedelta(minutes=5)
_QUIET_GAPS: Final = 5  # times the usual gap between two news of a feed, as for the operator's alerts
_LEAST_GAPS: Final = 5
_QUIET_FOR: Final = timedelta(hours=5)
_FIRST: Final = {"failing": 0, "quiet": 1, "new": 2, "well": 3, "paused": 4}
_ARTICLES: Final = 20  # of a feed's page
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS: Final = {1: "1 hour", 3: "3 hours", 6: "6 hours", 12: "12 hours", 24: "1 day", 72: "3 days", 168: "1 week"}


def feeds(library: Library, conn: Connection, now: datetime) -> Feeds:
    """Return all feeds, those in trouble first."""
    sight, blocked = health.sight(conn, now, _QUIET_FOR), browsing.hosts_blocked(conn, now)
    rows = _rows(conn, all_health(conn), sight, blocked, now)
    blind = {one.host: one for one in sight.hosts}
    passes = sight.passes.completed
    due = frontier.due_in(conn, now=now)
    return Feeds(
        feeds=tuple(sorted(rows, key=lambda row: (_FIRST[row.state], -row.failures, row.name or row.url))),
        hosts=tuple(
            HostRow(
                host=host,
                blocked_until=blocked.get(host),
                unreadable=blind[host].blind if host in blind else 0,
                pages=blind[host].pages if host in blind else 0,
            )
            for host in sorted({*blind, *blocked})
        ),
        last_pass=passes[-1] if passes else None,
        waiting=due.feeds + due.articles + due.inbox,
        next_due=due.next_due,
    )


def feed(library: Library, conn: Connection, url: str, now: datetime) -> FeedPage:
    """Return one feed with its newest articles and changes; raise NotThere where it is not watched."""
    known = [one for one in all_health(conn) if one.url == url]
    if not known:
        raise NotThere("No feed of that address is watched.")
    sight, blocked = health.sight(conn, now, _QUIET_FOR), browsing.hosts_blocked(conn, now)
    (row,) = _rows(conn, known, sight, blocked, now)
    newest = browsing.articles_of_feed(conn, url, _ARTICLES)
    texts = browsing.headlines(conn, [(one.key, one.text_hash) for one in newest if one.text_hash])
    told = browsing.listed(conn, Narrowing(feed=url), limit=LINES)
    return FeedPage(
        feed=row,
        articles=tuple(_article(library, one, texts.get(one.key), known[0]) for one in newest),
        changes=lines(library, conn, told),
        all_changes=f"/{filters.query(Filters(feed=url))}",
    )


def publishers(conn: Connection, days: int, now: datetime) -> Publishers:
    """Return how each publisher edited in the last days."""
    first, since = browsing.first_day(now, days)
    counted, new = browsing.publishers(conn, since), browsing.new_articles(conn, since)
    names = browsing.publisher_names(conn, [row.host for row in counted])
    daily = _by_what(browsing.daily(conn, "host", since))
    rows = [_publisher(row, names.get(row.host), new, _days(first, days, daily.get(row.host, ()))) for row in counted]
    return Publishers(period_days=days, publishers=tuple(rows))


def publisher(library: Library, conn: Connection, host: str, days: int, now: datetime) -> PublisherPage:
    """Return how one publisher edited in the last days; raise NotThere where none of its changes is kept."""
    told = browsing.listed(conn, Narrowing(host=host), limit=LINES)
    if not told:
        raise NotThere("No change of that publisher is kept.")
    first, since = browsing.first_day(now, days)
    counted = browsing.publishers(conn, since, host)
    daily = _by_what(browsing.daily(conn, "host", since, host))
    new = browsing.new_articles(conn, since, host)
    shown = _days(first, days, daily.get(host, ()))
    row = (
        _publisher(counted[0], told[0].publisher, new, shown)
        if counted
        else PublisherRow(
            host=host, name=told[0].publisher, articles=new.get(host, 0), days=shown, href=publisher_href(host)
        )
    )
    return PublisherPage(
        period_days=days,
        publisher=row,
        delays=_buckets(browsing.spread(conn, host, since, "delay"), _delays()),
        classes=_buckets(
            browsing.spread(conn, host, since, "class"), [(one, one.capitalize()) for one in filters.CLOSED["class"]]
        ),
        fields=_buckets(browsing.spread(conn, host, since, "field"), [(one, HEADINGS[one]) for one in WORDING_FIELDS]),
        hours=_buckets(browsing.spread(conn, host, since, "hour"), [(hour, f"{hour:02}") for hour in range(24)]),
        changes=lines(library, conn, told),
        all_changes=f"/{filters.query(Filters(publisher=host))}",
    )


def _rows(
    conn: Connection, known: Sequence[FeedHealth], sight: Sight, blocked: Mapping[str, datetime], now: datetime
) -> list[FeedRow]:
    first, since = browsing.first_day(now, DAYS)
    only = known[0].url if len(known) == 1 else None
    reads: dict[str, dict[int, Any]] = defaultdict(dict)
    for row in browsing.days_of_feeds(conn, first, only):
        reads[row.feed][row.day] = row
    changed = _by_what(browsing.daily(conn, "feed", since, only))
    counts, sights = browsing.articles_by_feed(conn), {one.url: one for one in sight.feeds}
    return [
        FeedRow(
            url=one.url,
            name=one.source.feed_name,
            publisher=one.source.publisher,
            host=host_of(one.url),
            origin=one.origin,
            paused=one.paused,
            state=_state(one, sights.get(one.url), now),
            due=one.due_at,
            reads=one.reads,
            failures=one.failures,
            last_read=one.last_read,
            last_success=one.last_success,
            last_new=one.last_new,
            detail=one.detail,
            share_new=one.share_new,
            last_entry_count=one.last_entry_count,
            every_seconds=_every(one),
            slow=_slow(one, blocked.get(host_of(one.url)), now),
            articles=counts.get(one.url, 0),
            days=_days(first, DAYS, changed.get(one.url, ()), reads[one.url]),
            href=feed_href(one.url),
        )
        for one in known
    ]


def _state(
    one: FeedHealth, sight: FeedSight | None, now: datetime
) -> Literal["well", "failing", "quiet", "paused", "new"]:
    if one.paused:
        return "paused"
    if one.failures:
        return "failing"
    if one.reads == 0:
        return "new"
    gaps = sight.gaps_seconds if sight else ()
    if one.last_new is not None and len(gaps) >= _LEAST_GAPS:
        silent = max(_QUIET_GAPS * median(gaps), *gaps, _QUIET_FOR.total_seconds())
        if (now - one.last_new).total_seconds() > silent:
            return "quiet"
    return "well"


def _every(one: FeedHealth) -> float | None:
    return one.source.interval_seconds or one.gap_seconds


def _slow(one: FeedHealth, blocked_until: datetime | None, now: datetime) -> str | None:
    """Return in a sentence why a feed is read no more often, None where nothing holds it up."""
    if one.paused:
        return "It is paused: the configuration lists it no more, or somebody paused it."
    if blocked_until is not None:
        return f"Its host asked to be left alone until {blocked_until:%Y-%m-%d %H:%M} UTC."
    if one.failures:
        last = f" The last time: {one.detail}" if one.detail else ""
        times = "time" if one.failures == 1 else "times in a row"
        return f"It could not be read {one.failures:,} {times}, so it is asked less often.{last}"
    if one.due_at is not None and now - one.due_at > _LATE:
        return f"It is due since {one.due_at:%Y-%m-%d %H:%M} UTC: no job is running, or its host has more to read."
    every = _every(one)
    if one.polite_seconds and (every is None or one.polite_seconds >= every):
        return f"Its publisher asks for no more than one read in {duration_text(one.polite_seconds)}."
    if every is not None and not one.source.interval_seconds and every >= 6 * 3600:
        return f"It seldom brings anything, so it is read every {duration_text(every)}."
    return None


def _by_what(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.what].append(row)
    return found


def _days(first: int, days: int, changed: Iterable[Any], reads: Mapping[int, Any] | None = None) -> tuple[Day, ...]:
    counts = {row.day: row for row in changed}
    read = reads or {}
    return tuple(
        Day(
            day=_EPOCH + timedelta(days=day),
            reads=read[day].reads if day in read else 0,
            failures=read[day].failures if day in read else 0,
            entries=read[day].entries if day in read else 0,
            changes=counts[day].n if day in counts else 0,
            undisclosed=counts[day].silent if day in counts else 0,
        )
        for day in range(first, first + days)
    )


def _publisher(row: Any, name: str | None, new: Mapping[str, int], days: tuple[Day, ...]) -> PublisherRow:
    told = row.disclosed + row.undisclosed
    return PublisherRow(
        host=row.host,
        name=name,
        articles=new.get(row.host, 0),
        changed_articles=row.changed_articles,
        changes=row.changes,
        disclosed=row.disclosed,
        undisclosed=row.undisclosed,
        unknown=row.unknown,
        major=row.major,
        corrections=row.corrections,
        undisclosed_share=row.undisclosed / told if told else None,
        median_after_seconds=None if row.median_us is None else row.median_us / 1_000_000,
        days=days,
        href=publisher_href(row.host),
    )


def _delays() -> list[tuple[int, str]]:
    return [(hours, f"within {_HOURS.get(hours, '30 days')}") for hours in browsing.DELAYS] + [(0, "later")]


def _buckets(rows: Iterable[Any], labels: Iterable[tuple[Any, str]]) -> tuple[Bucket, ...]:
    counts = {row.what: row for row in rows}
    return tuple(
        Bucket(
            label=label,
            count=counts[value].n if value in counts else 0,
            undisclosed=counts[value].silent if value in counts else 0,
        )
        for value, label in labels
    )


def _article(library: Library, row: Any, text: tuple[Any, Any] | None, feed: FeedHealth) -> ArticleRef:
    wording, facts = text or ({}, {})
    return reference(
        library,
        row.key,
        url=row.url,
        host=row.host,
        headline=wording.get("headline"),
        publisher=feed.source.publisher or facts.get("publisher"),
        language=facts.get("language"),
        feed=feed.url,
    )
