"""A deployment of one's own to break: a hostile site on localhost, a configuration that watches it, and a clock.

The site answers exactly the bytes it is told to; the clock stands still until a test moves it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.config import Config, load
from pipelines.replay import replay
from pipelines.run import PassReport, run_pass
from tests.builders import at
from tests.wirewatch.fetch_site import Send, Site, answered, site
from wirewatch.canonical import article_key, article_uri
from wirewatch.clock import FixedClock
from wirewatch.identity import normalise_url
from wirewatch.model import Observation
from wirewatch.revisions import History, fold
from wirewatch.store import Store, dead_letters, ledger
from wirewatch.store.dead_letters import DeadLetter
from wirewatch.store.feeds import FeedHealth, feed_health

HOST = "courier.example"
FEED = f"http://{HOST}/feed.xml"
WORDS = (
    "The harbour council met on Monday evening and spoke at length about the winter boats and what they cost.",
    "Members asked how many crossings there would be each day and who was to pay for the new landing stage.",
    "The operator has run the crossing for fifty years and said that it would go on doing so if it could.",
    "A vote is expected before the end of the month, when the last of the summer boats is taken out of the water.",
)


def story(headline: str = "Harbour council speaks of boats", *words: str, head: str = "", about: str = "") -> bytes:
    """Return an article's page; `about` makes its text differ from all others'."""
    paragraphs = "".join(f"<p>{text}</p>\n" for text in (*(words or WORDS), about) if text)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{headline}</title>{head}</head>'
        f"<body><main><article><h1>{headline}</h1>\n{paragraphs}</article></main></body></html>"
    ).encode()


def page(body: bytes | None = None, **headers: Any) -> bytes:
    """Return an answer with an article's page."""
    defaults: dict[str, Any] = {"content_type": "text/html; charset=utf-8"}
    return answered(story() if body is None else body, **{**defaults, **headers})


def rss(paths: Iterable[str] = (), *, host: str = HOST, **members: str) -> bytes:
    """Return an RSS document with an entry for each path."""
    extra = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
    items = "".join(
        f"<item><title>Entry of {path}</title><link>http://{host}{path}</link>"
        f'<guid isPermaLink="false">guid of {path}</guid>{extra}</item>'
        for path in paths
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Courier</title>{items}'
        "</channel></rss>"
    ).encode()


def feed(paths: Iterable[str] = (), **members: str) -> bytes:
    """Return an answer with a feed."""
    return answered(rss(paths, **members), content_type="application/rss+xml")


def atom(paths: Iterable[str], updated: datetime, *, host: str = HOST) -> bytes:
    """Return an answer with an Atom feed that says of each path that it was updated then."""
    at_ = updated.isoformat()
    entries = "".join(
        f'<entry><title>Entry of {path}</title><link href="http://{host}{path}"/><id>guid of {path}</id>'
        f"<updated>{at_}</updated></entry>"
        for path in paths
    )
    document = (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Courier</title>'
        f"<id>courier</id><updated>{at_}</updated>{entries}</feed>"
    )
    return answered(document.encode(), content_type="application/atom+xml")


def configure(
    folder: Path,
    *,
    port: int = 9,
    store: str = "sqlite:///wirewatch.db",
    hosts: Sequence[str] = (HOST,),
    feeds: Sequence[str | Mapping[str, Any]] = (FEED,),
    fetch: Mapping[str, Any] | None = None,
    work: Mapping[str, Any] | None = None,
    sinks: Sequence[Mapping[str, Any]] = ({"kind": "jsonl", "name": "files", "folder": "out"},),
    **others: Any,
) -> Config:
    """Write a configuration that sends `hosts` to a port of this machine, and read it."""
    settings: dict[str, Any] = {
        "instance": {"authority": "wirewatch.example", "since": "2026"},
        "store": store,
        "fetch": {
            "contact": "desk@wirewatch.example",
            "spacing": 0,
            "connect_to": dict.fromkeys(hosts, f"127.0.0.1:{port}"),
            **(fetch or {}),
        },
        "feeds": [one if isinstance(one, str) else dict(one) for one in feeds],
        "sinks": [dict(sink) for sink in sinks],
        "work": {"children": 2, **(work or {})},
        **others,
    }
    path = folder / "wirewatch.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    return load(path, {})


