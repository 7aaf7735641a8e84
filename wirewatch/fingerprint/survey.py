"""Find the lists of a page that was extracted: elements that gave nothing to the reading, and cannot by their kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from wirewatch.extract.furniture import key
from wirewatch.extract.page import ALL_LINK, ASIDES, BLOCKS, Part, squeeze
from wirewatch.fingerprint.outline import and_above, inherited, is_short, mark, says_nothing

_SURE: Final = 25  # letters of a line that is the article's if the reading has it; shorter ones are so by chance
_WHOLE: Final = 6  # letters; a shorter line has to be a whole line of the reading
_HOME: Final = frozenset({"article", "main"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Fed:
    """What the reading took: the keys of its lines, and those together, in which a part of a line is found too."""

    lines: frozenset[str]
    whole: str

    @classmethod
    def of(cls, texts: Iterable[str]) -> Fed:
        """Return what a reading with these texts took."""
        keys = [key(line) for text in texts for line in text.split("\n")]
        return cls(lines=frozenset(keys), whole="\n".join(keys))

    def has(self, same: str) -> bool:
        """Tell whether the reading may have taken a line with this key."""
        return same in self.lines or (len(same) >= _WHOLE and same in self.whole)


def find_lists(
    tree: Any, *, fed: Fed, uncut: frozenset[str], language: str | None
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the marks of the lists of links and of the lists of short lines of a page that was parsed.

    A mark counts only if all elements that bear it are lists: the next page may have more of them.
    """
    names: dict[Any, str] = {}  # of every element; while it lives here, an element is the same object
    texted: set[Any] = set()
    no_links: set[Any] = set()
    no_shorts: set[Any] = set()
    sure: list[Any] = []
    words: list[str] = []
    linked = 0

    def add(element: Any, *sets: set[Any]) -> None:
        for those in sets:
            for one in and_above(element):
                if one in those:
                    break
                those.add(one)

    def flush(block: Any) -> None:
        nonlocal linked
        if not words:
            return
        text = squeeze("".join(words))
        words.clear()
        if not text:
            return
        link, linked = linked >= ALL_LINK * len(text), 0
        add(block, texted)
        same = key(text)
        if fed.has(same) or not says_nothing(text, language):
            add(block, no_links, no_shorts)
            if len(same) >= _SURE and same in fed.lines:
                sure.append(block)
        elif not link:
            add(block, no_links, *(() if is_short(text) else (no_shorts,)))

    def visit(element: Any, above: Part, inside: bool, block: Any) -> None:
        nonlocal linked
        tag = element.tag
        found = mark(tag, *element.items())
        names[element] = found.name
        part = inherited(above, found)
        if found.own is not None or tag == "time":
            add(element, no_links, no_shorts)
        if found.block:
            flush(block)
            if part in ASIDES and not inside:
                if part is Part.NOISE and found.name not in uncut:
                    return
                inside = True
        elif tag == "a":
            linked += len("".join(element.itertext()))
        own = element if found.block else block
        if element.text:
            words.append(element.text)
        for child in element:
            visit(child, part, inside, own)
            if child.tail:
                words.append(child.tail)
        if found.block:
            flush(element)

    visit(tree, Part.TEXT, False, tree)
    flush(tree)
    home = _home(sure)
    add(home if home is not None else tree, no_shorts)
    no_shorts.update((tree if home is None else home).iter())
    spoiled_links = {names[one] for one in no_links}
    spoiled_shorts = {names.get(one, "") for one in no_shorts}
    links: set[str] = set()
    shorts: set[str] = set()

    def choose(element: Any) -> None:
        name = names.get(element)
        if name is None:  # inside an aside
            return
        if element.tag in BLOCKS and element in texted:
            if element not in no_links and name not in spoiled_links:
                links.add(name)
                return
            if element not in no_shorts and name not in spoiled_shorts:
                shorts.add(name)
                return
        for child in element:
            choose(child)

    choose(tree)
    return frozenset(links - shorts), frozenset(shorts)


def _home(sure: list[Any]) -> Any:
    """Return the smallest element around all sure lines of the article, or the `<article>` or `<main>` around it."""
    if not sure:
        return None
    around = [set(and_above(one)) for one in sure]
    common = set.intersection(*around)
    chain = [one for one in and_above(sure[0]) if one in common]
    named = [one for one in chain if one.tag in _HOME]
    return named[-1] if named else chain[0]
