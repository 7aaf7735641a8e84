"""Run the main job over an invented newsroom, offline, and check that it found what the newsroom did.

The time is the newsroom's: each pass is given a clock that stands still at one moment of 16 March 2026. Nothing sleeps,
and nothing is pretended but the news: real HTTP on localhost, a real store, real files.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines import serving
from pipelines.config import Config, load
from pipelines.config.settings import ViewerSettings
from pipelines.run import PassReport, run_pass
from wirewatch import demo as newsrooms
from wirewatch import redline, wording
from wirewatch.canonical import article_key, article_uri
from wirewatch.clock import FixedClock
from wirewatch.demo import Desk, ExpectedArticle, ExpectedPass, Newsroom
from wirewatch.demo.truth import FERRY
from wirewatch.encoding import revive
from wirewatch.errors import ConfigurationError
from wirewatch.identity import normalise_url
from wirewatch.model import Diff
from wirewatch.records import FIELD_PATHS, moment
from wirewatch.revisions import fold
from wirewatch.store import Store, ledger

_CHANGES: Final = ("new", "revised", "restamped", "stale", "gone")
_NO_CHANGES: Final = ("unchanged", "not_modified", "duplicate")
_CONFIGURATION: Final = """\
# The demo's own configuration; it is written anew by each `wirewatch demo`.
instance: {{authority: wirewatch.example, since: "2026"}}
store: sqlite:///wirewatch.db
fetch:
  contact: demo@wirewatch.example
  spacing: 0s  # the newsroom is ours; leave this out for anyone else's
  connect_to: {{{connect_to}}}
feeds:
{feeds}sinks:
  - {{kind: jsonl, name: files, folder: out}}
alerts:
  channels:
{channels}    - {{kind: atom, name: feed, file: alerts.atom}}
  rules:
    - {{name: changes, channels: {changes}, when: {{happened: [revised, withdrawn]}}}}
    - {{name: silent-edits, channels: {people}, when: {{disclosure: undisclosed}}}}
    - {{name: ferries, channels: {people}, when: {{words: [ferry, ferries]}}}}
"""
_DESK: Final = """\
    - {{kind: webhook, name: desk, url: "{url}", secret: "${{DEMO_SECRET}}", allow_addresses: [127.0.0.1]}}
    - {{kind: apprise, name: editor, url: "${{DEMO_MAIL}}", zone: Europe/London}}
