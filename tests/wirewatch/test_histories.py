"""Histories kept as feeds and texts: what the ledger says of them is what a plain count of them says, in any order."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import histories
from benchmarks.histories import FEED, SITE, Poll, Titles
from tests.conftest import MakeStore
from tests.wirewatch.kept import expected_export, exported, keeper
from wirewatch.bounded import Pool
from wirewatch.model import Capture, Outcome, Reading, Source, Track
from wirewatch.reading import FeedRead, read_whole_feed
from wirewatch.store import Store, counters
from wirewatch.store.tables import revisions

DATA = Path(os.environ.get("WIREWATCH_DATA", "../shared/data"))
SOURCE = Source(feed=FEED, track=Track.ENTRIES)
MORNING = datetime(2026, 3, 16, 6, 0, tzinfo=UTC)
LATER = MORNING + timedelta(days=400)

with_the_data = pytest.mark.skipif(
    not (DATA / "revisions").is_dir(),
    reason=f"{DATA} is not there: set WIREWATCH_DATA to a folder with histories in revisions/",
)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as made:
        yield made


def poll(minutes: int, *items: dict[str, Any]) -> Poll:
    return {"fetched_at": (MORNING + timedelta(minutes=minutes)).isoformat(), "items": list(items)}


def item(number: int, title: str, updated: str = "07:00:11", *, slug: str = "story") -> dict[str, Any]:
    """Return an item whose address changes with its title's slug, as the real ones do, while its id stays."""
    return {
        "id": number,
        "title": title,
        "published_at": "2026-03-16T07:00:00+01:00",
        "updated_at": f"2026-03-16T{updated}+01:00",
        "url": f"/local/{number}/{slug}.html",
    }


QUIZ = {"url": "https://quiz.example/of-this-week"}
FERRY, LATE_FERRY = "Ferry fares rise in May", "Ferry fares rise in June"
POLLS = (
    poll(10, item(1, FERRY), item(2, "Mill burns"), item(3, "“Stay at home”"), item(4, "Bridge shut")),
    poll(20, item(1, FERRY), item(2, "Mill burns", "07:10:30"), item(3, '"Stay at home"'), item(4, "Bridge shut")),
    poll(30, item(1, LATE_FERRY, slug="new"), item(2, "Mill burns", "07:10:30"), item(4, "Bridge shut", "07:00:47")),
    poll(40, item(1, FERRY), item(2, "Mill saved", "07:30:00"), item(4, "Bridge shut", "07:00:11")),
    poll(
        50,
        item(5, "Dike holds"),
        item(1, FERRY),
        item(2, "Mill saved", "07:45:09"),
        {**item(6, "Test yourself"), **QUIZ},
    ),
    poll(60, item(5, "Dike  holds"), {**item(7, "Do you know?"), **QUIZ}),
)
COUNTED = Titles(
    articles=7,
    versions=12,  # 3 of the ferry, 2 of the mill, 2 of the order to stay, 2 of the dike, 1 of each other
    changed=4,
    restamped=1,  # the bridge; the mill's stamps moved too, but so did its title
    returned=1,
    revisions=10,
    levelled=2,  # the order's quote marks, the dike's second space
    revised=2,
    observations=20,
)


def kept(store: Store, pool: Pool, passes: Sequence[Sequence[Poll]]) -> tuple[Titles, str]:
    for one in passes:
        histories.keep_captures(store, pool, map(histories.feed_capture, one))
    return histories.look_through(store)


def test_the_ledger_says_what_a_plain_count_says(make_store: MakeStore, pool: Pool) -> None:
    found, _ = kept(make_store(), pool, [POLLS])
    assert found == COUNTED == histories.counted_plainly(POLLS)


@pytest.mark.parametrize("seed", range(4))
def test_the_ledger_is_the_same_shuffled_doubled_and_in_three_passes(
    make_store: MakeStore, pool: Pool, seed: int
) -> None:
    in_order = kept(make_store(), pool, [POLLS])
    assert kept(make_store(), pool, histories.shuffled(POLLS, seed=seed)) == in_order


@with_the_data
def test_a_cut_of_the_real_list_is_counted_alike_in_any_order(sqlite_store: Store, tmp_path: Path, pool: Pool) -> None:
    polls, another = histories.read_polls(DATA, 30), Store.open(f"sqlite:///{tmp_path}/another.db")
    in_order = kept(sqlite_store, pool, [polls])
    assert in_order[0] == histories.counted_plainly(polls)
    assert kept(another, pool, histories.shuffled(polls)) == in_order
    another.close()


# Texts

POST = "The council approved the harbour plan by 9 votes to 4. Work begins in May.\n\nResidents objected."
POSTS = (
    (POST, POST.replace("May", "June"), POST.replace("May", "June").replace("\n\n", "  \n "), POST),
    (POST, "Removed.", POST),  # an eighth of the text is believed on the third reading
    (POST, f"{POST}\u200b"),
    (POST,),
)


def test_versions_that_differ_give_one_revision_each_and_a_diff_that_makes_it(sqlite_store: Store, pool: Pool) -> None:
    found, _ = histories.keep_posts(sqlite_store, pool, POSTS)
    assert found == histories.Pairs(pairs=6, alike=2, silent=2, revised=4)


@with_the_data
def test_a_cut_of_the_real_posts_gives_one_revision_for_each_pair_that_differs(sqlite_store: Store, pool: Pool) -> None:
    found, _ = histories.keep_posts(sqlite_store, pool, histories.read_posts(DATA, 12))
    assert found.wrong == []
    assert (found.silent, found.revised) == (found.alike, found.pairs - found.alike)


