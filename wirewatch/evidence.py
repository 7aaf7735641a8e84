"""Lay out what is kept of one article as files that prove it: for a lawyer, an ombudsman, a court.

The same store gives the same bytes. A page is kept as it came and named so that no browser runs it; the report shows
publisher text escaped and asks nobody for anything.
"""

from __future__ import annotations

import html
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from wirewatch import redline
from wirewatch.canonical import canonical_json, sha256, timestamp
from wirewatch.model import WORDING_FIELDS, Alias, Claim, Diff, Observation, Outcome, Revision, Seen, Verdict, Wording

FORMAT: Final = "wirewatch-evidence/1"
MANIFEST: Final = "manifest.json"
REPORT: Final = "report.html"
SUMS: Final = "SHA256SUMS"
_ZIP_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say; the time of writing would change the bytes
_QUIET: Final = (Outcome.UNCHANGED, Outcome.NOT_MODIFIED, Outcome.DUPLICATE)
_CONTEXT: Final = 60  # words around a change


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One revision with what is left of it: `text_gone` and `page_gone` say why there is no text or page, if so."""

    revision: Revision
    wording: Wording | None = None
    text_gone: str = ""
    page: bytes | None = None
    page_gone: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    record: str | None = None  # as it left


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """What changed from one revision to the next, in words and as hunks; `gone` says why that cannot be shown."""

    old: Revision
    new: Revision
    old_wording: Wording | None = None
    diff: Diff | None = None
    verdict: Verdict | None = None
    sentence: str = ""
    gone: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Linked:
    """A link of the chain as it is kept; `superseded` is when a late capture put another in its place."""

    place: int
    revision: str
    hash: str
    body: str
    recorded: datetime
    superseded: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dossier:
    """All that is kept of one article. `faults` is what checking it found to be wrong."""

    uri: str
    url: str
    names: Sequence[Alias]
    authority: str
    headline: str
    publisher: str
    version: str  # of Wirewatch
    forgotten: tuple[datetime, str] | None
    revisions: Sequence[Kept]
    changes: Sequence[Changed]
    observations: Sequence[tuple[Observation, Outcome]]
    events: Sequence[str]
    chain: Sequence[Linked]
    faults: Sequence[str]


def files(dossier: Dossier) -> dict[str, bytes]:
    """Return the files by their path, sorted; the manifest and the sums are made of all others."""
    made: dict[str, bytes] = {
        "chain.jsonl": _lines({name: getattr(one, name) for name in _names(Linked)} for one in dossier.chain),
        "events.jsonl": "".join(f"{one}\n" for one in dossier.events).encode(),
        "observations.jsonl": _lines(
            {"outcome": outcome.value, "observation": one} for one, outcome in dossier.observations
        ),
    }
    for one in dossier.revisions:
        made |= _files_of(one)
    made = dict(sorted(made.items()))
    made[REPORT] = report(dossier, made).encode()
    made = dict(sorted(made.items()))
    made[MANIFEST] = orjson.dumps(_manifest(dossier, made), option=orjson.OPT_INDENT_2) + b"\n"
    made[SUMS] = "".join(f"{sha256(data)}  {path}\n" for path, data in sorted(made.items())).encode()
    return dict(sorted(made.items()))


def zipped(made: Mapping[str, bytes], folder: str) -> bytes:
    """Return files as one ZIP, below `folder`; not compressed, since other machines compress to other bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(made.items()):
            entry = zipfile.ZipInfo(f"{folder}/{path}", _ZIP_EPOCH)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _files_of(one: Kept) -> Iterator[tuple[str, bytes]]:
    folder = f"revisions/{one.revision.version:03}"
    yield f"{folder}/revision.json", canonical_json(one.revision) + b"\n"
    if one.wording is not None:
        yield f"{folder}/text.json", canonical_json(one.wording) + b"\n"
        yield f"{folder}/text.txt", _as_text(one.wording).encode()
    if one.page is not None:
        yield f"{folder}/page.html.txt", one.page
        yield f"{folder}/headers.json", canonical_json(one.headers) + b"\n"
    if one.record is not None:
        yield f"{folder}/record.json", one.record.encode()


def _as_text(wording: Wording) -> str:
    parts = (f"{redline.HEADINGS[name]}\n\n{redline.visible(text)}\n" for name, text in wording.present().items())
    return "\n".join(parts)


def _lines(values: Iterable[Any]) -> bytes:
    return b"".join(canonical_json(one) + b"\n" for one in values)


