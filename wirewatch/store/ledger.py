"""The kept truth about articles: observations, revisions, diffs, texts and names, loaded and written whole.

What is written here was decided elsewhere, by a fold over observations that were loaded under a version. The commit
holds only if that version, and the articles that the capture's names lead to, are still the same; otherwise nothing
is written and the caller loads and records again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, exists, func, literal, select, update

from wirewatch.canonical import canonical_json, sha256
from wirewatch.encoding import revive
from wirewatch.errors import StoreError, Superseded
from wirewatch.model import Alias, Diff, Facts, Observation, Verdict, Wording
from wirewatch.revisions import History, Ledger, Rereading, Transition, fold, join
from wirewatch.store import Store
from wirewatch.store.hosts import host_of
from wirewatch.store.sql import insert, insert_new
from wirewatch.store.tables import aliases, articles, diffs, observations, rereadings, revisions, wordings
from wirewatch.store.types import short_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REREADING = tuple(f.name for f in fields(Rereading))
_PLACE = ("url", "host", "feed", "guid", "source", "due_at", "start_at", "lease", "lease_ends", "entry_updated")
_REVISION = tuple(column.name for column in revisions.c)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A ledger, the version under which it was read, and how often each of its diffs was announced or taken back."""

    ledger: Ledger
    version: int = 0
    announced: dict[str, int] = field(default_factory=dict)

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
    """A transition with its diff and verdict, how often it was announced, and a hash of what was changed to what."""

    transition: Transition
    diff: Diff
    verdict: Verdict
    announced: int
    hunk_hash: str


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


def vouched(conn: Connection, article: str, url: str, evidence: Sequence[Alias]) -> bool:
    """Tell whether `url` has given the article each of these names before."""
    wanted = {short_name(alias.name) for alias in evidence}
    given = select(func.count()).where(
        aliases.c.url == short_name(url), aliases.c.name.in_(wanted), aliases.c.article == article
    )
    return conn.scalar(given) == len(wanted)


def load(conn: Connection, article: str) -> Loaded:
    """Return the article's ledger; an empty one with version -1 where there is no such article."""
    version = conn.scalar(select(articles.c.ledger_version).where(articles.c.key == article))
    if version is None:
        return Loaded(ledger=Ledger(article=article), version=-1)
    kept = conn.scalars(
        select(observations.c.body).where(observations.c.article == article).order_by(observations.c.observed)
    )
    again = conn.execute(select(rereadings).where(rereadings.c.article == article)).mappings()
    counts = conn.execute(select(diffs.c.id, diffs.c.announced).where(diffs.c.article == article))
    return Loaded(
        ledger=_ledger(article, kept, again),
        version=version,
        announced={row.id: row.announced for row in counts},
    )


def text(conn: Connection, keys: Iterable[str], text_hash: str) -> Text:
    """Return a wording kept under one of these articles. Raise StoreError where there is none."""
    query = select(wordings).where(wordings.c.article.in_(list(keys)), wordings.c.text_hash == text_hash).limit(1)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise StoreError(f"The store lacks the text {text_hash}: restore it from a back-up")
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
    query = (
        select(aliases.c.name, aliases.c.kind)
        .where(aliases.c.article == article)
        .order_by(aliases.c.name, aliases.c.observed, aliases.c.kind)
    )
    first: dict[str, Alias] = {}
    for row in conn.execute(query):
        first.setdefault(row.name, Alias(kind=row.kind, name=row.name))
    return tuple(first.values())


def claim_names(conn: Connection, article: str, url: str, evidence: Sequence[Alias], observed: datetime) -> None:
    """Keep the edges from `url` to each of its names, and each name's owner.

    The row in which a name points to itself says whose it is. Two processes that give one name to two articles meet
    there: the second waits for the first, finds the other article, and raises Superseded.
    """
    edges = {
        (short_name(alias.name), short_name(source)): {
            "url": source,
            "name": alias.name,
            "kind": alias.kind,
            "article": article,
            "observed": observed,
        }
        for alias in evidence
        for source in (alias.name, url)
    }
    if edges:
        rows = [edges[place] for place in sorted(edges)]
        conn.execute(insert(conn, aliases).values(rows).on_conflict_do_nothing())
    if named(conn, (alias.name for alias in evidence)) - {article}:
        raise Superseded("Another process gave one of the names to another article", about=url)


