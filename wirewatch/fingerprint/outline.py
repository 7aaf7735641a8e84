"""Walk a parsed page and list all that a reading can depend on: its text and its markup, without its boxes.

A box is an element of whose text the reading takes nothing as long as it stays of its kind. There are two kinds:

* An *aside* is what extraction cuts out of the page unread, by its markup: `<nav>`, or a class such as `related`.
* A *list* gave nothing to the reading when the page was extracted, and holds nothing but links; and no stamp, byline or
  correction. Which elements are lists is remembered by their marks.

Elsewhere, two kinds of text count only by their place: a link to another story, away from the article, that is a line
of its own; and the number in what is called a counter.

How much text is in asides and lists still counts, since extraction compares it. That is why they are measured here and
not skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from lxml import etree

from wirewatch.extract.body import EMPTIES
from wirewatch.extract.furniture import byline_of, ends_sentence, is_correction, key, name_before_stamp
from wirewatch.extract.page import (
    ALL_LINK,
    ASIDES,
    BLOCKS,
    NAMING,
    PARAGRAPH,
    Part,
    apart,
    name_of,
    own_part,
    part_in,
    squeeze,
)
from wirewatch.extract.reading import NEAR_HEADLINE
from wirewatch.times import printed_stamps

_FEW_CHILDREN: Final = 8  # of the headline's element
# Control characters, which are taken out of what a page says: around an element in a line, around a block, behind each,
# and where a line ends for a block that is left out.
_START, _END, _OPEN, _OPENED, _CLOSE, _BREAK = "\x01", "\x02", "\x03", "\x04", "\x05", "\x06"
_FORGED = re.compile("[\x01-\x06]")
_ENDING: Final = (_OPENED, _CLOSE, _BREAK)
_POINTER: Final = f"{_END}{_START}{_END}"
# trafilatura looks at these too
_HIDING: Final = frozenset({"hidden", "aria-hidden", "role", "type", "style", "lang", "data-lp-replacement-content"})
_TAKEN: Final = NAMING | _HIDING
_BARE: Final = frozenset({"html", "body"})  # their classes change with every visit, and nothing looks at them
_ALWAYS_NOISE: Final = frozenset({"nav", "footer", "form"})
_CORES: Final = frozenset({"article", "main"})
_CORE = re.compile(r"article|post|entry|story|content|main|page|body|text", re.IGNORECASE)
_REMEMBERED: Final = 24  # letters of a line of the article
_ROOM: Final = 3  # elements in the block of a link that is a line of its own
_COUNTED: Final = 40  # characters of a counter's line
_COUNTER = re.compile(r"\s*\d[\d.,]*\s?[^\W\d]{0,12}\s*\Z")
_NUMBER = re.compile(r"\d[\d.,]*")
_NUMBERS = re.compile("[0-9]+")
_COUNTING = re.compile(r"\b(?:counte?r?|comment|share|like|view|social|reaction|vote)s?\b")
_STRING: Final = etree.XPath("string()", smart_strings=False)


class Mark(NamedTuple):
    """What an element's tag and attributes say: `sign` for the outline, `name` to remember it by."""

    sign: str
    name: str
    own: Part | None
    block: bool
    ends: bool  # a line ends with it, inside an aside
    core: bool  # it may be taken for the article's element
    counting: bool  # it is called a counter


@lru_cache(maxsize=32768)
def mark(tag: str, *attributes: tuple[str, str]) -> Mark:
    """Return what an element's tag and attributes say; numbers count as one, but for those in a class in `sign`.

    Extraction asks which elements have the same classes.
    """
    named: dict[str, str] = {} if tag in _BARE else {n: value for n, value in attributes if n in _TAKEN}
    style = named.pop("style", "")
    if any(word in style.lower() for word in ("display", "visibility", "hidden")):
        named["style"] = "".join(style.split())
    if named.keys() <= {"type"}:
        named = {}
    numberless = {name: _NUMBERS.sub("#", value) for name, value in sorted(named.items())}
    sign = _FORGED.sub("", f"{tag} {_said(numberless | {n: value for n, value in named.items() if n == 'class'})}")
    name = sha256(f"{tag} {_said(numberless)}".encode("utf-8", "replace")).hexdigest()[:8]
    own = own_part(attributes, tag, Part.TEXT)
    if tag in _ALWAYS_NOISE:
        crumbs = tag == "nav" and "breadcrumb" in dict(attributes).get("class", "").lower()
        own = Part.CRUMB if crumbs else Part.NOISE
    elif tag == "h1":
        own = Part.HEADLINE
    block = tag in BLOCKS
    counting = any(name in ("class", "id") and _COUNTING.search(apart(value)) for name, value in attributes)
    ends = block or own_part(attributes, tag, Part.NOISE) is not None
    before, behind = (_OPEN, _OPENED) if block else (_START, _END)
    core = tag in _CORES or (tag not in _BARE and any(_CORE.search(value) for n, value in attributes if n in _TAKEN))
    return Mark(f"{before}{sign}{behind}", name, own, block, ends, core, counting)


