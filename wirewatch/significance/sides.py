"""Read one side of a hunk: its words, numbers, names and whether it stands between quotation marks.

A hunk alone is too little: whether `4` is a date, or `Reeve` a name, stands in the words around it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from wirewatch.canonical import comparable
from wirewatch.diff.words import token_spans, words
from wirewatch.model import Hunk, Selector
from wirewatch.significance.lexicon import SPACELESS, Lexicon, plain

# Characters of one side up to which a hunk is looked at, which takes 0.2 s; the longest stories have as many.
_LONGEST: Final = 100_000
# Characters read before a hunk, where a sentence and a title such as `Mr` begin, and behind it, for `million euros`.
_BEFORE: Final = 160
_BEHIND: Final = 60
_AROUND_SPACELESS: Final = 3  # characters on either side in which a Chinese or Japanese phrase may go on
_QUOTE_REACH: Final = 2_000  # characters of a paragraph looked through for quotation marks
_FIGURES: Final = re.compile(r"[-+−]?[^\w\s]?\d")
_DASHES: Final = re.compile(r"(?<=\w)[-‐‑–—−]")
_CLOCK: Final = re.compile(r"\d{1,2}[:：]\d\d(?:[:：]\d\d)?(?:[ap]\.?m\.?)?$", re.IGNORECASE)
_CALENDAR: Final = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}$|\d{1,2}[./]\d{1,2}[./]\d{2,4}$")
_MONEY: Final = re.compile(r"[$¢-¥\u20a0-\u20cf]")
_CLOCK_WORDS: Final = frozenset({"am", "pm", "a.m", "p.m", "uhr", "o'clock", "時", "点", "點", "heures", "बजे"})
_DATE_WORDS: Final = frozenset("月日年号號")
_LINKS: Final = frozenset({"of", "de", "del", "di", ".", ",", "den", "the", "st", "nd", "rd", "th", "do"})
_ENDS: Final = frozenset('.!?…:;。！？؟।•|“”„"«»‹›')
_SENTENCE_END: Final = re.compile(r"[.!?…。！？؟।॥][\"'’”»」』)\]]*\s*\Z")
_MONEY_REACH: Final = 2  # words between an amount and its currency: `1.5 million euros`
_QUOTED: Final = re.compile(
    r"“[^“”\n]*”?|„[^„“”\n]*[“”]?|«[^«»\n]*»?|»[^«»\n]*«|「[^」\n]*」?|『[^』\n]*』?|(?<!\w)\"[^\"\n]*\"?"
    r"|(?<![\w’'])[‘'][^‘’'\n]*(?:(?<=\w)['’](?=\w)[^‘’'\n]*)*['’](?!\w)"
)


class _Levelled(dict[int, str]):
    """Marks, spaces and signs become spaces; letters, figures, currencies, emoji and `%` stay."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        kind = unicodedata.category(character)
        drop = (kind[0] in "PZ" and character not in "%‰٪％") or kind in ("Cc", "Sm", "Sk") or character in "©®™\ufffd"
        self[point] = " " if drop else character
        return self[point]


_LEVELLED: Final = _Levelled()
_SIGNS: Final = re.compile(r"[%‰٪％¢-¥$\u20a0-\u20cf]")


def is_too_long(hunk: Hunk) -> bool:
    """Tell whether a hunk is too long to be cut into words for its reasons."""
    return max(len(hunk.old.exact), len(hunk.new.exact)) > _LONGEST


def units(text: str) -> tuple[str, ...]:
    """Return what of a text is neither mark nor space nor case: word by word, then the signs that mean something."""
    return _short_units(text) if len(text) <= _SHORT else _units(text)


def _units(text: str) -> tuple[str, ...]:
    level = comparable(text).translate(_LEVELLED).lower()
    return (*words(level), *_SIGNS.findall(level))


