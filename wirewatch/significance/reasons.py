"""Give the exact reasons for which one hunk may matter.

What is not understood is never light: a word that no list knows and no rule takes for a spelling is `wording`, `added`
or `removed`, which are notable by themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final

from wirewatch.canonical import comparable
from wirewatch.diff.words import words
from wirewatch.model import Hunk, Reason
from wirewatch.significance.lexicon import Lexicon, plain
from wirewatch.significance.passing import passing
from wirewatch.significance.sides import Number, Side, is_too_long, units
from wirewatch.significance.spelling import same_words

# Words of one side up to which phrases and names are looked for; a longer hunk is an exchange of paragraphs, in which
# single words tell little. Numbers are looked for in all.
_CLOSELY: Final = 400
_MOST_OF_A_KIND: Final = 20  # reasons of one kind that one hunk gives
_SHOWN: Final = 120  # characters of a hunk that a reason quotes
_QUOTES: Final = re.compile("[\"'‘’‚‛“”„‟«»‹›「」『』＂＇]")
_ASKS: Final = re.compile(r"[?？؟](?=[?!？！\s\"'”’»)\]*_」』]|$)")
_PHRASES: Final = {"speech": "attribution", "hedge": "hedge", "grave": "grave"}
_TITLE_CASE: Final = 0.6  # share of a headline's words with a capital, above which capitals tell no names


def hunk_reasons(place: int, hunk: Hunk, old_text: str, new_text: str, lexicon: Lexicon) -> list[Reason]:
    """Return what one hunk changed; never nothing, unless it is half of a move."""
    if is_too_long(hunk):
        return [_Place(place, hunk).whole("uncompared")]
    names = hunk.field != "headline" or not (_in_title_case(old_text) or _in_title_case(new_text))
    sides = (
        Side(old_text, hunk.old, lexicon, names=names),
        Side(new_text, hunk.new, lexicon, names=names),
    )
    at = _Place(place, hunk)
    if light := _light(at, *sides):
        return light
    return [*_heavy(at, *sides), *passing(place, hunk, *sides)]


class _Place:
    """Where reasons are given: one hunk."""

    def __init__(self, place: int, hunk: Hunk) -> None:
        self.place, self.hunk = place, hunk

    def reason(self, kind: str, old: str | None = None, new: str | None = None) -> Reason:
        return Reason(kind=kind, field=self.hunk.field, hunk=self.place, old=_shown(old), new=_shown(new))

    def whole(self, kind: str) -> Reason:
        """Return a reason that quotes the hunk."""
        return self.reason(kind, self.hunk.old.exact, self.hunk.new.exact)

    def pairs(self, kind: str, gone: Sequence[str], come: Sequence[str]) -> Iterator[Reason]:
        """Yield a reason for each word that went, beside the one that came in its place."""
        both = zip_longest(gone[:_MOST_OF_A_KIND], come[:_MOST_OF_A_KIND])
        yield from (self.reason(kind, was, now) for was, now in both)


def _shown(text: str | None) -> str | None:
    return (text or "").strip()[:_SHOWN] or None


def _light(at: _Place, old: Side, new: Side) -> list[Reason]:
    """Return the reasons of a hunk that changed no word, number or question; nothing for any other."""
    before, after = comparable(old.exact), comparable(new.exact)
    if before == after:
        same_marks = _QUOTES.findall(old.exact) == _QUOTES.findall(new.exact)
        return [at.whole("space" if same_marks else "quote_marks")]
    if units(before) != units(after) or [n.worth for n in old.numbers] != [n.worth for n in new.numbers]:
        return []
    if _asked(old) != _asked(new):
        return []
    kinds = []
    if _letters(before) != _letters(after):
        kinds.append("case")
    marks, new_marks = _marks(before), _marks(after)
    if marks != new_marks:
        others = _QUOTES.sub("", marks) != _QUOTES.sub("", new_marks)
        shapes_only = not others and len(marks) == len(new_marks)
        kinds.append("quote_marks" if shapes_only else "punctuation")
    return [at.whole(kind) for kind in kinds or ["space"]]


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def _marks(text: str) -> str:
    return "".join(c for c in text if not c.isalnum() and not c.isspace())


def _asked(side: Side) -> int:
    """Count the question marks; the last one needs what follows the hunk, for `?page=2` asks nothing."""
    return len(_ASKS.findall(side.text[side.start : side.end + 1])) if side.exact.strip() else 0


def _heavy(at: _Place, old: Side, new: Side) -> Iterator[Reason]:
    if (not old.exact.strip() and new.whole) or (not new.exact.strip() and old.whole):
        yield at.whole("added" if new.exact.strip() else "removed")
        return
    changed, settled = _numbers(old, new)
    for kind, was, now in changed[:_MOST_OF_A_KIND]:
        yield at.reason(kind, was, now)
    if old.exact.strip() and new.exact.strip() and _asked(old) != _asked(new):
        yield at.whole("question")
    if units(old.exact) == units(new.exact):
        return  # the numbers, or the question, were all
    if max(len(old.spoken), len(new.spoken)) > _CLOSELY:
        yield at.whole(_exchange(old, new))
        return
    if not changed and _is_spelling(old, new):
        yield at.whole("spelling")
        return
    explained = list(_words(at, old, new))
    yield from explained
    settled |= {word for reason in explained for text in (reason.old, reason.new) for word in words(plain(text or ""))}
    gone, come = (_left(a.spoken, b.spoken, settled) for a, b in ((old, new), (new, old)))
    if gone or come:
        yield at.whole(_exchange(old, new))
    elif not changed and not explained:
        yield at.whole("wording")  # other order, or a sign that is neither word nor mark: a percentage, an emoji
    if (old.quoted or new.quoted) and (gone or come or explained or changed):
        yield at.whole("quotation")


def _exchange(old: Side, new: Side) -> str:
    if not old.spoken:
        return "added"
    return "wording" if new.spoken else "removed"


def _is_spelling(old: Side, new: Side) -> bool:
    """Tell whether only the spelling changed. What goes on being written as it was is a word of its own."""
    if not old.spoken or not new.spoken or {plain(name) for name in (*old.names, *new.names)}:
        return False
    if not same_words(old.spoken, new.spoken, old.lexicon):
        return False
    left = Counter(old.spoken) - Counter(new.spoken)
    rest = plain(new.text[: new.start]), plain(new.text[new.end :])
    return not any(
        len(word) > 3
        and word not in old.lexicon.variants
        and word not in old.lexicon.variants.values()
        and any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for text in rest)
        for word in left
    )


def _numbers(old: Side, new: Side) -> tuple[list[tuple[str, str | None, str | None]], set[str]]:
    """Return the changed numbers, as kind, old and new, and the words that are thereby accounted for."""
    gone, come = _without(old.numbers, new.numbers), _without(new.numbers, old.numbers)
    if old.exact.strip() and new.exact.strip():
        spelt, new_spelt = _without(old.numerals, new.numerals), _without(new.numerals, old.numerals)
        if (gone or spelt) and (come or new_spelt):  # `the one who` for `the man who` is no number
            gone, come = [*gone, *spelt], [*come, *new_spelt]
    else:
        gone += old.numerals if len(old.numerals) == len(old.spoken) else []
        come += new.numerals if len(new.numerals) == len(new.spoken) else []
    found: list[tuple[str, str | None, str | None]] = []
    for was, now in zip_longest(_without(gone, come), _without(come, gone)):
        found.append((_heavier(was, now), was.written if was else None, now.written if now else None))
    respelt = _same_worth([*old.numbers, *old.numerals], [*new.numbers, *new.numerals])
    found += [("number_form", was.written, now.written) for was, now in respelt]
    told = [number for number in (*gone, *come) if number] + [number for pair in respelt for number in pair]
    return found, {word for number in told for word in words(plain(number.written))}


def _same_worth(old: list[Number], new: list[Number]) -> list[tuple[Number, Number]]:
    """Return the numbers that are worth the same and are written otherwise."""
    written = {number.written for number in old} & {number.written for number in new}
    left = {number.worth: number for number in new if number.written not in written}
    pairs = [(number, left[number.worth]) for number in old if number.written not in written and number.worth in left]
    return [(was, now) for was, now in pairs if plain(was.written) != plain(now.written)]


def _heavier(was: Number | None, now: Number | None) -> str:
    kinds = {number.kind for number in (was, now) if number}
    return next(kind for kind in ("money", "date", "time", "number") if kind in kinds)


def _without(these: list[Number], others: list[Number]) -> list[Number]:
    """Return `these` less the `others`, each as often as it occurs there, in order."""
    left = Counter(number.worth for number in others)
    kept = []
    for number in these:
        if left[number.worth] > 0:
            left[number.worth] -= 1
        else:
            kept.append(number)
    return kept


def _words(at: _Place, old: Side, new: Side) -> Iterator[Reason]:
    """Yield the reasons that words of the lists give, and names."""
    yield from at.pairs("date", *_both_ways(old.dates, new.dates))
    was, now = (side.lexicon.found(side.spoken, side.together) for side in (old, new))
    if was["negation"].total() != now["negation"].total():  # `never` for `not` denies as well
        yield from at.pairs("negation", *_both_ways(was["negation"].elements(), now["negation"].elements()))
    for kind, says in _PHRASES.items():
        yield from at.pairs(says, *_both_ways(was[kind].elements(), now[kind].elements()))
    names, new_names = _both_ways(old.names, new.names)
    if not names and not new_names and old.titled and new.titled and old.exact.strip():
        names, new_names = [old.exact], [new.exact]
    yield from at.pairs("name", names, new_names)


def _both_ways(old: Iterable[str], new: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return what of each is not in the other, in order, without regard to case and `'s`."""
    before, after = list(old), list(new)
    return _rest(before, after), _rest(after, before)


def _rest(these: list[str], others: list[str]) -> list[str]:
    left = Counter(_bare(word) for word in others)
    kept = []
    for word in these:
        if left[_bare(word)] > 0:
            left[_bare(word)] -= 1
        else:
            kept.append(word)
    return kept


def _bare(word: str) -> str:
    return plain(word).removesuffix("'s").removesuffix("'")


def _left(spoken: list[str], others: list[str], settled: set[str]) -> list[str]:
    """Return the words that the other side has not, and that no reason has named."""
    return [word for word in _rest(spoken, others) if word not in settled and _bare(word) not in settled]


def _in_title_case(text: str) -> bool:
    spoken = [word for word in words(text[: _SHOWN * 2]) if word[0].isalpha()]
    return len(spoken) > 3 and sum(word[0].isupper() for word in spoken) > _TITLE_CASE * len(spoken)
