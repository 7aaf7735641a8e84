"""Say who wants to know what: a rule names conditions, and each match explains itself.

A rule sees one event with both wordings, and no clock, no store and no label. Words are looked for where the text
changed, which is less than the text around it: `words: [ferry]` wants the ferry itself to have come or gone, while
`about: [ferry]` wants it anywhere in the story.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from wirewatch.model import WORDING_FIELDS, Diff, Happened, Hunk, Reason, Verdict, Wording

_LONGEST_PHRASE: Final = 200  # characters; so much is looked at on either side of a change
_LONGEST_PATTERN: Final = 1000
_QUOTED: Final = 60  # characters of a publisher's words in an explanation
_NAMED: Final = 3  # of the reasons of one kind
_STORY: Final = ("headline", "standfirst", "body")
_ANCHOR: Final = re.compile(r"[$^]|\\[AZz]")
_SPACES: Final = re.compile(r"\s+")
# What no reader sees, and quotation marks of any shape; beside small letters all that is levelled.
_LEVELLED: Final = str.maketrans(
    {
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff\u200e\u200f\u061c"),
        **dict.fromkeys("‘’‚‛", "'"),
        **dict.fromkeys("“”„‟", '"'),
    }
)


class Said:
    """Say in words what a key takes, for the reference."""

    def __init__(self, words: str) -> None:
        self.words = words


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _phrase(text: str) -> str:
    from wirewatch.diff.words import words  # noqa: PLC0415 (as slow to import as a comparison)

    phrase = " ".join(text.split())
    if not words(phrase.removesuffix("*")):
        raise ValueError("has no word in it")
    if len(phrase) > _LONGEST_PHRASE:
        raise ValueError(f"is no phrase of at most {_LONGEST_PHRASE} characters")
    return phrase


def _name(text: str) -> str:
    name = text.strip()
    if not name:
        raise ValueError("is empty")
    return name


def _pattern(text: str) -> str:
    if len(text) > _LONGEST_PATTERN:
        raise ValueError(f"is no pattern of at most {_LONGEST_PATTERN} characters")
    if _compiled(text).search(b"") is not None:
        raise ValueError("matches where nothing stands, and so in every text")
    return text


def _compiled(pattern: str) -> Any:
    """Return a pattern of RE2, which takes time in proportion to the text whatever the pattern; refuse all others."""
    import re2  # noqa: PLC0415 (few rules have one)

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as error:
        why = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(
            f"is no pattern that RE2 reads ({why}); it has no look-around, no back-reference and no huge repetition"
        ) from None


def _known(text: str, names: Iterable[str]) -> str:
    known = tuple(names)
    if text in known:
        return text
    near = get_close_matches(text.lower().replace("-", "_"), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
    raise ValueError(f"is unknown; {hint}")


def _field(text: str) -> str:
    return _known(text, WORDING_FIELDS)


def _kind(text: str) -> str:
    from wirewatch.significance.weights import WEIGHTS  # noqa: PLC0415 (as slow to import as a judgement)

    return _known(text, WEIGHTS)


def _between(low: float, high: float) -> AfterValidator:
    def check(value: float) -> float:
        if not low <= value <= high:
            raise ValueError(f"is not between {low:,} and {high:,}")
        return value

    return AfterValidator(check)


def _told(channels: tuple[str, ...]) -> tuple[str, ...]:
    if not channels:
        raise ValueError("names no channel")
    return channels


Listed = BeforeValidator(_listed)
Name = Annotated[str, AfterValidator(_name), Said("text")]
Phrase = Annotated[str, AfterValidator(_phrase), Said("word or phrase")]
Pattern = Annotated[str, AfterValidator(_pattern), Said("RE2 pattern")]
FieldName = Annotated[str, AfterValidator(_field), Said(" or ".join(f"`{name}`" for name in WORDING_FIELDS))]
ReasonKind = Annotated[str, AfterValidator(_kind), Said("kind of reason")]


class Condition(BaseModel):
    """What must be so. All keys that are given must hold; of a list, one item is enough."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)

    happened: Annotated[tuple[Literal["revised", "restamped", "withdrawn", "returned"], ...], Listed] = Field(
        default=(), description="What happened to the article; a rule that nowhere says it wants it revised."
    )
    feeds: Annotated[tuple[Name, ...], Listed] = Field(default=(), description="The feed's address or name.")
    publishers: Annotated[tuple[Name, ...], Listed] = Field(default=(), description="The publisher's name.")
    sections: Annotated[tuple[Name, ...], Listed] = Field(default=(), description="The section.")
    languages: Annotated[tuple[Name, ...], Listed] = Field(
        default=(), description="The language; `en` is `en-GB`, too."
    )
    about: Annotated[tuple[Phrase, ...], Listed] = Field(
        default=(),
        description="Whole words anywhere in headline, standfirst or body; `ferr*` is any that begins so.",
    )
    words: Annotated[tuple[Phrase, ...], Listed] = Field(
        default=(), description="Whole words in the changed text, the old or the new."
    )
    old_words: Annotated[tuple[Phrase, ...], Listed] = Field(
        default=(), description="Whole words in what was taken away."
    )
    new_words: Annotated[tuple[Phrase, ...], Listed] = Field(default=(), description="Whole words in what was put in.")
    patterns: Annotated[tuple[Pattern, ...], Listed] = Field(
        default=(), description="Patterns in the changed text, the old or the new; `(?i)` takes capitals for small."
    )
    old_patterns: Annotated[tuple[Pattern, ...], Listed] = Field(
        default=(), description="Patterns in what was taken away."
    )
    new_patterns: Annotated[tuple[Pattern, ...], Listed] = Field(default=(), description="Patterns in what was put in.")
    fields: Annotated[tuple[FieldName, ...], Listed] = Field(default=(), description="Which fields changed.")
    signal: Literal["update", "correction"] | None = Field(
        default=None, description="Whether the publisher's note makes it a correction."
    )
    disclosure: Annotated[tuple[Literal["disclosed", "undisclosed", "unknown"], ...], Listed] = Field(
        default=(), description="Whether the publisher says so."
    )
    significance: Annotated[tuple[Literal["minor", "notable", "major"], ...], Listed] = Field(
        default=(), description="How much it matters."
    )
    score: Annotated[float, _between(0, 1), Said("0 to 1")] | None = Field(default=None, description="The least score.")
    reasons: Annotated[tuple[ReasonKind, ...], Listed] = Field(
        default=(), description="Kinds of reason, such as `number`, `name`, `quotation` or `negation`."
    )
    not_: Condition | None = Field(default=None, alias="not", description="A condition that must not hold.")
    any: tuple[Condition, ...] = Field(default=(), description="Conditions of which one must hold.")
    all: tuple[Condition, ...] = Field(default=(), description="Conditions that must all hold.")

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if self.not_ is not None and not self.not_.model_fields_set:
            raise ValueError("has an empty `not`, which nothing can satisfy; write what must not hold")
        return self

    def speaks_of_what_happened(self) -> bool:
        """Tell whether `happened` stands in it, or in a condition inside it."""
        inner = (*self.any, *self.all, *((self.not_,) if self.not_ else ()))
        return bool(self.happened) or any(one.speaks_of_what_happened() for one in inner)


