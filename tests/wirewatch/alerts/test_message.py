"""A message says in its first line what changed, and everything it quotes is bounded and harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from tests.builders import at, claim
from tests.wirewatch.alerts.contract import ALERTS
from tests.wirewatch.alerts.told import INSTANCE, LINKS, NEW, OLD, alert, story
from wirewatch.alerts.channels.base import Digest, Quiet
from wirewatch.alerts.message import Links, Message, compose
from wirewatch.alerts.model import Story
from wirewatch.model import Wording
from wirewatch.wording import LANGUAGES

VIEWER = Links(instance=INSTANCE, viewer="https://watch.example", config="my file.yaml")
LONG = " ".join(f"word{n}" for n in range(2000))


def told(one: Story | None = None, links: Links = LINKS, **how: Any) -> Message:
    return compose(alert(one or story()), links, **how)


@pytest.mark.parametrize(
    ("one", "first_line"),
    [
        pytest.param(
            story(new_stamp=claim("modified", 100), old_stamp=claim("modified", 100), not_before=at(151)),
            "Ellery Courier changed 12 to 15 killed in paragraph 3, 63 minutes after publication, without notice.",
            id="undisclosed",
        ),
        pytest.param(
            story(new_stamp=claim("modified", 151), old_stamp=claim("modified", 100)),
            "Ellery Courier changed 12 to 15 killed in paragraph 3, 63 minutes after publication,"
            " with a new time stamp.",
            id="disclosed, by the publisher's own clock",
        ),
        pytest.param(
            story(),
            "Ellery Courier changed 12 to 15 killed in paragraph 3, 48 to 63 minutes after publication.",
            id="unknown",
        ),
        pytest.param(
            story(not_before=at(80)),
            "Ellery Courier changed 12 to 15 killed in paragraph 3, within 63 minutes of publication.",
            id="seen from before publication",
        ),
        pytest.param(
            story(not_before=at(88 + 50), not_after=at(88 + 60 * 5)),
            "Ellery Courier changed 12 to 15 killed in paragraph 3, 50 minutes to 5 hours after publication.",
            id="a wide window",
        ),
        pytest.param(
            story(not_before=at(88 + 1440 * 3), not_after=at(88 + 1440 * 3 + 30)),
            "Ellery Courier changed 12 to 15 killed in paragraph 3, 3 days after publication.",
            id="days",
        ),
        pytest.param(
            story(published=None), "Ellery Courier changed 12 to 15 killed in paragraph 3.", id="publication unknown"
        ),
        pytest.param(
            story(published=claim("published", None, flags=("unreadable",))),
            "Ellery Courier changed 12 to 15 killed in paragraph 3.",
            id="publication unreadable",
        ),
        pytest.param(
            story(publisher=None),
            "courier.example changed 12 to 15 killed in paragraph 3, 48 to 63 minutes after publication.",
            id="publisher unknown",
        ),
        pytest.param(
            story(new=replace(NEW, correction="The number was wrong."), new_stamp=claim("modified", 151)),
            'Ellery Courier added "The number was wrong." to the correction note and changed 12 to 15 killed in'
            " paragraph 3, 63 minutes after publication, with a correction note.",
            id="correction",
        ),
        pytest.param(
            story(revisions=3),
            "Ellery Courier changed 12 to 15 killed in paragraph 3, 48 to 63 minutes after publication, in 3 steps.",
            id="several steps",
        ),
        pytest.param(
            story(new=None, happened="withdrawn", detail="HTTP 410"),
            'Ellery Courier withdrew "Ferry fire off the north pier" (HTTP 410), 48 to 63 minutes after publication.',
            id="withdrawn",
        ),
        pytest.param(
            story(new=None, happened="returned"),
            'Ellery Courier put "Ferry fire off the north pier" back.',
            id="returned",
        ),
        pytest.param(
            story(new=None, happened="restamped"),
            'Ellery Courier gave "Ferry fire off the north pier" a new time stamp and changed no word.',
            id="restamped",
        ),
        pytest.param(
            story(old=None, happened="published"),
            'Ellery Courier published "Ferry fire off the north pier".',
            id="published",
        ),
    ],
)
def test_first_line_says_what_changed(one: Story, first_line: str) -> None:
    message = told(one)
    assert message.first_line == first_line
    assert message.text.startswith(first_line)
    assert message.subject.startswith(" ".join(first_line.removesuffix(".").split()[:4]))


@pytest.mark.parametrize(
    ("kind", "first_line"),
    [
        ("digest", "Ellery Courier changed 12 to 15 killed in paragraph 3, and 1 more story changed."),
        ("group", "Ellery Courier made the same change in 14 articles: changed 12 to 15 killed in paragraph 3."),
        (
            "follow-up",
            (
                'Taken back: what you were told of "Ferry fire off the north pier" by Ellery Courier (changed 12 to 15'
                " killed in paragraph 3) did not happen like that; what was found since shows other steps."
            ),
        ),
        ("more", 'And 37 more for the rule "ferries" within the hour, which were not sent one by one.'),
        ("operator", "The feed https://courier.example/rss.xml has failed for a day."),
    ],
)
def test_first_line_of_other_alerts(kind: str, first_line: str) -> None:
    assert compose(ALERTS[kind], LINKS).first_line == first_line


def test_follow_up_of_several_stories_is_one_sentence_and_lists_them() -> None:
    both = alert(story(), story(headline="Ferry fire is out"), kind="follow_up", more=3)
    english, german = compose(both, LINKS), compose(both, LINKS, language="de")
    assert english.first_line == (
        'Taken back: what you were told of "Ferry fire off the north pier" by Ellery Courier and of 4 more stories did'
        " not happen like that."
    )
    assert german.first_line == (
        "Zurückgenommen: Was zu „Ferry fire off the north pier“ von Ellery Courier und zu 4 weiteren Artikeln gemeldet"
        " wurde, ist so nicht geschehen."
    )
    assert "2. Taken back" in english.text
    assert "and 3 more" in english.text


def test_german_is_german() -> None:
    message = told(
        story(new_stamp=claim("modified", 151), old_stamp=claim("modified", 100)), language="de", zone="Europe/Berlin"
    )
    assert message.first_line == (
        "Ellery Courier änderte 12 zu 15 killed in Absatz 3, 63 Minuten nach der Veröffentlichung,"
        " mit neuem Zeitstempel."
    )
    assert "Veröffentlicht 16. März 2026, 14:28 Uhr MEZ" in message.text
    assert "Geändert zwischen 15:16 und 15:31 Uhr MEZ am 16. März 2026" in message.text
    assert "Gesendet von Wirewatch." in message.text


@pytest.mark.parametrize("kind", ALERTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_alert_reads_as_text_and_as_html(kind: str, language: str) -> None:
    message = compose(ALERTS[kind], LINKS, language=language)
    assert message.problems == ()
    assert "\n" not in message.subject
    assert 0 < len(message.subject) <= 150
    assert not re.search(r"None|\n\n\n|  \n|\{\{|\[\]|\(\)", message.text)
    # The same words, in both.
    plain = " ".join(lxml_html.fromstring(message.html).text_content().split())
    assert " ".join(message.first_line.split()) in plain


def test_languages_have_the_same_words() -> None:
    assert len({frozenset(one.words) for one in LANGUAGES.values()}) == 1
    assert len({frozenset(one.labels.headings) for one in LANGUAGES.values()}) == 1


def test_times_have_their_zone_and_the_window_is_said() -> None:
    text = told(zone="Europe/London").text
    assert "Published 16 March 2026, 13:28 GMT" in text
    assert "Changed between 14:16 and 14:31 GMT on 16 March 2026" in text
    text = told(story(not_before=at(-600)), zone="America/New_York").text
    assert "Changed between 15 March 2026, 22:00 EDT and 16 March 2026, 10:31 EDT" in text
    assert "(zone assumed)" in told(story(published=claim("published", 88, zone="assumed"))).text


def test_window_over_a_change_of_clocks_names_both_zones() -> None:
    night: dict[str, Any] = {"not_before": at(-12 * 60 + 13 * 1440 + 30), "not_after": at(-12 * 60 + 13 * 1440 + 150)}
    assert "between 00:30 GMT and 03:30 BST on 29 March 2026" in told(story(**night), zone="Europe/London").text


def test_without_a_viewer_there_is_a_command_and_with_one_there_are_links() -> None:
    one = story()
    assert one.new_revision
    text = told(one).text
    assert "Article: https://courier.example/local/ferry" in text
    assert f"Record: {one.uri}, version 2" in text
    assert "Show all of it: wirewatch show https://courier.example/local/ferry\n" in text
    text = told(one, VIEWER).text
    assert f"All revisions: https://watch.example/articles/{one.article}" in text
    assert f"Record: https://watch.example/revisions/{one.new_revision.id}" in text
    assert "wirewatch show" not in text


def test_command_is_fit_for_a_shell() -> None:
    links = Links(instance=INSTANCE, config="my file.yaml")
    assert "wirewatch show 'https://courier.example/$(id)' --config 'my file.yaml'" in (
        told(story(url="https://courier.example/$(id)"), links).text
    )


def test_at_most_sixty_words_are_quoted_around_a_change() -> None:
    body = f"{LONG} 12 killed {LONG}"
    message = told(
        story(Wording(headline="Fire", body=body), Wording(headline="Fire", body=body.replace(" 12 ", " 15 ")))
    )
    quoted = re.search(r"\[… 1,?980 words …\](.*)\[-12-\]\{\+15\+\}(.*)\[… 1,?981 words …\]", message.text)
    assert quoted
    assert 10 <= len(f"{quoted[1]} {quoted[2]}".split()) <= 60


def test_a_long_insertion_is_cut_and_many_changes_are_counted() -> None:
    inserted = told(story(OLD, replace(OLD, body=f"{OLD.body}\n\n{LONG}"))).text
    assert len(re.findall(r"word\d+", inserted.partition("Body\n")[2])) <= 60
    assert "[… 1940 words …]" in inserted
    numbers = "\n\n".join(f"In {n} years there were {n} ferries and no more of them than that." for n in range(10, 60))
    many = (
        Wording(headline="Ferries", body=numbers),
        Wording(headline="Ferries", body=numbers.replace("ferries", "boats")),
    )
    text = told(story(*many)).text
    assert text.count("[-ferries-]") == 20
    assert "[… 30 more changes]" in text


def test_a_digest_and_a_group_are_bounded() -> None:
    many = [story(url=f"https://courier.example/{n}") for n in range(60)]
    digest = compose(alert(*many, kind="digest", more=3), LINKS).text
    assert digest.count("Show all of it") == 20
    assert "and 43 more" in digest
    group = compose(alert(*many, kind="group"), LINKS).text
    assert group.count("https://courier.example/") < 16
    assert "and 50 more" in group


@given(st.text(), st.text(max_size=200))
def test_publishers_text_is_one_line_where_one_is_meant_and_never_markup(headline: str, detail: str) -> None:
    message = told(story(new=None, happened="withdrawn", headline=headline, detail=detail, publisher=headline))
    for line in (message.subject, message.first_line):
        assert len(line.splitlines()) == 1
    tree = lxml_html.fromstring(message.html)
    assert {element.tag for element in tree.iter()} <= {"div", "p", "strong", "h2", "a", "br"}


def test_redline_in_a_message_cannot_be_forged() -> None:
    forged = story(old=replace(OLD, headline="x"), new=replace(OLD, headline="x [-12-]{+15+}"), publisher="A [-b-]")
    message = told(forged)
    for said in (message.text, lxml_html.fromstring(message.html).text_content()):
        marks = re.findall(r"\[-.*?-\]|\{\+.*?\+\}", said)
        assert marks == ["{+ [\\-12-\\]{\\+15+\\}+}"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "ftp://x.example/"])
def test_only_web_addresses_become_links(url: str) -> None:
    assert f'href="{url}' not in told(story(url=url)).html


# Templates of one's own


def own(folder: Path, **templates: str) -> Path:
    for name, text in templates.items():
        (folder / f"{name.replace('_', '.')}.j2").write_text(text, encoding="utf-8")
    return folder


def test_template_of_ones_own_is_taken_and_the_others_ship(tmp_path: Path) -> None:
    message = told(templates=own(tmp_path, alert_txt="{{ first_line }} / {{ stories[0].headline }}"))
    assert message.text == f"{message.first_line} / Ferry fire off the north pier"
    assert "</del><ins" in message.html
    assert message.problems == ()


def test_template_of_a_language_comes_before_the_one_for_all(tmp_path: Path) -> None:
    folder = own(tmp_path, subject_de_txt="Neu: {{ subject }}", subject_txt="New: {{ subject }}")
    assert told(templates=folder, language="de").subject.startswith("Neu: Ellery Courier änderte")
    assert told(templates=folder).subject.startswith("New: Ellery Courier changed")


def test_template_for_html_escapes_and_one_for_text_does_not(tmp_path: Path) -> None:
    folder = own(tmp_path, alert_html="<i>{{ stories[0].headline }}</i>", alert_txt="{{ stories[0].headline }}")
    message = told(story(headline="a < b & c"), templates=folder)
    assert (message.html, message.text) == ("<i>a &lt; b &amp; c</i>", "a < b & c")


def test_template_can_include_another(tmp_path: Path) -> None:
    (tmp_path / "foot.j2").write_text("Desk")
    assert told(templates=own(tmp_path, alert_txt="{% include 'foot.j2' %}")).text == "Desk"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ storys }}", "'storys' is undefined"),
        ("\n{% for %}", "line 2"),
        ("{{ ''.__class__.__mro__ }}", "access to attribute '__class__'"),
        ("{{ stories[0].__init__.__globals__ }}", "access to attribute"),
        ("{% include 'none.j2' %}", "none.j2"),
        ("{{ stories.append(1) }}", "append"),
        ("{% for n in range(10000000) %}{% endfor %}", "Range too big"),
    ],
    ids=["raises", "unknown name", "syntax", "escape", "escape by a method", "no such include", "changes", "endless"],
)
def test_template_that_fails_is_named_and_the_shipped_one_used(tmp_path: Path, template: str, said: str) -> None:
    message = told(templates=own(tmp_path, alert_txt=template))
    assert message.text == told().text
    (problem,) = message.problems
    assert str(tmp_path / "alert.txt.j2") in problem
    assert problem.endswith("the shipped alert.txt.j2 was.")
    assert said in problem


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    message = told(templates=tmp_path / "none")
    assert message.text == told().text
    assert len(message.problems) == 3
    assert "There is no folder" in message.problems[0]


# Quiet hours and digests


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"),
    [
        (("22:00", "07:00"), "UTC", at(9 * 60), None),
        (("22:00", "07:00"), "UTC", at(10 * 60), at(19 * 60)),
        (("22:00", "07:00"), "UTC", at(18 * 60 + 59), at(19 * 60)),
        (("22:00", "07:00"), "UTC", at(19 * 60), None),
        (("12:00", "13:00"), "UTC", at(0), at(60)),
        (("12:00", "13:00"), "America/New_York", at(0), None),
        (("22:00", "07:00"), "Europe/London", at(12 * 1440 + 11 * 60), at(12 * 1440 + 18 * 60)),
    ],
    ids=["day", "begins", "last minute", "ends", "at noon", "elsewhere", "clocks go forward in it"],
)
def test_quiet_hours_end_when_they_say(hours: tuple[str, str], zone: str, now: Any, until: Any) -> None:
    assert Quiet.model_validate({"begin": hours[0], "end": hours[1]}).until(now, zone) == until


def test_quiet_hours_have_a_zone_of_their_own_if_they_name_one() -> None:
    quiet = Quiet.model_validate({"begin": "22:00", "end": "07:00", "zone": "Asia/Tokyo"})
    assert quiet.until(at(60), "UTC") == at(10 * 60)


@pytest.mark.parametrize(
    ("digest", "waiting", "due"),
    [
        ({"every": "1h"}, 1, at(60)),
        ({"every": "1h", "count": 20}, 19, at(60)),
        ({"every": "1h", "count": 20}, 20, at(0)),
        ({"at": ["08:00", "17:30"]}, 1, at(330)),
        ({"at": ["08:00"]}, 1, at(20 * 60)),
        ({"at": ["12:00"]}, 1, at(0)),
        ({"every": "2h", "at": ["13:00"]}, 1, at(60)),
    ],
    ids=["time", "few", "many", "next time of day", "tomorrow", "now", "whichever is first"],
)
def test_digest_goes_when_it_says(digest: dict[str, Any], waiting: int, due: Any) -> None:
    assert Digest.model_validate(digest).due(at(0), waiting, "UTC") == due
