"""Labels: what is seen beside other articles or over time is worked out on read, and drops nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import STORY, URL, at, claim, reading
from tests.wirewatch.kept import DAY, asks, keep
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key
from wirewatch.model import Outcome
from wirewatch.revisions import fold
from wirewatch.significance import everywhere
from wirewatch.store import Store, labels, ledger, migrations
from wirewatch.store.labels import Labels
from wirewatch.store.tables import parts

LINE = "Tell us what you think of the harbour."


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as made:
        yield made


def labels_of(store: Store, url: str = URL) -> Labels:
    with store.reading() as conn:
        kept = ledger.load(conn, article_key(url)).ledger
        return labels.labels(conn, kept, fold(kept))


def diff_ids(store: Store, url: str = URL) -> list[str]:
    with store.reading() as conn:
        return [one.id for one in fold(ledger.load(conn, article_key(url)).ledger).transitions]


def hunk_texts(store: Store, url: str) -> list[str]:
    with store.reading() as conn:
        kept = ledger.kept_diff(conn, diff_ids(store, url)[0])
    return [hunk["new"]["exact"] for hunk in kept["hunks"]]


def kept_hashes(store: Store) -> list[tuple[object, ...]]:
    with store.reading() as conn:
        return [tuple(row) for row in conn.execute(select(parts).order_by(parts.c.diff, parts.c.place, parts.c.hash))]


def publish(store: Store, pool: Pool, bodies: Sequence[str], *, url: str = URL, start: int = 0, gap: int = 60) -> None:
    told = [reading(start + n * gap, body, url=url, aliases=asks(url)) for n, body in enumerate(bodies)]
    assert keep(store, pool, told)[1:] == [Outcome.REVISED] * (len(bodies) - 1)


def address(n: int, host: str = "courier.example") -> str:
    return f"https://{host}/local/{n}"


# Boilerplate


def test_one_change_on_several_articles_of_a_host_is_boilerplate(store: Store, pool: Pool) -> None:
    for n in range(3):
        story = f"{STORY} It is story {n}."
        publish(store, pool, [story, f"{story}\n\n{LINE}"], url=address(n), start=n)
    for n in range(3):
        assert labels_of(store, address(n)).boilerplate == {diff_ids(store, address(n))[0]: 3}


@pytest.mark.parametrize(
    ("other", "start", "line"),
    [
        pytest.param(address(2, "post.example"), 0, LINE, id="on another host"),
        pytest.param(address(2), DAY + 120, LINE, id="more than a day later"),
        pytest.param(address(2), 0, "Tell nobody.", id="another change"),
    ],
)
def test_what_is_not_the_same_change_there_and_then_is_no_boilerplate(
    store: Store, pool: Pool, other: str, start: int, line: str
) -> None:
    publish(store, pool, [STORY, f"{STORY}\n\n{LINE}"], url=address(1))
    publish(store, pool, [STORY, f"{STORY}\n\n{line}"], url=other, start=start)
    assert labels_of(store, address(1)).boilerplate == labels_of(store, other).boilerplate == {}


def test_a_change_made_twice_on_one_article_is_no_boilerplate(store: Store, pool: Pool) -> None:
    publish(store, pool, [STORY, f"{STORY}\n\n{LINE}", STORY, f"{STORY}\n\n{LINE}"])
    assert labels_of(store).boilerplate == {}


def test_the_window_is_the_callers(store: Store, pool: Pool) -> None:
    for n in range(2):
        publish(store, pool, [STORY, f"{STORY}\n\n{LINE}"], url=address(n), start=n * 100)
    with store.reading() as conn:
        found = [
            labels.boilerplate(conn, article_key(address(0)), window=timedelta(minutes=minutes))
            for minutes in (99, 100)
        ]
    assert [list(one.values()) for one in found] == [[], [2]]


def test_a_sites_line_beside_a_storys_own_change_is_boilerplate_and_the_change_is_not(store: Store, pool: Pool) -> None:
    for n in range(3):
        old, new = f"{STORY} Toll: {n + 1}0 pounds.", f"{STORY} Toll: {n + 1}5 pounds. It was dear."
        publish(store, pool, [old, f"{new}\n\n{LINE}"], url=address(n), start=n)
    publish(store, pool, [STORY, f"{STORY}\n\n{LINE}"], url=address(4))
    for n in range(3):
        found = labels_of(store, address(n))
        assert found.boilerplate == {}
        (shared,) = found.boilerplate_hunks.values()
        assert list(shared.values()) == [4]
        assert LINE in hunk_texts(store, address(n))[next(iter(shared))]
    alone = labels_of(store, address(4))
    assert list(alone.boilerplate.values()) == [4]
    assert [list(one.values()) for one in alone.boilerplate_hunks.values()] == [[4]]


def test_hunks_that_are_each_on_other_articles_make_a_whole_diff_boilerplate(store: Store, pool: Pool) -> None:
    head, foot = "The Courier is read in every harbour of the coast.", LINE
    both = f"{head}\n\n{STORY}\n\n{foot}"
    publish(store, pool, [STORY, both], url=address(0))
    publish(store, pool, [STORY, f"{STORY}\n\n{foot}"], url=address(1))
    assert labels_of(store, address(0)).boilerplate == {}
    publish(store, pool, [STORY, f"{head}\n\n{STORY}"], url=address(2))
    assert list(labels_of(store, address(0)).boilerplate.values()) == [2]


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        pytest.param("The boat sails on {}.", "Two firms asked for it by {}.", False, id="in sentences of their own"),
        pytest.param("Printed on {}.", "Printed on {}.", True, id="in the same line"),
    ],
)
def test_one_word_exchanged_for_another_is_the_same_change_only_in_the_same_line(
    store: Store, pool: Pool, first: str, second: str, *, shared: bool
) -> None:
    for n, line in enumerate((first, second)):
        publish(store, pool, [f"{STORY}\n\n{line.format(day)}" for day in ("Monday", "Tuesday")], url=address(n))
    assert bool(labels_of(store, address(0)).boilerplate) is shared


def test_a_late_capture_that_undoes_a_change_takes_it_out_of_the_count(store: Store, pool: Pool) -> None:
    for n in range(2):
        publish(store, pool, [STORY, f"{STORY}\n\n{LINE}"], url=address(n))
    between = reading(30, f"{STORY} Then it sank.", url=address(1), aliases=asks(address(1)))
    assert keep(store, pool, [between]) == [Outcome.REVISED]
    assert labels_of(store, address(0)).boilerplate == {}


def test_a_rewrite_of_more_parts_than_a_template_has_is_not_looked_at(store: Store, pool: Pool) -> None:
    old = "\n\n".join(f"Sentence {n} of the long story stays here." for n in range(everywhere.MOST_PARTS + 1))
    for n in range(2):
        publish(store, pool, [old, old.replace("stays here", "is gone for ever now")], url=address(n))
    assert labels_of(store, address(0)).boilerplate == {}


def test_stores_of_the_first_schema_get_the_hashes_of_the_changes_they_have(store: Store, pool: Pool) -> None:
    for n in range(2):
        publish(store, pool, [f"{STORY} {n}", f"{STORY} “{n}”, it said.\n\n{LINE}"], url=address(n), start=n)
    before, ids = kept_hashes(store), [labels_of(store, address(n)).boilerplate_hunks for n in range(2)]
    migrations.migrate(store.engine, "0001")
    migrations.migrate(store.engine, migrations.HEAD)
    assert kept_hashes(store) == before
    assert [labels_of(store, address(n)).boilerplate_hunks for n in range(2)] == ids


# Unsteady


def counting(n: int) -> str:
    return f"{STORY}\n\n{n} comments"


def ageing(n: int) -> str:
    return f"Posted {n} minutes ago\n\n{STORY}"


def listing(n: int) -> str:
    items = [
        "Bakery wins prize",
        "Bridge reopens at last",
        "Cat found on ferry",
        "Dock strike ends",
        "Eel season begins",
    ]
    return f"{STORY}\n\nRead more:\n\n{items[n % 5]}\n\n{items[(n + 2) % 5]}"


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        pytest.param(counting, "counter", id="a count of comments"),
        pytest.param(ageing, "ago", id="minutes ago"),
        pytest.param(listing, "listing", id="other articles"),
    ],
)
def test_three_revisions_of_what_changes_by_itself_make_an_article_unsteady(
    store: Store, pool: Pool, build: object, kind: str
) -> None:
    bodies = [build(n) for n in range(4, 8)]  # type: ignore[operator]
    publish(store, pool, bodies[:3])
    assert (labels_of(store).unsteady, labels_of(store).volatile) == ((), {})
    keep(store, pool, [reading(300, bodies[3])])
    found = labels_of(store)
    assert found.unsteady == (kind,)
    assert list(found.volatile) == sorted(diff_ids(store))
    assert all(hunks for hunks in found.volatile.values())


def test_a_toll_that_rises_in_every_revision_is_steady(store: Store, pool: Pool) -> None:
    publish(store, pool, [f"{STORY} The storm killed {n} sailors." for n in range(12, 17)])
    assert labels_of(store) == Labels()


def test_only_the_passing_hunks_of_a_revision_are_volatile(store: Store, pool: Pool) -> None:
    bodies = [f"The vote was {n} to 4 in the council. {STORY}\n\n{n} comments" for n in range(4, 8)]
    publish(store, pool, bodies)
    assert set(labels_of(store).volatile.values()) == {(1,)}


# Stale


def test_an_older_copy_seen_once_is_stale_and_no_revision(store: Store, pool: Pool) -> None:
    early, late = (claim("modified", 0),), (claim("modified", 30),)
    new = f"{STORY} It will sail again."
    told = [reading(0, STORY, claims=early), reading(60, new, claims=late), reading(90, STORY, claims=early)]
    told.append(reading(120, new, claims=late))
    assert keep(store, pool, told)[2] is Outcome.STALE
    assert labels_of(store).stale == (at(90),)
    assert len(diff_ids(store)) == 1