class Rule(BaseModel):
    """Who is told about what."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,62}$", description="What alerts call this rule.")]
    channels: Annotated[
        tuple[Name, ...], Listed, AfterValidator(_told), Field(description="The channels that are told.")
    ]
    when: Condition = Field(default=Condition(), description="What must be so; left out, any change of words will do.")
    cap: Annotated[int, _between(1, 10_000), Said("1 to 10,000")] = Field(
        default=20, description="Alerts an hour and channel; the rest is told in one line, `and 37 more`."
    )


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a rule is asked about: one event, with what is known of its article.

    `old` and `new` are the wordings on both sides of `diff`. Of an article that went away `old` alone is given, of one
    that came back `new` alone, and all of it counts as changed text.
    """

    happened: Happened
    url: str
    feed: str | None = None
    feed_name: str | None = None
    publisher: str | None = None
    section: str | None = None
    language: str | None = None
    old: Wording | None = None
    new: Wording | None = None
    diff: Diff | None = None
    verdict: Verdict | None = None

    @cached_property
    def story(self) -> str:
        """The levelled text of headline, standfirst and body, and what was taken away, with the text around it."""
        side = self.new or self.old
        texts = [_level(text) for name in _STORY if (text := getattr(side, name, None))]
        return "\n".join([*texts, *(stretch.levelled[0] for stretch in self.old_stretches if self.new)])

    @cached_property
    def old_stretches(self) -> tuple[_Stretch, ...]:
        """What was taken away, each stretch with the text around it."""
        return tuple(self._stretches("old"))

    @cached_property
    def new_stretches(self) -> tuple[_Stretch, ...]:
        """What was put in, each stretch with the text around it."""
        return tuple(self._stretches("new"))

    @cached_property
    def old_text(self) -> str:
        """All of `old_stretches`, levelled."""
        return "\n".join(stretch.levelled[0] for stretch in self.old_stretches)

    @cached_property
    def new_text(self) -> str:
        """All of `new_stretches`, levelled."""
        return "\n".join(stretch.levelled[0] for stretch in self.new_stretches)

    @cached_property
    def old_bytes(self) -> bytes:
        """All of `old_stretches` in UTF-8, each on lines of its own."""
        return b"\n".join(stretch.encoded[0] for stretch in self.old_stretches)

    @cached_property
    def new_bytes(self) -> bytes:
        """All of `new_stretches` in UTF-8, each on lines of its own."""
        return b"\n".join(stretch.encoded[0] for stretch in self.new_stretches)

    def _stretches(self, side: Literal["old", "new"]) -> Iterator[_Stretch]:
        wording: Wording | None = getattr(self, side)
        if wording is None:
            return
        if self.diff is None:
            if self.happened in ("withdrawn", "returned"):
                yield from (_Stretch("", text, "") for text in wording.present().values())
            return
        for hunk in self.diff.hunks:
            yield from _around(hunk, side, getattr(wording, hunk.field) or "")


