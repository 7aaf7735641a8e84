"""Send what is ripe: form alerts of what waits, keep them, then claim, send and mark them, channel by channel.

An alert is whole in the store before it goes out for the first time, under an id that follows from what it tells. So
whenever a sender dies, the next one sends the same under the same id: nothing is lost, and at most what was on its
way comes twice. Channels share nothing but the store: a slow one delays no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, ParamSpec, TypeVar

from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.formed import alert_id, whole
from wirewatch.alerts.gathering import Gathered, gather
from wirewatch.alerts.message import Links, Message
from wirewatch.alerts.model import Alert
from wirewatch.alerts.pacing import LONGEST_ASKED, Bundle, decide, next_attempt, quiet_until
from wirewatch.bounded import Pool
from wirewatch.clock import Clock
from wirewatch.encoding import revive_json
from wirewatch.errors import BadContent, DeliveryGone, DeliveryRefused, RetryLater, Superseded, WirewatchError
from wirewatch.model import Instance
from wirewatch.store import Store, alerts, dead_letters
from wirewatch.store.alerts import Formed, Made

SEND_SECONDS: Final = 150.0  # for one attempt, whatever its channel does; channels have shorter limits of their own
LEASE_SECONDS: Final = 300.0  # longer than a batch of attempts takes; a sender that died holds it no longer than that
AT_ONCE: Final = 8  # alerts of one channel under way in one process
_AT_A_TIME: Final = 500  # matches looked at together
_ROUNDS: Final = 1000  # of forming; each takes something off what waits
_RACES: Final = 10  # lost to other processes at one statement, before that counts as a failure

Say = Callable[[str], None]
_P = ParamSpec("_P")
_T = TypeVar("_T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Office:
    """All that a sender needs: where alerts wait, whom they go to, and what is said of the deployment.

    `caps` are the rules' alerts an hour; `settle_seconds` is how long a follow-up waits for more.
    """

    store: Store
    instance: Instance
    channels: tuple[Channel, ...]
    caps: Mapping[str, int]
    links: Links
    clock: Clock
    pool: Pool
    settle_seconds: float = 120.0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(channel.name for channel in self.channels)


@dataclass(kw_only=True)
class Sent:
    """What one round did, by channel: alerts sent, failed attempts, alerts given up; and when there may be more."""

    sent: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)
    wake: datetime | None = None


async def send_once(office: Office, say: Say) -> Sent:
    """Send what is ripe on every channel, each for itself; return what was done."""
    sent = Sent()
    try:
        wakes = await _together([_serve(office, channel, sent, say) for channel in office.channels])
    finally:
        await _close(office)
    due = (one.next_due for one in alerts.backlog(office.store, office.names).values() if not one.off_since)
    sent.wake = min((at for at in (*wakes, *due) if at), default=None)
    return sent


async def send_every(
    office: Office, seconds: float, stop: asyncio.Event, say: Say, *, sent: Callable[[Sent], None]
) -> None:
    """Send on every channel every so many seconds, each on its own beat, until `stop` is set.

    What a channel's own failure is not (the store's, say) stops all of them, and is raised.
    """

    async def tend(channel: Channel) -> None:
        try:
            while not stop.is_set():
                round_ = Sent()
                await _serve(office, channel, round_, say, stop)
                sent(round_)
                await _pause(stop, seconds)
        finally:
            stop.set()

    try:
        await _together([tend(channel) for channel in office.channels])
    finally:
        await _close(office)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _together(work: Sequence[Awaitable[_T]]) -> list[_T]:
    """Do all of it to its end, and raise then what one of it raised."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]


async def _close(office: Office) -> None:
    for channel in office.channels:
        await channel.close()


