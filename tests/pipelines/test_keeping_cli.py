"""tidy, forget, verify and evidence, as a user types them."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.config import Config
from tests.builders import STORY, URL, absence, at, claim, reading
from tests.pipelines.test_cli import HOSTILE, Terminal, fill, two_revisions
from wirewatch.bounded import Pool
from wirewatch.canonical import sha256
from wirewatch.clock import FixedClock
from wirewatch.keeping import Keeper, Read
from wirewatch.model import Capture, Reading, Seen, Source, Wording
from wirewatch.store import inbox
from wirewatch.store.tables import pages, wordings

YEARS = "retention: {pages: 60d, texts: 60d, alerts: 90d, dead_letters: 30d}\n"
SINKS = "sinks: [{kind: jsonl, name: files, folder: out}]\n"


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path, capsys)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as opened:
        yield opened


def with_pages(config: Config, pool: Pool, *readings: Reading) -> None:
    """Keep readings with pages of their own."""
    store = config.open_store()
    for one in readings:
        body = f"<script>alert(1)</script>{one.wording.body if one.wording else ''}".encode()
        clock = FixedClock(one.observed)
        keeper = Keeper(store=store, pool=pool, instance=config.instance, clock=clock, run="test", sinks=("files",))
        capture = Capture(url=one.url, observed=one.observed, headers=(("etag", '"1"'),), body=body)
        keeper.keep(Read(capture=capture, reading=replace(one, page_hash=sha256(body)), source=Source()))
    store.close()


def three(config: Config, pool: Pool, *, days_before: int = 0) -> None:
    """Keep three wordings of an article, and sights between and after, so many days before the tests' day."""

    def then(minutes: float) -> float:
        return minutes - days_before * 24 * 60

    stamps = (claim("published", then(-5)), claim("modified", then(-5)))
    first = reading(then(0), claims=stamps)
    second = reading(then(60), STORY.replace("a ferry", "no ferry"), claims=stamps)
    third = reading(then(120), STORY.replace("a ferry", "one ferry"), claims=(claim("modified", then(115)),))
    failed = absence(then(150), Seen.FAILED, "HTTP 503")
    with_pages(config, pool, first, replace(first, observed=at(then(30))), second, third, failed)


# Tidy


def test_tidy_says_what_it_freed_and_that_the_file_does_not_shrink(terminal: Terminal, pool: Pool) -> None:
    three(terminal.configure(YEARS), pool, days_before=2000)
    tried = terminal.json("tidy", "--dry-run")
    assert tried["freed"]["texts"]["rows"] == 2
    out, _ = terminal.type("tidy")
    assert re.search(r"texts +2 +[1-9]", out)
    assert re.search(r"Threw away 6 rows of [\d,]+ bytes\. The file takes [\d,]+ bytes, [\d,]+ of them free", out)
    assert terminal.json("tidy")["freed"]["texts"] == {"rows": 0, "bytes": 0}
    # And what other commands make of it.
    out, _ = terminal.type("show", URL)
    assert "the text of revisions 1, 2, as `retention` says" in out
    _, err = terminal.type("show", URL, "--from", "1", "--to", "2", code=2)
    assert re.search(r"The text of revision 1 was removed on \d{4}-\d\d-\d\d, as `retention` says", err)
    shown = terminal.json("show", URL)
    assert [one["wording"] is None for one in shown["revisions"]] == [True, True, False]
    assert "comparison" not in shown
    line = json.loads(terminal.type("export", "--ledger")[0])
    assert len(line["texts"]) == 1
    assert [one["diff"]["hunks"] for one in line["diffs"]] == [[], []]
    assert "2 texts removed by retention, 2 pages removed by retention" in terminal.type("verify")[0]


def test_tidy_without_retention_says_how_to_write_one(terminal: Terminal, pool: Pool) -> None:
    two_revisions(terminal.configure(), pool)
    assert "there is no `retention`, so everything stays" in terminal.type("tidy", code=2)[1]


def test_retention_shorter_than_articles_are_asked_for_is_refused(terminal: Terminal) -> None:
    terminal.configure("feeds: [{url: 'https://courier.example/a.xml', end: 90d}]\n")
    path = terminal.folder / "wirewatch.yaml"
    path.write_text(path.read_text() + YEARS)
    for command in (["check"], ["tidy"], ["run"]):
        _, err = terminal.type(*command, code=2)
        assert "retention.texts" in err
        assert (
            "texts would go after 60d, while articles of https://courier.example/a.xml are asked for until 90d" in err
        )
        assert "write at least 93d, or lower `end` there" in err


