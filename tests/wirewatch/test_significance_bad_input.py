"""Texts of any script and size are judged in bounded time, and nothing in them is taken for lighter than it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.canonical import comparable
from wirewatch.diff import compare
from wirewatch.model import Verdict, Wording
from wirewatch.significance import LIGHT, judge


def verdict(old: str, new: str) -> Verdict:
    before, after = Wording(body=old), Wording(body=new)
    return judge(compare(before, after), before, after, old_stamp=None, new_stamp=None)


def kinds(found: Verdict) -> set[str]:
    return {reason.kind for reason in found.reasons}


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        pytest.param("เรือออกเวลาเช้า", "เรือออกเวลาค่ำ", "wording", id="Thai"),
        pytest.param("השר הגיע לעיר", "השר עזב לעיר", "wording", id="Hebrew"),
        pytest.param("मैं काम", "मैं कीम", "wording", id="a vowel sign"),
        pytest.param("ต้า", "ต่า", "wording", id="a tone mark"),
        pytest.param("me 👍", "me 👎", "wording", id="an emoji"),
        pytest.param("a 👩‍👩‍👧 here", "a 👩‍👩‍👦 here", "wording", id="an emoji sequence"),
        pytest.param("سه شنبه‌ها", "سه شنبه ها", "wording", id="a joiner in Persian"),
        pytest.param("it is 5 €", "it is 5 $", "wording", id="a currency"),
        pytest.param("it is 5 ‰", "it is 5 %", "wording", id="per mille"),
        pytest.param("€5 a day", "$5 a day", "money", id="a currency at the number"),
        pytest.param("ru\u200bn", "run", "space", id="a hidden space"),
        pytest.param("cafe\u0301", "café", "space", id="a composed letter"),
        pytest.param("right\u200e to left", "right to left", "space", id="a direction mark"),
        pytest.param("the word\ufffds", "the words", "wording", id="an unreadable letter inside a word"),
    ],
)
def test_every_script_has_its_changes(old: str, new: str, kind: str) -> None:
    found = verdict(old, new)
    assert kind in kinds(found), found
    assert (found.significance_class == "minor") == (kind in LIGHT)


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda n: ("word " * n, "word " * n + "not"), id="one line, a word more"),
        pytest.param(lambda n: ("字" * n, "字" * n + "不"), id="no spaces"),
        pytest.param(lambda n: ("'" * n, '"' * n), id="quotation marks"),
        pytest.param(lambda n: ("“" * n + "a", "“" * n + "b"), id="marks that open and never close"),
        pytest.param(lambda n: ("'a" * n, "'a" * n + " b"), id="apostrophes"),
        pytest.param(lambda n: ("e" + "\u0301" * (n // 100), "e" + "\u0301" * (n // 100 + 1)), id="combining marks"),
        pytest.param(lambda n: ("1" * n, "2" * n), id="a number of many digits"),
        pytest.param(lambda n: ("1,111" * (n // 5), "1111" * (n // 5)), id="separators"),
        pytest.param(lambda n: ("a\n" * n, "b\n" * n), id="lines"),
        pytest.param(lambda n: (". " * n, "? " * n), id="sentences of one mark"),
        pytest.param(lambda n: ("5 minutes " * (n // 10), "6 minutes " * (n // 10)), id="almost ago"),
        pytest.param(lambda n: ("x", "Correction: " * (n // 10)), id="a note without end"),
        pytest.param(lambda n: ("A1 " * n, "B2 " * n), id="names and numbers"),
    ],
)
def test_long_texts_are_judged_with_a_bounded_number_of_reasons(build: object) -> None:
    old, new = build(100_000)  # type: ignore[operator]
    assert len(verdict(old, new).reasons) < 10_000


def test_a_change_too_long_to_be_looked_at_is_major() -> None:
    found = verdict("word " * 30_000, "term " * 30_000)
    assert ("uncompared" in kinds(found), found.significance_class) == (True, "major")


@given(st.text(max_size=60), st.text(max_size=60))
def test_only_what_keeps_every_letter_is_minor_for_its_marks(old: str, new: str) -> None:
    found = verdict(old, new)
    marks = {"case", "punctuation", "quote_marks", "space"}
    if kinds(found) and kinds(found) <= marks:
        left, right = ("".join(c for c in comparable(t).lower() if c.isalnum()) for t in (old, new))
        assert left == right


@given(
    st.lists(st.sampled_from(["not", "12", "-5", "1.5", "15", "?", ".", "“no”", "Quill", "\n\n"]), max_size=12),
    st.data(),
)
def test_a_change_of_numbers_or_negation_is_never_minor(pieces: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(pieces)))
    extra = data.draw(st.sampled_from(["not", "12", "-5", "1.5"]))
    old, new = " ".join(["It is", *pieces]), " ".join(["It is", *pieces[:at], extra, *pieces[at:]])
    assert verdict(old, new).significance_class != "minor"