@dataclass(frozen=True)
class _Stretch:
    """A changed stretch of text, and what stands before and behind it."""

    before: str
    text: str
    behind: str

    @cached_property
    def encoded(self) -> tuple[bytes, int, int]:
        """The whole in UTF-8, with where the changed part starts and ends; RE2 would encode it for each pattern."""
        before, text, behind = (part.encode(errors="replace") for part in (self.before, self.text, self.behind))
        return before + text + behind, len(before), len(before) + len(text)

    @cached_property
    def levelled(self) -> tuple[str, int, int]:
        """The levelled text, and where the changed part of it starts and ends."""
        before, text, behind = (_level(part) for part in (self.before, self.text, self.behind))
        return before + text + behind, len(before), len(before) + len(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A rule that an event satisfies, and why: one short explanation for each condition."""

    rule: str
    channels: tuple[str, ...]
    why: tuple[str, ...]


class Matcher:
    """Ask many rules about one event after the other; a plain loop, whose tests are made once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(rule, _whole_rule(rule)) for rule in rules]

    def matches(self, subject: Subject) -> list[Match]:
        """Return the rules that the event satisfies, in their order."""
        found = []
        for rule, test in self._rules:
            why = test(subject)
            if why is not None:
                channels = tuple(dict.fromkeys(rule.channels))
                found.append(Match(rule=rule.name, channels=channels, why=tuple(why)))
        return found


Why = list[str] | None
Test = Callable[[Subject], Why]


def _whole_rule(rule: Rule) -> Test:
    tests = _tests(rule.when)
    if not rule.when.speaks_of_what_happened():
        tests = [_happened(("revised",)), *tests]
    return _all_of(tests)