def test_retention_shorter_than_a_feed_of_the_store_is_refused_too(terminal: Terminal) -> None:
    feed = "{url: 'https://courier.example/a.xml', end: 90d}"
    config = terminal.configure(f"feeds: [{feed}]\n")
    from wirewatch.store import feeds  # noqa: PLC0415

    store = config.open_store()
    feeds.match_feeds(store, config.feeds, at(0))
    store.close()
    terminal.configure(YEARS)
    _, err = terminal.type("tidy", code=2)
    assert (
        "retention.pages: pages would go after 60d, while articles of a feed in the store are asked for until 90d"
        in err
    )


# Forget


def test_forget_says_what_went_and_who_else_has_it(terminal: Terminal, pool: Pool) -> None:
    config = terminal.configure(SINKS)
    three(config, pool)
    store = config.open_store()
    with store.begin() as conn:
        conn.exec_driver_sql("UPDATE deliveries SET delivered = 1 WHERE outbox < 4")
        inbox.put(conn, "waits", Capture(url=f"{URL}?utm_source=x", observed=at(0), body=b"Ferry"), at(0))
    store.close()
    out, err = terminal.type("forget", URL, "--reason", "asked for by a lawyer")
    assert f"Forgot {URL}: 3 pages, 3 texts, 2 diffs, 6 messages in the outbox, 1 waiting capture." in out
    assert "sink files (jsonl, " in err
    assert "has had 3 records and events: delete there what names the article" in err
    assert "Back-ups of the store" in err
    out, _ = terminal.type("show", URL)
    assert re.search(r"Forgotten +\d{4}-\d\d-\d\d \d\d:\d\d UTC: asked for by a lawyer", out)
    assert "harbour council" not in out
    again = terminal.json("forget", URL, "--reason", "once more")
    assert (again["before"], again["reason"]) == (True, "asked for by a lawyer")
    assert "3 texts forgotten, 3 pages forgotten" in terminal.type("verify")[0]
    _, err = terminal.type("show", URL, "--from", "1", "--to", "2", code=2)
    assert "of its words only hashes are kept" in err
    assert "was forgotten on" in terminal.type("watch", URL, code=1)[1]
    assert json.loads(terminal.type("export", "--ledger")[0])["forgotten"]["reason"] == "asked for by a lawyer"


def test_forget_wants_a_reason_and_an_article(terminal: Terminal, pool: Pool) -> None:
    two_revisions(terminal.configure(), pool)
    assert "--reason" in terminal.type("forget", URL, code=2)[1]
    assert "Say why with --reason" in terminal.type("forget", URL, "--reason", "  ", code=2)[1]
    other = "https://courier.example/unknown"
    assert f"Nothing is kept under {other}" in terminal.type("forget", other, "--reason", "x", code=2)[1]


# Verify


def test_verify_names_the_first_thing_that_is_wrong_and_exits_with_one(terminal: Terminal, pool: Pool) -> None:
    config = terminal.configure()
    three(config, pool)
    out, _ = terminal.type("verify")
    assert "Checked 1 article, 3 revisions, 3 texts and 3 pages: all as they were kept." in out
    store = config.open_store()
    with store.begin() as conn:
        page = conn.scalar(sa.select(sa.func.min(pages.c.hash)))
        conn.execute(sa.update(pages).where(pages.c.hash == page).values(body=b"<p>Something else"))
        conn.execute(sa.update(wordings).values(wording=Wording(body="Something else")))
    store.close()
    out, err = terminal.type("verify", code=1)
    assert err.startswith(f"{URL} (tag:news.example,2026:article/")
    assert "was altered: its words have another hash." in err.splitlines()[0]
    assert "4 faults; the first is named first." in err
    plain = terminal.json("verify", URL, code=1)
    assert [one["kind"] for one in plain["faults"]] == ["text", "text", "text", "page"]


# Evidence


