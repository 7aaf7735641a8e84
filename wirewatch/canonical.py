"""The form in which texts are compared, and the ids and bytes that follow from it.

Only what cannot carry meaning is levelled here: `1.5` stays different from `15`, `-5` from `5`, `did it?` from
`did it.`, capitals from small letters. Whatever is levelled here is never seen again as a change, so when in doubt,
leave it alone.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from wirewatch.model import Wording

_QUOTES = (("‘", "'"), ("’", "'"), ("‚", "'"), ("‛", "'"), ("“", '"'), ("”", '"'), ("„", '"'), ("‟", '"'))
# Never visible and never a letter: soft hyphen, zero-width space, word joiner, byte order mark, direction marks.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
# A joiner between letters of Persian or Hindi, or inside an emoji, changes what is read; beside Latin, Greek,
# Cyrillic, digits, spaces and punctuation it is only a hidden character.
_PLAIN = "[\u0000-\u058f\u2000-\u200b]"
_IDLE_JOINER = re.compile(f"(?<={_PLAIN})[\u200c\u200d]+|[\u200c\u200d]+(?={_PLAIN}|$)")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> tuple[str, bool]:
    """Return `text` with NUL and lone surrogates as U+FFFD, and whether there were any: no store keeps those."""
    clean = _NOT_TEXT.sub("\ufffd", text)
    return clean, clean != text


def comparable(text: str) -> str:
    """Return the form in which texts are compared: NFC, single spaces, straight quotes, no invisible characters.

    Call it on untrusted text only in a bounded process: NFC is quadratic in a run of combining marks.
    """
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
        if "\u200c" in text or "\u200d" in text:  # looking for idle ones takes as long as all the rest together
            text = _IDLE_JOINER.sub("", text)
        text = unicodedata.normalize("NFC", text)
        for curly, straight in _QUOTES:  # `translate` takes seventy times as long
            text = text.replace(curly, straight)
    return " ".join(text.split())


def content_hash(wording: Wording) -> str:
    """Return the SHA-256 (64 hex digits) of the wording's comparable fields; absent and empty ones are left out."""
    form = {name: same for name, text in wording.present().items() if (same := comparable(text))}
    return hashlib.sha256(canonical_json(form)).hexdigest()


def text_hash(wording: Wording) -> str:
    """Return 32 hex digits over the wording exactly as read: equal means equal to the last space."""
    return _digest(wording.present())


def length(wording: Wording) -> int:
    """Return the number of characters of the body's comparable form."""
    return len(comparable(wording.body)) if wording.body else 0


def article_key(normalised_url: str) -> str:
    """Return an article's key, 16 hex digits: a pure function of the normalised URL first asked for."""
    return hashlib.sha256(normalised_url.encode()).hexdigest()[:16]


def article_uri(authority: str, since: str, key: str) -> str:
    """Return the article's `tag:` URI (RFC 4151) under this installation's name."""
    return f"tag:{authority},{since}:article/{key}"


def revision_id(article: str, content: str, occurrence: int) -> str:
    """Return the id of the n-th time (from 1) that this wording appears in the article's history."""
    return _digest(["revision", article, content, occurrence])


def diff_id(article: str, old_content: str, new_content: str, occurrence: int) -> str:
    """Return the id of the n-th time (from 1) that this transition appears in the article's history."""
    return _digest(["diff", article, old_content, new_content, occurrence])


def event_id(subject: str, kind: str, n: int) -> str:
    """Return the id of an announcement: of what (a diff's, revision's or article's id), which kind, the n-th time."""
    return _digest(["event", subject, kind, n])


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: Any) -> bytes:
    """Return JSON with keys sorted by code point, times in UTC with microseconds, floats rounded to 3 places.

    Dataclasses become objects without the members that have their default value.
    """
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)


def timestamp(at: datetime) -> str:
    """Return RFC 3339 in UTC with microseconds: `2026-03-16T14:26:07.000000Z`. Refuse naive times."""
    if at.tzinfo is None:
        raise ValueError(f"A time without a zone: {at.isoformat()}")
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()[:32]


_AS_IS = frozenset({str, int, bool, type(None)})  # most values; asked first, since every reading is written so


@lru_cache
def _members(kind: type) -> tuple[tuple[str, Any], ...] | None:
    """Return the names of a dataclass' members with their defaults; None for any other type."""
    if not is_dataclass(kind):
        return None
    return tuple((f.name, f.default_factory() if f.default_factory is not MISSING else f.default) for f in fields(kind))


def _plain(value: Any) -> Any:
    kind: Any = type(value)
    if kind in _AS_IS:
        return value
    if (members := _members(kind)) is not None:
        named = [(name, getattr(value, name), default) for name, default in members]
        return {name: _plain(member) for name, member, default in named if member != default}
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, float):
        return round(value, 3)
    return value
