"""Dead letters that are brought in again: through the inbox, like all that is brought, and read by the next pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.upkeep import replay_letters
from tests.builders import at
from tests.pipelines.site import FEED, HOST, World, feed, page, rss, story, world
from wirewatch.errors import ConfigurationError
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.model import Capture
from wirewatch.receiving import Message, receive
from wirewatch.store import dead_letters

NOTHING = b"<!doctype html><html><head><title>Courier</title></head><body><p></p></body></html>"


def bury(w: World, url: str, body: bytes, content_type: str, *, feed_url: str | None = None) -> int:
    """Leave a dead letter as an earlier version did that could not read the capture; return its id."""
    headers = (("content-type", content_type),)
    capture = Capture(url=url, observed=at(0), status=200, headers=headers, body=body, feed=feed_url)
    with w.store.begin() as conn:
        return dead_letters.add(conn, at=at(0), step="extract", reason="no article was found", capture=capture)


def replay(w: World, *letters: int, everything: bool = False) -> None:
    replay_letters(w.store, letters, at(5), everything=everything, as_json=False)


def waiting(w: World) -> list[str]:
    """Return the reasons of the dead letters that nobody has replayed."""
    return [letter.reason for letter in dead_letters.listed(w.store, with_replayed=False)]


def test_page_is_read_by_the_next_pass_at_the_time_at_which_it_was_observed(tmp_path: Path) -> None:
    with world(tmp_path, feeds=[]) as w:
        w.run(0)
        letter = bury(w, f"http://{HOST}/a", story(), "text/html; charset=utf-8")
        replay(w, letter)
        report = w.run(10)
        assert report.counts["article"] == {"new": 1}
        assert [one.first_observed for one in w.article("/a").revisions] == [at(0)]
        assert waiting(w) == []
        assert [one.replayed for one in w.letters()] == [at(5)]
        assert w.run(11).counts["article"] == {}


def test_feed_makes_its_entries_due_and_they_are_read_in_the_same_pass(tmp_path: Path) -> None:
    with world(tmp_path, {"/feed.xml": feed(), "/b": page()}) as w:
        w.run(0)
        letter = bury(w, FEED, rss(["/b"]), "application/rss+xml", feed_url=FEED)
        replay(w, letter)
        report = w.run(6)
        assert report.counts == {"article": {"new": 1}, "feed": {"revised": 1}}
        assert waiting(w) == []


def test_feed_that_nobody_watches_any_more_makes_nothing_due(tmp_path: Path) -> None:
    with world(tmp_path, {"/b": page()}, feeds=[]) as w:
        w.run(0)
        replay(w, bury(w, FEED, rss(["/b"]), "application/rss+xml", feed_url=FEED))
        report = w.run(6)
        assert (report.counts["article"], w.site.paths()) == ({}, [])


def test_letter_that_is_of_no_use_again_is_a_letter_again(tmp_path: Path) -> None:
    with world(tmp_path, {"/a": page(NOTHING)}, feeds=[], articles=[f"http://{HOST}/a"]) as w:
        w.run(0)
        (letter,) = w.letters()
        assert letter.replayable
        replay(w, everything=True)
        assert waiting(w) == []
        w.run(6)
        first, second = w.letters()
        assert (first.replayed, second.replayed) == (at(5), None)
        assert first.sha256 == second.sha256
        assert waiting(w) == [first.reason]


def test_all_are_replayed_that_can_be_and_only_once(tmp_path: Path) -> None:
    with world(tmp_path, feeds=[]) as w:
        w.run(0)
        for name in "ab":
            bury(w, f"http://{HOST}/{name}", story(about=name), "text/html; charset=utf-8")
        receive(w.store, [Message(id="queue#1", data=b"rubbish")], at(0), FetchPolicy(contact="me@a.example"))
        replay(w, everything=True)
        replay(w, everything=True)
        assert w.run(6).counts["article"] == {"new": 2}
        (left,) = waiting(w)
        assert "no JSON" in left


def test_message_of_no_use_cannot_be_replayed(tmp_path: Path) -> None:
    with world(tmp_path, feeds=[]) as w:
        w.run(0)
        receive(w.store, [Message(id="queue#1", data=b"rubbish")], at(0), FetchPolicy(contact="me@a.example"))
        (letter,) = w.letters()
        with pytest.raises(ConfigurationError, match="nothing was kept that could be replayed"):
            replay(w, letter.id)
