"""Verifying: whatever is altered or missing is found, named first, and told from what was removed on purpose."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import zstandard

from tests.builders import URL, at, claim, reading
from tests.conftest import MakeStore
from tests.wirewatch.kept import A, B, C, asks, keep, keeper, read
from tests.wirewatch.store.test_tidying import LONG_AFTER, MONTH, keep_pages, with_page
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key, sha256
from wirewatch.chain import links
from wirewatch.model import Revision
from wirewatch.revisions import Ledger, fold
from wirewatch.store import Store, forgetting
from wirewatch.store import links as chains
from wirewatch.store.tables import articles, observations, pages, revisions, wordings
from wirewatch.store.tables import links as links_table
from wirewatch.store.tidying import tidy
from wirewatch.store.types import to_microseconds
from wirewatch.store.verifying import Checked, verify

KEY = article_key(URL)
OTHER = "https://courier.example/other"
D = "The landing stage is to be painted. " * 10


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as opened:
        yield opened


@pytest.fixture
def filled(store: Store, pool: Pool) -> Store:
    """Give a store with an article of three revisions, and one beside it."""
    keep_pages(store, pool, [reading(0, A), reading(60, B), reading(120, C)])
    keep_pages(store, pool, [reading(0, D, url=OTHER, aliases=asks(OTHER))])
    return store


def told(checked: Checked) -> list[str]:
    return [f"{one.kind}: {one.says}" for one in checked.faults]


def test_what_was_kept_is_as_it_was_kept(filled: Store) -> None:
    checked = verify(filled)
    assert told(checked) == []
    counts = (checked.articles, checked.revisions, checked.texts, checked.pages, checked.rewritten)
    assert counts == (2, 4, 4, 4, 0)
    assert checked.bytes == sum(len(b"<p>") + len(text) for text in (A, B, C, D))
    assert verify(filled).seal == checked.seal


def _us(minutes: float) -> int:
    return to_microseconds(at(minutes))


def change(table: sa.Table, where: Any, **columns: Any) -> Callable[[sa.Connection], None]:
    def alter(conn: sa.Connection) -> None:
        raw = sa.table(table.name, *(sa.column(one.name) for one in table.c))
        assert conn.execute(sa.update(raw).where(where(raw.c)).values(**columns)).rowcount

    return alter


def remove(table: sa.Table, where: Any) -> Callable[[sa.Connection], None]:
    def alter(conn: sa.Connection) -> None:
        assert conn.execute(sa.delete(table).where(where(table.c))).rowcount

    return alter


PAGE_B = sha256(f"<p>{B}".encode())
SECOND = reading(60, B)


def _alter_revision(conn: sa.Connection) -> None:
    mine = sa.and_(revisions.c.article == KEY, revisions.c.version == 2)
    body: Any = conn.scalar(sa.select(revisions.c.body).where(mine))
    conn.execute(sa.update(revisions).where(mine).values(body={**body, "url": "https://courier.example/elsewhere"}))


def _alter_link(conn: sa.Connection, *, hashed: bool) -> None:
    mine = sa.and_(links_table.c.article == KEY, links_table.c.place == 2)
    said: Any = conn.scalar(sa.select(links_table.c.body).where(mine))
    body = {**said, "url": "https://courier.example/elsewhere"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    columns = {"body": text, **({"hash": sha256(text)} if hashed else {})}
    conn.execute(sa.update(links_table).where(mine).values(**columns))


def _add_link(conn: sa.Connection) -> None:
    row = conn.execute(sa.select(links_table).where(links_table.c.article == KEY, links_table.c.place == 3)).one()
    body = json.dumps({**row.body, "revision": "f" * 32}, sort_keys=True, separators=(",", ":")).encode()
    again = {"article": KEY, "place": 4, "revision": "f" * 32, "hash": sha256(body), "body": body, "recorded": at(0)}
    conn.execute(links_table.insert().values(**again))


ALTERED: dict[str, tuple[Callable[[sa.Connection], None], str]] = {
    "page with other words": (
        change(pages, lambda c: c.hash == PAGE_B, body=zstandard.compress(f"<p>{B}".replace("8", "9").encode())),
        f"page: the page {PAGE_B} was altered: its bytes have another hash",
    ),
    "page cut short": (
        change(pages, lambda c: c.hash == PAGE_B, body=zstandard.compress(f"<p>{B}".encode())[:-4]),
        f"page: the page {PAGE_B} was altered: cannot be unpacked",
    ),
    "page that unpacks to gigabytes": (
        change(pages, lambda c: c.hash == PAGE_B, body=zstandard.compress(bytes(10_000_000))),
        f"page: the page {PAGE_B} was altered: cannot be unpacked",
    ),
    "page missing": (
        remove(pages, lambda c: c.hash == PAGE_B),
        f"page: the page of revision 2 is missing (SHA-256 {PAGE_B})",
    ),
    "headers of a page": (
        change(pages, lambda c: c.hash == PAGE_B, headers='[["date","never"]]'),
        "page: the headers of revision 2's page are not those in the chain",
    ),
    "text": (
        change(wordings, lambda c: c.text_hash == SECOND.text_hash, wording='{"body":"Another vote."}'),
        f"text: the text {SECOND.text_hash} was altered: its words have another hash",
    ),
    "text that is no JSON": (
        change(wordings, lambda c: c.text_hash == SECOND.text_hash, wording="rubbish"),
        f"text: the text {SECOND.text_hash} was altered: its words have another hash",
    ),
    "text missing": (
        remove(wordings, lambda c: c.text_hash == SECOND.text_hash),
        "text: the text of revision 2 is missing",
    ),
    "observation": (
        change(
            observations,
            lambda c: sa.and_(c.article == KEY, c.observed == _us(0)),
            body='{"observed":"2026-03-16T11:00:00Z"}',
        ),
        "observation: an observation is not what its digest says (2026-03-16T11:00:00Z)",
    ),
    "observation left out": (
        remove(observations, lambda c: sa.and_(c.article == KEY, c.observed == at(60))),
        "revision: revision 2 is not what follows from the observations",
    ),
    "revision": (
        _alter_revision,
        "revision: revision 2 is not what follows from the observations",
    ),
    "revision left out": (
        remove(revisions, lambda c: sa.and_(c.article == KEY, c.version == 3)),
        "revision: there are 2 revisions, and 3 follow from the observations",
    ),
    "link": (
        lambda conn: _alter_link(conn, hashed=False),
        "chain: the link of revision 2 was altered: it is not what its hash says",
    ),
    "link with a hash that fits": (
        lambda conn: _alter_link(conn, hashed=True),
        "chain: the chain is broken at revision 2: its link does not follow from what is kept",
    ),
    "link left out": (
        remove(links_table, lambda c: sa.and_(c.article == KEY, c.place == 2)),
        "chain: the chain is broken: revision 2 has no link",
    ),
    "link too many": (
        _add_link,
        "chain: the chain has 4 links for 3 revisions",
    ),
}


@pytest.mark.parametrize(("alter", "says"), ALTERED.values(), ids=ALTERED)
def test_what_is_altered_or_missing_is_the_first_thing_said(
    filled: Store, alter: Callable[[sa.Connection], None], says: str
) -> None:
    with filled.begin() as conn:
        alter(conn)
    checked = verify(filled)
    assert told(checked)[0] == says
    assert {one.article for one in checked.faults} == {KEY}
    assert told(verify(filled, [KEY]))[0] == says
    assert verify(filled, [article_key(OTHER)]).wrong == 0


def test_removed_and_forgotten_are_told_from_missing(filled: Store) -> None:
    tidy(filled, MONTH, LONG_AFTER)
    forgetting.forget(filled, article_key(OTHER), "asked for", LONG_AFTER, str)
    checked = verify(filled)
    assert told(checked) == []
    assert (checked.texts_removed, checked.texts_forgotten) == (2, 1)
    assert (checked.pages_removed, checked.pages_forgotten) == (2, 1)


def test_page_that_came_again_with_other_headers_is_no_fault(filled: Store, pool: Pool) -> None:
    before = verify(filled).seal
    tidy(filled, MONTH, LONG_AFTER)
    again = with_page(reading(401 * 24 * 60, A))
    keeper(filled, pool, again.observed).keep(read(again, body=f"<p>{A}".encode(), etag="another"))
    checked = verify(filled)
    assert told(checked) == []
    assert checked.seal != before  # there is one revision more
    with filled.reading() as conn:
        standing = [row for row in chains.of(conn, KEY) if row.superseded is None]
    assert [row.place for row in standing] == [1, 2, 3, 4]
    assert [len(row.body["headers"]) for row in standing] == [1, 1, 1, 1]  # as they came first


def test_pages_that_may_not_be_kept_are_counted_apart(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A, keep_page=False), reading(60, B)])
    checked = verify(store)
    assert (checked.wrong, checked.pages, checked.pages_never_kept) == (0, 1, 1)


# The chain


def test_link_is_the_hash_of_what_was_seen_and_of_the_link_before(filled: Store) -> None:
    with filled.reading() as conn:
        rows = chains.of(conn, KEY)
    assert [sha256(row.raw.encode()) for row in rows] == [row.hash for row in rows]
    assert [row.body["before"] for row in rows] == [None, rows[0].hash, rows[1].hash]
    assert [row.body["previous"] for row in rows] == [None, rows[0].revision, rows[1].revision]
    assert rows[1].body == {
        "article": KEY,
        "before": rows[0].hash,
        "content_hash": SECOND.content_hash,
        "first_created": "2026-03-16T12:00:00.000000Z",
        "first_observed": "2026-03-16T13:00:00.000000Z",
        "headers": [["content-type", "text/html"]],
        "page_hash": PAGE_B,
        "previous": rows[0].revision,
        "revision": rows[1].revision,
        "text_hash": SECOND.text_hash,
        "url": URL,
        "version_created": "2026-03-16T13:00:00.000000Z",
    }


def test_re_reads_and_restamps_leave_the_chain_alone(store: Store, pool: Pool) -> None:
    first = reading(0, A, claims=(claim("modified", -5),))
    keep(store, pool, [first])
    with store.reading() as conn:
        before = [tuple(row) for row in chains.of(conn, KEY)]
    keep(
        store, pool, [replace(first, observed=at(30)), replace(first, observed=at(60), claims=(claim("modified", 50),))]
    )
    with store.reading() as conn:
        assert [tuple(row) for row in chains.of(conn, KEY)] == before


def test_late_capture_ends_the_links_that_no_longer_follow_and_keeps_them(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(120, C)])
    keep_pages(store, pool, [reading(60, B)], at(500))
    with store.reading() as conn:
        rows = chains.of(conn, KEY)
    assert [(row.place, row.superseded) for row in rows] == [(1, None), (2, None), (3, None), (2, at(500))]
    assert rows[1].recorded == rows[2].recorded == rows[3].superseded
    assert told(verify(store)) == []
    assert verify(store).rewritten == 1


@pytest.mark.parametrize("seed", range(3))
def test_chain_does_not_depend_on_the_order_of_arrival(make_store: MakeStore, pool: Pool, seed: int) -> None:
    readings = [reading(n * 30, text) for n, text in enumerate((A, B, A, C, B))]
    ordered, mixed = make_store(), make_store()
    keep_pages(ordered, pool, readings)
    keep_pages(mixed, pool, random.Random(seed).sample(readings, len(readings)), at(1000))
    assert told(verify(mixed)) == []
    assert verify(ordered).seal == verify(mixed).seal


def test_join_has_one_chain_and_ends_the_others(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(10, B, url=OTHER, aliases=asks(OTHER))])
    keep_pages(store, pool, [reading(60, C, url=OTHER, aliases=asks(OTHER, redirect=URL))])
    assert told(verify(store)) == []
    with store.reading() as conn:
        assert [row.superseded is None for row in chains.of(conn, article_key(OTHER))] == [False]
        assert len([row for row in chains.of(conn, KEY) if row.superseded is None]) == 3


def test_store_that_was_kept_before_there_were_chains_gets_them(filled: Store) -> None:
    """The migration writes the links out by itself; they are those that the program would have written."""
    from wirewatch.store import migrations  # noqa: PLC0415

    def chain() -> list[tuple[Any, ...]]:
        with filled.reading() as conn:
            query = sa.select(links_table).order_by(links_table.c.article, links_table.c.place)
            return [(row.article, row.place, row.revision, row.hash, row.body) for row in conn.execute(query)]

    before = chain()
    migrations.migrate(filled.engine, "0004")
    migrations.migrate(filled.engine, migrations.HEAD)
    assert chain() == before
    assert told(verify(filled)) == []
    with filled.reading() as conn:
        assert conn.scalar(sa.select(articles.c.forgotten).where(articles.c.key == KEY)) is None


def test_rule_needs_no_store() -> None:
    history = fold(Ledger(article=KEY))
    assert links(history.revisions, lambda _: None) == ()
    one = Revision(
        id="1", article=KEY, version=1, occurrence=1, content_hash="c", text_hash="t", url=URL, first_observed=at(0),
        last_observed=at(5), first_created=at(0), version_created=at(0),
    )  # fmt: skip
    (first,) = links([one], lambda _: None)
    (seen_later,) = links([replace(one, last_observed=at(500), version=7)], lambda _: None)
    (moved,) = links([replace(one, first_observed=at(0) + timedelta(microseconds=1))], lambda _: None)
    assert first == seen_later
    assert first.hash != moved.hash
