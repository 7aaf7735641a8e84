"""The kept truth about articles: observations, revisions, diffs, texts and names, loaded and written whole.

What is written here was decided elsewhere, by a fold over observations that were loaded under a version. The commit
holds only if that version, and the articles that the capture's names lead to, are still the same; otherwise nothing
is written and the caller loads and records again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from sqlalchemy import Connection, Table, bindparam, delete, func, literal, select, update

from wirewatch.canonical import canonical_json, sha256, timestamp
from wirewatch.encoding import revive
from wirewatch.errors import StoreError, Superseded
from wirewatch.model import Alias, Diff, Facts, Observation, Revision, Seen, Source, Verdict, Wording
from wirewatch.revisions import History, Ledger, Rereading, Transition, fold, join
from wirewatch.store import Store, changes
from wirewatch.store.exporting import articles_of
from wirewatch.store.hosts import host_of
from wirewatch.store.removing import texts_removed
from wirewatch.store.sql import insert
from wirewatch.store.tables import (
    aliases,
    articles,
    diffs,
    observations,
    parts,
    removed,
    rereadings,
    revisions,
    wordings,
)
from wirewatch.store.types import short_name

_EPOCH = timestamp(datetime(1970, 1, 1, tzinfo=UTC))
_REREADING = tuple(f.name for f in fields(Rereading))
_PLACE = ("url", "host", "feed", "guid", "source", "due_at", "start_at", "lease", "lease_ends", "entry_updated")
_HELD = select(
    *(articles.c.key, articles.c.url, articles.c.ledger_version, articles.c.settled, articles.c.last_read),
    *(articles.c.first_seen, articles.c.last_change, articles.c.entry_updated),
    *(articles.c.content_hash, articles.c.availability, articles.c.failures),
)
_REVISION = tuple(column.name for column in revisions.c if column.name != "body")
_FORGOTTEN = select(articles.c.key, articles.c.forgotten, articles.c.forgotten_reason).where(
    articles.c.forgotten.is_not(None)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A ledger, the version under which it was read, and how often each of its diffs was announced or taken back."""

    ledger: Ledger
    version: int = 0
    announced: dict[str, int] = field(default_factory=dict)
    forgotten: bool = False  # nothing of the article is taken in again

    @property
    def known(self) -> bool:
        """Tell whether the article has a row yet."""
        return self.version >= 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A wording to keep, with its hashes and the facts that stood beside it."""

    wording: Wording
    facts: Facts
    text_hash: str
    content_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A transition with its two texts, its diff and verdict in data and in a sentence, and how often it was announced.

    Hashes say what was changed to what: `hunk_hash` is that of the whole diff, `part_hashes` are those of each hunk's
    parts, none where there are too many.
    """

    transition: Transition
    diff: Diff
    verdict: Verdict
    sentence: str
    old: Text
    new: Text
    announced: int
    hunk_hash: str
    part_hashes: Sequence[Sequence[str]] = ()


def owners(conn: Connection, names: Iterable[str]) -> dict[str, str]:
    """Return the article's key of each name that somebody owns."""
    kept = {name: short_name(name) for name in names}
    query = select(aliases.c.name, aliases.c.article).where(
        aliases.c.name.in_(set(kept.values())), aliases.c.url == aliases.c.name
    )
    found = {row.name: row.article for row in conn.execute(query)}
    return {name: found[short] for name, short in kept.items() if short in found}


