"""Walk a parsed page and list all that a reading can depend on: its text and its markup, without its boxes.

A box is an element of whose text the reading takes nothing as long as it stays of its kind. There are two kinds:

* An *aside* is what extraction cuts out of the page unread, by its markup: `<nav>`, or a class such as `related`.
* A *list* gave nothing to the reading when the page was extracted. It holds nothing but links, or, away from the
  article, short lines; and no stamp, byline or correction. Which elements are lists is remembered by their marks.

Asides and lists still count where extraction counts them: how much text is in them, and how many lines stand before the
byline. That is why they are measured here and not skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from wirewatch.extract.furniture import byline_of, ends_sentence, is_correction, key
from wirewatch.extract.page import ALL_LINK, ASIDES, BLOCKS, NAMING, PARAGRAPH, Part, own_part, squeeze
from wirewatch.times import printed_stamps

SHORT: Final = 30  # characters of a line that can be no sentence
_BEGINS: Final = 8  # letters with which something may begin like the headline
_TELLING: Final = 20  # letters by which the first text of a line is told
_START, _END, _BOX = "\x01", "\x02", "\x03"  # a page's own text has no such characters
_HIDING: Final = frozenset({"hidden", "aria-hidden", "role", "type", "style"})  # trafilatura looks at these too
_TAKEN: Final = frozenset(NAMING) | _HIDING
_BARE: Final = frozenset({"html", "body"})  # their classes change with every visit, and nothing looks at them
_ALWAYS_NOISE: Final = frozenset({"nav", "footer", "form"})
_EMPTY_AND_YET: Final = frozenset({"br", "hr", "td", "th"})
_DIGITS: Final = {ord(digit): "#" for digit in "0123456789"}


class Mark(NamedTuple):
    """What an element's tag and attributes say: `sign` for the outline, `name` to remember it by."""

    sign: str
    name: str
    own: Part | None
    forced: bool  # whatever the elements above are
    block: bool


@lru_cache(maxsize=32768)
def mark(tag: str, *attributes: tuple[str, str]) -> Mark:
    """Return what an element's tag and attributes say; numbers in names count as one."""
    named: dict[str, str] = {} if tag in _BARE else {n: value for n, value in attributes if n in _TAKEN}
    style = named.pop("style", "")
    if "display" in style or "visibility" in style:
        named["style"] = "".join(style.split())
    if named.keys() <= {"type"}:
        named = {}
    names = " ".join(f"{name}={value}" for name, value in sorted(named.items())).translate(_DIGITS)
    while "##" in names:
        names = names.replace("##", "#")
    sign = f"{tag} {names}"
    own, forced = own_part(_Named(attributes), tag, Part.TEXT), False
    if tag in _ALWAYS_NOISE:
        own, forced = Part.NOISE, True
        if tag == "nav" and "breadcrumb" in dict(attributes).get("class", "").lower():
            own = Part.CRUMB
    elif tag == "h1":
        own, forced = Part.HEADLINE, True
    return Mark(f"{_START}{sign}{_BOX}", sha256(sign.encode()).hexdigest()[:8], own, forced, tag in BLOCKS)


class _Named:
    """Attributes without their element."""

    def __init__(self, attributes: tuple[tuple[str, str], ...]) -> None:
        self._by_name = dict(attributes)
        self.get = self._by_name.get
        self.keys = self._by_name.keys


class Line(NamedTuple):
    """One line of a box."""

    text: str
    link: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What of a page counts, as it was found when the page was extracted.

    `links` and `shorts` name the lists, `uncut` the asides that were too heavy to be cut. From the headline on, up to
    the text of number `edge`, the lines of boxes are counted; where it has to be `exact`, each box's lines are part of
    the outline. A box with the headline before it was printed, or with a description (their keys are in `told`), is
    none. `room` is how many characters an aside's paragraphs may have.
    """

    links: frozenset[str] = frozenset()
    shorts: frozenset[str] = frozenset()
    uncut: frozenset[str] = frozenset()
    edge: int | None = None  # None: to the end
    exact: bool = True
    headline: str = ""
    told: frozenset[str] = frozenset()
    room: float = 0.0
    language: str | None = None


@dataclass(slots=True)
class Outline:
    """What counts of a page. `letters` and `paragraphs` are the characters in lists, and in the paragraphs of lists.

    `lines` are those of boxes from the headline up to the edge. `heaviest` is the greatest number of characters in one aside's paragraphs. `places` has the place and the key of
    each text, if they were asked for. `refused` says that an aside or list counts because of a line that it has.
    """

    tokens: list[str] = field(default_factory=list)
    letters: int = 0
    paragraphs: int = 0
    lines: int = 0
    heaviest: int = 0
    places: list[tuple[int, str]] = field(default_factory=list)
    refused: bool = False

    def up_to(self, edge: int | None, *, exact: bool) -> None:
        """Forget the lines of boxes from a place on, and where each of the others stands unless that is `exact`."""
        boxes = [_box(token) for token in self.tokens if token[0] == _BOX]
        self.lines = sum(lines for place, lines in boxes if edge is None or place < edge)
        if edge is not None or not exact:
            kept = edge if exact else 0
            self.tokens = [one for one in self.tokens if one[0] != _BOX or (kept is not None and _box(one)[0] < kept)]

    def digest(self) -> str:
        """Return the SHA-256 of what counts, with single spaces."""
        return sha256(" ".join("".join(self.tokens).split()).encode("utf-8", "replace")).hexdigest()

    def place_of(self, line: str) -> int | None:
        """Return the last place of a text with which a line begins, by the line's key."""
        least = min(_TELLING, len(line))
        found = (place for place, text in reversed(self.places) if len(text) >= least and line.startswith(text))
        return next(found, None)


