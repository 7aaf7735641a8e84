"""What is watched: feeds matched with the configuration, and the articles that their entries make due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from wirewatch.canonical import article_key
from wirewatch.model import Check, Source, Track
from wirewatch.store import Store, frontier, hosts
from wirewatch.store.articles import FeedEntry, match_articles, push, upsert_entries, upsert_entry, watch
from wirewatch.store.feeds import FeedHealth, add_feed, feed_health, health_of, match_feeds, pause_feed, remove_feed
from wirewatch.store.tables import aliases, articles, feeds

NOON = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
FEED = "https://courier.example/feed"
STORY = "https://courier.example/story"
MOVED = "https://courier.example/moved"
OTHER = "https://post.example/feed"


def at(minutes: float) -> datetime:
    """Return a time that many minutes after noon of the tests' day."""
    return NOON + timedelta(minutes=minutes)


def guid(name: str, feed: str = FEED) -> dict[str, Any]:
    return {"guid": name, "guid_name": f"{feed}#guid={name}"}


def see(store: Store, url: str, minutes: float = 0, feed: str = FEED, **entry: Any) -> bool:
    with store.begin() as conn:
        return upsert_entry(conn, feed, FeedEntry(url=url, **entry), at(minutes))


def row_of(store: Store, key: str = article_key(STORY)) -> Any:
    with store.reading() as conn:
        return conn.execute(sa.select(articles).where(articles.c.key == key)).one()


def change(store: Store, table: sa.Table = articles, **columns: Any) -> None:
    with store.begin() as conn:
        conn.execute(sa.update(table).values(columns))


def edges(store: Store) -> set[tuple[str, str, str, str]]:
    with store.reading() as conn:
        return {(row.url, row.name, row.kind, row.article) for row in conn.execute(sa.select(aliases))}


def health(store: Store, url: str = FEED) -> FeedHealth:
    with store.reading() as conn:
        found = health_of(conn, url)
    assert found is not None
    return found


def lease(store: Store, minutes: float = 0) -> list[Check]:
    return frontier.lease_due(store, now=at(minutes))


# Feeds


def test_configured_feeds_are_due_at_once(store: Store) -> None:
    match_feeds(store, [(FEED, Source(feed=FEED)), (OTHER, Source(feed=OTHER))], NOON)
    assert {check.url: check.source for check in lease(store)} == {FEED: Source(feed=FEED), OTHER: Source(feed=OTHER)}


def test_matching_the_same_configuration_changes_nothing(store: Store) -> None:
    match_feeds(store, [(FEED, Source(zone="Europe/Oslo"))], NOON)
    change(store, feeds, due_at=at(30), etag='"e"')
    before = health(store)
    match_feeds(store, [(FEED, Source(zone="Europe/Oslo"))], at(5))
    assert health(store) == before


def test_changed_settings_are_taken_and_the_feed_is_read_whole(store: Store) -> None:
    match_feeds(store, [(FEED, Source())], NOON)
    change(store, feeds, due_at=at(30), etag='"e"', last_modified="yesterday")
    match_feeds(store, [(FEED, Source(track=Track.ENTRIES))], at(5))
    (check,) = lease(store, 5)
    assert check.source.track is Track.ENTRIES
    assert (check.etag, check.last_modified) == (None, None)


def test_feed_that_vanished_is_paused_until_it_comes_back(store: Store) -> None:
    match_feeds(store, [(FEED, Source()), (OTHER, Source())], NOON)
    change(store, feeds, due_at=at(600))
    match_feeds(store, [(OTHER, Source())], at(5))
    assert {one.url: one.paused for one in feed_health(store)} == {FEED: True, OTHER: False}
    match_feeds(store, [(FEED, Source()), (OTHER, Source())], at(10))
    assert [check.url for check in lease(store, 10)] == [FEED]


def test_feed_added_by_hand_is_not_the_configurations_to_pause(store: Store) -> None:
    assert add_feed(store, FEED, Source(), NOON)
    assert not add_feed(store, FEED, Source(zone="Europe/Oslo"), NOON)
    match_feeds(store, [], at(1))
    assert health(store).source == Source(zone="Europe/Oslo")
    assert not health(store).paused


def test_paused_feed_is_resumed_by_adding_it(store: Store) -> None:
    add_feed(store, FEED, Source(), NOON)
    assert pause_feed(store, FEED)
    assert lease(store) == []
    assert add_feed(store, FEED, Source(), NOON)
    assert len(lease(store)) == 1
    assert not pause_feed(store, OTHER)


