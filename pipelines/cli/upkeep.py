"""Check a configuration, print schemas, and bring dead letters in again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.cli.screen import answers, emit, emit_lines, moment, number, one_line, table, tell
from pipelines.config import BadConfiguration, Config, Problem, load
from wirewatch.errors import ConfigurationError
from wirewatch.schema import schemas
from wirewatch.store import Store, dead_letters, inbox, migrations, outbox
from wirewatch.store.dead_letters import DeadLetter


def check(path: Path, environ: Mapping[str, str], *, as_json: bool) -> int:
    """Say whether a configuration can be used, or everything that is wrong with it; return the exit code."""
    try:
        config = load(path, environ)
        if problems := list(_problems_of_channels(config)):
            raise BadConfiguration(str(path), problems)  # noqa: TRY301 (told in the same way)
    except BadConfiguration as error:
        if not as_json:
            raise
        emit({"valid": False, "file": str(path), "errors": error.problems})
        return error.exit_code
    parts: dict[str, tuple[Any, ...]] = {"feeds": config.feeds, "articles": config.articles, "sinks": config.sinks}
    if config.channels:
        parts |= {"channels": config.channels, "rules": config.alerting.rules}
    if as_json:
        counts = {name: len(part) for name, part in parts.items()}
        emit({"valid": True, "file": str(path), "store": config.shown_store, **counts})
        return 0
    counted = ", ".join(number(len(part), name.removesuffix("s")) for name, part in parts.items())
    answers().print(f"{path} is right: {counted}; the store is {config.shown_store}", soft_wrap=True)
    return 0


def _problems_of_channels(config: Config) -> Iterator[Problem]:
    for index, channel in enumerate(config.channels):
        for key, problem in channel.problems():
            yield Problem(message=f"{problem} (channel {channel.name})", place=f"alerts.channels[{index}].{key}")


def schema(name: str | None, authority: str, *, as_json: bool) -> None:
    """Print one schema, or which there are."""
    known = schemas(authority)
    if name is not None and name not in known:
        raise ConfigurationError(f"There is no schema {name!r}; there is {', '.join(known)}")
    if name is not None:
        emit(known[name])
    elif as_json:
        emit(known)
    else:
        rows = table("Name", "Address")
        for each, described in known.items():
            rows.add_row(each, described["$id"])
        answers().print(rows)


def dictionary() -> None:
    """Print what the columns of all tables are."""
    from wirewatch.rows.dictionary import dictionary as described  # noqa: PLC0415 (only here)

    emit_lines(iter([described().encode()]))


def roll_back(store: Store, to: str) -> None:
    """Take the store's schema back to an older one, for the Wirewatch that knows no newer one."""
    known = migrations.numbers()
    if to not in known[:-1]:
        older = ", ".join(known[:-1])
        raise ConfigurationError(f"--to: {to!r} is no schema before {known[-1]}, which this is; there is {older}")
    migrations.migrate(store.engine, to)
    tell(f"The store has schema {to}. Go on with the Wirewatch that knows it; this one would bring it to {known[-1]}.")


def list_letters(store: Store, *, limit: int, everything: bool, as_json: bool) -> None:
    """Print the newest dead letters."""
    letters = dead_letters.listed(store, limit=limit, with_replayed=everything)
    if as_json:
        emit([_plain(letter) for letter in letters])
        return
    if not letters:
        tell("There are no dead letters." if everything else "There are no dead letters that were not replayed.")
        return
    rows = table("Id", "When (UTC)", "Step", "What", "Reason", numbers=("Id",))
    rows.columns[1].no_wrap = rows.columns[2].no_wrap = True
    for letter in letters:
        replayed = " (replayed)" if letter.replayed else "" if letter.replayable else " (cannot be replayed)"
        rows.add_row(str(letter.id), moment(letter.at), letter.step, _what(letter), one_line(letter.reason) + replayed)
    answers().print(rows)


def show_letter(store: Store, letter_id: int, *, as_json: bool) -> None:
    """Print one dead letter with all that is known of it."""
    found = dead_letters.get(store, letter_id)
    if found is None:
        raise ConfigurationError(f"There is no dead letter {letter_id}; `wirewatch dead-letters list` names them")
    letter, capture = found
    if as_json:
        headers = capture.headers if capture else ()
        emit({**_plain(letter), "headers": dict(headers), "bytes": len(capture.body) if capture else None})
        return
    rows = table("", "")
    rows.show_header = False
    for name, value in (
        ("Reason", one_line(letter.reason)),
        ("What", _what(letter)),
        ("Step", letter.step),
        ("When", f"{moment(letter.at)} UTC"),
        ("SHA-256", letter.sha256 or ""),
        ("Observed", f"{moment(capture.observed)} UTC" if capture else ""),
        ("Content type", one_line(capture.header("content-type")) if capture else ""),
        ("Size", f"{len(capture.body):,} bytes" if capture else ""),
        ("Replayed", f"{moment(letter.replayed)} UTC" if letter.replayed else ""),
    ):
        if value:
            rows.add_row(name, value)
    answers().print(rows)


def replay_letters(store: Store, letter_ids: Sequence[int], now: datetime, *, everything: bool, as_json: bool) -> None:
    """Put the captures of dead letters into the inbox, all or none; the next run reads them."""
    ids = list(dict.fromkeys(letter_ids))
    if everything:
        waiting = dead_letters.listed(store, limit=100_000, with_replayed=False)
        ids = sorted(letter.id for letter in waiting if letter.replayable)
    elif not ids:
        raise ConfigurationError("Name the dead letters to replay, or give --all")
    found = {letter_id: dead_letters.get(store, letter_id) for letter_id in ids}
    if unknown := [letter_id for letter_id, letter in found.items() if letter is None]:
        raise ConfigurationError(f"There is no dead letter {', '.join(map(str, unknown))}; nothing was replayed")
    captures = {letter_id: letter[1] for letter_id, letter in found.items() if letter is not None}
    refused = {
        one: letter[0].file or "" for one, letter in found.items() if letter and letter[0].step == outbox.DELIVER
    }
    if empty := [one for one, capture in captures.items() if capture is None and one not in refused]:
        kept = ", ".join(map(str, empty))
        raise ConfigurationError(f"Of {kept} nothing was kept that could be replayed; nothing was replayed")
    with store.begin() as conn:
        put = [
            letter_id
            for letter_id, capture in captures.items()
            if (capture is not None and inbox.put(conn, f"dead-letter-{letter_id}", capture, now))
            or (letter_id in refused and outbox.deliver_again(conn, refused[letter_id]))
        ]
        dead_letters.mark_replayed(conn, put, now)
    if as_json:
        emit({"replayed": put})
        return
    waiting_already = len(ids) - len(put)
    tell(
        f"{number(len(put), 'dead letter')} will be tried again by the next run"
        + (f"; {waiting_already} waited already." if waiting_already else ".")
    )


def _what(letter: DeadLetter) -> str:
    place = f"{letter.file}:{letter.line}" if letter.file and letter.line else letter.file
    return one_line(" ".join(filter(None, (letter.url, place))))


def _plain(letter: DeadLetter) -> dict[str, object]:
    return {name: getattr(letter, name) for name in DeadLetter.__dataclass_fields__}
