"""Forget an article: take out all that it said, and take nothing of it in again.

What stays proves what was done: addresses, hashes, times, the chain and the reason. A fetch that is under way changes
nothing: its keeper finds the article's version moved on, loads again, and meets an article that is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.canonical import canonical_json
from wirewatch.model import Capture
from wirewatch.store import Store, removing
from wirewatch.store import alerts as telling
from wirewatch.store.outbox import DELIVER
from wirewatch.store.packed import unpack
from wirewatch.store.removing import Freed, parts
from wirewatch.store.tables import (
    alert_matches,
    alerts,
    aliases,
    articles,
    dead_letters,
    deliveries,
    diffs,
    inbox,
    observations,
    outbox,
    revisions,
    wordings,
)
from wirewatch.store.types import short_name

_LOOKED_AT: Final = 50  # captures unpacked at once
_SAID_INSTEAD: Final = "what this was about is forgotten"


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """How many rows or alerts with its words left the store for a place: `sent` surely, `perhaps` it is not known."""

    place: str
    sent: int = 0
    perhaps: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """What was taken out, by what it was, and where copies lie that this store does not reach."""

    article: str
    at: datetime
    reason: str
    before: bool  # it was forgotten already
    freed: dict[str, Freed]
    sinks: tuple[Copies, ...] = ()
    channels: tuple[Copies, ...] = ()
    shared: int = 0  # pages that stay, because another article has the very same


def keys_of(conn: Connection, key: str) -> list[str]:
    """Return the keys under which anything of an article may lie: its own, and those that were joined to it."""
    return [key, *conn.scalars(sa.select(articles.c.key).where(articles.c.merged_into == key))]


def forget(store: Store, key: str, reason: str, now: datetime, normal: Callable[[str], str]) -> Forgotten:
    """Forget the article of that key, in one transaction; done again, it takes out what is left and keeps its reason.

    `normal` gives the form of an address under which articles are known. Raise StoreError where the store cannot do its
    work; nothing is taken out then.
    """
    with store.reading() as conn:
        captures = _captures(conn, _names(conn, key), normal)
    with store.begin() as conn:
        _overwriting(conn, wanted=True)
        done = _forget(conn, key, reason, now, captures)
        _overwriting(conn, wanted=False)
    _drop_journal(store)
    return done


@dataclass(frozen=True, kw_only=True, slots=True)
class _Captures:
    """Where captures of the article wait or were buried, and feeds' documents that tell of it."""

    inbox: tuple[str, ...] = ()
    letters: tuple[int, ...] = ()
    documents: tuple[int, ...] = ()


def _forget(conn: Connection, key: str, reason: str, now: datetime, captures: _Captures) -> Forgotten:
    row = _stop(conn, key, reason, now)
    keys = keys_of(conn, key)
    freed = {"pages": Freed()}
    pages, shared = _own_pages(conn, keys)
    freed["pages"] = removing.remove_pages(conn, pages, now)
    freed["texts"] = sum((_texts(conn, one, now) for one in keys), Freed())
    freed["diffs"] = removing.remove_hunks(conn, diffs.c.article.in_(keys))
    sinks, channels = _sinks(conn, keys), _channels(conn, keys)
    freed["alerts"] = _alerts(conn, keys)
    letters = {*captures.letters, *_letters(conn, _names(conn, key)), *_refused(conn, keys)}
    freed["outbox"] = _outbox(conn, keys)
    freed["inbox"] = _delete(conn, inbox, inbox.c.id, captures.inbox, inbox.c.capture)
    freed["dead letters"] = _delete(conn, dead_letters, dead_letters.c.id, letters, dead_letters.c.capture)
    for some in parts(set(captures.documents)):
        emptied = {"capture": None, "reason": _SAID_INSTEAD}
        conn.execute(sa.update(dead_letters).where(dead_letters.c.id.in_(some)).values(emptied))
    return Forgotten(
        article=key,
        at=row.forgotten or now,
        reason=row.forgotten_reason or reason,
        before=row.forgotten is not None,
        freed=freed,
        sinks=sinks,
        channels=channels,
        shared=shared,
    )