def test_articles_of_a_removed_feed_are_kept_and_not_asked(store: Store) -> None:
    add_feed(store, FEED, Source(), NOON)
    see(store, STORY)
    assert remove_feed(store, FEED)
    assert not remove_feed(store, FEED)
    assert feed_health(store) == []
    assert row_of(store).due_at is None


def settle(store: Store, check: Check, minutes: float, **reading: Any) -> bool:
    with store.begin() as conn:
        return frontier.settle_feed(conn, check, now=at(minutes), due_at=at(minutes + 30), **reading)


def test_feeds_health_tells_how_its_reads_went(store: Store) -> None:
    add_feed(store, FEED, Source(), NOON)
    hosts.set_spacing_rule(store, default_seconds=0)
    (check,) = lease(store)
    assert settle(store, check, 0, validators=('"e"', None), entries=20, new_entries=5, gap_seconds=900)
    assert health(store).share_new == 0.25
    (check,) = lease(store, 30)
    assert check.etag == '"e"'
    assert settle(store, check, 30, detail="HTTP 304", polite_seconds=60)
    (check,) = lease(store, 60)
    assert settle(store, check, 60, problem="This is HTML, not a feed")
    assert health(store) == FeedHealth(
        url=FEED,
        source=Source(),
        origin="added",
        paused=False,
        due_at=at(90),
        reads=3,
        failures=1,
        last_read=at(60),
        last_success=at(30),
        last_new=at(0),
        detail="This is HTML, not a feed",
        entries_seen=20,
        entries_new=5,
        last_entry_count=20,
        polite_seconds=60,
        gap_seconds=None,
    )
    assert not settle(store, check, 61, entries=1)


def test_feed_without_a_read_has_no_share(store: Store) -> None:
    add_feed(store, FEED, Source(), NOON)
    assert health(store).share_new is None


# Entries


@pytest.fixture
def feed_store(store: Store) -> Store:
    """Give a store that watches two feeds, due never."""
    match_feeds(store, [(FEED, Source(feed=FEED)), (OTHER, Source(feed=OTHER))], NOON)
    hosts.set_spacing_rule(store, default_seconds=0)
    change(store, feeds, due_at=None)
    return store


def test_unknown_entry_is_due_now_with_its_names(feed_store: Store) -> None:
    assert see(feed_store, STORY, 3, **guid("g"))
    key = article_key(STORY)
    row = row_of(feed_store)
    assert (row.url, row.feed, row.guid, row.due_at, row.ledger_version) == (STORY, FEED, "g", at(3), 0)
    name = f"{FEED}#guid=g"
    assert edges(feed_store) == {
        (STORY, STORY, "asked", key),
        (STORY, name, "guid", key),
        (name, name, "guid", key),
    }
    assert not see(feed_store, STORY, 4, **guid("g"))
    assert row_of(feed_store) == row


@pytest.mark.parametrize(
    ("first", "then", "due"),
    [(None, None, None), (None, -1, None), (None, 5, 20), (1, 1, None), (1, 2, 20), (2, 1, None), (2, None, None)],
)
def test_known_entry_is_due_when_it_was_updated_since(
    feed_store: Store, first: float | None, then: float | None, due: float | None
) -> None:
    see(feed_store, STORY, updated=None if first is None else at(first))
    change(feed_store, due_at=None, last_read=at(3))
    see(feed_store, STORY, 20, updated=None if then is None else at(then))
    assert row_of(feed_store).due_at == (None if due is None else at(due))
    change(feed_store, due_at=None)
    see(feed_store, STORY, 40, updated=None if then is None else at(then))
    assert row_of(feed_store).due_at is None


def test_guid_that_comes_with_another_link_is_followed(feed_store: Store) -> None:
    see(feed_store, STORY, **guid("g"))
    change(feed_store, due_at=None, etag='"e"')
    assert not see(feed_store, MOVED, 5, **guid("g"))
    row = row_of(feed_store)
    assert (row.url, row.due_at, row.etag) == (MOVED, at(5), None)
    assert (MOVED, MOVED, "asked", row.key) in edges(feed_store)
    change(feed_store, due_at=None)
    see(feed_store, MOVED, 6, **guid("g"))
    assert row_of(feed_store).due_at is None


