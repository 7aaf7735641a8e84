"""Remember what was read from a page, and recall it when the next page says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from lxml import etree

from wirewatch.canonical import canonical_json, sha256
from wirewatch.encoding import revive_json
from wirewatch.errors import BadContent
from wirewatch.extract import EXTRACTOR
from wirewatch.extract.article import Draft
from wirewatch.extract.ends import stands_alone
from wirewatch.extract.furniture import key
from wirewatch.extract.page import (
    DEPTH_LIMIT,
    MOST_ASIDE,
    PARAGRAPH,
    TIMES_LIMIT,
    Line,
    Page,
    Part,
    all_times,
    lies_open,
)
from wirewatch.extract.reading import FEW_BLOCKS, labelled_times
from wirewatch.extract.stated import Stated
from wirewatch.fingerprint.outline import Outline, Rules, and_above, beginning, mark, outline, place_of
from wirewatch.fingerprint.survey import Fed, find_lists
from wirewatch.model import Alias, Capture, Claim, Reading, Seen, Source
from wirewatch.times import Printed, claims

_RULES: Final = 4  # raise it with every change of what a digest is made of
_MAKER: Final = f"{EXTRACTOR} fingerprint/{_RULES}"
_WALLS: Final = 400  # characters; a shorter page without stated times may pass for a wall, by all that is on it
_MOVING: Final = frozenset({"relative", "future"})  # claims that say something else tomorrow
_LEAST_LETTERS, _MOST_LETTERS, _SOME_LETTERS = 0.6, 1.6, 200  # what lists may hold, of what they held
_PLENTY: Final = 1e9  # characters, where nothing is misnamed
_TOO_DEEP: Final = etree.XPath("boolean(" + "/*" * (DEPTH_LIMIT + 1) + ")")
_PASSWORD: Final = etree.XPath("boolean(//input[translate(@type, 'PASWORD', 'pasword') = 'password'])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """How a page is told that says what was read from it the last time, and what that was.

    `context` is a digest of all that a reading takes from elsewhere: addresses, headers, configuration. `page` is the
    SHA-256 of the page's bytes. `printed` are stamps of which some mean another time with every read ("3 hours ago").
    `spoken` is the language that the reading has, which may be guessed, and `language` what the page states.
    `digest` is None where only the same bytes say the same. `outside`, `opened` and `held` are characters of
    paragraphs: outside of all asides, outside of all where misnamed ones are none, and by name in the asides that are
    in the outline. With more than `spare` in lists, a misnamed element would be none; `weights` is set where those in
    all other asides have to stay. `undated` says that no stamp was labelled as the first one, `labelled` are those that
    were. From `home` to `counters`, what is not named here is explained in `Rules` and `Outline`.
    """

    maker: str
    context: str
    page: str
    content_hash: str
    text_hash: str
    length: int
    claims: tuple[Claim, ...] = ()
    printed: tuple[Printed, ...] = ()
    aliases: tuple[Alias, ...] = ()
    flags: tuple[str, ...] = ()
    paywalled: bool = False
    keep_page: bool = True
    digest: str | None = None
    home: str = ""
    lists: tuple[str, ...] = ()
    misnamed: tuple[str, ...] = ()
    headline: str = ""
    shown: str = ""
    sure: bool = False
    cored: bool = False
    told: tuple[str, ...] = ()
    language: str | None = None
    spoken: str | None = None
    countries: tuple[str, ...] = ()
    letters: int = 0
    paragraphs: int = 0
    longest: int = 0
    outside: int = 0
    opened: int = 0
    held: dict[str, int] = field(default_factory=dict)
    spare: float = _PLENTY
    weights: str = ""
    taken: tuple[str, ...] = ()
    counters: bool = False
    undated: bool = False
    labelled: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the fingerprint as it is kept."""
        return canonical_json(self).decode()

    @property
    def rules(self) -> Rules:
        """What of a page counts."""
        return Rules(
            home=self.home,
            lists=frozenset(self.lists),
            misnamed=frozenset(self.misnamed),
            headline=self.headline,
            shown=self.shown,
            sure=self.sure,
            cored=self.cored,
            told=frozenset(self.told),
            taken=frozenset(self.taken),
            counters=self.counters,
            language=self.language,
        )

    def has_room(self, found: Outline) -> bool:
        """Tell whether no aside would have so much of the text that it is misnamed, and all others still have."""
        more = found.paragraphs - self.paragraphs
        room, opened = (MOST_ASIDE * (there + more) for there in (self.outside, self.opened))
        if self.weights:
            return not more and self.weights == found.weights()
        if more > self.spare or (more < 0 and max(self.held.values(), default=0) > room):
            return False
        return found.fits(room, opened, self.held)

    def recalled(self, reading: Reading, source: Source) -> Reading:
        """Return a reading of the same article at another time with all that was read the last time but the words."""
        found = self.claims
        if self.printed:
            found = claims(
                self.printed, source=source, observed=reading.observed, language=self.spoken, countries=self.countries
            )
        return replace(
            reading,
            seen=Seen.WORDING,
            content_hash=self.content_hash,
            text_hash=self.text_hash,
            length=self.length,
            claims=found,
            aliases=self.aliases,
            flags=self.flags,
            paywalled=self.paywalled,
            extractor=EXTRACTOR,
            short_cut="taken",
        )

    def says(self, reading: Reading, source: Source) -> bool:
        """Tell whether a reading says what this one remembers."""
        return self.recalled(reading, source) == replace(reading, short_cut="taken")


