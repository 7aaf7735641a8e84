"""Answer what readers ask of a store: lists of changes, one article, how feeds and publishers do.

Every list is read by an index from where the last one ended and never by counting past rows, so page 1,000 costs what
the first one does. Whoever asks gives a time limit (`limited`), which stops a statement while it runs.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Connection
from sqlalchemy.sql import operators

from wirewatch.errors import TookTooLong
from wirewatch.store import Store, searching
from wirewatch.store.changes import place_at
from wirewatch.store.searching import Term
from wirewatch.store.tables import (
    alerts,
    articles,
    change_fields,
    changes,
    dead_letters,
    diffs,
    feed_days,
    feeds,
    hosts,
    observations,
    outbox,
    pages,
    revisions,
    wordings,
)

_LOOKS: Final = 2_000  # virtual instructions of SQLite between two looks at the clock: some 20 µs
_VALUES: Final = 500  # of a filter that are offered
_DAY_OF_PLACES: Final = 86_400_000_000 * 2048
_COLUMNS: Final = tuple(column for column in changes.c if column.name != "words")
# Filters in the order in which their indexes narrow: a feed has fewer changes than a language.
_EXACT: Final = ("feed", "host", "language", "class", "disclosure", "signal")


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrowing:
    """What changes are asked for; None narrows nothing. `since` is included, `until` is not."""

    terms: tuple[Term, ...] = ()
    host: str | None = None
    feed: str | None = None
    language: str | None = None
    field: str | None = None
    class_: str | None = None
    disclosure: str | None = None
    signal: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    article: str | None = None


@contextmanager
def limited(store: Store, seconds: float) -> Iterator[Connection]:
    """Give a reading connection whose statements are stopped after so many seconds, with TookTooLong."""
    try:
        with store.reading() as conn:
            if conn.dialect.name == "postgresql":
                conn.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
                yield conn
                return
            driver: Any = conn.connection.driver_connection
            end = time.monotonic() + seconds
            driver.set_progress_handler(lambda: time.monotonic() > end, _LOOKS)
            try:
                yield conn
            except exc.OperationalError as error:
                if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
                    raise TookTooLong(_too_long(seconds)) from error
                raise
            finally:
                driver.set_progress_handler(None, 0)
    except Exception as error:
        cause = error.__cause__
        if getattr(cause, "sqlstate", None) == "57014":
            raise TookTooLong(_too_long(seconds)) from error
        raise


def _too_long(seconds: float) -> str:
    return f"Looking this up was stopped after {seconds:g} seconds."


def state(conn: Connection) -> str:
    """Return what is another as soon as anything was written; of SQLite, compare it on one connection only."""
    if conn.dialect.name == "sqlite":
        return str(conn.exec_driver_sql("PRAGMA data_version").scalar())
    return str(conn.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar())


# Changes


def listing(conn: Connection, narrowing: Narrowing, *, before: int | None, limit: int) -> sa.Select[Any]:
    """Return the query of changes, newest first, that stand before a place."""
    wanted = {
        "feed": narrowing.feed,
        "host": narrowing.host,
        "language": narrowing.language,
        "class": narrowing.class_,
        "disclosure": narrowing.disclosure,
        "signal": narrowing.signal,
    }
    query: sa.Select[Any] = sa.select(*_COLUMNS)
    place: Any = changes.c.place
    leads = not narrowing.terms and narrowing.article is None  # whether the next condition may choose the index
    if narrowing.terms:
        query, place = searching.joined(conn, query, narrowing.terms), searching.place_of(conn)
    elif narrowing.field is not None and not any(wanted[name] for name in ("feed", "host")):
        query = query.join_from(change_fields, changes, changes.c.place == change_fields.c.place)
        query, place, leads = query.where(change_fields.c.field == narrowing.field), change_fields.c.place, False
    if narrowing.field is not None and place is not change_fields.c.place:
        has = sa.exists().where(change_fields.c.field == narrowing.field, change_fields.c.place == changes.c.place)
        query = query.where(has)
    if narrowing.article is not None:
        query = query.where(changes.c.article == narrowing.article)
    for name in _EXACT:
        if wanted[name] is not None:
            query = query.where(_as_filter(conn, changes.c[name], lead=leads) == wanted[name])
            leads = False
    if narrowing.since is not None:
        query = query.where(place >= place_at(narrowing.since))
    if narrowing.until is not None:
        query = query.where(place < place_at(narrowing.until))
    if before is not None:
        query = query.where(place < before)
    return query.order_by(place.desc()).limit(limit)


def listed(conn: Connection, narrowing: Narrowing, *, before: int | None = None, limit: int) -> Sequence[Any]:
    """Return changes, newest first, that stand before a place."""
    return conn.execute(listing(conn, narrowing, before=before, limit=limit)).all()


def _as_filter(conn: Connection, column: sa.Column[Any], *, lead: bool) -> Any:
    """Return a column to compare; one that is not to lead is hidden from SQLite's choice among indexes.

    SQLite knows nothing of how many rows each has, and went through 300,000 of a class for 10 of a feed.
    """
    if lead or conn.dialect.name != "sqlite":
        return column
    return sa.UnaryExpression(column, operator=operators.custom_op("+"), type_=column.type)


def diffs_of(conn: Connection, ids: Collection[str]) -> dict[str, Any]:
    """Return of each diff its revisions and how often it was announced or taken back, by id."""
    columns = (diffs.c.id, diffs.c.old_revision, diffs.c.new_revision, diffs.c.announced)
    return {row.id: row for row in conn.execute(sa.select(*columns).where(diffs.c.id.in_(ids)))}


def revisions_of(conn: Connection, ids: Collection[str]) -> dict[str, Any]:
    """Return revisions by id, without their bodies."""
    columns = [column for column in revisions.c if column.name != "body"]
    return {row.id: row for row in conn.execute(sa.select(*columns).where(revisions.c.id.in_(ids)))}


def articles_of(conn: Connection, keys: Collection[str]) -> dict[str, Any]:
    """Return articles' rows by key."""
    columns = (articles.c.key, articles.c.url, articles.c.host, articles.c.text_hash)
    return {row.key: row for row in conn.execute(sa.select(*columns).where(articles.c.key.in_(keys)))}


