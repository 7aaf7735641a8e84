"""An Atom file is valid, whole at every moment, and tells each event once."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree
from pydantic import ValidationError

from tests.builders import at
from tests.wirewatch.alerts.contract import SENT, ChannelContract, channel_of, deliver
from tests.wirewatch.alerts.told import INSTANCE, LINKS, alert, story
from wirewatch import atom
from wirewatch.alerts.message import Links
from wirewatch.alerts.model import Alert, Story
from wirewatch.errors import BadContent, RetryLater

ATOM = "{http://www.w3.org/2005/Atom}"
ROOT = Path(__file__).parents[3]


def event(name: str) -> str:
    return json.dumps({"id": name, "time": "2026-03-16T14:31:00Z", "recordedtime": "2026-03-16T14:33:05Z"})


def told_of(*names: str, **changes: Any) -> Alert:
    """Return an alert of one story for each event."""
    return alert(*(story(url=f"https://courier.example/{name}", events=(event(name),)) for name in names), **changes)


def options(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"kind": "atom", "name": "ferries", "file": folder / "ferries.atom", **changes}


def ids(file: Path) -> list[str]:
    return [entry.id.rpartition("/")[2] for entry in read(file).entries]


def read(file: Path) -> Any:
    """Return what a feed reader makes of a file that keeps to Atom's rules."""
    assert list(broken_rules(etree.fromstring(file.read_bytes()))) == []
    feed = feedparser.parse(file.read_bytes())
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.version == "atom10"
    return feed


def broken_rules(feed: Any) -> list[str]:
    """Return what RFC 4287 requires and a feed does not have."""
    elements = [feed, *feed.findall(f"{ATOM}entry")]
    broken = [
        f"{element.tag} has not one {name}"  # 4.1.1, 4.1.2
        for element in elements
        for name in ("id", "title", "updated")
        if len(element.findall(f"{ATOM}{name}")) != 1
    ]
    for element in elements:
        if not element.findtext(f"{ATOM}author/{ATOM}name"):  # 4.1.1: one or more
            broken.append(f"{element.tag} has no author")
        for moment in [*element.findall(f"{ATOM}updated"), *element.findall(f"{ATOM}published")]:
            datetime.strptime(moment.text or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)  # 3.3
        links = element.findall(f"{ATOM}link")
        alternates = [(link.get("type"), link.get("hreflang")) for link in links if link.get("rel") == "alternate"]
        if len(set(alternates)) != len(alternates):  # 4.1.1
            broken.append(f"{element.tag} has two alternates of a kind")
        if any(":" not in link.get("href") for link in links):
            broken.append(f"{element.tag} has a link that is no IRI")
    every = [entry.findtext(f"{ATOM}id") for entry in elements[1:]]
    if len(set(every)) != len(every):
        broken.append("two entries have one id")
    contents = [entry.find(f"{ATOM}content") for entry in elements[1:]]
    if any(content.get("type") != "html" or len(content) for content in contents):  # 4.1.3.3
        broken.append("an entry's HTML is not escaped text")
    return broken


class TestAtom(ChannelContract):
    @asynccontextmanager
    async def where(self, folder: Path) -> AsyncIterator[dict[str, Any]]:
        self.file = folder / "ferries.atom"
        yield options(folder)

    def arrived(self) -> list[str]:
        entries = reversed(read(self.file).entries)
        return [f"{entry.title} {entry.link if 'link' in entry else ''} {entry.content[0].value}" for entry in entries]

    def broken(self, folder: Path) -> dict[str, Any] | None:
        return options(folder, file=folder / "not there" / "ferries.atom")


def written(folder: Path, *alerts: Alert, links: Links = LINKS, **changes: Any) -> Any:
    async def write() -> None:
        channel = channel_of(options(folder, **changes))
        for one in alerts:
            await channel.send(one, channel.compose(one, links), at(160))

    asyncio.run(write())
    return read(folder / "ferries.atom")


def test_feed_and_entries_say_what_they_are(tmp_path: Path) -> None:
    feed = written(tmp_path, told_of("e1"), title="Ferries", public_url="https://news.example/ferries.atom")
    assert feed.feed.id == "tag:wirewatch.example,2026:alerts/ferries"
    assert feed.feed.title == "Ferries"
    assert feed.feed.links == [
        {"rel": "self", "type": "application/atom+xml", "href": "https://news.example/ferries.atom"}
    ]
    (entry,) = feed.entries
    assert entry.id == "tag:wirewatch.example,2026:event/e1"
    assert entry.title == "Ellery Courier changed 12 to 15 killed in paragraph 3 – Ferry fire off the north pier"
    assert (entry.published, entry.updated) == ("2026-03-16T14:31:00Z", "2026-03-16T14:33:05Z")
    assert entry.author == "Ellery Courier"
    assert entry.tags == [{"term": "update", "scheme": "http://cv.iptc.org/newscodes/signal/", "label": None}]
    assert re.search(r"<del[^>]*>\[-12-\]</del><ins[^>]*>\{\+15\+\}</ins> killed", entry.content[0].value)


