"""Read one capture from its bytes to its fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Protocol
from urllib.parse import urljoin

import py3langid

from wirewatch import canonical
from wirewatch.availability import seen
from wirewatch.errors import BadContent
from wirewatch.extract.article import Block, Draft, choose_headline, compose, likeness
from wirewatch.extract.body import EXTRACTOR, find_blocks
from wirewatch.extract.decode import decode, refuse_marks
from wirewatch.extract.ends import until_the_end
from wirewatch.extract.furniture import (
    byline_of,
    dateline_of,
    is_correction,
    key,
    may_be_sentence,
    name_before_stamp,
    split_credit,
    without_role,
)
from wirewatch.extract.page import HEADINGS, Line, Page, Part, parse, scan
from wirewatch.extract.plain import read_text
from wirewatch.extract.stated import Stated, stated
from wirewatch.extract.walls import wall
from wirewatch.fetch.archiving import may_archive
from wirewatch.identity import capture_aliases, lands_elsewhere, normalise_url
from wirewatch.model import Capture, Facts, Reading, Seen, Source, Wording
from wirewatch.times import Printed, claims, countries_of, is_stamp, printed_stamps

_LIMITS: Final = {
    "headline": 1000,
    "standfirst": 4000,
    "byline": 500,
    "section": 200,
    "dateline": 200,
    "caption": 4000,
    "credit": 500,
}
_LINKED: Final = HEADINGS | {"h1", "li", "dd", "td", "th"}
_SHORTEST_LINK = 25  # letters
_HALF_LINK = 0.5
FEW_BLOCKS: Final = 3
_BESIDE: Final = 12  # lines from the headline on, in which byline and standfirst are looked for
NEAR_HEADLINE: Final = 8  # lines in which a name without a word for "by" is looked for
_TOLD_WITHIN: Final = 6  # lines in which what the page's description says is a standfirst
_CRUMB_WITHIN: Final = 3
_STAMP_LINES = 12  # labelled times looked for on one page


class Memory(Protocol):
    """What is known of an article's page from the last time, for one reading (`wirewatch.fingerprint`)."""

    def recall(self, page: Page, data: Stated, reading: Reading) -> Reading | None:
        """Return `reading`, of a page that was parsed and not scanned, completed if it says what it said last time."""

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
        """Return the reading of a page that was scanned, with what is to be remembered of it."""


def read_page(capture: Capture, source: Source, memory: Memory | None = None) -> Reading:
    """Return everything that one capture says about its article, from memory where nothing of that can have changed.

    `seen` is a wording, what HTTP says (`availability.seen`), BLOCKED for a consent, login or challenge page, or
    INVALID with the reason in `detail`.
    """
    verdict, detail = seen(capture)
    reading = Reading(url=_url(capture), observed=capture.observed, seen=verdict, detail=detail, track=source.track)
    if verdict is Seen.NOT_MODIFIED:
        reading = replace(reading, content_hash=capture.not_modified)
    try:
        reading = replace(reading, aliases=capture_aliases(capture, canonical_url=None))
        if verdict is not Seen.WORDING:
            return reading
        reading = replace(reading, page_hash=canonical.sha256(capture.body), keep_page=may_archive(capture))
        if elsewhere := lands_elsewhere(capture):
            return _elsewhere(reading, elsewhere)
        return _read(capture, source, reading, memory)
    except BadContent as error:
        return replace(reading, seen=Seen.INVALID, detail=canonical.storable(str(error))[0])


def _url(capture: Capture) -> str:
    try:
        return normalise_url(capture.url)
    except BadContent:
        return canonical.storable(capture.url)[0]


def _elsewhere(reading: Reading, reason: str) -> Reading:
    walled = any(word in reason for word in ("login", "consent", "subscription"))
    return replace(reading, seen=Seen.BLOCKED if walled else Seen.INVALID, detail=reason)


def _read(capture: Capture, source: Source, reading: Reading, memory: Memory | None) -> Reading:
    decoded = decode(capture)
    if not decoded.is_html:
        draft, stamps = read_text(decoded.text, source.language)
        facts = Facts(publisher=source.publisher, content_type="text/plain")
        countries = countries_of(source, url=capture.final_url or capture.url)
        return _finished(reading, source, draft, stamps=stamps, facts=facts, flags=decoded.flags, countries=countries)
    page = parse(decoded.text)
    data = stated(page)
    flags = (*decoded.flags, *data.flags)
    if memory is not None and (known := memory.recall(page, data, replace(reading, flags=flags))) is not None:
        return known
    scan(page)
    language = _language(page, data, source)
    draft = _draft(page, data, source, language)
    if (reason := wall(page, draft, data)) is not None:
        return replace(reading, seen=Seen.BLOCKED, detail=reason)
    canonical_url = page.links.get("canonical") or None
    base = capture.final_url or capture.url
    facts = Facts(
        language=language,
        publisher=source.publisher or data.publisher,
        canonical_url=_absolute(base, canonical_url),
        image_url=_absolute(base, data.image_url or _lead_image(page)),
        content_type="text/html",
    )
    aliases = capture_aliases(capture, canonical_url=facts.canonical_url)
    reading = replace(reading, aliases=aliases, paywalled=data.free is False)
    stamps = _times(page, data, draft)
    countries = countries_of(source, address=data.country, url=base, language=language)
    reading = _finished(reading, source, draft, stamps=stamps, facts=facts, flags=flags, countries=countries)
    if memory is None:
        return reading
    return memory.learn(page, data, draft, reading, stamps=_storable_stamps(stamps), countries=countries)


