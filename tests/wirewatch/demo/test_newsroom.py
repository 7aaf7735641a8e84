"""The newsroom as a server, and its ground truth against what it really serves."""

from __future__ import annotations

import gzip
import http.client
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import lxml.html
import pytest

from wirewatch.demo import ExpectedChange, Newsroom, expected_articles, expected_passes
from wirewatch.demo.stories import at


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    with Newsroom() as running:
        yield running


def ask(newsroom: Newsroom, url: str, method: str = "GET", body: str | None = None, **headers: str) -> Reply:
    split = urlsplit(url)
    with closing(http.client.HTTPConnection("127.0.0.1", newsroom.port, timeout=10)) as connection:
        connection.request(method, split.path or "/", body, {"Host": split.netloc, **headers})
        response = connection.getresponse()
        return Reply(response.status, dict(response.headers.items()), response.read())


def follow(newsroom: Newsroom, url: str) -> Reply:
    reply = ask(newsroom, url)
    if reply.status != 301:
        return reply
    return ask(newsroom, f"http://{urlsplit(url).netloc}{reply.headers['Location']}")


@dataclass
class Watched:
    """As little of a ledger as it takes to name what happened to one article."""

    words: list[dict[str, str]] = field(default_factory=list)
    stamps: list[str] = field(default_factory=list)
    pending: dict[str, str] | None = None


def words_of(page: bytes) -> tuple[dict[str, str], str]:
    """Return a page's compared fields and its "Updated" stamp."""
    tree = lxml.html.fromstring(page.decode())

    def text(path: str) -> str:
        return "\n\n".join(" ".join(element.text_content().split()) for element in tree.xpath(path))

    words = {
        "headline": text("//main//h1"),
        "standfirst": text("//main//p[contains(@class, 'standfirst')]"),
        "byline": text("//main//*[@class='byline']"),
        "section": text("//main//*[@class='breadcrumb']//li[2]"),
        "body": text("//*[contains(@class, 'story-body')]/*[self::p or self::h2][not(@class)]"),
        "caption": text("//figcaption"),
        "correction": text("//p[@class='correction']"),
    }
    return words, text("//main//*[@class='stamps']/span[2]")


def happened(watched: Watched, url: str, reply: Reply) -> tuple[str, str, tuple[str, ...]] | None:
    """Return (url, outcome, fields) of what a page shows to one who has watched it so far, or None."""
    if reply.status == 410:
        return (url, "gone", ())
    words, stamp = words_of(reply.body)
    if not watched.words:
        watched.words, watched.stamps = [words], [stamp]
        return (url, "new", ())
    last, last_stamp = watched.words[-1], watched.stamps[-1]
    if words == last:
        watched.stamps[-1] = stamp
        return (url, "restamped", ()) if stamp != last_stamp else None
    if words in watched.words and stamp < last_stamp and watched.pending != words:
        watched.pending = words
        return (url, "stale", ())
    watched.words.append(words)
    watched.stamps.append(stamp)
    return (url, "revised", tuple(name for name in words if words[name] != last[name]))


def test_ground_truth_is_what_the_newsroom_serves(newsroom: Newsroom) -> None:
    watched = {article.url: Watched() for article in expected_articles()}
    closed: set[str] = set()
    for expected in expected_passes():
        newsroom.set_time(expected.at)
        found = set()
        for url in watched.keys() - closed:
            reply = follow(newsroom, url)
            if reply.status == 404:
                continue
            found.add(happened(watched[url], url, reply))
            if reply.status == 410:
                closed.add(url)
        assert found - {None} == {(c.url, c.outcome, tuple(c.fields)) for c in expected.changes}, expected.at
    for article in expected_articles():
        assert [words["headline"] for words in watched[article.url].words] == [r.headline for r in article.revisions]


def test_ground_truth_agrees_with_itself() -> None:
    passes, articles = expected_passes(), expected_articles()
    assert [f"{p.at:%H:%M}" for p in passes] == ["14:26", "15:31", "15:54", "16:10", "17:00"]
    assert len({article.url for article in articles}) == len(articles) == 12
    for article in articles:
        changes = [(p, c) for p in passes for c in p.changes if c.url == article.url]
        wordings = [(c.dated or p.at) for p, c in changes if c.outcome in ("new", "revised")]
        assert wordings == [revision.first_observed for revision in article.revisions]
        assert (article.availability == "gone") == any(c.outcome == "gone" for _, c in changes)
    assert passes[0].counted("new") == 11


def test_each_thing_that_happens_to_news_happens() -> None:
    changes: list[ExpectedChange] = [change for expected in expected_passes() for change in expected.changes]
    assert {change.outcome for change in changes} == {"new", "revised", "restamped", "stale", "gone"}
    assert {change.event for change in changes} == {"published", "revised", "restamped", "withdrawn", None}
    assert {change.disclosure for change in changes} == {"disclosed", "undisclosed", "stamp_only", None}
    assert {change.signal for change in changes} == {"update", "correction", None}
    assert sum(bool(article.aliases) for article in expected_articles()) == 1


