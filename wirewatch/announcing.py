"""Say what a change of a ledger means for readers: the records and events that go to the sinks.

An event is built once and kept finished; its id is made of what it is about, its kind, and how often that was said
before, so that one id never carries two contents. What is technical, or was said under a name that the article had
before, is not said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from wirewatch import events
from wirewatch.canonical import event_id, timestamp
from wirewatch.model import Alias, Diff, Facts, Happened, Instance, Revision, Source, Verdict, Wording
from wirewatch.records import ninjs_record, stated_language, stated_publisher
from wirewatch.revisions import Change, Passage, Restamp, Transition


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """One finished record or event. `item` is the revision's id or the event's.

    Of an event, `happened` says what, `revision` which wording it is about; `transition` is that of a change of words,
    and `retracts` the event that this one takes back.
    """

    kind: Literal["record", "event"]
    item: str
    payload: str
    happened: Happened | None = None
    revision: Revision | None = None
    transition: Transition | None = None
    retracts: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is needed to tell of an article beside the change: who tells, when, of a capture of when, and the texts.

    `texts` gives wording and facts by text hash; `diffs` the diff and verdict of each announced transition by id;
    `announced` how often each diff was announced or taken back.
    """

    instance: Instance
    recorded: datetime
    observed: datetime
    source: Source
    aliases: Sequence[Alias]
    texts: Mapping[str, tuple[Wording, Facts]]
    diffs: Mapping[str, tuple[Diff, Verdict]]
    announced: Mapping[str, int]
    backfill: bool = False
    paywalled: bool = False


def news(article: str, change: Change, known: Known, merged: Sequence[str] = ()) -> list[News]:
    """Return what there is to say of a change, in the order in which it happened.

    `merged` are keys of articles that turned out to be this one, and that something was said of before. A revision
    whose text was removed has no record.
    """
    said: list[News] = []
    tell = _Teller(article=article, change=change, known=known)
    said += [tell.merged(other) for other in merged]
    said += [tell.retracted(one) for one in change.retracted if stands(known.announced.get(one.id, 0))]
    said += [tell.record(revision) for revision in change.recorded if revision.text_hash in known.texts]
    if change.first_sight:
        said.append(tell.published(change.after.revisions[0]))
    said += [tell.revised(transition) for transition in change.announced]
    said += [tell.restamped(restamp) for restamp in change.restamps]
    said += [tell.passed(passage) for passage in change.passages]
    return said


def stands(announced: int) -> bool:
    """Tell whether a diff that was announced or taken back so often has been announced and not taken back."""
    return announced % 2 == 1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Teller:
    article: str
    change: Change
    known: Known

    def published(self, revision: Revision) -> News:
        return self._event(
            "published",
            event_id(self.article, "published", 0),
            lambda common: events.published(current=revision, **common),
            revision,
        )

    def revised(self, transition: Transition) -> News:
        diff, verdict = self.known.diffs[transition.id]
        return self._event(
            "revised",
            event_id(transition.id, "revised", self.known.announced.get(transition.id, 0)),
            lambda common: events.revised(
                previous=transition.old, current=transition.new, diff=diff, verdict=verdict, **common
            ),
            transition.new,
            transition=transition,
        )

    def retracted(self, transition: Transition) -> News:
        n = self.known.announced[transition.id]
        retracts = event_id(transition.id, "revised", n - 1)
        return self._event(
            "retracted",
            event_id(transition.id, "retracted", n),
            lambda common: events.retracted(article=self.article, retracts=retracts, url=transition.new.url, **common),
            transition.new,
            retracts=retracts,
        )

    def restamped(self, restamp: Restamp) -> News:
        subject = f"{restamp.revision.id} {timestamp(restamp.new.at) if restamp.new.at else ''}"
        return self._event(
            "restamped",
            event_id(subject, "restamped", restamp.n),
            lambda common: events.restamped(
                current=restamp.revision,
                observed=restamp.observed,
                new_stamp=restamp.new,
                old_stamp=restamp.old,
                **common,
            ),
            restamp.revision,
        )

    def passed(self, passage: Passage) -> News:
        def build(common: events.Common) -> dict[str, Any]:
            if passage.kind == "withdrawn":
                return events.withdrawn(
                    last=passage.revision, observed=passage.observed, reason=passage.detail, **common
                )
            return events.returned(current=passage.revision, observed=passage.observed, **common)

        # Not by its place among the article's: a late capture may add an earlier one, which is to be said too.
        subject = f"{self.article} {timestamp(passage.observed)}"
        return self._event(passage.kind, event_id(subject, passage.kind, 0), build, passage.revision)

    def merged(self, other: str) -> News:
        revision = self.change.after.revisions[-1]
        return self._event(
            "merged",
            event_id(f"{other} {self.article} {timestamp(self.known.observed)}", "merged", 0),
            lambda common: events.merged(
                article=other,
                survivor=self.article,
                observed=self.known.observed,
                url=revision.url,
                **common,
            ),
            revision,
        )

    def record(self, revision: Revision) -> News:
        revisions, place = self.change.after.revisions, revision.version - 1
        wording, facts = self.known.texts[revision.text_hash]
        record = ninjs_record(
            instance=self.known.instance,
            revision=revision,
            previous=revisions[place - 1] if place else None,
            wording=wording,
            facts=facts,
            source=self.known.source,
            aliases=self.known.aliases,
            paywalled=self.known.paywalled,
        )
        return News(kind="record", item=revision.id, payload=events.serialise(record))

    def _event(
        self,
        happened: Happened,
        id_: str,
        build: Callable[[events.Common], dict[str, Any]],
        revision: Revision,
        *,
        transition: Transition | None = None,
        retracts: str | None = None,
    ) -> News:
        current = self.change.after.revisions[-1] if self.change.after.revisions else revision
        wording, facts = self.known.texts.get(current.text_hash, (Wording(), Facts()))
        common: events.Common = {
            "event_id": id_,
            "instance": self.known.instance,
            "recorded": self.known.recorded,
            "headline": wording.headline,
            "publisher": stated_publisher(facts, self.known.source),
            "language": stated_language(facts, self.known.source),
            "backfill": self.known.backfill,
        }
        return News(
            kind="event",
            item=id_,
            payload=events.serialise(build(common)),
            happened=happened,
            revision=revision,
            transition=transition,
            retracts=retracts,
        )
