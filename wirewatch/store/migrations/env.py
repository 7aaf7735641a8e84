"""Run Alembic on the connection it is given, inside the transaction that is open there.

`render_as_batch` matters for writing migrations only: SQLite changes a table by copying it.
"""

from __future__ import annotations

from alembic import context

from wirewatch.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
