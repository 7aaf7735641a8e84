"""The ledger: revisions are a function of the set of observations, and of nothing else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import absence, at, claim, not_modified, reading
from wirewatch.model import Availability, Claim, Outcome, Reading, Seen, Track
from wirewatch.revisions import Change, History, Ledger, Rereading, fold, join, record

DAY = 24 * 60
A, B, C = "The vote was 9 to 4. " * 10, "The vote was 8 to 5. " * 10, "The vote was put off. " * 10
TINY = "This story has been withdrawn."


def ledger_of(readings: Sequence[Reading], again: Sequence[Rereading] = ()) -> tuple[Ledger, list[Change]]:
    ledger, changes = Ledger(article="a" * 16), []
    for one in readings:
        ledger, change = record(ledger, one, again)
        changes.append(change)
    return ledger, changes


def history_of(*readings: Reading) -> History:
    return fold(ledger_of(readings)[0])


def bodies(history: History, *readings: Reading) -> list[str]:
    """Return the bodies of a history's revisions, in order."""
    known = {r.text_hash: r.wording.body for r in readings if r.wording}
    return [known[revision.text_hash] or "" for revision in history.revisions]


def outcomes(*readings: Reading) -> str:
    return " ".join(outcome.value for outcome in history_of(*readings).outcomes)


# What one more reading does


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param([reading(0, A)], "new", id="first sight"),
        pytest.param([reading(0, A), reading(1, A)], "new unchanged", id="same words"),
        pytest.param([reading(0, A), reading(1, A.replace(" ", "  "))], "new unchanged", id="white space only"),
        pytest.param([reading(0, "it's " * 9), reading(1, "it’s " * 9)], "new unchanged", id="curly quotes only"),
        pytest.param([reading(0, A), reading(1, B)], "new revised", id="other words"),
        pytest.param([reading(0, A), reading(1, B), reading(2, A)], "new revised revised", id="A B A is three"),
        pytest.param([reading(0, A), not_modified(1, reading(0, A))], "new not_modified", id="304"),
        pytest.param(
            [reading(0, A), reading(1, B), not_modified(2, reading(0, A))],
            "new revised revised",
            id="304 that confirms an older wording",
        ),
        pytest.param([not_modified(0, reading(1, A))], "not_modified", id="304 of a wording never seen"),
        pytest.param([reading(0, A), absence(1, Seen.MISSING)], "new failed", id="404 once"),
        pytest.param([reading(0, A), absence(1, Seen.GONE)], "new gone", id="410"),
        pytest.param([reading(0, A), absence(1, Seen.BLOCKED)], "new blocked", id="blocked"),
        pytest.param([reading(0, A), absence(1, Seen.REFUSED)], "new refused", id="refused"),
        pytest.param([reading(0, A), absence(1, Seen.INVALID)], "new invalid", id="no article found"),
    ],
)
def test_each_observation_has_one_outcome(readings: list[Reading], expected: str) -> None:
    assert outcomes(*readings) == expected


@pytest.mark.parametrize("gap_minutes", [1, 60, 5 * DAY])
@pytest.mark.parametrize("failure", [Seen.BLOCKED, Seen.FAILED, Seen.REFUSED, Seen.INVALID, Seen.MISSING])
def test_a_failure_is_not_a_change(failure: Seen, gap_minutes: int) -> None:
    history = history_of(reading(0, A), absence(gap_minutes, failure), reading(2 * gap_minutes, A))
    assert len(history.revisions) == 1
    assert history.transitions == ()
    assert history.availability is Availability.AVAILABLE


def test_the_same_capture_twice_counts_as_a_duplicate_and_changes_nothing() -> None:
    once, _ = ledger_of([reading(0, A), reading(1, B)])
    twice, changes = ledger_of([reading(0, A), reading(1, B), reading(1, B)])
    assert twice == once
    assert changes[-1].counted is Outcome.DUPLICATE
    assert changes[-1].announced == changes[-1].vanished == ()


def test_first_sight_announces_no_transition() -> None:
    _, (change,) = ledger_of([reading(0, A)])
    assert change.first_sight
    assert change.announced == ()


# Late captures


