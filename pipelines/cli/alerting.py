"""Send alerts, list what was told, and try rules on what is kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from pipelines.cli.screen import answers, emit, moment, number, one_line, table, tell, write_text
from pipelines.config import Config
from pipelines.sending import SendReport, links, send_on, send_waiting
from wirewatch.alerts.trying import tried
from wirewatch.clock import Clock
from wirewatch.errors import ConfigurationError
from wirewatch.store import Store, alerts

_STATES = ("waiting", "sent", "dead")


def send(config: Config, store: Store, clock: Clock, *, as_json: bool) -> int:
    """Send what is ripe and return the exit code."""
    _need_channels(config)
    report = send_waiting(config, store, clock, tell)
    if as_json:
        emit(report.as_json())
    else:
        answers().print(report.sentence() or "Nothing waits.", soft_wrap=True)
    return 0


def send_continuously(config: Config, store: Store, clock: Clock, seconds: float, *, as_json: bool) -> int:
    """Send every so many seconds until interrupted or asked to end; return the exit code."""
    _need_channels(config)

    def sent(round_: Any) -> None:
        report = SendReport(sent=dict(round_.sent), failed=dict(round_.failed), given_up=dict(round_.dead))
        if not report.sentence():
            return
        if as_json:
            emit(report.as_json())
        else:
            answers().print(report.sentence(), soft_wrap=True)
        sys.stdout.flush()

    send_on(config, store, clock, seconds, say=tell, sent=sent)
    return 0


def try_rules(
    config: Config, store: Store, *, rule: str | None, since: datetime | None, limit: int, as_json: bool
) -> None:
    """Print which of the stored events the rules match, and why."""
    rules = [one for one in config.alerting.rules if rule in (None, one.name)]
    if rule is not None and not rules:
        names = ", ".join(one.name for one in config.alerting.rules) or "none"
        raise ConfigurationError(f"There is no rule {rule!r}; there is {names}")
    if not rules:
        raise ConfigurationError(f"{config.path} has no rules; write some under alerts.rules")
    asked, found = 0, []
    for one in islice(tried(store, rules, since), limit):
        asked += 1
        if one.matches:
            found.append(one)
    if as_json:
        emit({"asked": asked, "matched": found})
        return
    rows = table("Recorded (UTC)", "Rule", "Channels", "Article", "Why")
    rows.columns[0].no_wrap = True
    for one in found:
        for match in one.matches:
            told = "nobody: back-fill" if one.backfill else ", ".join(match.channels)
            article = one_line(one.headline or one.url, 80)
            rows.add_row(moment(one.recorded), match.rule, told, article, one_line("; ".join(match.why), 200))
    if found:
        answers().print(rows)
    matched = {name: sum(m.rule == name for one in found for m in one.matches) for name in (r.name for r in rules)}
    said = ", ".join(f"{name} {n:,}" for name, n in matched.items())
    tell(f"{number(asked, 'stored event')} asked; matched by rule: {said}. Nothing was sent.")


def list_alerts(store: Store, *, state: str | None, channel: str | None, limit: int, as_json: bool) -> None:
    """Print what was told, newest first."""
    if state is not None and state not in _STATES:
        raise ConfigurationError(f"--state: {state!r} is not {' or '.join(_STATES)}")
    found = alerts.listed(store, limit=limit, states=(state,) if state else (), channel=channel)
    if as_json:
        emit(found)
        return
    if not found:
        tell("There are no alerts yet." if state is None and channel is None else "There are no such alerts.")
        return
    rows = table("Id", "Created (UTC)", "Channel", "Rule", "State", "What")
    rows.columns[0].no_wrap = rows.columns[1].no_wrap = True
    for one in found:
        what = one_line(one.subject or one.kind.replace("_", " "), 100)
        if one.state != "sent" and one.detail:
            what = f"{what}: {one_line(one.detail, 160)}"
        rows.add_row(one.id, moment(one.created), one.channel, one_line(one.rule, 60), _state(one), what)
    answers().print(rows)


def show_alert(config: Config, store: Store, name: str, *, as_json: bool) -> None:
    """Print what one alert said, which matches it told of, and why each was one."""
    from wirewatch.alerts.model import Alert  # noqa: PLC0415 (all that says and sends)
    from wirewatch.encoding import revive_json  # noqa: PLC0415

    with store.reading() as conn:
        body, matches = alerts.body(conn, name), alerts.matches_of(conn, name)
    if body is None:
        raise ConfigurationError(f"There is no alert {name}; `wirewatch alerts list` names those that there are")
    alert = revive_json(Alert, body)
    if as_json:
        emit({"alert": alert, "matches": matches})
        return
    channel = next((one for one in config.channels if one.name == alert.channel), None)
    if channel is None:
        tell(f"The channel {alert.channel} is not configured any more; --json shows what it was told.")
    else:
        write_text(channel.compose(alert, links(config)).text)
    rows = table("State", "Rule", "Matched (UTC)", "Why")
    rows.columns[0].no_wrap = rows.columns[2].no_wrap = True
    for one in matches:
        rows.add_row(one.state, one.rule, moment(one.matched), one_line("; ".join(one.why), 200))
    if matches:
        answers().print()
        answers().print(rows)


def send_again(store: Store, ids: Sequence[str], now: datetime, *, everything: bool, as_json: bool) -> None:
    """Have alerts sent once more."""
    if everything == bool(ids):
        raise ConfigurationError("Name the alerts to send again, or give --dead for all that were given up")
    if everything:
        ids = [one.id for one in alerts.listed(store, limit=100_000, states=("dead",))]
    again = alerts.send_again(store, ids, now)
    if missing := sorted(set(ids) - set(again)):
        raise ConfigurationError(f"{', '.join(missing)} is no alert that was sent or given up")
    if as_json:
        emit({"again": again})
        return
    tell(f"{number(len(again), 'alert')} will be sent again, under the same id, by the next run or send.")


def switch_on(config: Config, store: Store, channel: str) -> None:
    """Send to a channel again that was switched off."""
    names = [one.name for one in config.channels]
    if channel not in names:
        raise ConfigurationError(f"There is no channel {channel!r}; there is {', '.join(names) or 'none'}")
    if not alerts.switch_on(store, channel):
        tell(f"{channel} was not off.")
        return
    waiting = alerts.backlog(store, [channel])[channel]
    tell(
        f"{channel} is on again; {number(waiting.matches + waiting.alerts, 'alert')} for it will go with the next run."
    )


def _state(one: alerts.Entry) -> str:
    if one.state == "waiting":
        return f"waits until {moment(one.due)}" + (f", {number(one.failures, 'failure')}" if one.failures else "")
    return f"{'given up' if one.state == 'dead' else one.state} {moment(one.settled)}"


def _need_channels(config: Config) -> None:
    if not config.channels:
        raise ConfigurationError(f"{config.path} has no channels; name one under alerts.channels")
