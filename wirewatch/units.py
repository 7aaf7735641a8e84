"""Durations and sizes as people write them: `90s`, `1h30m`, `5MiB`; a bare number is seconds or bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_BYTES: Final = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_MILLISECONDS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_NUMBER: Final = r"([0-9]{1,15}(?:\.[0-9]{1,6})?)"
_DURATION_PART: Final = re.compile(rf"{_NUMBER}\s*(ms|s|min|m|h|d)\s*")
_DURATION: Final = re.compile(rf"(?:{_DURATION_PART.pattern})+")
_SIZE: Final = re.compile(rf"{_NUMBER}\s*([A-Za-z]{{0,3}})")


def seconds(value: object) -> float:
    """Return a duration in seconds; raise ValueError, saying how to write one, for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    text = value.strip() if isinstance(value, str) else ""
    if re.fullmatch(_NUMBER, text):
        return float(text)
    if not _DURATION.fullmatch(text):
        raise ValueError("is no duration; write it like 60s, 10m, 1h30m or 3d")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))


def size(value: object) -> int:
    """Return a size in bytes; raise ValueError, saying how to write one, for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found or found.group(2) not in _BYTES:
        raise ValueError("is no size; write it like 500kB or 5MiB")
    return int(float(found.group(1)) * _BYTES[found.group(2)])


def duration_text(seconds: float) -> str:
    """Return a duration as it is written in a configuration, in its largest whole unit, to the millisecond."""
    return _written(round(seconds * 1000), _MILLISECONDS) if seconds else "0s"


def size_text(count: int) -> str:
    """Return a size as it is written in a configuration, in its largest whole unit."""
    return _written(count, {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "B": 1}) if count else "0B"


def _written(count: int, units: Mapping[str, int]) -> str:
    name, unit = next((name, unit) for name, unit in units.items() if count % unit == 0)
    return f"{count // unit}{name}"
