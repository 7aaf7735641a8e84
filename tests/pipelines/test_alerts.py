"""Alerts as a user has them: configured, tried, sent at the end of a run or by `send`, listed and sent again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.cli import main
from pipelines.config import BadConfiguration, load
from pipelines.sending import send_waiting
from tests.builders import at
from tests.pipelines.site import World, feed, page, story, world
from wirewatch.clock import FixedClock
from wirewatch.store import alerts
from wirewatch.store.tables import feeds

ROOT = Path(__file__).parents[2]
PATH = "/local/boats"
ALERTS: dict[str, Any] = {
    "operator": "desk",
    "channels": [{"kind": "terminal", "name": "desk"}],
    "rules": [{"name": "numbers", "channels": "desk", "when": {"reasons": "number", "about": "harbour council"}}],
}


def boats(n: int) -> bytes:
    return page(story("Boats", about=f"The harbour council counted {n} boats."))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[World]:
    """Give a deployment that has seen a story, and then a number change in it."""
    with world(tmp_path, {"/feed.xml": feed([PATH]), PATH: boats(12)}, alerts=ALERTS) as made:
        made.run(0)
        made.site.answers[PATH] = boats(15)
        yield made


def typed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert main([str(word) for word in words]) == code
    said = capsys.readouterr()
    return said.out, said.err


def test_run_says_what_waits_and_until_when_and_sends_it_when_it_is_ripe(
    desk: World, capsys: pytest.CaptureFixture[str]
) -> None:
    first = desk.run(15)
    assert "1 alert waits until 2026-03-16 12:17:00 UTC." in first.sentence()
    assert first.as_json()["alerts"]["waiting"] == {"desk": 1}
    second = desk.run(17)
    assert second.sentence().startswith("Read 0 feeds and 0 articles. Sent 1 alert (1 to desk).")
    assert "changed 12 to 15" in capsys.readouterr().out
    assert "alert" not in desk.run(18).sentence()


def test_send_command_sends_lists_and_sends_again(desk: World, capsys: pytest.CaptureFixture[str]) -> None:
    config = desk.folder / "wirewatch.yaml"
    desk.run(15)
    out, _ = typed(capsys, "alerts", "try", config)
    assert "number in the body: “12” → “15”; “harbour council” in the story" in out.replace("\n", " ")
    assert alerts.listed(desk.store, limit=10) == []
    out, _ = typed(capsys, "send", config)
    assert out.endswith("Sent 1 alert (1 to desk).\n")
    (told,) = json.loads(typed(capsys, "alerts", "list", "-c", config, "--json")[0])
    assert (told["state"], told["channel"], told["rule"], told["kind"]) == ("sent", "desk", "numbers", "change")
    assert typed(capsys, "send", config)[0] == "Nothing waits.\n"
    _, err = typed(capsys, "alerts", "again", told["id"], "-c", config)
    assert err.startswith("1 alert will be sent again, under the same id")
    assert "changed 12 to 15" in typed(capsys, "send", config)[0]
    assert [one.id for one in alerts.listed(desk.store, limit=10)] == [told["id"]]


def test_rule_that_is_tried_is_asked_about_the_past_as_it_was(desk: World, capsys: pytest.CaptureFixture[str]) -> None:
    config = desk.folder / "wirewatch.yaml"
    desk.run(15)
    text = json.loads(config.read_text())
    text["alerts"]["rules"] = [
        {"name": "old", "channels": "desk", "when": {"old_words": "12 boats"}},
        {"name": "never", "channels": "desk", "when": {"old_words": "15 boats"}},
    ]
    config.write_text(json.dumps(text))
    answer = json.loads(typed(capsys, "alerts", "try", config, "--json")[0])
    assert answer["asked"] == 1
    assert [match["rule"] for one in answer["matched"] for match in one["matches"]] == ["old"]
    _, err = typed(capsys, "alerts", "try", config, "--rule", "never")
    assert "matched by rule: never 0. Nothing was sent." in err
    assert (
        json.loads(typed(capsys, "alerts", "try", config, "--since", "2027-01-01T00:00:00Z", "--json")[0])["asked"] == 0
    )


def test_stored_withdrawals_restamps_and_returns_can_be_tried(desk: World, capsys: pytest.CaptureFixture[str]) -> None:
    config = desk.folder / "wirewatch.yaml"
    desk.site.answers[PATH] = page(b"", status=410)
    desk.run(15)
    desk.site.answers[PATH] = boats(12)
    desk.run(4 * 24 * 60)
    text = json.loads(config.read_text())
    text["alerts"]["rules"] = [
        {"name": "away", "channels": "desk", "when": {"happened": "withdrawn", "old_words": "12 boats"}},
        {"name": "back", "channels": "desk", "when": {"happened": "returned", "new_words": "12 boats"}},
    ]
    config.write_text(json.dumps(text))
    answer = json.loads(typed(capsys, "alerts", "try", config, "--json")[0])
    assert [match["rule"] for one in answer["matched"] for match in one["matches"]] == ["back", "away"]


def test_operator_hears_of_a_feed_that_fails_and_that_it_is_well_again(
    desk: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with desk.store.begin() as conn:
        conn.execute(sa.update(feeds).values(failures=40, last_detail="HTTP 503", last_success=at(0)))
    send_waiting(desk.config, desk.store, FixedClock(at(25 * 60)), print)
    assert "could not be read since 2026-03-16 12:00 UTC: HTTP 503" in capsys.readouterr().out
    desk.run(26 * 60)
    assert "can be read again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["alerts", "again"], "Name the alerts to send again, or give --dead"),
        (["alerts", "again", "nothing"], "nothing is no alert that was sent or given up"),
        (["alerts", "on", "mail"], "There is no channel 'mail'; there is desk"),
        (["alerts", "list", "--state", "lost"], "--state: 'lost' is not waiting or sent or dead"),
        (["alerts", "try", "--rule", "names"], "There is no rule 'names'; there is numbers"),
        (["send", "--every", "often"], "--every: 'often' is no duration"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_misuse_is_told_in_a_sentence(
    desk: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(desk.folder)
    _, err = typed(capsys, *words, code=2)
    assert message in err


def test_sending_without_channels_says_where_to_name_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with world(tmp_path, {"/feed.xml": feed([])}):
        _, err = typed(capsys, "send", code=2)
    assert "has no channels; name one under alerts.channels" in err


def test_run_in_which_nothing_waits_imports_nothing_that_sends(desk: World) -> None:
    desk.run(0.1)  # nothing is due, and nothing waits
    program = f"""