def test_a_late_capture_splits_what_it_falls_into_and_touches_only_its_neighbours() -> None:
    _, changes = ledger_of([reading(0, A), reading(20, C), reading(30, B), reading(10, B)])
    late = changes[-1]
    assert late.counted is Outcome.REVISED
    assert [(t.old.version, t.new.version) for t in late.announced] == [(1, 2), (2, 3)]
    assert [t.new.first_observed for t in late.vanished] == [at(20)]
    stayed = {t.id for t in late.before.transitions} & {t.id for t in late.after.transitions}
    assert len(stayed) == 1


def test_a_late_capture_of_the_same_wording_redates_the_revision() -> None:
    ledger, changes = ledger_of([reading(10, A), reading(5, A)])
    (revision,) = fold(ledger).revisions
    assert revision.first_observed == at(5)
    assert changes[-1].counted is Outcome.UNCHANGED
    assert not changes[-1].first_sight


def test_a_late_capture_narrows_the_window_without_announcing_again() -> None:
    _, changes = ledger_of([reading(0, A), reading(20, B), reading(10, A)])
    assert changes[-1].announced == ()
    (transition,) = changes[-1].appeared
    assert transition.old.last_observed == at(10)


def test_a_late_capture_that_unmakes_the_first_sight_counts_as_revised() -> None:
    _, changes = ledger_of([reading(10, TINY), reading(0, A)])
    assert changes[-1].counted is Outcome.REVISED
    assert not changes[-1].first_sight


def test_a_stamp_moved_in_a_wording_that_came_back_is_told_again() -> None:
    older, newer = (claim("modified", -5),), (claim("modified", 8),)
    _, changes = ledger_of(
        [
            reading(0, A, claims=older),
            reading(9, A, claims=newer),
            reading(10, B),
            reading(20, A, claims=older),
            reading(30, A, claims=newer),
        ]
    )
    assert [(r.revision.occurrence, r.new.at) for c in changes for r in c.restamps] == [(1, at(8)), (2, at(8))]


# Suspect pages


def test_a_page_under_a_quarter_of_its_neighbour_is_suspect_and_no_revision() -> None:
    history = history_of(reading(0, A), reading(10, TINY))
    assert history.outcomes[-1] is Outcome.SUSPECT
    assert len(history.revisions) == 1
    assert history.availability is Availability.SUSPECT
    assert history.pending is not None
    assert history.pending.kind == "suspect"


def test_a_withdrawal_note_becomes_a_revision_after_three_observations_over_six_hours() -> None:
    readings = [reading(0, A), reading(10, TINY), reading(190, TINY), reading(369, TINY)]
    assert len(history_of(*readings).revisions) == 1
    ledger, changes = ledger_of([*readings, reading(370, TINY)])
    history = fold(ledger)
    assert [o.value for o in history.outcomes] == ["new", "revised", "unchanged", "unchanged", "unchanged"]
    assert history.revisions[-1].first_observed == at(10)
    assert changes[-1].counted is Outcome.REVISED
    assert len(changes[-1].announced) == 1


def test_two_tiny_observations_over_six_hours_are_not_enough() -> None:
    assert len(history_of(reading(0, A), reading(10, TINY), reading(400, TINY)).revisions) == 1


def test_another_wording_between_starts_the_suspect_count_again() -> None:
    readings = [reading(0, A), reading(10, TINY), reading(100, A), reading(200, TINY), reading(400, TINY)]
    assert len(history_of(*readings).revisions) == 1


def test_neither_rule_applies_to_feed_entries() -> None:
    entries = [
        replace(reading(0, A, claims=(claim("modified", 0),)), track=Track.ENTRIES),
        replace(reading(1, B, claims=(claim("modified", 1),)), track=Track.ENTRIES),
        replace(reading(2, A, claims=(claim("modified", 0),)), track=Track.ENTRIES),
        replace(reading(3, TINY), track=Track.ENTRIES),
    ]
    assert outcomes(*entries) == "new revised revised revised"


# Stale copies


def stale_story(*minutes_of_the_older_copy: float) -> list[Reading]:
    older, newer = (claim("modified", -60),), (claim("modified", 5),)
    copies = [reading(m, A, claims=older) for m in minutes_of_the_older_copy]
    return [reading(0, A, claims=older), reading(10, B, claims=newer), *copies]


def test_an_older_wording_with_an_older_stamp_is_stale_until_confirmed_ten_minutes_later() -> None:
    assert outcomes(*stale_story(20)) == "new revised stale"
    assert outcomes(*stale_story(20, 29)) == "new revised stale stale"
    ledger, changes = ledger_of(stale_story(20, 30))
    history = fold(ledger)
    assert [o.value for o in history.outcomes] == ["new", "revised", "revised", "unchanged"]
    assert history.revisions[-1].first_observed == at(20)
    assert changes[-1].counted is Outcome.REVISED


