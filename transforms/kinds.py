"""Find the classes that a folder's files define, one for each kind of thing, so that there is no list to keep."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Annotated, Any, Union

from pydantic import BaseModel, Field


def find(package: str, path: Iterable[str], base: Any) -> tuple[Any, ...]:
    """Return the subclasses of `base` in a package's modules, by name; modules that begin with `_` are none's."""
    for module in pkgutil.iter_modules(path):
        if not module.name.startswith("_"):
            importlib.import_module(f"{package}.{module.name}")
    return tuple(sorted(base.__subclasses__(), key=lambda kind: kind.__name__))


def any_of(kinds: tuple[type[BaseModel], ...]) -> Any:
    """Return the type of any of these classes, told apart by `kind`."""
    if len(kinds) == 1:  # pydantic takes a discriminator only where there is something to tell apart
        return kinds[0]
    return Annotated[Union[kinds], Field(discriminator="kind")]  # noqa: UP007 (a tuple of classes known at run time)
