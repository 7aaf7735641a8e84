"""Decide what a channel is told now, what waits, and when a failed alert is tried again; pure, given all that is known.

A flood is stopped here, in this order: what is taken back of one alert becomes one follow-up, what a whole group of
articles changed alike one alert, successive changes of one article one story; a rule has its cap, a channel its rate.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from wirewatch.alerts.channels.base import Channel
from wirewatch.store.alerts import HOUR, Desk, Match, hour_of

RETRIES: Final = (5, 60, 300, 1800, 7200, 18_000, 36_000, 86_400)  # seconds after each failure; then it is given up
JITTER: Final = 0.1  # of the wait, at most added; many alerts that failed together do not come back together
LONGEST_ASKED: Final = 86_400.0  # seconds; a receiver that asks for more is asked again after a day
STORIES: Final = 50  # in one digest; the rest is counted
GROUPED: Final = 10  # articles named of a group; the rest is counted

Kind = Literal["change", "digest", "group", "follow_up", "more"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """What becomes one story: matches of one article, oldest first. `alike` articles of its host changed the same."""

    matches: tuple[Match, ...]
    alike: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """What becomes one alert. `more` counts what it holds beside its tellings; `rest` are the matches of that."""

    kind: Kind
    tellings: tuple[Telling, ...] = ()
    rest: tuple[Match, ...] = ()
    more: int = 0

    @property
    def matches(self) -> tuple[Match, ...]:
        return (*(match for telling in self.tellings for match in telling.matches), *self.rest)

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(sorted({match.rule for match in self.matches}))


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is to be done with what waits.

    `joined` are matches that a group's alert has told already, by match; `held` those over their rule's cap. `wake` is
    when there may be something to decide again, None where nothing waits.
    """

    bundles: tuple[Bundle, ...] = ()
    joined: Mapping[str, str] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    wake: datetime | None = None


def decide(desk: Desk, channel: Channel, caps: Mapping[str, int], now: datetime) -> Decision:
    """Return what the channel is told now of what waits for it."""
    waiting = [one for one in desk.waiting if one.article not in desk.busy]
    if desk.off or not waiting:
        return Decision()
    if (silent_until := quiet_until(channel, now)) is not None:
        return Decision(wake=silent_until)
    joined, waiting = _joined(waiting, desk)
    fresh = [one for one in waiting if one.state == "waiting"]
    bundles, follow_at = _follow_ups([one for one in fresh if one.happened == "retracted"], desk, now)
    news = [one for one in fresh if one.happened != "retracted"]
    told, wake = _digest(news, desk, channel, now) if channel.digest else _at_once(news, desk, now)
    kept, held = _capped(told, desk, caps, now)
    closings, close_at = _closings([one for one in waiting if one.state == "held"], now)
    ready = [*bundles, *kept, *closings]
    free, free_at = _free(desk, channel, now)
    later = [free_at] if len(ready) > free else []
    later += [at for at in (wake, follow_at, close_at, *(_next_hour(now) for _ in held[:1])) if at]
    return Decision(bundles=tuple(ready[:free]), joined=joined, held=tuple(held), wake=min(later, default=None))


def quiet_until(channel: Channel, now: datetime) -> datetime | None:
    """Return when the channel's quiet hours end, None outside of them."""
    return None if channel.quiet is None else channel.quiet.until(now, channel.zone)


def next_attempt(alert: str, failures: int, now: datetime, asked_seconds: float | None = None) -> datetime | None:
    """Return when an alert that has failed so often is tried again, or None if it is given up.

    `asked_seconds` is the wait that its receiver asked for; it only makes the wait longer. The jitter follows from the
    alert's id, so that the same alert always waits the same.
    """
    if failures > len(RETRIES):
        return None
    wait = RETRIES[failures - 1]
    digest = hashlib.sha256(f"{alert} {failures}".encode()).digest()
    jittered = wait * (1 + JITTER * int.from_bytes(digest[:4], "big") / 2**32)
    return now + timedelta(seconds=max(jittered, min(asked_seconds or 0.0, LONGEST_ASKED)))


def _joined(waiting: Iterable[Match], desk: Desk) -> tuple[dict[str, str], list[Match]]:
    joined, rest = {}, []
    for one in waiting:
        alert = desk.told_groups.get(_change(one)) if one.hunk_hash else None
        if alert is not None and one.happened == "revised" and one.state == "waiting":
            joined[one.id] = alert
        else:
            rest.append(one)
    return joined, rest


def _follow_ups(retracted: Sequence[Match], desk: Desk, now: datetime) -> tuple[list[Bundle], datetime | None]:
    """Return one bundle for each alert of which something is taken back, and when the next match is ripe."""
    by_alert: dict[str, list[Match]] = {}
    for one in retracted:
        if one.ripe <= now:
            by_alert.setdefault(desk.told_by.get(one.follows or "", one.id), []).append(one)
    bundles = []
    for own in by_alert.values():
        tellings = _tellings(own, desk)
        shown, left = tellings[:STORIES], tellings[STORIES:]
        rest = tuple(one for telling in left for one in telling.matches)
        bundles.append(Bundle(kind="follow_up", tellings=tuple(shown), rest=rest, more=len(left)))
    return bundles, min((one.ripe for one in retracted if one.ripe > now), default=None)


def _at_once(news: Sequence[Match], desk: Desk, now: datetime) -> tuple[list[Bundle], datetime | None]:
    """Return a bundle for each group and each article, and when the next match is ripe.

    A group takes with it what is not ripe yet: another of the same is what a match waits for.
    """
    groups, single = _grouped(news, desk, now)
    bundles = [_group(own, desk) for own in groups]
    ripe = [one for one in single if one.ripe <= now]
    bundles += [Bundle(kind="change", tellings=(telling,)) for telling in _tellings(ripe, desk)]
    bundles.sort(key=lambda bundle: (bundle.matches[0].ripe, bundle.matches[0].id))
    return bundles, min((one.ripe for one in single if one.ripe > now), default=None)


