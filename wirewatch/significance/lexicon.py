"""Know the words by which each language denies, counts, quotes, names, doubts and tells of grave things.

One file a language in `data/meaning/`, validated when first used. A word that is missing here makes a change weigh as
any other exchange of words, which is notable; a listed word can only make it weigh more. Only `variants`, words spelt
in two ways, make it weigh less.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from wirewatch.diff.words import words
from wirewatch.words import all_words

_Word = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Phrases = tuple[_Word, ...]

_SAMPLE: Final = 1_000  # characters: some 160 words, of which about sixty are common ones
_STRAIGHT: Final = str.maketrans({"‘": "'", "’": "'", "ʼ": "'"})
# Chinese and Japanese, whose words are one character each to the diff, so that a phrase is looked for by its letters.
SPACELESS: Final = re.compile("[\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_LONGEST_PHRASE: Final = 3  # words: `de acuerdo con`


class Meaning(BaseModel):
    """One language's words, all in lower case, with straight apostrophes.

    `common` are those by which the language is told from others. In `negation`, `-n't` is an ending and `n'` a
    beginning. `speech` attributes, `hedge` says how sure or how much. `grave` are words of consequence: put in place of
    another word, they are never its spelling, and neither are `lookalikes`, one letter from another word. `counted` is
    what pages count (views, comments). `note` are phrases that only a correction note has, anywhere in it. `variants`
    are pairs of spellings of the same words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    common: Phrases = Field(min_length=10)
    negation: Phrases = Field(min_length=1)
    numerals: dict[_Word, Annotated[int, Field(ge=0)]]
    speech: Phrases = Field(min_length=1)
    hedge: Phrases = Field(min_length=1)
    grave: Phrases = Field(min_length=1)
    weekdays: Phrases = Field(min_length=7)
    currency: Phrases
    titles_before: Phrases
    titles_after: Phrases
    counted: Phrases
    note: Phrases = Field(min_length=1)
    variants: dict[_Word, _Word]
    lookalikes: Phrases
    decimal_comma: bool
    nouns_capitalised: bool

    @field_validator("*")
    @classmethod
    def _lower_case(cls, value: object) -> object:
        pairs = value.items() if isinstance(value, dict) else [(one, one) for one in _tuple(value)]
        for word in (word for pair in pairs for word in pair if isinstance(word, str)):
            if word != plain(word):
                raise ValueError(f"{word!r} must be in lower case, with straight apostrophes")
        return value


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def plain(text: str) -> str:
    """Return the text as the lists are written: in lower case, with straight apostrophes."""
    return text.lower() if text.isascii() else text.lower().translate(_STRAIGHT)


