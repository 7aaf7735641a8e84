"""Every command, as a user types it, on stores and files that are really there."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main
from pipelines.cli.screen import distance, one_line
from pipelines.config import Config, load
from tests.builders import NOON, STORY, URL, absence, at, claim, reading
from tests.wirewatch.demo.test_newsroom import ask
from wirewatch.bounded import Pool
from wirewatch.clock import FixedClock
from wirewatch.demo import Newsroom
from wirewatch.keeping import Keeper, Read
from wirewatch.model import Capture, Reading, Seen, Source
from wirewatch.store import Store, dead_letters, feeds, inbox

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "tests" / "wirewatch" / "pages"
FEED = "https://courier.example/rss.xml"
COMMANDS = {
    "": ["demo", "init", "run", "watch", "replay", "feeds", "show", "export", "extract", "diff", "feed", "check"],
    "feeds": ["list", "add", "import", "discover", "pause", "remove"],
    "dead-letters": ["list", "show", "replay"],
}
HOSTILE = "Ferry\x1b[2J\x9b31m \u202egnp.exe"


class Terminal:
    """A folder with a configuration, and somebody who types commands in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def configure(self, text: str = "") -> Config:
        path = self.folder / "wirewatch.yaml"
        path.write_text(
            f'instance: {{authority: news.example, since: "2026"}}\nfetch: {{contact: you@example.org}}\n{text}',
            encoding="utf-8",
        )
        return load(path, {})

    def type(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run a command; return what it said on standard output and standard error."""
        self._capsys.readouterr()
        ended = main(arguments)
        said = self._capsys.readouterr()
        assert ended == code, said.err
        return said.out, said.err

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.type(*arguments, "--json", code=code)[0])


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WIREWATCH_CONTACT", raising=False)
    return Terminal(tmp_path, capsys)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as opened:
        yield opened


def fill(config: Config, pool: Pool, *readings: Reading) -> None:
    """Keep readings in the configuration's store."""
    store = config.open_store()
    for one in readings:
        clock = FixedClock(one.observed)
        keeper = Keeper(store=store, pool=pool, instance=config.instance, clock=clock, run="test")
        keeper.keep(Read(capture=Capture(url=one.url, observed=one.observed), reading=one, source=Source()))
    store.close()


def two_revisions(config: Config, pool: Pool) -> None:
    first = reading(0, claims=(claim("published", -5), claim("modified", -5)))
    second = reading(60, STORY.replace("a ferry", "no ferry"), claims=(claim("published", -5), claim("modified", 55)))
    again = replace(second, observed=at(75))
    fill(config, pool, first, second, again, absence(90, Seen.FAILED, "HTTP 503"))


# Help, usage and errors


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([*group.split(), name], id=f"{group} {name}".strip())
        for group, names in COMMANDS.items()
        for name in names
    ],
)
def test_command_has_help(command: list[str], terminal: Terminal) -> None:
    out, err = terminal.type(*command, "--help")
    assert out.startswith(f"Usage: wirewatch {' '.join(command)}")
    assert not err


def test_help_names_every_command_and_imports_nothing_dear() -> None:
    program = (
        "import sys; from pipelines.cli import main; main(['--help']);"
        "dear = {'apache_beam', 'sqlalchemy', 'pydantic', 'aiohttp', 'trafilatura', 'lxml', 'rich.console'};"
        "sys.exit(','.join(sorted(dear & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {name} " in done.stdout for name in [*COMMANDS[""], "schema", "dead-letters"])


def test_looking_at_the_store_does_not_import_beam(terminal: Terminal) -> None:
    terminal.configure()
    program = (
        "import sys; from pipelines.cli import main;"
        "code = main(['feeds', 'list']) or main(['check']) or main(['export', '--ledger']);"
        "sys.exit(code or 'apache_beam' in sys.modules)"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=terminal.folder, env=environ, check=False
    )
    assert done.returncode == 0, done.stderr


