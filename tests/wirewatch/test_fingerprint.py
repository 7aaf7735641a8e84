"""The short cut: it never passes over a change that extraction sees, and what is around an article does not stop it."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks._edits import INSIDE, OUTSIDE, Edit, page_of, tree_of
from tests.builders import at
from tests.wirewatch.kept import check_of, exported, keeper, row_of
from tests.wirewatch.newspaper import ADDRESS, HEADLINE, PARAGRAPHS, READ, capture, page
from wirewatch.bounded import Pool
from wirewatch.canonical import sha256
from wirewatch.encoding import revive_json
from wirewatch.extract import EXTRACTOR, read_page
from wirewatch.fingerprint import Fingerprint
from wirewatch.keeping import Read
from wirewatch.model import Capture, Check, Outcome, Reading, Seen, Source
from wirewatch.reading import read_article, read_at_once
from wirewatch.store import Store, counters, dead_letters

SOURCE = Source()
NOTE = "Correction, 16 March: An earlier version of this article gave a wrong figure for the subsidy."


def again(html: str | bytes, first: Reading, *, minutes: float = 30, audit: bool = False) -> Reading:
    """Return the reading of a page half an hour after the first one."""
    return read_article(capture(html, minutes), SOURCE, first.fingerprint, audit=audit)


def edited(html: str, edit: Edit, first: Reading, seed: int = 0) -> bytes | None:
    tree = tree_of(html)
    return page_of(tree) if edit(tree, first, random.Random(seed)) else None


def first_of(html: str) -> tuple[str, Reading]:
    """Return a page as the edits leave it where they change nothing, and its reading."""
    plain = page_of(tree_of(html)).decode()
    return plain, read_article(capture(plain), SOURCE)


# What it says


def test_short_cut_says_all_that_extraction_says_but_the_words() -> None:
    plain, first = first_of(page())
    other = capture(plain.replace("</body>", "<!-- web-3 --></body>"), 30)

    short = read_article(other, SOURCE, first.fingerprint)

    assert short.short_cut == "taken"
    assert short == replace(
        read_page(other, SOURCE), wording=None, facts=short.facts, short_cut="taken", fingerprint=None
    )


@pytest.mark.parametrize("edit", INSIDE.values(), ids=INSIDE)
def test_no_change_of_an_article_is_passed_over(edit: Edit) -> None:
    html, first = first_of(page())
    other = edited(html, edit, first)
    assert other is not None or edit in _NOT_HERE
    if other is not None:
        assert again(other, first, audit=True).short_cut != "wrong"


_NOT_HERE = [INSIDE[name] for name in ("the authors", "the printed stamp", "the stamp in meta tags")]

_SEEN = (
    "a number",
    "a name",
    "a word more",
    "a full stop",
    "the stamp in data",
    "the headline in data",
    "a caption",
    "a paragraph at the beginning",
    "a paragraph at the end",
    "a short paragraph",
    "a correction under the text",
    "a paragraph less",
    "two paragraphs swapped",
    "a paragraph divided",
    "a paywall",
)


@pytest.mark.parametrize("name", _SEEN)
def test_the_edits_are_such_that_extraction_sees_them(name: str) -> None:
    html, first = first_of(page())
    other = edited(html, INSIDE[name], first)
    assert other is not None
    found = again(other, first)
    assert found.short_cut == ""
    assert _says(found) != _says(first)


@pytest.mark.parametrize("edit", OUTSIDE.values(), ids=OUTSIDE)
def test_what_changes_around_an_article_does_not_stop_the_short_cut(edit: Edit) -> None:
    html, first = first_of(page())
    other = edited(html, edit, first)
    assert other is not None
    assert other.decode() != html
    assert again(other, first).short_cut == "taken"
    assert again(other, first, audit=True).short_cut == "right"


LONG_LINK = "What the new winter timetable means for the islands"


def _with_links(*, inside: str = "", beside: str = "", far: str = "") -> str:
    """Return a page with something among its paragraphs, something beside the article, and links under it."""
    html = page().replace(f"<p>{PARAGRAPHS[2]}</p>", f"{inside}<p>{PARAGRAPHS[2]}</p>")
    return html.replace("</main>", f"{beside}</main>").replace("<footer>", f"{far}<footer>")


@pytest.mark.parametrize("box", ["promo", "cards"])
@pytest.mark.parametrize("inside", [f'<h2><a href="/w">{LONG_LINK}</a></h2>', f"<h2>{LONG_LINK}</h2>"])
def test_box_that_repeats_a_line_of_the_article_is_none(box: str, inside: str) -> None:
    """Extraction takes away what is a link to another story elsewhere, and the words it then lacks are a change."""
    other = "A harbour that froze over for the first time in years"
    boxed = f'<div class="{box}"><div><a href="/x">%s</a></div></div>'
    html, first = first_of(_with_links(inside=inside, far=boxed % other))
    repeating = html.replace(other, LONG_LINK)
    assert again(repeating, first).short_cut == ""
    _, last = first_of(repeating)
    assert again(html, last).short_cut == ""
    assert again(html.replace(other, "Another story that has as many words"), first).short_cut == "taken"


_POINTER = "<section><article><h4><a href='/x'>%s</a></h4></article></section>"


@pytest.mark.parametrize("text", [HEADLINE, NOTE, "By Marta Quill", "Updated 16 March 2026 11:40", PARAGRAPHS[1]])
def test_link_that_may_become_the_articles_is_looked_at(text: str) -> None:
    html, first = first_of(_with_links(far=_POINTER % LONG_LINK))
    assert again(html.replace(LONG_LINK, "A harbour that froze over in one night"), first).short_cut == "taken"
    assert again(html.replace(LONG_LINK, text), first).short_cut == ""
    assert again(html.replace(LONG_LINK, f"{LONG_LINK} "[:-1] + " and more" * 20), first).short_cut == ""


@pytest.mark.parametrize(
    ("counter", "grown", "short_cut"),
    [
        ('<a class="comments"><span>12</span></a>', '<a class="comments"><span>13</span></a>', "taken"),
        ('<p class="n-likes">9 shares</p>', '<p class="n-likes">10 shares</p>', "taken"),
        (
            '<p class="n-likes">Nine of 12 boats were late.</p>',
            '<p class="n-likes">Nine of 13 boats were late.</p>',
            "",
        ),
    ],
)
def test_number_counts_only_by_its_place_in_what_is_called_a_counter(counter: str, grown: str, short_cut: str) -> None:
    html, first = first_of(_with_links(beside=f"<div>{counter}</div>"))
    other = html.replace(counter, grown)
    assert other != html
    assert again(other, first).short_cut == short_cut


def test_a_page_that_may_no_longer_be_kept_is_read_again() -> None:
    first = read_article(capture(page()), SOURCE)
    same = capture(page(), 30)
    check = Check(url=ADDRESS, reason="article", start=at(30), lease_ends=at(31), fingerprint=first.fingerprint)
    assert read_at_once(same, SOURCE, check) is not None
    assert read_at_once(replace(same, headers=(*same.headers, ("x-robots-tag", "noarchive"))), SOURCE, check) is None


@pytest.mark.parametrize("many", [0, 2, 20, 60])
def test_adverts_between_headline_and_byline_do_not_hide_it(many: int) -> None:
    advert = '<div class="advert"><p>Sail with us</p></div>'
    html, first = first_of(page().replace("</h1>", f"</h1>{advert}"))
    other = html.replace(advert, many * advert)
    assert first.wording is not None
    assert first.wording.byline == "By Marta Quill"
    assert again(other, first).short_cut == "taken"
    assert again(other, first, audit=True).short_cut == "right"


_PIECES = st.sampled_from(
    [
        "",
        "<p>Two boats will sail.</p>",
        f"<p>{NOTE}</p>",
        f'<div class="promo"><p>{PARAGRAPHS[0]}</p></div>',
        '<div class="related"><ul><li><a href="/a">A boat is late again and again</a></li></ul></div>',
        '<div class="box"><a href="/b">Read about the winter boats to the islands</a></div>',
        '<p class="byline">By Ina Holm</p>',
        '<p><time class="updated" datetime="2026-03-16T09:00:00Z">today</time></p>',
        "<h2>What comes next</h2>",
        "<p>Updated 16 March 2026 11:40</p>",
        f'<section class="comments"><p>{PARAGRAPHS[1]}</p><p>{PARAGRAPHS[2]}</p></section>',
        f'<div class="teaser"><h3>{HEADLINE}</h3></div>',
        f"<div><span>{HEADLINE}</span></div>",
        '<nav class="breadcrumb"><a href="/l">Harbour news</a></nav>',
        f'<h2><a href="/w">{LONG_LINK}</a></h2>',
        f'<div><a href="/w">{LONG_LINK}</a></div>',
        f'<div class="promo"><div><a href="/w">{LONG_LINK}</a></div></div>',
        '<ul class="latest"><li><a href="/b">Late boats and early trams</a></li></ul>',
        '<div class="share-count"><span>12</span></div>',
        '<p class="comments"><a>3 comments</a></p>',
        "<div></div>",
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.tuples(_PIECES, _PIECES, _PIECES, _PIECES),
    after=st.tuples(_PIECES, _PIECES, _PIECES, _PIECES),
    edits=st.lists(st.sampled_from([*INSIDE.values(), *OUTSIDE.values()]), max_size=3),
    size=st.integers(1, 5),
    seed=st.integers(0, 2**32),
)
def test_whatever_happens_to_a_page_no_change_is_passed_over(
    before: tuple[str, ...], after: tuple[str, ...], edits: list[Edit], size: int, seed: int
) -> None:
    def made(pieces: tuple[str, ...]) -> str:
        above, beside, under, far = pieces
        html = page(PARAGRAPHS[:size], above=above, under=under)
        return html.replace("</main>", f"{beside}</main>").replace("<footer>", f"{far}<footer>")

    _, first = first_of(made(before))
    chance = random.Random(seed)
    tree = tree_of(made(after))
    if first.wording is not None:
        for edit in edits:
            edit(tree, first, chance)
    assert again(page_of(tree), first, audit=True).short_cut != "wrong"


# What it refuses


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"maker": "trafilatura/0 wirewatch/0"}, "another extractor", id="another extractor"),
        pytest.param({"context": "0" * 64}, "another configuration", id="another configuration"),
        pytest.param({"digest": "0" * 64}, "another text", id="another text"),
        pytest.param({"digest": None}, "a page that cannot be told", id="no digest"),
    ],
)
def test_fingerprint_that_does_not_fit_is_no_short_cut(change: dict[str, Any], why: str) -> None:
    html, first = first_of(page())
    kept = replace(revive_json(Fingerprint, first.fingerprint or ""), **change)
    assert read_article(capture(html + "<!-- -->", 30), SOURCE, kept.text()).short_cut == "", why


@pytest.mark.parametrize("kept", ["", "f", "{}", '{"maker": 3}', "[]"])
def test_fingerprint_that_cannot_be_read_is_none(kept: str) -> None:
    assert read_article(capture(page()), SOURCE, kept).short_cut == ""


def test_another_configuration_has_the_page_read_again() -> None:
    html, first = first_of(page())
    moved = Source(zone="Europe/London")
    assert read_article(capture(html, 30), moved, first.fingerprint).short_cut == ""


def test_times_that_mean_another_time_with_every_read_are_read_again() -> None:
    html, first = first_of(page(printed="Updated at 11:40"))
    later = read_article(capture(html, 24 * 60), SOURCE, first.fingerprint)
    assert later.short_cut == "taken"
    assert later.claims == read_page(capture(html, 24 * 60), SOURCE).claims
    assert later.claims != first.claims


def test_disagreement_is_found_by_reading_in_full() -> None:
    html, first = first_of(page())
    kept = revive_json(Fingerprint, first.fingerprint or "")
    wrong = replace(kept, content_hash=sha256(b"something else")).text()
    assert read_article(capture(html + "<!-- -->", 30), SOURCE, wrong, audit=True).short_cut == "wrong"
    assert read_article(capture(html + "<!-- -->", 30), SOURCE, kept.text(), audit=True).short_cut == "right"


# What need not be parsed


def test_same_bytes_are_settled_without_parsing() -> None:
    html, first = first_of(page())
    check = _check(first)
    found = read_at_once(capture(html, 30), SOURCE, check)
    assert found is not None
    assert found == replace(
        read_page(capture(html, 30), SOURCE), wording=None, facts=found.facts, short_cut="taken", fingerprint=None
    )
    assert read_at_once(capture(html + " ", 30), SOURCE, check) is None
    assert read_at_once(capture(html, 30), SOURCE, replace(check, audit=True)) is None
    assert read_at_once(capture(html, 30), SOURCE, None) is None


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"status": 304, "body": b"", "not_modified": "a" * 64}, Seen.NOT_MODIFIED),
        ({"status": 404, "body": b""}, Seen.MISSING),
        ({"status": None, "problem": "no answer", "body": b""}, Seen.FAILED),
    ],
)
def test_what_has_no_content_is_settled_without_a_child(change: dict[str, Any], seen: Seen) -> None:
    one = replace(capture(page()), **change)
    found = read_at_once(one, SOURCE, None)
    assert found == read_page(one, SOURCE)
    assert found is not None
    assert found.seen is seen


# Pages that make it hard


def test_markup_that_is_reshuffled_with_every_read_is_read_in_full() -> None:
    def shuffled(seed: int) -> str:
        chance = random.Random(seed)
        names = [f"c{chance.getrandbits(40):x}" for _ in range(3)]
        return page().replace("story", names[0]).replace('class="page"', f'class="{names[1]}"')

    first = read_article(capture(shuffled(1)), SOURCE)
    second = again(shuffled(2), first)
    assert second.short_cut == ""
    assert second.content_hash == first.content_hash


def test_article_that_is_the_whole_body_is_told() -> None:
    text = "".join(f"<p>{one}</p>" for one in PARAGRAPHS)
    html = f"<html lang=en><head><title>{HEADLINE}</title></head><body><h1>{HEADLINE}</h1>{text}</body></html>"
    first = read_article(capture(html), SOURCE)
    assert again(html + "<!-- 2 -->", first).short_cut == "taken"
    changed = again(html.replace("9 to 4", "8 to 5"), first)
    assert changed.short_cut == ""
    assert changed.content_hash != first.content_hash
    assert again(html.replace("<h1>", f"<p>{NOTE}</p><h1>"), first).short_cut == ""


def test_of_two_articles_in_one_page_a_change_in_either_is_looked_at() -> None:
    other = "".join(f"<p>{one.replace('ferry', 'tram')}</p>" for one in PARAGRAPHS)
    html = page().replace("</main>", f"<article><h2>Tram line</h2>{other}</article></main>")
    first = read_article(capture(html), SOURCE)
    for old, new in (("9 to 4", "8 to 5"), ("tram subsidy", "tram grant")):
        found = again(html.replace(old, new), first, audit=True)
        assert found.short_cut == ""
    assert again(html + "<!-- 2 -->", first).short_cut == "taken"


@pytest.mark.parametrize(
    "box", ["<h2>Weather</h2>", '<h2 class="title">Weather</h2>', '<ul class="links"><li><a href="/w">W</a></li></ul>']
)
def test_what_is_a_list_elsewhere_is_none_in_the_article(box: str) -> None:
    html, first = first_of(page().replace("</main>", f"</main><div>{box}</div>"))
    other = html.replace(f"<p>{PARAGRAPHS[2]}</p>", f"{box}<p>{PARAGRAPHS[2]}</p>")
    assert other != html
    assert again(other, first, audit=True).short_cut != "wrong"
    assert again(other, first).short_cut == ""


def test_region_that_vanishes_and_comes_back() -> None:
    html, first = first_of(page())
    start, end = html.index("<article>"), html.index("</article>")
    gone = again(html[:start] + html[end:], first)
    assert gone.short_cut == ""
    assert gone.content_hash != first.content_hash
    assert again(html + "<!-- back -->", first).short_cut == "taken"


def test_page_that_grows_to_the_limit_is_read_in_full() -> None:
    html, first = first_of(page())
    more = "".join(f"<p>The boat of number {n} left the harbour on time.</p>" for n in range(300))
    grown = html.replace("</article>", f"{more}</article>")
    padded = grown.replace("</body>", f"<!--{' ' * (5 * 1024 * 1024 - len(grown) - 100)}--></body>")
    found = again(padded, first)
    assert found.short_cut == ""
    assert found.length > first.length
    assert again(padded + " ", found).short_cut == "taken"


# In the ledger


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as made:
        yield made


@pytest.fixture(scope="module")
def fresh(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Store]:
    folder, numbers = tmp_path_factory.mktemp("fresh"), itertools.count()

    def make() -> Store:
        file = folder / f"{next(numbers)}.sqlite"
        shutil.copy(migrated_file, file)
        return Store.open(f"sqlite:///{file}")

    return make


_VERSIONS = (
    page(),
    page().replace("9 to 4", "8 to 5"),
    page(modified="2026-03-16T11:58:00Z"),
    page(read=READ[::-1]),
    page(under=f"<p>{NOTE}</p>"),
    page(printed="Updated at 11:40"),
    page(PARAGRAPHS[:1]),
    "<html><body><p>Nothing here.</p></body></html>",
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    history=st.lists(
        st.tuples(st.sampled_from([0, 0, 0, *range(len(_VERSIONS))]), st.integers(0, 3), st.booleans()),
        min_size=2,
        max_size=9,
    ),
    late=st.integers(0, 8),
)
def test_a_history_read_with_the_short_cut_exports_the_ledger_it_has_without(
    fresh: Callable[[], Store], pool: Pool, history: list[tuple[int, int, bool]], late: int
) -> None:
    captures: list[Capture] = []
    confirmed = ""
    for n, (version, nonce, _) in enumerate(history):
        one = capture(_VERSIONS[version].replace("</body>", f"<!-- {nonce} --></body>"), 25.0 * n)
        if nonce == 3 and confirmed:  # what was read last was confirmed by the server
            one = replace(one, status=304, body=b"", not_modified=confirmed)
        confirmed = read_page(one, SOURCE).content_hash or confirmed
        captures.append(one)
    short, full = fresh(), fresh()
    taken = 0
    for n, one in enumerate(captures):
        audit = history[n][2] and n % 3 == 0
        taken += _keep_short(short, pool, one, audit=audit)
        keep_full(full, pool, one)
    delayed = replace(captures[late % len(captures)], observed=at(25.0 * (late % len(captures)) + 7))
    for store in (short, full):
        keep_full(store, pool, delayed)
    assert exported(short) == exported(full)
    assert counters.short_cuts(short).get("wrong", 0) == 0
    assert counters.short_cuts(short).get("taken", 0) == taken
    short.close()
    full.close()


def _keep_short(store: Store, pool: Pool, one: Any, *, audit: bool) -> int:
    plain = read_page(one, SOURCE)
    check = check_of(store, plain)
    check = replace(check, audit=audit) if check else None
    found = read_at_once(one, SOURCE, check)
    if found is None:
        found = read_article(one, SOURCE, check.fingerprint if check else None, audit=audit)
    keeper(store, pool, one.observed + timedelta(minutes=1)).keep(
        Read(capture=one, reading=found, source=SOURCE, check=check)
    )
    return found.short_cut == "taken"


def keep_full(store: Store, pool: Pool, one: Any) -> Outcome:
    read = Read(capture=one, reading=read_page(one, SOURCE), source=SOURCE)
    return keeper(store, pool, one.observed + timedelta(minutes=1)).keep(read)


def test_wrong_short_cut_is_counted_kept_with_its_page_and_mended(fresh: Callable[[], Store], pool: Pool) -> None:
    store = fresh()
    first = read_article(capture(page()), SOURCE)
    keeper(store, pool, at(1)).keep(Read(capture=capture(page()), reading=first, source=SOURCE))
    changed = capture(page().replace("9 to 4", "8 to 5"), 30)
    found = replace(read_article(changed, SOURCE, first.fingerprint, audit=True), short_cut="wrong")

    outcome = keeper(store, pool, at(31)).keep(
        Read(capture=changed, reading=found, source=SOURCE, check=check_of(store, found))
    )

    assert outcome is Outcome.REVISED
    assert counters.short_cuts(store) == {"wrong": 1}
    (letter,) = dead_letters.listed(store)
    assert (letter.step, letter.url, letter.replayable) == ("short cut", ADDRESS, True)
    assert row_of(store, ADDRESS).fingerprint == found.fingerprint
    store.close()


def _check(first: Reading) -> Check:
    return Check(
        url=ADDRESS, reason="article", start=at(0), lease_ends=at(60), article="a", fingerprint=first.fingerprint
    )


def _says(reading: Reading) -> tuple[Any, ...]:
    return (reading.text_hash, reading.claims, reading.paywalled, reading.aliases)


def test_maker_names_the_extractor() -> None:
    assert EXTRACTOR in revive_json(Fingerprint, first_of(page())[1].fingerprint or "").maker


def test_readings_kept_together_are_kept_as_each_alone(fresh: Callable[[], Store], pool: Pool) -> None:
    urls = [f"https://courier.example/local/story-{n}" for n in range(4)]
    first = [read_article(capture(page(), url=url), SOURCE) for url in urls]
    second = [
        read_page(capture(html, 30, url=url), SOURCE)
        for url, html in zip(
            urls, (page(), page().replace("9 to 4", "8 to 5"), page(), page(read=READ[::-1])), strict=True
        )
    ]
    second.append(replace(second[0], observed=at(45)))  # of an article that is among them already
    together, apart = fresh(), fresh()
    outcomes = []
    for store in (together, apart):
        keeper(store, pool, at(1)).keep_all(
            [Read(capture=capture(page(), url=one.url), reading=one, source=SOURCE) for one in first]
        )
        reads = [
            Read(capture=capture(page(), url=one.url), reading=one, source=SOURCE, check=check_of(store, one))
            for one in second
        ]
        one_by_one = keeper(store, pool, at(50))
        outcomes.append(one_by_one.keep_all(reads) if store is together else [one_by_one.keep(one) for one in reads])
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] == [
        Outcome.UNCHANGED,
        Outcome.REVISED,
        Outcome.UNCHANGED,
        Outcome.UNCHANGED,
        Outcome.UNCHANGED,
    ]
    assert exported(together) == exported(apart)
    assert counters.totals(together, "run") == counters.totals(apart, "run")
    together.close()
    apart.close()
