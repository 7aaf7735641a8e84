"""Sentences are linked to what became of them, as well as the figures say, and none is lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._revising import EDITED, KINDS, MOVED_OVER, revise
from benchmarks.alignment import ALL_LINKS, EDITED_LINKS, KIND_GOAL, LINKS_GOAL, Scores, revisions, wirewatch
from wirewatch.diff.links import links
from wirewatch.diff.words import sentences

ARTICLES = (Path(__file__).parent / "articles.txt").read_text(encoding="utf-8").split("\n=====\n")
MAYOR = "The mayor opened the new harbour bridge."
COST = "It cost three million more than was planned."
WAIT = "Residents had waited for it for 9 long years."
GLAD = "He said: “We are very glad today.”"
END = "That is all for today, he said."


def told(old: str, new: str) -> list[tuple[str, str, str]]:
    return [(link.kind, old[slice(*link.old)], new[slice(*link.new)]) for link in links(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            f"{MAYOR} {COST}", f"{MAYOR}\n\n{COST}", [("same", MAYOR, MAYOR), ("same", COST, COST)], id="same"
        ),
        pytest.param(WAIT, WAIT.replace("9", "8"), [("number", WAIT, WAIT.replace("9", "8"))], id="number"),
        pytest.param(
            GLAD, GLAD.replace("glad", "sad"), [("quotation", GLAD, GLAD.replace("glad", "sad"))], id="quotation"
        ),
        pytest.param(GLAD, GLAD.replace("He", "She"), [("reworded", GLAD, GLAD.replace("He", "She"))], id="speaker"),
        pytest.param(
            WAIT,
            WAIT.replace("9", "nearly 8"),
            [("reworded", WAIT, WAIT.replace("9", "nearly 8"))],
            id="word and number",
        ),
        pytest.param(
            f"{MAYOR} {END}",
            f"{MAYOR} {COST} {END}",
            [("same", MAYOR, MAYOR), ("added", "", COST), ("same", END, END)],
            id="added",
        ),
        pytest.param(
            f"{MAYOR} {COST} {END}",
            f"{MAYOR} {END}",
            [("same", MAYOR, MAYOR), ("removed", COST, ""), ("same", END, END)],
            id="removed",
        ),
        pytest.param(
            END,
            "That is all. For today, he said.",
            [("split", END, "That is all. For today, he said.")],
            id="split",
        ),
        pytest.param(
            f"{MAYOR} {COST}",
            f"{MAYOR[:-1]} and it cost three million more than was planned.",
            [("merged", f"{MAYOR} {COST}", f"{MAYOR[:-1]} and it cost three million more than was planned.")],
            id="merged",
        ),
        pytest.param(
            f"{MAYOR} {COST} {WAIT}",
            f"{COST} {WAIT} {MAYOR}",
            [("same", COST, COST), ("same", WAIT, WAIT), ("moved", MAYOR, MAYOR)],
            id="moved",
        ),
        pytest.param(
            f"{MAYOR} {WAIT} {GLAD} {END}",
            f"{WAIT.replace('9', '8')} {GLAD.replace('glad', 'sad')} {END.replace('all', 'it')} {MAYOR}",
            [
                ("number", WAIT, WAIT.replace("9", "8")),
                ("quotation", GLAD, GLAD.replace("glad", "sad")),
                ("reworded", END, END.replace("all", "it")),
                ("moved", MAYOR, MAYOR),
            ],
            id="moved past reworded ones",
        ),
        pytest.param(
            "今日は晴れ。明日は雨。",
            "今日は雪。明日は雨。",
            [("reworded", "今日は晴れ。", "今日は雪。"), ("same", "明日は雨。", "明日は雨。")],
            id="japanese",
        ),
        pytest.param("", MAYOR, [("added", "", MAYOR)], id="from nothing"),
        pytest.param("", "", [], id="nothing"),
    ],
)
def test_each_sentence_is_told_with_what_became_of_it(old: str, new: str, expected: list[tuple[str, str, str]]) -> None:
    assert told(old, new) == expected


PARTS = st.lists(st.sampled_from([MAYOR, COST, WAIT, WAIT.replace("9", "8"), GLAD, "Yes.", "猫。", "\n\n"]), max_size=9)


@given(st.one_of(st.text(max_size=60), PARTS.map(" ".join)), st.one_of(st.text(max_size=60), PARTS.map(" ".join)))
def test_every_sentence_of_both_texts_is_in_exactly_one_link(old: str, new: str) -> None:
    found = links(old, new)
    for text, places in ((old, [link.old for link in found]), (new, [link.new for link in found])):
        ends = [0]
        for start, end in sorted(place for place in places if place[0] < place[1]):
            assert not text[ends[-1] : start].strip()
            ends.append(end)
        assert not text[ends[-1] :].strip()
    for link in found:
        if link.kind in {"same", "moved"}:
            assert old[slice(*link.old)] == new[slice(*link.new)]
        assert (link.kind == "added") == (link.old[0] == link.old[1])
        assert (link.kind == "removed") == (link.new[0] == link.new[1])


@pytest.fixture(scope="module")
def sample() -> Scores:
    """Score 180 revisions of the invented articles; the real texts' figures are `make bench`'s."""
    found = Scores()
    for seed in range(1, 31):
        for revision in revisions(ARTICLES, seed, len(ARTICLES)):
            found.add(revision, wirewatch(revision))
    return found


@pytest.mark.parametrize("row", [ALL_LINKS, EDITED_LINKS, *KINDS])
def test_links_and_kinds_are_as_right_as_ever_on_the_sample(sample: Scores, row: str) -> None:
    score = sample.rows[row]
    assert score.gold >= 30
    assert score.f1 >= (KIND_GOAL if row in KINDS else LINKS_GOAL)


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_revision_is_what_its_record_says(seed: int) -> None:
    made = revisions(ARTICLES, seed, len(ARTICLES))
    assert made == revisions(ARTICLES, seed, len(ARTICLES))
    assert len(made) == len(ARTICLES)
    for revision in made:
        old, new = (
            [text[slice(*span)] for span in spans]
            for text, spans in ((revision.old, revision.old_spans), (revision.new, revision.new_spans))
        )
        for text, parts in ((revision.old, old), (revision.new, new)):
            assert "".join(parts) == "".join(
                text[a:b].strip() for a, b in zip([0, *sentences(text)], sentences(text), strict=False)
            )
        assert sorted(n for done in revision.done for n in done.old) == list(range(len(old)))
        assert [n for done in revision.done for n in done.new] == list(range(len(new)))
        edited = [done for done in revision.done if done.kind != "same"]
        assert EDITED[0] * len(old) - 1 <= len(edited) <= EDITED[1] * len(old) + 1
        for done in revision.done:
            if done.kind in {"same", "moved"}:
                assert [old[n] for n in done.old] == [new[n] for n in done.new]
            if done.kind == "moved":
                check_moved_far(revision.done.index(done), [other.old for other in revision.done])


def check_moved_far(at: int, order: list[tuple[int, ...]]) -> None:
    (number,) = order[at]
    passed = [other for n, other in enumerate(order) if other and (n < at) != (other[0] < number)]
    assert len(passed) >= MOVED_OVER


def test_a_text_too_short_to_be_edited_is_passed_over() -> None:
    assert (
        revise("Too short. Really.", random.Random(1), ["word"] * 60, ["A stranger came to the harbour town."]) is None
    )
