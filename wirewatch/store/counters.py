"""How each capture of a run ended: one counter each, so that they add up.

Count last in the transaction: on PostgreSQL a counter stays locked until its end, and all others wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.store import Store
from wirewatch.store.sql import insert
from wirewatch.store.tables import counters

What = Literal["article", "feed", "short cut"]
"""What is counted: captures of articles and feeds; pages told by their fingerprints, `taken`, `right` or `wrong`."""


def count(conn: Connection, run: str, what: What, *outcomes: str) -> None:
    """Count captures, or pages that were told by their fingerprints, each by its outcome."""
    count_all(conn, run, Counter((what, outcome) for outcome in outcomes))


def count_all(conn: Connection, run: str, found: Mapping[tuple[What, str], int]) -> None:
    """Count by what it was and its outcome, with one statement for all."""
    if not found:
        return
    new = insert(conn, counters)
    more = new.on_conflict_do_update(
        index_elements=["run", "what", "outcome"], set_={"n": counters.c.n + new.excluded.n}
    )
    rows = [{"run": run, "what": what, "outcome": outcome, "n": n} for (what, outcome), n in sorted(found.items())]
    conn.execute(more, rows)


def short_cuts(store: Store, run: str | None = None) -> dict[str, int]:
    """Return how often the short cut was taken, right and wrong, in a run or in all."""
    query = sa.select(counters.c.outcome, sa.func.sum(counters.c.n).label("n")).where(counters.c.what == "short cut")
    if run is not None:
        query = query.where(counters.c.run == run)
    query = query.group_by(counters.c.outcome)
    with store.reading() as conn:
        return {row.outcome: int(row.n) for row in conn.execute(query)}


def totals(store: Store, run: str) -> dict[str, dict[str, int]]:
    """Return the run's counts: `{"article": {"new": 3, …}, "feed": {…}}`, sorted by name."""
    found: dict[str, dict[str, int]] = {"article": {}, "feed": {}}
    own = sa.and_(counters.c.run == run, counters.c.what.in_(found))
    query = sa.select(counters).where(own).order_by(counters.c.what, counters.c.outcome)
    with store.reading() as conn:
        for row in conn.execute(query):
            found[row.what][row.outcome] = row.n
    return found
