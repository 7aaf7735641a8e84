"""Turn a capture's bytes into text, or say in one sentence why they are none.

Publishers' statements about the charset are wrong often enough that the bytes come first: what decodes as UTF-8 is
UTF-8, whatever header and `<meta>` say.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from charset_normalizer import from_bytes
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, resolve_encoding

from wirewatch.errors import BadContent
from wirewatch.model import Capture

BYTES_LIMIT: Final = 5 * 1024 * 1024  # the fetcher's own limit for an article; replayed captures keep to it too
MARKS_LIMIT: Final = 64  # Zalgo text; Tibetan, Hebrew with cantillation and Vietnamese stay under 8
_SNIFFED: Final = 1024

_MAGIC: Final = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive or office document",
    b"\xd0\xcf\x11\xe0": "an office document",
    b"{\\rtf": "an RTF document",
    b"\x89PNG": "a PNG image",
    b"GIF8": "a GIF image",
    b"\xff\xd8\xff": "a JPEG image",
    b"RIFF": "a WebP image or a sound",
    b"\x00\x00\x00": "a film or image",
    b"OggS": "an Ogg recording",
    b"ID3": "an MP3 recording",
    b"\x1f\x8b": "gzip-compressed data",
    b"BZh": "bzip2-compressed data",
    b"\xfd7zXZ": "xz-compressed data",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x7fELF": "a program",
    b"wOFF": "a font",
    b"wOF2": "a font",
}
_NEVER_TEXT = re.compile(
    r"\s*(image|audio|video|font)/|\s*application/(pdf|zip|gzip|msword|vnd\.|x-tar|wasm)", re.IGNORECASE
)
_FEED = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(rss|feed|rdf:RDF|urlset|sitemapindex)\b", re.DOTALL)
_MARKUP = re.compile(r"<(?:!doctype html|html|head|body|meta|title|article|main|div|section|p|h1)\b", re.IGNORECASE)
# The marks that NFC reorders (combining classes above 0) in the scripts news is written in, by Unicode block.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0730-\u074a\u0e38-\u0e4e\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\u302a-\u302f\u3099\u309a\ufe20-\ufe2f"
)
_MARK = re.compile(f"[{_MARKS}]")
_LONG_RUN = re.compile(f"[{_MARKS}]{{{MARKS_LIMIT},}}")
_STATEFUL: Final = {
    "iso2022_jp": b"\x1b$",
    "iso2022_kr": b"\x1b$",
    "hz": b"~{",
}  # their bytes are ASCII, and so UTF-8 too


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """A capture's text, whether it is HTML (else plain text), and what was odd about its bytes."""

    text: str
    is_html: bool
    flags: tuple[str, ...]


def decode(capture: Capture) -> Decoded:
    """Return the capture's text without NUL and lone surrogates; raise BadContent if it is not text for reading.

    Flags: `unknown_charset` (a name that nobody knows), `wrong_charset` (the bytes are not in the one stated),
    `replaced_characters`.
    """
    body = capture.body
    content_type = capture.header("content-type") or ""
    _refuse_other_kinds(body, content_type)
    text, flags = _text(body, content_type)
    clean = text.replace("\0", "\ufffd")  # no decoder yields lone surrogates
    if "\ufffd" in clean:
        flags = (*flags, "replaced_characters")
    refuse_marks(clean)
    if not clean.strip("\ufeff\ufffd \t\r\n"):
        raise BadContent("the page is empty")
    return Decoded(text=clean, is_html=_is_html(clean, content_type), flags=flags)


