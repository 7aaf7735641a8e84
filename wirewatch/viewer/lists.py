"""Make the lists of changes: rows of the store become what a line of a list shows.

What a row lacks is looked up for all rows of a list at once, so a list takes a handful of statements however long it
is, and no text of an article is opened for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus

from sqlalchemy.engine import Connection

from wirewatch import wording
from wirewatch.announcing import stands
from wirewatch.bounded import Pool
from wirewatch.canonical import article_uri, event_id
from wirewatch.encoding import revive
from wirewatch.model import Diff, Instance, Wording
from wirewatch.redline import HEADINGS
from wirewatch.store import Store, alerts, browsing
from wirewatch.store.changes import Shown
from wirewatch.store.feeds import FeedHealth, all_health
from wirewatch.viewer import filters
from wirewatch.viewer.cursors import cursor, place_of
from wirewatch.viewer.models import ArticleRef, Change, Changes, Choice, Choices, Filters, RevisionRef, Verdict

LINES: Final = 20
"""Changes of one list, unless a program asks for another number."""

MOST_LINES: Final = 200
_LABELS: Final = {"disclosed": "Disclosed", "undisclosed": "Not disclosed", "unknown": "Disclosure unknown"}


_ANY: Final = "wirewatch-any-value"  # stands for a value while an address is written
_OCCURRING_SECONDS: Final = 30.0  # a new publisher is offered so much later


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurring:
    """Publishers, feeds and languages that changes have, each with its label."""

    publishers: tuple[tuple[str, str], ...]
    feeds: tuple[tuple[str, str], ...]
    languages: tuple[tuple[str, str], ...]


class Library:
    """What every page is made from: the store, whose it is, and a child process for what is dear to work out."""

    def __init__(self, *, store: Store, instance: Instance, pool: Pool) -> None:
        self.store = store
        self.instance = instance
        self.pool = pool
        self._occurring: tuple[float, Occurring] | None = None

    def occurring(self, conn: Connection) -> Occurring:
        """Return what the filters can offer, looked up every 30 seconds at most."""
        now = time.monotonic()
        if self._occurring is None or now - self._occurring[0] > _OCCURRING_SECONDS:
            self._occurring = now, _occurring(conn)
        return self._occurring[1]

    def uri(self, key: str) -> str:
        """Return an article's uri."""
        return article_uri(self.instance.authority, self.instance.since, key)

    def tag(self, kind: str, name: str) -> str:
        """Return the uri of something else that has an id."""
        return f"tag:{self.instance.authority},{self.instance.since}:{kind}/{name}"


def changes(library: Library, conn: Connection, chosen: Filters, after: str | None, limit: int) -> Changes:
    """Return the list of changes that filters leave, from a cursor on."""
    before = place_of(after) if after else None
    rows = browsing.listed(conn, filters.narrowing(chosen), before=before, limit=limit + 1)
    more = len(rows) > limit
    following = cursor(rows[limit - 1].place) if more else None
    return Changes(
        filters=chosen,
        choices=choices(library, conn, chosen),
        changes=lines(library, conn, rows[:limit]),
        older=f"/{filters.query(chosen, after=following)}" if following else None,
        newest=f"/{filters.query(chosen)}" if after else None,
        next=following,
        atom=f"/changes.atom{filters.query(chosen)}",
        json_feed=f"/changes.feed.json{filters.query(chosen)}",
        articles=browsing.any_of(conn, "articles"),
        feeds=browsing.any_feed(conn),
    )


def lines(library: Library, conn: Connection, rows: Sequence[Any]) -> tuple[Change, ...]:
    """Return rows of `changes` as lines of a list, in their order."""
    known = browsing.diffs_of(conn, [row.diff for row in rows])
    ids = {one for row in known.values() for one in (row.old_revision, row.new_revision)}
    revisions = browsing.revisions_of(conn, ids)
    named = browsing.articles_of(conn, {row.article for row in rows})
    alike = alerts.alike(conn, known)
    sentences = _sentences(conn, [row for row in rows if row.sentence is None], known, revisions)
    made = []
    for row in rows:
        of_diff = known[row.diff]
        old, new = (revisions.get(one) for one in (of_diff.old_revision, of_diff.new_revision))
        if old is None or new is None:  # written anew between two statements of a reader that sees no one state
            continue
        sentence = row.sentence or sentences.get(row.diff, "")
        url, count = named[row.article].url, alike.get(row.diff, 1)
        made.append(_line(library, row, of_diff, (old, new), url=url, sentence=sentence, alike=count))
    return tuple(made)


def _line(
    library: Library, row: Any, of_diff: Any, revisions: tuple[Any, Any], *, url: str, sentence: str, alike: int
) -> Change:
    old, new = revisions
    shown = revive(Shown, row.shown)
    event = event_of(row.diff, of_diff.announced)
    diff = Diff(
        hunks=shown.hunks,
        words_added=shown.words_added,
        words_removed=shown.words_removed,
        similarity=shown.similarity,
    )
    return Change.model_construct(
        id=row.diff,
        article=reference(
            library,
            row.article,
            url=url,
            host=row.host,
            headline=row.headline,
            publisher=row.publisher,
            language=row.language,
            feed=row.feed,
        ),
        headline=row.headline,
        old_headline=row.old_headline if row.old_headline != row.headline else None,
        old=revision_ref(row.article, old),
        new=revision_ref(row.article, new),
        not_before=old.last_observed,
        not_after=new.first_observed,
        after_seconds=row.delay_us / 1_000_000,
        sentence=sentence,
        verdict=Verdict.model_construct(
            disclosure=row.disclosure,
            signal=row.signal,
            class_=row._mapping["class"],
            score=shown.score,
            reasons=shown.reasons,
        ),
        fields=shown.fields,
        diff=diff,
        hunks=shown.hunk_count,
        boilerplate=alike if alike > 1 else None,
        event=event,
        event_href=f"/events/{event}" if event else None,
        href=redline_href(row.article, of_diff.old_revision, of_diff.new_revision),
    )


