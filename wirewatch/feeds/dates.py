"""Read the dates that feeds write: RFC 822 and its many bendings, ISO 8601, and what other programs print.

A zone is never guessed in silence. feedparser takes `14:21 BST` for UTC; here a name that RFC 822 does not define
means what the configuration says, or the claim is marked as assumed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wirewatch.canonical import storable
from wirewatch.model import Claim, Source

RAW_LIMIT: Final = 200  # characters; the longest of 552 dates in the test feeds has 31

# RFC 822, 5.1 gives these a meaning for mail, feeds and HTTP alike; RFC 5322, 4.3 keeps it. All others (BST is British
# and Bangladeshi, IST Indian, Irish and Israeli) have none, and neither have the military letters but Z.
STATED_ZONES: Final = {
    "Z": 0, "GMT": 0, "UT": 0, "UTC": 0,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
_LARGEST_OFFSET = timedelta(hours=14)  # Kiribati; nothing on earth lies further from UTC

_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTHS = {name: number for number, month in enumerate(_MONTH_NAMES, 1) for name in (month, month[:3], month[:4])}
_DAY = r"(?:[a-z]{2,9}\.?(?:\s*,\s*|\s+))?"
_TIME = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2})(?:[.,][0-9]+)?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?"
)
_SHORT_TIME = r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?:(?P<second>[0-9]{2})(?:[.,][0-9]+)?)?"
_OFFSET = r"(?:(?:gmt|utc|ut)\s*)?[+-][0-9]{1,2}(?::?[0-9]{2})?"
_ZONE = rf"(?:\s*(?P<zone>{_OFFSET}|z\b|(?<![a-z])[a-z]{{1,6}}))?"
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        # 2026-03-16T14:21:00+01:00, 20260316T1421Z, 2026-03, 2026 (W3CDTF and ISO 8601)
        r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{1,2})(?:-(?P<day>[0-9]{1,2}))?)?",
        rf"(?P<year>[0-9]{{4}})([-/.])(?P<month>[0-9]{{1,2}})\2(?P<day>[0-9]{{1,2}})(?:t|\s+){_TIME}{_ZONE}",
        r"(?P<year>[0-9]{4})/(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})",
        r"(?P<year>[0-9]{4})-?(?P<month>[0-9]{2})-?(?P<day>[0-9]{2})t" + _SHORT_TIME + _ZONE,
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
        # Mon, 16 Mar 2026 14:21:00 +0100; 16-Mar-26 14:21 GMT (RFC 822, 2822, 850)
        rf"{_DAY}(?P<day>[0-9]{{1,2}})[\s-]+{_MONTH},?[\s-]+(?P<year>[0-9]{{2,4}})(?:,?\s+{_TIME}{_ZONE})?",
        # Mon Mar 16 14:21:00 CET 2026 (asctime, date(1), Java)
        rf"{_DAY}{_MONTH}\s+(?P<day>[0-9]{{1,2}})\s+{_TIME}{_ZONE}\s+(?P<year>[0-9]{{4}})",
        # March 16, 2026, 2:21 pm EST
        rf"{_DAY}{_MONTH}\s+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>[0-9]{{4}})(?:,?\s+(?:at\s+)?{_TIME}{_ZONE})?",
    )
)
_COMMENT = re.compile(r"\([^()]*\)")  # RFC 5322 lets the zone's name follow in brackets


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """A date as written: `local` is naive, `zone` the written zone or None, `timed` False where no time was given."""

    local: datetime
    zone: str | None
    timed: bool


def read_stamp(raw: str) -> Stamp | None:
    """Read a written date without placing it on earth, or return None if it is none, or no day that there is."""
    text = " ".join(_COMMENT.sub(" ", raw[:RAW_LIMIT]).split())
    for form in _FORMS:
        if match := form.fullmatch(text):
            return _stamp(match.groupdict())
    return None


def place(stamp: Stamp, source: Source) -> tuple[datetime, Literal["stated", "configured", "assumed"]] | None:
    """Return the stamp's time in UTC and how its zone is known, or None where its offset or the result is impossible.

    A written name means what the source's `zone_names` say, else what RFC 822 says, else what the source's own `zone`
    calls itself by that name; a name left over is read as UTC and marked as assumed.
    """
    how: Literal["stated", "configured", "assumed"] = "stated"
    zone: tzinfo | None
    if stamp.zone is None:
        zone, how = _named(source.zone), "configured"
    elif stamp.zone[-1].isdigit():
        zone = _offset(stamp.zone)
        if zone is None:
            return None
    else:
        name = stamp.zone.upper()
        meanings = {key.upper(): meaning for key, meaning in source.zone_names}
        if name in meanings:
            zone, how = _named(meanings[name]), "configured"
        elif name in STATED_ZONES:
            zone = timezone(timedelta(hours=STATED_ZONES[name]))
        else:
            zone, how = _called(name, _named(source.zone), stamp.local.year), "configured"
    if zone is None:
        zone, how = UTC, "assumed"
    try:
        return stamp.local.replace(tzinfo=zone).astimezone(UTC), how
    except OverflowError:  # the first and last day that `datetime` knows
        return None


def read_claim(
    raw: str,
    *,
    kind: Literal["published", "modified"],
    source: Source,
    observed: datetime,
    where: Literal["json-ld", "meta", "time", "text", "feed"] = "feed",
) -> Claim:
    """Return what a written date claims; one that cannot be read keeps its words and has the flag `unreadable`.

    `no_time` marks a bare day (or month, or year), read as its first moment; `future` a time after `observed`.
    """
    words = storable(raw.strip()[:RAW_LIMIT])[0]
    stamp = read_stamp(words)
    placed = place(stamp, source) if stamp else None
    if stamp is None or placed is None:
        return Claim(kind=kind, at=None, where=where, zone="assumed", raw=words, flags=("unreadable",))
    at, zone = placed
    flags = ("future",) * (at > observed) + ("no_time",) * (not stamp.timed)
    return Claim(kind=kind, at=at, where=where, zone=zone, raw=words, flags=flags)


def http_date(raw: str) -> datetime | None:
    """Return the time in an HTTP header (RFC 9110, 5.6.7: always GMT), or None if it is no date with a time."""
    stamp = read_stamp(raw)
    placed = place(stamp, Source()) if stamp and stamp.timed else None
    return placed[0] if placed else None


def _stamp(parts: dict[str, str | None]) -> Stamp | None:
    year = _year(parts["year"] or "")
    month = _month(parts.get("month") or "1")
    hour = _hour(int(parts.get("hour") or 0), parts.get("half"))
    if month is None or hour is None:
        return None
    second = int(parts.get("second") or 0)
    second -= second == 60  # a leap second, which `datetime` does not know
    try:
        local = datetime(year, month, int(parts.get("day") or 1), hour % 24, int(parts.get("minute") or 0), second)  # noqa: DTZ001 - its zone is placed later
        local += timedelta(days=hour // 24)
    except (ValueError, OverflowError):
        return None
    return Stamp(local=local, zone=parts.get("zone"), timed=parts.get("hour") is not None)


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)  # RFC 5322, 4.3


def _month(word: str) -> int | None:
    return int(word) if word.isdigit() else _MONTHS.get(word.lower())


def _hour(hour: int, half: str | None) -> int | None:
    if half is None or (half in "pP" and hour > 12):  # `14:21 pm` is written by mistake, and clear all the same
        return hour if hour <= 24 else None
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half in "pP" else 0)


def _offset(text: str) -> timezone | None:
    sign = -1 if "-" in text else 1
    digits = re.sub(r"\D", "", text)
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(sign * size) if minutes < 60 and size <= _LARGEST_OFFSET else None


def _named(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the configuration's own check names it to the user
        return None


def _called(name: str, zone: ZoneInfo | None, year: int) -> ZoneInfo | None:
    """Return the zone if it goes by that name in winter or summer: BST in London, IST in Kolkata."""
    if zone is None:
        return None
    names = {datetime(year, month, 1, tzinfo=zone).tzname() for month in (1, 7)}
    return zone if name in names else None
