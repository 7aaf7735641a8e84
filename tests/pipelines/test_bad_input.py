"""Whatever a publisher sends, a pass goes on, says what was wrong with it, and makes no revision of it."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.builders import at
from tests.pipelines.site import FEED, HOST, counted, feed, page, rss, story, world
from tests.wirewatch.fetch_site import Send, answered
from wirewatch.canonical import sha256
from wirewatch.model import Availability
from wirewatch.store import articles, dead_letters

MIB: Final = 1 << 20
GOOD: Final = "/good"
JUNK: Final = random.Random(1).randbytes(20_000)
ENTITY_BOMB: Final = (
    b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "news news news">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 50) for n in range(8))
    + b']><rss version="2.0"><channel><title>&i;</title></channel></rss>'
)


def endless(mebibytes: int, content_type: str) -> Send:
    """Return an answer of so many mebibytes that does not say how long it is."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n\r\n".encode())
        for _ in range(mebibytes):
            writer.write(b"news " * (MIB // 5))
            await writer.drain()

    return send


# Feeds


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        pytest.param(page(), "invalid", "", id="a web page"),
        pytest.param(answered(b""), "invalid", "empty", id="empty"),
        pytest.param(answered(ENTITY_BOMB), "invalid", "", id="an entity bomb"),
        pytest.param(endless(50, "application/rss+xml"), "failed", "larger than 15 MiB", id="50 MB"),
        pytest.param(
            answered(gzip.compress(b" " * (50 * MIB)), content_encoding="gzip"),
            "failed",
            "larger than 15 MiB",
            id="50 MB in a few kilobytes",
        ),
        pytest.param(answered(JUNK, content_type="application/rss+xml"), "invalid", "", id="not text"),
        pytest.param(answered(status=500), "failed", "HTTP 500", id="an error of the server"),
        pytest.param(answered(status=403), "blocked", "HTTP 403", id="forbidden"),
        pytest.param(answered(status=410), "gone", "HTTP 410", id="gone"),
    ],
)
def test_feed_that_cannot_be_read_has_the_reason_in_its_health_and_the_others_go_on(
    answer: bytes | Send, outcome: str, said: str, tmp_path: Path
) -> None:
    bad = f"http://{HOST}/bad.xml"
    answers = {"/bad.xml": answer, "/feed.xml": feed([GOOD]), GOOD: page()}
    with world(tmp_path, answers, feeds=(bad, FEED)) as w:
        report = w.run()
        health = w.health()

    assert report.counts == {"article": {"new": 1}, "feed": {outcome: 1, "new": 1}}
    assert health[bad].failures == 1
    assert health[bad].last_success is None
    assert said in health[bad].detail
    assert health[bad].detail
    assert (health[bad].due_at or w.now) > w.now
    assert any(bad in finding for finding in report.findings)
    assert (health[FEED].failures, health[FEED].last_success) == (0, w.now)


@pytest.mark.parametrize(
    ("body", "content_type", "articles", "flag"),
    [
        pytest.param(rss(["/one", "/two"])[:-60], "application/rss+xml", 1, "truncated", id="truncated"),
        pytest.param(
            rss(["/one"]).decode().replace("Entry of", "Café").encode("latin-1"),
            "application/rss+xml; charset=utf-8",
            1,
            "wrong_encoding",
            id="wrongly encoded",
        ),
    ],
)
def test_feed_that_is_damaged_is_read_as_far_as_it_goes_and_its_health_says_so(
    body: bytes, content_type: str, articles: int, flag: str, tmp_path: Path
) -> None:
    answers = {"/feed.xml": answered(body, content_type=content_type), "/one": page(), "/two": page()}
    with world(tmp_path, answers) as w:
        report = w.run()
        (health,) = w.health().values()

    assert report.counts["feed"] == {"new": 1}
    assert counted(report)["new"] >= articles
    assert flag in health.detail.split(", ")


# Articles


