"""Throw away what is older than it is to stay, in small transactions, while others work.

A wording's time runs from the last change that it is a side of. So the latest is never old, and a diff that keeps its
hunks has both of its sides: a text, its page and the hunks of a diff grow old together. Killed at any point, the rest
is thrown away the next time; `removed` tells what was thrown away from what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.encoding import revive
from wirewatch.model import Source
from wirewatch.store import Store
from wirewatch.store.alerts import UNSETTLED
from wirewatch.store.removing import Freed, hunks_of, remove_hunks, remove_pages, remove_texts, size_of
from wirewatch.store.tables import (
    alert_matches,
    alerts,
    articles,
    dead_letters,
    deliveries,
    diffs,
    feeds,
    observations,
    outbox,
    pages,
    rereadings,
    revisions,
    wordings,
)

# Looked at, or thrown away, at once: SQLite lets nobody else write until that is done.
_ARTICLES: Final = 100
_ROWS: Final = 200
_BEGINNING: Final = (datetime(1970, 1, 1, tzinfo=UTC), 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How long each sort of thing stays; None is for ever."""

    pages: timedelta | None = None
    texts: timedelta | None = None
    alerts: timedelta | None = None
    dead_letters: timedelta | None = None
    messages: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """How large the database is, and how much of that it will use again before it grows; None where that is unknown."""

    bytes: int
    free: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A handful of what is too old. `last` is where looking goes on, None at the end."""

    keys: Sequence[Any]
    freed: Freed
    last: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """One sort of thing: how some of it that is too old is found, and thrown away if it still is."""

    name: str
    look: Callable[[Connection, Any], _Found]
    throw: Callable[[Connection, Sequence[Any]], Freed]
    first: Any = ""


def tidy(
    store: Store,
    retention: Retention,
    now: datetime,
    *,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Freed]:
    """Throw away what is too old, and return how much that was of each sort; `dry_run` only looks.

    Raise StoreError where the store cannot go on; what was thrown away until then stays so.
    """
    total: dict[str, Freed] = {}
    for step in _steps(retention, now):
        total[step.name] = Freed()
        last = step.first
        while last is not None:
            with store.reading() as conn:
                found = step.look(conn, last)
            freed, last = found.freed, found.last
            if found.keys and not dry_run:
                with store.begin() as conn:
                    freed = step.throw(conn, found.keys)
            total[step.name] += freed
            progress(f"Tidying {step.name}: {total[step.name].rows:,}")
    return total


def longest_end(store: Store) -> timedelta:
    """Return how long the articles of any feed of the store are asked for after their last change."""
    with store.reading() as conn:
        sources = [revive(Source, one) for one in conn.scalars(sa.select(feeds.c.source))]
    return timedelta(days=max((one.end_days for one in sources), default=0))


def space(store: Store) -> Space:
    """Return how large the database is."""
    with store.reading() as conn:
        if conn.dialect.name == "postgresql":
            return Space(bytes=conn.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0, free=None)
        size, free, count = (
            conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_size", "freelist_count", "page_count")
        )
        return Space(bytes=size * count, free=size * free)


def _steps(retention: Retention, now: datetime) -> list[_Step]:
    steps = []
    if retention.texts is not None:
        old = now - retention.texts
        hunks, texts = _Hunks(old), _Texts(old, now)
        steps.append(_Step(name="diffs", look=hunks.look, throw=hunks.throw))
        steps.append(_Step(name="texts", look=texts.look, throw=texts.throw))
    if retention.pages is not None:
        kept = _Pages(now - retention.pages, now)
        steps.append(_Step(name="pages", look=kept.look, throw=kept.throw))
    if retention.alerts is not None:
        told, untold = _Alerts(now - retention.alerts), _Cancelled(now - retention.alerts)
        steps.append(_Step(name="alerts", look=told.look, throw=told.throw))
        steps.append(_Step(name="cancelled matches", look=untold.look, throw=untold.throw))
    if retention.dead_letters is not None:
        letters = _Letters(now - retention.dead_letters)
        steps.append(_Step(name="dead letters", look=letters.look, throw=letters.throw, first=0))
    if retention.messages is not None:
        messages = _Messages(now - retention.messages)
        steps.append(_Step(name="messages", look=messages.look, throw=messages.throw, first=_BEGINNING))
    return steps


def _replaced(revision: Any, before: datetime) -> sa.ColumnElement[bool]:
    """Return that the next revision came before a moment, so that all changes this one is a side of lie before it."""
    later = revisions.alias("later")
    return (
        sa.exists()
        .where(later.c.article == revision.c.article, later.c.version > revision.c.version)
        .where(later.c.first_observed < before)
    )


def _next(conn: Connection, last: str) -> list[str]:
    """Return the keys of some articles after `last`."""
    query = sa.select(articles.c.key).where(articles.c.key > last).order_by(articles.c.key).limit(_ARTICLES)
    return list(conn.scalars(query))


def _hold(conn: Connection, keys: Sequence[str]) -> None:
    """Move articles' versions on, so that whoever has read their texts to compare them does so again."""
    held = sa.select(articles.c.key).where(articles.c.key.in_(keys)).order_by(articles.c.key).with_for_update()
    conn.execute(held).all()
    moved = articles.c.ledger_version + 1
    conn.execute(sa.update(articles).where(articles.c.key.in_(keys)).values(ledger_version=moved))


