"""The few statements for which SQLAlchemy has two spellings and the databases one meaning."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

Insert = postgresql.Insert | sqlite.Insert


def insert(conn: Connection, table: sa.Table) -> Insert:
    """Return an INSERT into `table` that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)


def take_turns(conn: Connection, what: str) -> None:
    """Let one transaction at a time past this point, among all that name the same thing, until it ends.

    SQLite has one writing transaction at a time in any case.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(what, 0))))


def new_lease() -> str:
    """Return a token that no other lease has."""
    return secrets.token_hex(8)
