"""What README and docs show is true: commands run and print that, examples load, queries answer, links lead somewhere.

A fenced block says by the words after its language what is done with it: `console run` is typed into a shell, line by
line, in a folder beside an invented newsroom, `console after-demo` where the demo was run; `json record` is looked for
in what the demo wrote, `text alert` is composed. Each `yaml` is loaded, each `sql` asked of the demo's store, each
`ledger` folded. Any other command is only looked up.
"""

from __future__ import annotations

import ast
import functools
import itertools
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import jsonschema
import pytest
import yaml

from pipelines.config import load
from tests.builders import NOON, absence, claim, not_modified, reading
from tests.wirewatch.alerts.told import LINKS, alert, story
from transforms.sinks.parquet import ParquetSink
from wirewatch.alerts.message import compose
from wirewatch.demo import Newsroom
from wirewatch.model import Reading, Seen
from wirewatch.revisions import Ledger, Rereading, fold, record
from wirewatch.schema import schemas
from wirewatch.store import Store
from wirewatch.store.outbox import Batch, Item

if TYPE_CHECKING:
    from tests.conftest import Databases

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
VENV: Final = Path(sys.prefix)
_FENCE: Final = re.compile(r"^```(?P<words>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: where it stands, its language, the words after that, and its text."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@functools.cache
def source(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@functools.cache
def prose(page: Path) -> str:
    """Return a page without its fenced blocks, whose lines are left empty."""
    return _FENCE.sub(lambda found: "\n" * found[0].count("\n"), source(page))


def blocks(language: str, *words: str) -> list[Block]:
    """Return the blocks of a language that carry all of these words, of all pages."""
    return [
        one
        for page in PAGES
        for found in _FENCE.finditer(source(page))
        if (one := _block(page, found)).language == language and set(words) <= set(one.words)
    ]


def _block(page: Path, found: re.Match[str]) -> Block:
    language, *words = found["words"].split() or [""]
    line = source(page).count("\n", 0, found.start()) + 1
    return Block(page=_name(page), line=line, language=language, words=tuple(words), text=found["text"])


def each(*found: Block) -> pytest.MarkDecorator:
    """Run a test once for each block, under the name of its place; a page that lost all its examples is noticed."""
    assert found, "there is no such block any more"
    return pytest.mark.parametrize("block", [pytest.param(one, id=one.place) for one in found])


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Yield what is typed in a block, and the lines it shows as the answer."""
    typed: str | None = None
    shown: list[str] = []
    for line in block.text.splitlines():
        if not line.startswith("$ "):
            shown.append(line)
            continue
        if typed is not None:
            yield typed, shown
        typed, shown = line.removeprefix("$ "), []
    if typed is not None:
        yield typed, shown


# Links and names


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{_name(page)} links to {target}"
        assert not anchor or anchor in _anchors(there), f"{_name(page)} links to {target}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", prose(ROOT / "README.md"))}
    assert {_name(page) for page in PAGES} - {"README.md"} <= links


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_files_and_what_is_said_to_be_in_them_are_there(page: Path) -> None:
    for inline in _INLINE.findall(prose(page)):
        if re.fullmatch(r"(wirewatch|transforms|pipelines|tests|configs|benchmarks)/[\w/.]*", inline):
            assert (ROOT / inline).exists(), f"{_name(page)} names {inline}"
    for name, path in re.findall(r"`([\w.]+)`\s+\(`([\w/]+\.py)`", prose(page)):
        assert re.search(rf"\b{name.rpartition('.')[2]}\b", (ROOT / path).read_text("utf-8")), f"{name} in {path}"


@functools.cache
def _tests_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _invariants() -> list[str]:
    section = source(ROOT / "docs" / "design.md").split("\n## The invariants\n")[1].split("\n## ")[0]
    return re.findall(r"^\d+\. .*?(?=^\d+\. |\Z)", section, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(1, 13))
def test_invariant_names_tests_that_exist(number: int) -> None:
    invariant = _invariants()[number - 1]
    assert invariant.startswith(f"{number}. ")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", invariant)
    assert named
    for path, name in named:
        assert name in _tests_in(path), f"{path}::{name}"


# Examples


@each(*blocks("yaml"))
def test_configuration_loads(block: Block, tmp_path: Path) -> None:
    """A part of a configuration is completed by what is required."""
    settings = {"instance": {"authority": "news.example", "since": "2026"}, "fetch": {"contact": "me@news.example"}}
    settings |= yaml.safe_load(block.text)
    path = tmp_path / "wirewatch.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert load(path, {name: _environ(name) for name in re.findall(r"\$\{(\w+)\}", block.text)}).fetch


def _environ(name: str) -> str:
    """Return what could be the value of a variable of that name."""
    kinds = {"SECRET": "whsec_" + "QUJD" * 11, "MAIL": "mailto://127.0.0.1/?from=a@news.example&to=b@news.example"}
    return {**kinds, "CHAT": "ntfy://127.0.0.1/desk"}.get(name.rpartition("_")[2], "x")


@each(*blocks("text", "alert"))
def test_alert_reads_as_shown(block: Block) -> None:
    stamp = claim("modified", 100)
    shown = compose(alert(story(old_stamp=stamp, new_stamp=stamp)), LINKS, zone="Europe/London")
    assert block.text.splitlines() == shown.text.splitlines()


@each(*blocks("json", "capture"))
def test_capture_is_valid_line_by_line(block: Block) -> None:
    for line in block.text.splitlines():
        _validate("capture", json.loads(line))


@each(*blocks("json", "record"), *blocks("json", "event"))
def test_message_is_part_of_one_of_the_demos(block: Block, demo: Demo) -> None:
    (kind,) = block.words
    assert any(_is_part(json.loads(block.text), message) for message in demo.messages(f"{kind}s"))


def _is_part(shown: Any, whole: Any) -> bool:
    """Tell whether all that is shown stands in the whole at the same place; `…` stands for any text."""
    if isinstance(shown, dict):
        return isinstance(whole, dict) and all(key in whole and _is_part(shown[key], whole[key]) for key in shown)
    if isinstance(shown, list):
        return isinstance(whole, list) and all(any(_is_part(one, other) for other in whole) for one in shown)
    if isinstance(shown, str):
        return isinstance(whole, str) and re.fullmatch(_pattern(shown), whole, re.DOTALL) is not None
    return bool(shown == whole)


def test_messages_of_the_demo_are_valid(demo: Demo) -> None:
    for kind in ("record", "event"):
        for message in demo.messages(f"{kind}s"):
            _validate(kind, message)


@functools.cache
def _validator(name: str) -> Any:
    return jsonschema.Draft202012Validator(
        schemas()[name], format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def _validate(name: str, value: Any) -> None:
    _validator(name).validate(value)


# The ledger by example

_LENGTHY: Final = 12
_DAYS: Final = {"": 0, "Mon": 0, "Tue": 1, "Wed": 2}
_ABSENCES: Final = {
    "404": Seen.MISSING,
    "410": Seen.GONE,
    "time-out": Seen.FAILED,
    "blocked": Seen.BLOCKED,
    "refused": Seen.REFUSED,
}
_LINE: Final = re.compile(
    r"(?:(?P<day>Mon|Tue|Wed) )?(?P<hour>\d\d):(?P<minute>\d\d)  (?P<seen>.+?)  +(?P<outcome>\w+)"
)
_SEEN: Final = re.compile(
    r"(?P<words>[A-Z]|a stub)(?:, updated (?P<hour>\d\d):(?P<minute>\d\d))?(?: by (?P<by>\d))?(?: at (?P<path>/\S+))?"
)


def _minutes(found: re.Match[str]) -> int:
    day = _DAYS[found.groupdict().get("day") or ""]
    return (24 * day - 12) * 60 + 60 * int(found["hour"]) + int(found["minute"])  # builders count from noon


def _wording(words: str, minutes: int = 0, **changes: Any) -> Reading:
    text = "This story has been withdrawn." if words == "a stub" else f"Sentence {words} of the story. " * _LENGTHY
    return reading(minutes, text, headline="Story", **changes)


def _reading(line: re.Match[str]) -> Reading:
    if line["seen"].startswith("304 of "):
        return not_modified(_minutes(line), _wording(line["seen"].removeprefix("304 of ")))
    if line["seen"] in _ABSENCES:
        return absence(_minutes(line), _ABSENCES[line["seen"]], line["seen"])
    found = _SEEN.fullmatch(line["seen"])
    assert found, line["seen"]
    changes: dict[str, Any] = {"extractor": f"test/{found['by'] or 1}"}
    if found["hour"]:
        changes["claims"] = (claim("modified", _minutes(found)),)
    if found["path"]:
        changes["url"] = f"https://courier.example{found['path']}"
    return _wording(found["words"], _minutes(line), **changes)


def _rereading(line: str) -> Rereading:
    found = re.fullmatch(r"kept page: (\w) by (\d) is (\w) by (\d)", line)
    assert found, line
    old, new = _wording(found[1]), _wording(found[3])
    return Rereading(
        content_hash=old.content_hash or "",
        extractor=f"test/{found[2]}",
        new_extractor=f"test/{found[4]}",
        new_content_hash=new.content_hash or "",
        new_text_hash=new.text_hash or "",
    )


@each(*blocks("ledger"))
def test_ledger_follows_from_its_observations(block: Block) -> None:
    *lines, result = block.text.splitlines()
    seen = [found for line in lines if (found := _LINE.fullmatch(line))]
    again = [_rereading(line) for line in lines if not _LINE.fullmatch(line)]
    readings = [_reading(line) for line in seen]
    ledger = Ledger(article="a" * 16)
    for one in reversed(readings):  # any order will do
        ledger, _ = record(ledger, one, again)
    history = fold(ledger)
    known = {one.text_hash: words for words in ("A", "B", "C", "a stub") if (one := _wording(words))}
    told = [known[one.text_hash] + (" (technical)" if one.technical else "") for one in history.revisions]
    assert [outcome.value for outcome in history.outcomes] == [line["outcome"] for line in seen]
    assert f"= {', '.join(told)}" == result


# The demo


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The demo, run once for all tests of this file: what it printed, and where it left what it found."""

    home: Path
    folder: Path
    printed: str

    def messages(self, kind: str) -> list[Any]:
        files = sorted((self.folder / "out" / kind).glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run `wirewatch demo`, as `make demo` does."""
    home = _home(tmp_path_factory.mktemp("demo"))
    done = _typed(".venv/bin/wirewatch demo", home)
    assert done.returncode == 0, done.stdout + done.stderr
    return Demo(home=home, folder=home / "demo", printed=done.stdout)


def _home(folder: Path) -> Path:
    """Give a folder what a checkout has after `make`: a `.venv` to call commands from."""
    (folder / ".venv").symlink_to(VENV)
    return folder


def _typed(command: str, home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Type a command into a shell, whose terminal is 100 columns wide and has no colours."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=home,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **environ},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _plain(lines: list[str]) -> list[str]:
    """Return lines that are not empty, each with single spaces."""
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_demo_prints_what_the_readme_shows(demo: Demo) -> None:
    (block,) = blocks("console", "demo")
    ((typed, shown),) = commands(block)
    assert typed == "make demo"
    assert _plain(shown) == _plain(demo.printed.splitlines())


def test_commands_that_the_demo_names_can_be_typed(demo: Demo) -> None:
    named = [line.strip() for line in demo.printed.splitlines() if line.strip().startswith(".venv/bin/wirewatch ")]
    assert named
    for command in named:
        done = _typed(command, demo.home)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert done.stdout


@each(*blocks("console", "after-demo"))
def test_command_after_the_demo_prints_what_is_shown(block: Block, demo: Demo) -> None:
    _run_through(block, demo.home)


# SQL


_ELSEWHERE: Final = {"duckdb", "bigquery"}  # SQL that is not asked of the store


@each(*(one for one in blocks("sql") if not {"postgresql", *_ELSEWHERE} & {*one.words}))
def test_query_has_an_answer_in_the_demos_store(block: Block, demo: Demo) -> None:
    connection = sqlite3.connect(demo.folder / "wirewatch.db")
    try:
        assert connection.execute(block.text).fetchall()
    finally:
        connection.close()


@each(*(one for one in blocks("sql") if not {"sqlite", *_ELSEWHERE} & {*one.words}))
def test_query_is_understood_by_postgresql(block: Block, postgres: Store) -> None:
    with postgres.reading() as connection:
        connection.exec_driver_sql(block.text).fetchall()


@each(*blocks("sql", "duckdb"))
def test_query_has_an_answer_in_the_demos_parquet(block: Block, demo: Demo, tmp_path: Path) -> None:
    messages = [
        Item(kind=kind, item=message.get("id", str(n)), article="a", payload=json.dumps(message), recorded=NOON)
        for kind in ("record", "event")
        for n, message in enumerate(demo.messages(f"{kind}s"))
    ]
    sink = ParquetSink(kind="parquet", name="archive", folder=tmp_path / "archive")
    assert sink.write(Batch(sink="archive", id="1-9", items=tuple(messages), lease_ends=NOON)) == ()
    connection = duckdb.connect()
    try:
        assert connection.execute(block.text.replace("'archive/", f"'{tmp_path}/archive/")).fetchall()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def postgres(databases: Databases) -> Iterator[Store]:
    store = databases.take()
    yield store
    databases.give_back(store)


# Commands


@pytest.fixture(scope="session")
def newsroom_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a folder with the README's configuration, whose sites are the invented newsroom's."""
    home = _home(tmp_path_factory.mktemp("newsroom"))
    with Newsroom() as newsroom:
        settings = yaml.safe_load(next(one.text for one in blocks("yaml") if one.page == "README.md"))
        settings["fetch"] |= {"connect_to": newsroom.connect_to, "spacing": "0s"}
        (home / "wirewatch.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        (home / "tests").symlink_to(ROOT / "tests")
        yield home


@each(*blocks("console", "run"))
def test_command_prints_what_is_shown(block: Block, newsroom_home: Path) -> None:
    _run_through(block, newsroom_home)


def _run_through(block: Block, home: Path) -> None:
    for typed, shown in commands(block):
        done = _typed(typed, home)
        said = f"{block.place}: {typed}\n{done.stdout}{done.stderr}"
        code = next((int(word.removeprefix("exit")) for word in block.words if word.startswith("exit")), 0)
        assert done.returncode == code, said
        answer = done.stdout or done.stderr
        assert _matches(_plain(shown), _plain(answer.splitlines())), said


def _matches(shown: list[str], printed: list[str]) -> bool:
    """Tell whether the lines are the same; a line of `…` stands for any number of lines, `…` in a line for any text."""
    if not shown:
        return True
    pattern = "".join("(?:.*\n)*" if line == "…" else f"{_pattern(line)}\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def _pattern(text: str) -> str:
    return ".*".join(re.escape(part) for part in text.split("…"))


def _shown_commands() -> list[tuple[str, str]]:
    typed = [(block.place, one) for block in blocks("console") for one, _ in commands(block)]
    typed += [(block.place, line) for block in blocks("sh") for line in block.text.splitlines() if line]
    typed += [(_name(page), one) for page in PAGES for one in _INLINE.findall(prose(page))]
    found = re.compile(r"(?:^|[ /])(wirewatch [a-z].*)$")
    return list(dict.fromkeys((place, match[1]) for place, one in typed if (match := found.search(one))))


@pytest.mark.parametrize(("place", "command"), _shown_commands())
def test_command_and_its_options_exist(place: str, command: str) -> None:
    import typer.main  # noqa: PLC0415

    from pipelines.cli.app import app  # noqa: PLC0415

    known: Any = typer.main.get_command(app)
    words = list(itertools.takewhile(lambda word: word not in ("|", ">", ">>", "&&", "2>&1"), shlex.split(command)))[1:]
    while words and hasattr(known, "commands") and not words[0].startswith("-"):
        assert words[0] in known.commands, f"{place}: there is no wirewatch {words[0]}"
        known = known.commands[words.pop(0)]
    options = {name for parameter in known.params for name in parameter.opts + parameter.secondary_opts} | {"--help"}
    for word in words:
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in options, f"{place}: {command} has no option {word}"
