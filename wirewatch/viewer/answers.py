"""Make the answer to each address: a page's model, or whatever else there is to have.

What an address says is read here and nowhere below; what is wrong with it is raised, and told by the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response

from wirewatch.clock import Clock
from wirewatch.errors import BadContent
from wirewatch.store import browsing, ledger, pages
from wirewatch.viewer import articles, filters, lists, memento, openapi, safety, syndication, telling, watching
from wirewatch.viewer.articles import NotThere
from wirewatch.viewer.cursors import cursor, place_of
from wirewatch.viewer.models import Events
from wirewatch.viewer.safety import Guard
from wirewatch.viewer.shelf import Memory, Shelf

_EVENTS: Final = 100  # of one answer, unless asked for another number
_MOST_EVENTS: Final = 1_000
_REMEMBERED_SECONDS: Final = 10.0
_KEY: Final = re.compile(r"[0-9a-f]{16}")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
_JSON: Final = "application/json"
_PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """What the server is given: the store, who may ask, what time it is, and under which address it is known."""

    shelf: Shelf
    guard: Guard
    clock: Clock
    public_url: str | None = None
    memory: Memory = field(default_factory=lambda: Memory(seconds=_REMEMBERED_SECONDS))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, as pages need it: what the address says, and nothing of HTTP."""

    viewer: Viewer
    path: str
    parameters: dict[str, str]
    named: dict[str, Any]
    base: str
    query: str
    headers: Headers

    def parameter(self, name: str) -> str | None:
        """Return what the address says under a name; None where that is nothing."""
        return (self.parameters.get(name) or "").strip() or None

    def number(self, name: str, default: int, most: int) -> int:
        """Return a number from 1 to `most`; raise BadContent for anything else."""
        text = self.parameter(name)
        if text is None:
            return default
        if not _NUMBER.fullmatch(text) or int(text) > most:
            raise BadContent(f"{name} is a whole number from 1 to {most:,}.")
        return int(text)


# Pages


def changes(asked: Asked) -> BaseModel:
    chosen = filters.filters(asked.parameters)
    limit = asked.number("limit", lists.LINES, lists.MOST_LINES)
    with asked.viewer.shelf.reading() as (library, conn):
        return lists.changes(library, conn, chosen, asked.parameter("after"), limit)


def article(asked: Asked) -> BaseModel:
    key = shaped(asked, "key", _KEY, "article")
    with asked.viewer.shelf.reading() as (library, conn):
        return articles.article(library, conn, key)


def revision(asked: Asked) -> BaseModel:
    key, name = shaped(asked, "key", _KEY, "article"), shaped(asked, "revision", _ID, "revision")
    with asked.viewer.shelf.reading() as (library, conn):
        return articles.revision(library, conn, key, name)


def redline(asked: Asked) -> BaseModel:
    key = shaped(asked, "key", _KEY, "article")
    old, dots, new = str(asked.named["pair"]).partition("..")
    if not (dots and _ID.fullmatch(old) and _ID.fullmatch(new)):
        raise NotThere("An address of a change names two revisions by their ids: OLD..NEW.")
    with asked.viewer.shelf.reading() as (library, conn):
        return articles.redline(library, conn, key, old, new)


def feeds(asked: Asked) -> BaseModel:
    with asked.viewer.shelf.reading() as (library, conn):
        return watching.feeds(library, conn, asked.viewer.clock.now())


def feed(asked: Asked) -> BaseModel:
    url = asked.parameter("url")
    if url is None:
        raise BadContent("Say which feed, by its address: /feed?url=…")
    with asked.viewer.shelf.reading() as (library, conn):
        return watching.feed(library, conn, url, asked.viewer.clock.now())


def alerts(asked: Asked) -> BaseModel:
    with asked.viewer.shelf.reading() as (_, conn):
        return telling.alerts(conn, asked.parameter("state"), asked.parameter("channel"), asked.parameter("after"))


def alert(asked: Asked) -> BaseModel:
    name = shaped(asked, "alert", _ID, "alert")
    with asked.viewer.shelf.reading() as (library, conn):
        return telling.alert(library, conn, name)


def letters(asked: Asked) -> BaseModel:
    replayed = asked.parameter("replayed")
    if replayed not in (None, "yes", "no"):
        raise BadContent("replayed is yes or no.")
    with asked.viewer.shelf.reading() as (_, conn):
        return telling.letters(conn, asked.parameter("after"), with_replayed=replayed == "yes")


def letter(asked: Asked) -> BaseModel:
    number = int(shaped(asked, "letter", _NUMBER, "dead letter"))
    with asked.viewer.shelf.guarded() as library:
        return telling.letter(library, number)


def publishers(asked: Asked) -> BaseModel:
    days = asked.number("days", watching.DAYS, watching.MOST_DAYS)
    with asked.viewer.shelf.reading() as (_, conn):
        return watching.publishers(conn, days, asked.viewer.clock.now())


def publisher(asked: Asked) -> BaseModel:
    days = asked.number("days", watching.DAYS, watching.MOST_DAYS)
    with asked.viewer.shelf.reading() as (library, conn):
        return watching.publisher(library, conn, asked.named["host"], days, asked.viewer.clock.now())


# Other answers


def atom(asked: Asked) -> Response:
    return feed_out(asked, syndication.atom, "application/atom+xml")


def json_feed(asked: Asked) -> Response:
    return feed_out(asked, syndication.json_feed, "application/feed+json")


def feed_out(asked: Asked, write: Callable[..., bytes], kind: str) -> Response:
    chosen = filters.filters(asked.parameters)
    with asked.viewer.shelf.reading() as (library, conn):
        listed = lists.changes(library, conn, chosen, None, lists.LINES)
    address = f"{asked.base}{asked.path}{filters.query(chosen)}"
    return Response(write(library, listed, base=asked.base, address=address), media_type=kind)


