"""English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from wirewatch.redline import ENGLISH
from wirewatch.wording.clauses import Clause, Place, Quote
from wirewatch.wording.language import Language, Span

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_FIELDS: Final = {"credit": "photo credit", "correction": "correction note"}


class English(Language):
    """Say it in English."""

    tag = "en"
    labels = ENGLISH
    words = {  # noqa: RUF012 (never written to)
        "article": "Article",
        "record": "Record",
        "history": "All revisions",
        "show": "Show all of it",
        "published": "Published",
        "updated": "Updated",
        "stamp_was": "before that",
        "changed": "Changed",
        "withdrawn": "Withdrawn",
        "returned": "Returned",
        "restamped": "Restamped",
        "first_seen": "First seen",
        "zone_assumed": "zone assumed",
        "merged": "Joined",
        "version": "version",
        "rule": "Rule",
        "sent": "Sent by Wirewatch",
        "unsteady": "This part of the page changes again and again, so the change may mean nothing",
        "stale": "The page went back to an older wording, which may be an old copy",
        "operator": "Wirewatch",
    }

    def clause(self, clause: Clause, places: Sequence[Place]) -> str:
        where = self.listed([_place(place) for place in places])
        if clause.did == "moved":
            return f"moved {self._quote(clause.old)} to {where}"
        if clause.did == "added":
            return f"added {self._quote(clause.new)} to {where}"
        if clause.did == "removed":
            return f"removed {self._quote(clause.old)} from {where}"
        if clause.counted is not None and clause.old and clause.new:
            counted = f" {clause.counted}" if clause.counted else ""
            return f"changed {clause.old.text} to {clause.new.text}{counted} in {where}"
        return f"changed {self._quote(clause.old)} to {self._quote(clause.new)} in {where}"

    def _quote(self, quote: Quote | None) -> str:
        return self.quoted(quote) if quote else ""

    def quoted(self, quote: Quote) -> str:
        return f'"{quote.text}" ({quote.words} words)' if quote.words else f'"{quote.text}"'

    def more_changes(self, count: int) -> str:
        return f"made {count} more {_plural(count, 'change')}"

    def only_form(self) -> str:
        return "changed only spacing or quote marks"

    def nothing(self) -> str:
        return "changed nothing"

    def listed(self, items: Sequence[str]) -> str:
        return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"

    def moment(self, at: datetime, zone: ZoneInfo) -> str:
        local = at.astimezone(zone)
        return f"{_day(local)}, {local:%H:%M %Z}"

    def window(self, begin: datetime | None, end: datetime, zone: ZoneInfo) -> str:
        last = end.astimezone(zone)
        if begin is None:
            return f"before {self.moment(end, zone)}"
        first = begin.astimezone(zone)
        if first.date() == last.date():
            first_zone = "" if first.utcoffset() == last.utcoffset() else f"{first: %Z}"
            return f"between {first:%H:%M}{first_zone} and {last:%H:%M %Z} on {_day(last)}"
        return f"between {self.moment(begin, zone)} and {self.moment(end, zone)}"

    def after_publication(self, least: Span, most: Span) -> str:
        if least == most:
            return f"{_span(most)} after publication"
        if not least.count:
            return f"within {_span(most)} of publication"
        if least.unit == most.unit:
            return f"{least.count} to {_span(most)} after publication"
        return f"{_span(least)} to {_span(most)} after publication"

    def notice(self, disclosure: str, signal: str) -> str:
        if signal == "correction":
            return "with a correction note"
        return {"undisclosed": "without notice", "disclosed": "with a new time stamp"}.get(disclosure, "")

    def revised_times(self, count: int) -> str:
        return f"in {count} steps"

    def happened(self, happened: str, headline: str, detail: str) -> str:
        how = f" ({detail})" if detail else ""
        return {
            "published": f'published "{headline}"',
            "withdrawn": f'withdrew "{headline}"{how}',
            "returned": f'put "{headline}" back',
            "restamped": f'gave "{headline}" a new time stamp and changed no word',
            "merged": f'joined "{headline}" with another article',
        }.get(happened, f'revised "{headline}"')

    def group(self, publisher: str, articles: int, change: str) -> str:
        return f"{publisher} made the same change in {articles} {_plural(articles, 'article')}: {change}"

    def digest(self, first: str, others: int) -> str:
        return f"{first}, and {others} more {_plural(others, 'story', 'stories')} changed"

    def taken_back(self, publisher: str, headline: str, change: str) -> str:
        what = f" ({change})" if change else ""
        return (
            f'Taken back: what you were told of "{headline}" by {publisher}{what} did not happen like that;'
            " what was found since shows other steps"
        )

    def taken_back_together(self, publisher: str, headline: str, others: int) -> str:
        return (
            f'Taken back: what you were told of "{headline}" by {publisher} and of {others} more'
            f" {_plural(others, 'story', 'stories')} did not happen like that"
        )

    def more(self, count: int, rule: str) -> str:
        return f'And {count} more for the rule "{rule}" within the hour, which were not sent one by one'

    def and_more(self, count: int) -> str:
        return f"and {count} more"

    def many_alike(self, count: int) -> str:
        return f"{count} articles of the site changed alike"


def _place(place: Place) -> str:
    return f"paragraph {place.paragraph}" if place.field == "body" else f"the {_FIELDS.get(place.field, place.field)}"


def _plural(count: int, one: str, many: str = "") -> str:
    return one if count == 1 else many or f"{one}s"


def _span(span: Span) -> str:
    return f"{span.count} {_plural(span.count, span.unit)}"


def _day(at: datetime) -> str:
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
