"""Time the matching of rules, and the sending of alerts to a local webhook by one sender and by four.

    python benchmarks/alerts.py [DATA] [--events N] [--alerts N]

Needs no data: the stories are invented, as long as news is (some 600 words), and each changes in a few places. DATA is
taken, as by the other benchmarks, and not looked at. The webhook answers at once, on a thread of its own process.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from wirewatch.alerts.channels import channel_adapter
from wirewatch.alerts.matching import Alerting
from wirewatch.alerts.message import Links
from wirewatch.alerts.rules import Matcher, Rule, Subject
from wirewatch.alerts.sender import Office, send_once
from wirewatch.bounded import Pool
from wirewatch.canonical import content_hash, length, sha256, text_hash
from wirewatch.clock import FixedClock
from wirewatch.judging import compare_and_judge
from wirewatch.keeping import Keeper, Read
from wirewatch.model import Alias, Capture, Instance, Reading, Seen, Source, Wording
from wirewatch.store import Store

INSTANCE = Instance(authority="benchmark.example", since="2026")
NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
SECRET = f"whsec_{base64.b64encode(b'a secret of thirty-two bytes ....').decode()}"
TOPICS = re.findall(
    r"\w+",
    "harbour council ferry winter boats vote subsidy crossing timetable budget operator landing stage quay pier bridge "
    "school library roof market mayor police court judge road bus train hospital strike storm flood repair",
)
SYLLABLES = re.findall("..", "bacedifoguhakelimonuparesitovawexiyozuanerinonur")
# As many words as a newspaper uses in a week; topics are one word in ten.
VOCABULARY = [f"{a}{b}{c}" for a in SYLLABLES for b in SYLLABLES[::2] for c in SYLLABLES[::3]]
FORK = multiprocessing.get_context("fork")  # importing anew would take longer than sending
MATCHING_GOAL = 100.0  # events a second against 1,000 rules: a pass of 500 articles is matched in 5 s
SENDING_GOAL = 20.0  # alerts a second by one sender


def some(chance: random.Random, count: int) -> list[str]:
    """Return words as they stand in a text."""
    return [chance.choice(TOPICS if chance.random() < 0.1 else VOCABULARY) for _ in range(count)]


def story(chance: random.Random, number: int) -> Wording:
    """Return an invented story of some 600 words."""
    body = "\n\n".join(
        " ".join(some(chance, 50)).capitalize() + f" and {number} others, the council said." for _ in range(11)
    )
    return Wording(headline=" ".join(some(chance, 7)).capitalize(), body=body)


def changed(chance: random.Random, old: Wording, number: int) -> Wording:
    """Return the story with one number and a few words exchanged."""
    words = (old.body or "").split(" ")
    for place in chance.sample(range(len(words)), 3):
        if words[place].isalpha():
            words[place] = chance.choice(VOCABULARY)
    return replace(old, body=" ".join(words).replace(f"{number} others", f"{number + 1} others", 1))


def subjects(count: int) -> list[Subject]:
    """Return changes of invented stories; each call makes them anew, so that nothing is levelled yet."""
    chance = random.Random(7)
    made = []
    for number in range(count):
        old = story(chance, number)
        new = changed(chance, old, number)
        found = compare_and_judge(old, new, None, None)
        url = f"https://courier.example/{number}"
        source: dict[str, Any] = {"publisher": f"Paper {number % 20}", "language": "en", "section": "Local"}
        made.append(
            Subject(happened="revised", url=url, old=old, new=new, diff=found.diff, verdict=found.verdict, **source)
        )
    return made


def rules(count: int) -> list[Rule]:
    """Return rules of every sort, few of which match one event."""
    chance = random.Random(11)
    sorts: list[dict[str, Any]] = [
        {"about": ["ferr*", "boats"], "reasons": "number", "disclosure": "undisclosed"},
        {"publishers": ["Paper 3", "Paper 4"], "significance": "major"},
        {"words": ["strike", "flood warning"]},
        {"about": ["the lighthouse keeper", "smokehouse"], "fields": ["headline", "body"]},
        {"reasons": ["name", "quotation"], "languages": ["de", "fr"]},
        {"old_words": "judge", "new_words": "court"},
        {"not": {"significance": "minor"}, "any": [{"about": "hospital ward"}, {"sections": "Sport"}]},
        {"patterns": r"\b[0-9]{4,} others"},
        {"score": 0.95, "fields": "headline"},
        {"happened": ["withdrawn", "returned"]},
    ]
    made = []
    for number in range(count):
        when = dict(sorts[number % len(sorts)])
        if "about" in when:
            when["about"] = [*when["about"], f"{chance.choice(TOPICS)} {number}"]
        made.append(Rule.model_validate({"name": f"rule-{number}", "channels": "desk", "when": when}))
    return made


def matching(events: int) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for count in (10, 1000):
        matcher, asked = Matcher(rules(count)), subjects(events)
        began, cpu = time.perf_counter(), time.process_time()
        found = sum(len(matcher.matches(one)) for one in asked)
        wall, spent = time.perf_counter() - began, time.process_time() - cpu
        goal = f"{MATCHING_GOAL:,.0f}" if count == 1000 else "–"
        rows.append(
            (f"{count:,} rules", f"{events / spent:,.0f}", goal, f"{events / wall:,.0f}", f"{found / events:.1f}")
        )
    return rows


# Sending


def reading(number: int, minutes: float, wording: Wording) -> Read:
    url = f"https://courier.example/local/story-{number}"
    observed = NOON + timedelta(minutes=minutes)
    one = Reading(
        url=url,
        observed=observed,
        seen=Seen.WORDING,
        wording=wording,
        content_hash=content_hash(wording),
        text_hash=text_hash(wording),
        length=length(wording),
        aliases=(Alias(kind="asked", name=url),),
        extractor="benchmark/1",
        page_hash=sha256(f"{number} {minutes}".encode()),
        keep_page=False,
    )
    return Read(capture=Capture(url=url, observed=observed, status=200), reading=one, source=Source())


def fill(store: Store, count: int, pool: Pool) -> None:
    """Keep that many articles, each of which changes once, with a match for each change."""
    alerting = Alerting(rules=(Rule.model_validate({"name": "all", "channels": "desk"}),), settle_seconds=0)
    chance = random.Random(13)
    keeper = Keeper(
        store=store, pool=pool, instance=INSTANCE, clock=FixedClock(NOON), run="benchmark", alerting=alerting
    )
    for number in range(count):
        old = story(chance, number)
        keeper.keep(reading(number, -20, old))
        keeper.keep(reading(number, -10, changed(chance, old, number)))


def receive(ready: Connection) -> None:
    """Take posts until told to stop, and give back how often each alert came."""
    arrived: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            arrived[self.headers["webhook-id"]] += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        import threading  # noqa: PLC0415 (in this process alone)

        threading.Thread(target=server.serve_forever, daemon=True).start()
        ready.send(server.server_address[1])
        ready.recv()
        server.shutdown()
    ready.send(dict(arrived))


@contextmanager
def receiver() -> Iterator[tuple[int, Any]]:
    """Run a receiver in a process of its own; give its port, and what ends it and returns what came."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=receive, args=(theirs,), daemon=True)
    process.start()

    def end() -> dict[str, int]:
        ours.send(None)
        found: dict[str, int] = ours.recv()
        process.join(10)
        return found

    yield ours.recv(), end


