"""What is due is leased once, at a slot of its own, and settled by whoever still holds the lease."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wirewatch.store.together import Workers
from wirewatch.model import Check, Source
from wirewatch.store import Store, frontier
from wirewatch.store.hosts import Robots, block_host, host_of, keep_robots, next_slot, robots, set_spacing_rule
from wirewatch.store.tables import articles, feeds, hosts

NOON = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)

LEASE = """
import json, sys
from datetime import datetime
from wirewatch.store import Store, frontier
store, now = Store.open(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
leased = []
for _ in range(8):
    leased += frontier.lease_due(store, now=now, limit=7)
print(json.dumps([(check.article, check.start.timestamp()) for check in leased]))
store.close()
"""


def at(seconds: float) -> datetime:
    """Return a time that many seconds after noon of the tests' day."""
    return NOON + timedelta(seconds=seconds)


def add_feed(store: Store, url: str = "https://courier.example/feed", **columns: Any) -> str:
    row = {"source": Source(feed=url), "origin": "config", "host": host_of(url), "due_at": NOON}
    with store.begin() as conn:
        conn.execute(sa.insert(feeds).values({"url": url, **row, **columns}))
    return url


def add_articles(store: Store, *keys: str, host: str = "courier.example", **columns: Any) -> None:
    rows = [{"key": key, "url": f"https://{host}/{key}", "host": host, "due_at": NOON, **columns} for key in keys]
    with store.begin() as conn:
        conn.execute(sa.insert(articles), rows)


def know_robots(store: Store, *names: str, crawl_delay: float | None = None, fetched: datetime = NOON) -> None:
    for name in names:
        copy = Robots(origin=f"https://{name}", status=200, body="", fetched=fetched, crawl_delay_seconds=crawl_delay)
        keep_robots(store, name, copy)


def lease(store: Store, seconds: float = 0, **options: Any) -> list[Check]:
    return frontier.lease_due(store, now=at(seconds), **options)


def settle(store: Store, check: Check, due_at: datetime | None = None, failures: int = 0) -> bool:
    assert check.article is not None
    read = frontier.Read(article=check.article, lease=check.lease, due_at=due_at, failures=failures)
    with store.begin() as conn:
        return frontier.settle_articles(conn, [read]) == 1


def row_of(store: Store, key: str) -> Any:
    with store.reading() as conn:
        return conn.execute(sa.select(articles).where(articles.c.key == key)).one()


# Leasing


def test_nothing_due_leases_nothing(store: Store) -> None:
    add_articles(store, "later", due_at=at(1))
    add_articles(store, "never", due_at=None)
    assert lease(store) == []


def test_feeds_come_before_articles_and_older_before_younger(store: Store) -> None:
    know_robots(store, "courier.example")
    add_articles(store, "b", due_at=at(-1))
    add_articles(store, "a", due_at=at(-1))
    add_articles(store, "old", due_at=at(-9))
    url = add_feed(store)
    checks = lease(store)
    assert [check.article or check.url for check in checks] == [url, "old", "a", "b"]
    assert [check.start for check in checks] == [at(0), at(1), at(2), at(3)]
    assert [check.reason for check in checks] == ["feed", "article", "article", "article"]


def test_check_carries_what_reading_needs(store: Store) -> None:
    know_robots(store, "courier.example")
    source = Source(feed="https://courier.example/feed", zone="Europe/Oslo", zone_names=(("IST", "Asia/Kolkata"),))
    url = add_feed(store, source=source, due_at=None)
    columns = {"feed": url, "guid": "g1", "etag": '"e"', "last_modified": "yesterday", "content_hash": "c"}
    add_articles(store, "a", **columns, fingerprint="f", ledger_version=7)
    (check,) = lease(store, lease_seconds=90)
    assert check == Check(
        url="https://courier.example/a",
        reason="article",
        start=NOON,
        lease=check.lease,
        lease_ends=at(90),
        source=source,
        article="a",
        guid="g1",
        etag='"e"',
        last_modified="yesterday",
        content_hash="c",
        ledger_version=7,
        fingerprint="f",
    )


def test_watched_article_brings_its_own_settings(store: Store) -> None:
    add_articles(store, "a", source=Source(publisher="Harbour Courier"))
    assert lease(store)[0].source == Source(publisher="Harbour Courier")


def test_every_tenth_read_is_unconditional(store: Store) -> None:
    know_robots(store, "courier.example")
    add_articles(store, "a", etag='"e"', last_modified="yesterday")
    conditional = []
    for n in range(20):
        (check,) = lease(store, n)
        conditional.append((check.etag, check.last_modified) == ('"e"', "yesterday"))
        assert settle(store, check, due_at=at(n + 1))
    assert conditional == [*[True] * 9, False] * 2


def test_leased_row_is_not_leased_again_before_its_lease_ends(store: Store) -> None:
    know_robots(store, "courier.example")
    add_articles(store, "a")
    (first,) = lease(store, lease_seconds=60)
    assert lease(store, 59) == []
    (second,) = lease(store, 60)
    assert second.lease != first.lease


def test_paused_feed_and_its_articles_are_not_asked(store: Store) -> None:
    know_robots(store, "courier.example")
    url = add_feed(store, paused=True)
    add_articles(store, "a", feed=url)
    assert lease(store) == []
    assert not frontier.due(store, now=NOON).anything


def test_limit_holds_for_feeds_and_articles_together(store: Store) -> None:
    know_robots(store, "courier.example", "post.example")
    add_feed(store)
    add_articles(store, "a", "b", "c", host="post.example")
    assert [check.article for check in lease(store, limit=3)] == [None, "a", "b"]


@pytest.mark.parametrize("seed", range(6))
def test_rows_that_waited_longest_are_enough_to_find_those_that_are_leased(
    store: Store, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    names = [f"h{n}.example" for n in range(6)]
    for name in names:
        know_robots(store, name, crawl_delay=chance.choice([0, 1, 30]))
        keys = [f"{name}{n:02}" for n in range(chance.choice([1, 3, 40]))]
        for key in keys:
            add_articles(store, key, host=name, due_at=at(-chance.randrange(9)))
    block_host(store, names[0], at(3600))
    limit = chance.choice([3, 8, 20, 500])
    leased = []
    for looked_at in (1, 1000):
        monkeypatch.setattr(frontier, "_LOOKED_AT", looked_at)
        leased.append([(check.article, check.start) for check in lease(store, limit=limit)])
        with store.begin() as conn:
            conn.execute(sa.update(articles).values(lease=None, lease_ends=None, start_at=None))
            conn.execute(sa.update(hosts).values(next_slot=None))
    assert leased[0] == leased[1]
    assert leased[0]


def test_busy_host_does_not_keep_others_waiting(store: Store) -> None:
    know_robots(store, "busy.example", "quiet.example")
    add_articles(store, *(f"busy{n}" for n in range(30)), host="busy.example", due_at=at(-100))
    add_articles(store, "quiet", host="quiet.example")
    keys = [check.article for check in lease(store, horizon_seconds=10, limit=20)]
    assert Counter(key.rstrip("0123456789") for key in keys if key) == {"busy": 11, "quiet": 1}


# Slots


@pytest.mark.parametrize(
    ("rule", "crawl_delay", "gap"),
    [(None, None, 1), (2, None, 2), (2, 5.5, 5.5), (5, 2, 5)],
    ids=["default", "rule", "crawl delay above rule", "rule above crawl delay"],
)
def test_starts_on_a_host_keep_its_distance(
    store: Store, rule: float | None, crawl_delay: float | None, gap: float
) -> None:
    set_spacing_rule(store, default_seconds=1, hosts={} if rule is None else {"Courier.example": rule})
    know_robots(store, "courier.example", crawl_delay=crawl_delay)
    add_articles(store, "a", "b", "c")
    assert [check.start for check in lease(store)] == [at(0), at(gap), at(2 * gap)]


def test_slots_lie_within_the_horizon_and_go_on_where_they_ended(store: Store) -> None:
    know_robots(store, "courier.example")
    add_articles(store, *"abcdef")
    assert [check.start for check in lease(store, horizon_seconds=2)] == [at(0), at(1), at(2)]
    assert lease(store, 0.5, horizon_seconds=2) == []
    assert [check.start for check in lease(store, 1, horizon_seconds=2)] == [at(3)]


def test_rule_that_ended_gives_way_to_the_default(store: Store) -> None:
    set_spacing_rule(store, default_seconds=0, hosts={"courier.example": 5})
    set_spacing_rule(store, default_seconds=3)
    assert [next_slot(store, "courier.example", NOON) for _ in range(2)] == [at(0), at(3)]


def test_no_spacing_means_no_waiting(store: Store) -> None:
    set_spacing_rule(store, default_seconds=0)
    know_robots(store, "courier.example")
    add_articles(store, *"abc")
    assert [check.start for check in lease(store)] == [NOON] * 3


def test_single_slots_and_leases_share_one_row_of_slots(store: Store) -> None:
    know_robots(store, "courier.example")
    add_articles(store, "a")
    assert next_slot(store, "courier.example", NOON) == at(0)
    assert [check.start for check in lease(store)] == [at(1)]
    assert next_slot(store, "courier.example", at(0.5)) == at(2)
    assert next_slot(store, "courier.example", at(60)) == at(60)


def test_blocked_host_is_asked_after_its_block_and_the_longer_block_holds(store: Store) -> None:
    know_robots(store, "courier.example")
    add_articles(store, "a")
    block_host(store, "courier.example", at(100))
    block_host(store, "courier.example", at(50))
    assert lease(store) == []
    assert not frontier.due(store, now=NOON).anything
    assert [check.start for check in lease(store, 45)] == [at(100)]


@pytest.mark.parametrize("fetched", [None, NOON - timedelta(hours=24)], ids=["missing", "a day old"])
def test_host_without_a_fresh_robots_txt_gets_one_check(store: Store, fetched: datetime | None) -> None:
    if fetched:
        know_robots(store, "courier.example", fetched=fetched)
    add_feed(store)
    add_articles(store, "a", "b")
    assert len(lease(store)) == 1
    know_robots(store, "courier.example")
    assert len(lease(store, 1)) == 2


def test_robots_txt_comes_back_as_kept(store: Store) -> None:
    assert robots(store, "courier.example") is None
    copy = Robots(origin="https://courier.example", status=None, body="time-out", fetched=NOON, crawl_delay_seconds=1.5)
    keep_robots(store, "courier.example", copy)
    assert robots(store, "courier.example") == copy


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Courier.Example./a", "courier.example"),
        ("http://courier.example:8080/", "courier.example"),
        ("https://kråke.example/", "xn--krke-roa.example"),
        ("http://[::1]:80/", "::1"),
    ],
)
def test_host_is_the_machine_that_is_asked(url: str, host: str) -> None:
    assert host_of(url) == host


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spacing=st.floats(0.1, 9),
    steps=st.lists(st.tuples(st.sampled_from(["lease", "slot", "block"]), st.floats(0, 30)), max_size=8),
)
def test_host_is_never_asked_faster_than_its_rule(store: Store, spacing: float, steps: list[tuple[str, float]]) -> None:
    with store.begin() as conn:  # one store serves all examples
        conn.execute(sa.delete(articles))
        conn.execute(sa.delete(hosts))
    set_spacing_rule(store, default_seconds=spacing)
    know_robots(store, "courier.example", fetched=at(500))
    add_articles(store, *(f"{n:02}" for n in range(40)))
    now, blocked, starts = 0.0, NOON, []
    for step, seconds in steps:
        now += seconds
        if step == "lease":
            found = [check.start for check in lease(store, now, limit=5)]
        elif step == "slot":
            found = [next_slot(store, "courier.example", at(now))]
        else:
            block_host(store, "courier.example", at(now + seconds))
            blocked, found = max(blocked, at(now + seconds)), []
        assert all(start >= max(blocked, at(now)) for start in found)
        starts += found
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert all(gap >= timedelta(microseconds=round(spacing * 1_000_000)) for gap in gaps)


