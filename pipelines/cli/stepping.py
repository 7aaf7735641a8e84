"""Run one step on one input and show what it makes of it: extraction, comparison, a feed.

The input is a file, standard input (`-`) or an address; the step runs in a bounded process, as it does in a job.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from rich.text import Text as Words

from pipelines.cli.asking import ask
from pipelines.cli.given import address, is_address, moment, settings
from pipelines.cli.screen import answers, emit, one_line, table, tell, write_text
from pipelines.cli.screen import moment as shown
from pipelines.config import Config, source
from pipelines.config.settings import SourceSettings
from wirewatch import redline, wording
from wirewatch.bounded import Pool
from wirewatch.clock import Clock, FixedClock, SystemClock
from wirewatch.diff import compare
from wirewatch.errors import BadContent, ConfigurationError
from wirewatch.extract import read_page
from wirewatch.feeds import read_feed
from wirewatch.model import Capture, Claim, Diff, Entry, FeedReading, Reading, Seen, Source, Wording
from wirewatch.redline import HEADINGS, visible

INPUT_LIMIT: Final = 15 * 1024 * 1024  # bytes, as the fetcher's for a feed
_INVENTED: Final = "https://input.invalid/"  # RFC 2606: no page can have it
_TYPES: Final = {
    ".txt": "text/plain",
    ".html": "text/html",
    ".htm": "text/html",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".xml": "application/xml",
    ".json": "application/feed+json",
}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where an input is to be taken to come from. `config` is None where there is none to ask an address by."""

    clock: Clock
    config: Config | None = None
    url: str | None = None
    source: Source = field(default_factory=Source)


def origin(
    given: str,
    load: Callable[[], Config],
    *,
    url: str | None,
    observed_at: str | None,
    zone: str | None,
    language: str | None,
) -> Origin:
    """Return what options say about an input; the configuration is loaded only if an address is to be asked."""
    asked = is_address(given)
    if asked and (url is not None or observed_at is not None):
        raise ConfigurationError("--url and --observed-at are for files; an address is asked now")
    at = None if observed_at is None else moment(observed_at, "--observed-at")
    return Origin(
        clock=SystemClock() if at is None else FixedClock(at),
        config=load() if asked else None,
        url=None if url is None else address(url),
        source=source(settings(SourceSettings, {"zone": zone, "language": language})),
    )


def extract(given: str, origin: Origin, *, as_json: bool) -> int:
    """Print what a page says; return 1 if there is no article on it."""
    capture = capture_of(given, origin)
    with Pool(1) as pool:
        reading = _read(pool, capture, origin)
    if as_json:
        emit(reading)
    elif reading.wording is not None:
        _show_reading(reading)
    if reading.seen is not Seen.WORDING:
        tell(f"There is no article in {given}: {one_line(reading.detail)}")
        return 1
    return 0


def diff(old: str, new: str, *, whole: bool, as_json: bool) -> int:
    """Print what changed from one page to another."""
    with Pool(1) as pool:
        before, after = _wording(pool, old), _wording(pool, new)
        found = pool.run(compare, before, after, returns=Diff, about=new)
        sentence = pool.run(wording.sentence, found, after, returns=str, about=new)
    if as_json:
        emit({"sentence": sentence, "diff": found})
        return 0
    write_text(f"{sentence[:1].upper()}{sentence[1:]}.")
    if found.hunks:
        answers().print()
        write_text(redline.terminal(found, before, **({"context": None} if whole else {})))
    return 0


def feed(given: str, origin: Origin, *, as_json: bool) -> int:
    """Print what a feed says; return 1 if it cannot be read."""
    capture = capture_of(given, origin, feed=True)
    with Pool(1) as pool:
        reading = pool.run(read_feed, capture, origin.source, returns=FeedReading, about=capture.url)
    if as_json:
        emit(reading)
    elif reading.problem is None:
        _show_feed(reading)
    if reading.problem is not None:
        tell(f"{given} is no feed that can be read: {one_line(reading.problem)}")
        return 1
    return 0


