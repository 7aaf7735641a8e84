"""The row that lists read keeps step with the ledger, whatever comes late, and existing stores get theirs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import at, reading
from tests.conftest import MakeStore
from tests.wirewatch.kept import asks, keep, world
from wirewatch.bounded import Pool
from wirewatch.errors import BadContent
from wirewatch.store import Store, browsing, migrations, searching
from wirewatch.store.browsing import Narrowing
from wirewatch.store.changes import place_at, time_of
from wirewatch.store.searching import Term, parse, words
from wirewatch.store.tables import change_fields, changes, diffs, revisions

URL = "https://courier.example/local/ferry"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as made:
        yield made


@pytest.mark.parametrize("seed", range(4))
def test_each_live_diff_that_is_not_technical_has_one_row(store: Store, pool: Pool, seed: int) -> None:
    keep(store, pool, world(random.Random(seed), joins=seed % 2 == 1, size=40))
    with store.reading() as conn:
        kept = conn.execute(
            sa.select(diffs.c.id, diffs.c.article, diffs.c.observed, diffs.c.diff, revisions.c.body)
            .join(revisions, revisions.c.id == diffs.c.new_revision)
            .where(diffs.c.live)
        ).all()
        rows = {row.diff: row for row in conn.execute(sa.select(changes))}
        fields: dict[int, set[str]] = {}
        for field, place in conn.execute(sa.select(change_fields.c.field, change_fields.c.place)):
            fields.setdefault(place, set()).add(field)
    shown = [row for row in kept if not row.body.get("technical")]
    assert set(rows) == {row.id for row in shown}
    assert len(shown) > 3
    for row in shown:
        told = rows[row.id]
        assert (told.article, time_of(told.place)) == (row.article, row.observed)
        assert fields.pop(told.place) == {hunk["field"] for hunk in row.diff["hunks"]} == set(told.shown["fields"])
        assert told.sentence
    assert fields == {}


def test_store_that_was_kept_before_is_filled_as_if_it_had_been_kept_since(store: Store, pool: Pool) -> None:
    keep(store, pool, world(random.Random(5), joins=False, size=30))
    keep(store, pool, [reading(n * 60, f"The café is open on {n} days.", url=URL, aliases=asks(URL)) for n in range(4)])

    def kept() -> tuple[list[Any], list[Any], list[Any]]:
        with store.reading() as conn:
            names = [c for c in changes.c if c.name not in ("sentence", "publisher", "feed", "language")]
            rows = conn.execute(sa.select(*names).order_by(changes.c.place)).all()
            fields = conn.execute(sa.select(change_fields).order_by(change_fields.c.field, change_fields.c.place)).all()
            found = browsing.listed(conn, Narrowing(terms=parse("café")), limit=100)
        return [tuple(row) for row in rows], [tuple(row) for row in fields], [row.diff for row in found]

    before = kept()
    assert before[2]
    migrations.migrate(store.engine, "0003")
    migrations.migrate(store.engine, migrations.HEAD)
    assert kept() == before


def test_changes_of_one_moment_are_told_apart_in_the_list(store: Store, pool: Pool) -> None:
    urls = [f"https://courier.example/local/{n}" for n in range(30)]
    for url in urls:
        keep(store, pool, [reading(n * 60, f"It was {n}. " * 20, url=url, aliases=asks(url)) for n in range(2)])
    met: list[int] = []
    with store.reading() as conn:
        while part := browsing.listed(conn, Narrowing(), before=met[-1] if met else None, limit=7):
            met += [row.place for row in part]
    assert len(met) == len(set(met)) == 30
    assert met == sorted(met, reverse=True)
    assert {time_of(place) for place in met} == {at(60)}
    assert all(place >= place_at(at(60)) for place in met)


# Plans: filters, searches and their next pages read an index backwards, and sort and scan nothing

NARROWED = {
    "everything": Narrowing(),
    "publisher": Narrowing(host="courier.example"),
    "feed": Narrowing(feed="https://courier.example/rss.xml"),
    "language": Narrowing(language="de"),
    "class": Narrowing(class_="major"),
    "disclosure": Narrowing(disclosure="undisclosed"),
    "signal": Narrowing(signal="correction"),
    "field": Narrowing(field="headline"),
    "period": Narrowing(since=at(0), until=at(60)),
    "publisher and class": Narrowing(host="courier.example", class_="major", disclosure="undisclosed"),
    "class and disclosure": Narrowing(class_="major", disclosure="undisclosed"),
    "field and class": Narrowing(field="headline", class_="major"),
    "field and publisher": Narrowing(field="headline", host="courier.example"),
    "search": Narrowing(terms=parse('ferry "late buses" -bridge')),
    "search and filters": Narrowing(terms=parse("ferry"), host="courier.example", field="body", since=at(0)),
    "article": Narrowing(article="0" * 16),
}
LEADING = {"publisher and class": "ix_changes_host", "class and disclosure": "ix_changes_class"}


@pytest.mark.parametrize("name", NARROWED)
def test_plan_on_sqlite_uses_an_index_and_sorts_nothing(sqlite_store: Store, name: str) -> None:
    with sqlite_store.reading() as conn:
        query = browsing.listing(conn, NARROWED[name], before=place_at(at(90)), limit=31)
        plan = [row[3] for row in _explained(conn, "EXPLAIN QUERY PLAN", query)]
    if name != "article":  # all of one article's are few
        assert not [step for step in plan if "TEMP B-TREE" in step], plan
    assert not [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE INDEX" not in step], plan
    if name in LEADING:
        assert LEADING[name] in plan[0]


@pytest.mark.parametrize("name", [one for one in NARROWED if one != "period"])
def test_plan_on_postgresql_uses_an_index(postgresql_newsroom: Store, name: str) -> None:
    with postgresql_newsroom.reading() as conn:
        query = browsing.listing(conn, NARROWED[name], before=place_at(at(1e6)), limit=31)
        plan = "\n".join(row[0] for row in _explained(conn, "EXPLAIN", query))
    assert "Seq Scan" not in plan, plan


def _explained(conn: Any, explain: str, query: Any) -> Any:
    compiled = query.compile(conn, compile_kwargs={"render_postcompile": True})
    return conn.exec_driver_sql(f"{explain} {compiled}", _values(compiled)).all()


def _values(compiled: Any) -> Any:
    processed = compiled.construct_params()
    kinds = compiled._bind_processors  # times are written as the columns write them
    given = {name: kinds[name](value) if name in kinds else value for name, value in processed.items()}
    return tuple(given[name] for name in compiled.positiontup) if compiled.positional else given


@pytest.fixture(scope="module")
def postgresql_newsroom(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Give a store on PostgreSQL with so many changes that reading all of them would cost more than an index."""
    databases = request.getfixturevalue("databases")
    store: Store = databases.take()
    with store.begin() as conn:
        conn.exec_driver_sql(
            "INSERT INTO articles (key, url, host) SELECT to_char(n, 'FM0000000000000000'), n::text, 'h'"
            " FROM generate_series(0, 99) AS n"
        )
        conn.exec_driver_sql(
            "INSERT INTO diffs (id, article, old_revision, new_revision, old_content_hash, new_content_hash,"
            " occurrence, live, digest, observed, host, diff, verdict)"
            " SELECT n::text, to_char(mod(n, 100), 'FM0000000000000000'), '', '', '', '', 1, true, '', n, 'h',"
            " '{}', '{}' FROM generate_series(1, 30000) AS n"
        )
        conn.exec_driver_sql(
            "INSERT INTO changes (place, diff, article, host, feed, language, class, disclosure, signal, delay_us,"
            " shown, words)"
            " SELECT n::bigint * 2048, n::text, to_char(mod(n, 100), 'FM0000000000000000'), 'h' || mod(n, 50),"
            " 'f' || mod(n, 50), 'l' || mod(n, 5), 'c' || mod(n, 3), 'd' || mod(n, 3), 's' || mod(n, 2), 0, '{}',"
            " to_tsvector('simple', 'w' || mod(n, 500)) FROM generate_series(1, 30000) AS n"
        )
        conn.exec_driver_sql(
            "INSERT INTO change_fields (field, place) SELECT 'headline', place FROM changes WHERE mod(place, 4096) = 0"
        )
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE")
    yield store
    databases.give_back(store)


