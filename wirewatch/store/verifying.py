"""Check what is kept against its own hashes: pages, texts, observations, revisions, and the chain that ties these.

A store can only be checked against itself. Who may write to it may write a chain that fits, so what proves something to
others is a chain whose last hash was noted elsewhere at the time; `Checked.seal` is one number for all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson
import sqlalchemy as sa
import zstandard
from sqlalchemy.engine import Connection

from wirewatch.canonical import canonical_json, sha256, text_hash
from wirewatch.chain import Headers, links
from wirewatch.encoding import revive
from wirewatch.errors import BadContent
from wirewatch.model import Observation, Revision, Wording
from wirewatch.revisions import Ledger, Rereading, fold, join
from wirewatch.store import Store
from wirewatch.store.removing import pages_removed, texts_removed
from wirewatch.store.tables import articles, observations, pages, rereadings, revisions, wordings
from wirewatch.store.tables import links as links_table

FaultKind = Literal["page", "text", "observation", "revision", "chain"]
_ARTICLES: Final = 100  # looked at in one transaction
_PAGES: Final = 50
_TOLD: Final = 100  # faults that are kept in memory; all are counted


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that is not as it was kept; `article` is its key, None of a page that no revision has."""

    kind: FaultKind
    article: str | None
    says: str


@dataclass(kw_only=True, slots=True)
class Checked:
    """What was checked, and what is wrong: `faults` are the first of them, in the order of articles, then of pages."""

    articles: int = 0
    revisions: int = 0
    texts: int = 0
    pages: int = 0
    bytes: int = 0  # of pages, as they came
    rewritten: int = 0  # links that ended when a late capture gave another history
    texts_removed: int = 0  # of revisions, by retention
    pages_removed: int = 0
    texts_forgotten: int = 0
    pages_forgotten: int = 0
    pages_never_kept: int = 0  # `noarchive`, feed entries
    wrong: int = 0
    faults: list[Fault] = field(default_factory=list)
    seal: str = ""  # over the last link of each article, by key

    def note(self, found: Iterable[Fault]) -> None:
        """Count faults, and keep the first."""
        for one in found:
            self.wrong += 1
            if len(self.faults) < _TOLD:
                self.faults.append(one)


def verify(
    store: Store, keys: Sequence[str] | None = None, progress: Callable[[str], None] = lambda _: None
) -> Checked:
    """Check the whole store, or what is kept of the articles with these keys; raise StoreError where it cannot be read.

    Each handful of articles is one state of the store; writers are not held up.
    """
    checked, seal = Checked(), hashlib.sha256()
    for some in _handfuls(store, keys):
        with store.reading() as conn:
            kept = _load(conn, some)
            for key in some:
                checked.note(_check_article(kept, key, checked, seal))
        progress(f"Checking articles: {checked.articles:,}")
    for found in _stored_pages(store, keys):
        with store.reading() as conn:
            checked.note(_check_pages(conn, found, checked))
        progress(f"Checking pages: {checked.pages:,}")
    checked.seal = seal.hexdigest()
    return checked


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """All that is kept of some articles, as plain rows by key."""

    forgotten: frozenset[str]
    observations: Mapping[str, list[Any]]
    rereadings: Mapping[str, list[Any]]
    revisions: Mapping[str, list[Any]]
    links: Mapping[str, list[Any]]
    texts: Mapping[str, list[Any]]
    texts_removed: frozenset[tuple[str, str]]
    headers: Mapping[str, Any]  # of the pages that are there, by hash
    pages_removed: frozenset[str]


def _handfuls(store: Store, keys: Sequence[str] | None) -> Iterator[list[str]]:
    if keys is not None:
        yield list(keys)
        return
    last = ""
    query = sa.select(articles.c.key).order_by(articles.c.key).limit(_ARTICLES)
    while True:
        with store.reading() as conn:
            some = list(conn.scalars(query.where(articles.c.key > last)))
        if some:
            yield some
        if len(some) < _ARTICLES:
            return
        last = some[-1]


