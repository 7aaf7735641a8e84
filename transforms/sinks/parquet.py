"""Write records, events and hunks as Parquet: a folder for each table and day, a file in it for each batch.

Every file of a table has the same schema, so that all of them can be read as one, and files appear whole. A batch that
comes again replaces its files. Days are those on which messages were recorded, in UTC.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import IO, TYPE_CHECKING, ClassVar, Literal

from transforms.sinks._files import Folder, batch_name, newest_row, write_into
from transforms.sinks.base import Sink

if TYPE_CHECKING:
    from wirewatch.rows import Row
    from wirewatch.store.outbox import Batch, Refused


class ParquetSink(Sink):
    """Write Parquet into `records/`, `events/` and `hunks/` of a folder, in a folder `day=YYYY-MM-DD` each."""

    on_this_machine: ClassVar[bool] = True

    kind: Literal["parquet"]
    folder: Folder

    def write(self, batch: Batch) -> tuple[Refused, ...]:
        """Write a file for each table and day that the batch has rows of."""
        from transforms.sinks._rows import laid_out  # noqa: PLC0415 (a configuration is read without a store)

        tables, refused = laid_out(batch)
        for table, placed in tables:
            days: dict[str, list[Row]] = defaultdict(list)
            for one in placed:
                days[f"{one.item.recorded:%Y-%m-%d}"].append(one.row)
            for day, of_day in days.items():
                place = f"{table.name}/day={day}/{batch_name(batch)}.parquet"
                write_into(self.folder, place, partial(_write, table.name, of_day))
        return refused

    def newest_row(self) -> int:
        """Return the highest number of a message in the files."""
        return max((newest_row(table, "day=*/*.parquet") for table in self.folder.glob("*")), default=0)


def _write(table: str, rows: list[Row], file: IO[bytes]) -> None:
    from wirewatch.rows.arrow import write_parquet  # noqa: PLC0415 (pyarrow takes 0.2 s to import)

    write_parquet(file, table, rows)
