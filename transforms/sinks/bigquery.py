"""Write records, events and hunks to tables of BigQuery: by load jobs in a pass, by streaming inserts in a stream.

A load job's id comes from what it loads, so a batch that comes again after a crash finds its job done. It takes all of
its rows or none, and does not say which were wrong: where some are, streaming inserts take its place, which do.
Streamed rows carry their id as `insertId`, by which BigQuery drops one that comes again within about a minute; of those
that come later, readers keep one for each id (docs/sinks.md).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as NotDone
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from transforms.google import Emulator, explained
from transforms.sinks.base import Sink
from wirewatch.canonical import sha256, timestamp
from wirewatch.errors import DeliveryFailed

if TYPE_CHECKING:
    from google.cloud.bigquery import Client
    from google.cloud.bigquery import Table as GoogleTable

    from transforms.sinks._rows import Placed
    from wirewatch.rows import Row, Table
    from wirewatch.rows.types import Kind
    from wirewatch.store.outbox import Batch, Refused

_TYPES: Final[dict[Kind, str]] = {
    "text": "STRING",
    "texts": "STRING",
    "integer": "INTEGER",
    "number": "FLOAT",
    "flag": "BOOLEAN",
    "time": "TIMESTAMP",
}
# BigQuery's quotas for streaming: 10 MB a request and a row, and 500 rows are advised.
ROW_BYTES: Final = 9_500_000
_REQUEST_BYTES: Final = 9_900_000
_REQUEST_ROWS: Final = 500
_TRIES: Final = 5  # jobs of one batch that BigQuery itself lost
_ROLES: Final = "roles/bigquery.dataEditor on it, and roles/bigquery.jobUser in its project"
_LATER: Final = "nothing is lost, and the batch comes again."


class BigQuerySink(Sink):
    """Write to the tables `records`, `events` and `hunks` of a dataset."""

    kind: Literal["bigquery"]
    dataset: Annotated[
        str,
        Field(
            pattern=r"^([a-z0-9.-]{1,250}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]\.[A-Za-z0-9_]{1,1024}$",
            description="`PROJECT.DATASET`, which must exist; its tables are made.",
        ),
    ]
    method: Annotated[
        Literal["load", "stream"] | None,
        Field(description="Load jobs or streaming inserts; left out, the first in a pass, the second in a stream."),
    ] = None
    emulator: Emulator = None
    timeout_seconds: Annotated[
        float, Field(ge=0.1, le=50, description="How long BigQuery may be away before a batch is put back.")
    ] = 30.0  # half of a batch's lease

    def suited(self, *, streaming: bool) -> BigQuerySink:
        """Return the sink with the method that suits the job, unless the configuration names one."""
        return self.model_copy(update={"method": self.method or ("stream" if streaming else "load")})

    def write(self, batch: Batch) -> tuple[Refused, ...]:
        """Write the batch's rows of each table, in their order; tables and columns that are missing are made first."""
        from transforms.sinks._rows import laid_out  # noqa: PLC0415 (a configuration is read without a store)

        tables, refused = laid_out(batch)
        for table, rows in tables:
            with explained(DeliveryFailed, "dataset", self.dataset, _ROLES):
                refused += self._put(table, rows)
        return tuple({one.item.item: one for one in reversed(refused)}.values())[::-1]

    def _put(self, table: Table, rows: Sequence[Placed]) -> tuple[Refused, ...]:
        client = _client(self.dataset.rpartition(".")[0], self.emulator)
        target = self._ready(client, table)
        with _forgetting(target, self._address(table)):
            if self.method == "stream" or not self._loaded(client, target, table, rows):
                return self._streamed(client, target, table, rows)
        return ()

    def _address(self, table: Table) -> tuple[str, str, str]:
        return (self.emulator or "", self.dataset, table.name)

    def _ready(self, client: Client, table: Table) -> GoogleTable:
        """Return the table in BigQuery, made or given the columns that it lacks; asked once a process."""
        with _making:
            address = self._address(table)
            if address not in _tables:
                _tables[address] = _made(client, f"{self.dataset}.{table.name}", table, self.timeout_seconds)
            return _tables[address]

    def _loaded(self, client: Client, target: GoogleTable, table: Table, rows: Sequence[Placed]) -> bool:
        """Load all rows; return whether they were taken: no means that some are wrong and none is there."""
        from google.api_core.exceptions import BadRequest, ServerError  # noqa: PLC0415

        data = b"".join(json.dumps(_plain(one.row)).encode() + b"\n" for one in rows)
        for n in range(_TRIES):
            job = self._job(client, target, data, f"wirewatch-{table.name}-{sha256(data)[:32]}-{n}")
            try:
                job.result(timeout=self.timeout_seconds)
            except BadRequest:
                return False
            except NotDone as error:
                message = f"BigQuery has not loaded {target} in {self.timeout_seconds:g} s: {_LATER}"
                raise DeliveryFailed(message, about=str(target)) from error
            except ServerError:
                if n == _TRIES - 1 or job.state != "DONE":
                    raise
                continue  # the job itself has failed, at no fault of its rows: its name is used up
            return True
        raise AssertionError("unreachable")

    def _job(self, client: Client, target: GoogleTable, data: bytes, name: str) -> Any:
        from google.api_core.exceptions import Conflict  # noqa: PLC0415
        from google.cloud.bigquery import LoadJobConfig  # noqa: PLC0415

        try:
            return client.load_table_from_file(
                BytesIO(data),
                target.reference,
                size=len(data),
                job_id=name,
                location=target.location,
                num_retries=2,
                timeout=self.timeout_seconds,
                job_config=LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", write_disposition="WRITE_APPEND"),
            )
        except Conflict:  # an earlier writer of this batch began it
            return client.get_job(name, location=target.location, timeout=self.timeout_seconds)

    def _streamed(
        self, client: Client, target: GoogleTable, table: Table, rows: Sequence[Placed]
    ) -> tuple[Refused, ...]:
        refused: list[Refused] = []
        for some in _requests(rows, refused):
            answer = client.insert_rows_json(
                target,
                [_plain(one.row) for one in some],
                row_ids=[_row_id(table, one.row) for one in some],
                skip_invalid_rows=True,
                retry=_retrying(self.timeout_seconds),
                timeout=self.timeout_seconds,
            )
            refused += [_refusal(target, some[wrong["index"]], wrong["errors"]) for wrong in answer]
        return tuple(refused)


