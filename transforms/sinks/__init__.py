"""Find the sinks: each file of this folder that defines one is one, and there is no list to keep.

Importing this package does not import Beam, so that a configuration can be read and checked at once.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Annotated, Any, Final, Union

from pydantic import Field, TypeAdapter

from transforms.sinks.base import Sink


def _find() -> tuple[type[Sink], ...]:
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}")
    return tuple(sorted(Sink.__subclasses__(), key=lambda sink: sink.__name__))


def _any_of(sinks: tuple[type[Sink], ...]) -> Any:
    if len(sinks) == 1:  # pydantic takes a discriminator only where there is something to tell apart
        return sinks[0]
    return Annotated[Union[sinks], Field(discriminator="kind")]  # noqa: UP007 (a tuple of classes known at run time)


SINKS: Final = _find()

if TYPE_CHECKING:
    AnySink = Sink
else:
    AnySink = _any_of(SINKS)
"""The configuration of any sink, told apart by `kind`; to be used as the type of a field in a pydantic model."""


def sink_adapter() -> TypeAdapter[Sink]:
    """Return what turns a mapping with `kind`, `name` and the kind's own options into a sink."""
    return TypeAdapter(AnySink)
