"""Turn what a page states about its times into claims, the most trustworthy first.

The order is the trust: the first published and the first modified claim date the article's records. A stated zone is
preferred over a better place only where both mean the same clock on the wall; otherwise the page's data come before
its print.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Final, Literal

from wirewatch.model import Claim, Source
from wirewatch.times.grammar import LONGEST, Moment, date_in, read_time, without_times
from wirewatch.words import all_words, phrases

Kind = Literal["published", "modified"]
Where = Literal["json-ld", "meta", "time", "text", "feed"]

_TRUST: Final[tuple[Where, ...]] = ("json-ld", "meta", "time", "feed", "text")
_AHEAD = timedelta(minutes=5)  # clocks of publishers and ours may differ by as much
_QUARTER = timedelta(minutes=15)
_FARTHEST = timedelta(hours=14)
_MOST_CLAIMS = 16
_MOST_LETTERS = 40  # beside labels and times in a line that is a stamp: a name, a desk, a zone, a weekday
_CLOCK = re.compile(r"\d[:.h時时點点시]\s?\d\d|\d\s?[ap]\.?m\b|\d\s?(?:Uhr|h|時|时|시)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Printed:
    """A time as it stands on the page, before it is read."""

    kind: Kind
    where: Where
    raw: str


def claims(
    printed: Iterable[Printed],
    *,
    source: Source,
    observed: datetime,
    language: str | None,
    countries: Sequence[str] = (),
) -> tuple[Claim, ...]:
    """Return the claims of a page, read and flagged: published ones first, each kind in the order of trust.

    `countries` are where the publisher may sit, the surest first.
    """
    distinct = list(dict.fromkeys(printed))[: 4 * _MOST_CLAIMS]
    read = [
        _claim(
            stamp,
            read_time(stamp.raw, source=source, observed=observed, language=language, countries=countries),
            observed,
        )
        for stamp in distinct
    ]
    published = _ranked([claim for claim in read if claim.kind == "published"])
    modified = _ranked([claim for claim in read if claim.kind == "modified"])
    first = published[0] if published else None
    return (*published[:_MOST_CLAIMS], *(_compared(claim, first) for claim in modified[:_MOST_CLAIMS]))


@lru_cache(maxsize=4096)
def printed_stamps(line: str, language: str | None = None) -> tuple[Printed, ...]:
    """Return the labelled times of a line such as `Published: JUNE 4, 2023 14:21 | Updated: 15:24`; none for prose."""
    if len(line) > LONGEST or not (any(c.isdigit() for c in line) or _looks_relative(line)):
        return ()
    labels = list(_labels().finditer(line))
    if not labels:
        return ()
    bounds = [0, *(place for label in labels for place in label.span()), len(line)]
    pieces = [line[start:end].strip(" :：|·•,;-–—()") for start, end in zip(bounds[::2], bounds[1::2], strict=True)]
    times_first = _is_time(pieces[0], language) and not _is_time(pieces[-1], language)  # `2026年3月16日 14時21分 公開`
    raws = _with_dates(pieces[:-1] if times_first else pieces[1:], language)
    found = [
        Printed(kind=_kind_of(label.group(1)), where="text", raw=raw)
        for label, raw in zip(labels, raws, strict=True)
        if _is_time(raw, language)
    ]
    if not found or _letters(_labels().sub(" ", line), language) > _MOST_LETTERS:
        return ()
    return tuple(found)


def _with_dates(raws: list[str], language: str | None) -> list[str]:
    """Return the stamps of one line, a bare clock time with the date before it: `16.03.2026, 14:21, updated 15:24`."""
    date: str | None = None
    found = []
    for raw in raws:
        own = date_in(raw, language)
        found.append(f"{date} {raw}" if date and own is None and _CLOCK.search(raw) else raw)
        date = own or date
    return found


def is_stamp(line: str, language: str | None = None) -> bool:
    """Tell whether a line is nothing but a date and perhaps a time, with or without a label."""
    if printed_stamps(line, language):
        return True
    return len(line) <= 80 and date_in(line, language) is not None and _letters(line, language) <= 16


def _is_time(raw: str, language: str | None) -> bool:
    if not raw or len(raw) > LONGEST:
        return False
    return bool(_CLOCK.search(raw)) or date_in(raw, language) is not None or _looks_relative(raw)


def _looks_relative(text: str) -> bool:
    return bool(_relative().search(text))


@cache
def _relative() -> re.Pattern[str]:
    ends = {ago.before or ago.after for words in all_words().values() for ago in words.ago}
    ends.update(phrases("now"), phrases("today"), phrases("yesterday"))
    latin = sorted(word for word in ends if word and word[0].isascii())
    other = sorted(word for word in ends if word and not word[0].isascii())
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, latin))})\b|{'|'.join(map(re.escape, other))}", re.IGNORECASE)


def _letters(line: str, language: str | None) -> int:
    try:
        rest = without_times(line, language)
    except ValueError:
        rest = line
    return sum(c.isalpha() for c in rest)


def _claim(stamp: Printed, moment: Moment, observed: datetime) -> Claim:
    flags = moment.flags
    if moment.at is not None and moment.at > observed + _AHEAD:
        flags = (*flags, "future")
    raw = stamp.raw[:LONGEST]
    return Claim(kind=stamp.kind, at=moment.at, where=stamp.where, zone=moment.zone, raw=raw, flags=flags)


def _ranked(found: list[Claim]) -> list[Claim]:
    ranked = sorted(found, key=lambda claim: (_weakness(claim), _TRUST.index(claim.where)))
    if not ranked or ranked[0].zone == "stated" or ranked[0].at is None:
        return ranked
    for claim in ranked[1:]:
        if claim.zone == "stated" and not _weakness(claim) and _same_clock(ranked[0], claim):
            return [claim, *(other for other in ranked if other is not claim)]
    return ranked


def _weakness(claim: Claim) -> int:
    if "unreadable" in claim.flags:
        return 2
    return 1 if claim.flags else 0


def _same_clock(one: Claim, other: Claim) -> bool:
    """Tell whether two times differ by nothing but a zone that one of them does not state."""
    if one.at is None or other.at is None:
        return False
    apart = abs(one.at.replace(second=0, microsecond=0) - other.at.replace(second=0, microsecond=0))
    return apart <= _FARTHEST and not apart % _QUARTER


def _compared(claim: Claim, published: Claim | None) -> Claim:
    if claim.at is None or published is None or published.at is None or "no_time" in (*claim.flags, *published.flags):
        return claim
    if claim.at > published.at:
        return claim
    flag = "before_published" if claim.at < published.at else "as_published"
    return replace(claim, flags=(*claim.flags, flag))


@cache
def _labels() -> re.Pattern[str]:
    """Return the pattern of all labels; those of scripts that write without spaces need no boundary."""
    spaced: list[str] = []
    close: list[str] = []
    for word in sorted({*phrases("published"), *phrases("modified")}, key=lambda word: (-len(word), word)):
        (close if "\u3000" < word[0] < "\uff00" else spaced).append(re.escape(word).replace(r"\ ", r"\s+"))
    return re.compile(rf"((?<!\w)(?:{'|'.join(spaced)})(?!\w)|{'|'.join(close)})\s*[:：]?", re.IGNORECASE)


def _kind_of(label: str) -> Kind:
    return "modified" if " ".join(label.lower().split()) in phrases("modified") else "published"
