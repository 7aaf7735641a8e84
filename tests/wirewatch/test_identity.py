"""One article has one address, and only what cannot be a catch-all counts as another of its names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wirewatch.errors import BadContent
from wirewatch.identity import (
    NAME_LIMIT,
    RAW_LIMIT,
    TRACKING_PARAMETERS,
    TRACKING_PREFIXES,
    capture_aliases,
    guid_name,
    is_front_page,
    is_section_or_login,
    lands_elsewhere,
    normalise_url,
    registrable_domain,
)
from wirewatch.model import Alias, Capture

ASKED = "https://www.courier.example/2026/03/16/ferry-runs-aground"


def capture(url: str = ASKED, final_url: str | None = None, **changes: Any) -> Capture:
    settings = {"observed": datetime(2026, 3, 16, 14, 26, tzinfo=UTC), "status": 200, **changes}
    return Capture(url=url, final_url=final_url, **settings)


def names(taken: Capture, canonical_url: str | None = None) -> dict[str, str]:
    return {alias.kind: alias.name for alias in capture_aliases(taken, canonical_url=canonical_url)}


SAME = {
    "scheme and host in capitals": ("HTTPS://Courier.EXAMPLE/a", "https://courier.example/a"),
    "default port": ("https://courier.example:443/a", "https://courier.example/a"),
    "empty port": ("https://courier.example:/a", "https://courier.example/a"),
    "dot after the host": ("https://courier.example./a", "https://courier.example/a"),
    "user and password": ("https://ada:pw@courier.example/a", "https://courier.example/a"),
    "fragment": ("https://courier.example/a#comments", "https://courier.example/a"),
    "no path": ("https://courier.example", "https://courier.example/"),
    "international host": ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
    "letters beyond ASCII": ("https://courier.example/fährt", "https://courier.example/f%C3%A4hrt"),
    "escapes in small letters": ("https://courier.example/f%c3%a4hrt", "https://courier.example/f%C3%A4hrt"),
    "needless escapes": ("https://courier.example/%7Eada/%61", "https://courier.example/~ada/a"),
    "backslashes": (r"https://courier.example/a\b", "https://courier.example/a/b"),
    "repeated slashes": ("https://courier.example//a///b", "https://courier.example/a/b"),
    "dot segments": ("https://courier.example/x/../a/./b", "https://courier.example/a/b"),
    "order of parameters": ("https://courier.example/a?b=2&a=1", "https://courier.example/a?a=1&b=2"),
    "empty parameters": ("https://courier.example/a?&&=&b=2&", "https://courier.example/a?b=2"),
    "space around": (" https://courier.example/a\n", "https://courier.example/a"),
    "line break inside": ("https://courier.example/a\n\tb", "https://courier.example/ab"),
    "space inside": ("https://courier.example/a b?q=c d", "https://courier.example/a%20b?q=c+d"),
    "escaped twice by a feed": ("https://courier.example/a?x=1&amp;id=2", "https://courier.example/a?id=2&x=1"),
    "session in the path": ("https://courier.example/a;jsessionid=0AF1?id=2", "https://courier.example/a?id=2"),
    "campaign": ("https://courier.example/a?utm_source=feed&utm_id=9&id=2", "https://courier.example/a?id=2"),
    "campaign in capitals": ("https://courier.example/a?UTM_Source=feed", "https://courier.example/a"),
    "campaign, escaped": ("https://courier.example/a?utm%5Fsource=feed", "https://courier.example/a"),
    "IPv6": ("http://[::0:1]:8080/a", "http://[::1]:8080/a"),
}


@pytest.mark.parametrize(("url", "normal"), SAME.values(), ids=SAME)
def test_addresses_of_one_article_become_one(url: str, normal: str) -> None:
    assert normalise_url(url) == normal


@pytest.mark.parametrize(
    "url",
    [
        "https://courier.example/News/Ferry",
        "https://courier.example/a/",
        "https://courier.example/a?id=2",
        "https://courier.example/?p=123",
        "https://courier.example/?12345",
        "https://courier.example/a?article=7&page=2",
        "https://courier.example/a?cid=7&eid=8&gallery=5&reference=9&source=10&uid=11",
        "https://courier.example/a?copy=3&section=2",
        "https://courier.example/a?a=1&a=2",
        "https://courier.example/a;id=5",
        "https://courier.example/a%2Fb%3Fc",
        "https://courier.example/#!/story/1",
        "https://courier.example:8080/a",
        "http://courier.example/a",
        "https://archive.example/2026/https://courier.example/a",
        "https://courier.example/a?u=https%3A%2F%2Fother.example%2Fb",
        "https://courier.example/caf%E9",
        "https://courier.example/100%25",
    ],
)
def test_what_may_choose_the_article_is_kept(url: str) -> None:
    assert normalise_url(url) == url


@pytest.mark.parametrize("name", [*TRACKING_PARAMETERS, *(f"{prefix}x" for prefix in TRACKING_PREFIXES)])
def test_tracking_parameters_are_dropped(name: str) -> None:
    assert normalise_url(f"https://courier.example/a?{name.upper()}=1&id=2&{name}") == "https://courier.example/a?id=2"


@pytest.mark.parametrize(
    "url",
    {
        "nothing": "",
        "no scheme": "courier.example/a",
        "relative to a scheme": "//courier.example/a",
        "another scheme": "ftp://courier.example/a",
        "a script": "javascript:alert(1)",
        "no host": "https:///a",
        "space in the host": "https://courier example/a",
        "empty label": "https://courier..example/a",
        "port too high": "https://courier.example:99999/a",
        "port that is a word": "https://courier.example:news/a",
        "open bracket": "https://[::1/a",
        "lone surrogate": "https://courier.example/\ud800",
        "too long": "https://courier.example/" + "a" * NAME_LIMIT,
        "too long once escaped": "https://courier.example/" + "ä" * (NAME_LIMIT // 3),
        "much too long": "https://courier.example/?utm_x=" + "a" * RAW_LIMIT,
    }.values(),
)
def test_what_is_no_web_address_is_bad_content(url: str) -> None:
    with pytest.raises(BadContent):
        normalise_url(url)


def test_tracking_does_not_make_an_address_too_long() -> None:
    assert normalise_url("https://courier.example/a?fbclid=" + "a" * 4000) == "https://courier.example/a"


PIECES = r"""
https:// courier.example xn--fa-hia ß 。 / // : @ ? & &amp; = # #! ; % %2F %25 %3B %5C %e9 %C3%A9 é .. %2e . + \ a B [ ]
utm_source= utm%5f id=2 :443 ;jsessionid=1 %6Asessionid
"""
pieces = st.sampled_from([*PIECES.split(), " ", "\u0301"])
addresses = st.one_of(
    st.text(max_size=40).map("https://courier.example/".__add__),
    st.lists(pieces, max_size=12).map(lambda parts: "https://courier.example" + "".join(parts)),
    st.lists(pieces, max_size=12).map("".join),
    st.text(max_size=60),
)


@given(addresses)
@example("https://faß.example/")
@example("https://courier.example/?a=%3D&b==")
@example("https://courier.example/a;jsessionid=1;jsessionid=2")
@example("https://courier.example/?&amp;amp;utm_source")
@example("https://courier.example/\\")
@example("https://courier.example/a/..;jsessionid=1/b")
def test_normalising_twice_changes_nothing(url: str) -> None:
    try:
        once = normalise_url(url)
    except BadContent:
        return
    assert normalise_url(once) == once
    assert once.isascii()
    assert len(once) <= NAME_LIMIT


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.courier.com/a", "courier.com"),
        ("https://amp.news.courier.co.uk/a", "courier.co.uk"),
        ("https://courier.example/a", "courier.example"),
        ("https://news.courier.example:8080/a", "courier.example"),
        ("http://127.0.0.1:8000/a", "127.0.0.1"),
        ("http://[::1]/a", "::1"),
        ("http://localhost/a", "localhost"),
    ],
)
def test_registrable_domain_is_what_one_owner_holds(url: str, domain: str) -> None:
    assert registrable_domain(url) == domain


@pytest.mark.parametrize(
    "path",
    ["", "/", "/index.html", "/en/", "/pt-br", "/uk/index.php", "/startseite", "/?error=404", "/?redirected_from=%2Fa"],
)
def test_front_pages_are_known_by_their_path(path: str) -> None:
    assert is_front_page(f"https://www.courier.example{path}")
    assert not is_section_or_login(f"https://www.courier.example{path}")


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/news",
            "/news/",
            "/local/index.html",
            "/obituaries",
            "/world-news",
            "/news/local/",
            "/en/politics",
            "/politik",
        ),
        *("/deportes/", "/tag/ferries", "/author/ada-lovelace", "/kategorie/hafen", "/monde.html", "/actualités"),
        *(
            "/login",
            "/login?next=%2Fa",
            "/users/sign_in",
            "/de/anmelden",
            "/iniciar-sesion.php",
            "/oauth/authorize?x=1",
        ),
        *("/consent?back=1", "/collectConsent?sessionId=3", "/subscribe/", "/abo", "/abonnez-vous", "/suscripcion"),
        *("/404", "/404.html", "/not-found", "/error?code=12"),
    ],
)
def test_sections_and_walls_are_known_by_their_path(path: str) -> None:
    assert is_section_or_login(f"https://www.courier.example{path}")
    assert not is_front_page(f"https://www.courier.example{path}")


@pytest.mark.parametrize("host", ["login", "accounts", "consent", "sso", "abo"])
def test_walls_are_known_by_their_host(host: str) -> None:
    assert is_section_or_login(f"https://{host}.courier.example/v2/start?session=9")


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/2026/03/16/ferry-runs-aground",
            "/ferry-runs-aground",
            "/ferry-2",
            "/12345",
            "/news/12345",
            "/news/article-77",
        ),
        *("/?p=123", "/?12345", "/index.php?id=7", "/story.php?id=7", "/news?id=7", "/#!/story/1", "/a/b/c/d"),
        *("/subscribe-to-hope-says-mayor", "/login-bug-costs-millions", "/tag/how-a-ferry-ran-aground-off-kelling"),
        *("/local/ferry", "/artikel/f%C3%A4hre-l%C3%A4uft-auf", "/日本/記事-1"),
    ],
)
def test_what_may_be_an_article_is_taken_for_one(path: str) -> None:
    url = f"https://www.courier.example{path}"
    assert not is_front_page(url)
    assert not is_section_or_login(url)


def test_a_moved_article_gets_its_new_address_as_a_name() -> None:
    moved = "https://www.courier.example/2026/03/16/ferry-refloated"
    assert capture_aliases(capture(final_url=moved + "?utm_source=x"), canonical_url=None) == (
        Alias(kind="asked", name=ASKED),
        Alias(kind="redirect", name=moved),
    )


NO_REDIRECT = {
    "to the front page": (ASKED, "https://www.courier.example/"),
    "to an edition's front page": (ASKED, "https://www.courier.example/en/"),
    "to a section": (ASKED, "https://www.courier.example/local/"),
    "from one section to another": ("https://www.courier.example/local/", "https://www.courier.example/news/"),
    "to a login": (ASKED, "https://login.courier.example/v1?next=x"),
    "to a consent page elsewhere": (ASKED, "https://consent.network.example/v2?back=x"),
    "to a page of errors": (ASKED, "https://www.courier.example/page-not-found"),
    "that loses ?id=": ("https://courier.example/story?id=5", "https://courier.example/story"),
    "that changes ?id=": ("https://courier.example/story?id=5", "https://courier.example/story?id=1"),
    "that loses ?id= and a name": ("https://courier.example/stories/view?id=5", "https://courier.example/stories"),
    "that loses a route in the browser": ("https://courier.example/our-app#!/1", "https://courier.example/our-app"),
    "to no web address": (ASKED, "about:blank"),
}


@pytest.mark.parametrize(("asked", "answered"), NO_REDIRECT.values(), ids=NO_REDIRECT)
def test_redirect_joins_nothing(asked: str, answered: str) -> None:
    assert list(names(capture(asked, answered))) == ["asked"]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("http://courier.example/a-story", "https://www.courier.example/a-story/"),
        ("https://courier.example/?p=12", "https://courier.example/2026/a-story"),
        ("https://courier.example/a-story", "https://courier.example/a-story?edition=uk"),
        ("https://old-paper.example/a-story", "https://new-paper.example/2026/a-story"),
        ("https://courier.example/earthquake", "https://courier.example/earthquake/"),
    ],
    ids=["https and www", "number to slug", "a parameter more", "a new domain", "a slash more"],
)
def test_redirect_is_evidence(asked: str, answered: str) -> None:
    assert names(capture(asked, answered))["redirect"] == answered


@pytest.mark.parametrize(
    "changes", [{"status": 404}, {"status": 503}, {"problem": "timed out", "status": None}, {"refused": True}], ids=str
)
def test_only_a_page_that_came_is_evidence(changes: dict[str, Any]) -> None:
    taken = capture(final_url="https://www.courier.example/2026/ferry-refloated", **changes)
    assert list(names(taken, "https://www.courier.example/2026/ferry-refloated-at-last")) == ["asked"]


def test_canonical_link_is_a_name_on_the_same_registrable_domain() -> None:
    assert (
        names(capture(), "https://news.courier.example/ferry-77")["canonical"]
        == "https://news.courier.example/ferry-77"
    )
    assert names(capture(), "/ferry-77?utm_medium=x")["canonical"] == "https://www.courier.example/ferry-77"
    assert names(capture(ASKED + "/amp"), ASKED)["canonical"] == ASKED


NO_CANONICAL = {
    "on another domain": (ASKED, "https://agency.example/2026/ferry-runs-aground"),
    "on another owner's domain below co.uk": ("https://courier.co.uk/a-story", "https://gazette.co.uk/a-story"),
    "on the front page": (ASKED, "https://www.courier.example/"),
    "on a section": (ASKED, "/local/"),
    "without ?id=": ("https://courier.example/story?id=5", "https://courier.example/story"),
    "without ?id= on another host": ("https://m.courier.example/story?id=5", "https://courier.example/story"),
    "with another ?id=": ("https://courier.example/story?id=5", "https://courier.example/story?id=6"),
    "no web address": (ASKED, "mailto:desk@courier.example"),
    "no address at all": (ASKED, "http://[broken"),
    "empty": (ASKED, " "),
}


@pytest.mark.parametrize(("asked", "canonical"), NO_CANONICAL.values(), ids=NO_CANONICAL)
def test_canonical_link_joins_nothing(asked: str, canonical: str) -> None:
    assert list(names(capture(asked), canonical)) == ["asked"]


def test_two_articles_that_differ_by_id_share_no_name() -> None:
    one, two = (capture(f"https://courier.example/story?id={n}", "https://courier.example/story") for n in (1, 2))
    assert not set(names(one, "/story").values()) & set(names(two, "/story").values())


def test_guid_is_a_name_within_its_feed() -> None:
    taken = capture(feed="https://Courier.example/feed?utm_source=x", guid=" tag:courier.example,2026:77 ", status=404)
    assert names(taken)["guid"] == "https://courier.example/feed#guid=tag:courier.example,2026:77"
    other = capture_aliases(taken, canonical_url=None, feed="https://gazette.example/feed", guid="8")
    assert other[-1] == Alias(kind="guid", name="https://gazette.example/feed#guid=8")
    assert "guid" not in names(capture(feed="https://courier.example/feed", guid="  "))
    assert "guid" not in names(capture(guid="77"))


@given(st.text(max_size=30) | st.text(min_size=1, max_size=3).map(lambda text: text * 4000))
def test_guid_names_are_bounded_and_can_be_stored(guid: str) -> None:
    name = guid_name("https://courier.example/feed", guid)
    assert len(name.encode()) <= NAME_LIMIT
    assert "\0" not in name


def test_each_name_is_given_once() -> None:
    taken = capture(final_url=ASKED + "#top")
    assert names(taken, ASKED + "?fbclid=1") == {"asked": ASKED}


@pytest.mark.parametrize(
    ("answered", "kind"),
    [
        ("https://www.courier.example/", "front page"),
        ("https://www.courier.example/local", "section page"),
        ("https://accounts.courier.example/x?y=1", "login page"),
        ("https://consent.network.example/", "consent page"),
        ("https://www.courier.example/subscribe?from=x", "subscription page"),
        ("https://www.courier.example/404.html", "error page"),
    ],
)
def test_an_answer_from_elsewhere_is_named(answered: str, kind: str) -> None:
    assert kind in (lands_elsewhere(capture(final_url=answered)) or "")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (ASKED, None),
        (ASKED, ASKED + "/"),
        (ASKED, "https://other.example/2026/ferry"),
        ("https://courier.example/", "https://www.courier.example/en/"),
        ("http://courier.example/weather", "https://www.courier.example/weather/"),
        ("https://courier.example/login", "https://courier.example/login/"),
    ],
)
def test_the_page_that_was_asked_for_is_not_elsewhere(asked: str, answered: str | None) -> None:
    assert lands_elsewhere(capture(asked, answered)) is None


@given(addresses, st.none() | addresses, st.none() | addresses, st.none() | st.text(max_size=9))
def test_names_are_a_function_of_the_capture_with_the_asked_address_first(
    url: str, final_url: str | None, canonical_url: str | None, guid: str | None
) -> None:
    taken = capture(url, final_url, feed="https://courier.example/feed", guid=guid)
    try:
        found = capture_aliases(taken, canonical_url=canonical_url)
    except BadContent:
        with pytest.raises(BadContent):
            normalise_url(url)
        return
    assert found[0] == Alias(kind="asked", name=normalise_url(url))
    assert found == capture_aliases(taken, canonical_url=canonical_url)
    assert len({alias.name for alias in found}) == len(found)