def claim_version(conn: Connection, article: str, version: int) -> None:
    """Raise the article's version by one, or raise Superseded where it is not `version` any more."""
    changed = conn.execute(
        update(articles)
        .where(articles.c.key == article, articles.c.ledger_version == version)
        .values(ledger_version=version + 1)
    )
    if changed.rowcount != 1:
        raise Superseded("Another process changed the article's ledger", about=article)


def mint(conn: Connection, article: str, url: str) -> None:
    """Make the article's row, due never; raise Superseded where it exists by now."""
    row = {"key": article, "url": url, "host": host_of(url), "ledger_version": 1}
    if not insert_new(conn, articles, row):
        raise Superseded("Another process met this article first", about=url)


def row(conn: Connection, article: str) -> Any:
    """Return the article's row."""
    return conn.execute(select(articles).where(articles.c.key == article)).one()


@dataclass(frozen=True, kw_only=True, slots=True)
class Addition:
    """What one change adds to an article's ledger and takes from it.

    `vanished` gives, by id, how often each diff that is no more was announced or taken back.
    """

    observations: Sequence[Observation] = ()
    rereadings: Sequence[Rereading] = ()
    texts: Sequence[Text] = ()
    judged: Sequence[Judged] = ()
    vanished: Mapping[str, int] = field(default_factory=dict)


def write(conn: Connection, article: str, addition: Addition, after: History) -> None:
    """Write what a change adds to the article's ledger and takes from it."""
    for observation in addition.observations:
        conn.execute(insert(conn, observations).values(_observation_row(article, observation)).on_conflict_do_nothing())
    for again in addition.rereadings:
        conn.execute(insert(conn, rereadings).values(article=article, **_members(again)).on_conflict_do_nothing())
    for one in addition.texts:
        conn.execute(insert(conn, wordings).values(article=article, **_members(one)).on_conflict_do_nothing())
    _write_revisions(conn, article, after)
    for diff_id, announced in addition.vanished.items():
        conn.execute(update(diffs).where(diffs.c.id == diff_id).values(live=False, announced=announced))
    for judged in addition.judged:
        row = _diff_row(article, judged)
        conn.execute(insert(conn, diffs).values(row).on_conflict_do_update(index_elements=["id"], set_=row))


def describe(conn: Connection, article: str, columns: Mapping[str, Any]) -> None:
    """Write what the article's row says of its ledger."""
    conn.execute(update(articles).where(articles.c.key == article).values(**columns))


def absorb(conn: Connection, survivor: str, other: str) -> None:
    """Give everything that was kept under `other` to `survivor`, its place in the frontier included.

    `other` stays as a name that leads to the survivor. Its diffs count as taken back.
    """
    for table in (observations, rereadings, wordings):
        columns = [column for column in table.c if column.name != "id"]
        moved = [literal(survivor) if column.name == "article" else column for column in columns]
        rows = select(*moved).where(table.c.article == other)
        conn.execute(insert(conn, table).from_select([c.name for c in columns], rows).on_conflict_do_nothing())
        conn.execute(delete(table).where(table.c.article == other))
    conn.execute(delete(revisions).where(revisions.c.article == other))
    taken_back = diffs.c.announced + diffs.c.announced % 2
    conn.execute(update(diffs).where(diffs.c.article == other).values(live=False, announced=taken_back))
    conn.execute(update(aliases).where(aliases.c.article == other).values(article=survivor))
    conn.execute(update(articles).where(articles.c.merged_into == other).values(merged_into=survivor))
    ended, goes_on = row(conn, other), row(conn, survivor)
    if ended.due_at is not None and goes_on.due_at is None:
        place = {name: getattr(ended, name) for name in _PLACE}
        describe(conn, survivor, {**place, "etag": None, "last_modified": None})
    never = {"due_at": None, "lease": None, "lease_ends": None, "start_at": None, "settled": None}
    describe(conn, other, {"merged_into": survivor, **never})


def standing(observation: Observation) -> str:
    """Return a digest of all that an observation says but its moment and its bytes.

    Two with one digest, one after the other, differ in nothing that a fold looks at but time.
    """
    return sha256(canonical_json(replace(observation, observed=_EPOCH, page_hash=None)))