# Words

WORDS = {
    "case and accents": ("Café ÅNGSTRÖM İstanbul", ["cafe", "angstrom", "istanbul"]),
    "numbers": ("1,840.50 tonnes", ["1", "840", "50", "tonnes"]),
    "apostrophes and hyphens": ("don’t re-open", ["don", "t", "re", "open"]),
    "ligatures": ("ﬁne Straße", ["fine", "strasse"]),
    "a script without spaces": ("東京は雨", ["東", "京", "は", "雨"]),
    "Hindi": ("क़ानून लागू", ["क\u093cानून", "लागू"]),
    "Arabic with and without strokes": ("العَرَبِيَّة", ["العربية"]),
    "Korean": ("서울시", ["서울시"]),
    "nothing": ("… — !", []),
}


@pytest.mark.parametrize("name", WORDS)
def test_words_are_told_apart(name: str) -> None:
    text, expected = WORDS[name]
    assert words(text) == expected


@pytest.mark.parametrize("text", ["東京の雨", "क़ानून लागू", "العربية", "서울시", "naïve café", "1,840 tonnes"])
def test_what_is_written_is_found_in_any_script(store: Store, pool: Pool, text: str) -> None:
    bodies = ("Something else altogether. " * 9, f"He said {text} twice. " * 9)
    keep(store, pool, [reading(n * 60, body, url=URL, aliases=asks(URL)) for n, body in enumerate(bodies)])
    with store.reading() as conn:
        assert len(browsing.listed(conn, Narrowing(terms=parse(f'"{text}"')), limit=9)) == 1
        assert len(browsing.listed(conn, Narrowing(terms=parse(text)), limit=9)) == 1
        assert browsing.listed(conn, Narrowing(terms=parse(f"zeppelin {text}")), limit=9) == []


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_a_query_or_is_refused(text: str) -> None:
    try:
        terms = parse(text)
    except BadContent:
        return
    assert any(isinstance(term, Term) and not term.without for term in terms)
    assert all(word.isalnum() or not word.isascii() for term in terms for word in term.words)


def test_any_text_can_be_looked_for(store: Store, make_store: MakeStore) -> None:
    chance = random.Random(3)
    signs = "ab \"'*-():^{}[]&|!<>%\\ é東\u0301\x00\ud800" + chr(0x1F600)
    with store.reading() as conn:
        for _ in range(300):
            text = "".join(chance.choices(signs, k=12))
            try:
                terms = searching.parse(text)
            except BadContent:
                continue
            assert browsing.listed(conn, Narrowing(terms=terms), limit=1) == []
