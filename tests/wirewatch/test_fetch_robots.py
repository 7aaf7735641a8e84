"""What robots.txt says goes, and not being able to read it is a no."""

from __future__ import annotations

import asyncio
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.wirewatch.fetch_site import MemorySlots, Site, answered, captured, check, fetcher, host, site, to
from wirewatch.availability import seen
from wirewatch.clock import FixedClock, SystemClock
from wirewatch.errors import SourceRefuses
from wirewatch.fetch.addresses import vet
from wirewatch.fetch.robots import decode, understand
from wirewatch.fetch.slots import RobotsCopy
from wirewatch.model import Capture, Seen

NOW = datetime(2026, 3, 16, 14, 26, tzinfo=UTC)
STORY = answered(b"<p>Ferry")
NOTHING = "User-agent: *\nDisallow: /\n"


def rules(text: str) -> Any:
    return understand(RobotsCopy(origin="https://courier.example", status=200, body=text, fetched=NOW))


def allows(text: str, path: str = "/story") -> bool:
    try:
        rules(text).permit(vet(f"https://courier.example{path}"))
    except SourceRefuses:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        pytest.param("", "/story", True, id="empty"),
        pytest.param("<!doctype html><p>Not found", "/story", True, id="HTML"),
        pytest.param(NOTHING, "/story", False, id="everybody"),
        pytest.param("User-agent: Wirewatch\nDisallow: /\n", "/story", False, id="us"),
        pytest.param("USER-AGENT: WIREWATCH\nDISALLOW: /\n", "/story", False, id="us in capitals"),
        pytest.param("User-agent: Wirewatch/2.0 # news\nDisallow: /\n", "/story", False, id="us with a version"),
        pytest.param("User-agent: wire\nDisallow: /\n", "/story", True, id="part of our name"),
        pytest.param("User-agent: wirewatchers\nDisallow: /\n", "/story", True, id="more than our name"),
        pytest.param("User-agent: otherbot\nDisallow: /\n", "/story", True, id="another"),
        pytest.param("User-agent: otherbot\nUser-agent: wirewatch\nDisallow: /\n", "/", False, id="us in a group"),
        pytest.param(f"{NOTHING}User-agent: wirewatch\nAllow: /\n", "/story", True, id="ours before everybody's"),
        pytest.param(f"{NOTHING}\nUser-agent: otherbot\nAllow: /\n", "/story", False, id="not another's"),
        pytest.param("User-agent: *\nDisallow: /a\nAllow: /a/b\n", "/a/b/c", True, id="longest wins"),
        pytest.param("User-agent: *\nDisallow: /a\nAllow: /a\n", "/a", True, id="allow wins a tie"),
        pytest.param("User-agent: *\nDisallow: /*.pdf$\n", "/a.pdf", False, id="star and end"),
        pytest.param("User-agent: *\nDisallow: /*.pdf$\n", "/a.pdf?x", True, id="star and no end"),
        pytest.param("User-agent: *\nDisallow: /search?q=\n", "/search?q=ferry", False, id="query"),
        pytest.param("User-agent: *\nDisallow: /straße\n", "/stra%C3%9Fe", False, id="percent-encoded"),
        pytest.param("\ufeffUser-agent: *\nDisallow: /\n", "/story", False, id="byte order mark"),
        pytest.param("User-agent: *\rDisallow: /\r", "/story", False, id="old line ends"),
        pytest.param("User-agent: *\nDisallow: /\n", "/robots.txt", True, id="robots.txt itself"),
    ],
)
def test_rules_are_read_under_rfc_9309(text: str, path: str, allowed: bool) -> None:
    assert allows(decode(text.encode()), path) is allowed


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_are_tolerated(encoding: str) -> None:
    assert not allows(decode("# für alle\nUser-agent: *\nDisallow: /\n".encode(encoding)))


def test_only_500_kib_are_read() -> None:
    padding = "#" * 79 + "\n"
    assert not allows(decode((padding * 6000 + NOTHING).encode()))
    assert allows(decode((padding * 6400 + NOTHING).encode()))


def test_names_times_rules_do_not_fill_the_memory() -> None:
    text = "".join(f"User-agent: a{n}\n" for n in range(10_000)) + "Disallow: /x\n" * 10_000
    tracemalloc.start()
    assert allows(text, "/x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("User-agent: *\nCrawl-delay: 10\n", 10),
        ("User-agent: *\nCrawl-delay: 10\nUser-agent: wirewatch\nCrawl-delay: 0.5\n", 0.5),
        ("User-agent: otherbot\nCrawl-delay: 10\n", None),
        ("User-agent: *\nCrawl-delay: soon\n", None),
        ("User-agent: *\nCrawl-delay: -1\n", None),
        ("User-agent: *\nCrawl-delay: inf\n", None),
        ("User-agent: *\nCrawl-delay: 1e9\n", 86400),
    ],
)
def test_crawl_delay_is_the_one_for_us(text: str, seconds: float | None) -> None:
    assert rules(text).crawl_delay_seconds == seconds


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 451])
def test_4xx_allows_everything(status: int) -> None:
    with site({"/robots.txt": answered(NOTHING.encode(), status=status), "/story": STORY}) as paper:
        assert captured(paper.url()).status == 200


@pytest.mark.parametrize("status", [500, 502, 503])
def test_5xx_allows_nothing(status: int) -> None:
    with site({"/robots.txt": answered(b"", status=status), "/story": STORY}) as paper:
        capture = captured(paper.url())
        assert paper.paths() == ["/robots.txt"]
    assert capture.problem == f"The robots.txt of 127.0.0.1 could not be read: HTTP {status}"
    assert (capture.refused, capture.status, seen(capture)[0]) == (True, None, Seen.REFUSED)


