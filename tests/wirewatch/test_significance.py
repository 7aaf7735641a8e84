"""A verdict says only what can be proven: words, stamps and the correction note."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wirewatch.diff import compare
from wirewatch.model import Claim, Reason, Verdict, Wording
from wirewatch.significance import LIGHT, WEIGHTS, judge, uncompared
from wirewatch.significance.lexicon import Meaning, all_meanings, lexicon_of
from wirewatch.significance.weights import weigh
from wirewatch.words import all_words

NOTE = "Correction: an earlier version gave a wrong amount."


def stamp(hour: int = 14, minute: int = 21, second: int = 0, day: int = 16, **changes: Any) -> Claim:
    claim: dict[str, Any] = {
        "kind": "modified",
        "at": datetime(2026, 3, day, hour, minute, second, tzinfo=UTC),
        "where": "text",
        "zone": "configured",
        "raw": f"Updated: MARCH {day}, 2026 {hour}:{minute}",
    }
    return Claim(**(claim | changes))


def verdict(old: Wording, new: Wording, old_stamp: Claim | None = None, new_stamp: Claim | None = None) -> Verdict:
    return judge(compare(old, new), old, new, old_stamp=old_stamp, new_stamp=new_stamp)


@pytest.mark.parametrize(
    ("old_stamp", "new_stamp", "expected"),
    [
        pytest.param(stamp(14, 21), stamp(15, 24), "disclosed", id="moved on"),
        pytest.param(stamp(14, 21), stamp(14, 21), "undisclosed", id="stayed"),
        pytest.param(None, None, "unknown", id="no stamps"),
        pytest.param(None, stamp(15, 24), "disclosed", id="appeared"),
        pytest.param(stamp(14, 21), None, "unknown", id="vanished"),
        pytest.param(stamp(15, 24), stamp(14, 21), "undisclosed", id="went backwards"),
        pytest.param(stamp(second=31, where="json-ld"), stamp(), "undisclosed", id="same minute, read elsewhere"),
        pytest.param(stamp(14), stamp(15, zone="assumed"), "unknown", id="another zone's certainty"),
        pytest.param(stamp(14, flags=("relative",)), stamp(15, flags=("relative",)), "unknown", id="hours ago"),
        pytest.param(stamp(flags=("no_time",)), stamp(flags=("no_time",)), "unknown", id="same date without time"),
        pytest.param(stamp(flags=("no_time",)), stamp(day=17, flags=("no_time",)), "disclosed", id="another date"),
        pytest.param(stamp(at=None, flags=("unreadable",)), stamp(), "unknown", id="unreadable"),
    ],
)
def test_disclosure_follows_the_stamps(old_stamp: Claim | None, new_stamp: Claim | None, expected: str) -> None:
    old, new = Wording(body="It cost 4.2 million."), Wording(body="It cost 4.7 million.")
    assert verdict(old, new, old_stamp, new_stamp).disclosure == expected


@pytest.mark.parametrize(
    ("old_note", "new_note", "signal", "disclosure"),
    [
        pytest.param(None, NOTE, "correction", "disclosed", id="appeared"),
        pytest.param(NOTE, f"{NOTE} It also misspelt a name.", "correction", "disclosed", id="grew"),
        pytest.param(NOTE, NOTE, "update", "undisclosed", id="stayed"),
        pytest.param(NOTE, None, "update", "undisclosed", id="vanished"),
        pytest.param(NOTE, NOTE.replace(" ", "\u00a0"), "update", "undisclosed", id="other spaces"),
    ],
)
def test_a_note_is_a_correction_said_openly(
    old_note: str | None, new_note: str | None, signal: str, disclosure: str
) -> None:
    old = Wording(body="It cost 4.2 million.", correction=old_note)
    found = verdict(old, Wording(body="It cost 4.7 million.", correction=new_note), stamp(), stamp())
    assert (found.signal, found.disclosure) == (signal, disclosure)


@pytest.mark.parametrize(
    ("old", "new", "numbers"),
    [
        pytest.param("12 killed", "15 killed", [("12", "15")], id="another number"),
        pytest.param("3 months", "30 months", [("3", "30")], id="a digit more"),
        pytest.param("at -5 degrees", "at 5 degrees", [("-5", "5")], id="sign"),
        pytest.param("a vote of 9 to 4.", "a vote of 8 to 5 after a recount.", [("9", "8"), ("4", "5")], id="two"),
        pytest.param("killed 12 there", "killed at least 15 there", [("12", "15")], id="with words beside it"),
        pytest.param("it killed people", "it killed 12 people", [(None, "12")], id="put in"),
        pytest.param("It rained.", "It rained. The river rose by 2 metres.", [], id="a new sentence"),
        pytest.param("from 9 old ferries", "from 9 new boats", [], id="the same number"),
    ],
)
def test_changed_numbers_are_reasons(old: str, new: str, numbers: list[tuple[str | None, str | None]]) -> None:
    reasons = verdict(Wording(body=old), Wording(body=new)).reasons
    assert [(reason.old, reason.new) for reason in reasons if reason.kind == "number"] == numbers


def test_reasons_come_heaviest_first_and_point_at_hunks() -> None:
    old = Wording(headline="Subsidy approved", byline="By Marta Quill", body="It cost 4.2 million.")
    new = Wording(headline="Subsidy refused", byline="By Odo Reeve", body="It cost 4.7 million.", correction=NOTE)
    assert verdict(old, new).reasons == (
        Reason(kind="correction", field="correction", hunk=3),
        Reason(kind="number", field="body", hunk=2, old="4.2", new="4.7"),
        Reason(kind="headline", field="headline", hunk=0),
        Reason(kind="grave", field="headline", hunk=0, old="approved", new="refused"),
        Reason(kind="byline", field="byline", hunk=1),
    )


def test_curly_quotes_and_spaces_are_the_lightest_reasons() -> None:
    old, new = Wording(headline="It’s  late"), Wording(headline="It's late")
    found = verdict(old, new, stamp(14), stamp(15))
    assert (found.disclosure, found.signal, found.significance_class, found.score) == (
        "unknown",
        "update",
        "minor",
        0.02,
    )
    assert {reason.kind for reason in found.reasons} == {"quote_marks"}


def test_a_moved_sentence_is_moved_and_nothing_else() -> None:
    first, second = "The vote was 9 to 4 in the end.", "The operator of the ferry was silent."
    found = verdict(Wording(body=f"{first} {second}"), Wording(body=f"{second} {first}"))
    assert {reason.kind for reason in found.reasons} <= {"moved", "space"}
    assert found.significance_class == "minor"


@given(
    st.lists(st.sampled_from(["9", "4.2", "-5", "the", "vote.", "“so”", "\n\n"]), max_size=15).map(" ".join), st.text()
)
def test_every_reason_points_at_a_hunk_of_its_field(old_body: str, new_body: str) -> None:
    old, new = Wording(headline=new_body, body=old_body), Wording(headline=old_body, body=new_body)
    diff = compare(old, new)
    found = judge(diff, old, new, old_stamp=None, new_stamp=None)
    for reason in found.reasons:
        if reason.kind != "corrected":
            assert diff.hunks[reason.hunk].field == reason.field
    assert bool(found.reasons) == bool(diff.hunks)
    assert (found.significance_class, found.score) == weigh(found.reasons)


@given(st.lists(st.sampled_from(sorted(WEIGHTS)), max_size=30), st.sampled_from(sorted(WEIGHTS)))
def test_one_more_reason_never_makes_a_change_lighter(kinds: list[str], more: str) -> None:
    reasons = [Reason(kind=kind, field="body", hunk=n) for n, kind in enumerate(kinds)]
    score = weigh(reasons)[1]
    assert 0 <= score <= weigh([*reasons, Reason(kind=more, field="body", hunk=99)])[1] <= 1


@given(st.lists(st.sampled_from(sorted(LIGHT)), max_size=100))
def test_light_reasons_alone_are_minor_however_many(kinds: list[str]) -> None:
    assert weigh([Reason(kind=kind, field="body", hunk=0) for kind in kinds])[0] == "minor"


@pytest.mark.parametrize("kind", sorted(WEIGHTS.keys() - LIGHT))
def test_a_heavy_reason_alone_is_more_than_minor(kind: str) -> None:
    expected = WEIGHTS[kind].weight > 0
    assert (weigh([Reason(kind=kind, field="body", hunk=0)])[0] != "minor") is expected


def test_texts_too_long_to_compare_are_major() -> None:
    old, new = Wording(body="a b c"), Wording(body="x y z")
    assert uncompared(compare(old, new)).significance_class == "major"


def test_a_text_whose_words_are_mostly_gone_is_rewritten() -> None:
    old = " ".join(f"The {n} boats of harbour {n} are painted." for n in range(20))
    new = " ".join(f"Some people near river {n} were singing." for n in range(20))
    assert "rewritten" in {reason.kind for reason in verdict(Wording(body=old), Wording(body=new)).reasons}


def test_more_hunks_than_are_looked_at_still_weigh() -> None:
    old = "\n\n".join(f"word{n} stays" for n in range(2_100))
    new = "\n\n".join(f"Word{n} stays" for n in range(2_100))
    found = verdict(Wording(body=old), Wording(body=new))
    assert [reason.kind for reason in found.reasons] == ["rewritten", "case"]


@pytest.mark.parametrize("code", sorted(all_meanings()))
def test_every_list_has_the_language_that_it_is_for(code: str) -> None:
    assert code in all_words()
    assert code in lexicon_of(" ".join(all_meanings()[code].common)).codes


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"negation": ["NOT"]}, id="capitals"),
        pytest.param({"negation": []}, id="no negation"),
        pytest.param({"numerals": {"minus": -1}}, id="a negative numeral"),
        pytest.param({"moods": ["sad"]}, id="an unknown list"),
        pytest.param({"variants": {"don’t": "do not"}}, id="a curly apostrophe"),
    ],
)
def test_a_faulty_list_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Meaning.model_validate(all_meanings()["en"].model_dump() | change)
