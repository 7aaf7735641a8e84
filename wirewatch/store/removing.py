"""Take pages, texts and hunks out of the store, and leave what proves that they were there.

Everything that removes words goes through here, and here alone: what holds words beside these tables (an index over
them) is to be emptied in the same functions. Hashes, times and counts stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.canonical import canonical_json
from wirewatch.store import changes
from wirewatch.store.sql import insert
from wirewatch.store.tables import diffs, pages, removed, wordings

T = TypeVar("T")
_AT_ONCE: Final = 500  # values in one statement; SQLite takes 32,766


@dataclass(frozen=True, kw_only=True, slots=True)
class Freed:
    """How much was, or would be, taken out: rows, and bytes as the store keeps them."""

    rows: int = 0
    bytes: int = 0

    def __add__(self, other: Freed) -> Freed:
        return Freed(rows=self.rows + other.rows, bytes=self.bytes + other.bytes)


WORDS_IN_DIFF: Final = sa.type_coerce(diffs.c.diff, sa.Text).not_like('{"hunks":[],%')
"""Whether a diff still has its hunks; without them it keeps its counts and its hash."""


def size_of(*columns: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Return the size of columns as they are kept: bytes of what is compressed, characters of text."""
    lengths = [sa.func.length(one) for one in columns]
    return sum(lengths[1:], lengths[0])


def remove_pages(conn: Connection, hashes: Collection[str], now: datetime) -> Freed:
    """Remove pages and note that they were there; return what that freed."""
    freed = Freed()
    for some in parts(hashes):
        size = sa.func.length(sa.type_coerce(pages.c.body, sa.LargeBinary))
        rows = conn.execute(sa.select(pages.c.hash, size.label("size")).where(pages.c.hash.in_(some))).all()
        _note(conn, [{"kind": "page", "hash": row.hash, "article": "", "at": now} for row in rows])
        conn.execute(sa.delete(pages).where(pages.c.hash.in_(some)))
        freed += Freed(rows=len(rows), bytes=sum(row.size for row in rows))
    return freed


def remove_texts(conn: Connection, article: str, hashes: Collection[str], now: datetime) -> Freed:
    """Remove texts of one article and note that they were there; the same texts of other articles stay."""
    freed = Freed()
    size = size_of(wordings.c.wording, wordings.c.facts).label("size")
    for some in parts(hashes):
        mine = sa.and_(wordings.c.article == article, wordings.c.text_hash.in_(some))
        rows = conn.execute(sa.select(wordings.c.text_hash, size).where(mine)).all()
        _note(conn, [{"kind": "text", "hash": row.text_hash, "article": article, "at": now} for row in rows])
        conn.execute(sa.delete(wordings).where(mine))
        freed += Freed(rows=len(rows), bytes=sum(row.size for row in rows))
    return freed


def hunks_of(conn: Connection, which: sa.ColumnElement[bool]) -> tuple[list[dict[str, Any]], Freed]:
    """Return the diffs of which this is true as they are without a word, and what writing them so frees."""
    query = sa.select(diffs.c.id, diffs.c.diff, diffs.c.verdict).where(which, WORDS_IN_DIFF)
    emptied, freed = [], Freed()
    for row in conn.execute(query.order_by(diffs.c.id)):
        one = {"diff": {**row.diff, "hunks": []}, "verdict": changes.wordless(row.verdict)}
        before, after = canonical_json([row.diff, row.verdict]), canonical_json([one["diff"], one["verdict"]])
        freed += Freed(rows=1, bytes=len(before) - len(after))
        emptied.append({"emptied": row.id, **one})
    return emptied, freed


def remove_hunks(conn: Connection, which: sa.ColumnElement[bool]) -> Freed:
    """Empty the diffs of which this is true of every word; their counts, classes and hashes stay."""
    emptied, freed = hunks_of(conn, which)
    if emptied:
        conn.execute(sa.update(diffs).where(diffs.c.id == sa.bindparam("emptied")), emptied)
        for some in parts([one["emptied"] for one in emptied]):
            changes.empty(conn, some)
    return freed


def texts_removed(conn: Connection, articles: Iterable[str], hashes: Iterable[str]) -> dict[tuple[str, str], datetime]:
    """Return when texts were removed, by article and hash, of those that were and did not come again."""
    keys = list(articles)
    found: dict[tuple[str, str], datetime] = {}
    for some in parts(set(hashes)):
        query = sa.select(removed.c.article, removed.c.hash, removed.c.at).where(
            removed.c.kind == "text", removed.c.hash.in_(some), removed.c.article.in_(keys)
        )
        found |= {(row.article, row.hash): row.at for row in conn.execute(query)}
    return found


def pages_removed(conn: Connection, hashes: Iterable[str]) -> dict[str, datetime]:
    """Return when pages were removed, by hash, of those that ever were."""
    found: dict[str, datetime] = {}
    for some in parts(set(hashes)):
        query = sa.select(removed.c.hash, removed.c.at).where(removed.c.kind == "page", removed.c.hash.in_(some))
        found |= {row.hash: row.at for row in conn.execute(query)}
    return found


def parts(values: Collection[T]) -> Iterator[Sequence[T]]:
    """Yield values in parts that one statement takes, in their order."""
    ordered = sorted(values)  # type: ignore[type-var]
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def _note(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    new = insert(conn, removed)
    again = new.on_conflict_do_update(index_elements=["kind", "hash", "article"], set_={"at": new.excluded.at})
    conn.execute(again, rows)
