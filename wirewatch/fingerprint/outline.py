"""Walk a parsed page and list all that a reading can depend on: its text and its markup, without its boxes.

A box is an element of whose text the reading takes nothing as long as it stays of its kind. There are two kinds:

* An *aside* is what extraction cuts out of the page unread, by its markup: `<nav>`, or a class such as `related`.
* A *list* gave nothing to the reading when the page was extracted. It holds nothing but links, or, away from the
  article, short lines; and no stamp, byline or correction. Which elements are lists is remembered by their marks.

Elsewhere, two kinds of text count only by their place: a link to another story, away from the article, that is a line
of its own; and the number in what is called a counter.

Asides and lists still count where extraction counts them: how much text is in them, and how many lines stand before the
byline. That is why they are measured here and not skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from wirewatch.extract.furniture import byline_of, ends_sentence, is_correction, key, name_before_stamp
from wirewatch.extract.page import ALL_LINK, ASIDES, BLOCKS, NAMING, PARAGRAPH, Aside, Part, own_part, part_in, squeeze
from wirewatch.times import printed_stamps

SHORT: Final = 30  # characters of a line that can be no sentence
_BEGINS: Final = 8  # letters with which something may begin like the headline
_TELLING: Final = 20  # letters by which the first text of a line is told
_START, _END, _BOX = "\x01", "\x02", "\x03"  # a page's own text has no such characters
_POINTER: Final = f"{_END}{_START}{_END}"
_HIDING: Final = frozenset({"hidden", "aria-hidden", "role", "type", "style"})  # trafilatura looks at these too
_TAKEN: Final = NAMING | _HIDING
_BARE: Final = frozenset({"html", "body"})  # their classes change with every visit, and nothing looks at them
_ALWAYS_NOISE: Final = frozenset({"nav", "footer", "form"})
_EMPTY_AND_YET: Final = frozenset({"br", "hr", "td", "th"})
_REMEMBERED: Final = 24  # letters of a line of the article
_ROOM: Final = 3  # elements in the block of a link that is a line of its own
_COUNTED: Final = 40  # characters of a counter's line
_COUNTER = re.compile(r"\s*\d[\d.,]*\s?[^\W\d]{0,12}\s*\Z")
_NUMBER = re.compile(r"\d[\d.,]*")
_COUNTING = re.compile(r"count|comment|share|like|view|social|reaction|vote", re.IGNORECASE)
_DIGITS: Final = {ord(digit): "#" for digit in "0123456789"}


class Mark(NamedTuple):
    """What an element's tag and attributes say: `sign` for the outline, `name` to remember it by."""

    sign: str
    name: str
    own: Part | None
    block: bool
    ends: bool  # a line ends with it, inside an aside
    counting: bool  # it is called a counter


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
    own = own_part(attributes, tag, Part.TEXT)
    if tag in _ALWAYS_NOISE:
        crumbs = tag == "nav" and "breadcrumb" in dict(attributes).get("class", "").lower()
        own = Part.CRUMB if crumbs else Part.NOISE
    elif tag == "h1":
        own = Part.HEADLINE
    block = tag in BLOCKS
    counting = any(name in ("class", "id") and _COUNTING.search(value) for name, value in attributes)
    ends = block or own_part(attributes, tag, Part.NOISE) is not None
    return Mark(f"{_START}{sign}{_BOX}", sha256(sign.encode()).hexdigest()[:8], own, block, ends, counting)