def read_input(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if it ends in `.gz`; `-` is standard input.

    Raise ConfigurationError where it cannot be read, and BadContent where it is larger than any feed may be.
    """
    try:
        if str(path) == "-":
            return _bounded(sys.stdin.buffer, "standard input")
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _bounded(file, str(path))
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is no whole gzip file"
        raise ConfigurationError(f"{path} cannot be read: {reason}", about=str(path)) from error


def _bounded(file: BinaryIO | gzip.GzipFile, name: str) -> bytes:
    data = file.read(INPUT_LIMIT + 1)
    if len(data) > INPUT_LIMIT:
        raise BadContent(f"{name} is larger than {INPUT_LIMIT // 1024**2} MiB", about=name)
    return data


def capture_of(given: str, origin: Origin, *, feed: bool = False) -> Capture:
    """Return an input as a capture: asked for if it is an address, else read."""
    if is_address(given):
        if origin.config is None:
            raise ConfigurationError("Only files are read here; save the page first", about=given)
        return ask(origin.config, given, origin.clock, source=origin.source, feed=feed)
    path = Path(given)
    body = read_input(path)
    named = path.with_suffix("") if path.suffix == ".gz" else path
    kind = _TYPES.get(named.suffix.lower())
    return Capture(
        url=origin.url or _INVENTED,
        observed=origin.clock.now(),
        status=200,
        headers=(("content-type", kind),) if kind else (),
        body=body,
    )


def _read(pool: Pool, capture: Capture, origin: Origin) -> Reading:
    return pool.run(read_page, capture, origin.source, returns=Reading, about=capture.url)


def _wording(pool: Pool, given: str) -> Wording:
    origin = Origin(clock=SystemClock())
    reading = _read(pool, capture_of(given, origin), origin)
    if reading.wording is None:
        raise BadContent(f"There is no article in {given}: {one_line(reading.detail)}", about=given)
    return reading.wording


def _show_reading(reading: Reading) -> None:
    assert reading.wording is not None
    facts = table("", "")
    facts.show_header = False
    said: Sequence[tuple[str, str | None]] = [
        *((HEADINGS[name], text) for name, text in reading.wording.present().items() if name != "body"),
        *((claim.kind.capitalize(), _claimed(claim)) for claim in reading.claims),
        ("Language", reading.facts.language),
        ("Publisher", reading.facts.publisher),
        ("Canonical", reading.facts.canonical_url),
        ("Image", reading.facts.image_url),
        ("Paywall", "yes" if reading.paywalled else None),
        ("Flags", ", ".join(reading.flags)),
        ("Extractor", reading.extractor),
        ("Content hash", reading.content_hash),
    ]
    for name, text in said:
        if text:
            facts.add_row(Words(name, style="dim"), one_line(text))
    screen = answers()
    screen.print(facts)
    if reading.wording.body:
        screen.print()
        write_text(visible(reading.wording.body))


def _show_feed(reading: FeedReading) -> None:
    screen = answers()
    screen.print(Words(one_line(reading.title) or "A feed without a title", style="bold"))
    flags = f"; {', '.join(reading.flags)}" if reading.flags else ""
    screen.print(f"{len(reading.entries)} entries{flags}")
    rows = table("Published (UTC)", "Entry", "Address")
    rows.columns[0].no_wrap = True
    for entry in reading.entries:
        rows.add_row(shown(_published(entry)), one_line(entry.title, 200), one_line(entry.link))
    if reading.entries:
        screen.print()
        screen.print(rows)


def _published(entry: Entry) -> Any:
    return next((claim.at for claim in entry.claims if claim.at is not None), None)


def _claimed(claim: Claim) -> str:
    at = f"{shown(claim.at)} UTC" if claim.at else "unreadable"
    flags = "".join(f", {flag.replace('_', ' ')}" for flag in claim.flags)
    return f"{at} ({claim.where}, zone {claim.zone}{flags}): {one_line(claim.raw, 100)}"
