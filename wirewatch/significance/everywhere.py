"""Give each part of a change a hash by which the same is found on other pages of a site.

Lines that were put in or taken out together are parts of their own, since a site's own line often comes right after a
story's last. A long part is the same wherever it stands. A short one says too little for that: `Monday` became
`Tuesday` in two stories of one day that have nothing to do with each other. It is the same only if its line is, as far
as that is known.
"""

from __future__ import annotations

from typing import Final

from wirewatch.canonical import canonical_json, sha256
from wirewatch.model import Diff, Hunk

MOST_PARTS: Final = 500  # a diff with more is a story's own rewrite; a changed template has some ten
_TELLING: Final = 24  # letters and figures, on both sides together; some five words, or a sentence of Chinese
_DIGITS: Final = 32


def part_hashes(diff: Diff) -> tuple[tuple[str, ...], ...]:
    """Return for each hunk the hashes of its parts, 32 hex digits each; nothing where there are too many."""
    found = [tuple(dict.fromkeys(_hash(part) for part in _parts(hunk))) for hunk in diff.hunks]
    return tuple(found) if sum(map(len, found)) <= MOST_PARTS else ()


def _parts(hunk: Hunk) -> list[list[str]]:
    before, after = _spaced(hunk.new.prefix.rpartition("\n")[2]), _spaced(hunk.new.suffix.partition("\n")[0])
    lines = hunk.new.exact.split("\n") if hunk.op == "insert" else hunk.old.exact.split("\n")
    if hunk.op == "replace" or len(lines) == 1:
        return [_part(hunk, _spaced(hunk.old.exact), _spaced(hunk.new.exact), before, after)]
    ends = {0: (before, ""), len(lines) - 1: ("", after)}
    sides = [("", _spaced(line)) if hunk.op == "insert" else (_spaced(line), "") for line in lines]
    return [_part(hunk, *two, *ends.get(n, ("", ""))) for n, two in enumerate(sides) if any(two)] or [[hunk.field]]


def _part(hunk: Hunk, old: str, new: str, before: str, after: str) -> list[str]:
    telling = sum(map(str.isalnum, old)) + sum(map(str.isalnum, new)) >= _TELLING
    return [hunk.field, old, new, *(() if telling else (before, after))]


def _hash(part: list[str]) -> str:
    return sha256(canonical_json(part))[:_DIGITS]


def _spaced(text: str) -> str:
    return " ".join(text.split())
