"""Cut text into words, as readers of any script see them, and into sentences; nothing is lost between the cuts.

A number with its sign, currency and separators is one word, and so is a hyphenated one: `-5`, `1,500`, `€15m`,
`14:21`, `two-thirds`. Scripts that put no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) have one
word a character, with its marks; a run of katakana is one word.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

Span = tuple[int, int]

# Punctuation is spelt out, and whatever is neither that, nor white space, nor of a script without spaces belongs to a
# word. Python's \w would not do: it leaves out the vowel signs of Hindi, every combining mark and every emoji joiner.
_CURRENCY = r"$¢-¥\u20a0-\u20cf"
_PUNCTUATION = (
    r"!-/:-@\[-\^`{-~"
    r"\u00a1-\u00a9\u00ab\u00ac\u00ae-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u037e\u0387"
    r"\u055a-\u055f\u0589\u05be\u05c0\u05c3\u05f3\u05f4\u060c\u061b\u061f\u066a\u066d\u06d4\u0964\u0965\u0970"
    r"\u0f0b-\u0f14\u1361-\u1368\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2e00-\u2e5f"
    r"\u3001-\u3004\u3008-\u3020\u3030\u303d\u30fb\ufe10-\ufe19\ufe30-\ufe6b"
    r"\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_KATAKANA = r"\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_SPACELESS = (
    r"\u0e01-\u0e4f\u0e5a-\u0e7f\u0e80-\u0ecf\u0eda-\u0eff\u1000-\u103f\u104a-\u109f\u1780-\u17df"
    r"\u2e80-\u2fdf\u3005-\u3007\u3021-\u302f\u3031-\u303c\u3041-\u309f\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
_MARKS = (
    r"\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059"
    r"\u17b4-\u17d3\u17dd\u302a-\u302f\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
)
_LETTER = rf"[^\s{_PUNCTUATION}{_KATAKANA}{_SPACELESS}]"
_SIGN = r"(?<![^\s(\[{\"'“‘«„])[-+−]"  # a minus only where nothing stands before it: `9-5` is no `-5`
_LETTERS = rf"{_LETTER}+(?:(?:[-‐‑'’]|(?<=\d)[.,:/](?=\d)){_LETTER}+)*"
_WORD = (  # most begin with a letter (a true minus is one here), so that is tried first
    rf"(?!−[{_CURRENCY}]\d){_LETTERS}|(?:{_SIGN})?[{_CURRENCY}]?(?=\d){_LETTERS}"
    rf"|[{_KATAKANA}][{_KATAKANA}{_MARKS}]*|[{_SPACELESS}][{_MARKS}]*"
)
_WORDS: Final = re.compile(_WORD)
_TOKENS: Final = re.compile(rf"{_WORD}|\S")
_PIECES: Final = re.compile(rf"{_WORD}|\s+|\S")
_CHUNKS: Final = re.compile(r"\S+")
_NUMBER: Final = re.compile(rf"[-+−]?[{_CURRENCY}]?\d")

_BREAK: Final = re.compile(r"\n\s*\n\s*")
# Where a sentence may end. The white space behind belongs to the sentence it follows. One set of characters leads, as
# `re` leaps to those; and a run of marks is tried from its first one only, or a million dots would take a day.
_END: Final = re.compile(
    r"[\n.!?…。！？｡؟۔।॥።](?:"
    r"(?<=\n)\s*\n\s*"
    r"|(?<=[.!?…])(?<![.!?…].)[.!?…]*+[\"'”’»)\]]*+\s+"
    r"|(?<=[。！？｡])[。！？｡]*[」』”’）】》]*\s*"
    r"|(?<=[؟۔।॥።])[؟۔।॥።]*[\"'”’»)]*\s*)"
)
_THAI_SPACE: Final = re.compile(r"\s(?<=[\u0e01-\u0e5b].)\s*(?=[\u0e01-\u0e5b])")  # Thai ends a sentence by a space
# After these a full stop ends nothing. Missing ones do no harm but a shorter unit, the same on both sides.
_SHORTENED = (
    "mr mrs ms dr prof rev gen col lt sgt sen rep gov st jr sr vs etc inc ltd co corp dept est approx "
    "al cf ch eq eqs fig figs ref refs sec secs vol pp "
    "jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e a.m p.m u.s u.k u.n "
    "z.b d.h bzw ca usw nr str hr fr mme mlle mm av sra srta ud uds sig dott ing p.ej núm pág tel"
)
_ABBREVIATIONS: Final = frozenset(_SHORTENED.split())
_LONGEST: Final = max(map(len, _ABBREVIATIONS)) + 1  # as many letters in a row are a word written out


def words(text: str) -> list[str]:
    """Return the words of `text`, without white space and punctuation."""
    return _WORDS.findall(text)


def numbers(text: str) -> list[str]:
    """Return the words of `text` that are numbers: figures first, after a sign or currency at most."""
    return [word for word in words(text) if _NUMBER.match(word)]


def whole_words(phrase: str, *, open_ended: bool = False) -> re.Pattern[str]:
    """Return a pattern that finds `phrase` where it is whole words, or the beginning of one with `open_ended`.

    `15` is not found in `1,500` or `15.5`, but `ferry` in `ferry-owner`. In scripts without spaces any place will do.
    """
    left = rf"(?<!{_LETTER})" if re.match(_LETTER, phrase) else ""
    left += rf"(?<![{_KATAKANA}])" if re.match(rf"[{_KATAKANA}]", phrase) else ""
    left += r"(?<!\d[.,])" if phrase[:1].isdigit() else ""
    right = ""
    if not open_ended:
        right += rf"(?!{_LETTER})" if re.match(_LETTER, phrase[-1:]) else ""
        right += rf"(?![{_KATAKANA}])" if re.match(rf"[{_KATAKANA}]", phrase[-1:]) else ""
        right += r"(?![.,]\d)" if phrase[-1:].isdigit() else ""
    return re.compile(f"{left}{re.escape(phrase)}{right}")


def tokens(text: str) -> list[str]:
    """Return the words and punctuation marks of `text`."""
    return _TOKENS.findall(text)


def token_spans(text: str, offset: int = 0) -> list[Span]:
    """Return where each of `tokens(text)` starts and ends, counted from `offset`."""
    return [(match.start() + offset, match.end() + offset) for match in _TOKENS.finditer(text)]


def chunk_spans(text: str, offset: int = 0) -> list[Span]:
    """Return where what stands between white space starts and ends, counted from `offset`: words with their marks."""
    return [(match.start() + offset, match.end() + offset) for match in _CHUNKS.finditer(text)]


def shared_edges(old: str, new: str) -> tuple[int, int]:
    """Return how many characters of whole words, marks and spaces both texts begin and end with, never overlapping."""
    left, right = _PIECES.findall(old), _PIECES.findall(new)
    shorter = min(len(left), len(right))
    head = next((n for n in range(shorter) if left[n] != right[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if left[-1 - n] != right[-1 - n]), rest)
    return sum(map(len, left[:head])), sum(map(len, left[len(left) - tail :]))


def paragraphs(text: str) -> list[int]:
    """Return where each paragraph ends, the blank lines behind it included; the last ends with the text."""
    ends = [match.end() for match in _BREAK.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    return ends


def sentences(text: str) -> list[int]:
    """Return where each sentence ends, the white space behind it included; the last ends with the text.

    Own rules instead of pysbd: for 20,000 English words pysbd takes 630 ms, and for most languages it gives no places;
    this takes 9 ms and cannot lose a character. A cut too few or too many only makes a unit of comparison longer or
    shorter, on both sides alike.
    """
    ends = [match.end() for match in _END.finditer(text) if _ends_sentence(text, match)]
    if not text.isascii() and (spaces := [match.end() for match in _THAI_SPACE.finditer(text)]):
        ends = sorted({*ends, *spaces})
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    return ends


def paragraph_number(breaks: list[int], offset: int) -> int:
    """Return the number, from 1, of the paragraph in which `offset` lies, given `paragraphs(text)`."""
    return min(bisect_left(breaks, offset + 1) + 1, len(breaks))


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    """Tell whether a full stop is one: not an abbreviation's, not an initial's, not before a small letter."""
    mark = match[0]
    if mark[0] not in ".!?…" or mark.count("\n") > 1:
        return True
    if text[match.end() : match.end() + 1].islower():
        return False
    if not mark.startswith(".") or mark.startswith(".."):
        return True
    far = match.start() - _LONGEST
    if far >= 0 and text[far : match.start()].isalpha():
        return True
    before = text[max(0, match.start() - 12) : match.start()].split()
    word = before[-1].lstrip("(\"'“‘«").lower() if before and not text[match.start() - 1].isspace() else ""
    return word not in _ABBREVIATIONS and not (len(word) == 1 and word.isalpha())