def _too_old_diffs(keys: Sequence[str], old: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(diffs.c.article.in_(keys), diffs.c.observed < old)


@dataclass(frozen=True, slots=True)
class _Texts:
    old: datetime
    now: datetime

    def look(self, conn: Connection, last: str) -> _Found:
        keys = _next(conn, last)
        rows = self._too_old(conn, keys) if keys else []
        return _Found(
            keys=sorted({row.article for row in rows}),
            freed=Freed(rows=len(rows), bytes=sum(row.size for row in rows)),
            last=keys[-1] if len(keys) == _ARTICLES else None,
        )

    def throw(self, conn: Connection, keys: Sequence[str]) -> Freed:
        _hold(conn, keys)
        texts: dict[str, list[str]] = {}
        for row in self._too_old(conn, keys):
            texts.setdefault(row.article, []).append(row.text_hash)
        # A late capture may have brought more of them since diffs were tidied; no diff is to lose a side.
        late = remove_hunks(conn, _too_old_diffs(list(texts), self.old)) if texts else Freed()
        freed = Freed(bytes=late.bytes)
        return sum((remove_texts(conn, key, hashes, self.now) for key, hashes in texts.items()), freed)

    def _too_old(self, conn: Connection, keys: Sequence[str]) -> list[Any]:
        """Return the texts of these articles that are no side of a change since, and were not seen since."""
        w, r, again, o = wordings.c, revisions.alias("own"), rereadings.c, observations.c
        stays = sa.and_(r.c.article == w.article, sa.not_(_replaced(r, self.old)))
        said = sa.exists().where(stays, sa.or_(r.c.text_hash == w.text_hash, r.c.content_hash == w.content_hash))
        reread = sa.exists().where(
            stays,
            again.article == w.article,
            again.content_hash == r.c.content_hash,
            again.new_text_hash == w.text_hash,
        )
        seen = sa.exists().where(o.article == w.article, o.observed >= self.old, o.content_hash == w.content_hash)
        query = sa.select(w.article, w.text_hash, size_of(w.wording, w.facts).label("size"))
        query = query.where(w.article.in_(keys), sa.not_(said), sa.not_(reread), sa.not_(seen))
        return list(conn.execute(query))


@dataclass(frozen=True, slots=True)
class _Hunks:
    old: datetime

    def look(self, conn: Connection, last: str) -> _Found:
        keys = _next(conn, last)
        emptied, freed = hunks_of(conn, _too_old_diffs(keys, self.old)) if keys else ([], Freed())
        more = len(keys) == _ARTICLES
        return _Found(keys=keys if emptied else (), freed=freed, last=keys[-1] if more else None)

    def throw(self, conn: Connection, keys: Sequence[str]) -> Freed:
        return remove_hunks(conn, _too_old_diffs(keys, self.old))


@dataclass(frozen=True, slots=True)
class _Pages:
    old: datetime
    now: datetime

    def look(self, conn: Connection, last: str) -> _Found:
        query = sa.select(pages.c.hash, size_of(pages.c.body).label("size")).where(pages.c.hash > last, self._too_old())
        rows = conn.execute(query.order_by(pages.c.hash).limit(_ROWS)).all()
        return _Found(
            keys=[row.hash for row in rows],
            freed=Freed(rows=len(rows), bytes=sum(row.size for row in rows)),
            last=rows[-1].hash if len(rows) == _ROWS else None,
        )

    def throw(self, conn: Connection, hashes: Sequence[str]) -> Freed:
        mine = pages.c.hash.in_(hashes)
        # Whoever keeps one of these pages again holds its row, and its revision is seen by the second statement.
        conn.execute(sa.select(pages.c.hash).where(mine).order_by(pages.c.hash).with_for_update()).all()
        return remove_pages(conn, conn.scalars(sa.select(pages.c.hash).where(mine, self._too_old())).all(), self.now)

    def _too_old(self) -> sa.ColumnElement[bool]:
        r = revisions.alias("own")
        stays = sa.exists().where(r.c.page_hash == pages.c.hash, sa.not_(_replaced(r, self.old)))
        stays = stays.where(articles.c.key == r.c.article, articles.c.forgotten.is_(None))
        return sa.and_(pages.c.kept < self.old, sa.not_(stays))


@dataclass(frozen=True, slots=True)
class _Alerts:
    """Alerts that were sent or given up, with what they told of; not one that is about to be taken back."""

    old: datetime

    def look(self, conn: Connection, last: str) -> _Found:
        query = sa.select(alerts.c.id, size_of(alerts.c.body).label("size")).where(alerts.c.id > last, self._too_old())
        rows = conn.execute(query.order_by(alerts.c.id).limit(_ROWS)).all()
        return _Found(
            keys=[row.id for row in rows],
            freed=Freed(rows=len(rows), bytes=sum(row.size for row in rows)),
            last=rows[-1].id if len(rows) == _ROWS else None,
        )

    def throw(self, conn: Connection, ids: Sequence[str]) -> Freed:
        query = sa.select(alerts.c.id, size_of(alerts.c.body).label("size")).where(
            alerts.c.id.in_(ids), self._too_old()
        )
        rows = conn.execute(query.order_by(alerts.c.id).with_for_update()).all()
        own = [row.id for row in rows]
        conn.execute(sa.delete(alert_matches).where(alert_matches.c.alert.in_(own)))
        conn.execute(sa.delete(alerts).where(alerts.c.id.in_(own)))
        return Freed(rows=len(rows), bytes=sum(row.size for row in rows))

    def _too_old(self) -> sa.ColumnElement[bool]:
        told, later = alert_matches.alias("told"), alert_matches.alias("later")
        followed = sa.select(told.c.alert).join(later, later.c.follows == told.c.id)
        followed = followed.where(later.c.state.in_((*UNSETTLED, "formed")), told.c.alert.is_not(None))
        return sa.and_(alerts.c.state.in_(("sent", "dead")), alerts.c.settled < self.old, alerts.c.id.not_in(followed))


@dataclass(frozen=True, slots=True)
class _Cancelled:
    """Matches that no alert ever told of."""

    old: datetime

    def look(self, conn: Connection, last: str) -> _Found:
        m = alert_matches.c
        query = sa.select(m.id, size_of(m.why).label("size")).where(m.id > last, self._too_old())
        rows = conn.execute(query.order_by(m.id).limit(_ROWS)).all()
        return _Found(
            keys=[row.id for row in rows],
            freed=Freed(rows=len(rows), bytes=sum(row.size for row in rows)),
            last=rows[-1].id if len(rows) == _ROWS else None,
        )

    def throw(self, conn: Connection, ids: Sequence[str]) -> Freed:
        mine = sa.and_(alert_matches.c.id.in_(ids), self._too_old())
        return _delete(conn, alert_matches, mine, alert_matches.c.why)

    def _too_old(self) -> sa.ColumnElement[bool]:
        m = alert_matches.c
        return sa.and_(m.state == "cancelled", m.alert.is_(None), m.matched < self.old)


@dataclass(frozen=True, slots=True)
class _Letters:
    old: datetime

    def look(self, conn: Connection, last: int) -> _Found:
        query = sa.select(dead_letters.c.id, sa.func.coalesce(size_of(dead_letters.c.capture), 0).label("size"))
        query = query.where(dead_letters.c.id > last, dead_letters.c.at < self.old)
        rows = conn.execute(query.order_by(dead_letters.c.id).limit(_ROWS)).all()
        return _Found(
            keys=[row.id for row in rows],
            freed=Freed(rows=len(rows), bytes=sum(row.size for row in rows)),
            last=rows[-1].id if len(rows) == _ROWS else None,
        )

    def throw(self, conn: Connection, ids: Sequence[int]) -> Freed:
        return _delete(conn, dead_letters, dead_letters.c.id.in_(ids), dead_letters.c.capture)


@dataclass(frozen=True, slots=True)
class _Messages:
    """Records and events that every sink has had. Their ids stay, so that none is ever announced again."""

    old: datetime

    def look(self, conn: Connection, last: tuple[datetime, int]) -> _Found:
        o = outbox.c
        behind = sa.and_(o.recorded >= last[0], sa.or_(o.recorded > last[0], o.id > last[1]))
        query = sa.select(o.id, o.recorded, size_of(o.payload).label("size")).where(self._too_old(), behind)
        rows = conn.execute(query.order_by(o.recorded, o.id).limit(_ROWS)).all()
        return _Found(
            keys=[row.id for row in rows],
            freed=Freed(rows=len(rows), bytes=sum(row.size for row in rows)),
            last=(rows[-1].recorded, rows[-1].id) if len(rows) == _ROWS else None,
        )

    def throw(self, conn: Connection, ids: Sequence[int]) -> Freed:
        query = sa.select(outbox.c.id, size_of(outbox.c.payload).label("size"))
        rows = conn.execute(query.where(outbox.c.id.in_(ids), self._too_old()).with_for_update()).all()
        own = [row.id for row in rows]
        conn.execute(sa.delete(deliveries).where(deliveries.c.outbox.in_(own)))
        conn.execute(sa.update(outbox).where(outbox.c.id.in_(own)).values(payload=""))
        return Freed(rows=len(rows), bytes=sum(row.size for row in rows))

    def _too_old(self) -> sa.ColumnElement[bool]:
        full = outbox.c.payload != sa.literal_column("''")  # as its index says it, which no parameter would match
        waited_for = sa.exists().where(deliveries.c.outbox == outbox.c.id, deliveries.c.delivered.is_(None))
        return sa.and_(full, outbox.c.recorded < self.old, ~waited_for)


def _delete(conn: Connection, table: sa.Table, which: sa.ColumnElement[bool], body: sa.Column[Any]) -> Freed:
    size = sa.func.coalesce(sa.func.sum(size_of(body)), 0)
    row = conn.execute(sa.select(sa.func.count().label("rows"), size.label("bytes")).where(which)).one()
    conn.execute(sa.delete(table).where(which))
    return Freed(rows=row.rows, bytes=row.bytes)