def events(asked: Asked) -> Response:
    since = asked.parameter("since")
    place = place_of(since) if since else 0
    limit = asked.number("limit", _EVENTS, _MOST_EVENTS)
    with asked.viewer.shelf.reading() as (_, conn):
        rows = browsing.events_since(conn, place, limit + 1)
    told = rows[:limit]
    following = cursor(told[-1].id if told else place)
    found = Events(events=tuple(orjson.loads(row.payload) for row in told), next=following, more=len(rows) > limit)
    return as_json(found)


def event(asked: Asked) -> Response:
    name = shaped(asked, "event", _ID, "event")
    with asked.viewer.shelf.reading() as (_, conn):
        payload = browsing.payload(conn, "event", name)
    if payload is None:
        raise NotThere("There is no event of that id.")
    if wants_json(asked):
        return Response(payload, media_type="application/cloudevents+json")
    data = orjson.loads(payload)["data"]
    key = data["article"]["uri"].rpartition("/")[2]
    if "previous" in data and "hunks" in data:
        return RedirectResponse(lists.redline_href(key, data["previous"]["id"], data["current"]["id"]), 303)
    return RedirectResponse(f"/articles/{key}", 303)


def revision_alone(asked: Asked) -> Response:
    name = shaped(asked, "revision", _ID, "revision")
    with asked.viewer.shelf.reading() as (_, conn):
        key = browsing.article_of_revision(conn, name)
    if key is None:
        raise NotThere("There is no revision of that id.")
    return RedirectResponse(lists.revision_href(key, name) + (".json" if wants_json(asked) else ""), 303)


def found(asked: Asked) -> Response:
    url = asked.parameter("url")
    if url is None:
        raise BadContent("Say which article, by any of its addresses: /find?url=…")
    with asked.viewer.shelf.reading() as (_, conn):
        owners = ledger.owners(conn, [url])
    if url not in owners:
        raise NotThere("Nothing is kept under that address.")
    return RedirectResponse(f"/articles/{owners[url]}" + (".json" if wants_json(asked) else ""), 303)


def plain_redline(asked: Asked) -> Response:
    found: Any = redline(asked)
    return Response(found.plain + "\n", media_type=_PLAIN)


def record(asked: Asked) -> Response:
    name = shaped(asked, "revision", _ID, "revision")
    with asked.viewer.shelf.reading() as (_, conn):
        payload = browsing.payload(conn, "record", name)
    if payload is None:
        raise NotThere("No record of that revision was written.")
    return Response(payload, media_type=_JSON)


def kept_page(asked: Asked) -> Response:
    key, name = shaped(asked, "key", _KEY, "article"), shaped(asked, "revision", _ID, "revision")
    with asked.viewer.shelf.reading() as (library, conn):
        found: Any = articles.revision(library, conn, key, name)
        kept = pages.get(conn, found.page.hash) if found.page else None
    if kept is None:
        raise NotThere(found.no_page or "No page was kept.")
    ending = ".html" if (kept.content_type or "").startswith(("text/html", "application/xhtml")) else ".txt"
    file = f"{key}-{name[:8]}{ending}"
    headers = {**safety.DOWNLOAD, "content-disposition": f'attachment; filename="{file}"'}
    return Response(kept.body, media_type="application/octet-stream", headers=headers)


def timemap(asked: Asked) -> Response:
    found: Any = article(asked)
    return Response(memento.timemap(found, asked.base), media_type="application/link-format")


def timegate(asked: Asked) -> Response:
    found: Any = article(asked)
    wanted = memento.wanted(asked.headers.get("accept-datetime"))
    chosen = memento.nearest(found, wanted)
    if chosen is None:
        raise NotThere("No revision of this article is kept.")
    headers = {"link": memento.links(found, asked.base), "vary": "accept-datetime"}
    return RedirectResponse(chosen.href, 302, headers=headers)


def described(asked: Asked) -> Response:
    return Response(openapi.description(asked.base), media_type=_JSON)


def send_again(asked: Asked) -> Response:
    name = shaped(asked, "alert", _ID, "alert")
    with asked.viewer.shelf.guarded() as library:
        telling.send_again(library, name, asked.viewer.clock.now())
    return RedirectResponse(f"/alerts/{name}?done=again", 303)


def replay(asked: Asked) -> Response:
    number = int(shaped(asked, "letter", _NUMBER, "dead letter"))
    with asked.viewer.shelf.guarded() as library:
        telling.replay(library, number, asked.viewer.clock.now())
    return RedirectResponse(f"/dead-letters/{number}?done=replay", 303)


def shaped(asked: Asked, name: str, shape: re.Pattern[str], what: str) -> str:
    text = str(asked.named[name])
    if not shape.fullmatch(text):
        raise NotThere(f"This is no {what}'s id.")
    return text


def wants_json(asked: Asked) -> bool:
    """Tell whether JSON is asked for: by the address, or by an Accept that prefers it to HTML."""
    if asked.path.endswith(".json") or asked.path.startswith("/api/"):
        return True
    best: dict[str, float] = {}
    for part in asked.headers.get("accept", "").lower().split(","):
        kind, _, rest = part.strip().partition(";")
        match = re.search(r"q=([0-9.]{1,6})", rest)
        try:
            best[kind.strip()] = float(match[1]) if match else 1.0
        except ValueError:
            continue
    wanted = max(best.get(one, 0.0) for one in (_JSON, "application/*+json", "application/cloudevents+json"))
    return wanted > best.get("text/html", best.get("text/*", 0.0))


def as_json(page: BaseModel) -> Response:
    return Response(page.model_dump_json(by_alias=True), media_type=_JSON)