"""


def demo(folder: Path, console: Console, *, serve: bool = False) -> int:
    """Make five passes over the newsroom, show what they found, and return 0 if that is what the newsroom did.

    With `serve`, the viewer then shows the store until somebody stops it, at the newsroom's time.
    """
    config_path = folder / "wirewatch.yaml"
    _clear(folder, config_path)
    with Newsroom() as newsroom, Desk(lambda: newsroom.now) as desk:
        config_path.write_text(_configuration(newsroom, desk), encoding="utf-8")
        config = load(config_path, {"DEMO_SECRET": desk.secret, "DEMO_MAIL": desk.mail_url})
        # What stays is for the commands that are typed later, when the desk is closed.
        config_path.write_text(_configuration(newsroom), encoding="utf-8")
        passes = []
        for number, expected in enumerate(newsrooms.expected_passes(), 1):
            newsroom.set_time(expected.at)
            console.print(f"Pass {number} of 5: it is {expected.at:%H:%M} in the newsroom", highlight=False)
            passes.append((expected, run_pass(config, FixedClock(expected.at))))
    console.print(_table(passes))
    store = Store.shared(config.store)
    _show_ferry(store, config, console)
    _show_desk(desk, console)
    differences = [
        *_differing_passes(passes, folder, config),
        *_differing_articles(store),
        *_differing_alerts(desk),
    ]
    _close(folder, config_path, console, differences)
    if serve and not differences:
        _serve(load(config_path, {}), console)
    elif not differences:
        _name_the_viewer(config_path, console)
    return 1 if differences else 0


def _clear(folder: Path, config_path: Path) -> None:
    """Begin anew in the demo's own folder, and leave everyone else's alone."""
    if folder.exists() and any(folder.iterdir()) and not config_path.exists():
        raise ConfigurationError(f"{folder} is not a folder of the demo: name another with --folder", about=str(folder))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _configuration(newsroom: Newsroom, desk: Desk | None = None) -> str:
    """Return the configuration, with the listening desk as long as there is one."""
    feeds = "".join(
        f"  - {{url: {site.feed_url}, publisher: {site.name}, zone: Europe/London, interval: 60s}}\n"
        for site in newsroom.sites
    )
    connect_to = ", ".join(f"{host}: {address}" for host, address in newsroom.connect_to.items())
    return _CONFIGURATION.format(
        connect_to=connect_to,
        feeds=feeds,
        channels=_DESK.format(url=desk.webhook_url) if desk else "",
        changes="[desk, feed]" if desk else "feed",
        people="editor" if desk else "feed",
    )


def _table(passes: Sequence[tuple[ExpectedPass, PassReport]]) -> Table:
    table = Table(
        "time", "read", *_CHANGES, "re-read, no change", "delivered", "alerts", box=None, pad_edge=False, title=None
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for expected, report in passes:
        counts = report.counts["article"]
        same = sum(counts.get(name, 0) for name in _NO_CHANGES)
        numbers = [sum(counts.values()), *(counts.get(name, 0) for name in _CHANGES), same]
        numbers += [sum(report.delivered.values()), sum(report.alerts.sent.values())]
        table.add_row(f"{expected.at:%H:%M}", *(str(n) if n else "·" for n in numbers))
    return table


def _show_ferry(store: Store, config: Config, console: Console) -> None:
    key = article_key(normalise_url(FERRY))
    with store.reading() as conn:
        loaded = ledger.load(conn, key)
        (transition,) = fold(loaded.ledger).transitions
        old = ledger.text(conn, [key], transition.old_text).wording
        new = ledger.text(conn, [key], transition.new_text).wording
        diff = revive(Diff, ledger.kept_diff(conn, transition.id))
    console.print()
    said = wording.sentence(diff, new)
    console.print(Text(f"{said[0].upper()}{said[1:]}.", style="bold"))
    console.print(
        f"Published {transition.old.version_created:%H:%M}, updated {transition.new.version_created:%H:%M} by the"
        f" publisher's clock; seen between {transition.old.last_observed:%H:%M} and"
        f" {transition.new.first_observed:%H:%M} UTC.",
        highlight=False,
    )
    console.print(redline.terminal(diff, old, context=8))


def _show_desk(desk: Desk, console: Console) -> None:
    hooks, mails = ([one for one in desk.arrived if one.by == by] for by in ("webhook", "mail"))
    console.print()
    console.print(
        Text(f"At the listening desk: {len(hooks)} webhooks, all rightly signed, and {len(mails)} mails.", style="bold")
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in sorted(desk.arrived, key=lambda one: (one.at, one.by == "mail", one.links)):
        kind, headline = one.told
        told = headline if one.by == "mail" else f"{kind}: {headline}"
        table.add_row(f"{one.at:%H:%M}", one.by, Text(told))
    console.print(table)


def _close(folder: Path, config_path: Path, console: Console, differences: Sequence[str]) -> None:
    console.print()
    if differences:
        console.print(Text("This is not what the newsroom did:", style="bold red"))
        for difference in differences[:10]:
            console.print(f"  {difference}", highlight=False, markup=False)
        return
    articles = newsrooms.expected_articles()
    revisions = sum(len(article.revisions) for article in articles)
    console.print(
        f"All of it is what the newsroom did: {len(articles)} articles, {revisions} revisions,"
        f" {len(newsrooms.expected_alerts())} alerts, nothing missed or invented."
    )
    console.print(
        f"Store: {folder / 'wirewatch.db'}   records and events: {folder / 'out'}   alerts: {folder / 'alerts.atom'}",
        highlight=False,
        soft_wrap=True,
    )
    console.print("Next, try:", highlight=False)
    for command in (f"show {FERRY}", "alerts list", "feeds list", "export --ledger"):
        console.print(f"  .venv/bin/wirewatch {command} --config {config_path}", highlight=False, soft_wrap=True)


def _name_the_viewer(config_path: Path, console: Console) -> None:
    settings = ViewerSettings()
    command = f".venv/bin/wirewatch serve {config_path}"
    console.print(
        f"Or look at it in a browser, at http://{settings.address}:{settings.port}: {command}",
        highlight=False,
        soft_wrap=True,
    )


def _serve(config: Config, console: Console) -> None:
    console.print()
    clock = FixedClock(newsrooms.expected_passes()[-1].at + timedelta(minutes=5))
    serving.serve(config, clock, lambda said: console.print(said, highlight=False, soft_wrap=True))


# The check


def _differing_passes(passes: Sequence[tuple[ExpectedPass, PassReport]], folder: Path, config: Config) -> Iterator[str]:
    events = [orjson.loads(line) for path in sorted((folder / "out" / "events").iterdir()) for line in path.open("rb")]
    for expected, report in passes:
        at = f"{expected.at:%H:%M}"
        counts = report.counts["article"]
        for outcome in sorted({*counts, *_CHANGES} - {*_NO_CHANGES}):
            if (found := counts.get(outcome, 0)) != (wanted := expected.counted(outcome)):
                yield f"{at}: {found} articles counted as {outcome}, the newsroom made {wanted}"
        found_events = Counter(_said(event) for event in events if event["recordedtime"] == moment(expected.at))
        wanted_events = Counter(_wanted(change, config) for change in expected.changes if change.event)
        for said in (wanted_events - found_events).elements():
            yield f"{at}: not announced: {said}"
        for said in (found_events - wanted_events).elements():
            yield f"{at}: announced, though it did not happen: {said}"


def _said(event: dict[str, Any]) -> tuple[object, ...]:
    data = event["data"]
    signal = data.get("signal", "").rsplit("/", 1)[-1] or None
    kind = event["type"].split(".")[2]
    return (event["subject"], kind, data.get("disclosure"), signal, tuple(sorted(data.get("changedFields", []))))


def _wanted(change: newsrooms.ExpectedChange, config: Config) -> tuple[object, ...]:
    uri = article_uri(config.instance.authority, config.instance.since, article_key(normalise_url(change.url)))
    fields = {FIELD_PATHS[name].split("/")[0] for name in change.fields}
    return (uri, change.event, change.disclosure, change.signal, tuple(sorted(fields)))


def _differing_alerts(desk: Desk) -> Iterator[str]:
    if desk.turned_away or desk.repeated:
        yield f"the desk turned away {desk.turned_away} and had {desk.repeated} alerts twice"
    found = Counter((one.by, one.at, normalise_url(link)) for one in desk.arrived for link in one.links)
    wanted = Counter((one.by, one.at, normalise_url(one.url)) for one in newsrooms.expected_alerts())
    for by, at, url in (wanted - found).elements():
        yield f"{at:%H:%M}: no {by} arrived about {url}"
    for by, at, url in (found - wanted).elements():
        yield f"{at:%H:%M}: a {by} arrived about {url}, for no reason"
    kinds = {(normalise_url(one.url), one.happened) for one in newsrooms.expected_alerts()}
    for one in desk.arrived:
        if one.by == "webhook" and (normalise_url(one.links[0]), one.told[0]) not in kinds:
            yield f"{one.at:%H:%M}: {one.links[0]} was said to be {one.told[0]}"


def _differing_articles(store: Store) -> Iterator[str]:
    expected = newsrooms.expected_articles()
    with store.reading() as conn:
        count = ledger.count_articles(conn)
        if count != len(expected):
            yield f"{count} articles in the store, the newsroom has {len(expected)}"
        for article in expected:
            key = article_key(normalise_url(article.url))
            history = fold(ledger.load(conn, key).ledger)
            names = {alias.name for alias in ledger.names(conn, key)}
            texts = [ledger.text(conn, [key], one.text_hash).wording.headline for one in history.revisions]
            yield from _differing_article(article, history, texts, names)


def _differing_article(article: ExpectedArticle, history: Any, headlines: list[Any], names: set[str]) -> Iterator[str]:
    found = [(name, one.first_observed) for name, one in zip(headlines, history.revisions, strict=True)]
    wanted = [(one.headline, one.first_observed) for one in article.revisions]
    if found != wanted:
        yield f"{article.url}: revisions {found}, the newsroom made {wanted}"
    if history.availability.value != article.availability:
        yield f"{article.url}: {history.availability.value}, in the newsroom {article.availability}"
    if missing := {normalise_url(alias) for alias in article.aliases} - names:
        yield f"{article.url}: not known by {sorted(missing)}"
    stamp = history.revisions[-1].stamp if history.revisions else None
    if article.stamp and (stamp is None or stamp.at != article.stamp):
        yield f"{article.url}: stamp {stamp and stamp.at}, in the newsroom {article.stamp}"
