"""What makes an article due: a feed's entry, somebody who watches it, a push.

An entry only says where to look and since when it is worth it; which article it is in the end, and what it says, is
decided when its page is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.canonical import article_key, canonical_json
from wirewatch.encoding import revive
from wirewatch.errors import SourceRefuses, Superseded
from wirewatch.model import Alias, Source
from wirewatch.store import Store
from wirewatch.store.frontier import due_now
from wirewatch.store.hosts import host_of
from wirewatch.store.sql import insert
from wirewatch.store.tables import aliases, articles, feeds
from wirewatch.store.types import short_name

# A statement of SQLite takes 32,766 values, and a feed of 15 MiB may have 50,000 entries.
_CHUNK: Final = 500
_Claim = tuple[str, str, Alias]  # article, address asked, name


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedEntry:
    """Where a feed's entry leads. `url` is normalised, `guid_name` is the guid's alias, `updated` the entry's own."""

    url: str
    guid: str | None = None
    guid_name: str | None = None
    updated: datetime | None = None


def upsert_entries(conn: Connection, feed: str, entries: Sequence[FeedEntry], now: datetime) -> int:
    """Make the articles of a feed's entries due where that is worth it; return how many were not known at all.

    Unknown ones are due now; so are those whose entry was updated since, those whose guid came with another link
    (which is followed), and those that no feed in use carried so far. Raises Superseded where two processes met, and
    BadContent for a link that is no address; take the whole feed again in the first case.
    """
    return sum(_upsert(conn, feed, entries[start : start + _CHUNK], now) for start in range(0, len(entries), _CHUNK))


def upsert_entry(conn: Connection, feed: str, entry: FeedEntry, now: datetime) -> bool:
    """Do what `upsert_entries` does for one; return whether the article was not known at all."""
    return upsert_entries(conn, feed, [entry], now) == 1


def watch(store: Store, url: str, source: Source, now: datetime) -> str:
    """Make the article at a normalised URL due now and keep it watched, with or without a feed; return its key."""
    with store.begin() as conn:
        return watch_within(conn, url, source, now)


def watch_within(conn: Connection, url: str, source: Source, now: datetime) -> str:
    """Do what `watch` does, inside the caller's transaction.

    Raise Superseded where two processes met, and SourceRefuses where the article is forgotten.
    """
    key = _owners(conn, [url]).get(short_name(url)) or article_key(url)
    if (when := conn.scalar(sa.select(articles.c.forgotten).where(articles.c.key == key))) is not None:
        raise SourceRefuses(
            f"{url} was forgotten on {when:%Y-%m-%d} and is not taken in again; `wirewatch show {url}` says why.",
            about=url,
        )
    new = insert(conn, articles).values(key=key, url=url, host=host_of(url), source=source, due_at=now)
    settings = sa.case((articles.c.feed.is_(None), new.excluded.source), else_=articles.c.source)
    conn.execute(
        new.on_conflict_do_update(index_elements=["key"], set_={"source": settings, "due_at": due_now(articles, now)})
    )
    _claim_names(conn, [(key, url, Alias(kind="asked", name=url))], now)
    return key


def match_articles(store: Store, configured: Sequence[tuple[str, Source]], now: datetime) -> None:
    """Watch the articles of the configuration; only those that are new or have new settings become due now.

    Those that are forgotten stay so.
    """
    with store.reading() as conn:
        owners = _owners(conn, (url for url, _ in configured))
        known = {row.key: row for row in _rows(conn, set(owners.values())).values()}
    for url, source in configured:
        row = known.get(owners.get(short_name(url), ""))
        if row is not None and row.forgotten is not None:
            continue
        settings = None if row is None or row.source is None else canonical_json(row.source)
        if settings != canonical_json(source) and (row is None or row.feed is None):
            watch(store, url, source, now)


def source_of(conn: Connection, name: str) -> Source | None:
    """Return what the configuration said of the article known by this name, or of its feed; None if it is unknown."""
    key = _owners(conn, [name]).get(short_name(name))
    query = sa.select(articles.c.source, feeds.c.source.label("feed_source")).select_from(
        articles.outerjoin(feeds, feeds.c.url == articles.c.feed)
    )
    row = conn.execute(query.where(articles.c.key == key)).one_or_none() if key else None
    said = (row.source or row.feed_source) if row else None
    return revive(Source, said) if said else None


def address_of(key: str) -> sa.Select[str]:
    """Select the address that an article is asked under."""
    return sa.select(articles.c.url).where(articles.c.key == key)


def push(conn: Connection, names: Iterable[str], now: datetime) -> set[str]:
    """Make the feeds at these URLs, and the articles known by these names, due now; return the names that led to one.

    A feed that is paused is not asked, and its URL leads to nothing; nor does a name of an article that is forgotten.
    """
    wanted = sorted(set(names))
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        owners = _owners(conn, chunk)
        asked = sa.update(articles).where(
            articles.c.key.in_(sorted(set(owners.values()))), articles.c.forgotten.is_(None)
        )
        due = set(conn.scalars(asked.values(due_at=due_now(articles, now)).returning(articles.c.key)))
        found |= {name for name in chunk if owners.get(short_name(name)) in due}
        in_use = sa.update(feeds).where(feeds.c.url.in_(chunk), sa.not_(feeds.c.paused))
        found |= set(conn.scalars(in_use.values(due_at=due_now(feeds, now)).returning(feeds.c.url)))
    return found


