"""Messages: each asks for one check, brings one capture, or is of no use for one reason that a person understands."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, URL, at
from wirewatch.errors import BadContent, SourceRefuses
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.messages import LONGEST_WISH, Wish, read_message
from wirewatch.model import Capture

POLICY = FetchPolicy(
    contact="desk@wirewatch.example",
    allow_addresses=("10.1.0.0/16", "intranet.example"),
    connect_to={"courier.example": "127.0.0.1:8080"},
)
FEED = "https://courier.example/feed.xml"
CAPTURE = {"url": URL, "observedAt": "2026-03-16T12:00:00Z", "body": "<p>Ferry"}

WISHES = {
    "an address": ({"url": URL}, Wish(what="url", url=URL)),
    "a feed": ({"feed": FEED}, Wish(what="feed", url=FEED)),
    "an address in another form": (
        {"url": "HTTPS://Courier.example:443/a?utm_source=x#top"},
        "https://courier.example/a",
    ),
    "a host that the configuration names": ({"url": "http://intranet.example/a"}, "http://intranet.example/a"),
    "an address that the configuration names": ({"url": "http://10.1.2.3/a"}, "http://10.1.2.3/a"),
}

USELESS = {
    "nothing": (b"", "is no JSON"),
    "no JSON": (b"please read courier.example", "is no JSON (Expecting value at character 0); it begins 'please read"),
    "half a message": (b'{"url": "https://courier.exa', "is no JSON"),
    "no UTF-8": (b'{"url": "\xff"}', "is no JSON (it is not UTF-8)"),
    "too deep": (b'{"url":' * 200_000, "is no JSON (it is too deep)"),
    "a number too long to read": (b"9" * 10_000, "is no JSON"),
    "a list": ([{"url": URL}], "JSON and no object"),
    "a text": ("https://courier.example/a", "JSON and no object"),
    "an empty object": ({}, "has to say one thing"),
    "two wishes": ({"url": URL, "feed": FEED}, "has to say one thing"),
    "url of a number": ({"url": 5}, "url is no text"),
    "url of nothing": ({"url": None}, "url is no text"),
    "url of a list": ({"url": [URL]}, "url is no text"),
    "url of spaces": ({"url": "  "}, "url is no text"),
    "feed that is true": ({"feed": True}, "feed is no text"),
    "a long wish": (
        {"url": "https://courier.example/" + "a" * LONGEST_WISH},
        "bytes, and all that it has is an address",
    ),
    "a long address": ({"url": "https://courier.example/" + "a" * 9000}, "characters is none"),
    "a file": ({"url": "file:///etc/passwd"}, "is no web address"),
    "no scheme": ({"url": "courier.example/a"}, "is no web address"),
    "an unknown key": ({"url": URL, "priority": 1}, "is no capture: observedAt: Field required"),
    "capture without a time": ({"url": URL, "body": "<p>"}, "is no capture: observedAt: Field required"),
    "capture without an address": ({"observedAt": "2026-03-16T12:00:00Z", "body": ""}, "is no capture: url: Field"),
    "time without a zone": (
        CAPTURE | {"observedAt": "2026-03-16T12:00:00"},
        "is no capture: observedAt: Input should have",
    ),
    "time that is a number": (CAPTURE | {"observedAt": 1773662400}, "is no capture: observedAt"),
    "time that is a list": (CAPTURE | {"observedAt": []}, "is no capture: observedAt"),
    "time before the web": (CAPTURE | {"observedAt": "1066-10-14T09:00:00Z"}, "no time of the web's"),
    "time to come": (CAPTURE | {"observedAt": "2026-03-16T12:06:00Z"}, "lies ahead of our clock"),
    "status that is text": (CAPTURE | {"status": "200"}, "is no capture: status"),
    "status that is none": (CAPTURE | {"status": 9}, "is no capture: status"),
    "body that is a list": (CAPTURE | {"body": ["<p>"]}, "is no capture: body"),
    "headers that are a list": (CAPTURE | {"headers": []}, "is no capture: headers"),
    "a file beside it": ({**CAPTURE, "body": None, "bodyPath": "a.html"}, "names a file by bodyPath"),
    "page of 10 MB": (CAPTURE | {"body": "x" * 9_990_000}, "has 9,990,000 bytes, more than the 5,242,880"),
}

REFUSED = {
    "private": "http://10.0.0.1/",
    "loopback": "http://127.0.0.1:8080/admin",
    "metadata": "http://169.254.169.254/computeMetadata/v1/",
    "IPv6": "http://[::1]/",
    "IPv4 inside IPv6": "http://[::ffff:10.0.0.1]/",
    "by name": "http://localhost/",
    "below localhost": "http://store.localhost/",
    "short": "http://127.1/",
    "as a number": "http://2130706433/",
    "in hex": "http://0x7f.0.0.1/",
    "another protocol's port": "http://courier.example:25/",
}


def encoded(message: Any) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message).encode()


def read(message: Any) -> Wish | Capture:
    return read_message(encoded(message), NOON, POLICY)


@pytest.mark.parametrize(("message", "expected"), WISHES.values(), ids=WISHES)
def test_wish_names_what_is_to_be_read(message: dict[str, str], expected: Wish | str) -> None:
    assert read(message) == (Wish(what="url", url=expected) if isinstance(expected, str) else expected)


def test_capture_is_read_as_a_line_of_a_replay_is() -> None:
    capture = read({**CAPTURE, "contentType": "text/html", "feed": FEED})
    assert capture == Capture(
        url=URL,
        observed=NOON,
        status=200,
        headers=(("content-type", "text/html; charset=utf-8"),),
        body=b"<p>Ferry",
        feed=FEED,
    )


def test_capture_from_a_little_ahead_of_our_clock_is_taken() -> None:
    capture = read({**CAPTURE, "observedAt": "2026-03-16T12:04:00Z"})
    assert isinstance(capture, Capture)
    assert capture.observed == at(4)


def test_feed_may_be_larger_than_a_page() -> None:
    capture = read({**CAPTURE, "contentType": "application/rss+xml", "body": "x" * 9_900_000})
    assert isinstance(capture, Capture)
    assert len(capture.body) == 9_900_000


@pytest.mark.parametrize(("message", "reason"), USELESS.values(), ids=USELESS)
def test_useless_message_says_why(message: Any, reason: str) -> None:
    with pytest.raises(BadContent) as error:
        read(message)
    assert reason in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("message", [{}, CAPTURE], ids=["wish", "capture"])
def test_address_that_may_not_be_asked_is_refused(url: str, message: dict[str, Any]) -> None:
    with pytest.raises(SourceRefuses):
        read({**message, "url": url})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.sampled_from(
    ["url", "feed", "observedAt", "body", "bodyPath", "status", "headers", "finalUrl", "notModified"]
)


@given(st.binary() | _JSON.map(encoded) | st.dictionaries(_KEYS, _JSON | st.just(URL)).map(encoded))
def test_whatever_comes_is_a_wish_a_capture_or_useless(data: bytes) -> None:
    with suppress(BadContent, SourceRefuses):
        assert isinstance(read_message(data, NOON, POLICY), (Wish, Capture))