def values(conn: Connection, name: str) -> list[str]:
    """Return the values of a filter that occur, sorted; each is found by one look into its index."""
    column = changes.c[name]
    first = sa.select(sa.func.min(column).label("value")).cte("found", recursive=True)
    following = sa.select(sa.func.min(column)).where(column > first.c.value).scalar_subquery()
    found = first.union_all(sa.select(following).where(first.c.value.is_not(None)))
    query = sa.select(found.c.value).where(found.c.value.is_not(None)).limit(_VALUES)
    return list(conn.scalars(query))


def publisher_names(conn: Connection, names: Sequence[str]) -> dict[str, str | None]:
    """Return by host the publisher's name that its newest change has."""
    newest = sa.select(changes.c.publisher).where(changes.c.host == sa.bindparam("host"))
    query = newest.order_by(changes.c.place.desc()).limit(1)
    return {host: conn.scalar(query, {"host": host}) for host in names}


def any_of(conn: Connection, table: str) -> int:
    """Return 1 where a table has a row, else 0."""
    return 1 if conn.scalar(sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)) else 0


# One article


def article_row(conn: Connection, key: str) -> Any:
    """Return an article's row, or None."""
    return conn.execute(sa.select(articles).where(articles.c.key == key)).one_or_none()


def revision_rows(conn: Connection, article: str) -> Sequence[Any]:
    """Return an article's revisions, oldest first."""
    query = sa.select(revisions.c.id, revisions.c.body).where(revisions.c.article == article)
    return conn.execute(query.order_by(revisions.c.first_observed, revisions.c.version)).all()


def article_of_revision(conn: Connection, revision: str) -> str | None:
    """Return the key of the article that has this revision, or None."""
    found: str | None = conn.scalar(sa.select(revisions.c.article).where(revisions.c.id == revision))
    return found


