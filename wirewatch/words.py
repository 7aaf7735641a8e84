"""Know the words that news pages of many languages print around their articles.

One file a language in `data/words/`, validated when first used. A word here only ever marks a line as *not* the
article's text, or as its stamp, byline or correction note, so an unlisted language costs precision and never text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

_Word = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Phrases = tuple[_Word, ...]


class Ago(BaseModel):
    """The words before and after a count of minutes, hours or days that lie in the past."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: str
    after: str


class Units(BaseModel):
    """What minutes, hours and days are called after a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minute: Phrases
    hour: Phrases
    day: Phrases


class Words(BaseModel):
    """One language's words, all in lower case.

    `months` are twelve tuples, or twelve empty ones where months are only ever numbered. `published` and `modified`
    label stamps, `by` opens a byline, `correction` a correction note, `credit` a photo credit. `related`, `newsletter`
    and `share` are lines between the paragraphs, `contributed` stands in a last one about who else helped; `consent`,
    `login` and `challenge` are titles of pages that stand in the article's way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    months: tuple[tuple[str, ...], ...] = Field(min_length=12, max_length=12)
    published: Phrases = Field(min_length=1)
    modified: Phrases = Field(min_length=1)
    by: Phrases
    correction: Phrases = Field(min_length=1)
    credit: Phrases
    related: Phrases
    newsletter: Phrases
    contributed: Phrases = ()
    share: Phrases
    consent: Phrases
    login: Phrases
    challenge: Phrases
    ago: tuple[Ago, ...]
    units: Units
    now: Phrases
    today: Phrases
    yesterday: Phrases
    am: Phrases
    pm: Phrases

    @field_validator("*")
    @classmethod
    def _lower_case(cls, value: object) -> object:
        if isinstance(value, tuple):
            for word in _strings(value):
                if word != word.lower():
                    raise ValueError(f"{word!r} must be in lower case")
        return value


def _strings(value: Iterable[object]) -> Iterator[str]:
    for item in value:
        if isinstance(item, str):
            yield item
        elif isinstance(item, tuple):
            yield from _strings(item)


@cache
def all_words() -> dict[str, Words]:
    """Return every language's words by its two-letter code."""
    folder = files("wirewatch").joinpath("data", "words")
    found = sorted((entry.name, entry) for entry in folder.iterdir() if entry.name.endswith(".json"))
    return {name.removesuffix(".json"): Words.model_validate_json(entry.read_bytes()) for name, entry in found}


def primary(language: str | None) -> str | None:
    """Return the language without its region, as the files are named: `de` for `de-AT`, `nb` for `no`."""
    if not language:
        return None
    code = language.replace("_", "-").split("-")[0].lower()
    return {"no": "nb", "nn": "nb", "iw": "he", "in": "id"}.get(code, code)


@cache
def phrases(kind: str) -> tuple[str, ...]:
    """Return all languages' words of one kind, longest first, so that an alternation finds the longest."""
    found = {word for words in all_words().values() for word in getattr(words, kind)}
    return tuple(sorted(found, key=lambda word: (-len(word), word)))