def test_the_newer_wording_in_between_ends_the_doubt() -> None:
    between = reading(25, B, claims=(claim("modified", 5),))
    assert outcomes(*stale_story(20), between, reading(30, A, claims=(claim("modified", -60),))) == (
        "new revised stale unchanged stale"
    )


def test_a_failure_in_between_does_not_end_the_doubt() -> None:
    readings = [*stale_story(20), absence(25, Seen.FAILED), reading(30, A, claims=(claim("modified", -60),))]
    assert outcomes(*readings) == "new revised revised failed unchanged"


def test_an_older_wording_without_stamps_is_believed_at_once() -> None:
    assert outcomes(reading(0, A), reading(10, B), reading(20, A)) == "new revised revised"


# Stamps


def test_same_words_with_a_moved_stamp_are_a_restamp_and_no_revision() -> None:
    _, changes = ledger_of(
        [reading(0, A, claims=(claim("modified", 0),)), reading(9, A, claims=(claim("modified", 8),))]
    )
    assert changes[-1].counted is Outcome.RESTAMPED
    assert changes[-1].announced == ()
    (restamp,) = changes[-1].restamps
    assert (restamp.old.at if restamp.old else None, restamp.new.at) == (at(0), at(8))


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(claim("modified", 0.5), id="by less than a minute from a whole one"),
        pytest.param(claim("modified", -8), id="backwards, as an old copy has it"),
        pytest.param(claim("modified", 8, flags=("relative",)), id="said relative to now"),
        pytest.param(claim("modified", None, flags=("unreadable",)), id="unreadable"),
        pytest.param(claim("published", 8), id="of publication"),
    ],
)
def test_a_stamp_that_did_not_move_on_is_no_restamp(later: Claim) -> None:
    readings = [reading(0, A, claims=(claim("modified", 0),)), reading(9, A, claims=(later,))]
    assert outcomes(*readings) == "new unchanged"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(0.25, 0.5, "new restamped", id="forward"),
        pytest.param(0.5, 0.25, "new unchanged", id="backwards"),
        pytest.param(0.25, 1, "new restamped", id="into the next minute"),
        pytest.param(1.25, 1, "new unchanged", id="to a whole minute, which may have lost its seconds"),
    ],
)
def test_a_stamp_that_moves_by_seconds_is_a_restamp_where_both_state_seconds(
    old: float, new: float, expected: str
) -> None:
    readings = [reading(8 + n, A, claims=(claim("modified", when),)) for n, when in enumerate((old, new))]
    assert outcomes(*readings) == expected


def test_stamps_of_two_places_are_compared_to_the_minute() -> None:
    meta, stated = claim("modified", 0.25, where="meta"), claim("modified", 0.5)
    assert outcomes(reading(8, A, claims=(meta,)), reading(9, A, claims=(stated,))) == "new unchanged"


def test_a_stamp_that_comes_back_after_an_old_copy_is_no_restamp() -> None:
    older, newer = (claim("modified", -8),), (claim("modified", 0),)
    readings = [reading(minute, A, claims=claims) for minute, claims in ((1, newer), (2, older), (3, newer))]
    assert outcomes(*readings) == "new unchanged unchanged"


def test_the_most_trusted_of_several_stamps_in_one_place_is_the_one_that_moves() -> None:
    other = claim("modified", 9)
    readings = [reading(10 + minute, A, claims=(claim("modified", minute), other)) for minute in (5, 7)]
    assert outcomes(*readings) == "new restamped"


def test_stamps_are_compared_with_those_read_in_the_same_place() -> None:
    printed, stated = claim("modified", 0, where="text"), claim("modified", 60)
    readings = [reading(70, A, claims=(stated, printed)), reading(80, A, claims=(printed,))]
    assert outcomes(*readings) == "new unchanged"


def test_an_article_first_seen_after_its_update_is_version_1_with_an_earlier_wording_unseen() -> None:
    claims = (claim("published", at(-99)), claim("modified", at(-36)))
    (revision,) = history_of(reading(0, A, claims=claims)).revisions
    assert revision.version == 1
    assert revision.first_created == at(-99)
    assert revision.version_created == at(-36)
    assert revision.earlier_wording_unseen


