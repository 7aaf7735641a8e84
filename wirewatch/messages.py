"""Read a message that asks for a check, `{"url": …}` or `{"feed": …}`, or brings a capture in the replay's line format.

A pure function, since whoever may write to a queue may write anything: what cannot be used raises with one sentence,
and the message is then done with. It is never worth asking for it again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from wirewatch.captures import as_capture, read_line
from wirewatch.errors import BadContent
from wirewatch.fetch.addresses import vet_unasked
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.identity import normalise_url
from wirewatch.model import Capture
from wirewatch.reading import is_feed

LONGEST_WISH: Final = 32_768  # bytes; an address has at most 8,192 characters, each perhaps escaped
AHEAD: Final = timedelta(
    minutes=5
)  # of our clock; what lies further ahead would outlive all that is observed until then
_QUOTED: Final = 60  # characters of a message that is no JSON, so that its sender is recognised


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Somebody asks that a feed, or whatever is at an address, be read now. `url` is in normal form."""

    what: Literal["url", "feed"]
    url: str


def read_message(data: bytes, now: datetime, policy: FetchPolicy) -> Wish | Capture:
    """Return what a message asks for or brings.

    Raise BadContent where it is neither, lies about its time or is larger than what may be fetched, and SourceRefuses
    where it names an address that may not be asked.
    """
    members = _members(data)
    if not members.keys() <= {"url", "feed"}:
        return _capture(data, now, policy)
    if len(members) != 1:
        raise BadContent('The message has to say one thing: {"url": …}, {"feed": …}, or a capture with its observedAt')
    ((what, url),) = members.items()
    if not isinstance(url, str) or not url.strip():
        raise BadContent(f"The message's {what} is no text")
    if len(data) > LONGEST_WISH:
        raise BadContent(f"The message has {len(data):,} bytes, and all that it has is an address")
    normal = normalise_url(url)
    vet_unasked(normal, policy)
    return Wish(what="feed" if what == "feed" else "url", url=normal)


def _members(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        reason = f"The message is no JSON ({_words(error)}); it begins {_beginning(data)!r}"
        raise BadContent(reason) from error
    if not isinstance(said, dict):
        raise BadContent(f"The message is JSON and no object; it begins {_beginning(data)!r}")
    return said


def _capture(data: bytes, now: datetime, policy: FetchPolicy) -> Capture:
    said = read_line(data)
    if said.body_path is not None:
        raise BadContent("The message names a file by bodyPath, and there is none beside a message", about=said.url)
    capture = as_capture(said)
    vet_unasked(capture.url, policy)
    if capture.observed > now + AHEAD:
        raise BadContent(f"observedAt lies ahead of our clock: {capture.observed.isoformat()}", about=capture.url)
    limit = policy.feed_bytes if is_feed(capture) else policy.article_bytes
    if len(capture.body) > limit:
        raise BadContent(f"The body has {len(capture.body):,} bytes, more than the {limit:,} that a page may have")
    return capture


def _words(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return {UnicodeDecodeError: "it is not UTF-8", RecursionError: "it is too deep"}.get(type(error), str(error)[:100])


def _beginning(data: bytes) -> str:
    return data[: _QUOTED * 4].decode(errors="replace")[:_QUOTED]
