"""Find the lists of a page that was extracted: elements that gave nothing to the reading, and cannot by their kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from wirewatch.extract.furniture import key
from wirewatch.extract.page import ALL_LINK, ASIDES, BLOCKS, Part, squeeze
from wirewatch.fingerprint.outline import (
    all_text,
    and_above,
    inherited,
    is_misnamed,
    is_named,
    mark,
    says_nothing,
)

_SURE: Final = 60  # letters of a line that is the article's if the reading has it; shorter ones are printed twice
_MOST: Final = 0.85  # of those letters are in the article's element
_WHOLE: Final = 6  # letters; a shorter line has to be a whole line of the reading


@dataclass(frozen=True, kw_only=True, slots=True)
class Fed:
    """What the reading took: the keys of its lines, and those together, in which a part of a line is found too.

    `body` has the keys of the text's own lines.
    """

    lines: frozenset[str]
    whole: str
    body: frozenset[str]

    @classmethod
    def of(cls, body: Iterable[str], others: Iterable[str]) -> Fed:
        """Return what a reading with these texts took."""
        own = _keys(body)
        keys = [*own, *_keys(others)]
        return cls(lines=frozenset(keys), whole="\n".join(keys), body=frozenset(own))

    def has(self, same: str) -> bool:
        """Tell whether the reading may have taken a line with this key."""
        return same in self.lines or (len(same) >= _WHOLE and same in self.whole)


def _keys(texts: Iterable[str]) -> list[str]:
    return [key(line) for text in texts for line in text.split("\n")]


def find_lists(tree: Any, *, fed: Fed, misnamed: frozenset[str], language: str | None) -> tuple[frozenset[str], Any]:
    """Return the marks of the lists of links of a page that was parsed, and the element of its article.

    A mark counts only if it names something, and all elements that bear it are lists: the next page may have more of
    them. What is called nothing but `<h2>` or `<ul>` may stand in the article with the next edit.
    """
    survey = _Survey(fed=fed, misnamed=misnamed, language=language)
    survey.visit(tree, Part.TEXT, False, tree)
    survey.flush(tree)
    return survey.lists(tree)


@dataclass(slots=True, kw_only=True)
class _Survey:
    """What is found out about a page's elements: which hold text, and which are no lists.

    `names` has the marks of all that were looked at; while an element lives there, it is the same object. `sure` are
    the blocks with lines that are the article's without doubt, and the letters in those.
    """

    fed: Fed
    misnamed: frozenset[str]
    language: str | None
    names: dict[Any, str] = field(default_factory=dict)
    texted: set[Any] = field(default_factory=set)
    others: set[Any] = field(default_factory=set)
    sure: list[tuple[Any, int]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    linked: int = 0

    def visit(self, element: Any, above: Part, inside: bool, block: Any) -> None:
        """Look at an element; `block` is the block around it, which the words so far belong to."""
        tag = element.tag
        found = mark(tag, *element.items())
        self.names[element] = found.name
        misnamed = is_misnamed(element, found, self.misnamed)
        part = inherited(above, found, misnamed=misnamed)
        if found.own is not None or tag == "time":
            _add(element, self.others)
        if found.block:
            self.flush(block)
            if found.own in ASIDES and not misnamed and not inside:
                if found.own is Part.NOISE:
                    return
                inside = True
        elif tag == "a":
            self.linked += len(squeeze(all_text(element)))
        own = element if found.block else block
        if element.text:
            self.words.append(element.text)
        for child in element:
            self.visit(child, part, inside, own)
            if child.tail:
                self.words.append(child.tail)
        if found.block:
            self.flush(element)

    def flush(self, block: Any) -> None:
        """Judge the line that ends here."""
        if not self.words:
            return
        text = squeeze("".join(self.words))
        self.words.clear()
        if not text:
            return
        link, self.linked = self.linked >= ALL_LINK * len(text), 0
        _add(block, self.texted)
        same = key(text)
        if not link or self.fed.has(same) or not says_nothing(text, self.language):
            _add(block, self.others)
            if len(same) >= _SURE and same in self.fed.body:
                self.sure.append((block, len(same)))

    def lists(self, tree: Any) -> tuple[frozenset[str], Any]:
        """Return the marks of the lists outside the article, and the element around it."""
        home = _home(self.sure)
        home = tree if home is None else home
        _add(home, self.others)
        self.others.update(home.iter())
        no_lists = {self.names.get(one, "") for one in self.others}
        found: set[str] = set()
        waiting = [tree]
        while waiting:
            element = waiting.pop()
            name = self.names.get(element)
            if name is None:  # inside an aside
                continue
            listed = element.tag in BLOCKS and element in self.texted and is_named(element)
            if listed and element not in self.others and name not in no_lists:
                found.add(name)
            else:
                waiting.extend(element)
        return frozenset(found), home


def _add(element: Any, those: set[Any]) -> None:
    """Put an element and all that are around it into a set."""
    for one in and_above(element):
        if one in those:
            break
        those.add(one)


def _home(sure: list[tuple[Any, int]]) -> Any:
    """Return the smallest element around most of the sure lines of the article, or None if there are none."""
    held: Counter[Any] = Counter()
    for block, letters in sure:
        for one in and_above(block):
            held[one] += letters
    least = _MOST * sum(letters for _, letters in sure)
    return min((one for one in held if held[one] >= least), key=held.__getitem__, default=None)  # the innermost first