@pytest.mark.parametrize("place", range(1, 5), ids=["15:31", "15:54", "16:10", "17:00"])
def test_confirmable_articles_and_no_others_answer_304(newsroom: Newsroom, place: int) -> None:
    before, now = expected_passes()[place - 1 : place + 1]
    confirmed = set()
    for article in expected_articles():
        newsroom.set_time(before.at)
        headers = follow(newsroom, article.url).headers
        sent = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        newsroom.set_time(now.at)
        reply = ask(newsroom, article.url, **{sent[name]: headers[name] for name in sent if name in headers})
        if reply.status == 304:
            assert reply.body == b""
            confirmed.add(article.url)
    assert confirmed == now.confirmable


def test_articles_lie_in_the_feeds_that_name_their_guids(newsroom: Newsroom) -> None:
    newsroom.set_time(at("14:50"))
    feeds = "".join(ask(newsroom, site.feed_url).body.decode() for site in newsroom.sites)
    assert {article.guid for article in expected_articles() if f">{article.guid}<" not in feeds} == {"courier-88219"}


def test_moved_article_keeps_its_guid_and_redirects(newsroom: Newsroom) -> None:
    (moved,) = [article for article in expected_articles() if article.aliases]
    newsroom.set_time(at("15:31"))
    reply = ask(newsroom, moved.url)
    assert (reply.status, reply.body) == (301, b"")
    assert moved.url.replace(urlsplit(moved.url).path, reply.headers["Location"]) == moved.aliases[0]
    feed = ask(newsroom, newsroom.sites[0].feed_url).body.decode()
    assert f'<link>{moved.aliases[0]}</link>\n      <guid isPermaLink="false">{moved.guid}</guid>' in feed


def test_robots_allow_news_and_disallow_the_editors(newsroom: Newsroom) -> None:
    for site in newsroom.sites:
        assert "Disallow: /admin/" in ask(newsroom, f"{site.address}/robots.txt").body.decode().splitlines()


def test_head_answers_like_get_but_for_the_body(newsroom: Newsroom) -> None:
    reply = ask(newsroom, "http://courier.example/local/ferry-subsidy", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["Content-Length"]) > 20_000


def test_page_is_sent_gzipped_to_those_who_can_read_it(newsroom: Newsroom) -> None:
    reply = ask(newsroom, "http://courier.example/local/ferry-subsidy", **{"Accept-Encoding": "gzip, br"})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert words_of(gzip.decompress(reply.body))[0]["headline"] == "Harbour council approves ferry subsidy"


def test_date_is_the_newsrooms(newsroom: Newsroom) -> None:
    assert ask(newsroom, "http://courier.example/").headers["Date"] == "Mon, 16 Mar 2026 14:26:00 GMT"


def test_unknown_name_is_no_newspaper(newsroom: Newsroom) -> None:
    assert ask(newsroom, "http://elsewhere.example/").status == 404


def test_requests_are_remembered(newsroom: Newsroom) -> None:
    ask(newsroom, "http://courier.example/robots.txt", **{"User-Agent": "Wirewatch/0"})
    (asked,) = newsroom.asked
    assert (asked.host, asked.path, asked.status, asked.agent) == ("courier.example", "/robots.txt", 200, "Wirewatch/0")
    assert not asked.conditional


@pytest.mark.parametrize(
    ("form", "status", "now"),
    [
        pytest.param("at=15:31", 303, "15:31", id="a time"),
        pytest.param("at=25:00", 400, "14:26", id="no time of day"),
        pytest.param("", 400, "14:26", id="nothing"),
        pytest.param("at=15:31" + "&" * 2_000, 400, "14:26", id="too much"),
    ],
)
def test_time_is_moved_by_hand(newsroom: Newsroom, form: str, status: int, now: str) -> None:
    assert ask(newsroom, f"http://{newsroom.address}/_newsroom/time", "POST", form).status == status
    assert newsroom.now == at(now)
    assert f"It is {now}" in ask(newsroom, f"http://{newsroom.address}/").body.decode()


def test_newspapers_take_nothing(newsroom: Newsroom) -> None:
    assert ask(newsroom, "http://courier.example/_newsroom/time", "POST", "at=15:31").status == 405
    assert newsroom.now == at("14:26")


def test_time_without_a_zone_is_refused(newsroom: Newsroom) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        newsroom.set_time(datetime(2026, 3, 16, 15, 31))  # noqa: DTZ001


def test_stop_ends_kept_connections_and_threads() -> None:
    before = threading.active_count()
    newsroom = Newsroom()
    connections = [http.client.HTTPConnection("127.0.0.1", newsroom.port, timeout=10) for _ in range(8)]
    for connection in connections:
        connection.request("GET", "/", headers={"Host": "courier.example"})
        connection.getresponse().read()
    newsroom.stop()
    newsroom.stop()
    assert threading.active_count() == before
    for connection in connections:
        connection.close()
    with pytest.raises(ConnectionRefusedError):
        ask(newsroom, "http://courier.example/")


def test_many_readers_at_once_get_whole_pages_of_their_own(newsroom: Newsroom) -> None:
    bodies: list[bytes] = []

    def read() -> None:
        bodies.extend(ask(newsroom, "http://courier.example/local/ferry-subsidy").body for _ in range(5))

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(set(bodies)) == len(bodies) == 40
    assert all(body.rstrip().endswith(b"</html>") for body in bodies)
    assert len({words_of(body)[0]["body"] for body in bodies}) == 1