@pytest.mark.parametrize(
    ("claims", "created"),
    [
        pytest.param((claim("modified", 8),), at(8), id="stamp that moved with the text"),
        pytest.param((claim("modified", -9),), at(10), id="stamp that stayed"),
        pytest.param((claim("modified", 11),), at(10), id="stamp in the future"),
        pytest.param((), at(10), id="no stamp"),
    ],
)
def test_a_later_version_was_created_when_its_stamp_says_if_that_moved(
    claims: tuple[object, ...], created: object
) -> None:
    history = history_of(reading(0, A, claims=(claim("modified", -9),)), reading(10, B, claims=claims))
    assert history.revisions[-1].version_created == created
    assert history.revisions[-1].first_observed == at(10)


# Availability


def test_one_404_is_missing_and_three_over_a_day_are_gone_once() -> None:
    readings = [reading(0, A), absence(1, Seen.MISSING, "HTTP 404"), absence(700, Seen.MISSING, "HTTP 404")]
    assert history_of(*readings).availability is Availability.MISSING
    _, changes = ledger_of(
        [*readings, absence(1 + DAY, Seen.MISSING, "HTTP 404"), absence(2 * DAY, Seen.MISSING, "HTTP 404")]
    )
    assert [c.counted.value for c in changes] == ["new", "failed", "failed", "gone", "gone"]
    assert [p.kind for c in changes for p in c.passages] == ["withdrawn"]
    assert changes[-1].after.availability is Availability.GONE


def test_three_404s_within_an_hour_are_not_gone() -> None:
    readings = [reading(0, A), *(absence(m, Seen.MISSING) for m in (10, 30, 60))]
    assert history_of(*readings).availability is Availability.MISSING


def test_an_article_that_comes_back_has_returned() -> None:
    _, changes = ledger_of([reading(0, A), absence(10, Seen.GONE, "HTTP 410"), reading(20, A), absence(30, Seen.GONE)])
    assert [(p.kind, p.observed) for c in changes for p in c.passages] == [
        ("withdrawn", at(10)),
        ("returned", at(20)),
        ("withdrawn", at(30)),
    ]
    assert [c.counted.value for c in changes] == ["new", "gone", "unchanged", "gone"]


def test_a_withdrawal_that_is_heard_of_late_is_told_with_its_return() -> None:
    _, changes = ledger_of([reading(0, A), absence(30, Seen.GONE), absence(10, Seen.GONE), reading(20, A)])
    assert [(p.kind, p.observed) for c in changes for p in c.passages] == [
        ("withdrawn", at(30)),
        ("withdrawn", at(10)),
        ("returned", at(20)),
        ("withdrawn", at(30)),
    ]


def test_an_address_that_never_showed_an_article_announces_neither_withdrawal_nor_return() -> None:
    _, changes = ledger_of([absence(0, Seen.GONE), reading(1, A)])
    assert [change.passages for change in changes] == [(), ()]


# Another extractor


def test_equal_under_the_new_extractor_means_unchanged_and_ids_stay() -> None:
    old = reading(0, A, extractor="x/1")
    new = reading(10, A + "Caption.", extractor="x/2")
    again = reread(old, new)
    ledger, changes = ledger_of([old, new], [again])
    assert changes[-1].counted is Outcome.UNCHANGED
    (revision,) = fold(ledger).revisions
    assert revision.id == fold(ledger_of([old])[0]).revisions[0].id


def test_without_a_kept_page_the_difference_is_technical_and_announces_nothing() -> None:
    _, changes = ledger_of([reading(0, A, extractor="x/1"), reading(10, B, extractor="x/2")])
    change = changes[-1]
    assert change.after.revisions[-1].technical
    assert change.announced == ()
    assert {want.extractor for want in change.after.wants} == {"x/1", "x/2"}


def test_a_real_change_across_extractors_compares_texts_of_one_extractor() -> None:
    old, new = reading(0, A, extractor="x/1"), reading(10, B, extractor="x/2")
    again = reread(old, reading(0, A + "Caption.", extractor="x/2"))
    _, changes = ledger_of([old, new], [again])
    (transition,) = changes[-1].announced
    assert (transition.old_text, transition.new_text) == (again.new_text_hash, new.text_hash)
    assert not transition.technical