def settle_unchanged(
    conn: Connection, article: str, version: int, observation: Observation, columns: Mapping[str, Any]
) -> bool:
    """Add an observation that says what the last one said, if the ledger is still at `version`; tell whether it was.

    One conditional statement and one row: no ledger is loaded and no page is kept. `columns` of the article's row are
    written with it.
    """
    changed = conn.execute(
        update(articles)
        .where(
            articles.c.key == article,
            articles.c.ledger_version == version,
            articles.c.settled == standing(observation),
            articles.c.last_read < observation.observed,
        )
        .values(**columns, ledger_version=version + 1, last_read=observation.observed)
    )
    if changed.rowcount != 1:
        return False
    conn.execute(insert(conn, observations).values(_observation_row(article, observation)))
    return True


def export(store: Store, uri: Callable[[str], str]) -> Iterator[bytes]:
    """Yield the ledger export: one canonical JSON object a line and article, sorted by uri.

    `uri` gives an article's uri from its key. Nothing in it depends on the order in which captures arrived.
    """
    with store.reading() as conn:
        keys = conn.scalars(
            select(articles.c.key).where(
                exists().where(observations.c.article == articles.c.key), articles.c.merged_into.is_(None)
            )
        ).all()
        for key in sorted(keys, key=uri):
            yield canonical_json(_exported(conn, key, uri(key))) + b"\n"


def _exported(conn: Connection, article: str, uri: str) -> dict[str, Any]:
    ledger = load(conn, article).ledger
    history = fold(ledger)
    live = conn.execute(
        select(diffs).where(diffs.c.article == article, diffs.c.live).order_by(diffs.c.observed, diffs.c.id)
    )
    return {
        "uri": uri,
        "names": [alias.name for alias in names(conn, article)],
        "observations": [
            {"outcome": outcome.value, **_members(observation)}
            for observation, outcome in zip(ledger.observations, history.outcomes, strict=True)
        ],
        "revisions": [_members(revision) for revision in history.revisions],
        "texts": {
            revision.text_hash: text(conn, [article], revision.text_hash).wording for revision in history.revisions
        },
        "diffs": [
            {
                "id": row.id,
                "old": row.old_revision,
                "new": row.new_revision,
                "diff": row.diff,
                "verdict": row.verdict,
            }
            for row in live
        ],
        "restamps": [{"revision": r.revision.id, "observed": r.observed, "stamp": r.new.at} for r in history.restamps],
        "passages": [{"kind": p.kind, "observed": p.observed, "detail": p.detail} for p in history.passages],
        "availability": history.availability.value,
    }


def _ledger(article: str, kept: Iterable[Any], again: Iterable[Any]) -> Ledger:
    plain = Ledger(
        article=article,
        observations=tuple(revive(Observation, body) for body in kept),
        rereadings=tuple(revive(Rereading, {n: row[n] for n in _REREADING}) for row in again),
    )
    return join(article, [plain])


def _write_revisions(conn: Connection, article: str, after: History) -> None:
    kept = conn.execute(select(revisions.c.id, revisions.c.body).where(revisions.c.article == article))
    known = {row.id: canonical_json(row.body) for row in kept}
    if left := known.keys() - {revision.id for revision in after.revisions}:
        conn.execute(delete(revisions).where(revisions.c.id.in_(left)))
    for revision in after.revisions:
        if known.get(revision.id) == canonical_json(revision):
            continue
        row = {name: getattr(revision, name) for name in _REVISION if name not in ("article", "body")}
        row |= {"article": article, "body": revision}
        statement = insert(conn, revisions).values(row)
        conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))


def _observation_row(article: str, observation: Observation) -> dict[str, Any]:
    return {
        "article": article,
        "observed": observation.observed,
        "url": observation.url,
        "seen": observation.seen.value,
        "content_hash": observation.content_hash,
        "digest": sha256(canonical_json(observation)),
        "body": observation,
    }


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
        "host": urlsplit(transition.new.url).netloc,
        "hunk_hash": judged.hunk_hash,
        "diff": judged.diff,
        "verdict": judged.verdict,
    }


def _members(record: Any) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}
