"""Draw where the time goes: one bar for each kind of page, divided by step, as SVG that reads in light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

_COLOURS: Final = (  # Tol's bright scheme, and two of his others
    *("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#888888"),
    *("#ee8866", "#44aa99"),
)
_WIDTH, _BAR, _LEFT, _LINE = 760, 34, 110, 20


def bars(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return an SVG with one bar a row, its parts as long as their figures, and a legend with the figures."""
    most = max(sum(max(0.0, cost) for cost in parts.values()) for parts in rows.values()) or 1.0
    names = list(dict.fromkeys(name for parts in rows.values() for name in parts))
    colour = {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(names)}
    out: list[str] = []
    y = 40
    for row, parts in rows.items():
        out.append(_text(0, y + 22, f"{row}"))
        x = float(_LEFT)
        for name, cost in parts.items():
            width = max(0.0, cost) / most * (_WIDTH - _LEFT)
            out.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour[name]}">'
                f"<title>{escape(name)}: {cost:.2f} ms</title></rect>"
            )
            x += width
        y += _BAR + 8
        for name, cost in parts.items():
            out.append(f'<rect x="{_LEFT}" y="{y + 3}" width="12" height="12" fill="{colour[name]}"/>')
            out.append(_text(_LEFT + 20, y + 14, f"{name}: {cost:.2f} ms"))
            y += _LINE
        y += 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img" '
        f'font-family="sans-serif" font-size="14"><title>{escape(title)}</title>'
        f'<rect width="{_WIDTH}" height="{y}" fill="#ffffff"/>{_text(0, 22, title)}{"".join(out)}</svg>\n'
    )


def _text(x: float, y: float, words: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="#111111">{escape(words)}</text>'
