"""A listening desk: articles that change, rules that match, and a sender with channels to real receivers."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from tests.builders import reading
from tests.wirewatch.alerts.receiver import Posted
from tests.wirewatch.alerts.told import INSTANCE, LINKS
from tests.wirewatch.kept import keeper, read
from wirewatch.alerts.channels import channel_adapter
from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.matching import Alerting
from wirewatch.alerts.model import Alert
from wirewatch.alerts.rules import Rule
from wirewatch.alerts.sender import Office
from wirewatch.bounded import Pool
from wirewatch.canonical import sha256
from wirewatch.clock import FixedClock
from wirewatch.encoding import revive_json
from wirewatch.model import Reading
from wirewatch.store import Store, alerts
from wirewatch.store.tables import alert_matches

SECRET = f"whsec_{base64.b64encode(b'a secret of thirty-two bytes ....').decode()}"
LINE = "The harbour council met on Monday and counted {n} crossings a day, of which it pays for a third. "


def url(name: str) -> str:
    return f"https://courier.example/local/{name}"


def said(name: str, n: int, minutes: float, **changes: Any) -> Reading:
    """Return a reading of an article in which a number is `n`; articles of other names have other texts."""
    body = LINE.format(n=n) + f"Nobody spoke of {name}. " * 6
    changes = {"aliases": changes.pop("aliases", reading(0, url=url(name)).aliases), **changes}
    return reading(minutes, body, headline=f"Crossings of {name}", url=url(name), **changes)


def alerting(*rules: dict[str, Any], settle_seconds: float = 120.0) -> Alerting:
    """Return the rules; one of changed numbers for the channel `desk` unless others are given."""
    given = rules or ({"name": "numbers", "channels": "desk", "when": {"reasons": "number"}},)
    return Alerting(rules=tuple(Rule.model_validate(one) for one in given), settle_seconds=settle_seconds)


def keep(
    store: Store,
    pool: Pool,
    readings: Iterable[Reading],
    rules: Alerting | None = None,
    *,
    now: datetime | None = None,
    replay: bool = False,
) -> None:
    """Keep readings one after the other, each a minute after it was made."""
    for one in readings:
        made = keeper(store, pool, now or one.observed + timedelta(minutes=1), replay=replay)
        replace(made, alerting=rules or alerting()).keep(read(one))


def webhook(port: int, name: str = "desk", **options: Any) -> Channel:
    """Return a channel that posts to localhost."""
    given = {
        "kind": "webhook",
        "name": name,
        "url": f"http://127.0.0.1:{port}/{name}",
        "secret": SECRET,
        "allow_addresses": ["127.0.0.1"],
        "timeout": 60,
    }
    return channel_adapter().validate_python({**given, **options})


def office(store: Store, pool: Pool, now: datetime, *channels: Channel, **changes: Any) -> Office:
    """Return what a sender needs, at one moment."""
    defaults: dict[str, Any] = {
        "store": store,
        "instance": INSTANCE,
        "channels": channels,
        "caps": {"numbers": 20},
        "links": LINKS,
        "clock": FixedClock(now),
        "pool": pool,
    }
    return Office(**{**defaults, **changes})


def matches(store: Store) -> list[tuple[str, str]]:
    """Return what happened and in which state each match is, in the order in which they were made."""
    query = sa.select(alert_matches.c.happened, alert_matches.c.state)
    with store.reading() as conn:
        rows = conn.execute(query.order_by(alert_matches.c.matched, alert_matches.c.ripe, alert_matches.c.id))
        return [(row.happened, row.state) for row in rows]


def kept(store: Store, **wanted: Any) -> list[tuple[alerts.Entry, Alert]]:
    """Return the alerts as they are kept, oldest first."""
    found = []
    for entry in reversed(alerts.listed(store, limit=10_000, **wanted)):
        with store.reading() as conn:
            body = alerts.body(conn, entry.id)
        assert body is not None
        found.append((entry, revive_json(Alert, body)))
    return found


def events_of(posted: Sequence[Posted]) -> list[list[str]]:
    """Return the ids of the events in each post."""
    bodies = [orjson.loads(one.body) for one in posted]
    return [[event["id"] for event in (body if isinstance(body, list) else [body])] for body in bodies]


def ids_of(posted: Sequence[Posted]) -> list[str]:
    """Return the alert's id of each post; one id never has two contents."""
    contents = {(one.headers["webhook-id"], sha256(one.body)) for one in posted}
    assert len(contents) == len({name for name, _ in contents})
    return [one.headers["webhook-id"] for one in posted]
