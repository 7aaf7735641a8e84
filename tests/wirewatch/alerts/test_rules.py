"""Rules: which change they match, in which words they say why, and what they refuse to be."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wirewatch.alerts.rules import Matcher, Rule, Subject
from wirewatch.judging import compare_and_judge
from wirewatch.model import Happened, Wording

OLD = Wording(
    headline="Ferry sinks off Port Hale",
    body="The ferry Gull sank on Monday. 12 people were killed, the coastguard said. A café-owner saw it.",
)
NEW = Wording(
    headline="Ferry sinks off Port Hale",
    body="The ferry Gull sank on Monday. 15 people were killed, the coastguard said. A café-owner saw it.",
)


def revised(old: Wording | str = OLD, new: Wording | str = NEW, **changes: Any) -> Subject:
    """Return the subject of a change from one wording, or body, to another."""
    before, after = (one if isinstance(one, Wording) else Wording(headline="H", body=one) for one in (old, new))
    found = compare_and_judge(before, after, None, None)
    defaults: dict[str, Any] = {
        "happened": "revised",
        "url": "https://courier.example/ferry",
        "feed": "https://courier.example/rss.xml",
        "feed_name": "Courier, local",
        "publisher": "Ellery Courier",
        "section": "Local",
        "language": "en-GB",
    }
    sides = {"old": before, "new": after, "diff": found.diff, "verdict": found.verdict}
    return Subject(**{**defaults, **sides, **changes})


def passed(happened: Happened) -> Subject:
    """Return the subject of what is no change of words: of an article that went away, or came back."""
    if happened == "returned":
        return replace(revised(), happened=happened, diff=None, verdict=None, old=None, new=OLD)
    return replace(revised(), happened=happened, diff=None, verdict=None, old=OLD, new=None)


def rule(when: dict[str, Any], **changes: Any) -> Rule:
    return Rule.model_validate({"name": "rule", "channels": "desk", "when": when, **changes})


def why(when: dict[str, Any], subject: Subject | None = None) -> tuple[str, ...] | None:
    """Return why a rule matches, None if it does not."""
    found = Matcher([rule(when)]).matches(subject or revised())
    return found[0].why if found else None


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ({}, "revised"),
        ({"about": "ferry", "reasons": "number"}, "number in the body: “12” → “15”"),
        ({"about": "PORT hale"}, "“PORT hale” in the story"),
        ({"about": "ferr*"}, "“ferr*” in the story"),
        ({"words": "15 people"}, "“15 people” in the new text"),
        ({"words": ["nothing", "12"]}, "“12” in the old text"),
        ({"old_words": "12"}, "“12” in the old text"),
        ({"new_words": "15"}, "“15” in the new text"),
        ({"patterns": r"\b1[0-9] people"}, "“12 people” in the old text matches"),
        ({"new_patterns": r"(?i)15 PEOPLE"}, "“15 people” in the new text matches"),
        ({"fields": ["headline", "body"]}, "the body changed"),
        ({"feeds": "https://courier.example/rss.xml"}, "feed https://courier.example/rss.xml"),
        ({"feeds": "courier,  LOCAL"}, "feed “Courier, local”"),
        ({"publishers": "ellery courier"}, "publisher “Ellery Courier”"),
        ({"sections": ["sport", "local"]}, "section “Local”"),
        ({"languages": "en"}, "language en-GB"),
        ({"signal": "update"}, "update"),
        ({"disclosure": ["undisclosed", "unknown"]}, "unknown"),
        ({"significance": "major"}, "major"),
        ({"score": 0.6}, "score 0.62"),
        ({"not": {"significance": "minor"}}, "not (significance: minor)"),
        ({"any": [{"fields": "headline"}, {"new_words": "15"}]}, "“15” in the new text"),
        ({"all": [{"fields": "body"}, {"old_words": "12"}]}, "“12” in the old text"),
    ],
    ids=str,
)
def test_change_is_matched_and_explained(when: dict[str, Any], reason: str) -> None:
    found = why(when)
    assert found is not None
    assert any(one.startswith(reason) for one in found), found


@pytest.mark.parametrize(
    "when",
    [
        {"words": "ferry"},  # it stands in the story, and neither came nor went
        {"about": "fer"},
        {"about": "gulls"},
        {"old_words": "15"},
        {"new_words": "12"},
        {"words": "1"},
        {"new_patterns": "12"},
        {"reasons": "name"},
        {"fields": "headline"},
        {"feeds": "https://courier.example/"},
        {"languages": "e"},
        {"score": 0.99},
        {"significance": ["minor", "notable"]},
        {"signal": "correction"},
        {"not": {"about": "ferry"}},
        {"any": [{"fields": "headline"}, {"reasons": "name"}]},
        {"all": [{"fields": "body"}, {"reasons": "name"}]},
        {"happened": "withdrawn"},
        {"about": "ferry", "publishers": "Harbour Post"},
    ],
    ids=str,
)
def test_other_change_is_not(when: dict[str, Any]) -> None:
    assert why(when) is None


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("首相は辞任した", "辞任", True),
        ("首相は留任した", "辞任", False),
        ("ミサイルを発射", "サイル", False),  # a run of katakana is one word
        ("Премьер ушёл", "премьер", True),
        ("Премьера прошла", "премьер", False),
        ("الوزير استقال", "الوزير", True),
        ("นายกลาออกแล้ว", "ลาออก", True),
        ("मंत्री गए", "मंत्री", True),
        ("STRASSE gesperrt", "straße", True),
        ("cafe\u0301 closed", "CAFÉ", True),
        ("it\u2019s over", "it's over", True),
        ("so\u00adlution found", "solution", True),
        ("1,500 people", "500", False),
        ("15.5 metres", "15", False),
        ("a ferry-owner", "ferry", True),
        ("two\n\nparagraphs", "two paragraphs", True),
        ("xa a a", "a a", True),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_words_are_whole_in_any_script(text: str, phrase: str, found: bool) -> None:
    assert (why({"new_words": phrase}, revised("Nothing is as it was. ", text)) is not None) is found
    assert (why({"about": phrase}, revised("Nothing is as it was. ", text)) is not None) is found


def test_phrase_counts_as_changed_where_some_of_it_was() -> None:
    subject = revised("The ferry subsidy stands. ", "The ferry grant stands. ")
    assert why({"old_words": "ferry subsidy"}, subject)
    assert why({"new_words": "ferry grant stands"}, subject)
    assert why({"words": "the ferry"}, subject) is None


@given(
    before=st.text("ab ", max_size=30), word=st.text("abc", min_size=1, max_size=8), after=st.text("ab ", max_size=30)
)
def test_word_that_was_put_in_is_found(before: str, word: str, after: str) -> None:
    assert why({"new_words": word}, revised(f"{before}.{after}", f"{before}. {word} .{after}"))


@pytest.mark.parametrize("happened", ["restamped", "withdrawn", "returned"])
def test_what_is_no_change_of_words_is_told_to_whoever_names_it(happened: Happened) -> None:
    subject = passed(happened)
    assert why({}, subject) is None
    assert why({"happened": [happened]}, subject) == (happened,)
    assert why({"any": [{"reasons": "number"}, {"happened": happened, "about": "ferry"}]}, subject)
    assert why({"happened": happened, "reasons": "number"}, subject) is None
    assert why({"happened": happened, "fields": "body"}, subject) is None


def test_all_of_a_withdrawn_article_went_and_all_of_a_returned_one_came() -> None:
    gone = passed("withdrawn")
    assert why({"happened": "withdrawn", "old_words": "gull"}, gone)
    assert why({"happened": "withdrawn", "new_words": "gull"}, gone) is None


def test_each_rule_is_asked_and_names_its_channels_once() -> None:
    rules = [
        Rule.model_validate({"name": "one", "channels": ["desk", "mail", "desk"]}),
        Rule.model_validate({"name": "two", "channels": "mail", "when": {"fields": "headline"}}),
        Rule.model_validate({"name": "three", "channels": "mail"}),
    ]
    found = Matcher(rules).matches(revised())
    assert [(one.rule, one.channels) for one in found] == [("one", ("desk", "mail")), ("three", ("mail",))]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"patterns": "(?=a)b"}, r"is no pattern that RE2 reads \(invalid perl operator: \(\?=\)"),
        ({"patterns": r"(a)\1"}, "is no pattern that RE2 reads"),
        ({"patterns": "((a{1000}){1000}){1000}"}, "is no pattern that RE2 reads"),
        ({"patterns": "("}, "is no pattern that RE2 reads"),
        ({"patterns": "a*"}, "matches where nothing stands"),
        ({"patterns": "a" * 1001}, "is no pattern of at most 1000"),
        ({"reasons": "numbr"}, "is unknown; did you mean number"),
        ({"fields": "title"}, "is unknown; there is headline"),
        ({"words": "..."}, "has no word in it"),
        ({"words": "a" * 201}, "at most 200"),
        ({"not": {}}, "an empty `not`"),
        ({"score": 2}, "is not between 0 and 1"),
        ({"feeds": " "}, "is empty"),
        ({"wrods": "a"}, "wrods"),
    ],
    ids=str,
)
def test_condition_that_means_nothing_is_refused(when: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        rule(when)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cap": 0}, "is not between 1 and 10,000"),
        ({"channels": []}, "names no channel"),
        ({"name": "My rule"}, "name"),
    ],
)
def test_rule_that_means_nothing_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        rule({}, **changes)


def test_pattern_that_would_explode_takes_time_in_proportion_to_the_text() -> None:
    subject = revised("Nothing is as it was. ", "a" * 20_000 + "!")
    began = time.process_time()
    assert why({"patterns": "(a+)+$"}, subject) is None
    assert time.process_time() - began < 5  # a backtracking engine takes longer than the universe has had


def test_text_of_nothing_but_near_misses_takes_no_longer_than_its_length() -> None:
    subject = revised("Nothing is as it was. ", "xa " + "a" * 1_000_000)
    began = time.process_time()
    assert why({"new_words": "a"}, subject) is None
    assert time.process_time() - began < 5