def _load(conn: Connection, keys: Sequence[str]) -> _Kept:
    forgotten = sa.select(articles.c.key).where(articles.c.key.in_(keys), articles.c.forgotten.is_not(None))
    own = _by_article(
        conn,
        sa.select(
            revisions.c.article, revisions.c.version, revisions.c.text_hash, revisions.c.page_hash, _raw(revisions)
        ),
        revisions.c.article.in_(keys),
        revisions.c.version,
    )
    hashes = {row.page_hash for rows in own.values() for row in rows if row.page_hash}
    there = sa.select(pages.c.hash, sa.type_coerce(pages.c.headers, sa.Text).label("headers"))
    headers = {row.hash: row.headers for row in conn.execute(there.where(pages.c.hash.in_(hashes)))}
    texts = _by_article(
        conn,
        sa.select(wordings.c.article, wordings.c.text_hash, sa.type_coerce(wordings.c.wording, sa.Text).label("body")),
        wordings.c.article.in_(keys),
        wordings.c.text_hash,
    )
    have = {(row.article, row.text_hash) for rows in texts.values() for row in rows}
    gone = {(row.article, row.text_hash) for rows in own.values() for row in rows} - have
    return _Kept(
        forgotten=frozenset(conn.scalars(forgotten)),
        observations=_by_article(
            conn,
            sa.select(observations.c.article, observations.c.digest, _raw(observations)),
            observations.c.article.in_(keys),
            observations.c.observed,
        ),
        rereadings=_by_article(conn, sa.select(rereadings), rereadings.c.article.in_(keys), rereadings.c.content_hash),
        revisions=own,
        links=_by_article(
            conn,
            sa.select(
                links_table.c.article,
                links_table.c.place,
                links_table.c.revision,
                links_table.c.hash,
                links_table.c.superseded,
                _raw(links_table),
            ),
            links_table.c.article.in_(keys),
            links_table.c.place,
            links_table.c.id,
        ),
        texts=texts,
        texts_removed=frozenset(texts_removed(conn, keys, {text for _, text in gone})) if gone else frozenset(),
        headers=headers,
        pages_removed=frozenset(pages_removed(conn, hashes)),
    )


def _raw(table: sa.Table) -> sa.ColumnElement[str]:
    return sa.type_coerce(table.c.body, sa.Text).label("body")


