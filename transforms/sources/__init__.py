"""Find the sources: each file of this folder that defines one is one, and there is no list to keep.

Importing this package does not import Beam, so that a configuration can be read and checked at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from transforms.kinds import any_of, find
from transforms.sources.base import MessageSource

SOURCES: Final[tuple[type[MessageSource], ...]] = find(__name__, __path__, MessageSource)

if TYPE_CHECKING:
    AnySource = MessageSource
else:
    AnySource = any_of(SOURCES)
"""The configuration of any source, told apart by `kind`; to be used as the type of a field in a pydantic model."""


def source_adapter() -> TypeAdapter[MessageSource]:
    """Return what turns a mapping with `kind`, `name` and the kind's own options into a source."""
    return TypeAdapter(AnySource)
