"""Keep every revision of an article and drop the re-reads that changed nothing.

A ledger is a set of observations; its revisions are a fold over that set in the order of time. A reading is compared
with its neighbours in time, never with all earlier ones: an article that goes back to an older wording has changed
again, and readers want to know. Nothing here depends on the order in which captures arrived, and nothing asks a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from wirewatch.canonical import article_key, canonical_json, diff_id, revision_id
from wirewatch.model import Availability, Claim, Observation, Outcome, Reading, Revision, Seen, Track

SUSPECT_SHARE: Final = 0.25  # of the neighbour's length; below it a page is more often broken than rewritten
SUSPECT_OBSERVATIONS: Final = 3
SUSPECT_SPAN: Final = timedelta(hours=6)
STALE_SPAN: Final = timedelta(minutes=10)  # caches that still hold an older copy have mostly expired by then
GONE_OBSERVATIONS: Final = 3
GONE_SPAN: Final = timedelta(days=1)

_OUTCOME_OF: Final = {
    Seen.MISSING: Outcome.FAILED,
    Seen.GONE: Outcome.GONE,
    Seen.BLOCKED: Outcome.BLOCKED,
    Seen.FAILED: Outcome.FAILED,
    Seen.REFUSED: Outcome.REFUSED,
    Seen.INVALID: Outcome.INVALID,
    Seen.NOT_MODIFIED: Outcome.NOT_MODIFIED,
}
_AVAILABILITY_OF: Final = {
    Seen.BLOCKED: Availability.BLOCKED,
    Seen.FAILED: Availability.FAILING,
    Seen.REFUSED: Availability.REFUSED,
    Seen.INVALID: Availability.FAILING,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rereading:
    """What a kept page says under another extractor than the one that read it first."""

    content_hash: str
    extractor: str
    new_extractor: str
    new_content_hash: str
    new_text_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """An article's observations, sorted by time and content hash, and the rereadings of its kept pages."""

    article: str
    observations: tuple[Observation, ...] = ()
    rereadings: tuple[Rereading, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """One revision and the next. The text hashes name the two wordings to compare, read by the same extractor."""

    id: str
    occurrence: int
    old: Revision
    new: Revision
    old_text: str
    new_text: str

    @property
    def technical(self) -> bool:
        return self.new.technical

    @property
    def says(self) -> tuple[object, ...]:
        """Everything that a diff of this transition is made from; while it is equal, the diff is."""
        return (
            (self.old.id, self.old_text, self.old.stamp, self.old.last_observed),
            (self.new.id, self.new_text, self.new.modified, self.new.first_observed, self.technical),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Restamp:
    """Same words, and the publisher's modified stamp moved. `n` counts this stamp's arrivals in this revision."""

    revision: Revision
    observed: datetime
    old: Claim | None
    new: Claim
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """The article went away or came back."""

    kind: Literal["withdrawn", "returned"]
    observed: datetime
    detail: str
    revision: Revision


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """A wording that is not believed yet, and since when."""

    kind: Literal["stale", "suspect"]
    content_hash: str
    first_observed: datetime
    observations: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Want:
    """A kept page to be read again, because two neighbours were read by different extractors."""

    content_hash: str
    extractor: str
    page_hash: str
    url: str
    observed: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What follows from a ledger. `outcomes` stand beside its observations, one for one."""

    revisions: tuple[Revision, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    transitions: tuple[Transition, ...] = ()
    restamps: tuple[Restamp, ...] = ()
    passages: tuple[Passage, ...] = ()
    availability: Availability = Availability.AVAILABLE
    available_since: datetime | None = None  # since when `availability` has been what it is
    last_change: datetime | None = None
    pending: Pending | None = None
    wants: tuple[Want, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What one reading did to a ledger: the histories before and after, and what is new between them.

    `counted` is the one counter the capture ends in. `appeared` holds the transitions that are new or whose texts,
    stamps or window are, `vanished` those that are no more. Of these, `announced` and `retracted` are to be said aloud:
    technical ones never are, and a window that only narrowed is no news.
    """

    before: History
    after: History
    counted: Outcome
    first_sight: bool = False
    appeared: tuple[Transition, ...] = ()
    announced: tuple[Transition, ...] = ()
    vanished: tuple[Transition, ...] = ()
    retracted: tuple[Transition, ...] = ()
    restamps: tuple[Restamp, ...] = ()
    passages: tuple[Passage, ...] = ()

    @property
    def recorded(self) -> tuple[Revision, ...]:
        """The revisions that are new under this article's name."""
        before = {revision.id for revision in self.before.revisions}
        return tuple(revision for revision in self.after.revisions if revision.id not in before)

    @property
    def says_something(self) -> bool:
        """Tell whether there is anything to say aloud."""
        return bool(self.recorded or self.announced or self.retracted or self.restamps or self.passages)


def observe(reading: Reading) -> Observation:
    """Return what is kept of a reading for ever."""
    return Observation(
        observed=reading.observed.astimezone(UTC),
        url=reading.url,
        seen=reading.seen,
        detail=reading.detail,
        content_hash=reading.content_hash,
        text_hash=reading.text_hash,
        length=reading.length,
        claims=reading.claims,
        flags=reading.flags,
        paywalled=reading.paywalled,
        extractor=reading.extractor,
        page_hash=reading.page_hash,
        track=reading.track,
    )


def record(
    ledger: Ledger, reading: Reading | None, again: Iterable[Rereading] = (), others: Sequence[Ledger] = ()
) -> tuple[Ledger, Change]:
    """Return the ledger with `reading` in its place in time, and what that changes.

    `again` holds readings of kept pages by the extractor of `reading`, for neighbours read by another one; which are
    wanted is said by `change.after.wants`. `others` are ledgers of articles that turned out to be this one: theirs is
    added, and what was announced under their names is not announced again; without a reading, that is all that is
    done. Total: no reading is refused.
    """
    new = () if reading is None else (observe(reading),)
    grown = join(ledger.article, [ledger, *others, Ledger(article="", observations=new, rereadings=tuple(again))])
    before, after = fold(ledger), fold(grown)
    own = Outcome.DUPLICATE
    if new and not any(new[0] in one.observations for one in (ledger, *others)):
        own = after.outcomes[grown.observations.index(new[0])]
    return grown, _change(before, after, [fold(other) for other in others], own)


def earliest(ledgers: Iterable[Ledger]) -> str | None:
    """Return the key under which an article with these observations lives: that of the address asked first.

    Of several asked at one moment it is the smaller key. None where nothing was observed.
    """
    asked = [(o.observed, article_key(o.url)) for ledger in ledgers for o in ledger.observations]
    return min(asked)[1] if asked else None


def join(article: str, ledgers: Iterable[Ledger]) -> Ledger:
    """Return one ledger with the observations and rereadings of all, each once, under `article`."""
    observations = {o for ledger in ledgers for o in ledger.observations}
    rereadings = {r for ledger in ledgers for r in ledger.rereadings}
    return Ledger(
        article=article,
        observations=tuple(sorted(observations, key=_place)),
        rereadings=tuple(sorted(rereadings, key=canonical_json)),
    )


def _change(before: History, after: History, others: Sequence[History], own: Outcome) -> Change:
    told = [t for other in others for t in other.transitions if not t.technical]
    says_before = {t.id: t.says for t in before.transitions}
    aloud_before = {t.id for t in before.transitions if not t.technical}
    aloud_before |= {t.id for t in after.transitions if any(_same_words(t, other) for other in told)}
    aloud_after = {t.id for t in after.transitions if not t.technical}
    live = {t.id for t in after.transitions}
    known = [history for history in (before, *others) if history.revisions]
    restamps = {_restamped(r) for history in known for r in history.restamps}
    passages = {(p.kind, p.observed) for history in known for p in history.passages}
    return Change(
        before=before,
        after=after,
        counted=_counted(known, after, own),
        first_sight=bool(after.revisions) and not known,
        appeared=tuple(t for t in after.transitions if says_before.get(t.id) != t.says),
        announced=tuple(t for t in after.transitions if t.id in aloud_after - aloud_before),
        vanished=tuple(t for t in before.transitions if t.id not in live),
        retracted=tuple(t for t in before.transitions if t.id in aloud_before - aloud_after),
        restamps=tuple(r for r in after.restamps if _restamped(r) not in restamps),
        passages=tuple(p for p in after.passages if (p.kind, p.observed) not in passages),
    )


def _same_words(one: Transition, other: Transition) -> bool:
    return (one.old.content_hash, one.new.content_hash) == (other.old.content_hash, other.new.content_hash)


def _restamped(restamp: Restamp) -> tuple[str, int, datetime | None, int]:
    return (*_spoken_of(restamp.revision), restamp.new.at, restamp.n)


def _spoken_of(revision: Revision) -> tuple[str, int]:
    """Return what a revision is known by under every name of its article; its id is of one name."""
    return (revision.content_hash, revision.occurrence)


def fold(ledger: Ledger) -> History:
    """Return the history that follows from a ledger: its revisions, and each observation's outcome.

    A page under a quarter of its neighbour's length is `suspect` until three observations over at least 6 hours
    agree; an older wording with an older stamp is `stale` until it is seen again at least 10 minutes later with no
    other wording between. Neither rule applies to feed entries. Both are then revisions, dated at first sight.
    """
    walk = _Walk(ledger)
    for index, observation in enumerate(ledger.observations):
        walk.take(index, observation)
    return walk.history()


def outcome_of(seen: Seen) -> Outcome:
    """Return the outcome of a capture that showed no wording, for one of which no ledger is kept."""
    return _OUTCOME_OF[seen]


def stamp_of(claims: Sequence[Claim], kind: Literal["published", "modified"]) -> Claim | None:
    """Return the most trusted readable claim of that kind; claims stand in order of trust."""
    return next((c for c in claims if c.kind == kind and c.at is not None), None)


@dataclass(kw_only=True)
class _Spell:
    """A stretch of time in which one wording stood: a revision in the making."""

    forms: dict[str, tuple[str, str]]  # by extractor: content hash and text hash
    first: Observation
    last_observed: datetime
    stamps: dict[str, Claim]  # the latest modified claim, by where it was read
    stamp: Claim | None
    occurrence: int
    technical: bool
    texts: tuple[str, str] | None  # text hashes to compare with the spell before: old, new


@dataclass(kw_only=True)
class _Doubt:
    """A wording that is not believed yet."""

    kind: Literal["stale", "suspect"]
    forms: dict[str, tuple[str, str]]
    taken: list[tuple[int, Observation]]


@dataclass
class _Walk:
    """The state of the fold as it walks through time."""

    ledger: Ledger
    spells: list[_Spell] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    doubt: _Doubt | None = None
    latest: dict[str, Observation] = field(default_factory=dict)  # the last full observation of each content hash
    restamps: list[tuple[int, datetime, Claim | None, Claim]] = field(default_factory=list)
    passages: list[tuple[Literal["withdrawn", "returned"], datetime, str, int]] = field(default_factory=list)
    missing: list[datetime] = field(default_factory=list)
    gone: bool = False
    availability: Availability = Availability.AVAILABLE
    since: datetime | None = None
    wants: dict[str, Want] = field(default_factory=dict)

    def take(self, index: int, observation: Observation) -> None:
        if observation.seen is Seen.WORDING:
            self.latest[observation.content_hash or ""] = observation
            self._take_wording(index, observation, Outcome.UNCHANGED)
            return
        known = self.latest.get(observation.content_hash or "") if observation.seen is Seen.NOT_MODIFIED else None
        if known is not None:
            confirmed = replace(known, observed=observation.observed, url=observation.url)
            self._take_wording(index, confirmed, Outcome.NOT_MODIFIED)
            return
        self._take_absence(observation)

    def history(self) -> History:
        revisions = self._revisions()
        return History(
            revisions=revisions,
            outcomes=tuple(self.outcomes),
            transitions=self._transitions(revisions),
            restamps=self._restamps(revisions),
            passages=self._passages(revisions),
            availability=self.availability,
            available_since=self.since,
            last_change=revisions[-1].first_observed if revisions else None,
            pending=self._pending(),
            wants=tuple(self.wants[key] for key in sorted(self.wants)),
        )

    # Wordings

    def _take_wording(self, index: int, o: Observation, same: Outcome) -> None:
        outcome = self._judge(index, o, same)
        self.outcomes.append(outcome)
        if outcome is Outcome.SUSPECT:
            self._be(Availability.SUSPECT if not self.gone else Availability.GONE, o.observed)
            return
        if self.passages and self.passages[-1][0] == "withdrawn":
            self.passages.append(("returned", o.observed, "", len(self.spells) - 1))
        self.gone = False
        self.missing.clear()
        self._be(Availability.PAYWALLED if o.paywalled else Availability.AVAILABLE, o.observed)

    def _judge(self, index: int, o: Observation, same: Outcome) -> Outcome:
        forms = self._forms(o)
        if not self.spells:
            self._begin(o, forms, texts=None, technical=False)
            return Outcome.NEW
        current = self.spells[-1]
        alike = _alike(current.forms, forms, o)
        if alike is True:
            self.doubt = None
            current.forms = {**forms, **current.forms}
            return self._seen_again(current, o, same)
        kind = self._doubtful(current, o, forms)
        if kind is None:
            self.doubt = None
            self._begin_after(current, o, forms, known_different=alike is False)
            return Outcome.REVISED
        if self.doubt is None or self.doubt.kind != kind or _alike(self.doubt.forms, forms, o) is not True:
            self.doubt = _Doubt(kind=kind, forms=forms, taken=[])
        self.doubt.taken.append((index, o))
        return self._believe_or_wait(current, same)

    def _doubtful(
        self, current: _Spell, o: Observation, forms: dict[str, tuple[str, str]]
    ) -> Literal["stale", "suspect"] | None:
        if Track.ENTRIES in (o.track, current.first.track):
            return None
        if o.length < SUSPECT_SHARE * current.first.length:
            return "suspect"
        stood_before = any(_alike(spell.forms, forms, o) is True for spell in self.spells[:-1])
        ours, theirs = _newest_stamp(o.claims), _newest_stamp(tuple(current.stamps.values()) + current.first.claims)
        if stood_before and ours is not None and theirs is not None and ours < theirs:
            return "stale"
        return None

    def _believe_or_wait(self, current: _Spell, same: Outcome) -> Outcome:
        assert self.doubt is not None
        kind, taken = self.doubt.kind, self.doubt.taken
        span = taken[-1][1].observed - taken[0][1].observed
        believed = (
            span >= STALE_SPAN if kind == "stale" else span >= SUSPECT_SPAN and len(taken) >= SUSPECT_OBSERVATIONS
        )
        if not believed:
            return Outcome.STALE if kind == "stale" else Outcome.SUSPECT
        forms = self.doubt.forms
        self.doubt = None
        self._begin_after(
            current, taken[0][1], forms, known_different=_alike(current.forms, forms, taken[0][1]) is False
        )
        # Its first sight was the revision; what only looked doubtful between was a re-read of it.
        self.outcomes[taken[0][0]] = Outcome.REVISED
        for place, o in taken[1:]:
            outcome = self._seen_again(self.spells[-1], o, Outcome.UNCHANGED)
            if place < len(self.outcomes):
                self.outcomes[place] = outcome
        return outcome if same is Outcome.UNCHANGED else same

    def _begin_after(
        self, current: _Spell, o: Observation, forms: dict[str, tuple[str, str]], *, known_different: bool
    ) -> None:
        if known_different:
            extractor = _shared(current.forms, forms)
            texts = (current.forms[extractor][1], forms[extractor][1])
        else:
            texts = (current.first.text_hash or "", o.text_hash or "")
            self._want(current.first)
            self._want(o)
        self._begin(o, forms, texts=texts, technical=not known_different)

    def _begin(
        self, o: Observation, forms: dict[str, tuple[str, str]], *, texts: tuple[str, str] | None, technical: bool
    ) -> None:
        self.spells.append(
            _Spell(
                forms=forms,
                first=o,
                last_observed=o.observed,
                stamps=_stamps(o.claims),
                stamp=_first_modified(o.claims),
                occurrence=1 + sum(s.first.content_hash == o.content_hash for s in self.spells),
                technical=technical,
                texts=texts,
            )
        )

    def _seen_again(self, spell: _Spell, o: Observation, same: Outcome) -> Outcome:
        spell.last_observed = o.observed
        if same is Outcome.NOT_MODIFIED:
            return same
        moved = _moved_stamp(spell, o)
        read = _stamps(o.claims)
        spell.stamps |= {where: claim for where, claim in read.items() if not _older(claim, spell.stamps.get(where))}
        if moved is None:
            return same
        self.restamps.append((len(self.spells) - 1, o.observed, spell.stamp, moved))
        spell.stamp = moved
        return Outcome.RESTAMPED

    def _forms(self, o: Observation) -> dict[str, tuple[str, str]]:
        forms = {o.extractor or "": (o.content_hash or "", o.text_hash or "")}
        for r in self.ledger.rereadings:
            if r.content_hash == o.content_hash and r.extractor == o.extractor:
                forms[r.new_extractor] = (r.new_content_hash, r.new_text_hash)
        return forms

    def _want(self, o: Observation) -> None:
        if o.content_hash and o.extractor and o.page_hash:
            self.wants[o.content_hash] = Want(
                content_hash=o.content_hash,
                extractor=o.extractor,
                page_hash=o.page_hash,
                url=o.url,
                observed=o.observed,
            )

    # Absences

    def _take_absence(self, o: Observation) -> None:
        if o.seen is Seen.MISSING:
            self.missing.append(o.observed)
        confirmed = o.seen is Seen.GONE or (
            len(self.missing) >= GONE_OBSERVATIONS and self.missing[-1] - self.missing[0] >= GONE_SPAN
        )
        if self.gone:
            still = o.seen in (Seen.MISSING, Seen.GONE)
            self.outcomes.append(Outcome.GONE if still else _OUTCOME_OF[o.seen])
            return
        if confirmed and o.seen in (Seen.MISSING, Seen.GONE):
            self.gone = True
            self.outcomes.append(Outcome.GONE)
            self._be(Availability.GONE, o.observed)
            detail = o.detail if o.seen is Seen.GONE else f"{o.detail} {len(self.missing)} times over a day"
            if self.spells:
                self.passages.append(("withdrawn", o.observed, detail, len(self.spells) - 1))
            return
        self.outcomes.append(_OUTCOME_OF[o.seen])
        if o.seen is not Seen.NOT_MODIFIED:
            self._be(_AVAILABILITY_OF.get(o.seen, Availability.MISSING), o.observed)

    def _be(self, availability: Availability, observed: datetime) -> None:
        if self.since is None or availability is not self.availability:
            self.availability, self.since = availability, observed

    # Results

    def _revisions(self) -> tuple[Revision, ...]:
        revisions: list[Revision] = []
        for place, spell in enumerate(self.spells):
            before = revisions[-1] if revisions else None
            first, published = spell.first, stamp_of(spell.first.claims, "published")
            modified = _first_modified(first.claims)
            revisions.append(
                Revision(
                    id=revision_id(self.ledger.article, first.content_hash or "", spell.occurrence),
                    article=self.ledger.article,
                    version=place + 1,
                    occurrence=spell.occurrence,
                    content_hash=first.content_hash or "",
                    text_hash=first.text_hash or "",
                    url=first.url,
                    first_observed=first.observed,
                    last_observed=spell.last_observed,
                    first_created=before.first_created if before else _past(published, first) or first.observed,
                    version_created=_version_created(before, first, modified, published),
                    published=published,
                    modified=modified,
                    stamp=spell.stamp,
                    earlier_wording_unseen=before is None and _updated_before_first_sight(first, published, modified),
                    technical=spell.technical,
                    extractor=first.extractor,
                    page_hash=first.page_hash,
                )
            )
        return tuple(revisions)

    def _transitions(self, revisions: Sequence[Revision]) -> tuple[Transition, ...]:
        counts: dict[tuple[str, str], int] = {}
        transitions = []
        for spell, old, new in zip(self.spells[1:], revisions, revisions[1:], strict=False):
            pair = (old.content_hash, new.content_hash)
            counts[pair] = counts.get(pair, 0) + 1
            old_text, new_text = spell.texts or ("", "")
            transitions.append(
                Transition(
                    id=diff_id(self.ledger.article, *pair, counts[pair]),
                    occurrence=counts[pair],
                    old=old,
                    new=new,
                    old_text=old_text,
                    new_text=new_text,
                )
            )
        return tuple(transitions)

    def _restamps(self, revisions: Sequence[Revision]) -> tuple[Restamp, ...]:
        counts: dict[tuple[int, datetime | None], int] = {}
        restamps = []
        for place, observed, old, new in self.restamps:
            counts[place, new.at] = counts.get((place, new.at), 0) + 1
            restamps.append(
                Restamp(revision=revisions[place], observed=observed, old=old, new=new, n=counts[place, new.at])
            )
        return tuple(restamps)

    def _passages(self, revisions: Sequence[Revision]) -> tuple[Passage, ...]:
        return tuple(
            Passage(kind=kind, observed=observed, detail=detail, revision=revisions[place])
            for kind, observed, detail, place in self.passages
        )

    def _pending(self) -> Pending | None:
        if self.doubt is None:
            return None
        return Pending(
            kind=self.doubt.kind,
            content_hash=self.doubt.taken[0][1].content_hash or "",
            first_observed=self.doubt.taken[0][1].observed,
            observations=len(self.doubt.taken),
        )


def _alike(a: dict[str, tuple[str, str]], b: dict[str, tuple[str, str]], o: Observation) -> bool | None:
    """Return whether two wordings are the same, or None where no extractor has read both and the hashes differ.

    `b` is what `o` says. The extractor that read it first decides if it has read `a` too: what it told apart stays
    apart, whatever a later one makes of the kept pages.
    """
    if (native := o.extractor or "") in a:
        return a[native][0] == o.content_hash
    if {content for content, _ in a.values()} & {content for content, _ in b.values()}:
        return True
    return None if a.keys().isdisjoint(b) else False


def _shared(a: dict[str, tuple[str, str]], b: dict[str, tuple[str, str]]) -> str:
    return max(a.keys() & b.keys())


def _countable(claim: Claim) -> bool:
    """Tell whether a modified claim can move: readable, and a time of its own rather than "3 hours ago"."""
    return claim.kind == "modified" and claim.at is not None and "relative" not in claim.flags


def _stamps(claims: Sequence[Claim]) -> dict[str, Claim]:
    """Return the most trusted modified claim of each place where one was read."""
    return {claim.where: claim for claim in reversed(claims) if _countable(claim)}


def _first_modified(claims: Sequence[Claim]) -> Claim | None:
    return next((c for c in claims if _countable(c)), None)


def _moved_stamp(spell: _Spell, o: Observation) -> Claim | None:
    """Return the claim that moved on, compared with one read in the same place where there is one.

    An older stamp over the same words is a copy from a cache; it moves nothing.
    """
    ours = [c for c in o.claims if _countable(c)]
    if not ours:
        return None
    claim = next((c for c in ours if c.where in spell.stamps), ours[0])
    last = spell.stamps.get(claim.where, spell.stamp)
    return claim if last is None or _older(last, claim) else None


def _older(one: Claim, other: Claim | None) -> bool:
    """Tell whether a claim lies before the other: by the minute if one of them states no seconds, as many do not.

    So are claims of two places compared, which are seldom written at one moment. Within a place seconds count: of
    20,780 news articles whose stamp alone was moved, 16 had it moved within a minute.
    """
    if one.at is None or other is None or other.at is None:
        return False
    if one.where != other.where or not (_states_seconds(one.at) and _states_seconds(other.at)):
        return _minute(one.at) < _minute(other.at)
    return one.at < other.at


def _states_seconds(at: datetime) -> bool:
    return at != _minute(at)


def _newest_stamp(claims: Sequence[Claim]) -> datetime | None:
    modified = [c.at for c in claims if _countable(c) and c.at is not None]
    published = stamp_of(claims, "published")
    if modified:
        return _minute(max(modified))
    return _minute(published.at) if published and published.at else None


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _past(claim: Claim | None, o: Observation) -> datetime | None:
    """Return the claimed time unless there is none or it lies after the moment it was read."""
    if claim is None or claim.at is None or claim.at > o.observed:
        return None
    return claim.at


def _version_created(
    before: Revision | None, first: Observation, modified: Claim | None, published: Claim | None
) -> datetime:
    if before is None:
        return _past(modified or published, first) or first.observed
    stated, last = _past(modified, first), before.stamp
    moved = last is None or last.at is None or _older(last, modified)
    return stated if stated is not None and moved else first.observed


def _updated_before_first_sight(first: Observation, published: Claim | None, modified: Claim | None) -> bool:
    created, changed = _past(published, first), _past(modified, first)
    return created is not None and changed is not None and _minute(changed) > _minute(created)


def _counted(known: Sequence[History], after: History, own: Outcome) -> Outcome:
    """Return the capture's counter: what it did to what was known, or else what it is."""
    if own is Outcome.DUPLICATE:
        return own
    if not known and after.revisions:
        return Outcome.NEW
    revisions = {_spoken_of(revision) for history in known for revision in history.revisions}
    if any(_spoken_of(revision) not in revisions for revision in after.revisions):
        return Outcome.REVISED
    if own in (Outcome.NEW, Outcome.REVISED):  # it re-dated a revision that was known
        return Outcome.UNCHANGED
    return own


@dataclass(frozen=True, slots=True)
class _Whole:
    """Orders two observations of one moment and content by all they say; dear, and asked for only then."""

    o: Observation

    def __lt__(self, other: _Whole) -> bool:
        return canonical_json(self.o) < canonical_json(other.o)


def _place(o: Observation) -> tuple[datetime, str, _Whole]:
    return (o.observed, o.content_hash or "", _Whole(o))
