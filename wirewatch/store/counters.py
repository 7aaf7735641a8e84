"""How each capture of a run ended: one counter each, so that they add up.

Count last in the transaction: on PostgreSQL a counter stays locked until its end, and all others wait.
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.store import Store
from wirewatch.store.sql import insert
from wirewatch.store.tables import counters


def count(conn: Connection, run: str, what: Literal["article", "feed"], outcome: str, n: int = 1) -> None:
    """Count captures that ended in `outcome`: one, or `n`."""
    new = insert(conn, counters).values(run=run, what=what, outcome=outcome, n=n)
    more = new.on_conflict_do_update(
        index_elements=["run", "what", "outcome"], set_={"n": counters.c.n + new.excluded.n}
    )
    conn.execute(more)


def totals(store: Store, run: str) -> dict[str, dict[str, int]]:
    """Return the run's counts: `{"article": {"new": 3, …}, "feed": {…}}`, sorted by name."""
    query = sa.select(counters).where(counters.c.run == run).order_by(counters.c.what, counters.c.outcome)
    found: dict[str, dict[str, int]] = {"article": {}, "feed": {}}
    with store.reading() as conn:
        for row in conn.execute(query):
            found[row.what][row.outcome] = row.n
    return found
