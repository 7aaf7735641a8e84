"""Tell an operator when Wirewatch itself cannot see: once when that begins, and once when all is well again.

What holds is worked out purely; what was told is remembered in the store, so that no process tells it twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from wirewatch.alerts.formed import alert_id, whole
from wirewatch.alerts.model import Alert
from wirewatch.canonical import timestamp
from wirewatch.store import Store, alerts
from wirewatch.store.health import FeedSight, HostSight, Passes, Sight, sight
from wirewatch.store.types import short_name
from wirewatch.units import duration_text

FAILING_FOR: Final = timedelta(days=1)
SILENT_GAPS: Final = 5  # times the usual gap between two news of a feed
LEAST_SILENCE: Final = timedelta(hours=1)
LEAST_GAPS: Final = 5  # of which a usual one can be told
BLIND_SHARE: Final = 1 / 2  # of a host's pages; once told, it is over below the other share
SEEING_SHARE: Final = 1 / 3
LEAST_PAGES: Final = 3
MISSED_PASSES: Final = 3
LEAST_MISSED: Final = timedelta(minutes=3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """Something that holds: what is said of it, since when it does, and from when on it is worth telling."""

    name: str
    text: str
    since: datetime
    tell_at: datetime


def conditions(
    seen: Sight, channels: Mapping[str, tuple[str, str]], known: Mapping[str, datetime], now: datetime
) -> dict[str, Condition]:
    """Return all that holds now, by name. `known` says since when what held the last time has held.

    `channels` says of each how its last alert ended, and why.
    """
    found = [*_feeds(seen.feeds, known, now), *_hosts(seen.hosts, known, now), *_passes(seen.passes, now)]
    for name, (state, detail) in channels.items():
        if state == "dead":
            text = f"The channel {name} gave up its last alert: {detail}"
            found.append(_at_once(f"channel {name}", text, known, now))
    return {one.name: one for one in found}


def well_again(name: str, since: datetime) -> str:
    """Return what is said when a condition is over."""
    what, _, which = name.partition(" ")
    said = {
        "failing": f"The feed {which} can be read again",
        "silent": f"The feed {which} brings news again",
        "blind": f"The pages of {which} can be read again",
        "passes": "Passes are completed again",
        "channel": f"The channel {which} takes alerts again",
    }
    return f"{said[what]}; that was not so since {since:%Y-%m-%d %H:%M} UTC."


def look(store: Store, operator: str, channels: Collection[str], now: datetime) -> int:
    """Put an alert for the operator of all that has begun or is over; return how many."""
    with store.begin() as conn:
        known = alerts.conditions(conn)
        seen = sight(conn, now, LEAST_SILENCE * SILENT_GAPS)
        since = {name: began for name, (began, _) in known.items()}
        holding = conditions(seen, alerts.latest_settled(conn, channels), since, now)
        put = 0
        for name, one in holding.items():
            if name not in known:
                alerts.begin_condition(conn, name, one.since)
            if one.tell_at <= now and known.get(name, (None, None))[1] is None:
                alerts.tell_condition(conn, name, now)
                put += alerts.put(conn, whole(_alert(operator, name, one.text, one.since, now)))
        for name, (began, told) in known.items():
            if name in holding:
                continue
            alerts.end_condition(conn, name)
            if told is not None:
                put += alerts.put(conn, whole(_alert(operator, f"{name} well", well_again(name, began), began, now)))
    return put


def _alert(operator: str, name: str, text: str, since: datetime, now: datetime) -> Alert:
    return Alert(
        id=alert_id(operator, [name, timestamp(since)]),
        kind="operator",
        channel=operator,
        rule=name.partition(" ")[0],
        created=now,
        text=text,
    )


def _feeds(feeds: Collection[FeedSight], known: Mapping[str, datetime], now: datetime) -> Iterator[Condition]:
    for feed in feeds:
        if feed.failures:
            name = short_name(f"failing {feed.url}")
            since = feed.last_success or known.get(name, now)
            text = f"The feed {feed.url} could not be read since {since:%Y-%m-%d %H:%M} UTC: {feed.detail}"
            yield Condition(name=name, text=text, since=since, tell_at=since + FAILING_FOR)
        elif feed.last_new is not None and len(feed.gaps_seconds) >= LEAST_GAPS:
            usual, longest = median(feed.gaps_seconds), max(feed.gaps_seconds)
            # Longer than ever, too: nights and weekends are usual although few gaps are as long.
            silent_after = max(SILENT_GAPS * usual, longest, LEAST_SILENCE.total_seconds() * SILENT_GAPS)
            if (now - feed.last_new).total_seconds() > silent_after:
                said = f"The feed {feed.url} has brought nothing new since {feed.last_new:%Y-%m-%d %H:%M} UTC"
                text = f"{said}; usually something comes every {_about(usual)}."
                yield _at_once(short_name(f"silent {feed.url}"), text, known, feed.last_new)


def _hosts(hosts: Collection[HostSight], known: Mapping[str, datetime], now: datetime) -> Iterator[Condition]:
    for one in hosts:
        name = f"blind {one.host}"
        share = SEEING_SHARE if name in known else BLIND_SHARE
        if one.pages >= LEAST_PAGES and one.blind > share * one.pages:
            text = f"Of {one.pages:,} pages of {one.host}, {one.blind:,} are blocked or not whole."
            yield _at_once(name, text, known, now)


def _passes(passes: Passes, now: datetime) -> Iterator[Condition]:
    if not passes.completed:
        return
    last = passes.completed[-1]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(passes.completed)]
    every = passes.every_seconds or (max(gaps) if len(gaps) >= LEAST_GAPS else None)
    if every is None:  # too few to tell how often they come
        return
    if now - last > max(MISSED_PASSES * timedelta(seconds=every), LEAST_MISSED):
        text = f"No pass was completed since {last:%Y-%m-%d %H:%M} UTC; one should be every {_about(every)}."
        yield Condition(name="passes", text=text, since=last, tell_at=last)


def _at_once(name: str, text: str, known: Mapping[str, datetime], since: datetime) -> Condition:
    began = known.get(name, since)
    return Condition(name=name, text=text, since=began, tell_at=began)


def _about(seconds: float) -> str:
    """Return a duration to the minute, or to the second where it is shorter."""
    return duration_text(round(seconds / 60) * 60 if seconds >= 60 else round(seconds))
