"""The kept ledgers: who owns a name, what a commit may rely on, and what one article takes over from another."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from tests.builders import NOON, URL, at, claim, reading
from tests.wirewatch.kept import A, B, asks, exported, row_of
from wirewatch.canonical import article_key, diff_id
from wirewatch.errors import StoreError, Superseded
from wirewatch.judging import compare_and_judge
from wirewatch.model import Alias, Observation, Seen, Source
from wirewatch.revisions import Ledger, fold, observe, record
from wirewatch.store import Store, articles, frontier, ledger
from wirewatch.store.ledger import Addition, Judged, Naming, Text
from wirewatch.store.tables import aliases, diffs
from wirewatch.store.tables import articles as articles_table

KEY, OTHER = article_key(URL), "b" * 16
MOVED = "https://courier.example/local/moved"


def mint(store: Store, *keys: str) -> None:
    with store.begin() as conn:
        ledger.mint(conn, dict.fromkeys(keys, URL))


def name(store: Store, article: str, url: str, *evidence: Alias, minutes: float = 0) -> None:
    with store.begin() as conn:
        ledger.claim_names(conn, [Naming(article=article, url=url, aliases=evidence, observed=at(minutes))])


def owners(store: Store, *names: str) -> dict[str, str]:
    with store.reading() as conn:
        return ledger.owners(conn, names)


# Names


def test_a_name_belongs_to_whom_it_was_given_first(store: Store) -> None:
    name(store, KEY, URL, *asks(URL, guid="feed#guid=1"))
    assert owners(store, URL, "feed#guid=1", "nobody's") == {URL: KEY, "feed#guid=1": KEY}


def test_a_name_that_another_article_owns_undoes_the_whole(store: Store) -> None:
    name(store, KEY, URL, *asks(URL))
    with pytest.raises(Superseded):
        name(store, OTHER, MOVED, *asks(MOVED, redirect=URL))
    assert owners(store, URL, MOVED) == {URL: KEY}


def test_a_name_too_long_for_an_index_is_found_by_its_whole(store: Store) -> None:
    long = ["https://courier.example/" + "ü" * 3000 + end for end in ("a", "b")]
    for key, one in zip((KEY, OTHER), long, strict=True):
        name(store, key, one, *asks(one))
    assert owners(store, *long) == dict(zip(long, (KEY, OTHER), strict=True))
    with store.reading() as conn:
        assert vouched(conn, KEY, long[0], asks(long[0]))


def test_the_evidence_of_a_name_is_what_was_seen_first(store: Store) -> None:
    name(store, KEY, URL, *asks(URL, canonical=MOVED), minutes=5)
    name(store, KEY, MOVED, *asks(MOVED), minutes=9)
    with store.reading() as conn:
        assert ledger.names(conn, KEY) == (Alias(kind="asked", name=URL), Alias(kind="canonical", name=MOVED))


def test_each_address_vouches_for_the_names_that_it_gave_itself(store: Store) -> None:
    name(store, KEY, URL, *asks(URL, canonical=MOVED))
    with store.reading() as conn:
        assert vouched(conn, KEY, URL, asks(URL, canonical=MOVED))
        assert not vouched(conn, KEY, MOVED, asks(MOVED, canonical=URL))
        assert not vouched(conn, OTHER, URL, asks(URL))


# What a commit relies on


def test_an_article_that_nobody_met_is_an_empty_ledger(store: Store) -> None:
    with store.reading() as conn:
        loaded = ledger.load(conn, KEY)
    assert loaded.ledger == Ledger(article=KEY)
    assert not loaded.known


def test_a_version_is_claimed_by_one(store: Store) -> None:
    mint(store, KEY, OTHER)
    with store.begin() as conn:
        ledger.claim_versions(conn, {KEY: 1, OTHER: 1})
    with pytest.raises(Superseded), store.begin() as conn:
        ledger.claim_versions(conn, {KEY: 2, OTHER: 1})
    with store.reading() as conn:
        assert [ledger.load(conn, key).version for key in (KEY, OTHER)] == [2, 2]


def test_an_article_is_minted_by_one(store: Store) -> None:
    mint(store, KEY)
    with pytest.raises(Superseded):
        mint(store, OTHER, KEY)
    with store.reading() as conn:
        assert not ledger.load(conn, OTHER).known


def test_a_text_that_is_not_there_is_a_store_to_be_mended(store: Store) -> None:
    with store.reading() as conn, pytest.raises(StoreError, match=r"lacks the text abc: restore it from a back-up"):
        ledger.text(conn, [KEY], "abc")


# Written and exported


def write(store: Store, article: str, *readings: Any, announced: int = 1) -> None:
    """Keep readings under an article as a commit does."""
    grown = Ledger(article=article)
    for one in readings:
        grown, _ = record(grown, one)
    after = fold(grown)
    texts = [
        Text(wording=one.wording, facts=one.facts, text_hash=one.text_hash, content_hash=one.content_hash)
        for one in readings
    ]
    by_hash = {one.text_hash: one for one in texts}
    judged = []
    for t in after.transitions:
        old, new = by_hash[t.old_text], by_hash[t.new_text]
        found = compare_and_judge(old.wording, new.wording, None, None)
        judged.append(
            Judged(
                transition=t,
                diff=found.diff,
                verdict=found.verdict,
                sentence=found.sentence,
                old=old,
                new=new,
                announced=announced,
                hunk_hash="h",
            )
        )
    with store.begin() as conn:
        ledger.write(conn, {article: (Addition(observations=grown.observations, texts=texts, judged=judged), after)})


def test_a_ledger_comes_back_as_it_was_written(store: Store) -> None:
    mint(store, KEY)
    readings = [reading(10, B), reading(0, A, claims=(claim("modified", -5),), flags=("x",)), reading(20, A)]
    for _ in range(2):
        write(store, KEY, *readings)
    with store.reading() as conn:
        loaded = ledger.load(conn, KEY)
    assert loaded.ledger.observations == tuple(sorted((observe(one) for one in readings), key=lambda o: o.observed))
    assert sorted(loaded.announced.values()) == [1, 1]


def test_an_export_is_one_line_an_article_by_uri_and_leaves_out_what_was_never_read(store: Store) -> None:
    keys = ["f" * 16, "0" * 16, "9" * 16]
    mint(store, *keys)
    for key in keys[:2]:
        write(store, key, reading(0, A))
    lines = exported(store).splitlines()
    assert [json.loads(line)["uri"][-16:] for line in lines] == ["0" * 16, "f" * 16]


# Joining


def test_what_one_article_takes_over_includes_its_place_in_the_frontier_without_its_validators(store: Store) -> None:
    mint(store, OTHER)
    key = articles.watch(store, URL, Source(), NOON)
    (check,) = frontier.lease_due(store, now=NOON)
    with store.begin() as conn:
        ledger.describe(conn, OTHER, {"etag": '"of another address"'})
        ledger.absorb(conn, OTHER, key)
    with store.reading() as conn:
        survivor = ledger.row(conn, OTHER)
    assert (survivor.due_at, survivor.lease, survivor.url, survivor.etag) == (NOON, check.lease, URL, None)
    gone = row_of(store, URL)
    assert (gone.due_at, gone.lease, gone.merged_into) == (None, None, OTHER)
    assert owners(store, URL) == {URL: OTHER}


@pytest.mark.parametrize(("announced", "afterwards"), [(0, 0), (1, 2), (2, 2), (3, 4)])
def test_what_stands_announced_of_an_absorbed_article_counts_as_taken_back(
    store: Store, announced: int, afterwards: int
) -> None:
    mint(store, KEY, OTHER)
    old, new = reading(0, A), reading(10, B)
    write(store, OTHER, old, new, announced=announced)
    with store.begin() as conn:
        ledger.absorb(conn, KEY, OTHER)
        row = conn.execute(sa.select(diffs)).one()
    assert row.id == diff_id(OTHER, old.content_hash or "", new.content_hash or "", 1)
    assert (row.live, row.announced) == (False, afterwards)


def test_names_and_merged_articles_follow_to_the_last_survivor(store: Store) -> None:
    third = "c" * 16
    mint(store, KEY, OTHER, third)
    name(store, KEY, URL, *asks(URL))
    with store.begin() as conn:
        ledger.absorb(conn, OTHER, KEY)
        ledger.absorb(conn, third, OTHER)
        led = conn.execute(sa.select(articles_table.c.merged_into).order_by(articles_table.c.key)).scalars().all()
        owned = conn.scalars(sa.select(aliases.c.article)).all()
    assert sorted(led, key=str) == [None, third, third]
    assert set(owned) == {third}


# What is settled without its ledger


def settles(conn: Connection, version: int, one: Observation, **columns: str) -> bool:
    candidate = ledger.Unchanged(article=KEY, version=version, observation=one, names=(), columns=columns)
    return KEY in ledger.settle_unchanged(conn, [candidate])


def vouched(conn: Connection, article: str, url: str, evidence: Sequence[Alias]) -> bool:
    one = Observation(observed=at(0), url=url, seen=Seen.WORDING)
    (known,) = ledger.vouched(
        conn, [ledger.Unchanged(article=article, version=1, observation=one, names=evidence, columns={})]
    )
    return known


def settled(store: Store, last: Observation) -> None:
    mint(store, KEY)
    with store.begin() as conn:
        ledger.describe(conn, KEY, {"settled": ledger.standing(last), "last_read": last.observed})


LATER: dict[str, Callable[[Observation], Observation]] = {
    "later": lambda o: replace(o, observed=o.observed + timedelta(microseconds=1)),
    "later, other bytes": lambda o: replace(o, observed=at(9), page_hash="other"),
}
OTHERWISE: dict[str, Callable[[Observation], Observation]] = {
    "at the same moment": lambda o: o,
    "earlier": lambda o: replace(o, observed=at(-1)),
    "other words": lambda o: replace(o, observed=at(9), content_hash="other"),
    "other spaces": lambda o: replace(o, observed=at(9), text_hash="other"),
    "moved stamp": lambda o: replace(o, observed=at(9), claims=(claim("modified", 8),)),
    "paywalled": lambda o: replace(o, observed=at(9), paywalled=True),
    "another extractor": lambda o: replace(o, observed=at(9), extractor="x/2"),
    "another address": lambda o: replace(o, observed=at(9), url=MOVED),
}


@pytest.mark.parametrize("how", [*LATER, *OTHERWISE])
def test_only_what_says_the_same_later_is_settled_without_its_ledger(store: Store, how: str) -> None:
    last = observe(reading(0, A))
    settled(store, last)
    one = (LATER | OTHERWISE)[how](last)
    with store.begin() as conn:
        assert settles(conn, 1, one, etag="e") is (how in LATER)
        assert ledger.row(conn, KEY).etag == ("e" if how in LATER else None)


def test_a_version_that_is_not_current_settles_nothing(store: Store) -> None:
    last = observe(reading(0, A))
    settled(store, last)
    one = replace(last, observed=at(9))
    with store.begin() as conn:
        assert not settles(conn, 0, one)
        assert settles(conn, 1, one)
        assert not settles(conn, 1, replace(one, observed=at(10)))
    with store.reading() as conn:
        assert ledger.load(conn, KEY).ledger.observations == (one,)