class Line(NamedTuple):
    """One line of a box."""

    text: str
    link: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What of a page counts, as it was found when the page was extracted.

    `links` and `shorts` name the lists; in the article, which is in the element named `home`, there are none.
    `misnamed` names the asides that have too much of the text to be any. From the headline on, up to the text of number
    `edge`, the lines of boxes are counted; where it has to be `exact`, each box's lines are part of the outline. A box
    with the headline before it was printed, or there with a description (their keys are in `told`) or a byline, is
    none. Nor is one with a line that the article has too: how those lines' keys begin is in `taken`.
    `counters` says that numbers of counters count only by their place.
    """

    home: str = ""
    links: frozenset[str] = frozenset()
    shorts: frozenset[str] = frozenset()
    misnamed: frozenset[str] = frozenset()
    edge: int | None = None  # None: to the end
    exact: bool = True
    headline: str = ""
    told: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    counters: bool = False
    language: str | None = None


@dataclass(slots=True)
class Outline:
    """What counts of a page. `letters` and `paragraphs` are the characters in lists, and in the paragraphs of lists.

    `longest` is the length of the longest line among them.

    `lines` are those of boxes from the headline up to the edge, `asides` the elements that are asides. `places` has the
    place and the key of each text, if they were asked for. `refused` says that an aside or list counts because of a
    line that it has.
    """

    tokens: list[str] = field(default_factory=list)
    letters: int = 0
    paragraphs: int = 0
    longest: int = 0
    lines: int = 0
    asides: list[Any] = field(default_factory=list)
    places: list[tuple[int, str]] = field(default_factory=list)
    refused: bool = False

    def up_to(self, edge: int | None, *, exact: bool) -> None:
        """Forget the lines of boxes from a place on, and where each of the others stands unless that is `exact`."""

        def counts(place: int) -> bool:
            return edge is None or place < edge

        boxes = [_box(token) for token in self.tokens if token[0] == _BOX]
        self.lines = sum(lines for place, lines in boxes if counts(place))
        self.tokens = [one for one in self.tokens if one[0] != _BOX or (exact and counts(_box(one)[0]))]

    def fits(self, room: float, held: Mapping[str, int]) -> bool:
        """Tell whether the paragraphs of asides of no name have more than `room` characters.

        `held` has those of asides of these names that are in the outline.
        """
        named: dict[str, list[Any]] = {}
        for element in self.asides:
            named.setdefault(Aside(element, 0).name, []).append(element)
        return all(
            held.get(name, 0) + _heaviest(elements, room - held.get(name, 0)) <= room
            for name, elements in named.items()
        )

    def weight(self) -> int:
        """Return how many characters the paragraphs of asides have."""
        return sum(_weight(lines_of(element)) for element in self.asides)

    def digest(self) -> str:
        """Return the SHA-256 of what counts, with single spaces."""
        return sha256(" ".join("".join(self.tokens).split()).encode("utf-8", "replace")).hexdigest()

    def place_of(self, line: str) -> int | None:
        """Return the last place of a text with which a line begins, by the line's key."""
        least = min(_TELLING, len(line))
        found = (place for place, text in reversed(self.places) if len(text) >= least and line.startswith(text))
        return next(found, None)


def inherited(above: Part, found: Mark, misnamed: frozenset[str]) -> Part:
    """Return the part of an element inside one whose part is `above`, as `extract.page` has it."""
    if found.own is None or above is Part.HEADLINE or (found.block and found.name in misnamed):
        return above
    return part_in(above, found.own)


def outline(tree: Any, rules: Rules, *, places: bool = False) -> Outline:
    """Return what counts of a page that was parsed and not scanned."""
    walk = _Walk(rules, places=places)
    walk.visit(tree, Part.TEXT, False, False)
    return walk.found


