"""Keeping: whatever the order, the passes and the processes, the same readings leave the same ledgers."""

from __future__ import annotations

import itertools
import json
import pickle
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOON, URL, absence, at, claim, not_modified, reading
from tests.conftest import MakeStore
from tests.wirewatch.kept import (
    DAY,
    GUID,
    INSTANCE,
    TINY,
    A,
    B,
    C,
    asks,
    check_of,
    expected_export,
    exported,
    keep,
    keeper,
    kinds,
    live,
    read,
    row_of,
    said,
    standing,
    uri,
    world,
)
from tests.wirewatch.store.together import Workers
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key, sha256
from wirewatch.diff import apply
from wirewatch.encoding import revive
from wirewatch.extract import read_page
from wirewatch.identity import guid_name
from wirewatch.keeping import Read, apart
from wirewatch.model import Capture, Check, Diff, Entry, FeedReading, Outcome, Reading, Seen, Source, Track
from wirewatch.reading import FeedRead
from wirewatch.store import Store, articles, counters, dead_letters, feeds, frontier
from wirewatch.store.tables import feeds as feeds_table

MOVED = "https://courier.example/local/moved"
THIRD = "https://courier.example/local/third"

KEEP = """
import os, pickle, random, sys
from pathlib import Path
from wirewatch.bounded import Pool
from wirewatch.clock import FixedClock
from wirewatch.keeping import Keeper
from wirewatch.store import Store
reads, now, instance = pickle.loads(Path(sys.argv[2]).read_bytes())
if sys.argv[3] == "shuffled":
    random.Random(os.getpid()).shuffle(reads)
store = Store.open(sys.argv[1])
with Pool(1) as pool:
    keeper = Keeper(
        store=store, pool=pool, instance=instance, clock=FixedClock(now), run="together", sinks=("sink",)
    )
    for read in reads:
        print(keeper.keep(read).value, flush=True)
store.close()
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as made:
        yield made


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    both = Workers()
    yield both
    both.stop()


# Invariant 1: the ledger is a function of the set of captures


def keep_in_passes(store: Store, pool: Pool, readings: list[Reading], chance: random.Random) -> None:
    """Keep all readings, some twice, in any order, in several runs, some as the answer to a check."""
    order = readings + chance.choices(readings, k=3)
    chance.shuffle(order)
    if chance.random() < 0.3:
        order.sort(key=lambda one: one.observed)
    one_by_one = [keeper(store, pool, at(4 * DAY), run=run) for run in ("first", "second")]
    for one in order:
        check = check_of(store, one) if chance.random() < 0.7 else None
        chance.choice(one_by_one).keep(read(one, check=check))
    counted = [n for run in ("first", "second") for n in counters.totals(store, run)["article"].values()]
    assert sum(counted) == len(order)


@pytest.fixture(scope="module")
def fresh(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Store]:
    """Give a function that makes a new store on SQLite: one for each example of a property."""
    folder, numbers = tmp_path_factory.mktemp("fresh"), itertools.count()

    def make() -> Store:
        file = folder / f"{next(numbers)}.sqlite"
        shutil.copy(migrated_file, file)
        return Store.open(f"sqlite:///{file}")

    return make


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chance=st.randoms(use_true_random=False), joins=st.booleans(), size=st.integers(2, 14))
def test_any_order_in_any_passes_leaves_what_the_set_of_readings_says(
    fresh: Callable[[], Store], pool: Pool, *, chance: random.Random, joins: bool, size: int
) -> None:
    store = fresh()
    readings = world(chance, joins=joins, size=size)
    keep_in_passes(store, pool, readings, chance)
    export = exported(store)
    assert export == expected_export(readings)
    stands = standing(said(store))
    assert joins or stands == live(export)  # what an article said is void where it was merged into another
    store.close()


@pytest.mark.parametrize("joins", [False, True], ids=["apart", "joined"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_worlds_leave_the_same_ledgers_on_both_databases(
    store: Store, pool: Pool, seed: int, joins: bool
) -> None:
    chance = random.Random(seed)
    readings = world(chance, joins=joins, size=12)
    keep_in_passes(store, pool, readings, chance)
    assert exported(store) == expected_export(readings)


def three_articles() -> list[Reading]:
    return [
        reading(10, A, aliases=asks(URL, guid=GUID)),
        reading(5, B, url=MOVED),
        reading(0, C, url=THIRD),
        reading(20, A, aliases=asks(URL, redirect=MOVED)),
        replace(absence(30, Seen.FAILED, url=THIRD), aliases=asks(THIRD, guid=GUID)),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::11], ids=str)
def test_three_articles_that_are_one_join_in_any_order(sqlite_store: Store, pool: Pool, order: tuple[int, ...]) -> None:
    readings = three_articles()
    keep(sqlite_store, pool, [readings[place] for place in order], now=at(60))
    assert exported(sqlite_store) == expected_export(readings)


def test_an_article_lives_under_the_address_asked_first_even_if_that_is_heard_of_last(store: Store, pool: Pool) -> None:
    """The second reading makes the article at MOVED survive, the last one the absorbed one at URL again."""
    readings = [
        reading(20, A),
        reading(10, B, url=MOVED, aliases=asks(MOVED, canonical=URL)),
        reading(0, A),
        reading(30, C),
    ]
    keep(store, pool, readings, now=at(60))
    assert exported(store) == expected_export(readings)
    assert row_of(store, URL).merged_into is None
    assert row_of(store, MOVED).merged_into == row_of(store, URL).key
    events = said(store)
    assert kinds(events).count("merged") == 2
    assert kinds(events).count("published") == 1


def test_a_join_can_be_heard_of_before_any_of_its_articles_was_read(store: Store, pool: Pool) -> None:
    joining = replace(absence(5, Seen.BLOCKED, url=MOVED), aliases=asks(MOVED, guid=GUID))
    readings = [joining, reading(0, A, aliases=asks(URL, guid=GUID)), reading(9, B, url=MOVED)]
    keep(store, pool, readings)
    assert exported(store) == expected_export(readings)
    assert kinds(said(store)) == ["published", "revised"]


def test_readings_that_come_at_once_are_kept_together_but_those_of_one_article_one_after_the_other(
    store: Store, pool: Pool
) -> None:
    readings = [reading(n, body, url=f"{URL}/{n % 3}") for n, body in enumerate((A, A, A, B, B, C, C))]
    readings.append(reading(8, A, url=f"{URL}/moved", aliases=asks(f"{URL}/moved", canonical=f"{URL}/1")))
    reads = [read(one, body=str(n).encode()) for n, one in enumerate(readings)]
    assert apart(reads, range(1, 8)) == [[1, 2, 3], [4, 5, 6], [7]]
    assert keeper(store, pool, at(9)).keep_all(reads) == [Outcome.NEW] * 3 + [Outcome.REVISED] * 5
    assert exported(store) == expected_export(readings)
    assert kinds(said(store)) == ["published"] * 3 + ["revised"] * 5


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_two_wordings_seen_at_one_moment_stand_in_one_order(
    sqlite_store: Store, pool: Pool, order: tuple[int, ...]
) -> None:
    readings = [reading(0, A), reading(0, B), reading(9, A)]
    for place in order:
        one = readings[place]
        keeper(sqlite_store, pool, at(10)).keep(read(one, check=check_of(sqlite_store, one)))
    assert exported(sqlite_store) == expected_export(readings)
    assert standing(said(sqlite_store)) == live(exported(sqlite_store))


def test_the_verdict_follows_when_a_late_capture_moves_a_stamp(store: Store, pool: Pool) -> None:
    """The older wording turns out to have carried the newer one's stamp already: the change was not disclosed."""
    stamp = (claim("modified", 8),)
    readings = [reading(0, A), reading(20, B, claims=stamp), reading(10, A, claims=stamp)]
    keep(store, pool, readings)
    assert exported(store) == expected_export(readings)
    (article,) = map(json.loads, exported(store).splitlines())
    assert article["diffs"][0]["verdict"]["disclosure"] == "undisclosed"


