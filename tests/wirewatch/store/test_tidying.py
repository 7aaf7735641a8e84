"""Tidying: what is too old goes, and never the latest, nor one side of a change that is kept."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOON, URL, at, reading
from tests.conftest import MakeStore
from tests.wirewatch.kept import DAY, INSTANCE, A, B, C, asks, exported, keep, keeper, kinds, read, said
from wirewatch.alerts.gathering import gather
from wirewatch.alerts.matching import Alerting
from wirewatch.alerts.message import Links, compose
from wirewatch.alerts.model import Alert
from wirewatch.alerts.pacing import Telling
from wirewatch.alerts.rules import Rule
from wirewatch.alerts.trying import tried
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key, sha256
from wirewatch.diff import apply
from wirewatch.encoding import revive
from wirewatch.model import Capture, Diff, Outcome, Reading, Wording
from wirewatch.revisions import fold
from wirewatch.store import Store, alerts, dead_letters, ledger, pages, tidying
from wirewatch.store.removing import Freed, pages_removed
from wirewatch.store.tables import alert_matches, diffs, removed, revisions, wordings
from wirewatch.store.tables import alerts as alerts_table
from wirewatch.store.tables import dead_letters as letters_table
from wirewatch.store.tables import pages as pages_table
from wirewatch.store.tidying import Retention, tidy

KEY = article_key(URL)
MONTH = Retention(pages=timedelta(days=40), texts=timedelta(days=40))
LONG_AFTER = at(400 * DAY)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as opened:
        yield opened


def body(one: Reading) -> bytes:
    return f"<p>{one.wording.body if one.wording else ''}".encode()


def with_page(one: Reading) -> Reading:
    return replace(one, page_hash=sha256(body(one)))


def keep_pages(store: Store, pool: Pool, readings: Sequence[Reading], now: datetime | None = None) -> list[Outcome]:
    """Keep readings whose pages are their own words, each a minute after it was made."""
    return [
        keeper(store, pool, now or one.observed + timedelta(minutes=1)).keep(read(with_page(one), body=body(one)))
        for one in readings
    ]


def bodies(store: Store) -> set[str]:
    with store.reading() as conn:
        return {revive(Wording, one).body or "" for one in conn.scalars(sa.select(wordings.c.wording))}


def page_bodies(store: Store) -> set[bytes]:
    with store.reading() as conn:
        return set(conn.scalars(sa.select(pages_table.c.body)))


def hunks(store: Store) -> list[int]:
    with store.reading() as conn:
        return [len(one["hunks"]) for one in conn.scalars(sa.select(diffs.c.diff).order_by(diffs.c.observed))]


def count(store: Store, table: sa.Table) -> int:
    with store.reading() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_latest_stays_for_ever_and_what_it_replaced_goes(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(60, B), reading(120, C)])
    freed = tidy(store, MONTH, LONG_AFTER)
    assert bodies(store) == {C}
    assert page_bodies(store) == {body(reading(120, C))}
    assert hunks(store) == [0, 0]
    assert {what: one.rows for what, one in freed.items()} == {"texts": 2, "diffs": 2, "pages": 2}
    assert all(one.bytes > 50 for one in freed.values())


def test_time_runs_from_the_last_change_that_a_wording_is_a_side_of(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(60, B), reading(100 * DAY, C)])
    tidy(store, MONTH, at(120 * DAY))  # B is 120 days old, and a side of a change that is 20 days old
    assert bodies(store) == {B, C}
    assert page_bodies(store) == {body(reading(0, one)) for one in (B, C)}
    assert [n > 0 for n in hunks(store)] == [False, True]


def test_wording_that_came_back_stays(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(60, B), reading(120, A)])
    tidy(store, MONTH, LONG_AFTER)
    assert bodies(store) == {A}


def test_page_and_text_that_come_again_after_that_are_kept_again(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(60, B)])
    tidy(store, MONTH, LONG_AFTER)
    keep_pages(store, pool, [reading(401 * DAY, A)])
    assert bodies(store) == {A, B}
    assert body(reading(0, A)) in page_bodies(store)
    assert hunks(store)[1] > 0


def test_same_page_of_another_article_keeps_it(store: Store, pool: Pool) -> None:
    other = "https://courier.example/other"
    keep_pages(store, pool, [reading(0, A), reading(60, B), reading(0, A, url=other, aliases=asks(other))])
    tidy(store, MONTH, LONG_AFTER)
    assert page_bodies(store) == {body(reading(0, one)) for one in (A, B)}
    with store.reading() as conn:
        assert set(conn.execute(sa.select(wordings.c.article, wordings.c.text_hash)).all()) == {
            (KEY, reading(0, B).text_hash),
            (article_key(other), reading(0, A).text_hash),
        }


def test_nothing_goes_that_no_period_is_given_for(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(60, B)])
    before = exported(store)
    assert tidy(store, Retention(), LONG_AFTER) == {}
    assert exported(store) == before


def test_dry_run_says_the_same_and_touches_nothing(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(n * 60, text) for n, text in enumerate((A, B, C, B))])
    letter(store, 0)
    told(store, "old", "sent", 0)
    retention = replace(MONTH, alerts=timedelta(days=40), dead_letters=timedelta(days=40))
    before = exported(store)
    tried = tidy(store, retention, LONG_AFTER, dry_run=True)
    assert exported(store) == before
    assert count(store, removed) == 0
    assert tidy(store, retention, LONG_AFTER) == tried
    assert tidy(store, retention, LONG_AFTER) == dict.fromkeys(tried, Freed())


def test_ledger_stays_as_it_was_but_for_the_words(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(60, B), reading(120, C)])
    with store.reading() as conn:
        before = fold(ledger.load(conn, KEY).ledger)
    tidy(store, MONTH, LONG_AFTER)
    with store.reading() as conn:
        assert fold(ledger.load(conn, KEY).ledger) == before
    (line,) = exported(store).splitlines()
    assert line.count(b'"hunks":[]') == 2
    assert (A.encode() in line, C.encode() in line) == (False, True)


# What comes late, when a text is gone


def test_late_capture_between_texts_that_are_gone_is_kept_and_told_without_them(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(120, B), reading(240, C)])
    tidy(store, MONTH, LONG_AFTER)
    before = len(said(store))
    late = reading(60, "The vote is at six. " * 9)
    assert keep_pages(store, pool, [late], LONG_AFTER) == [Outcome.REVISED]
    with store.reading() as conn:
        history = fold(ledger.load(conn, KEY).ledger)
    assert len(history.revisions) == 4
    # The change from A to B is taken back; what came of it cannot be compared, so nothing is said of that.
    assert kinds(said(store)[before:]) == ["retracted"]
    assert late.wording
    assert late.wording.body in bodies(store)
    tidy(store, MONTH, LONG_AFTER + timedelta(days=1))
    assert bodies(store) == {C}


def test_late_capture_that_says_the_same_re_dates_what_is_gone(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(120, B), reading(240, C)])
    tidy(store, MONTH, LONG_AFTER)
    assert keep(store, pool, [reading(60, B)], now=LONG_AFTER) == [Outcome.UNCHANGED]
    with store.reading() as conn:
        rows = conn.execute(sa.select(diffs).where(diffs.c.live).order_by(diffs.c.observed)).all()
        kept = {one.id: one for one in fold(ledger.load(conn, KEY).ledger).transitions}
    assert {row.id: row.observed for row in rows} == {key: one.new.first_observed for key, one in kept.items()}


def test_text_that_is_missing_and_was_not_removed_is_a_damaged_store(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(120, B)])
    with store.begin() as conn:
        conn.execute(sa.delete(wordings).where(wordings.c.text_hash == reading(0, A).text_hash))
    with pytest.raises(Exception, match="lacks the text"):
        keep(store, pool, [reading(60, C)])
    with pytest.raises(Exception, match="lacks the text"):
        exported(store)


def test_other_extractor_finds_no_page_and_the_difference_is_technical(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(60, B), reading(120, C)])
    tidy(store, MONTH, LONG_AFTER)
    late = reading(90, B + " And more.", extractor="test/2")
    assert keep_pages(store, pool, [late], LONG_AFTER) == [Outcome.REVISED]
    with store.reading() as conn:
        assert [one.technical for one in fold(ledger.load(conn, KEY).ledger).revisions] == [False, False, True, True]
        gone = sha256(body(reading(0, A)))
        assert pages.get(conn, gone) is None
        assert pages_removed(conn, [gone]) == {gone: LONG_AFTER}


def test_alert_that_waited_until_its_texts_were_gone_is_told_without_them(store: Store, pool: Pool) -> None:
    rules = Alerting(rules=(Rule.model_validate({"name": "all", "channels": "desk"}),))
    for one in (reading(0, A), reading(60, B), reading(120, C)):
        replace(keeper(store, pool, one.observed), alerting=rules).keep(read(with_page(one), body=body(one)))
    tidy(store, MONTH, LONG_AFTER)
    with store.reading() as conn:
        waiting = alerts.desk(conn, "desk", LONG_AFTER, 10).waiting
    assert len(waiting) == 2
    for matches in (waiting[:1], waiting[1:], waiting):
        ((story,),) = (one.stories for one in gather(store, pool, INSTANCE, [Telling(matches=matches)]))
        assert (story.happened, story.diff) == ("revised", None)
        alert = Alert(id="1", kind="change", channel="desk", rule="all", created=LONG_AFTER, stories=(story,))
        message = compose(alert, Links(instance=INSTANCE))
        assert "Ferry" in message.text
        assert URL in message.text
    assert [one.happened for one in tried(store, rules.rules)] == ["revised"] * 2


# While others work


def test_keeper_that_has_read_texts_finds_them_gone_and_does_it_again(store: Store, pool: Pool) -> None:
    keep_pages(store, pool, [reading(0, A), reading(120, B), reading(240, C)])

    class Slow(Pool):
        def run(self, *arguments: Any, **options: Any) -> Any:
            result = super().run(*arguments, **options)
            tidy(store, MONTH, LONG_AFTER)
            return result

    with Slow(1) as slow:
        one = with_page(reading(60, "The vote is at six. " * 9))
        assert keeper(store, slow, LONG_AFTER).keep(read(one, body=body(one))) is Outcome.REVISED
    for old, diff in _live(store):
        assert old is not None or not diff.hunks


def _live(store: Store) -> list[tuple[Wording | None, Diff]]:
    """Return each live diff with its old side."""
    with store.reading() as conn:
        texts = {row.text_hash: revive(Wording, row.wording) for row in conn.execute(sa.select(wordings))}
        of = {row.id: row.text_hash for row in conn.execute(sa.select(revisions.c.id, revisions.c.text_hash))}
        rows = conn.execute(sa.select(diffs).where(diffs.c.live)).all()
    return [(texts.get(of[row.old_revision]), revive(Diff, row.diff)) for row in rows]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.integers(0, 200), min_size=1, max_size=6, unique=True),
    texts=st.lists(st.sampled_from([A, B, C]), min_size=8, max_size=8),
    cutoffs=st.lists(st.integers(0, 300), min_size=1, max_size=3),
)
def test_no_kept_change_ever_lacks_a_side(
    make_store: MakeStore, pool: Pool, days: list[int], texts: list[str], cutoffs: list[int]
) -> None:
    store = make_store()
    keep_pages(store, pool, [reading(day * DAY, text) for day, text in zip(days, texts, strict=False)])
    for cutoff in sorted(cutoffs):
        tidy(store, MONTH, at(cutoff * DAY))
    with store.reading() as conn:
        history = fold(ledger.load(conn, KEY).ledger)
        kept = ledger.texts(conn, [KEY], {one.text_hash for one in history.revisions})
        latest = history.revisions[-1]
        assert latest.text_hash in kept
        assert pages.get(conn, latest.page_hash or "") is not None
        stored = {row.id: revive(Diff, row.diff) for row in conn.execute(sa.select(diffs).where(diffs.c.live))}
    for change in history.transitions:
        if stored[change.id].hunks:
            old, new = kept[change.old_text].wording, kept[change.new_text].wording
            assert apply(stored[change.id], old) == new
        else:
            assert change.new.first_observed < at(max(cutoffs) * DAY) - timedelta(days=40)


TIDY = """
import sys
from datetime import datetime, timedelta
from wirewatch.store import Store
from wirewatch.store.tidying import Retention, tidy
store = Store.open(sys.argv[1])
def told(step):
    print(step, flush=True)
    sys.stdin.readline()