def test_two_processes_share_neither_checks_nor_slots(store: Store, workers: Workers) -> None:
    names = ["a.example", "b.example", "c.example"]
    know_robots(store, *names, crawl_delay=2)
    for name in names:
        add_articles(store, *(f"{name}{n:02}" for n in range(40)), host=name)
    leased = [pair for output in workers.run(LEASE, store.url, NOON.isoformat()) for pair in json.loads(output)]
    keys = [key for key, _ in leased]
    assert len(keys) == len(set(keys)) == 3 * 31  # a slot every 2 s up to 60 s
    for name in names:
        starts = sorted(start for key, start in leased if key.startswith(name))
        assert starts == [at(2 * n).timestamp() for n in range(31)]


# Settling


def test_settling_sets_what_it_is_given_and_ends_the_lease(store: Store) -> None:
    add_articles(store, "a")
    (check,) = lease(store)
    assert settle(store, check, due_at=at(600), failures=1)
    row = row_of(store, "a")
    assert (row.reads, row.failures, row.due_at) == (1, 1, at(600))
    assert (row.lease, row.lease_ends, row.start_at) == (None, None, None)


def test_old_lease_changes_nothing(store: Store) -> None:
    know_robots(store, "courier.example")
    add_articles(store, "a")
    (old,) = lease(store, lease_seconds=10)
    (new,) = lease(store, 11)
    before = row_of(store, "a")
    assert not settle(store, old, due_at=None)
    frontier.hand_back(store, [old])
    assert row_of(store, "a") == before
    assert settle(store, new)
    assert not settle(store, new)


