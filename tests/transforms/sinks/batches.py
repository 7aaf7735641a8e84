"""Builders of batches, and writers in processes of their own; no Beam here, so that these start at once."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Literal

from transforms.sinks.base import Sink
from wirewatch.store.outbox import Batch, Item

_ROOT = Path(__file__).parents[3]


def item(number: int, kind: Literal["record", "event"] = "event", article: str = "501482fb3a172e4d") -> Item:
    return Item(
        kind=kind,
        item=f"{number:032x}",
        article=article,
        payload=f'{{"n":{number},"text":"{"lamp " * 5000}"}}',  # larger than a file's buffer
        recorded=datetime(2026, 3, 16, 15, 31, 45, number, UTC),
    )


def record() -> Item:
    """Return a record as its model has it."""
    uri = "tag:news.example,2026:article/501482fb3a172e4d"
    said = {
        "uri": uri,
        "version": "2",
        "versionCreated": "2026-03-16T15:24:00Z",
        "language": "en-GB",
        "headlines": [{"role": "main", "value": "Ferry fares rise after recount"}],
        "bodies": [{"role": "main", "charCount": 29, "wordCount": 6, "value": "=The council asks 4.7 million"}],
        "infoSources": [{"name": "Ellery Courier", "role": "publisher", "uri": "https://courier.example/"}],
        "altIds": [{"role": "feedGuid", "value": "c-1"}, {"role": "revisionId", "value": "b" * 32}],
        "renditions": [{"name": "web", "href": "https://courier.example/ferry"}],
    }
    return replace(item(1, "record"), item="b" * 32, payload=json.dumps(said))


def event() -> Item:
    """Return the event that says how `record` came to be, as its model has it."""
    uri = "tag:news.example,2026:article/501482fb3a172e4d"

    def hunk(field: str, old: str, new: str, start: int) -> dict[str, Any]:
        sides = {
            name: {"exact": text, "prefix": "", "suffix": "", "start": start, "end": start + len(text)}
            for name, text in (("old", old), ("new", new))
        }
        return {"field": field, "op": "replace" if old else "insert", **sides}

    data = {
        "article": {"uri": uri, "url": "https://courier.example/ferry", "publisher": "Ellery Courier"},
        "previous": {"id": "a" * 32, "version": "1"},
        "current": {"id": "b" * 32, "version": "2", "observedAt": "2026-03-16T15:31:44Z"},
        "significance": {"class": "major", "score": 0.86, "reasons": [{"kind": "number"}, {"kind": "headline"}]},
        "changedFields": ["headlines", "bodies"],
        "stats": {"wordsAdded": 3, "wordsRemoved": 1, "similarity": 0.787},
        "hunks": [hunk("headlines/main", "", " after recount", 16), hunk("bodies/main", "4.2", "4.7", 18)],
    }
    said = {
        "id": "c" * 32,
        "type": "wirewatch.article.revised.v1",
        "subject": uri,
        "time": "2026-03-16T15:24:00Z",
        "data": data,
    }
    return replace(item(2), item="c" * 32, payload=json.dumps(said))


def of_article(number: int, article: str) -> Item:
    """Return an event that says whose it is, and is small."""
    return replace(item(number, article=article), payload=json.dumps({"partitionkey": article, "n": number}))


def batch(*items: Item, first: int = 1) -> Batch:
    some = items or tuple(item(n, kind) for n in range(first, first + 4) for kind in ("record", "event"))
    return Batch(
        sink="out", id=f"{first:012}-{first + 3:012}", items=some, lease_ends=datetime(2026, 3, 16, 16, tzinfo=UTC)
    )


def kept_of(*batches: Batch) -> dict[str, list[str]]:
    """Return what a reader is to find: the payloads of each kind, in the order of the batches."""
    items = [one for given in batches for one in given.items]
    return {kind: [one.payload for one in items if one.kind == kind] for kind in ("record", "event")}


def script(code: str, *arguments: str) -> Popen[bytes]:
    """Start a Python process that can import what tests can."""
    return Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=_ROOT,
        stdin=PIPE,
        stdout=PIPE,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )


def kill_while_writing(sink: Sink, stall: int) -> None:
    """Kill a process that writes `batch()`, at the moment at which it asks for the payload of item number `stall`."""
    with script(_STALLING, sink.model_dump_json(), str(stall)) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"here\n"
        writer.kill()


_STALLING = """
import sys
from dataclasses import fields
from tests.transforms.sinks.batches import batch
from transforms.sinks import sink_adapter
from wirewatch.store.outbox import Item

class Stalling(Item):
    def __getattribute__(self, name):
        if name == "payload":
            print("here", flush=True)
            sys.stdin.read()
        return super().__getattribute__(name)

stall, items = int(sys.argv[2]), list(batch().items)
items[stall] = Stalling(**{f.name: getattr(items[stall], f.name) for f in fields(Item)})
sink_adapter().validate_json(sys.argv[1]).write(batch(*items))
"""
