"""All that differs between two answers with the same words: tokens, counters, slots, orders.

It follows from the number of the request alone, so that a pass can be repeated to the byte, and no two requests of
one newsroom get the same page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

_Item = TypeVar("_Item")

_VENDORS = (
    "Adlantern",
    "Brightbuoy",
    "Clickwright",
    "Dovetail Reach",
    "Echo Pier",
    "Fathom & Co",
    "Gullmetrics",
    "Hawser",
)
_SIZES = ((728, 90), (300, 250), (300, 600), (970, 250), (320, 50), (160, 600))


@dataclass(frozen=True, slots=True)
class Noise:
    """Make up what surrounds the words on one answer."""

    request: int

    def token(self, name: str) -> str:
        """Return 32 hex digits, others for each name and request."""
        return hashlib.sha256(f"{self.request}/{name}".encode()).hexdigest()[:32]

    def number(self, name: str, low: int, high: int) -> int:
        """Return a number from `low` to `high`."""
        return low + int(self.token(name), 16) % (high - low + 1)

    def order(self, name: str, items: Sequence[_Item]) -> list[_Item]:
        """Return the items in another order for each request."""
        return [items[n] for n in sorted(range(len(items)), key=lambda n: self.token(f"{name}/{n}"))]

    def consent(self) -> dict[str, Any]:
        """Return what a consent manager leaves in a page."""
        return {
            "version": 3,
            "visitor": self.token("visitor"),
            "purposes": ["storage", "ads", "measurement", "research"],
            "vendors": [
                {"id": n, "name": f"{_VENDORS[n % 8]} {n // 8 + 1}", "purposes": [n % 4 + 1], "legitimate": n % 3 == 0}
                for n in self.order("vendors", range(64))
            ],
        }

    def slots(self) -> list[dict[str, Any]]:
        """Return the advertisement slots' settings; the first three have their place on every page."""
        return [
            {
                "id": self.slot(n),
                "sizes": self.order(f"sizes/{n}", _SIZES)[:3],
                "floor": self.number(f"floor/{n}", 5, 90) / 100,
                "request": self.token(f"slot/{n}"),
                "targeting": {"pos": n, "segment": self.token(f"segment/{n}")[:12], "refresh": 30},
            }
            for n in range(24)
        ]

    def slot(self, n: int) -> str:
        """Return the n-th slot's name, another for each request."""
        return f"slot-{n}-{self.token(f'name/{n}')[:8]}"