def test_evidence_is_whole_readable_and_the_same_every_time(terminal: Terminal, pool: Pool) -> None:
    three(terminal.configure(SINKS), pool)
    out, _ = terminal.type("evidence", URL, "-o", "proof")
    assert re.match(r"Wrote 24 files \([\d,]+ bytes\) about “Ferry” to proof; read report\.html", out)
    folder = terminal.folder / "proof"
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    summed = [line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert sorted([*summed, "SHA256SUMS"]) == names
    manifest = json.loads((folder / "manifest.json").read_text())
    for one in manifest["files"]:
        data = (folder / one["path"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (one["bytes"], one["sha256"])
    for one in manifest["revisions"]:
        page = (folder / f"revisions/{one['version']:03}/page.html.txt").read_bytes()
        assert hashlib.sha256(page).hexdigest() == one["pageSha256"]
    chain = [json.loads(line) for line in (folder / "chain.jsonl").read_text().splitlines()]
    before = None
    for link in chain:
        assert hashlib.sha256(link["body"].encode()).hexdigest() == link["hash"]
        assert json.loads(link["body"])["before"] == before
        before = link["hash"]
    assert manifest["lastLink"] == before
    records = [json.loads((folder / f"revisions/00{n}/record.json").read_text()) for n in (1, 2, 3)]
    assert [one["version"] for one in records] == ["1", "2", "3"]
    assert len((folder / "events.jsonl").read_text().splitlines()) == 3
    for name in ("one.zip", "two.zip"):
        terminal.type("evidence", URL, "-o", name)
    assert (terminal.folder / "one.zip").read_bytes() == (terminal.folder / "two.zip").read_bytes()
    with zipfile.ZipFile(terminal.folder / "one.zip") as archive:
        assert archive.testzip() is None
        inside = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert inside == {name: (folder / name).read_bytes() for name in names}
    assert not list(terminal.folder.glob(".*proof*"))


def test_report_says_what_changed_when_and_what_that_proves(terminal: Terminal, pool: Pool) -> None:
    three(terminal.configure(), pool)
    terminal.type("evidence", URL, "-o", "proof")
    report = (terminal.folder / "proof" / "report.html").read_text()
    text = re.sub(r"<[^>]+>", "", report.partition("</style>")[2])
    assert "Between 2026-03-16 12:30:00, when the old wording was last seen, and 2026-03-16 13:00:00" in text
    assert "nothing told readers of it" in text
    assert "[-a-]{+no+} ferry" in text
    assert "HTTP 503" in text
    assert re.search(r"all of it was checked\s+against these hashes, and fitted", text)
    # It asks nobody for anything and runs nothing.
    assert re.findall(r"(?:src|href|action)=|<script|<link|<img|@import|url\(", report) == []
    assert "default-src 'none'" in report


def test_publisher_text_cannot_get_out_of_the_report(terminal: Terminal, pool: Pool) -> None:
    evil = '<img src=x onerror=alert(1)></p><script>alert(2)</script>"&' + HOSTILE
    texts = [STORY + evil, STORY + evil + " More."]
    with_pages(terminal.configure(), pool, *(reading(60 * n, text, headline=evil) for n, text in enumerate(texts)))
    terminal.type("evidence", URL, "-o", "proof")
    report = (terminal.folder / "proof" / "report.html").read_text()
    assert "<img" not in report
    assert "<script" not in report
    assert "\x1b" not in report
    assert "&lt;script&gt;alert(2)" in report


def test_evidence_of_what_is_gone_says_why(terminal: Terminal, pool: Pool) -> None:
    three(terminal.configure(YEARS), pool, days_before=2000)
    terminal.type("tidy")
    terminal.type("evidence", URL, "-o", "proof")
    report = (terminal.folder / "proof" / "report.html").read_text()
    assert "The text of revision 1 was removed on" in report
    assert "The page was removed on" in report
    assert not (terminal.folder / "proof" / "revisions" / "001" / "page.html.txt").exists()
    terminal.type("forget", URL, "--reason", "by order of a court")
    terminal.type("evidence", URL, "-o", "proof")
    report = (terminal.folder / "proof" / "report.html").read_text()
    assert "Reason given: by order of a court" in report
    assert "harbour council" not in report
    manifest = json.loads((terminal.folder / "proof" / "manifest.json").read_text())
    assert manifest["forgotten"]["reason"] == "by order of a court"
    assert manifest["faults"] == []


def test_evidence_shows_that_a_page_was_altered(terminal: Terminal, pool: Pool) -> None:
    config = terminal.configure()
    three(config, pool)
    store = config.open_store()
    with store.begin() as conn:
        conn.execute(sa.delete(pages))
    store.close()
    terminal.type("evidence", URL, "-o", "proof")
    report = (terminal.folder / "proof" / "report.html").read_text()
    assert "What is kept does not fit together." in report
    assert "the page of revision 1 is missing" in report


def test_evidence_replaces_no_folder_that_is_something_else(terminal: Terminal, pool: Pool) -> None:
    two_revisions(terminal.configure(), pool)
    (terminal.folder / "mine").mkdir()
    (terminal.folder / "mine" / "letter.txt").write_text("Dear Madam")
    _, err = terminal.type("evidence", URL, "-o", "mine", code=2)
    assert "mine is there and holds something else: give another with -o" in err
    assert (terminal.folder / "mine" / "letter.txt").exists()


def test_evidence_of_an_article_that_was_never_read(terminal: Terminal, pool: Pool) -> None:
    fill(terminal.configure(), pool, absence(0, Seen.FAILED, "HTTP 500"))
    terminal.type("evidence", URL, "-o", "proof")
    assert "No wording of it was ever read." in (terminal.folder / "proof" / "report.html").read_text()