def test_guid_of_another_article_is_left_to_the_ledger(feed_store: Store) -> None:
    see(feed_store, STORY, **guid("g"))
    see(feed_store, MOVED)
    see(feed_store, MOVED, **guid("g"))
    owners = {name: article for url, name, _, article in edges(feed_store) if url == name}
    assert owners == {STORY: article_key(STORY), MOVED: article_key(MOVED), f"{FEED}#guid=g": article_key(STORY)}


def test_article_merged_into_another_makes_that_one_due(feed_store: Store) -> None:
    see(feed_store, STORY)
    see(feed_store, MOVED)
    change(feed_store, due_at=None, last_read=NOON)
    with feed_store.begin() as conn:
        merged = sa.update(articles).where(articles.c.key == article_key(MOVED))
        conn.execute(merged.values(merged_into=article_key(STORY)))
    assert not see(feed_store, MOVED, 5, updated=at(4))
    assert row_of(feed_store).due_at == at(5)
    assert row_of(feed_store, article_key(MOVED)).due_at is None


def test_article_of_a_paused_feed_goes_on_with_another_that_carries_it(feed_store: Store) -> None:
    see(feed_store, STORY)
    see(feed_store, STORY, feed=OTHER)
    assert row_of(feed_store).feed == FEED
    pause_feed(feed_store, FEED)
    see(feed_store, STORY, 5, feed=OTHER)
    assert [(check.url, check.source.feed) for check in lease(feed_store, 5)] == [(STORY, OTHER)]


def test_entries_are_counted_once_however_many_there_are(feed_store: Store) -> None:
    links = [FeedEntry(url=f"{STORY}/{n}", **guid(str(n))) for n in range(1203)]
    with feed_store.begin() as conn:
        assert upsert_entries(conn, FEED, [*links, *links[:10]], NOON) == 1203
        assert upsert_entries(conn, FEED, links, NOON) == 0


# Watched and pushed articles


def test_a_configured_article_becomes_due_once_and_again_with_new_settings(store: Store) -> None:
    match_articles(store, [(STORY, Source(zone="Europe/Oslo"))], NOON)
    (check,) = frontier.lease_due(store, now=NOON)
    assert check.article is not None
    read = frontier.Read(article=check.article, lease=check.lease, due_at=at(600), failures=0)
    with store.begin() as conn:
        frontier.settle_articles(conn, [read])
    match_articles(store, [(STORY, Source(zone="Europe/Oslo"))], at(1))
    assert row_of(store).due_at == at(600)
    match_articles(store, [(STORY, Source(zone="Europe/Rome"))], at(2))
    assert row_of(store).due_at == at(2)


def test_watched_article_is_read_now_with_its_own_settings(store: Store) -> None:
    key = watch(store, STORY, Source(zone="Europe/Oslo"), NOON)
    (check,) = lease(store)
    assert (check.article, check.url, check.source.zone) == (key, STORY, "Europe/Oslo")
    assert watch(store, STORY, Source(zone="UTC"), at(1)) == key
    assert row_of(store).source == {"zone": "UTC"}


def test_watching_what_a_feed_carries_asks_now_and_leaves_its_settings(feed_store: Store) -> None:
    see(feed_store, STORY, **guid("g"))
    change(feed_store, due_at=at(600))
    see(feed_store, MOVED, **guid("g"))
    change(feed_store, due_at=at(600))
    assert watch(feed_store, MOVED, Source(zone="UTC"), at(1)) == article_key(STORY)
    (check,) = lease(feed_store, 1)
    assert check.source == Source(feed=FEED)


def test_push_asks_now_by_any_name(feed_store: Store) -> None:
    see(feed_store, STORY, **guid("g"))
    change(feed_store, due_at=None)
    names = [f"{FEED}#guid=g", STORY, OTHER, "https://unknown.example/"]
    with feed_store.begin() as conn:
        assert push(conn, names, at(7)) == set(names[:3])
    assert {check.url for check in lease(feed_store, 7)} == {STORY, OTHER}


def test_push_of_a_paused_feed_leads_to_nothing(feed_store: Store) -> None:
    pause_feed(feed_store, FEED)
    with feed_store.begin() as conn:
        assert push(conn, [FEED], at(7)) == set()


def test_push_does_not_put_off_what_is_due(feed_store: Store) -> None:
    see(feed_store, STORY)
    with feed_store.begin() as conn:
        push(conn, [STORY], at(7))
    assert row_of(feed_store).due_at == at(0)
