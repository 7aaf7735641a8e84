"""Files of captures: every line is a capture or says why it is none, and no line ends the reading."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.captures import Malformed, read_captures
from tests.builders import NOON, URL, at
from wirewatch.captures import LONGEST_BODY, LONGEST_LINE
from wirewatch.errors import ConfigurationError
from wirewatch.model import Capture

CONTENT_HASH = "0a" * 32


def line(**members: Any) -> str:
    """Return a line with a capture; a member given as None is left out."""
    said = {"url": URL, "observedAt": "2026-03-16T12:00:00Z", "body": "<p>Ferry", **members}
    return json.dumps({name: value for name, value in said.items() if value is not None})


def written(folder: Path, *lines: str | bytes, name: str = "captures.jsonl") -> Path:
    """Write lines into a file, compressed if its name says so."""
    data = b"".join((one.encode() if isinstance(one, str) else one) + b"\n" for one in lines)
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def only(folder: Path, text: str | bytes) -> Capture | Malformed:
    """Read a file of one line."""
    (found,) = read_captures([written(folder, text)])
    return found


# What a line says


def test_line_says_everything_of_a_capture(tmp_path: Path) -> None:
    said = line(
        status=203,
        headers={"ETag": '"a"', "Content-Type": "text/html; charset=latin-1"},
        feed="https://courier.example/feed.xml",
        finalUrl=URL + "?moved",
        observedAt="2026-03-16T13:30:00.123456+01:00",
        body="Füße",
    )

    assert only(tmp_path, said) == Capture(
        url=URL,
        observed=at(30).replace(microsecond=123456),
        status=203,
        headers=(("content-type", "text/html; charset=utf-8"), ("etag", '"a"')),
        body="Füße".encode(),
        feed="https://courier.example/feed.xml",
        final_url=URL + "?moved",
    )


@pytest.mark.parametrize(
    ("members", "status", "not_modified"),
    [
        pytest.param({}, 200, None, id="a page"),
        pytest.param({"body": None, "status": 404}, 404, None, id="no page"),
        pytest.param({"body": None, "notModified": CONTENT_HASH}, None, CONTENT_HASH, id="a 304 without its status"),
        pytest.param(
            {"body": None, "notModified": f"sha256:{CONTENT_HASH}", "status": 304}, 304, CONTENT_HASH, id="a 304"
        ),
    ],
)
def test_status_may_be_left_out(
    members: dict[str, Any], status: int | None, not_modified: str | None, tmp_path: Path
) -> None:
    capture = only(tmp_path, line(**members))

    assert isinstance(capture, Capture)
    assert (capture.status, capture.not_modified) == (status, not_modified)


@pytest.mark.parametrize("name", ["page.html", "page.html.gz", "pages/page.html"])
def test_body_may_lie_in_a_file_of_its_own_with_the_charset_it_has(name: str, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    body = "Füße".encode("latin-1")
    (tmp_path / name).write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    said = line(body=None, bodyPath=name, contentType="text/html; charset=latin-1")

    capture = only(tmp_path, said)

    assert isinstance(capture, Capture)
    assert capture.body == body
    assert capture.header("content-type") == "text/html; charset=latin-1"


@pytest.mark.parametrize("name", ["captures.jsonl", "captures.ndjson", "captures.jsonl.gz", "captures.NDJSON.gz"])
def test_file_may_be_compressed(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, line(), "", "  ", line(observedAt="2026-03-16T12:01:00Z"), name=name)

    found = list(read_captures([path]))

    assert [one.observed for one in found if isinstance(one, Capture)] == [NOON, at(1)]


# What is no capture


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{", "EOF", id="half a line"),
        pytest.param("[]", "object", id="a list"),
        pytest.param("null", "object", id="null"),
        pytest.param(b"\xff\xfe\x00", "", id="not text"),
        pytest.param("{}", "url", id="nothing"),
        pytest.param(line(url=None), "url", id="no URL"),
        pytest.param(line(url=""), "url", id="an empty URL"),
        pytest.param(line(url="ftp://courier.example/a"), "", id="a URL of no web page"),
        pytest.param(line(url="http://[::1/a"), "", id="a URL that is none"),
        pytest.param(line(observedAt=None), "observedAt", id="no time"),
        pytest.param(line(observedAt="2026-03-16T12:00:00"), "observedAt", id="a time without a zone"),
        pytest.param(line(observedAt="yesterday"), "observedAt", id="no time that can be read"),
        pytest.param(line(observedAt="0001-01-01T00:00:00+14:00"), "observedAt", id="a time before all times"),
        pytest.param(line(status=9), "status", id="no status of HTTP"),
        pytest.param(line(colour="red"), "colour", id="a member that nobody knows"),
        pytest.param(line(bodyPath="a"), "not both", id="two bodies"),
        pytest.param(line(body=None, bodyPath="missing.html"), "cannot be read", id="a body that is not there"),
        pytest.param(line(body=None, bodyPath="../secret.html"), "leads out of", id="a body elsewhere"),
        pytest.param(line(body=None, bodyPath="/etc/hostname"), "leads out of", id="a body anywhere"),
        pytest.param(line(body=None, bodyPath="link.html"), "leads out of", id="a link that leads elsewhere"),
        pytest.param(line(body=None, bodyPath="a\0b"), "cannot be read", id="a path that is none"),
        pytest.param(line(body=None, bodyPath="."), "cannot be read", id="a folder"),
        pytest.param(line(body=None, bodyPath="damaged.gz"), "cannot be read", id="a damaged body"),
        pytest.param(line(body=None, bodyPath="bomb.gz"), "more than 15 MiB", id="a bomb"),
        pytest.param(line(body=None, notModified="abc"), "notModified", id="no hash"),
        pytest.param('{"a":' * 100_000, "", id="nested deep"),
    ],
)
def test_line_that_is_no_capture_is_named_and_the_others_are_read(
    text: str | bytes, reason: str, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (tmp_path / "secret.html").write_text("secret")
    (folder / "link.html").symlink_to(tmp_path / "secret.html")
    (folder / "damaged.gz").write_bytes(gzip.compress(b"news " * 1000)[:-30])
    (folder / "bomb.gz").write_bytes(gzip.compress(bytes(LONGEST_BODY + 1)))
    path = written(folder, line(), text, line(observedAt="2026-03-16T12:01:00Z"))

    before, bad, after = read_captures([path])

    assert isinstance(before, Capture)
    assert isinstance(after, Capture)
    assert isinstance(bad, Malformed)
    assert (bad.file, bad.line) == (str(path), 2)
    assert reason in bad.reason
    assert len(bad.reason) < 500


def test_half_a_character_is_replaced_and_costs_no_capture(tmp_path: Path) -> None:
    capture = only(tmp_path, line(body="<p>Ferry \ud83d", headers={"x": "\udc00"}))

    assert isinstance(capture, Capture)
    assert capture.body.decode() == "<p>Ferry \ufffd"


def test_line_that_is_too_long_is_one_bad_line(tmp_path: Path) -> None:
    path = written(tmp_path, line(), b"x" * (2 * LONGEST_LINE), line(), name="captures.jsonl.gz")

    before, bad, after = read_captures([path])

    assert isinstance(before, Capture)
    assert isinstance(after, Capture)
    assert isinstance(bad, Malformed)
    assert (bad.line, bad.reason) == (2, "The line has more than 64 MiB")


def test_file_that_is_damaged_is_read_up_to_there(tmp_path: Path) -> None:
    path = written(tmp_path, *(line(observedAt=at(n).isoformat()) for n in range(3000)), name="captures.jsonl.gz")
    path.write_bytes(path.read_bytes()[:-200])

    *good, bad = read_captures([path])

    assert good
    assert all(isinstance(one, Capture) for one in good)
    assert isinstance(bad, Malformed)
    assert bad.line == len(good) + 1
    assert "damaged" in bad.reason


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_end_the_reading(tmp_path_factory: pytest.TempPathFactory, first: bytes, second: bytes) -> None:
    path = written(tmp_path_factory.mktemp("any"), first, second, line())

    *_, last = read_captures([path])

    assert isinstance(last, Capture)


# Single pages, and what cannot be read at all


@pytest.mark.parametrize(("name", "kind"), [("a.html", "text/html"), ("a.txt", "text/plain; charset=utf-8")])
def test_single_page_is_told_where_and_when_it_was_read(name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"Ferry")

    (capture,) = read_captures([tmp_path / name], url=URL, observed_at=NOON, feed="https://courier.example/feed")

    assert isinstance(capture, Capture)
    assert (capture.url, capture.observed, capture.body) == (URL, NOON, b"Ferry")
    assert (capture.header("content-type"), capture.feed) == (kind, "https://courier.example/feed")


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        pytest.param(["missing.jsonl"], {}, "is no file", id="not there"),
        pytest.param(["a.pdf"], {}, "ending that is not known", id="of no known kind"),
        pytest.param(["a.html"], {}, "add --url and --observed-at", id="a page without place and time"),
        pytest.param(["a.html", "b.html"], {"url": URL, "observed_at": NOON}, "one page", id="two pages"),
        pytest.param(["a.jsonl"], {"url": URL}, "are for single pages", id="captures with place and time"),
        pytest.param(["a.html"], {"url": "no address", "observed_at": NOON}, "address", id="a page at no address"),
    ],
)
def test_input_that_cannot_be_read_is_refused_before_anything_is_read(
    names: list[str], options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    for name in ("a.pdf", "a.html", "b.html", "a.jsonl"):
        (tmp_path / name).touch()

    with pytest.raises(ConfigurationError, match=said):
        read_captures([tmp_path / name for name in names], **options)
