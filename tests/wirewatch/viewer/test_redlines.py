"""A redline laid out in rows loses nothing, invents nothing, and folds only what nobody changed."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wirewatch.viewer.invented import FERRY_NEW, FERRY_OLD, HOSTILE
from wirewatch.diff import compare
from wirewatch.model import Wording
from wirewatch.viewer.redlines import Fold, Paragraphs, Row, Rows, excerpts, paragraph, paragraphs_of, rows

QUIET = "The money keeps the winter boats to the island running until the spring, and pays for four crossings a day."
PIECES = st.sampled_from(
    ["\n\n", "One two three. ", "The vote was 9 to 4. ", "not ", "9", "8", " ", "\n", "Four five six seven. ", "<b>"]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)


def laid_out(old: str, new: str) -> Rows:
    before, after = Wording(body=old), Wording(body=new)
    return rows(compare(before, after), before)


def all_rows(found: Rows) -> Iterable[Row]:
    for one in (*found.fields, *([found.body] if found.body else [])):
        for block in one.blocks:
            yield from block.rows if isinstance(block, Fold) else [block]


def letters(side: Iterable[Paragraphs]) -> str:
    """Return a side's text without white space; a stretch of nothing else is shown as signs, which are left out."""
    texts = (segment.text for paragraphs in side for one in paragraphs for segment in one)
    return "".join("".join(text.split()) for text in texts if text.strip("␣¶↵⇥⍽"))


@given(TEXTS, TEXTS)
def test_both_sides_read_as_the_two_texts(old: str, new: str) -> None:
    found = list(all_rows(laid_out(old, new)))
    if compare(Wording(body=old), Wording(body=new)).hunks:
        assert letters(row.old for row in found) == "".join(old.split())
        assert letters(row.new for row in found) == "".join(new.split())


@given(TEXTS, TEXTS)
def test_changes_are_numbered_from_the_top_and_have_a_sign(old: str, new: str) -> None:
    found = laid_out(old, new)
    numbers = [row.change for row in all_rows(found) if row.sign]
    assert numbers == list(range(1, found.changes + 1))
    assert all(row.change is None for row in all_rows(found) if not row.sign)


@given(TEXTS, TEXTS)
def test_what_is_folded_was_not_changed(old: str, new: str) -> None:
    found = laid_out(old, new)
    folds = [block for block in (found.body.blocks if found.body else ()) if isinstance(block, Fold)]
    assert all(row.old == row.new and not row.sign for fold in folds for row in fold.rows)


def test_what_changed_beside_the_body_stands_before_it() -> None:
    found = rows(compare(FERRY_OLD, FERRY_NEW), FERRY_OLD)
    assert [one.heading for one in found.fields] == ["Headline", "Standfirst"]
    assert found.body is not None
    assert [block.sign if isinstance(block, Row) else "fold" for block in found.body.blocks] == [
        "±",
        "",
        "fold",
        "",
        "+",
        "",
    ]


@pytest.mark.parametrize(
    ("old", "new", "signs"),
    [
        (f"A.\n\n{QUIET}", f"A.\n\nNew here.\n\n{QUIET}", ["", "+", ""]),
        (f"Gone.\n\n{QUIET}", QUIET, ["−", ""]),
        ("The vote was 9 to 4.", "The vote was 8 to 4.", ["±"]),
        ("One. Two is here.", "One.\n\nTwo is here.", ["±"]),
    ],
    ids=["a paragraph came", "a paragraph went", "a word changed", "a paragraph was divided"],
)
def test_each_paragraph_that_changed_has_a_row_of_its_own(old: str, new: str, signs: list[str]) -> None:
    assert [row.sign for row in all_rows(laid_out(old, new))] == signs


def test_both_halves_of_a_move_are_linked_to_each_other() -> None:
    moved = "The ferry was late again on Tuesday evening, passengers at the quay said."
    found = laid_out(f"{QUIET}\n\n{QUIET} A.\n\n{moved}", f"{moved}\n\n{QUIET}\n\n{QUIET} A.")
    html = "".join(paragraph(one) for row in all_rows(found) for one in row.both)
    assert html.count('id="move-1-from" href="#move-1-to"') == 1
    assert html.count('id="move-1-to" href="#move-1-from"') == 1
    assert 'data-move="1"' in html


def test_a_change_is_told_without_colour_and_cannot_be_forged() -> None:
    old, new = Wording(headline="Vote"), Wording(headline=f"Vote {HOSTILE}")
    html = "".join(paragraph(one) for row in all_rows(rows(compare(old, new), old)) for one in row.both)
    assert '<ins><span class="sr"> [inserted: </span>' in html
    assert "<script" not in html
    assert "‹U+202E›" in html


def test_long_unchanged_stretches_of_a_changed_paragraph_can_be_unfolded() -> None:
    long = " ".join(f"word{n}" for n in range(200))
    (row,) = all_rows(laid_out(f"A 9 {long}", f"A 8 {long}"))
    (folded,) = (segment for one in row.both for segment in one if segment.kind == "folded")
    assert folded.count == 140
    assert "word100" in folded.text
    assert not any(segment.kind == "folded" for one in row.old for segment in one)


def test_a_short_redline_is_made_from_the_hunks_alone() -> None:
    headline, standfirst, body = excerpts(compare(FERRY_OLD, FERRY_NEW))
    assert str(paragraph(standfirst.segments)).startswith('<span class="note">… </span>council approved a <del>')
    assert headline.segments[-1].text == " after recount"
    assert [segment.text for segment in body.segments if segment.kind == "deleted"] == ["9", "4"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("On {} the council took a vote of {} today.", "On Monday the council took a vote of 9 today."),
        (
            "On {} the council met and then took a vote of {} today.",
            "On Monday the council met and then took a vote of 9 today.",
        ),
        (
            "On {} the council met in the old hall and took a vote of {} today.",
            "On Monday the council met in the … and took a vote of 9 today.",
        ),
    ],
    ids=["near", "touching", "apart"],
)
def test_a_short_redline_joins_neighbouring_changes_where_their_surroundings_meet(text: str, shown: str) -> None:
    (body,) = excerpts(compare(Wording(body=text.format("Monday", "9")), Wording(body=text.format("Friday", "8"))))
    assert "".join(segment.text for segment in body.segments if segment.kind != "inserted") == shown


def test_a_short_redline_stays_short() -> None:
    whole = compare(Wording(body=""), Wording(body="word " * 5000))
    (body,) = excerpts(whole)
    assert sum(len(segment.text) for segment in body.segments) < 300
    assert "4960 words" in body.segments[-1].text


def test_paragraphs_are_divided_by_blank_lines_and_visible() -> None:
    assert paragraphs_of("One.\n\n\n \n\nTwo\x07.\n") == ("One.", "Two␇.\n")
