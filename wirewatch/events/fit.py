"""Fit the hunks and reasons of a diff into an event of bounded size, and say what was cut.

A cut hunk keeps its `start` and `end`: they are positions in the full texts, which the two records hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from wirewatch.canonical import canonical_json
from wirewatch.events.data import HunkData, ReasonData, SelectorData
from wirewatch.model import Diff, Hunk, Reason, Selector, Verdict
from wirewatch.records import FIELD_PATHS, Published, dump

EVENT_LIMIT: Final = 20_000  # bytes as serialised: what the design allows

_EXACT_LIMIT = 120  # code points of a hunk's or reason's text, where the whole does not fit
_CONTEXT_LIMIT = 40  # code points of a hunk's prefix and suffix, where the whole does not fit
# The smallest hunk is 134 bytes and the smallest reason 33, so more than these can never fit and are not looked at.
_MOST_HUNKS = EVENT_LIMIT // 134
_MOST_REASONS = EVENT_LIMIT // 33
# Reasons are short and say more than the hunks they point at, so they choose first, but leave most of the room.
_REASONS_SHARE = 0.3

_Part = TypeVar("_Part", bound=Published)


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """The hunks and reasons that an event gives, and whether something of them is cut."""

    hunks: tuple[HunkData, ...]
    reasons: tuple[ReasonData, ...]
    truncated: bool = False


def fitted(diff: Diff, verdict: Verdict, event: Callable[[Given], dict[str, Any]]) -> dict[str, Any]:
    """Return the fullest event that keeps the limit."""
    hunks, reasons = diff.hunks[:_MOST_HUNKS], verdict.reasons[:_MOST_REASONS]
    whole = Given(hunks=tuple(map(_hunk, hunks)), reasons=tuple(map(_reason, reasons)))
    all_there = len(hunks) == len(diff.hunks) and len(reasons) == len(verdict.reasons)
    if all_there and _size(message := event(whole)) <= EVENT_LIMIT:
        return message
    short = Given(hunks=tuple(map(_short_hunk, hunks)), reasons=tuple(map(_short_reason, reasons)), truncated=True)
    if all_there and _size(message := event(short)) <= EVENT_LIMIT:
        return message
    bare = _size(event(Given(hunks=(), reasons=(), truncated=True)))
    return event(_first_of(short, EVENT_LIMIT - bare))


def _first_of(given: Given, room: int) -> Given:
    """Return as many of the first reasons and hunks as `room` bytes take."""
    for_reasons = max(int(room * _REASONS_SHARE), room - sum(map(_part_size, given.hunks)))
    reasons, left = _fitting(given.reasons, for_reasons)
    hunks, _ = _fitting(given.hunks, room - for_reasons + left)
    return replace(given, hunks=hunks, reasons=reasons)


def _fitting(parts: Iterable[_Part], room: int) -> tuple[tuple[_Part, ...], int]:
    """Return the first parts that fit into `room`, and the room that is left."""
    kept = []
    for part in parts:
        size = _part_size(part)
        if size > room:
            break
        room -= size
        kept.append(part)
    return tuple(kept), room


def _size(message: dict[str, Any]) -> int:
    return len(canonical_json(message))


def _part_size(part: Published) -> int:
    return _size(dump(part)) + 1  # and its comma


def _hunk(hunk: Hunk) -> HunkData:
    return HunkData(
        field=FIELD_PATHS[hunk.field],
        op=hunk.op,
        old=_selector(hunk.old),
        new=_selector(hunk.new),
        move=hunk.move,
    )


def _short_hunk(hunk: Hunk) -> HunkData:
    cut = max(len(hunk.old.exact), len(hunk.new.exact)) > _EXACT_LIMIT
    short = _hunk(replace(hunk, old=_short_selector(hunk.old), new=_short_selector(hunk.new)))
    return short.model_copy(update={"truncated": True}) if cut else short


def _selector(selector: Selector) -> SelectorData:
    return SelectorData(
        exact=selector.exact, prefix=selector.prefix, suffix=selector.suffix, start=selector.start, end=selector.end
    )


def _short_selector(selector: Selector) -> Selector:
    return replace(
        selector,
        exact=shorten(selector.exact, _EXACT_LIMIT),
        prefix=selector.prefix[-_CONTEXT_LIMIT:],
        suffix=selector.suffix[:_CONTEXT_LIMIT],
    )


def _reason(reason: Reason) -> ReasonData:
    return ReasonData(
        kind=reason.kind,
        field=FIELD_PATHS[reason.field],
        hunk=reason.hunk,
        old=reason.old,
        new=reason.new,
        start=reason.start,
    )


def _short_reason(reason: Reason) -> ReasonData:
    old, new = reason.old, reason.new
    cut = max(len(old or ""), len(new or "")) > _EXACT_LIMIT
    short = replace(reason, old=old and shorten(old, _EXACT_LIMIT), new=new and shorten(new, _EXACT_LIMIT))
    return _reason(short).model_copy(update={"truncated": True}) if cut else _reason(short)


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` code points, the last an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