import sys
from datetime import timedelta
from pathlib import Path
from pipelines.config import load
from pipelines.run import run_pass
from tests.builders import at
from wirewatch.clock import FixedClock
print(run_pass(load(Path({str(desk.folder / "wirewatch.yaml")!r}), {{}}), FixedClock(at(0.2))).sentence())
heavy = ("apache_beam", "apprise", "aiohttp", "jinja2", "re2", "wirewatch.alerts.sender", "wirewatch.alerts.message")
print(*(name for name in heavy if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    sentence, loaded = done.stdout.splitlines()
    assert sentence.startswith("Read 0 feeds and 0 articles.")
    assert loaded == ""


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (
            {"channels": [{"kind": "pigeon", "name": "desk"}]},
            "alerts.channels[0]: there is no channel 'pigeon'; there is",
        ),
        ({"channels": [{"name": "desk"}]}, "alerts.channels[0]: the key kind is required"),
        (
            {"channels": [{"kind": "webhook", "name": "desk", "url": "ftp://a.example", "secret": "${KEY}"}]},
            "alerts.channels[0].url: 'ftp://a.example' is no address to post to",
        ),
        (
            {
                "channels": [
                    {"kind": "webhook", "name": "desk", "url": "https://a.example/", "secret": "whsec_c2VjcmV0"}
                ]
            },
            "alerts.channels[0].secret: the secret stands in the file; write ${NAME}",
        ),
        (
            {"channels": [{"kind": "webhook", "name": "desk", "url": "https://a.example/", "secret": "${SHORT}"}]},
            "alerts.channels[0].secret: this is no signing secret",
        ),
        (
            {"channels": [{"kind": "terminal", "name": "desk", "ratte": "1/h"}]},
            "alerts.channels[0].ratte: there is no such key; did you mean rate?",
        ),
        (
            {"channels": [{"kind": "terminal", "name": "desk"}] * 2},
            "alerts.channels[1].name: 'desk' is there already, as alerts.channels[0]",
        ),
        ({"operator": "desk"}, "alerts.operator: there is no channel 'desk'; name one under alerts.channels"),
        ({"rules": [{"name": "a", "channels": ["desk"]}]}, "alerts.rules[0].channels[0]: there is no channel 'desk'"),
        ({"rules": [{"name": "a"}]}, "alerts.rules[0].channels: this key is required"),
        (
            {"rules": [{"name": "a", "channels": "x", "when": {"not": {"wrods": "a"}}}]},
            "alerts.rules[0].when.not.wrods: there is no such key; did you mean words?",
        ),
        (
            {"rules": [{"name": "a", "channels": "x", "when": {"any": [{"patterns": "(a+)+(?=b)"}]}}]},
            "alerts.rules[0].when.any[0].patterns: '(a+)+(?=b)' is no pattern that RE2 reads",
        ),
        ({"settle": "2h"}, "alerts.settle: '2h' is not between 0s and 1h"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_mistake_in_the_configuration_is_told_with_its_place(
    tmp_path: Path, section: dict[str, Any], told: str
) -> None:
    settings = {"instance": {"authority": "news.example", "since": "2026"}, "fetch": {"contact": "a@b.example"}}
    path = tmp_path / "wirewatch.yaml"
    path.write_text(json.dumps({**settings, "alerts": section}))
    key = "whsec_" + "c2VjcmV0" * 5
    with pytest.raises(BadConfiguration) as caught:
        load(path, {"KEY": key, "SHORT": "whsec_c2hvcnQ="})
    assert any(told in str(problem) for problem in caught.value.problems), caught.value
    assert key not in str(caught.value)
    assert "c2hvcnQ" not in str(caught.value)
