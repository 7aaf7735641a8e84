"""Lay a batch out as rows of the tables, for the sinks that have tables."""

from __future__ import annotations

from dataclasses import dataclass

from wirewatch.errors import BadContent
from wirewatch.rows import Row, Table, rows_of
from wirewatch.store.outbox import Batch, Item, Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A row, and the message that it is of."""

    item: Item
    row: Row

    def refused(self, reason: str) -> Refused:
        """Return that its message is not taken, and why."""
        return Refused(item=self.item, reason=reason)


def laid_out(batch: Batch) -> tuple[list[tuple[Table, list[Placed]]], tuple[Refused, ...]]:
    """Return a batch's rows by table, in the batch's order, and what is no message of ours, with the reason."""
    tables: dict[str, tuple[Table, list[Placed]]] = {}
    refused = []
    for item in batch.items:
        try:
            rows = list(rows_of(item))
        except BadContent as problem:
            refused.append(Refused(item=item, reason=str(problem)))
            continue
        for table, row in rows:
            tables.setdefault(table.name, (table, []))[1].append(Placed(item=item, row=row))
    return list(tables.values()), tuple(refused)