def test_several_are_settled_at_once_but_those_of_another_lease(store: Store) -> None:
    know_robots(store, "courier.example")
    add_articles(store, "a", "b", "c")
    checks = lease(store)
    reads = [
        frontier.Read(article=check.article or "", lease=check.lease, due_at=at(600 + n), failures=n)
        for n, check in enumerate(checks)
    ]
    with store.begin() as conn:
        assert frontier.settle_articles(conn, [replace(reads[0], lease="another"), *reads[1:]]) == 2
        assert frontier.settle_articles(conn, []) == 0
    left, *settled = (row_of(store, check.article or "") for check in checks)
    assert left.lease == checks[0].lease
    assert [(row.due_at, row.failures, row.lease) for row in settled] == [(at(601), 1, None), (at(602), 2, None)]


def test_check_handed_back_is_due_again(store: Store) -> None:
    know_robots(store, "courier.example", "post.example")
    add_articles(store, "a")
    url = add_feed(store, "https://post.example/feed")
    frontier.hand_back(store, lease(store))
    assert {check.article or check.url for check in lease(store)} == {"a", url}
    assert row_of(store, "a").reads == 0


@pytest.mark.parametrize(("pushed", "due_at"), [(5, 5), (-5, 900)], ids=["after the read began", "before"])
def test_push_during_a_read_is_not_lost(store: Store, pushed: float, due_at: float) -> None:
    add_articles(store, "a", due_at=at(-60))
    (check,) = lease(store)
    with store.begin() as conn:
        conn.execute(sa.update(articles).values(due_at=frontier.due_now(articles, at(pushed))))
    assert settle(store, check, due_at=at(900))
    assert row_of(store, "a").due_at == at(due_at)