def _by_article(conn: Connection, query: Any, where: Any, *order: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in conn.execute(query.where(where).order_by(*order)):
        found.setdefault(row.article, []).append(row)
    return found


def _check_article(kept: _Kept, key: str, checked: Checked, seal: Any) -> Iterator[Fault]:
    checked.articles += 1

    def fault(kind: FaultKind, says: str) -> Fault:
        return Fault(kind=kind, article=key, says=says)

    seen = kept.observations.get(key, [])
    altered = [row for row in seen if sha256(row.body.encode()) != row.digest]
    for row in altered:
        yield fault("observation", f"an observation is not what its digest says ({_moment(row.body)})")
    own = kept.revisions.get(key, [])
    checked.revisions += len(own)
    for row in kept.texts.get(key, []):
        checked.texts += 1
        if not _is_text(row.body, row.text_hash):
            yield fault("text", f"the text {row.text_hash} was altered: its words have another hash")
    chained = [row for row in kept.links.get(key, []) if row.superseded is None]
    if not altered:
        yield from _check_history(kept, key, own, chained)
    for row in kept.links.get(key, []):
        checked.rewritten += row.superseded is not None
        if sha256(row.body.encode()) != row.hash:
            yield fault("chain", f"the link of revision {row.place} was altered: it is not what its hash says")
    yield from _check_sides(kept, key, own, chained, checked)
    if chained:
        seal.update(f"{key} {chained[-1].hash}\n".encode())


def _check_history(kept: _Kept, key: str, own: Sequence[Any], chained: Sequence[Any]) -> Iterator[Fault]:
    """Check that revisions follow from the observations, and links from the revisions."""

    def fault(kind: FaultKind, says: str) -> Fault:
        return Fault(kind=kind, article=key, says=says)

    try:
        history = fold(_ledger(key, kept)).revisions
        bodies = {row.revision: orjson.loads(row.body) for row in chained}
        stored = [orjson.loads(row.body) for row in own]
    except (BadContent, orjson.JSONDecodeError) as error:
        yield fault("revision", f"what is kept of it cannot be read ({error})")
        return
    follows = [orjson.loads(canonical_json(one)) for one in history]
    for place, (is_, should) in enumerate(zip(stored, follows, strict=False), 1):
        # A re-read that changed nothing is kept without its revision being written anew.
        if {**is_, "last_observed": None} != {**should, "last_observed": None}:
            yield fault("revision", f"revision {place} is not what follows from the observations")
            return
    if len(stored) != len(follows):
        yield fault("revision", f"there are {len(stored)} revisions, and {len(follows)} follow from the observations")
        return

    def headers_of(revision: Revision) -> Headers | None:
        said = bodies.get(revision.id, {}).get("headers")
        return None if said is None else tuple((name, value) for name, value in said)

    expected = links(history, headers_of)
    for place, link in enumerate(expected, 1):
        row = next((one for one in chained if one.revision == link.revision), None)
        if row is None:
            yield fault("chain", f"the chain is broken: revision {place} has no link")
            return
        if (row.hash, row.place) != (link.hash, place):
            yield fault("chain", f"the chain is broken at revision {place}: its link does not follow from what is kept")
            return
    if len(chained) > len(expected):
        yield fault("chain", f"the chain has {len(chained)} links for {len(expected)} revisions")


def _check_sides(
    kept: _Kept, key: str, own: Sequence[Any], chained: Sequence[Any], checked: Checked
) -> Iterator[Fault]:
    """Check that each revision's text and page are there, or were removed."""
    forgotten = key in kept.forgotten
    had = {row.revision: row.body for row in chained}
    have = {row.text_hash for row in kept.texts.get(key, [])}
    for row in own:
        if row.text_hash not in have:
            if forgotten:
                checked.texts_forgotten += 1
            elif (key, row.text_hash) in kept.texts_removed:
                checked.texts_removed += 1
            else:
                yield Fault(kind="text", article=key, says=f"the text of revision {row.version} is missing")
        headers = _headers_said(had.get(_id_of(row.body), ""))
        if headers is None:
            checked.pages_never_kept += 1
        elif row.page_hash in kept.headers:
            # A page that was removed and came again may have come with others.
            if row.page_hash not in kept.pages_removed and _loaded(kept.headers[row.page_hash]) != headers:
                says = f"the headers of revision {row.version}'s page are not those in the chain"
                yield Fault(kind="page", article=key, says=says)
        elif forgotten:
            checked.pages_forgotten += 1
        elif row.page_hash in kept.pages_removed:
            checked.pages_removed += 1
        else:
            says = f"the page of revision {row.version} is missing (SHA-256 {row.page_hash})"
            yield Fault(kind="page", article=key, says=says)


def _ledger(key: str, kept: _Kept) -> Ledger:
    names = tuple(one for one in Rereading.__dataclass_fields__)
    plain = Ledger(
        article=key,
        observations=tuple(revive(Observation, orjson.loads(row.body)) for row in kept.observations.get(key, [])),
        rereadings=tuple(
            Rereading(**{name: getattr(row, name) for name in names}) for row in kept.rereadings.get(key, [])
        ),
    )
    return join(key, [plain])


def _is_text(body: str, wanted: str) -> bool:
    """Tell whether a kept wording has that text hash; it is mostly kept just as it is hashed."""
    if sha256(body.encode())[:32] == wanted:
        return True
    try:
        return text_hash(revive(Wording, orjson.loads(body))) == wanted
    except (BadContent, orjson.JSONDecodeError):
        return False


def _stored_pages(store: Store, keys: Sequence[str] | None) -> Iterator[list[str]]:
    """Yield the hashes of pages in handfuls: of all, or of those that the articles' revisions have."""
    query = sa.select(pages.c.hash).order_by(pages.c.hash).limit(_PAGES)
    if keys is not None:
        query = query.where(pages.c.hash.in_(sa.select(revisions.c.page_hash).where(revisions.c.article.in_(keys))))
    last = ""
    while True:
        with store.reading() as conn:
            some = list(conn.scalars(query.where(pages.c.hash > last)))
        if some:
            yield some
        if len(some) < _PAGES:
            return
        last = some[-1]


def _check_pages(conn: Connection, hashes: Sequence[str], checked: Checked) -> Iterator[Fault]:
    body = sa.type_coerce(pages.c.body, sa.LargeBinary).label("body")
    for row in conn.execute(
        sa.select(pages.c.hash, pages.c.size, body).where(pages.c.hash.in_(hashes)).order_by(pages.c.hash)
    ):
        checked.pages += 1
        came = _unpacked(row.body, row.size)
        checked.bytes += row.size
        if came is None or hashlib.sha256(came).hexdigest() != row.hash:
            of = conn.scalar(sa.select(sa.func.min(revisions.c.article)).where(revisions.c.page_hash == row.hash))
            what = "cannot be unpacked" if came is None else "its bytes have another hash"
            yield Fault(kind="page", article=of, says=f"the page {row.hash} was altered: {what}")


def _unpacked(body: bytes, size: int) -> bytes | None:
    """Return a page as it came, or None where it cannot be unpacked to the size it had."""
    try:
        if zstandard.frame_content_size(body) != size:
            return None
        return zstandard.decompress(body)
    except zstandard.ZstdError:
        return None


def _headers_said(body: str) -> Any:
    said = _loaded(body)
    return said.get("headers") if isinstance(said, dict) else None


def _id_of(body: str) -> str:
    said = _loaded(body)
    return said.get("id", "") if isinstance(said, dict) else ""


def _moment(body: str) -> str:
    said = _loaded(body)
    return str(said.get("observed", "no time")) if isinstance(said, dict) else "it cannot be read"


def _loaded(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
