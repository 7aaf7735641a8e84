"""A server that answers as BigQuery does, as far as the sink asks: tables, load jobs, streaming inserts.

What it does was written after the service's public description; the service itself was never reached. It checks each
row against its table's schema, takes all rows of a load or none, drops a row whose `insertId` it has seen, and gives a
job's id once.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROJECT = "wirewatch-tests"
DATASET = f"{PROJECT}.news"
LOCATION = "europe-west1"


class Answer(Exception):
    """What is answered in place of a result."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}}


@dataclass
class FakeBigQuery:
    """What the service knows. Whoever tests may change all of it."""

    address: str = ""
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)  # by DATASET.TABLE
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)  # tables and insertIds
    refuses: dict[str, dict[str, str]] = field(default_factory=dict)  # errors by a row's payload
    fails: list[Answer] = field(default_factory=list)  # answers to the next requests that write rows
    breaks: int = 0  # jobs that the service loses next
    asked: list[str] = field(default_factory=list)

    def found(self, name: str) -> list[dict[str, Any]]:
        return self.rows.get(f"news.{name}", [])

    def answer(self, method: str, path: str, asked: dict[str, str], headers: Any, body: bytes) -> Any:
        self.asked.append(f"{method} {path}")
        place = re.fullmatch(r"/bigquery/v2/projects/[\w-]+/datasets/(\w+)/tables(?:/(\w+)(/insertAll)?)?", path)
        if place is not None:
            if place[1] != "news":
                raise Answer(404, "notFound", f"Not found: Dataset {place[1]}")
            given = json.loads(body) if body else {}
            if place[3]:
                return self._insert(f"news.{place[2]}", given)
            return self._table(method, place[2], given, headers)
        if path.startswith("/upload/"):
            return self._load(*_parts(headers, body))
        job = re.fullmatch(r"/bigquery/v2/projects/[\w-]+/jobs/([\w-]+)", path)
        if job is not None and asked.get("location") == LOCATION and job[1] in self.jobs:
            return self.jobs[job[1]]
        raise Answer(404, "notFound", f"Not found: {path}")

    def _table(self, method: str, table: str | None, given: dict[str, Any], headers: Any) -> Any:
        if table is None:
            name = f"news.{given['tableReference']['tableId']}"
            if name in self.tables:
                raise Answer(409, "duplicate", f"Already Exists: Table {name}")
            self.tables[name] = given | {"etag": "1", "location": LOCATION}
            return self.tables[name]
        name = self._known(f"news.{table}")
        if method == "PATCH":
            self._change(name, given, headers)
        return self.tables[name]

    def _known(self, name: str) -> str:
        if name not in self.tables:
            raise Answer(404, "notFound", f"Not found: Table {name}")
        return name

    def _change(self, name: str, given: dict[str, Any], headers: Any) -> None:
        there = self.tables[name]
        if headers.get("If-Match") not in (None, there["etag"]):
            raise Answer(412, "conditionNotMet", "Precondition check failed.")
        before = {one["name"]: one["type"] for one in there["schema"]["fields"]}
        after = {one["name"]: one["type"] for one in given["schema"]["fields"]}
        if not before.items() <= after.items():
            raise Answer(400, "invalid", "Provided Schema does not match Table.")
        self.tables[name] = there | given | {"etag": str(int(there["etag"]) + 1)}

    def _insert(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        if self.fails:
            raise self.fails.pop(0)
        assert given["skipInvalidRows"] is True
        self._known(name)
        wrong = []
        for index, one in enumerate(given["rows"]):
            row = one["json"]
            if errors := self._errors(name, row):
                wrong.append({"index": index, "errors": errors})
            elif (name, one["insertId"]) not in self.seen:
                self.seen.add((name, one["insertId"]))
                self.rows.setdefault(name, []).append(row)
        return {"insertErrors": wrong} if wrong else {}

    def _load(self, job: dict[str, Any], data: bytes) -> dict[str, Any]:
        if self.fails:
            raise self.fails.pop(0)
        said, load = job["jobReference"], job["configuration"]["load"]
        if said["jobId"] in self.jobs:
            raise Answer(409, "duplicate", f"Already Exists: Job {said['jobId']}")
        assert said["location"] == LOCATION
        assert (load["sourceFormat"], load["writeDisposition"]) == ("NEWLINE_DELIMITED_JSON", "WRITE_APPEND")
        name = self._known(f"{load['destinationTable']['datasetId']}.{load['destinationTable']['tableId']}")
        rows = [json.loads(line) for line in data.splitlines()]
        status: dict[str, Any] = {"state": "DONE"}
        if self.breaks:
            self.breaks -= 1
            status["errorResult"] = {"reason": "backendError", "message": "The job encountered an error."}
        elif any(self._errors(name, row) for row in rows):
            message = "Error while reading data, error message: JSON table encountered too many errors, giving up."
            status["errorResult"] = {"reason": "invalid", "message": message}
        else:
            self.rows.setdefault(name, []).extend(rows)
        self.jobs[said["jobId"]] = job | {"status": status}
        return self.jobs[said["jobId"]]

    def _errors(self, table: str, row: dict[str, Any]) -> list[dict[str, str]]:
        if refused := self.refuses.get(row.get("payload", "")):
            return [refused]
        known = {one["name"]: one for one in self.tables[table]["schema"]["fields"]}
        return [
            {"reason": "invalid", "location": name, "message": message}
            for name, value in row.items()
            if (message := _wrong(known.get(name), name, value))
        ]


_TYPES: dict[str, Any] = {"STRING": str, "INTEGER": int, "FLOAT": (int, float), "BOOLEAN": bool, "TIMESTAMP": str}


def _wrong(column: dict[str, Any] | None, name: str, value: Any) -> str | None:
    if column is None:
        return f"no such field: {name}."
    values = value if column["mode"] == "REPEATED" else [value]
    if not isinstance(values, list) or not all(isinstance(one, _TYPES[column["type"]]) for one in values):
        return f"Cannot convert value to {column['type']}."
    return None


def _parts(headers: Any, body: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what a multipart upload brings: the job's description and its data."""
    parsed = BytesParser().parsebytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    said, data = (part.get_payload(decode=True) for part in parsed.get_payload())  # type: ignore[union-attr]
    return json.loads(said), data  # type: ignore[arg-type, return-value]


@contextmanager
def fake_bigquery() -> Iterator[FakeBigQuery]:
    """Run the server on a free port of localhost."""
    fake = FakeBigQuery()
    started: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            more: dict[str, str] = {}
            try:
                if query.get("uploadType") == "resumable" and self.command == "POST":
                    started["job"] = body
                    more["Location"] = f"http://{fake.address}{self.path}"
                    status, said = 200, {}
                elif query.get("uploadType") == "resumable":
                    status, said = 200, fake._load(json.loads(started["job"]), body)
                else:
                    status, said = 200, fake.answer(self.command, asked.path, query, self.headers, body)
            except Answer as answer:
                status, said = answer.status, answer.body
            sent = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(sent)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815 (as the base class calls them)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in the base class)
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake.address = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield fake
        server.shutdown()
        thread.join()