def _manifest(dossier: Dossier, made: Mapping[str, bytes]) -> dict[str, Any]:
    forgotten = dossier.forgotten
    return {
        "format": FORMAT,
        "article": dossier.uri,
        "address": dossier.url,
        "madeBy": f"Wirewatch {dossier.version}",
        "forgotten": {"at": timestamp(forgotten[0]), "reason": forgotten[1]} if forgotten else None,
        "revisions": [
            {
                "revision": one.revision.id,
                "version": one.revision.version,
                "firstObserved": timestamp(one.revision.first_observed),
                "pageSha256": one.revision.page_hash,
                "textHash": one.revision.text_hash,
                "contentHash": one.revision.content_hash,
                **({"textMissing": one.text_gone} if one.text_gone else {}),
                **({"pageMissing": one.page_gone} if one.page_gone else {}),
            }
            for one in dossier.revisions
        ],
        "lastLink": _last_link(dossier),
        "faults": list(dossier.faults),
        "files": [{"path": path, "bytes": len(data), "sha256": sha256(data)} for path, data in sorted(made.items())],
    }


def _last_link(dossier: Dossier) -> str | None:
    standing = [one for one in dossier.chain if one.superseded is None]
    return standing[-1].hash if standing else None


def _names(record: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(record))


# The report

_STYLE: Final = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 16px/1.5 Georgia, "Times New Roman", serif; color: #1a1a1a; background: #fff; margin: 0 auto;
  max-width: 60rem; padding: 2.5rem 1.5rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .2rem 0 .6rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-bottom: .25rem; border-bottom: 2px solid #1a1a1a; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
.redline h3, .wording h4 { font: 600 .8rem/1.4 system-ui, sans-serif; letter-spacing: .04em; color: #555;
  text-transform: uppercase; margin: 1rem 0 .15rem; }
