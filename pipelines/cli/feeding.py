"""List the feeds with their health, and add, import, find, pause and remove them.

A feed that stands in the configuration is governed there: what a command changed about it would be undone by the next
run. So these commands change only feeds that were added by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.cli.asking import ask
from pipelines.cli.given import address, settings
from pipelines.cli.screen import answers, distance, emit, number, one_line, table, tell
from pipelines.cli.starting import feeds_in
from pipelines.cli.stepping import Origin, capture_of, read_input
from pipelines.config import Config, source
from pipelines.config.settings import FeedSettings
from wirewatch.bounded import Pool
from wirewatch.clock import Clock
from wirewatch.errors import ConfigurationError
from wirewatch.feeds import DeclaredFeed, OpmlFeed, read_opml
from wirewatch.identity import normalise_url
from wirewatch.model import Source
from wirewatch.store import Store, counters
from wirewatch.store.feeds import FeedHealth, add_feed, feed_health, pause_feed, remove_feed
from wirewatch.store.instance import claim_instance


def list_feeds(config: Config, store: Store, now: datetime, *, as_json: bool) -> None:
    """Print how each feed is; those that stand in the configuration only wait for the first run."""
    healths = feed_health(store)
    known = {health.url for health in healths}
    waiting = [(url, of) for url, of in config.feeds if url not in known]
    if as_json:
        emit([_plain(health) for health in healths] + [_unread(url, of) for url, of in waiting])
        return
    if not healths and not waiting:
        tell("No feed is watched: list some in the configuration, or `wirewatch feeds add URL`.")
        return
    rows = table("Feed", "Last success", "Failures", "New", "Due", numbers=("Failures", "New"))
    for health in healths:
        share = "" if health.share_new is None else f"{health.share_new:.0%}"
        due = "paused" if health.paused else distance(health.due_at, now)
        last, failures = distance(health.last_success, now), str(health.failures or "")
        rows.add_row(_named(health.url, health.source), last, failures, share, due)
        if health.failures:
            rows.add_row(f"  {one_line(health.detail, 300)}", style="yellow")
    for url, of in waiting:
        rows.add_row(_named(url, of), "never", "", "", "at the first run")
    answers().print(rows)
    if wrong := counters.short_cuts(store).get("wrong", 0):
        tell(f"{number(wrong, 'page')} would have passed for unchanged and had changed: a fault of Wirewatch's.")
        tell("`wirewatch dead-letters list` names them; please report it.")


def add(config: Config, store: Store, url: str, options: dict[str, Any], clock: Clock, *, unchecked: bool) -> int:
    """Watch a feed; of a page that is none, name the feeds that it declares and return 1."""
    feed, of = _feed(config, url, options)
    if not unchecked:
        capture = ask(config, feed, clock, source=of, feed=True)
        with Pool(1) as pool:
            found = feeds_in(capture, pool)
        if not found.itself:
            tell(f"{feed} is a page and no feed. It declares {number(len(found.feeds), 'feed')}:")
            _print_found(found.feeds)
            tell("Add one of them with `wirewatch feeds add`.")
            return 1
    claim_instance(store, config.instance)
    new = add_feed(store, feed, of, clock.now())
    tell(f"{feed} {'is watched from the next run on' if new else 'was watched already; its settings are taken'}.")
    return 0


def import_opml(config: Config, store: Store, path: Path, now: datetime, *, as_json: bool) -> None:
    """Watch all feeds of an OPML list that are not watched yet."""
    data = read_input(path)
    with Pool(1) as pool:
        listed = pool.run(read_opml, data, returns=tuple[OpmlFeed, ...], about=str(path))
    if not listed:
        raise ConfigurationError(f"{path} lists no feed; export the list from a feed reader as OPML", about=str(path))
    claim_instance(store, config.instance)
    known = {health.url for health in feed_health(store)} | {url for url, _ in config.feeds}
    added = []
    for feed in listed:
        url = normalise_url(feed.url)
        if url not in known:
            known.add(url)
            name = one_line(feed.title, 500) or None
            add_feed(store, url, Source(feed=url, feed_name=name), now)
            added.append(url)
    if as_json:
        emit({"added": added, "known": len(listed) - len(added)})
        return
    tell(f"Added {number(len(added), 'feed')}; {len(listed) - len(added)} of the list were watched already.")


def discover(page: str, origin: Origin, *, as_json: bool) -> None:
    """Print the feeds that a page declares, or the feed that it is."""
    capture = capture_of(page, origin, feed=True)
    with Pool(1) as pool:
        found = feeds_in(capture, pool).feeds
    if as_json:
        emit(found)
        return
    _print_found(found)


def pause(config: Config, store: Store, url: str) -> None:
    """Ask neither a feed nor its articles until it is added again."""
    _change(pause_feed(store, _own(config, url)), url, "is paused; `wirewatch feeds add` goes on with it")


def remove(config: Config, store: Store, url: str) -> None:
    """Forget a feed and keep its articles."""
    _change(remove_feed(store, _own(config, url)), url, "is forgotten; its articles are kept and not asked any more")


def _change(done: bool, url: str, what: str) -> None:
    if not done:
        raise ConfigurationError(f"There is no feed {url}; `wirewatch feeds list` names them", about=url)
    tell(f"{url} {what}.")


def _own(config: Config, url: str) -> str:
    """Return the normalised address of a feed that is not governed by the configuration."""
    feed = address(url)
    if feed in dict(config.feeds):
        raise ConfigurationError(f"{feed} stands in {config.path}; change it there", about=feed)
    return feed


def _feed(config: Config, url: str, options: dict[str, Any]) -> tuple[str, Source]:
    feed = _own(config, url)
    return feed, source(settings(FeedSettings, {"url": url, **options}), feed)


def _print_found(found: Sequence[DeclaredFeed]) -> None:
    rows = table("Feed", "Title", "Type")
    for feed in found:
        rows.add_row(one_line(feed.url), one_line(feed.title, 80), one_line(feed.type, 40))
    answers().print(rows)


def _named(url: str, of: Source) -> str:
    name = one_line(of.feed_name or of.publisher, 80)
    return f"{name}\n{one_line(url)}" if name else one_line(url)


def _plain(health: FeedHealth) -> dict[str, Any]:
    members = {name: getattr(health, name) for name in FeedHealth.__dataclass_fields__}
    return {**members, "share_new": health.share_new}


def _unread(url: str, of: Source) -> dict[str, Any]:
    return {"url": url, "source": of, "origin": "config", "paused": False, "reads": 0}
