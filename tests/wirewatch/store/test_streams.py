"""What waits to be kept, and who was asked to come to rest."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.builders import at
from tests.wirewatch.store.test_frontier import add_articles, add_feed
from wirewatch.model import Capture
from wirewatch.store import Store, frontier, hosts, inbox, streams
from wirewatch.store.tables import articles

LEASE = 120.0


def test_nothing_waits_to_be_kept_in_a_store_where_nothing_is_leased(store: Store) -> None:
    add_feed(store)
    add_articles(store, "a", "b")
    assert streams.oldest_unkept(store, at(1), lease_seconds=LEASE) is None


@pytest.mark.parametrize("what", ["feed", "article"])
def test_check_waits_from_its_start_until_it_is_settled_or_its_lease_runs_out(what: str, store: Store) -> None:
    hosts.set_spacing_rule(store, default_seconds=10)
    if what == "feed":
        add_feed(store)
    else:
        add_articles(store, "a", "b")
    leased = frontier.lease_due(store, now=at(0), lease_seconds=LEASE)
    waits = streams.oldest_unkept(store, at(1), lease_seconds=LEASE)
    ended = streams.oldest_unkept(store, leased[0].lease_ends, lease_seconds=LEASE)
    frontier.hand_back(store, leased)

    assert waits == leased[0].start
    assert ended is None
    assert streams.oldest_unkept(store, at(1), lease_seconds=LEASE) is None


def test_capture_waits_from_when_it_was_taken_out_of_the_inbox(store: Store) -> None:
    with store.begin() as conn:
        inbox.put(conn, "one", Capture(url="https://a.example/", observed=at(0)), at(0))
    before = streams.oldest_unkept(store, at(3), lease_seconds=LEASE)
    inbox.take(store, now=at(2), lease_seconds=LEASE)

    assert before is None
    assert streams.oldest_unkept(store, at(3), lease_seconds=LEASE) == at(2)


def test_oldest_is_found_by_the_index_of_what_is_due(store: Store) -> None:
    add_articles(store, *map(str, range(200)))
    with store.begin() as conn:
        conn.execute(sa.update(articles).values(due_at=at(10_000)))
        explain = "EXPLAIN QUERY PLAN"
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN"
        plan = conn.execute(
            sa.text(f"{explain} SELECT min(start_at) FROM articles WHERE due_at <= 0 AND lease_ends > 0")
        )
        assert "ix_articles_due" in str(plan.all())


def test_stream_that_is_asked_to_rest_is_told_so_and_no_other(store: Store) -> None:
    for _ in range(2):
        streams.ask_to_rest(store, "one", at(10))
    assert (streams.is_to_rest(store, "one", at(0)), streams.is_to_rest(store, "two", at(0))) == (True, False)
    assert not streams.is_to_rest(store, "one", at(10)), "whoever asked is no more"
    streams.forget(store, "one")
    assert not streams.is_to_rest(store, "one", at(0))


def test_check_whose_host_wants_a_pause_holds_no_ticks(store: Store) -> None:
    add_articles(store, "a")
    frontier.lease_due(store, now=at(0), lease_seconds=LEASE)
    assert streams.oldest_unkept(store, at(1), lease_seconds=LEASE) is not None
    hosts.block_host(store, "courier.example", at(1.5))
    assert streams.oldest_unkept(store, at(1), lease_seconds=LEASE) is None
    assert streams.oldest_unkept(store, at(1.6), lease_seconds=LEASE) is not None
