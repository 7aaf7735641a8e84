"""Column types that mean the same on SQLite and PostgreSQL.

Left to themselves the two disagree in silence: times come back naive, JSON loses the order of its keys, text sorts by
the server's language, and NUL is refused by one and kept by the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import zstandard
from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

from wirewatch.canonical import canonical_json, storable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A btree entry of PostgreSQL holds 2,704 bytes; two names share the key of `aliases`.
_LONGEST_NAME_BYTES = 1000
# Bytewise order is code point order in UTF-8; SQLite's default, BINARY, is that already.
_BY_CODE_POINT = Text().with_variant(Text(collation="C"), "postgresql")

COUNTING = BigInteger().with_variant(Integer, "sqlite")
"""Primary keys that count up on both: SQLite counts only what is called exactly INTEGER."""


def to_microseconds(at: datetime) -> int:
    """Return microseconds since 1970 in UTC; refuse a time without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"A time without a zone: {at.isoformat()}")
    return (at - _EPOCH) // timedelta(microseconds=1)


def short_name(name: str) -> str:
    """Return a name as `Name` columns keep it: storable, and beyond 1,000 bytes its beginning with a hash of it all."""
    clean = _stored(name)
    if clean.isascii() and len(clean) <= _LONGEST_NAME_BYTES:
        return clean
    encoded = clean.encode()
    if len(encoded) <= _LONGEST_NAME_BYTES:
        return clean
    return f"{encoded[:900].decode(errors='ignore')}#sha256={hashlib.sha256(encoded).hexdigest()}"


class Microseconds(TypeDecorator[datetime]):
    """Keeps an aware time as microseconds UTC in a BIGINT; refuses naive ones; gives aware UTC back."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class PlainText(TypeDecorator[str]):
    """Keeps text that sorts by code point; what no store keeps (NUL, lone surrogates) becomes U+FFFD.

    Texts that are hashed or compared go through `canonical.storable` before that; here it is the last guard.
    """

    impl = _BY_CODE_POINT
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _stored(value)


class Name(PlainText):
    """Keeps a URL, guid or host name that is part of a key; a very long one is kept shortened (see `short_name`)."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else short_name(value)


class Json(TypeDecorator[Any]):
    """Keeps a value or record as canonical JSON text; gives plain values back, for `encoding.revive`.

    Bytes are canonical JSON already, of what is kept more often than once.
    """

    impl = _BY_CODE_POINT
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if isinstance(value, bytes):
            return value.decode()
        return None if value is None else canonical_json(_storable(value)).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


class Compressed(TypeDecorator[bytes]):
    """Keeps bytes compressed with Zstandard."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else zstandard.compress(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else zstandard.decompress(value)


def _stored(text: str) -> str:
    """Return a text as it is stored; most are hashes, addresses and names in ASCII, which are seen at a glance."""
    return text if text.isascii() and "\0" not in text else storable(text)[0]


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _stored(value)
    if isinstance(value, Mapping):
        return {_storable(str(key)): _storable(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(member) for member in value]
    return value
