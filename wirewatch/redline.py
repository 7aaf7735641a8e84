"""Show a diff inside its text: on a terminal, as plain text, and as HTML that is safe to put anywhere.

Deletions and insertions always carry marks or elements of their own, never colour alone. Publisher text cannot forge
them: control characters and direction overrides become visible signs, and marks that occur in the text get a backslash.
"""

from __future__ import annotations

import html as escaping
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from wirewatch.model import WORDING_FIELDS, Diff, Hunk, Wording

if TYPE_CHECKING:
    from rich.text import Text

HEADINGS: Final = {
    "headline": "Headline",
    "standfirst": "Standfirst",
    "byline": "Byline",
    "section": "Section",
    "dateline": "Dateline",
    "body": "Body",
    "caption": "Caption",
    "credit": "Credit",
    "correction": "Correction note",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """What a redline says itself: the fields' headings, `{}` words that were left out, `{}` more changes, and moved."""

    headings: Mapping[str, str]
    words: str = "{} words"
    more: str = "{} more changes"
    moved: str = "moved"


ENGLISH: Final = Labels(headings=HEADINGS)
_OUTSIDE_WORDS: Final = 12  # words kept on either side of a change where long unchanged stretches are folded

# All control characters but the line feed, line and paragraph separators, direction overrides and isolates, surrogates.
_CONTROL: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_MARK: Final = re.compile(r"([\[{])(?=\\*(?:\w+ \d+)?[-+])|(?<=[-+])(?=\\*[\]}])")
# Where a script puts no spaces between words, two characters with their marks count as one, and so do 80 characters
# without an end.
_SPACELESS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_ABOVE: Final = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3\u3099\u309a"
_ESCAPED: Final = r"\g<1>\\"
_WORD: Final = re.compile(rf"\s*(?:(?:[{_SPACELESS}][{_ABOVE}]*){{1,2}}|[^\s{_SPACELESS}]{{1,80}})")
_NOTES: Final = frozenset({"folded", "more"})
_STYLES: Final = {"deleted": "red strike", "inserted": "green underline"}
_HTML_STYLES: Final = {
    "section": "margin:0 0 1em",
    "del": "color:#8c1d18;background:#fdecea;text-decoration:line-through",
    "ins": "color:#0b5d1e;background:#e6f4ea;text-decoration:underline",
    "small": "color:#595959",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one field. In place of `folded` words, or `folded` changes, stands only what sets the note off."""

    kind: Literal["same", "deleted", "inserted", "folded", "more"]
    text: str = ""
    move: int | None = None
    folded: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Excerpt:
    """How much of a text is shown, as `plain` explains it."""

    context: int | None
    changed: int | None = None
    changes: int | None = None


def visible(text: str) -> str:
    """Return `text` with each control character and direction override as a visible sign; line feeds stay."""
    return _CONTROL.sub(_sign, text)


def literal(text: str) -> str:
    """Return `text` made visible, with what looks like a redline's mark broken by a backslash, as in `plain`."""
    return _MARK.sub(_ESCAPED, visible(text))


def terminal(diff: Diff, old: Wording, *, context: int | None = _OUTSIDE_WORDS) -> Text:
    """Return the redline for a terminal: red and struck through, green and underlined, with the marks of `plain`.

    `context` is how many words are kept around a change; None keeps all.
    """
    from rich.text import Text  # noqa: PLC0415 (only where a terminal is written to)

    text = Text()
    for name, pieces in _fields(diff, old, _Excerpt(context=context)):
        text.append(f"{HEADINGS[name]}\n", style="bold")
        for piece in pieces:
            style = "dim" if piece.kind in _NOTES else _STYLES.get(piece.kind, "")
            text.append(_plain(piece, ENGLISH), style=style)
        text.append("\n\n")
    text.rstrip()
    return text


def plain(
    diff: Diff,
    old: Wording,
    *,
    context: int | None = _OUTSIDE_WORDS,
    changed: int | None = None,
    changes: int | None = None,
    labels: Labels = ENGLISH,
) -> str:
    """Return the redline as text: `[-old-]{+new+}`, moved sentences as `[moved 1-…-]` and `{moved 1+…+}`.

    A mark that occurs in the text itself gets a backslash after its first character. `context` as in `terminal`.
    `changed` is how many words are shown of what was taken out or put in, `changes` how many changes, in the order of
    the text; None shows all.
    """
    blocks = (
        f"{labels.headings[name]}\n{''.join(_plain(piece, labels) for piece in pieces)}"
        for name, pieces in _fields(diff, old, _Excerpt(context=context, changed=changed, changes=changes))
    )
    return "\n\n".join(blocks)


def html(
    diff: Diff,
    old: Wording,
    *,
    context: int | None = _OUTSIDE_WORDS,
    changed: int | None = None,
    changes: int | None = None,
    labels: Labels = ENGLISH,
    styles: bool = False,
    marks: bool = False,
) -> str:
    """Return the redline as HTML: one `<section>` a field, with `<del>` and `<ins>`; all text is escaped.

    `styles` writes the colours into the elements, for mail; a page with a style sheet of its own leaves it out.
    `marks` writes those of `plain` as well, for where colours and elements may get lost on the way.
    `context`, `changed` and `changes` as in `plain`.
    """
    style = {tag: f' style="{css}"' if styles else "" for tag, css in _HTML_STYLES.items()}
    sections = (
        f'<section class="redline"{style["section"]}><h3>{labels.headings[name]}</h3>'
        f'<p dir="auto">{"".join(_html(piece, style, labels, marks=marks) for piece in pieces)}</p></section>'
        for name, pieces in _fields(diff, old, _Excerpt(context=context, changed=changed, changes=changes))
    )
    return "\n".join(sections)


def pieces_of(diff: Diff, old: Wording, name: str, *, context: int | None = None) -> Iterator[Piece]:
    """Yield one field's stretches in reading order; with `context`, longer unchanged ones are folded."""
    return _pieces(diff, old, name, _Excerpt(context=context))


def _pieces(diff: Diff, old: Wording, name: str, excerpt: _Excerpt) -> Iterator[Piece]:
    text = getattr(old, name) or ""
    hunks = [hunk for hunk in diff.hunks if hunk.field == name]
    shown = hunks[: excerpt.changes]
    at = 0
    for hunk in shown:
        before = text[at : hunk.old.start]
        yield from _folded(before, excerpt.context, after=at > 0 or hunk is not hunks[0], before=True)
        for piece in _changed(hunk):
            yield from _cut(piece, excerpt.changed)
        at = hunk.old.end
    if len(shown) == len(hunks):
        yield from _folded(text[at:], excerpt.context, after=bool(hunks), before=False)
    else:
        yield Piece("more", " " if shown else "", folded=len(hunks) - len(shown))


def _fields(diff: Diff, old: Wording, excerpt: _Excerpt) -> Iterator[tuple[str, list[Piece]]]:
    left = excerpt.changes
    for name in WORDING_FIELDS:
        if name in diff.changed_fields:
            yield name, list(_pieces(diff, old, name, replace(excerpt, changes=left)))
            if left is not None:
                left = max(left - sum(hunk.field == name for hunk in diff.hunks), 0)


def _changed(hunk: Hunk) -> Iterator[Piece]:
    if hunk.old.exact:
        yield Piece("deleted", hunk.old.exact, move=hunk.move)
    if hunk.new.exact:
        yield Piece("inserted", hunk.new.exact, move=hunk.move)


def _cut(piece: Piece, most: int | None) -> Iterator[Piece]:
    """Yield what was taken out or put in, of a long stretch its beginning."""
    ends = [match.end() for match in _WORD.finditer(piece.text)] if most is not None else []
    if most is None or len(ends) < most + 4:
        yield piece
        return
    yield replace(piece, text=piece.text[: ends[most - 1]])
    # What follows a long insertion or deletion goes on behind its last spaces, as its beginning stood behind others.
    yield Piece("folded", " ", folded=len(ends) - most)
    if tail := piece.text[len(piece.text.rstrip()) :]:
        yield Piece("same", tail)


def _folded(text: str, context: int | None, *, after: bool, before: bool) -> Iterator[Piece]:
    """Yield an unchanged stretch; `after` and `before` tell whether a change lies on that side of it."""
    ends = [0, *(match.end() for match in _WORD.finditer(text))] if context is not None else []
    keep = (context or 0) * (after + before)
    # Folding fewer than four words saves no room.
    if context is None or len(ends) - 1 < keep + 4:
        if text:
            yield Piece("same", text)
        return
    first = ends[context] if after else 0
    last = ends[-1 - context] if before else len(text)
    if first:
        yield Piece("same", text[:first])
    yield Piece("folded", " " if after else "", folded=len(ends) - 1 - keep)
    if last < len(text):
        yield Piece("same", text[last:])


def _plain(piece: Piece, labels: Labels) -> str:
    if piece.kind in _NOTES:
        return f"{piece.text}{_note(piece, labels)}"
    before, after = _marks(piece, labels)
    return f"{before}{literal(piece.text)}{after}"


def _html(piece: Piece, style: dict[str, str], labels: Labels, *, marks: bool) -> str:
    if piece.kind in _NOTES:
        return f"{piece.text}<small{style['small']}>{_note(piece, labels)}</small>"
    before, after = _marks(piece, labels) if marks else ("", "")
    text = literal(piece.text) if marks else visible(piece.text)
    text = escaping.escape(f"{before}{text}{after}").replace("\n", "<br>")
    if piece.kind == "same":
        return text
    tag = "del" if piece.kind == "deleted" else "ins"
    if piece.move is None:
        return f"<{tag}{style[tag]}>{text}</{tag}>"
    label = "" if marks else f"<small{style['small']}>[{labels.moved} {piece.move}] </small>"
    return f'{label}<{tag} data-move="{piece.move}"{style[tag]}>{text}</{tag}>'


def _marks(piece: Piece, labels: Labels) -> tuple[str, str]:
    move = f"{labels.moved} {piece.move}" if piece.move is not None else ""
    if piece.kind == "deleted":
        return f"[{move}-", "-]"
    return (f"{{{move}+", "+}") if piece.kind == "inserted" else ("", "")


def _note(piece: Piece, labels: Labels) -> str:
    count = (labels.words if piece.kind == "folded" else labels.more).format(piece.folded)
    return f"[… {count} …]" if piece.kind == "folded" else f"[… {count}]"


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures, ␀ to ␟
    if code == 0x7F:
        return "␡"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"‹U+{code:04X}›"
