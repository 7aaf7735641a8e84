"""Say what is wrong with single values, each in a sentence of ours: pydantic's own know neither line nor secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from pipelines.config.document import Document
from pipelines.config.problems import Steps, spelled
from pipelines.config.settings import Settings
from transforms.sinks import SINKS
from transforms.sources import SOURCES
from wirewatch.alerts.channels import CHANNELS
from wirewatch.errors import WirewatchError
from wirewatch.identity import normalise_url
from wirewatch.store.engine import parse

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


_IN_THE_FILE: Final = "the secret stands in the file; write ${NAME} and keep it in the environment"
_LISTS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("feeds",), "url"),
    (("articles",), "url"),
    (("sources",), "name"),
    (("sinks",), "name"),
    (("alerts", "channels"), "name"),
    (("alerts", "rules"), "name"),
)
# Lists whose items are told apart by their `kind`: what one is called, and the models there are.
_CHOICES: Final[dict[Steps, tuple[str, Sequence[type[BaseModel]]]]] = {
    ("sources",): ("source", SOURCES),
    ("sinks",): ("sink", SINKS),
    ("alerts", "channels"): ("channel", CHANNELS),
}


def complain(document: Document, error: ValidationError) -> None:
    """Note everything that pydantic found, but nothing of what could not be had in the first place."""
    for one in error.errors(include_url=False):
        steps, message = _place(document, one), _message(document, one)
        if not any(steps[: len(place)] == place for place in document.broken):
            document.report(steps, message)


def complain_of_repetitions(document: Document) -> None:
    """Note feeds and articles whose address, and sinks, sources, channels and rules whose name, is there already."""
    for section, key in _LISTS:
        met: dict[str, int] = {}
        for index, name in _names(_list(document, section), key):
            first = met.setdefault(name, index)
            if first != index:
                shown = document.shown((*section, index, key), name)
                document.report((*section, index, key), f"{shown} is there already, as {spelled((*section, first))}")


def complain_of_unknown_channels(document: Document) -> None:
    """Note channels that rules or the operator name, and that there are none of."""
    names = [name for _, name in _names(_list(document, ("alerts", "channels")), "name")]
    alerts = document.value.get("alerts")
    used: list[tuple[Steps, object]] = []
    if isinstance(alerts, dict):
        used.append((("alerts", "operator"), alerts.get("operator")))
    rules = _list(document, ("alerts", "rules"))
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        told = rule.get("channels") if isinstance(rule, dict) else None
        at: Steps = ("alerts", "rules", index, "channels")
        used += [((*at, n), one) for n, one in enumerate(told)] if isinstance(told, list) else [(at, told)]
    for steps, name in used:
        if isinstance(name, str) and name not in names:
            hint = _hint(name, tuple(names)) or "; name one under alerts.channels"
            document.report(steps, f"there is no channel {document.shown(steps, name)}{hint}")


def complain_of_secrets(document: Document) -> None:
    """Note a store's password and channels' secrets that stand in the file itself."""
    _complain_of_the_password(document)
    channels = _list(document, ("alerts", "channels"))
    for index, channel in enumerate(channels if isinstance(channels, list) else ()):
        for name, value in channel.items() if isinstance(channel, dict) else ():
            steps: Steps = ("alerts", "channels", index, name)
            if value is not None and _is_secret(steps, document) and not _is_filled(steps, document):
                document.report(steps, _IN_THE_FILE)


def _is_filled(steps: Steps, document: Document) -> bool:
    """Tell whether what stands at a place, or inside it, came out of the environment."""
    places = (*document.written, *document.broken)
    return any(place[: len(steps)] == steps for place in places)


def _complain_of_the_password(document: Document) -> None:
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
        document.report(("store",), _IN_THE_FILE.replace("secret", "password"))


def _list(document: Document, section: Steps) -> object:
    """Return what stands at a place, or None."""
    value = document.value
    for step in section:
        value = value.get(step) if isinstance(value, dict) else None
    return value


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
    what, choices = _choice(steps)
    if kind == "union_tag_not_found":
        return f"the key kind is required: {', '.join(_kinds(choices))}"
    if steps[-1:] == ("kind",):
        tag = _value(document, steps)
        return f"there is no {what} {document.shown(steps, tag)}; there is {', '.join(_kinds(choices))}"
    wanted = _WANTED.get(kind, "")
    if kind == "value_error":
        wanted = str(context["error"])
    if not wanted:
        return f"{document.shown(steps, error['input'])} cannot be used: {error['msg']}"
    if error["loc"][-1:] == ("[key]",):
        return f"the key {wanted.format(**context)}"
    value = error["input"]
    if _is_secret(steps, document):
        return f"this {wanted.format(**context)}"
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
    model: type[BaseModel] | None = Settings
    at: Steps = ()
    for step in steps:
        at = (*at, step)
        if isinstance(step, int) and at[:-1] in _CHOICES:
            kind = _value(document, at).get("kind")
            model = next((one for one in _CHOICES[at[:-1]][1] if kind in _kinds_of(one)), None)
        elif model is not None and not isinstance(step, int):
            field = next((one for name, one in model.model_fields.items() if step in (name, one.alias)), None)
            model = None if field is None else _model(field.annotation)
    return () if model is None else tuple(one.alias or name for name, one in model.model_fields.items())


def _is_secret(steps: Steps, document: Document) -> bool:
    """Tell whether a key is one whose value nobody may read."""
    for section, (_, models) in _CHOICES.items():
        if len(steps) > len(section) + 1 and steps[: len(section)] == section:
            item = _value(document, steps[: len(section) + 1])
            kind = item.get("kind") if isinstance(item, dict) else None
            fields = [one.model_fields.get(str(steps[len(section) + 1])) for one in models if kind in _kinds_of(one)]
            return any(field is not None and "SecretStr" in str(field.annotation) for field in fields)
    return False


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model(part))), None)


def _choice(steps: Steps) -> tuple[str, Sequence[type[BaseModel]]]:
    return next((choice for section, choice in _CHOICES.items() if steps[: len(section)] == section), ("", ()))


def _kinds(choices: Sequence[type[BaseModel]]) -> list[str]:
    return sorted(kind for one in choices for kind in _kinds_of(one))


def _kinds_of(model: type[BaseModel]) -> tuple[str, ...]:
    return get_args(model.model_fields["kind"].annotation)
