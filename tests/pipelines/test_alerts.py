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
from pipelines.config import BadConfiguration, Config, load
from pipelines.run import open_store
from pipelines.sending import send_waiting
from tests.builders import absence, at
from tests.pipelines.site import configure, feed, page, story, world
from tests.wirewatch.alerts.desk import keep, said, url
from wirewatch import wording
from wirewatch.alerts.channels import base
from wirewatch.bounded import Pool
from wirewatch.clock import FixedClock
from wirewatch.model import Seen
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


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Give a configuration with a rule and a channel, in the folder that commands are called in."""
    monkeypatch.chdir(tmp_path)
    return configure(tmp_path, alerts=ALERTS)


def rules(config: Config, *others: dict[str, Any]) -> None:
    """Write other rules into the configuration."""
    text = json.loads(config.path.read_text())
    text["alerts"]["rules"] = list(others)
    config.path.write_text(json.dumps(text))


def typed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    """Type a command; return its answer and what it says beside it."""
    capsys.readouterr()
    assert main(list(words)) == code
    said = capsys.readouterr()
    return said.out, said.err


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(typed(capsys, *words, "--json")[0])


def test_run_says_what_waits_and_until_when_and_sends_it_when_it_is_ripe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with world(tmp_path, {"/feed.xml": feed([PATH]), PATH: boats(12)}, alerts=ALERTS) as made:
        made.run(0)
        made.site.answers[PATH] = boats(15)
        first = made.run(15)
        assert "1 alert waits until 2026-03-16 12:17:00 UTC." in first.sentence()
        assert first.as_json()["alerts"]["waiting"] == {"desk": 1}
        second = made.run(17)
        assert second.sentence().startswith("Read 0 feeds and 0 articles. Sent 1 alert (1 to desk).")
        assert "changed 12 to 15" in capsys.readouterr().out
        assert "alert" not in made.run(18).sentence()


def test_send_command_sends_lists_and_sends_again(desk: Config, pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    keep(desk.open_store(), pool, [said("a", 12, 0), said("a", 15, 10)], desk.alerting)
    out, _ = typed(capsys, "alerts", "try")
    assert "number in the body: “12” → “15”; “harbour council” in the story" in out
    assert answered(capsys, "alerts", "list") == []
    out, _ = typed(capsys, "send")
    assert "changed 12 to 15" in out
    assert out.endswith("Sent 1 alert (1 to desk).\n")
    (told,) = answered(capsys, "alerts", "list")
    assert (told["state"], told["channel"], told["rule"], told["kind"]) == ("sent", "desk", "numbers", "change")
    shown = typed(capsys, "alerts", "show", told["id"])[0]
    assert "changed 12 to 15" in shown
    assert "number in the body: “12” → “15”" in shown
    assert answered(capsys, "alerts", "show", told["id"])["matches"][0]["state"] == "sent"
    assert typed(capsys, "send")[0] == "Nothing waits.\n"
    _, err = typed(capsys, "alerts", "again", told["id"])
    assert err.startswith("1 alert will be sent again, under the same id")
    assert "changed 12 to 15" in typed(capsys, "send")[0]
    assert [one["id"] for one in answered(capsys, "alerts", "list", "--state", "sent")] == [told["id"]]


def test_rule_that_is_tried_is_asked_about_the_past_as_it_was(
    desk: Config, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = absence(20, Seen.GONE, "HTTP 410", url=url("a"))
    keep(desk.open_store(), pool, [said("a", 12, 0), said("a", 15, 10), gone, said("a", 15, 30)])
    rules(
        desk,
        {"name": "old", "channels": "desk", "when": {"old_words": "12 crossings"}},
        {"name": "never", "channels": "desk", "when": {"old_words": "15 crossings"}},
        {"name": "away", "channels": "desk", "when": {"happened": "withdrawn", "old_words": "15 crossings"}},
        {"name": "back", "channels": "desk", "when": {"happened": "returned", "new_words": "15 crossings"}},
    )
    answer = answered(capsys, "alerts", "try")
    assert answer["asked"] == 3
    assert [match["rule"] for one in answer["matched"] for match in one["matches"]] == ["back", "away", "old"]
    assert "matched by rule: never 0. Nothing was sent." in typed(capsys, "alerts", "try", "--rule", "never")[1]
    assert answered(capsys, "alerts", "try", "--since", "2027-01-01T00:00:00Z")["asked"] == 0


def test_back_fill_that_is_tried_is_said_to_alert_nobody(
    desk: Config, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(desk.open_store(), pool, [said("a", 12, 0), said("a", 15, 10)], desk.alerting, replay=True)
    assert "nobody: back-fill" in typed(capsys, "alerts", "try")[0]
    assert typed(capsys, "send")[0] == "Nothing waits.\n"


def test_operator_hears_of_a_feed_that_fails_and_that_it_is_well_again(
    desk: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(desk, at(0))
    with store.begin() as conn:
        conn.execute(sa.update(feeds).values(failures=40, last_detail="HTTP 503", last_success=at(0)))
    assert send_waiting(desk, store, FixedClock(at(25 * 60)), print).sent == {"desk": 1}
    assert "could not be read since 2026-03-16 12:00 UTC: HTTP 503" in capsys.readouterr().out
    assert send_waiting(desk, store, FixedClock(at(25 * 60 + 1)), print).sent == {}
    with store.begin() as conn:
        conn.execute(sa.update(feeds).values(failures=0, last_success=at(26 * 60)))
    assert send_waiting(desk, store, FixedClock(at(26 * 60)), print).sent == {"desk": 1}
    assert "can be read again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["alerts", "again"], "Name the alerts to send again, or give --dead"),
        (["alerts", "again", "nothing"], "nothing is no alert that was sent or given up"),
        (["alerts", "show", "nothing"], "There is no alert nothing; `wirewatch alerts list` names"),
        (["alerts", "on", "mail"], "There is no channel 'mail'; there is desk"),
        (["alerts", "list", "--state", "lost"], "--state: 'lost' is not waiting or sent or dead"),
        (["alerts", "try", "--rule", "names"], "There is no rule 'names'; there is numbers"),
        (["send", "--every", "often"], "--every: 'often' is no duration"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_misuse_is_told_in_a_sentence(
    desk: Config, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert message in typed(capsys, *words, code=2)[1]


def test_sending_without_channels_says_where_to_name_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    configure(tmp_path)
    assert "has no channels; name one under alerts.channels" in typed(capsys, "send", code=2)[1]


def test_run_in_which_nothing_waits_imports_nothing_that_sends(tmp_path: Path) -> None:
    desk = configure(tmp_path, alerts=ALERTS)
    store = open_store(desk, at(0))
    with store.begin() as conn:
        conn.execute(sa.update(feeds).values(due_at=at(60)))
    program = f"""
import sys
from pathlib import Path
from pipelines.config import load
from pipelines.run import run_pass
from tests.builders import at
from wirewatch.clock import FixedClock
print(run_pass(load(Path({str(desk.path)!r}), {{}}), FixedClock(at(1))).sentence())
heavy = ("apache_beam", "apprise", "aiohttp", "courlan", "jinja2", "re2", "rich", "urllib3", "wirewatch.wording")
print(*(name for name in (*heavy, "wirewatch.alerts.sender") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    sentence, loaded = done.stdout.splitlines()
    assert sentence.startswith("Read 0 feeds and 0 articles.")
    assert loaded == ""


def test_languages_that_a_configuration_knows_are_those_that_alerts_are_written_in() -> None:
    assert tuple(wording.LANGUAGES) == base.LANGUAGES


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (
            {"channels": [{"kind": "pigeon", "name": "desk"}]},
            "alerts.channels[0].kind: there is no channel 'pigeon'; there is",
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