def _said(attributes: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in attributes.items())


class Line(NamedTuple):
    """One line of a box."""

    text: str
    link: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What of a page counts, as it was found when the page was extracted.

    `lists` names the lists; in the article, which is in the element at `home`, there are none. `misnamed` names the
    asides that have too much of the text to be any. Of a box, those lines count that are the headline, before it was
    printed; near it, those that may be a description (their keys are in `told`) or a byline; and those that the article
    has too: how their keys begin is in `taken`. `counters` says that numbers of counters count only by their place.
    `headline` and `shown` are the keys of the headline and of the line that extraction takes for it; where that line
    may be several, it is not `sure`, and all before it are near. `cored` says that the article is in an `<article>` or
    `<main>`.
    """

    home: str = ""
    lists: frozenset[str] = frozenset()
    misnamed: frozenset[str] = frozenset()
    headline: str = ""
    shown: str = ""
    sure: bool = False
    cored: bool = False
    told: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    counters: bool = False
    language: str | None = None


@dataclass(slots=True)
class Outline:
    """What counts of a page. `letters` and `paragraphs` are the characters in lists, and in the paragraphs of lists.

    `longest` is the length of the longest line among them. `asides` are the elements that are asides, each with its
    characters, by name; `bare` are the names of those of which one is in no misnamed element. `begun` is set where the
    headline was printed.
    """

    tokens: list[str] = field(default_factory=list)
    letters: int = 0
    paragraphs: int = 0
    longest: int = 0
    asides: dict[str, list[tuple[Any, int]]] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)
    begun: bool = False

    def fits(self, room: float, opened: float, held: Mapping[str, int]) -> bool:
        """Tell whether, of each name, the paragraphs of all asides together have at most `room` characters.

        Where all of a name are in misnamed elements, they may have as many as `opened`. `held` has those of asides of
        these names that are in the outline.
        """
        for name, elements in self.asides.items():
            left = (room if name in self.bare else opened) - held.get(name, 0)
            if _heaviest(elements, left) > left:
                return False
        return True

    def weights(self) -> str:
        """Return a digest of how many characters the paragraphs of asides have, by name."""
        weights = [(name, sum(_weight(lines_of(one)) for one, _ in held)) for name, held in self.asides.items()]
        some = sorted((name, weight) for name, weight in weights if weight)
        return sha256(repr(some).encode()).hexdigest()[:16]

    def digest(self) -> str:
        """Return the SHA-256 of what counts, with single spaces and ends of lines."""
        told = " ".join("".join(self.tokens).split())
        if f" {_BREAK}" in told:  # the space may stand on either side
            told = told.replace(f" {_BREAK} ", f"{_BREAK} ").replace(f" {_BREAK}", f"{_BREAK} ")
        return sha256(told.encode("utf-8", "replace")).hexdigest()


def inherited(above: Part, found: Mark, *, misnamed: bool) -> Part:
    """Return the part of an element inside one whose part is `above`, as `extract.page` has it."""
    if found.own is None or above is Part.HEADLINE or misnamed:
        return above
    return part_in(above, found.own)


def is_misnamed(element: Any, found: Mark, names: frozenset[str]) -> bool:
    """Tell whether an element is called an aside, and what is called so has too much of the text to be any."""
    return bool(names) and found.block and found.own in ASIDES and name_of(element) in names


def outline(tree: Any, rules: Rules) -> Outline:
    """Return what counts of a page that was parsed and not scanned."""
    walk = _Walk(rules)
    walk.visit(tree, Part.TEXT, False, False)
    return walk.found


class _Walk:
    """The state of one walk through a page.

    `opened` counts the misnamed elements around the next one, `cores` those that may be taken for the article's, and
    `passed` is set behind the article. `near` is set from the headline on, until so many lines were `left` behind that
    extraction looks no further.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.found = Outline()
        self.out = self.found.tokens
        self.near = not rules.sure
        self.left = NEAR_HEADLINE + 1  # extraction does not count the headline's own line where that is a link
        self.opened = self.cores = 0
        self.passed = False

    def visit(self, element: Any, above: Part, inside: bool, home: bool) -> None:
        """Add an element to the outline, unless it is a box; it may be inside an aside that counts, or the article."""
        tag = element.tag
        own = mark(tag, *element.items())
        misnamed = is_misnamed(element, own, self.rules.misnamed)
        part = above if own.own is None else inherited(above, own, misnamed=misnamed)
        out, around = self.out, home
        if own.block:
            home = home or (self.rules.home.startswith(own.name) and place_of(element) == self.rules.home)
            if not inside and not misnamed and part is not Part.HEADLINE and self.is_box(element, own, part, home):
                self.divide()
                return
            inside = inside or (own.own in ASIDES and not misnamed)
            self.measure(element, part)
        text = element.text
        if not text and tag in EMPTIES and part is not Part.HEADLINE and not len(element):
            if own.ends:
                self.divide()
            return
        self.begin(own)
        if tag == "a" and part is Part.TEXT and not home and not inside and self.is_pointer(element):
            out.append(_POINTER)
            return
        if text:
            text = text if text.isprintable() else _FORGED.sub("", text)
            out.append(self.uncounted(element, own, part, text) if self.rules.counters else text)
        self.opened += misnamed
        self.cores += own.core
        for child in element:
            self.visit(child, part, inside, home)
            if tail := child.tail:
                out.append(tail if tail.isprintable() else _FORGED.sub("", tail))
        self.opened -= misnamed
        self.cores -= own.core
        self.passed = self.passed or (home and not around)
        self.end(own)

    def begin(self, own: Mark) -> None:
        """Add the beginning of an element."""
        if own.block:
            self.drop_idle()
        self.out.append(own.sign)

    def end(self, own: Mark) -> None:
        """Add the end of an element."""
        if own.block:
            self.drop_idle()
        self.out.append(_CLOSE if own.block else _END)

    def divide(self) -> None:
        """Add the end of a line, where none is."""
        n = self.behind_spaces()
        if n and self.out[n - 1][-1] not in _ENDING:
            self.out.append(_BREAK)

    def drop_idle(self) -> None:
        """Drop the end of a line where one ends anyway, and spaces that have nothing to divide."""
        out = self.out
        n = self.behind_spaces()
        if n and out[n - 1][-1] in (_OPENED, _CLOSE):
            del out[n:]
        elif n and out[n - 1] == _BREAK:
            del out[n - 1]

    def behind_spaces(self) -> int:
        """Return the number of tokens without the spaces at their end."""
        n = len(self.out)
        while n and self.out[n - 1].isspace():
            n -= 1
        return n

    def is_apart(self) -> bool:
        """Tell whether what comes next is certainly outside of what extraction may take for the article's element.

        What stands before the article decides where extraction begins, unless it is outside of an `<article>` or
        `<main>` that the article is in.
        """
        return self.passed or (self.rules.cored and not self.cores)

    def measure(self, element: Any, part: Part) -> None:
        """See how far a block that is no box is from the headline; it counts where it is certainly a line of its own.

        What extraction does not count are noise, and links to other stories.
        """
        if not self.found.begun:
            few = len(element) <= _FEW_CHILDREN
            self.found.begun = few and bool(self.rules.shown) and key(all_text(element)) == self.rules.shown
            self.near = self.near or self.found.begun
        elif self.near and part not in (Part.NOISE, Part.HEADLINE):
            same = key(element.text or "")
            linked = next(element.iter("a"), None) is not None or next(element.iterancestors("a"), None) is not None
            self.left -= bool(same) and not linked and not self.rules.shown.startswith(same)
            self.near = self.left > 0

    def is_box(self, element: Any, own: Mark, part: Part, home: bool) -> bool:
        """Tell whether a block is a box, and measure it if so."""
        if own.own is Part.NOISE:
            return self.is_aside(element)
        listed = own.name in self.rules.lists and part is Part.TEXT and not home
        return listed and self.is_apart() and self.is_list(element)

    def is_aside(self, element: Any) -> bool:
        """Tell whether extraction would cut the element out unread, if it is not too much of the text."""
        if next(element.iter("h1"), None) is not None:
            return False
        text = all_text(element)
        same = key.__wrapped__(text)  # too long to be remembered
        if self.near or self.has_headline(same) or any(start in same for start in self.rules.taken):
            keys = [key(line.text) for line in lines_of(element) if self.matters(line)]
            self.out.extend(f"{_START}{one}{_END}" for one in keys)
        name = name_of(element)
        self.found.asides.setdefault(name, []).append((element, len(text)))
        if not self.opened:
            self.found.bare.add(name)
        return True

    def is_list(self, element: Any) -> bool:
        """Tell whether the element is a list still."""
        marks = [mark(one.tag, *one.items()) for one in element.iter()]
        if any(one.own is not None for one in marks) or next(element.iter("time"), None) is not None:
            return False
        if not self.passed and any(one.core for one in marks):
            return False
        lines = lines_of(element)
        return all(line.link for line in lines) and self.lead_elsewhere(lines)

    def is_pointer(self, element: Any) -> bool:
        """Tell whether a link is a line of its own that leads elsewhere, and measure it if so."""
        text = squeeze(all_text(element))
        block = _block_of(element)
        if not self.is_apart() or not text or len(block) > _ROOM or squeeze(all_text(block)) != text:
            return False
        if len(lines_of(element)) != 1:
            return False
        if any(mark(one.tag, *one.items()).own is not None or one.tag == "time" for one in element.iter()):
            return False
        return self.lead_elsewhere([Line(text, True)])

    def lead_elsewhere(self, lines: list[Line]) -> bool:
        """Tell whether no line is anything but a link, and measure them if so."""
        if any(self.matters(line) for line in lines):
            return False
        if not all(says_nothing(line.text, self.rules.language) for line in lines):
            return False
        self.found.letters += sum(len(line.text) for line in lines)
        self.found.paragraphs += _weight(lines)
        self.found.longest = max(self.found.longest, *(len(line.text) for line in lines), 0)
        return True

    def uncounted(self, element: Any, own: Mark, part: Part, text: str) -> str:
        """Return a text without its number where it is a counter."""
        if not _COUNTER.match(text) or len(element) or part not in (Part.TEXT, Part.NOISE):
            return text
        above = element.getparent()
        if not own.counting and (above is None or not mark(above.tag, *above.items()).counting):
            return text
        block = _block_of(element)
        line = squeeze(all_text(block)[: 4 * _COUNTED])
        if any(one.tag in BLOCKS for one in block.iterdescendants()):
            return text
        if len(line) > _COUNTED or ends_sentence(line) or not says_nothing(line, self.rules.language):
            return text
        return text if self.matters(Line(line, False)) else _NUMBER.sub("#", text)

    def matters(self, line: Line) -> bool:
        """Tell whether a line in a box may be taken for the headline, a description or a byline, or the article has it.

        For the last, extraction asks where else its lines are printed.
        """
        same = key(line.text)
        if beginning(same) in self.rules.taken or self.has_headline(same):
            return True
        return self.near and (same in self.rules.told or bool(byline_of(line.text, self.rules.language)))

    def has_headline(self, same: str) -> bool:
        """Tell whether the headline is in a text with this key, where extraction might take it from there."""
        return (not self.found.begun or self.rules.shown != self.rules.headline) and self.rules.headline in same


def all_text(element: Any) -> str:
    """Return all text in an element as it stands there."""
    text: str = _STRING(element)
    return text


def _block_of(element: Any) -> Any:
    """Return the block that an element's text stands in."""
    while element.tag not in BLOCKS and (above := element.getparent()) is not None:
        element = above
    return element


def _heaviest(elements: list[tuple[Any, int]], room: float) -> float:
    most = sum(letters for _, letters in elements)
    return most if most <= room else sum(_weight(lines_of(element)) for element, _ in elements)


def _weight(lines: list[Line]) -> int:
    return sum(len(line.text) for line in lines if len(line.text) >= PARAGRAPH)


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
            linked += len(squeeze(all_text(one)))
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


def place_of(element: Any) -> str:
    """Return the marks of an element and of those around it up to the first that is called something."""
    names: list[str] = []
    for one in and_above(element):
        names.append(mark(one.tag, *one.items()).name)
        if is_named(one):
            break
    return "/".join(names)


def and_above(element: Any) -> Iterator[Any]:
    """Yield an element and those around it, the inner ones first."""
    while element is not None:
        yield element
        element = element.getparent()
