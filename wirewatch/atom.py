"""Write Atom feeds (RFC 4287) with links from a revision to the one before it and to all of them (RFC 5829).

A feed is a pure function of its entries, so whoever writes it again from the same ones writes the same bytes. An entry
keeps its id for good: one that comes again replaces itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lxml import etree

from wirewatch.errors import BadContent

_ATOM: Final = "http://www.w3.org/2005/Atom"
# What XML 1.0, 2.2, has no way to carry.
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry. `links` are relation and IRI, `categories` term and scheme, `html` is a fragment safe anywhere."""

    id: str
    title: str
    updated: datetime
    author: str
    html: str
    published: datetime | None = None
    links: tuple[tuple[str, str], ...] = ()
    categories: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """What a feed says of itself. `address` is where it is published, if that is known."""

    id: str
    title: str
    updated: datetime
    author: str
    address: str | None = None


def write(feed: Feed, entries: Iterable[Entry], earlier: bytes = b"", *, most: int) -> bytes:
    """Return a feed with the new entries first and then those of an earlier one, `most` in all.

    Raises `BadContent` where `earlier` is there and no Atom feed.
    """
    root = etree.Element(_name("feed"), nsmap={None: _ATOM})
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "updated", _moment(feed.updated))
    _text(etree.SubElement(root, _name("author")), "name", feed.author)
    if feed.address:
        etree.SubElement(root, _name("link"), rel="self", type="application/atom+xml", href=_legal(feed.address))
    there: set[str] = set()
    for element in [*map(_element, entries), *_entries(earlier)]:
        name = element.findtext(_name("id"))
        if len(there) < most and name is not None and name not in there:
            there.add(name)
            root.append(element)
    etree.indent(root)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return document + b"\n"


def _element(entry: Entry) -> Any:
    element = etree.Element(_name("entry"), nsmap={None: _ATOM})
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    if entry.published:
        _text(element, "published", _moment(entry.published))
    _text(element, "updated", _moment(entry.updated))
    _text(etree.SubElement(element, _name("author")), "name", entry.author)
    for relation, address in entry.links:
        kind = {"type": "text/html"} if relation == "alternate" else {}
        etree.SubElement(element, _name("link"), rel=relation, **kind, href=_legal(address))
    for term, scheme in entry.categories:
        etree.SubElement(element, _name("category"), term=_legal(term), scheme=_legal(scheme))
    _text(element, "content", entry.html, type="html")
    return element


def _entries(earlier: bytes) -> Sequence[Any]:
    if not earlier:
        return ()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True, remove_comments=True)
    try:
        root = etree.fromstring(earlier, parser)
    except etree.XMLSyntaxError as error:
        raise BadContent(f"This is no XML: {error.msg}") from error
    if root.tag != _name("feed"):
        raise BadContent("This is no Atom feed")
    found: Sequence[Any] = root.findall(_name("entry"))
    return found


def _text(parent: Any, name: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, _name(name), **attributes).text = _legal(text)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _name(name: str) -> str:
    return f"{{{_ATOM}}}{name}"