# Entries kept with a few statements for all are kept as one by one

_TITLES = ("Ferry fares rise", "Ferry fares  rise", "Ferry fares fall", "Ferry stops")
_STAMPS = ("07:00:11", "07:00:47", "07:12:00", "08:30:05")


def any_read(chance: random.Random) -> tuple[FeedRead, Capture]:
    """Return a feed's capture and reading: entries that share names, moments that are not unique, entries that fail."""
    items = [
        item(number, chance.choice(_TITLES[:3]), chance.choice(_STAMPS), slug=chance.choice(("a", "a", "a", "b")))
        for number in chance.sample(range(5), chance.randint(1, 4))
    ]
    capture = histories.feed_capture(poll(chance.randrange(12), *items))
    read = read_whole_feed(capture, SOURCE)
    entries = tuple(_renamed(one, chance) for one in read.entries)
    return replace(read, entries=entries), capture


def _renamed(one: Reading, chance: random.Random) -> Reading:
    """Return the reading, now and then with another one's guid, so that two of a feed are one article."""
    if chance.random() > 0.03:
        return one
    return replace(one, aliases=(one.aliases[0], replace(one.aliases[1], name=f"{FEED}#guid={chance.randrange(5)}")))


def assert_windows_are_kept(store: Store) -> None:
    """Compare the revisions' rows with the export, which is folded anew.

    The last one's row may end too early: a reading that changes nothing writes its observation alone.
    """
    with store.reading() as conn:
        rows = conn.execute(sa.select(revisions).order_by(revisions.c.article, revisions.c.version)).all()
    kept = {row.id: (row.first_observed, row.last_observed) for row in rows}
    for article in map(json.loads, exported(store).splitlines()):
        windows = [
            (one["id"], *(datetime.fromisoformat(one[f"{end}_observed"]) for end in ("first", "last")))
            for one in article["revisions"]
        ]
        assert [(name, kept[name][0]) for name, _, _ in windows] == [(name, first) for name, first, _ in windows]
        assert [kept[name][1] for name, _, _ in windows[:-1]] == [last for _, _, last in windows[:-1]]
        assert len(windows) == sum(row.article == article["uri"].rpartition("/")[2] for row in rows)


@given(st.randoms(use_true_random=False))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_entries_kept_together_leave_the_ledgers_that_follow_from_them(
    make_store: MakeStore, pool: Pool, chance: random.Random
) -> None:
    store, reads = make_store(), [any_read(chance) for _ in range(chance.randint(2, 12))]
    reads += chance.sample(reads, len(reads) // 3)
    for read, capture in reads:
        keeper(store, pool, LATER).keep_feed(read, capture, SOURCE, None)
    assert exported(store) == expected_export([one for read, _ in reads for one in read.entries])
    assert sum(counters.totals(store, "run")["article"].values()) == sum(len(read.entries) for read, _ in reads)
    assert_windows_are_kept(store)


F, G = "Ferry fares rise", "Ferry fares fall"


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([(10, F), (30, G), (40, G), (20, G)], id="before all others of its revision"),
        pytest.param([(10, F), (30, G), (40, G), (20, F)], id="after all others of its revision"),
        pytest.param([(10, F), (30, F), (40, G), (20, G), (25, F)], id="between two revisions that it divides"),
        pytest.param([(20, F), (20, G), (30, F), (25, F)], id="two at one moment, the first first"),
        pytest.param([(20, G), (20, F), (30, F), (25, F)], id="two at one moment, the first last"),
        pytest.param([(20, F), (20, G), (30, G), (25, G)], id="two at one moment, the second last"),
        pytest.param([(20, G), (20, F), (30, G), (25, G)], id="two at one moment, the second first"),
        pytest.param([(10, F), (30, F), (20, G), (20, F)], id="at one moment with another"),
        pytest.param([(10, F), (20, G), (30, F), (40, F)], id="like the last but one"),
    ],
)
def test_a_late_entry_moves_the_ends_of_revisions(
    make_store: MakeStore, pool: Pool, seen: list[tuple[int, str]]
) -> None:
    store = make_store()
    readings: list[Reading] = []
    for minutes, title in seen:
        capture = histories.feed_capture(poll(minutes, item(1, title)))
        read = read_whole_feed(capture, SOURCE)
        keeper(store, pool, LATER).keep_feed(read, capture, SOURCE, None)
        readings += read.entries
        assert exported(store) == expected_export(readings)
        assert_windows_are_kept(store)


def test_an_entry_that_comes_late_between_two_like_it_is_unchanged_and_again_a_duplicate(
    make_store: MakeStore, pool: Pool
) -> None:
    store = make_store()
    counted: list[str] = []
    for number, minutes in enumerate((10, 30, 20, 20, 5, 40)):
        capture = histories.feed_capture(poll(minutes, item(1, FERRY)))
        keeper(store, pool, LATER, run=str(number)).keep_feed(read_whole_feed(capture, SOURCE), capture, SOURCE, None)
        counted += counters.totals(store, str(number))["article"]
    assert counted == [
        Outcome.NEW,
        Outcome.UNCHANGED,
        Outcome.UNCHANGED,
        Outcome.DUPLICATE,
        Outcome.UNCHANGED,
        Outcome.UNCHANGED,
    ]
    (article,) = map(json.loads, exported(store).splitlines())
    assert [len(article["observations"]), len(article["revisions"])] == [5, 1]
    assert article["names"] == [f"{FEED}#guid=1", f"{SITE}/local/1/story.html"]
