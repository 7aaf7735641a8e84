"""Read what is kept, article by article in the order of their keys, a few at a time however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.store.outbox import Item, item_of
from wirewatch.store.tables import articles, observations, outbox

AT_ONCE = 100  # articles; what is held in memory


def articles_of(
    conn: Connection,
    *,
    named: Collection[str] | None = None,
    merged: bool = True,
) -> Iterator[dict[str, str]]:
    """Yield articles as keys with the keys that they go on under: the same, but for one that was merged.

    `named` are keys under which articles go on; None is all. Articles that were never seen are left out, and without
    `merged` those that were merged are, too.
    """
    goes_on = sa.func.coalesce(articles.c.merged_into, articles.c.key).label("goes_on")
    query = sa.select(articles.c.key, goes_on).order_by(articles.c.key).limit(AT_ONCE)
    seen = sa.exists().where(observations.c.article == articles.c.key)
    query = query.where(sa.or_(seen, articles.c.merged_into.is_not(None)) if merged else seen)
    if not merged:
        query = query.where(articles.c.merged_into.is_(None))
    if named is not None:
        query = query.where(sa.or_(articles.c.key.in_(named), articles.c.merged_into.in_(named)))
    last = ""
    while found := {row.key: row.goes_on for row in conn.execute(query.where(articles.c.key > last))}:
        yield found
        last = max(found)


def latest_records(conn: Connection, keys: Collection[str]) -> dict[str, Item]:
    """Return the record of each article that was written last, by article; what has none is left out."""
    last = sa.select(sa.func.max(outbox.c.id)).where(outbox.c.article.in_(keys), outbox.c.kind == "record")
    last = last.where(outbox.c.payload != "")
    query = sa.select(outbox).where(outbox.c.id.in_(last.group_by(outbox.c.article)))
    return {row.article: item_of(row) for row in conn.execute(query)}


def messages(conn: Connection, keys: Sequence[str], kind: Literal["record", "event"]) -> Mapping[str, list[Item]]:
    """Return the finished records or events of these articles by article, in the order in which they were kept.

    Those that lost what they said for their age are left out.
    """
    found: dict[str, list[Item]] = {key: [] for key in keys}
    query = sa.select(outbox).where(outbox.c.article.in_(keys), outbox.c.kind == kind)
    query = query.where(outbox.c.payload != "").order_by(outbox.c.id)
    for row in conn.execute(query):
        found[row.article].append(item_of(row))
    return found
