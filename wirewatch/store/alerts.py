"""What rules matched, what channels are told of it, and how far that has come.

A match waits until it is ripe; the sender forms alerts of what waits, keeps each whole before it goes out for the
first time, and marks it afterwards. A match is in one of these states:

    waiting     not told yet                              held        over its rule's cap; counted in a closing line
    formed      in an alert that is under way             sent, dead  as its alert is
    joined      told already by an alert of its group     cancelled   taken back, or no longer so, before it was told
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.canonical import canonical_json, sha256
from wirewatch.store import Store
from wirewatch.store.labels import BOILERPLATE_WINDOW
from wirewatch.store.leases import new_lease
from wirewatch.store.sql import insert, insert_new, take_turns
from wirewatch.store.tables import alert_channels, alert_conditions, alert_matches, alerts, diffs
from wirewatch.store.tables import outbox as events

HOUR: Final = timedelta(hours=1)  # what a rule's cap counts over, from hour to hour of UTC
UNSETTLED: Final = ("waiting", "held")
_AT_A_TIME: Final = 500  # ids in one statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """One event that one rule matched, for one channel. `id` follows from these three."""

    id: str
    article: str
    host: str
    happened: str
    event: str
    rule: str
    channel: str
    matched: datetime
    ripe: datetime
    why: tuple[str, ...] = ()
    diff: str | None = None
    hunk_hash: str | None = None
    state: str = "waiting"
    held: datetime | None = None
    follows: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Formed:
    """One alert, whole: `body` is its JSON, kept as it is until it is sent."""

    id: str
    channel: str
    rule: str
    kind: str
    created: datetime
    body: bytes
    attempts: int = 0
    failures: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """An alert to keep, and its matches by id: those that it shows as stories, and those that it only counts."""

    alert: Formed
    shown: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """All that is known of one channel when its alerts are formed.

    `waiting` has what no alert tells yet, held matches included. `alike` counts, by diff, on how many articles of the
    host the same was changed; 1 where it is alone. `told_groups` names the alert that told of a change of several
    articles, by host and hash of its hunks. `formed` are the alerts of the last day, newest first: when, kind and
    rules. `busy` are the articles of which an alert is under way. `paced` has, for each alert that counts for the
    channel's rate, when it was sent or given up: now, as long as it waits. `told_by` names the alert that told a match,
    for each match that a waiting follow-up takes back.
    """

    waiting: tuple[Match, ...] = ()
    alike: Mapping[str, int] = field(default_factory=dict)
    told_groups: Mapping[tuple[str, str], str] = field(default_factory=dict)
    formed: tuple[tuple[datetime, str, str], ...] = ()
    busy: frozenset[str] = frozenset()
    paced: tuple[datetime, ...] = ()
    told_by: Mapping[str, str] = field(default_factory=dict)
    off: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One alert as it is listed."""

    id: str
    channel: str
    rule: str
    kind: str
    created: datetime
    state: str
    due: datetime
    attempts: int
    failures: int
    settled: datetime | None
    detail: str
    subject: str


_MATCH: Final = tuple(f.name for f in fields(Match))
_ENTRY: Final = tuple(f.name for f in fields(Entry))


def match_id(event: str, rule: str, channel: str) -> str:
    """Return the id of a match: one event, rule and channel have one match."""
    return sha256(canonical_json(["match", event, rule, channel]))[:32]


# Where it is kept what changed: inside the keeper's transaction


def keep(conn: Connection, matches: Sequence[Match]) -> None:
    """Keep matches; one that is there already stays as it is."""
    if matches:
        new = insert(conn, alert_matches).on_conflict_do_nothing()
        conn.execute(new, [_row(match) for match in matches])


