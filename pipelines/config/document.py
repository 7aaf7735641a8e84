"""Read a YAML file into plain values, and remember on which line each of them stands.

Only the plain part of YAML is read: mappings, lists and scalars, with `true` and `false` as the only booleans, so that
`language: no` is Norwegian and `since: 2026-03-16` a text. Anchors, aliases, tags and keys that come twice are refused:
none is needed here, and each is a way to write a file that does not mean what it seems to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from pipelines.config.problems import BadConfiguration, Problem, Steps, spelled

FILE_LIMIT: Final = 5 * 1024 * 1024  # bytes; a thousand feeds with all their settings have a tenth of it
DEPTH_LIMIT: Final = 20  # the deepest configuration has five levels
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_CONSTANTS: Final[dict[str, bool | None]] = {"": None, "~": None, "null": None, "true": True, "false": False}
_VARIABLE: Final = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CREDENTIALS: Final = re.compile(r"//[^/\s]*@")
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast, where PyYAML has it


@dataclass(kw_only=True)
class Document:
    """What a file says. `written` has the texts into which values of the environment were put, as the file has them.

    `broken` are the places whose value could not be had; nothing else needs to be said of them.
    """

    name: str
    value: Any = None
    lines: dict[Steps, int] = field(default_factory=dict)
    written: dict[Steps, str] = field(default_factory=dict)
    broken: set[Steps] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def report(self, steps: Steps, message: str, line: int | None = None) -> None:
        """Note that something is wrong at a place."""
        self.problems.append(Problem(message=message, place=spelled(steps), line=line or self.line(steps)))

    def line(self, steps: Steps) -> int | None:
        """Return the line on which a place stands, or the nearest one around it that has a name."""
        if not steps:
            return self.lines.get(())
        for length in range(len(steps), 0, -1):
            if steps[:length] in self.lines:
                return self.lines[steps[:length]]
        return None

    def shown(self, steps: Steps, value: object) -> str:
        """Return a value as it may be shown: what came out of the environment stays in there."""
        text = self.written.get(steps)
        if text is None and any(steps == place[: len(steps)] for place in self.written):
            return "this"
        shown = json.dumps(value) if isinstance(value, bool) else repr(value if text is None else text)
        shown = _CREDENTIALS.sub("//…@", shown)
        return shown if len(shown) <= 80 else f"{shown[:79]}…"


def read_document(path: Path, environ: Mapping[str, str]) -> Document:
    """Return what the file says, with values from `environ` for each `${NAME}`.

    What is wrong with single places is in its `problems`; raise BadConfiguration where nothing can be read at all.
    """
    document = Document(name=str(path))
    text = _text(path)
    try:
        _Builder(document, yaml.parse(text, Loader=_Loader), environ).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, (error.context, error.problem)))
        raise _unusable(path, f"this is no YAML: {what}", None if mark is None else mark.line + 1) from error
    except yaml.YAMLError as error:
        raise _unusable(path, f"this is no YAML: {str(error).splitlines()[0]}") from error
    return document


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except FileNotFoundError as error:
        raise _unusable(path, "there is no such file; `wirewatch init` writes one to start from") from error
    except OSError as error:
        raise _unusable(path, f"this cannot be read ({error.strerror}); mend that or name another file") from error
    if len(data) > FILE_LIMIT:
        raise _unusable(path, f"this is larger than {FILE_LIMIT // 1024**2} MiB and no configuration")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unusable(path, "this is not UTF-8; save it in that encoding", line) from error


def _unusable(path: Path, message: str, line: int | None = None) -> BadConfiguration:
    return BadConfiguration(str(path), [Problem(message=message, line=line)])


class _Builder:
    """Turn YAML's events into values. libyaml's own way from events to nodes knows no limit to their depth."""

    def __init__(self, document: Document, events: Iterator[yaml.Event], environ: Mapping[str, str]) -> None:
        self._document = document
        self._events = events
        self._environ = environ

    def build(self) -> None:
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._document.report((), "a second document begins here; one file is one", _line(event))
                    return
            elif isinstance(event, yaml.NodeEvent):
                self._document.value = self._value(event, ())

    def _value(self, event: yaml.Event, steps: Steps) -> Any:
        self._document.lines.setdefault(steps, _line(event))
        if isinstance(event, yaml.AliasEvent):
            return self._refused(steps, "aliases (*name) are not read here; write the value out", event)
        if getattr(event, "anchor", None) is not None:
            self._document.report(steps, "anchors (&name) are not read here; take it away", _line(event))
        if (tag := getattr(event, "tag", None)) is not None:
            self._document.report(steps, f"tags ({tag[:40]}) are not read here; take it away", _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, steps)
        if len(steps) >= DEPTH_LIMIT:
            raise _unusable(Path(self._document.name), "it is nested too deep", _line(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(steps)
        return self._mapping(steps)

    def _sequence(self, steps: Steps) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*steps, len(items))))
        return items

    def _mapping(self, steps: Steps) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            name = event.value if isinstance(event, yaml.ScalarEvent) else f"({len(members)})"
            place = (*steps, name)
            if not isinstance(event, yaml.ScalarEvent):
                self._document.report(steps, "a key must be a word", _line(event))
                self._value(event, place)
                self._value(next(self._events), place)
                continue
            if name in members:
                first = self._document.lines[place]
                self._document.report(place, f"this key is there twice; the first is on line {first}", _line(event))
                self._value(next(self._events), (*steps, f"{name} again"))
                continue
            self._document.lines[place] = _line(event)
            members[name] = self._value(next(self._events), place)
        return members

    def _scalar(self, event: yaml.ScalarEvent, steps: Steps) -> Any:
        if "${" in event.value:
            return self._filled(event.value, steps)
        plain: bool = event.implicit[0]
        return _resolved(event.value) if plain else event.value

    def _filled(self, text: str, steps: Steps) -> str | None:
        def fill(found: re.Match[str]) -> str:
            name, end = found.group(1), found.group(2)
            if name is None:
                return "${"
            if not end or not _VARIABLE_NAME.fullmatch(name):
                raise _Unfilled(
                    "after `${` comes the name of an environment variable and `}`; for `${` itself write `$${`"
                )
            if name not in self._environ:
                raise _Unfilled(f"the environment variable {name} is not set")
            return self._environ[name]

        try:
            filled = _VARIABLE.sub(fill, text)
        except _Unfilled as error:
            self._document.report(steps, str(error))
            self._document.broken.add(steps)
            return None
        self._document.written[steps] = text
        return filled

    def _refused(self, steps: Steps, message: str, event: yaml.Event) -> None:
        self._document.report(steps, message, _line(event))
        self._document.broken.add(steps)


class _Unfilled(Exception):
    """A `${…}` for which there is no value."""


def _resolved(text: str) -> Any:
    """Return what a scalar without quotes means."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _line(event: yaml.Event) -> int:
    return 0 if event.start_mark is None else event.start_mark.line + 1
