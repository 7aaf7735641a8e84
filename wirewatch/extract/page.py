"""Parse a page once, refuse what would take minutes, and list its lines with the part each plays.

A part comes from the markup: `figcaption` and class names such as `byline` or `related`. It is a hint about a line,
never a reason alone to cut a whole container away, since publishers put anything into anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from lxml import etree
from lxml.html import HtmlElement, document_fromstring

from wirewatch.errors import BadContent

# About ten times the most seen in 433 pages of 40 countries (4,098 elements, 8,367 attributes, 73 in one, 683 links,
# 51 levels). The parser itself silently drops what lies deeper than 255.
ELEMENTS_LIMIT: Final = 40_000
ATTRIBUTES_LIMIT: Final = 100_000
ATTRIBUTES_OF_ONE_LIMIT: Final = 1_000
LINKS_LIMIT: Final = 8_000
DEPTH_LIMIT: Final = 240
TIMES_LIMIT: Final = 50  # looked at on one page
_LONG: Final = 16_000  # characters of a tag
_LONG_TAG = re.compile(rf"<[a-zA-Z][^<]{{{_LONG},}}")
_ATTRIBUTE = re.compile(r"""[^\s=>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?""")
_DOCTYPE = re.compile(r"\s*(?:<\?xml[^>]{0,200}>\s*)?<!doctype[^>]{0,500}>", re.IGNORECASE)
_CONTROLS: Final = bytes.maketrans(bytes(n for n in range(0x20) if n not in b"\t\n\r"), b" " * 29)  # no XML character


class Part(StrEnum):
    """What a line is, as far as the markup tells."""

    TEXT = "text"
    HEADLINE = "headline"
    STANDFIRST = "standfirst"
    BYLINE = "byline"
    STAMP = "stamp"
    CAPTION = "caption"
    CREDIT = "credit"
    CORRECTION = "correction"
    CRUMB = "crumb"
    NOISE = "noise"


@dataclass(slots=True)
class Line:
    """One block of a page's text. `in_article` is true inside `<article>` or `<main>`, outside of noise."""

    text: str
    part: Part
    tag: str
    in_article: bool
    figure: int = 0  # captions and credits of one figure share a number
    linked: float = 0.0  # share of it that is links
    place: int = 0  # number of the block element that it is in, for `Page.around`

    @property
    def link(self) -> bool:
        """Tell whether the line is nothing but links."""
        return self.linked >= ALL_LINK


@dataclass(slots=True)
class Aside:
    """An element that is not the article's text, by its markup, and the places in `Page.lines` of what it holds.

    `weight` is the number of characters in its paragraphs. `misnamed` is the round, counted from 1, in which all of its
    name together had too much of the text, and 0 where they never had.
    """

    element: Any
    start: int
    around: Aside | None = None
    end: int = 0
    weight: int = 0
    misnamed: int = 0

    @property
    def name(self) -> str:
        return name_of(self.element)


def name_of(element: Any) -> str:
    """Return what asides are told by: an element's tag and classes."""
    return f"{element.tag} {element.get('class', '')}"


@dataclass(slots=True)
class Page:
    """What one pass over a page's tree collects; all texts with single spaces."""

    tree: HtmlElement
    lines: list[Line] = field(default_factory=list)
    metas: list[tuple[str, str]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    json_ld: list[str] = field(default_factory=list)
    title: str = ""
    language: str = ""
    times: list[tuple[str, str, str]] = field(default_factory=list)  # datetime, kind by markup or "", text
    images: dict[int, str] = field(default_factory=dict)  # by figure
    asides: list[Aside] = field(default_factory=list)
    outside: list[int] = field(
        default_factory=list
    )  # characters of the paragraphs in no aside, by rounds of `_misnamed`
    asks_password: bool = False
    around: list[int] = field(default_factory=lambda: [0])  # for each block element, the number of the one around it
    names: list[str] = field(default_factory=lambda: [""])  # and its tag and classes


# Words of class names, as templates of news sites use them in all countries; the first part that fits wins.
_PARTS: Final[dict[Part, str]] = {
    Part.NOISE: (
        r"related|recommend|recirc|newsletter|subscri|sign-?up|social|share(?!d)|sharing|comment|disqus|cookie|consent|gdpr"
        r"|advert|\bads?\b|\bad-|-ad\b|sponsor|promo|outbrain|taboola|trending|most-?(?:read|popular|viewed)"
        r"|read-?(?:more|next|also)|more-?(?:from|on|stories|news)|\bmenu|\bnav|footer|sidebar|paywall|\btags?\b|topic"
        r"|author-?(?:bio|box|info)|about-?(?:the-)?author|toolbar|copyright|teaser|ticker|poll\b|quiz|widget|skip|tooltip"
        r"|sr-only|visually-?hidden|screen-?reader"
    ),
    Part.CORRECTION: r"correction|erratum|errata|clarification|editors?-?note",
    Part.CRUMB: r"breadcrumb|kicker|eyebrow|article-section|section-name",
    Part.CREDIT: r"credit|photographer|(?:photo|image|media|picture|figure|img)[-_]{0,2}(?:source|author|by)\b",
    Part.CAPTION: r"caption|cutline",
    Part.BYLINE: (
        r"byline|\bauthors?\b|author-?name|article-?author|writer|contributor|reporter|journalist|redakt(?:or|eur)"
        r"|\bauteur|\bautor"
    ),
    Part.STAMP: (
        r"time-?stamp|\bstamps?\b|date-?line|datetime|\bdate\b|\btime\b"
        r"|\b(?:pub|publish|published|publication|posted|post|article|update|updated|modified|entry)[-_]*(?:date|time|on|at)\b"
    ),
    Part.STANDFIRST: (
        r"standfirst|stand-first|sub-?title|sub-?headline|\bsub-?heading\b|\bdec?k\b|\blede?\b|chapeau|excerpt|vorspann"
        r"|ingress|article-?(?:summary|intro|lead|description|subtitle)|story-?summary|summary-text"
    ),
}
_COMPILED = tuple((part, re.compile(pattern)) for part, pattern in _PARTS.items())
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+|--")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SILENT: Final = _names(
    "script style noscript template svg select button iframe object option textarea math audio video canvas dialog head"
)
BLOCKS: Final = _names(
    "address article aside blockquote body br center dd details div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr html label li main nav ol p pre section summary table tbody td th thead tr ul"
)
_TELLING: Final = _names("time span meta abbr img input")
_SPECIAL: Final = _names("nav footer form h1 figure article main")
HEADINGS: Final = _names("h2 h3 h4 h5 h6")
_NEVER: Final = _names("html body main article")  # `<body class="has-sidebar">`
NAMING: Final = _names("class id itemprop rel data-testid data-component")
_DATES: Final = ("datePublished", "dateModified")
_TIMES: Final = etree.XPath("//time | //@itemprop[. = 'datePublished' or . = 'dateModified']/..")
_HEAD: Final = etree.XPath("//meta | //link | //title | //script[contains(@type, 'ld+json')]")
# What trafilatura is not given: it has half as much to do (22 ms a page, 11 ms), F1 the same and +.0002 on Fundus.
ASIDES: Final = frozenset({Part.NOISE, Part.CAPTION, Part.CREDIT, Part.BYLINE, Part.STAMP, Part.CRUMB})
PARAGRAPH: Final = 80  # characters of a line that is a paragraph wherever it stands
MOST_ASIDE: Final = 0.25  # of the paragraphs' text outside; elements of one name with more are misnamed
_QUOTES: Final = 100  # looked at on one page
_WRAPPERS: Final = 3  # elements around a quotation
_NESTED: Final = 12  # misnamed elements in each other; what is still deeper stays
ALL_LINK: Final = 0.9  # of a line's characters; a bullet or bracket may stand before the link
_ELEMENT_COUNT, _ATTRIBUTE_COUNT, _LINK_COUNT = (etree.XPath(f"count(//{what})") for what in ("*", "@*", "a"))
_CROWDED: Final = etree.XPath(f"boolean(//*[@*[{ATTRIBUTES_OF_ONE_LIMIT + 1}]])")
_ELEMENTS = etree.ElementDefaultClassLookup(element=HtmlElement)


def parse(text: str) -> Page:
    """Return the page behind some HTML, not yet scanned; raise BadContent where working on it would take too long."""
    _refuse_tags(text)
    doctype = _DOCTYPE.match(text)  # some make the parser lose the rest (libxml2; launchpad.net/bugs/1955915)
    clean = text[doctype.end() if doctype else 0 :].encode("utf-8", "replace").translate(_CONTROLS)
    try:
        tree = document_fromstring(clean, parser=_parser())
    except (etree.LxmlError, ValueError) as error:
        raise BadContent("the page has no elements that could be read") from error
    _refuse_tree(tree)
    page = Page(tree=tree)
    _read_head(page)
    etree.strip_elements(tree, *SILENT, with_tail=False)
    _unname_quotes(tree)
    return page


def scan(page: Page) -> None:
    """List a page's lines, and take out of its tree what its markup says is no text of the article."""
    found = _Scan(page)
    found.run()
    page.asides = found.asides
    misnamed = _misnamed(page)
    _rename(page.lines, misnamed, found.named)
    _cut(page.lines, [aside for aside in page.asides if not aside.misnamed])


def _unname_quotes(tree: HtmlElement) -> None:
    """Take the names off quotations and the elements that hold nothing else: a post quoted in the text is text.

    F1 +.0011 on scrapinghub, -.0001 on Fundus, where the publishers' own data leave such posts out.
    """
    for quote in islice(tree.iter("blockquote"), _QUOTES):
        element, length = quote, len(_all_text(quote))
        for _ in range(_WRAPPERS):
            for name in NAMING:
                element.attrib.pop(name, None)
            element = element.getparent()
            if element is None or element.tag != "div" or len(_all_text(element)) > length:
                break


def _all_text(element: Any) -> str:
    return "".join("".join(element.itertext()).split())


def _parser() -> etree.HTMLParser:
    parser = etree.HTMLParser(
        collect_ids=False, default_doctype=False, encoding="utf-8", remove_comments=True, remove_pis=True
    )
    parser.set_element_class_lookup(_ELEMENTS)
    return parser


def _refuse_tags(text: str) -> None:
    """Refuse before parsing what the parser itself is slow at: it compares each attribute of a tag with all others."""
    if (count := text.count("<")) > 4 * ELEMENTS_LIMIT:
        raise BadContent(f"the page has about {count} tags; more than {4 * ELEMENTS_LIMIT} are not read")
    for found in _LONG_TAG.finditer(text):
        tag = found[0].partition(">")[0]
        if len(tag) > _LONG and sum(1 for _ in _ATTRIBUTE.finditer(tag)) > 10 * ATTRIBUTES_OF_ONE_LIMIT:
            raise BadContent(f"one element of the page has more than {10 * ATTRIBUTES_OF_ONE_LIMIT} attributes")


def _refuse_tree(tree: HtmlElement) -> None:
    elements, attributes = int(_ELEMENT_COUNT(tree)), int(_ATTRIBUTE_COUNT(tree))
    if elements > ELEMENTS_LIMIT:
        raise BadContent(f"the page has {elements} elements; more than {ELEMENTS_LIMIT} are not read")
    if attributes > ATTRIBUTES_LIMIT or (attributes > ATTRIBUTES_OF_ONE_LIMIT and _CROWDED(tree)):
        raise BadContent(
            f"the page has {attributes} attributes; more than {ATTRIBUTES_LIMIT}, or {ATTRIBUTES_OF_ONE_LIMIT} in one "
            "element, are not read"
        )
    if elements > LINKS_LIMIT and (links := int(_LINK_COUNT(tree))) > LINKS_LIMIT:
        raise BadContent(f"the page has {links} links; more than {LINKS_LIMIT} are not read")


class _State(NamedTuple):
    """What the elements around a line say of it, and those that say it, outermost first."""

    part: Part
    named: tuple[tuple[Part, Any], ...]
    tag: str
    in_article: bool
    figure: int
    place: int


_OUTSIDE: Final = _State(Part.TEXT, (), "body", False, 0, 0)


class _Scan:
    """Walk the tree once, in document order, with what the elements above say."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.words: list[str] = []
        self.figures = 0
        self.named: list[tuple[tuple[Part, Any], ...]] = []  # by line
        self.line = _OUTSIDE  # of the words collected so far
        self.asides: list[Aside] = []
        self.around: Aside | None = None  # the innermost aside that is open
        self.linked = 0  # characters of the line that are links
        self.inside = 0  # links, which broken markup puts into each other

    def run(self) -> None:
        self.visit(self.page.tree, _OUTSIDE, DEPTH_LIMIT)
        self._flush(_OUTSIDE)

    def visit(self, element: Any, above: _State, levels: int) -> None:
        """Look at an element and all in it, which may have so many levels."""
        if not levels:
            raise BadContent(f"the page is nested more than {DEPTH_LIMIT} levels deep")
        tag = element.tag
        block = tag in BLOCKS
        state = above if above.tag == "h1" else self._state(element, tag, above)
        if tag in _TELLING:
            self._see(element, tag)
        self._open(element, above, state, block=block)
        link = tag == "a"
        if link:
            self._see_link(element)
        aside = block and state.named is not above.named and state.named[-1][0] in ASIDES
        if aside:
            self.around = Aside(element, len(self.page.lines), self.around)
            self.asides.append(self.around)
        if text := element.text:
            self.words.append(text)
        for child in element:
            self.visit(child, state, levels - 1)
            if tail := child.tail:
                self.words.append(tail)
        self.inside -= link
        self._close(above, state, block=block)
        if aside and self.around is not None:
            self._flush(above)
            self.around.end = len(self.page.lines)
            self.around = self.around.around

    def _open(self, element: Any, above: _State, state: _State, *, block: bool) -> None:
        if above.tag == "h1":  # one headline, however it is laid out
            self.words.append(" " if block or element.get("class") else "")
        elif block:
            self._flush(state)
        elif state is not above and not "".join(self.words).strip():
            self.line = state

    def _close(self, above: _State, state: _State, *, block: bool) -> None:
        if above.tag == "h1":
            self.words.append(" " if block else "")
        elif block or (state.named is not above.named and state.part is not Part.TEXT):
            self._flush(above)

    def _see_link(self, element: Any) -> None:
        if not self.inside:
            self.linked += len(squeeze("".join(element.itertext()) if len(element) else element.text or ""))
        self.inside += 1

    def _state(self, element: Any, tag: str, above: _State) -> _State:
        part, named, name, in_article, figure, place = above
        block = tag in BLOCKS
        if block:
            self.page.around.append(place)
            self.page.names.append(f"{tag} {element.get('class', '')}")
            place = len(self.page.around) - 1
            name = tag
        own = None
        if tag in _SPECIAL:
            if tag in ("nav", "footer", "form"):
                in_article = False
                own = Part.CRUMB if "breadcrumb" in element.get("class", "").lower() and tag == "nav" else Part.NOISE
            elif tag == "h1":
                return _State(Part.HEADLINE, (*named, (Part.HEADLINE, element)), "h1", in_article, figure, place)
            elif tag == "figure":
                self.figures += 1
                figure = self.figures
            elif tag in ("article", "main"):
                in_article = True
        own = own or own_part(element.items(), tag, part)
        if own is not None:
            named = (*named, (own, element))
            part = part_in(part, own)
        elif not block and figure == above.figure:
            return above
        return _State(part, named, name, in_article, figure, place)

    def _see(self, element: Any, tag: str) -> None:
        if tag == "time" or element.get("itemprop") in _DATES:
            if len(self.page.times) < TIMES_LIMIT:
                self.page.times.append(time_of(element))
        elif tag == "img":
            self.page.images.setdefault(self.figures, element.get("src") or element.get("data-src") or "")
        elif tag == "input" and element.get("type", "").lower() == "password":
            self.page.asks_password = True

    def _flush(self, state: _State) -> None:
        if self.words:
            text = squeeze("".join(self.words))
            self.words.clear()
            if text:
                part, named, tag, in_article, figure, place = self.line
                inside = in_article and part is not Part.NOISE
                self.page.lines.append(Line(text, part, tag, inside, figure, min(1.0, self.linked / len(text)), place))
                self.named.append(named)
                self.linked = 0
        self.line = state


def all_times(tree: HtmlElement) -> list[tuple[str, str, str]]:
    """Return what `Page.times` will be once the page is scanned."""
    return [time_of(element) for element in _TIMES(tree) if element.tag in _TELLING][:TIMES_LIMIT]


def time_of(element: Any) -> tuple[str, str, str]:
    """Return a time's `datetime`, its kind by markup or "", and its text."""
    names = " ".join((element.get("itemprop", ""), element.get("class", ""))).lower()
    kind = ""
    if "modif" in names or "updat" in names:
        kind = "modified"
    elif "publish" in names or element.get("pubdate") is not None:
        kind = "published"
    stated = element.get("datetime") or element.get("content") or ""
    return stated.strip(), kind, squeeze("".join(element.itertext()))[:200]


def _read_head(page: Page) -> None:
    """Collect what a page states in tags that print nothing, wherever they stand."""
    page.language = (page.tree.get("lang") or page.tree.get("xml:lang") or "").strip()
    for element in _HEAD(page.tree):
        tag = element.tag
        if tag == "meta":
            name = (
                element.get("property") or element.get("name") or element.get("itemprop") or element.get("http-equiv")
            )
            if name and (content := element.get("content")):
                page.metas.append((name.strip().lower(), squeeze(content[:4000])))
        elif tag == "link":
            for name in (element.get("rel") or "").lower().split():
                page.links.setdefault(name, (element.get("href") or "").strip())
        elif tag == "script":
            if element.get("type", "").split(";")[0].strip().lower() == "application/ld+json":
                page.json_ld.append(element.text or "")
        elif not page.title and element.getparent().tag != "svg":
            page.title = squeeze("".join(element.itertext())[:2000])


def _misnamed(page: Page) -> frozenset[Any]:
    """Mark and return the elements that hold too much of the text to be what their names say, all of one name together.

    What stands in such an element is judged in turn by the names in it: F1 +.0004 on scrapinghub (-.0003 on half A,
    +.0012 on half B) and +.0015 on Fundus (.0000 and +.0031), where the outer element alone was judged before.
    """
    weights = [len(line.text) if len(line.text) >= PARAGRAPH else 0 for line in page.lines]
    for aside in page.asides:
        aside.weight = sum(weights[aside.start : aside.end])
    found: set[Any] = set()
    for turn in range(1, _NESTED + 1):
        outer = [aside for aside in page.asides if aside.element not in found and lies_open(aside)]
        held = Counter[str]()
        for aside in outer:
            held[aside.name] += aside.weight
        page.outside.append(sum(weights) - held.total())
        more = [aside for aside in outer if held[aside.name] > MOST_ASIDE * page.outside[-1]]
        if not more:
            return frozenset(found)
        for aside in more:
            aside.misnamed = turn
            found.add(aside.element)
    for aside in page.asides:
        aside.misnamed = aside.misnamed or _NESTED
    return frozenset(aside.element for aside in page.asides)


def lies_open(aside: Aside) -> bool:
    """Tell whether all asides around this one are misnamed."""
    around = aside.around
    while around is not None and around.misnamed:
        around = around.around
    return around is None


def _rename(lines: list[Line], misnamed: frozenset[Any], named: list[tuple[tuple[Part, Any], ...]]) -> None:
    """Give the lines in misnamed elements the part that the other elements around them say."""
    for line, names in zip(lines, named, strict=True):
        if names and any(element in misnamed for _, element in names):
            line.part = Part.TEXT
            for own, element in names:
                if element not in misnamed:
                    line.part = part_in(line.part, own)


def part_in(around: Part, own: Part) -> Part:
    """Return the part of what is `own` by its name and stands in something else."""
    if own is Part.HEADLINE:
        return own
    return around if around is Part.NOISE or (around is Part.CAPTION and own is not Part.CREDIT) else own


def _cut(lines: list[Line], asides: list[Aside]) -> None:
    """Take out of the tree what its markup says is no text of the article."""
    for aside in asides:
        if any(line.part is Part.HEADLINE for line in lines[aside.start : aside.end]):
            continue
        if aside.element.getparent() is not None:
            aside.element.drop_tree()


def own_part(attributes: Sequence[tuple[str, str]], tag: str, above: Part) -> Part | None:
    """Return the part that an element's tag and attributes give it inside one whose part is `above`, or None."""
    if tag in _NEVER:
        return None
    own = None
    if attributes:  # half of all elements have none
        names = []
        for name, value in attributes:
            if name in NAMING:
                names.append(value)
            elif name == "hidden" or (name == "style" and HIDDEN.search(value)):
                return Part.NOISE  # F1 none on scrapinghub, +.0001 on Fundus
        own = part_of(" ".join(names)) if names else None
    if tag == "figcaption" and own is not Part.NOISE:
        return Part.CAPTION
    return Part.STAMP if tag == "time" and above is Part.TEXT else own


@lru_cache(maxsize=16384)
def part_of(names: str) -> Part | None:
    """Return the part that class, id and the like give an element, or None."""
    words = apart(names)
    return next((part for part, pattern in _COMPILED if pattern.search(words)), None)


def apart(names: str) -> str:
    """Return names in small letters with their words divided by hyphens: `article-date` for `articleDate`."""
    return _WORD_BREAK.sub("-", names).lower()


def squeeze(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return " ".join(text.split())
