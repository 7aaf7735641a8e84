"""Say how far from UTC a zone's name or an offset is, and how sure that is.

The same three letters mean different zones: `BST` is British and Bangladeshi, `IST` Indian, Irish and Israeli. The
configuration tells which, else the publisher's country; without either the commonest meaning is taken and the claim
says `assumed`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo

from wirewatch.model import Source

ZoneKind = Literal["stated", "configured", "assumed"]

# Names with one meaning in use among news publishers; minutes east of UTC. The American ones are RFC 5322, 4.3.
_STATED: Final = {
    **dict.fromkeys(("UTC", "GMT", "UT", "Z", "ZULU", "WET"), 0),
    **dict.fromkeys(("CET", "MEZ", "WEST", "WAT"), 60),
    **dict.fromkeys(("CEST", "MESZ", "EET", "CAT", "SAST"), 120),
    **dict.fromkeys(("EEST", "MSK", "TRT", "EAT", "IDT"), 180),
    **dict.fromkeys(("WIB", "ICT"), 420),
    **dict.fromkeys(("WITA", "HKT", "SGT", "AWST", "MYT", "PHT"), 480),
    **dict.fromkeys(("WIT", "JST", "KST"), 540),
    **dict.fromkeys(("BRT", "ART", "UYT", "CLST"), -180),
    **dict.fromkeys(("BOT", "CLT", "VET"), -240),
    **dict.fromkeys(("COT", "PET"), -300),
    "IRST": 210,
    "AFT": 270,
    "MMT": 390,
    "PKT": 300,
    "NPT": 345,
    "ACST": 570,
    "ACDT": 630,
    "AEST": 600,
    "AEDT": 660,
    "NZST": 720,
    "NZDT": 780,
    "EST": -300,
    "EDT": -240,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "AKST": -540,
    "AKDT": -480,
    "HST": -600,
}
_STATED_REGIONS: Final = {"ET": "America/New_York", "PT": "America/Los_Angeles"}
# Names with several meanings (IANA's backward list and the standards of the countries concerned), commonest first.
_AMBIGUOUS: Final = {"BST": 60, "IST": 330, "CST": -360, "AST": -240, "GST": 240, "ADT": -180, "AMT": -240, "SST": -660}
_AMBIGUOUS_REGIONS: Final = {"CT": "America/Chicago", "MT": "America/Denver"}
# What such names, and those that RFC 5322 defines for America alone, mean where the publisher sits.
BY_COUNTRY: Final[dict[str, dict[str, int | str]]] = {
    "BST": {"GB": 60, "BD": 360},
    "IST": {"IN": 330, "IE": 60, "IL": 120},
    "CST": {
        **dict.fromkeys(("US", "CA", "MX", "GT", "HN", "SV", "NI", "CR", "BZ"), -360),
        **dict.fromkeys(("CN", "TW"), 480),
        "CU": -300,
        "AU": 570,
    },
    "CDT": {**dict.fromkeys(("US", "CA", "MX"), -300), "CU": -240, "AU": 630},
    "AST": {
        **dict.fromkeys(("CA", "BM", "PR", "DO", "BB", "TT"), -240),
        **dict.fromkeys(("SA", "KW", "IQ", "BH", "QA", "YE"), 180),
    },
    "ADT": {"CA": -180, "BM": -180},
    "GST": {"AE": 240, "OM": 240},
    "AMT": {"BR": -240, "AM": 240},
    "PST": {**dict.fromkeys(("US", "CA", "MX"), -480), "PH": 480, "PK": 300},
    "EST": {**dict.fromkeys(("US", "CA", "JM", "PA"), -300), "AU": 600},
    "EDT": {**dict.fromkeys(("US", "CA"), -240), "AU": 660},
    "CT": {"US": "America/Chicago", "CA": "America/Winnipeg"},
    "MT": {"US": "America/Denver", "CA": "America/Edmonton"},
}
_NAMES: Final = frozenset((*_STATED, *_STATED_REGIONS, *_AMBIGUOUS, *_AMBIGUOUS_REGIONS))
_OFFSET: Final = re.compile(r"\s*(?:UTC|GMT)?\s*([+\-−])(\d{1,2}):?(\d{2})?(?!\d)")
_NAME: Final = re.compile(r"\s*[,(]?\s*([A-Za-z]{1,5})\b\)?")
_IANA: Final = re.compile(r"\s*[\[(]([A-Z][A-Za-z]+/[A-Za-z_]+)[\])]")
_FARTHEST_MINUTES: Final = 14 * 60  # Line Islands; nobody is farther from UTC


def zone_after(
    text: str, local: datetime, source: Source, countries: Sequence[str] = ()
) -> tuple[tzinfo, ZoneKind, int] | None:
    """Return the zone that `text` begins with, how sure it is, and its length; None if there is none.

    A name means what the configuration says, else what it means in the first of `countries` that uses it, else its
    commonest meaning. Raises `ValueError` for an offset that no place on Earth has.
    """
    if found := _OFFSET.match(text):
        sign, hours, minutes = found.groups()
        away = int(hours) * 60 + int(minutes or 0)
        if away > _FARTHEST_MINUTES or int(minutes or 0) > 59:
            raise ValueError(f"no zone is {found.group().strip()} from UTC")
        return timezone(timedelta(minutes=away if sign == "+" else -away)), "stated", found.end()
    if (found := _IANA.match(text)) and (zone := region(found.group(1))):
        return zone, "stated", found.end()
    found = _NAME.match(text)
    if not found:
        return None
    configured = {name.upper(): iana for name, iana in source.zone_names}
    name = found.group(1)
    if name.upper() in configured and (zone := region(configured[name.upper()])):
        return zone, "configured", found.end()
    if name not in _NAMES and name.upper() not in ("UTC", "GMT", "Z"):
        return None
    return *_named(name.upper(), local, source, countries), found.end()


def unstated(source: Source) -> tuple[tzinfo, ZoneKind]:
    """Return the zone of a stamp that names none: the source's, else UTC."""
    zone = region(source.zone) if source.zone else None
    return (zone, "configured") if zone else (UTC, "assumed")


