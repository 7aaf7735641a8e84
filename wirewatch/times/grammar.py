"""Read one date and time as publishers write them, in any of the languages of `wirewatch.words`.

`03/04/2026` is 3 April or March 4: it is read only where the language says which, and is unreadable otherwise. No
general date library is used: they guess, and the first call of the thorough one costs two seconds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, NamedTuple

from wirewatch.model import Source
from wirewatch.times.zones import ZoneKind, unstated, zone_after
from wirewatch.words import Words, all_words, phrases, primary

LONGEST = 200  # characters; the longest stamp in 433 pages of 40 countries has 71
_YEARS = range(1900, 2200)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c]")

_ISO = re.compile(
    r"\s*(\d{4})-(\d{2})-(\d{2})(?:[Tt ]\s?(\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|z|[+-]\d{2}:?\d{2})?)?\s*\Z",
    re.ASCII,
)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d{2})([01]\d)([0-3]\d)(?:[T ]?([0-2]\d)([0-5]\d)([0-5]\d)?)?(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d)")
_EAST_ASIAN = re.compile(r"(?:(\d{4})\s*[年년]\s*)?(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일号號]")
_NUMERIC = re.compile(r"(?<![\d.])(\d{1,2})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?![\d])")
_NUMBERED_MONTH = re.compile(r"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.(?!\s?\d)")
_EPOCH = re.compile(r"\s*(\d{10})(\d{3})?\s*\Z")
_CLOCK = re.compile(
    r"(?<![\d:])(?<!\d[.,])([01]?\d|2[0-4])\s?(?::|\.|h|u|ч|Η|時|时|點|点|시)\s?([0-5]\d)(?:\s?[분分])?"
    r"(?:[:.]([0-5]\d)(?:[.,]\d{1,9})?|\s?[秒초])?(?!\d)",
    re.IGNORECASE,
)
_HOUR = re.compile(r"(?<![\d:.,])([01]?\d|2[0-4])\s?(?:(Uhr|h|時|时|點|点|시)(?!\w)|(?=[ap]\.?\s?m\b))", re.IGNORECASE)
_MERIDIEM = re.compile(r"\s?([ap])\.?\s?m\b\.?", re.IGNORECASE)
_AFTER_CLOCK = re.compile(r"\s*(?:Uhr|hrs?|hours|h|Hrs|WIB(?=\s)|น\.)\b\.?", re.IGNORECASE)
_MONTH_FIRST_REGIONS = frozenset({"en-us", "en-ph", "en-lr", "en-pr", "es-us", "es-pr"})  # CLDR's short date patterns


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """What one stamp says: the time if it can be read, how sure its zone is, and what is odd about it."""

    at: datetime | None
    zone: ZoneKind
    flags: tuple[str, ...] = ()


class _Place(NamedTuple):
    """Where the publisher writes: what is configured, and the countries it may sit in."""

    source: Source
    countries: tuple[str, ...] = ()


_UNREADABLE: Final = Moment(at=None, zone="assumed", flags=("unreadable",))


def read_time(
    raw: str, *, source: Source, observed: datetime, language: str | None = None, countries: Sequence[str] = ()
) -> Moment:
    """Return the time that `raw` states; relative ones ("3 hours ago") are read against `observed`.

    `countries` are where the publisher may sit, the surest first: they tell what an ambiguous zone name means.
    Flags: `unreadable`, `relative` (also for a stamp without a year or a date), `no_time` (a date only).
    """
    try:
        place = _Place(source, tuple(countries))
        return _iso(raw, place) or _free(_prepared(raw), place, observed, language) or _UNREADABLE
    except (ValueError, OverflowError):  # an impossible date, time or offset
        return _UNREADABLE


def date_in(text: str, language: str | None = None) -> str | None:
    """Return the words of the first date in a text; None for a text without one, or with an impossible one."""
    text = _prepared(text)
    try:
        found = _find_date(text, language, None)
    except ValueError:
        return None
    return text[found.start : found.end] if found else None


def without_times(text: str, language: str | None = None) -> str:
    """Return what is left of a line when its dates, clock times and zone names are taken out."""
    text = _prepared(text)
    while found := _find_date(text, language, None):
        text = f"{text[: found.start]} {text[found.end :]}"
    return _HOUR.sub(" ", _CLOCK.sub(" ", text))


def _iso(raw: str, place: _Place) -> Moment | None:
    found = _ISO.match(raw)
    if not found:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    if hour is None:
        return _moment(date(int(year), int(month), int(day)), None, "", place, ())
    clock = time(int(hour), int(minute), min(int(second or 0), 59))
    return _moment(date(int(year), int(month), int(day)), clock, zone or "", place, ())


def _free(text: str, place: _Place, observed: datetime, language: str | None) -> Moment | None:
    if found := _EPOCH.match(text):
        return Moment(at=datetime.fromtimestamp(int(found.group(1)), UTC), zone="stated")
    if (back := _ago(text, language)) is not None:
        return Moment(at=observed.astimezone(UTC) - back, zone="stated", flags=("relative",))
    today = observed.astimezone(unstated(place.source)[0]).date()
    found_day = _find_date(text, language, today)
    if found_day is None:
        named = _named_day(text, today)
        clock, after = _find_clock(text)
        if named is None and clock is None:
            return None
        return _moment(named or today, clock, after, place, ("relative",))
    flags = ("relative",) if found_day.guessed_year else ()
    if found_day.clock:
        return _moment(found_day.day, found_day.clock, "", place, flags)
    apart = f"{text[: found_day.start]} \x00 {text[found_day.end :]}"  # so that no time is read across the gap
    return _moment(found_day.day, *_find_clock(apart), place, flags)


def _moment(day: date, clock: time | None, after: str, place: _Place, flags: tuple[str, ...]) -> Moment:
    if day.year not in _YEARS:
        return _UNREADABLE
    if clock is None:
        zone, kind = unstated(place.source)
        return Moment(at=datetime.combine(day, time(), zone).astimezone(UTC), zone=kind, flags=(*flags, "no_time"))
    local = datetime.combine(day, clock)
    stated = zone_after(after, local, *place)
    zone, kind = stated[:2] if stated else unstated(place.source)
    return Moment(at=local.replace(tzinfo=zone).astimezone(UTC), zone=kind, flags=flags)


@dataclass(frozen=True, slots=True)
class _Date:
    day: date
    start: int
    end: int
    guessed_year: bool = False
    clock: time | None = None


def _find_date(text: str, language: str | None, today: date | None) -> _Date | None:
    """Return the first date in a text. A missing year is the last one in which the day is not after `today`."""
    if found := _YEAR_FIRST.search(text):
        year, _, month, day = found.groups()
        return _Date(date(int(year), int(month), int(day)), *found.span())
    if found := _EAST_ASIAN.search(text):
        return _dated(found.span(), found.group(1), int(found.group(2)), int(found.group(3)), today)
    if found := _NUMERIC.search(text):
        return _numeric(found, language)
    if named := _named_month(text, language, today):
        return named
    if found := _COMPACT.search(text):
        year, month, day, *clock = found.groups()
        hour, minute, second = (int(part or 0) for part in clock)
        at = time(hour, minute, second) if clock[0] else None
        return _Date(date(int(year), int(month), int(day)), *found.span(), clock=at)
    if found := _NUMBERED_MONTH.search(text):
        return _dated(found.span(), None, int(found.group(2)), int(found.group(1)), today)
    return None


def _numeric(found: re.Match[str], language: str | None) -> _Date:
    first, mark, second, year = int(found.group(1)), found.group(2), int(found.group(3)), found.group(4)
    full = int(year) if len(year) == 4 else 2000 + int(year)
    if first > 12 or second > 12 or first == second or mark == "." or _day_first(language):
        day, month = (second, first) if second > 12 else (first, second)
    elif (language or "").replace("_", "-").lower() in _MONTH_FIRST_REGIONS:
        day, month = second, first
    else:
        raise ValueError(f"{found.group()} may be read in two ways")
    return _Date(date(full, month, day), *found.span())


def _day_first(language: str | None) -> bool:
    """Tell whether the short date of a language begins with the day; English only with a region that says so."""
    code = primary(language)
    tag = (language or "").replace("_", "-").lower()
    if code is None or tag in _MONTH_FIRST_REGIONS:
        return False
    return code != "en" or tag.partition("-")[2] in {"gb", "ie", "au", "nz", "in", "za", "ng", "ke", "sg", "my", "pk"}


def _named_month(text: str, language: str | None, today: date | None) -> _Date | None:
    day_first, month_first, numbers = _month_patterns(primary(language))
    for pattern in (month_first, day_first):
        found = pattern.search(text)
        if found:
            parts = found.groupdict()
            year = parts["year"] or parts.get("front")
            return _dated(found.span(), year, numbers[_squeezed(parts["month"])], int(parts["day"]), today)
    return None


def _dated(span: tuple[int, int], year: str | None, month: int, day: int, today: date | None) -> _Date:
    if year:
        return _Date(date(int(year) if len(year) == 4 else 2000 + int(year), month, day), *span)
    today = today or date(2000, 1, 1)  # a leap year, where only the place of the date is wanted
    this = date(today.year, month, day) if (month, day) != (2, 29) else date(today.year - today.year % 4, 2, 29)
    return _Date(
        this if this <= today + timedelta(days=1) else this.replace(year=this.year - 1), *span, guessed_year=True
    )


@cache
def _month_patterns(code: str | None) -> tuple[re.Pattern[str], re.Pattern[str], dict[str, int]]:
    """Return patterns for "16 March 2026" and "March 16, 2026" in all languages.

    Where a word is one month here and another there (`listopad` is November in Polish, October in Croatian), the
    page's own language decides, and otherwise the word is left alone.
    """
    numbers: dict[str, int] = {}
    clashes: set[str] = set()
    for words in all_words().values():
        for month, word in _month_words(words):
            clashes.update({word} if numbers.setdefault(word, month) != month else ())
    numbers = {word: month for word, month in numbers.items() if word not in clashes}
    if code in all_words():
        numbers |= {word: month for month, word in _month_words(all_words()[code])}
    names = "|".join(re.escape(word).replace(r"\ ", r"\s") for word in sorted(numbers, key=len, reverse=True))
    name = rf"(?<![^\W\d_])(?P<month>{names})(?![^\W\d_])\.?"
    link = r"(?:[\s.,/-]|\bde\b|\bdel\b|\bof\b|\bdi\b|\bthe\b|\bnăm\b)*"
    year = r"(?:19|20)\d{2}"
    before = rf"(?<![\d:.])(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|ª|\.)?{link}{name}(?:{link}(?P<year>{year}))?"
    day = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?(?!\d|[:h]\d|\.\d)"
    behind = rf"(?:(?P<front>{year})[.,]?\s)?{name},?\s?{day}(?:[\s,.]+(?P<year>{year}))?"
    return re.compile(before, re.IGNORECASE), re.compile(behind, re.IGNORECASE), numbers


def _month_words(words: Words) -> list[tuple[int, str]]:
    return [(n, _squeezed(_prepared(word))) for n, names in enumerate(words.months, 1) for word in names]


def _squeezed(word: str) -> str:
    return " ".join(word.lower().split())


def _find_clock(text: str) -> tuple[time | None, str]:
    """Return the first clock time in a text, and what follows it."""
    found = _CLOCK.search(text) or _HOUR.search(text)
    if not found:
        return None, ""
    hour = int(found.group(1))
    minute = int(found.group(2)) if found.re is _CLOCK else 0
    second = int(found.group(3) or 0) if found.re is _CLOCK else 0
    end = found.end()
    if half := _MERIDIEM.match(text, end):
        end = half.end()
        hour = _twelve(hour, afternoon=half.group(1).lower() == "p")
    else:
        hour = _twelve_by_word(hour, text[max(0, found.start() - 8) : found.start()], text[end : end + 10])
    if after := _AFTER_CLOCK.match(text, end):
        end = after.end()
    return time(hour % 24, minute, second), text[end:]


def _twelve(hour: int, *, afternoon: bool) -> int:
    if hour > 12:
        return hour
    return hour % 12 + (12 if afternoon else 0)


def _twelve_by_word(hour: int, before: str, after: str) -> int:
    before, after = before.strip().lower(), after.strip().lower()
    for kind in ("pm", "am"):
        for word in phrases(kind):
            follows = after.startswith(word) and not after[len(word) : len(word) + 1].isalpha()
            if follows or (not word.isascii() and before.endswith(word)):
                return _twelve(hour, afternoon=kind == "pm")
    return hour


def _named_day(text: str, today: date) -> date | None:
    for kind, back in (("yesterday", 1), ("today", 0)):
        if _day_pattern(kind).search(text):
            return today - timedelta(days=back)
    return None


@cache
def _day_pattern(kind: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases(kind)))})(?!\w)", re.IGNORECASE)


def _ago(text: str, language: str | None) -> timedelta | None:
    """Return how long ago a text says, in the page's language or in English."""
    codes = dict.fromkeys((primary(language), "en"))
    for code in codes:
        words = all_words().get(code or "")
        if words is None:
            continue
        for pattern, minutes in _ago_patterns(code or ""):
            if found := pattern.search(text):
                count = int(found["count"]) if found["count"].isdigit() else 1
                return timedelta(minutes=minutes * count)
        if re.search(rf"(?<!\w)(?:{'|'.join(map(re.escape, words.now))})(?!\w)", text, re.IGNORECASE):
            return timedelta()
    return None


@cache
def _ago_patterns(code: str) -> tuple[tuple[re.Pattern[str], int], ...]:
    words = all_words()[code]
    count = r"(?P<count>\d{1,4}|\ban?\b)" if code == "en" else r"(?P<count>\d{1,4})"
    found = []
    for unit, minutes in ((words.units.minute, 1), (words.units.hour, 60), (words.units.day, 1440)):
        names = "|".join(map(re.escape, sorted(unit, key=len, reverse=True)))
        for ago in words.ago:
            before = rf"{re.escape(ago.before)}\s*" if ago.before else ""
            after = rf"\s*{re.escape(ago.after)}" if ago.after else r"(?!\w)"
            found.append((re.compile(rf"{before}{count}\s*(?:{names})\.?{after}", re.IGNORECASE), minutes))
    return tuple(found)


def _prepared(raw: str) -> str:
    """Return the text with plain digits and spaces, cut to the length a stamp can have."""
    text = _INVISIBLE.sub("", raw[:LONGEST])
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)