def _sentences(
    conn: Connection, rows: Sequence[Any], known: dict[str, Any], revisions: dict[str, Any]
) -> dict[str, str]:
    """Return in words what changed, for rows that were kept before sentences were."""
    found = {}
    for row in rows:
        of_diff = known[row.diff]
        old, new = (revisions.get(one) for one in (of_diff.old_revision, of_diff.new_revision))
        kept = browsing.neighbours(conn, of_diff.old_revision, of_diff.new_revision)
        texts = browsing.wording_rows(conn, row.article, [new.text_hash]) if old and new else {}
        if kept is not None and new is not None and texts:
            new_wording = revive(Wording, texts[new.text_hash].wording)
            found[row.diff] = wording.sentence(revive(Diff, kept.diff), new_wording)
    return found


def event_of(diff: str, announced: int) -> str | None:
    """Return the id of the event that announced a diff and was not taken back; None where there is none."""
    return event_id(diff, "revised", announced - 1) if stands(announced) else None


def reference(
    library: Library,
    key: str,
    *,
    url: str,
    host: str,
    headline: str | None = None,
    publisher: str | None = None,
    language: str | None = None,
    feed: str | None = None,
) -> ArticleRef:
    """Return an article as it is named elsewhere."""
    return ArticleRef.model_construct(
        key=key,
        uri=library.uri(key),
        url=url,
        headline=headline,
        publisher=publisher,
        host=host,
        language=language,
        feed=feed,
        href=f"/articles/{key}",
    )


def revision_ref(article: str, row: Any) -> RevisionRef:
    """Return a revision as it is named elsewhere, from a row or record of it."""
    return RevisionRef.model_construct(
        id=row.id,
        version=row.version,
        version_created=row.version_created,
        first_observed=row.first_observed,
        last_observed=row.last_observed,
        href=revision_href(article, row.id),
    )


def revision_href(article: str, revision: str) -> str:
    """Return a revision's address."""
    return f"/articles/{article}/revisions/{revision}"


def redline_href(article: str, old: str, new: str) -> str:
    """Return the permanent address of what changed between two revisions."""
    return f"/articles/{article}/diff/{old}..{new}"


def feed_href(url: str) -> str:
    """Return a feed's address here."""
    return f"/feed?url={quote(url, safe='')}"


def publisher_href(host: str) -> str:
    """Return a publisher's address here."""
    return f"/publishers/{quote(host, safe='')}"


# What filters offer


def _occurring(conn: Connection) -> Occurring:
    hosts = browsing.values(conn, "host")
    named = browsing.publisher_names(conn, hosts)
    feeds = {one.url: one for one in all_health(conn)}
    urls = sorted(browsing.values(conn, "feed"), key=lambda url: _feed_label(feeds.get(url), url))
    return Occurring(
        publishers=tuple((host, _named(named[host], host)) for host in hosts),
        feeds=tuple((url, _feed_label(feeds.get(url), url)) for url in urls),
        languages=tuple((tag, tag) for tag in browsing.values(conn, "language")),
    )


def choices(library: Library, conn: Connection, chosen: Filters) -> Choices:
    """Return the values that each filter may take, those that occur in the store."""
    occurring = library.occurring(conn)
    return Choices(
        publishers=_choices(chosen, "publisher", occurring.publishers),
        feeds=_choices(chosen, "feed", occurring.feeds),
        languages=_choices(chosen, "language", occurring.languages),
        fields=_choices(chosen, "field", HEADINGS.items()),
        classes=_choices(chosen, "class", [(one, one.capitalize()) for one in reversed(filters.CLOSED["class"])]),
        disclosures=_choices(chosen, "disclosure", _LABELS.items()),
        signals=_choices(chosen, "signal", [(one, one.capitalize()) for one in filters.CLOSED["signal"]]),
    )


def _choices(chosen: Filters, name: str, values: Iterable[tuple[str, str]]) -> tuple[Choice, ...]:
    attribute = "class_" if name == "class" else name
    now = getattr(chosen, attribute)
    offered = list(values)
    if now is not None and now not in {value for value, _ in offered}:
        offered.append((now, now))
    # There may be hundreds, so the address is written once, with a place for the value.
    without = f"/{filters.query(chosen, **{attribute: None})}"
    before, _, after = f"/{filters.query(chosen, **{attribute: _ANY})}".partition(_ANY)
    return tuple(
        Choice(
            value=value,
            label=label,
            chosen=value == now,
            href=without if value == now else f"{before}{_quoted(value)}{after}",
        )
        for value, label in offered
    )


@lru_cache(maxsize=4096)
def _quoted(value: str) -> str:
    return quote_plus(value)


def _feed_label(feed: FeedHealth | None, url: str) -> str:
    if feed is None or not (name := feed.source.feed_name or feed.source.publisher):
        return url
    return f"{name} · {url.partition('://')[2]}"


def _named(name: str | None, host: str) -> str:
    return f"{name} · {host}" if name else host
