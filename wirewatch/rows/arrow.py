"""Give the tables' rows to Arrow: every file of a table has the same explicit schema, whatever its rows hold.

A schema that is guessed from the rows would call a column with nothing in it `null`, and two days' files could not be
read together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from wirewatch.rows import TABLES, Row
from wirewatch.rows.types import Kind

_TYPES: Final[Mapping[Kind, pa.DataType]] = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "integer": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "time": pa.timestamp("us", tz="UTC"),
}


@cache
def schema(table: str) -> pa.Schema:
    """Return a table's schema by the table's name; each column carries its description."""
    (described,) = (one for one in TABLES if one.name == table)
    return pa.schema(
        [
            pa.field(column.name, _TYPES[column.kind], metadata={"description": column.says})
            for column in described.columns
        ]
    )


def write_parquet(file: IO[bytes], table: str, rows: Sequence[Row]) -> None:
    """Write rows as one Parquet file, compressed with Zstandard."""
    with parquet_writer(file, table) as writer:
        writer.write_table(pa.Table.from_pylist(list(rows), schema=schema(table)))


def parquet_writer(file: IO[bytes], table: str) -> Any:
    """Return what writes a Parquet file bit by bit, with `add`; to be used in a `with`, which ends the file."""
    return pq.ParquetWriter(file, schema(table), compression="zstd")


def add(writer: Any, table: str, rows: Sequence[Row]) -> None:
    """Write some more rows into a Parquet file; their number is what a reader has to hold at once."""
    writer.write_table(pa.Table.from_pylist(list(rows), schema=schema(table)))