def _row_id(table: Table, row: Row) -> str:
    """Return what no other row of the table has."""
    key = str(row[table.columns[0].name])
    return f"{key}-{row['place']}" if table.name == "hunks" else key


def _plain(row: Row) -> dict[str, Any]:
    """Return a row as BigQuery's JSON has it, without the columns that hold nothing."""
    return {
        name: timestamp(value) if hasattr(value, "tzinfo") else value
        for name, value in row.items()
        if value is not None
    }


def _requests(rows: Sequence[Placed], refused: list[Refused]) -> Iterator[list[Placed]]:
    """Yield rows in handfuls of one request each; what is too large for any is added to `refused`."""
    some: list[Placed] = []
    size = 0
    for one in rows:
        needs = len(json.dumps(_plain(one.row))) + 200
        if needs > ROW_BYTES:
            refused.append(one.refused(f"BigQuery takes rows of {ROW_BYTES} bytes; this has {needs}"))
            continue
        if some and (len(some) == _REQUEST_ROWS or size + needs > _REQUEST_BYTES):
            yield some
            some, size = [], 0
        some.append(one)
        size += needs
    if some:
        yield some


def _refusal(target: GoogleTable, placed: Placed, errors: Sequence[dict[str, str]]) -> Refused:
    """Return why BigQuery has not taken a row; raise DeliveryFailed where the reason will pass.

    A table that has just got a column is not known with it everywhere for some minutes.
    """
    said = "; ".join(" ".join(filter(None, (one.get("location"), one.get("message")))) for one in errors)
    passing = [one for one in errors if one.get("reason") != "invalid" or "no such field" in one.get("message", "")]
    if passing or not errors:
        raise DeliveryFailed(f"BigQuery does not take rows of {target} now ({said}): {_LATER}", about=str(target))
    return placed.refused(f"BigQuery's table {target} refused it: {said}")


def _made(client: Client, name: str, table: Table, timeout: float) -> GoogleTable:
    from google.api_core.exceptions import NotFound, PreconditionFailed  # noqa: PLC0415
    from google.cloud.bigquery import SchemaField, TimePartitioning  # noqa: PLC0415
    from google.cloud.bigquery import Table as GoogleTable  # noqa: PLC0415

    retry = _retrying(timeout)
    wanted = [
        SchemaField(
            column.name,
            _TYPES[column.kind],
            mode="REPEATED" if column.kind == "texts" else "NULLABLE",
            description=column.says,
        )
        for column in table.columns
    ]
    try:
        found = client.get_table(name, retry=retry, timeout=timeout)
    except NotFound:
        new = GoogleTable(name, schema=wanted)
        new.description = table.says
        new.time_partitioning = TimePartitioning(field="recorded")
        new.clustering_fields = list(table.cluster)
        return client.create_table(new, exists_ok=True, retry=retry, timeout=timeout)
    there = {one.name.lower(): one for one in found.schema}
    for one in wanted:
        other = there.get(one.name.lower(), one)
        if (_modern(other.field_type), other.mode) != (_modern(one.field_type), one.mode):
            message = (
                f"The column {one.name} of {name} is {other.field_type} {other.mode} and has to be {one.field_type}"
                f" {one.mode}: move that table away, or name another dataset; nothing is lost."
            )
            raise DeliveryFailed(message, about=name)
    missing = [one for one in wanted if one.name.lower() not in there]
    if not missing:
        return found
    found.schema = [*found.schema, *missing]
    try:
        return client.update_table(found, ["schema"], retry=retry, timeout=timeout)
    except PreconditionFailed:  # another writer was faster
        return _made(client, name, table, timeout)


def _modern(field_type: str) -> str:
    return {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}.get(field_type, field_type)


@contextmanager
def _forgetting(target: GoogleTable, address: tuple[str, str, str]) -> Iterator[None]:
    """Forget what a table was like where it does not take rows: it, or a column of it, may be gone, and is made anew.

    One that was just made may not be known everywhere yet; then it is only looked at again.
    """
    from google.api_core.exceptions import NotFound  # noqa: PLC0415

    try:
        yield
    except Exception as error:
        with _making:
            _tables.pop(address, None)
        if not isinstance(error, NotFound):
            raise
        raise DeliveryFailed(f"BigQuery does not find the table {target} now: {_LATER}", about=str(target)) from error


def _retrying(seconds: float) -> Any:
    from google.cloud.bigquery import DEFAULT_RETRY  # noqa: PLC0415

    return DEFAULT_RETRY.with_timeout(seconds)


@lru_cache
def _client(project: str, emulator: str | None) -> Client:
    """Return this process's client."""
    from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415
    from google.cloud.bigquery import Client  # noqa: PLC0415

    if emulator is None:
        return Client(project=project)
    options = {"api_endpoint": f"http://{emulator}"}
    return Client(project=project, credentials=AnonymousCredentials(), client_options=options)


_tables: Final[dict[tuple[str, str, str], Any]] = {}
_making: Final = threading.Lock()
