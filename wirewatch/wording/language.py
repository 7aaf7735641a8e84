"""Say what a language has to say: the sentences of Wirewatch, each with its few variable parts.

What is the same in every language (which clauses, in which order, how many) stands here; a language's own module has
nothing but words and their grammar.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from wirewatch.model import Diff, Reason, Wording
from wirewatch.redline import Labels
from wirewatch.wording.clauses import Clause, Place, Quote, clauses, weightiest

_CLAUSES: Final = 4  # named one by one; the rest are counted
_LEADING: Final = 2  # in the first line of an alert
Unit = Literal["minute", "hour", "day"]
# Up to which number of seconds a time is told in a unit: 63 minutes, 26 hours, 3 days.
_UNITS: Final[tuple[tuple[float, int, Unit], ...]] = ((7200, 60, "minute"), (172_800, 3600, "hour"))
_DAY: Final = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A length of time, rounded to whole units."""

    count: int
    unit: Unit


def span(seconds: float) -> Span:
    """Return a length of time as people say it: minutes up to two hours, hours up to two days, then days."""
    for limit, size, unit in _UNITS:
        if seconds < limit:
            return Span(count=round(seconds / size), unit=unit)
    return Span(count=round(seconds / _DAY), unit="day")


class Language(ABC):
    """Put changes and what goes with them into the words of one language."""

    tag: str
    labels: Labels
    words: Mapping[str, str]
    """What templates print: see `wirewatch/alerts/templates`. Each language has the same keys."""

    # Changes

    def sentence(self, diff: Diff, new: Wording) -> str:
        """Return what changed, up to four things one by one."""
        return self._told(diff, clauses(diff, new), _CLAUSES)

    def lead(self, diff: Diff, new: Wording, reasons: Sequence[Reason], most: int = _LEADING) -> str:
        """Return what matters most of a change, as many things as `most`, and how much more there is.

        `reasons` give the order, heaviest first. A number that became another has the word behind it: `changed 12 to 15
        killed in paragraph 3`.
        """
        return self._told(diff, weightiest(diff, new, reasons), most)

    def _told(self, diff: Diff, found: Mapping[Clause, Sequence[Place]], most: int) -> str:
        if not found:
            return self.only_form() if diff.hunks else self.nothing()
        told = [self.clause(clause, places) for clause, places in list(found.items())[:most]]
        rest = len(found) - most
        return self.listed([*told, self.more_changes(rest)] if rest > 0 else told)

    @abstractmethod
    def clause(self, clause: Clause, places: Sequence[Place]) -> str:
        """Return one thing that was done, with its places: a verb in the past, without a subject."""

    @abstractmethod
    def more_changes(self, count: int) -> str:
        """Return the last clause of a list: that there were so many more changes."""

    @abstractmethod
    def only_form(self) -> str:
        """Return that nothing but spacing or quote marks changed."""

    @abstractmethod
    def nothing(self) -> str:
        """Return that nothing changed."""

    @abstractmethod
    def listed(self, items: Sequence[str]) -> str:
        """Return a list in running text: a, b and c."""

    @abstractmethod
    def quoted(self, quote: Quote) -> str:
        """Return a quotation in the language's marks, with its number of words where it was cut."""

    # Times

    @abstractmethod
    def moment(self, at: datetime, zone: ZoneInfo) -> str:
        """Return a day and time of day with its zone."""

    @abstractmethod
    def window(self, begin: datetime | None, end: datetime, zone: ZoneInfo) -> str:
        """Return between which two moments something happened: `between 14:31 and 14:46 UTC`."""

    @abstractmethod
    def after_publication(self, least: Span, most: Span) -> str:
        """Return how long after publication something happened; both spans are the same where that is known."""

    # What else the first line of an alert says

    @abstractmethod
    def notice(self, disclosure: str, signal: str) -> str:
        """Return whether the publisher said so, or nothing where that is unknown."""

    @abstractmethod
    def revised_times(self, count: int) -> str:
        """Return that several successive changes are told as one."""

    @abstractmethod
    def happened(self, happened: str, headline: str, detail: str) -> str:
        """Return what happened to an article other than a change of its words: a verb in the past."""

    @abstractmethod
    def group(self, publisher: str, articles: int, change: str) -> str:
        """Return that many articles changed alike."""

    @abstractmethod
    def digest(self, first: str, others: int) -> str:
        """Return what a digest tells first, and of how many other stories."""

    @abstractmethod
    def taken_back(self, publisher: str, headline: str, change: str) -> str:
        """Return that an earlier alert no longer holds; `change` is what it said, where that is known."""

    @abstractmethod
    def taken_back_together(self, publisher: str, headline: str, others: int) -> str:
        """Return that an earlier alert no longer holds for an article, and for so many others."""

    @abstractmethod
    def more(self, count: int, rule: str) -> str:
        """Return how many alerts of a rule were held back."""

    @abstractmethod
    def and_more(self, count: int) -> str:
        """Return the end of a list that was cut."""

    @abstractmethod
    def many_alike(self, count: int) -> str:
        """Return that so many articles of the site changed in the same way."""
