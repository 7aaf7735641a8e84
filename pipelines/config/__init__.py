"""Read a deployment's one YAML file into what jobs are given.

`load` reads the file and the environment, once; nothing after it does. What it gives has no text of the file any more,
only the rooms' own records, so that a rule can be tested without a file. A store's address holds its password: it is
in `store`, and in no message and no `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from pipelines.config.complaints import (
    complain,
    complain_of_repetitions,
    complain_of_secrets,
    complain_of_unknown_channels,
)
from pipelines.config.document import Document, read_document
from pipelines.config.engines import horizon_seconds, refusals
from pipelines.config.problems import BadConfiguration, Problem
from pipelines.config.settings import (
    DAY,
    FeedSettings,
    FetchSettings,
    MonitorSettings,
    RetentionSettings,
    Settings,
    SourceSettings,
    StreamSettings,
    ViewerSettings,
    WorkSettings,
)
from transforms.sinks.base import Sink
from transforms.sources.base import MessageSource
from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.matching import NO_ALERTS, Alerting
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.identity import normalise_url
from wirewatch.model import Instance, Source
from wirewatch.schedule import LONGEST_ARTICLE_GAP
from wirewatch.store import Store
from wirewatch.store.engine import parse, shown
from wirewatch.units import duration_text

if TYPE_CHECKING:
    from transforms.process import Job
    from wirewatch.clock import Clock
    from wirewatch.store.tidying import Retention

__all__ = ["DEFAULT_NAME", "BadConfiguration", "Config", "Problem", "load", "parse_settings", "too_short"]

M = TypeVar("M", bound=BaseModel)

DEFAULT_NAME: Final = "wirewatch.yaml"


@dataclass(frozen=True, kw_only=True)
class Config:
    """One deployment, as jobs take it. Feeds and articles are pairs of normalised URL and source."""

    path: Path
    instance: Instance
    store: str = field(repr=False)  # its address, with its password
    fetch_settings: FetchSettings
    feeds: tuple[tuple[str, Source], ...] = ()
    articles: tuple[tuple[str, Source], ...] = ()
    sources: tuple[MessageSource, ...] = ()
    sinks: tuple[Sink, ...] = ()
    alerting: Alerting = NO_ALERTS
    channels: tuple[Channel, ...] = ()
    operator: str | None = None  # the channel that hears of Wirewatch itself
    retention_settings: RetentionSettings = field(default_factory=RetentionSettings)
    viewer: ViewerSettings = field(default_factory=ViewerSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    monitor: MonitorSettings = field(default_factory=MonitorSettings)
    stream: StreamSettings = field(default_factory=StreamSettings)

    @property
    def shown_store(self) -> str:
        """The store's address without its password."""
        return shown(parse(self.store))

    @property
    def spacing_seconds(self) -> float:
        return self.fetch_settings.spacing

    @property
    def host_spacing(self) -> Mapping[str, float]:
        return self.fetch_settings.hosts

    @cached_property
    def fetch(self) -> FetchPolicy:
        """The rules for requests."""
        settings = self.fetch_settings
        return FetchPolicy(
            contact=settings.contact,
            connect_seconds=settings.connect_timeout,
            read_seconds=settings.read_timeout,
            total_seconds=settings.total_timeout,
            max_redirects=settings.max_redirects,
            article_bytes=settings.article_size,
            feed_bytes=settings.feed_size,
            allow_addresses=settings.allow_addresses,
            connect_to=settings.connect_to,
            ca_file=None if settings.ca_file is None else str(settings.ca_file),
            parallel=settings.parallel,
            parallel_per_host=settings.parallel_per_host,
        )

    @property
    def retention(self) -> Retention:
        """How long things stay in the store."""
        from wirewatch.store.tidying import Retention  # noqa: PLC0415 (all that removes, which a pass has no use for)

        kept = {name: getattr(self.retention_settings, name) for name in RetentionSettings.model_fields}
        return Retention(**{name: timedelta(seconds=one) for name, one in kept.items() if one is not None})

    def open_store(self) -> Store:
        """Open the store, made if need be; raise StoreError or ConfigurationError where that cannot be."""
        return Store.open(self.store)

    def job(self, clock: Clock, run: str) -> Job:
        """Return what the steps of one run are given."""
        from transforms.process import Job  # noqa: PLC0415 (imports all that reads a page)

        return Job(
            store=self.store,
            instance=self.instance,
            clock=clock,
            run=run,
            fetch=self.fetch,
            sinks=tuple(sink.name for sink in self.sinks),
            alerting=self.alerting,
            children=self.work.children,
            timeout_seconds=self.work.timeout,
            horizon_seconds=self.work.horizon,
            wave=self.work.wave,
        )

    def stream_job(self, clock: Clock, run: str) -> Job:
        """Return what the steps of a job that never ends are given."""
        from transforms.process import Stream  # noqa: PLC0415

        stream = Stream(every_seconds=self.stream.tick, backlog_seconds=self.stream.backlog)
        return replace(self.job(clock, run), stream=stream, horizon_seconds=horizon_seconds(self.stream))

    def logging(self, kind: Literal["text", "json"] | None) -> Config:
        """Return the deployment with its log written so, if something else was asked for."""
        return self if kind is None else replace(self, monitor=self.monitor.model_copy(update={"log": kind}))

    def streaming(self, settings: StreamSettings) -> Config:
        """Return the deployment with other settings for its stream.

        Raise ConfigurationError with everything that cannot be run so.
        """
        wrong = refusals(settings, store=self.store, fetch=self.fetch_settings, sources=self.sources, sinks=self.sinks)
        if problems := [Problem(message=why, place=f"stream.{key}") for key, why in wrong]:
            raise BadConfiguration(str(self.path), problems)
        return replace(self, stream=settings)


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the configuration in a file, with values from `environ` for each `${NAME}`.

    Raise BadConfiguration with everything that is wrong with it.
    """
    document = read_document(path, environ)
    settings = parse_settings(document)
    folder = path.absolute().parent
    return Config(
        path=path,
        instance=Instance(authority=settings.instance.authority, since=settings.instance.since),
        store=_anchored_store(settings.store.get_secret_value(), folder),
        fetch_settings=_anchored(settings.fetch, folder),
        feeds=tuple((url, source(feed, url)) for feed in settings.feeds for url in [normalise_url(feed.url)]),
        articles=tuple((normalise_url(one.url), source(one)) for one in settings.articles),
        sources=tuple(_anchored(one, folder) for one in settings.sources),
        sinks=tuple(_anchored(sink, folder) for sink in settings.sinks),
        alerting=Alerting(rules=settings.alerts.rules, settle_seconds=settings.alerts.settle),
        channels=tuple(_anchored(channel, folder) for channel in settings.alerts.channels),
        operator=settings.alerts.operator,
        retention_settings=settings.retention,
        viewer=settings.viewer,
        work=settings.work,
        monitor=settings.monitor,
        stream=_anchored(settings.stream or StreamSettings(), folder),
    )


def parse_settings(document: Document) -> Settings:
    """Return what a document says, or raise BadConfiguration with everything that is wrong with it."""
    if document.value is None and not document.problems:
        document.report((), "this is empty; `wirewatch init` writes one to start from")
    elif not isinstance(document.value, dict) and not document.problems:
        document.report((), "this is no mapping; write keys and values, such as `feeds:`")
    settings = None
    if isinstance(document.value, dict):
        complain_of_repetitions(document)
        complain_of_secrets(document)
        complain_of_unknown_channels(document)
        try:
            settings = Settings.model_validate(document.value)
        except ValidationError as error:
            complain(document, error)
        else:
            _complain_of_stream(document, settings)
            _complain_of_retention(document, settings)
    if document.problems or settings is None:
        raise BadConfiguration(document.name, document.problems)
    return settings


def _complain_of_stream(document: Document, settings: Settings) -> None:
    """Note what the engine that is named cannot run; without a section nothing is named."""
    if settings.stream is None or document.problems:
        return
    wrong = refusals(
        settings.stream,
        store=settings.store.get_secret_value(),
        fetch=settings.fetch,
        sources=settings.sources,
        sinks=settings.sinks,
    )
    for key, why in wrong:
        document.report(("stream", key), why)


def _complain_of_retention(document: Document, settings: Settings) -> None:
    """Note what would be thrown away while its article is still asked for."""
    ends = [(one.end, one.url) for one in settings.feeds]
    ends += [(one.end, one.url) for one in settings.articles]
    longest, url = max(ends, default=(0.0, ""))
    for key, what in (("pages", "pages"), ("texts", "texts")):
        stays = getattr(settings.retention, key)
        if ends and stays is not None and (why := too_short(what, stays, longest, url)):
            document.report(("retention", key), why)


def too_short(what: str, stays: float, end: float, of: str) -> str | None:
    """Return why things of articles that are asked for so long cannot stay so short, both in seconds; None if they can.

    What awaits confirmation is asked for a little longer than `end`.
    """
    needed = end + LONGEST_ARTICLE_GAP
    if stays >= needed:
        return None
    return (
        f"{what} would go after {duration_text(stays)}, while articles of {of} are asked for until {duration_text(end)}"
        f" after their last change, and late answers are waited for: write at least {duration_text(needed)}, or lower"
        " `end` there"
    )


def source(settings: SourceSettings, feed: str | None = None) -> Source:
    """Return what readings may take from a source's settings; `feed` is the feed's normalised address."""
    of_feed: dict[str, Any] = {}
    if isinstance(settings, FeedSettings):
        interval = settings.interval
        of_feed = {
            "feed": feed,
            "feed_name": settings.name,
            "track": settings.track,
            "interval_seconds": None if interval is None else round(interval),
        }
    return Source(
        **of_feed,
        publisher=settings.publisher,
        publisher_url=settings.publisher_url,
        section=settings.section,
        language=settings.language,
        zone=settings.zone,
        zone_names=tuple(sorted(settings.zone_names.items())),
        copyright_holder=settings.copyright_holder,
        copyright_notice=settings.copyright_notice,
        usage_terms=settings.usage_terms,
        terms_url=settings.terms_url,
        floor_seconds=round(settings.floor),
        end_days=round(settings.end / DAY),
    )


def _anchored_store(address: str, folder: Path) -> str:
    """Return the store's address with a relative file in the configuration's folder, wherever the command is run."""
    url = parse(address)
    if url.get_backend_name() != "sqlite" or not url.database:
        return address
    return f"sqlite:///{folder / url.database}"


def _anchored(settings: M, folder: Path) -> M:
    """Return settings whose relative paths lie in the configuration's folder."""
    paths = {name: getattr(settings, name) for name in type(settings).model_fields}
    return settings.model_copy(
        update={name: folder / path.expanduser() for name, path in paths.items() if isinstance(path, Path)}
    )
