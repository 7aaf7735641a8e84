"""Keep two real histories of revisions, and compare what the ledger says with a plain count of the data.

    python benchmarks/histories.py [DATA] [--polls N] [--posts N] [--in-order-only]

DATA is the folder of the shared test data (default: WIREWATCH_DATA, else ../shared/data). What is counted is the
ledger's export and nothing else. The list of articles goes the real way of a feed with `track: entries`, from the
bytes of a JSON Feed to the store, but without Beam, which does one element a capture here; titles alone are tracked,
as in the gold. The posts' texts are taken as wordings, since extracting what is no page would alter it. The peer is a
filter that drops what it has seen before, as `beam.Deduplicate` and most feed readers do.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice, pairwise
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from wirewatch.bounded import Pool
from wirewatch.canonical import article_uri, canonical_json, comparable, content_hash, length, text_hash
from wirewatch.clock import FixedClock
from wirewatch.diff import apply
from wirewatch.encoding import revive
from wirewatch.keeping import Keeper, Read
from wirewatch.model import Alias, Capture, Diff, Instance, Outcome, Reading, Seen, Source, Track, Wording
from wirewatch.reading import read_whole_feed
from wirewatch.store import Store, ledger

SITE = "https://list.example"
FEED = f"{SITE}/articles.json"
INSTANCE = Instance(authority="benchmark.example", since="2026")
CLOCK = FixedClock(datetime(2026, 3, 16, 12, tzinfo=UTC))
START = datetime(2026, 1, 1, tzinfo=UTC)
SEED, PASSES = 7, 3
GOLD = {  # the data's README
    "articles": 54_200,
    "title versions": 69_419,
    "articles with a change of title": 11_171,
    "articles restamped, title never changed": 20_780,
    "articles that returned to an earlier title": 73,
}
PAIRS, PAIRS_ALIKE = 7_779, 1_884
_PEERS = ("articles", "title versions", "articles with a change of title", "articles that returned to an earlier title")
Poll = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Titles:
    """What a history of titles comes to. The first five are the gold's, by exact titles.

    Titles that differ in nothing but what is levelled for comparison are versions, and one revision.
    """

    articles: int = field(metadata={"name": "articles"})
    versions: int = field(metadata={"name": "title versions"})
    changed: int = field(metadata={"name": "articles with a change of title"})
    restamped: int = field(metadata={"name": "articles restamped, title never changed"})
    returned: int = field(metadata={"name": "articles that returned to an earlier title"})
    revisions: int = field(metadata={"name": "revisions"})
    levelled: int = field(metadata={"name": "title versions that are no revision (quote marks, spaces)"})
    revised: int = field(metadata={"name": "articles with a second revision"})
    observations: int = field(metadata={"name": "observations"})

    def named(self) -> dict[str, int]:
        return {f.metadata["name"]: getattr(self, f.name) for f in fields(self)}


def titles(histories: Iterable[tuple[Sequence[str], Sequence[str], bool]]) -> Titles:
    """Count articles, each given by its exact and its levelled titles, one an observation, and whether restamped."""
    totals = dict.fromkeys((f.name for f in fields(Titles)), 0)
    for exact, levelled, restamped in histories:
        versions, revisions = _runs(exact), _runs(levelled)
        totals["articles"] += 1
        totals["versions"] += len(versions)
        totals["changed"] += len(versions) > 1
        totals["restamped"] += restamped and len(versions) == 1
        totals["returned"] += len(set(versions)) < len(versions)
        totals["revisions"] += len(revisions)
        totals["levelled"] += len(versions) - len(revisions)
        totals["revised"] += len(revisions) > 1
        totals["observations"] += len(exact)
    return Titles(**totals)


def counted_plainly(polls: Iterable[Poll]) -> Titles:
    """Count what the polls say, with a list for each article's id and no rule of ours but the levelling of titles."""
    said: dict[int, list[tuple[str, str]]] = {}
    for poll in sorted(polls, key=observed):
        for item in poll["items"]:
            said.setdefault(item["id"], []).append((item["title"], item["updated_at"]))
    return titles(
        ([t for t, _ in one], [comparable(t) for t, _ in one], len({stamp for _, stamp in one}) > 1)
        for one in said.values()
    )


