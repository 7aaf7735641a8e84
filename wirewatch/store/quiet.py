"""Keep what a feed's entries say where it is what they said the last time: all with a few statements, no ledger loaded.

An observation may come late. It changes nothing of a history where both its neighbours in time say the same, but that
is not so of pages, whose doubtful wordings are counted: only entries are settled here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, func, select, update

from wirewatch.model import Observation, Outcome, Reading, Seen, Track
from wirewatch.revisions import observe
from wirewatch.store.ledger import observation_json, observation_row, standing
from wirewatch.store.tables import aliases, articles, observations
from wirewatch.store.types import short_name

# A ledger's order.
_PLACE = (observations.c.observed, func.coalesce(observations.c.content_hash, ""), observations.c.body)


def settle(conn: Connection, readings: Sequence[Reading]) -> dict[int, Outcome]:
    """Keep those readings of one moment that change no history; return their outcomes by place in `readings`.

    They are `unchanged`, or `duplicate` where that very observation is kept already. What is left out has to be
    recorded in full.
    """
    known = _articles(conn, {place: one for place, one in enumerate(readings) if _may_be_quiet(one)})
    if not known:
        return {}
    ours = {place: observe(readings[place]) for place in known}
    at = max(one.observed for one in ours.values())
    ours = {place: one for place, one in ours.items() if one.observed == at}
    rows = _hold(conn, {known[place] for place in ours})
    appended = {place for place, one in ours.items() if _follows(rows.get(known[place]), one)}
    late = {place for place in ours.keys() - appended if known[place] in rows}
    around = _around(conn, {known[place] for place in late}, at)
    again = {place for place in late if around[known[place]].same == observation_row("", ours[place])["digest"]}
    between = {place for place in late if _lies_between(around[known[place]], ours[place])}
    _move_on(conn, {known[place] for place in appended}, last_read=at)
    _move_on(conn, {known[place] for place in between})
    if changed := sorted(appended | between):
        conn.execute(observations.insert(), [observation_row(known[place], ours[place]) for place in changed])
    return {**dict.fromkeys(changed, Outcome.UNCHANGED), **dict.fromkeys(again, Outcome.DUPLICATE)}


def _may_be_quiet(one: Reading) -> bool:
    return one.seen is Seen.WORDING and one.track is Track.ENTRIES and one.page_hash is None


def _articles(conn: Connection, readings: Mapping[int, Reading]) -> dict[int, str]:
    """Return by place the article of each reading whose address has given that article all of its names before.

    Left out are articles of which there are several readings.
    """
    query = select(aliases.c.url, aliases.c.name, aliases.c.article).where(
        aliases.c.url.in_({short_name(one.url) for one in readings.values()})
    )
    owner = {(row.url, row.name): row.article for row in conn.execute(query)}
    found: dict[int, str] = {}
    for place, one in readings.items():
        given = {owner.get((short_name(one.url), short_name(alias.name))) for alias in one.aliases}
        if len(given) == 1 and (article := given.pop()) is not None:
            found[place] = article
    times = Counter(found.values())
    return {place: article for place, article in found.items() if times[article] == 1}


def _hold(conn: Connection, keys: set[str]) -> dict[str, Any]:
    """Lock the articles' rows, in one order for all processes, and return them; merged and forgotten ones left out."""
    held = (
        select(articles.c.key, articles.c.settled, articles.c.last_read)
        .where(articles.c.key.in_(keys), articles.c.merged_into.is_(None), articles.c.forgotten.is_(None))
        .order_by(articles.c.key)
        .with_for_update()
    )
    return {row.key: row for row in conn.execute(held)}


def _follows(row: Any | None, one: Observation) -> bool:
    """Tell whether an observation comes after all others and says what the last one says, nothing being in doubt."""
    return row is not None and row.settled == standing(one) and row.last_read < one.observed


def _around(conn: Connection, keys: set[str], at: datetime) -> dict[str, Any]:
    """Return, by article, what was observed right before a moment and right after it, and what and how much at it."""
    if not keys:
        return {}
    own = observations.c.article == articles.c.key
    before = select(observations.c.body).where(own, observations.c.observed < at).order_by(*(c.desc() for c in _PLACE))
    after = select(observations.c.body).where(own, observations.c.observed > at).order_by(*_PLACE)
    here = select(observations).where(own, observations.c.observed == at)
    query = select(
        articles.c.key,
        before.limit(1).scalar_subquery().label("before"),
        after.limit(1).scalar_subquery().label("after"),
        here.with_only_columns(func.max(observations.c.digest)).scalar_subquery().label("same"),
        here.with_only_columns(func.count()).scalar_subquery().label("here"),
    ).where(articles.c.key.in_(keys))
    return {row.key: row for row in conn.execute(query)}


def _lies_between(row: Any, one: Observation) -> bool:
    """Tell whether an observation falls between two that say the same, and stands alone at its moment."""
    if row.here or row.before is None or row.after is None:
        return False
    return _says(row.before) == _says(orjson.loads(observation_json(one))) == _says(row.after)


def _says(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "observed"}


def _move_on(conn: Connection, keys: set[str], **columns: Any) -> None:
    if keys:
        version = articles.c.ledger_version + 1
        conn.execute(update(articles).where(articles.c.key.in_(keys)).values(ledger_version=version, **columns))
