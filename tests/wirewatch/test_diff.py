"""A diff rebuilds the new wording to the last space, and marks what a person would mark."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.diff import HUNKS_GOAL, Marked, Marks, by_us, in_characters
from wirewatch.diff import apply, compare
from wirewatch.diff.links import links
from wirewatch.diff.matching import Alphabet, likeness, matching_blocks
from wirewatch.diff.words import numbers, paragraphs, sentences, tokens
from wirewatch.errors import BadContent
from wirewatch.model import WORDING_FIELDS, Hunk, Wording
from wirewatch.redline import plain

FERRY_1421 = Wording(
    headline="Harbour council approves ferry subsidy",
    byline="By Marta Quill",
    body=(
        "PORT ELLERY — The harbour council approved a 4.2 million ferry subsidy on Monday.\n\n"
        "The vote was 9 to 4. The operator did not immediately comment."
    ),
)
FERRY_1524 = Wording(
    headline="Harbour council approves ferry subsidy after recount",
    byline="By Marta Quill",
    body=(
        "PORT ELLERY — The harbour council approved a 4.7 million ferry subsidy on Monday.\n\n"
        "The vote was 8 to 5 after a recount. Ellery Ferries said it welcomed the decision."
    ),
)
MAYOR = "The mayor opened the new harbour bridge."
COST = "It cost three million more than was planned."
WAIT = "Residents had waited for it for nine long years."

PIECES = st.sampled_from(
    [
        "the",
        "of",
        "9",
        "4.2",
        "-5",
        "€15m",
        "and",
        "Ferry",
        "“",
        "”",
        "'",
        ". ",
        ".\n\n",
        "  ",
        "\n",
        "。",
        "東京",
        "トラム",
        "ข่าว",
        "a\u0301",
        "👩‍👩‍👧",
        "שלום",
        "مرحبا",
        "؟ ",
        "हिन्दी",
        "। ",
        "Mr. ",
        "\r\n",
        "\u200b",
        "\u00a0",
        "\x00",
        f"{MAYOR} ",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(PIECES, max_size=40).map(" ".join),
    st.lists(PIECES, max_size=40).map("".join),
)
WORDINGS = st.builds(Wording, **{name: st.none() | TEXTS for name in ("headline", "standfirst", "body", "correction")})


def body(old: str, new: str) -> list[tuple[str, str]]:
    """Return what left and what came, hunk by hunk, in two bodies."""
    return [(hunk.old.exact, hunk.new.exact) for hunk in compare(Wording(body=old), Wording(body=new)).hunks]


def check_hunks(hunks: list[Hunk], old: str, new: str) -> None:
    at = new_at = 0
    for hunk in hunks:
        assert old[hunk.old.start : hunk.old.end] == hunk.old.exact
        assert new[hunk.new.start : hunk.new.end] == hunk.new.exact
        assert old[at : hunk.old.start] == new[new_at : hunk.new.start]
        assert hunk.old.exact != hunk.new.exact
        assert old[: hunk.old.start].endswith(hunk.old.prefix)
        assert new[hunk.new.end :].startswith(hunk.new.suffix)
        assert (hunk.op == "insert") == (not hunk.old.exact)
        assert (hunk.op == "delete") == (not hunk.new.exact)
        at, new_at = hunk.old.end, hunk.new.end
    assert old[at:] == new[new_at:]


@given(WORDINGS, WORDINGS)
def test_a_diff_turns_any_wording_into_any_other_in_every_field(old: Wording, new: Wording) -> None:
    diff = compare(old, new)
    assert apply(diff, old).present() == new.present()
    for name in WORDING_FIELDS:
        check_hunks([h for h in diff.hunks if h.field == name], getattr(old, name) or "", getattr(new, name) or "")
    assert 0 <= diff.similarity <= 1
    assert (not diff.hunks) == (old.present() == new.present())


@given(st.lists(st.sampled_from([MAYOR, COST, WAIT, "Yes."]), max_size=12), st.randoms(use_true_random=False))
def test_shuffled_and_repeated_sentences_come_back_in_their_new_order(parts: list[str], chance: random.Random) -> None:
    shuffled = chance.sample(parts, len(parts))
    old, new = Wording(body=" ".join(parts)), Wording(body="\n\n".join(shuffled))
    diff = compare(old, new)
    assert apply(diff, old).present() == new.present()
    moves = [hunk.move for hunk in diff.hunks if hunk.move is not None]
    assert all(moves.count(move) == 2 for move in moves)


@given(TEXTS)
def test_cutting_loses_nothing(text: str) -> None:
    assert "".join(tokens(text)) == "".join(text.split())
    for ends in (paragraphs(text), sentences(text)):
        assert ends == sorted(set(ends)) or not text
        assert ends[-1] == len(text)


def test_the_ferry_story_has_its_five_hunks_and_figures() -> None:
    diff = compare(FERRY_1421, FERRY_1524)
    assert [(h.field, h.op, h.old.exact, h.old.start, h.new.exact, h.new.start, h.new.end) for h in diff.hunks] == [
        ("headline", "insert", "", 38, " after recount", 38, 52),
        ("body", "replace", "4.2", 45, "4.7", 45, 48),
        ("body", "replace", "9", 96, "8", 96, 97),
        ("body", "replace", "4", 101, "5 after a recount", 101, 118),
        (
            "body",
            "replace",
            "The operator did not immediately comment",
            104,
            "Ellery Ferries said it welcomed the decision",
            120,
            164,
        ),
    ]
    assert (diff.hunks[3].old.prefix, diff.hunks[3].new.suffix) == (
        "day.\n\nThe vote was 9 to ",
        ". Ellery Ferries said it",
    )
    assert (diff.words_added, diff.words_removed, round(diff.similarity, 3)) == (13, 9, 0.787)
    assert diff.changed_fields == ("headline", "body")


@pytest.mark.parametrize(
    ("old", "new", "hunks"),
    [
        pytest.param("12 killed in the fire.", "15 killed in the fire.", [("12", "15")], id="number"),
        pytest.param("It paid $1.5 million.", "It paid $15 million.", [("$1.5", "$15")], id="decimal point"),
        pytest.param("It fell to -5 at night.", "It fell to 5 at night.", [("-5", "5")], id="sign"),
        pytest.param("It began at 14:21 sharp.", "It began at 15:24 sharp.", [("14:21", "15:24")], id="time of day"),
        pytest.param("A two-thirds vote.", "A three-fifths vote.", [("two-thirds", "three-fifths")], id="hyphen"),
        pytest.param("He did it.", "He did it?", [(".", "?")], id="question mark"),
        pytest.param("He did say so.", "He did not say so.", [("", "not ")], id="not added"),
        pytest.param("Then the therapist came.", "Then the rapist came.", [("therapist", "rapist")], id="split word"),
        pytest.param(
            "Posted bail in cash.", "Posted a libel video.", [("bail in cash", "a libel video")], id="rewritten"
        ),
        pytest.param("It is “so”.", 'It is "so".', [("“", '"'), ("”", '"')], id="quotes"),
        pytest.param("One  two.\u00a0Three.", "One two. Three.", [("  ", " "), ("\u00a0", " ")], id="spaces"),
        pytest.param("caf\u00e9 noir", "cafe\u0301 noir", [("caf\u00e9", "cafe\u0301")], id="composed letter"),
        pytest.param("The plan of Mr. Hale won.", "The plan of Mr. Dale won.", [("Hale", "Dale")], id="abbreviation"),
        pytest.param("賛成9、反対4。可決。", "賛成8、反対5。可決。", [("9", "8"), ("4", "5")], id="japanese"),
        pytest.param("सभा ने 4 योजना चुनी।", "सभा ने 5 योजना चुनी।", [("4", "5")], id="hindi"),
        pytest.param("ספינה 9 יצאה.", "ספינה 8 יצאה.", [("9", "8")], id="right to left"),
        pytest.param("ok 👩‍👩‍👧 ok", "ok 👩‍👩‍👦 ok", [("👩‍👩‍👧", "👩‍👩‍👦")], id="emoji family"),
        pytest.param("ok 👍🏻 ok", "ok 👍🏿 ok", [("👍🏻", "👍🏿")], id="emoji with a skin tone"),
        pytest.param("🇫🇷 won", "🇩🇪 won", [("🇫🇷", "🇩🇪")], id="flag"),
        pytest.param("市议会周一批准补贴。", "市议会周一否决补贴。", [("批准", "否决")], id="chinese"),
        pytest.param("เรือออกเวลาเช้า", "เรือออกเวลาค่ำ", [("เช้า", "ค่ำ")], id="thai"),
        pytest.param("ကျောင်းသား", "ကျောင်းသူ", [("သား", "သူ")], id="burmese"),
        pytest.param("여객선이 9시에 떠났다.", "여객선이 8시에 떠났다.", [("9시에", "8시에")], id="korean"),
        pytest.param(
            "صوّت المجلس لصالح الخطة.", "صوّت المجلس ضد الخطة.", [("لصالح", "ضد")], id="arabic with a vowel mark"
        ),
        pytest.param("کتاب‌ها آمد", "کتاب‌های آمد", [("کتاب‌ها", "کتاب‌های")], id="joiner inside a word"),
        pytest.param("in\u200bvisible", "invisible", [("in\u200bvisible", "invisible")], id="hidden space"),
        pytest.param("\u202eevil text", "evil text", [("\u202eevil", "evil")], id="direction override"),
        pytest.param("Z\u0351\u0352al go", "Z\u0351al go", [("Z\u0351\u0352al", "Z\u0351al")], id="stacked marks"),
    ],
)
def test_a_change_is_marked_by_whole_words(old: str, new: str, hunks: list[tuple[str, str]]) -> None:
    assert body(old, new) == hunks


@pytest.mark.parametrize(
    ("old", "new", "hunks"),
    [
        pytest.param(
            "The council rejected a generous offer.",
            "The council welcomed a miserly offer.",
            [("rejected a generous", "welcomed a miserly")],
            id="one short word is joined over",
        ),
        pytest.param(
            "The vote was 119 to 114 on Monday.",
            "The vote was 118 to 115 on Monday.",
            [("119", "118"), ("114", "115")],
            id="numbers stand alone",
        ),
        pytest.param(
            "The old council of the town met here.",
            "The new council of the city met here.",
            [("old", "new"), ("town", "city")],
            id="several words keep changes apart",
        ),
    ],
)
def test_changes_split_by_one_short_word_are_one(old: str, new: str, hunks: list[tuple[str, str]]) -> None:
    assert body(old, new) == hunks


def test_a_sentence_put_elsewhere_is_moved_not_deleted_and_added() -> None:
    old = Wording(body=f"{MAYOR}\n\n{COST}\n\n{WAIT}\n\nThat is all.")
    new = Wording(body=f"{COST}\n\n{WAIT}\n\nThat is all.\n\n{MAYOR}")
    moved = [hunk for hunk in compare(old, new).hunks if hunk.move is not None]
    assert [(hunk.op, hunk.move) for hunk in moved] == [("delete", 1), ("insert", 1)]
    assert all(MAYOR in (hunk.old.exact or hunk.new.exact) for hunk in moved)
    assert (compare(old, new).words_added, compare(old, new).words_removed) == (0, 0)


def test_sentences_that_move_together_are_one_move() -> None:
    parts = [f"This is sentence number {n} of the story." for n in range(8)]
    old, new = " ".join(parts), " ".join([*parts[2:], *parts[:2]])
    moves = [hunk.move for hunk in compare(Wording(body=old), Wording(body=new)).hunks if hunk.move is not None]
    assert moves == [1, 1]


def test_a_split_sentence_keeps_its_words() -> None:
    assert body(
        "The council met on Monday and approved the plan for the bridge.",
        "The council met on Monday. It approved the plan for the bridge.",
    ) == [(" and", ". It")]


def test_a_new_paragraph_break_is_the_only_change() -> None:
    assert body(f"{MAYOR} {COST}", f"{MAYOR}\n\n{COST}") == [(" ", "\n\n")]


def test_a_diff_of_another_wording_is_refused() -> None:
    with pytest.raises(BadContent, match="another wording"):
        apply(compare(FERRY_1421, FERRY_1524), Wording(headline="Harbour council", body="Something else."))


def test_the_figures_are_of_all_fields_where_there_is_no_body() -> None:
    diff = compare(Wording(headline="Ferry late"), Wording(headline="Ferry very late"))
    assert (diff.words_added, diff.words_removed) == (1, 0)
    assert compare(Wording(), Wording()).similarity == 1


def invented(count: int, seed: int, vocabulary: int = 3000) -> list[str]:
    chance = random.Random(seed)
    return [
        " ".join(f"w{chance.randrange(vocabulary)}" for _ in range(20)).capitalize() + "." for _ in range(count // 20)
    ]


@pytest.mark.parametrize("joint", [" ", "\n\n", " and "], ids=["one paragraph", "paragraphs", "one sentence"])
def test_a_line_added_to_a_live_blog_of_20000_words_is_one_hunk(joint: str) -> None:
    parts = invented(20_000, 1)
    if joint == " and ":
        parts = [part.rstrip(".") for part in parts]
    added = "15:24 The vote will be counted again."
    hunks = body(joint.join(parts), joint.join([*parts[:400], added, *parts[400:]]))
    assert len(hunks) == 1
    assert added.rstrip(".") in hunks[0][1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(" ".join(invented(20_000, 1)), " ".join(invented(20_000, 2)), id="20,000 words rewritten"),
        pytest.param("ab " * 100_000, "ba " * 100_000, id="one repetition for another"),
        pytest.param("." * 200_000, "." * 100_000 + "!" * 100_000, id="full stops"),
        pytest.param("a" * 500_000, "a" * 499_999 + "b", id="one word without end"),
        pytest.param("a" + "\u0301" * 100_000, "a" + "\u0301" * 100_001, id="combining marks"),
        pytest.param("\n \n" * 100_000, " \n" * 100_000, id="blank lines"),
        pytest.param("a\n\n" * 100_000, "b\n\n" * 100_000, id="paragraphs of one letter"),
        pytest.param("He said no. " * 10_000, "He said yes. " * 10_000, id="one sentence for another, again and again"),
        pytest.param("字" * 200_000, "字" * 100_000 + "不" + "字" * 100_000, id="no spaces and no stops"),
        pytest.param("👩‍👩‍👧 " * 20_000, "👩‍👩‍👦 " * 20_000, id="emoji sequences"),
        pytest.param("\u200d" * 200_000, "\u200d" * 200_000 + "a", id="joiners alone"),
        pytest.param("אב " * 60_000, "אב " * 59_999 + "גד ", id="right to left"),
        pytest.param("1," * 100_000, "2," * 100_000, id="one number without end"),
        pytest.param('"' * 200_000, "'" * 200_000, id="quotation marks"),
        pytest.param("word " * 2_000_000, "word " * 2_000_000 + "not", id="10 MB on one line"),
    ],
)
def test_large_and_hostile_texts_still_round_trip(old: str, new: str) -> None:
    before = Wording(body=old)
    diff = compare(before, Wording(body=new))
    assert apply(diff, before).body == new
    assert plain(diff, before)
    assert max((link.new[1] for link in links(old, new) if link.kind != "removed"), default=0) == len(new.rstrip())


@pytest.mark.parametrize(
    ("old", "new", "most"),
    [
        pytest.param(
            "".join(f"Xu{i}w1 u{i}w2 {'z ' * 50}end. " for i in range(100)),
            "".join(f"Y {' '.join(f'u{i}w{m} ' + 'q ' * 60 for i in range(100))} end. " for m in (1, 2)),
            0,
            id="many short sentences, two giant ones",
        ),
        pytest.param(
            "".join(f"X{i} u{i} {'z ' * 9_000}end. " for i in range(40)),
            "".join(f"Y{i} u{i} {'q ' * 9_000}end. " for i in range(40)),
            1 << 31,
            id="giant sentences on both sides",
        ),
    ],
)
def test_the_work_on_sentences_that_cannot_be_alike_is_bounded(
    old: str, new: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = 0

    def counted(one: str, other: str) -> float:
        nonlocal cells
        cells += len(one) * len(other)
        return likeness(one, other)

    monkeypatch.setattr("wirewatch.diff.align.likeness", counted)
    before = Wording(body=old)
    assert apply(compare(before, Wording(body=new)), before).body == new
    assert cells <= most


def test_a_text_of_more_than_a_million_different_words_is_refused() -> None:
    with pytest.raises(BadContent, match="different words"):
        Alphabet().spell([str(n) for n in range(0x110001)])


@given(st.text("abc", max_size=60), st.text("abcd", max_size=60))
def test_matching_blocks_are_common_and_in_order(old: str, new: str) -> None:
    i = j = 0
    for a, b, size in matching_blocks(old, new):
        assert a >= i
        assert b >= j
        assert old[a : a + size] == new[b : b + size]
        i, j = a + size, b + size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("4.2, 1,500 and -5 or €15m at 14:21.", ["4.2", "1,500", "-5", "€15m", "14:21"], id="plain"),
        pytest.param("A 9-5 win, a 19-year-old.", ["9-5", "19-year-old"], id="hyphens are no signs"),
        pytest.param("(-3) “+4” US$2bn 1.5億", ["-3", "+4", "$2bn", "1.5"], id="after brackets and letters"),
        pytest.param("COVID-19 on the F16", [], id="names are none"),
    ],
)
def test_numbers_are_whole(text: str, expected: list[str]) -> None:
    assert numbers(text) == expected


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(["He left. ", "She stayed! ", "Why?"], id="marks"),
        pytest.param(["“Stop!” he said. ", "“No.” ", "They went."], id="quotations"),
        pytest.param(["Dr. J. R. Hale of the U.S. office came at 9 p.m. today. ", "He left."], id="abbreviations"),
        pytest.param(["The vote was 9 to 4. ", "It cost 1.5 million."], id="numbers"),
        pytest.param(["Title\n\n", "First one.\n \n", "Second"], id="paragraphs"),
        pytest.param(["今日は晴れ。", "「本当？」", "はい！"], id="japanese"),
        pytest.param(["पहला वाक्य। ", "दूसरा वाक्य।"], id="hindi"),
        pytest.param(["هل وصل؟ ", "نعم."], id="arabic"),
        pytest.param(["ข่าวแรก ", "ข่าวที่สอง"], id="thai"),
    ],
)
def test_sentences_end_where_a_reader_ends_them(parts: list[str]) -> None:
    text = "".join(parts)
    ends = sentences(text)
    assert [text[start:end] for start, end in zip([0, *ends], ends, strict=False)] == parts


# What a person would mark: [-gone-] and {+come+}.
MARKED = [
    "The harbour council [-approved-]{+rejected+} the plan on Monday.",
    "The council [-rejected a generous-]{+welcomed a miserly+} offer from the ferry company.",
    "At least [-12-]{+15+} people were hurt when the roof of the market hall fell.",
    "The fire [-broke out-]{+started+} in the kitchen{+ of the old hotel+}, the police said.",
    "The minister[-, who took office in May,-] did not answer questions.",
    "Residents had to leave their homes{+ for two nights+} because of the smoke.",
    "[-According to the operator, the-]{+The+} ship was carrying timber and [-salt-]{+sugar+}.",
    "He was [-seen as the favourite-]{+thought to be the likely winner+} before the final.",
    "The vote was [-9-]{+8+} to [-4-]{+5+} {+after a recount +}in the town hall.",
    "The bridge, which was built in [-1936-]{+1938+}, will be closed until [-the end of March-]{+further notice+}.",
    "She said that the [-company had never-]{+firm had not once+} asked for a permit.",
    "Trains will run [-again from Tuesday-]{+every hour from Wednesday+}, the railway said.",
]


def test_hunks_are_where_a_person_would_mark_them_on_the_sample() -> None:
    found = Marks()
    for line in MARKED:
        gold: Marked = (set(), set())
        sides: tuple[list[str], list[str]] = ([], [])
        for gone, come, same in re.findall(r"\[-(.*?)-\]|\{\+(.*?)\+\}|((?:(?!\[-|\{\+).)+)", line):
            for n, text in enumerate((gone or same, come or same)):
                start = len("".join(sides[n]))
                sides[n].append(text)
                if not same:
                    gold[n].update(range(start, start + len(text)))
        old, new = map("".join, sides)
        marked = in_characters(by_us)(old, new)
        tokens_of = [[match.span() for match in re.finditer(r"\S+", text)] for text in (old, new)]
        people = tuple(
            {n for n, (a, b) in enumerate(places) if gold[side] & set(range(a, b))}
            for side, places in enumerate(tokens_of)
        )
        found.add(marked, (people[0], people[1]))
    assert found.f1 >= HUNKS_GOAL