def send(address: str, port: int, begin: Any, done: Connection) -> None:
    """Send all that waits, once told to begin; give back how many were sent and the CPU time that took."""
    store = Store.open(address)
    url = f"http://127.0.0.1:{port}/desk"
    options = {"kind": "webhook", "name": "desk", "url": url, "secret": SECRET, "allow_addresses": ["127.0.0.1"]}
    channel = channel_adapter().validate_python(options)
    office = Office(
        store=store,
        instance=INSTANCE,
        channels=(channel,),
        caps={"all": 10_000_000},
        links=Links(instance=INSTANCE),
        clock=FixedClock(NOON + timedelta(minutes=1)),
        pool=Pool(1),
    )
    done.send("ready")
    begin.wait()
    cpu, total = time.process_time(), 0
    while True:
        sent = asyncio.run(send_once(office, print)).sent.total()
        total += sent
        if not sent and not store_waits(store):
            break
    done.send((total, time.process_time() - cpu))


def store_waits(store: Store) -> bool:
    from wirewatch.store import alerts  # noqa: PLC0415

    backlog = alerts.backlog(store, ["desk"])["desk"]
    return bool(backlog.matches + backlog.alerts)


def sending(count: int, folder: Path) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for senders in (1, 4):
        address = f"sqlite:///{folder / f'{senders}.sqlite'}"
        store = Store.open(address)
        with Pool(1) as pool:
            fill(store, count, pool)
        store.close()
        with receiver() as (port, end):
            begin, pipes, processes = FORK.Event(), [], []
            for _ in range(senders):
                ours, theirs = FORK.Pipe()
                process = FORK.Process(target=send, args=(address, port, begin, theirs))
                process.start()
                pipes.append(ours)
                processes.append(process)
            for pipe in pipes:
                assert pipe.recv() == "ready"
            began = time.perf_counter()
            begin.set()
            results = [pipe.recv() for pipe in pipes]
            wall = time.perf_counter() - began
            for process in processes:
                process.join(10)
            arrived = end()
        cpu = sum(one for _, one in results)
        lost, twice = count - len(arrived), sum(n > 1 for n in arrived.values())
        goal = f"{SENDING_GOAL:,.0f}" if senders == 1 else "–"
        each = ", ".join(str(n) for n, _ in results)
        rows.append(
            (f"{senders}", f"{count / wall:,.0f}", goal, f"{count / cpu:,.0f}", each, f"{lost:,}", f"{twice:,}")
        )
    return rows


def table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    drawn = Table(title=title, title_justify="left")
    for column in columns:
        drawn.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        drawn.add_row(*row)
    return drawn


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Time the matching of rules and the sending of alerts.")
    parser.add_argument("data", nargs="?", help="not needed")
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--alerts", type=int, default=300)
    given = parser.parse_args()
    screen = Console(width=110)
    columns: tuple[str, ...] = ("Rules", "events a CPU second", "goal", "a second", "matches an event")
    screen.print(table(f"{given.events:,} events matched", columns, matching(given.events)))
    with tempfile.TemporaryDirectory() as folder:
        rows = sending(given.alerts, Path(folder))
    columns = ("Senders", "alerts a second", "goal", "a CPU second", "by each", "lost", "twice")
    screen.print(table(f"{given.alerts:,} alerts to a local webhook, store on SQLite", columns, rows))
    screen.print(f"On {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.")
    if any(row[-1] != "0" or row[-2] != "0" for row in rows):
        sys.exit("an alert was lost or came twice")


if __name__ == "__main__":
    main()