def _finished(
    reading: Reading,
    source: Source,
    draft: Draft,
    *,
    stamps: list[Printed],
    facts: Facts,
    flags: tuple[str, ...],
    countries: tuple[str, ...],
) -> Reading:
    draft.section = draft.section or source.section
    wording, subheadings = compose(draft)
    if not wording.body:
        raise BadContent("no article was found on the page")
    wording, replaced = _bounded(wording)
    language = facts.language or source.language or _guessed_language(wording.body or "")
    flags = (*flags, "replaced_characters") if replaced else flags
    found = claims(
        _storable_stamps(stamps), source=source, observed=reading.observed, language=language, countries=countries
    )
    return replace(
        reading,
        wording=wording,
        content_hash=canonical.content_hash(wording),
        text_hash=canonical.text_hash(wording),
        length=canonical.length(wording),
        claims=found,
        facts=_clean(replace(facts, language=language, subheadings=subheadings)),
        flags=tuple(dict.fromkeys(flags)),
        extractor=EXTRACTOR,
    )


def _bounded(wording: Wording) -> tuple[Wording, bool]:
    """Return the wording fit for the store: without what is no text, and without runs that normalising hangs on."""
    clean: dict[str, str] = {}
    replaced = False
    for name, text in wording.present().items():
        clean[name], odd = canonical.storable(text[: _LIMITS.get(name)])
        replaced = replaced or odd or "\ufffd" in clean[name]
        refuse_marks(clean[name])
    return Wording(**clean), replaced


def _clean(facts: Facts) -> Facts:
    def clean(text: str | None, limit: int) -> str | None:
        return canonical.storable(text[:limit])[0] if text else None

    return Facts(
        language=clean(facts.language, 40),
        publisher=clean(facts.publisher, 200),
        canonical_url=clean(facts.canonical_url, 2048),
        image_url=clean(facts.image_url, 2048),
        subheadings=tuple(canonical.storable(text)[0] for text in facts.subheadings),
        content_type=facts.content_type,
    )


def _storable_stamps(stamps: list[Printed]) -> list[Printed]:
    return [replace(stamp, raw=canonical.storable(stamp.raw)[0]) for stamp in stamps]


def _draft(page: Page, data: Stated, source: Source, language: str | None) -> Draft:
    lines = page.lines
    publisher = data.publisher or source.publisher
    printed = [line.text for line in lines if line.part is Part.HEADLINE and len(line.text) <= 400]
    headline = choose_headline(printed[:10], data.headlines, page.title, publisher)
    start = _place_of(headline, lines)
    found = find_blocks(page.tree)
    draft = Draft(
        found=found,
        blocks=until_the_end(_as_printed(found, lines), page, data.body),
        headline=headline,
        start=start,
        section=data.section or _crumb([*lines[:start], *_near(lines[start:], _CRUMB_WITHIN)], headline, publisher),
        dateline=data.dateline,
        authors=data.authors,
        language=language,
    )
    draft.standfirsts = [
        line.text for line in _near(lines[start:], _BESIDE) if line.part is Part.STANDFIRST and len(line.text) <= 1000
    ]
    own = {key(block.text) for block in draft.blocks}
    draft.standfirsts += [
        line.text
        for n, line in enumerate(_near(lines[start:], _TOLD_WITHIN), start)
        if any(key(line.text) == key(text) for text in data.descriptions)
        and key(line.text) != key(headline or "")
        and not (key(line.text) in own and _opens_text(n, page))
    ]
    draft.byline = _byline(lines[start:], data, language, _no_names(lines, draft))
    _pictures(page, data, draft, start)
    draft.corrections = [data.correction] if data.correction else []
    draft.corrections += [
        line.text
        for line in lines[start:]
        if (line.part is Part.CORRECTION and line.in_article and len(line.text) > 40) or _is_note(line)
    ][:5]
    draft.noise = _noise(lines, draft)
    return draft


