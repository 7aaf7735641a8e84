"""Keep readings in a store, and say what must follow from them without one."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.builders import absence, claim, not_modified, reading
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key, article_uri, canonical_json
from wirewatch.clock import FixedClock
from wirewatch.judging import compare_and_judge
from wirewatch.keeping import Keeper, Read
from wirewatch.model import Alias, Capture, Check, Instance, Outcome, Reading, Seen, Source
from wirewatch.revisions import Ledger, earliest, fold, join, observe
from wirewatch.store import Store, ledger
from wirewatch.store.tables import articles, outbox

INSTANCE = Instance(authority="wirewatch.example", since="2026")
DAY = 24 * 60
GUID = "https://courier.example/feed#guid=tag:1"
A, B, C = "The vote was 9 to 4. " * 10, "The vote was 8 to 5. " * 10, "The vote was put off. " * 10
TINY = "This story has been withdrawn."


def uri(key: str) -> str:
    return article_uri(INSTANCE.authority, INSTANCE.since, key)


def asks(url: str, **others: str) -> tuple[Alias, ...]:
    """Return the names that a capture of `url` gives its article: that one, and others by their kind."""
    return (Alias(kind="asked", name=url), *(Alias(kind=kind, name=name) for kind, name in others.items()))  # type: ignore[arg-type]


def read(one: Reading, *, body: bytes = b"<p>", check: Check | None = None, etag: str | None = None) -> Read:
    headers = (("content-type", "text/html"), *((("etag", etag),) if etag else ()))
    capture = Capture(url=one.url, observed=one.observed, status=200, headers=headers, body=body)
    return Read(capture=capture, reading=one, source=Source(), check=check)


def keeper(store: Store, pool: Pool, now: datetime, *, run: str = "run", replay: bool = False) -> Keeper:
    clock = FixedClock(now)
    return Keeper(store=store, pool=pool, instance=INSTANCE, clock=clock, run=run, sinks=("sink",), replay=replay)


def keep(store: Store, pool: Pool, readings: Iterable[Reading], *, now: datetime | None = None) -> list[Outcome]:
    """Keep the readings one after the other, each at `now` or a minute after it was made."""
    return [keeper(store, pool, now or one.observed + timedelta(minutes=1)).keep(read(one)) for one in readings]


def check_of(store: Store, one: Reading) -> Check | None:
    """Return the check that would have led to this reading if nothing was kept since."""
    with store.reading() as conn:
        key = ledger.owners(conn, [one.url]).get(one.url)
        row = ledger.row(conn, key) if key else None
    if row is None:
        return None
    return Check(
        url=one.url,
        reason="article",
        start=one.observed,
        lease="mine",
        lease_ends=one.observed,
        article=row.key,
        content_hash=row.content_hash,
        ledger_version=row.ledger_version,
        fingerprint=row.fingerprint,
    )


def row_of(store: Store, url: str) -> Any:
    with store.reading() as conn:
        return conn.execute(sa.select(articles).where(articles.c.key == article_key(url))).one()


def exported(store: Store) -> bytes:
    return b"".join(ledger.export(store, uri))


def expected_export(readings: Sequence[Reading]) -> bytes:
    """Return the export that follows from a set of readings: no store, no order, each article folded once."""
    names: dict[str, set[str]] = {}
    for one in readings:
        together = set.union({one.url}, *({a.name} | names.get(a.name, set()) for a in one.aliases))
        names |= dict.fromkeys(together, together)
    articles_of: dict[frozenset[str], list[Reading]] = {}
    for one in readings:
        articles_of.setdefault(frozenset(names[one.url]), []).append(one)
    expected = [_expected_article(sorted(own), found) for own, found in articles_of.items()]
    return b"".join(canonical_json(one) + b"\n" for one in sorted(expected, key=lambda one: one["uri"]))


def _expected_article(names: list[str], readings: list[Reading]) -> dict[str, Any]:
    observed = Ledger(article="", observations=tuple(observe(one) for one in readings))
    own = join(earliest([observed]) or "", [observed])
    history = fold(own)
    texts = {one.text_hash: one.wording for one in readings if one.wording}
    diffs = []
    for t in sorted(history.transitions, key=lambda t: (t.new.first_observed, t.id)):
        found = compare_and_judge(texts[t.old_text], texts[t.new_text], t.old.stamp, t.new.modified)
        diffs.append({"id": t.id, "old": t.old.id, "new": t.new.id, "diff": found.diff, "verdict": found.verdict})
    return {
        "uri": uri(own.article),
        "names": names,
        "observations": [
            {"outcome": outcome.value, **_members(one)}
            for one, outcome in zip(own.observations, history.outcomes, strict=True)
        ],
        "revisions": [_members(one) for one in history.revisions],
        "texts": {one.text_hash: texts[one.text_hash] for one in history.revisions},
        "diffs": diffs,
        "restamps": [{"revision": r.revision.id, "observed": r.observed, "stamp": r.new.at} for r in history.restamps],
        "passages": [{"kind": p.kind, "observed": p.observed, "detail": p.detail} for p in history.passages],
        "availability": history.availability.value,
    }


def _members(record: Any) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def said(store: Store) -> list[dict[str, Any]]:
    """Return all events, in the order in which they were announced."""
    with store.reading() as conn:
        rows = conn.execute(sa.select(outbox).where(outbox.c.kind == "event").order_by(outbox.c.id)).all()
    events = [json.loads(row.payload) for row in rows]
    assert [event["id"] for event in events] == [row.item for row in rows]
    return events


def kinds(events: Iterable[dict[str, Any]]) -> list[str]:
    """Return each event's kind: `published`, `retracted`, …"""
    return [event["type"].split(".")[2] for event in events]