UNUSABLE: Final[Mapping[str, tuple[bytes, dict[str, str], str]]] = {
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", {"content_type": "application/pdf"}, "a PDF"),
    "a PDF that says it is HTML": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", {}, "a PDF"),
    "an image": (b"\x89PNG\r\n\x1a\n" + JUNK, {"content_type": "image/png"}, "a PNG image"),
    "empty": (b"", {}, "empty"),
    "white space": (b" \r\n\t ", {}, "empty"),
    "not text": (JUNK, {}, "charset"),
    "octets": (JUNK, {"content_type": "application/octet-stream"}, "charset"),
    "nested 100,000 deep": (b"<html><body>" + b"<div>" * 100_000 + b"text", {}, "levels deep"),
    "in a charset that lies": (
        "<p>港の議会はフェリーを支える。</p>".encode() + "港の議会".encode("shift_jis") * 20,
        {"content_type": "text/html; charset=big5"},
        "charset",
    ),
    "without an article": (b"<html><head><script>1</script></head><body></body></html>", {}, "no article"),
    "a million attributes": (
        b"<html><body><p " + b" ".join(b"a%x" % n for n in range(700_000)) + b">text",
        {},
        "attributes",
    ),
    "80,000 links": (b"<html><body>" + b'<a href="/x">x</a> ' * 80_000, {}, "tags"),
    "a million combining marks": (b"<html><body><p>a" + "\u0301".encode() * 1_000_000, {}, "combining marks"),
}


