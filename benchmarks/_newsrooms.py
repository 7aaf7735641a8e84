"""Fill a store with invented articles and their revisions, in bulk: what a year of watching leaves, in minutes.

Rows are written as the program would have written them, but not by it: ids are counted instead of hashed, and texts
are drawn from an invented vocabulary whose words are as unequally common as real ones.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import orjson

from wirewatch.canonical import timestamp
from wirewatch.store import Store

AUTHORITY = "benchmark.example"
HOSTS = 200
LANGUAGES = ("en-GB", "en-US", "de", "fr", "es")
START_US = 1_710_000_000_000_000  # in March 2024
PERIOD_US = 2 * 365 * 86_400_000_000
PATTERN = (1, 2, 3, 4, 15)  # revisions of one article after another, 5 on average
MOST_REVISIONS = 60  # of one article in a thousand
SHORT_WORDS, LONG_WORDS = 80, 2_000  # one article in a hundred is long
_SYLLABLES = [one + other for one in "bdfghklmnprstvwz" for other in ("a", "e", "i", "o", "u", "an", "er", "tion")]
_BULK = ("articles", "observations", "wordings", "revisions", "diffs", "changes", "change_fields", "outbox")
_EXTRACTOR = "benchmark/1"


def fill(store: Store, articles: int) -> dict[str, int]:
    """Fill an empty store on SQLite with so many articles; return how many rows each table has."""
    assert store.engine.dialect.name == "sqlite"
    path = store.engine.url.database or ""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("PRAGMA cache_size = -500000")
    indexes = conn.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN"
        f" ({', '.join('?' * len(_BULK))})",
        _BULK,
    ).fetchall()
    for name, _ in indexes:
        conn.execute(f"DROP INDEX {name}")
    conn.execute("BEGIN")
    _feeds(conn)
    writer = _Writer(conn)
    vocabulary = _Vocabulary(random.Random(7))
    for number in range(articles):
        for table, row in _article(number, vocabulary):
            writer.add(table, row)
    writer.flush()
    for _, sql in indexes:
        conn.execute(sql)
    conn.execute("COMMIT")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    counts = {table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _BULK}
    conn.close()
    return counts


class _Writer:
    """Write rows of many tables, a few thousand of one table at a time."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._rows: dict[str, list[tuple[Any, ...]]] = {}
        self._columns: dict[str, tuple[str, ...]] = {}

    def add(self, table: str, row: dict[str, Any]) -> None:
        """Write a row, perhaps later."""
        self._columns.setdefault(table, tuple(row))
        rows = self._rows.setdefault(table, [])
        rows.append(tuple(row.values()))
        if len(rows) >= 5_000:
            self._write(table)

    def flush(self) -> None:
        """Write what is left."""
        for table in self._rows:
            self._write(table)

    def _write(self, table: str) -> None:
        names = self._columns[table]
        columns = ", ".join(f'"{name}"' for name in names)
        self._conn.executemany(
            f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(names))})", self._rows[table]
        )
        self._rows[table].clear()