def test_no_answer_allows_nothing_and_is_the_hosts_failure() -> None:
    with site({"/robots.txt": answered(NOTHING.encode())[:-5], "/story": STORY}) as paper:
        slots = MemorySlots()
        capture = captured(paper.url(), slots, read_seconds=0.3)
        assert paper.paths() == ["/robots.txt"]
    assert capture.problem == (
        "The robots.txt of 127.0.0.1 could not be read: Nothing came from 127.0.0.1 for 0.3 seconds"
    )
    assert seen(capture)[0] is Seen.FAILED
    copy = slots.copies["127.0.0.1"]
    assert (copy.status, copy.body) == (None, "Nothing came from 127.0.0.1 for 0.3 seconds")


def test_address_that_robots_txt_forbids_is_refused() -> None:
    with site({"/robots.txt": answered(NOTHING.encode()), "/story": STORY}) as paper:
        capture = captured(paper.url())
        assert paper.paths() == ["/robots.txt"]
    assert capture.problem == "The robots.txt of 127.0.0.1 does not allow this address"
    assert (capture.refused, seen(capture)[0]) == (True, Seen.REFUSED)


def test_redirect_goes_nowhere_that_robots_txt_forbids() -> None:
    robots = answered(b"User-agent: *\nDisallow: /members/\n")
    with site({"/robots.txt": robots, "/story": to("/members/story"), "/members/story": STORY}) as paper:
        capture = captured(paper.url())
        assert paper.paths() == ["/robots.txt", "/story"]
    assert (capture.refused, capture.redirects) == (True, (paper.url("/members/story"),))


def test_redirect_to_another_host_asks_that_hosts_robots_txt() -> None:
    with site({"/robots.txt": answered(NOTHING.encode()), "/story": STORY}) as other:
        with site({"/story": to(other.url())}) as paper:
            capture = captured(paper.url())
        assert other.paths() == ["/robots.txt"]
    assert capture.refused


@pytest.mark.parametrize(("hops", "refused"), [(1, True), (5, True), (6, False)])
def test_robots_txt_is_followed_over_five_redirects(hops: int, refused: bool) -> None:
    answers = {"/robots.txt": to("/r1"), "/story": STORY, f"/r{hops}": answered(NOTHING.encode())}
    answers |= {f"/r{n}": to(f"/r{n + 1}") for n in range(1, hops)}
    with site(answers) as paper:
        assert captured(paper.url()).refused is refused


def test_robots_txt_that_redirects_to_a_private_address_is_refused() -> None:
    with site({"/robots.txt": to("http://10.0.0.1/robots.txt"), "/story": STORY}) as paper:
        capture = captured(paper.url())
        assert paper.paths() == ["/robots.txt"]
    assert capture.refused
    assert "10.0.0.1, which is not a public address" in (capture.problem or "")


def test_large_robots_txt_is_cut_and_not_a_problem() -> None:
    text = b"User-agent: *\nDisallow: /story\n" + b"#" * 2_000_000
    with site({"/robots.txt": answered(text), "/story": STORY}) as paper:
        assert captured(paper.url()).refused


def _copy(paper: Site, age: timedelta, **changes: Any) -> dict[str, RobotsCopy]:
    fields = {"origin": paper.url(""), "status": 200, "body": NOTHING, "fetched": NOW - age}
    return {host(paper): RobotsCopy(**{**fields, **changes})}


@pytest.mark.parametrize(
    ("changes", "age", "asked_again"),
    [
        pytest.param({}, timedelta(hours=23), False, id="kept for a day"),
        pytest.param({}, timedelta(hours=24), True, id="no longer than a day"),
        pytest.param({"status": 500}, timedelta(minutes=9), False, id="a failure for ten minutes"),
        pytest.param({"status": 500}, timedelta(minutes=10), True, id="a failure no longer"),
        pytest.param({"status": None, "body": "No"}, timedelta(minutes=9), False, id="no answer for ten minutes"),
        pytest.param({}, timedelta(hours=-25), True, id="from the future"),
        pytest.param({"origin": "https://127.0.0.1"}, timedelta(0), True, id="another port's"),
    ],
)
def test_kept_robots_txt_is_used_while_it_is_fresh(changes: dict[str, Any], age: timedelta, asked_again: bool) -> None:
    clock = FixedClock(NOW)
    with site({"/story": STORY}) as paper:
        slots = MemorySlots(clock=clock)
        slots.copies = _copy(paper, age, **changes)
        capture = captured(check(paper.url(), start=NOW), slots, clock)
        assert ("/robots.txt" in paper.paths()) is asked_again
    assert (capture.status == 200) is asked_again
    assert slots.copies[host(paper)].fetched == (NOW if asked_again else NOW - age)


def test_many_checks_of_one_host_ask_for_robots_txt_once() -> None:
    async def run(paper: Site) -> list[Any]:
        async with fetcher() as ours:
            slots = MemorySlots()
            checks = [check(paper.url(f"/{n}")) for n in range(8)]
            return await asyncio.gather(*(ours.fetch(one, slots, SystemClock()) for one in checks))

    with site({f"/{n}": STORY for n in range(8)}) as paper:
        captures = asyncio.run(run(paper))
        assert paper.paths().count("/robots.txt") == 1
    assert all(isinstance(capture, Capture) and capture.status == 200 for capture in captures)


def test_crawl_delay_is_kept_for_all_who_ask_the_host() -> None:
    with site({"/robots.txt": answered(b"User-agent: *\nCrawl-delay: 0.1\n"), "/story": STORY}) as paper:
        slots = MemorySlots()
        captured(paper.url(), slots)
        copy = slots.copies["127.0.0.1"]
        assert (copy.origin, copy.status, copy.crawl_delay_seconds) == (paper.url(""), 200, 0.1)
