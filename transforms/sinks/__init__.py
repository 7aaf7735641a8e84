"""Find the sinks: each file of this folder that defines one is one, and there is no list to keep.

Importing this package does not import Beam, so that a configuration can be read and checked at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from transforms.kinds import any_of, find
from transforms.sinks.base import Sink

SINKS: Final[tuple[type[Sink], ...]] = find(__name__, __path__, Sink)

if TYPE_CHECKING:
    AnySink = Sink
else:
    AnySink = any_of(SINKS)
"""The configuration of any sink, told apart by `kind`; to be used as the type of a field in a pydantic model."""


def sink_adapter() -> TypeAdapter[Sink]:
    """Return what turns a mapping with `kind`, `name` and the kind's own options into a sink."""
    return TypeAdapter(AnySink)
