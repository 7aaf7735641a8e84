"""Write `docs/configuration.md` from the models that a configuration is read with.

    python -m pipelines.reference > docs/configuration.md

A test compares the two. What stands in a table is said nowhere else: mend it in the models.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from pipelines.config.settings import (
    AlertSettings,
    ArticleSettings,
    FeedSettings,
    FetchSettings,
    InstanceSettings,
    MonitorSettings,
    RetentionSettings,
    Settings,
    SourceSettings,
    StreamSettings,
    ViewerSettings,
    WorkSettings,
)
from transforms.sinks import SINKS
from transforms.sources import SOURCES
from wirewatch.alerts.channels import CHANNELS
from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.rules import Condition, Rule
from wirewatch.units import duration_text, size_text

_INTRODUCTION: Final = """\
# Configuration

One YAML file describes a deployment. `wirewatch init` writes one to start from, `wirewatch check` names everything that
is wrong with one, each mistake with its line, and `configs/` has commented examples. Every command takes
`wirewatch.yaml` of the folder it is called in unless another file is named.

```yaml config
instance: {authority: news.example.org, since: "2026"}
fetch:
  contact: you@example.org
feeds:
  - https://courier.example/rss.xml
  - {url: https://harbourpost.example/feed, publisher: Harbour Post, zone: Europe/London}
sinks:
  - {kind: jsonl, name: files, folder: out}
```

**Values from the environment.** `${NAME}` stands for the environment variable of that name, anywhere in a value; `$${`
is a plain `${`. A variable that is not set is an error. Secrets come from there only: a password in the store's address
is refused, and no message repeats a value that came out of the environment. Inside of `{…}` and `[…]` YAML wants quotes
around it: `{children: "${CHILDREN}"}`. In the store's address percent-encode what is special in one: `%40` for `@`.

**Durations** are written `500ms`, `90s`, `10m`, `1h30m` or `3d`, **sizes** `500kB` or `5MiB`; a bare number is seconds
or bytes. **Relative paths** lie in the file's own folder. Only the plain part of YAML is read: no anchors, aliases and
tags, and `true` and `false` are the only booleans, so `language: no` is Norwegian. A key without a value counts as left
out; one that comes twice, or that nobody knows, is an error.
"""

_OF_SECTIONS: Final[tuple[tuple[str, type[BaseModel], str], ...]] = (
    ("instance", InstanceSettings, ""),
    ("fetch", FetchSettings, ""),
    (
        "feeds",
        FeedSettings,
        "Each item is an address, or a mapping with these keys and those of [every source](#every-source).",
    ),
    (
        "articles",
        ArticleSettings,
        "Each item is an address, or a mapping with this key and those of [every source](#every-source).",
    ),
    ("Every source", SourceSettings, "Keys of feeds and of articles."),
    ("alerts", AlertSettings, ""),
    ("alerts.rules", Rule, "Each item is a mapping with these keys."),
    ("alerts.rules.when", Condition, ""),
    ("alerts.channels", Channel, "Each item is a mapping with a `kind`, these keys and the kind's own."),
    ("retention", RetentionSettings, ""),
    ("viewer", ViewerSettings, ""),
    ("work", WorkSettings, ""),
    ("monitor", MonitorSettings, ""),
    ("stream", StreamSettings, "[streaming.md](streaming.md) says how each engine is set up."),
)


def reference() -> str:
    """Return the page."""
    parts = [_INTRODUCTION, "## The file\n", _table(Settings, set())]
    for name, section, more in _OF_SECTIONS:
        inherited: set[str] = set()
        if section in (FeedSettings, ArticleSettings):
            inherited = set(SourceSettings.model_fields)
        elif issubclass(section, Channel):
            inherited = {"kind"}
        title = name if " " in name else f"`{name}`"
        parts += [f"## {title}\n", _paragraph(section, more), _table(section, inherited)]
        if section is Channel:
            parts += _of_kinds(CHANNELS, set(Channel.model_fields))
    for things, models in (("sources", SOURCES), ("sinks", SINKS)):
        parts += [f"## `{things}`\n", "Each item is a mapping with a `kind`, a `name` and the kind's own keys.\n"]
        parts += _of_kinds(models, {"kind"})
    return "\n".join(parts)


def _of_kinds(models: Sequence[type[BaseModel]], left_out: set[str]) -> Iterator[str]:
    """Yield a part for each kind; one without keys of its own has no table."""
    for model in models:
        yield f"### `kind: {_kinds(model.model_fields['kind'])[0]}`\n"
        yield _paragraph(model, "")
        if model.model_fields.keys() - left_out:
            yield _table(model, left_out)


def _paragraph(model: type[BaseModel], more: str) -> str:
    words = "" if model is Channel else " ".join((model.__doc__ or "").split())
    return f"{words} {more}".strip() + "\n"


def _table(model: type[BaseModel], left_out: set[str]) -> str:
    rows = ["| key | takes | left out | what it is |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name not in left_out:
            cells = (f"`{field.alias or name}`", _takes(field), _default(field), field.description or "")
            rows.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def _takes(field: FieldInfo) -> str:
    return _words(field.metadata) or _type_words(field.annotation)


def _words(metadata: Any) -> str:
    """Return what the last annotation with words says: the outer ones are the more exact."""
    said: list[str] = [one.words for one in metadata if hasattr(one, "words")]
    return said[-1] if said else ""


def _type_words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(annotation.__metadata__) or _type_words(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_type_words(one) for one in arguments if one is not NoneType)
    if origin is tuple:
        item = arguments[0]
        return "list" if _model(item) else f"list of: {_type_words(item)}"
    if origin is dict:
        return f"mapping to: {_type_words(arguments[1])}"
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in arguments)
    return _plain_words(annotation)


def _plain_words(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{one.value}`" for one in annotation)
    if _model(annotation):
        return "mapping"
    return {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}.get(
        annotation, "text"
    )


def _model(annotation: Any) -> bool:
    """Tell whether a type is a model, or a choice of models."""
    if isinstance(annotation, type):
        return issubclass(annotation, BaseModel)
    parts = get_args(annotation)
    return bool(parts) and _model(parts[0])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    if value in (None, (), {}) or isinstance(value, BaseModel):
        return ""
    words = _takes(field)
    if words.startswith("duration"):
        return f"`{duration_text(value)}`"
    return f"`{size_text(value)}`" if words.startswith("size") else f"`{value}`"


def _kinds(field: FieldInfo) -> tuple[str, ...]:
    return get_args(field.annotation)


def main() -> None:
    """Print the page."""
    sys.stdout.write(reference())


if __name__ == "__main__":
    main()
