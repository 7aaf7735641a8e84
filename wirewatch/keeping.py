"""Keep one reading: find its article, record it, compare, judge, announce, and commit all of that or nothing.

This is where decisions meet the store. Everything dear (diffs, readings of kept pages) happens before the transaction
and in a bounded process; if another worker was faster, nothing was written and the whole is done again on what it
left. An observation, what follows from it, its announcements and the settling of its check are one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from wirewatch import schedule
from wirewatch.alerts.matching import NO_ALERTS, Alerting, retractions
from wirewatch.announcing import Known, News, news, stands
from wirewatch.availability import availability
from wirewatch.bounded import Pool
from wirewatch.canonical import article_key, canonical_json, sha256
from wirewatch.chain import fixed
from wirewatch.clock import Clock
from wirewatch.errors import BadContent, StoreError, Superseded
from wirewatch.extract import EXTRACTOR, read_page
from wirewatch.feeds.reading import page_address
from wirewatch.identity import guid_name
from wirewatch.judging import judged_in
from wirewatch.model import (
    Alias,
    Availability,
    Capture,
    Check,
    Diff,
    Entry,
    FeedReading,
    Instance,
    Outcome,
    Reading,
    Revision,
    Seen,
    Source,
    Track,
)
from wirewatch.reading import FeedRead
from wirewatch.revisions import (
    Change,
    Ledger,
    Rereading,
    Transition,
    Want,
    earliest,
    fold,
    observe,
    outcome_of,
    record,
    stamp_of,
)
from wirewatch.significance.everywhere import part_hashes
from wirewatch.store import (
    Store,
    alerts,
    articles,
    counters,
    dead_letters,
    feeds,
    frontier,
    inbox,
    ledger,
    links,
    outbox,
    pages,
    quiet,
)
from wirewatch.store.hosts import host_of
from wirewatch.store.inbox import Received
from wirewatch.store.ledger import Addition, Judged, Loaded, Naming, Text
from wirewatch.store.removing import texts_removed

BACKFILL_AFTER: Final = timedelta(hours=6)
_LINKS: Final = 500  # looked up at once; a statement of SQLite takes 32,766 values
_MOST_ATTEMPTS: Final = 50  # each failure means that another worker succeeded
_KEPT_OUTCOMES: Final = (Outcome.NEW, Outcome.REVISED, Outcome.STALE, Outcome.SUSPECT)
_NEWS_OUTCOMES: Final = (Outcome.NEW, Outcome.REVISED)
_READABLE: Final = (Availability.AVAILABLE, Availability.PAYWALLED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """One capture with what it says, whence it came, and the check that asked for it, if one did.

    `received` is the capture's place in the inbox, if it waited there.
    """

    capture: Capture
    reading: Reading
    source: Source
    check: Check | None = None
    received: Received | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What is to be kept: names of one article that belong together, and a reading of it, if there is one."""

    url: str
    observed: datetime
    aliases: tuple[Alias, ...]
    source: Source
    read: Read | None = None

    @property
    def reading(self) -> Reading | None:
        return self.read.reading if self.read else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """Every article that evidence leads to, and the key of the one that they all are."""

    evidence: Evidence
    key: str
    articles: Mapping[str, Loaded]

    @property
    def forgotten(self) -> str | None:
        """The article among them of which nothing is taken in again."""
        return min((key for key, one in self.articles.items() if one.forgotten), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """What evidence changes in the ledgers that were found, before anything is compared or said."""

    evidence: Evidence
    key: str
    found: Mapping[str, Loaded]  # every article that the names lead to
    change: Change
    again: Sequence[Rereading]
    texts: Mapping[str, Text]  # those that are to be kept, by their hash
    merged: Sequence[str]  # articles of which something was said, and which turned out to be this one

    @property
    def speaks(self) -> bool:
        return bool(self.merged) or self.change.says_something

    @property
    def needed(self) -> set[str]:
        """The hashes of the texts that are to be compared or told of."""
        compared = {text_hash for one in self.change.appeared for text_hash in (one.old_text, one.new_text)}
        if not self.speaks:
            return compared
        told = (*self.change.recorded, *self.change.after.revisions[-1:])
        return compared | {one.text_hash for one in told}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """Everything one commit needs, decided on what the store held a moment ago."""

    evidence: Evidence
    key: str
    found: Mapping[str, Loaded]  # every article that the names lead to
    change: Change
    addition: Addition
    said: Sequence[News]
    matched: Sequence[alerts.Match]
    backfill: bool

    @property
    def naming(self) -> Naming:
        one = self.evidence
        return Naming(article=self.key, url=one.url, aliases=one.aliases, observed=one.observed)


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """Keeps readings in one store, for one run. `replay` marks everything it keeps as back-fill."""

    store: Store
    pool: Pool
    instance: Instance
    clock: Clock
    run: str
    sinks: tuple[str, ...] = ()
    alerting: Alerting = NO_ALERTS
    replay: bool = False

    def keep(self, read: Read) -> Outcome:
        """Keep the reading and settle its check; return the counter that the capture ended in.

        Raise StoreError if the store cannot do its work; nothing is written then.
        """
        return self.keep_all([read])[0]

    def keep_all(self, reads: Sequence[Read]) -> list[Outcome]:
        """Do what `keep` does for each: in one transaction those that say what the last ones said, in few the rest."""
        told = self.keep_at_once(reads)
        for some in apart(reads, [n for n in range(len(reads)) if n not in told]):
            changed = self.keep_together([reads[n] for n in some]) or [self.keep_alone(reads[n]) for n in some]
            told |= zip(some, changed, strict=True)
        return [told[n] for n in range(len(reads))]

    def keep_at_once(self, reads: Sequence[Read]) -> dict[int, Outcome]:
        """Keep readings that say what the last ones said with a few statements for all, without their pages.

        Return the outcomes of those that were kept, by place.
        """
        places: dict[str, int] = {}
        for n, read in enumerate(reads):
            if read.check is not None and read.check.article is not None and _may_be_unchanged(read):
                places.setdefault(read.check.article, n)  # a second one comes after what the first one leaves
        if not places:
            return {}
        with self.store.begin() as conn:
            rows = ledger.settle_unchanged(conn, [_unchanged(reads[n]) for n in places.values()])
            kept = {places[article]: row for article, row in rows.items()}
            told = {n: _same(reads[n].reading) for n in sorted(kept)}
            frontier.settle_articles(conn, [self._read(conn, reads[n], kept[n], stale=False) for n in told])
            self._count(conn, [reads[n] for n in told], told.values())
        return told

    def keep_together(self, reads: Sequence[Read]) -> list[Outcome] | None:
        """Keep readings that `keep_at_once` did not, in one transaction; None where each has to be kept alone.

        That is where some are of one article, or another worker was faster.
        """
        try:
            return self._keep_together([_evidence(read) for read in reads])
        except Superseded:
            return None

    def keep_alone(self, read: Read) -> Outcome:
        """Keep a reading that is kept in no other way."""
        return self._keep(_evidence(read))

    def keep_names(self, evidence: Evidence) -> None:
        """Keep that these names are one article's; where they are known as several, join those."""
        self.keep_all_names([evidence])

    def keep_all_names(self, evidence: Sequence[Evidence]) -> None:
        """Keep what `keep_names` does for each, with a few statements for all."""
        with self.store.reading() as conn:
            owners = ledger.owners(conn, {alias.name for one in evidence for alias in one.aliases})
        owned = [{owners.get(alias.name) for alias in one.aliases} for one in evidence]
        unknown = [one for one, keys in zip(evidence, owned, strict=True) if None in keys or len(keys) > 1]
        try:
            self._keep_together(unknown)
        except Superseded:  # some are of one article, or another worker was faster
            for one in unknown:
                self._keep(one)

    def keep_feed(
        self,
        read: FeedRead,
        capture: Capture,
        source: Source,
        check: Check | None,
        received: Received | None = None,
    ) -> Outcome:
        """Keep what a feed says: its entries' articles become due, or are themselves kept; then settle its check.

        The feed's validators are written last, when all its entries are kept: a crash before that reads it again. What
        was brought of a feed that is watched makes its entries' articles due too.
        """
        kept = self._keep_entries([Read(capture=capture, reading=one, source=source) for one in read.entries])
        followed = check.url if check else self._watched(source.feed) if received else None
        links: list[tuple[Entry, tuple[Alias, ...]]] = []
        if source.track is Track.PAGES:
            links = [(entry, found) for entry in read.feed.entries if (found := self._named(entry, read.feed, source))]
            names_of_links = [names for _, names in links]
            self._keep_links(names_of_links, capture=capture, source=source, upserted=followed is not None)
        for _ in range(_MOST_ATTEMPTS):
            try:
                with self.store.begin() as conn:
                    if received is not None:
                        inbox.drop(conn, received)
                    return self._settle_feed(
                        conn, read.feed, links, kept, capture=capture, source=source, check=check, followed=followed
                    )
            except Superseded:
                continue
        raise StoreError("The feed's articles change faster than they can be kept; start again", about=capture.url)

    def _watched(self, feed: str | None) -> str | None:
        """Return a feed's address if it is one that is watched."""
        with self.store.reading() as conn:
            return feed if feed and feeds.health_of(conn, feed) else None

    def _count(self, conn: Connection, reads: Sequence[Read], outcomes: Iterable[Outcome]) -> None:
        """Count outcomes, and where the short cut was asked; where it was wrong, keep the page that shows it."""
        found: Counter[tuple[counters.What, str]] = Counter(("article", outcome.value) for outcome in outcomes)
        found.update(("short cut", asked) for read in reads if (asked := read.reading.short_cut))
        for read in reads:
            if read.reading.short_cut == "wrong":
                dead_letters.add(
                    conn,
                    at=self.clock.now(),
                    step="short cut",
                    reason="the short cut took this page for unchanged, and it has changed",
                    url=read.reading.url,
                    sha256=read.reading.page_hash,
                    capture=read.capture,
                )
        counters.count_all(conn, self.run, found)

    def _keep_links(
        self, links: Sequence[tuple[Alias, ...]], *, capture: Capture, source: Source, upserted: bool
    ) -> None:
        """Keep what a feed's entries say of names that belong together, unless that is all done when they are upserted.

        What is left then are names of several articles, which are one.
        """
        for start in range(0, len(links), _LINKS):
            some = links[start : start + _LINKS]
            with self.store.reading() as conn:
                owners = ledger.owners(conn, (alias.name for names in some for alias in names))
            for names in some:
                found = {owners.get(alias.name) for alias in names}
                if len(found - {None}) > 1 or (len(names) > 1 and None in found and not upserted):
                    self.keep_names(
                        Evidence(url=names[0].name, observed=capture.observed, aliases=names, source=source)
                    )

    def _keep(self, evidence: Evidence) -> Outcome:
        for _ in range(_MOST_ATTEMPTS):
            try:
                return self._keep_together([evidence])[0]
            except Superseded:
                continue
        raise StoreError("The article changes faster than it can be kept; start again", about=evidence.url)

    def _keep_entries(self, reads: Sequence[Read]) -> list[Outcome]:
        """Keep what one feed's entries say, with a few statements for all; most say what they said the last time."""
        told = self._kept_quietly([read.reading for read in reads])
        rest = [place for place in range(len(reads)) if place not in told]
        try:
            together = self._keep_together([_evidence(reads[place]) for place in rest])
            told |= zip(rest, together, strict=True)
        except Superseded:  # some are one article, or another worker was faster
            told |= {place: self.keep(reads[place]) for place in rest}
        return [told[place] for place in range(len(reads))]

    def _kept_quietly(self, readings: Sequence[Reading]) -> dict[int, Outcome]:
        """Keep those readings of entries that say what their neighbours in time say; return their outcomes by place."""
        try:
            with self.store.begin() as conn:
                outcomes = quiet.settle(conn, readings)
                counters.count(conn, self.run, "article", *outcomes.values())
        except Superseded:
            return {}
        return outcomes

    def _keep_together(self, evidence: Sequence[Evidence]) -> list[Outcome]:
        """Keep evidence of different articles in one transaction; raise Superseded where two are of one."""
        if not evidence:
            return []
        found = self._find(evidence)
        refused = [one for one in found if one.forgotten]
        plans = self._plans([one for one in found if not one.forgotten])
        with self.store.begin() as conn:
            self._commit(conn, plans)
            for one in refused:
                self._refuse(conn, one)
        counted = iter([plan.change.counted for plan in plans])
        return [Outcome.REFUSED if one.forgotten else next(counted) for one in found]

    # Deciding

    def _plans(self, found: Sequence[_Found]) -> list[_Plan]:
        drafts = [self._draft(one.evidence, one.articles, one.key) for one in found]
        aliases, texts = self._look_up(drafts)
        return [self._plan(draft, aliases, texts) for draft in drafts]

    def _draft(self, evidence: Evidence, found: Mapping[str, Loaded], key: str) -> _Draft:
        reading = evidence.reading
        own, others = found[key].ledger, [one.ledger for other, one in found.items() if other != key]
        _, change = record(own, reading, (), others)
        again, rereadings = self._read_again(change.after.wants, evidence.source)
        if again:
            _, change = record(own, reading, again, others)
        return _Draft(
            evidence=evidence,
            key=key,
            found=found,
            change=change,
            again=again,
            texts=_texts([*rereadings, reading] if reading else rereadings),
            merged=[other for other, one in found.items() if other != key and fold(one.ledger).revisions],
        )

    def _look_up(
        self, drafts: Sequence[_Draft]
    ) -> tuple[Mapping[str, Sequence[Alias]], Mapping[tuple[str, str], Text]]:
        """Return the names of the articles of which something is to be said, and the kept texts that takes, by key.

        A text that was removed since is left out. Raise StoreError where one is missing that was not.
        """
        speaking = [draft for draft in drafts if draft.speaks]
        silent = [draft for draft in drafts if not draft.speaks and draft.change.appeared]
        if not speaking and not silent:
            return {}, {}
        with self.store.reading() as conn:
            aliases = ledger.names_of(conn, {key for draft in speaking for key in draft.found})
            texts: dict[tuple[str, str], Text] = {}
            for draft in (*speaking, *silent):
                missing = draft.needed - draft.texts.keys()
                kept = ledger.texts(conn, draft.found, missing) if missing else {}
                if lacking := missing - kept.keys():
                    gone = {text_hash for _, text_hash in texts_removed(conn, draft.found, lacking)}
                    if lost := lacking - gone:
                        raise ledger.lacks(min(lost))
                texts |= {(draft.key, text_hash): text for text_hash, text in kept.items()}
        return aliases, texts

    def _plan(
        self, draft: _Draft, aliases: Mapping[str, Sequence[Alias]], kept: Mapping[tuple[str, str], Text]
    ) -> _Plan:
        evidence, reading = draft.evidence, draft.evidence.reading
        texts = {
            **{text_hash: text for text_hash in draft.needed if (text := kept.get((draft.key, text_hash)))},
            **draft.texts,
        }
        change, untold = _comparable(draft.change, texts)
        told = _told(change, draft.found[draft.key].announced)
        judged = self._judge(change, told, texts)
        backfill = self.replay or self.clock.now() - evidence.observed > BACKFILL_AFTER
        said: list[News] = []
        matched: list[alerts.Match] = []
        if draft.speaks:
            known = self._known(draft, aliases, judged=judged, texts=texts, backfill=backfill)
            said = news(draft.key, change, known, draft.merged)
            hunk_hashes = {one.transition.id: one.hunk_hash for one in judged}
            matched = self.alerting.matches(draft.key, said, known, hunk_hashes)
        return _Plan(
            evidence=evidence,
            key=draft.key,
            found=draft.found,
            change=change,
            addition=Addition(
                observations=(observe(reading),) if reading else (),
                rereadings=draft.again,
                texts=tuple(draft.texts.values()),
                judged=judged,
                vanished={t.id: told.get(t.id, 0) for t in change.vanished},
                untold=untold,
                source=evidence.source,
            ),
            said=said,
            matched=matched,
            backfill=backfill,
        )

    def _find(self, evidence: Sequence[Evidence]) -> list[_Found]:
        """Return for each every article that its names lead to, and the key of the one that they all are.

        Raise Superseded where two of them lead to one article.
        """
        with self.store.reading() as conn:
            owned = ledger.owners(conn, {alias.name for one in evidence for alias in one.aliases})
            known = [sorted({owned[a.name] for a in one.aliases if a.name in owned}) for one in evidence]
            loaded = ledger.load_all(conn, sorted({key for keys in known for key in keys}))
            keys = []
            for one, keys_known in zip(evidence, known, strict=True):
                new = Ledger(article="", observations=(observe(one.reading),) if one.reading else ())
                asked = earliest([new, *(loaded[key].ledger for key in keys_known)])
                keys.append(asked or min(keys_known, default=article_key(one.url)))
            loaded |= ledger.load_all(conn, sorted(set(keys) - loaded.keys()))
        found = [{key: loaded[key] for key in (*had, *({own} - {*had}))} for had, own in zip(known, keys, strict=True)]
        names = Counter(name for one in evidence for name in {alias.name for alias in one.aliases})
        if len(evidence) > 1 and max((*Counter(key for one in found for key in one).values(), *names.values())) > 1:
            raise Superseded("Two readings of one feed are of one article", about=evidence[0].url)
        return [
            _Found(evidence=one, key=key, articles=own) for one, key, own in zip(evidence, keys, found, strict=True)
        ]

    def _read_again(self, wants: Sequence[Want], source: Source) -> tuple[list[Rereading], list[Reading]]:
        """Read kept pages once more with today's extractor, where two neighbours were read by different ones."""
        again, readings = [], []
        for want in wants:
            reading = self._reread(want, source) if want.extractor != EXTRACTOR else None
            if reading is None or reading.content_hash is None or reading.text_hash is None:
                continue
            readings.append(reading)
            again.append(
                Rereading(
                    content_hash=want.content_hash,
                    extractor=want.extractor,
                    new_extractor=EXTRACTOR,
                    new_content_hash=reading.content_hash,
                    new_text_hash=reading.text_hash,
                )
            )
        return again, readings

    def _reread(self, want: Want, source: Source) -> Reading | None:
        with self.store.reading() as conn:
            page = pages.get(conn, want.page_hash)
        if page is None:
            return None
        capture = Capture(
            url=want.url, observed=want.observed, status=200, headers=page.headers, body=page.body, final_url=want.url
        )
        try:
            return self.pool.run(read_page, capture, source, returns=Reading, about=want.url)
        except BadContent:  # the difference is then technical, and the page is still there to be looked at
            return None

    def _judge(self, change: Change, told: Mapping[str, int], texts: Mapping[str, Text]) -> tuple[Judged, ...]:
        judged = []
        for transition in change.appeared:
            old, new = texts[transition.old_text], texts[transition.new_text]
            stamps = (transition.old.stamp, transition.new.modified)
            judgement = judged_in(self.pool, old.wording, new.wording, *stamps, about=transition.new.url)
            judged.append(
                Judged(
                    transition=transition,
                    diff=judgement.diff,
                    verdict=judgement.verdict,
                    sentence=judgement.sentence,
                    old=old,
                    new=new,
                    announced=told.get(transition.id, 0),
                    hunk_hash=_hunk_hash(judgement.diff),
                    part_hashes=part_hashes(judgement.diff),
                )
            )
        return tuple(judged)

    def _known(
        self,
        draft: _Draft,
        kept: Mapping[str, Sequence[Alias]],
        *,
        judged: Sequence[Judged],
        texts: Mapping[str, Text],
        backfill: bool,
    ) -> Known:
        """Return what is needed to tell of the change."""
        evidence = draft.evidence
        aliases = {alias.name: alias for key in draft.found for alias in kept[key]}
        aliases |= {alias.name: alias for alias in evidence.aliases}
        return Known(
            instance=self.instance,
            recorded=self.clock.now(),
            observed=evidence.observed,
            source=evidence.source,
            aliases=tuple(aliases[name] for name in sorted(aliases)),
            texts={text_hash: (text.wording, text.facts) for text_hash, text in texts.items()},
            diffs={one.transition.id: (one.diff, one.verdict) for one in judged},
            announced=draft.found[draft.key].announced,
            backfill=backfill,
            paywalled=evidence.reading is not None and evidence.reading.paywalled,
        )

    # Writing

    def _commit(self, conn: Connection, plans: Sequence[_Plan]) -> None:
        """Write plans for different articles; each statement writes for all of them where it can."""
        found = {key: (loaded, plan.evidence.url) for plan in plans for key, loaded in plan.found.items()}
        ledger.claim_versions(conn, {key: loaded.version for key, (loaded, _) in found.items() if loaded.known})
        ledger.mint(conn, {key: url for key, (loaded, url) in found.items() if not loaded.known})
        for plan in plans:
            for other in plan.found:
                if other != plan.key:
                    ledger.absorb(conn, plan.key, other)
                    alerts.move(conn, plan.key, other)
        ledger.claim_names(conn, [plan.naming for plan in plans])
        ledger.write(conn, {plan.key: (plan.addition, plan.change.after) for plan in plans})
        ledger.describe_all(conn, {plan.key: _described(plan) for plan in plans})
        self._announce(conn, plans)
        reads = {plan.key: plan.evidence.read for plan in plans if plan.evidence.read is not None}
        pages.keep(conn, [page for plan in plans if (page := self._page(plan)) is not None])
        self._settle(conn, reads, stale={plan.key for plan in plans if _is_stale(plan)})
        for plan in plans:
            read = plan.evidence.read
            if read is not None and (read.received is not None or not _said_before(plan)):
                self._bury(conn, read)
        self._chain(conn, plans)
        self._count(conn, list(reads.values()), [plan.change.counted for plan in plans if plan.evidence.read])

    def _chain(self, conn: Connection, plans: Sequence[_Plan]) -> None:
        """Write the chains of those articles whose revisions are others now, or stand elsewhere in time."""
        chains: dict[str, tuple[Revision, ...]] = {}
        for plan in plans:
            before, after = plan.change.before.revisions, plan.change.after.revisions
            joined = [other for other in plan.found if other != plan.key]
            if joined or [fixed(one) for one in before] != [fixed(one) for one in after]:
                chains |= {plan.key: after, **dict.fromkeys(joined, ())}
        if chains:
            links.write(conn, chains, self.clock.now())

    def _refuse(self, conn: Connection, found: _Found) -> None:
        """Take nothing in of an article that is forgotten, and end the check that led to it.

        What evidence shows to be another name of it leads to it from now on, so that it is not asked for again.
        """
        evidence, forgotten, read = found.evidence, found.forgotten, found.evidence.read
        assert forgotten is not None
        unread = {key: one for key, one in found.articles.items() if one.known and not one.forgotten and not _seen(one)}
        ledger.claim_versions(conn, {key: one.version for key, one in unread.items()})
        for other in unread:
            ledger.absorb(conn, forgotten, other)
        owners = ledger.owners(conn, [alias.name for alias in evidence.aliases])
        free = tuple(one for one in evidence.aliases if owners.get(one.name, forgotten) == forgotten)
        naming = Naming(article=forgotten, url=evidence.url, aliases=free, observed=evidence.observed)
        ledger.claim_names(conn, [naming])
        if read is None:
            return
        if read.check is not None and read.check.article in found.articles.keys() - unread.keys() - {forgotten}:
            self._settle(conn, {read.check.article: read})
        elif read.received is not None:
            inbox.drop(conn, read.received)
        counters.count(conn, self.run, "article", Outcome.REFUSED)

    def _announce(self, conn: Connection, plans: Sequence[_Plan]) -> None:
        items = [
            outbox.Item(
                kind=one.kind,
                item=one.item,
                article=plan.key,
                payload=one.payload,
                recorded=self.clock.now(),
                backfill=plan.backfill,
            )
            for plan in plans
            for one in plan.said
        ]
        outbox.announce_all(conn, items, self.sinks)
        now = self.clock.now()
        alerts.take_back(conn, retractions(one for plan in plans for one in plan.said), now, now + self.alerting.settle)
        alerts.keep(conn, [match for plan in plans for match in plan.matched])

    def _page(self, plan: _Plan) -> pages.Page | None:
        """Return the page that was read, if it is to be kept."""
        read, history = plan.evidence.read, plan.change.after
        if read is None or read.reading.page_hash is None or not read.reading.keep_page or not read.capture.body:
            return None
        page_hash, capture = read.reading.page_hash, read.capture
        needed = plan.change.counted in _KEPT_OUTCOMES
        if not needed and all(revision.page_hash != page_hash for revision in history.revisions):
            return None
        return pages.Page(
            hash=page_hash,
            body=capture.body,
            content_type=capture.header("content-type"),
            headers=capture.headers,
            kept=self.clock.now(),
        )

    def _settle(self, conn: Connection, reads: Mapping[str, Read], stale: Collection[str] = ()) -> None:
        """Take captures out of the inbox, or end their checks' leases and say when their articles are due again.

        Captures are given by the keys of their articles, of which `stale` showed an older copy.
        """
        for read in reads.values():
            if read.received is not None:
                inbox.drop(conn, read.received)
        checked = {
            key: read for key, read in reads.items() if read.check is not None and read.check.article is not None
        }
        rows = ledger.rows(conn, checked)
        several = [self._read(conn, read, rows[key], stale=key in stale) for key, read in checked.items()]
        frontier.settle_articles(conn, several)

    def _read(self, conn: Connection, read: Read, row: Any, *, stale: bool) -> frontier.Read:
        """Return when an article is due again whose row is given, now that its check was read."""
        assert read.check is not None
        reading, now = read.reading, self.clock.now()
        failures = 0 if reading.seen in (Seen.WORDING, Seen.NOT_MODIFIED) else row.failures + 1
        # An article that was never read counts from its first check, and a feed's stamp in the future not at all.
        since = (row.first_seen or ledger.first_observed(conn, row.key), row.last_change, row.entry_updated)
        state = schedule.ArticleState(
            url=row.url,
            since=max((at for at in since if at and at <= now), default=now),
            availability=Availability(row.availability),
            stale=stale,
            failures=failures,
            retry_after_seconds=read.capture.retry_after_seconds,
        )
        due_at = schedule.next_article_check(state, now, read.source)
        return frontier.Read(article=row.key, lease=read.check.lease, due_at=due_at, failures=failures)

    def _bury(self, conn: Connection, read: Read) -> None:
        """Keep a dead letter of what can never be an article: with its capture, unless that was cut off when it came.

        An entry's capture is its whole feed, which would be kept again for each bad entry.
        """
        reading, capture = read.reading, read.capture
        step, kept = "extract", capture if reading.track is Track.PAGES else None
        if capture.problem is not None and capture.body:
            step, kept = "fetch", None
        elif reading.seen is not Seen.INVALID:
            return
        dead_letters.add(
            conn,
            at=self.clock.now(),
            step=step,
            reason=reading.detail or "no article was found",
            url=reading.url,
            sha256=reading.page_hash or sha256(capture.body),
            capture=kept,
        )

    def _named(self, entry: Entry, feed: FeedReading, source: Source) -> tuple[Alias, ...]:
        """Return the names that a feed's entry gives its article: its link, and its guid if it has one of its own."""
        page = page_address(entry.link)
        if page is None:
            return ()
        asked = Alias(kind="asked", name=page[1])
        if entry.guid is None or entry.identity != entry.guid:
            return (asked,)
        return (asked, Alias(kind="guid", name=guid_name(source.feed or feed.url, entry.guid)))

    def _settle_feed(
        self,
        conn: Connection,
        feed: FeedReading,
        links: Sequence[tuple[Entry, tuple[Alias, ...]]],
        kept: Sequence[Outcome],
        *,
        capture: Capture,
        source: Source,
        check: Check | None,
        followed: str | None,
    ) -> Outcome:
        now, new, entries = self.clock.now(), sum(one in _NEWS_OUTCOMES for one in kept), len(kept)
        health = feeds.health_of(conn, followed) if followed else None
        if health is not None and source.track is Track.PAGES:
            new = articles.upsert_entries(conn, health.url, [_due(entry, names) for entry, names in links], now)
            entries = len(links)
        if feed.seen is Seen.INVALID:
            dead_letters.add(conn, at=now, step="feed", reason=feed.detail, url=capture.url, capture=capture)
        outcome = _feed_outcome(feed, first=health is None or health.last_success is None, new=new)
        counters.count(conn, self.run, "feed", outcome)
        if check is None or health is None:
            return outcome
        failures = health.failures + 1 if feed.problem else 0
        share = None if feed.problem else 1 - new / entries if entries else 1.0
        state = schedule.FeedState(
            url=check.url,
            gap_seconds=health.gap_seconds,
            seen_share=share,
            polite_seconds=feed.polite_seconds,
            availability=availability(feed.seen, paywalled=False),
            failures=failures,
            retry_after_seconds=capture.retry_after_seconds,
        )
        read_whole = feed.seen is Seen.WORDING
        frontier.settle_feed(
            conn,
            check,
            now=now,
            due_at=schedule.next_feed_check(state, now, source),
            problem=feed.problem,
            detail=", ".join(feed.flags),
            validators=(capture.header("etag"), capture.header("last-modified")) if read_whole else None,
            entries=len(feed.entries) if read_whole else None,
            new_entries=new,
            polite_seconds=feed.polite_seconds,
            gap_seconds=round(schedule.adapted_gap(state)),
        )
        return outcome


def apart(reads: Sequence[Read], places: Iterable[int]) -> list[list[int]]:
    """Return these places in groups: of two readings that share a name, the second is in a later group than the first.

    Those of one group can be kept together, unless their names are known to lead to one article.
    """
    groups: list[tuple[set[str], list[int]]] = []
    for n in places:
        names = {alias.name for alias in reads[n].reading.aliases}
        after = max((at for at, (taken, _) in enumerate(groups) if taken & names), default=-1) + 1
        if after == len(groups):
            groups.append((set(), []))
        taken, group = groups[after]
        taken |= names
        group.append(n)
    return [group for _, group in groups]


def _may_be_unchanged(read: Read) -> bool:
    """Tell whether a reading has the content hash that its article had when the check was leased."""
    check, reading = read.check, read.reading
    if check is None or check.article is None or check.ledger_version is None:
        return False
    return reading.content_hash is not None and reading.content_hash == check.content_hash


def _evidence(read: Read) -> Evidence:
    one = read.reading
    return Evidence(url=one.url, observed=one.observed, aliases=one.aliases, source=read.source, read=read)


def _described(plan: _Plan) -> dict[str, Any]:
    """Return what the article's row says of its ledger, and validators if this capture is the newest."""
    history, read = plan.change.after, plan.evidence.read
    columns: dict[str, Any] = {
        "first_seen": history.revisions[0].first_observed if history.revisions else None,
        "last_change": history.last_change,
        "availability": history.availability.value,
        "availability_since": history.available_since,
        "merged_into": None,
        "settled": None,
    }
    observed = [o.observed for one in plan.found.values() for o in one.ledger.observations]
    if read is not None and all(read.reading.observed > one for one in observed):
        columns |= _newest(read) | _moved(read)
        if history.pending is None and history.availability in _READABLE:
            columns["settled"] = _standing(plan, read.reading)
    return columns


def _standing(plan: _Plan, reading: Reading) -> str | None:
    """Return the digest of the article's last wording, if what was read is that or confirms it."""
    if reading.seen is Seen.WORDING:
        return ledger.standing(observe(reading))
    known = (o for one in plan.found.values() for o in one.ledger.observations if o.seen is Seen.WORDING)
    last = max(known, key=lambda o: o.observed, default=None)
    return ledger.standing(last) if last is not None and last.content_hash == reading.content_hash else None


def _moved(read: Read) -> dict[str, Any]:
    """Return the address to ask from now on, where every redirect to it was permanent and it showed the article.

    The old address may be given up one day, and its 404 must not pass for the article's withdrawal.
    """
    if not read.capture.moved or read.reading.seen is not Seen.WORDING:
        return {}
    return {
        column: value
        for alias in read.reading.aliases
        if alias.kind == "redirect"
        for column, value in (("url", alias.name), ("host", host_of(alias.name)))
    }


def _is_stale(plan: _Plan) -> bool:
    """Tell whether what was read last may be an older copy."""
    pending = plan.change.after.pending
    return pending is not None and pending.kind == "stale"


def _said_before(plan: _Plan) -> bool:
    """Tell whether the article's last observation said the same: a page that stays broken is one dead letter."""
    read, before = plan.evidence.read, [o for one in plan.found.values() for o in one.ledger.observations]
    if read is None or not before:
        return False
    last = max(before, key=lambda o: o.observed)
    return (last.seen, last.detail) == (read.reading.seen, read.reading.detail)


def _newest(read: Read) -> dict[str, Any]:
    """Return what an article's row says of the newest capture; validators only where they vouch for a wording."""
    reading = read.reading
    columns: dict[str, Any] = {"last_read": reading.observed, "last_detail": reading.detail}
    if reading.seen is not Seen.WORDING:
        return columns
    modified = stamp_of(reading.claims, "modified")
    return {
        **columns,
        **_vouched(read),
        "content_hash": reading.content_hash,
        "text_hash": reading.text_hash,
        "stamp": modified.at if modified else None,
    }


def _vouched(read: Read) -> dict[str, str | None]:
    """Return what tells the next time that nothing changed: validators, and the page's fingerprint if it was read."""
    columns = {"etag": read.capture.header("etag"), "last_modified": read.capture.header("last-modified")}
    return columns if read.reading.short_cut == "taken" else {**columns, "fingerprint": read.reading.fingerprint}


def _unchanged(read: Read) -> ledger.Unchanged:
    check, reading = read.check, read.reading
    assert check is not None
    assert check.article is not None
    assert check.ledger_version is not None
    return ledger.Unchanged(
        article=check.article,
        version=check.ledger_version,
        observation=observe(reading),
        names=reading.aliases,
        columns={"last_detail": reading.detail, **(_vouched(read) if reading.seen is Seen.WORDING else {})},
    )


def _same(reading: Reading) -> Outcome:
    """Return the outcome of a reading that says what the last one said."""
    return Outcome.NOT_MODIFIED if reading.seen is Seen.NOT_MODIFIED else Outcome.UNCHANGED


def _told(change: Change, announced: Mapping[str, int]) -> dict[str, int]:
    """Return how often each diff will have been announced or taken back with this change."""
    taken_back = [t.id for t in change.retracted if stands(announced.get(t.id, 0))]
    more = Counter([*taken_back, *(t.id for t in change.announced)])
    return {one: announced.get(one, 0) + more[one] for one in (*announced, *more)}


def _comparable(change: Change, texts: Mapping[str, Text]) -> tuple[Change, tuple[Transition, ...]]:
    """Return the change without the transitions of which a text was removed, and those.

    What they changed can be neither told nor kept; the revisions on both sides stay what they are.
    """
    untold = tuple(t for t in change.appeared if not {t.old_text, t.new_text} <= texts.keys())
    if not untold:
        return change, ()
    left_out = {t.id for t in untold}
    appeared = tuple(t for t in change.appeared if t.id not in left_out)
    announced = tuple(t for t in change.announced if t.id not in left_out)
    return replace(change, appeared=appeared, announced=announced), untold


def _seen(one: Loaded) -> bool:
    return bool(one.ledger.observations)


def _due(entry: Entry, names: Sequence[Alias]) -> articles.FeedEntry:
    updated = stamp_of(entry.claims, "modified")
    return articles.FeedEntry(
        url=names[0].name,
        guid=entry.guid,
        guid_name=names[1].name if len(names) > 1 else None,
        updated=updated.at if updated else None,
    )


def _feed_outcome(feed: FeedReading, *, first: bool, new: int) -> Outcome:
    if feed.seen is Seen.WORDING:
        return Outcome.NEW if first else Outcome.REVISED if new else Outcome.UNCHANGED
    return outcome_of(feed.seen)


def _texts(readings: Sequence[Reading]) -> dict[str, Text]:
    return {
        one.text_hash: Text(
            wording=one.wording, facts=one.facts, text_hash=one.text_hash, content_hash=one.content_hash
        )
        for one in readings
        if one.wording is not None and one.text_hash is not None and one.content_hash is not None
    }


def _hunk_hash(diff: Diff) -> str:
    """Return a hash of what was changed to what, wherever it stands: equal for one change made on many pages."""
    return sha256(canonical_json([(hunk.field, hunk.old.exact, hunk.new.exact) for hunk in diff.hunks]))[:32]