def counted_by_a_filter(polls: Iterable[Poll]) -> Titles:
    """Count what is left when each title that an article had before is dropped."""
    said: dict[int, dict[str, None]] = {}
    for poll in sorted(polls, key=observed):
        for item in poll["items"]:
            said.setdefault(item["id"], {})[item["title"]] = None
    return titles(([*one], [*dict.fromkeys(map(comparable, one))], False) for one in said.values())


def counted_in(export: Iterable[Mapping[str, Any]]) -> Titles:
    """Count what the ledger's export says."""
    return titles(
        (
            [one["text_hash"] for one in article["observations"]],
            [content for revision in article["revisions"] for content in _seen_in(revision, article)],
            bool(article["restamps"]),
        )
        for article in export
    )


def _seen_in(revision: Mapping[str, Any], article: Mapping[str, Any]) -> list[str]:
    """Return a revision's id for each observation that lies in it."""
    first, last = revision["first_observed"], revision["last_observed"]
    return [revision["id"]] * sum(first <= one["observed"] <= last for one in article["observations"])


def _runs(values: Sequence[str]) -> list[str]:
    return [value for value, _ in groupby(values)]


def observed(poll: Poll) -> datetime:
    return datetime.fromisoformat(poll["fetched_at"]).astimezone(UTC)


def feed_capture(poll: Poll) -> Capture:
    """Return a poll as the capture of a JSON Feed 1.1.

    Ten items have an address that is not the list's own, eight of them a quiz's, which is the same each week. These
    are given without it, since a link is a name: two entries with one link are one article.
    """
    items = [
        {
            "id": str(item["id"]),
            **({"url": SITE + item["url"]} if item["url"].startswith("/") else {}),
            "title": item["title"],
            "date_published": item["published_at"],
            "date_modified": item["updated_at"],
        }
        for item in poll["items"]
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "All articles", "items": items}
    return Capture(
        url=FEED,
        observed=observed(poll),
        status=200,
        headers=(("content-type", "application/feed+json"),),
        body=json.dumps(feed).encode(),
    )


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How much was kept, and how long that took."""

    captures: int
    readings: int
    seconds: float
    cpu_seconds: float


def keep_captures(
    store: Store, pool: Pool, captures: Iterable[Capture], progress: Callable[[str], None] = lambda line: None
) -> Kept:
    """Read and keep the captures of the feed in the order in which they come."""
    source = Source(feed=FEED, track=Track.ENTRIES)
    began, began_cpu, taken, readings = time.perf_counter(), time.process_time(), 0, 0
    keeper = _keeper(store, pool)
    for capture in captures:
        read = read_whole_feed(capture, source)
        keeper.keep_feed(read, capture, source, None)
        taken, readings = taken + 1, readings + len(read.entries)
        if taken % 500 == 0:
            progress(f"{taken:,} captures, {taken / (time.perf_counter() - began):.1f} a second")
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    return Kept(
        captures=taken,
        readings=readings,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
    )


def look_through(store: Store) -> tuple[Titles, str]:
    """Count what the store's export says; return that and the export's SHA-256."""
    digest = hashlib.sha256()
    found = counted_in(orjson.loads(line) for line in _digested(exported(store), digest))
    return found, digest.hexdigest()


def shuffled(polls: Sequence[Poll], *, seed: int = SEED, passes: int = PASSES) -> list[list[Poll]]:
    """Return each poll twice, in any order, in so many passes."""
    doubled = [*polls, *polls]
    random.Random(seed).shuffle(doubled)
    return [doubled[start::passes] for start in range(passes)]


@dataclass(kw_only=True)
class Pairs:
    """What became of successive versions: `revised` are those that gave exactly one revision with a right diff."""

    pairs: int = 0
    alike: int = 0
    silent: int = 0
    revised: int = 0
    wrong: list[str] = field(default_factory=list)


def keep_posts(store: Store, pool: Pool, posts: Iterable[Sequence[str]]) -> tuple[Pairs, float]:
    """Keep the versions of posts, an hour after the other; return what became of the pairs, and the seconds it took.

    A version under a quarter of the one before is believed when three readings over six hours agree, so where the
    keeper says `suspect` it is read again.
    """
    found, began = Pairs(), time.perf_counter()
    keeper = _keeper(store, pool)
    for number, versions in enumerate(posts):
        url, at = f"{SITE}/post-{number}", START
        for text in versions:
            for _ in range(3):
                at += timedelta(hours=3)
                if keeper.keep(_read_text(url, text, at)) is not Outcome.SUSPECT:
                    break
        _compare_pairs(store, url, versions, found)
    return found, time.perf_counter() - began


def _read_text(url: str, text: str, at: datetime) -> Read:
    wording = Wording(body=text)
    reading = Reading(
        url=url,
        observed=at,
        seen=Seen.WORDING,
        wording=wording,
        content_hash=content_hash(wording),
        text_hash=text_hash(wording),
        length=length(wording),
        aliases=(Alias(kind="asked", name=url),),
        extractor="text/1",
    )
    return Read(capture=Capture(url=url, observed=at, status=200), reading=reading, source=Source())


def _compare_pairs(store: Store, url: str, versions: Sequence[str], found: Pairs) -> None:
    """Check a post's kept revisions and diffs against its versions, pair by pair."""
    with store.reading() as conn:
        key = ledger.owners(conn, [url])[url]
        own = ledger.load(conn, key).ledger
        article = next(ledger.exported(conn, [key], _uri))
    wordings = {name: revive(Wording, orjson.loads(canonical_json(one))) for name, one in article["texts"].items()}
    revisions = {one["id"]: wordings[one["text_hash"]] for one in article["revisions"]}
    diffs = [(revisions[one["old"]], revisions[one["new"]], revive(Diff, one["diff"])) for one in article["diffs"]]
    expected = [next(texts) for _, texts in groupby(versions, comparable)]
    found.pairs += len(versions) - 1
    alike = sum(comparable(old) == comparable(new) for old, new in pairwise(versions))
    found.alike += alike
    if [one.body for one in revisions.values()] != expected:
        found.wrong.append(f"{url}: {len(revisions)} revisions of {len(expected)}, {len(own.observations)} readings")
        return
    found.silent += alike
    for place, (old, new, diff) in enumerate(diffs):
        if (old.body, new.body) == (expected[place], expected[place + 1]) and apply(diff, old) == new:
            found.revised += 1
        else:
            found.wrong.append(f"{url}: the diff of revision {place + 2} does not make it of the one before")


