"""What is wrong in a configuration, each thing with its place, told all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wirewatch.errors import ConfigurationError

Steps = tuple[str | int, ...]
"""The way to a value: `("feeds", 2, "interval")`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong: what, where (`feeds[2].interval`) and on which line of the file."""

    message: str
    place: str = ""
    line: int | None = None

    def __str__(self) -> str:
        where = ", ".join(filter(None, (f"line {self.line}" if self.line else "", self.place)))
        return f"{where}: {self.message}" if where else self.message


class BadConfiguration(ConfigurationError):
    """A configuration cannot be used; the message lists everything that is wrong with it, and so does `problems`."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda p: (p.line or 0, p.place, p.message)))
        self.name = name
        if len(self.problems) == 1:
            message = f"{name}, {self.problems[0]}" if self.problems[0].line else f"{name}: {self.problems[0]}"
        else:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            message = f"{name} has {len(self.problems)} errors:{lines}"
        super().__init__(message, about=name)

    def __reduce__(self) -> tuple[object, ...]:
        return (BadConfiguration, (self.name, self.problems))


def spelled(steps: Steps) -> str:
    """Return a place as it is written in messages: `feeds[2].interval`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
