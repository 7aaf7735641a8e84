"""`run`, `watch` and `replay` as a user types them, beside the invented newsroom."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main
from wirewatch.demo import Newsroom
from wirewatch.demo.stories import at

ROOT = Path(__file__).parents[2]
STORY = "http://courier.example/local/ferry-subsidy"
MISSING = "http://courier.example/nothing-here"


@pytest.fixture
def newsroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Newsroom]:
    """Give a newsroom, and a configuration beside one that watches a story of it."""
    monkeypatch.chdir(tmp_path)
    with Newsroom() as running:
        Path("wirewatch.yaml").write_text(
            f"""\
instance: {{authority: news.example, since: "2026"}}
fetch:
  contact: you@example.org
  spacing: 0
  connect_to: {{courier.example: {running.connect_to["courier.example"]}}}
articles: [{STORY}]
sinks: [{{kind: jsonl, name: files, folder: out}}]
work: {{children: 1}}
""",
            encoding="utf-8",
        )
        yield running


def answered(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """Type a command; return what it answers to a program."""
    capsys.readouterr()
    ended = main([*arguments, "--json"])
    said = capsys.readouterr()
    assert ended == code, said.err
    return json.loads(said.out)


def test_run_and_watch_keep_what_the_newsroom_publishes_and_revises(
    newsroom: Newsroom, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answered(capsys, "run")["counts"]["article"] == {"new": 1}
    newsroom.set_time(at("15:31"))
    watched = answered(capsys, "watch", STORY)
    assert watched["pass"]["counts"]["article"] == {"revised": 1}
    assert [len(one["revisions"]) for one in watched["articles"]] == [2]
    comparison = answered(capsys, "show", STORY)["comparison"]
    assert comparison["sentence"].startswith('added "after recount" to the headline')
    written = [json.loads(line) for path in Path("out/events").iterdir() for line in path.read_text().splitlines()]
    assert sorted(event["type"].split(".")[2] for event in written) == ["published", "revised"]


def test_strict_run_ends_with_1_where_a_page_could_not_be_read(
    newsroom: Newsroom, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answered(capsys, "watch", MISSING, code=1)["articles"][0]["revisions"] == []
    path = Path("wirewatch.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace(STORY, f"{MISSING}-either"), encoding="utf-8")
    assert answered(capsys, "run", "--strict", code=1)["counts"]["article"] == {"failed": 1}


def test_replay_keeps_a_page_at_the_time_it_was_read(newsroom: Newsroom, capsys: pytest.CaptureFixture[str]) -> None:
    page = ROOT / "tests" / "wirewatch" / "pages" / "ferry_1421.html"
    when = ("--url", STORY, "--observed-at", "2026-03-16T14:26:00Z")
    assert answered(capsys, "replay", "wirewatch.yaml", str(page), *when)["counts"]["article"] == {"new": 1}
    assert answered(capsys, "replay", "wirewatch.yaml", str(page), *when)["counts"]["article"] == {"duplicate": 1}
    [seen] = answered(capsys, "show", STORY)["observations"]
    assert seen["observation"]["observed"] == "2026-03-16T14:26:00.000000Z"


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "Stopped. What was kept stays"), (signal.SIGTERM, 0, "")],
    ids=["Ctrl-C", "asked to end"],
)
def test_run_that_goes_on_ends_cleanly(number: int, code: int, said: str, newsroom: Newsroom) -> None:
    path = Path("wirewatch.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace(STORY, ""), encoding="utf-8")
    program = "import sys; from pipelines.cli import main; sys.exit(main(['run', '--every', '1h']))"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("Read 0 feeds and 0 articles")
        time.sleep(0.2)  # until it waits for the next pass
        process.send_signal(number)
        assert process.wait(timeout=60) == code
        told = process.stderr.read()
    assert said in told
    assert "Traceback" not in told
