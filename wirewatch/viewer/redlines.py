"""Lay a diff out for reading: paragraph by paragraph, both sides of each, and what nobody changed folded away.

What changed is `wirewatch.redline`'s to say; here its stretches are only put into rows. A row is one paragraph of the
old text beside the one of the new it became, so that one list serves the inline view, the view side by side and paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from markupsafe import Markup, escape

from wirewatch.diff.words import words as words_of
from wirewatch.model import WORDING_FIELDS, Diff, Hunk, Wording
from wirewatch.redline import HEADINGS, Piece, pieces_of, visible
from wirewatch.viewer.markup import filled

Kind = Literal["same", "deleted", "inserted", "folded", "cut"]

_BREAK: Final = re.compile(r"\n\s*\n")
_CONTEXT: Final = 24  # characters that a selector carries on either side, unless the text ends before
_FOLDED_WORDS: Final = 30  # fewer hidden words save no room
_KEPT_WORDS: Final = 30  # of an unchanged stretch inside a changed paragraph, on either side
_SPACES: Final = {" ": "␣", "\n": "↵", "\t": "⇥", "\u00a0": "⍽"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text. `folded` is one of `count` words that is shown when asked for; `cut` stands for what is not.

    `move` numbers a moved sentence; its first stretch on either side is the one that `anchors` it.
    """

    kind: Kind
    text: str = ""
    move: int | None = None
    count: int = 0
    anchors: bool = False


