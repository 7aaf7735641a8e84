"""Read what is kept, article by article in the order of their keys, a few at a time however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.encoding import revive
from wirewatch.model import Facts, Source
from wirewatch.store.outbox import Item, item_of
from wirewatch.store.tables import articles, feeds, observations, outbox, revisions, wordings

AT_ONCE = 100  # articles; what is held in memory


def articles_of(
    conn: Connection,
    *,
    named: Collection[str] | None = None,
    of_feeds: Collection[str] | None = None,
    merged: bool = True,
) -> Iterator[dict[str, str]]:
    """Yield articles as keys with the keys that they go on under: the same, but for one that was merged.

    `named` are keys under which articles go on, `of_feeds` the addresses of feeds; None is all. Articles that were
    never seen are left out.
    """
    goes_on = sa.func.coalesce(articles.c.merged_into, articles.c.key).label("goes_on")
    query = sa.select(articles.c.key, goes_on).order_by(articles.c.key).limit(AT_ONCE)
    seen = sa.exists().where(observations.c.article == articles.c.key)
    query = query.where(sa.or_(seen, articles.c.merged_into.is_not(None)) if merged else seen)
    if not merged:
        query = query.where(articles.c.merged_into.is_(None))
    if named is not None:
        query = query.where(sa.or_(articles.c.key.in_(named), articles.c.merged_into.in_(named)))
    if of_feeds is not None:
        query = query.where(articles.c.feed.in_(of_feeds))
    last = ""
    while found := {row.key: row.goes_on for row in conn.execute(query.where(articles.c.key > last))}:
        yield found
        last = max(found)


def stated(conn: Connection, keys: Collection[str]) -> dict[str, tuple[Source, Facts]]:
    """Return what the configuration says of each article, or of its feed, and what its latest wording's page states."""
    sources = sa.select(articles.c.key, articles.c.source, feeds.c.source.label("feed_source")).select_from(
        articles.outerjoin(feeds, feeds.c.url == articles.c.feed)
    )
    facts = (
        sa.select(revisions.c.article, wordings.c.facts)
        .where(wordings.c.article == revisions.c.article, wordings.c.text_hash == revisions.c.text_hash)
        .where(revisions.c.article.in_(keys))
        .order_by(revisions.c.first_observed)
    )
    latest = {row.article: row.facts for row in conn.execute(facts)}
    found = {}
    for row in conn.execute(sources.where(articles.c.key.in_(keys))):
        said = row.source or row.feed_source
        page = latest.get(row.key)
        found[row.key] = (revive(Source, said) if said else Source(), revive(Facts, page) if page else Facts())
    return found


def messages(conn: Connection, keys: Sequence[str], kind: Literal["record", "event"]) -> Mapping[str, list[Item]]:
    """Return the finished records or events of these articles by article, in the order in which they were kept."""
    found: dict[str, list[Item]] = {key: [] for key in keys}
    query = sa.select(outbox).where(outbox.c.article.in_(keys), outbox.c.kind == kind).order_by(outbox.c.id)
    for row in conn.execute(query):
        found[row.article].append(item_of(row))
    return found