def standing(events: Iterable[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Return the changes that were announced and not taken back, as pairs of content hashes."""
    told: dict[str, tuple[str, str]] = {}
    for event in events:
        data = event["data"]
        if event["type"] == "wirewatch.article.revised.v1":
            told[event["id"]] = (data["previous"]["contentHash"], data["current"]["contentHash"])
        elif event["type"] == "wirewatch.diff.retracted.v1":
            del told[data["retracted"]]  # or it takes back what was not said
    return Counter(told.values())


def live(export: bytes) -> Counter[tuple[str, str]]:
    """Return the changes that an export holds, less the technical ones."""
    found: Counter[tuple[str, str]] = Counter()
    for article in map(json.loads, export.splitlines()):
        revisions = {one["id"]: one for one in article["revisions"]}
        for diff in article["diffs"]:
            old, new = revisions[diff["old"]], revisions[diff["new"]]
            if not new.get("technical"):
                found[f"sha256:{old['content_hash']}", f"sha256:{new['content_hash']}"] += 1
    return found


# Invented worlds

_BODIES = (A, B, C, TINY, A.replace(" ", "  "), "It's on. " * 20, "It’s on. " * 20)
_STAMPS = (
    (),
    (claim("modified", -5),),
    (claim("modified", 100),),
    (claim("published", -9), claim("modified", 900)),
    (claim("modified", 2000, where="text"), claim("modified", 400)),
)
_ABSENT = (Seen.MISSING, Seen.MISSING, Seen.GONE, Seen.BLOCKED, Seen.FAILED, Seen.REFUSED, Seen.INVALID)
_URLS = tuple(f"https://courier.example/local/story-{n}" for n in range(4))


def world(chance: random.Random, *, joins: bool, size: int) -> list[Reading]:
    """Return readings of a few articles over three days: doubtful pages, old copies, restamps, failures and joins.

    The first three addresses may turn out to be one article's; the last one is another's.
    """
    step = chance.choice([5, 60])
    return [_any_reading(chance, joins=joins, minutes=_minutes(chance, step)) for _ in range(size)]


def _minutes(chance: random.Random, step: int) -> int:
    return chance.randrange(0, chance.choice([300, 3 * DAY])) // step * step


def _any_reading(chance: random.Random, *, joins: bool, minutes: int) -> Reading:
    url = chance.choice(_URLS if joins else _URLS[-2:])
    others: dict[str, str] = {}
    if joins and url != _URLS[-1]:
        for kind, names in (("redirect", _URLS[:3]), ("canonical", _URLS[:3]), ("guid", (GUID,))):
            if chance.random() < 0.08:
                others[kind] = chance.choice(names)
    aliases = tuple({alias.name: alias for alias in asks(url, **others)}.values())
    about: dict[str, Any] = {"url": url, "aliases": aliases}
    which = chance.random()
    if which < 0.7:
        extractor = chance.choice(["test/1", "test/1", "test/1", "test/2"])
        claims, paywalled = chance.choice(_STAMPS), chance.random() < 0.1
        body = chance.choice(_BODIES)
        return reading(minutes, body, claims=claims, paywalled=paywalled, extractor=extractor, keep_page=False, **about)
    if which < 0.8:
        return replace(not_modified(minutes, reading(0, chance.choice(_BODIES))), **about)
    return replace(absence(minutes, chance.choice(_ABSENT), "HTTP status"), **about)
