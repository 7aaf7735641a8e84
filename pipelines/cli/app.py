# ruff: noqa: PLC0415 - each command imports what it needs when it is run
"""Every command with its options; what it does stands in the module that it imports."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from pipelines.cli.stepping import Origin
    from pipelines.config import Config
    from wirewatch.store import Store

DEFAULT = Path("wirewatch.yaml")
_PANELS = _START, _WATCH, _LOOK, _STEP, _KEEP = "Begin", "Watch", "Look", "Try one step", "Keep in order"


_LONGEST_HELP = 200  # characters; nothing is cut


class _Grouped(TyperGroup):
    """List the commands under what they are for. In plain text: rich's help takes 0.3 s of CPU to import."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one section for each group of commands."""
        commands = [(name, command) for name in self.list_commands(ctx) if (command := self.get_command(ctx, name))]
        panels = dict.fromkeys([*_PANELS, *(getattr(command, "rich_help_panel", "") for _, command in commands)])
        for panel in panels:
            rows = [
                (name, command.get_short_help_str(_LONGEST_HELP))
                for name, command in commands
                if getattr(command, "rich_help_panel", "") == panel
            ]
            if rows:
                with formatter.section(panel if isinstance(panel, str) and panel else "Commands"):
                    formatter.write_dl(rows)


app = typer.Typer(
    name="wirewatch",
    cls=_Grouped,
    rich_markup_mode=None,
    help="Watch news: keep every revision of every article, and say what changed.",
    epilog="Every command takes wirewatch.yaml of this folder unless another configuration is named.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
feeds = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="List the feeds with their health; add, import, pause and remove them.",
)
letters = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="See what could not be used, and bring it in again."
)
alerting = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Try rules on what is kept, list what was told, and send it again.",
)
app.add_typer(feeds, name="feeds", rich_help_panel=_WATCH)
app.add_typer(alerting, name="alerts", rich_help_panel=_WATCH)
app.add_typer(letters, name="dead-letters", rich_help_panel=_KEEP)