# Asking first


def test_due_counts_what_a_lease_would_give(store: Store) -> None:
    assert frontier.due(store, now=NOON) == frontier.Due(feeds=0, articles=0, inbox=0, next_due=None)
    add_feed(store, due_at=at(30))
    add_articles(store, "a", "b")
    assert frontier.due(store, now=NOON) == frontier.Due(feeds=0, articles=2, inbox=0, next_due=at(30))
    (check,) = lease(store, lease_seconds=20)
    assert frontier.due(store, now=NOON) == frontier.Due(feeds=0, articles=1, inbox=0, next_due=at(20))
    assert settle(store, check, due_at=at(10))
    assert frontier.due(store, now=NOON).next_due == at(10)


@pytest.mark.parametrize("table", ["feeds", "articles"])
def test_due_rows_are_found_by_an_index(store: Store, table: str) -> None:
    add_articles(store, *(f"{n:04}" for n in range(3000)), due_at=at(900))
    with store.begin() as conn:
        rows = [{"url": f"u{n}", "source": {}, "origin": "added", "host": "h", "due_at": at(900)} for n in range(2000)]
        conn.execute(sa.insert(feeds), rows)
    with store.begin() as conn:
        conn.exec_driver_sql("ANALYZE")
        query = frontier.hosts_due(feeds if table == "feeds" else articles, NOON, at(60), 500)
        statement = str(query.compile(conn, compile_kwargs={"literal_binds": True}))
        explain = "EXPLAIN QUERY PLAN" if conn.dialect.name == "sqlite" else "EXPLAIN"
        plan = "\n".join(str(row) for row in conn.exec_driver_sql(f"{explain} {statement}"))
    assert f"ix_{table}_due" in plan
    assert not any(whole in f"{plan} " for whole in (f"SCAN {table} ", f"Seq Scan on {table} ")), plan


def test_hosts_rows_are_made_as_needed(store: Store) -> None:
    add_articles(store, "a", host="new.example")
    assert len(lease(store)) == 1
    with store.reading() as conn:
        assert conn.scalar(sa.select(hosts.c.next_slot)) == at(1)