def same_bytes(kept: str | None, capture: Capture, source: Source, reading: Reading) -> Reading | None:
    """Return `reading` completed, if the capture's bytes and all around them are those that were read the last time."""
    fingerprint = _known(kept)
    if fingerprint is None or fingerprint.page != reading.page_hash or fingerprint.context != _context(capture, source):
        return None
    if fingerprint.printed:  # reading times is no work for this process
        return None
    return fingerprint.recalled(replace(reading, keep_page=fingerprint.keep_page), source)


@dataclass(slots=True)
class Recollection:
    """What is known of an article's page from the last time, for one reading: a `Memory` of `extract`.

    `audit` has the page read in full all the same; `judged` then says whether the short cut would have been right.
    """

    kept: str | None
    capture: Capture
    source: Source
    audit: bool = False
    _whole: Any = field(init=False, default=None)  # the tree before it is cut
    _flags: tuple[str, ...] = field(init=False, default=())
    _doubted: Fingerprint | None = field(init=False, default=None)

    def recall(self, page: Page, data: Stated, reading: Reading) -> Reading | None:
        """Return `reading` completed if the page says what it said the last time, and None if it has to be read."""
        fingerprint = _known(self.kept)
        if fingerprint is not None and self._says_the_same(fingerprint, page, data, reading.flags):
            if not self.audit:
                return fingerprint.recalled(reading, self.source)
            self._doubted = fingerprint
        self._whole, self._flags = deepcopy(page.tree), reading.flags
        return None

    def learn(
        self,
        page: Page,
        data: Stated,
        draft: Draft,
        reading: Reading,
        *,
        stamps: Sequence[Printed],
        countries: tuple[str, ...],
    ) -> Reading:
        """Return the reading with the fingerprint of its page."""
        fingerprint = replace(self._of_bytes(reading), countries=countries)
        if any(_MOVING & {*claim.flags} for claim in reading.claims):
            fingerprint = replace(fingerprint, claims=(), printed=tuple(stamps))
        telling = reading.length >= _WALLS or data.times
        if telling and len(page.times) < TIMES_LIMIT and not _TOO_DEEP(self._whole) and not _runs_together(page, draft):
            whole = self._of_page(fingerprint, page, data, draft, reading)
            if stands_alone(draft.found, page, _MOST_LETTERS * whole.letters + _SOME_LETTERS):
                fingerprint = whole
        return replace(reading, fingerprint=fingerprint.text())

    def judged(self, reading: Reading) -> Reading:
        """Return what was read in full with whether it is what the short cut would have said, if that was asked."""
        if self._doubted is None:
            return reading
        return replace(reading, short_cut="right" if self._doubted.says(reading, self.source) else "wrong")

    def _says_the_same(self, fingerprint: Fingerprint, page: Page, data: Stated, flags: tuple[str, ...]) -> bool:
        if fingerprint.digest is None or fingerprint.context != _context(self.capture, self.source):
            return False
        if _TOO_DEEP(page.tree):
            return False
        found = outline(page.tree, fingerprint.rules)
        head = _head(page, data, flags, not data.times and bool(_PASSWORD(page.tree)))
        return (
            _LEAST_LETTERS * fingerprint.letters - _SOME_LETTERS <= found.letters
            and found.longest <= max(PARAGRAPH, fingerprint.longest)
            and found.letters <= _MOST_LETTERS * fingerprint.letters + _SOME_LETTERS
            and (found.begun or not fingerprint.sure)
            and fingerprint.has_room(found)
            and fingerprint.digest == _digest(fingerprint, found, head, all_times(page.tree))
        )

    def _of_bytes(self, reading: Reading) -> Fingerprint:
        """Return a fingerprint by which only the same bytes are told."""
        return Fingerprint(
            maker=_MAKER,
            context=_context(self.capture, self.source),
            page=reading.page_hash or "",
            content_hash=reading.content_hash or "",
            text_hash=reading.text_hash or "",
            length=reading.length,
            claims=reading.claims,
            spoken=reading.facts.language,
            aliases=reading.aliases,
            flags=reading.flags,
            paywalled=reading.paywalled,
            keep_page=reading.keep_page,
        )

    def _of_page(
        self, fingerprint: Fingerprint, page: Page, data: Stated, draft: Draft, reading: Reading
    ) -> Fingerprint:
        misnamed = frozenset(aside.name for aside in page.asides if aside.misnamed)
        fed, language = _fed(draft, reading), draft.language
        lists, home = find_lists(self._whole, fed=fed, misnamed=misnamed, language=language)
        labelled = labelled_times(page, draft.language)
        headline, shown = key(draft.headline or ""), _shown(page.lines, draft)
        fingerprint = replace(
            fingerprint,
            home=place_of(home),
            cored=any(one.tag in ("article", "main") for one in and_above(home)),
            lists=tuple(sorted(lists)),
            misnamed=tuple(sorted(misnamed)),
            headline=headline,
            shown=shown,
            sure=bool(shown) and sum(key(line.text) == shown for line in page.lines) == 1,
            told=tuple(sorted({key(text) for text in data.descriptions} - {""})),
            taken=tuple(sorted({beginning(key(block.text)) for block in (*draft.found, *draft.blocks)})),
            counters=len(draft.found) > FEW_BLOCKS,  # else one block may run many lines together
            language=draft.language,
            outside=page.outside[0],
            opened=page.outside[min(1, len(page.outside) - 1)],
            undated=not any(stamp.kind == "published" for stamp in (*data.times, *labelled)),
            labelled=tuple(dict.fromkeys(stamp.raw for stamp in labelled)),
        )
        found = outline(self._whole, fingerprint.rules)
        if fingerprint.sure and not found.begun:  # its line is no element's whole text
            fingerprint = replace(fingerprint, sure=False)
            found = outline(self._whole, fingerprint.rules)
        fingerprint = replace(
            fingerprint,
            letters=found.letters,
            paragraphs=found.paragraphs,
            longest=found.longest,
            held=_held(page),
            spare=max(0, _spare(page)),
        )
        if _spare(page) < 0 or not fingerprint.has_room(found):
            fingerprint = replace(fingerprint, weights=found.weights())
        return replace(
            fingerprint,
            digest=_digest(
                fingerprint, found, _head(page, data, self._flags, not data.times and page.asks_password), page.times
            ),
        )