_SHORT: Final = 1_000  # characters of a hunk that several rules look at, so that it is cut up once
_short_units = lru_cache(maxsize=1_024)(_units)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, what it is worth as far as that can be compared, and what kind it is."""

    written: str
    worth: str
    kind: str


class Side:
    """One side of a hunk in its field."""

    def __init__(self, text: str, selector: Selector, lexicon: Lexicon, *, names: bool = True) -> None:
        self.text = text
        self.start, self.end = selector.start, selector.end
        self.exact = selector.exact
        self.lexicon = lexicon
        self._may_have_names = names

    @cached_property
    def spoken(self) -> list[str]:
        """The words in lower case, with straight apostrophes."""
        return words(plain(comparable(self.exact)))

    @cached_property
    def together(self) -> str:
        """The text with a little around it, where its script puts no spaces between words."""
        around = self.text[max(0, self.start - _AROUND_SPACELESS) : self.end + _AROUND_SPACELESS]
        return plain(around) if SPACELESS.search(around) else ""

    @cached_property
    def _tokens(self) -> list[tuple[int, int, str]]:
        first = max(0, self.start - _BEFORE)
        window = self.text[first : self.end + _BEHIND]
        return [(a, b, self.text[a:b]) for a, b in token_spans(window, first)]

    @cached_property
    def _own(self) -> list[int]:
        """Which of the tokens lie in the hunk."""
        return [n for n, (start, end, _) in enumerate(self._tokens) if start < self.end and end > self.start]

    @cached_property
    def numbers(self) -> list[Number]:
        """The numbers in figures."""
        found = []
        for n in self._own:
            token = self._tokens[n][2]
            if _FIGURES.match(token):
                kind = self._number_kind(n)
                parts = [token] if kind != "number" else [p for p in _DASHES.split(token) if _FIGURES.match(p)]
                found += [Number(part, worth(part, self.lexicon.thousands), kind) for part in parts]
        return found

    @cached_property
    def numerals(self) -> list[Number]:
        """The numbers in words."""
        found = []
        for n in self._own:
            token = self._tokens[n][2]
            value = self.lexicon.numerals.get(plain(token))
            if value is not None:
                found.append(Number(token, str(value), self._number_kind(n)))
        return found

    @cached_property
    def dates(self) -> list[str]:
        """The names of months and days."""
        strict = bool({"en", "de"} & set(self.lexicon.codes))  # both write months with a capital; `may` is no month
        own = [self._tokens[n][2] for n in self._own]
        return [
            word
            for word in own
            if plain(word) in self.lexicon.dates
            and not (strict and word.islower() and plain(word) in self.lexicon.months)
        ]

    def _number_kind(self, n: int) -> str:
        token = plain(self._tokens[n][2])
        before = [plain(one[2]) for one in self._tokens[max(0, n - 3) : n]]
        behind = [plain(one[2]) for one in self._tokens[n + 1 : n + 2 + _MONEY_REACH]]
        if _CLOCK.match(token) or (behind and behind[0].rstrip(".") in _CLOCK_WORDS):
            return "time"
        if _MONEY.search(token) or any(self.lexicon.has("currency", word) for word in self._amount(behind)):
            return "money"
        links = _LINKS if token[-1].isdigit() else _LINKS - {","}  # `March 4, 2026`, but `in March, two more`
        beside = [[word for word in side if word not in links] for side in (before[::-1], behind)]
        if _CALENDAR.match(token) or any(words[:1] and words[0] in self.lexicon.months for words in beside):
            return "date"
        return "date" if behind and behind[0] in _DATE_WORDS else "number"

    def _amount(self, behind: list[str]) -> list[str]:
        """Return the word behind a number, and the one behind that if the first is a numeral: `million euros`."""
        reach = 1
        while reach <= _MONEY_REACH and behind[reach - 1 : reach] and behind[reach - 1] in self.lexicon.numerals:
            reach += 1
        return behind[reach - 1 : reach]

    @cached_property
    def names(self) -> list[str]:
        """The words that are names for all that can be told: capitals inside a sentence, and what follows a title."""
        if not self._may_have_names:
            return []
        return [self._tokens[n][2] for n in self._own if self._is_name(n)]

    def _is_name(self, n: int) -> bool:
        start, _, token = self._tokens[n]
        word = plain(token)
        if not token[:1].isalpha() or word in self.lexicon.dates or word in self.lexicon.common or len(token) < 2:
            return False
        before = self._tokens[n - 1][2] if n else ""
        if before == "." and n > 1:
            before = self._tokens[n - 2][2] if plain(self._tokens[n - 2][2]) in self.lexicon.titles_before else "."
        titled = plain(before) in self.lexicon.titles_before
        if not token[0].isupper():
            return titled and not token[0].islower() and not SPACELESS.match(token)
        if titled:
            return True
        if not before or before in _ENDS or "\n" in self.text[self._tokens[n - 1][1] : start]:
            return False
        if self.lexicon.nouns_capitalised:
            return before[0].isupper() and plain(before) not in self.lexicon.common and n > 0
        return True

    @cached_property
    def titled(self) -> bool:
        """Tell whether a title such as 氏 or 先生 follows, in a script without spaces."""
        behind = self.text[self.end : self.end + 4]
        return bool(SPACELESS.match(behind)) and behind.startswith(self.lexicon.titles_after)

    @cached_property
    def quoted(self) -> bool:
        """Tell whether the hunk lies between quotation marks of one paragraph."""
        first = max(self.text.rfind("\n", 0, self.start) + 1, self.start - _QUOTE_REACH)
        last = self.text.find("\n", self.end)
        last = min(last if last >= 0 else len(self.text), self.end + _QUOTE_REACH)
        found = (match.span() for match in _QUOTED.finditer(self.text, first, last))
        return any(a < self.start and self.end < b for a, b in found)

    @property
    def whole(self) -> bool:
        """Tell whether the hunk is whole sentences or lines, with nothing of theirs before or behind it."""
        before = self.text[max(0, self.start - _BEFORE) : self.start]
        if before.strip() and "\n" not in before[len(before.rstrip()) :] and not _SENTENCE_END.search(before):
            return False
        behind = self.text[self.end : self.end + 1]
        trailing = self.exact[len(self.exact.rstrip()) :]
        return not behind or behind == "\n" or "\n" in trailing or bool(_SENTENCE_END.search(self.exact))


def worth(written: str, thousands: str | None) -> str:
    """Return a number in the form in which it is compared: Latin figures, one minus, no thousands separators.

    Separators go only where the language says which mark they are: `1,500` is one and a half in German.
    """
    figures = "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in plain(written))
    figures = figures.replace("−", "-").lstrip("+").replace("'", "").replace("٫", ".").replace("٬", "").strip("\ufffd")
    if thousands and re.fullmatch(rf"[-\W]*\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+", figures):
        return figures.replace(thousands, "")
    return figures