class _Vocabulary:
    """Some 20,000 invented words, the n-th of them 1/n as common as the first, in paragraphs to be put together."""

    def __init__(self, chance: random.Random) -> None:
        found: dict[str, None] = {}
        while len(found) < 20_000:
            found["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4)))] = None
        self.words = list(found)
        weights = list(accumulate(1 / (n + 2) for n in range(len(self.words))))
        self.paragraphs = [
            f"{' '.join(chance.choices(self.words, cum_weights=weights, k=20)).capitalize()}." for _ in range(20_000)
        ]


def vocabulary() -> list[str]:
    """Return the words that texts are made of, the most common first."""
    return _Vocabulary(random.Random(7)).words


def _feeds(conn: sqlite3.Connection) -> None:
    rows = [
        (
            _feed(host),
            orjson.dumps({"feed": _feed(host), "publisher": f"Gazette {host}"}).decode(),
            "config",
            f"h{host}.example",
            START_US + PERIOD_US,
        )
        for host in range(HOSTS)
    ]
    conn.executemany("INSERT INTO feeds (url, source, origin, host, due_at) VALUES (?, ?, ?, ?, ?)", rows)


def _feed(host: int) -> str:
    return f"https://h{host}.example/rss"


def count_of(number: int) -> int:
    """Return how many revisions an article has."""
    return MOST_REVISIONS if number % 1_000 == 999 else PATTERN[number % 5]


def key_of(number: int) -> str:
    """Return the key of an article."""
    return f"{number + 1:016x}"


def revision_of(number: int, place: int) -> str:
    """Return the id of a revision, counted from 0."""
    return f"{number + 1:016x}{place:016x}"


def is_long(number: int) -> bool:
    """Tell whether an article has 2,000 words."""
    return number % 100 == 1


def _article(number: int, vocabulary: _Vocabulary) -> Iterator[tuple[str, dict[str, Any]]]:
    chance = random.Random(number)
    key, host, count = key_of(number), number % HOSTS, count_of(number)
    url = f"https://h{host}.example/{number}"
    published = START_US + chance.randrange(PERIOD_US)
    length = LONG_WORDS if is_long(number) else SHORT_WORDS
    paragraphs = chance.choices(vocabulary.paragraphs, k=length // 20 - 1)
    topic = " ".join(chance.choices(vocabulary.words, k=4)).capitalize()
    language = LANGUAGES[host % len(LANGUAGES)]
    observed, last, told = published, published, None
    for place in range(count):
        observed = last + chance.randrange(600_000_000, 20_000_000_000) if place else published + 300_000_000
        last = observed + 600_000_000
        wording = {
            "headline": topic,
            "body": "\n\n".join([f"The count stood at {place + 1:,} of {number:,}.", *paragraphs]),
        }
        yield from _revision(
            key, number, place, url=url, at=(observed, last, published), wording=wording, language=language
        )
        if told is not None:
            yield from _change(chance, key, number, place, host=host, at=(observed, published), wording=wording)
        told = wording
    yield (
        "articles",
        {
            "key": key,
            "url": url,
            "feed": _feed(host),
            "host": f"h{host}.example",
            "reads": count * 2,
            "failures": 0,
            "first_seen": published + 300_000_000,
            "last_change": observed,
            "last_read": last,
            "content_hash": _hash(number, count - 1),
            "text_hash": _text(number, count - 1),
            "availability": "available",
            "availability_since": published + 300_000_000,
            "ledger_version": count * 2,
        },
    )


def _hash(number: int, place: int) -> str:
    return f"{number:032x}{place:032x}"


def _text(number: int, place: int) -> str:
    return f"{number:016x}{place:016x}"


def _time(us: int) -> str:
    return timestamp(datetime.fromtimestamp(us // 1_000_000, UTC))


def _revision(
    key: str, number: int, place: int, *, url: str, at: tuple[int, int, int], wording: dict[str, str], language: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    observed, last, published = at
    name, content, text = revision_of(number, place), _hash(number, place), _text(number, place)
    body = {
        "id": name,
        "article": key,
        "version": place + 1,
        "occurrence": 1,
        "content_hash": content,
        "text_hash": text,
        "url": url,
        "first_observed": _time(observed),
        "last_observed": _time(last),
        "first_created": _time(published),
        "version_created": _time(observed),
        "extractor": _EXTRACTOR,
    }
    yield (
        "revisions",
        {
            "id": name,
            "article": key,
            "version": place + 1,
            "occurrence": 1,
            "content_hash": content,
            "text_hash": text,
            "first_observed": observed,
            "last_observed": last,
            "version_created": observed,
            "first_created": published,
            "body": orjson.dumps(body).decode(),
        },
    )
    facts = {"language": language, "publisher": f"Gazette {number % HOSTS}"}
    yield (
        "wordings",
        {
            "article": key,
            "text_hash": text,
            "content_hash": content,
            "wording": orjson.dumps(wording).decode(),
            "facts": orjson.dumps(facts).decode(),
        },
    )
    for moment, seen in ((observed, "wording"), (last, "not_modified")):
        sight: dict[str, Any] = {"observed": _time(moment), "url": url, "seen": seen, "content_hash": content}
        if seen == "wording":
            sight |= {"text_hash": text, "length": len(wording["body"]), "extractor": _EXTRACTOR}
        yield (
            "observations",
            {
                "article": key,
                "observed": moment,
                "url": url,
                "seen": seen,
                "content_hash": content,
                "digest": f"{content}{seen}",
                "body": orjson.dumps(sight).decode(),
            },
        )


def _change(
    chance: random.Random, key: str, number: int, place: int, *, host: int, at: tuple[int, int], wording: dict[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    observed, published = at
    before, after = f"{place:,}", f"{place + 1:,}"
    prefix, suffix = "The count stood at ", f" of {number:,}.\n\n{wording['body'].split(chr(10))[2]}"[:24]
    hunk = {
        "field": "body",
        "op": "replace",
        "old": {"exact": before, "prefix": prefix, "suffix": suffix, "start": 19, "end": 19 + len(before)},
        "new": {"exact": after, "prefix": prefix, "suffix": suffix, "start": 19, "end": 19 + len(after)},
    }
    figures = {"words_added": 1, "words_removed": 1, "similarity": 0.99}
    reasons = [{"kind": "number", "field": "body", "hunk": 0, "old": before, "new": after}]
    # As unequal as they are: one change in fifty is a correction, one in ten is major.
    weight = chance.choices(("minor", "notable", "major"), (6, 3, 1))[0]
    disclosure = chance.choices(("disclosed", "undisclosed", "unknown"), (5, 3, 2))[0]
    signal = "correction" if chance.random() < 0.02 else "update"
    verdict = {
        "disclosure": disclosure,
        "signal": signal,
        "significance_class": weight,
        "score": 0.5,
        "reasons": reasons,
    }
    name, old, new = f"{number + 1:016x}{place:015x}d", revision_of(number, place - 1), revision_of(number, place)
    yield (
        "diffs",
        {
            "id": name,
            "article": key,
            "old_revision": old,
            "new_revision": new,
            "old_content_hash": _hash(number, place - 1),
            "new_content_hash": _hash(number, place),
            "occurrence": 1,
            "live": 1,
            "announced": 1,
            "digest": name,
            "observed": observed,
            "host": f"h{host}.example",
            "hunk_hash": name,
            "diff": orjson.dumps({"hunks": [hunk], **figures}).decode(),
            "verdict": orjson.dumps(verdict).decode(),
        },
    )
    where = observed * 2048 + chance.randrange(2048)
    shown = {"hunks": [hunk], "hunk_count": 1, "reasons": reasons, "fields": ["body"], **figures, "score": 0.5}
    yield (
        "changes",
        {
            "place": where,
            "diff": name,
            "article": key,
            "host": f"h{host}.example",
            "feed": _feed(host),
            "publisher": f"Gazette {host}",
            "language": LANGUAGES[host % len(LANGUAGES)],
            "class": weight,
            "disclosure": disclosure,
            "signal": signal,
            "delay_us": observed - published,
            "headline": wording["headline"],
            "old_headline": wording["headline"],
            "sentence": f"changed {before} to {after} in paragraph 1",
            "shown": orjson.dumps({**shown, "old_revision": old, "new_revision": new}).decode(),
        },
    )
    yield "change_fields", {"field": "body", "place": where}
    yield "change_words", {"rowid": where, "words": f"{wording['headline']}\n{wording['body']}"}
