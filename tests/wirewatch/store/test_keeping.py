"""Inbox, dead letters, pages, counters and the installation's name: what is kept comes back, and only once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wirewatch.store.together import Workers
from wirewatch.canonical import sha256, storable
from wirewatch.errors import ConfigurationError
from wirewatch.model import Capture, Instance
from wirewatch.store import Store, counters, dead_letters, frontier, inbox, pages
from wirewatch.store.instance import claim_instance, known_instance
from wirewatch.store.packed import pack, unpack

NOON = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)

TAKE = """
import json, sys
from datetime import datetime
from wirewatch.store import Store, inbox
store, now = Store.open(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
taken = []
while received := inbox.take(store, now=now, limit=3):
    taken += [one.id for one in received]
print(json.dumps(taken))
store.close()
"""

COUNT = """
import sys
from wirewatch.store import Store, counters
store = Store.open(sys.argv[1])
for _ in range(50):
    with store.begin() as conn:
        counters.count(conn, "run", "article", "new")
store.close()
"""


def at(seconds: float) -> datetime:
    """Return a time that many seconds after noon of the tests' day."""
    return NOON + timedelta(seconds=seconds)


def capture(**changes: Any) -> Capture:
    defaults: dict[str, Any] = {
        "url": "https://courier.example/story",
        "observed": NOON,
        "status": 200,
        "headers": (("content-type", "text/html"), ("etag", '"e"')),
        "body": b"<p>Ferry\n</p>\x00\xff",
    }
    return Capture(**{**defaults, **changes})


# Packed captures


@given(
    body=st.binary(max_size=200),
    value=st.text(st.characters(codec=None), max_size=10),
    problem=st.none() | st.text(max_size=10),
)
def test_capture_is_unpacked_as_it_was_packed(body: bytes, value: str, problem: str | None) -> None:
    packed = capture(body=body, headers=(("x", value),), problem=problem)
    clean = None if problem is None else storable(problem)[0]
    assert unpack(pack(packed)) == capture(body=body, headers=(("x", storable(value)[0]),), problem=clean)


def test_address_that_is_no_text_is_packed_too() -> None:
    packed = capture(url="https://courier.example/\udcff", final_url="https://courier.example/\x00", guid="\ud800")
    unpacked = unpack(pack(packed))
    assert (unpacked.url, unpacked.guid) == ("https://courier.example/\ufffd", "\ufffd")


# Inbox


def bring(store: Store, capture_id: str, seconds: float = 0, **changes: Any) -> bool:
    with store.begin() as conn:
        return inbox.put(conn, capture_id, capture(**changes), at(seconds))


def drop(store: Store, received: inbox.Received) -> bool:
    with store.begin() as conn:
        return inbox.drop(conn, received)


def test_capture_is_taken_as_it_was_brought_oldest_first(store: Store) -> None:
    bring(store, "late", 5, body=b"late")
    bring(store, "early", 1)
    taken = inbox.take(store, now=at(9))
    assert [(one.id, one.capture) for one in taken] == [("early", capture()), ("late", capture(body=b"late"))]


def test_capture_brought_twice_waits_once(store: Store) -> None:
    assert bring(store, "a", body=b"first")
    assert not bring(store, "a", body=b"second")
    assert [one.capture.body for one in inbox.take(store, now=NOON)] == [b"first"]


def test_taken_capture_waits_again_when_its_lease_ends(store: Store) -> None:
    bring(store, "a")
    (first,) = inbox.take(store, now=NOON, lease_seconds=60)
    assert inbox.take(store, now=at(59)) == []
    assert frontier.due(store, now=NOON) == frontier.Due(feeds=0, articles=0, inbox=0, next_due=at(60))
    (second,) = inbox.take(store, now=at(60))
    assert not drop(store, first)
    assert drop(store, second)
    assert inbox.take(store, now=at(9999)) == []


def test_capture_given_back_waits_at_once(store: Store) -> None:
    bring(store, "a")
    (received,) = inbox.take(store, now=NOON)
    inbox.give_back(store, received)
    assert frontier.due(store, now=NOON).inbox == 1


def test_two_processes_take_no_capture_twice(store: Store, workers: Workers) -> None:
    for n in range(40):
        bring(store, f"{n:02}", n)
    taken = [name for output in workers.run(TAKE, store.url, at(99).isoformat()) for name in json.loads(output)]
    taken += [one.id for one in inbox.take(store, now=at(99))]
    assert sorted(taken) == [f"{n:02}" for n in range(40)]


# Dead letters


def bury(store: Store, **letter: Any) -> int:
    with store.begin() as conn:
        return dead_letters.add(conn, **{"at": NOON, "step": "extract", "reason": "This is a PDF", **letter})


def test_dead_letter_comes_back_with_its_capture(store: Store) -> None:
    letter_id = bury(store, capture=capture())
    found = dead_letters.get(store, letter_id)
    assert found is not None
    letter, kept = found
    assert kept == capture()
    assert letter == dead_letters.DeadLetter(
        id=letter_id,
        at=NOON,
        step="extract",
        reason="This is a PDF",
        url=capture().url,
        sha256=sha256(capture().body),
        file=None,
        line=None,
        replayed=None,
        replayable=True,
    )


def test_dead_letter_of_a_line_has_its_place(store: Store) -> None:
    letter_id = bury(store, file="captures.jsonl", line=7, reason="x" * 5000, sha256="0" * 64)
    (letter,) = dead_letters.listed(store)
    assert (letter.id, letter.file, letter.line, letter.replayable) == (letter_id, "captures.jsonl", 7, False)
    assert len(letter.reason) == 1000


def test_replayed_dead_letters_are_told_apart(store: Store) -> None:
    first, second = bury(store), bury(store)
    with store.begin() as conn:
        assert dead_letters.mark_replayed(conn, [first], at(5)) == 1
    assert [(one.id, one.replayed) for one in dead_letters.listed(store)] == [(second, None), (first, at(5))]
    assert [one.id for one in dead_letters.listed(store, with_replayed=False)] == [second]
    assert [one.id for one in dead_letters.listed(store, limit=1)] == [second]


def test_unknown_dead_letter_is_none(store: Store) -> None:
    assert dead_letters.get(store, 7) is None


# Pages


def test_page_is_kept_once_and_comes_back_whole(store: Store) -> None:
    page = pages.Page(
        hash="h", body=b"<p>\x00", content_type="text/html", headers=(("etag", '"e"'), ("etag", "x")), kept=NOON
    )
    more = replace(page, hash="g", body=b"<p>")
    with store.begin() as conn:
        pages.keep(conn, [page])
        pages.keep(conn, [replace(page, headers=()), more, more])
        assert pages.get(conn, "h") == page
        assert pages.get(conn, "g") == more
        assert pages.get(conn, "other") is None


# Counters


def test_counters_add_up_over_processes(store: Store, workers: Workers) -> None:
    workers.run(COUNT, store.url)
    with store.begin() as conn:
        counters.count(conn, "run", "feed", "unchanged")
        counters.count(conn, "another", "article", "new", "new", "gone")
        counters.count_all(conn, "another", {("article", "new"): 3, ("short cut", "taken"): 4})
        counters.count_all(conn, "another", {})
    assert counters.totals(store, "another") == {"article": {"gone": 1, "new": 5}, "feed": {}}
    assert counters.short_cuts(store, "another") == {"taken": 4}
    assert counters.totals(store, "run") == {"article": {"new": 100}, "feed": {"unchanged": 1}}
    assert counters.totals(store, "none") == {"article": {}, "feed": {}}


# The installation


def test_installation_is_named_once(store: Store) -> None:
    assert known_instance(store) is None
    named = Instance(authority="wirewatch.example", since="2026")
    claim_instance(store, named)
    claim_instance(store, named)
    assert known_instance(store) == named


@pytest.mark.parametrize(
    "other", [Instance(authority="x.example", since="2026"), Instance(authority="a", since="2025")]
)
def test_other_installation_is_refused_with_the_name_to_use(store: Store, other: Instance) -> None:
    claim_instance(store, Instance(authority="a", since="2026"))
    with pytest.raises(ConfigurationError, match=r"belongs to the installation a,2026"):
        claim_instance(store, other)
