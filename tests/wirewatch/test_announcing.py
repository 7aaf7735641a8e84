"""Announcing: what a change of a ledger says aloud, in which order, and under which ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import absence, at, claim, reading
from tests.wirewatch.kept import INSTANCE, A, B, C, standing, uri, world
from wirewatch.announcing import Known, News, news, stands
from wirewatch.canonical import event_id
from wirewatch.judging import compare_and_judge
from wirewatch.model import Reading, Seen, Source
from wirewatch.revisions import Change, Ledger, record

KEY = "a" * 16
CHANGED = (claim("modified", 45),)
STORY = [
    reading(0, A),
    reading(10, B),
    reading(20, B, claims=CHANGED),
    absence(30, Seen.GONE, "HTTP 410"),
    reading(40, C, claims=CHANGED),
]


def changes(readings: Sequence[Reading]) -> list[Change]:
    ledger, found = Ledger(article=KEY), []
    for one in readings:
        ledger, change = record(ledger, one)
        found.append(change)
    return found


def said_of(
    change: Change, readings: Sequence[Reading], announced: dict[str, int] | None = None, **changed: Any
) -> list[News]:
    """Return what is said of a change, given all readings there are."""
    texts = {one.text_hash: one for one in readings if one.text_hash and one.wording}
    judged = {}
    for t in change.announced:
        old, new = texts[t.old_text].wording, texts[t.new_text].wording
        assert old is not None
        assert new is not None
        found = compare_and_judge(old, new, t.old.stamp, t.new.modified)
        judged[t.id] = (found.diff, found.verdict)
    known = Known(
        instance=INSTANCE,
        recorded=at(60),
        observed=at(59),
        source=Source(),
        aliases=(),
        texts={key: (one.wording, one.facts) for key, one in texts.items() if one.wording},
        diffs=judged,
        announced=announced or {},
        **changed,
    )
    return news(KEY, change, known)


def told(readings: Sequence[Reading]) -> list[News]:
    """Return what is said of all readings, one after the other, as a store counts it."""
    announced: dict[str, int] = {}
    said: list[News] = []
    for change in changes(readings):
        said += said_of(change, readings, announced)
        taken_back = [t for t in change.retracted if stands(announced.get(t.id, 0))]
        for t in (*taken_back, *change.announced):
            announced[t.id] = announced.get(t.id, 0) + 1
    return said


def names(said: Sequence[News]) -> list[str]:
    return [json.loads(one.payload)["type"].split(".")[2] if one.kind == "event" else "record" for one in said]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(0, ["record", "published"], id="first sight"),
        pytest.param(1, ["record", "revised"], id="other words"),
        pytest.param(2, ["restamped"], id="moved stamp"),
        pytest.param(3, ["withdrawn"], id="gone"),
        pytest.param(4, ["record", "revised", "returned"], id="back with other words"),
    ],
)
def test_each_change_is_told_with_the_record_before_the_event(place: int, expected: list[str]) -> None:
    assert names(said_of(changes(STORY)[place], STORY)) == expected


def test_what_changed_nothing_says_nothing() -> None:
    quiet = [reading(0, A), reading(10, A), absence(20, Seen.FAILED), reading(0, A)]
    for change in changes(quiet)[1:]:
        assert not change.says_something
        assert said_of(change, quiet) == []


def test_an_item_carries_its_own_id_and_is_the_same_bytes_each_time() -> None:
    for change in changes(STORY):
        said = said_of(change, STORY)
        assert said == said_of(change, STORY)
        for one in said:
            payload = json.loads(one.payload)
            assert one.item in (payload.get("id"), change.after.revisions[-1].id)


def test_a_technical_difference_has_a_record_and_no_event() -> None:
    readings = [reading(0, A, extractor="x/1"), reading(10, B, extractor="x/2")]
    assert names(said_of(changes(readings)[-1], readings)) == ["record"]


@pytest.mark.parametrize(("announced", "expected"), [(0, False), (1, True), (2, False), (3, True)])
def test_only_what_stands_is_taken_back(announced: int, expected: bool) -> None:
    readings = [reading(0, A), reading(20, B), reading(10, C)]
    late = changes(readings)[-1]
    (gone,) = late.retracted
    said = said_of(late, readings, {gone.id: announced})
    assert stands(announced) is expected
    assert names(said).count("retracted") == expected
    if expected:
        payload = json.loads(said[0].payload)
        assert payload["data"]["retracted"] == event_id(gone.id, "revised", announced - 1)
        assert payload["id"] == event_id(gone.id, "retracted", announced)


def test_a_merged_article_is_told_of_under_the_name_that_ends() -> None:
    change = changes([reading(0, A)])[0]
    known = Known(
        instance=INSTANCE,
        recorded=at(60),
        observed=at(59),
        source=Source(),
        aliases=(),
        texts={one.text_hash: (one.wording, one.facts) for one in [reading(0, A)] if one.text_hash and one.wording},
        diffs={},
        announced={},
    )
    merged = json.loads(news(KEY, change, known, ["b" * 16])[0].payload)
    assert merged["type"] == "wirewatch.article.merged.v1"
    assert merged["subject"] == uri("b" * 16)
    assert merged["data"]["survivor"] == uri(KEY)


@given(chance=st.randoms(use_true_random=False), size=st.integers(1, 12))
def test_every_announcement_has_its_own_id_and_what_stands_is_what_changed(chance: Any, size: int) -> None:
    url = "https://courier.example/local/story-3"
    readings = [one for one in world(chance, joins=False, size=size) if one.url == url]
    events = [json.loads(one.payload) for one in told(readings) if one.kind == "event"]
    of_diffs = [one["id"] for one in events if ".revised." in one["type"] or ".retracted." in one["type"]]
    assert len(set(of_diffs)) == len(of_diffs)
    if readings:
        live = [
            (f"sha256:{t.old.content_hash}", f"sha256:{t.new.content_hash}")
            for t in changes(readings)[-1].after.transitions
            if not t.technical
        ]
        assert sorted(standing(events).elements()) == sorted(live)
