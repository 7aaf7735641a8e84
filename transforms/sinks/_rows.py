"""Lay a batch out as rows of the tables, for the sinks that have tables."""

from __future__ import annotations

from wirewatch.errors import BadContent
from wirewatch.rows import Row, Table, rows_of
from wirewatch.store.outbox import Batch, Refused


def laid_out(batch: Batch) -> tuple[dict[Table, list[Row]], tuple[Refused, ...]]:
    """Return a batch's rows by table, in the batch's order, and what is no message of ours, with the reason."""
    tables: dict[Table, list[Row]] = {}
    refused = []
    for item in batch.items:
        try:
            rows = list(rows_of(item))
        except BadContent as problem:
            refused.append(Refused(item=item, reason=str(problem)))
            continue
        for table, row in rows:
            tables.setdefault(table, []).append(row)
    return tables, tuple(refused)
