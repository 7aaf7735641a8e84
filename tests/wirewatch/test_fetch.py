"""Whatever a server does, a capture says what it was."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wirewatch.fetch_site import MemorySlots, answered, captured, check, fetch, fetcher, site, to
from wirewatch.availability import seen
from wirewatch.clock import FixedClock, SystemClock
from wirewatch.errors import StoreError
from wirewatch.model import Capture, Seen, Source

STORY = b"<!doctype html><title>Ferry</title><p>The harbour council approved a ferry subsidy."
MIB = 1024 * 1024


def test_page_comes_back_as_it_was_sent() -> None:
    clock = FixedClock(datetime(2026, 3, 16, 14, 26, tzinfo=UTC))
    with site(
        {"/story": answered(STORY, content_type="text/html", etag='"1"', set_cookie="id=7", server="x")}
    ) as paper:
        asked = check(
            paper.url(),
            start=clock.now(),
            lease_ends=clock.at + timedelta(1),
            guid="7",
            source=Source(feed="http://f/"),
        )
        assert captured(asked, clock=clock) == Capture(
            url=paper.url(),
            final_url=paper.url(),
            observed=clock.at,
            status=200,
            headers=(("content-type", "text/html"), ("etag", '"1"')),
            body=STORY,
            feed="http://f/",
            guid="7",
        )


def test_requests_say_who_asks_and_carry_nothing_else() -> None:
    story = answered(STORY, set_cookie="id=7; Path=/")
    with site({"/story": to("/moved"), "/moved": story}) as paper:
        captured(paper.url())
        assert paper.paths() == ["/robots.txt", "/story", "/moved"]
        for request in paper.log:
            assert request.headers["user-agent"] == "wirewatch/0.1.0 (+desk@courier.example)"
            assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding"}


def test_validators_are_sent_and_a_304_confirms_the_wording_they_vouch_for() -> None:
    with site({"/story": answered(status=304)}) as paper:
        capture = captured(
            check(paper.url(), etag='"1"', last_modified="Mon, 16 Mar 2026 14:21:00 GMT", content_hash="abc")
        )
        assert paper.log[-1].headers["if-none-match"] == '"1"'
        assert paper.log[-1].headers["if-modified-since"] == "mon, 16 mar 2026 14:21:00 gmt"
    assert (capture.not_modified, capture.problem) == ("abc", None)
    assert seen(capture)[0] is Seen.NOT_MODIFIED


def test_304_that_was_not_asked_for_confirms_nothing() -> None:
    with site({"/story": answered(status=304)}) as paper:
        capture = captured(check(paper.url(), content_hash="abc"))
    assert (capture.not_modified, capture.problem) == (None, "The answer is HTTP 304, but the request had no condition")
    assert seen(capture)[0] is Seen.FAILED


def test_validator_that_would_forge_a_header_is_not_sent() -> None:
    with site({"/story": answered(STORY)}) as paper:
        assert captured(check(paper.url(), etag='"1"\r\nCookie: a=b')).status == 200
        assert not {"if-none-match", "cookie"} & set(paper.log[-1].headers)


@pytest.mark.parametrize(
    ("status", "shows"),
    [
        (401, Seen.BLOCKED),
        (402, Seen.BLOCKED),
        (403, Seen.BLOCKED),
        (404, Seen.MISSING),
        (410, Seen.GONE),
        (429, Seen.BLOCKED),
        (451, Seen.BLOCKED),
        (500, Seen.FAILED),
        (503, Seen.FAILED),
    ],
)
def test_status_is_kept_and_the_body_of_an_error_is_not(status: int, shows: Seen) -> None:
    with site({"/story": answered(b"No.", status=status)}) as paper:
        capture = captured(paper.url())
    assert (capture.status, capture.body, capture.problem, seen(capture)[0]) == (status, b"", None, shows)


async def _silence(_writer: Any) -> None:
    await asyncio.sleep(30)


async def _half_a_head(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-")
    await asyncio.sleep(30)


async def _drip(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _drip_of_heads(writer: Any) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _reset(writer: Any) -> None:
    writer.transport.abort()


async def _broken_off(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nThe harbour council")
    await writer.drain()


async def _broken_chunks(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nThe h\r\nzz\r\n")
    await writer.drain()


async def _rubbish(writer: Any) -> None:
    writer.write(b"220 mail.courier.example ESMTP\r\n")
    await writer.drain()


async def _endless_head(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for n in range(100_000):
        writer.write(b"X-%d: %s\r\n" % (n, b"x" * 1000))
        await writer.drain()


async def _many_megabytes(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(200):
        writer.write(b"x" * (MIB // 10))
        await writer.drain()


async def _bomb(writer: Any) -> None:
    deflate = zlib.compressobj(wbits=31)
    head = deflate.compress(b"") + deflate.flush(zlib.Z_FULL_FLUSH)
    piece = deflate.compress(bytes(10 * MIB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + head)
    for _ in range(1000):  # 10 GB
        writer.write(piece)
        await writer.drain()


SILENT = {"read_seconds": 0.4}
DRIPPING = {"total_seconds": 0.6}


@pytest.mark.parametrize(
    ("behaviour", "limits", "problem"),
    [
        pytest.param(_silence, SILENT, "Nothing came from 127.0.0.1 for 0.4 seconds", id="no answer"),
        pytest.param(_half_a_head, SILENT, "Nothing came from 127.0.0.1 for 0.4 seconds", id="headers stop"),
        pytest.param(_drip, DRIPPING, "127.0.0.1 was not done within 0.6 seconds", id="body drips"),
        pytest.param(_drip_of_heads, DRIPPING, "127.0.0.1 was not done within 0.6 seconds", id="headers drip"),
        pytest.param(_reset, {}, "127.0.0.1 closed the connection without an answer", id="reset"),
        pytest.param(_broken_off, {}, "The answer broke off before its end", id="shorter than said"),
        pytest.param(_broken_chunks, {}, "The answer of 127.0.0.1 is not HTTP that can be read", id="chunks broken"),
        pytest.param(_rubbish, {}, "The answer of 127.0.0.1 is not HTTP that can be read", id="not HTTP"),
        pytest.param(_endless_head, {}, "The answer of 127.0.0.1 is not HTTP that can be read", id="endless headers"),
        pytest.param(_many_megabytes, {}, "The answer is larger than 5 MiB", id="20 MB"),
        pytest.param(_bomb, {}, "The answer is larger than 5 MiB", id="gzip bomb of 10 GB"),
    ],
)
def test_what_goes_wrong_is_one_sentence(behaviour: Any, limits: dict[str, Any], problem: str) -> None:
    with site({"/story": behaviour, "/robots.txt": answered(status=404, connection="close")}) as paper:
        capture = captured(paper.url(), **limits)
        assert paper.paths() == ["/robots.txt", "/story"]
    assert (capture.problem, capture.refused, seen(capture)[0]) == (problem, False, Seen.FAILED)


_HEADS = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ",
        b"HTTP/1.1 200 OK\r\nContent-Type: ",
        b"HTTP/1.1 503 Busy\r\nRetry-After: ",
        b"HTTP/1.1 ",
    ]
)


def test_whatever_bytes_come_a_capture_says_so() -> None:
    with site() as paper:

        @settings(deadline=None, max_examples=60)
        @given(head=_HEADS, rest=st.binary(max_size=100), end=st.sampled_from([b"", b"\r\n\r\n"]))
        def any_bytes(head: bytes, rest: bytes, end: bytes) -> None:
            async def send(writer: Any) -> None:
                writer.write(head + rest + end)
                await writer.drain()

            paper.answers["/story"] = send
            capture = captured(paper.url())
            assert capture.url == paper.url()
            assert capture.status is not None or capture.problem

        any_bytes()


def test_bomb_is_never_inflated() -> None:
    with site({"/story": _bomb}) as paper:
        tracemalloc.start()
        capture = captured(paper.url(), article_bytes=MIB)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert capture.body == bytes(MIB)
    assert peak < 16 * MIB  # the server builds its 10 MiB piece in this process too


@pytest.mark.parametrize(
    ("reason", "size", "kept"),
    [
        ("article", 5 * MIB, True),
        ("article", 5 * MIB + 1, False),
        ("feed", 15 * MIB, True),
        ("feed", 15 * MIB + 1, False),
    ],
)
def test_feeds_may_be_larger_than_articles(reason: str, size: int, kept: bool) -> None:
    with site({"/story": answered(gzip.compress(bytes(size), 1), content_encoding="gzip")}) as paper:
        capture = captured(check(paper.url(), reason=reason))
    assert (capture.problem is None) is kept
    assert len(capture.body) == size - (not kept)


def test_refused_connection_is_a_failure() -> None:
    with site() as paper:
        closed = paper.url()
    capture = captured(closed)
    assert (
        capture.problem
        == "The robots.txt of 127.0.0.1 could not be read: No connection to 127.0.0.1: "
        + (capture.problem or "").rpartition(": ")[2]
    )
    assert (capture.status, capture.final_url, seen(capture)[0]) == (None, None, Seen.FAILED)


def test_name_that_does_not_exist_is_a_failure() -> None:
    capture = captured("http://courier.invalid/story")
    assert (capture.problem or "").startswith(
        "The robots.txt of courier.invalid could not be read: The name courier.invalid could not be resolved"
    )
    assert seen(capture)[0] is Seen.FAILED


@pytest.mark.parametrize("name", ["courier..invalid", "a" * 64 + ".invalid", ".", "-.invalid", "*.invalid"])
def test_name_that_cannot_exist_is_not_an_error(name: str) -> None:
    capture = captured(f"http://{name}/story")
    assert capture.problem
    assert capture.status is None


def _certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(tls)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return tls, str(folder / "ca.pem")


def test_page_over_tls_from_an_authority_that_is_trusted(tmp_path: Path) -> None:
    tls, ca_file = _certificate(tmp_path, "courier.example")
    with site({"/story": answered(STORY)}, tls) as paper:
        there = {"courier.example": f"127.0.0.1:{paper.port}"}
        capture = captured("https://courier.example/story", connect_to=there, allow_addresses=(), ca_file=ca_file)
    assert (capture.body, capture.problem) == (STORY, None)


@pytest.mark.parametrize(("name", "trusted"), [("courier.example", False), ("other.example", True)])
def test_certificate_that_proves_nothing_is_a_failure(tmp_path: Path, name: str, trusted: bool) -> None:
    tls, ca_file = _certificate(tmp_path, name)
    with site({"/story": answered(STORY)}, tls) as paper:
        there = {"courier.example": f"127.0.0.1:{paper.port}"}
        capture = captured("https://courier.example/story", connect_to=there, ca_file=ca_file if trusted else None)
        assert paper.log == []
    assert "The certificate of courier.example is not valid" in (capture.problem or "")
    assert seen(capture)[0] is Seen.FAILED


def test_tls_where_there_is_none_is_a_failure() -> None:
    with site({"/story": answered(STORY)}) as paper:
        capture = captured(paper.url().replace("http:", "https:"))
    assert "TLS with 127.0.0.1 failed" in (capture.problem or "")


def test_redirects_are_followed_and_named_in_order() -> None:
    answers = {"/story": to("/a", 301), "/a": to("b?x=%2F#top", 307), "/b?x=%2F": to("/c", 308), "/c": answered(STORY)}
    with site(answers) as paper:
        capture = captured(paper.url())
        assert capture.redirects == (paper.url("/a"), paper.url("/b?x=%2F"))
        assert (capture.final_url, capture.body) == (paper.url("/c"), STORY)


@pytest.mark.parametrize(("first", "second", "moved"), [(301, 308, True), (301, 302, False), (307, 301, False)])
def test_a_page_has_moved_for_good_if_every_redirect_says_so(first: int, second: int, moved: bool) -> None:
    with site({"/story": to("/a", first), "/a": to("/b", second), "/b": answered(STORY)}) as paper:
        assert captured(paper.url()).moved is moved


def test_redirect_that_names_no_place_is_its_own_answer() -> None:
    with site({"/story": answered(status=301)}) as paper:
        assert captured(paper.url()).status == 301


@pytest.mark.parametrize(("hops", "arrives"), [(10, True), (11, False)])
def test_ten_redirects_are_followed_and_no_more(hops: int, arrives: bool) -> None:
    answers = {"/story": to("/1")} | {f"/{n}": to(f"/{n + 1}") for n in range(1, hops)} | {f"/{hops}": answered(STORY)}
    with site(answers) as paper:
        capture = captured(paper.url())
        assert f"/{hops}" not in paper.paths() or arrives
    assert capture.problem == (None if arrives else "There are more than 10 redirects")


def test_redirects_in_a_circle_are_left_at_once() -> None:
    with site({"/story": to("/a"), "/a": to("/story")}) as paper:
        capture = captured(paper.url())
        assert paper.paths() == ["/robots.txt", "/story", "/a"]
    assert capture.problem == "The redirects go in a circle"


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("http://10.1.2.3/", "10.1.2.3 leads to 10.1.2.3, which is not a public address"),
        ("http://169.254.169.254/latest/meta-data/", "which is not a public address"),
        ("http://[::ffff:127.0.0.2]/", "which is not a public address"),
        ("http://0x7f.2/", "0x7f.2 leads to 127.0.0.2, which is not a public address"),
        ("http://2130706434/", "2130706434 is neither a host name nor an address in its usual form"),
        ("file:///etc/passwd", "Only http and https are asked, not file"),
        ("ftp://courier.example/", "Only http and https are asked, not ftp"),
        ("javascript:alert(1)", "Only http and https are asked, not javascript"),
        ("http://editor:secret@127.0.0.1/", "user name or password"),
        ("http://127.0.0.1:25/", "Port 25 is not one that serves web pages"),
        ("http://[", "cannot be read as a URL"),
        ("/" + "a" * 9000, "longer than 8000 characters"),
    ],
)
def test_redirect_to_where_we_may_not_go_is_refused(location: str, problem: str) -> None:
    with site({"/story": to(location)}) as paper:
        capture = captured(paper.url())
    assert problem in (capture.problem or "")
    assert "secret" not in (capture.problem or "")
    assert (capture.refused, seen(capture)[0]) == (True, Seen.REFUSED)


def test_host_that_is_not_public_is_never_connected_to() -> None:
    with site({"/story": answered(STORY)}) as paper:
        capture = captured(paper.url(), allow_addresses=())
        assert paper.log == []
    assert capture.refused
    assert capture.problem == (
        "127.0.0.1 leads to 127.0.0.1, which is not a public address;"
        " name it under fetch.allow_addresses if it may be asked"
    )


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "localhost"])
def test_host_that_the_configuration_names_may_be_asked(allowed: str) -> None:
    with site({"/story": answered(STORY)}) as paper:
        name = "localhost" if allowed == "localhost" else "127.0.0.1"
        assert captured(paper.url(host=name), allow_addresses=(allowed,)).body == STORY


def test_invented_host_is_reached_where_the_configuration_says_and_opens_the_way_for_no_other() -> None:
    with site({"/story": answered(STORY), "/out": to("http://127.0.0.1:80/")}) as paper:
        there = {"courier.example": f"127.0.0.1:{paper.port}"}
        assert captured("http://courier.example/story", connect_to=there, allow_addresses=()).body == STORY
        assert paper.log[-1].headers["host"] == "courier.example"
        assert captured("http://courier.example/out", connect_to=there, allow_addresses=()).refused
        assert captured(paper.url(), connect_to=there, allow_addresses=()).refused


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Mon, 16 Mar 2026 14:30:00 GMT", 240),
        ("Mon, 16 Mar 2026 14:00:00 GMT", 0),
        ("999999999", 86400),
        ("soon", None),
        ("-5", None),
        ("Mon, 99 Mar 2026 14:30:00 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_blocks_the_host(status: int, value: str, seconds: float | None) -> None:
    clock = FixedClock(datetime(2026, 3, 16, 14, 26, tzinfo=UTC))
    slots = MemorySlots(clock=clock)
    with site({"/story": answered(status=status, retry_after=value)}) as paper:
        capture = captured(check(paper.url(), start=clock.now()), slots, clock)
    assert capture.retry_after_seconds == seconds
    assert slots.blocked == ({} if seconds is None else {"127.0.0.1": clock.now() + timedelta(seconds=seconds)})


def test_date_in_retry_after_is_read_by_the_servers_own_clock() -> None:
    sent, until = "Mon, 16 Mar 2026 14:29:00 GMT", "Mon, 16 Mar 2026 14:30:00 GMT"
    with site({"/story": answered(status=503, retry_after=until, date=sent)}) as paper:
        assert captured(paper.url()).retry_after_seconds == 60


def test_connection_that_the_server_closed_meanwhile_is_not_the_articles_failure() -> None:
    async def one_more(writer: Any) -> None:
        paper.answers["/story"] = answered(STORY)
        writer.transport.abort()

    with site({"/story": one_more}) as paper:
        slots = MemorySlots()
        assert captured(paper.url(), slots).body == STORY
        assert paper.paths() == ["/robots.txt", "/story", "/story"]
        assert len(slots.taken) == 2  # beside the slot of the check itself: each request has one of its own


def test_headers_are_bounded_and_storable() -> None:
    wild = answered(STORY, link="x" * 50_000, etag='"\xff"', content_language="en\x80", x_powered_by="y")
    with site({"/story": wild}) as paper:
        capture = captured(paper.url())
    headers = dict(capture.headers)
    assert set(headers) == {"link", "content-language"}
    assert (len(headers["link"]), headers["content-language"]) == (8000, "en\ufffd")


def test_one_session_serves_many_hosts_at_once_and_bounds_how_many() -> None:
    most = now = 0

    async def slow(writer: Any) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(answered(STORY))
        await writer.drain()

    async def run(paper: Any) -> list[Any]:
        hosts = {f"paper{n}.example": f"127.0.0.1:{paper.port}" for n in range(30)}
        async with fetcher(connect_to=hosts, parallel=8) as ours:
            checks = [check(f"http://{name}/story") for name in hosts]
            return await asyncio.gather(*(ours.fetch(one, MemorySlots(), SystemClock()) for one in checks))

    with site({"/story": slow}) as paper:
        captures = asyncio.run(run(paper))
    assert {capture.body for capture in captures} == {STORY}
    assert 1 < most <= 8


def test_failing_store_is_not_the_sites_failure() -> None:
    class Broken(MemorySlots):
        def robots(self, host: str) -> None:
            raise StoreError("The store is gone")

    with pytest.raises(StoreError):
        fetch("http://courier.example/", Broken())
