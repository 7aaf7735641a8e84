"""One set of captures to take through every engine, and what each deployment has to show for it afterwards.

Articles are revised, go back, are read twice, disappear and move; some captures arrive long after later ones, and some
arrive twice.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from tests.builders import at
from tests.pipelines.site import HOST, delivered, exported, story
from wirewatch.model import Capture
from wirewatch.store import Store, inbox, outbox
from wirewatch.store.tables import counters
from wirewatch.store.tables import inbox as waiting_captures
from wirewatch.store.tables import outbox as announced

Brought = tuple[str, Capture]  # under which name it waits in the inbox

ARTICLES: Final = 24
# What each kind of article shows, by minutes after noon; None is a page that is gone.
_SHOWN: Final[tuple[dict[int, str | None], ...]] = (
    {0: "first", 40: "second", 90: "first"},
    {0: "first", 30: "first", 60: "second", 120: "third"},
    {0: "first", 50: None},
    {10: "first", 45: "second", 46: "second", 200: "second"},
)


def captures(articles: int = ARTICLES) -> list[Brought]:
    """Return the captures in the order of time, each once."""
    found = [
        (f"{number}-{minutes}", _capture(number, minutes, words))
        for number in range(articles)
        for minutes, words in _SHOWN[number % len(_SHOWN)].items()
    ]
    return sorted(found, key=lambda one: (one[1].observed, one[0]))


def disordered(brought: Sequence[Brought], seed: int) -> list[Brought]:
    """Return the captures as no archive has them: in any order, and every third of them twice."""
    chance = random.Random(seed)
    again = [(f"{name} again", capture) for name, capture in brought[::3]]
    mixed = [*brought, *again]
    chance.shuffle(mixed)
    return mixed


def put(store: Store, brought: Iterable[Brought]) -> None:
    """Let captures wait in the inbox."""
    with store.begin() as conn:
        for name, capture in brought:
            inbox.put(conn, name, capture, capture.observed)


def at_rest(store: Store, sinks: Iterable[str] = ("files",)) -> bool:
    """Tell whether nothing waits in the inbox and every sink has everything."""
    with store.reading() as conn:
        waiting = conn.scalar(sa.select(sa.func.count()).select_from(waiting_captures))
    return not waiting and not any(outbox.waiting(store).get(sink) for sink in sinks)


def kept(store: Store) -> int:
    """Return how many captures were kept, by whichever job."""
    with store.reading() as conn:
        return conn.scalar(sa.select(sa.func.sum(counters.c.n))) or 0


def ledger(store: Store) -> bytes:
    """Return the ledger export as one text."""
    return b"".join(exported(store))


def prove_delivery(store: Store, *folders: Path) -> int:
    """Check that each folder has every event that was committed, and none under two contents; return their number."""
    with store.reading() as conn:
        rows = conn.execute(sa.select(announced.c.item, announced.c.payload).where(announced.c.kind == "event")).all()
    for folder in folders:
        contents: dict[str, set[bytes]] = defaultdict(set)
        for line in delivered(folder / "events"):
            contents[json.loads(line)["id"]].add(line)
        assert {name: {payload.encode()} for name, payload in rows} == contents
    return len(rows)


def _capture(number: int, minutes: int, words: str | None) -> Capture:
    fields: dict[str, Any] = {"url": f"http://{HOST}/{number}", "observed": at(minutes + number / 100)}
    if words is None:
        return Capture(**fields, status=410)
    about = f"The {words} report on number {number} says that {number + len(words)} boats will sail."
    body = story(f"Harbour council speaks of boat {number}", about=about)
    return Capture(**fields, status=200, headers=(("content-type", "text/html; charset=utf-8"),), body=body)