@pytest.mark.parametrize(
    ("viewer", "page", "revision"),
    [
        (None, "tag:wirewatch.example,2026:article/{}", "tag:wirewatch.example,2026:revision/{}"),
        ("https://watch.example/", "https://watch.example/articles/{}", "https://watch.example/revisions/{}"),
    ],
    ids=["without a viewer", "with a viewer"],
)
def test_entry_leads_to_the_version_before_and_to_all(
    tmp_path: Path, viewer: str | None, page: str, revision: str
) -> None:
    one = told_of("e1")
    feed = written(tmp_path, one, links=Links(instance=INSTANCE, viewer=viewer))
    (changed,) = one.stories
    assert changed.old_revision
    assert {link.rel: link.href for link in feed.entries[0].links} == {
        "alternate": changed.url,
        "predecessor-version": revision.format(changed.old_revision.id),
        "version-history": page.format(changed.article),
    }


def test_each_story_of_a_digest_is_an_entry_and_a_group_is_one(tmp_path: Path) -> None:
    written(tmp_path, told_of("e1", "e2"), told_of("e3", "e4", kind="group"), alert(kind="more", more=3, id="a" * 32))
    assert ids(tmp_path / "ferries.atom") == ["a" * 32, alert().id, "e2", "e1"]


def test_newest_entry_of_a_digest_says_how_many_more_there_are(tmp_path: Path) -> None:
    feed = written(tmp_path, told_of("e1", "e2", more=37))
    assert ["and 37 more" in entry.content[0].value for entry in feed.entries] == [True, False]


def test_alert_that_comes_twice_is_told_once(tmp_path: Path) -> None:
    written(tmp_path, told_of("e1"), told_of("e2"), told_of("e1"))
    assert ids(tmp_path / "ferries.atom") == ["e1", "e2"]


def test_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    written(tmp_path, *(told_of(f"e{n}") for n in range(7)), entries=3)
    assert ids(tmp_path / "ferries.atom") == ["e6", "e5", "e4"]


def test_nothing_but_the_file_and_its_lock_is_left(tmp_path: Path) -> None:
    (tmp_path / ".ferries.atom.0123abcd.part").write_text("of a sender that was killed")
    written(tmp_path, told_of("e1"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".ferries.atom.lock", "ferries.atom"]


def test_file_that_is_none_of_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ferries.atom").write_text("my notes")
    with pytest.raises(RetryLater, match=r"is no Atom feed of ours .*: move it away"):
        written(tmp_path, told_of("e1"))
    assert (tmp_path / "ferries.atom").read_text() == "my notes"


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
from pathlib import Path
from tests.wirewatch.alerts.contract import channel_of
from tests.wirewatch.alerts.test_atom import LINKS, at, options, told_of

async def main():
    channel = channel_of(options(Path({str(tmp_path)!r}), entries=1000))
    for n in range(5):
        one = told_of(f"{{sys.argv[1]}}{{n}}")
        await channel.send(one, channel.compose(one, LINKS), at(160))

asyncio.run(main())
"""
    both = [subprocess.Popen([sys.executable, "-c", program, name], cwd=ROOT) for name in "ab"]
    assert [one.wait(60) for one in both] == [0, 0]
    assert sorted(ids(tmp_path / "ferries.atom")) == sorted(f"{name}{n}" for name in "ab" for n in range(5))


def test_reader_never_sees_a_part_of_the_file(tmp_path: Path) -> None:
    async def both() -> int:
        channel = channel_of(options(tmp_path))
        await deliver(channel, told_of("e0"))
        more = [told_of(f"e{n}") for n in range(1, 20)]
        writing = asyncio.gather(*(channel.send(one, channel.compose(one, LINKS), SENT) for one in more))
        looks = 0
        while not writing.done():
            read(tmp_path / "ferries.atom")
            looks += 1
            await asyncio.sleep(0)
        await writing
        await channel.close()
        return looks

    assert asyncio.run(both()) > 1
    assert len(ids(tmp_path / "ferries.atom")) == 20


@pytest.mark.parametrize("address", ["news.example/a.atom", "ftp://news.example/a", "https://a b/"])
def test_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValidationError, match="is no web address"):
        channel_of(options(tmp_path, public_url=address))


@pytest.mark.parametrize("earlier", [b"<rss/>", b"<feed/>", b"<feed", b"\xff\xfe"])
def test_what_is_no_feed_is_no_earlier_one(earlier: bytes) -> None:
    feed = atom.Feed(id="tag:a", title="", updated=at(0), author="A")
    with pytest.raises(BadContent):
        atom.write(feed, [], earlier, most=1)


def test_text_that_xml_cannot_carry_is_replaced() -> None:
    feed = atom.Feed(id="tag:a", title="a\x00b\ud800c\uffff", updated=at(0), author="A")
    entry = atom.Entry(id="tag:e", title="]]>&<b>", updated=at(0), author="\x1b", html="<p>\x07 & é</p>")
    root = etree.fromstring(atom.write(feed, [entry], most=1))
    assert root.findtext(f"{ATOM}title") == "a\ufffdb\ufffdc\ufffd"
    assert root.findtext(f"{ATOM}entry/{ATOM}title") == "]]>&<b>"
    assert root.findtext(f"{ATOM}entry/{ATOM}content") == "<p>\ufffd & é</p>"


def test_earlier_entries_are_bounded_and_entities_stay_closed() -> None:
    feed = atom.Feed(id="tag:a", title="A", updated=at(0), author="A")
    bomb = b'<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    earlier = bomb + b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>tag:e</id><title>&x;</title></entry></feed>'
    assert b"root:" not in atom.write(feed, [], earlier, most=5)


def test_story_without_a_host_has_an_author(tmp_path: Path) -> None:
    one: Story = story(publisher=None, url="https://courier.example/x", events=(event("e1"),))
    assert written(tmp_path, alert(one)).entries[0].author == "courier.example"
