"""Put values into a piece of HTML or SVG, escaped, fast enough for thousands of pieces a page."""

from __future__ import annotations

from html import escape

from markupsafe import Markup


def filled(shape: str, **values: object) -> Markup:
    """Return `shape` with `values` in its braces; all but numbers and what is markup already are escaped.

    `Markup.format` says the same and takes ten times as long, which was two thirds of the time of the front page.
    """
    safe = {name: v if isinstance(v, (int, float, Markup)) else escape(str(v)) for name, v in values.items()}
    return Markup(shape.format(**safe))  # noqa: S704 (each value was escaped)
