"""Write a small folder in the layout of the benchmarks' data, of invented text, with the gold beside it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

CRAWLED = "2026-03-17 09:00:00"
_TEXT = "".join(
    f"<p>{line}</p>"
    for line in (
        "The harbour council approved a subsidy for the night ferry on Monday evening, by nine votes to four.",
        "Its operator had asked for help since the winter, when storms kept the boats in port for eleven days.",
        "Several members said that they would rather have seen the money spent on the breakwater and the slipway.",
        "The first boat with the new fares sails in May, and the timetable will be printed before the end of April.",
        "Residents of the islands welcomed the vote, and asked that the last boat should wait for the evening train.",
    )
)


def _data(**members: Any) -> str:
    node = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": "Ferry subsidy approved", **members}
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def _meta(name: str, content: str) -> str:
    return f'<meta property="article:{name}_time" content="{content}">'


INDIA = {"@type": "Organization", "name": "Harbour Post", "address": {"addressCountry": "IN"}}

# Name, language, what stands in the head, the line below the headline, and the gold: one shape of stamp each.
PAGES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "data_zone",
        "en",
        _data(datePublished="2026-03-16T14:21:00Z", dateModified="2026-03-16T15:24:10Z"),
        "",
        "2026-03-16 14:21:00+00:00",
    ),
    (
        "data_offset",
        "de",
        _data(datePublished="2026-03-16T15:21:00+01:00", dateModified="2026-03-16T15:21:00+01:00"),
        "Stand: 16.03.2026 15:21 Uhr",
        "2026-03-16 15:21:00+01:00",
    ),
    (
        "data_short_offset",
        "sv",
        _data(datePublished="2026-03-16T15:21+0100"),
        "Publicerad 2026-03-16 15:21",
        "2026-03-16 15:21:00+01:00",
    ),
    (
        "data_impossible_zone",
        "en",
        _data(datePublished="2026-03-16T14:21:00+99:99") + _meta("published", "2026-03-16T14:21:00Z"),
        "",
        "2026-03-16 14:21:00+00:00",
    ),
    (
        "data_in_words",
        "en",
        _data(datePublished="Mon Mar 16 2026 10:21:00 GMT-0400 (EDT)"),
        "",
        "2026-03-16 10:21:00-04:00",
    ),
    (
        "meta_alone",
        "fr",
        _meta("published", "2026-03-16T15:21:00+01:00") + _meta("modified", "2026-03-16T14:50:00+01:00"),
        "Publié le 16/03/2026 à 15h21",
        "2026-03-16 15:21:00+01:00",
    ),
    (
        "time_element",
        "es",
        "",
        '<time datetime="2026-03-16T14:21:00Z">hace 3 horas</time>',
        "2026-03-16 14:21:00+00:00",
    ),
    ("printed_zone", "en", "", "Published: March 16, 2026 10:21 a.m. EDT", "2026-03-16 10:21:00-04:00"),
    (
        "printed_country",
        "en-US",
        _data(publisher=INDIA),
        "Published: 16 March 2026 19:51 IST | Updated: 16 March 2026 20:54 IST",
        "2026-03-16 19:51:00+05:30",
    ),
    ("printed_region", "en-IE", "", "First published on 16 June 2025 at 15:21 IST", "2025-06-16 15:21:00+01:00"),
    ("printed_wall", "pt", "", "Publicado em 16/03/2026 14h21", "2026-03-16 14:21:00"),
    ("printed_wall_far", "ja", "", "2026年3月16日 14時21分 公開 2026年3月16日 15時24分 更新", "2026-03-16 14:21:00"),
    ("no_time", "en", "", "By Marta Quill", "2026-03-16 14:21:00"),  # nobody can find what is not there
)

FERRY = "The ferry sails at noon. It takes “two” hours, and costs 1.5 million a year."
POSTS: tuple[tuple[str, ...], ...] = (
    (FERRY, FERRY.replace("“two”", '"two"'), FERRY.replace("noon.", "noon,"), f"{FERRY} Fares rise."),
    (FERRY, FERRY.replace(" ", "  "), FERRY.replace("ferry", "Ferry"), FERRY.replace("noon", "ten")),
    ("A well known pier.", "A well-known pier.", "A well-known pier!", "A well-known pier"),
    ("It was -5 there.", "It was 5 there.", "It was 15 there."),
    ("The mayor did it.", "The mayor did it?", "The mayor did it."),
    ("It cost 1,500 pounds; it’s old.", "It cost 1,500 pounds, it's old.", "It cost 1,500 pounds (it’s old)."),
    ("HARBOUR NEWS: boats late.", "Harbour news: boats late.", "Harbour News - boats late."),
    (
        "One line. Another line.",
        "One line.\n\nAnother line.",
        "One line:\n\nanother line.",
        "“One line”: another line.",
    ),
    ("Eels, crabs and cod.", "Eels, crabs, and cod.", "Eels; crabs; and cod.", "Eels, crabs and cod…"),
    ("Boats sail.", "Boats sail .", "Boats, sail.", "Boats - sail.", "Boats – sail.", "BOATS sail.", "Boats sail!"),
)


def write(folder: Path, polls: Iterable[Any]) -> Path:
    """Write the sample with these polls of a list of articles; return its folder."""
    pages = folder / "extraction" / "fundus" / "html"
    pages.mkdir(parents=True)
    golds = {}
    for name, language, head, line, published in PAGES:
        golds[f"{name}.html.gz"] = {
            "url": f"https://courier.example/local/{name}",
            "crawl_date": CRAWLED,
            "publishing_date": published,
        }
        page = (
            f'<html lang="{language}"><head><title>Ferry subsidy approved</title>{head}</head><body><article>'
            f"<h1>Ferry subsidy approved</h1><p>{line}</p>{_TEXT}</article></body></html>"
        )
        (pages / f"{name}.html.gz").write_bytes(gzip.compress(page.encode(), mtime=0))
    (pages.parent / "ground-truth.json").write_text(json.dumps(golds), "utf-8")
    posts = [{"versions": [{"text": text} for text in versions]} for versions in POSTS]
    (folder / "revisions").mkdir()
    _lines(folder / "revisions" / "gitrev_digitalgov.jsonl.gz", posts)
    _lines(folder / "revisions" / "nunl.jsonl.gz", [*polls])
    return folder


def _lines(path: Path, values: Sequence[Any]) -> None:
    path.write_bytes(gzip.compress("".join(f"{json.dumps(value)}\n" for value in values).encode(), mtime=0))
