"""Write what messages ask for or bring into the store, so that they may be acknowledged.

All of a handful is one transaction, and only after it the messages are done with. A message that comes again, after a
crash between the commit and the acknowledgement, makes due what is due already, waits in the inbox under the same
name, or is the same dead letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.engine import Connection

from wirewatch.canonical import sha256
from wirewatch.errors import BadContent, SourceRefuses, StoreError, Superseded
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.messages import Wish, read_message
from wirewatch.model import Capture, Source
from wirewatch.store import Store, articles, dead_letters, feeds, inbox

STEP: Final = "receive"  # of its dead letters
_MOST_ATTEMPTS: Final = 20  # each failure means that another worker succeeded


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message as it came. `id` names it among all messages of all queues, and is the same when it comes again."""

    id: str
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """What a handful of messages was: so many checks asked for, captures brought, and messages of no use."""

    checks: int = 0
    captures: int = 0
    dead_letters: int = 0


def receive(store: Store, messages: Sequence[Message], now: datetime, policy: FetchPolicy) -> Intake:
    """Keep what the messages say, all or nothing; raise StoreError where the store cannot do its work."""
    wishes: list[tuple[Message, Wish]] = []
    captures: list[tuple[Message, Capture]] = []
    refused: list[tuple[Message, BadContent | SourceRefuses]] = []
    for message in {one.id: one for one in messages}.values():
        try:
            said = read_message(message.data, now, policy)
        except (BadContent, SourceRefuses) as error:
            refused.append((message, error))
            continue
        if isinstance(said, Wish):
            wishes.append((message, said))
        else:
            captures.append((message, said))
    for _ in range(_MOST_ATTEMPTS):
        try:
            with store.begin() as conn:
                unknown = _ask(conn, wishes, now)
                for message, capture in captures:
                    inbox.put(conn, message.id, capture, now)
                _bury(conn, [*refused, *unknown], now)
        except Superseded:
            continue
        buried = len(refused) + len(unknown)
        return Intake(checks=len(wishes) - len(unknown), captures=len(captures), dead_letters=buried)
    raise StoreError("The articles asked for change faster than they can be made due; start again")


def _ask(
    conn: Connection, wishes: Sequence[tuple[Message, Wish]], now: datetime
) -> list[tuple[Message, BadContent | SourceRefuses]]:
    """Make due what is asked for; return the messages that ask for what nobody watches.

    An address that is not known yet is watched from now on, as an article. A feed is not: it would bring articles for
    ever, and to add one is the operator's decision.
    """
    known = articles.push(conn, (wish.url for _, wish in wishes), now)
    unknown: list[tuple[Message, BadContent | SourceRefuses]] = []
    for message, wish in sorted(wishes, key=lambda pair: pair[1].url):
        if wish.url in known:
            continue
        feed = feeds.health_of(conn, wish.url)
        if feed is not None:
            unknown.append((message, SourceRefuses("This feed is paused", about=wish.url)))
        elif wish.what == "feed":
            reason = "No feed of this address is watched; `wirewatch feeds add` adds one"
            unknown.append((message, BadContent(reason, about=wish.url)))
        else:
            try:
                articles.watch_within(conn, wish.url, Source(), now)
                known.add(wish.url)
            except SourceRefuses as error:  # it is forgotten
                unknown.append((message, error))
    return unknown


def _bury(conn: Connection, refused: Sequence[tuple[Message, BadContent | SourceRefuses]], now: datetime) -> None:
    buried = dead_letters.files(conn, [message.id for message, _ in refused])
    for message, error in refused:
        if message.id not in buried:
            dead_letters.add(
                conn,
                at=now,
                step=STEP,
                reason=str(error),
                url=error.about or None,
                sha256=sha256(message.data),
                file=message.id,
            )