p { margin: .4rem 0; }
.kicker, .note, table, .facts { font-family: system-ui, sans-serif; }
.kicker { color: #555; font-size: .85rem; letter-spacing: .06em; text-transform: uppercase; margin: 0; }
.note { color: #444; font-size: .9rem; }
.alarm { border: 2px solid #8c1d18; background: #fdecea; padding: .8rem 1rem; font-family: system-ui, sans-serif; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; line-height: 1.4; margin: .6rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #ddd; }
th { font-weight: 600; color: #333; border-bottom-color: #888; }
td.n, th.n { text-align: right; white-space: nowrap; }
tr.quiet td { color: #666; }
tr.ended td { color: #666; }
.facts th { width: 11rem; border-bottom-color: #ddd; }
.nowrap { white-space: nowrap; }
code { font: .8rem/1.4 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; word-break: break-all; }
del { color: #8c1d18; background: #fdecea; text-decoration: line-through; }
ins { color: #0b5d1e; background: #e6f4ea; text-decoration: underline; }
small { color: #595959; }
.change, .wording { border-left: 3px solid #ccc; padding: .2rem 0 .2rem 1.2rem; margin: 1.2rem 0 2rem; }
.wording p { white-space: pre-line; }
footer { margin-top: 3rem; border-top: 1px solid #888; padding-top: .6rem; }
@media print {
  @page { margin: 18mm 16mm; }
  body { font-size: 10.5pt; max-width: none; padding: 0; }
  h2, h3, h4 { break-after: avoid; }
  tr, .facts { break-inside: avoid; }
  del, ins { background: none; }
}
"""
_DISCLOSED: Final = {
    "disclosed": "The publisher said so: a stamp moved on, or a correction note came or grew.",
    "undisclosed": "The publisher's stamp did not move, and no correction note came: nothing told readers of it.",
    "unknown": "Whether readers were told cannot be said from the page: it states no time that could have moved.",
}
_ZONES: Final = {"stated": "zone stated", "configured": "zone configured", "assumed": "zone assumed"}


def report(dossier: Dossier, made: Mapping[str, bytes]) -> str:
    """Return the report as one HTML page that needs nothing else; `made` are the files that it lists."""
    title = dossier.headline or dossier.url
    parts = (
        _opening(dossier, title),
        _shows(dossier),
        _revisions(dossier),
        _changes(dossier),
        _wordings(dossier),
        _sights(dossier),
        _chain(dossier),
        _list_of(made),
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Evidence: {_safe(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + f'\n<footer class="note">Made by Wirewatch {_safe(dossier.version)} from the store of'
        f" {_safe(dossier.authority)}. All times are UTC.</footer>\n</body>\n</html>\n"
    )


def _opening(dossier: Dossier, title: str) -> str:
    seen = [one.observed for one, _ in dossier.observations]
    last = _last_link(dossier)
    facts = [
        ("Article", f"<code>{_safe(dossier.uri)}</code>"),
        ("Address", _safe(dossier.url)),
        *(("Also known as", _safe(one.name)) for one in dossier.names if one.name != dossier.url),
        ("Publisher", _safe(dossier.publisher)),
        ("Watched", f"{_time(min(seen))} to {_time(max(seen))}, {len(seen):,} times" if seen else "never read"),
        ("Revisions", str(len(dossier.revisions))),
        ("Last link of the chain", f"<code>{last}</code>" if last else ""),
    ]
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in facts if value)
    alarm = ""
    if dossier.faults:
        wrong = "".join(f"<li>{_safe(one)}</li>" for one in dossier.faults)
        alarm = f'<div class="alarm"><strong>What is kept does not fit together.</strong><ul>{wrong}</ul></div>'
    if dossier.forgotten:
        at, reason = dossier.forgotten
        alarm += (
            f'<div class="alarm"><strong>This article was forgotten on {_time(at)}.</strong> Reason given:'
            f" {_safe(reason)}. Its words and pages were deleted; hashes and times are what is left.</div>"
        )
    return (
        f'<p class="kicker">Evidence of what was published</p>\n<h1 dir="auto">{_safe(title)}</h1>\n{alarm}'
        f'<table class="facts">{rows}</table>'
    )


def _shows(dossier: Dossier) -> str:
    checked = "" if dossier.faults else " When this was made, all of it was checked against these hashes, and fitted."
    return (
        "<h2>What this shows, and what it does not</h2>"
        "<p>A program asked for the address above again and again, and kept what the publisher's server answered. Each"
        " different wording is a revision. A change lies between the last time the old wording was seen and the first"
        " time the new one was; when exactly within that, and whether other wordings came and went between, is not"
        " known. What “the publisher's clock” says was read from the page itself.</p>"
        "<p>Each page and text is named by its SHA-256, and each revision's link in the chain contains the hash of the"
        f" link before: nothing can be altered, left out or slipped in without changing the last link.{checked} That"
        " proves it to those who noted the last link when it was made. To anybody else it proves that the files belong"
        " together, on the word of whoever keeps the store.</p>"
    )


def _revisions(dossier: Dossier) -> str:
    rows = "".join(
        f'<tr><td class="n">{one.revision.version}</td><td class="nowrap">{_time(one.revision.first_observed)}</td>'
        f'<td class="nowrap">{_time(one.revision.last_observed)}</td><td>{_clock(one.revision)}</td>'
        f"<td>{_left(one)}</td></tr>"
        for one in dossier.revisions
    )
    return (
        "<h2>Revisions</h2><table><tr><th class='n'>No.</th><th>First seen</th><th>Last seen</th>"
        f"<th>The publisher's clock</th><th>Page</th></tr>{rows}</table>"
        if rows
        else "<h2>Revisions</h2><p>No wording of it was ever read.</p>"
    )


def _left(one: Kept) -> str:
    page = f"SHA-256 <code>{one.revision.page_hash}</code>" if one.revision.page_hash else "none"
    return "<br>".join([page, *(_safe(why) for why in (one.page_gone, one.text_gone) if why)])


def _clock(revision: Revision) -> str:
    said = [_claim(one) for one in (revision.published, revision.modified) if one is not None]
    return "<br>".join(said) or "says nothing"


def _claim(claim: Claim) -> str:
    at = _time(claim.at) if claim.at else f"“{_safe(claim.raw)}”"
    return f"{claim.kind} {at} <small>({_safe(claim.where)}, {_ZONES[claim.zone]})</small>"


def _changes(dossier: Dossier) -> str:
    if not dossier.changes:
        return "<h2>Changes</h2><p>None was seen.</p>" if dossier.revisions else ""
    return "<h2>Changes</h2>" + "\n".join(_change(one) for one in dossier.changes)


def _change(one: Changed) -> str:
    window = (
        f"Between {_time(one.old.last_observed)}, when the old wording was last seen, and"
        f" {_time(one.new.first_observed)}, when the new one was first."
    )
    said = [f"<strong>{_safe(_capital(one.sentence))}.</strong>"] if one.sentence else []
    if one.new.technical:
        said.append("The two pages were read by different versions of the program; the difference may be its own.")
    elif one.verdict:
        said += [_DISCLOSED[one.verdict.disclosure]]
    shown = f'<p class="note">{_safe(one.gone)}</p>' if one.gone else ""
    if one.diff is not None and one.old_wording is not None:
        shown = redline.html(one.diff, one.old_wording, context=_CONTEXT, marks=True)
    return (
        f"<h3>Revision {one.old.version} → {one.new.version}</h3>"
        f'<div class="change"><p>{" ".join(said)}</p><p class="note">{window}</p>{shown}</div>'
    )


def _wordings(dossier: Dossier) -> str:
    there = [one for one in dossier.revisions if one.wording is not None]
    if not there:
        return ""
    ends = [there[0]] if len(there) == 1 else [there[0], there[-1]]
    shown = "\n".join(_whole(one) for one in ends)
    rest = (
        "" if len(there) < 3 else '<p class="note">Those between lie beside this file, in <code>revisions/</code>.</p>'
    )
    return f"<h2>{'The wording' if len(ends) == 1 else 'The first wording and the last'}</h2>{shown}{rest}"


def _whole(one: Kept) -> str:
    present = one.wording.present() if one.wording else {}
    parts = "".join(
        f'<h4>{redline.HEADINGS[name]}</h4><p dir="auto">{_safe(present[name])}</p>'
        for name in WORDING_FIELDS
        if name in present
    )
    return f'<h3>Revision {one.revision.version}</h3><div class="wording">{parts}</div>'


def _sights(dossier: Dossier) -> str:
    rows = "".join(
        f'<tr{" class=quiet" if outcome in _QUIET else ""}><td class="nowrap">{_time(first.observed)}</td>'
        f"<td>{outcome.value.replace('_', ' ')}</td><td>{_seen(first, last, count)}</td></tr>"
        for first, last, outcome, count in _runs(dossier.observations)
    )
    return (
        "<h2>Every time it was asked for</h2><table><tr><th>When</th><th>Outcome</th><th>What was seen</th></tr>"
        f"{rows}</table>"
        if rows
        else ""
    )


def _runs(seen: Sequence[tuple[Observation, Outcome]]) -> Iterator[tuple[Observation, Observation, Outcome, int]]:
    """Yield sights in their order; re-reads that changed nothing are one."""
    at = 0
    while at < len(seen):
        first, outcome = seen[at]
        end = at + 1
        while outcome in _QUIET and end < len(seen) and seen[end][1] is outcome:
            end += 1
        yield first, seen[end - 1][0], outcome, end - at
        at = end


def _seen(first: Observation, last: Observation, count: int) -> str:
    if count > 1:
        return f"{count:,} times, until {_time(last.observed)}"
    if first.seen not in (Seen.WORDING, Seen.NOT_MODIFIED):
        return _safe(first.detail)
    return f"page <code>{first.page_hash}</code>" if first.page_hash else ""


def _end(one: Linked) -> str:
    return f'<td class="nowrap">{_time(one.superseded)}</td>'


def _chain(dossier: Dossier) -> str:
    ended = any(one.superseded for one in dossier.chain)
    rows = "".join(
        f'<tr{" class=ended" if one.superseded else ""}><td class="n">{one.place}</td><td><code>{one.hash}</code></td>'
        f'<td class="nowrap">{_time(one.recorded)}</td>{_end(one) if ended else ""}</tr>'
        for one in dossier.chain
    )
    why = (
        "<p class='note'>A link that has ended was put aside when a capture came late and gave another history: it is"
        " kept to show what was held before that.</p>"
        if ended
        else ""
    )
    return (
        "<h2>The chain</h2><p>A link is the SHA-256 of the line of <code>chain.jsonl</code> that is its"
        " <code>body</code>; its <code>before</code> is the link of the revision before it.</p>"
        "<table><tr><th class='n'>No.</th><th>Link</th><th>Recorded</th>"
        f"{'<th>Ended</th>' if ended else ''}</tr>{rows}</table>{why}"
        if rows
        else ""
    )


def _list_of(made: Mapping[str, bytes]) -> str:
    rows = "".join(
        f'<tr><td>{_safe(path)}</td><td class="n nowrap">{len(data):,}</td><td><code>{sha256(data)}</code></td></tr>'
        for path, data in made.items()
    )
    return (
        "<h2>The files</h2><p>To check that none was changed, type <code>sha256sum -c SHA256SUMS</code> in their folder"
        " (<code>shasum -a 256 -c SHA256SUMS</code> on macOS). Pages are named <code>.txt</code> so that no browser"
        " runs what is in them.</p><table><tr><th>File</th><th class='n'>Bytes</th><th>SHA-256</th></tr>"
        f"{rows}</table>"
    )


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _safe(text: str) -> str:
    return html.escape(redline.visible(text))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
