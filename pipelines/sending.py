"""Send alerts for a deployment: what is ripe after a pass, or on and on.

The store is asked first: where nothing waits, nothing that sends is imported.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.config import DEFAULT_NAME, Config
from wirewatch.alerts import operator
from wirewatch.bounded import Pool
from wirewatch.clock import Clock
from wirewatch.store import Store, alerts, health, leases

if TYPE_CHECKING:
    from wirewatch.alerts.message import Links
    from wirewatch.alerts.sender import Office, Sent

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class SendReport:
    """What was sent, by channel, what failed or was given up, how much waits, and until when at least."""

    sent: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    given_up: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    next_at: datetime | None = None
    off: tuple[str, ...] = ()  # channels that are switched off
    said: tuple[str, ...] = ()  # what went wrong

    def sentence(self) -> str:
        """Return it in one line; empty where there was nothing to do and nothing waits."""
        parts = [f"Sent {_number(sum(self.sent.values()), 'alert')}{_by_channel(self.sent)}."] if self.sent else []
        if self.failed:
            parts.append(f"{_number(sum(self.failed.values()), 'attempt')} failed.")
        if self.given_up:
            parts.append(f"{_number(sum(self.given_up.values()), 'alert')} given up.")
        if waiting := sum(self.waiting.values()):
            until = f" until {self.next_at:%Y-%m-%d %H:%M:%S} UTC" if self.next_at else ""
            parts.append(f"{_number(waiting, 'alert')} {'waits' if waiting == 1 else 'wait'}{until}.")
        parts += [f"Channel {name} is off." for name in self.off]
        return " ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "sent": self.sent,
            "failed": self.failed,
            "givenUp": self.given_up,
            "waiting": self.waiting,
            "nextAt": self.next_at.isoformat() if self.next_at else None,
            "off": list(self.off),
            "said": list(self.said),
        }


def send_waiting(config: Config, store: Store, clock: Clock, say: Say) -> SendReport:
    """Send what is ripe and tell what waits; `say` is told at once what goes wrong."""
    names = tuple(channel.name for channel in config.channels)
    look_round(config, store, clock.now())
    if not alerts.anything_waits(store, names, clock.now()):
        return _report(store, names)
    from wirewatch.alerts.sender import send_once  # noqa: PLC0415 (imports all that says and sends)

    said: list[str] = []

    def heard(line: str) -> None:
        said.append(line)
        say(line)

    with Pool(1, timeout_seconds=config.work.timeout) as pool:
        sent = asyncio.run(send_once(office(config, store, clock, pool), heard))
    return _report(store, names, sent, said)


def send_on(
    config: Config, store: Store, clock: Clock, seconds: float, *, say: Say, sent: Callable[[Sent], None]
) -> None:
    """Send every so many seconds until interrupted or asked to end."""
    from wirewatch.alerts.sender import send_every  # noqa: PLC0415 (imports all that says and sends)

    async def tend(pool: Pool) -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)

        async def watch() -> None:
            try:
                while not stop.is_set():
                    await asyncio.to_thread(look_round, config, store, clock.now())
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), max(seconds, _LOOK_SECONDS))
            finally:
                stop.set()

        watching = asyncio.create_task(watch())
        await send_every(office(config, store, clock, pool), seconds, stop, say, sent=sent)
        await watching

    with Pool(1, timeout_seconds=config.work.timeout) as pool:
        asyncio.run(tend(pool))


def look_round(config: Config, store: Store, now: datetime) -> None:
    """Free what senders held that are no more, and tell the operator what has begun or is over."""
    leases.end_dead(store, now)
    if config.operator is not None:
        operator.look(store, config.operator, [channel.name for channel in config.channels], now)


def complete_pass(store: Store, now: datetime, every_seconds: float | None) -> None:
    """Note that a pass was completed."""
    with store.begin() as conn:
        health.complete_pass(conn, now, every_seconds)


def office(config: Config, store: Store, clock: Clock, pool: Pool) -> Office:
    """Return what a sender needs."""
    from wirewatch.alerts.sender import Office  # noqa: PLC0415

    return Office(
        store=store,
        instance=config.instance,
        channels=config.channels,
        caps={rule.name: rule.cap for rule in config.alerting.rules},
        links=links(config),
        clock=clock,
        pool=pool,
        settle_seconds=config.alerting.settle_seconds,
    )


def links(config: Config) -> Links:
    """Return where an alert's readers find more."""
    from wirewatch.alerts.message import Links  # noqa: PLC0415

    default = config.path.name == DEFAULT_NAME and not config.path.parent.name
    viewer, named = config.viewer.public_url, None if default else str(config.path)
    return Links(instance=config.instance, viewer=viewer, config=named)


_LOOK_SECONDS = 30.0  # between two looks at how well is seen


def _report(
    store: Store, names: tuple[str, ...], sent: Sent | None = None, said: list[str] | None = None
) -> SendReport:
    backlog = alerts.backlog(store, names)
    on = [one for one in backlog.values() if one.off_since is None]
    times = [at for one in on for at in (one.next_ripe, one.next_due) if at is not None]
    counts = {name: one.matches + one.alerts for name, one in backlog.items()}
    return SendReport(
        sent=dict(sent.sent) if sent else {},
        failed=dict(sent.failed) if sent else {},
        given_up=dict(sent.dead) if sent else {},
        waiting={name: n for name, n in counts.items() if n and backlog[name].off_since is None},
        next_at=sent.wake if sent else min(times, default=None),
        off=tuple(name for name, one in backlog.items() if one.off_since is not None),
        said=tuple(said or ()),
    )


def _by_channel(counts: dict[str, int]) -> str:
    return f" ({', '.join(f'{n:,} to {name}' for name, n in sorted(counts.items()))})" if counts else ""


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
