"""Run Alembic on the connection it is given, inside the transaction that is open there.

A migration says what a column is in the database's own types: ours may change, what was once migrated may not.
"""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlalchemy.types import TypeDecorator

from wirewatch.store.tables import metadata


def _plainly(kind: str, item: Any, _context: object) -> str | Literal[False]:
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    plain = item.impl_instance
    if isinstance(plain, sa.Text):
        return 'sa.Text().with_variant(sa.Text(collation="C"), "postgresql")'
    return f"sa.{type(plain).__name__}()"


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    compare_type=True,
    render_item=_plainly,
)
context.run_migrations()
