"""What every feed format is brought to before anything is decided about it: plain text and dates as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Publisher text is bounded, in characters. In 2,260 test feeds the longest title has 115, the longest summary 7,338.
TITLE_LIMIT: Final = 2_000
SUMMARY_LIMIT: Final = 200_000
NAME_LIMIT: Final = 500
GUID_LIMIT: Final = 4_096
ENTRY_LIMIT: Final = 5_000  # the first ones are the newest


@dataclass(frozen=True, kw_only=True, slots=True)
class RawEntry:
    """One entry with its texts made plain and its dates as written; `link` is absolute where it is one at all."""

    guid: str | None = None
    link: str | None = None
    title: str | None = None
    summary: str | None = None
    byline: str | None = None
    section: str | None = None
    published: str | None = None
    modified: str | None = None

    @property
    def text_cut(self) -> bool:
        """Whether a text reached its limit; the cut may have left a space off its end."""
        return len(self.title or "") >= TITLE_LIMIT - 2 or len(self.summary or "") >= SUMMARY_LIMIT - 2


@dataclass(frozen=True, kw_only=True, slots=True)
class RawFeed:
    """One feed, whatever format it was written in; `ttl`, `period` and `frequency` as written."""

    title: str | None = None
    language: str | None = None
    entries: tuple[RawEntry, ...] = ()
    ttl: str | None = None
    period: str | None = None
    frequency: str | None = None
    flags: tuple[str, ...] = ()