def _near(lines: Sequence[Line], most: int) -> list[Line]:
    """Return the first lines up to so many, with what stands between them in boxes and links to other stories.

    Those are not counted, since they come and go, and a byline must not be lost for an advertisement before it.
    """
    found: list[Line] = []
    for line in lines:
        if _stays(line):
            if not most:
                break
            most -= 1
        found.append(line)
    return found


def _stays(line: Line) -> bool:
    """Tell whether a line is neither in a box nor a link to another story."""
    return line.part is not Part.NOISE and not (line.link and line.part is Part.TEXT)


def _opens_text(n: int, page: Page) -> bool:
    """Tell whether the paragraph of line n is followed by one of the same name in the same element: it is text then.

    Boxes between them, and elements without text, do not count. Taken for a standfirst where the page's description
    repeats it, a first paragraph was lost to the body: F1 +.0007 on scrapinghub.
    """
    line = page.lines[n]
    around, name = page.around[line.place], page.names[line.place]
    for later in page.lines[n + 1 :]:
        place = later.place
        while place > around and page.around[place] != around:
            place = page.around[place]
        if place < around:  # it stands behind that element
            return False
        if place not in (around, line.place) and _stays(later):
            return line.tag == "p" and page.names[place] == name
    return False


def _place_of(headline: str | None, lines: list[Line]) -> int:
    """Return the number of the line that is the headline or, where it is worded otherwise, most like it; else 0."""
    same = key(headline or "")
    if (exact := next((n for n, line in enumerate(lines) if key(line.text) == same), None)) is not None:
        return exact
    printed = [n for n, line in enumerate(lines) if line.part is Part.HEADLINE and len(line.text) <= 400][:10]
    alike = {n: likeness(headline or "", lines[n].text) for n in printed}
    return max(printed, key=lambda n: alike[n], default=0) if any(alike.values()) else 0


def _as_printed(blocks: list[Block], lines: list[Line]) -> list[Block]:
    """Return the blocks with those divided that run several printed lines together.

    For a text of under 250 characters trafilatura falls back to one block for all that the article element holds.
    """
    if len(blocks) > FEW_BLOCKS:
        return blocks
    printed = {key(line.text) for line in lines}
    return [
        part for block in blocks for part in (_divided(block, lines) if key(block.text) not in printed else [block])
    ]


def _divided(block: Block, lines: list[Line]) -> list[Block]:
    whole, done = key(block.text), 0
    found: list[Block] = []
    for line in lines:
        same = key(line.text)
        if same and whole.startswith(same, done):
            found.append(Block(line.text, heading=line.tag in HEADINGS))
            done += len(same)
    return found if done == len(whole) else [block]


def _is_note(line: Line) -> bool:
    return line.in_article and line.part is not Part.NOISE and len(line.text) > 40 and is_correction(line.text)


def _noise(lines: list[Line], draft: Draft) -> frozenset[str]:
    """Return the keys of the lines that are not the article's text wherever they are printed."""
    text = {key(line.text) for line in lines if line.part in (Part.TEXT, Part.STANDFIRST)}
    drop = {
        key(line.text)
        for line in lines
        if line.part in (Part.HEADLINE, Part.NOISE, Part.CAPTION, Part.CREDIT, Part.BYLINE, Part.STAMP, Part.CRUMB)
    }
    notes = {key(note) for note in draft.corrections}
    return frozenset((drop - text) | _links(lines) | notes)


def _links(lines: list[Line]) -> set[str]:
    """Return the keys of the paragraphs that lead to another story: nothing but a link, or half of it and no sentence.

    All link: F1 +.0005 and +.0003. Half of it (`Read here | …`): +.0005 and +.0004 (on half B +.0006 and +.0005); a
    third gains no more. Items, cells and headings are often links and yet the text (recall -.0030); so are
    short ones.
    """
    links = {
        key(line.text)
        for line in lines
        if len(line.text) > _SHORTEST_LINK
        and line.tag not in _LINKED
        and (line.link or (line.linked >= _HALF_LINK and not may_be_sentence(line.text)))
    }
    return links - {key(line.text) for line in lines if line.linked < _HALF_LINK and line.part is Part.TEXT}


def _no_names(lines: list[Line], draft: Draft) -> frozenset[str]:
    """Return the keys of the section, the crumbs and the places, which a line may print where others print a name."""
    places = [dateline_of(block.text)[0] for block in draft.blocks[:FEW_BLOCKS]]
    crumbs = [line.text for line in lines if line.part is Part.CRUMB]
    return frozenset(key(text) for text in (draft.section, draft.dateline, *places, *crumbs) if text)


