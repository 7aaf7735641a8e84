"""Throw away what is older than it is to stay, and forget single articles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.cli.article import find
from pipelines.cli.screen import answers, emit, number, one_line, progress, table, tell
from pipelines.config import Config, too_short
from wirewatch.errors import BadContent, ConfigurationError
from wirewatch.identity import normalise_url
from wirewatch.store import Store
from wirewatch.store.forgetting import Copies, Forgotten
from wirewatch.store.forgetting import forget as forget_article
from wirewatch.store.removing import Freed
from wirewatch.store.tidying import Space, longest_end, space
from wirewatch.store.tidying import tidy as tidy_store


def tidy(config: Config, store: Store, now: datetime, *, dry_run: bool, as_json: bool) -> None:
    """Throw away what is too old, and say what that freed."""
    retention = config.retention
    if not any(getattr(retention, name) for name in type(retention).__dataclass_fields__):
        raise ConfigurationError(
            f"{config.path}: there is no `retention`, so everything stays; say what is to go after when"
        )
    _refuse_too_short(config, store)
    with progress() as step:
        freed = tidy_store(store, retention, now, dry_run=dry_run, progress=step)
    after = space(store)
    if as_json:
        emit({"dryRun": dry_run, "freed": _plain(freed), "store": {"bytes": after.bytes, "reusable": after.free}})
        return
    rows = table("What", "Rows", "Bytes", numbers=("Rows", "Bytes"))
    for what, one in freed.items():
        rows.add_row(what, f"{one.rows:,}", f"{one.bytes:,}")
    answers().print(rows)
    total = sum(freed.values(), Freed())
    verb = "Would throw" if dry_run else "Threw"
    answers().print(
        f"{verb} away {number(total.rows, 'row')} of {total.bytes:,} bytes. {_about_space(after)}", soft_wrap=True
    )


def _plain(freed: Mapping[str, Freed]) -> dict[str, dict[str, int]]:
    return {what: {"rows": one.rows, "bytes": one.bytes} for what, one in freed.items()}


def _refuse_too_short(config: Config, store: Store) -> None:
    """Raise ConfigurationError where a feed of the store alone is read for longer than things stay."""
    end = longest_end(store).total_seconds()
    for what in ("pages", "texts"):
        stays = getattr(config.retention, what)
        why = too_short(what, stays.total_seconds(), end, "a feed in the store") if stays is not None else None
        if why:
            raise ConfigurationError(f"{config.path}: retention.{what}: {why}", about=str(config.path))


def _about_space(after: Space) -> str:
    if after.free is None:
        return (
            f"The database takes {after.bytes:,} bytes. PostgreSQL uses what was freed again once it has vacuumed,"
            " which it does by itself; only VACUUM FULL makes its files smaller, and locks its tables meanwhile."
        )
    return (
        f"The file takes {after.bytes:,} bytes, {after.free:,} of them free to be used again. It does not shrink by"
        " itself: `sqlite3 FILE VACUUM` makes it smaller, while nothing else runs, and needs as much room again."
    )


def forget(config: Config, store: Store, name: str, reason: str, now: datetime, *, as_json: bool) -> None:
    """Forget an article, and say what was taken out and who else has copies."""
    reason = " ".join(reason.split())
    if not reason:
        raise ConfigurationError("Say why with --reason: it is all that will be left to explain it")
    key = find(store, config, name).row.key
    done = forget_article(store, key, reason, now, _normal)
    article = find(store, config, key)
    copies = list(_copies(config, done))
    if as_json:
        told = {name: getattr(done, name) for name in ("at", "reason", "before", "shared")}
        emit({"uri": article.uri, "url": article.row.url, **told, "freed": _plain(done.freed), "copies": copies})
        return
    when = f"It was forgotten already on {done.at:%Y-%m-%d} ({one_line(done.reason)}). " if done.before else ""
    taken = ", ".join(number(one.rows, *_NAMES[what]) for what, one in done.freed.items() if one.rows)
    answers().print(
        f"{when}Forgot {one_line(article.row.url)}: {taken or 'nothing was left to delete'}. Hashes, times and the"
        " reason stay; it is not asked for any more, and nothing of it is taken in again.",
        soft_wrap=True,
    )
    if done.shared:
        tell(f"{number(done.shared, 'page')} stayed: other articles have the very same.")
    for one in copies:
        tell(f"  {one['place']}: {one['says']}")
    tell("Back-ups of the store, and files that captures were replayed from, still have it; forget it there as well.")


_NAMES = {
    "pages": ("page",),
    "texts": ("text",),
    "diffs": ("diff",),
    "alerts": ("alert",),
    "outbox": ("message in the outbox", "messages in the outbox"),
    "inbox": ("waiting capture",),
    "dead letters": ("dead letter",),
}


def _copies(config: Config, done: Forgotten) -> Iterator[dict[str, Any]]:
    """Yield where copies lie, or may lie: sinks and channels, those of the configuration and those that once were."""
    sinks = {one.name: one for one in config.sinks}
    had = {one.place: one for one in done.sinks}
    for name in sorted({*sinks, *had}):
        of = f"{sinks[name].kind}, {_where(sinks[name])}" if name in sinks else "not in the configuration any more"
        yield {"place": f"sink {name} ({of})", "says": _says(had.get(name), "record or event", "records and events")}
    channels = {one.name: one for one in config.channels}
    told = {one.place: one for one in done.channels}
    for name in sorted(told):
        of = channels[name].kind if name in channels else "not in the configuration any more"
        yield {"place": f"channel {name} ({of})", "says": _says(told[name], "alert", "alerts")}


def _says(copies: Copies | None, what: str, plural: str) -> str:
    if copies is None or not copies.sent + copies.perhaps:
        return f"had no {what} of it that the store still knew of"
    parts = []
    if copies.sent:
        parts.append(f"has had {number(copies.sent, what, plural)}")
    if copies.perhaps:
        parts.append(f"may have had {number(copies.perhaps, what, plural)} that were on their way")
    return f"{' and '.join(parts)}: delete there what names the article"


def _where(sink: Any) -> str:
    """Return where a sink writes to, without anything that is secret."""
    for name in ("folder", "topic", "dataset", "table"):
        value = getattr(sink, name, None)
        if isinstance(value, (str, Path)):
            return str(value)
    return "elsewhere"


def _normal(url: str) -> str:
    with suppress(BadContent):
        return normalise_url(url)
    return url