Paragraphs = tuple[tuple[Segment, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One paragraph on both sides. `change` is its number among the changed rows, from 1; None where nothing changed.

    `sign` is what stands in the margin: `+` where text came, `−` where it went, `±` where both, `↕` where it moved.
    """

    both: Paragraphs
    old: Paragraphs
    new: Paragraphs
    change: int | None = None
    sign: Literal["", "+", "−", "±", "↕"] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """Unchanged paragraphs that are shown only when asked for."""

    rows: tuple[Row, ...]
    words: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldRows:
    """One changed field, in rows."""

    name: str
    heading: str
    blocks: tuple[Row | Fold, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """A few changes of one field with what stands around them."""

    heading: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """A whole redline: what changed beside the body first, then the body; `changes` counts changed rows."""

    fields: tuple[FieldRows, ...]
    body: FieldRows | None
    changes: int


def rows(diff: Diff, old: Wording) -> Rows:
    """Return all rows of a diff, with changes numbered from the top of the page."""
    found: list[FieldRows] = []
    changes = 0
    for name in sorted(diff.changed_fields, key=lambda name: (name == "body", WORDING_FIELDS.index(name))):
        paired = [replace(row, both=_closely(row.both)) for row in _paired(pieces_of(diff, old, name))]
        numbered: list[Row] = []
        for row in paired:
            changes += bool(row.sign)
            numbered.append(replace(row, change=changes if row.sign else None))
        found.append(FieldRows(name=name, heading=HEADINGS[name], blocks=tuple(_folded(numbered))))
    body = next((one for one in found if one.name == "body"), None)
    return Rows(fields=tuple(one for one in found if one.name != "body"), body=body, changes=changes)


def excerpts(diff: Diff, *, changes: int = 4, words: int = 40) -> tuple[Excerpt, ...]:
    """Return a short redline from the hunks alone, the texts not being at hand: at most so many changes.

    A hunk's selectors carry a few characters around it; hunks whose surroundings touch are shown as one stretch. Of
    what was put in or taken out, at most `words` words are shown.
    """
    found: list[Excerpt] = []
    for name in diff.changed_fields:
        hunks = [hunk for hunk in diff.hunks if hunk.field == name][: max(changes, 0)]
        changes -= len(hunks)
        if hunks:
            found.append(Excerpt(heading=HEADINGS[name], segments=tuple(_around(hunks, words))))
    return tuple(found)


def paragraphs_of(text: str) -> tuple[str, ...]:
    """Return a text's paragraphs, made visible."""
    return tuple(part for part in _BREAK.split(visible(text)) if part.strip())


# Excerpts


def _around(hunks: Sequence[Hunk], words: int) -> Iterator[Segment]:
    for place, hunk in enumerate(hunks):
        before, after = hunk.old.prefix, hunk.old.suffix
        between = hunk.old.start - hunks[place - 1].old.end if place else None
        if between is not None and between <= len(before) + len(hunks[place - 1].old.suffix):
            head = hunks[place - 1].old.suffix[: max(between - len(before), 0)]
            kept = head + before[len(before) - min(between, len(before)) :]
            yield Segment("same", visible(_BREAK.sub("\n", kept)))
        else:
            if place:
                yield from _trailing(hunks[place - 1])
            yield from _leading(before, whole=hunk.old.start <= len(before), again=bool(place))
        for kind, text in (("deleted", hunk.old.exact), ("inserted", hunk.new.exact)):
            if text:
                yield from _bounded("deleted" if kind == "deleted" else "inserted", text, hunk.move, words)
        if place == len(hunks) - 1 and after:
            yield from _trailing(hunk)


def _leading(before: str, *, whole: bool, again: bool) -> Iterator[Segment]:
    paragraphs = _BREAK.split(before)
    text, whole = paragraphs[-1], whole or len(paragraphs) > 1
    if not whole:
        yield Segment("same", " ") if again else Segment("cut", "… ")
        text = text[text.find(" ") + 1 :]
    elif again:
        yield Segment("same", " ")
    if text:
        yield Segment("same", visible(text))


def _trailing(hunk: Hunk) -> Iterator[Segment]:
    paragraphs = _BREAK.split(hunk.old.suffix)
    text, whole = paragraphs[0], len(paragraphs) > 1 or len(hunk.old.suffix) < _CONTEXT
    if whole:
        yield Segment("same", visible(text))
        return
    end = text.rfind(" ")
    yield Segment("same", visible(text[:end] if end > 0 else text))
    yield Segment("cut", " …")


def _bounded(kind: Kind, text: str, move: int | None, words: int) -> Iterator[Segment]:
    ends = [match.end() for match in re.finditer(r"\S{1,80}\s*", text[: words * 100])]
    if len(ends) <= words + 4 and len(text) <= words * 100:
        yield _segment(kind, text, move)
        return
    yield _segment(kind, text[: ends[min(words, len(ends)) - 1]].rstrip(), move)
    yield Segment("cut", f" [… {len(words_of(text[:100_000])) - min(words, len(ends))} words …] ")


def _segment(kind: Kind, text: str, move: int | None) -> Segment:
    shown = visible(text)
    if kind != "same" and shown.strip():
        shown = _BREAK.sub("\n", shown)
    elif kind != "same":
        shown = "".join(_SPACES.get(sign, sign) for sign in _BREAK.sub("¶", shown))
    return Segment(kind, shown, move)


# Rows


@dataclass
class _Open:
    """The row that is being filled: paragraphs of segments for both sides and for the inline view."""

    both: list[list[Segment]] = field(default_factory=lambda: [[]])
    old: list[list[Segment]] = field(default_factory=lambda: [[]])
    new: list[list[Segment]] = field(default_factory=lambda: [[]])

    def sides(self, kind: str) -> list[list[list[Segment]]]:
        return {"same": [self.both, self.old, self.new], "deleted": [self.both, self.old]}.get(
            kind, [self.both, self.new]
        )

    def put(self, segment: Segment) -> None:
        for side in self.sides(segment.kind):
            side[-1].append(segment)

    def divide(self, kind: str) -> None:
        for side in self.sides(kind):
            if side[-1]:
                side.append([])

    @property
    def unchanged(self) -> bool:
        return all(segment.kind == "same" for paragraph in self.both for segment in paragraph)

    @property
    def one_sided(self) -> bool:
        """Whether the row has text on one side alone."""
        return not (any(self.old) and any(self.new))

    def close(self) -> Row | None:
        both, old, new = (tuple(tuple(one) for one in side if one) for side in (self.both, self.old, self.new))
        if not both:
            return None
        changed = [segment for paragraph in both for segment in paragraph if segment.kind != "same"]
        return Row(both=both, old=old, new=new, sign=_sign(changed))


def _sign(changed: Sequence[Segment]) -> Literal["", "+", "−", "±", "↕"]:
    if not changed:
        return ""
    if all(segment.move is not None for segment in changed):
        return "↕"
    kinds = {segment.kind for segment in changed}
    if len(kinds) > 1:
        return "±"
    return "+" if kinds == {"inserted"} else "−"


def _paired(pieces: Iterator[Piece]) -> Iterator[Row]:
    """Yield the rows of a field: a paragraph ends where both sides do, or where the side that has text alone does."""
    row = _Open()
    for piece in pieces:
        for part, ends in _parts(piece):
            if part.text:
                row.put(part)
            if not ends:
                continue
            if piece.kind == "same" or row.unchanged or row.one_sided:
                if (closed := row.close()) is not None:
                    yield closed
                row = _Open()
            else:
                row.divide(piece.kind)
    if (closed := row.close()) is not None:
        yield closed


def _parts(piece: Piece) -> Iterator[tuple[Segment, bool]]:
    """Yield a piece's stretches, each with whether a paragraph ends behind it."""
    kind: Kind = "deleted" if piece.kind == "deleted" else "inserted" if piece.kind == "inserted" else "same"
    if kind != "same" and not piece.text.strip():
        yield _segment(kind, piece.text, piece.move), bool(_BREAK.search(piece.text))
        return
    texts = _BREAK.split(piece.text)
    anchors = piece.move is not None
    for place, text in enumerate(texts):
        yield Segment(kind, visible(text), piece.move, anchors=anchors and bool(text)), place < len(texts) - 1
        anchors = anchors and not text


# Folding


def _folded(found: Sequence[Row]) -> Iterator[Row | Fold]:
    """Yield the rows, with the unchanged ones that touch no changed one folded where that saves room."""
    start = 0
    while start < len(found):
        end = start
        while end < len(found) and not found[end].sign:
            end += 1
        if end == start:
            yield found[start]
            start += 1
            continue
        first = start + (start > 0)
        last = end - (end < len(found))
        hidden = found[first:last]
        words = sum(_words(segment.text) for row in hidden for one in row.both for segment in one)
        if words < _FOLDED_WORDS:
            yield from found[start:end]
        else:
            yield from found[start:first]
            yield Fold(rows=tuple(hidden), words=words)
            yield from found[last:end]
        start = end


def _closely(both: Paragraphs) -> Paragraphs:
    """Return a changed paragraph with the middle of its long unchanged stretches folded."""
    if all(segment.kind == "same" for paragraph in both for segment in paragraph):
        return both
    return tuple(tuple(part for segment in paragraph for part in _shortened(segment)) for paragraph in both)


def _shortened(segment: Segment) -> Iterator[Segment]:
    if segment.kind != "same" or len(segment.text) < 6 * _KEPT_WORDS:
        yield segment
        return
    ends = [match.end() for match in re.finditer(r"\S+\s*", segment.text)]
    hidden = len(ends) - 2 * _KEPT_WORDS
    if hidden < _FOLDED_WORDS:
        yield segment
        return
    begin, end = ends[_KEPT_WORDS - 1], ends[-_KEPT_WORDS - 1]
    yield Segment("same", segment.text[:begin])
    yield Segment("folded", segment.text[begin:end], count=hidden)
    yield Segment("same", segment.text[end:])


def _words(text: str) -> int:
    return len(words_of(text))


# As HTML


def paragraph(segments: Sequence[Segment]) -> Markup:
    """Return a paragraph's stretches as HTML, with words for those who see neither colours nor strokes."""
    return Markup("").join(_html(segment) for segment in segments)


def _html(segment: Segment) -> Markup:
    if segment.kind == "same":
        return escape(segment.text)
    if segment.kind == "cut":
        return filled('<span class="note">{text}</span>', text=segment.text)
    if segment.kind == "folded":
        return filled(
            '<details class="inline"><summary>[… {count} words …]</summary>{text}</details> ',
            count=segment.count,
            text=segment.text,
        )
    tag, said = ("del", "deleted") if segment.kind == "deleted" else ("ins", "inserted")
    if segment.move is None:
        return filled(
            '<{tag}><span class="sr"> [{said}: </span>{text}<span class="sr">] </span></{tag}>',
            tag=tag,
            said=said,
            text=segment.text,
        )
    return filled(
        '{mark}<{tag} data-move="{move}"><span class="sr"> [{said} by move {move}: </span>{text}'
        '<span class="sr">] </span></{tag}>',
        mark=_mark(segment, tag),
        tag=tag,
        move=segment.move,
        said=said,
        text=segment.text,
    )


def _mark(segment: Segment, tag: str) -> Markup:
    """Return the link from one half of a move to the other."""
    if not segment.anchors:
        return Markup("")
    here, there, says = ("from", "to", "moved away") if tag == "del" else ("to", "from", "moved here")
    return filled(
        '<a class="mark" id="move-{n}-{here}" href="#move-{n}-{there}">↕ {n} {says}</a>',
        n=segment.move,
        here=here,
        there=there,
        says=says,
    )