def _shown(lines: list[Line], draft: Draft) -> str:
    """Return the key of the line that extraction takes for the headline; "" if it takes the first for want of one."""
    line = next(iter(lines[draft.start :]), None)
    same = key(line.text) if line is not None else ""
    return same if draft.start or same == key(draft.headline or "") else ""


def _runs_together(page: Page, draft: Draft) -> bool:
    """Tell whether a block runs several lines together: any line of the page may then divide it."""
    if len(draft.found) > FEW_BLOCKS:
        return False
    printed = {key(line.text) for line in page.lines}
    return any(key(block.text) not in printed for block in draft.found)


def _spare(page: Page) -> float:
    """Return how many characters more may be outside of all asides before what is misnamed is so no longer.

    Only the text counts that is in no box in it: what is in those comes and goes. Negative is too few now.
    """
    own: Counter[tuple[str, int]] = Counter()  # by name and round: nested ones of one name are judged one by one
    for aside in page.asides:
        if aside.misnamed:
            own[aside.name, aside.misnamed] += aside.weight
        elif lies_open(aside):
            around = aside.around
            while around is not None:
                own[around.name, around.misnamed] -= aside.weight
                around = around.around
    spare = (weight / MOST_ASIDE - page.outside[turn - 1] for (_, turn), weight in own.items())
    return min(spare, default=_PLENTY)


