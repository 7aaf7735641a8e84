"""Who holds a lease, and whether that process still lives.

A lease runs out by itself, so a worker that died anywhere loses nothing. One that died on this machine is known to be
dead at once: whoever starts a pass after a crash need not wait for its leases.
"""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from wirewatch.store import Store
from wirewatch.store.tables import alert_channels, alerts, articles, deliveries, feeds, inbox

_NO_LEASE: Final = {"lease": None, "lease_ends": None}
_LEASED: Final = (feeds, articles, inbox, deliveries, alerts, alert_channels)


def new_lease() -> str:
    """Return a token that no other lease has; it names this process."""
    return f"{_own()}{secrets.token_hex(8)}"


def _own() -> str:
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid())}/"


def end_dead(store: Store, now: datetime) -> int:
    """End the leases of processes of this machine that are no more; return how many rows they held."""
    return _end(store, now, _is_dead)


def _end(store: Store, now: datetime, over: Callable[[str], bool]) -> int:
    ended = 0
    with store.begin() as conn:
        running = conn.execute(_running(), {"now": now}).all()
        for table in _LEASED:
            ending = [row.lease for row in running if row.table == table.name and row.lease and over(row.lease)]
            if not ending:
                continue
            free = {**_NO_LEASE, "lease_ends": now} if table is deliveries else _NO_LEASE
            ended += conn.execute(sa.update(table).where(table.c.lease.in_(ending)).values(free)).rowcount
    return ended


@lru_cache(maxsize=1)
def _running() -> sa.CompoundSelect[Any]:
    """Select the leases that run at `now`, each with its table."""
    now = sa.bindparam("now", type_=feeds.c.lease_ends.type)
    return sa.union_all(
        *(
            sa.select(sa.literal(table.name).label("table"), table.c.lease).distinct().where(table.c.lease_ends > now)
            for table in _LEASED
        )
    )


def end_own(store: Store, now: datetime) -> int:
    """End all leases of this process, whose work is given up; return how many rows they held."""
    return _end(store, now, _is_own)


def _is_own(lease: str) -> bool:
    return lease.startswith(_own())


def _is_dead(lease: str) -> bool:
    machine, _, rest = lease.partition("/")
    process, _, rest = rest.partition("/")
    started = rest.partition("/")[0]
    return machine == _machine() and process.isdigit() and _started(int(process)) != started


@lru_cache(maxsize=1)
def _machine() -> str:
    """Return a name of what process numbers mean something in: containers may share a host's name, or a machine."""
    own = [platform.node() or "unnamed"]
    with suppress(OSError):  # Linux alone has them
        own.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        own.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(own).replace("/", "-")


def _started(process: int) -> str:
    """Return when a process started, so that a number given twice is not taken for the same one; "" if it is no more.

    Linux says it in clock ticks since the machine started (proc(5), field 22). Elsewhere all that can be told is
    whether there is such a process.
    """
    stat = Path(f"/proc/{process}/stat")
    if Path("/proc/self/stat").exists():
        try:
            return stat.read_text().rpartition(")")[2].split()[19]
        except OSError:
            return ""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:  # it is another user's, and alive
        return "alive"
    return "alive"