def wording_rows(conn: Connection, article: str, hashes: Collection[str]) -> dict[str, Any]:
    """Return an article's texts by their hash."""
    query = sa.select(wordings.c.text_hash, wordings.c.wording, wordings.c.facts)
    query = query.where(wordings.c.article == article, wordings.c.text_hash.in_(hashes))
    return {row.text_hash: row for row in conn.execute(query)}


def count_observations(conn: Connection, article: str) -> int:
    """Return how often an article was observed."""
    return conn.scalar(sa.select(sa.func.count()).where(observations.c.article == article)) or 0


def latest_observations(conn: Connection, article: str, limit: int) -> Sequence[Any]:
    """Return when and what was last seen of an article, newest first."""
    columns = (observations.c.observed, observations.c.seen, observations.c.content_hash)
    query = sa.select(*columns).where(observations.c.article == article)
    return conn.execute(query.order_by(observations.c.observed.desc()).limit(limit)).all()


def observation_at(conn: Connection, article: str, observed: datetime, content_hash: str) -> Any:
    """Return the whole observation of a wording at a moment, or None."""
    query = sa.select(observations.c.body).where(observations.c.article == article, observations.c.observed == observed)
    return conn.scalars(query.where(observations.c.content_hash == content_hash).limit(1)).first()


def count_sights(conn: Connection, article: str, content_hash: str, first: datetime, last: datetime) -> int:
    """Return how often a wording was seen between two moments."""
    o = observations.c
    query = sa.select(sa.func.count()).where(o.article == article, o.content_hash == content_hash)
    return conn.scalar(query.where(o.observed.between(first, last))) or 0


def neighbours(conn: Connection, old: str, new: str) -> Any:
    """Return the live diff between two revisions that follow each other, or None."""
    columns = (diffs.c.id, diffs.c.diff, diffs.c.verdict, diffs.c.announced)
    query = sa.select(*columns).where(diffs.c.new_revision == new, diffs.c.old_revision == old, diffs.c.live)
    article = sa.select(revisions.c.article).where(revisions.c.id == new).scalar_subquery()
    return conn.execute(query.where(diffs.c.article == article)).one_or_none()


def sentence_of(conn: Connection, diff: str) -> str | None:
    """Return what a change says in a sentence, where that was kept."""
    found: str | None = conn.scalar(sa.select(changes.c.sentence).where(changes.c.diff == diff))
    return found


def payload(conn: Connection, kind: str, item: str) -> str | None:
    """Return a record by its revision's id, or an event by its own, as it left."""
    query = sa.select(outbox.c.payload).where(outbox.c.kind == kind, outbox.c.item == item)
    found: str | None = conn.scalar(query)
    return found or None  # without its words it is not kept


def page_facts(conn: Connection, hashes: Collection[str]) -> dict[str, Any]:
    """Return what is known of kept pages by hash, without their bytes."""
    columns = (pages.c.hash, pages.c.size, pages.c.content_type, pages.c.kept, pages.c.headers)
    return {row.hash: row for row in conn.execute(sa.select(*columns).where(pages.c.hash.in_(hashes)))}


def events_since(conn: Connection, after: int, limit: int) -> Sequence[Any]:
    """Return events behind a place in the outbox, in the order in which they were recorded.

    On PostgreSQL an id may be given before another and be seen after it: what a running transaction could still come
    before is held back until it has ended.
    """
    query = sa.select(outbox.c.id, outbox.c.payload).where(outbox.c.kind == "event", outbox.c.id > after)
    query = query.where(outbox.c.payload != "")
    if conn.dialect.name == "postgresql":
        settled = "age(outbox.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)"
        query = query.where(sa.text(settled))
    return conn.execute(query.order_by(outbox.c.id).limit(limit)).all()


# Feeds and publishers


