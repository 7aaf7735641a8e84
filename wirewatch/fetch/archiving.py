"""Whether a page allows its bytes to be kept.

`noarchive` speaks about the bytes only: the words are read and compared all the same.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from wirewatch.fetch.robots import PRODUCT
from wirewatch.model import Capture

_NAMES: Final = frozenset({"robots", PRODUCT.lower()})
_WITH_VALUE: Final = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
# Pages of 2 MB put their head into the first tenth.
_SCANNED: Final = 256 * 1024
_META: Final = re.compile(r"<meta\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"""\b(name|content)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)


def may_archive(capture: Capture) -> bool:
    """Tell whether neither `X-Robots-Tag` nor a robots `<meta>` of the page says `noarchive` to all or to us."""
    in_headers = any(_forbids(value) for name, value in capture.headers if name == "x-robots-tag")
    return not in_headers and not any(map(_meta_forbids, _META.findall(_text(capture.body[:_SCANNED]))))


def _forbids(value: str) -> bool:
    """Tell whether one `X-Robots-Tag` says `noarchive` to us: `otherbot: noarchive, nofollow` does not."""
    ours = True
    for part in value.lower().split(","):
        agent, colon, rest = part.partition(":")
        names_agent = bool(colon) and agent.strip() not in _WITH_VALUE
        if names_agent:
            ours = agent.strip() in _NAMES
        if ours and (rest if names_agent else part).strip() == "noarchive":
            return True
    return False


def _meta_forbids(attributes: str) -> bool:
    found = {name.lower(): value.strip("\"'").strip().lower() for name, value in _ATTRIBUTE.findall(attributes)}
    if found.get("name") not in _NAMES:
        return False
    return "noarchive" in re.split(r"[\s,;]+", found.get("content", ""))


def _text(body: bytes) -> str:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", errors="replace")
    return body.decode("latin-1")  # tags are ASCII in all other encodings that pages have