def _tests(condition: Condition) -> list[Test]:
    """Return a test for each key that is given, the cheapest first."""
    c = condition
    made: list[tuple[object, Callable[[Any], Test]]] = [
        (c.happened, _happened),
        (c.signal and (c.signal,), lambda value: _judged("signal", value)),
        (c.disclosure, lambda value: _judged("disclosure", value)),
        (c.significance, lambda value: _judged("significance_class", value)),
        (c.score, _scored),
        (c.reasons, _reasoned),
        (c.fields, _fields),
        (c.languages, _language),
        (c.publishers, lambda value: _named("publisher", value)),
        (c.sections, lambda value: _named("section", value)),
        (c.feeds, _feed),
        (c.old_words, lambda value: _worded(value, ("old",))),
        (c.new_words, lambda value: _worded(value, ("new",))),
        (c.words, lambda value: _worded(value, ("old", "new"))),
        (c.about, _about),
        (c.old_patterns, lambda value: _patterned(value, ("old",))),
        (c.new_patterns, lambda value: _patterned(value, ("new",))),
        (c.patterns, lambda value: _patterned(value, ("old", "new"))),
        (c.all, lambda value: _all_of([_all_of(_tests(one)) for one in value])),
        (c.any, lambda value: _any_of([_all_of(_tests(one)) for one in value])),
        (c.not_, lambda value: _not(_all_of(_tests(value)), value)),
    ]
    return [make(value) for value, make in made if value not in (None, ())]


def _all_of(tests: Sequence[Test]) -> Test:
    def test(subject: Subject) -> Why:
        why: list[str] = []
        for one in tests:
            found = one(subject)
            if found is None:
                return None
            why += found
        return why

    return test


def _any_of(tests: Sequence[Test]) -> Test:
    def test(subject: Subject) -> Why:
        return next((found for one in tests if (found := one(subject)) is not None), None)

    return test


def _not(inner: Test, condition: Condition) -> Test:
    keys = ", ".join(_spelled(condition))

    def test(subject: Subject) -> Why:
        return [f"not ({keys})"] if inner(subject) is None else None

    return test


def _spelled(condition: Condition) -> Iterator[str]:
    for name, value in condition.model_dump(by_alias=True, exclude_unset=True).items():
        items = value if isinstance(value, (list, tuple)) else [value]
        yield f"{name}: {' or '.join('…' if isinstance(one, dict) else str(one) for one in items)}"


def _happened(kinds: tuple[str, ...]) -> Test:
    return lambda subject: [subject.happened] if subject.happened in kinds else None


def _judged(member: str, wanted: tuple[str, ...]) -> Test:
    def test(subject: Subject) -> Why:
        said = getattr(subject.verdict, member, None)
        return [said] if said in wanted else None

    return test


def _scored(least: float) -> Test:
    def test(subject: Subject) -> Why:
        verdict = subject.verdict
        return [f"score {verdict.score:.2f}"] if verdict is not None and verdict.score >= least else None

    return test


def _reasoned(kinds: tuple[str, ...]) -> Test:
    wanted = frozenset(kinds)

    def test(subject: Subject) -> Why:
        given = subject.verdict.reasons if subject.verdict else ()
        found = [_explained(reason) for reason in given if reason.kind in wanted]
        return list(dict.fromkeys(found))[:_NAMED] or None

    return test


def _explained(reason: Reason) -> str:
    old, new = _quoted(reason.old), _quoted(reason.new)
    change = f"{old} → {new}" if old and new else new or old
    return f"{reason.kind} in the {reason.field}" + (f": {change}" if change else "")


def _fields(names: tuple[str, ...]) -> Test:
    def test(subject: Subject) -> Why:
        changed = subject.diff.changed_fields if subject.diff else ()
        found = [f"the {name} changed" for name in names if name in changed]
        return found or None

    return test


def _language(tags: tuple[str, ...]) -> Test:
    wanted = tuple(tag.lower() for tag in tags)

    def test(subject: Subject) -> Why:
        said = (subject.language or "").lower()
        meant = any(said == tag or said.startswith(f"{tag}-") for tag in wanted)
        return [f"language {subject.language}"] if meant else None

    return test


def _named(member: str, names: tuple[str, ...]) -> Test:
    wanted = frozenset(_level(name) for name in names)

    def test(subject: Subject) -> Why:
        said: str | None = getattr(subject, member)
        return [f"{member} {_quoted(said)}"] if said and _level(said) in wanted else None

    return test


