"""Captures as bytes, for the rows that keep them whole: a line of JSON, then the body as it came."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from wirewatch.canonical import canonical_json, storable
from wirewatch.encoding import revive_json
from wirewatch.model import Capture


def pack(capture: Capture) -> bytes:
    """Return the capture as bytes; what no JSON can hold of its texts (lone surrogates) becomes U+FFFD."""
    bare = replace(capture, body=b"")
    texts = {
        member.name: _storable(value)
        for member in fields(bare)
        if isinstance(value := getattr(bare, member.name), (str, tuple))
    }
    return canonical_json(replace(bare, **texts)) + b"\n" + capture.body


def unpack(data: bytes) -> Capture:
    """Return the capture that was packed."""
    described, _, body = data.partition(b"\n")
    return replace(revive_json(Capture, described), body=body)


def _storable(value: Any) -> Any:
    return storable(value)[0] if isinstance(value, str) else tuple(_storable(member) for member in value)
