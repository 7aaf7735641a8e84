"""The few statements for which SQLAlchemy has two spellings and the databases one meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    Insert = postgresql.Insert | sqlite.Insert


def insert(conn: Connection, table: sa.Table) -> Insert:
    """Return an INSERT into `table` that knows `on_conflict_do_nothing` and `on_conflict_do_update`.

    The dialect of the database alone is imported: all there are take as long as the rest of SQLAlchemy.
    """
    if conn.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)


def insert_new(conn: Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key is there; return whether it was inserted.

    Not by `rowcount`, which is -1 for such an INSERT on PostgreSQL.
    """
    key = next(iter(table.primary_key.columns))
    new = insert(conn, table).values(dict(row)).on_conflict_do_nothing().returning(key)
    return conn.execute(new).one_or_none() is not None


def take_turns(conn: Connection, what: str) -> None:
    """Let one transaction at a time past this point, among all that name the same thing, until it ends.

    SQLite has one writing transaction at a time in any case.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(what, 0))))
