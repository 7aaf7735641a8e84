"""Read what was given on the command line, and refuse it in a sentence that names the option."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from wirewatch.errors import ConfigurationError, WirewatchError
from wirewatch.identity import normalise_url
from wirewatch.units import seconds

S = TypeVar("S", bound=BaseModel)


def address(url: str) -> str:
    """Return the normal form of a web address."""
    try:
        return normalise_url(url)
    except WirewatchError as error:
        raise ConfigurationError(f"{url!r} is no web address; write it like https://courier.example/story") from error


def is_address(given: str) -> bool:
    """Tell whether an input is to be asked for, and not a file."""
    return given.lower().startswith(("http://", "https://"))


def moment(text: str, option: str) -> datetime:
    """Return a time, which must state its zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ConfigurationError(f"{option}: {text!r} is no time with a zone; write it like 2026-03-16T14:26:00Z")
    return at.astimezone(UTC)


def period(text: str, option: str) -> float:
    """Return a duration of a second or more, in seconds."""
    try:
        every = seconds(text)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {text!r} {error}") from error
    if not 1 <= every <= 7 * 86_400:
        raise ConfigurationError(f"{option}: {text!r} is not between 1s and 7d")
    return every


def log(kind: str | None) -> Literal["text", "json"] | None:
    """Return how the log is to be written."""
    if kind not in (None, "text", "json"):
        raise ConfigurationError(f"--log: {kind!r} is neither text nor json")
    return kind  # type: ignore[return-value]  # mypy does not narrow by a tuple


def settings(kind: type[S], options: dict[str, Any]) -> S:
    """Return settings from options that are called as their keys are; those that are None were not given."""
    try:
        return kind.model_validate({name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        wrong = [f"--{_option(one)}: {one['input']!r} {_reason(one)}" for one in error.errors(include_url=False)]
        raise ConfigurationError("; ".join(wrong)) from error


def _option(one: Any) -> str:
    return str(one["loc"][0]).replace("_", "-")


def _reason(one: Any) -> str:
    context = one.get("ctx", {})
    if "expected" in context:
        return f"is not {context['expected']}"
    return str(context.get("error", one["msg"]))
