"""Describe every column of every table, as `docs/data-dictionary.md` shows it."""

from __future__ import annotations

from collections.abc import Iterator

from wirewatch.rows import TABLES, Column


def dictionary() -> str:
    """Return the tables in Markdown, each with its columns, their types, where they come from and what they say."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for table in TABLES:
        yield from (f"## {table.name}", "", table.says, "")
        yield from ("| column | type | in the message | what it says |", "|---|---|---|---|")
        yield from (_line(column) for column in table.columns)
        yield ""


def _line(column: Column) -> str:
    path = f"`{column.path}`" if column.path else ""
    return f"| `{column.name}` | {column.kind} | {path} | {column.says} |"