month = timedelta(days=40)
tidy(store, Retention(pages=month, texts=month), datetime.fromisoformat(sys.argv[2]), progress=told)
"""


def test_killed_at_any_point_the_rest_goes_the_next_time(store: Store, pool: Pool) -> None:
    for n in range(3):
        url = f"https://courier.example/{n}"
        keep_pages(
            store, pool, [reading(m, text, url=url, aliases=asks(url)) for m, text in ((0, A), (60, B), (120, C))]
        )
    for steps in (1, 2):
        command = [sys.executable, "-c", TIDY, store.url, LONG_AFTER.isoformat()]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin
            assert process.stdout
            for _ in range(steps):
                assert process.stdout.readline()
                process.stdin.write("\n")
                process.stdin.flush()
            process.send_signal(signal.SIGKILL)
        for old, diff in _live(store):
            assert old is not None or not diff.hunks
    tidy(store, MONTH, LONG_AFTER)
    assert bodies(store) == {C}
    assert page_bodies(store) == {body(reading(0, C))}
    assert hunks(store) == [0] * 6


# Alerts and dead letters


def told(store: Store, name: str, state: str, days: float, **columns: Any) -> None:
    moment = at(days * DAY)
    row = {"id": name, "channel": "desk", "rule": "r", "kind": "change", "state": state, "created": moment}
    match: dict[str, Any] = {
        "id": f"m-{name}",
        "article": KEY,
        "host": "h",
        "happened": "revised",
        "event": name,
        "rule": "r",
    }
    match |= {"channel": "desk", "why": [], "matched": moment, "ripe": moment, "alert": name}
    with store.begin() as conn:
        settled = None if state == "waiting" else moment
        conn.execute(alerts_table.insert().values(**row, due=moment, settled=settled, body=b"{}"))
        conn.execute(alert_matches.insert().values(**{**match, "state": state, **columns}))


def test_alerts_go_that_were_sent_or_given_up(store: Store) -> None:
    told(store, "sent", "sent", 0)
    told(store, "dead", "dead", 0)
    told(store, "late", "sent", 30)
    told(store, "waits", "waiting", 0)
    told(store, "taken back", "sent", 0)
    with store.begin() as conn:
        follow: dict[str, Any] = {
            "id": "f",
            "article": KEY,
            "host": "h",
            "happened": "retracted",
            "event": "r",
            "rule": "r",
        }
        follow |= {"channel": "desk", "why": [], "matched": NOON, "ripe": NOON, "follows": "m-taken back"}
        conn.execute(alert_matches.insert().values(**follow, state="waiting"))
        conn.execute(alert_matches.insert().values(**{**follow, "id": "c", "follows": None}, state="cancelled"))
    freed = tidy(store, Retention(alerts=timedelta(days=7)), at(20 * DAY))
    assert {what: one.rows for what, one in freed.items()} == {"alerts": 2, "cancelled matches": 1}
    with store.reading() as conn:
        assert set(conn.scalars(sa.select(alerts_table.c.id))) == {"late", "waits", "taken back"}
        left = set(conn.scalars(sa.select(alert_matches.c.id)))
    assert left == {"m-late", "m-waits", "m-taken back", "f"}


def letter(store: Store, days: float) -> None:
    with store.begin() as conn:
        capture = Capture(url=URL, observed=NOON, body=b"%PDF" * 100)
        dead_letters.add(conn, at=at(days * DAY), step="extract", reason="a PDF", capture=capture)


def test_dead_letters_go_and_their_numbers_are_never_given_again(store: Store) -> None:
    letter(store, 0)
    letter(store, 30)
    freed = tidy(store, Retention(dead_letters=timedelta(days=25)), at(50 * DAY))
    assert freed["dead letters"].rows == 1
    tidy(store, Retention(dead_letters=timedelta(days=25)), at(90 * DAY))
    assert count(store, letters_table) == 0
    letter(store, 100)
    assert [one.id for one in dead_letters.listed(store)] == [3]


def test_more_than_one_handful_goes(store: Store) -> None:
    for _ in range(tidying._ROWS + 5):
        letter(store, 0)
    assert tidy(store, Retention(dead_letters=timedelta(days=1)), at(50 * DAY))["dead letters"].rows == 205
