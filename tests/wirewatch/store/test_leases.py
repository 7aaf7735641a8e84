"""Leases of processes that died on this machine end with the next pass; all others run out by themselves."""

from __future__ import annotations

import subprocess
import sys

import sqlalchemy as sa

from tests.builders import at
from wirewatch.model import Source
from wirewatch.store import Store, frontier, leases
from wirewatch.store.articles import watch
from wirewatch.store.hosts import set_spacing_rule
from wirewatch.store.tables import articles

_LEASE_AND_DIE = """
import os, signal, sys
from tests.builders import at
from wirewatch.store import Store, frontier
checks = frontier.lease_due(Store.open(sys.argv[1]), now=at(0))
print(len(checks), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def ready(store: Store) -> None:
    set_spacing_rule(store, default_seconds=0)
    watch(store, "https://courier.example/a", Source(), at(0))


def test_the_lease_of_a_killed_process_ends_when_the_next_pass_begins(store: Store) -> None:
    ready(store)
    died = subprocess.run(
        [sys.executable, "-c", _LEASE_AND_DIE, store.url], capture_output=True, text=True, check=False, timeout=60
    )
    assert died.stdout == "1\n", died.stderr
    assert frontier.lease_due(store, now=at(1)) == []
    assert leases.end_dead(store, at(1)) == 1
    assert len(frontier.lease_due(store, now=at(1))) == 1


def test_the_lease_of_a_living_process_stays(store: Store) -> None:
    ready(store)
    assert len(frontier.lease_due(store, now=at(0))) == 1
    assert leases.end_dead(store, at(1)) == 0
    assert frontier.lease_due(store, now=at(1)) == []


def test_the_lease_of_another_machine_stays(store: Store) -> None:
    ready(store)
    frontier.lease_due(store, now=at(0))
    with store.begin() as conn:
        conn.execute(sa.update(articles).values(lease="elsewhere/1/1/f00d"))
    assert leases.end_dead(store, at(1)) == 0