def _stop(conn: Connection, key: str, reason: str, now: datetime) -> Any:
    """End all checks of the article and mark it; return its row as it was before."""
    row = conn.execute(sa.select(articles).where(articles.c.key == key).with_for_update()).one()
    stopped: dict[str, Any] = {"due_at": None, "lease": None, "lease_ends": None, "start_at": None, "settled": None}
    stopped |= {"etag": None, "last_modified": None, "last_detail": "", "fingerprint": None}
    if row.forgotten is None:
        stopped |= {"forgotten": now, "forgotten_reason": reason}
    version = articles.c.ledger_version + 1
    conn.execute(sa.update(articles).where(articles.c.key == key).values(**stopped, ledger_version=version))
    return row


def _own_pages(conn: Connection, keys: Sequence[str]) -> tuple[set[str], int]:
    """Return the pages that only these articles have, and how many they share with others, which stay."""
    seen = conn.scalars(sa.select(observations.c.body).where(observations.c.article.in_(keys)))
    hashes = {page_hash for body in seen if (page_hash := body.get("page_hash"))}
    shared: set[str] = set()
    for some in parts(hashes):
        others = sa.select(revisions.c.page_hash).join(articles, articles.c.key == revisions.c.article)
        others = others.where(
            revisions.c.page_hash.in_(some), revisions.c.article.not_in(keys), articles.c.forgotten.is_(None)
        )
        shared |= set(conn.scalars(others))
    return hashes - shared, len(shared)


def _texts(conn: Connection, key: str, now: datetime) -> Freed:
    hashes = conn.scalars(sa.select(wordings.c.text_hash).where(wordings.c.article == key)).all()
    return removing.remove_texts(conn, key, hashes, now)


def _sinks(conn: Connection, keys: Sequence[str]) -> tuple[Copies, ...]:
    given = sa.func.count(deliveries.c.delivered)
    begun = sa.func.count().filter(deliveries.c.delivered.is_(None), deliveries.c.batch.is_not(None))
    query = sa.select(deliveries.c.sink, given.label("sent"), begun.label("perhaps"))
    query = query.where(deliveries.c.article.in_(keys)).group_by(deliveries.c.sink).order_by(deliveries.c.sink)
    rows = conn.execute(query)
    return tuple(Copies(place=row.sink, sent=row.sent, perhaps=row.perhaps) for row in rows)


def _channels(conn: Connection, keys: Sequence[str]) -> tuple[Copies, ...]:
    """Return how many alerts with stories of these articles each channel was sent."""
    told = sa.select(alert_matches.c.alert).where(alert_matches.c.article.in_(keys), alert_matches.c.alert.is_not(None))
    sent = sa.func.count().filter(alerts.c.state == "sent")
    perhaps = sa.func.count().filter(
        alerts.c.state != "sent", sa.or_(alerts.c.perhaps_taken, alerts.c.attempts > alerts.c.failures)
    )
    query = sa.select(alerts.c.channel, sent.label("sent"), perhaps.label("perhaps")).where(alerts.c.id.in_(told))
    rows = conn.execute(query.group_by(alerts.c.channel).order_by(alerts.c.channel))
    return tuple(Copies(place=row.channel, sent=row.sent, perhaps=row.perhaps) for row in rows)


def _alerts(conn: Connection, keys: Sequence[str]) -> Freed:
    """Take these articles' stories out of alerts; one that is not sent yet is undone, and its others told anew."""
    m, a = alert_matches.c, alerts.c
    ids = set(conn.scalars(sa.select(m.alert).where(m.article.in_(keys), m.alert.is_not(None))))
    conn.execute(sa.delete(alert_matches).where(m.article.in_(keys)))
    freed = Freed()
    for some in parts(ids):
        held = sa.select(a.id, a.state, a.body, removing.size_of(a.body).label("size")).where(a.id.in_(some))
        for row in conn.execute(held.order_by(a.id).with_for_update()).all():
            if row.state == "waiting":
                telling.dissolve(conn, row.id)
                freed += Freed(rows=1, bytes=row.size)
                continue
            body = orjson.loads(row.body)
            body["stories"] = [one for one in body.get("stories", ()) if one["article"] not in keys]
            conn.execute(sa.update(alerts).where(a.id == row.id).values(body=canonical_json(body), subject=""))
            left = conn.scalar(sa.select(removing.size_of(a.body)).where(a.id == row.id)) or 0
            freed += Freed(rows=1, bytes=row.size - left)
    return freed


