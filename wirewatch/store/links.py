"""The chain of each article's revisions, and what a late capture made of it.

No link is ever changed or deleted: where the history is another, the links that no longer follow from it are marked
with the time at which they ended, and the new ones stand beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.chain import Headers, Link, links
from wirewatch.model import Revision
from wirewatch.store.tables import links as table
from wirewatch.store.tables import pages


def write(conn: Connection, histories: Mapping[str, Iterable[Revision]], now: datetime) -> None:
    """Write the chains of articles, by key, as they are now: what is new of them, and what has ended."""
    histories = {article: tuple(revisions) for article, revisions in histories.items()}
    query = sa.select(table).where(table.c.article.in_(list(histories)), table.c.superseded.is_(None))
    standing = conn.execute(query).all()
    # What a link says of a page stays, also when the page is gone or came again since with other headers.
    said = {
        row.body["page_hash"]: tuple((name, value) for name, value in row.body["headers"])
        for row in standing
        if row.body["headers"] is not None
    }
    wanted = {one.page_hash for revisions in histories.values() for one in revisions if one.page_hash}
    headers = _headers(conn, wanted - said.keys()) | said

    def headers_of(revision: Revision) -> Headers | None:
        return headers.get(revision.page_hash or "")

    made = {article: links(revisions, headers_of) for article, revisions in histories.items()}
    hashes = {one.hash for chain in made.values() for one in chain}
    there = {row.hash for row in standing}
    if ended := [row.id for row in standing if row.hash not in hashes]:
        conn.execute(sa.update(table).where(table.c.id.in_(ended)).values(superseded=now))
    new = [
        row_of(article, one, now) for article, chain in sorted(made.items()) for one in chain if one.hash not in there
    ]
    if new:
        conn.execute(table.insert(), new)


def of(conn: Connection, article: str) -> list[Any]:
    """Return all links of an article: those that stand in their order, then those that ended, oldest first.

    `raw` is a link's body as it is kept, of which it is the hash.
    """
    query = sa.select(table, sa.type_coerce(table.c.body, sa.Text).label("raw")).where(table.c.article == article)
    rows = conn.execute(query).all()
    return sorted(rows, key=lambda row: (row.superseded is not None, row.superseded or row.recorded, row.place, row.id))


def row_of(article: str, link: Link, now: datetime) -> dict[str, Any]:
    """Return a link as a row of its table."""
    return {
        "article": article,
        "place": link.place,
        "revision": link.revision,
        "hash": link.hash,
        "body": link.body,
        "recorded": now,
    }


def _headers(conn: Connection, hashes: Collection[str]) -> dict[str, Headers]:
    if not hashes:
        return {}
    query = sa.select(pages.c.hash, pages.c.headers).where(pages.c.hash.in_(hashes))
    return {row.hash: tuple((name, value) for name, value in row.headers) for row in conn.execute(query)}


def says(body: str | bytes) -> dict[str, Any]:
    """Return what a link's body says."""
    said: dict[str, Any] = orjson.loads(body)
    return said