def reread(old: Reading, new: Reading) -> Rereading:
    return Rereading(
        content_hash=old.content_hash or "",
        extractor=old.extractor or "",
        new_extractor=new.extractor or "",
        new_content_hash=new.content_hash or "",
        new_text_hash=new.text_hash or "",
    )


# Properties

_STAMPS = st.sampled_from([(), (claim("modified", -5),), (claim("modified", 100),), (claim("modified", 900),)])
_MINUTES = st.integers(0, 3 * DAY).map(lambda m: 5 * (m // 5))
_WORDINGS = st.builds(
    lambda minutes, body, claims, extractor: reading(minutes, body, claims=claims, extractor=extractor),
    _MINUTES,
    st.sampled_from([A, B, C, TINY, A.replace("9", "9 ")]),
    _STAMPS,
    st.sampled_from(["x/1", "x/1", "x/1", "x/2"]),
)
_ABSENCES = st.builds(
    absence, _MINUTES, st.sampled_from([s for s in Seen if s not in (Seen.WORDING, Seen.NOT_MODIFIED)])
)
_CONFIRMATIONS = st.builds(not_modified, _MINUTES, st.sampled_from([reading(0, A), reading(0, B), reading(0, TINY)]))
_READINGS = st.lists(st.one_of(_WORDINGS, _WORDINGS, _ABSENCES, _CONFIRMATIONS), max_size=25)
_AGAIN = st.sampled_from(
    [(), (reread(reading(0, A, extractor="x/1"), reading(0, A, extractor="x/2")),)],
)


@given(_READINGS, _AGAIN, st.randoms(use_true_random=False))
def test_the_ledger_is_a_function_of_the_set_of_readings(
    readings: list[Reading], again: tuple[Rereading, ...], chance: random.Random
) -> None:
    shuffled = readings + chance.choices(readings, k=len(readings)) if readings else []
    chance.shuffle(shuffled)
    assert ledger_of(shuffled, again)[0] == ledger_of(readings, again)[0]


@given(_READINGS, _READINGS)
def test_joining_two_ledgers_is_the_same_as_recording_all_under_one(left: list[Reading], right: list[Reading]) -> None:
    joined = join("a" * 16, [ledger_of(left)[0], ledger_of(right)[0]])
    assert joined == ledger_of([*left, *right])[0]


@given(_READINGS)
def test_no_revision_equals_the_one_before_it_and_every_wording_is_somewhere(readings: list[Reading]) -> None:
    history = fold(ledger_of(readings)[0])
    for old, new in zip(history.revisions, history.revisions[1:], strict=False):
        assert old.content_hash != new.content_hash
        assert old.first_observed <= old.last_observed <= new.first_observed
    kept = {r.content_hash for r in history.revisions}
    doubted = {
        o.content_hash
        for o, outcome in zip(ledger_of(readings)[0].observations, history.outcomes, strict=True)
        if outcome in (Outcome.SUSPECT, Outcome.STALE)
    }
    assert {r.content_hash for r in readings if r.wording} <= kept | doubted


@given(_READINGS)
def test_ids_are_unique_and_versions_count(readings: list[Reading]) -> None:
    history = fold(ledger_of(readings)[0])
    assert [r.version for r in history.revisions] == list(range(1, len(history.revisions) + 1))
    assert len({r.id for r in history.revisions}) == len(history.revisions)
    assert len({t.id for t in history.transitions}) == len(history.transitions)
    assert len(history.outcomes) == len(ledger_of(readings)[0].observations)


@given(_READINGS)
def test_what_was_announced_and_not_taken_back_is_what_is_live(readings: list[Reading]) -> None:
    standing: set[str] = set()
    for change in ledger_of(readings)[1]:
        retracted = {t.id for t in change.retracted}
        assert retracted <= standing
        standing -= retracted
        announced = {t.id for t in change.announced}
        assert not announced & standing
        standing |= announced
    assert standing == {t.id for t in fold(ledger_of(readings)[0]).transitions if not t.technical}


@given(_READINGS, _MINUTES)
def test_a_restamp_or_failure_never_makes_a_revision(readings: list[Reading], minutes: int) -> None:
    ledger, _ = ledger_of(readings)
    before = fold(ledger)
    _, change = record(ledger, absence(minutes, Seen.FAILED, "time-out"))
    assert change.after.revisions == before.revisions
    assert change.after.transitions == before.transitions