ConfigArgument = Annotated[Path, typer.Argument(metavar="CONFIG", help="The configuration.", show_default=False)]
ConfigOption = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Log = Annotated[str | None, typer.Option("--log", metavar="text|json", help="How the log is written.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if a page or feed could not be read.")]
Zone = Annotated[str | None, typer.Option(metavar="NAME", help="Zone of stamps without one, such as Europe/London.")]
Language = Annotated[str | None, typer.Option(metavar="TAG", help="Language, where the input names none.")]
Address = Annotated[str | None, typer.Option("--url", metavar="URL", help="The address that a file came from.")]
ObservedAt = Annotated[
    str | None, typer.Option("--observed-at", metavar="TIME", help="When it was read, such as 2026-03-16T14:26:00Z.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from wirewatch import __version__

        sys.stdout.write(f"wirewatch {__version__}\n")
        raise typer.Exit


@app.callback()
def _all_commands(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    _debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """Take the options that stand before a command; `--debug` is taken off the line before typer sees it."""


@app.command(rich_help_panel=_START)
def demo(
    folder: Annotated[Path, typer.Option(help="Where the store and the files go.")] = Path("demo"),
    *,
    serve: Annotated[bool, typer.Option("--serve", help="Then show it in a browser, until stopped.")] = False,
) -> None:
    """Watch an invented newsroom on this machine for five passes, offline, and show what was found."""
    from pipelines.cli.screen import answers
    from pipelines.demo import demo as run_demo

    raise typer.Exit(run_demo(folder, answers(), serve=serve))


@app.command(rich_help_panel=_START)
def init(
    url: Annotated[str | None, typer.Argument(metavar="URL", help="A feed, or a page that declares some.")] = None,
    *,
    contact: Annotated[
        str | None,
        typer.Option(envvar="WIREWATCH_CONTACT", metavar="ADDRESS", help="Where publishers can reach you."),
    ] = None,
    authority: Annotated[str | None, typer.Option(metavar="DOMAIN", help="A domain of yours, for URIs.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")] = DEFAULT,
    connect_to: Annotated[
        list[str] | None, typer.Option(metavar="HOST=ADDRESS:PORT", help="Where a host is to be reached.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="What may be asked although it is not public.")
    ] = None,
) -> None:
    """Write a configuration to start from; given a page, with the feeds that it declares."""
    from pipelines.cli.starting import Wishes
    from pipelines.cli.starting import init as write
    from wirewatch.clock import SystemClock

    wishes = Wishes(url=url, contact=contact, authority=authority, connect_to=connect_to or (), allow=allow or ())
    write(output, wishes, SystemClock())


@app.command(rich_help_panel=_WATCH)
def run(
    config: ConfigArgument = DEFAULT,
    every: Annotated[str | None, typer.Option(metavar="TIME", help="Go on, one pass every 60s, 10m, …")] = None,
    log: Log = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Read the feeds and articles that are due, keep what they say, and deliver it."""
    from pipelines.cli import given, watching
    from wirewatch.clock import SystemClock

    seconds = None if every is None else given.period(every, "--every")
    loaded = _load(config).logging(given.log(log))
    if seconds is None:
        if log is not None:
            raise typer.BadParameter("it is for a run that goes on: give --every too", param_hint="--log")
        raise typer.Exit(watching.run(loaded, SystemClock(), strict=strict, as_json=json))
    raise typer.Exit(watching.run_on(loaded, SystemClock(), seconds, strict=strict, as_json=json))


@app.command(rich_help_panel=_WATCH)
def stream(
    config: ConfigArgument = DEFAULT,
    *,
    runner: Annotated[str | None, typer.Option(metavar="prism|flink|dataflow", help="The engine.")] = None,
    tick: Annotated[str | None, typer.Option(metavar="TIME", help="How often the store is asked what is due.")] = None,
    backlog: Annotated[
        str | None, typer.Option(metavar="TIME", help="Lease nothing while something leased waits for so long.")
    ] = None,
    parallelism: Annotated[str | None, typer.Option(metavar="N", help="Flink: tasks that share each step.")] = None,
    prism: Annotated[Path | None, typer.Option(metavar="FILE", help="Prism: where its program lies.")] = None,
    job_server: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Flink: where Beam's job server listens.")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Flink: where a TaskManager finds its worker pool.")
    ] = None,
    flink: Annotated[str | None, typer.Option(metavar="URL", help="Flink: its REST interface.")] = None,
    checkpoint_interval: Annotated[
        str | None, typer.Option(metavar="TIME", help="Flink: how often the job's state is written down.")
    ] = None,
    from_savepoint: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Flink: go on from where a job was stopped.")
    ] = None,
    log: Log = None,
) -> None:
    """Watch without end, as a streaming job; what is not given here stands under `stream:` in the configuration."""
    from pipelines.cli import given, streaming
    from wirewatch.clock import SystemClock

    options = {"runner": runner, "tick": tick, "backlog": backlog, "parallelism": parallelism, "prism": prism}
    options |= {"job_server": job_server, "workers": workers, "flink": flink}
    options |= {"checkpoint_interval": checkpoint_interval}
    streaming.stream(_load(config).logging(given.log(log)), options, SystemClock(), savepoint=from_savepoint)


@app.command(rich_help_panel=_WATCH)
def watch(
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="The articles.")],
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Read articles now, and keep watching them with every run."""
    from pipelines.cli import watching
    from wirewatch.clock import SystemClock

    raise typer.Exit(watching.watch(_load(config), urls, SystemClock(), as_json=json))


@app.command(rich_help_panel=_WATCH)
def replay(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The configuration.")],
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Captures as JSON Lines (.gz too), .html or .txt.")
    ],
    *,
    url: Address = None,
    observed_at: ObservedAt = None,
    feed: Annotated[str | None, typer.Option(metavar="URL", help="The feed that named the page.")] = None,
    json: Json = False,
) -> None:
    """Keep captures out of files as if they had been read at their time; nothing of them alerts."""
    from pipelines.cli import given, watching
    from wirewatch.clock import SystemClock

    observed = None if observed_at is None else given.moment(observed_at, "--observed-at")
    loaded = _load(config)
    code = watching.replay(loaded, inputs, SystemClock(), url=url, observed_at=observed, feed=feed, as_json=json)
    raise typer.Exit(code)


@app.command(rich_help_panel=_WATCH)
def send(
    config: ConfigArgument = DEFAULT,
    every: Annotated[str | None, typer.Option(metavar="TIME", help="Go on, looking every 10s, 1m, …")] = None,
    json: Json = False,
) -> None:
    """Send the alerts that are ripe, and say how many wait and until when; `run` does it after each pass."""
    from pipelines.cli import alerting as sending
    from pipelines.cli import given
    from wirewatch.clock import SystemClock

    seconds = None if every is None else given.period(every, "--every")
    with _opened(config) as (loaded, store):
        if seconds is None:
            code = sending.send(loaded, store, SystemClock(), as_json=json)
        else:
            code = sending.send_continuously(loaded, store, SystemClock(), seconds, as_json=json)
    raise typer.Exit(code)


@alerting.command("try")
def alerts_try(
    config: ConfigArgument = DEFAULT,
    *,
    rule: Annotated[str | None, typer.Option(metavar="NAME", help="One rule only.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Events recorded since then, such as 2026-03-16T00:00:00Z.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="How many events are asked, newest first.")
    ] = 10_000,
    json: Json = False,
) -> None:
    """Show which of the stored events each rule would have matched, and why; nothing is sent."""
    from pipelines.cli import alerting as sending
    from pipelines.cli import given

    begin = None if since is None else given.moment(since, "--since")
    with _opened(config) as (loaded, store):
        sending.try_rules(loaded, store, rule=rule, since=begin, limit=limit, as_json=json)


@alerting.command("list")
def alerts_list(
    config: ConfigOption = DEFAULT,
    *,
    state: Annotated[str | None, typer.Option(metavar="waiting|sent|dead", help="Those of one state only.")] = None,
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Those of one channel only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, newest first.")] = 100,
    json: Json = False,
) -> None:
    """List what was told where and when, what waits, and what was given up and why."""
    from pipelines.cli import alerting as sending

    with _opened(config) as (_, store):
        sending.list_alerts(store, state=state, channel=channel, limit=limit, as_json=json)


@alerting.command("show")
def alerts_show(
    alert: Annotated[str, typer.Argument(metavar="ID", help="The alert, by its id in the list.")],
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Show what one alert said, and why each of its changes was told."""
    from pipelines.cli import alerting as sending

    with _opened(config) as (loaded, store):
        sending.show_alert(loaded, store, alert, as_json=json)


@alerting.command("again")
def alerts_again(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="The alerts.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up.")] = False,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Send alerts once more that were sent or given up, under the same id."""
    from pipelines.cli import alerting as sending
    from wirewatch.clock import SystemClock

    with _opened(config) as (_, store):
        sending.send_again(store, ids or (), SystemClock().now(), everything=dead, as_json=json)


@alerting.command("on")
def alerts_on(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel's name.")],
    config: ConfigOption = DEFAULT,
) -> None:
    """Send to a channel again that was switched off because its receiver was gone."""
    from pipelines.cli import alerting as sending

    with _opened(config) as (loaded, store):
        sending.switch_on(loaded, store, channel)


@feeds.command("list")
def feeds_list(config: ConfigOption = DEFAULT, json: Json = False) -> None:
    """List the feeds: last success, failures in a row, share of new entries, and when each is due."""
    from pipelines.cli import feeding
    from wirewatch.clock import SystemClock

    with _opened(config) as (loaded, store):
        feeding.list_feeds(loaded, store, SystemClock().now(), as_json=json)


@feeds.command("add")
def feeds_add(
    url: Annotated[str, typer.Argument(metavar="URL", help="The feed's address.")],
    *,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="The feed's name.")] = None,
    publisher: Annotated[str | None, typer.Option(metavar="TEXT", help="The publisher's name.")] = None,
    section: Annotated[str | None, typer.Option(metavar="TEXT", help="The section, where pages name none.")] = None,
    language: Language = None,
    zone: Zone = None,
    interval: Annotated[str | None, typer.Option(metavar="TIME", help="How often it is read, 1m to 1d.")] = None,
    track: Annotated[str | None, typer.Option(metavar="pages|entries", help="What is compared.")] = None,
    unchecked: Annotated[bool, typer.Option("--unchecked", help="Add it without asking it first.")] = False,
    config: ConfigOption = DEFAULT,
) -> None:
    """Watch a feed that the configuration does not list; of a page, name the feeds that it declares."""
    from pipelines.cli import feeding
    from wirewatch.clock import SystemClock

    options = {"name": name, "publisher": publisher, "section": section, "language": language, "zone": zone}
    options |= {"interval": interval, "track": track}
    with _opened(config) as (loaded, store):
        code = feeding.add(loaded, store, url, options, SystemClock(), unchecked=unchecked)
    raise typer.Exit(code)


@feeds.command("import")
def feeds_import(
    opml: Annotated[Path, typer.Argument(metavar="FILE", help="A list of feeds in OPML.")],
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Watch all feeds of an OPML list, as feed readers export it."""
    from pipelines.cli import feeding
    from wirewatch.clock import SystemClock

    with _opened(config) as (loaded, store):
        feeding.import_opml(loaded, store, opml, SystemClock().now(), as_json=json)


@feeds.command("discover")
def feeds_discover(
    page: Annotated[str, typer.Argument(metavar="URL|FILE", help="The page.")],
    url: Address = None,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """List the feeds that a page declares."""
    from pipelines.cli import feeding

    feeding.discover(page, _origin(page, config, url=url), as_json=json)


@feeds.command("pause")
def feeds_pause(
    url: Annotated[str, typer.Argument(metavar="URL", help="The feed's address.")], config: ConfigOption = DEFAULT
) -> None:
    """Ask neither a feed nor its articles, until it is added again."""
    from pipelines.cli import feeding

    with _opened(config) as (loaded, store):
        feeding.pause(loaded, store, url)


@feeds.command("remove")
def feeds_remove(
    url: Annotated[str, typer.Argument(metavar="URL", help="The feed's address.")], config: ConfigOption = DEFAULT
) -> None:
    """Forget a feed; its articles are kept and not asked any more."""
    from pipelines.cli import feeding

    with _opened(config) as (loaded, store):
        feeding.remove(loaded, store, url)


@app.command(rich_help_panel=_LOOK)
def show(
    article: Annotated[str, typer.Argument(metavar="URL|URI", help="Any address of the article, or its uri.")],
    *,
    old: Annotated[int | None, typer.Option("--from", metavar="N", help="The revision to compare from.")] = None,
    new: Annotated[int | None, typer.Option("--to", metavar="M", help="The revision to compare to.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Show unchanged text, too.")] = False,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Show an article's ledger as a timeline, and what changed between two revisions: the last two, unless named."""
    from pipelines.cli import article as articles
    from wirewatch.clock import SystemClock

    with _opened(config) as (loaded, store):
        articles.show(loaded, store, article, (old, new), SystemClock().now(), whole=whole, as_json=json)


@app.command(rich_help_panel=_LOOK)
def serve(
    config: ConfigArgument = DEFAULT,
    *,
    address: Annotated[str | None, typer.Option(metavar="ADDRESS", help="On which address; this machine's.")] = None,
    port: Annotated[str | None, typer.Option(metavar="N", help="On which port; 8730.")] = None,
    user_header: Annotated[
        str | None, typer.Option(metavar="NAME", help="The header in which a reverse proxy names the user.")
    ] = None,
    time_limit: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long a page may take the store; 5s.")
    ] = None,
    log: Log = None,
) -> None:
    """Show what changed in a browser, with feeds and an API, until stopped; what is not given here stands under
    `viewer:` in the configuration.
    """
    from pipelines.cli import given, serving
    from wirewatch.clock import SystemClock

    options = {"address": address, "port": port, "user_header": user_header, "time_limit": time_limit}
    raise typer.Exit(serving.serve(_load(config).logging(given.log(log)), options, SystemClock()))


@app.command(rich_help_panel=_LOOK)
def export(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="The configuration.", show_default=False)
    ] = None,
    *,
    ledger: Annotated[bool, typer.Option("--ledger", help="Articles with each sight of them.")] = False,
    records: Annotated[bool, typer.Option("--records", help="Revisions with their texts.")] = False,
    events: Annotated[bool, typer.Option("--events", help="What happened to articles.")] = False,
    hunks: Annotated[bool, typer.Option("--hunks", help="Each single change of words.")] = False,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="jsonl|csv|parquet", help="Unless it is said, by the ending of --output."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write, whole or not at all.")
    ] = None,
    publisher: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only of this publisher; can be given again.")
    ] = None,
    of_feed: Annotated[
        list[str] | None, typer.Option("--feed", metavar="URL", help="Only from this feed; can be given again.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only in this language, such as en, which has en-GB in it.")
    ] = None,
    url: Annotated[list[str] | None, typer.Option(metavar="URL", help="Only this article; can be given again.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only from then on, such as 2026-03-16T00:00:00Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only before then.")] = None,
    named: ConfigOption = DEFAULT,
) -> None:
    """Write out what is kept, in an order that does not depend on how it came."""
    from pipelines.cli import exporting

    asked = {"ledger": ledger, "records": records, "events": events, "hunks": hunks}
    chosen = [name for name, wanted in asked.items() if wanted]
    if len(chosen) != 1:
        raise typer.BadParameter("say what to export, one of --ledger, --records, --events and --hunks")
    wanted = exporting.Wanted(
        what=chosen[0],
        form=form,
        output=output,
        publishers=tuple(publisher or ()),
        feeds=tuple(of_feed or ()),
        languages=tuple(language or ()),
        urls=tuple(url or ()),
        since=since,
        until=until,
    )
    wanted.check()
    with _opened(config or named) as (loaded, store):
        exporting.export(loaded, store, wanted)


