"""Say where a list goes on, in a word that a reader can keep, send and come back with.

A cursor is a number in an address, with a check: one that was cut short or changed is told as such, instead of
leading somewhere. It gives no rights, so nothing about it is secret.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from wirewatch.errors import BadContent

_SHAPE: Final = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{4})")


def cursor(place: int) -> str:
    """Return the cursor of a place, a number from 0 to 2**63."""
    return f"{place:x}-{_check(place)}"


def place_of(text: str) -> int:
    """Return the place that a cursor names, or raise BadContent."""
    match = _SHAPE.fullmatch(text)
    place = int(match[1], 16) if match else -1
    if match is None or place >= 1 << 63 or match[2] != _check(place):
        raise BadContent("The address names a place in the list that is none: it was cut short or changed.")
    return place


def _check(place: int) -> str:
    return hashlib.sha256(f"wirewatch cursor {place}".encode()).hexdigest()[:4]