def test_version_is_printed(terminal: Terminal) -> None:
    assert terminal.type("--version")[0] == "wirewatch 0.1.0\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["show"],
        ["show", URL, "--from", "one"],
        ["export"],
        ["run", "--every", "soon"],
        ["run", "--every", "0s"],
        ["replay", "wirewatch.yaml", "x.html", "--observed-at", "2026-03-16T14:26:00"],
        ["feeds", "add", "ftp://courier.example/"],
        ["feeds", "add", FEED, "--interval", "5s", "--unchecked"],
        ["feeds", "pause", FEED],
        ["dead-letters", "replay"],
        ["dead-letters", "show", "7"],
        ["schema", "nothing"],
        ["extract", "none.html"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_one_sentence(arguments: list[str], terminal: Terminal) -> None:
    terminal.configure()
    out, err = terminal.type(*arguments, code=2)
    assert not out
    assert "Traceback" not in err
    assert err.strip()


def test_store_that_cannot_be_opened_ends_with_1(terminal: Terminal) -> None:
    terminal.configure("store: sqlite:///news.db\n")
    (terminal.folder / "news.db").write_bytes(b"no database " * 100)
    _, err = terminal.type("feeds", "list", code=1)
    assert "is not a database: give the address of another file" in err


def test_traceback_comes_with_debug_only(terminal: Terminal) -> None:
    assert "Traceback" not in terminal.type("check", code=2)[1]
    assert "Traceback" in terminal.type("check", "--debug", code=2)[1]
    assert "Traceback" in terminal.type("--debug", "check", code=2)[1]


def test_reader_that_hangs_up_is_no_error(terminal: Terminal, pool: Pool) -> None:
    two_revisions(terminal.configure(), pool)
    code = 'from pipelines.cli import main; main(["export", "--ledger"])'
    command = f"{shlex.join([sys.executable, '-c', code])} | true"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


# Begin


def test_init_writes_a_configuration_that_can_be_used(terminal: Terminal) -> None:
    _, err = terminal.type("init", "--contact", "me@news.example")
    path = terminal.folder / "wirewatch.yaml"
    assert "Name a feed in it" in err
    assert len(path.read_text().splitlines()) <= 10
    assert load(path, {}).instance.authority == "news.example"
    before = path.read_bytes()
    assert "is there already" in terminal.type("init", code=2)[1]
    assert path.read_bytes() == before


def test_init_takes_the_contact_from_the_environment_if_none_is_given(terminal: Terminal) -> None:
    terminal.type("init")
    assert load(terminal.folder / "wirewatch.yaml", {"WIREWATCH_CONTACT": "a@b.example"}).fetch.contact == "a@b.example"
    assert "the environment variable WIREWATCH_CONTACT is not set" in terminal.type("check", code=2)[1]


def test_init_asks_nobody_without_a_contact(terminal: Terminal) -> None:
    assert "Say how publishers can reach you" in terminal.type("init", FEED, code=2)[1]
    assert not (terminal.folder / "wirewatch.yaml").exists()


@pytest.mark.parametrize("path", ["/", "/rss.xml"], ids=["a page that declares it", "the feed itself"])
def test_init_finds_the_feed(path: str, terminal: Terminal) -> None:
    with Newsroom() as newsroom:
        to = f"courier.example={newsroom.connect_to['courier.example']}"
        terminal.type("init", f"http://courier.example{path}", "--contact", "me@news.example", "--connect-to", to)
        asked = {one.agent for one in newsroom.asked}
    config = load(terminal.folder / "wirewatch.yaml", {})
    assert [(url, of.feed_name) for url, of in config.feeds] == [("http://courier.example/rss.xml", "Ellery Courier")]
    assert config.fetch.connect_to == {"courier.example": to.partition("=")[2]}
    assert asked == {"Wirewatch/0.1.0 (+me@news.example)"}


# Look


def test_show_prints_the_timeline_and_what_changed_last(terminal: Terminal, pool: Pool) -> None:
    two_revisions(terminal.configure(), pool)
    out, _ = terminal.type("show", URL)
    assert "failing since 2026-03-16 13:30 UTC" in out
    rows = [line.split() for line in out.splitlines() if line.startswith("2026-")]
    assert [row[2:4] for row in rows] == [["new", "1"], ["revised", "2"], ["unchanged", "2"], ["failed", "HTTP"]]
    assert "Revision 1 → 2" in out
    assert "[-a-]{+no+} ferry" in out


def test_show_takes_any_name_of_an_article(terminal: Terminal, pool: Pool) -> None:
    two_revisions(terminal.configure(), pool)
    by_url = terminal.json("show", URL)
    assert terminal.json("show", f"{URL}?utm_source=mail") == by_url
    assert terminal.json("show", by_url["uri"]) == by_url
    assert [one["revision"]["version"] for one in by_url["revisions"]] == [1, 2]
    assert [one["outcome"] for one in by_url["observations"]] == ["new", "revised", "unchanged", "failed"]
    assert (by_url["comparison"]["from"], by_url["comparison"]["to"]) == (1, 2)


def test_show_compares_any_two_revisions(terminal: Terminal, pool: Pool) -> None:
    two_revisions(terminal.configure(), pool)
    assert "[-no-]{+a+} ferry" in terminal.type("show", URL, "--from", "2", "--to", "1")[0]
    assert "it has 2 revisions" in terminal.type("show", URL, "--to", "3", code=2)[1]
    assert "Nothing is kept under" in terminal.type("show", "https://elsewhere.example/", code=2)[1]


def test_show_of_one_revision_has_no_redline(terminal: Terminal, pool: Pool) -> None:
    fill(terminal.configure(), pool, reading(0))
    out, _ = terminal.type("show", URL)
    assert "Revision" not in out
    assert "Ferry" in out


def test_words_of_a_publisher_have_no_power_over_the_terminal(terminal: Terminal, pool: Pool) -> None:
    fill(terminal.configure(), pool, reading(0, headline=HOSTILE), reading(60, STORY + HOSTILE, headline=HOSTILE))
    out, _ = terminal.type("show", URL)
    assert "␛" in out
    assert not {"\x1b", "\x9b", "\u202e"} & set(out)


def test_colour_stays_away_where_there_is_no_terminal(terminal: Terminal, pool: Pool) -> None:
    two_revisions(terminal.configure(), pool)
    assert "\x1b" not in terminal.type("show", URL)[0]


def test_export_prints_the_ledger(terminal: Terminal, pool: Pool) -> None:
    two_revisions(terminal.configure(), pool)
    lines = terminal.type("export", "--ledger")[0].splitlines()
    for named in (["wirewatch.yaml"], ["--config", "wirewatch.yaml"]):
        assert terminal.type("export", "--ledger", *named)[0].splitlines() == lines
    assert [json.loads(line)["uri"][:27] for line in lines] == ["tag:news.example,2026:artic"]


# Feeds


def test_feeds_lists_the_health_of_each(terminal: Terminal) -> None:
    config = terminal.configure(f"feeds: [{{url: {FEED}, name: Ellery Courier}}]\n")
    assert "at the first run" in terminal.type("feeds", "list")[0]
    store = config.open_store()
    feeds.match_feeds(store, config.feeds, NOON)
    store.close()
    out, _ = terminal.type("feeds", "list")
    assert "Ellery Courier" in out
    assert "never" in out
    assert terminal.json("feeds", "list")[0]["url"] == FEED


def test_feed_that_was_added_is_watched_paused_and_forgotten(terminal: Terminal) -> None:
    terminal.configure()
    terminal.type("feeds", "add", FEED, "--unchecked", "--zone", "Europe/London", "--interval", "10m")
    [feed] = terminal.json("feeds", "list")
    assert (feed["url"], feed["origin"], feed["source"]["zone"]) == (FEED, "added", "Europe/London")
    terminal.type("feeds", "pause", FEED)
    assert "paused" in terminal.type("feeds", "list")[0]
    terminal.type("feeds", "remove", FEED)
    assert terminal.json("feeds", "list") == []


@pytest.mark.parametrize("command", ["add", "pause", "remove"])
def test_feed_of_the_configuration_is_changed_there(command: str, terminal: Terminal) -> None:
    terminal.configure(f"feeds: [{FEED}]\n")
    assert "stands in wirewatch.yaml; change it there" in terminal.type("feeds", command, FEED, code=2)[1]


def test_feeds_are_imported_from_opml(terminal: Terminal) -> None:
    terminal.configure(f"feeds: [{FEED}]\n")
    Path("list.opml").write_text(
        f'<opml version="2.0"><body><outline text="News"><outline text="Courier" xmlUrl="{FEED}"/>'
        '<outline text="Post" xmlUrl="https://harbourpost.example/feed"/></outline></body></opml>',
        encoding="utf-8",
    )
    assert terminal.json("feeds", "import", "list.opml") == {"added": ["https://harbourpost.example/feed"], "known": 1}
    assert terminal.json("feeds", "import", "list.opml") == {"added": [], "known": 2}
    Path("broken.opml").write_text("<opml><body>", encoding="utf-8")
    assert "The OPML is broken" in terminal.type("feeds", "import", "broken.opml", code=1)[1]


def test_adding_a_page_names_the_feeds_that_it_declares(terminal: Terminal) -> None:
    with Newsroom() as newsroom:
        to = newsroom.connect_to["courier.example"]
        terminal.configure()
        path = terminal.folder / "wirewatch.yaml"
        path.write_text(
            path.read_text()
            .replace("}\n", f", connect_to: {{courier.example: {to}}}, spacing: 0}}\n", 2)
            .replace(f'since: "2026", connect_to: {{courier.example: {to}}}, spacing: 0', 'since: "2026"')
        )
        out, err = terminal.type("feeds", "add", "http://courier.example/", code=1)
        assert "is a page and no feed" in err
        assert "http://courier.example/rss.xml" in out
        terminal.type("feeds", "add", "http://courier.example/rss.xml")
        assert [feed["url"] for feed in terminal.json("feeds", "list")] == ["http://courier.example/rss.xml"]
        Path("page.html").write_bytes(ask(newsroom, "http://courier.example/").body)
    [found] = terminal.json("feeds", "discover", "page.html", "--url", "http://courier.example/")
    assert found["url"] == "http://courier.example/rss.xml"


# One step


def test_extract_shows_the_article_of_a_file(terminal: Terminal) -> None:
    out, _ = terminal.type("extract", str(PAGES / "ferry_1421.html"), "--zone", "Europe/London")
    expected = json.loads((PAGES / "ferry_1421.expected.json").read_text(encoding="utf-8"))
    assert expected["wording"]["headline"] in out
    assert expected["wording"]["body"].split("\n")[0] in out


def test_extract_reads_packed_files_and_standard_input(terminal: Terminal) -> None:
    data = (PAGES / "ferry_1421.html").read_bytes()
    Path("page.html.gz").write_bytes(gzip.compress(data))
    packed = terminal.json("extract", "page.html.gz", "--url", URL)
    assert (packed["seen"], packed["url"]) == ("wording", URL)
    program = "import sys; from pipelines.cli import main; sys.exit(main(['extract', '-', '--json']))"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    piped = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, env=environ, check=True)
    assert json.loads(piped.stdout)["content_hash"] == packed["content_hash"]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [("empty.html", b"", 1), ("picture.html", b"\x89PNG\r\n\x1a\n" * 9, 1), ("page.html.gz", b"no gzip", 2)],
)
def test_extract_says_why_there_is_no_article(name: str, data: bytes, code: int, terminal: Terminal) -> None:
    Path(name).write_bytes(data)
    out, err = terminal.type("extract", name, code=code)
    assert not out
    assert name in err