# Invariants 4 and 5: what is announced


def history_with_everything() -> list[Reading]:
    stamped = (claim("modified", 45),)
    return [
        reading(0, A),
        reading(10, B),
        reading(20, A),
        reading(30, C),
        reading(50, C, claims=stamped),
        absence(60, Seen.GONE, "HTTP 410"),
        reading(70, C, claims=stamped),
        reading(80, A, url=MOVED),
        reading(90, A, url=MOVED, aliases=asks(MOVED, canonical=URL)),
    ]


def test_everything_that_happened_is_announced_once(store: Store, pool: Pool) -> None:
    keep(store, pool, history_with_everything())
    assert kinds(said(store)) == [
        *("published", "revised", "revised", "revised", "restamped", "withdrawn", "returned"),
        *("published", "merged", "revised"),
    ]


def test_keeping_everything_again_announces_nothing(store: Store, pool: Pool) -> None:
    readings = history_with_everything()
    keep(store, pool, readings)
    before, events = exported(store), said(store)
    assert set(keep(store, pool, [*reversed(readings), *readings])) == {Outcome.DUPLICATE}
    assert said(store) == events
    assert exported(store) == before


def test_ids_of_what_happened_in_order_are_the_same_in_every_store(make_store: MakeStore, pool: Pool) -> None:
    stores = [make_store(), make_store()]
    for store in stores:
        keep(store, pool, history_with_everything())
    one, other = (said(store) for store in stores)
    assert one == other


