"""A viewer over a small invented newsroom, asked over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
from starlette.testclient import TestClient

from tests.builders import at, claim, reading
from tests.wirewatch.kept import INSTANCE, asks, keeper
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key
from wirewatch.clock import FixedClock
from wirewatch.keeping import Read
from wirewatch.model import Capture, Facts, Reading, Source, Wording
from wirewatch.store import Store
from wirewatch.viewer import safety
from wirewatch.viewer.answers import Viewer
from wirewatch.viewer.app import application
from wirewatch.viewer.safety import Guard
from wirewatch.viewer.shelf import Memory, Shelf

BASE = "http://127.0.0.1:8730"
NOW = at(3 * 24 * 60)
COURIER, POST = "https://courier.example/local", "https://post.example/fishing"
FEED = "https://courier.example/rss.xml"
FERRY, BUSES, ROOF, CRABS = f"{COURIER}/ferry", f"{COURIER}/buses", f"{COURIER}/roof", f"{POST}/crabs"
_REST = "The harbour master was not there. " * 8


def story(minutes: float, url: str, headline: str, body: str, *, stamp: float | None = None, **words: Any) -> Reading:
    """Return a reading of a story; `stamp` is when it says it was updated."""
    claims = (claim("published", -60),) + ((claim("modified", stamp),) if stamp is not None else ())
    made = reading(minutes, f"{body} {_REST}", headline=headline, url=url, claims=claims, aliases=asks(url))
    if not words:
        return made
    wording = replace(made.wording or Wording(), **words)
    return _reworded(made, wording)


def _reworded(made: Reading, wording: Wording) -> Reading:
    from wirewatch.canonical import content_hash, text_hash  # noqa: PLC0415

    return replace(made, wording=wording, content_hash=content_hash(wording), text_hash=text_hash(wording))


NEWSROOM = (
    story(0, FERRY, "Council approves ferry subsidy", "The vote was 9 to 4.", stamp=-60),
    story(60, FERRY, "Council approves ferry subsidy after recount", "The vote was 8 to 5.", stamp=50),
    story(120, FERRY, "Council approves ferry subsidy after recount", "The vote was 8 to 5. Nobody cheered.", stamp=50),
    story(0, BUSES, "Late buses will return", "The road is closed on Mondays.", stamp=-60),
    story(90, BUSES, "Late buses could return", "The road is closed on Mondays.", stamp=-60),
    story(0, ROOF, "Library roof to be mended", "It costs 310,000."),
    story(
        150,
        ROOF,
        "Library roof to be mended",
        "It costs 130,000.",
        stamp=140,
        correction="Correction: the cost is 130,000.",
    ),
    story(0, CRABS, "Fang der Krabben steigt", "Es waren 1,840 Tonnen bei Café Möwe.", stamp=-60),
    story(30, CRABS, "Fang der Krabben steigt", "Es waren 1,480 Tonnen bei Café Möwe.", stamp=-60),
)
HEADLINES = ("Library roof", "Council approves", "Late buses", "Council approves", "Fang der Krabben")
"""The five changes of the newsroom, newest first, by how their headlines begin."""

SOURCES = {
    "courier.example": Source(feed=FEED, publisher="Ellery Courier", language="en-GB"),
    "post.example": Source(publisher="Harbour Post", language="de"),
}


def fill(store: Store, pool: Pool, readings: tuple[Reading, ...] = NEWSROOM, sources: Any = None) -> None:
    """Keep readings as a job would, each a minute after it was made."""
    for one in sorted(readings, key=lambda reading: reading.observed):
        host = one.url.split("/")[2]
        source = (sources or SOURCES).get(host, Source())
        facts = Facts(language=None, content_type="text/html")
        capture = Capture(
            url=one.url,
            observed=one.observed,
            status=200,
            headers=(("content-type", "text/html"),),
            body=f"<p>{one.text_hash}".encode(),
        )
        told = Read(capture=capture, reading=replace(one, facts=facts), source=source)
        keeper(store, pool, one.observed + timedelta(minutes=1)).keep(told)


@contextmanager
def viewer(
    url: str,
    pool: Pool,
    *,
    guard: Guard | None = None,
    limit_seconds: float = 30.0,
    public_url: str | None = None,
    base: str = BASE,
) -> Iterator[TestClient]:
    """Give a client of a viewer over the store at `url`; nothing is remembered from one request to the next."""
    shelf = Shelf(url, INSTANCE, pool, limit_seconds=limit_seconds)
    known = guard or safety.guard("127.0.0.1", public_url, None)
    asked = Viewer(shelf=shelf, guard=known, clock=FixedClock(NOW), public_url=public_url, memory=Memory(seconds=0.0))
    try:
        yield TestClient(application(asked), base_url=base, follow_redirects=False, raise_server_exceptions=False)
    finally:
        shelf.close()


def json_of(client: TestClient, address: str) -> Any:
    """Return what an address answers as JSON, which must be there."""
    response: httpx.Response = client.get(address, headers={"accept": "application/json"})
    assert response.status_code == 200, (address, response.status_code, response.text[:300])
    return response.json()


def headlines(page: Any) -> list[str]:
    """Return the headlines of a list of changes."""
    return [change["headline"] for change in page["changes"]]


def key(url: str) -> str:
    """Return an article's key."""
    return article_key(url)