def take_back(conn: Connection, retractions: Mapping[str, str], now: datetime, ripe: datetime) -> None:
    """Undo what was matched by events that are taken back: by event, the event that retracts it.

    What was not told is cancelled, in an alert that failed so far as well; what was told gets a follow-up. What may be
    on its way this moment, or may have arrived though no answer came, is marked, and gets its follow-up when it has
    arrived; so is what was given up, for when it is sent again.
    """
    if not retractions:
        return
    matches, alert = alert_matches.c, alerts.c
    ids = conn.scalars(sa.select(matches.alert).where(matches.event.in_(retractions), matches.state == "formed")).all()
    under_way = sa.select(alert.id, alert.attempts, alert.failures, alert.perhaps_taken)
    under_way = under_way.where(alert.id.in_(ids), alert.state == "waiting")
    for row in conn.execute(under_way.order_by(alert.id).with_for_update()).all():
        if row.attempts <= row.failures and not row.perhaps_taken:
            dissolve(conn, row.id)
    for event, retraction in sorted(retractions.items()):
        of_event = matches.event == event
        untold = sa.and_(of_event, matches.state.in_((*UNSETTLED, "joined")))
        conn.execute(sa.update(alert_matches).where(untold).values(state="cancelled", retracted=retraction))
        told = sa.and_(of_event, matches.state.in_(("sent", "formed", "dead")))
        conn.execute(sa.update(alert_matches).where(told).values(retracted=retraction))
    perhaps = sa.select(alert.id).where(alert.perhaps_taken)
    arrived = sa.or_(matches.state == "sent", sa.and_(matches.state == "dead", matches.alert.in_(perhaps)))
    _follow_up(conn, sa.and_(matches.event.in_(retractions), arrived), now, ripe)


def move(conn: Connection, survivor: str, other: str) -> None:
    """Have what was matched of an article go on under the article that it turned out to be."""
    of_other = alert_matches.c.article == other
    conn.execute(sa.update(alert_matches).where(of_other).values(article=survivor))


# Forming


def lease_channel(store: Store, channel: str, now: datetime, seconds: float) -> str | None:
    """Return a lease for forming the channel's alerts, or None while another process does."""
    lease, table = new_lease(), alert_channels
    free = sa.or_(table.c.lease_ends.is_(None), table.c.lease_ends <= now)
    with store.begin() as conn:
        insert_new(conn, table, {"name": channel})
        taken = sa.update(table).where(table.c.name == channel, free)
        got = conn.execute(taken.values(lease=lease, lease_ends=now + timedelta(seconds=seconds))).rowcount
    return lease if got else None


def release_channel(store: Store, channel: str, lease: str) -> None:
    """Let others form the channel's alerts."""
    table = alert_channels
    mine = sa.and_(table.c.name == channel, table.c.lease == lease)
    with store.begin() as conn:
        conn.execute(sa.update(table).where(mine).values(lease=None, lease_ends=None))


def anything_waits(store: Store, channels: Collection[str], now: datetime) -> bool:
    """Tell whether there may be something to form or to send now."""
    matches, alert = alert_matches.c, alerts.c
    ripe = sa.exists().where(matches.channel.in_(channels), matches.state.in_(UNSETTLED), matches.ripe <= now)
    due = sa.exists().where(alert.channel.in_(channels), alert.state == "waiting", alert.due <= now)
    with store.reading() as conn:
        return bool(conn.scalar(sa.select(sa.or_(ripe, due))))


