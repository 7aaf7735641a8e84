"""What the benchmarks measure, on a small sample of invented text: no figure may fall.

A figure that rose is written down here, so that it cannot fall back.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import histories, significance, times
from tests.benchmarks import sample
from tests.wirewatch.test_histories import COUNTED, POLLS
from wirewatch.bounded import Pool
from wirewatch.canonical import comparable
from wirewatch.store import Store

ROOT = Path(__file__).parents[2]
PAIRS_WITH_OTHER_WORDS = 3  # a sentence put in, noon for ten, 15 for 5
NOT_MINOR = {("number", "-5", "5"), ("question", ".", "?"), ("question", "?", ".")}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.write(tmp_path_factory.mktemp("data"), POLLS)


def test_published_times_are_found_wherever_there_is_one(data: Path) -> None:
    found = times.measured(data / "extraction" / "fundus")
    assert [name for name, *_ in found.missed] == ["no_time.html.gz"]
    assert (found.right, found.pages, found.plain) == (12, 13, 3)
    assert (
        sum(pages for (kind, _, zone), pages in found.evidence.items() if (kind, zone) == ("published", "stated")) == 10
    )


def test_modified_times_are_those_that_the_page_states(data: Path) -> None:
    found = times.measured(data / "extraction" / "fundus")
    assert found.dated == {"stated": 5, "found": 5, "right": 5}
    assert found.modified == found.alike == {"JSON-LD": 2, "meta": 1, "printed": 3}
    assert found.agreeing == {"JSON-LD": 2, "meta": 1, "printed": 2}  # a German stamp states no zone
    assert (found.modified_flags["as_published"], found.modified_flags["before_published"]) == (1, 1)


def test_changes_of_marks_and_case_are_minor_and_those_of_meaning_are_not(data: Path) -> None:
    changed = [(old, new) for old, new in significance.pairs(data) if comparable(old) != comparable(new)]
    alike = [pair for pair in changed if significance.same_words(pair)]
    assert len(changed) - len(alike) == PAIRS_WITH_OTHER_WORDS
    heavier = [v for v in significance.judged(alike).verdicts if v.significance_class != "minor"]
    assert {(v.reasons[0].kind, v.reasons[0].old, v.reasons[0].new) for v in heavier} == NOT_MINOR


def test_every_pair_of_versions_gives_one_right_revision_or_none(data: Path, sqlite_store: Store) -> None:
    with Pool(1) as pool:
        found, _ = histories.keep_posts(sqlite_store, pool, histories.read_posts(data))
    assert (found.pairs, found.alike, found.silent, found.revised) == (29, 3, 3, 26)
    assert found.wrong == []


def test_a_filter_of_what_was_seen_before_loses_what_a_ledger_keeps(data: Path) -> None:
    polls = histories.read_polls(data)
    assert histories.counted_plainly(polls) == COUNTED
    peer = histories.counted_by_a_filter(polls)
    assert (peer.versions, peer.returned) == (COUNTED.versions - 1, 0)


@pytest.mark.parametrize(
    ("name", "code", "shown"),
    [
        ("times", 1, ("12 of 13", "Modified", "peer")),  # one page of the sample has no time, which is below the goal
        ("significance", 1, ("Same words", "of these minor", "peer")),  # so are its three changes of meaning
        ("histories", 0, ("articles that returned to an earlier title", "peer", "SHA-256")),
    ],
)
def test_benchmark_prints_its_tables_with_goal_and_peer(
    data: Path, name: str, code: int, shown: tuple[str, ...]
) -> None:
    command = [sys.executable, f"benchmarks/{name}.py", str(data)]
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == code, done.stderr
    assert [word for word in shown if word not in done.stdout] == []
