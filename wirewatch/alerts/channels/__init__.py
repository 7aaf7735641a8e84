"""Find the channels: each file of this folder that defines one is one, and there is no list to keep.

Reading a configuration imports no HTTP client and no apprise: a channel imports what it sends with when it sends.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Annotated, Any, Final, Union

from pydantic import Field, TypeAdapter

from wirewatch.alerts.channels.base import Channel


def _find() -> tuple[type[Channel], ...]:
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}")
    return tuple(sorted(Channel.__subclasses__(), key=lambda channel: channel.__name__))


def _any_of(channels: tuple[type[Channel], ...]) -> Any:
    if len(channels) == 1:  # pydantic takes a discriminator only where there is something to tell apart
        return channels[0]
    return Annotated[Union[channels], Field(discriminator="kind")]  # noqa: UP007 (classes known at run time)


CHANNELS: Final = _find()

if TYPE_CHECKING:
    AnyChannel = Channel
else:
    AnyChannel = _any_of(CHANNELS)
"""The configuration of any channel, told apart by `kind`; to be used as the type of a field in a pydantic model."""


def channel_adapter() -> TypeAdapter[Channel]:
    """Return what turns a mapping with `kind`, `name` and the kind's own options into a channel."""
    return TypeAdapter(AnyChannel)