class _Walk:
    """The state of one walk through a page.

    `texts` counts those so far: the place of what comes next. `seen` counts texts and elements that are not empty, so
    that an element that adds nothing to it is. `begun` is set with the headline, or something that begins like it.
    """

    def __init__(self, rules: Rules, *, places: bool) -> None:
        self.rules = rules
        self.found = Outline()
        self.out = self.found.tokens
        self.places = places
        self.lists = rules.links | rules.shorts
        self.least = max(1, min(_BEGINS, len(rules.headline)))
        self.told = rules.told | {rules.headline}
        self.begun = False
        self.texts = self.seen = 0

    def visit(self, element: Any, above: Part, inside: bool, home: bool) -> None:
        """Add an element to the outline, unless it is a box; it may be inside an aside that counts, or the article."""
        tag = element.tag
        own = mark(tag, *element.items())
        part = above if own.own is None else inherited(above, own, self.rules.misnamed)
        if own.block:
            home = home or own.name == self.rules.home
            if not inside and self.is_box(element, own, part, home):
                return
            inside = inside or (own.own in ASIDES and own.name not in self.rules.misnamed)
        out, before = self.out, self.seen
        n = len(out)
        out.append(own.sign)
        if tag == "a" and part is Part.TEXT and not home and not inside and self.is_pointer(element):
            out.append(_POINTER)
            self.seen += 1
            return
        if text := element.text:
            self.text(self.uncounted(element, own, text) if self.rules.counters else text)
        for child in element:
            self.visit(child, part, inside, home)
            if tail := child.tail:
                out.append(tail)
                if not tail.isspace():
                    self.seen += 1
        if self.seen == before and tag not in _EMPTY_AND_YET:
            self.drop(n)
            return
        self.seen += 1
        out.append(_END)
        headline = self.rules.headline
        if tag == "h1" and headline and key("".join(element.itertext())) == headline:
            self.told = self.rules.told

    def text(self, text: str) -> None:
        """Add an element's first text."""
        self.out.append(text)
        if text.isspace():
            return
        self.seen += 1
        self.texts += 1
        if self.places or not self.begun:
            same = key(text)
            self.begun = self.begun or (len(same) >= self.least and self.rules.headline.startswith(same))
            if self.places:
                self.found.places.append((self.texts, same))

    def drop(self, n: int) -> None:
        """Take an empty element out again that begins at the token of number `n`, but for the boxes in it."""
        rest = self.out[n + 1 :]
        del self.out[n:]
        if rest:
            self.out.extend(token for token in rest if token[0] == _BOX)
            if any(token.isspace() for token in rest):
                self.out.append(" ")

    def is_box(self, element: Any, own: Mark, part: Part, home: bool) -> bool:
        """Tell whether a block is a box, and measure it if so."""
        if own.own is Part.NOISE and own.name not in self.rules.misnamed:
            return self.is_aside(element)
        listed = own.name in self.lists and part is Part.TEXT and not home
        return listed and self.is_list(element, own.name)

    def is_aside(self, element: Any) -> bool:
        """Tell whether extraction would cut the element out unread, if it is not too much of the text."""
        if next(element.iter("h1"), None) is not None or self.has_headline(element):
            return False
        if self.may_repeat(element) and self.repeats(lines_of(element)):
            return False
        if self.counts():
            lines = lines_of(element)
            if self.tells(lines):
                return False
            self.count(lines)
        self.found.asides.append(element)
        return True

    def is_list(self, element: Any, name: str) -> bool:
        """Tell whether the element is a list still."""
        if any(mark(one.tag, *one.items()).own is not None or one.tag == "time" for one in element.iter()):
            return False
        if self.has_headline(element):
            return False
        lines = lines_of(element)
        short = name in self.rules.shorts
        if not all(line.link or (short and is_short(line.text)) for line in lines):
            return False
        if self.repeats(lines) or not all(says_nothing(line.text, self.rules.language) for line in lines):
            return False
        if self.counts():
            if self.tells(lines):
                return False
            self.count(lines)
        self.measure(lines)
        return True

    def is_pointer(self, element: Any) -> bool:
        """Tell whether a link is a line of its own that leads elsewhere, and measure it if so."""
        text = squeeze("".join(element.itertext()))
        block = _block_of(element)
        if not text or len(block) > _ROOM or squeeze("".join(block.itertext())) != text:
            return False
        lines = [Line(text, True)]
        if any(mark(one.tag, *one.items()).own is not None or one.tag == "time" for one in element.iter()):
            return False
        if self.has_headline(element) or self.repeats(lines) or not says_nothing(text, self.rules.language):
            return False
        if self.counts() and self.tells(lines):
            return False
        self.measure(lines)
        return True

    def measure(self, lines: list[Line]) -> None:
        """Add up what lists and links hold."""
        self.found.letters += sum(len(line.text) for line in lines)
        self.found.paragraphs += _weight(lines)
        self.found.longest = max(self.found.longest, *(len(line.text) for line in lines), 0)

    def uncounted(self, element: Any, own: Mark, text: str) -> str:
        """Return a text without its number where it is a counter."""
        if not _COUNTER.match(text) or len(element):
            return text
        above = element.getparent()
        if not own.counting and (above is None or not mark(above.tag, *above.items()).counting):
            return text
        line = squeeze("".join(_block_of(element).itertext())[: 4 * _COUNTED])
        if len(line) > _COUNTED or ends_sentence(line) or not says_nothing(line, self.rules.language):
            return text
        return text if self.repeats([Line(line, False)]) else _NUMBER.sub("#", text)

    def counts(self) -> bool:
        """Tell whether the lines of a box that comes next count."""
        return self.begun and (self.rules.edge is None or self.texts < self.rules.edge)

    def count(self, lines: list[Line]) -> None:
        """Count the lines of a box."""
        self.found.lines += len(lines)
        if self.rules.exact and lines:
            self.out.append(f"{_BOX}{self.texts}/{len(lines)}{_END}")

    def tells(self, lines: list[Line]) -> bool:
        """Tell whether one of a box's lines may be taken for the headline, a description or a byline."""
        told = any(key(line.text) in self.told or byline_of(line.text, self.rules.language) for line in lines)
        self.found.refused = self.found.refused or told
        return told

    def repeats(self, lines: list[Line]) -> bool:
        """Tell whether the article may have one of a box's lines: extraction asks where else its lines are printed."""
        taken = self.rules.taken
        return any(beginning(key(line.text)) in taken for line in lines)

    def may_repeat(self, element: Any) -> bool:
        """Tell whether an element may have a line of the article: its lines need not be told apart otherwise."""
        whole = key.__wrapped__(" ".join(element.itertext()))  # too long to be remembered
        return any(start in whole for start in self.rules.taken)

    def has_headline(self, element: Any) -> bool:
        """Tell whether the headline stands in an element before it was printed itself."""
        if self.begun:
            return False
        headline = self.rules.headline
        has = not headline or headline in key(" ".join(element.itertext()))
        self.found.refused = self.found.refused or has
        return has