def test_a_late_capture_takes_back_and_announces_its_neighbours_only(store: Store, pool: Pool) -> None:
    keep(store, pool, [reading(0, A), reading(20, B), reading(30, C), reading(40, A)])
    before = said(store)
    keep(store, pool, [reading(25, A)], now=at(41))
    late = said(store)[len(before) :]
    assert kinds(late) == ["retracted", "revised", "revised"]
    taken_back = before[2]  # of B to C
    assert late[0]["data"]["retracted"] == taken_back["id"]
    assert standing([*before, *late]) == live(exported(store))


@pytest.mark.parametrize("moved", [True, False])
def test_an_article_that_moved_for_good_is_asked_at_its_new_address(store: Store, pool: Pool, moved: bool) -> None:
    there = "https://courier.example/2026/ferry"
    one = read(reading(0, A, aliases=asks(URL, redirect=there)))
    keeper(store, pool, at(1)).keep(replace(one, capture=replace(one.capture, moved=moved)))
    assert row_of(store, URL).url == (there if moved else URL)


def test_a_page_that_stays_broken_is_one_dead_letter(store: Store, pool: Pool) -> None:
    broken = [absence(minutes, Seen.INVALID, "no article was found") for minutes in (0, 10, 20)]
    keep(store, pool, [*broken, reading(30, A), absence(40, Seen.INVALID, "no article was found")])
    assert len(dead_letters.listed(store)) == 2


def test_what_was_taken_back_can_be_announced_again_under_another_id(store: Store, pool: Pool) -> None:
    """A suspect page is believed, a late capture between takes that back, and a later one brings it again."""
    keep(store, pool, [reading(0, A), *(reading(minutes, TINY) for minutes in (10, 200, 380))])
    keep(store, pool, [reading(300, A)], now=at(400))
    keep(store, pool, [reading(minutes, TINY) for minutes in (500, 600, 770)])
    events = said(store)
    assert kinds(events) == ["published", "revised", "retracted", "revised"]
    assert events[2]["data"]["retracted"] == events[1]["id"]
    assert events[3]["id"] != events[1]["id"]
    assert standing(events) == live(exported(store))


def test_a_diff_announced_under_a_former_name_is_not_announced_again(store: Store, pool: Pool) -> None:
    keep(store, pool, [reading(0, A), reading(10, B), reading(20, B, url=MOVED), reading(30, C, url=MOVED)])
    before = said(store)
    keep(store, pool, [reading(40, C, url=MOVED, aliases=asks(MOVED, redirect=URL))])
    late = said(store)[len(before) :]
    assert kinds(late) == ["merged"]
    assert late[0]["subject"].endswith(row_of(store, MOVED).key)


@pytest.mark.parametrize(
    ("late_by", "replay", "backfill"),
    [
        pytest.param(timedelta(hours=6), False, None, id="6 hours late"),
        pytest.param(timedelta(hours=6, seconds=1), False, True, id="later than that"),
        pytest.param(timedelta(0), True, True, id="out of a replay"),
    ],
)
def test_back_fill_is_marked(store: Store, pool: Pool, late_by: timedelta, replay: bool, backfill: bool | None) -> None:
    one = reading(0, A)
    keeper(store, pool, one.observed + late_by, replay=replay).keep(read(one))
    (event,) = said(store)
    assert event["data"].get("backfill") is backfill


