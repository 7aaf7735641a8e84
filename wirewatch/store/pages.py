"""The pages of revisions, compressed and found by the hash of their bytes: kept once, however often they came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.store.sql import insert_new
from wirewatch.store.tables import pages


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page as it came, with the headers it came with first."""

    hash: str
    body: bytes
    content_type: str | None
    headers: tuple[tuple[str, str], ...]
    kept: datetime


def keep(conn: Connection, page: Page) -> bool:
    """Keep a page; return False if its bytes are kept already.

    The row is held then until the transaction ends, so that nobody removes it who does not know yet whose it is now.
    """
    row = {
        "hash": page.hash,
        "body": page.body,
        "size": len(page.body),
        "content_type": page.content_type,
        "headers": page.headers,
        "kept": page.kept,
    }
    held = sa.select(pages.c.hash).where(pages.c.hash == page.hash).with_for_update()
    while not insert_new(conn, pages, row):
        if conn.scalar(held) is not None:
            return False
    return True


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