def _upsert(conn: Connection, feed: str, entries: Sequence[FeedEntry], now: datetime) -> int:
    owners = _owners(conn, _names(entries))
    met: dict[str, FeedEntry] = {}
    for key, entry in sorted(((_key(entry, owners), entry) for entry in entries), key=lambda pair: pair[0]):
        met.setdefault(key, entry)
    known = _rows(conn, met)
    new = _mint(conn, feed, {key: entry for key, entry in met.items() if key not in known}, now)
    for key, entry in met.items():
        row = known.get(key)
        if row and (changes := _changes(row, feed, entry, now, moved=short_name(entry.url) not in owners)):
            conn.execute(sa.update(articles).where(articles.c.key == row.key).values(changes))
    _claim_names(conn, [claim for key, entry in met.items() for claim in _evidence(entry, key, owners)], now)
    return new


def _key(entry: FeedEntry, owners: dict[str, str]) -> str:
    by_guid = owners.get(short_name(entry.guid_name)) if entry.guid_name else None
    return owners.get(short_name(entry.url)) or by_guid or article_key(entry.url)


def _mint(conn: Connection, feed: str, entries: dict[str, FeedEntry], now: datetime) -> int:
    if not entries:
        return 0
    rows = [
        {
            "key": key,
            "url": entry.url,
            "host": host_of(entry.url),
            "feed": feed,
            "guid": entry.guid,
            "due_at": now,
            "entry_updated": entry.updated,
        }
        for key, entry in entries.items()
    ]
    new = insert(conn, articles).values(rows).on_conflict_do_nothing().returning(articles.c.key)
    return len(conn.scalars(new).all())


def _changes(row: sa.Row[Any], feed: str, entry: FeedEntry, now: datetime, *, moved: bool) -> dict[str, Any]:
    if row.forgotten is not None:
        return {}
    due = {"due_at": due_now(articles, now)}
    changes: dict[str, Any] = {}
    if entry.url != row.url and (moved or row.feed == feed):
        changes |= {"url": entry.url, "host": host_of(entry.url), "etag": None, "last_modified": None}
        changes |= due if moved else {}
    if _is_news(row, entry):
        changes |= due | {"entry_updated": entry.updated}
    if row.feed != feed and (row.feed_paused or (row.feed is None and row.source is None)):
        changes |= due | {"feed": feed, "guid": entry.guid}
    return changes


def _is_news(row: sa.Row[Any], entry: FeedEntry) -> bool:
    if entry.updated is None:
        return False
    seen = row.entry_updated or row.last_read
    return seen is None or entry.updated > seen


def _evidence(entry: FeedEntry, key: str, owners: dict[str, str]) -> list[_Claim]:
    """Return the names that are nobody's yet; one that is another article's is for its ledger to judge."""
    named = [Alias(kind="asked", name=entry.url)]
    if entry.guid_name:
        named.append(Alias(kind="guid", name=entry.guid_name))
    known = [owners.get(short_name(alias.name)) for alias in named]
    if all(known):
        return []
    return [(key, entry.url, alias) for alias, owner in zip(named, known, strict=True) if owner in (None, key)]


def _claim_names(conn: Connection, claims: Sequence[_Claim], now: datetime) -> None:
    """Keep the edges from each URL to its names, and each name's owner: the edge from a name to itself.

    Raise Superseded where another process gave a name to another article meanwhile.
    """
    if not claims:
        return
    edges = [
        {"url": url, "name": alias.name, "kind": alias.kind, "article": key, "observed": now}
        for key, asked, alias in claims
        for url in (alias.name, asked)
    ]
    edges.sort(key=lambda edge: (edge["name"], edge["url"]))
    conn.execute(insert(conn, aliases).on_conflict_do_nothing(), edges)
    owners = _owners(conn, (alias.name for _, _, alias in claims))
    for key, url, alias in claims:
        if owners[short_name(alias.name)] != key:
            raise Superseded("Another process gave one of the names to another article: try again.", about=url)


def _names(entries: Iterable[FeedEntry]) -> Iterator[str]:
    for entry in entries:
        yield entry.url
        if entry.guid_name:
            yield entry.guid_name


def _owners(conn: Connection, names: Iterable[str]) -> dict[str, str]:
    """Return whose each known name is, by its kept form."""
    kept = {short_name(name) for name in names}
    query = sa.select(aliases.c.name, aliases.c.article).where(
        aliases.c.name.in_(kept), aliases.c.url == aliases.c.name
    )
    return {row.name: row.article for row in conn.execute(query)}


def _rows(conn: Connection, keys: Iterable[str]) -> dict[str, Any]:
    """Return the articles' rows by key; where one was merged, the row that it was merged into."""
    paused = sa.func.coalesce(feeds.c.paused, sa.false()).label("feed_paused")
    query = sa.select(articles, paused).select_from(articles.outerjoin(feeds, feeds.c.url == articles.c.feed))
    rows = {row.key: row for row in conn.execute(query.where(articles.c.key.in_(keys)))}
    merged = {row.key: row.merged_into for row in rows.values() if row.merged_into}
    if not merged:
        return rows
    survivors = {row.key: row for row in conn.execute(query.where(articles.c.key.in_(list(merged.values()))))}
    return rows | {key: survivors[into] for key, into in merged.items()}