def desk(conn: Connection, channel: str, now: datetime, limit: int) -> Desk:
    """Return what is known of a channel, with at most `limit` matches that wait, oldest first.

    Of those that are held, all of the hours that are over are there, and one of this hour, if there is one.
    """
    m, a = alert_matches.c, alerts.c
    of_channel = sa.select(alert_matches).where(m.channel == channel)
    waits = of_channel.where(m.state == "waiting").order_by(m.ripe, m.id).limit(limit)
    held, hour = of_channel.where(m.state == "held").order_by(m.ripe, m.id), hour_of(now)
    queries = waits, held.where(m.held < hour), held.where(m.held >= hour).limit(1)
    waiting = tuple(_match(row) for query in queries for row in conn.execute(query))
    lately = sa.select(a.created, a.kind, a.rule).where(a.channel == channel, a.created > now - timedelta(days=1))
    busy = sa.select(m.article).where(m.channel == channel, m.state == "formed")
    paced = sa.select(a.settled).where(a.channel == channel)
    paced = paced.where(sa.or_(a.state == "waiting", a.settled > now - timedelta(days=1)))
    off = sa.select(alert_channels.c.off_since).where(alert_channels.c.name == channel)
    return Desk(
        waiting=waiting,
        alike=alike(conn, {one.diff for one in waiting if one.diff}),
        told_groups=_told_groups(conn, channel, waiting, now),
        formed=tuple((row.created, row.kind, row.rule) for row in conn.execute(lately.order_by(a.created.desc()))),
        busy=frozenset(conn.scalars(busy)) if waiting else frozenset(),
        paced=tuple(settled or now for settled in conn.scalars(paced)),
        told_by={
            row.id: row.alert
            for ids in _parts({one.follows for one in waiting if one.follows})
            for row in conn.execute(sa.select(m.id, m.alert).where(m.id.in_(ids)))
        },
        off=conn.scalar(off) is not None,
    )


def hour_of(at: datetime) -> datetime:
    """Return when the hour of UTC began over which a rule's cap counts."""
    return at.replace(minute=0, second=0, microsecond=0)


def alike(conn: Connection, diff_ids: Collection[str]) -> dict[str, int]:
    """Return, by diff, on how many articles of its host the same hunks were seen within a day of it."""
    parts = (conn.execute(_alike_query(), {"ids": part}) for part in _parts(diff_ids))
    return {row[0]: row[1] for rows in parts for row in rows}


@lru_cache(maxsize=1)
def _alike_query() -> sa.Select[Any]:
    # Made once: on a reader's page, making it took longer than the answer.
    own, other = diffs.alias("own"), diffs.alias("other")
    window = BOILERPLATE_WINDOW // timedelta(microseconds=1)
    apart = sa.type_coerce(other.c.observed, sa.BigInteger) - sa.type_coerce(own.c.observed, sa.BigInteger)
    same = sa.and_(
        other.c.host == own.c.host,
        other.c.hunk_hash == own.c.hunk_hash,
        other.c.live,
        apart.between(-window, window),
    )
    query = sa.select(own.c.id, sa.func.count(other.c.article.distinct())).select_from(own.join(other, same))
    return query.where(own.c.id.in_(sa.bindparam("ids", expanding=True))).group_by(own.c.id)


def form(conn: Connection, channel: str, lease: str, made: Sequence[Made]) -> bool:
    """Keep alerts with the matches that each is of; write nothing and return False if the lease is another's by now.

    A match that was cancelled meanwhile leaves its whole alert unformed: its others are told the next time.
    """
    table = alert_channels
    held = sa.select(table.c.lease).where(table.c.name == channel)
    if conn.scalar(held.with_for_update()) != lease:
        return False
    m = alert_matches.c
    for one in made:
        free = 0
        for ids in _parts(one.shown | one.counted):
            query = sa.select(m.id).where(m.id.in_(ids), m.state.in_(UNSETTLED)).order_by(m.id).with_for_update()
            free += len(conn.scalars(query).all())
        if free != len(one.shown | one.counted) or not _keep_formed(conn, one.alert):
            continue
        for shown, matches in ((True, one.shown), (False, one.counted - one.shown)):
            values = {"state": "formed", "alert": one.alert.id, "shown": shown}
            for ids in _parts(matches):
                conn.execute(sa.update(alert_matches).where(m.id.in_(ids)).values(values))
    return True


def put(conn: Connection, alert: Formed) -> bool:
    """Keep an alert that is of no match; return False if it is there already."""
    return _keep_formed(conn, alert)