def _block_of(element: Any) -> Any:
    """Return the block that an element's text stands in."""
    while element.tag not in BLOCKS and (above := element.getparent()) is not None:
        element = above
    return element


def _heaviest(elements: list[Any], room: float) -> float:
    letters = sum(len(text) for element in elements for text in element.itertext())
    return letters if letters <= room else sum(_weight(lines_of(element)) for element in elements)


def _weight(lines: list[Line]) -> int:
    return sum(len(line.text) for line in lines if len(line.text) >= PARAGRAPH)


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
        found = mark(tag, *one.items())
        if found.block:
            flush()
        elif tag == "a":
            linked += len(squeeze("".join(one.itertext())))
        if one.text:
            words.append(one.text)
        for child in one:
            visit(child)
            if child.tail:
                words.append(child.tail)
        if found.ends:
            flush()

    visit(element)
    flush()
    return found


@lru_cache(maxsize=16384)
def says_nothing(text: str, language: str | None) -> bool:
    """Tell whether a line is neither a correction, a byline nor a stamp, wherever it stands."""
    if is_correction(text) or byline_of(text, language) or printed_stamps(text, language):
        return False
    return name_before_stamp(text, language) is None


def beginning(same: str) -> str:
    """Return what of a line's key is remembered."""
    return same[:_REMEMBERED]


def is_named(element: Any) -> bool:
    """Tell whether an element's attributes call it something."""
    return any(element.get(name) for name in NAMING)


def is_short(text: str) -> bool:
    """Tell whether a line is too short for a sentence, and ends like none."""
    return len(text) <= SHORT and not ends_sentence(text)


def and_above(element: Any) -> Iterator[Any]:
    """Yield an element and those around it, the inner ones first."""
    while element is not None:
        yield element
        element = element.getparent()
