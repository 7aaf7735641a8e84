"""Write alerts into an Atom file, for feed readers and whatever serves that folder.

Each event is an entry with an id of its own, so that a reader tells it once however often the file is written. Two
senders write one after the other; a reader sees the file as it was or as it is, never a part.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from wirewatch.alerts.channels.base import Channel, Said
from wirewatch.alerts.model import Alert, Story
from wirewatch.errors import BadContent, RetryLater
from wirewatch.files import write_whole

if TYPE_CHECKING:
    from wirewatch import atom
    from wirewatch.alerts.message import Links, Message

_SIGNALS: Final = "http://cv.iptc.org/newscodes/signal/"
_SECONDS: Final = 30.0  # for one writing; more means that a network's disk hangs
_WHOLE_ALERTS: Final = frozenset({"group", "more", "operator"})  # are one entry each, whatever they hold


def _web_address(text: str) -> str:
    from wirewatch.records import web_address  # noqa: PLC0415 (builds the schema of records)

    if web_address(text) != text:
        raise ValueError("is no web address; write it like https://news.example/alerts.atom")
    return text


class AtomChannel(Channel):
    """Write alerts into an Atom file, the newest first."""

    threads = 1
    kind: Literal["atom"]
    file: Annotated[Path, Field(description="The file; made if it is not there, but not the folder that it lies in.")]
    title: str = Field(default="Wirewatch", description="What feed readers call it.", max_length=200)
    public_url: Annotated[str, AfterValidator(_web_address), Said("web address")] | None = Field(
        default=None, description="Where the file is published, if it is."
    )
    entries: Annotated[int, Field(ge=1, le=1000, description="How many are kept.")] = 100

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the options, by key."""
        yield from super().problems()
        if not self.file.parent.is_dir():
            yield "file", f"there is no folder {self.file.parent}"

    def compose(self, alert: Alert, links: Links) -> Message:
        """Return what is said about an alert, and about each of its stories, which are entries of their own."""
        from wirewatch.alerts.message import compose  # noqa: PLC0415 (a configuration is read without templates)

        whole = super().compose(alert, links)
        if alert.kind in _WHOLE_ALERTS or len(alert.stories) < 2:
            return whole
        how: dict[str, Any] = {"language": self.language, "zone": self.zone, "templates": self.templates}
        kind: Literal["change", "follow_up"] = "follow_up" if alert.kind == "follow_up" else "change"
        *others, newest = (replace(alert, kind=kind, stories=(story,), more=0) for story in alert.stories)
        parts = (*others, replace(newest, more=alert.more))  # how many more there are stands at the head of the file
        return replace(whole, parts=tuple(compose(part, links, **how) for part in parts))

    async def send(self, alert: Alert, message: Message, now: datetime) -> None:
        """Put the alert's entries at the head of the file."""
        from wirewatch import atom  # noqa: PLC0415 (imports lxml)

        entries = list(_entries(alert, message))
        feed = atom.Feed(
            id=message.links.uri("alerts", self.name),
            title=self.title,
            updated=now,
            author="Wirewatch",
            address=self.public_url,
        )
        try:
            async with asyncio.timeout(_SECONDS):
                await self.in_thread(self._write, feed, entries)
        except BadContent as error:
            raise RetryLater(
                f"Channel {self.name}: {self.file} is no Atom feed of ours ({error}): move it away", about=self.name
            ) from error
        except OSError as error:  # TimeoutError among them
            raise RetryLater(
                f"Channel {self.name}: {_sentence(self.file, error)}",
                about=self.name,
                perhaps_taken=isinstance(error, TimeoutError),  # the thread still writes
            ) from error

    def _write(self, feed: atom.Feed, entries: list[atom.Entry]) -> None:
        from wirewatch import atom  # noqa: PLC0415

        with _alone(self.file):
            try:
                earlier = self.file.read_bytes()
            except FileNotFoundError:
                earlier = b""
            written = atom.write(feed, reversed(entries), earlier, most=self.entries)
            write_whole(self.file, lambda file: file.write(written))  # we hold the lock


def _entries(alert: Alert, message: Message) -> Iterator[atom.Entry]:
    """Yield an alert's entries, oldest first."""
    from wirewatch import atom  # noqa: PLC0415

    if alert.kind in _WHOLE_ALERTS or not alert.stories:
        yield atom.Entry(
            id=message.links.uri("alert", alert.id),
            title=message.subject,
            updated=alert.created,
            author="Wirewatch",
            html=message.html,
        )
        return
    for story, part in zip(alert.stories, message.parts or (message,), strict=True):
        event = json.loads(story.events[-1])
        yield atom.Entry(
            id=part.links.uri("event", event["id"]),
            title=part.subject,
            published=_time(event, "time"),
            updated=_time(event, "recordedtime") or alert.created,
            author=story.publisher or urlsplit(story.url).hostname or story.uri,
            links=tuple(_links(story, part.links)),
            categories=((story.verdict.signal, _SIGNALS),) if story.verdict else (),
            html=part.html,
        )


def _links(story: Story, links: Links) -> Iterator[tuple[str, str]]:
    from wirewatch.records import web_address  # noqa: PLC0415

    if address := web_address(story.url):
        yield "alternate", address
    if story.old_revision:
        name = story.old_revision.id
        yield "predecessor-version", links.page("revisions", name) or links.uri("revision", name)
    yield "version-history", links.page("articles", story.article) or story.uri


def _time(event: dict[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(event[name]) if name in event else None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the file against other senders; the lock ends with its process."""
    with path.with_name(f".{path.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sentence(path: Path, error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"{path} was not written within {_SECONDS:g} seconds"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"there is no room left to write {path}: make room"
    if isinstance(error, FileNotFoundError):
        return f"the folder {path.parent} is not there: create it or mend `file`"
    return f"{path} cannot be written ({error.strerror or error}): mend that or `file`"
