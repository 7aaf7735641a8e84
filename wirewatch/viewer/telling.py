"""Make the pages of what was told and of what could not be used, and do the two things that a reader can do there."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.engine import Connection

from wirewatch.errors import BadContent
from wirewatch.store import alerts as kept_alerts
from wirewatch.store import browsing, dead_letters, inbox
from wirewatch.viewer.articles import NotThere
from wirewatch.viewer.cursors import cursor, place_of
from wirewatch.viewer.lists import LINES, Library, reference
from wirewatch.viewer.models import (
    AlertPage,
    AlertRow,
    Alerts,
    ArticleRef,
    ChannelRow,
    DeadLetterPage,
    DeadLetterRow,
    DeadLetters,
    MatchRow,
)

STATES = ("waiting", "sent", "dead")


def alerts(conn: Connection, state: str | None, channel: str | None, after: str | None) -> Alerts:
    """Return what channels were told, newest first."""
    if state is not None and state not in STATES:
        raise BadContent(f"An alert is {', '.join(STATES[:-1])} or {STATES[-1]}, and nothing else.")
    names = browsing.channel_names(conn)
    rows = browsing.alerts_before(conn, state=state, channel=channel, before=after, limit=LINES + 1)
    if rows is None:
        raise BadContent("The address names a place in the list that is none: it was cut short or changed.")
    following = rows[LINES - 1].id if len(rows) > LINES else None
    backlog = kept_alerts.backlog_in(conn, names)
    return Alerts(
        state=state,
        channel=channel,
        channels=tuple(
            ChannelRow(
                name=name,
                matches=one.matches,
                alerts=one.alerts,
                next_ripe=one.next_ripe,
                off_since=one.off_since,
                reason=one.reason,
            )
            for name, one in backlog.items()
        ),
        alerts=tuple(_alert(row) for row in rows[:LINES]),
        older=_href("/alerts", state=state, channel=channel, after=following) if following else None,
        newest=_href("/alerts", state=state, channel=channel) if after else None,
        next=following,
    )


def alert(library: Library, conn: Connection, name: str) -> AlertPage:
    """Return one alert with its matches."""
    row = browsing.alert_row(conn, name)
    if row is None:
        raise NotThere("There is no alert of that id.")
    matches = kept_alerts.matches_of(conn, name)
    named = _articles(library, conn, {one.article for one in matches})
    return AlertPage(
        alert=_alert(row),
        matches=tuple(
            MatchRow(
                rule=one.rule,
                state=one.state,
                happened=one.happened,
                matched=one.matched,
                why=one.why,
                article=named.get(one.article),
                event=one.event,
                event_href=f"/events/{one.event}",
            )
            for one in matches
        ),
    )


def send_again(library: Library, name: str, now: datetime) -> None:
    """Have an alert sent once more; raise NotThere where it is none that was sent or given up."""
    if name not in kept_alerts.send_again(library.store, [name], now):
        raise NotThere("There is no alert of that id that was sent or given up.")


def letters(conn: Connection, after: str | None, *, with_replayed: bool) -> DeadLetters:
    """Return what could not be used, newest first."""
    before = place_of(after) if after else None
    rows = browsing.letters_before(conn, before=before, with_replayed=with_replayed, limit=LINES + 1)
    following = cursor(rows[LINES - 1].id) if len(rows) > LINES else None
    replayed = "yes" if with_replayed else None
    return DeadLetters(
        with_replayed=with_replayed,
        letters=tuple(_letter(row) for row in rows[:LINES]),
        older=_href("/dead-letters", replayed=replayed, after=following) if following else None,
        newest=_href("/dead-letters", replayed=replayed) if after else None,
        next=following,
    )


def letter(library: Library, letter_id: int) -> DeadLetterPage:
    """Return one dead letter with what is known of its capture."""
    known = dead_letters.get(library.store, letter_id)
    if known is None:
        raise NotThere("There is no dead letter of that number.")
    row, capture = known
    return DeadLetterPage(
        letter=_letter(row),
        observed=capture.observed if capture else None,
        content_type=capture.header("content-type") if capture else None,
        size=len(capture.body) if capture else None,
        status=capture.status if capture else None,
        headers=capture.headers if capture else (),
    )


def replay(library: Library, letter_id: int, now: datetime) -> None:
    """Have the next run read a dead letter's capture; raise NotThere where there is none."""
    known = dead_letters.get(library.store, letter_id)
    if known is None or known[1] is None:
        raise NotThere("There is no dead letter of that number with a capture to read again.")
    with library.store.begin() as conn:
        if inbox.put(conn, f"dead-letter-{letter_id}", known[1], now):
            dead_letters.mark_replayed(conn, [letter_id], now)


def _articles(library: Library, conn: Connection, keys: set[str]) -> dict[str, ArticleRef]:
    rows = browsing.articles_of(conn, keys)
    texts = browsing.headlines(conn, [(one.key, one.text_hash) for one in rows.values() if one.text_hash])
    return {
        key: reference(library, key, url=row.url, host=row.host, headline=texts.get(key, ({}, {}))[0].get("headline"))
        for key, row in rows.items()
    }


def _alert(row: Any) -> AlertRow:
    members = {name: value for name, value in row._mapping.items() if name in AlertRow.model_fields}
    return AlertRow(**members, again=row.state in ("sent", "dead"), href=f"/alerts/{row.id}")


def _letter(row: Any) -> DeadLetterRow:
    members = {name: getattr(row, name) for name in DeadLetterRow.model_fields if name != "href"}
    return DeadLetterRow(**members, href=f"/dead-letters/{row.id}")


def _href(path: str, **parameters: str | None) -> str:
    given = [(name, value) for name, value in parameters.items() if value is not None]
    return f"{path}?{urlencode(given)}" if given else path
