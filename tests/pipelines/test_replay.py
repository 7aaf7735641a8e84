"""A replay leaves the same ledgers in whatever order, parts and repetitions its captures come."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.builders import at
from tests.pipelines.site import FEED, HOST, World, configure, counted, feed, page, rss, story, world
from tests.wirewatch.fetch_site import Site
from wirewatch.errors import ConfigurationError
from wirewatch.extract import read_page
from wirewatch.model import Availability, Capture, Source

TICKER: Final = f"http://{HOST}/ticker.xml"
HOUR: Final = 60.0
LATER: Final = 60 * 24 * 30.0  # when the archive is replayed, in minutes after noon of its day
FEEDS: Final = (FEED, {"url": TICKER, "track": "entries"})

Line = dict[str, Any]


def captured(minutes: float, path: str, body: bytes | None = None, **members: Any) -> Line:
    """Return a line with a capture; without a body it has none."""
    said: Line = {"url": f"http://{HOST}{path}", "observedAt": at(minutes).isoformat()}
    if body is not None:
        said["body"] = body.decode()
    return {**said, **members}


def edition(number: int) -> bytes:
    return story("Harbour council speaks of boats", about=f"This is edition {number} of the story.")


def ticker(*titles: str) -> bytes:
    """Return a feed whose entries are themselves the text."""
    items = "".join(
        f'<item><title>{title}</title><guid isPermaLink="false">item {number}</guid>'
        f"<description>{title}, as the harbour office says.</description></item>"
        for number, title in enumerate(titles)
    )
    return f'<rss version="2.0"><channel><title>Ticker</title>{items}</channel></rss>'.encode()


def archive() -> list[Line]:
    """Return captures of everything that can happen to articles, in the order of time."""
    rss_type = {"contentType": "application/rss+xml"}
    moved = {"finalUrl": f"http://{HOST}/new-address"}
    return [
        captured(0, "/feed.xml", rss(["/plain", "/moved"]), **rss_type),
        captured(0, "/ticker.xml", ticker("Ferry leaves", "Ferry arrives"), **rss_type),
        *(captured(n * HOUR, "/plain", edition(n // 3), feed=FEED) for n in range(9)),
        captured(9 * HOUR, "/plain", None, notModified=hash_of(edition(2))),
        *(captured(n * HOUR, "/back-and-forth", edition(n % 2)) for n in range(5)),
        captured(5 * HOUR, "/back-and-forth", edition(4 % 2)),
        *(
            captured(n * HOUR, "/blocked", edition(0) if n % 2 else None, status=200 if n % 2 else 403)
            for n in range(4)
        ),
        captured(0, "/gone", edition(0)),
        captured(3 * HOUR, "/gone", status=410),
        captured(4 * HOUR, "/gone", edition(0)),
        captured(0, "/moved", edition(0), feed=FEED),
        captured(2 * HOUR, "/moved", edition(1), feed=FEED, **moved),
        captured(3 * HOUR, "/new-address", edition(2)),
        *(
            captured(n * 3 * HOUR, "/withdrawn", edition(0) if n < 2 else story("Withdrawn", "It was wrong."))
            for n in range(7)
        ),
        captured(HOUR, "/pdf", b"%PDF-1.7", contentType="application/pdf"),
        captured(HOUR, "/missing", status=404),
        captured(2 * HOUR, "/ticker.xml", ticker("Ferry leaves late", "Ferry arrives"), **rss_type),
    ]


def hash_of(body: bytes) -> str:
    """Return the content hash that a page is read with."""
    headers = (("content-type", "text/html; charset=utf-8"),)
    reading = read_page(
        Capture(url=f"http://{HOST}/a", observed=at(0), status=200, headers=headers, body=body), Source()
    )
    assert reading.content_hash is not None
    return reading.content_hash


def written(path: Path, lines: Iterable[Line]) -> Path:
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def deployment(folder: Path, **settings: Any) -> World:
    """Return a deployment that asks nobody."""
    folder.mkdir()
    config = configure(folder, **{"feeds": FEEDS, **settings})
    return World(folder=folder, config=config, site=Site({}))


@pytest.fixture(scope="module")
def told_in_order(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Return the ledger export of the archive, replayed once in the order of time."""
    w = deployment(tmp_path_factory.mktemp("told") / "in-order")
    report = w.replay(written(w.folder / "archive.jsonl", archive()), minutes=LATER)
    assert (
        sum(sum(counts.values()) for counts in report.counts.values()) == len(archive()) + 4
    )  # of the ticker's entries
    return w.export()


