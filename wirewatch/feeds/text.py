"""Turn a feed's bytes into characters, and its bits of HTML into plain text.

Declared encodings lie more often than bytes do: bytes beyond ASCII that are valid UTF-8 are UTF-8, whatever the
header and the XML declaration say.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Final

from lxml import etree
from lxml.html import HTMLParser

from wirewatch.canonical import storable

# XML 1.0, 2.2: characters that no XML document may hold, however they are written.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BLANK: Final = "\ufeff \t\r\n"  # what may stand before a document and mean nothing
_XML_DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,300}\?>", re.IGNORECASE)
_DECLARED = re.compile(r"""encoding\s*=\s*["']\s*([A-Za-z0-9._:-]{1,40})""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
# XML 1.0, appendix F: byte order marks, then `<?xm`, `<?` or `<` in encodings that are not like ASCII.
_MARKS: Final = (
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
# Python calls these encodings of text; no feed is written in them, and some take quadratic time.
_NOT_FOR_FEEDS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "ascii": "cp1252", "iso8859-1": "cp1252"}  # WHATWG Encoding, 4.2

_UNSEEN_TAGS = frozenset({"script", "style", "template", "head", "noscript", "iframe", "object", "svg", "math"})
_BLOCK_TAGS = frozenset({
    "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section",
    "table", "td", "th", "tr", "ul",
})  # fmt: skip
_LINE_ENDS: Final = re.compile(r"[\t\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029]+")  # str.splitlines, and tabs
_MARKUP_LIMIT = 2_000_000  # characters of one field; ten times the longest text that is kept of it
_LONGEST_RUN_OF_MARKS = 30  # Unicode's Stream-Safe Text Format (UAX 15, 13); NFC is quadratic in longer ones


def decode(body: bytes, content_type: str) -> tuple[str, tuple[str, ...]]:
    """Return a feed's characters without its XML declaration, and flags for what had to be put right.

    `wrong_encoding`: it is not what was declared. `control_characters`: some that XML forbids were dropped.
    """
    text, encoding, declared = _decoded(body, content_type)
    clean = _NOT_XML.sub("", text)
    flags = []
    if declared is not None and _codec(declared) != encoding and not encoding.startswith(("utf-16", "utf-32")):
        flags.append("wrong_encoding")
    if len(clean) < len(text):
        flags.append("control_characters")
    document = clean.lstrip(_BLANK)
    declaration = _XML_DECLARATION.match(document)
    return document[declaration.end() if declaration else 0 :].lstrip(_BLANK), tuple(flags)


def plain(markup: str, *, limit: int, one_line: bool = False) -> str:
    """Return what a reader sees of a bit of HTML: paragraphs divided by blank lines, or all in one line."""
    markup = markup[:_MARKUP_LIMIT]
    if "<" not in markup and "&" not in markup:
        return tidy(markup, limit=limit, one_line=one_line)
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    document = f"<!DOCTYPE html><html><body><div>{_NOT_XML.sub('', markup)}</div></body></html>"
    try:
        root = etree.fromstring(document.encode(), parser)
    except etree.XMLSyntaxError:  # nothing in it but markup
        return ""
    return tidy("".join(_visible(root)), limit=limit, one_line=one_line) if root is not None else ""


def tidy(text: str, *, limit: int, one_line: bool = False) -> str:
    """Return plain text with single spaces, its paragraphs divided by blank lines, cut to `limit` characters."""
    bounded = _thin_marks(storable(text[:_MARKUP_LIMIT])[0])
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", bounded))
    return (" " if one_line else "\n\n").join(filter(None, paragraphs))[:limit].rstrip()


def as_written(text: str, *, limit: int) -> str:
    """Return plain text on one line, its spaces as they are: where no markup is indented, they are the editors'."""
    bounded = _thin_marks(storable(text[:_MARKUP_LIMIT])[0])
    return _LINE_ENDS.sub(" ", bounded[:limit]).strip()


def _decoded(body: bytes, content_type: str) -> tuple[str, str, str | None]:
    """Return the text, the Python codec that read it, and the encoding that was declared."""
    marked = next((name for mark, name in _MARKS if body.startswith(mark)), None)
    if marked and marked != "cp037":
        return body.decode(marked, "replace"), marked.removesuffix("-sig"), None
    stated = _CHARSET.search(content_type)
    in_document = _declared_in(body[:400].decode("cp037" if marked else "latin-1"))
    declared = stated[1] if stated else in_document
    for name in (None if body.isascii() else "utf-8", stated and stated[1], in_document, "utf-8"):
        codec = _codec(name) if name else None
        if codec is None or codec.startswith(("utf-16", "utf-32")):  # its bytes would have shown it
            continue
        try:
            return body.decode(codec), codec, declared
        except (UnicodeError, ValueError):
            continue
    return body.decode("cp1252", "replace"), "cp1252", declared


def _declared_in(head: str) -> str | None:
    declaration = _XML_DECLARATION.match(head)
    match = _DECLARED.search(declaration[0]) if declaration else None
    return match[1] if match else None


def _codec(name: str) -> str | None:
    try:
        codec = codecs.lookup(name).name.replace("_", "-")
        "".encode(codec)  # hex, zlib and their like are no encodings of text
    except (LookupError, ValueError):
        return None
    if codec.replace("-", "_") in _NOT_FOR_FEEDS:
        return None
    return _WIDER.get(codec, codec)


def _visible(root: etree._Element) -> list[str]:
    pieces: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in _BLOCK_TAGS:
            pieces.append("\n\n")
        if event == "start":
            if tag in _UNSEEN_TAGS:
                walk.skip_subtree()
            elif tag == "br":
                pieces.append(" ")
            elif element.text:
                pieces.append(_no_breaks(element.text))
        elif element.tail:
            pieces.append(_no_breaks(element.tail))
    return pieces


def _no_breaks(text: str) -> str:
    """Return text whose own line ends mean nothing, as in HTML."""
    return text.replace("\n", " ")


def _thin_marks(text: str) -> str:
    if text.isascii():
        return text
    run, kept = 0, []
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _LONGEST_RUN_OF_MARKS:
            kept.append(character)
    return "".join(kept)
