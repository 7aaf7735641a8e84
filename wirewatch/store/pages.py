"""The pages of revisions, compressed and found by the hash of their bytes: kept once, however often they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.store.sql import insert
from wirewatch.store.tables import pages


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page as it came, with the headers it came with first."""

    hash: str
    body: bytes
    content_type: str | None
    headers: tuple[tuple[str, str], ...]
    kept: datetime


def keep(conn: Connection, several: Sequence[Page]) -> None:
    """Keep those of these pages whose bytes are not kept already.

    All rows are held then until the transaction ends, so that nobody removes one who does not know yet whose it is now.
    """
    missing = {
        page.hash: {
            "hash": page.hash,
            "body": page.body,
            "size": len(page.body),
            "content_type": page.content_type,
            "headers": page.headers,
            "kept": page.kept,
        }
        for page in sorted(several, key=lambda page: page.hash)  # all processes lock in one order
    }
    while missing:
        conn.execute(insert(conn, pages).on_conflict_do_nothing(), list(missing.values()))
        held = sa.select(pages.c.hash).where(pages.c.hash.in_(missing)).order_by(pages.c.hash).with_for_update()
        for one in conn.scalars(held).all():
            del missing[one]


def get(conn: Connection, page_hash: str) -> Page | None:
    """Return the page whose bytes have this SHA-256, or None if it is not kept."""
    row = conn.execute(sa.select(pages).where(pages.c.hash == page_hash)).one_or_none()
    if row is None:
        return None
    return Page(
        hash=row.hash,
        body=row.body,
        content_type=row.content_type,
        headers=tuple((name, value) for name, value in row.headers),
        kept=row.kept,
    )