def test_article_that_is_none_becomes_a_dead_letter_and_the_pass_goes_on(tmp_path: Path) -> None:
    paths = {f"/{number}": given for number, given in enumerate(UNUSABLE.values())}
    answers = {path: page(body, **headers) for path, (body, headers, _) in paths.items()}
    with world(tmp_path, {"/feed.xml": feed([*paths, GOOD]), GOOD: page(), **answers}) as w:
        report = w.run()
        letters = {letter.url: letter for letter in w.letters()}
        histories = {path: w.article(path) for path in paths}

    assert report.counts["article"] == {"invalid": len(UNUSABLE), "new": 1}
    assert len(letters) == len(UNUSABLE)
    for (path, (body, _, reason)), name in zip(paths.items(), UNUSABLE, strict=True):
        letter = letters[f"http://{HOST}{path}"]
        assert (letter.step, letter.sha256, letter.replayable) == ("extract", sha256(body), True), name
        assert reason in letter.reason, name
        assert histories[path].revisions == (), name
        assert histories[path].availability is Availability.FAILING, name
    assert w.kinds() == ["published"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(endless(20, "text/html"), id="20 MB"),
        pytest.param(
            page(gzip.compress(b"news " * (20 * MIB // 5)), content_encoding="gzip"), id="20 MB in a few kilobytes"
        ),
    ],
)
def test_article_that_is_too_large_becomes_a_dead_letter_with_the_hash_of_what_was_taken(
    answer: bytes | Send, tmp_path: Path
) -> None:
    with world(tmp_path, {"/feed.xml": feed(["/large", GOOD]), GOOD: page(), "/large": answer}) as w:
        report = w.run()
        (letter,) = w.letters()

    assert report.counts["article"] == {"failed": 1, "new": 1}
    assert (letter.url, letter.step) == (f"http://{HOST}/large", "fetch")
    assert letter.reason == "The answer is larger than 5 MiB"
    assert letter.sha256 == sha256((b"news " * (6 * MIB // 5))[: 5 * MIB])


def test_dead_letter_keeps_the_bytes_to_try_again_with(tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed(["/pdf"]), "/pdf": answered(b"%PDF-1.7")}) as w:
        w.run()
        (letter,) = w.letters()
        kept = dead_letters.get(w.store, letter.id)

    assert kept is not None
    assert kept[1] is not None
    assert kept[1].body == b"%PDF-1.7"


# No list of combining marks is whole: these of Tibetan are as bad, and NFC over 300,000 of them takes minutes.
SLOW: Final[Mapping[str, bytes]] = {
    "/0": ("<html><body><h1>Ferry</h1><p>The council met.<p>a" + "\u0f71\u0f72" * 150_000).encode(),
    "/4": b"<html><body><h1>Ferry</h1>" + b"<p>some words here that matter to it" * 39_000,
}


def test_page_that_takes_too_long_is_stopped_and_no_other_waits_for_it(tmp_path: Path) -> None:
    paths = [f"/{number}" for number in range(8)]
    answers = {path: page(SLOW.get(path) or story(path)) for path in paths}
    with world(tmp_path, {"/feed.xml": feed(paths), **answers}, work={"timeout": "2s"}) as w:
        report = w.run()
        letters = w.letters()
        kept = Counter(len(w.article(path).revisions) for path in paths)

    assert report.counts["article"] == {"invalid": 2, "new": 6}
    assert kept == {0: 2, 1: 6}
    assert {letter.url: letter.sha256 for letter in letters} == {
        f"http://{HOST}{path}": sha256(body) for path, body in SLOW.items()
    }
    assert {letter.reason for letter in letters} == {"Working on it took longer than 2 s and was stopped"}


# Claims


@pytest.mark.parametrize(
    ("head", "content_type", "flag"),
    [
        pytest.param(
            '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Ferry",'
            ' "datePublished": "2026-03-16T14:21:00+99:99"}</script>',
            "text/html; charset=utf-8",
            "unreadable",
            id="an impossible zone",
        ),
        pytest.param(
            '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Ferry \\ud800",'
            ' "author": {"name": "\\udfff"}, "datePublished": "2026-03-16T11:00:00Z\\ud800"}</script>',
            "text/html; charset=utf-8",
            None,
            id="lone surrogates",
        ),
        pytest.param("", "text/html; charset=klingon", "unknown_charset", id="an unknown charset"),
        pytest.param(
            '<meta property="article:published_time" content="2026-03-17T14:21:00Z">',
            "text/html; charset=utf-8",
            "future",
            id="a stamp in the future",
        ),
        pytest.param(
            '<meta property="article:published_time" content="2026-03-16T11:00:00Z">'
            '<meta property="article:modified_time" content="2026-03-16T10:00:00Z">',
            "text/html; charset=utf-8",
            "before_published",
            id="modified before published",
        ),
        pytest.param(
            '<script type="application/ld+json">{"@type": ["NewsArticle", {"datePublished": [[[[</script>',
            "text/html; charset=utf-8",
            None,
            id="JSON that breaks off",
        ),
    ],
)
def test_article_with_metadata_that_libraries_give_up_on_is_kept_and_the_claim_is_flagged(
    head: str, content_type: str, flag: str | None, tmp_path: Path
) -> None:
    body = story(head=head).replace(b'<meta charset="utf-8">', b"")
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page(body, content_type=content_type)}) as w:
        report = w.run()
        (observation,) = w.observations("/a")

    assert report.counts["article"] == {"new": 1}
    assert w.kinds() == ["published"]
    flags = {*observation.flags, *(flag for claim in observation.claims for flag in claim.flags)}
    assert flag is None or flag in flags


def test_clock_that_goes_backwards_leaves_every_capture_at_its_own_time(tmp_path: Path) -> None:
    a_second_before = 60 - 1 / 60
    with world(tmp_path, {"/feed.xml": feed(["/a"]), "/a": page(story("The later headline"))}) as w:
        w.run(60)
        w.site.answers["/a"] = page(story("The earlier headline"))
        with w.store.begin() as conn:
            articles.push(conn, [f"http://{HOST}/a"], at(a_second_before))
        report = w.run(a_second_before)
        revisions = w.article("/a").revisions

    assert report.counts["article"] == {"revised": 1}
    assert [one.first_observed for one in revisions] == [at(a_second_before), at(60)]
    assert Counter(w.kinds()) == {"published": 1, "revised": 1}