@app.command(rich_help_panel=_STEP)
def extract(
    page: Annotated[str, typer.Argument(metavar="FILE|URL|-", help="The page; - is standard input.")],
    *,
    url: Address = None,
    observed_at: ObservedAt = None,
    zone: Zone = None,
    language: Language = None,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Show what is read from a page: its article, and what the publisher says about when."""
    from pipelines.cli import stepping

    origin = _origin(page, config, url=url, observed_at=observed_at, zone=zone, language=language)
    raise typer.Exit(stepping.extract(page, origin, as_json=json))


@app.command(rich_help_panel=_STEP)
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The earlier page, .html or .txt.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The later page.")],
    whole: Annotated[bool, typer.Option("--whole", help="Show unchanged text, too.")] = False,
    json: Json = False,
) -> None:
    """Show what changed from one page to another."""
    from pipelines.cli import stepping

    raise typer.Exit(stepping.diff(old, new, whole=whole, as_json=json))


@app.command(rich_help_panel=_STEP)
def feed(
    document: Annotated[str, typer.Argument(metavar="FILE|URL|-", help="The feed; - is standard input.")],
    *,
    url: Address = None,
    observed_at: ObservedAt = None,
    zone: Zone = None,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Show what is read from a feed: its entries, and when they were published."""
    from pipelines.cli import stepping

    origin = _origin(document, config, url=url, observed_at=observed_at, zone=zone)
    raise typer.Exit(stepping.feed(document, origin, as_json=json))


@app.command(rich_help_panel=_LOOK)
def evidence(
    article: Annotated[str, typer.Argument(metavar="URL|URI", help="Any address of the article, or its uri.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER|FILE.zip", help="Where it goes; evidence-KEY if left out."),
    ] = None,
    config: ConfigOption = DEFAULT,
) -> None:
    """Write all that is kept of an article, with hashes and a report that can be read and printed, for others."""
    from pipelines.cli import proving

    with _opened(config) as (loaded, store):
        proving.evidence(loaded, store, article, output)


@app.command(rich_help_panel=_KEEP)
def verify(
    article: Annotated[
        str | None,
        typer.Argument(metavar="[URL|URI]", help="One article; left out, the whole store.", show_default=False),
    ] = None,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Check every page, text and revision against its hash, and say what is wrong first; exit with 1 if anything is."""
    from pipelines.cli import proving

    with _opened(config) as (loaded, store):
        raise typer.Exit(proving.verify(loaded, store, article, as_json=json))


@app.command(rich_help_panel=_KEEP)
def tidy(
    config: ConfigArgument = DEFAULT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and touch nothing.")] = False,
    json: Json = False,
) -> None:
    """Throw away what is older than `retention` says, in small steps, while others work; say what that freed."""
    from pipelines.cli import tidying
    from wirewatch.clock import SystemClock

    with _opened(config) as (loaded, store):
        tidying.tidy(loaded, store, SystemClock().now(), dry_run=dry_run, as_json=json)


@app.command(rich_help_panel=_KEEP)
def forget(
    article: Annotated[str, typer.Argument(metavar="URL|URI", help="Any address of the article, or its uri.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays in the store.")],
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Delete all that is kept of an article's words, ask for it no more, and say who else has copies."""
    from pipelines.cli import tidying
    from wirewatch.clock import SystemClock

    with _opened(config) as (loaded, store):
        tidying.forget(loaded, store, article, reason, SystemClock().now(), as_json=json)


@app.command(rich_help_panel=_KEEP)
def check(config: ConfigArgument = DEFAULT, json: Json = False) -> None:
    """Say whether a configuration can be used, and name everything that is wrong with it."""
    from pipelines.cli import upkeep

    raise typer.Exit(upkeep.check(config, os.environ, as_json=json))


@app.command(rich_help_panel=_KEEP)
def schema(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One of those that are listed without it.")] = None,
    authority: Annotated[
        str, typer.Option(metavar="DOMAIN", help="The installation that publishes it.")
    ] = "wirewatch.example",
    dictionary: Annotated[
        bool, typer.Option("--dictionary", help="Print the columns of all tables, in Markdown.")
    ] = False,
    json: Json = False,
) -> None:
    """Print the JSON Schema of what Wirewatch reads and writes."""
    from pipelines.cli import upkeep

    if dictionary:
        upkeep.dictionary()
    else:
        upkeep.schema(name, authority, as_json=json)


@app.command("roll-back", rich_help_panel=_KEEP)
def roll_back(
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="The schema that the older Wirewatch knows.")],
    config: ConfigArgument = DEFAULT,
) -> None:
    """Take the store's schema back, so that an older Wirewatch can go on; stop all jobs and make a copy first."""
    from pipelines.cli import upkeep

    with _opened(config) as (_, store):
        upkeep.roll_back(store, to)