def inherited(above: Part, found: Mark) -> Part:
    """Return the part of an element inside one whose part is `above`, as `extract.page` has it."""
    if above is Part.HEADLINE:
        return above
    own = found.own
    if found.forced and own is not None:
        return own
    if own is None or above is Part.NOISE or (above is Part.CAPTION and own is not Part.CREDIT):
        return above
    return own


def outline(tree: Any, rules: Rules, *, places: bool = False) -> Outline:
    """Return what counts of a page that was parsed and not scanned."""
    found = Outline()
    out = found.tokens
    append = out.append
    lists = rules.links | rules.shorts
    uncut, noise, text_part = rules.uncut, Part.NOISE, Part.TEXT
    edge = rules.edge
    headline, least = rules.headline, max(1, min(_BEGINS, len(rules.headline)))
    told = rules.told | {headline}
    begun = False  # with the headline, or something that begins like it
    texts = 0  # so far: the place of what comes next
    seen = 0  # of texts and elements that count: an element that adds nothing to it is empty

    def visit(element: Any, above: Part, inside: bool) -> None:
        nonlocal seen, texts, told, begun
        tag = element.tag
        own = mark(tag, *element.items())
        sign, name, said, _, block = own
        part = above if said is None else inherited(above, own)
        if block and part is not text_part and not inside and part in ASIDES and tag not in _BARE:
            if part is noise and name not in uncut and is_aside(element):
                return
            inside = True
        elif block and name in lists and part is (noise if inside else text_part) and is_list(element, name, inside):
            return
        n, before = len(out), seen
        append(sign)
        text = element.text
        if text:
            append(text)
            if not text.isspace():
                seen += 1
                texts += 1
                if places or not begun:
                    same = key(text)
                    begun = begun or (len(same) >= least and headline.startswith(same))
                    if places:
                        found.places.append((texts, same))
        for child in element:
            visit(child, part, inside)
            if tail := child.tail:
                append(tail)
                if not tail.isspace():
                    seen += 1
        if seen == before and tag not in _EMPTY_AND_YET:
            rest = out[n + 1 :]
            del out[n:]
            if rest:
                out.extend(token for token in rest if token[0] == _BOX)
                if any(token.isspace() for token in rest):
                    append(" ")
            return
        seen += 1
        append(_END)
        if tag == "h1" and headline and key("".join(element.itertext())) == headline:
            told = rules.told

    def count(lines: int) -> None:
        found.lines += lines
        if rules.exact and lines:
            append(f"{_BOX}{texts}/{lines}{_END}")

    def has_headline(element: Any) -> bool:
        return not begun and (not headline or headline in key(" ".join(element.itertext())))

    def is_aside(element: Any) -> bool:
        inner = element.iter("h1", "nav")
        if any(one.tag == "h1" or mark(one.tag, *one.items()).own is Part.CRUMB for one in inner):
            return False
        if has_headline(element):
            found.refused = True
            return False
        counts = begun and (edge is None or texts < edge)
        most = sum(map(len, element.itertext()))
        if counts or most > rules.room:
            lines = lines_of(element)
            if counts and any(key(line.text) in told for line in lines):
                found.refused = True
                return False
            most = sum(len(line.text) for line in lines if len(line.text) >= PARAGRAPH)
            if counts:
                count(len(lines))
        found.heaviest = max(found.heaviest, most)
        return True

    def is_list(element: Any, name: str, inside: bool) -> bool:
        if any(mark(inner.tag, *inner.items()).own is not None or inner.tag == "time" for inner in element.iter()):
            return False
        if has_headline(element):
            found.refused = True
            return False
        lines = lines_of(element)
        short = name in rules.shorts
        counts = begun and (edge is None or texts < edge)
        for line in lines:
            if inside and len(line.text) >= PARAGRAPH:  # it weighs in the aside that it is in
                return False
            if not says_nothing(line.text, rules.language) or not (line.link or (short and is_short(line.text))):
                return False
            if counts and key(line.text) in told:
                found.refused = True
                return False
            found.letters += len(line.text)
            found.paragraphs += len(line.text) if len(line.text) >= PARAGRAPH else 0
        if counts:
            count(len(lines))
        return True

    visit(tree, Part.TEXT, False)
    return found


def _box(token: str) -> tuple[int, int]:
    place, _, lines = token[1:-1].partition("/")
    return int(place), int(lines)


def lines_of(element: Any) -> list[Line]:
    """Return the lines of a box, divided where blocks begin and end."""
    found: list[Line] = []
    words: list[str] = []
    linked = 0

    def flush() -> None:
        nonlocal linked
        if words:
            text = squeeze("".join(words))
            words.clear()
            if text:
                found.append(Line(text, linked >= ALL_LINK * len(text)))
                linked = 0

    def visit(one: Any) -> None:
        nonlocal linked
        tag = one.tag
        block = tag in BLOCKS
        if block:
            flush()
        elif tag == "a":
            linked += len("".join(one.itertext()))
        if one.text:
            words.append(one.text)
        for child in one:
            visit(child)
            if child.tail:
                words.append(child.tail)
        if block:
            flush()

    visit(element)
    flush()
    return found


@lru_cache(maxsize=16384)
def says_nothing(text: str, language: str | None) -> bool:
    """Tell whether a line is neither a correction, a byline nor a stamp, wherever it stands."""
    return not (is_correction(text) or byline_of(text, language) or printed_stamps(text, language))


def is_short(text: str) -> bool:
    """Tell whether a line is too short for a sentence, and ends like none."""
    return len(text) <= SHORT and not ends_sentence(text)


def and_above(element: Any) -> Iterator[Any]:
    """Yield an element and those around it, the inner ones first."""
    while element is not None:
        yield element
        element = element.getparent()
