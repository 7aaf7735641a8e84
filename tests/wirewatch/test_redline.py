"""A redline shows both wordings, and no publisher can forge it."""

from __future__ import annotations

import html as escaping
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from wirewatch.diff import compare
from wirewatch.model import Wording
from wirewatch.redline import html, plain, terminal, visible

PIECES = st.sampled_from(
    [
        "[-",
        "-]",
        "{+",
        "+}",
        "[moved 1-",
        "[\\-",
        "-\\]",
        "[",
        "-",
        "]",
        "{",
        "+",
        "}",
        "\\",
        "<del>",
        "&amp;",
        '"',
        " ",
        "<script>alert(1)</script>",
        "\x1b[31m",
        "\u202e",
        "\u2066",
        "\x9b",
        "9",
        "vote",
        "One two three four five. ",
        ".\n\n",
    ]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join))
MARKED = re.compile(r"\[(?:moved \d+)?-(?P<old>.*?)-\]|\{(?:moved \d+)?\+(?P<new>.*?)\+\}", re.DOTALL)
ESCAPED = re.compile(r"(?<=[\[{])\\(?=\\*(?:moved \d+)?[-+])|(?<=[-+])\\(?=\\*[\]}])")


def bodies(old: str, new: str) -> tuple[Wording, Wording]:
    return Wording(body=old), Wording(body=new)


def read_back(redline: str, side: str) -> str:
    """Return one side's text out of an unfolded plain redline of a body."""
    text = redline.removeprefix("Body\n")
    parts, at = [], 0
    for match in MARKED.finditer(text):
        parts += [ESCAPED.sub("", text[at : match.start()]), ESCAPED.sub("", match[side] or "")]
        at = match.end()
    return "".join([*parts, ESCAPED.sub("", text[at:])])


@given(TEXTS, TEXTS)
def test_plain_text_without_its_marks_is_the_old_or_the_new_text(old: str, new: str) -> None:
    before, after = bodies(old, new)
    redline = plain(compare(before, after), before, context=None)
    if old != new:
        assert read_back(redline, "old") == visible(old)
        assert read_back(redline, "new") == visible(new)


@given(TEXTS, TEXTS, st.integers(0, 3) | st.none())
def test_html_has_no_markup_but_its_own(old: str, new: str, context: int | None) -> None:
    before, after = bodies(old, new)
    page = html(compare(before, after), before, context=context, styles=True)
    bare = re.sub(
        r"</?(?:section|h3|p|del|ins|small)"
        r'(?: (?:class="redline"|dir="auto"|data-move="\d+"|style="[-a-z0-9#:;. ]*"))*>'
        r"|<br>|&(?:lt|gt|amp|quot|#x27);",
        "",
        page,
    )
    assert not set("<>&\"'") & set(bare)
    if context is None and old != new:
        shown = page.replace("<br>", "\n")
        for gone, expected in (("ins", old), ("del", new)):
            kept = re.sub(
                rf"<{gone}[^>]*>.*?</{gone}>|<small[^>]*>.*?</small>|<h3>.*?</h3>", "", shown, flags=re.DOTALL
            )
            assert escaping.unescape(re.sub(r"<[^>]*>", "", kept)) == visible(expected)


@given(TEXTS, TEXTS, st.integers(0, 3) | st.none())
def test_no_renderer_lets_a_control_character_through(old: str, new: str, context: int | None) -> None:
    before, after = bodies(old, new)
    diff = compare(before, after)
    for shown in (
        plain(diff, before, context=context),
        html(diff, before, context=context),
        terminal(diff, before, context=context).plain,
    ):
        assert not [sign for sign in shown if unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} and sign != "\n"]
        assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_the_terminal_strikes_out_and_underlines_with_marks() -> None:
    before, after = bodies("It cost 4.2 million.", "It cost 4.7 million.")
    console = Console(force_terminal=True, color_system="standard", width=80, legacy_windows=False, _environ={})
    with console.capture() as capture:
        console.print(terminal(compare(before, after), before))
    assert capture.get() == ("\x1b[1mBody\x1b[0m\nIt cost \x1b[9;31m[-4.2-]\x1b[0m\x1b[4;32m{+4.7+}\x1b[0m million.\n")