class Lexicon:
    """The lists of one language, or of several where a text may be in any of them."""

    def __init__(self, codes: Iterable[str]) -> None:
        self.codes = tuple(codes)
        self._meanings = [all_meanings()[code] for code in self.codes]
        self.numerals = {word: n for one in self._meanings for word, n in one.numerals.items()}
        self.variants = {word: other for one in self._meanings for word, other in one.variants.items()}
        self.nouns_capitalised = any(one.nouns_capitalised for one in self._meanings)
        commas = {one.decimal_comma for one in self._meanings}
        self.thousands = {frozenset({False}): ",", frozenset({True}): "."}.get(frozenset(commas))
        self._lists = {
            kind: self._list(kind) for kind in ("negation", "speech", "hedge", "grave", "weekdays", "currency")
        }
        self._kinds: dict[str, tuple[str, ...]] = {}
        for kind, (spaced, _) in self._lists.items():
            for phrase in spaced:
                self._kinds[phrase] = (*self._kinds.get(phrase, ()), kind)
        self.titles_before = frozenset(word for one in self._meanings for word in one.titles_before)
        self.titles_after = tuple({word for one in self._meanings for word in one.titles_after})
        self.counted = frozenset(word for one in self._meanings for word in one.counted)
        self.lookalikes = frozenset(word for one in self._meanings for word in one.lookalikes)
        self.common = frozenset(word for one in self._meanings for word in one.common)
        self._endings = tuple(word[1:] for word in self._lists["negation"][0] if word.startswith("-"))

    def _list(self, kind: str) -> tuple[frozenset[str], re.Pattern[str] | None]:
        """Return the phrases made of words, and a pattern of those whose words are single characters."""
        phrases = {phrase for one in self._meanings for phrase in getattr(one, kind)}
        together = sorted((p for p in phrases if SPACELESS.search(p)), key=lambda p: (-len(p), p))
        spaced = frozenset(p for p in phrases if not SPACELESS.search(p))
        return spaced, re.compile("|".join(map(re.escape, together))) if together else None

    @cached_property
    def dates(self) -> frozenset[str]:
        """Months, weekdays and words such as yesterday."""
        known = [all_words()[code] for code in self.codes if code in all_words()]
        months = {name.rstrip(".") for one in known for month in one.months for name in month}
        return frozenset({*months, *self._lists["weekdays"][0]})

    @cached_property
    def months(self) -> frozenset[str]:
        """The names of months."""
        known = [all_words()[code] for code in self.codes if code in all_words()]
        return frozenset(name.rstrip(".") for one in known for month in one.months for name in month)

    def has(self, kind: str, word: str) -> bool:
        """Tell whether a word in lower case is in that list."""
        return word in self._lists[kind][0] or (kind == "negation" and self._denies(word))

    def found(self, spoken: list[str], together: str) -> dict[str, Counter[str]]:
        """Count the phrases of each kind among the words `spoken`, and in the text of scripts without spaces."""
        counts: dict[str, Counter[str]] = {kind: Counter() for kind in self._lists}
        for at in range(len(spoken)):
            for size in range(1, min(_LONGEST_PHRASE, len(spoken) - at) + 1):
                phrase = spoken[at] if size == 1 else " ".join(spoken[at : at + size])
                for kind in self._kinds.get(phrase, ()):
                    counts[kind][phrase] += 1
            if "'" in spoken[at] and spoken[at] not in self._kinds and self._denies(spoken[at]):
                counts["negation"][spoken[at]] += 1
        if SPACELESS.search(together):
            for kind, (_, pattern) in self._lists.items():
                if pattern is not None:
                    counts[kind].update(pattern.findall(together))
        return counts

    def _denies(self, word: str) -> bool:
        head, mark, _ = word.partition("'")
        return bool(self._endings and word.endswith(self._endings)) or bool(
            mark and f"{head}'" in self._lists["negation"][0]
        )


@cache
def all_meanings() -> dict[str, Meaning]:
    """Return every language's lists by its two-letter code."""
    folder = files("wirewatch").joinpath("data", "meaning")
    found = sorted((entry.name, entry) for entry in folder.iterdir() if entry.name.endswith(".json"))
    return {name.removesuffix(".json"): Meaning.model_validate_json(entry.read_bytes()) for name, entry in found}


@lru_cache(maxsize=64)
def lexicon(codes: tuple[str, ...]) -> Lexicon:
    """Return the lists of these languages together."""
    return Lexicon(codes)


def lexicon_of(text: str) -> Lexicon:
    """Return the lists of the language whose common words are most frequent in the text; of all that are as frequent.

    A text without any common word, such as `12 killed`, is read with the lists of all languages.
    """
    hits: Counter[str] = Counter()
    speakers = _speakers()
    for word, count in Counter(words(plain(text[:_SAMPLE]))).items():
        for code in speakers.get(word, ()):
            hits[code] += count
    most = max(hits.values(), default=0)
    codes = tuple(code for code in all_meanings() if most and hits[code] == most)
    return lexicon(codes or tuple(all_meanings()))


@cache
def _speakers() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code, one in all_meanings().items():
        for word in one.common:
            found.setdefault(word, []).append(code)
    return {word: tuple(codes) for word, codes in found.items()}


@cache
def note_phrases() -> re.Pattern[str]:
    """Return a pattern of what only a correction note says, in all languages."""
    phrases = sorted({p for one in all_meanings().values() for p in one.note}, key=lambda p: (-len(p), p))
    return re.compile("|".join(map(re.escape, phrases)))
