"""Forgetting: the words of an article go, what proves that they were there stays, and nothing comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import NOON, URL, absence, at, reading
from tests.wirewatch.kept import A, B, C, asks, check_of, exported, keep, keeper, read, row_of
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key, sha256
from wirewatch.identity import guid_name
from wirewatch.model import Capture, Outcome, Reading, Seen, Source, Track
from wirewatch.store import Store, alerts, articles, dead_letters, forgetting, frontier, inbox, ledger, outbox, pages
from wirewatch.store.articles import FeedEntry
from wirewatch.store.forgetting import Forgotten
from wirewatch.store.tables import (
    alert_matches,
    deliveries,
    diffs,
    links,
    metadata,
    observations,
    removed,
    revisions,
    wordings,
)
from wirewatch.store.tables import alerts as alerts_table
from wirewatch.store.tables import aliases as names_of
from wirewatch.store.tables import dead_letters as letters_table
from wirewatch.store.tables import inbox as inbox_table
from wirewatch.store.tables import outbox as outbox_table
from wirewatch.store.tables import pages as pages_table

KEY = article_key(URL)
SECRET = "Marta Quill was seen at the smokehouse. "
STORY = SECRET * 10
OTHER = "https://courier.example/local/other"
FEED = "https://courier.example/feed.xml"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as opened:
        yield opened


def page_of(one: Reading, body: bytes) -> Reading:
    return replace(one, page_hash=sha256(body))


def keep_page(store: Store, pool: Pool, one: Reading, body: bytes, **how: Any) -> Outcome:
    now = one.observed + timedelta(minutes=1)
    return keeper(store, pool, now).keep(read(page_of(one, body), body=body, **how))


def two_wordings(store: Store, pool: Pool, url: str = URL) -> None:
    names = asks(url)
    keep_page(store, pool, reading(0, STORY, url=url, aliases=names), b"<p>first " + STORY.encode())
    keep_page(store, pool, reading(60, STORY + A, url=url, aliases=names), b"<p>second " + STORY.encode())


def forget(store: Store, key: str = KEY, minutes: float = 90, reason: str = "asked for by a lawyer") -> Forgotten:
    return forgetting.forget(store, key, reason, at(minutes), str)


def count(store: Store, table: sa.Table, *where: Any) -> int:
    with store.reading() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0


def everything(store: Store) -> str:
    """Return all that the store says, with what is compressed laid open."""
    with store.reading() as conn:
        rows = [tuple(row) for table in metadata.sorted_tables for row in conn.execute(sa.select(table))]
    return repr(rows)


def test_words_go_and_what_proves_them_stays(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    before = count(store, observations), count(store, revisions), count(store, links)
    assert SECRET in everything(store)
    done = forget(store)
    assert SECRET not in everything(store)
    assert {what: one.rows for what, one in done.freed.items()} == {
        "pages": 2,
        "texts": 2,
        "diffs": 1,
        "alerts": 0,
        "outbox": 4,
        "inbox": 0,
        "dead letters": 0,
    }
    assert all(done.freed[what].bytes > 100 for what in ("pages", "texts", "diffs", "outbox"))
    assert (count(store, observations), count(store, revisions), count(store, links)) == before
    assert count(store, removed, removed.c.kind == "text", removed.c.article == KEY) == 2
    row = row_of(store, URL)
    assert (row.forgotten, row.forgotten_reason, row.due_at) == (at(90), "asked for by a lawyer", None)
    assert b'"forgotten":{"at":"2026-03-16T13:30:00.000000Z","reason":"asked for by a lawyer"}' in exported(store)


def test_sqlite_file_holds_nothing_of_it_any_more(sqlite_store: Store, pool: Pool) -> None:
    two_wordings(sqlite_store, pool)
    forget(sqlite_store)
    path = Path(sqlite_store.engine.url.database or "")
    written = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    assert b"forgotten_reason" in written
    assert SECRET.encode() not in written


def test_done_again_it_keeps_its_first_reason_and_takes_out_what_is_left(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    forget(store)
    with store.begin() as conn:
        inbox.put(conn, "late", Capture(url=URL, observed=at(0), body=STORY.encode()), at(95))
    again = forget(store, minutes=120, reason="another")
    assert (again.before, again.at, again.reason) == (True, at(90), "asked for by a lawyer")
    assert again.freed["inbox"].rows == 1
    assert row_of(store, URL).forgotten_reason == "asked for by a lawyer"


NEW_NAMES = {
    "its address": asks(URL),
    "a new address that redirects to it": asks("https://courier.example/new", redirect=URL),
    "a new address with it as canonical": asks("https://courier.example/new", canonical=URL),
    "a new address with its guid": asks("https://courier.example/new", guid=guid_name(FEED, "tag:1")),
}


@pytest.mark.parametrize("names", NEW_NAMES.values(), ids=NEW_NAMES)
def test_nothing_is_taken_in_again_by_any_of_its_names(store: Store, pool: Pool, names: Any) -> None:
    keep(store, pool, [reading(0, STORY, aliases=asks(URL, guid=guid_name(FEED, "tag:1")))])
    forget(store)
    before = exported(store)
    asked = names[0].name
    outcome = keep_page(store, pool, reading(200, STORY + B, url=asked, aliases=names), STORY.encode())
    assert outcome is Outcome.REFUSED
    assert SECRET not in everything(store)
    assert count(store, observations) == 1
    with store.reading() as conn:
        assert ledger.owners(conn, [asked]) == {asked: KEY}  # and so the address alone is known from now on
    assert {line for line in exported(store).splitlines() if b"observations" in line}
    assert len(exported(store).splitlines()) == len(before.splitlines())


def test_article_that_was_only_listed_by_a_feed_and_leads_to_it_is_asked_no_more(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    forget(store)
    new = "https://courier.example/new"
    articles.watch(store, new, Source(), at(100))
    (check,) = frontier.lease_due(store, now=at(100))
    one = reading(101, STORY, url=new, aliases=asks(new, canonical=URL))
    assert keeper(store, pool, at(101)).keep(read(one, check=check)) is Outcome.REFUSED
    assert frontier.lease_due(store, now=at(60 * 24 * 60)) == []
    assert row_of(store, new).merged_into == KEY


def test_other_article_with_its_own_history_goes_on_without_it(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    keep(store, pool, [reading(0, A, url=OTHER, aliases=asks(OTHER))])
    forget(store)
    articles.watch(store, OTHER, Source(), at(100))
    (check,) = frontier.lease_due(store, now=at(100))
    one = reading(101, STORY, url=OTHER, aliases=asks(OTHER, canonical=URL))
    assert keeper(store, pool, at(101)).keep(read(one, check=check)) is Outcome.REFUSED
    row = row_of(store, OTHER)
    assert (row.merged_into, row.lease) == (None, None)
    assert row.due_at is not None
    assert SECRET not in everything(store)


def test_fetch_that_is_under_way_changes_nothing(store: Store, pool: Pool) -> None:
    """The capture came back before the article was forgotten, and is kept after that."""
    two_wordings(store, pool)
    articles.watch(store, URL, Source(), at(100))
    (check,) = frontier.lease_due(store, now=at(100))
    forget(store, minutes=101)
    ways = {"unchanged": STORY + A, "revised": STORY + B}
    for body in ways.values():
        one = read(reading(100.5, body), check=check)
        assert keeper(store, pool, at(102)).keep(one) is Outcome.REFUSED
    assert SECRET not in everything(store)
    assert count(store, observations) == 2
    assert frontier.lease_due(store, now=at(60 * 24 * 60)) == []


class _Slow(Pool):
    """Compares, and lets the article be forgotten while that is done."""

    def __init__(self, store: Store) -> None:
        super().__init__(1)
        self.store = store

    def run(self, *arguments: Any, **options: Any) -> Any:
        result = super().run(*arguments, **options)
        forget(self.store)
        return result


def test_keeper_that_has_decided_already_finds_it_forgotten_in_its_transaction(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    with _Slow(store) as slow:
        outcome = keeper(store, slow, at(100)).keep(read(reading(80, STORY + C)))
    assert outcome is Outcome.REFUSED
    assert SECRET not in everything(store)


def test_entries_of_a_feed_are_refused_too(store: Store, pool: Pool) -> None:
    entry = reading(0, STORY, track=Track.ENTRIES, page_hash=None)
    keep(store, pool, [entry, replace(entry, observed=at(30))])
    forget(store)
    quiet = [replace(entry, observed=at(minutes)) for minutes in (15, 120)]
    assert keep(store, pool, quiet) == [Outcome.REFUSED] * 2
    run = keeper(store, pool, at(130))
    assert run._keep_entries([read(replace(entry, observed=at(125)))]) == [Outcome.REFUSED]
    assert SECRET not in everything(store)
    assert count(store, observations) == 2


def test_nobody_makes_it_due_again(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    forget(store)
    entry = FeedEntry(url=URL, guid="1", guid_name=guid_name(FEED, "1"), updated=at(500))
    with store.begin() as conn:
        conn.execute(metadata.tables["feeds"].insert().values(url=FEED, host="h", source=Source(), origin="added"))
        assert articles.upsert_entries(conn, FEED, [entry], at(500)) == 0
        assert articles.push(conn, [URL], at(500)) == set()
    articles.match_articles(store, [(URL, Source(publisher="Courier"))], at(500))
    with pytest.raises(Exception, match="was forgotten on 2026-03-16 and is not taken in again"):
        articles.watch(store, URL, Source(), at(500))
    assert row_of(store, URL).due_at is None
    with store.reading() as conn:  # but the guid that came with it is one of its names now
        assert ledger.owners(conn, [entry.guid_name or ""]) == {entry.guid_name: KEY}


def test_moved_and_merged_article_is_forgotten_under_all_its_names(store: Store, pool: Pool) -> None:
    keep(store, pool, [reading(0, STORY), reading(30, STORY + B)])
    keep(store, pool, [reading(10, STORY + A, url=OTHER, aliases=asks(OTHER))])
    joined = reading(60, STORY + C, url=OTHER, aliases=asks(OTHER, redirect=URL))
    keep(store, pool, [joined])
    assert row_of(store, OTHER).merged_into == KEY
    forget(store)
    assert SECRET not in everything(store)
    for url in (URL, OTHER):
        assert keep(store, pool, [reading(100, STORY, url=url, aliases=asks(url))]) == [Outcome.REFUSED]
    assert count(store, outbox_table) == 0


def test_what_other_articles_share_stays_theirs(store: Store, pool: Pool) -> None:
    page = b"<p>one page at two addresses"
    keep_page(store, pool, reading(0, STORY), page)
    keep_page(store, pool, reading(5, STORY, url=OTHER, aliases=asks(OTHER)), page)
    done = forget(store)
    assert (done.shared, done.freed["pages"].rows) == (1, 0)
    with store.reading() as conn:
        assert pages.get(conn, sha256(page)) is not None
        (text,) = ledger.texts(conn, [article_key(OTHER)], [reading(0, STORY).text_hash or ""]).values()
        assert text.wording.body == STORY
        assert ledger.texts(conn, [KEY], [reading(0, STORY).text_hash or ""]) == {}
    lines = {line for line in exported(store).splitlines() if SECRET.encode() in line}
    assert len(lines) == 1  # only the other's
    other = forgetting.forget(store, article_key(OTHER), "that one too", at(91), str)
    assert other.freed["pages"].rows == 1
    assert SECRET not in everything(store)


def test_copies_that_wait_or_were_buried_go(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    capture = Capture(url=URL, observed=at(0), body=STORY.encode())
    feed = Capture(url=FEED, observed=at(0), body=f"<item>{URL}{STORY}".encode())
    apart = Capture(url=OTHER, observed=at(0), body=b"<p>links to " + URL.encode())
    with store.begin() as conn:
        inbox.put(conn, "one", replace(capture, url=OTHER, final_url=URL), at(0))
        inbox.put(conn, "two", apart, at(0))
        dead_letters.add(conn, at=at(0), step="extract", reason=f"no: {STORY}", capture=capture)
        dead_letters.add(conn, at=at(0), step="feed", reason=f"no: {STORY}", capture=feed)
        dead_letters.add(conn, at=at(0), step="extract", reason="no", capture=apart)
    done = forget(store)
    assert (done.freed["inbox"].rows, done.freed["dead letters"].rows) == (1, 1)
    assert SECRET not in everything(store)
    assert (count(store, inbox_table), count(store, letters_table)) == (1, 2)
    left = dead_letters.listed(store)
    assert [(one.url, one.replayable) for one in left] == [(OTHER, True), (FEED, False)]


def test_sinks_that_have_copies_are_named_and_what_waited_for_them_goes(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    batch = outbox.claim(store, "sink", now=at(61), limit=3)
    assert batch is not None
    outbox.mark(store, replace(batch, id=batch.id), at(62))
    outbox.claim(store, "sink", now=at(63))
    done = forget(store)
    assert [(one.place, one.sent, one.perhaps) for one in done.sinks] == [("sink", 3, 1)]
    assert count(store, deliveries) == 0
    assert outbox.claim(store, "sink", now=at(600)) is None


def test_dead_letters_of_sinks_that_refused_it_go(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    batch = outbox.claim(store, "sink", now=at(61))
    assert batch is not None
    refused = tuple(outbox.Refused(item=one, reason=f"no such column: {STORY}") for one in batch.items[:1])
    outbox.mark(store, replace(batch, refused=refused), at(62))
    assert SECRET in dead_letters.listed(store)[0].reason
    assert forget(store).freed["dead letters"].rows == 1
    assert SECRET not in everything(store)


def alert(store: Store, name: str, state: str, *stories: str, **columns: Any) -> None:
    body = b'{"id":"%s","stories":[%s]}' % (
        name.encode(),
        b",".join(b'{"article":"%s","headline":"%s"}' % (key.encode(), SECRET.encode()) for key in stories),
    )
    moment = {"created": NOON, "due": NOON, "settled": NOON if state == "sent" else None}
    with store.begin() as conn:
        row = {"id": name, "channel": "desk", "rule": "r", "kind": "digest", "state": state, "subject": SECRET}
        conn.execute(alerts_table.insert().values(**row, **moment, body=body, **columns))
        for key in stories:
            one = alerts.Match(
                id=f"{name}-{key}", article=key, host="h", happened="revised", event="e", rule="r", channel="desk",
                matched=NOON, ripe=NOON,
            )  # fmt: skip
            alerts.keep(conn, [one])
        mine = alert_matches.c.id.like(f"{name}-%")
        held = {"alert": name, "state": "sent" if state == "sent" else "formed"}
        conn.execute(sa.update(alert_matches).where(mine).values(**held))


def test_alerts_lose_its_story_and_keep_those_of_others(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    other = article_key(OTHER)
    alert(store, "told", "sent", KEY)
    alert(store, "both", "sent", KEY, other)
    alert(store, "waits", "waiting", KEY, other, attempts=1)
    done = forget(store)
    assert [(one.place, one.sent, one.perhaps) for one in done.channels] == [("desk", 2, 1)]
    with store.reading() as conn:
        bodies = {row.id: row.body for row in conn.execute(sa.select(alerts_table))}
        states = {row.id: row.state for row in conn.execute(sa.select(alert_matches))}
    assert sorted(bodies) == ["both", "told"]
    assert KEY not in repr(bodies)
    assert other in repr(bodies["both"])
    # What was not sent yet is told anew of the others.
    assert states == {f"both-{other}": "sent", f"waits-{other}": "waiting"}


def test_hunks_of_its_diffs_go_and_their_counts_and_hashes_stay(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    with store.reading() as conn:
        (before,) = conn.execute(sa.select(diffs)).all()
    forget(store)
    with store.reading() as conn:
        (after,) = conn.execute(sa.select(diffs)).all()
    assert after.diff == {**before.diff, "hunks": []}
    kinds = [one["kind"] for one in before.verdict.get("reasons", ())]
    assert [one["kind"] for one in after.verdict.get("reasons", ())] == kinds
    assert (after.digest, after.hunk_hash, after.live) == (before.digest, before.hunk_hash, True)


def test_absences_are_not_recorded_either(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    forget(store)
    gone = absence(200, Seen.GONE, "HTTP 410")
    assert keep(store, pool, [gone]) == [Outcome.REFUSED]
    assert count(store, observations) == 2


def test_article_that_was_never_read_can_be_forgotten(store: Store, pool: Pool) -> None:
    articles.watch(store, URL, Source(), at(0))
    assert forget(store).freed["texts"].rows == 0
    assert frontier.lease_due(store, now=at(60 * 24)) == []
    assert keep(store, pool, [reading(5, STORY)]) == [Outcome.REFUSED]


def test_check_of_it_counts_as_refused_once(store: Store, pool: Pool) -> None:
    two_wordings(store, pool)
    forget(store)
    assert check_of(store, reading(0)) is not None
    keep(store, pool, [reading(300, STORY)])
    with store.reading() as conn:
        counters = metadata.tables["counters"]
        found = {row.outcome: row.n for row in conn.execute(sa.select(counters))}
    assert found == {"new": 1, "revised": 1, "refused": 1}
    assert count(store, names_of) == 1
    assert count(store, pages_table) == count(store, wordings) == 0