def test_diff_shows_what_changed_between_two_files(terminal: Terminal) -> None:
    old, new = str(PAGES / "ferry_1421.html"), str(PAGES / "ferry_1524.html")
    out, _ = terminal.type("diff", old, new)
    assert "{+" in out
    assert terminal.json("diff", old, new)["diff"]["hunks"]
    assert "Only files are read here" in terminal.type("diff", URL, new, code=2)[1]


def test_feed_shows_the_entries_of_a_file(terminal: Terminal) -> None:
    Path("feed.xml").write_text(
        '<rss version="2.0"><channel><title>Courier</title><item><title>Ferry &#27;[31m</title>'
        "<link>https://courier.example/ferry</link><pubDate>Mon, 16 Mar 2026 14:21:00 GMT</pubDate></item>"
        "</channel></rss>",
        encoding="utf-8",
    )
    out, _ = terminal.type("feed", "feed.xml")
    assert "2026-03-16 14:21" in out
    assert "\x1b" not in out
    assert terminal.json("feed", "feed.xml")["title"] == "Courier"
    assert "is no feed that can be read" in terminal.type("feed", str(PAGES / "ferry_1421.html"), code=1)[1]


# Keep in order


def test_check_looks_closer_at_channels_than_each_pass_does(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", "slack://t0ken")
    channels = '[{kind: apprise, name: c, url: "${CHAT}"}, {kind: atom, name: d, file: none/a.atom}]'
    text = "instance: {authority: news.example, since: 2026}\nfetch: {contact: me@news.example}\n"
    (terminal.folder / "told.yaml").write_text(f"{text}alerts: {{channels: {channels}}}\n")
    told = terminal.type("check", "told.yaml", code=2)[1]
    assert "alerts.channels[0].url: apprise cannot use this slack:// address" in told
    assert "alerts.channels[1].file: there is no folder" in told
    assert "t0ken" not in told


def test_check_says_that_a_configuration_is_right_or_what_is_wrong(terminal: Terminal) -> None:
    terminal.configure(f"feeds: [{FEED}]\n")
    assert "is right: 1 feed, 0 articles, 0 sinks" in terminal.type("check")[0]
    assert terminal.json("check")["valid"] is True
    Path("bad.yaml").write_text("feeds: [{}]\n", encoding="utf-8")
    assert "bad.yaml has 4 errors:\n" in terminal.type("check", "bad.yaml", code=2)[1]
    told = terminal.json("check", "bad.yaml", code=2)
    assert {"place": "feeds[0].url", "line": 1, "message": "this key is required"} in told["errors"]


def test_schema_prints_one_or_names_all(terminal: Terminal) -> None:
    assert "record" in terminal.type("schema")[0]
    assert terminal.json("schema", "record", "--authority", "news.example")["$id"].startswith("https://news.example/")
    assert {"record", "capture", "event"} <= terminal.json("schema").keys()


def letter(store: Store, capture: Capture | None) -> int:
    with store.begin() as conn:
        return dead_letters.add(conn, at=NOON, step="extract", reason=HOSTILE, url=URL, capture=capture)


def test_dead_letters_are_listed_shown_and_brought_in_again(terminal: Terminal) -> None:
    store = terminal.configure().open_store()
    assert "There are no dead letters" in terminal.type("dead-letters", "list")[1]
    first, empty = letter(store, Capture(url=URL, observed=NOON, body=b"<p>")), letter(store, None)
    out, _ = terminal.type("dead-letters", "list")
    assert URL in out
    assert "\x1b" not in out
    assert "3 bytes" in terminal.type("dead-letters", "show", str(first))[0]
    assert "nothing was replayed" in terminal.type("dead-letters", "replay", str(first), str(empty), code=2)[1]
    assert inbox.take(store, now=NOON) == []
    assert terminal.json("dead-letters", "replay", "--all") == {"replayed": [first]}
    assert [one.capture.url for one in inbox.take(store, now=at(10**7))] == [URL]
    assert [one["id"] for one in terminal.json("dead-letters", "list")] == [empty]
    assert [one["id"] for one in terminal.json("dead-letters", "list", "--all")] == [empty, first]
    store.close()


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.5, "in under a minute"), (-0.5, "just now"), (12, "in 12 minutes"), (-60, "1 hour ago"), (-3000, "2 days ago")],
)
def test_distance_is_told_in_the_largest_unit(minutes: float, words: str) -> None:
    assert distance(at(minutes), NOON) == words


def test_line_is_cut_where_it_is_too_long() -> None:
    assert one_line("one\n two  three", 9) == "one two …"
