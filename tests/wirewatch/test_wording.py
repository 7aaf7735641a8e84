"""A diff in one sentence says which words changed and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.diff import compare
from wirewatch.model import Wording
from wirewatch.wording import sentence

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
