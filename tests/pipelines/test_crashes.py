"""A pass that is killed anywhere loses nothing and says nothing twice: the next one leaves what one alone would have.

Real processes and `kill -9`, at moments that are told from outside: what the site was asked, and what lies in the
store and in the sink's folder.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final

import pytest
import sqlalchemy as sa

from tests.builders import at
from tests.pipelines.site import World, delivered, exported, feed, page, story, world
from tests.wirewatch.fetch_site import answered, to
from wirewatch.store import Store, outbox
from wirewatch.store.tables import counters, deliveries, observations

ROOT: Final = Path(__file__).parents[2]
PATHS: Final = tuple(f"/{number}" for number in range(8))
SECOND_PASS: Final = 20  # minutes
ONE_CHILD: Final = {"children": 1}  # each killed process starts its own

Moment = Callable[[World], bool]
Outcome = tuple[list[bytes], list[bytes]]


def newsroom() -> dict[str, Any]:
    """Return a site with articles as they are at first."""
    return {"/feed.xml": feed(PATHS), **{path: page(story(f"Headline of {path}", about=path)) for path in PATHS}}


def revise(w: World) -> None:
    """Change half of the articles, withdraw one and move one."""
    for path in PATHS[:4]:
        w.site.answers[path] = page(story(f"Headline of {path}", about=f"The council voted on {path} after all."))
    w.site.answers[PATHS[4]] = answered(status=410)
    w.site.answers["/moved"] = w.site.answers[PATHS[5]]
    w.site.answers[PATHS[5]] = to("/moved", status=301)


class Jobs:
    """Runs passes and replays in processes of their own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.pipelines.job"],
            cwd=ROOT,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._hear()

    def run(self, w: World, minutes: float | str, *, at_once: int = 1, room: int | None = None) -> list[int]:
        """Make passes at once and return their exit codes; no file may grow beyond `room`."""
        self._start([{"config": str(w.config.path), "minutes": minutes, "room": room}] * at_once)
        return self._hear()

    def kill_when(self, w: World, moment: Moment, minutes: float, *inputs: Path) -> bool:
        """Kill a pass as soon as that is so; return whether it came to that before the pass was done."""
        one = {"config": str(w.config.path), "minutes": minutes, "inputs": [*map(str, inputs)]}
        (number,) = self._start([one])
        while not self._has_answered(within=0.002):
            if moment(w):
                os.kill(number, signal.SIGKILL)
                break
        return self._hear() == [-signal.SIGKILL]

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()

    def _start(self, jobs: Sequence[Mapping[str, Any]]) -> list[int]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(jobs).encode() + b"\n")
        return self._hear()

    def _hear(self) -> Any:
        return json.loads(self._answers().readline())

    def _answers(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _has_answered(self, *, within: float) -> bool:
        return bool(select.select([self._answers()], [], [], within)[0])


@pytest.fixture(scope="module")
def jobs() -> Iterator[Jobs]:
    """Give what runs jobs."""
    started = Jobs()
    yield started
    started.close()


def outcome(w: World) -> Outcome:
    """Return what a deployment has to show: its ledger export, and every line that its sink was given."""
    return exported(w.store), sorted(delivered(w.folder / "out" / "records") + delivered(w.folder / "out" / "events"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return what two passes leave that nobody kills."""
    with world(tmp_path_factory.mktemp("undisturbed"), newsroom()) as w:
        w.run(0)
        revise(w)
        w.run(SECOND_PASS)
        return outcome(w)


def after(seconds: float) -> Moment:
    until = time.monotonic() + seconds
    return lambda _: time.monotonic() > until


def asked(number: int) -> Moment:
    """Tell when the site has been asked for so many of the articles in this pass."""
    return lambda w: sum(path in PATHS for path in w.site.paths()) >= number


def kept(number: int) -> Moment:
    return lambda w: _count(w, sa.select(sa.func.count()).select_from(observations)) >= number


def written(w: World) -> bool:
    return any((w.folder / "out").glob("*/*"))


def _count(w: World, query: sa.Select[Any]) -> int:
    with w.store.reading() as conn:
        return conn.scalar(query) or 0


@pytest.mark.parametrize(
    ("server", "first", "second"),
    [
        pytest.param("sqlite", [asked(3), kept(5), written], [kept(12)], id="sqlite"),
        pytest.param("postgresql", [kept(3)], [kept(12)], id="postgresql"),
    ],
)
def test_pass_that_is_killed_again_and_again_leaves_what_one_alone_would_have(  # noqa: PLR0917 (fixtures)
    server: str,
    first: Sequence[Moment],
    second: Sequence[Moment],
    undisturbed: Outcome,
    jobs: Jobs,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    address = "sqlite:///wirewatch.db"
    if server == "postgresql":
        address = request.getfixturevalue("databases").empty()
    with world(tmp_path, newsroom(), store=address, work=ONE_CHILD) as w:
        Store.shared(w.config.store)
        killed = [jobs.kill_when(w, moment, 0) for moment in first]
        w.run(0)
        kinds = w.kinds()
        revise(w)
        killed += [jobs.kill_when(w, moment, SECOND_PASS) for moment in second]
        w.run(SECOND_PASS)
        left = outcome(w)

    assert killed[0]
    assert kinds == ["published"] * len(PATHS)
    assert left == undisturbed


@pytest.mark.parametrize("killed", [0, SECOND_PASS], ids=["the first pass", "the second pass"])
def test_pass_that_is_killed_at_any_time_leaves_what_one_alone_would_have(
    killed: int, undisturbed: Outcome, jobs: Jobs, tmp_path: Path
) -> None:
    with world(tmp_path, newsroom(), work=ONE_CHILD) as w:
        for minutes in (0, SECOND_PASS):
            if minutes:
                revise(w)
            if minutes == killed:
                jobs.kill_when(w, after(random.uniform(0.1, 2.5)), minutes)
            w.run(minutes)
        left = outcome(w)

    assert left == undisturbed


def test_lease_of_a_process_on_another_machine_runs_out(jobs: Jobs, tmp_path: Path) -> None:
    with world(tmp_path, newsroom()) as w:
        assert jobs.kill_when(w, asked(2), 0)
        with w.store.begin() as conn:
            conn.exec_driver_sql("UPDATE articles SET lease = 'elsewhere/1/1/1' WHERE lease IS NOT NULL")
        early = w.run(1)
        late = w.run(30)

    assert sum(early.counts["article"].values()) + sum(late.counts["article"].values()) == len(PATHS)
    assert late.counts["article"]["new"] >= 1
    assert w.kinds() == ["published"] * len(PATHS)


def test_sink_file_that_was_written_and_never_marked_is_written_again_with_the_same_bytes(tmp_path: Path) -> None:
    with world(tmp_path, newsroom()) as w:
        w.run(0)
        files = {path.name: path.read_bytes() for path in (tmp_path / "out" / "events").iterdir()}
        with w.store.begin() as conn:
            conn.execute(sa.update(deliveries).values(delivered=None, lease_ends=at(1)))
        waiting = outbox.waiting(w.store)
        report = w.run(2)
        again = {path.name: path.read_bytes() for path in (tmp_path / "out" / "events").iterdir()}

    assert waiting == {"files": 2 * len(PATHS)}
    assert report.delivered == waiting
    assert again == files


@pytest.mark.parametrize("room", [200_000, 700_000], ids="{:,} bytes".format)
def test_disk_that_is_full_is_said_in_a_sentence_and_the_next_pass_makes_it_good(
    room: int, undisturbed: Outcome, jobs: Jobs, tmp_path: Path
) -> None:
    with world(tmp_path, newsroom(), work=ONE_CHILD) as w:
        codes = jobs.run(w, 0, room=room)
        said = (tmp_path / "said").read_text()
        w.run(0)
        revise(w)
        w.run(SECOND_PASS)
        left = outcome(w)

    assert codes == [1]
    assert said.startswith("The store sqlite:///")
    assert said.endswith("start again.")
    assert left == undisturbed


def captures(path: Path) -> Path:
    """Write captures of the newsroom, before and after, as one file."""
    lines = []
    for minutes in (0, 30, 60):
        for name in PATHS:
            text = story(f"Headline of {name}", about=f"As of {minutes if name < '/4' else 0}.").decode()
            lines.append({"url": f"http://courier.example{name}", "observedAt": at(minutes).isoformat(), "body": text})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_replay_that_is_killed_and_run_again_leaves_what_one_alone_would_have(jobs: Jobs, tmp_path: Path) -> None:
    file = captures(tmp_path / "captures.jsonl")
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    with world(tmp_path / "whole") as w:
        w.replay(file, minutes=600)
        whole = outcome(w)
    with world(tmp_path / "killed", work={"wave": 5, **ONE_CHILD}) as w:
        killed = [jobs.kill_when(w, moment, 600, file) for moment in (kept(14), written)]
        w.replay(file, minutes=600)
        left = outcome(w)

    assert killed[0]
    assert left == whole


def test_two_passes_at_once_read_no_page_twice_and_their_counters_add_up(jobs: Jobs, tmp_path: Path) -> None:
    spacing, slack = 0.1, 0.05
    paths = [f"/{number}" for number in range(30)]
    answers = {path: page(story(f"Headline of {path}", about=path)) for path in paths}
    with world(tmp_path, {"/feed.xml": feed(paths), **answers}, fetch={"spacing": "100ms"}) as w:
        Store.shared(w.config.store)
        codes = jobs.run(w, "now", at_once=2)
        gaps = [after.at - before.at for before, after in pairwise(w.site.log)]
        with w.store.reading() as conn:
            counts = conn.execute(
                sa.select(counters.c.what, counters.c.outcome, sa.func.sum(counters.c.n)).group_by("what", "outcome")
            )
            counted = {(row.what, row.outcome): row[2] for row in counts}

    assert codes == [0, 0]
    assert sorted(set(w.site.paths()) - {"/robots.txt"}) == sorted(["/feed.xml", *paths])
    assert max(w.site.paths().count(path) for path in ["/feed.xml", *paths]) == 1
    assert min(gaps) >= spacing - slack
    assert counted == {("article", "new"): len(paths), ("feed", "new"): 1}
    assert sorted(event["subject"] for event in w.events()) == sorted({event["subject"] for event in w.events()})
    assert len(w.events()) == len(paths)