async def _in_store(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Return what a function of the store's returns, on a thread; where another process was faster, do it again.

    The default threads are the store's alone, so that none of these calls ever waits for a channel.
    """
    for _ in range(_RACES):
        with suppress(Superseded):
            return await asyncio.to_thread(function, *args, **kwargs)
    return await asyncio.to_thread(function, *args, **kwargs)


async def _serve(
    office: Office, channel: Channel, sent: Sent, say: Say, stop: asyncio.Event | None = None
) -> datetime | None:
    """Form and send what is ripe on one channel, unless it is quiet; return when there may be more.

    What is under way when `stop` is set is brought to its end, and nothing is begun after that. Once an attempt has
    failed the rest waits for the next round: whoever does not answer is not asked a hundred times.
    """
    wake = await _in_store(form, office, channel)
    while stop is None or not stop.is_set():
        now = office.clock.now()
        if (silent_until := quiet_until(channel, now)) is not None:
            return silent_until
        claimed = await _in_store(
            alerts.claim, office.store, channel.name, now=now, limit=AT_ONCE, lease_seconds=LEASE_SECONDS
        )
        if not claimed:
            return wake
        arrived = await _together([_attempt(office, channel, one, sent, say) for one in claimed])
        if not all(arrived):
            return wake
    return wake


# Forming


def form(office: Office, channel: Channel) -> datetime | None:
    """Make alerts of what is ripe and keep them; return when there may be more to form, None if nothing waits."""
    store = office.store
    lease = alerts.lease_channel(store, channel.name, office.clock.now(), LEASE_SECONDS)
    if lease is None:  # another sender is at it
        return None
    try:
        for _ in range(_ROUNDS):
            now = office.clock.now()
            with store.reading() as conn:
                desk = alerts.desk(conn, channel.name, now, _AT_A_TIME)
            decision = decide(desk, channel, office.caps, now)
            if not (decision.bundles or decision.joined or decision.held):
                return decision.wake
            formed, void = _formed(office, channel, decision.bundles, now)
            with store.begin() as conn:
                if not alerts.form(conn, channel.name, lease, formed):
                    return None
                alerts.join(conn, decision.joined)
                alerts.hold(conn, decision.held, now)
                alerts.cancel(conn, void)
    finally:
        alerts.release_channel(store, channel.name, lease)
    return None


def _formed(office: Office, channel: Channel, bundles: Sequence[Bundle], now: datetime) -> tuple[list[Made], list[str]]:
    """Return the alerts of the bundles, each with its matches, and the matches of what no longer stands."""
    tellings = [telling for bundle in bundles for telling in bundle.tellings]
    gathered = iter(gather(office.store, office.pool, office.instance, tellings))
    formed: list[Made] = []
    void: list[str] = []
    for bundle in bundles:
        told = [next(gathered) for _ in bundle.tellings]
        gone = [match for one in told for match in one.void]
        matches = [match.id for match in bundle.matches if match.id not in gone]
        void += gone
        if matches:
            shown = {match.id for telling in bundle.tellings for match in telling.matches}
            formed.append(
                Made(
                    alert=whole(_alert(bundle, told, channel.name, matches, now)),
                    shown=frozenset(shown.intersection(matches)),
                    counted=frozenset(matches) - shown,
                )
            )
    return formed, void


def _alert(bundle: Bundle, told: Sequence[Gathered], channel: str, matches: Sequence[str], now: datetime) -> Alert:
    stories = tuple(story for one in told for story in one.stories)
    kind = "digest" if bundle.kind == "change" and len(stories) > 1 else bundle.kind
    return Alert(
        id=alert_id(channel, matches),
        kind=kind,
        channel=channel,
        rule=", ".join(bundle.rules),
        created=now,
        stories=stories,
        more=bundle.more,
    )


# Sending


async def _attempt(office: Office, channel: Channel, claimed: Formed, sent: Sent, say: Say) -> bool:
    """Send one alert and mark how that ended; return whether the channel goes on taking alerts."""
    name, begun = channel.name, False
    try:
        async with asyncio.timeout(SEND_SECONDS):
            alert, message = await channel.in_thread(_composed, channel, claimed, office.links)
            for problem in message.problems:
                say(_told(name, problem))
            begun = True
            await channel.send(alert, message, office.clock.now())
    except DeliveryGone as error:
        await _in_store(_give_up, office, claimed, str(error), gone=True)
        sent.dead[name] += 1
        say(f"{_told(name, error)}: it is off until `wirewatch alerts on {name}`")
        return False
    except (DeliveryRefused, BadContent) as error:
        await _in_store(_give_up, office, claimed, str(error))
        sent.dead[name] += 1
        say(f"{_told(name, error)}: alert {claimed.id} was given up")
        return True
    except TimeoutError:
        return await _failed(
            office, claimed, f"Nothing came back within {SEND_SECONDS:g} s", sent, say, perhaps_taken=begun
        )
    except RetryLater as error:
        asked, perhaps = error.retry_after_seconds, error.perhaps_taken
        return await _failed(office, claimed, str(error), sent, say, asked_seconds=asked, perhaps_taken=perhaps)
    except WirewatchError as error:
        return await _failed(office, claimed, str(error), sent, say)
    except Exception as error:  # noqa: BLE001 (no other channel may wait for it; in the end it is a dead letter)
        _log.exception("Channel %s failed in an unforeseen way", name)
        return await _failed(office, claimed, f"{type(error).__name__}: {error}", sent, say, perhaps_taken=begun)
    settle = timedelta(seconds=office.settle_seconds)
    now = office.clock.now()
    await _in_store(alerts.mark_sent, office.store, claimed, message.subject, now, now + settle)
    sent.sent[name] += 1
    return True


def _composed(channel: Channel, claimed: Formed, links: Links) -> tuple[Alert, Message]:
    alert = revive_json(Alert, claimed.body)
    return alert, channel.compose(alert, links)


async def _failed(
    office: Office,
    claimed: Formed,
    why: str,
    sent: Sent,
    say: Say,
    *,
    asked_seconds: float | None = None,
    perhaps_taken: bool = False,
) -> bool:
    now = office.clock.now()
    asked = min(asked_seconds or 0.0, LONGEST_ASKED)
    due = next_attempt(claimed.id, claimed.attempts, now, asked)
    name = claimed.channel
    sent.failed[name] += 1
    if due is None:
        await _in_store(_give_up, office, claimed, why, perhaps_taken=perhaps_taken)
        sent.dead[name] += 1
        say(f"{_told(name, why)}: alert {claimed.id} was given up after {claimed.attempts} attempts")
    else:
        held = now + timedelta(seconds=asked) if asked else None
        await _in_store(alerts.mark_failed, office.store, claimed, why, due, held=held, perhaps_taken=perhaps_taken)
        say(f"{_told(name, why)}; the next attempt is at {due:%Y-%m-%d %H:%M:%S} UTC")
    return False


def _give_up(office: Office, claimed: Formed, why: str, *, gone: bool = False, perhaps_taken: bool = False) -> None:
    now = office.clock.now()
    with office.store.begin() as conn:
        if gone:
            alerts.switch_off(conn, claimed.channel, why, now)
        if alerts.mark_dead(conn, claimed, why, now, perhaps_taken=perhaps_taken):
            reason = f"{_told(claimed.channel, why)}; `wirewatch alerts again {claimed.id}` sends it again"
            dead_letters.add(conn, at=now, step="alert", reason=reason)


def _told(channel: str, what: object) -> str:
    """Return what went wrong as a clause that begins with the channel's name."""
    clause = str(what).rstrip(".")
    return clause if clause.startswith("Channel ") else f"Channel {channel}: {clause}"
