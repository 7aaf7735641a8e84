"""Find the article's blocks of text with trafilatura, in one frozen mode.

Metadata are never asked of it: an impossible zone in a date makes it return nothing for a good page.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

from lxml.html import HtmlElement
from trafilatura import bare_extraction
from trafilatura.settings import CUT_EMPTY_ELEMS, Extractor

from wirewatch.errors import BadContent
from wirewatch.extract.article import Block
from wirewatch.extract.page import squeeze

RULES_VERSION: Final = 6  # raise it with every change of what is read from a page
EXTRACTOR: Final = (
    f"trafilatura/{version('trafilatura')} fast=false focus=balanced comments=false tables=true dedup=false "
    f"wirewatch/{RULES_VERSION}"
)
EMPTIES: Final = frozenset(CUT_EMPTY_ELEMS)  # tags of elements that trafilatura takes out where nothing is in them
_GROUPS: Final = frozenset({"list", "quote", "table", "row", "div", "section", "body"})


def find_blocks(tree: HtmlElement) -> list[Block]:
    """Return the blocks of a page's main text in order; [] if there is none. The tree is left as it was."""
    options = Extractor(fast=False, comments=False, tables=True, dedup=False)
    try:
        document: Any = bare_extraction(tree, options=options)
    except Exception as error:  # another library's 3,000 lines at work on a stranger's page
        raise BadContent(f"the extractor failed on this page: {type(error).__name__}") from error
    found: list[Block] = []
    if document is not None and document.body is not None:
        _collect(document.body, found)
    return found


def _collect(element: Any, found: list[Block]) -> None:
    words: list[str] = [element.text or ""]
    heading = element.tag == "head"

    def flush() -> None:
        text = squeeze("".join(words))
        words.clear()
        if text:
            found.append(Block(text, heading))

    for child in element:
        if child.tag in ("lb", "br"):
            flush()
        elif child.tag in ("cell", "item", "p", "head", *_GROUPS):
            flush()
            _collect(child, found)
        elif child.tag != "graphic":
            words.append("".join(child.itertext()))
        words.append(child.tail or "")
    flush()
