"""The few statements for which SQLAlchemy has two spellings and the databases one meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

Insert = postgresql.Insert | sqlite.Insert


def insert(conn: Connection, table: sa.Table) -> Insert:
    """Return an INSERT into `table` that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)


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
