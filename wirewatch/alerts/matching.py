"""Match what is about to be said with the rules of those who want to know; decided before it is kept, and pure.

What nobody may be alerted by never comes here: a first sight, and whatever was kept as back-fill or is technical.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from wirewatch.alerts.rules import Matcher, Rule, Subject
from wirewatch.store.alerts import Match, match_id
from wirewatch.store.hosts import host_of

if TYPE_CHECKING:
    from wirewatch.announcing import Known, News

_MATCHED: Final = ("revised", "restamped", "withdrawn", "returned")
SETTLE_SECONDS: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Alerting:
    """A deployment's rules, and how long what they match waits for what may still change it."""

    rules: tuple[Rule, ...] = ()
    settle_seconds: float = SETTLE_SECONDS

    @cached_property
    def matcher(self) -> Matcher:
        return Matcher(self.rules)

    @property
    def settle(self) -> timedelta:
        return timedelta(seconds=self.settle_seconds)

    def matches(self, article: str, said: Iterable[News], known: Known, hunk_hashes: Mapping[str, str]) -> list[Match]:
        """Return what the rules match of all that is said of an article; `hunk_hashes` are by diff."""
        if not self.rules or known.backfill:
            return []
        found: list[Match] = []
        for news in said:
            if news.happened in _MATCHED:
                found += self._of(article, news, subject_of(news, known), known.recorded, hunk_hashes)
        return found

    def _of(
        self, article: str, news: News, subject: Subject, now: datetime, hunk_hashes: Mapping[str, str]
    ) -> Iterator[Match]:
        diff = news.transition.id if news.transition else None
        for found in self.matcher.matches(subject):
            for channel in found.channels:
                yield Match(
                    id=match_id(news.item, found.rule, channel),
                    article=article,
                    host=host_of(subject.url),
                    happened=subject.happened,
                    event=news.item,
                    rule=found.rule,
                    channel=channel,
                    why=found.why,
                    matched=now,
                    ripe=now + self.settle,
                    diff=diff,
                    hunk_hash=hunk_hashes.get(diff or ""),
                )

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was made of the rules, which no other process can be given."""
        return {"rules": self.rules, "settle_seconds": self.settle_seconds}


NO_ALERTS: Final = Alerting()


def retractions(said: Iterable[News]) -> dict[str, str]:
    """Return which events are taken back, by id, and by which."""
    return {news.retracts: news.item for news in said if news.retracts is not None}


def subject_of(news: News, known: Known) -> Subject:
    """Return what a rule is asked about."""
    from wirewatch.records import stated_language, stated_publisher  # noqa: PLC0415 (a configuration has no records)

    assert news.happened is not None
    assert news.revision is not None
    wording, facts = known.texts.get(news.revision.text_hash, (None, None))
    old, new, diff, verdict = None, wording, None, None
    if news.transition is not None:
        diff, verdict = known.diffs[news.transition.id]
        old, new = (known.texts[one][0] for one in (news.transition.old_text, news.transition.new_text))
    elif news.happened == "withdrawn":
        old, new = wording, None
    source = known.source
    return Subject(
        happened=news.happened,
        url=news.revision.url,
        feed=source.feed,
        feed_name=source.feed_name,
        publisher=stated_publisher(facts, source) if facts else source.publisher,
        section=(wording.section if wording else None) or source.section,
        language=stated_language(facts, source) if facts else source.language,
        old=old,
        new=new,
        diff=diff,
        verdict=verdict,
    )