def _byline(lines: list[Line], data: Stated, language: str | None, no_names: frozenset[str]) -> str | None:
    """Return the printed byline, confirmed by the stated authors where those name anybody; else the stated ones.

    A name before a stamp that has no word for "by" counts where markup says that the line is one of the two, or where
    the page states or prints the name again as an author's: `World News | March 16, 2026` looks the same.
    """
    authors = data.authors
    near, beside = _near(lines, NEAR_HEADLINE), _near(lines, _BESIDE)
    candidates = [line for line in beside if line.part is not Part.NOISE and len(line.text) <= 200]
    for line in candidates:
        byline = byline_of(line.text, language)
        named = [name for name in authors if key(name) in key(byline or "")]
        if byline and (line.part is Part.BYLINE or data.house or named):
            whole = not named or len(named) == len(authors)
            return without_role(byline, authors) if whole else ", ".join(authors)
    if authors and not data.house:
        return ", ".join(authors)
    for line in near:
        name = name_before_stamp(line.text, language) if line.part is not Part.NOISE and len(line.text) <= 200 else None
        if not name or key(name) in no_names:
            continue
        credited = [*authors, *(other.text for other in beside if other.part is Part.BYLINE)]
        if line.part in (Part.BYLINE, Part.STAMP) or any(key(name) in key(text) for text in credited):
            return name
    for line in near:
        if line.part is Part.NOISE and (byline := byline_of(line.text, language)):
            return byline
    if authors:
        return ", ".join(authors)
    for line in candidates:
        if line.part is Part.BYLINE and 1 < len(line.text.split()) <= 8 and not any(c.isdigit() for c in line.text):
            return line.text
    return None


def _pictures(page: Page, data: Stated, draft: Draft, start: int) -> None:
    credits_by_figure: dict[int, str] = {}
    captions: list[tuple[int, str]] = []
    for line in page.lines:
        if line.part is Part.CREDIT and len(line.text) <= 200:
            credits_by_figure.setdefault(line.figure, line.text)
            draft.credits.append(line.text)
        elif line.part is Part.CAPTION:
            captions.append((line.figure, line.text))
    lead_credit = None
    for figure, text in captions:
        caption, credit = split_credit(text)
        draft.credits.append(text)
        if caption:
            draft.captions.append(caption)
            if len(draft.captions) == 1:
                lead_credit = credits_by_figure.get(figure) or credit or credits_by_figure.get(0)
        elif len(draft.captions) <= 1:
            lead_credit = lead_credit or credit
    if not draft.captions and data.caption:
        draft.captions.append(data.caption)
    draft.credit = lead_credit or next(iter(credits_by_figure.values()), None)


def _crumb(lines: list[Line], headline: str | None, publisher: str | None) -> str | None:
    known = {key(headline or ""), key(publisher or "")}
    crumbs = [
        line.text for line in lines if line.part is Part.CRUMB and len(line.text) <= 60 and key(line.text) not in known
    ]
    return crumbs[-1] if crumbs else None


def _times(page: Page, data: Stated, draft: Draft) -> list[Printed]:
    """Return the page's times: data first, then `<time>`, then the words printed near the article."""
    found = list(data.times)
    labelled = labelled_times(page, draft.language)
    undated = not any(stamp.kind == "published" for stamp in (*found, *labelled))
    for when, kind, text in page.times:
        raw = when or text
        label = next((stamp.kind for stamp in labelled if text and stamp.raw in text), "") or kind
        if raw and (label or undated):
            found.append(Printed(kind="modified" if label == "modified" else "published", where="time", raw=raw))
            undated = False
    if undated and not labelled:
        labelled = [
            Printed(kind="published", where="text", raw=line.text)
            for line in page.lines
            if line.part in (Part.STAMP, Part.BYLINE) and line.in_article and is_stamp(line.text, draft.language)
        ][:1]
    return found + labelled


def labelled_times(page: Page, language: str | None) -> list[Printed]:
    """Return the times that are printed with a label: `Updated 15:24`."""
    found: list[Printed] = []
    for line in page.lines:
        if line.part is not Part.NOISE and len(line.text) <= 200 and len(found) < _STAMP_LINES:
            found.extend(printed_stamps(line.text, language))
    return found


def _language(page: Page, data: Stated, source: Source) -> str | None:
    for text in (page.language, data.language, source.language):
        tag = (text or "").replace("_", "-").strip()
        if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", tag):
            head, *rest = tag.split("-")
            return "-".join([head.lower(), *(part.upper() if len(part) == 2 else part for part in rest)])
    return None


def _guessed_language(text: str) -> str | None:
    code: Any = py3langid.classify(text[:3000])[0]
    return str(code) if code else None


def _absolute(base: str, url: str | None) -> str | None:
    if not url:
        return None
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return None


def _lead_image(page: Page) -> str | None:
    return next((src for figure, src in sorted(page.images.items()) if figure and src), None)