def region(name: str) -> ZoneInfo | None:
    """Return the IANA zone of that name, or None."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # what zoneinfo raises for odd names, folders and unknown names
        return None


def _named(name: str, local: datetime, source: Source, countries: Sequence[str]) -> tuple[tzinfo, ZoneKind]:
    meanings = BY_COUNTRY.get(name, {})
    own = region(source.zone) if source.zone and (meanings or name not in _STATED) else None
    if own and (configured := _in_zone(name, local, own)):
        return configured
    if (meant := next((meanings[code] for code in countries if code in meanings), None)) is not None:
        zone = region(meant) if isinstance(meant, str) else timezone(timedelta(minutes=meant))
        if zone is not None:
            return zone, "stated"
    if name in _STATED:
        return timezone(timedelta(minutes=_STATED[name])), "stated"
    if name in _STATED_REGIONS and (zone := region(_STATED_REGIONS[name])):
        return zone, "stated"
    if name in _AMBIGUOUS_REGIONS and (zone := region(_AMBIGUOUS_REGIONS[name])):
        return zone, "assumed"
    return timezone(timedelta(minutes=_AMBIGUOUS.get(name, 0))), "assumed"


def _in_zone(name: str, local: datetime, own: tzinfo) -> tuple[tzinfo, ZoneKind] | None:
    """Return what a name means in the configured zone, in the other half of the year too; None if it is not used there.

    Some print `EST` all year. Where everybody means the same by it, it counts as stated.
    """
    seasons = (local, *(local.replace(month=month, day=1) for month in (1, 7)))
    found = next((day for season in seasons if (day := season.replace(tzinfo=own)).tzname() == name), None)
    if found is None:
        return None
    away = found.utcoffset() or timedelta(0)
    if name in _STATED and away == timedelta(minutes=_STATED[name]):
        return timezone(away), "stated"
    return (own if away == local.replace(tzinfo=own).utcoffset() else timezone(away)), "configured"