def refuse_marks(text: str) -> None:
    """Raise BadContent for a run of combining marks that would hold NFC for minutes (it is quadratic there)."""
    sampled = text[:: MARKS_LIMIT // 2]  # a run cannot hide between the samples
    if not sampled.isascii() and _MARK.search(sampled) and _LONG_RUN.search(text):
        raise BadContent(f"the page has a run of more than {MARKS_LIMIT} combining marks")


def _refuse_other_kinds(body: bytes, content_type: str) -> None:
    if not body.strip():
        raise BadContent("the page is empty")
    if len(body) > BYTES_LIMIT:
        raise BadContent(f"the page has {len(body)} bytes; more than {BYTES_LIMIT} are not read")
    for magic, kind in _MAGIC.items():
        if body.startswith(magic):
            raise BadContent(f"the answer is {kind}, not a page")
    if found := _NEVER_TEXT.match(content_type):
        raise BadContent(f"the answer is of the type {found.group().strip()}…, not a page")
    if feed := _FEED.match(body[:_SNIFFED]):
        raise BadContent(f"the answer is a feed or site map (<{feed.group(1).decode()}>), not a page")
    if body.lstrip()[:1] in (b"{", b"[") and "html" not in content_type and "plain" not in content_type:
        raise BadContent("the answer is JSON, not a page")
    start = body[: 4 * _SNIFFED]
    if read_bom(start)[0] is None and start.count(b"\x00") > len(start) // 100 and not _utf16_declared(content_type):
        raise BadContent("the answer is binary data, not a page")


def _utf16_declared(content_type: str) -> bool:
    return (http_content_type_encoding(content_type) or "").startswith("utf-16")


def _text(body: bytes, content_type: str) -> tuple[str, tuple[str, ...]]:
    encoding, bom = read_bom(body)
    if encoding is not None and bom is not None:
        return body[len(bom) :].decode(encoding, "replace"), ()
    names = [name for name in (_stated(content_type), _stated_inside(body)) if name]
    known = [encoding for name in names if (encoding := _known(name))]
    flags = ("unknown_charset",) if len(known) < len(names) else ()
    for encoding in known:
        escape = _STATEFUL.get(encoding)
        if (escape and escape in body) or (encoding.startswith("utf-16") and b"\x00" in body[:_SNIFFED]):
            return body.decode(encoding, "replace"), flags
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _other_than_utf8(body, known, flags)
    lies = bool(known) and "utf-8" not in known and not text.isascii()
    return text, ((*flags, "wrong_charset") if lies else flags)


def _other_than_utf8(body: bytes, known: list[str], flags: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    for encoding in known:
        if encoding != "utf-8":
            try:
                return body.decode(encoding), flags
            except UnicodeDecodeError:
                flags = (*flags, "wrong_charset")
    repaired = body.decode("utf-8", "replace")
    broken = repaired.count("\ufffd")
    if broken * 10 < sum(not c.isascii() for c in repaired):  # UTF-8 but for a cut or a few stray bytes
        return repaired, flags
    if "utf-8" in known and "wrong_charset" not in flags:
        flags = (*flags, "wrong_charset")
    guess = from_bytes(_odd_parts(body)).best()
    for encoding in (guess.encoding if guess else "cp1252", "cp1252"):
        try:
            return body.decode(encoding), flags
        except (UnicodeDecodeError, LookupError):
            continue
    raise BadContent("the page is in no charset that it states, nor in one that could be recognised")


def _odd_parts(body: bytes) -> bytes:
    """Return the bytes that tell charsets apart, with their neighbours: scripts and markup would outvote them."""
    return b" ".join(re.findall(rb"[^<>\x80-\xff]{0,20}[\x80-\xff][^<>]{0,40}", body)[:200])


def _stated(content_type: str) -> str | None:
    found = re.search(r"charset\s*=\s*[\"']?([^\s\"';,]{1,40})", content_type, re.IGNORECASE)
    return found.group(1) if found else None


def _stated_inside(body: bytes) -> str | None:
    found = re.search(
        rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:\-]{1,40})", body[: 4 * _SNIFFED], re.IGNORECASE
    )
    return found.group(1).decode("ascii") if found else html_body_declared_encoding(body)


def _known(name: str) -> str | None:
    resolved = resolve_encoding(name)  # as browsers do: latin-1 is cp1252
    if resolved is None:
        return None
    try:
        return codecs.lookup(resolved).name
    except LookupError:
        return None


def _is_html(text: str, content_type: str) -> bool:
    start = text[:_SNIFFED]
    if content_type.lower().lstrip().startswith("text/plain"):
        return re.match(r"\s*<(?:!doctype html|html)\b", start, re.IGNORECASE) is not None
    if "html" in content_type.lower():
        return True
    return _MARKUP.search(start) is not None or "</" in text[: 16 * _SNIFFED]