def exported(store: Store) -> Iterator[bytes]:
    return ledger.export(store, _uri)


def _uri(key: str) -> str:
    return article_uri(INSTANCE.authority, INSTANCE.since, key)


def _digested(lines: Iterable[bytes], digest: Any) -> Iterator[bytes]:
    for line in lines:
        digest.update(line)
        yield line


def _keeper(store: Store, pool: Pool) -> Keeper:
    return Keeper(store=store, pool=pool, instance=INSTANCE, clock=CLOCK, run="benchmark", replay=True)


def read_polls(data: Path, limit: int | None = None) -> list[Poll]:
    return list(islice(_lines(data / "revisions" / "nunl.jsonl.gz"), limit))


def read_posts(data: Path, limit: int | None = None) -> list[list[str]]:
    posts = islice(_lines(data / "revisions" / "gitrev_digitalgov.jsonl.gz"), limit)
    return [[version["text"] for version in post["versions"]] for post in posts]


def _lines(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rb") as lines:
        yield from map(orjson.loads, lines)


# Printing


def main(arguments: Sequence[str]) -> int:
    """Print the tables; return 1 where a figure is not its goal, 2 where the data is not there."""
    options = _options(arguments)
    if not (options.data / "revisions").is_dir():
        sys.stderr.write(f"{options.data} is not there: name the folder of the shared test data.\n")
        return 2
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as name, Pool(preload=("wirewatch.keeping",)) as pool:
        good = _print_posts(console, Path(name), pool, read_posts(options.data, options.posts))
        polls = read_polls(options.data, options.polls)
        good &= _print_titles(console, Path(name), pool, polls, options)
    return 0 if good else 1


def _print_posts(console: Console, folder: Path, pool: Pool, posts: Sequence[Sequence[str]]) -> bool:
    store = Store.open(f"sqlite:///{folder}/posts.db")
    found, seconds = keep_posts(store, pool, posts)
    store.close()
    different = found.pairs - found.alike
    whole = found.pairs == PAIRS
    exactly = sum(old == new for versions in posts for old, new in pairwise(versions))
    table = Table("posts: successive versions", "figure", "goal", "peer: seen before", box=None, pad_edge=False)
    table.add_row("pairs", f"{found.pairs:,}", f"{PAIRS:,}" if whole else "", "")
    table.add_row("equal after normalising", f"{found.alike:,}", f"about {PAIRS_ALIKE:,}" if whole else "", "")
    table.add_row("  of these without a revision", f"{found.silent:,}", f"{found.alike:,}", f"{exactly:,}")
    table.add_row("all others: one revision, whose diff turns old into new", f"{found.revised:,}", f"{different:,}", "")
    console.print(table)
    console.print(f"{len(posts):,} posts in {seconds:.0f} s, {found.pairs / seconds:.0f} pairs a second\n")
    for line in found.wrong:
        console.print(line)
    return (found.silent, found.revised) == (found.alike, different)


def _print_titles(
    console: Console, folder: Path, pool: Pool, polls: Sequence[Poll], options: argparse.Namespace
) -> bool:
    plain = counted_plainly(polls)
    goals = GOLD if plain.named().items() >= GOLD.items() else {}
    orders: dict[str, list[list[Poll]]] = {"in order": [list(polls)]}
    if not options.in_order_only:
        orders[f"shuffled, doubled, {PASSES} passes"] = shuffled(polls)
    found = {}
    for number, (order, passes) in enumerate(orders.items()):
        store = Store.open(f"sqlite:///{folder}/titles-{number}.db")
        for one in passes:
            _print_run(console, order, keep_captures(store, pool, map(feed_capture, one), _to_stderr))
        found[order] = look_through(store)
        store.close()
        _to_stderr(f"{order}: {found[order]}")
    peer = counted_by_a_filter(polls).named()
    table = Table("list of articles", *found, "plain count", "gold", "peer: seen before", box=None, pad_edge=False)
    for name, expected in plain.named().items():
        figures = [f"{counted.named()[name]:,}" for counted, _ in found.values()]
        gold = f"{goals[name]:,}" if name in goals else ""
        table.add_row(name, *figures, f"{expected:,}", gold, f"{peer[name]:,}" if name in _PEERS else "")
    console.print()
    console.print(table)
    digests = [digest for _, digest in found.values()]
    console.print(f"\nSHA-256 of the ledger export: {', '.join(digest[:16] for digest in digests)}")
    return len(set(digests)) == 1 and all(counted == plain for counted, _ in found.values())


def _print_run(console: Console, name: str, kept: Kept) -> None:
    console.print(
        f"{name}: {kept.captures:,} captures with {kept.readings:,} readings in {kept.seconds:.0f} s "
        f"({kept.cpu_seconds:.0f} s of CPU): {kept.captures / kept.seconds:.1f} captures and "
        f"{kept.readings / kept.seconds:.0f} readings a second, "
        f"{kept.captures / kept.cpu_seconds:.0f} and {kept.readings / kept.cpu_seconds:.0f} a second of CPU"
    )


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"  {line}\n")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Keep real histories of revisions and count them.")
    default = Path(os.environ.get("WIREWATCH_DATA", "../shared/data"))
    parser.add_argument("data", nargs="?", type=Path, default=default, help="folder of the shared test data")
    parser.add_argument("--polls", type=int, help="take only the first so many polls of the list")
    parser.add_argument("--posts", type=int, help="take only the first so many posts")
    parser.add_argument("--in-order-only", action="store_true", help="leave the shuffled run out")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
