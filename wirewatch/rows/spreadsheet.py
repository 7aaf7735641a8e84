"""Write rows as CSV that a spreadsheet can open without running what a publisher wrote.

A cell that begins with `=` is a formula to every spreadsheet, quoted or not, and may send other cells to a stranger.
Such a cell gets an apostrophe before it, and so does one that begins with an apostrophe: taking one off gives the text
back.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from wirewatch.canonical import timestamp
from wirewatch.rows import Row, Table

# What spreadsheets take for the beginning of a formula (OWASP, CSV Injection), full-width forms included; a tab or line
# end is thrown away first by some, and what follows it is then the beginning.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LEFT_OUT: Final = "payload"  # JSON in one cell helps nobody, and Excel cuts a cell at 32,767 characters


def header(table: Table) -> bytes:
    """Return the first line. It opens with a byte order mark, by which Excel knows that the file is UTF-8."""
    return b"\xef\xbb\xbf" + _line(column.name for column in table.columns if column.name != _LEFT_OUT)


def lines(table: Table, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield a line for each row (RFC 4180); a cell with line ends is quoted and goes over several."""
    names = [column.name for column in table.columns if column.name != _LEFT_OUT]
    for row in rows:
        yield _line(_cell(row.get(name)) for name in names)


def defused(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith((*FORMULA, "'")) else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, list):
        return defused(json.dumps(value, ensure_ascii=False)) if value else ""
    return defused(value) if isinstance(value, str) else str(value)


def _line(cells: Iterable[str]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerow(cells)
    return written.getvalue().encode(errors="replace")