@letters.command("list")
def letters_list(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, newest first.")] = 100,
    everything: Annotated[bool, typer.Option("--all", help="Those that were replayed, too.")] = False,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """List what could not be used, newest first, with the reason."""
    from pipelines.cli import upkeep

    with _opened(config) as (_, store):
        upkeep.list_letters(store, limit=limit, everything=everything, as_json=json)


@letters.command("show")
def letters_show(
    letter: Annotated[int, typer.Argument(metavar="ID", help="The dead letter.")],
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Show all that is known of one."""
    from pipelines.cli import upkeep

    with _opened(config) as (_, store):
        upkeep.show_letter(store, letter, as_json=json)


@letters.command("replay")
def letters_replay(
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID...", help="The dead letters.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were not replayed yet.")] = False,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Bring what could not be used in again: the next run reads it."""
    from pipelines.cli import upkeep
    from wirewatch.clock import SystemClock

    with _opened(config) as (_, store):
        upkeep.replay_letters(store, ids or (), SystemClock().now(), everything=everything, as_json=json)


def _load(path: Path) -> Config:
    from pipelines.config import load

    return load(path, os.environ)


def _opened(path: Path) -> AbstractContextManager[tuple[Config, Store]]:
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Iterator[tuple[Config, Store]]:
        config = _load(path)
        store = config.open_store()
        try:
            yield config, store
        finally:
            store.close()

    return opened()


def _origin(
    given: str,
    config: Path,
    *,
    url: str | None = None,
    observed_at: str | None = None,
    zone: str | None = None,
    language: str | None = None,
) -> Origin:
    from pipelines.cli.stepping import origin

    return origin(given, lambda: _load(config), url=url, observed_at=observed_at, zone=zone, language=language)
