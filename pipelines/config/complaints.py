"""Say what is wrong with single values, each in a sentence of ours: pydantic's own know neither line nor secret."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from pipelines.config.document import Document
from pipelines.config.problems import Steps
from pipelines.config.settings import Section, Settings
from transforms.sinks import SINKS
from transforms.sources import SOURCES
from wirewatch.errors import WirewatchError
from wirewatch.identity import normalise_url
from wirewatch.store.engine import parse

_KINDS: Final[dict[str, tuple[type[BaseModel], ...]]] = {"sinks": SINKS, "sources": SOURCES}
_WANTED: Final = {
    **dict.fromkeys(("list_type", "tuple_type", "iterable_type"), "is no list; begin each item with `- `"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "is no mapping of keys and values"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "is no whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "is neither true nor false"),
    **dict.fromkeys(("float_type", "float_parsing"), "is no number"),
    **dict.fromkeys(("string_type", "path_type"), "is no text; put it in quotes"),
    "string_pattern_mismatch": "does not have the form {pattern}",
    "literal_error": "is not {expected}",
    "enum": "is not {expected}",
}


def complain(document: Document, error: ValidationError) -> None:
    """Note everything that pydantic found, but nothing of what could not be had in the first place."""
    for one in error.errors(include_url=False):
        steps, message = _place(document, one), _message(document, one)
        if not any(steps[: len(place)] == place for place in document.broken):
            document.report(steps, message)


def complain_of_repetitions(document: Document) -> None:
    """Note feeds and articles whose address, and sinks and sources whose name, is there already."""
    for section, key in (("feeds", "url"), ("articles", "url"), ("sinks", "name"), ("sources", "name")):
        met: dict[str, int] = {}
        for index, name in _names(document.value.get(section), key):
            first = met.setdefault(name, index)
            if first != index:
                shown = document.shown((section, index, key), name)
                document.report((section, index, key), f"{shown} is there already, as {section}[{first}]")


def complain_of_secrets(document: Document) -> None:
    """Note a store's password that stands in the file itself."""
    store = document.value.get("store")
    if not isinstance(store, str):
        return
    try:
        parse(store)
        password = parse(document.written.get(("store",), store)).password
    except WirewatchError as error:
        if ("store",) not in document.broken:
            document.report(("store",), str(error))
        return
    if password and "${" not in str(password):
        document.report(("store",), "the password stands in the file; write ${NAME} and keep it in the environment")


def _names(items: object, key: str) -> Iterator[tuple[int, str]]:
    for index, item in enumerate(items if isinstance(items, list) else ()):
        name = item.get(key) if isinstance(item, dict) else item
        if not isinstance(name, str):
            continue
        try:
            yield index, normalise_url(name) if key == "url" else name
        except WirewatchError:
            continue  # complained of where the address is read


def _message(document: Document, error: Any) -> str:
    steps, kind, context = _place(document, error), error["type"], error.get("ctx", {})
    if kind == "missing":
        return "this key is required"
    if kind == "extra_forbidden":
        return f"there is no such key{_hint(str(steps[-1]), _keys(steps[:-1], document))}"
    if kind == "union_tag_not_found":
        return f"the key kind is required: {', '.join(_kinds(steps[0]))}"
    if steps[-1:] == ("kind",):
        tag = _value(document, steps)
        thing = str(steps[0]).removesuffix("s")
        return f"there is no {thing} {document.shown(steps, tag)}; there is {', '.join(_kinds(steps[0]))}"
    wanted = _WANTED.get(kind, "")
    if kind == "value_error":
        wanted = str(context["error"])
    if not wanted:
        return f"{document.shown(steps, error['input'])} cannot be used: {error['msg']}"
    if error["loc"][-1:] == ("[key]",):
        return f"the key {wanted.format(**context)}"
    value = error["input"]
    return f"{_shown(document, steps, value)} {wanted.format(**context)}"


def _shown(document: Document, steps: Steps, value: object) -> str:
    if isinstance(value, (dict, list, tuple)):
        return "this"
    return "a key without a value" if value is None else document.shown(steps, value)


def _place(document: Document, error: Any) -> Steps:
    """Return where an error is in the file; pydantic's own place also has names of its types."""
    steps: list[str | int] = []
    value = document.value
    for index, step in enumerate(error["loc"]):
        last = index == len(error["loc"]) - 1
        inside = (isinstance(value, dict) and step in value) or (isinstance(value, list) and isinstance(step, int))
        if inside:
            value = value[step]
            steps.append(step)
        elif error["type"] == "missing" and (last or index == 0):
            steps.append(step)
    return (*steps, "kind") if error["type"] == "union_tag_invalid" else tuple(steps)


def _value(document: Document, steps: Steps) -> Any:
    value = document.value
    for step in steps:
        value = value[step]
    return value


def _hint(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there is {', '.join(known)}" if known else ""


def _keys(steps: Steps, document: Document) -> tuple[str, ...]:
    """Return the keys that a place of the file knows."""
    if steps and steps[0] in _KINDS:
        kind = _value(document, steps).get("kind")
        return tuple(name for one in _KINDS[str(steps[0])] if kind in _kinds_of(one) for name in one.model_fields)
    model: type[BaseModel] | None = Settings
    for step in steps:
        field = None if model is None else model.model_fields.get(str(step))
        model = model if isinstance(step, int) else None if field is None else _section(field.annotation)
    return () if model is None else tuple(model.model_fields)


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)


def _kinds(section: str | int) -> list[str]:
    return sorted(kind for one in _KINDS[str(section)] for kind in _kinds_of(one))


def _kinds_of(model: type[BaseModel]) -> tuple[str, ...]:
    return get_args(model.model_fields["kind"].annotation)
