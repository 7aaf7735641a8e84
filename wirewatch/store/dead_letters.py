"""What could not be used, with the reason and, where there is one, the capture to try again with.

A dead letter is marked when it is replayed, never deleted, so that the same one is not brought in twice by accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch import canonical
from wirewatch.model import Capture
from wirewatch.store import Store
from wirewatch.store.packed import pack, unpack
from wirewatch.store.tables import dead_letters

# A reason may quote what came from outside.
_LONGEST_REASON = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """One input that could not be used. `sha256` is of its bytes; `file` and `line` say where it was read; a message's
    `file` is its name."""

    id: int
    at: datetime
    step: str
    reason: str
    url: str | None
    sha256: str | None
    file: str | None
    line: int | None
    replayed: datetime | None
    replayable: bool


def add(
    conn: Connection,
    *,
    at: datetime,
    step: str,
    reason: str,
    url: str | None = None,
    sha256: str | None = None,
    capture: Capture | None = None,
    file: str | None = None,
    line: int | None = None,
) -> int:
    """Keep a dead letter and return its id; URL and hash are the capture's unless given."""
    if capture is not None:
        url = url or capture.url
        sha256 = sha256 or canonical.sha256(capture.body)
    new = sa.insert(dead_letters).values(
        at=at,
        step=step,
        reason=reason[:_LONGEST_REASON],
        url=url,
        sha256=sha256,
        file=file,
        line=line,
        capture=None if capture is None else pack(capture),
    )
    letter_id: int = conn.execute(new.returning(dead_letters.c.id)).scalar_one()
    return letter_id


def files(conn: Connection, names: Sequence[str]) -> set[str]:
    """Return which of these files, or messages, left a dead letter."""
    query = sa.select(dead_letters.c.file).where(dead_letters.c.file.in_(names))
    return {name for name in conn.scalars(query) if name is not None}


def listed(store: Store, *, limit: int = 100, with_replayed: bool = True) -> list[DeadLetter]:
    """Return the newest dead letters, newest first."""
    query = _SUMMARY.order_by(dead_letters.c.id.desc()).limit(limit)
    if not with_replayed:
        query = query.where(dead_letters.c.replayed.is_(None))
    with store.reading() as conn:
        return [_letter(row) for row in conn.execute(query)]


def get(store: Store, letter_id: int) -> tuple[DeadLetter, Capture | None] | None:
    """Return a dead letter with its capture, or None if there is none of that id."""
    query = _SUMMARY.add_columns(dead_letters.c.capture).where(dead_letters.c.id == letter_id)
    with store.reading() as conn:
        row = conn.execute(query).one_or_none()
    if row is None:
        return None
    return _letter(row), None if row.capture is None else unpack(row.capture)


def mark_replayed(conn: Connection, letter_ids: Sequence[int], now: datetime) -> int:
    """Note that dead letters were brought in again; return how many."""
    mine = dead_letters.c.id.in_(letter_ids)
    return conn.execute(sa.update(dead_letters).where(mine).values(replayed=now)).rowcount


_SUMMARY = sa.select(
    *(column for column in dead_letters.c if column.name != "capture"),
    sa.or_(dead_letters.c.capture.is_not(None), dead_letters.c.step == "deliver").label("replayable"),
)


def _letter(row: Any) -> DeadLetter:
    members = {name: value for name, value in row._mapping.items() if name != "capture"}
    return DeadLetter(**members)