def test_fields_have_headings_in_their_order() -> None:
    old = Wording(headline="Ferry late", body="It is late.", correction="None")
    new = Wording(headline="Ferry lost", body="It is lost.", byline="By Marta Quill", correction="None")
    assert plain(compare(old, new), old) == (
        "Headline\nFerry [-late-]{+lost+}\n\nByline\n{+By Marta Quill+}\n\nBody\nIt is [-late-]{+lost+}."
    )


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(0, "[-w0-]{+NEW+} w1 w2 [… 17 words …]", id="at the start"),
        pytest.param(10, "[… 8 words …] w8 w9 [-w10-]{+NEW+} w11 w12 [… 7 words …]", id="in the middle"),
        pytest.param(19, "[… 17 words …] w17 w18 [-w19-]{+NEW+}", id="at the end"),
        pytest.param(3, "w0 w1 w2 [-w3-]{+NEW+} w4 w5 [… 14 words …]", id="too little to fold"),
    ],
)
def test_long_unchanged_stretches_are_folded(at: int, expected: str) -> None:
    parts = [f"w{n}" for n in range(20)]
    before, after = bodies(" ".join(parts), " ".join([*parts[:at], "NEW", *parts[at + 1 :]]))
    assert plain(compare(before, after), before, context=2) == f"Body\n{expected}"


def test_between_two_changes_both_are_given_context() -> None:
    parts = [f"w{n}" for n in range(20)]
    before, after = bodies(" ".join(parts), " ".join(["X", *parts[1:-1], "Y"]))
    shown = plain(compare(before, after), before, context=2)
    assert shown == "Body\n[-w0-]{+X+} w1 w2 [… 14 words …] w17 w18 [-w19-]{+Y+}"


def test_moved_sentences_say_so_in_every_form() -> None:
    first, second = "The mayor opened the harbour bridge.", "It cost three million more than was planned."
    before, after = bodies(f"{first} {second} End.", f"{second} {first} End.")
    diff = compare(before, after)
    assert "[moved 1-" in plain(diff, before)
    assert "{moved 1+" in plain(diff, before)
    assert html(diff, before).count('data-move="1"') == 2
    assert "[moved 1-" in terminal(diff, before).plain


def test_styles_are_written_into_elements_only_on_demand() -> None:
    before, after = bodies("It is late.", "It is lost.")
    assert "style=" not in html(compare(before, after), before)
    assert '<del style="color:' in html(compare(before, after), before, styles=True)


def test_what_was_put_in_and_taken_out_can_be_cut() -> None:
    old, new = Wording(body="One. " + "gone " * 30 + "End."), Wording(body="One. " + "come " * 40 + "End.")
    diff = compare(old, new)
    assert plain(diff, old, changed=3) == (
        "Body\nOne. [-gone gone gone-] [… 27 words …]{+come come come+} [… 37 words …] End."
    )


def test_changes_beyond_a_number_are_counted_over_all_fields() -> None:
    old = Wording(headline="a b", body="One cat sat.\n\nTwo dogs sat.\n\nThree cows sat.")
    new = Wording(headline="a c", body="One cat ran.\n\nTwo dogs ran.\n\nThree cows ran.")
    shown = plain(compare(old, new), old, changes=2)
    assert shown == "Headline\na [-b-]{+c+}\n\nBody\nOne cat [-sat-]{+ran+} [… 2 more changes]"


def test_scripts_without_spaces_are_folded_too() -> None:
    text = "知事は火曜日の会見で、県内の橋の補修を来年度から三年をかけて進める方針を明らかにした。" * 8
    old, new = Wording(body=f"{text}死者は十二人。{text}"), Wording(body=f"{text}死者は十五人。{text}")
    shown = plain(compare(old, new), old, context=10)
    assert "[-二-]{+五+}" in shown
    assert "words …]" in shown
    assert len(shown) < 120


def test_marks_are_written_into_html_where_colours_may_get_lost() -> None:
    old, new = Wording(headline="a [-b-]"), Wording(headline="c [-b-]")
    shown = html(compare(old, new), old, marks=True)
    assert "<del>[-a-]</del><ins>{+c+}</ins> [\\-b-\\]" in shown
    assert "<del>a</del><ins>c</ins> [-b-]" in html(compare(old, new), old)


def test_a_word_without_an_end_is_cut_as_well() -> None:
    old, new = Wording(body="x"), Wording(body="y" * 100_000)
    assert len(plain(compare(old, new), old, changed=3)) < 300
