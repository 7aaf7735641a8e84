"""A diff in one sentence says which words changed and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.diff import compare
from wirewatch.model import Wording
from wirewatch.significance import judge
from wirewatch.significance.weights import by_weight
from wirewatch.wording import language, sentence

FIRST, SECOND = "The mayor opened the bridge.", "It cost three million more than planned."


def said(old: Wording, new: Wording) -> str:
    return sentence(compare(old, new), new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            Wording(headline="Ferry gets 4.2 million", body="It gets 4.2 million now."),
            Wording(headline="Ferry gets 4.7 million", body="It gets 4.7 million now."),
            'changed "4.2" to "4.7" in paragraph 1 and the headline',
            id="one change in two places",
        ),
        pytest.param(
            Wording(headline="Subsidy approved"),
            Wording(headline="Subsidy approved after recount"),
            'added "after recount" to the headline',
            id="added",
        ),
        pytest.param(
            Wording(body=f"{FIRST}\n\nHe did not speak."),
            Wording(body=f"{FIRST}\n\nHe did speak."),
            'removed "not" from paragraph 2',
            id="removed",
        ),
        pytest.param(
            Wording(body=f"{FIRST}\n\n{SECOND}"),
            Wording(body=f"{FIRST}\n\nHe spoke.\n\n{SECOND}"),
            'added "He spoke." to paragraph 2',
            id="paragraph added",
        ),
        pytest.param(
            Wording(body=f"{FIRST}\n\n{SECOND}\n\nThe end."),
            Wording(body=f"{SECOND}\n\nThe end.\n\n{FIRST}"),
            f'moved "{FIRST}" to paragraph 3',
            id="moved",
        ),
        pytest.param(
            Wording(body=FIRST, correction="Old note."),
            Wording(body=FIRST, correction="Old note. It was wrong."),
            'added "It was wrong." to the correction note',
            id="note",
        ),
        pytest.param(
            Wording(body="It’s  late."),
            Wording(body="It's late."),
            "changed only spacing or quote marks",
            id="levelled",
        ),
        pytest.param(Wording(body=FIRST), Wording(body=FIRST), "changed nothing", id="nothing"),
        pytest.param(
            Wording(headline="Late"),
            Wording(headline="Late {0} \x1b[31m\u202e{"),
            'added "{0} ␛[31m‹U+202E›{" to the headline',
            id="hostile text",
        ),
        pytest.param(
            Wording(headline="New"),
            Wording(headline="New", body=" ".join(["word"] * 40)),
            f'added "{"word " * 11}word…" (40 words) to paragraph 1',
            id="long text is cut",
        ),
    ],
)
def test_a_diff_reads_as_a_sentence(old: Wording, new: Wording, expected: str) -> None:
    assert said(old, new) == expected


def test_beyond_four_changes_the_rest_are_counted() -> None:
    old = "\n\n".join(f"In year {n} there were {n} ferries and no more." for n in range(10, 17))
    new = "\n\n".join(f"In year {n} there were {n + 20} ferries and no more." for n in range(10, 17))
    told = said(Wording(body=old), Wording(body=new))
    assert told.endswith("and made 3 more changes")
    assert told.startswith('changed "10" to "30" in paragraph 1, ')


@given(st.text(), st.text())
def test_any_diff_is_one_bounded_line(old: str, new: str) -> None:
    told = said(Wording(headline=old, body=new), Wording(headline=new, body=old))
    assert told
    assert "\n" not in told
    assert len(told) < 4_000


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("It counted 12 killed.", "It counted 15 killed.", "changed 12 to 15 killed in paragraph 1"),
        ("The vote was 9 to 4.", "The vote was 8 to 4.", "changed 9 to 8 in paragraph 1"),
        ("It cost $4.2 million then.", "It cost $4.7 million then.", "changed $4.2 to $4.7 million in paragraph 1"),
        ("It rose 3% with rain.", "It rose 5% with rain.", "changed 3 to 5 in paragraph 1"),
        ("Exactly 12.", "Exactly 15.", "changed 12 to 15 in paragraph 1"),
        ("Twelve killed.", "Fifteen killed.", 'changed "Twelve" to "Fifteen" in paragraph 1'),
    ],
    ids=["counted", "not counted", "money", "per cent", "at the end", "in words"],
)
def test_a_number_is_told_with_what_it_counts(old: str, new: str, expected: str) -> None:
    diff = compare(Wording(body=old), Wording(body=new))
    assert language("en").lead(diff, Wording(body=new), ()) == expected


def test_what_matters_most_comes_first_and_the_rest_is_counted() -> None:
    old = Wording(headline="Fire", body="A big cat sat.\n\nIt counted 12 killed.\n\nThe cow sat.\n\nThe dog sat.")
    new = Wording(headline="Fire", body="A wet cat sat.\n\nIt counted 15 killed.\n\nThe cow ran.\n\nThe dog lay.")
    diff = compare(old, new)
    reasons = by_weight(judge(diff, old, new, old_stamp=None, new_stamp=None).reasons)
    assert language("en").lead(diff, new, reasons) == (
        'changed 12 to 15 killed in paragraph 2, changed "big" to "wet" in paragraph 1 and made 2 more changes'
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (Wording(headline="A 4.2", body="B 4.2"), Wording(headline="A 4.7", body="B 4.7"), "änderte „4.2“ zu „4.7“ in"),
        (Wording(headline="A"), Wording(headline="A after recount"), "ergänzte „after recount“ in der Überschrift"),
        (Wording(body="Did not."), Wording(body="Did."), "strich „not“ in Absatz 1"),
        (
            Wording(body=f"{FIRST}\n\n{SECOND}"),
            Wording(body=f"{SECOND}\n\n{FIRST}"),
            f"verschob „{FIRST}“ nach Absatz 2",
        ),
        (Wording(body="It’s  late."), Wording(body="It's late."), "änderte nur Leerräume oder Anführungszeichen"),
        (Wording(body=FIRST), Wording(body=FIRST), "änderte nichts"),
    ],
    ids=["changed", "added", "removed", "moved", "levelled", "nothing"],
)
def test_a_diff_reads_as_a_german_sentence(old: Wording, new: Wording, expected: str) -> None:
    assert language("de").sentence(compare(old, new), new).startswith(expected)