def test_a_withdrawal_heard_of_late_is_announced_with_its_return(store: Store, pool: Pool) -> None:
    keep(store, pool, [reading(0, A), absence(30, Seen.GONE, "HTTP 410")])
    keep(store, pool, [absence(10, Seen.GONE, "HTTP 410"), reading(20, A)], now=at(31))
    events = said(store)
    assert kinds(events) == ["published", "withdrawn", "withdrawn", "returned"]
    assert len({event["id"] for event in events}) == 4


# Several processes


def story_of_two_articles() -> list[Reading]:
    """Two articles over two hours; that one of them has two addresses is heard of from both, and from a feed."""
    texts = [A, B, C, A.replace("9", "7"), B.replace("8", "6")]
    first = [reading(minutes, texts[minutes // 7 % 5]) for minutes in range(0, 100, 5)]
    second = [reading(minutes, texts[minutes // 11 % 5], url=THIRD) for minutes in range(1, 100, 9)]
    moved = [reading(minutes, texts[minutes // 7 % 5], url=MOVED) for minutes in range(52, 100, 8)]
    joining = [
        reading(76, texts[0], aliases=asks(URL, redirect=MOVED)),
        reading(77, texts[1], url=MOVED, aliases=asks(MOVED, canonical=URL, guid=GUID)),
        reading(78, texts[1], aliases=asks(URL, guid=GUID)),
    ]
    return [*first, *second, *moved, *joining, absence(101, Seen.GONE, "HTTP 410")]


def spooled(folder: Path, readings: list[Reading], now: datetime) -> str:
    path = folder / "readings"
    path.write_bytes(pickle.dumps(([read(one) for one in readings], now, INSTANCE)))
    return str(path)


def test_two_processes_that_keep_the_same_articles_at_once_leave_what_one_would(
    store: Store, workers: Workers, tmp_path: Path
) -> None:
    readings = story_of_two_articles()
    file = spooled(tmp_path, readings, at(120))
    printed = [line for output in workers.run(KEEP, store.url, file, "shuffled") for line in output.splitlines()]
    export, events = exported(store), said(store)
    assert export == expected_export(readings)
    assert printed.count("duplicate") == len(readings)
    assert sum(counters.totals(store, "together")["article"].values()) == len(printed) == 2 * len(readings)
    alone = uri(article_key(THIRD))
    (line,) = [line for line in export.splitlines() if json.loads(line)["uri"] == alone]
    of_it = [event for event in events if event["subject"] == alone]
    assert standing(of_it) == live(line)
    assert kinds(of_it).count("published") == 1


def test_a_killed_process_loses_nothing_and_repeats_nothing(store: Store, pool: Pool, tmp_path: Path) -> None:
    readings = story_of_two_articles()
    file = spooled(tmp_path, readings, at(120))
    started = subprocess.Popen([sys.executable, "-c", KEEP, store.url, file, "in order"], stdout=subprocess.PIPE)
    assert started.stdout is not None
    with started.stdout:
        for _ in range(len(readings) // 2):
            started.stdout.readline()
        started.send_signal(signal.SIGKILL)
        started.wait()
    keep(store, pool, readings, now=at(120))
    assert exported(store) == expected_export(readings)
    assert kinds(said(store)) == kinds(said_by_one_process(pool, readings, tmp_path))


def said_by_one_process(pool: Pool, readings: list[Reading], folder: Path) -> list[dict[str, object]]:
    store = Store.open(f"sqlite:///{folder / 'alone.sqlite'}")
    keep(store, pool, readings, now=at(120))
    events = said(store)
    store.close()
    return events


# The short way for what changed nothing


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """Give the list of statements that the store is sent meanwhile."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(store.engine, "before_cursor_execute", note)


def leased(store: Store, now: datetime) -> Check:
    (check,) = frontier.lease_due(store, now=now)
    return check


def watched(store: Store, pool: Pool, *readings: Reading) -> datetime:
    """Keep readings as the answers to checks; return when the next one is due."""
    articles.watch(store, URL, Source(), NOON)
    for one in readings:
        check = leased(store, one.observed)
        keeper(store, pool, one.observed).keep(read(one, check=check, etag='"1"'))
    due = frontier.due(store, now=one.observed).next_due
    assert due is not None
    return due


CONFIRMATIONS: dict[str, Callable[[float], Reading]] = {
    "unchanged": lambda minutes: reading(minutes, A),
    "not_modified": lambda minutes: not_modified(minutes, reading(0, A)),
}


@pytest.mark.parametrize("before", CONFIRMATIONS)
@pytest.mark.parametrize("outcome", CONFIRMATIONS)
def test_what_the_last_capture_said_already_is_settled_without_its_ledger(
    store: Store, pool: Pool, outcome: str, before: str
) -> None:
    confirm, last = CONFIRMATIONS[outcome], CONFIRMATIONS[before](15)
    due = watched(store, pool, reading(0, A), last)
    check, one = leased(store, due), replace(confirm(0), observed=due)
    with statements(store) as seen:
        assert keeper(store, pool, due).keep(read(one, check=check)).value == outcome
    assert len(seen) <= 7
    assert not [statement for statement in seen if "FROM observations" in statement]
    row = row_of(store, URL)
    assert row.lease is None
    assert row.due_at > due
    assert exported(store) == expected_export([reading(0, A), last, one])


def test_304_that_follows_one_of_an_older_wording_goes_the_long_way(store: Store, pool: Pool) -> None:
    history = [reading(0, A), reading(15, B), not_modified(30, reading(0, A))]
    due = watched(store, pool, *history)
    check, one = leased(store, due), replace(not_modified(0, reading(0, B)), observed=due)
    keeper(store, pool, due).keep(read(one, check=check))
    assert exported(store) == expected_export([*history, one])


@pytest.mark.parametrize(
    "between",
    [
        pytest.param(reading(5, B), id="a late capture of other words"),
        pytest.param(absence(16, Seen.FAILED, "HTTP 500"), id="a failure"),
        pytest.param(reading(16, TINY), id="a suspect page"),
        pytest.param(reading(16, A, claims=(claim("modified", 15),)), id="a moved stamp"),
    ],
)
def test_whatever_was_kept_since_the_check_was_made_sends_a_reading_the_long_way(
    store: Store, pool: Pool, between: Reading
) -> None:
    due = watched(store, pool, reading(0, A))
    check, one = leased(store, due), reading(0, A, observed=due)
    keep(store, pool, [between])
    with statements(store) as seen:
        keeper(store, pool, due).keep(read(one, check=check))
    assert [statement for statement in seen if "FROM observations" in statement]
    assert exported(store) == expected_export([reading(0, A), between, one])


def test_a_lease_that_was_given_to_another_settles_nothing(store: Store, pool: Pool) -> None:
    articles.watch(store, URL, Source(), NOON)
    old = leased(store, NOON)
    later = old.lease_ends + timedelta(minutes=1)
    new = leased(store, later)
    for one in (reading(1, A), reading(2, A)):
        keeper(store, pool, at(3)).keep(read(one, check=replace(old, ledger_version=row_of(store, URL).ledger_version)))
    row = row_of(store, URL)
    assert (row.lease, row.due_at, row.reads) == (new.lease, NOON, 0)
    assert exported(store) == expected_export([reading(1, A), reading(2, A)])


def test_validators_are_those_of_the_newest_wording(store: Store, pool: Pool) -> None:
    def validators(one: Reading, etag: str) -> tuple[str, str]:
        check = check_of(store, one)
        keeper(store, pool, at(60)).keep(read(one, check=check, etag=etag))
        row = row_of(store, URL)
        return row.etag, row.content_hash

    first, newer, a, b = reading(10, A), reading(20, B), reading(0, A).content_hash, reading(0, B).content_hash
    assert validators(first, "first") == ("first", a)
    assert validators(newer, "newer") == ("newer", b)
    assert validators(reading(15, C), "late") == ("newer", b)
    assert validators(absence(30, Seen.FAILED), "of a failure") == ("newer", b)
    assert validators(not_modified(40, first), "of a 304") == ("newer", b)
    assert validators(reading(50, B), "of the same words") == ("of the same words", b)
    assert validators(reading(55, B), "by the short way") == ("by the short way", b)


# What takes time


def at_every_check(store: Store, pool: Pool, until: datetime, show: Callable[[datetime], Reading]) -> list[str]:
    """Read the article whenever it is due, from the store's first check on; return the outcomes."""
    outcomes, now = [], NOON
    while now <= until:
        for check in frontier.lease_due(store, now=now):
            one = show(check.start)
            outcomes.append(keeper(store, pool, check.start).keep(read(one, check=check)).value)
        now = frontier.due(store, now=now).next_due or until + timedelta(days=1)
    return outcomes


def test_a_withdrawal_note_in_place_of_the_story_is_believed_after_three_reads_over_six_hours(
    store: Store, pool: Pool
) -> None:
    articles.watch(store, URL, Source(), NOON)
    note_since = at(3 * DAY)
    outcomes = at_every_check(
        store, pool, at(5 * DAY), lambda now: reading(0, A if now < note_since else TINY, observed=now)
    )
    assert outcomes[outcomes.index("suspect") :][:4] == ["suspect", "suspect", "revised", "unchanged"]
    assert kinds(said(store)) == ["published", "revised"]


def test_an_article_is_withdrawn_at_the_third_404_over_a_day_and_returns(store: Store, pool: Pool) -> None:
    articles.watch(store, URL, Source(), NOON)

    def show(now: datetime) -> Reading:
        missing = replace(absence(0, Seen.MISSING, "HTTP 404"), observed=now)
        return missing if at(3 * DAY) <= now < at(6 * DAY) else reading(0, A, observed=now)

    outcomes = at_every_check(store, pool, at(9 * DAY), show)
    assert outcomes[outcomes.index("failed") :][:4] == ["failed", "failed", "gone", "unchanged"]
    assert kinds(said(store)) == ["published", "withdrawn", "returned"]


# Texts and pages


def test_a_change_that_cannot_be_compared_finely_is_told_field_by_field(sqlite_store: Store, pool: Pool) -> None:
    store = sqlite_store
    first, second = (" ".join(f"{word}{n}" for n in range(600_000)) for word in ("a", "b"))
    old, new = reading(0, first), reading(10, second, headline="Ferry again")
    keep(store, pool, [old, new])
    (article,) = map(json.loads, exported(store).splitlines())
    found = revive(Diff, article["diffs"][0]["diff"])
    assert [hunk.op for hunk in found.hunks] == ["replace", "replace"]
    assert old.wording is not None
    assert apply(found, old.wording) == new.wording
    assert kinds(said(store)) == ["published", "revised"]


PAGES = Path(__file__).parent / "pages"
BEFORE, AFTER = ((PAGES / f"ferry_{time}.html").read_bytes() for time in (1421, 1524))


def by_today(minutes: float, page: bytes) -> Read:
    capture = Capture(url=URL, observed=at(minutes), status=200, headers=(("content-type", "text/html"),), body=page)
    return Read(capture=capture, reading=read_page(capture, Source()), source=Source())


def by_former(minutes: float, page: bytes, *, kept: bool) -> Read:
    """Return what a former extractor read, which took the caption into the text."""
    today = by_today(minutes, page)
    assert today.reading.wording is not None
    old = reading(minutes, f"A caption.\n\n{today.reading.wording.body}", extractor="x/1", keep_page=kept)
    return replace(today, reading=replace(old, page_hash=today.reading.page_hash))


@pytest.mark.parametrize("kept", [True, False], ids=["page kept", "no page"])
@pytest.mark.parametrize("changed", [True, False], ids=["changed", "same"])
def test_a_reading_by_another_extractor_is_compared_with_the_kept_page_read_again(
    store: Store, pool: Pool, kept: bool, changed: bool
) -> None:
    later = AFTER if changed else BEFORE
    reads = [by_former(0, BEFORE, kept=kept), by_today(10, later), by_today(20, later)]
    outcomes = [keeper(store, pool, at(30)).keep(one).value for one in reads]
    events, export = said(store), exported(store)
    second = "revised" if changed or not kept else "unchanged"
    assert outcomes == ["new", second, "unchanged"]
    assert kinds(events) == (["published", "revised"] if changed and kept else ["published"])
    assert standing(events) == live(export)
    assert "A caption." not in json.dumps(events)
    for one in reversed(reads):
        assert keeper(store, pool, at(40)).keep(one) is Outcome.DUPLICATE
    assert exported(store) == export


# Feeds

FEED = "https://courier.example/feed"


def feed_read(minutes: float, *entries: Entry, **changes: Any) -> FeedRead:
    return FeedRead(
        feed=FeedReading(**{"url": FEED, "observed": at(minutes), "seen": Seen.WORDING, "entries": entries, **changes})
    )


def entry(number: int, *, guid: str | None = None, link: str | None = None, **changes: Any) -> Entry:
    link = link or f"https://courier.example/local/{number}"
    return Entry(identity=guid or link, guid=guid, link=link, **changes)


def feed_capture(minutes: float) -> Capture:
    return Capture(url=FEED, observed=at(minutes), status=200, headers=(("etag", f'"{minutes}"'),), body=b"<rss>")


def keep_feed(store: Store, pool: Pool, minutes: float, found: FeedRead, source: Source | None = None) -> Outcome:
    source = source or Source(feed=FEED)
    feeds.add_feed(store, FEED, source, at(minutes))
    with store.begin() as conn:
        conn.execute(sa.update(feeds_table).values(due_at=at(minutes), lease=None, lease_ends=None))
    check = next(one for one in frontier.lease_due(store, now=at(minutes)) if one.reason == "feed")
    return keeper(store, pool, at(minutes)).keep_feed(found, feed_capture(minutes), source, check)


def health(store: Store) -> feeds.FeedHealth:
    (found,) = feeds.feed_health(store)
    return found


def test_entries_make_articles_due_and_count_as_new_once(store: Store, pool: Pool) -> None:
    entries = [entry(1), entry(2, guid="g2")]
    assert keep_feed(store, pool, 0, feed_read(0, *entries)) is Outcome.NEW
    assert frontier.due(store, now=at(1)).articles == 2
    assert keep_feed(store, pool, 60, feed_read(60, *entries)) is Outcome.UNCHANGED
    assert keep_feed(store, pool, 120, feed_read(120, *entries, entry(3, guid="g3"))) is Outcome.REVISED
    assert (health(store).entries_new, health(store).entries_seen) == (3, 7)
    assert counters.totals(store, "run")["feed"] == {"new": 1, "revised": 1, "unchanged": 1}


def test_a_guid_that_comes_with_another_link_is_followed(store: Store, pool: Pool) -> None:
    keep_feed(store, pool, 0, feed_read(0, entry(1, guid="g", link=URL)))
    keep(store, pool, [reading(1, A)])
    keep_feed(store, pool, 60, feed_read(60, entry(1, guid="g", link=MOVED)))
    assert row_of(store, URL).url == MOVED
    readings = [reading(1, A), reading(61, B, url=MOVED)]
    keep(store, pool, readings[1:])
    (article,) = map(json.loads, exported(store).splitlines())
    assert article["names"] == [guid_name(FEED, "g"), URL, MOVED]
    assert kinds(said(store)) == ["published", "revised"]


def test_a_guid_that_comes_with_another_articles_link_joins_the_two(store: Store, pool: Pool) -> None:
    keep_feed(store, pool, 0, feed_read(0, entry(1, guid="g", link=URL)))
    keep(store, pool, [reading(1, A), reading(2, A, url=MOVED)])
    keep_feed(store, pool, 60, feed_read(60, entry(1, guid="g", link=MOVED)))
    assert row_of(store, MOVED).merged_into == article_key(URL)
    assert kinds(said(store)) == ["published", "published", "merged"]


def test_a_feed_whose_entries_could_not_all_be_kept_is_read_again_as_before(store: Store, pool: Pool) -> None:
    """An entry that no store can keep stands for a crash: what vouches for the feed is written last."""
    keep_feed(store, pool, 0, feed_read(0, entry(1)))
    broken = reading(60, A, url=THIRD, track=Track.ENTRIES, text_hash=None)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whichever: nothing of the feed may be written after it
        keep_feed(store, pool, 60, replace(feed_read(60, entry(2)), entries=(broken,)))
    with store.reading() as conn:
        assert conn.scalar(sa.select(feeds_table.c.etag)) == '"0"'
    assert health(store).reads == 1
    assert keep_feed(store, pool, 120, feed_read(120, entry(2))) is Outcome.REVISED
    with store.reading() as conn:
        assert conn.scalar(sa.select(feeds_table.c.etag)) == '"120"'


def of_entry(minutes: float, body: str, *, modified: float = 0) -> Reading:
    return reading(minutes, body, track=Track.ENTRIES, claims=(claim("modified", modified),), page_hash=None)


def test_entries_that_are_the_tracked_text_are_believed_at_once(store: Store, pool: Pool) -> None:
    source = Source(feed=FEED, track=Track.ENTRIES)
    texts = [(A, 0), (B, 50), (A, 0), (TINY, 200), (TINY, 200)]
    found = [
        replace(feed_read(60 * n, entry(1, link=URL)), entries=(of_entry(60 * n, body, modified=modified),))
        for n, (body, modified) in enumerate(texts)
    ]
    outcomes = [keep_feed(store, pool, 60 * n, one, source).value for n, one in enumerate(found)]
    assert outcomes == ["new", "revised", "revised", "revised", "unchanged"]
    assert counters.totals(store, "run")["article"] == {"new": 1, "revised": 3, "unchanged": 1}
    assert kinds(said(store)) == ["published", "revised", "revised", "revised"]
    assert exported(store) == expected_export([one.entries[0] for one in found])
    assert [check.reason for check in frontier.lease_due(store, now=at(9 * DAY))] == ["feed"]


@pytest.mark.parametrize(
    ("seen", "outcome"), [(Seen.FAILED, "failed"), (Seen.NOT_MODIFIED, "not_modified"), (Seen.BLOCKED, "blocked")]
)
def test_a_feed_that_shows_nothing_new_keeps_its_validators(store: Store, pool: Pool, seen: Seen, outcome: str) -> None:
    keep_feed(store, pool, 0, feed_read(0, entry(1)))
    problem = None if seen is Seen.NOT_MODIFIED else "HTTP 500"
    assert keep_feed(store, pool, 60, feed_read(60, seen=seen, problem=problem)).value == outcome
    assert health(store).failures == (0 if problem is None else 1)
    with store.reading() as conn:
        assert conn.scalar(sa.select(feeds_table.c.etag)) == '"0"'


def test_what_is_no_feed_and_what_is_no_article_are_dead_letters_with_their_hash(store: Store, pool: Pool) -> None:
    no_feed = feed_read(0, seen=Seen.INVALID, problem="This is HTML", detail="This is HTML")
    assert keep_feed(store, pool, 0, no_feed) is Outcome.INVALID
    keep(store, pool, [absence(1, Seen.INVALID, "This is a PDF", page_hash="f" * 64)])
    article, feed = dead_letters.listed(store)
    assert (article.step, article.reason, article.sha256) == ("extract", "This is a PDF", "f" * 64)
    assert (feed.step, feed.reason, feed.sha256) == ("feed", "This is HTML", sha256(b"<rss>"))
    assert article.replayable
    assert feed.replayable


def entries_over_time(chance: random.Random, *, joins: bool) -> list[FeedRead]:
    """Return what a feed said at some moments: three entries, of which two may turn out to be one article's."""
    found = []
    for minutes in sorted(chance.sample(range(0, 600, 30), k=chance.randint(2, 7))):
        readings = []
        for number in range(3):
            url = f"https://courier.example/live/{number}"
            shared = joins and number < 2 and chance.random() < 0.15
            aliases = asks(url, guid=guid_name(FEED, "shared" if shared else str(number)))
            claims = chance.choice([(), (claim("modified", -5),), (claim("modified", 90),)])
            body = chance.choice([A, A, B, TINY])
            about: dict[str, Any] = {"url": url, "aliases": aliases, "claims": claims, "track": Track.ENTRIES}
            readings.append(reading(minutes, body, page_hash=None, **about))
        found.append(FeedRead(feed=feed_read(minutes).feed, entries=tuple(readings)))
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chance=st.randoms(use_true_random=False), joins=st.booleans())
def test_a_feed_read_in_any_order_leaves_what_its_entries_say(
    fresh: Callable[[], Store], pool: Pool, *, chance: random.Random, joins: bool
) -> None:
    store, found = fresh(), entries_over_time(chance, joins=joins)
    order = [*found, *chance.choices(found, k=2)]
    chance.shuffle(order)
    for one in order:
        capture, source = feed_capture(0), Source(feed=FEED, track=Track.ENTRIES)
        keeper(store, pool, at(DAY)).keep_feed(one, capture, source, None)
    readings = [one for feed in found for one in feed.entries]
    export = exported(store)
    assert export == expected_export(readings)
    assert sum(counters.totals(store, "run")["article"].values()) == 3 * len(order)
    if not joins:
        assert standing(said(store)) == live(export)
    store.close()