def _digest(news: Sequence[Match], desk: Desk, channel: Channel, now: datetime) -> tuple[list[Bundle], datetime | None]:
    """Return one bundle of all that is ripe if its time has come, else when that is."""
    assert channel.digest is not None
    ripe = [one for one in news if one.ripe <= now]
    next_ripe = min((one.ripe for one in news if one.ripe > now), default=None)
    if not ripe:
        return [], next_ripe
    due = channel.digest.due(ripe[0].ripe, len({one.article for one in ripe}), channel.zone)
    if due > now:
        return [], due
    groups, single = _grouped(ripe, desk, now)
    tellings = [Telling(matches=_of_one_article(own), alike=_alike(own, desk)) for own in groups]
    others = [one for own, telling in zip(groups, tellings, strict=True) for one in own if one not in telling.matches]
    tellings += _tellings(single, desk)
    tellings.sort(key=lambda telling: (telling.matches[0].ripe, telling.matches[0].id))
    shown, left = tellings[:STORIES], tellings[STORIES:]
    rest = (*others, *(one for telling in left for one in telling.matches))
    kind: Kind = "change" if len(tellings) == 1 and not others and tellings[0].alike < 2 else "digest"
    return [Bundle(kind=kind, tellings=tuple(shown), rest=rest, more=len(left))], next_ripe


def _grouped(news: Iterable[Match], desk: Desk, now: datetime) -> tuple[list[list[Match]], list[Match]]:
    """Return the matches of changes that several articles of a host share, and the others."""
    shared: dict[tuple[str, str], list[Match]] = {}
    single = []
    for one in news:
        if one.happened == "revised" and one.hunk_hash and desk.alike.get(one.diff or "", 1) > 1:
            shared.setdefault(_change(one), []).append(one)
        else:
            single.append(one)
    ripe = [own for own in shared.values() if any(one.ripe <= now for one in own)]
    single += [one for own in shared.values() if own not in ripe for one in own]
    return ripe, sorted(single, key=lambda one: (one.ripe, one.id))


def _group(own: Sequence[Match], desk: Desk) -> Bundle:
    alike = _alike(own, desk)
    articles: dict[str, list[Match]] = {}
    for one in own:
        articles.setdefault(one.article, []).append(one)
    tellings = [Telling(matches=tuple(matches), alike=alike) for matches in articles.values()]
    shown, left = tellings[:GROUPED], tellings[GROUPED:]
    rest = tuple(one for telling in left for one in telling.matches)
    return Bundle(kind="group", tellings=tuple(shown), rest=rest, more=len(left))


def _tellings(ripe: Iterable[Match], desk: Desk) -> list[Telling]:
    """Return a telling for each article's successive changes of words, and one for each other event."""
    found: dict[tuple[str, str], list[Match]] = {}
    for one in ripe:
        found.setdefault((one.article, "" if one.happened == "revised" else one.event), []).append(one)
    return [Telling(matches=tuple(own)) for own in found.values()]


def _of_one_article(own: Sequence[Match]) -> tuple[Match, ...]:
    return tuple(one for one in own if one.article == own[0].article)


def _alike(own: Sequence[Match], desk: Desk) -> int:
    return max((desk.alike.get(one.diff or "", 1) for one in own), default=1)


def _change(match: Match) -> tuple[str, str]:
    return match.host, match.hunk_hash or ""


def _capped(
    bundles: Iterable[Bundle], desk: Desk, caps: Mapping[str, int], now: datetime
) -> tuple[list[Bundle], list[str]]:
    """Return the bundles for which a rule has room in this hour, and the matches of all others."""
    hour = hour_of(now)
    used: Counter[str] = Counter()
    for created, kind, rules in desk.formed:
        if created >= hour and kind in ("change", "digest", "group"):
            used.update(rules.split(", "))
    kept, held = [], []
    for bundle in bundles:
        if any(used[rule] < caps.get(rule, 1) for rule in bundle.rules):
            used.update(bundle.rules)
            kept.append(bundle)
        else:
            held += [match.id for match in bundle.matches]
    return kept, held


def _closings(held: Sequence[Match], now: datetime) -> tuple[list[Bundle], datetime | None]:
    """Return the closing line of each rule and hour that is over, and when the next hour is."""
    over: dict[tuple[datetime, str], list[Match]] = {}
    for one in held:
        over.setdefault((hour_of(one.held or now), one.rule), []).append(one)
    closings = [
        Bundle(kind="more", rest=tuple(own), more=len({(one.article, one.event) for one in own}))
        for (hour, _), own in sorted(over.items(), key=lambda item: item[0])
        if hour + HOUR <= now
    ]
    return closings, _next_hour(now) if any(hour + HOUR > now for hour, _ in over) else None


def _free(desk: Desk, channel: Channel, now: datetime) -> tuple[int, datetime]:
    """Return how many alerts the channel's rate allows now, and when it allows the next after that.

    What waits counts like what was sent now: after an outage it goes out at once, and must not be more than the rate.
    """
    rate = channel.rate
    if rate is None:
        return len(desk.waiting) + 1, now
    window = timedelta(seconds=rate.seconds)
    recent = sorted(at for at in desk.paced if at > now - window)
    free = max(0, rate.count - len(recent))
    first = recent[-rate.count] if len(recent) >= rate.count else (recent[0] if recent else now)
    return free, first + window


def _next_hour(at: datetime) -> datetime:
    return hour_of(at) + HOUR