def test_archive_is_told_as_it_happened(told_in_order: list[bytes]) -> None:
    articles = {one["observations"][0]["url"].rsplit("/", 1)[-1]: one for one in map(json.loads, told_in_order)}
    revisions = {name: len(one["revisions"]) for name, one in articles.items()}

    assert revisions == {
        "plain": 3,
        "back-and-forth": 5,
        "blocked": 1,
        "gone": 1,
        "moved": 3,
        "withdrawn": 2,
        "pdf": 0,
        "missing": 0,
        "ticker.xml#guid=item 0": 2,
        "ticker.xml#guid=item 1": 1,
    }
    assert [one["kind"] for one in articles["gone"]["passages"]] == ["withdrawn", "returned"]


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_and_repeated_captures_leave_the_same_ledgers(
    seed: int, told_in_order: list[bytes], tmp_path: Path
) -> None:
    chance = random.Random(seed)
    lines = archive() + chance.choices(archive(), k=10)
    chance.shuffle(lines)
    w = deployment(tmp_path / "shuffled", work={"wave": chance.choice([7, 500])})

    w.replay(written(tmp_path / "archive.jsonl", lines), minutes=LATER)

    assert w.export() == told_in_order


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0, 1)], ids=["in order", "the later part first", "twice"])
def test_archive_in_two_parts_leaves_the_same_ledgers(
    order: tuple[int, ...], told_in_order: list[bytes], tmp_path: Path
) -> None:
    chance = random.Random(7)
    parts: tuple[list[Line], list[Line]] = ([], [])
    for line in archive():
        parts[chance.randrange(2)].append(line)
    w = deployment(tmp_path / "parts")

    for number in order:
        w.replay(written(tmp_path / f"{number}.jsonl.gz", parts[number]), minutes=LATER)

    assert w.export() == told_in_order


def test_bodies_in_files_of_their_own_leave_the_same_ledgers(told_in_order: list[bytes], tmp_path: Path) -> None:
    lines = archive()
    for number, line in enumerate(lines):
        if "body" not in line:
            continue
        data, name = line.pop("body").encode(), f"{number}.gz" if number % 2 else f"{number}.html"
        (tmp_path / name).write_bytes(gzip.compress(data) if number % 2 else data)
        line |= {"bodyPath": name, "contentType": f"{line.get('contentType', 'text/html')}; charset=utf-8"}
    w = deployment(tmp_path / "bodies")

    w.replay(written(tmp_path / "archive.jsonl", lines), minutes=LATER)

    assert w.export() == told_in_order


def test_replayed_captures_are_back_fill_in_every_event(tmp_path: Path) -> None:
    w = deployment(tmp_path / "events")
    w.replay(written(tmp_path / "archive.jsonl", archive()[:12]), minutes=10)

    assert w.events()
    assert all(event["data"]["backfill"] for event in w.events())


def test_malformed_line_is_a_dead_letter_with_file_and_line_and_the_others_go_on(tmp_path: Path) -> None:
    file = written(tmp_path / "archive.jsonl", [captured(0, "/a", edition(0)), {"url": "nonsense"}])
    with file.open("ab") as more:
        more.write(b"\xff\xfe nonsense\n" + json.dumps(captured(1, "/b", edition(1))).encode())
    w = deployment(tmp_path / "store")

    report = w.replay(file, minutes=LATER)
    letters = w.letters()

    assert counted(report) == {"new": 2}
    assert [(letter.step, letter.file, letter.line) for letter in letters] == [
        ("replay", str(file), 2),
        ("replay", str(file), 3),
    ]
    assert all(letter.reason.startswith("This is no capture") for letter in letters)
    assert [finding.split(": ")[0] for finding in report.findings] == [f"{file}:2", f"{file}:3"]


def test_single_page_is_replayed(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(edition(0))
    w = deployment(tmp_path / "store")

    report = w.replay(file, minutes=LATER, url=f"http://{HOST}/a", observed_at=at(0))

    assert counted(report) == {"new": 1}
    assert w.article("/a").revisions[0].first_observed == at(0)


def test_input_that_is_not_there_is_refused_before_a_store_is_made(tmp_path: Path) -> None:
    w = deployment(tmp_path / "store")

    with pytest.raises(ConfigurationError, match="is no file"):
        w.replay(tmp_path / "missing.jsonl")

    assert not (w.folder / "wirewatch.db").exists()


def test_page_of_a_replay_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    slow = b"<html><body><h1>Ferry</h1>" + b"<p>some words here that matter to it" * 39_000
    w = deployment(tmp_path / "store", work={"timeout": "2s"})
    lines = [captured(0, "/slow", slow), *(captured(n, f"/{n}", edition(n)) for n in range(4))]

    report = w.replay(written(tmp_path / "archive.jsonl", lines), minutes=LATER)

    assert counted(report) == {"new": 4, "invalid": 1}
    assert [letter.url for letter in w.letters()] == [f"http://{HOST}/slow"]


def test_replay_after_a_pass_leaves_what_the_pass_after_the_replay_would(tmp_path: Path) -> None:
    file = written(tmp_path / "archive.jsonl", [captured(n * HOUR - 600, "/a", edition(n)) for n in range(3)])
    answers = {"/feed.xml": feed(["/a"]), "/a": page(edition(2))}
    exports = []
    for first in ("pass", "replay"):
        folder = tmp_path / first
        folder.mkdir()
        with world(folder, answers) as w:
            for step in (first, "replay" if first == "pass" else "pass"):
                if step == "pass":
                    w.run(0)
                else:
                    w.replay(file, minutes=0)
            exports.append(w.export())
            assert w.article("/a").availability is Availability.AVAILABLE

    assert exports[0] == exports[1]
