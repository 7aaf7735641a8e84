"""Label what can only be seen beside other articles or over time: boilerplate, unsteady, stale.

Labels are worked out when they are asked for and kept nowhere: a late capture, or one more article, may change them, so
they are part of no event. A label orders and explains; what carries one is kept and announced all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from wirewatch.model import Outcome
from wirewatch.revisions import History, Ledger
from wirewatch.store.tables import diffs

BOILERPLATE_WINDOW: Final = timedelta(hours=24)  # a site that changes a line on all its pages is read through by then
UNSTEADY_REVISIONS: Final = 3
# The reasons by which a verdict marks what changes by itself: `5 minutes ago`, a count of comments, a list of others.
PASSING_KINDS: Final = ("ago", "counter", "listing")


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """What is known of an article beside its ledger.

    `boilerplate` gives, by diff id, on how many articles of the host the same change was made. `unsteady` names the
    kinds of what changes by itself, and `volatile` its hunks by diff id. `stale` are the times at which an older copy
    was seen that is no revision.
    """

    boilerplate: dict[str, int] = field(default_factory=dict)
    unsteady: tuple[str, ...] = ()
    volatile: dict[str, tuple[int, ...]] = field(default_factory=dict)
    stale: tuple[datetime, ...] = ()


def labels(conn: Connection, ledger: Ledger, history: History) -> Labels:
    """Return all labels of an article, given its ledger and the fold of it."""
    kinds, hunks = unsteady(conn, ledger.article)
    return Labels(
        boilerplate=boilerplate(conn, ledger.article), unsteady=kinds, volatile=hunks, stale=stale(ledger, history)
    )


def boilerplate(conn: Connection, article: str, *, window: timedelta = BOILERPLATE_WINDOW) -> dict[str, int]:
    """Return, by diff id, the number of articles of the host on which the same hunks were seen within the window.

    The article itself counts, and diffs that no other article shares are left out. Only a diff that is equal as a whole
    is the same.
    """
    own = select(diffs.c.id, diffs.c.host, diffs.c.hunk_hash, diffs.c.observed).where(
        diffs.c.article == article, diffs.c.live, diffs.c.hunk_hash.is_not(None)
    )
    found = {}
    for row in conn.execute(own).all():
        count = conn.scalar(
            select(func.count(diffs.c.article.distinct())).where(
                diffs.c.host == row.host,
                diffs.c.hunk_hash == row.hunk_hash,
                diffs.c.live,
                diffs.c.observed.between(row.observed - window, row.observed + window),
            )
        )
        if count is not None and count > 1:
            found[row.id] = count
    return found


def unsteady(conn: Connection, article: str) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """Return the kinds of which three revisions or more changed something that changes by itself, and those hunks.

    The hunks are given by diff id, the first three revisions' included.
    """
    kept = select(diffs.c.id, diffs.c.verdict).where(diffs.c.article == article, diffs.c.live)
    return unsteady_in((row.id, row.verdict) for row in conn.execute(kept))


def unsteady_in(verdicts: Iterable[tuple[str, Any]]) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """Return what `unsteady` does, given the plain verdicts of an article's live diffs by diff id."""
    marked: dict[str, dict[str, set[int]]] = {kind: defaultdict(set) for kind in PASSING_KINDS}
    for diff_id, verdict in verdicts:
        for reason in verdict.get("reasons", ()):
            if reason["kind"] in marked:
                marked[reason["kind"]][diff_id].add(reason["hunk"])
    kinds = tuple(kind for kind in PASSING_KINDS if len(marked[kind]) >= UNSTEADY_REVISIONS)
    volatile: dict[str, set[int]] = defaultdict(set)
    for kind in kinds:
        for changed, hunks in marked[kind].items():
            volatile[changed] |= hunks
    return kinds, {diff_id: tuple(sorted(hunks)) for diff_id, hunks in sorted(volatile.items())}


def stale(ledger: Ledger, history: History) -> tuple[datetime, ...]:
    """Return when an older copy with an older stamp was seen that did not become a revision."""
    told = zip(ledger.observations, history.outcomes, strict=True)
    return tuple(observation.observed for observation, outcome in told if outcome is Outcome.STALE)