def _held(page: Page) -> dict[str, int]:
    """Return, by name, how many characters the paragraphs of asides have, of those that are no noise."""
    held = Counter[str]()
    for aside in page.asides:
        if (
            aside.weight
            and not aside.misnamed
            and lies_open(aside)
            and mark(aside.element.tag, *aside.element.items()).own != Part.NOISE
        ):
            held[aside.name] += aside.weight
    return dict(sorted(held.items()))


def _digest(fingerprint: Fingerprint, found: Outline, head: str, times: Sequence[tuple[str, str, str]]) -> str:
    """Return a digest of all that a page says of its article: what it prints, states in data and is dated by."""
    dated = [
        one for one in times if one[1] or fingerprint.undated or any(label in one[2] for label in fingerprint.labelled)
    ]
    return sha256(f"{found.digest()} {dated!r} {head}".encode("utf-8", "replace"))


def _head(page: Page, data: Stated, flags: tuple[str, ...], asks_password: bool) -> str:
    """Return what a page states of its article without printing it.

    The lead image is left out: it is kept with a wording's first sight and never compared. Whether a password is asked
    for tells a login page, where no times are stated.
    """
    return repr(
        (replace(data, image_url=None), page.title, page.language, page.links.get("canonical"), flags, asks_password)
    )


def _fed(draft: Draft, reading: Reading) -> Fed:
    wording = reading.wording.present().values() if reading.wording else ()
    others = (*draft.captions, *draft.credits, *draft.standfirsts, *draft.corrections, *draft.authors)
    return Fed.of([block.text for block in draft.found], [*wording, *others])


def _known(kept: str | None) -> Fingerprint | None:
    if kept is None:
        return None
    try:
        fingerprint = revive_json(Fingerprint, kept)
    except BadContent:  # another version's
        return None
    return fingerprint if fingerprint.maker == _MAKER else None


def _context(capture: Capture, source: Source) -> str:
    asked = [capture.url, capture.final_url, capture.redirects, capture.feed, capture.guid, capture.not_modified]
    kind = [capture.header(name) for name in ("content-type", "content-encoding", "x-robots-tag")]
    return sha256(canonical_json([asked, kind, _said_by(source)]))


@lru_cache(maxsize=256)
def _said_by(source: Source) -> str:
    return sha256(canonical_json(source))