def _feed(names: tuple[str, ...]) -> Test:
    addresses, levelled = frozenset(names), frozenset(_level(name) for name in names)

    def test(subject: Subject) -> Why:
        if subject.feed in addresses:
            return [f"feed {subject.feed}"]
        named = subject.feed_name is not None and _level(subject.feed_name) in levelled
        return [f"feed {_quoted(subject.feed_name)}"] if named else None

    return test


def _about(phrases: tuple[str, ...]) -> Test:
    searches = [_Phrase(phrase) for phrase in phrases]

    def test(subject: Subject) -> Why:
        text = subject.story
        found = next((one for one in searches if one.within(text, 0, len(text))), None)
        return [f"“{found.phrase}” in the story"] if found else None

    return test


def _worded(phrases: tuple[str, ...], sides: tuple[str, ...]) -> Test:
    searches = [_Phrase(phrase) for phrase in phrases]

    def test(subject: Subject) -> Why:
        for side in sides:
            text = getattr(subject, f"{side}_text")
            for one in searches:
                if not one.may_stand_in(text):
                    continue
                if any(one.within(*stretch.levelled) for stretch in getattr(subject, f"{side}_stretches")):
                    return [f"“{one.phrase}” in the {side} text"]
        return None

    return test


def _patterned(patterns: tuple[str, ...], sides: tuple[str, ...]) -> Test:
    searches = [(pattern, _compiled(pattern), _ANCHOR.search(pattern) is not None) for pattern in patterns]

    def test(subject: Subject) -> Why:
        for side in sides:
            together: bytes = getattr(subject, f"{side}_bytes")
            for pattern, compiled, anchored in searches:
                # All stretches at once say no for each, unless the pattern asks where a text begins or ends.
                if not anchored and compiled.search(together) is None:
                    continue
                stretches = getattr(subject, f"{side}_stretches")
                found = next((one for stretch in stretches if (one := _found(compiled, stretch)) is not None), None)
                if found is not None:
                    return [f"{_quoted(found)} in the {side} text matches {pattern}"]
        return None

    return test


def _found(compiled: Any, stretch: _Stretch) -> str | None:
    text, start, end = stretch.encoded
    for match in compiled.finditer(text):
        if match.start() >= end:
            return None
        if match.end() > start and match.end() > match.start():
            found: bytes = match.group()
            return found.decode(errors="replace")
    return None


class _Phrase:
    """A word or phrase to look for in levelled text, in both forms in which Unicode writes an accent."""

    def __init__(self, phrase: str) -> None:
        from wirewatch.diff.words import whole_words  # noqa: PLC0415 (as slow to import as a comparison)

        self.phrase = phrase
        open_ended = phrase.endswith("*")
        level = _level(phrase.removesuffix("*"))
        forms = dict.fromkeys(unicodedata.normalize(form, level) for form in ("NFC", "NFD"))
        self._searches = [(form, whole_words(form, open_ended=open_ended)) for form in forms]

    def may_stand_in(self, text: str) -> bool:
        """Tell whether its letters stand in a text, wherever; far cheaper than `within`, and mostly the end of it."""
        return any(form in text for form, _ in self._searches)

    def within(self, text: str, start: int, end: int) -> bool:
        """Tell whether it stands in `text` such that it has some of what lies between `start` and `end`."""
        for form, whole in self._searches:
            if form in text and (found := whole.search(text, max(0, start - len(form) + 1))) and found.start() < end:
                return True
        return False


def _around(hunk: Hunk, side: Literal["old", "new"], text: str) -> Iterator[_Stretch]:
    where = getattr(hunk, side)
    if where.start == where.end:
        return
    yield _Stretch(
        text[max(0, where.start - _LONGEST_PHRASE) : where.start],
        text[where.start : where.end],
        text[where.end : where.end + _LONGEST_PHRASE],
    )


def _level(text: str) -> str:
    """Return text in which capitals, quotation marks, spaces and what is invisible make no difference.

    Character by character, so that the level form of two pieces is that of the whole, but for their spaces.
    """
    return _SPACES.sub(" ", text.translate(_LEVELLED)).casefold()


def _quoted(text: str | None) -> str:
    line = " ".join((text or "").split())
    return f"“{line if len(line) <= _QUOTED else f'{line[: _QUOTED - 1]}…'}”" if line else ""
