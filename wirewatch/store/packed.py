"""Captures as bytes, for the rows that keep them whole: a line of JSON, then the body as it came."""

from __future__ import annotations

from dataclasses import replace

from wirewatch.canonical import canonical_json, storable
from wirewatch.encoding import revive_json
from wirewatch.model import Capture


def pack(capture: Capture) -> bytes:
    """Return the capture as bytes; header values that are no text (lone surrogates) are kept as far as they are."""
    headers = tuple((storable(name)[0], storable(value)[0]) for name, value in capture.headers)
    problem = None if capture.problem is None else storable(capture.problem)[0]
    return canonical_json(replace(capture, body=b"", headers=headers, problem=problem)) + b"\n" + capture.body


def unpack(data: bytes) -> Capture:
    """Return the capture that was packed."""
    described, _, body = data.partition(b"\n")
    return replace(revive_json(Capture, described), body=body)