@dataclass
class World:
    """A deployment and the site it watches."""

    folder: Path
    config: Config
    site: Site
    now: datetime = field(default_factory=lambda: at(0))

    @property
    def store(self) -> Store:
        return Store.shared(self.config.store)

    def run(self, minutes: float | None = None) -> PassReport:
        """Make a pass, that many minutes after noon."""
        if minutes is not None:
            self.now = at(minutes)
        return run_pass(self.config, FixedClock(self.now))

    def replay(self, *inputs: Path, minutes: float = 0, **options: Any) -> PassReport:
        """Replay capture files, that many minutes after noon."""
        return replay(self.config, inputs, FixedClock(at(minutes)), **options)

    def article(self, path: str, host: str = HOST) -> History:
        """Return the history of the article at that path."""
        with self.store.reading() as conn:
            return fold(ledger.load(conn, key(path, host)).ledger)

    def observations(self, path: str) -> tuple[Observation, ...]:
        """Return what was observed of the article at that path."""
        with self.store.reading() as conn:
            return ledger.load(conn, key(path)).ledger.observations

    def all_observations(self) -> list[Observation]:
        """Return all observations of all articles."""
        with self.store.reading() as conn:
            keys = [json.loads(line)["uri"].rpartition("/")[2] for line in self.export()]
            return [one for article in keys for one in ledger.load(conn, article).ledger.observations]

    def row(self, path: str) -> Any:
        """Return the article's row in the frontier."""
        with self.store.reading() as conn:
            return ledger.row(conn, key(path))

    def letters(self) -> list[DeadLetter]:
        """Return all dead letters, oldest first."""
        return dead_letters.listed(self.store)[::-1]

    def health(self) -> dict[str, FeedHealth]:
        """Return how each feed is, by its address."""
        return {one.url: one for one in feed_health(self.store)}

    def export(self) -> list[bytes]:
        """Return the ledger export."""
        return exported(self.store)

    def events(self) -> list[dict[str, Any]]:
        """Return all events that the sink was given."""
        return [json.loads(line) for line in delivered(self.folder / "out" / "events")]

    def kinds(self) -> list[str]:
        """Return the kinds of all events that the sink was given, in their order."""
        return [event["type"].split(".")[2] for event in self.events()]


def key(path: str, host: str = HOST) -> str:
    """Return the key of the article at that path."""
    return article_key(normalise_url(f"http://{host}{path}"))


def exported(store: Store) -> list[bytes]:
    """Return a store's ledger export."""
    return list(ledger.export(store, lambda one: article_uri("wirewatch.example", "2026", one)))


def delivered(folder: Path) -> list[bytes]:
    """Return the lines of all files in a sink's folder; fail if one of them is not whole."""
    lines: list[bytes] = []
    for path in sorted(folder.glob("*")):
        data = path.read_bytes()
        assert path.suffix == ".jsonl", f"{path.name} was left behind"
        assert data.endswith(b"\n"), f"{path.name} is not whole"
        lines += data.splitlines()
    return lines


def counted(report: PassReport) -> Counter[str]:
    """Return how many captures of articles ended in each outcome."""
    return Counter(report.counts["article"])


@contextmanager
def world(folder: Path, answers: Mapping[str, bytes | Send] | None = None, **settings: Any) -> Iterator[World]:
    """Run a site and give a deployment that watches it."""
    with site({"/robots.txt": answered(status=404), **(answers or {})}) as running:
        yield World(folder=folder, config=configure(folder, port=running.port, **settings), site=running)
