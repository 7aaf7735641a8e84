"""Draw an article's timeline, and small plots, as SVG that goes into a page.

Places along a drawing are in per cent and heights in pixels, so that a drawing fills the width it is given and its
letters keep their size, on a telephone too. Nothing here has a `style`: the pages' Content-Security-Policy forbids it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import sqrt
from typing import Final, Literal

from markupsafe import Markup

from wirewatch.viewer.markup import filled

_CLOCK: Final = re.compile(r"(?<!\d)([01]?\d|2[0-3])[:.h]([0-5]\d)(?!\d)(?:[:.]\d\d)?\s*([ap]\.?m\.?)?", re.IGNORECASE)
_LANES: Final = 3  # of labels above each other; what finds no place in them is told by its title
_LANE: Final = 17  # pixels
_LETTER: Final = 6.6  # pixels, on average, of a label's letters
_STEP: Final = 11  # pixels that neighbouring marks are apart at least, whatever lies between
_NARROWEST: Final = 300
_EDGE: Final = 14  # pixels left free at either end
_FEW: Final = 6  # revisions whose labels are written out


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """A time that the publisher states; `raw` is how, `zone` whether it said so (`stated`, `configured`, `assumed`)."""

    at: datetime
    kind: Literal["published", "updated"]
    raw: str = ""
    zone: str = "stated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """A revision at its first sight. `since` is when the wording before it was last seen: the change lies between."""

    at: datetime
    version: int
    since: datetime | None = None
    says: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outage:
    """A stretch in which the article could not be read as usual; still so where `until` is None."""

    since: datetime
    until: datetime | None
    says: str


# The timeline


def timeline(stamps: Sequence[Stamp], dots: Sequence[Dot], outages: Sequence[Outage], *, last_seen: datetime) -> Markup:
    """Return an article's times on one axis: the publisher's clock above it, ours below.

    Pauses take the root of their length, so that a month leaves room for an hour; no two marks fall together.
    """
    moments = {one.at for one in stamps} | {one.at for one in dots} | {last_seen}
    moments |= {one.since for one in dots if one.since} | {one.since for one in outages}
    moments |= {one.until for one in outages if one.until}
    scale = _Scale(sorted(moments))
    above = _Labels(scale, [(one.at, _stamp_label(one)) for one in stamps])
    named = [(one, f"{'Revision' if len(dots) <= _FEW else '№'} {one.version}, ") for one in dots]
    below = _Labels(scale, [(one.at, f"{name}{_clock(one.at)}") for one, name in named])
    days = _days(scale)
    dates = _Labels(scale, [(at, _day_label(at)) for at, _ in days], lanes=1)
    top = 22 + _LANE * above.lanes
    axis = top + 22
    seen = axis + 30
    dated = seen + 26 + _LANE * below.lanes
    stamped = [top - 4 - _LANE * label.lane if label else axis - 16 for label in above.placed]
    dotted = [seen + 24 + _LANE * label.lane if label else seen for label in below.placed]
    # Words come last, so that no line runs through them.
    parts = [
        filled('<line class="axis" x1="0" x2="100%" y1="{y}" y2="{y}"/>', y=axis),
        *(_midnight(scale, at, dated) for at, midnight in days if midnight),
        *(_outage(scale, one, axis, last_seen) for one in outages),
        *(_window(scale, one, seen) for one in dots),
        *(_stamp(scale, one, y + 5, axis) for one, y in zip(stamps, stamped, strict=True)),
        *(_dot(scale, one, max(y - 11, seen), axis, seen) for one, y in zip(dots, dotted, strict=True)),
        _last(scale, last_seen, axis),
        *(
            _text(scale.x(one.at), y, "label", label.text, anchor=label.anchor)
            for one, y, label in zip(stamps, stamped, above.placed, strict=True)
            if label
        ),
        *(
            _text(
                scale.x(one.at),
                y,
                "label",
                label.text,
                anchor=label.anchor,
                data=(("data-clock", _iso(one.at)), ("data-before", name)),
            )
            for (one, name), y, label in zip(named, dotted, below.placed, strict=True)
            if label
        ),
        *(
            _text(scale.x(at), dated, "day", label.text, anchor=label.anchor)
            for (at, _), label in zip(days, dates.placed, strict=True)
            if label
        ),
        _text("0", 12, "lane", "By the publisher’s clock"),
        _text(
            "0",
            dated + 20,
            "lane",
            "Seen by Wirewatch, UTC",
            data=(("data-zone-label", "Seen by Wirewatch, {zone}"),),
        ),
    ]
    size = (scale.width, dated + 26)
    return _svg("timeline", size, "Timeline of the article", _told(stamps, dots, outages), parts)


class _Scale:
    """Where each moment lies, in per cent of a drawing that is `width` pixels at least."""

    def __init__(self, moments: Sequence[datetime]) -> None:
        self.moments = moments
        gaps = [sqrt((later - earlier).total_seconds()) for earlier, later in pairwise(moments)]
        self.width = max(_NARROWEST, round(_STEP * len(gaps) * 1.6))
        least, edge = _STEP / self.width * 100, _EDGE / self.width * 100
        free = 100 - 2 * edge - least * len(gaps)
        total = sum(gaps) or 1
        self.places = [edge if gaps else 50.0]
        for gap in gaps:
            self.places.append(self.places[-1] + least + free * gap / total)

    def place(self, at: datetime) -> float:
        after = bisect_left(self.moments, at)
        if after < len(self.moments) and self.moments[after] == at:
            return self.places[after]
        if after in (0, len(self.moments)):
            return self.places[0] if after == 0 else self.places[-1]
        begin, end = self.moments[after - 1], self.moments[after]
        share = (at - begin) / (end - begin)
        return self.places[after - 1] + share * (self.places[after] - self.places[after - 1])

    def x(self, at: datetime) -> str:
        return f"{self.place(at):.2f}%"


@dataclass(frozen=True, slots=True)
class _Label:
    text: str
    lane: int
    anchor: Literal["start", "middle", "end"]


class _Labels:
    """Labels in as few lanes as their lengths need, the first and the last before those between them."""

    def __init__(self, scale: _Scale, wanted: Sequence[tuple[datetime, str]], *, lanes: int = _LANES) -> None:
        self.placed: list[_Label | None] = [None] * len(wanted)
        taken: list[list[tuple[float, float]]] = [[] for _ in range(lanes)]
        order = [0, len(wanted) - 1, *range(1, len(wanted) - 1)] if len(wanted) > 1 else range(len(wanted))
        for index in order:
            at, text = wanted[index]
            middle, wide = scale.place(at) * scale.width / 100, len(text) * _LETTER
            anchor: Literal["start", "middle", "end"] = "middle"
            if middle < wide / 2:
                anchor = "start"
            elif middle > scale.width - wide / 2:
                anchor = "end"
            begin = {"start": middle, "middle": middle - wide / 2, "end": middle - wide}[anchor]
            for lane, spans in enumerate(taken):
                if all(begin > end + 8 or begin + wide < start - 8 for start, end in spans):
                    spans.append((begin, begin + wide))
                    self.placed[index] = _Label(text, lane, anchor)
                    break
        self.lanes = max((label.lane + 1 for label in self.placed if label), default=1)


def _stamp_label(stamp: Stamp) -> str:
    return f"{stamp.kind.capitalize()} {printed_clock(stamp.raw) or _clock(stamp.at)}"


def printed_clock(raw: str) -> str:
    """Return the time of day as the publisher printed it, or nothing: `14:21` of `JUNE 4, 2023 14:21`."""
    found = _CLOCK.search(raw)
    if found is None:
        return ""
    half = f" {found[3].lower()}" if found[3] else ""
    return f"{found[1]}:{found[2]}{half}"


def _stamp(scale: _Scale, stamp: Stamp, y: int, axis: int) -> Markup:
    said = f"{stamp.kind.capitalize()} {_full(stamp.at)} by the publisher’s clock"
    said += f", stated as “{stamp.raw}”" if stamp.raw else ""
    said += "; the zone is assumed" if stamp.zone == "assumed" else ""
    return filled(
        '<g class="stamp {kind}"><title>{said}</title><line class="stem" x1="{x}" x2="{x}" y1="{y}" y2="{axis}"/>'
        '<svg class="mark" x="{x}" y="{axis}" overflow="visible"><path d="M0-6 6 0 0 6-6 0z"/></svg></g>',
        kind=stamp.kind,
        said=said,
        x=scale.x(stamp.at),
        y=y,
        axis=axis,
    )


def _window(scale: _Scale, dot: Dot, seen: int) -> Markup:
    if dot.since is None:
        return Markup("")
    begin, end = scale.place(dot.since), scale.place(dot.at)
    said = f"Revision {dot.version} came between {_full(dot.since)} and {_full(dot.at)}"
    return filled(
        '<g class="window"><title>{said}</title><rect x="{x:.2f}%" width="{w:.2f}%" y="{y}" height="8" rx="4"/></g>',
        said=said,
        x=begin,
        w=max(end - begin, 0),
        y=seen - 4,
    )


def _dot(scale: _Scale, dot: Dot, y: int, axis: int, seen: int) -> Markup:
    said = f"Revision {dot.version}, first seen {_full(dot.at)}" + (f": {dot.says}" if dot.says else "")
    return filled(
        '<g class="dot"><title>{said}</title><line class="stem" x1="{x}" x2="{x}" y1="{axis}" y2="{seen}"/>'
        '<line class="lead" x1="{x}" x2="{x}" y1="{seen}" y2="{y}"/><circle cx="{x}" cy="{seen}" r="5.5"/></g>',
        said=said,
        x=scale.x(dot.at),
        y=y,
        axis=axis,
        seen=seen,
    )


def _outage(scale: _Scale, outage: Outage, axis: int, last_seen: datetime) -> Markup:
    begin, end = scale.place(outage.since), scale.place(outage.until or last_seen)
    until = f"until {_full(outage.until)}" if outage.until else "until now"
    return filled(
        '<g class="outage"><title>{said}</title><rect x="{x:.2f}%" width="{w:.2f}%" y="{y}" height="10"/></g>',
        said=f"{outage.says} from {_full(outage.since)} {until}",
        x=begin,
        w=max(end - begin, 0.6),
        y=axis - 5,
    )


def _last(scale: _Scale, at: datetime, axis: int) -> Markup:
    return filled(
        '<g class="last"><title>Last looked at {said}</title><line x1="{x}" x2="{x}" y1="{y1}" y2="{y2}"/></g>',
        said=_full(at),
        x=scale.x(at),
        y1=axis - 7,
        y2=axis + 7,
    )


def _days(scale: _Scale) -> list[tuple[datetime, bool]]:
    """Return where each day with a mark begins: at its first mark the first, at midnight (True) the others."""
    days = [(scale.moments[0], False)]
    for earlier, later in pairwise(scale.moments):
        midnight = later.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if earlier < midnight:
            days.append((midnight, True))
    return days


def _day_label(at: datetime) -> str:
    return f"{at.astimezone(UTC):%-d %b %Y}"


def _midnight(scale: _Scale, at: datetime, end: int) -> Markup:
    return filled(
        '<g class="midnight"><title>Midnight, the beginning of {day} UTC</title>'
        '<line x1="{x}" x2="{x}" y1="20" y2="{end}"/></g>',
        day=_day_label(at),
        x=scale.x(at),
        end=end - 12,
    )


def _told(stamps: Sequence[Stamp], dots: Sequence[Dot], outages: Sequence[Outage]) -> str:
    """Return the timeline in words, for those who cannot see it."""
    said = [f"{one.kind.capitalize()} {_full(one.at)} by the publisher’s clock." for one in stamps[:20]]
    shown = dots if len(dots) <= 10 else [*dots[:4], *dots[-4:]]
    for one in shown:
        window = f", after {_full(one.since)}" if one.since else ""
        said.append(f"Revision {one.version} seen {_full(one.at)}{window}.")
    if len(shown) < len(dots):
        said.append(f"{len(dots) - len(shown)} more revisions lie between.")
    said += [f"{one.says} from {_full(one.since)}." for one in outages[:5]]
    return " ".join(said)


# Small plots


def bars(
    counts: Sequence[tuple[str, float]],
    *,
    title: str,
    unit: str,
    kind: str = "plain",
    height: int = 44,
    ticks: Iterable[int] = (),
) -> Markup:
    """Return a plot of bars, one for each pair of a label and a count; the highest reaches the top.

    `ticks` are the places of the bars whose labels are written below them.
    """
    most = max((count for _, count in counts), default=0)
    wide = 100 / max(len(counts), 1)
    parts: list[Markup] = []
    for index, (label, count) in enumerate(counts):
        high = max(count / most * (height - 2), 2) if count and most else 0
        parts.append(
            filled(
                '<g><title>{said}</title><rect class="room" x="{x:.2f}%" width="{full:.2f}%" y="0" height="{height}"/>'
                '<rect class="bar" x="{x:.2f}%" width="{w:.2f}%" y="{y:.1f}" height="{high:.1f}"/></g>',
                said=f"{label}: {_number(count)} {unit}",
                x=index * wide,
                full=wide,
                w=wide * 0.8,
                y=height - high,
                high=high,
                height=height,
            )
        )
    parts.append(filled('<line class="axis" x1="0" x2="100%" y1="{y}" y2="{y}"/>', y=height))
    shown = [place for place in ticks if place < len(counts)]
    for place in shown:
        last = place == len(counts) - 1 and place > 0
        x, anchor = ("100%", "end") if last else (f"{place * wide:.2f}%", "start")
        parts.append(_text(x, height + 13, "tick", counts[place][0], anchor=anchor))
    told = "; ".join(f"{label}: {_number(count)}" for label, count in counts if count) or "none"
    size = (0, height + (17 if shown else 1))
    return _svg(f"plot {kind}", size, title, f"In {unit}: {told}.", parts)


def meter(count: int, part: int, most: int) -> Markup:
    """Return one bar as long as `count` is of `most`, its first `part` in another colour; the table says both."""
    whole, begin = (100 * n / most if most else 0 for n in (count, part))
    return filled(
        '<svg class="meter" aria-hidden="true" width="100%" height="14"><rect width="{whole:.1f}%" height="14"/>'
        '<g class="part"><rect width="{begin:.1f}%" height="14"/></g></svg>',
        whole=whole,
        begin=begin,
    )


def shares(parts: Sequence[tuple[str, str, int]], *, title: str) -> Markup:
    """Return one bar divided into parts, given as class, label and count."""
    total = sum(count for _, _, count in parts)
    drawn: list[Markup] = []
    at = 0.0
    for name, label, count in parts:
        if not count:
            continue
        wide = count / total * 100
        drawn.append(
            filled(
                '<g class="{name}"><title>{said}</title><rect x="{x:.2f}%" width="{w:.2f}%" y="0" height="14"/></g>',
                name=name,
                said=f"{label}: {count} of {total}",
                x=at,
                w=wide,
            )
        )
        at += wide
    told = "; ".join(f"{label}: {count} of {total}" for _, label, count in parts)
    return _svg("shares", (0, 14), title, told, drawn)


def _svg(kind: str, size: tuple[int, int], title: str, told: str, parts: Sequence[Markup]) -> Markup:
    width, height = size
    wide = filled(' width="{width}"', width=width) if width else Markup(' width="100%"')
    return filled(
        '<svg class="{kind}" role="img" height="{height}"{wide}><title>{title}</title><desc>{told}</desc>{parts}</svg>',
        kind=kind,
        height=height,
        wide=wide,
        title=title,
        told=told,
        parts=Markup("").join(parts),
    )


def _text(
    x: str, y: float, kind: str, text: str, *, anchor: str = "start", data: Sequence[tuple[str, str]] = ()
) -> Markup:
    more = Markup("").join(filled(' {name}="{value}"', name=name, value=value) for name, value in data)
    return filled(
        '<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}"{more}>{text}</text>',
        kind=kind,
        x=x,
        y=y,
        anchor=anchor,
        more=more,
        text=text,
    )


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M}"


def _full(at: datetime) -> str:
    return f"{at.astimezone(UTC):%-d %B %Y, %H:%M} UTC"


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _number(count: float) -> str:
    return f"{count:g}"
