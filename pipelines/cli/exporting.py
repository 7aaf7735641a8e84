"""Write an export to a file or to standard output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from pipelines import export as exports
from pipelines.cli import given
from pipelines.cli.screen import emit_lines, number, tell
from pipelines.config import Config
from pipelines.export import Selection
from wirewatch.errors import ConfigurationError
from wirewatch.files import write_whole
from wirewatch.store import Store

_ENDINGS: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    what: Any  # one of exports.What
    form: str | None
    output: Path | None
    publishers: tuple[str, ...]
    feeds: tuple[str, ...]
    languages: tuple[str, ...]
    urls: tuple[str, ...]
    since: str | None
    until: str | None

    @property
    def written_as(self) -> str:
        """How it is written: as was said, else by the file's ending, else as JSON Lines."""
        ending = "" if self.output is None else self.output.suffix.lower()
        return self.form or _ENDINGS.get(ending, "jsonl")

    def check(self) -> None:
        """Raise ConfigurationError for what cannot be meant, before anything is opened."""
        if self.written_as not in _ENDINGS.values():
            raise ConfigurationError(f"--format: {self.form!r} is none of jsonl, csv and parquet")
        if self.written_as == "parquet" and self.output is None:
            raise ConfigurationError("Parquet is written to a file only: give --output FILE.parquet")
        period = self.selection_of_time()
        if period.since and period.until and period.since >= period.until:
            raise ConfigurationError(f"--until: {self.until} is not later than --since {self.since}")

    def selection_of_time(self) -> Selection:
        """Return the period that was asked for."""
        return Selection(
            since=None if self.since is None else given.moment(self.since, "--since"),
            until=None if self.until is None else given.moment(self.until, "--until"),
        )

    def selection(self, store: Store) -> Selection:
        """Return the filters; raise ConfigurationError for an article that is not known."""
        period = self.selection_of_time()
        return Selection(
            publishers=self.publishers,
            languages=self.languages,
            feeds=tuple(map(given.address, self.feeds)),
            articles=exports.keys_of(store, tuple(map(given.address, self.urls))),
            since=period.since,
            until=period.until,
        )


def export(config: Config, store: Store, wanted: Wanted) -> None:
    """Write what was asked for."""
    selection = wanted.selection(store)
    what, instance = wanted.what, config.instance
    lines = {"jsonl": exports.json_lines, "csv": exports.csv_lines}.get(wanted.written_as)
    if wanted.output is None:
        emit_lines((lines or exports.json_lines)(store, instance, what, selection))
        return

    def write(file: IO[bytes]) -> None:
        if lines is None:
            exports.write_parquet(store, instance, what, selection, file)
        else:
            file.writelines(lines(store, instance, what, selection))

    write_whole(wanted.output, write)
    tell(f"{wanted.output} has {number(wanted.output.stat().st_size, 'byte')}.")