def days_of_feeds(conn: Connection, first_day: int, feed: str | None = None) -> Sequence[Any]:
    """Return reads, failures and new entries by feed and day, since a day."""
    query = sa.select(feed_days).where(feed_days.c.day >= first_day)
    return conn.execute(query if feed is None else query.where(feed_days.c.feed == feed)).all()


def daily(conn: Connection, by: str, since: datetime, value: str | None = None) -> Sequence[Any]:
    """Return how many changes each feed or host had on each day, and how many of them undisclosed."""
    column, day = changes.c[by], _whole(changes.c.place, _DAY_OF_PLACES)
    undisclosed = sa.func.sum(sa.case((changes.c.disclosure == "undisclosed", 1), else_=0))
    query = sa.select(column.label("what"), day.label("day"), sa.func.count().label("n"), undisclosed.label("silent"))
    query = query.where(changes.c.place >= place_at(since), column.is_not(None))
    if value is not None:
        query = query.where(column == value)
    return conn.execute(query.group_by(column, day)).all()


def articles_by_feed(conn: Connection) -> dict[str, int]:
    """Return how many articles each feed has."""
    query = sa.select(articles.c.feed, sa.func.count()).where(articles.c.feed.is_not(None)).group_by(articles.c.feed)
    return {row[0]: row[1] for row in conn.execute(query)}


def hosts_blocked(conn: Connection, now: datetime) -> dict[str, datetime]:
    """Return the hosts that asked to be left alone, and until when."""
    query = sa.select(hosts.c.host, hosts.c.blocked_until).where(hosts.c.blocked_until > now)
    return {row.host: row.blocked_until for row in conn.execute(query)}


def articles_of_feed(conn: Connection, feed: str, limit: int) -> Sequence[Any]:
    """Return the articles of a feed that were first seen last."""
    query = sa.select(articles.c.key, articles.c.url, articles.c.host, articles.c.text_hash, articles.c.first_seen)
    query = query.where(articles.c.feed == feed, articles.c.merged_into.is_(None), articles.c.first_seen.is_not(None))
    return conn.execute(query.order_by(articles.c.first_seen.desc()).limit(limit)).all()


def headlines(conn: Connection, texts: Collection[tuple[str, str]]) -> dict[str, tuple[Any, Any]]:
    """Return wording and facts by article, for pairs of article and text hash."""
    wanted = sa.tuple_(wordings.c.article, wordings.c.text_hash).in_(texts)
    query = sa.select(wordings.c.article, wordings.c.wording, wordings.c.facts).where(wanted)
    return {row.article: (row.wording, row.facts) for row in conn.execute(query)} if texts else {}


def publishers(conn: Connection, since: datetime, host: str | None = None) -> Sequence[Any]:
    """Return, by host, what was changed since a time: counts, and the middle of the times after publication."""
    c = changes.c

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    rank = sa.func.row_number().over(partition_by=c.host, order_by=c.delay_us)
    total = sa.func.count().over(partition_by=c.host)
    rows = sa.select(c.host, c.article, c.disclosure, c["class"], c.signal, c.delay_us, rank.label("rank"))
    rows = rows.add_columns(total.label("total")).where(c.place >= place_at(since))
    if host is not None:
        rows = rows.where(c.host == host)
    one = rows.subquery().c
    middle = sa.case((sa.or_(one.rank * 2 == one.total, one.rank * 2 == one.total + 1), one.delay_us))
    query = sa.select(
        one.host,
        sa.func.count().label("changes"),
        sa.func.count(one.article.distinct()).label("changed_articles"),
        count(one.disclosure == "disclosed").label("disclosed"),
        count(one.disclosure == "undisclosed").label("undisclosed"),
        count(one.disclosure == "unknown").label("unknown"),
        count(one["class"] == "major").label("major"),
        count(one.signal == "correction").label("corrections"),
        sa.func.min(middle).label("median_us"),
    )
    return conn.execute(query.group_by(one.host).order_by(sa.desc("changes"), one.host).limit(_VALUES)).all()


