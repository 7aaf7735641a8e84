"""Write to whoever reads: tables and words on a terminal, JSON for programs, messages beside both.

Answers go to standard output, messages to standard error. All that comes from outside passes `one_line` or `visible`
first: a headline must not be able to move the cursor. Rich puts no colour where there is no terminal or `NO_COLOR`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

import orjson

from wirewatch.canonical import canonical_json
from wirewatch.redline import visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_WIDE: Final = 200  # columns where nobody looks and a folded address would be in the way of `grep`
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def answers() -> Console:
    """Return where answers are written."""
    return _console(stderr=False)


def write_text(text: RenderableType) -> None:
    """Write running text, wrapped on a terminal only."""
    screen = answers()
    screen.print(text, soft_wrap=not screen.is_terminal)


def messages() -> Console:
    """Return where messages are written."""
    return _console(stderr=True)


def say(sentence: str) -> None:
    """Write an answer of one sentence."""
    _write_line(sys.stdout, sentence)


def tell(sentence: str) -> None:
    """Write a message."""
    _write_line(sys.stderr, sentence)


def emit(value: Any) -> None:
    """Write an answer for a program: JSON, with records as objects and times in UTC."""
    plain = orjson.loads(canonical_json(value))
    _write(orjson.dumps(plain, option=orjson.OPT_INDENT_2) + b"\n")


def emit_lines(lines: Iterator[bytes]) -> None:
    """Write finished lines as they are."""
    for line in lines:
        _write(line)


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """Return an empty table without lines; the columns named in `numbers` are set to the right."""
    from rich.table import Table  # noqa: PLC0415 (0.2 s, which a pass with nothing due does not pay)

    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        right = column in numbers
        made.add_column(column, justify="right" if right else "left", no_wrap=right, overflow="fold")
    return made


def one_line(text: str | None, longest: int | None = None) -> str:
    """Return text from outside on one line and without power over the terminal; cut if it is too long."""
    line = visible(" ".join((text or "").split()))
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1]}…"


def moment(at: datetime | None) -> str:
    """Return a time to the minute, in UTC."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def distance(at: datetime | None, now: datetime) -> str:
    """Return how long ago a time was, or in how long it will be."""
    if at is None:
        return "never"
    seconds = (at - now).total_seconds()
    for unit, name in _UNITS:
        count = int(abs(seconds) // unit)
        if count:
            words = f"{count} {name}{'' if count == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "in under a minute" if seconds > 0 else "just now"


def number(n: int, what: str, plural: str = "") -> str:
    """Return a count with its noun: `1 feed`, `1,200 feeds`."""
    return f"{n:,} {what if n == 1 else plural or what + 's'}"


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give what shows a step on a terminal until the next one, and shows nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with messages().status("Starting") as status:
        yield lambda step: status.update(one_line(step))


def _console(*, stderr: bool) -> Console:
    from rich.console import Console  # noqa: PLC0415 (as above)

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDE
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)


def _write_line(stream: TextIO, sentence: str) -> None:
    stream.write(f"{visible(sentence)}\n")
    stream.flush()


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
