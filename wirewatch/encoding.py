"""Write records as JSON and make records of JSON again, checked against their types.

What is written is canonical JSON without default members; what is read may come from a child process or a file, so
every value is checked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from wirewatch.errors import BadContent

T = TypeVar("T")


def revive(kind: type[T], plain: Any) -> T:
    """Return the record of type `kind` that plain values (as from JSON) stand for, or raise BadContent."""
    try:
        return cast(T, _adapter(cast(Any, kind)).validate_python(plain))
    except ValidationError as error:
        raise BadContent(f"This is no {kind.__name__}: {_first(error)}") from error


def revive_json(kind: type[T], data: bytes | str) -> T:
    """Return the record of type `kind` that JSON stands for, or raise BadContent."""
    try:
        return cast(T, _adapter(cast(Any, kind)).validate_json(data))
    except ValidationError as error:
        raise BadContent(f"This is no {kind.__name__}: {_first(error)}") from error


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _first(error: ValidationError) -> str:
    one = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in one['loc']) or 'value'}: {one['msg']}"
