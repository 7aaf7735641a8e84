"""Say a diff in one English sentence, from the diff itself: which words, and in which paragraph.

It is one line of publisher text in our words, so quotations are cut short and made visible, but not escaped: whoever
puts the sentence into HTML or a chat message escapes it there. Another language is another module beside this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wirewatch.canonical import comparable
from wirewatch.diff.words import paragraph_number, paragraphs, words
from wirewatch.model import Diff, Hunk, Wording
from wirewatch.redline import visible

LANGUAGES: Final = ("en",)
_CLAUSES: Final = 4  # named one by one; the rest are counted
_QUOTED: Final = 60  # characters of a quotation
_FIELDS: Final = {"credit": "photo credit", "correction": "correction note"}


def sentence(diff: Diff, new: Wording) -> str:
    """Return what changed: `changed "4.2" to "4.7" in paragraph 1 and the headline`; no capital, no full stop.

    Paragraphs are counted in the new body. Equal changes in several places are told once; beyond four, changes are
    only counted. Differences that count as none (spacing, quote marks) are told only where there is nothing else.
    """
    breaks = paragraphs(new.body or "")
    places: dict[str, list[str]] = {}
    for clause, place in _clauses(diff, breaks):
        where = places.setdefault(clause, [])
        if place not in where:
            where.append(place)
    if not places:
        return "changed only spacing or quote marks" if diff.hunks else "changed nothing"
    told = [f"{clause} {_listed(sorted(where, key=_fields_last))}" for clause, where in places.items()]
    rest = len(told) - _CLAUSES
    if rest > 0:
        told = [*told[:_CLAUSES], f"made {rest} more {'change' if rest == 1 else 'changes'}"]
    return _listed(told)


def _clauses(diff: Diff, breaks: list[int]) -> Iterator[tuple[str, str]]:
    """Yield what was done, up to its preposition, and where."""
    homes = {hunk.move: hunk for hunk in diff.hunks if hunk.move is not None and hunk.op == "insert"}
    for hunk in diff.hunks:
        old, new = _quoted(hunk.old.exact), _quoted(hunk.new.exact)
        if hunk.move is not None:
            if hunk.op == "delete":
                yield f"moved {old} to", _place(homes[hunk.move], breaks)
        elif comparable(hunk.old.exact) == comparable(hunk.new.exact):
            continue
        elif hunk.op == "insert":
            yield f"added {new} to", _place(hunk, breaks)
        elif hunk.op == "delete":
            yield f"removed {old} from", _place(hunk, breaks)
        else:
            yield f"changed {old} to {new} in", _place(hunk, breaks)


def _place(hunk: Hunk, breaks: list[int]) -> str:
    if hunk.field != "body":
        return f"the {_FIELDS.get(hunk.field, hunk.field)}"
    text = hunk.new.exact
    start = hunk.new.start + len(text) - len(text.lstrip())
    return f"paragraph {paragraph_number(breaks, start)}"


def _fields_last(place: str) -> bool:
    return place.startswith("the ")


def _quoted(text: str) -> str:
    """Return the text on one line in quotation marks; of a long one its beginning, and how many words it has."""
    line = visible(" ".join(text.split()))
    if len(line) <= _QUOTED:
        return f'"{line}"'
    cut = line.rfind(" ", 0, _QUOTED)
    return f'"{line[: cut if cut > 0 else _QUOTED]}…" ({len(words(text))} words)'


def _listed(items: list[str]) -> str:
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} and {items[-1]}"
