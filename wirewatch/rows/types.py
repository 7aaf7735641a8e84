"""Say of which type the value at a place in a published message is, by asking the model that publishes it."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Kind = Literal["text", "texts", "integer", "number", "flag", "time"]
"""`texts` are several, perhaps none; a `flag` is true, false or absent; a `time` is in UTC, to the microsecond."""

_PLAIN: Final[dict[Any, Kind]] = {str: "text", bool: "flag", int: "integer", float: "number"}
_MEMBER: Final = re.compile(r"\w+")


def kind_at(models: Sequence[type[BaseModel]], path: str) -> Kind:
    """Return the type at a path such as `altIds[role=contentHash].value`; `[]` takes all items of a list.

    Raise ValueError where no model has such a place, or two disagree.
    """
    found = {kind for model in models for kind in _kinds(model, path.split("."))}
    if len(found) != 1:
        raise ValueError(f"{path} is {' and '.join(sorted(found)) or 'nowhere'}")
    return "texts" if "[]" in path else found.pop()


def _kinds(model: Any, steps: Sequence[str]) -> Iterator[Kind]:
    step, *left = steps
    member = _MEMBER.match(step)
    for name, field in model.model_fields.items():
        if member is None or member[0] not in (name, field.alias):
            continue
        for inner in _meant(field.annotation):
            one = get_args(inner)[0] if "[" in step and get_origin(inner) is tuple else inner
            for meant in _meant(one):
                if left:
                    yield from _kinds(meant, left)
                else:
                    yield _leaf(meant, field)


def _meant(annotation: Any) -> Iterator[Any]:
    """Yield what an annotation allows beside nothing at all, `Annotated` kept."""
    if get_origin(annotation) in (Union, types.UnionType):
        for one in get_args(annotation):
            if one is not type(None):
                yield from _meant(one)
    else:
        yield annotation


def _leaf(annotation: Any, field: FieldInfo) -> Kind:
    extras = [field.json_schema_extra]
    if get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        extras += [note.json_schema_extra for note in notes if isinstance(note, FieldInfo)]
    if get_origin(annotation) is Literal:
        annotation = type(get_args(annotation)[0])
    if annotation is str and any(isinstance(extra, dict) and extra.get("format") == "date-time" for extra in extras):
        return "time"
    return _PLAIN[annotation]