def new_articles(conn: Connection, since: datetime, host: str | None = None) -> dict[str, int]:
    """Return how many articles of each host were first seen since a time."""
    query = sa.select(articles.c.host, sa.func.count()).where(articles.c.first_seen >= since)
    if host is not None:
        query = query.where(articles.c.host == host)
    return {row[0]: row[1] for row in conn.execute(query.group_by(articles.c.host))}


def spread(conn: Connection, host: str, since: datetime, by: str) -> Sequence[Any]:
    """Return a host's changes since a time, counted by `hour`, `class`, `field` or `delay` (its bounds in hours)."""
    c = changes.c
    silent = sa.func.sum(sa.case((c.disclosure == "undisclosed", 1), else_=0)).label("silent")
    what: Any
    if by == "hour":
        what = _whole(c.place, _DAY_OF_PLACES // 24) % sa.literal_column("24")
    elif by == "class":
        what = c["class"]
    elif by == "field":
        what = change_fields.c.field
    else:
        what = sa.case(*((c.delay_us <= hours * 3_600_000_000, hours) for hours in DELAYS), else_=0)
    query = sa.select(what.label("what"), sa.func.count().label("n"), silent)
    if by == "field":
        query = query.join_from(changes, change_fields, change_fields.c.place == c.place)
    query = query.where(c.host == host, c.place >= place_at(since)).group_by(what)
    return conn.execute(query).all()


DELAYS: Final = (1, 3, 6, 12, 24, 72, 168, 720)
"""Bounds, in hours, of the bars that tell how long after its publication an article is changed."""


def _whole(column: sa.ColumnElement[int], by: int) -> sa.ColumnElement[int]:
    """Return a whole number divided, rounded down; written out, so that it is the same expression each time."""
    return column // sa.literal_column(str(by), sa.BigInteger)


# Alerts and dead letters


def alerts_before(
    conn: Connection, *, state: str | None, channel: str | None, before: str | None, limit: int
) -> Sequence[Any] | None:
    """Return alerts, newest first, that come behind one in that order; None where there is no such one."""
    columns = [column for column in alerts.c if column.name not in ("body", "lease", "lease_ends", "perhaps_taken")]
    query = sa.select(*columns).order_by(alerts.c.created.desc(), alerts.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(alerts.c.state == state)
    if channel is not None:
        query = query.where(alerts.c.channel == channel)
    if before is not None:
        created = conn.scalar(sa.select(alerts.c.created).where(alerts.c.id == before))
        if created is None:
            return None
        same = sa.and_(alerts.c.created == created, alerts.c.id < before)
        query = query.where(sa.or_(alerts.c.created < created, same))
    return conn.execute(query).all()


def alert_row(conn: Connection, name: str) -> Any:
    """Return one alert without its body, or None."""
    columns = [column for column in alerts.c if column.name not in ("body", "lease", "lease_ends", "perhaps_taken")]
    return conn.execute(sa.select(*columns).where(alerts.c.id == name)).one_or_none()


def channel_names(conn: Connection) -> list[str]:
    """Return the channels that were ever told something, or are to be."""
    return sorted(conn.scalars(sa.select(alerts.c.channel).distinct()))


def letters_before(conn: Connection, *, before: int | None, with_replayed: bool, limit: int) -> Sequence[Any]:
    """Return dead letters, newest first, older than one; without their captures."""
    columns = [column for column in dead_letters.c if column.name != "capture"]
    replayable = dead_letters.c.capture.is_not(None).label("replayable")
    query = sa.select(*columns, replayable).order_by(dead_letters.c.id.desc()).limit(limit)
    if not with_replayed:
        query = query.where(dead_letters.c.replayed.is_(None))
    if before is not None:
        query = query.where(dead_letters.c.id < before)
    return conn.execute(query).all()


def first_day(now: datetime, days: int) -> tuple[int, datetime]:
    """Return the first of so many days that end today: counted since 1970, and when it began."""
    began = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    return int(began.timestamp()) // 86_400, began


def any_feed(conn: Connection) -> int:
    """Return how many feeds there are."""
    return conn.scalar(sa.select(sa.func.count()).select_from(feeds)) or 0