def _outbox(conn: Connection, keys: Sequence[str]) -> Freed:
    mine = outbox.c.article.in_(keys)
    size = sa.func.coalesce(sa.func.sum(sa.func.length(outbox.c.payload)), 0)
    row = conn.execute(sa.select(sa.func.count().label("rows"), size.label("bytes")).where(mine)).one()
    conn.execute(sa.delete(deliveries).where(deliveries.c.outbox.in_(sa.select(outbox.c.id).where(mine))))
    conn.execute(sa.delete(outbox).where(mine))
    return Freed(rows=row.rows, bytes=row.bytes)


def _letters(conn: Connection, names: Collection[str]) -> set[int]:
    found: set[int] = set()
    for some in parts(names):
        found |= set(conn.scalars(sa.select(dead_letters.c.id).where(dead_letters.c.url.in_(some))))
    return found


def _refused(conn: Connection, keys: Sequence[str]) -> set[int]:
    """Return the dead letters of messages that a sink refused, perhaps with words of them in its reason."""
    query = sa.select(deliveries.c.sink, outbox.c.kind, outbox.c.item).join(outbox, outbox.c.id == deliveries.c.outbox)
    files = {f"{row.sink}/{row.kind}/{row.item}" for row in conn.execute(query.where(outbox.c.article.in_(keys)))}
    found: set[int] = set()
    for some in parts(files):
        mine = sa.select(dead_letters.c.id).where(dead_letters.c.step == DELIVER, dead_letters.c.file.in_(some))
        found |= set(conn.scalars(mine))
    return found


def _delete(
    conn: Connection, table: sa.Table, key: sa.Column[Any], ids: Collection[Any], body: sa.Column[Any]
) -> Freed:
    freed = Freed()
    for some in parts(set(ids)):
        sizes = conn.scalars(sa.select(removing.size_of(body)).where(key.in_(some))).all()
        conn.execute(sa.delete(table).where(key.in_(some)))
        freed += Freed(rows=len(sizes), bytes=sum(size or 0 for size in sizes))
    return freed


def _names(conn: Connection, key: str) -> set[str]:
    """Return the article's addresses and guids, as the store keeps them."""
    return set(conn.scalars(sa.select(aliases.c.name).where(aliases.c.article == key)))


def _captures(conn: Connection, names: Collection[str], normal: Callable[[str], str]) -> _Captures:
    """Look through what waits and what was buried; it is compressed, so no index leads there."""
    waiting = [row_id for row_id, _, capture in _unpacked(conn, inbox) if _is_of(capture, names, normal)]
    letters, documents = [], []
    for row_id, step, capture in _unpacked(conn, dead_letters):
        if _is_of(capture, names, normal):
            letters.append(row_id)
        elif step == "feed" and any(name.encode() in capture.body for name in names):
            documents.append(row_id)
    return _Captures(inbox=tuple(waiting), letters=tuple(letters), documents=tuple(documents))


def _unpacked(conn: Connection, table: sa.Table) -> Iterator[tuple[Any, str, Capture]]:
    step = table.c.step if "step" in table.c else sa.literal("")
    query = sa.select(table.c.id, step.label("step"), table.c.capture).where(table.c.capture.is_not(None))
    last = None
    while True:
        some = query if last is None else query.where(table.c.id > last)
        rows = conn.execute(some.order_by(table.c.id).limit(_LOOKED_AT)).all()
        for row in rows:
            yield row.id, row.step, unpack(row.capture)
        if len(rows) < _LOOKED_AT:
            return
        last = rows[-1].id


def _is_of(capture: Capture, names: Collection[str], normal: Callable[[str], str]) -> bool:
    asked = (capture.url, *capture.redirects, *((capture.final_url,) if capture.final_url else ()))
    return any(short_name(normal(url)) in names for url in asked)


def _overwriting(conn: Connection, *, wanted: bool) -> None:
    """Have SQLite write zeros over what is deleted on this connection, or leave that again."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(f"PRAGMA secure_delete = {'ON' if wanted else 'OFF'}")


def _drop_journal(store: Store) -> None:
    """Empty SQLite's journal, which still has what was deleted; while others read it, a later close does that."""
    if store.engine.dialect.name == "sqlite":
        with store.engine.connect() as conn:
            conn.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
