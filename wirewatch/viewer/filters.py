"""Read the filters of a list of changes out of an address, and write them into one.

Whatever stands in an address is told in a sentence if it means nothing; nothing unknown is passed over in silence, as
a list that looks narrowed and is not would mislead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from wirewatch.errors import BadContent
from wirewatch.model import WORDING_FIELDS
from wirewatch.store import searching
from wirewatch.store.browsing import Narrowing
from wirewatch.viewer.models import Filters

CLOSED: Final[dict[str, tuple[str, ...]]] = {
    "field": WORDING_FIELDS,
    "class": ("minor", "notable", "major"),
    "disclosure": ("disclosed", "undisclosed", "unknown"),
    "signal": ("update", "correction"),
}
"""The filters whose values are known beforehand."""

NAMES: Final = ("q", "publisher", "feed", "language", *CLOSED, "from", "to")
"""All filters, in the order in which they stand in an address."""

_LONGEST: Final = {"publisher": 300, "feed": 4096, "language": 44}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def filters(parameters: Mapping[str, str]) -> Filters:
    """Return the filters of an address; raise BadContent for one that means nothing. Empty ones are left out."""
    given = {name: value.strip() for name in NAMES if (value := parameters.get(name)) and value.strip()}
    for name, allowed in CLOSED.items():
        if name in given and given[name] not in allowed:
            raise BadContent(f"The filter {name} takes {_either(allowed)}, and not {_quoted(given[name])}.")
    for name, most in _LONGEST.items():
        if len(given.get(name, "")) > most:
            raise BadContent(f"The filter {name} is longer than the {most:,} characters that one can have.")
    wanted: dict[str, Any] = dict(given)
    if "q" in given:
        searching.parse(given["q"])
    for name in ("from", "to"):
        if name in given:
            wanted[name] = moment(name, given[name])
    found = Filters.model_validate(wanted)
    if found.from_ is not None and found.to is not None and found.from_ >= found.to:
        raise BadContent("The period ends before it begins: exchange from and to.")
    return found


def moment(name: str, text: str) -> datetime:
    """Return a time, given as a day or time of ISO 8601, UTC unless it says otherwise; a day as `to` is included."""
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=1 if name == "to" else 0)
            at = datetime.combine(day, time(), UTC)
        else:
            at = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign in an address is a space
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None or not _EARLIEST <= at <= _LATEST:
        told = f"{_quoted(text)} is no date: write one like 2026-03-16 or 2026-03-16T14:21:00Z"
        raise BadContent(f"In {name}, {told}.")
    return at


def narrowing(chosen: Filters) -> Narrowing:
    """Return what the store is asked for."""
    return Narrowing(
        terms=searching.parse(chosen.q) if chosen.q else (),
        host=chosen.publisher,
        feed=chosen.feed,
        language=chosen.language,
        field=chosen.field,
        class_=chosen.class_,
        disclosure=chosen.disclosure,
        signal=chosen.signal,
        since=chosen.from_,
        until=chosen.to,
    )


def query(chosen: Filters, **others: str | None) -> str:
    """Return the filters as the query of an address, with a question mark if there are any.

    `others` put another value in place of a filter's, or none; `class_` and `from_` are written with their underscore.
    """
    plain = chosen.model_dump(by_alias=True)
    plain |= {name.rstrip("_"): value for name, value in others.items()}
    pairs = [(name, _written(plain[name])) for name in (*NAMES, "after") if plain.get(name) is not None]
    return f"?{urlencode(pairs)}" if pairs else ""


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def _either(values: Iterable[str]) -> str:
    *others, last = values
    return f"{', '.join(others)} or {last}"


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= 40 else text[:39] + '…'}”"
