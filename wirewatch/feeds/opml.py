"""Read OPML, the list of feeds that feed readers export.

A broken list is refused rather than half read: half an import looks like a whole one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, ElementTree

from wirewatch.errors import BadContent
from wirewatch.feeds.raw import NAME_LIMIT
from wirewatch.feeds.reading import FEED_LIMIT, page_address
from wirewatch.feeds.text import decode, tidy

OUTLINE_LIMIT: Final = 50_000  # outlines; the longest public lists have a few thousand


@dataclass(frozen=True, kw_only=True, slots=True)
class OpmlFeed:
    """A feed in an OPML list; `folders` are the outlines around it, outermost first."""

    url: str
    title: str | None = None
    folders: tuple[str, ...] = ()


def read_opml(data: bytes) -> tuple[OpmlFeed, ...]:
    """Return the feeds in an OPML list, each address once, in the list's order.

    Outlines without a web address for their feed are left out. Raise BadContent, saying why, if it is no OPML, is
    broken, or declares entities.
    """
    body = _body(data)
    found: dict[str, OpmlFeed] = {}
    waiting: list[tuple[Element, tuple[str, ...]]] = [(body, ())]
    outlines = 0
    while waiting:
        parent, folders = waiting.pop()
        if parent is not body:
            outlines += 1
            if outlines > OUTLINE_LIMIT:
                raise BadContent(f"The OPML has more than {OUTLINE_LIMIT} outlines")
            folders = _visit(parent, folders, found)
        waiting += [(child, folders) for child in reversed(parent) if _name(child.tag) == "outline"]
    return tuple(found.values())


def _body(data: bytes) -> Element:
    if len(data) > FEED_LIMIT:
        raise BadContent(f"The OPML is larger than {FEED_LIMIT // 1024**2} MiB")
    text, _ = decode(data, "")
    if not text:
        raise BadContent("The OPML is empty")
    try:
        root = ElementTree.fromstring(text, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise BadContent("The OPML declares entities, which no list of feeds needs") from error
    except ParseError as error:
        raise BadContent(f"The OPML is broken: {error}") from error
    if _name(root.tag) != "opml":
        raise BadContent(f"This is no OPML: its outermost element is {_name(root.tag)[:50]!r}")
    body: Element | None = next((child for child in root if _name(child.tag) == "body"), None)
    if body is None:
        raise BadContent("The OPML has no body")
    return body


def _visit(outline: Element, folders: tuple[str, ...], found: dict[str, OpmlFeed]) -> tuple[str, ...]:
    """Note the outline's feed, if it has one, and return the folders around its children."""
    attributes = {_name(key): value for key, value in outline.attrib.items()}
    title = tidy(attributes.get("text", ""), limit=NAME_LIMIT, one_line=True)
    title = title or tidy(attributes.get("title", ""), limit=NAME_LIMIT, one_line=True)
    address = attributes.get("xmlurl", "").strip()
    if address.lower().startswith("feed:"):  # feed://host/… and feed:https://host/…, as podcast applications write
        rest = address[5:]
        address = f"http:{rest}" if rest.startswith("//") else rest
    page = page_address(address or None)
    if page:
        found.setdefault(page[0], OpmlFeed(url=page[0], title=title or None, folders=folders))
    return (*folders, title) if title and not address else folders


def _name(tag: object) -> str:
    """Return a tag's or attribute's local name in small letters; comments have none."""
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""
