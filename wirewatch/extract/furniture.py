"""Tell an article's text from what a newspaper prints around it, one line at a time, in HTML and plain text alike.

A rule may only take a line away for what the whole line is. A paragraph that merely contains such words is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

from wirewatch.times import is_stamp
from wirewatch.words import all_words, phrases, primary

_NO_ASCII_LETTERS: Final = {code: None for code in range(128) if not chr(code).isalnum()}  # a tenth of the time
_MENU_MARK = re.compile(r"\s(?:[|·•›»>/–—])\s|\t")
_BULLET = re.compile(r"^[\s*•·▪■–—>|-]+|[\s|·•]+$")
_ENDS_SENTENCE = re.compile(r"[.!?…。！？؟۔।][\"'”’»)\]」』】）》〉]*$")
_NO_STOPS = re.compile("[\u0e00-\u0eff\u1780-\u17ff]")  # Thai, Lao and Khmer, whose sentences may end without a mark
_BY_LONGEST = 160
_PIECES = re.compile(r"\s[|·•]\s|\s[–—]\s(?=.*\d)")
_DIGIT = re.compile(r"\d")
_INITIAL = re.compile(r"\b(?:Jr|Sr|[A-Z])\.$")  # a name may end with a full stop
_SPACELESS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_DATELINE = re.compile(
    r"^(?P<place>[^\W\d_](?:[^\W_]|[ .,'’\-/]){1,58}?)\s?(?P<agency>\([^()]{1,30}\))?\s?(?:—|–|--|\s-|―)\s?(?=\S)"
)
_ENDING_LIMIT: Final = 250
_CREDIT_TAIL_LIMIT: Final = 80


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    """Return the form in which lines are told to be the same: letters and digits only, in small letters."""
    low = text.lower()
    if low.isascii():
        return low.translate(_NO_ASCII_LETTERS)
    return "".join(filter(str.isalnum, low)).replace("ς", "σ")  # where a Greek word ends depends on what is behind it


def ends_sentence(line: str) -> bool:
    """Tell whether a line ends as a sentence does."""
    return _ENDS_SENTENCE.search(line) is not None


def may_be_sentence(line: str) -> bool:
    """Tell whether a line ends as a sentence does, or is in a script that does not mark where one ends."""
    return ends_sentence(line) or _NO_STOPS.search(line) is not None


def is_menu(line: str) -> bool:
    """Tell whether a line is a row of links: `Home | News | Local`."""
    pieces = [piece.strip() for piece in _MENU_MARK.split(line) if piece.strip()]
    return (
        len(pieces) >= 3
        and all(len(piece) <= 30 and not ends_sentence(piece) for piece in pieces)
        and not is_stamp(line)
    )


def is_chrome(line: str) -> bool:
    """Tell whether a line is a share button, a link to other stories, a call to subscribe or the like."""
    bare = _BULLET.sub("", line).rstrip(":：").strip()
    if not bare:
        return True
    lower = bare.lower()
    if len(lower) <= 60 and lower in _exact():
        return True
    if len(bare) > 200:
        return False
    found = _openings().match(line.lower())
    if not found:
        return False
    after = found.group(2)
    return bool(after) or (" " in found.group(1) and not ends_sentence(line))


def is_ending(line: str) -> bool:
    """Tell whether one of the last lines names who else contributed or calls to subscribe."""
    lower = line.lower()
    if len(lower) > _ENDING_LIMIT:
        return False
    return any(phrase in lower for phrase in phrases("contributed")) or _calls().match(lower) is not None


@cache
def _calls() -> re.Pattern[str]:
    return re.compile(rf"[\s*•·▪■–—>|【\[(-]*(?:{'|'.join(map(re.escape, phrases('newsletter')))})(?!\w)")


@cache
def _exact() -> frozenset[str]:
    return frozenset({*phrases("related"), *phrases("newsletter"), *phrases("share")})


@cache
def _openings() -> re.Pattern[str]:
    """Return what opens a line that leads elsewhere: `Read more: …`, `LESEN SIE AUCH | …`, `関連記事：…`."""
    words = sorted({*phrases("related"), *phrases("newsletter")}, key=lambda word: (-len(word), word))
    return re.compile(rf"[\s*•·▪■–—>|【\[(-]*({'|'.join(map(re.escape, words))})(?!\w)\s*([:：|»>→】\]]?)")


def byline_of(line: str, language: str | None) -> str | None:
    """Return the byline in a line (`By Marta Quill | 14:21`), without the stamps around it; None if it is none."""
    if len(line) > _BY_LONGEST or (ends_sentence(line) and not _INITIAL.search(line)):
        return None
    *before, last = _PIECES.split(line)
    for piece in before:
        if byline := _opening_byline(piece.strip(), language):
            return byline
        if not is_stamp(piece, language):
            return None
    return _opening_byline(last.strip(), language)


def _opening_byline(text: str, language: str | None) -> str | None:
    found = _by(primary(language)).match(text)
    if not found:
        return None
    name = found.group(1)
    if (digit := _DIGIT.search(name)) and is_stamp(name[digit.start() :], language):
        name = name[: digit.start()].rstrip(" ,-–—")
    words = name.split()
    if not words or len(words) > 14 or any(c.isdigit() for c in name):
        return None
    cased = any(c.isupper() for c in name) or not any(c.islower() for c in name)
    return text[: found.start(1)] + name if cased and not (words[0].islower() and words[0].isascii()) else None


def name_before_stamp(line: str, language: str | None) -> str | None:
    """Return the name in a line such as `Marta Quill | 16.03.2026`, which has no word for "by"."""
    name, *rest = _PIECES.split(line)
    words = name.split()
    named = 2 <= len(words) <= 5 and all(word[:1].isupper() and word.isalpha() for word in words)
    return name if named and rest and all(is_stamp(piece, language) for piece in rest) else None


def without_role(byline: str, authors: Sequence[str]) -> str:
    """Return a byline up to its last stated author: without `, chief reporter`, or `Reporter` printed close behind.

    The comma: +2.8 % of the sets of authors. What is printed close behind: +.4 %.
    """
    ends = [at + len(name) for name in authors if (at := byline.lower().find(name.lower())) >= 0]
    end = max(ends, default=len(byline))
    return byline[:end] if len(ends) == len(authors) and not byline[end : end + 1].isspace() else byline


@cache
def _by(code: str | None) -> re.Pattern[str]:
    languages = all_words()
    own = languages[code].by if code in languages else ()
    words = sorted({*own, *languages["en"].by}, key=lambda word: (-len(word), word))
    return re.compile(rf"(?:{'|'.join(map(re.escape, words))})\s*[:：]?(?:\s+|(?<=[:：文者]))(\S.*)$", re.IGNORECASE)


def is_correction(line: str) -> bool:
    """Tell whether a paragraph begins as a correction or clarification note does.

    One or two words need a mark behind them: `Correction officers` are no note.
    """
    head = line[:120].lower().lstrip(" *[(【（《•–—")
    found = _notes().match(head)
    if not found:
        return False
    phrase, rest = found.group(1), head[found.end() :]
    if len(phrase.split()) >= 3 or not rest.strip():
        return True
    return rest.lstrip()[:1] in tuple(":：.—–-】]）)、，|。;") or bool(
        re.match(r"\s*\(|\s*,?\s*[^\s]{0,12}\s?\d", rest)
    )


@cache
def _notes() -> re.Pattern[str]:
    return re.compile(rf"({'|'.join(map(re.escape, phrases('correction')))})(?!\w)")


def split_credit(caption: str) -> tuple[str, str | None]:
    """Return a caption without the photo credit at its end, and the credit: `… at dawn. Photo: Jo Vane`."""
    found = _credit_tail().search(caption)
    if not found or not found.start():
        return (caption, None) if not found else ("", caption)
    text = caption[: found.start()].rstrip(" |/(–—-[")
    return text, caption[found.start() :].strip(" |/()[]–—-")


@cache
def _credit_tail() -> re.Pattern[str]:
    words = "|".join(map(re.escape, phrases("credit")))
    before = r"(?:(?<=[\s.(\[|/–—])|^)"
    mark = rf"(?:(?:{words})(?:\s+(?:by|de|von|di))?\s*(?:[:：/|]|(?<= by)\s)|©|\(c\)\s)"
    return re.compile(rf"{before}{mark}\s*[^:：]{{2,{_CREDIT_TAIL_LIMIT}}}$", re.IGNORECASE)


def is_credit(line: str) -> bool:
    """Tell whether a line is nothing but a photo credit."""
    return len(line) <= 120 and split_credit(line)[0] == ""


def is_subheading(line: str) -> bool:
    """Tell whether a line of plain text looks like a sub-heading: short, and no sentence."""
    longest = 30 if _SPACELESS.search(line) else 80
    return (
        2 <= len(line) <= longest
        and not ends_sentence(line)
        and line[-1] not in ",;:，、："
        and any(c.isalpha() for c in line)
    )


def dateline_of(paragraph: str) -> tuple[str | None, str]:
    """Return the place a paragraph opens with and the rest: `PORT ELLERY — The …`, `Ellery (AFP) - The …`.

    Only a place in capitals, or one followed by an agency in brackets, is a dateline; it is returned in title case,
    as records state places.
    """
    found = _DATELINE.match(paragraph[:120])
    if not found:
        return None, paragraph
    place = found["place"].strip(" ,")
    first = place.split(",")[0]
    capitals = first.isupper() and len(first) >= 3
    if not capitals and not (found["agency"] and place[:1].isupper() and len(place.split()) <= 5):
        return None, paragraph
    return _title(place), paragraph[found.end() :]


def _title(place: str) -> str:
    """Return `Port Ellery` for `PORT ELLERY`, and leave mixed case alone."""
    return ", ".join(_capitals(piece) if piece.isupper() and len(piece) > 4 else piece for piece in place.split(", "))


def _capitals(words: str) -> str:
    return re.sub(r"[^\W\d_]+(?:['’][^\W\d_]+)?", lambda found: found.group()[:1] + found.group()[1:].lower(), words)