def join(conn: Connection, joined: Mapping[str, str]) -> None:
    """Count matches as told by the alert of their group: by match, the alert."""
    m = alert_matches.c
    for match, alert in sorted(joined.items()):
        waits = sa.and_(m.id == match, m.state.in_(UNSETTLED))
        conn.execute(sa.update(alert_matches).where(waits).values(state="joined", alert=alert))


def hold(conn: Connection, matches: Collection[str], now: datetime) -> None:
    """Hold matches back that are over their rule's cap; a closing line will count them."""
    m = alert_matches.c
    for ids in _parts(matches):
        waits = sa.and_(m.id.in_(ids), m.state == "waiting")
        conn.execute(sa.update(alert_matches).where(waits).values(state="held", held=now))


def cancel(conn: Connection, matches: Collection[str]) -> None:
    """Give up matches of changes that no longer are."""
    m = alert_matches.c
    for ids in _parts(matches):
        waits = sa.and_(m.id.in_(ids), m.state.in_(UNSETTLED))
        conn.execute(sa.update(alert_matches).where(waits).values(state="cancelled"))


def payloads(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """Return the kept events by id."""
    query = sa.select(events.c.item, events.c.payload).where(events.c.kind == "event", events.c.item.in_(ids))
    return {row.item: row.payload for row in conn.execute(query)}


# Sending


def claim(store: Store, channel: str, *, now: datetime, limit: int, lease_seconds: float) -> list[Formed]:
    """Lease alerts of a channel that are due, those that failed least first."""
    a, lease = alerts.c, new_lease()
    free = sa.or_(a.lease_ends.is_(None), a.lease_ends <= now)
    c = alert_channels.c
    on = sa.select(c.name).where(c.name == channel, c.off_since.is_(None))
    on = on.where(sa.or_(c.held_until.is_(None), c.held_until <= now))
    with store.begin() as conn:
        if conn.scalar(on) is None:
            return []
        due = sa.select(a.id).where(a.channel == channel, a.state == "waiting", a.due <= now, free)
        ids = conn.scalars(
            due.order_by(a.failures, a.created, a.id).limit(limit).with_for_update(skip_locked=True)
        ).all()
        if not ids:
            return []
        taken = {
            "lease": lease,
            "lease_ends": now + timedelta(seconds=lease_seconds),
            "attempts": a.attempts + 1,
            # Of an attempt whose end nobody marked, because its sender died, nothing is known.
            "perhaps_taken": sa.or_(a.perhaps_taken, a.attempts > a.failures),
        }
        conn.execute(sa.update(alerts).where(a.id.in_(ids)).values(taken))
        rows = conn.execute(sa.select(alerts).where(a.id.in_(ids)).order_by(a.failures, a.created, a.id)).all()
    return [
        Formed(
            id=row.id,
            channel=row.channel,
            rule=row.rule,
            kind=row.kind,
            created=row.created,
            body=row.body,
            attempts=row.attempts,
            failures=row.failures,
        )
        for row in rows
    ]


def mark_sent(store: Store, alert: Formed, subject: str, now: datetime, ripe: datetime) -> None:
    """Note that an alert has arrived; what was retracted while it was under way gets its follow-up."""
    m = alert_matches.c
    with store.begin() as conn:
        if _settle(conn, alert, "sent", now, subject=subject, detail=""):
            _follow_up(conn, sa.and_(m.alert == alert.id, m.state == "sent", m.retracted.is_not(None)), now, ripe)


def mark_failed(
    store: Store,
    alert: Formed,
    detail: str,
    due: datetime,
    *,
    held: datetime | None = None,
    perhaps_taken: bool = False,
) -> None:
    """Note that an attempt failed and when the next is; an alert some of which was retracted meanwhile is undone.

    `held` is until when the receiver wants nothing at all. An alert that was `perhaps_taken`, now or earlier, is never
    undone: it goes on until it has surely arrived, and is followed up then.
    """
    m, a, c = alert_matches.c, alerts.c, alert_channels.c
    with store.begin() as conn:
        if held is not None:
            longer = sa.and_(c.name == alert.channel, sa.or_(c.held_until.is_(None), c.held_until < held))
            conn.execute(sa.update(alert_channels).where(longer).values(held_until=held))
        columns: dict[str, Any] = {"detail": detail, "due": due, "failures": alert.attempts}
        columns |= {"perhaps_taken": True} if perhaps_taken else {}
        if not _settle(conn, alert, "waiting", None, **columns):
            return
        if conn.scalar(sa.select(a.perhaps_taken).where(a.id == alert.id)):
            return
        retracted = sa.select(m.id).where(m.alert == alert.id, m.retracted.is_not(None))
        if taken_back := conn.scalars(retracted).all():
            dissolve(conn, alert.id)
            conn.execute(sa.update(alert_matches).where(m.id.in_(taken_back)).values(state="cancelled"))


def mark_dead(conn: Connection, alert: Formed, detail: str, now: datetime, *, perhaps_taken: bool = False) -> bool:
    """Give an alert up; return False if another process has settled it meanwhile.

    What was retracted of an alert that was `perhaps_taken`, now or earlier, gets its follow-up.
    """
    m, a = alert_matches.c, alerts.c
    columns: dict[str, Any] = {"detail": detail, "failures": alert.attempts}
    columns |= {"perhaps_taken": True} if perhaps_taken else {}
    if not _settle(conn, alert, "dead", now, **columns):
        return False
    if conn.scalar(sa.select(a.perhaps_taken).where(a.id == alert.id)):
        _follow_up(conn, sa.and_(m.alert == alert.id, m.state == "dead", m.retracted.is_not(None)), now, now)
    return True


def switch_off(conn: Connection, channel: str, reason: str, now: datetime) -> None:
    """Send nothing to a channel until it is switched on again."""
    insert_new(conn, alert_channels, {"name": channel})
    off = {"off_since": now, "reason": reason}
    conn.execute(sa.update(alert_channels).where(alert_channels.c.name == channel).values(off))


def switch_on(store: Store, channel: str) -> bool:
    """Send to a channel again; return False if it was not off."""
    off = sa.and_(alert_channels.c.name == channel, alert_channels.c.off_since.is_not(None))
    with store.begin() as conn:
        return (
            conn.execute(
                sa.update(alert_channels).where(off).values(off_since=None, held_until=None, reason="")
            ).rowcount
            == 1
        )


def send_again(store: Store, ids: Collection[str], now: datetime) -> list[str]:
    """Have alerts sent once more that were sent or given up, under the same id; return those of the ids."""
    a = alerts.c
    with store.begin() as conn:
        again = conn.scalars(sa.select(a.id).where(a.id.in_(ids), a.state != "waiting").order_by(a.id)).all()
        # What was sent counts as begun: if it is taken back now, its receiver has to hear of that.
        begun = sa.case((a.state == "sent", 1), else_=0)
        fresh = {"state": "waiting", "due": now, "settled": None, "failures": 0, "attempts": begun, "lease_ends": None}
        conn.execute(sa.update(alerts).where(a.id.in_(again)).values(**fresh, lease=None))
        m = alert_matches.c
        of_them = sa.and_(m.alert.in_(again), m.state.in_(("sent", "dead")))
        conn.execute(sa.update(alert_matches).where(of_them).values(state="formed"))
    return list(again)


# Looking


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """How much of a channel waits: matches that no alert tells yet, alerts on their way, and since when it is off."""

    matches: int = 0
    alerts: int = 0
    next_ripe: datetime | None = None
    next_due: datetime | None = None
    off_since: datetime | None = None
    reason: str = ""


def backlog(store: Store, channels: Iterable[str]) -> dict[str, Backlog]:
    """Return what waits, by channel."""
    with store.reading() as conn:
        return backlog_in(conn, channels)


def backlog_in(conn: Connection, channels: Iterable[str]) -> dict[str, Backlog]:
    """Return what waits, by channel."""
    m, a, c = alert_matches.c, alerts.c, alert_channels.c
    ripe = sa.select(m.channel, sa.func.count(), sa.func.min(m.ripe)).where(m.state.in_(UNSETTLED))
    due = sa.select(a.channel, sa.func.count(), sa.func.min(a.due)).where(a.state == "waiting")
    matches = {row[0]: row for row in conn.execute(ripe.group_by(m.channel))}
    waiting = {row[0]: row for row in conn.execute(due.group_by(a.channel))}
    off = {row.name: row for row in conn.execute(sa.select(alert_channels).where(c.off_since.is_not(None)))}
    return {
        name: Backlog(
            matches=matches[name][1] if name in matches else 0,
            alerts=waiting[name][1] if name in waiting else 0,
            next_ripe=matches[name][2] if name in matches else None,
            next_due=waiting[name][2] if name in waiting else None,
            off_since=off[name].off_since if name in off else None,
            reason=off[name].reason if name in off else "",
        )
        for name in channels
    }


def listed(store: Store, *, limit: int, states: Collection[str] = (), channel: str | None = None) -> list[Entry]:
    """Return alerts, newest first: what was told where and when, and what failed."""
    columns = [getattr(alerts.c, name) for name in _ENTRY]
    query = sa.select(*columns).order_by(alerts.c.created.desc(), alerts.c.id).limit(limit)
    if states:
        query = query.where(alerts.c.state.in_(states))
    if channel is not None:
        query = query.where(alerts.c.channel == channel)
    with store.reading() as conn:
        return [Entry(**row._mapping) for row in conn.execute(query)]


def matches_of(conn: Connection, alert: str) -> list[Match]:
    """Return the matches that an alert tells, those that joined it included."""
    query = sa.select(alert_matches).where(alert_matches.c.alert == alert)
    return [_match(row) for row in conn.execute(query.order_by(alert_matches.c.matched, alert_matches.c.id))]


def matches_by_id(conn: Connection, ids: Collection[str]) -> list[Match]:
    """Return matches by their ids."""
    return [_match(row) for row in conn.execute(sa.select(alert_matches).where(alert_matches.c.id.in_(ids)))]


def body(conn: Connection, alert: str) -> bytes | None:
    """Return an alert's JSON, or None if there is no such alert."""
    found: bytes | None = conn.scalar(sa.select(alerts.c.body).where(alerts.c.id == alert))
    return found


# What an operator is told


def latest_settled(conn: Connection, channels: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return, by channel, how its last settled alert ended and why; of one that is off, that."""
    a = alerts.c
    last = sa.select(a.channel, sa.func.max(a.settled).label("at")).where(a.settled.is_not(None)).group_by(a.channel)
    newest = last.subquery()
    query = sa.select(a.channel, a.state, a.detail).join(
        newest, sa.and_(newest.c.channel == a.channel, newest.c.at == a.settled)
    )
    found = {row.channel: (row.state, row.detail) for row in conn.execute(query.order_by(a.state.desc()))}
    off = sa.select(alert_channels).where(alert_channels.c.off_since.is_not(None))
    found |= {row.name: ("dead", row.reason) for row in conn.execute(off)}
    return {name: found[name] for name in channels if name in found}


def conditions(conn: Connection) -> dict[str, tuple[datetime, datetime | None]]:
    """Return what holds, by name: since when, and when the operator was told."""
    take_turns(conn, "alert conditions")
    rows = conn.execute(sa.select(alert_conditions))
    return {row.name: (row.since, row.told) for row in rows}


def begin_condition(conn: Connection, name: str, now: datetime) -> None:
    """Note that a condition holds from now on."""
    insert_new(conn, alert_conditions, {"name": name, "since": now})


def tell_condition(conn: Connection, name: str, now: datetime) -> None:
    """Note that the operator was told of a condition."""
    conn.execute(sa.update(alert_conditions).where(alert_conditions.c.name == name).values(told=now))


def end_condition(conn: Connection, name: str) -> None:
    """Note that a condition holds no more."""
    conn.execute(sa.delete(alert_conditions).where(alert_conditions.c.name == name))


def _keep_formed(conn: Connection, alert: Formed) -> bool:
    row = {
        "id": alert.id,
        "channel": alert.channel,
        "rule": alert.rule,
        "kind": alert.kind,
        "created": alert.created,
        "state": "waiting",
        "due": alert.created,
        "body": alert.body,
    }
    return insert_new(conn, alerts, row)


def _told_groups(conn: Connection, channel: str, waiting: Sequence[Match], now: datetime) -> dict[tuple[str, str], str]:
    hashes = {one.hunk_hash for one in waiting if one.hunk_hash}
    if not hashes:
        return {}
    m, a = alert_matches.c, alerts.c
    articles = sa.func.count(m.article.distinct())
    query = (
        sa.select(m.host, m.hunk_hash, a.id)
        .join_from(alert_matches, alerts, m.alert == a.id)
        .where(m.channel == channel, a.created > now - BOILERPLATE_WINDOW)
        .where(m.state.in_(("formed", "sent")))
        .group_by(m.host, m.hunk_hash, a.id, a.kind, a.created)
        .having(sa.or_(a.kind == "group", articles > 1))
        .order_by(a.created, a.id)
    )
    parts = (conn.execute(query.where(m.hunk_hash.in_(part))) for part in _parts(hashes))
    return {(row.host, row.hunk_hash): row.id for rows in parts for row in rows}


def _settle(conn: Connection, alert: Formed, state: str, now: datetime | None, **columns: Any) -> bool:
    """Write how an attempt ended, unless the alert was settled or begun again by another since."""
    a = alerts.c
    mine = sa.and_(a.id == alert.id, a.state == "waiting", a.attempts == alert.attempts)
    values = {"state": state, "settled": now, "lease": None, "lease_ends": None, **columns}
    if not conn.execute(sa.update(alerts).where(mine).values(values)).rowcount:
        return False
    if state != "waiting":
        of_it = sa.and_(alert_matches.c.alert == alert.id, alert_matches.c.state == "formed")
        conn.execute(sa.update(alert_matches).where(of_it).values(state=state))
    return True


def dissolve(conn: Connection, alert: str) -> None:
    """Undo an alert of which nothing arrived: its matches wait again and will be told by another one."""
    of_it = alert_matches.c.alert == alert
    conn.execute(sa.update(alert_matches).where(of_it).values(state="waiting", alert=None))
    conn.execute(sa.delete(alerts).where(alerts.c.id == alert))


def _follow_up(conn: Connection, told: sa.ColumnElement[bool], now: datetime, ripe: datetime) -> None:
    """Have what was told followed up; of what was only counted (`and 37 more`), nobody has heard anything to undo."""
    shown = sa.select(alert_matches).where(told, alert_matches.c.shown)
    keep(
        conn,
        [
            Match(
                id=match_id(row.retracted, row.rule, row.channel),
                article=row.article,
                host=row.host,
                happened="retracted",
                event=row.retracted,
                rule=row.rule,
                channel=row.channel,
                matched=now,
                ripe=ripe,
                follows=row.id,
            )
            for row in conn.execute(shown.order_by(alert_matches.c.id)).all()
        ],
    )


def _parts(ids: Collection[str]) -> Iterator[list[str]]:
    """Yield ids in parts that a statement can take as parameters, in their order."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), _AT_A_TIME):
        yield ordered[start : start + _AT_A_TIME]


def _row(match: Match) -> dict[str, Any]:
    return {name: getattr(match, name) for name in _MATCH}


def _match(row: sa.Row[Any]) -> Match:
    return Match(**{name: getattr(row, name) for name in _MATCH if name != "why"}, why=tuple(row.why))
