"""Label what can only be seen beside other articles or over time: boilerplate, unsteady, stale.

Labels are worked out when they are asked for and kept nowhere: a late capture, or one more article, may change them, so
they are part of no event. A label orders and explains; what carries one is kept and announced all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Select, bindparam, func, select, type_coerce

from wirewatch.model import Outcome
from wirewatch.revisions import History, Ledger
from wirewatch.store.tables import diffs, parts

BOILERPLATE_WINDOW: Final = timedelta(hours=24)  # a site that changes a line on all its pages is read through by then
UNSTEADY_REVISIONS: Final = 3
_PASSING: Final = {
    "ago": "times such as 5 minutes ago",
    "counter": "a count of comments, views or shares",
    "listing": "a list of other articles inside the text",
}
# The reasons by which a verdict marks what changes by itself: `5 minutes ago`, a count of comments, a list of others.
PASSING_KINDS: Final = ("ago", "counter", "listing")


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """What is known of an article beside its ledger.

    `boilerplate` gives, by diff id, on how many articles of the host the same change was made; nothing else changed in
    those diffs. `boilerplate_hunks` gives that number by diff id and hunk, also for a line of the site's that changed
    beside a story's own words, before or after it in one hunk perhaps. `unsteady` names the kinds of what changes by
    itself, and `volatile` its hunks by diff id. `stale` are the times at which an older copy was seen that is no
    revision.
    """

    boilerplate: dict[str, int] = field(default_factory=dict)
    boilerplate_hunks: dict[str, dict[int, int]] = field(default_factory=dict)
    unsteady: tuple[str, ...] = ()
    volatile: dict[str, tuple[int, ...]] = field(default_factory=dict)
    stale: tuple[datetime, ...] = ()


def labels(conn: Connection, ledger: Ledger, history: History) -> Labels:
    """Return all labels of an article, given its ledger and the fold of it."""
    kinds, passing = unsteady(conn, ledger.article)
    shared = _shared(conn, ledger.article, BOILERPLATE_WINDOW)
    return Labels(
        boilerplate=_whole(conn, shared),
        boilerplate_hunks=_by_hunk(shared),
        unsteady=kinds,
        volatile=passing,
        stale=stale(ledger, history),
    )


def sentences(found: Labels, history: History) -> Iterator[str]:
    """Yield what labels say, one sentence each, without a full stop."""
    versions = {transition.id: transition.new.version for transition in history.transitions}
    for diff_id, places in found.boilerplate_hunks.items():
        if diff_id in versions:
            whole = found.boilerplate.get(diff_id)
            what = "" if whole else f"{_number(len(places), 'part')} of "
            was, count = "were" if what and len(places) > 1 else "was", whole or max(places.values())
            told = f"{what}the change to revision {versions[diff_id]} {was} made on {count} articles of this host"
            yield f"boilerplate: {told} within a day"
    if found.unsteady:
        passing = ", ".join(_PASSING[kind] for kind in found.unsteady)
        yield f"unsteady: {passing}, in {_number(len(found.volatile), 'revision')}"
    if found.stale:
        yield f"stale: an older copy was seen {_number(len(found.stale), 'time')}"


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def boilerplate(conn: Connection, article: str, *, window: timedelta = BOILERPLATE_WINDOW) -> dict[str, int]:
    """Return, by diff id, the number of articles of the host on which the same was changed within the window.

    The article itself counts. A diff is there if all parts of it are on other articles too, perhaps each on others; the
    number is then that of the rarest.
    """
    return _whole(conn, _shared(conn, article, window))


def _whole(conn: Connection, shared: Mapping[str, list[tuple[int, int]]]) -> dict[str, int]:
    if not shared:
        return {}
    counted = select(parts.c.diff, func.count()).where(parts.c.diff.in_(list(shared))).group_by(parts.c.diff)
    return {
        diff_id: min(count for _, count in shared[diff_id])
        for diff_id, n in conn.execute(counted.order_by(parts.c.diff))
        if len(shared[diff_id]) == n
    }


def boilerplate_hunks(
    conn: Connection, article: str, *, window: timedelta = BOILERPLATE_WINDOW
) -> dict[str, dict[int, int]]:
    """Return, by diff id and the hunk's place in it, on how many articles of the host a part of it was seen.

    Only hunks of which something is on another article within the window are given; the number is the largest.
    """
    return _by_hunk(_shared(conn, article, window))


def boilerplate_of(conn: Connection, article: str, diff_id: str) -> tuple[int | None, dict[int, int]]:
    """Return of one diff what `boilerplate` and `boilerplate_hunks` say of it."""
    shared = _shared(conn, article, BOILERPLATE_WINDOW)
    if diff_id not in shared:
        return None, {}
    own = {diff_id: shared[diff_id]}
    return _whole(conn, own).get(diff_id), _by_hunk(own)[diff_id]


def _by_hunk(shared: Mapping[str, list[tuple[int, int]]]) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for diff_id, counts in shared.items():
        of_diff = found.setdefault(diff_id, {})
        for place, count in counts:
            of_diff[place] = max(count, of_diff.get(place, 0))
    return found


def _shared(conn: Connection, article: str, window: timedelta) -> dict[str, list[tuple[int, int]]]:
    """Return, by diff id, of each part that others have too its hunk's place and on how many articles it was seen."""
    asked = {"article": article, "window": window // timedelta(microseconds=1)}
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for diff_id, place, count in conn.execute(_shared_query(), asked):
        found[diff_id].append((place, count))
    return found


@lru_cache(maxsize=1)
def _shared_query() -> Select[Any]:
    # Made once: on a reader's page, making it took longer than the answer.
    other, others = parts.alias(), diffs.alias()
    window = bindparam("window", type_=BigInteger)
    seen, then = type_coerce(other.c.observed, BigInteger), type_coerce(parts.c.observed, BigInteger)
    articles = func.count(others.c.article.distinct())
    return (
        select(parts.c.diff, parts.c.place, articles)
        .join(diffs, diffs.c.id == parts.c.diff)
        .join(other, (other.c.host == parts.c.host) & (other.c.hash == parts.c.hash))
        .join(others, others.c.id == other.c.diff)
        .where(diffs.c.article == bindparam("article"), diffs.c.live, others.c.live)
        .where(seen.between(then - window, then + window))
        .group_by(parts.c.diff, parts.c.place, parts.c.hash)
        .having(articles > 1)
        .order_by(parts.c.diff, parts.c.place)
    )


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
        for diff_id, places in marked[kind].items():
            volatile[diff_id] |= places
    return kinds, {diff_id: tuple(sorted(places)) for diff_id, places in sorted(volatile.items())}


def stale(ledger: Ledger, history: History) -> tuple[datetime, ...]:
    """Return when an older copy with an older stamp was seen that did not become a revision."""
    told = zip(ledger.observations, history.outcomes, strict=True)
    return tuple(observation.observed for observation, outcome in told if outcome is Outcome.STALE)
