"""Tell a word that is spelt otherwise from another word.

In doubt it is another word. `public` and `pubic` differ by one letter, as do `killed` and `filled`: so a short word, a
word with another first letter or another ending, a word of consequence and a name are never merely misspelt.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from rapidfuzz.distance import OSA

from wirewatch.significance.lexicon import Lexicon

# Of English words with six letters and more, few are one letter from another that is not an inflection of it; of
# shorter ones most are.
_SHORTEST: Final = 6
_SHORTEST_TRANSPOSED: Final = 3  # of two neighbouring letters, if the new word is a common one: `teh`, `the`
_SHORTEST_ACCENT: Final = 4  # `año` and `ano`, `tué` and `tue` are two words
_LONG: Final = 10  # from here on two letters may differ
_ENDING: Final = 2  # letters that carry number, tense and person
_LETTERS: Final = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "ё": "е", "ъ": "", "ى": "ي", "ٱ": "ا"}


def same_words(old: list[str], new: list[str], lexicon: Lexicon) -> bool:
    """Tell whether both are the same words in the same order, some of them spelt otherwise."""
    if _canonical(old, lexicon) == _canonical(new, lexicon):
        return True
    return len(old) == len(new) and all(a == b or respelt(a, b, lexicon) for a, b in zip(old, new, strict=True))


def respelt(old: str, new: str, lexicon: Lexicon) -> bool:
    """Tell whether `new` is `old` spelt otherwise; both in lower case."""
    if any(lexicon.has(kind, word) for kind in ("negation", "grave", "hedge", "speech") for word in (old, new)):
        return False
    if not (old.replace("'", "").isalpha() and new.replace("'", "").isalpha()):
        return _unaccented(old) == _unaccented(new) and min(len(old), len(new)) >= _SHORTEST_ACCENT
    if {old, new} & (lexicon.dates | lexicon.lookalikes) or old in lexicon.numerals or new in lexicon.numerals:
        return False
    bare_old, bare_new = _unaccented(old), _unaccented(new)
    shortest = min(len(bare_old), len(bare_new))
    if bare_old == bare_new:
        return shortest >= _SHORTEST_ACCENT
    distance = OSA.distance(bare_old, bare_new)
    if sorted(bare_old) == sorted(bare_new) and distance == 1 and new in lexicon.common and old not in lexicon.common:
        return shortest >= _SHORTEST_TRANSPOSED
    if shortest < _SHORTEST or bare_old[0] != bare_new[0] or (not bare_old.isascii() and not _alphabetic(bare_old)):
        return False
    if bare_old[-_ENDING:] != bare_new[-_ENDING:]:
        return False
    return distance <= (2 if shortest >= _LONG else 1)


def _alphabetic(word: str) -> bool:
    """Tell whether a word is Latin, Greek or Cyrillic; in other scripts one sign is too much of a word."""
    return all(c < "\u0530" for c in word)


def _unaccented(word: str) -> str:
    apart = unicodedata.normalize("NFD", "".join(_LETTERS.get(c, c) for c in word))
    return "".join(c for c in apart if not ("\u0300" <= c <= "\u036f" or "\u064b" <= c <= "\u0655")).replace("'", "")


def _canonical(spoken: list[str], lexicon: Lexicon) -> str:
    """Return the words with every listed variant in one spelling."""
    text = f" {' '.join(spoken)} "
    for variant, other in lexicon.variants.items():
        if f" {variant} " in text:
            text = re.sub(rf"(?<= ){re.escape(variant)}(?= )", other, text)
    return text
