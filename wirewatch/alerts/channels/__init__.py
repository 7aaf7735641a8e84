"""Find the channels: each file of this folder that defines one is one, and there is no list to keep.

Reading a configuration imports no HTTP client and no apprise: a channel imports what it sends with when it sends.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Annotated, Final, Union

from pydantic import ConfigDict, Field, TypeAdapter

from wirewatch.alerts.channels.base import Channel


def _find() -> tuple[type[Channel], ...]:
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}")
    return tuple(sorted(Channel.__subclasses__(), key=lambda channel: channel.__name__))


CHANNELS: Final = _find()

if TYPE_CHECKING:
    AnyChannel = Channel
else:
    AnyChannel = Annotated[Union[CHANNELS], Field(discriminator="kind")]  # noqa: UP007 (classes known at run time)
"""The configuration of any channel, told apart by `kind`; to be used as the type of a field in a pydantic model."""


def channel_adapter() -> TypeAdapter[Channel]:
    """Return what turns a mapping with `kind`, `name` and the kind's own options into a channel."""
    return TypeAdapter(AnyChannel, config=ConfigDict(hide_input_in_errors=True))
