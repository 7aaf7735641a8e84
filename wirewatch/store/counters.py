"""How each capture of a run ended: one counter each, so that they add up.

Count last in the transaction: on PostgreSQL a counter stays locked until its end, and all others wait.
"""

from __future__ import annotations

from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.store import Store
from wirewatch.store.sql import insert
from wirewatch.store.tables import counters

_SHORT_CUT: Final = "short cut"


def count(conn: Connection, run: str, what: Literal["article", "feed"], outcome: str, n: int = 1) -> None:
    """Count captures that ended in `outcome`: one, or `n`."""
    _count(conn, run, what, outcome, n)


def count_short_cut(conn: Connection, run: str, outcome: str, n: int) -> None:
    """Count pages that were told by their fingerprints: `taken`, or `right` or `wrong` where they were read as well."""
    _count(conn, run, _SHORT_CUT, outcome, n)


def short_cuts(store: Store, run: str | None = None) -> dict[str, int]:
    """Return how often the short cut was taken, right and wrong, in a run or in all."""
    query = sa.select(counters.c.outcome, sa.func.sum(counters.c.n).label("n")).where(counters.c.what == _SHORT_CUT)
    if run is not None:
        query = query.where(counters.c.run == run)
    query = query.group_by(counters.c.outcome)
    with store.reading() as conn:
        return {row.outcome: int(row.n) for row in conn.execute(query)}


def _count(conn: Connection, run: str, what: str, outcome: str, n: int) -> None:
    new = insert(conn, counters).values(run=run, what=what, outcome=outcome, n=n)
    more = new.on_conflict_do_update(
        index_elements=["run", "what", "outcome"], set_={"n": counters.c.n + new.excluded.n}
    )
    conn.execute(more)


def totals(store: Store, run: str) -> dict[str, dict[str, int]]:
    """Return the run's counts: `{"article": {"new": 3, …}, "feed": {…}}`, sorted by name."""
    found: dict[str, dict[str, int]] = {"article": {}, "feed": {}}
    own = sa.and_(counters.c.run == run, counters.c.what.in_(found))
    query = sa.select(counters).where(own).order_by(counters.c.what, counters.c.outcome)
    with store.reading() as conn:
        for row in conn.execute(query):
            found[row.what][row.outcome] = row.n
    return found