def named(conn: Connection, names: Iterable[str]) -> set[str]:
    """Return the keys of the articles known under any of these names."""
    return set(owners(conn, names).values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Unchanged:
    """An observation that may say what its article's last one said, and what is written beside it if it does.

    `version` is the ledger's at which that was so, `names` is what the capture says of the article's names.
    """

    article: str
    version: int
    observation: Observation
    names: Sequence[Alias]
    columns: Mapping[str, Any]


def vouched(conn: Connection, several: Sequence[Unchanged]) -> list[bool]:
    """Tell of each whether its address has given its article each of these names before."""
    urls = {short_name(one.observation.url) for one in several}
    query = select(aliases.c.url, aliases.c.name, aliases.c.article).where(aliases.c.url.in_(urls))
    given = {tuple(row) for row in conn.execute(query)}
    return [
        all((short_name(one.observation.url), short_name(alias.name), one.article) in given for alias in one.names)
        for one in several
    ]


def load(conn: Connection, article: str) -> Loaded:
    """Return the article's ledger; an empty one with version -1 where there is no such article."""
    return load_all(conn, [article])[article]


def load_all(conn: Connection, keys: Sequence[str]) -> dict[str, Loaded]:
    """Return the ledgers of these articles by key, as `load` does, with as many statements as for one."""
    state = select(articles.c.key, articles.c.ledger_version, articles.c.forgotten).where(articles.c.key.in_(keys))
    rows = conn.execute(state).all()
    versions = {row.key: row.ledger_version for row in rows}
    forgotten = {row.key for row in rows if row.forgotten is not None}
    kept: dict[str, list[Any]] = {key: [] for key in versions}
    again: dict[str, list[Any]] = {key: [] for key in versions}
    counts: dict[str, dict[str, int]] = {key: {} for key in versions}
    if versions:
        seen = select(observations.c.article, observations.c.body).where(observations.c.article.in_(versions))
        for article, body in conn.execute(seen.order_by(observations.c.observed)):
            kept[article].append(body)
        for reread in conn.execute(select(rereadings).where(rereadings.c.article.in_(versions))).mappings():
            again[reread["article"]].append(reread)
        told = select(diffs.c.article, diffs.c.id, diffs.c.announced).where(diffs.c.article.in_(versions))
        for article, diff_id, announced in conn.execute(told):
            counts[article][diff_id] = announced
    return {
        key: Loaded(
            ledger=_ledger(key, kept[key], again[key]),
            version=versions[key],
            announced=counts[key],
            forgotten=key in forgotten,
        )
        if key in versions
        else Loaded(ledger=Ledger(article=key), version=-1)
        for key in keys
    }


def text(conn: Connection, keys: Iterable[str], text_hash: str) -> Text:
    """Return a wording kept under one of these articles. Raise StoreError where there is none."""
    found = texts(conn, keys, [text_hash])
    if text_hash not in found:
        raise lacks(text_hash)
    return found[text_hash]


def lacks(text_hash: str) -> StoreError:
    """Return the error of a text that is neither there nor was removed."""
    return StoreError(f"The store lacks the text {text_hash}: restore it from a back-up")


def texts(conn: Connection, keys: Iterable[str], hashes: Iterable[str]) -> dict[str, Text]:
    """Return by text hash which of these wordings are kept under one of these articles."""
    query = select(wordings).where(wordings.c.article.in_(list(keys)), wordings.c.text_hash.in_(set(hashes)))
    return {row.text_hash: _text(row) for row in conn.execute(query.order_by(wordings.c.article.desc()))}


def texts_of(conn: Connection, revisions_of: Mapping[str, Sequence[Revision]]) -> dict[tuple[str, str], Text]:
    """Return the texts of articles' revisions by article and text hash; those that were removed are left out.

    Raise StoreError where one is neither there nor was removed.
    """
    wanted = {(key, one.text_hash) for key, revisions in revisions_of.items() for one in revisions}
    hashes = {text_hash for _, text_hash in wanted}
    query = select(wordings).where(wordings.c.article.in_(list(revisions_of)), wordings.c.text_hash.in_(hashes))
    found = {place: _text(row) for row in conn.execute(query) if (place := (row.article, row.text_hash)) in wanted}
    if missing := wanted - found.keys():
        gone = texts_removed(conn, revisions_of, {text_hash for _, text_hash in missing})
        if lost := missing - gone.keys():
            raise lacks(min(lost)[1])
    return found


def texts_by_content(conn: Connection, article: str, hashes: Iterable[str]) -> list[Text]:
    """Return the article's kept wordings with one of these content hashes."""
    query = select(wordings).where(wordings.c.article == article, wordings.c.content_hash.in_(set(hashes)))
    return [_text(row) for row in conn.execute(query.order_by(wordings.c.text_hash))]


def _text(row: Any) -> Text:
    return Text(
        wording=revive(Wording, row.wording),
        facts=revive(Facts, row.facts),
        text_hash=row.text_hash,
        content_hash=row.content_hash,
    )


def kept_diff(conn: Connection, diff_id: str) -> Any:
    """Return a kept diff as plain values, or None."""
    return conn.scalar(select(diffs.c.diff).where(diffs.c.id == diff_id))


def first_observed(conn: Connection, article: str) -> datetime | None:
    """Return when the article was first observed, readable or not; None before that."""
    first: datetime | None = conn.scalar(
        select(func.min(observations.c.observed)).where(observations.c.article == article)
    )
    return first


def count_articles(conn: Connection) -> int:
    """Return how many articles have been observed."""
    return conn.scalar(select(func.count(observations.c.article.distinct()))) or 0


def names(conn: Connection, article: str) -> tuple[Alias, ...]:
    """Return all names of an article, sorted, each with the kind of evidence that was seen first."""
    return names_of(conn, [article])[article]


def names_of(conn: Connection, keys: Iterable[str]) -> dict[str, tuple[Alias, ...]]:
    """Return the names of each of these articles, as `names` does, with one statement."""
    first: dict[str, dict[str, Alias]] = {key: {} for key in keys}
    query = (
        select(aliases.c.article, aliases.c.name, aliases.c.kind)
        .where(aliases.c.article.in_(first))
        .order_by(aliases.c.name, aliases.c.observed, aliases.c.kind)
    )
    for row in conn.execute(query):
        first[row.article].setdefault(row.name, Alias(kind=row.kind, name=row.name))
    return {key: tuple(found.values()) for key, found in first.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Naming:
    """What a capture of `url` says about the names of its article."""

    article: str
    url: str
    aliases: Sequence[Alias]
    observed: datetime


def claim_names(conn: Connection, namings: Sequence[Naming]) -> None:
    """Keep the edges from each `url` to each of its names, and each name's owner.

    The row in which a name points to itself says whose it is. Two processes that give one name to two articles meet
    there: the second waits for the first, finds the other article, and raises Superseded.
    """
    edges = {
        (short_name(alias.name), short_name(source)): {
            "url": source,
            "name": alias.name,
            "kind": alias.kind,
            "article": naming.article,
            "observed": naming.observed,
        }
        for naming in namings
        for alias in naming.aliases
        for source in (alias.name, naming.url)
    }
    if not edges:
        return
    conn.execute(insert(conn, aliases).on_conflict_do_nothing(), [edges[place] for place in sorted(edges)])
    owned = owners(conn, {alias.name for naming in namings for alias in naming.aliases})
    for naming in namings:
        if any(owned[alias.name] != naming.article for alias in naming.aliases):
            raise Superseded("Another process gave one of the names to another article", about=naming.url)


def claim_versions(conn: Connection, versions: Mapping[str, int]) -> None:
    """Raise the version of each article by one, or raise Superseded where one is not what it was any more."""
    if not versions:
        return
    held = (
        select(articles.c.key, articles.c.ledger_version)
        .where(articles.c.key.in_(versions))
        .order_by(articles.c.key)  # all processes lock in one order
        .with_for_update()
    )
    if {row.key: row.ledger_version for row in conn.execute(held)} != versions:
        raise Superseded("Another process changed the article's ledger", about=min(versions))
    conn.execute(
        update(articles).where(articles.c.key.in_(versions)).values(ledger_version=articles.c.ledger_version + 1)
    )


def mint(conn: Connection, urls: Mapping[str, str]) -> None:
    """Make a row for each article, by key, with its address, due never; raise Superseded where one exists by now."""
    if not urls:
        return
    rows = [{"key": key, "url": urls[key], "host": host_of(urls[key]), "ledger_version": 1} for key in sorted(urls)]
    new = insert(conn, articles).on_conflict_do_nothing().returning(articles.c.key)
    if len(conn.execute(new, rows).all()) != len(rows):
        raise Superseded("Another process met this article first", about=min(urls.values()))


def row(conn: Connection, article: str) -> Any:
    """Return the article's row."""
    return conn.execute(select(articles).where(articles.c.key == article)).one()


def rows(conn: Connection, keys: Collection[str]) -> dict[str, Any]:
    """Return by key what these articles' rows say of their ledgers and of when they are due again."""
    if not keys:
        return {}
    return {row.key: row for row in conn.execute(_HELD.where(articles.c.key.in_(keys)))}


@dataclass(frozen=True, kw_only=True, slots=True)
class Addition:
    """What one change adds to an article's ledger and takes from it. `source` is where the capture came from.

    `vanished` gives, by id, how often each diff that is no more was announced or taken back. `untold` are transitions
    that were moved in time and cannot be compared any more, since a text was removed.
    """

    observations: Sequence[Observation] = ()
    rereadings: Sequence[Rereading] = ()
    texts: Sequence[Text] = ()
    judged: Sequence[Judged] = ()
    vanished: Mapping[str, int] = field(default_factory=dict)
    untold: Sequence[Transition] = ()
    source: Source = field(default_factory=Source)


def write(conn: Connection, additions: Mapping[str, tuple[Addition, History]]) -> None:
    """Write what changes add to ledgers and take from them: by article, the addition and the history after it."""
    added = [(article, addition) for article, (addition, _) in additions.items()]
    _add(conn, observations, [observation_row(key, one) for key, new in added for one in new.observations])
    _add(conn, rereadings, [{"article": key, **_members(one)} for key, new in added for one in new.rereadings])
    _add(conn, wordings, [{"article": key, **_members(one)} for key, new in added for one in new.texts])
    _write_revisions(conn, {article: after for article, (_, after) in additions.items()})
    for _, new in added:
        for diff_id, announced in new.vanished.items():
            conn.execute(update(diffs).where(diffs.c.id == diff_id).values(live=False, announced=announced))
        _redate(conn, new.untold)
    changes.forget(conn, [diff_id for _, new in added for diff_id in new.vanished])
    judged = [(key, one) for key, new in added for one in new.judged]
    _put(conn, diffs, [_diff_row(key, one) for key, one in judged])
    _write_parts(conn, [one for _, one in judged])
    changes.keep(conn, [_told(one, new.source) for _, new in added for one in new.judged])


def _redate(conn: Connection, transitions: Sequence[Transition]) -> None:
    """Write where transitions stand in time now, of those that were compared while their texts were there."""
    for one in transitions:
        place = {
            "live": True,
            "observed": one.new.first_observed,
            "old_revision": one.old.id,
            "new_revision": one.new.id,
        }
        conn.execute(update(diffs).where(diffs.c.id == one.id).values(place))
        conn.execute(update(parts).where(parts.c.diff == one.id).values(observed=one.new.first_observed))
        changes.move(conn, one.id, one.old, one.new)


def describe(conn: Connection, article: str, columns: Mapping[str, Any]) -> None:
    """Write what the article's row says of its ledger."""
    conn.execute(update(articles).where(articles.c.key == article).values(**columns))


def describe_all(conn: Connection, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what these articles' rows say of their ledgers, by key."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for key, columns in rows.items():
        alike.setdefault(tuple(sorted(columns)), []).append({"described": key, **columns})
    for values in alike.values():
        conn.execute(update(articles).where(articles.c.key == bindparam("described")), values)


def absorb(conn: Connection, survivor: str, other: str) -> None:
    """Give everything that was kept under `other` to `survivor`, its place in the frontier included.

    `other` stays as a name that leads to the survivor. Its diffs count as taken back.
    """
    changes.forget_article(conn, other)
    for table in (observations, rereadings, wordings):
        columns = [column for column in table.c if column.name != "id"]
        moved = [literal(survivor) if column.name == "article" else column for column in columns]
        rows = select(*moved).where(table.c.article == other)
        conn.execute(insert(conn, table).from_select([c.name for c in columns], rows).on_conflict_do_nothing())
        conn.execute(delete(table).where(table.c.article == other))
    _move_removed(conn, survivor, other)
    conn.execute(delete(revisions).where(revisions.c.article == other))
    taken_back = diffs.c.announced + diffs.c.announced % 2
    conn.execute(update(diffs).where(diffs.c.article == other).values(live=False, announced=taken_back))
    conn.execute(update(aliases).where(aliases.c.article == other).values(article=survivor))
    conn.execute(update(articles).where(articles.c.merged_into == other).values(merged_into=survivor))
    ended, goes_on = row(conn, other), row(conn, survivor)
    if ended.due_at is not None and goes_on.due_at is None and goes_on.forgotten is None:
        place = {name: getattr(ended, name) for name in _PLACE}
        describe(conn, survivor, {**place, "etag": None, "last_modified": None})
    never = {"due_at": None, "lease": None, "lease_ends": None, "start_at": None, "settled": None}
    describe(conn, other, {"merged_into": survivor, **never})


def _move_removed(conn: Connection, survivor: str, other: str) -> None:
    """Have the texts that were removed of an article count as removed of the one that it turned out to be."""
    gone = select(removed.c.kind, removed.c.hash, literal(survivor), removed.c.at).where(removed.c.article == other)
    names = ["kind", "hash", "article", "at"]
    conn.execute(insert(conn, removed).from_select(names, gone).on_conflict_do_nothing())
    conn.execute(delete(removed).where(removed.c.article == other))


def standing(observation: Observation) -> str:
    """Return a digest of all that an observation says but its moment and its bytes.

    Two with one digest, one after the other, differ in nothing that a fold looks at but time.
    """
    says = {name: value for name, value in orjson.loads(observation_json(observation)).items() if name != "page_hash"}
    return sha256(orjson.dumps({**says, "observed": _EPOCH}, option=orjson.OPT_SORT_KEYS))


@lru_cache(maxsize=128)
def observation_json(observation: Observation) -> bytes:
    """Return an observation's canonical JSON, which is asked for several times while it is kept."""
    return canonical_json(observation)


def settle_unchanged(conn: Connection, several: Sequence[Unchanged]) -> dict[str, Any]:
    """Add those observations, of different articles, that come after all others and say what the last one says.

    That takes a few statements for all: no ledger is loaded and no page is kept. Return the rows as they were of the
    articles to which one was added, by key.
    """
    held = (
        _HELD.where(articles.c.key.in_([one.article for one in several]))
        .order_by(articles.c.key)  # all processes lock in one order
        .with_for_update()
    )
    rows = {row.key: row for row in conn.execute(held)}
    good = [one for one, known in zip(several, vouched(conn, several), strict=True) if known and _follows(rows, one)]
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}  # by the columns that are written
    for one in good:
        values = {**one.columns, "last_read": one.observation.observed, "ledger_version": one.version + 1}
        alike.setdefault(tuple(sorted(values)), []).append({**values, "settling": one.article})
    for several_values in alike.values():
        conn.execute(update(articles).where(articles.c.key == bindparam("settling")), several_values)
    if good:
        conn.execute(observations.insert(), [observation_row(one.article, one.observation) for one in good])
    return {one.article: rows[one.article] for one in good}


def _follows(rows: Mapping[str, Any], one: Unchanged) -> bool:
    row, observation = rows.get(one.article), one.observation
    if row is None or row.settled is None or row.ledger_version != one.version:
        return False
    if row.last_read >= observation.observed:
        return False
    if observation.seen is Seen.NOT_MODIFIED:  # a fold takes it for the last wording at another time
        return bool(row.content_hash == observation.content_hash)
    return bool(row.settled == standing(observation))


def observation_row(article: str, observation: Observation) -> dict[str, Any]:
    """Return an observation as a row of its table; `digest` tells two apart that differ in anything."""
    return {
        "article": article,
        "observed": observation.observed,
        "url": observation.url,
        "seen": observation.seen.value,
        "content_hash": observation.content_hash,
        "digest": sha256(observation_json(observation)),
        "body": observation_json(observation),
    }


def export(store: Store, uri: Callable[[str], str]) -> Iterator[bytes]:
    """Yield the ledger export: one canonical JSON object a line and article, sorted by key and so by uri.

    `uri` gives an article's uri from its key. Nothing in it depends on the order in which captures arrived.
    """
    with store.reading() as conn:
        for keys in articles_of(conn, merged=False):
            for article in exported(conn, list(keys), uri):
                yield canonical_json(article) + b"\n"


def exported(conn: Connection, keys: Sequence[str], uri: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    """Yield what the export says of each of these articles, in their order."""
    ledgers = {key: loaded.ledger for key, loaded in load_all(conn, keys).items()}
    histories = {key: fold(one) for key, one in ledgers.items()}
    named_so = names_of(conn, keys)
    kept = texts_of(conn, {key: history.revisions for key, history in histories.items()})
    forgotten = {
        row.key: {"forgotten": {"at": row.forgotten, "reason": row.forgotten_reason}}
        for row in conn.execute(_FORGOTTEN.where(articles.c.key.in_(keys)))
    }
    live: dict[str, list[dict[str, Any]]] = {key: [] for key in keys}
    query = select(diffs).where(diffs.c.article.in_(keys), diffs.c.live)
    for row in conn.execute(query.order_by(diffs.c.observed, diffs.c.id)):
        live[row.article].append(
            {"id": row.id, "old": row.old_revision, "new": row.new_revision, "diff": row.diff, "verdict": row.verdict}
        )
    for key in keys:
        history = histories[key]
        yield {
            "uri": uri(key),
            "names": [alias.name for alias in named_so[key]],
            "observations": [
                {"outcome": outcome.value, **_members(observation)}
                for observation, outcome in zip(ledgers[key].observations, history.outcomes, strict=True)
            ],
            "revisions": [_members(revision) for revision in history.revisions],
            "texts": {
                one.text_hash: kept[key, one.text_hash].wording
                for one in history.revisions
                if (key, one.text_hash) in kept
            },
            "diffs": live[key],
            "restamps": [
                {"revision": r.revision.id, "observed": r.observed, "stamp": r.new.at} for r in history.restamps
            ],
            "passages": [{"kind": p.kind, "observed": p.observed, "detail": p.detail} for p in history.passages],
            "availability": history.availability.value,
            **forgotten.get(key, {}),
        }


def _ledger(article: str, kept: Iterable[Any], again: Iterable[Any]) -> Ledger:
    plain = Ledger(
        article=article,
        observations=tuple(revive(Observation, body) for body in kept),
        rereadings=tuple(revive(Rereading, {n: row[n] for n in _REREADING}) for row in again),
    )
    return join(article, [plain])


def _add(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(conn, table).on_conflict_do_nothing(), rows)


def _put(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        new = insert(conn, table)
        conn.execute(
            new.on_conflict_do_update(index_elements=["id"], set_={name: new.excluded[name] for name in rows[0]}), rows
        )


def _write_revisions(conn: Connection, histories: Mapping[str, History]) -> None:
    kept = conn.execute(select(revisions.c.id, revisions.c.body).where(revisions.c.article.in_(histories)))
    known = {row.id: row.body for row in kept}
    after = [(article, revision) for article, history in histories.items() for revision in history.revisions]
    if left := known.keys() - {revision.id for _, revision in after}:
        conn.execute(delete(revisions).where(revisions.c.id.in_(left)))
    rows = [
        {**{name: getattr(revision, name) for name in _REVISION}, "article": article, "body": body}
        for article, revision in after
        if known.get(revision.id) != orjson.loads(body := canonical_json(revision))
    ]
    _put(conn, revisions, rows)


def _write_parts(conn: Connection, judged: Sequence[Judged]) -> None:
    """Write the hashes of what these diffs changed in place of those that were kept of them."""
    if not judged:
        return
    conn.execute(delete(parts).where(parts.c.diff.in_([one.transition.id for one in judged])))
    rows = [
        {
            "diff": one.transition.id,
            "place": place,
            "host": _host(one.transition),
            "hash": hashed,
            "observed": one.transition.new.first_observed,
        }
        for one in judged
        for place, hashes in enumerate(one.part_hashes)
        for hashed in hashes
    ]
    if rows:
        conn.execute(parts.insert(), rows)


def _host(transition: Transition) -> str:
    return urlsplit(transition.new.url).netloc


def _told(judged: Judged, source: Source) -> changes.Told:
    return changes.Told(
        diff_id=judged.transition.id,
        old=judged.transition.old,
        new=judged.transition.new,
        old_wording=judged.old.wording,
        new_wording=judged.new.wording,
        facts=judged.new.facts,
        source=source,
        diff=judged.diff,
        verdict=judged.verdict,
        sentence=judged.sentence,
    )


def _diff_row(article: str, judged: Judged) -> dict[str, Any]:
    transition = judged.transition
    return {
        "id": transition.id,
        "article": article,
        "old_revision": transition.old.id,
        "new_revision": transition.new.id,
        "old_content_hash": transition.old.content_hash,
        "new_content_hash": transition.new.content_hash,
        "occurrence": transition.occurrence,
        "live": True,
        "announced": judged.announced,
        "digest": sha256(canonical_json([judged.diff, judged.verdict])),
        "observed": transition.new.first_observed,
        "host": _host(transition),
        "hunk_hash": judged.hunk_hash,
        "diff": judged.diff,
        "verdict": judged.verdict,
    }


def _members(record: Any) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}
