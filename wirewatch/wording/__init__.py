"""Say changes in one sentence of a human language, from the diff itself: which words, and in which paragraph.

It is one line of publisher text in our words, so quotations are cut short and made visible, but not escaped: whoever
puts the sentence into HTML or a chat message escapes it there. Each language is a module beside this one.
"""

from __future__ import annotations

from typing import Final

from wirewatch.model import Diff, Wording
from wirewatch.wording.de import German
from wirewatch.wording.en import English
from wirewatch.wording.language import Language

__all__ = ["LANGUAGES", "Language", "language", "sentence"]

LANGUAGES: Final[dict[str, Language]] = {"en": English(), "de": German()}


def language(tag: str) -> Language:
    """Return the language of that tag, one of `LANGUAGES`."""
    return LANGUAGES[tag]


def sentence(diff: Diff, new: Wording) -> str:
    """Return in English what changed: `changed "4.2" to "4.7" in paragraph 1 and the headline`, without a full stop.

    Paragraphs are counted in the new body. Equal changes in several places are told once; beyond four, changes are
    only counted. Differences that count as none (spacing, quote marks) are told only where there is nothing else.
    """
    return LANGUAGES["en"].sentence(diff, new)
