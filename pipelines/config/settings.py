"""What a configuration file may say: its keys, what each takes, and what is taken where it is left out.

A value's own validator says only what is wrong with it (`is no duration; …`): place, line and the value itself are put
before it by whoever reports, who alone knows whether the value may be shown. `docs/configuration.md` is made from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from transforms.sinks import AnySink
from transforms.sources import AnySource
from wirewatch.alerts.channels import AnyChannel
from wirewatch.alerts.rules import Rule
from wirewatch.errors import WirewatchError
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.identity import normalise_url
from wirewatch.model import Track
from wirewatch.store.engine import parse as parse_store
from wirewatch.times.zones import region
from wirewatch.units import duration_text, seconds, size, size_text

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_LONGEST_TEXT: Final = 1000  # characters; usage terms are a sentence or two
# RFC 4151, 2.1: a domain name in small letters.
_AUTHORITY: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")  # RFC 5646, 2.1, without private use
_ABBREVIATION: Final = re.compile(r"[A-Za-z]{1,5}")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,253}")


class Spelling:
    """Say in words what a key takes, for the reference."""

    def __init__(self, words: str) -> None:
        self.words = words


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text; put it in quotes")  # noqa: TRY004 (pydantic reports ValueErrors)
    text = value.strip()
    if not text:
        raise ValueError("is empty; write something or leave the key out")
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise ValueError(f"is no text of one line and at most {_LONGEST_TEXT} characters")
    return text


def _web_address(text: str) -> str:
    try:
        normalise_url(text)
        parts = urlsplit(text)
    except (WirewatchError, ValueError):
        raise ValueError("is no web address; write it like https://courier.example/rss.xml") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("carries a user name or password, and Wirewatch never logs in")
    return text


def _zone(text: str) -> str:
    if region(text) is not None:
        return text
    near = get_close_matches(text, sorted(available_timezones()), n=1, cutoff=0.8)
    hint = f"did you mean {near[0]}?" if near else "write an IANA name such as Europe/London"
    raise ValueError(f"is no time zone; {hint}")


def _abbreviation(text: str) -> str:
    if not _ABBREVIATION.fullmatch(text):
        raise ValueError("is no zone's abbreviation, which has one to five letters")
    return text.upper()


def _authority(text: str) -> str:
    if not _AUTHORITY.fullmatch(text):
        raise ValueError("is no domain name; write one of yours in small letters, such as news.example.org")
    return text


def _since(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", text):
        try:
            date.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text)
        except ValueError:
            pass
        else:
            return text
    raise ValueError("is no date; write a year or a day on which you held that domain, such as 2026 or 2026-03-16")


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError("is no language tag; write it like en or en-GB")
    return text


def _contact(text: str) -> str:
    if not text.isascii() or not ("@" in text or "://" in text):
        raise ValueError("reaches nobody; write a mail address or a web page, in ASCII")
    return text


def _whole(value: object) -> int:
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise ValueError("is no whole number")
    return int(text)


def _whole_days(value: float) -> float:
    if value % DAY:
        raise ValueError("is not a number of whole days, such as 30d")
    return value


def _named(name: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        wanted: Any = {name: {"a.example": text} if name == "connect_to" else (text,)}
        try:
            FetchPolicy(contact="me@a.example", **wanted)
        except WirewatchError as error:
            raise ValueError(str(error).partition("' ")[2] or str(error)) from None
        return text

    return check


def _host(text: str) -> str:
    if not _HOST_NAME.fullmatch(text):
        raise ValueError("is no host name; write it without http:// and path")
    return text.lower()


def _listening(text: str) -> str:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return _host(text)
    return text.strip("[]")


def _store(text: str) -> str:
    try:
        parse_store(text)
    except WirewatchError as error:
        raise ValueError(str(error)) from None
    return text


class _Between:
    """Bound a value, and say so in the reference."""

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    what = ""

    @staticmethod
    def written(value: Any) -> str:
        return f"{value:,}"

    @property
    def words(self) -> str:
        return f"{self.what}{self.written(self.low)} to {self.written(self.high)}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: Any) -> Any:
        if not self.low <= value <= self.high:
            raise ValueError(f"is not between {self.written(self.low)} and {self.written(self.high)}")
        return value


class _Lasts(_Between):
    what = "duration, "

    @staticmethod
    def written(value: Any) -> str:
        return duration_text(value)


class _Takes(_Between):
    what = "size, "

    @staticmethod
    def written(value: Any) -> str:
        return size_text(value)


Duration = Annotated[float, BeforeValidator(seconds)]
Size = Annotated[int, BeforeValidator(size)]
Count = Annotated[int, BeforeValidator(_whole)]
Text = Annotated[str, BeforeValidator(_text), Spelling("text")]
WebAddress = Annotated[Text, AfterValidator(_web_address), Spelling("web address")]
Zone = Annotated[Text, AfterValidator(_zone), Spelling("IANA time zone")]


class Section(BaseModel):
    """A part of the file. A key without a value counts as left out; an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}


class InstanceSettings(Section):
    """The installation's name, which stands in every URI that is given out. Chosen once; the store refuses another."""

    authority: Annotated[
        Text,
        AfterValidator(_authority),
        Spelling("domain name"),
        Field(description="A domain name of yours."),
    ]
    since: Annotated[
        str,
        BeforeValidator(_since),
        Spelling("year or date"),
        Field(description="A year or day on which you held that domain (RFC 4151)."),
    ]


class FetchSettings(Section):
    """How pages are asked for: who asks, how often, how long and how much."""

    contact: Annotated[
        Text,
        AfterValidator(_contact),
        Spelling("mail address or web page"),
        Field(description="Where publishers can reach you; sent with every request."),
    ]
    spacing: Annotated[
        Duration,
        _Lasts(0, HOUR),
        Field(description="Time between two requests to a host; its robots.txt may ask for more."),
    ] = 1.0
    hosts: dict[Annotated[Text, AfterValidator(_host)], Annotated[Duration, _Lasts(0, HOUR)]] = Field(
        default={}, description="Another `spacing` for single hosts: `{courier.example: 5s}`."
    )
    connect_timeout: Annotated[
        Duration, _Lasts(0.1, 10 * MINUTE), Field(description="How long a connection may take to be made.")
    ] = 10.0
    read_timeout: Annotated[
        Duration, _Lasts(0.1, 10 * MINUTE), Field(description="How long a server may say nothing.")
    ] = 30.0
    total_timeout: Annotated[
        Duration, _Lasts(0.1, HOUR), Field(description="How long all requests for one page may take together.")
    ] = 60.0
    max_redirects: Annotated[Count, _Between(0, 20), Field(description="How many redirects are followed.")] = 10
    article_size: Annotated[
        Size, _Takes(1, 100 * 2**20), Field(description="The largest page that is taken, decompressed.")
    ] = 5 * 2**20
    feed_size: Annotated[
        Size, _Takes(1, 15 * 2**20), Field(description="The largest feed that is taken, decompressed.")
    ] = 15 * 2**20
    parallel: Annotated[Count, _Between(1, 1000), Field(description="Requests under way at once.")] = 100
    parallel_per_host: Annotated[
        Count, _Between(1, 20), Field(description="Requests under way at once to one host.")
    ] = 6
    allow_addresses: tuple[
        Annotated[Text, AfterValidator(_named("allow_addresses")), Spelling("address, network or host")],
        ...,
    ] = Field(default=(), description="What may be asked although it is not public: `[10.0.0.0/8, intranet.example]`.")
    connect_to: dict[
        Annotated[Text, AfterValidator(_host)],
        Annotated[Text, AfterValidator(_named("connect_to")), Spelling("address and port")],
    ] = Field(default={}, description="Where a host is to be reached: `{courier.example: 127.0.0.1:8080}`.")
    ca_file: Path | None = Field(
        default=None, description="A PEM file of certificate authorities to trust beside the system's."
    )


class SourceSettings(Section):
    """What is known of a source and cannot be read off its pages; it goes into the records."""

    publisher: Text | None = Field(default=None, description="The publisher's name.")
    publisher_url: WebAddress | None = Field(default=None, description="The publisher's own address.")
    section: Text | None = Field(default=None, description="The section, where pages name none.")
    language: Annotated[Text, AfterValidator(_language), Spelling("language tag")] | None = Field(
        default=None, description="The language, where pages name none."
    )
    zone: Zone | None = Field(default=None, description="The zone of stamps that are printed without one; else UTC.")
    zone_names: dict[Annotated[Text, AfterValidator(_abbreviation)], Zone] = Field(
        default={}, description="What ambiguous zone names mean here: `{IST: Asia/Kolkata}`."
    )
    floor: Annotated[
        Duration, _Lasts(MINUTE, 30 * DAY), Field(description="An article is never asked for again sooner.")
    ] = 10 * MINUTE
    end: Annotated[
        Duration,
        _Lasts(DAY, 3650 * DAY),
        AfterValidator(_whole_days),
        Field(description="An article is asked for no more so long after its first sight or last change."),
    ] = 30 * DAY
    copyright_holder: Text | None = Field(default=None, description="Who holds the copyright.")
    copyright_notice: Text | None = Field(default=None, description="The copyright line.")
    usage_terms: Text | None = Field(default=None, description="What may be done with the text.")
    terms_url: WebAddress | None = Field(default=None, description="Where the terms are published.")


def _only_url(data: object) -> object:
    return {"url": data} if isinstance(data, str) else data


class FeedSettings(SourceSettings):
    """One feed; its address alone will do."""

    url: Annotated[WebAddress, Field(description="The feed's address.")]
    name: Text | None = Field(default=None, description="The feed's name.")
    track: Track = Field(
        default=Track.PAGES,
        description="What is compared: the pages that the entries link to, or the entries' own title and summary.",
    )
    interval: Annotated[Duration, _Lasts(MINUTE, DAY)] | None = Field(
        default=None, description="How often it is read; left out, it adapts to what the feed brings."
    )


class ArticleSettings(SourceSettings):
    """One article that is watched without a feed; its address alone will do."""

    url: Annotated[WebAddress, Field(description="The article's address.")]


class WorkSettings(Section):
    """How the work is done on this machine."""

    children: Annotated[Count, _Between(1, 256)] | None = Field(
        default=None, description="Processes in which pages are worked on; left out, one for each core."
    )
    timeout: Annotated[
        Duration,
        _Lasts(0.1, 10 * MINUTE),
        Field(description="How long the work on one page may take before it is stopped."),
    ] = 10.0
    horizon: Annotated[
        Duration, _Lasts(1, HOUR), Field(description="How far ahead requests are given their moment.")
    ] = 60.0
    wave: Annotated[
        Count, _Between(1, 10_000), Field(description="How many pages are read before what they said is delivered.")
    ] = 500


class AlertSettings(Section):
    """Who is told what, and where; see [Alerts](alerts.md)."""

    settle: Annotated[
        Duration,
        _Lasts(0, HOUR),
        Field(description="How long an alert waits for what may still change it, or for others like it."),
    ] = 120.0
    operator: Text | None = Field(
        default=None, description="The channel that hears when Wirewatch itself cannot see, and when it can again."
    )
    channels: tuple[AnyChannel, ...] = Field(default=(), description="Where alerts go.")
    rules: tuple[Rule, ...] = Field(default=(), description="Who wants to know what.")


class RetentionSettings(Section):
    """How long things stay before `wirewatch tidy` throws them away; see [Keeping](keeping.md#retention)."""

    pages: Annotated[Duration, _Lasts(DAY, 3650 * DAY)] | None = Field(
        default=None,
        description="A revision's page, from the last change beside it; never the latest. Left out, it stays.",
    )
    texts: Annotated[Duration, _Lasts(DAY, 3650 * DAY)] | None = Field(
        default=None,
        description="A revision's words and the hunks of its diffs, in the same way. Left out, they stay.",
    )
    alerts: Annotated[Duration, _Lasts(7 * DAY, 3650 * DAY)] | None = Field(
        default=None, description="An alert that was sent or given up, with what it told of. Left out, it stays."
    )
    dead_letters: Annotated[Duration, _Lasts(DAY, 3650 * DAY)] | None = Field(
        default=None, description="A dead letter, replayed or not. Left out, it stays."
    )
    messages: Annotated[Duration, _Lasts(7 * DAY, 3650 * DAY)] | None = Field(
        default=None,
        description="What a record or event says that every sink has had; its id stays. Left out, it stays.",
    )


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError("is no name of an HTTP header, such as X-Forwarded-User")
    return text


class ViewerSettings(Section):
    """The web pages over the store, `wirewatch serve`; see [The viewer](viewer.md)."""

    public_url: WebAddress | None = Field(
        default=None, description="Where readers of alerts reach them; left out, alerts name a command instead."
    )
    address: Annotated[Text, AfterValidator(_listening), Spelling("address or host name")] = Field(
        default="127.0.0.1",
        description="On which address they are served; any but this machine's own needs `user_header`.",
    )
    port: Annotated[Count, _Between(1, 65_535), Field(description="On which port.")] = 8730
    user_header: Annotated[Text, AfterValidator(_header), Spelling("name of a header")] | None = Field(
        default=None,
        description="The header in which a reverse proxy hands on who is logged in; without it, nobody is answered.",
    )
    time_limit: Annotated[
        Duration, _Lasts(0.1, 5 * MINUTE), Field(description="How long a search, or any page, may take the store.")
    ] = 5.0


_ENGINES: Final = ("prism", "flink", "dataflow")
_ENDS: Final = {"directrunner": "DirectRunner", "fnapirunner": "FnApiRunner", "direct": "DirectRunner"}


def _engine(text: str) -> str:
    word = text.lower()
    if word in _ENDS:
        raise ValueError(
            f"is an engine for work that ends: {_ENDS[word]} keeps every output in memory. Use prism,"
            " or no stream at all: `wirewatch run --every 60s`"
        )
    engine = word.removesuffix("runner")
    if engine not in _ENGINES:
        raise ValueError(f"is no engine for a stream; there is {', '.join(_ENGINES)}")
    return engine


def _endpoint(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (colon and _HOST_NAME.fullmatch(host) and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("is no host and port, such as localhost:8099")
    return text.lower()


Endpoint = Annotated[Text, AfterValidator(_endpoint), Spelling("host and port")]


class StreamSettings(Section):
    """The job that never ends, `wirewatch stream`: on which engine it runs, and its pace."""

    runner: Annotated[Text, AfterValidator(_engine), Spelling("`prism`, `flink` or `dataflow`")] = Field(
        default="prism", description="The engine: one process here, a Flink cluster, or Google's service."
    )
    tick: Annotated[
        Duration,
        _Lasts(1, 10 * MINUTE),
        Field(description="How often the store is asked what is due, and how far ahead requests get their moment."),
    ] = 5.0
    backlog: Annotated[
        Duration,
        _Lasts(5, HOUR),
        Field(description="Ticks lease nothing while something that was leased has not been kept for so long."),
    ] = MINUTE
    parallelism: Annotated[Count, _Between(1, 1000), Field(description="Flink: how many tasks share each step.")] = 1
    prism: Path | None = Field(
        default=None, description="Prism: where its program lies; left out, `prism` is looked for on the PATH."
    )
    job_server: Endpoint | None = Field(default=None, description="Flink: where Beam's job server listens.")
    workers: Endpoint | None = Field(
        default=None, description="Flink: where a TaskManager finds its worker pool, mostly on its own machine."
    )
    flink: Annotated[WebAddress, Spelling("web address")] | None = Field(
        default=None, description="Flink: its REST interface, by which the job is followed and stopped."
    )
    checkpoint_interval: Annotated[Duration, _Lasts(0.5, HOUR)] | None = Field(
        default=None, description="Flink: how often the job's state is written down. It must be given."
    )
    checkpoint_timeout: Annotated[
        Duration, _Lasts(10, DAY), Field(description="Flink: how long a checkpoint may take; over four ticks.")
    ] = 10 * MINUTE
    project: Text | None = Field(default=None, description="Dataflow: the Google Cloud project.")
    region: Text | None = Field(default=None, description="Dataflow: the region.")
    temp: Text | None = Field(default=None, description="Dataflow: a folder of Cloud Storage, `gs://BUCKET/FOLDER`.")
    image: Text | None = Field(default=None, description="Dataflow: the container image of the workers.")


class MonitorSettings(Section):
    """How others see a job that never ends (`run --every`, `stream`): metrics, health, and what its log looks like."""

    port: Annotated[Count, _Between(1, 65_535)] | None = Field(
        default=None, description="Where `/metrics` and `/healthz` answer; left out, nothing listens."
    )
    address: Annotated[Text, AfterValidator(_host), Spelling("address or host name")] = Field(
        default="127.0.0.1",
        description="On which address; there is no password, so give another only behind something that asks for one.",
    )
    stale_after: Annotated[
        Duration,
        _Lasts(10, DAY),
        Field(description="`/healthz` answers 503 when something has been due for so long and nothing was kept."),
    ] = 15 * MINUTE
    log: Literal["text", "json"] = Field(default="text", description="How the log is written: for people or programs.")


class Settings(Section):
    """One deployment."""

    instance: InstanceSettings
    store: Annotated[
        SecretStr,
        Field(description="`sqlite:///FILE`, relative to this file's folder, or `postgresql://USER@HOST/DATABASE`."),
        Spelling("address of a database"),
    ] = SecretStr("sqlite:///wirewatch.db")
    fetch: FetchSettings
    feeds: tuple[Annotated[FeedSettings, BeforeValidator(_only_url)], ...] = Field(
        default=(), description="The feeds to watch. One that is taken out is paused."
    )
    articles: tuple[Annotated[ArticleSettings, BeforeValidator(_only_url)], ...] = Field(
        default=(), description="Articles to watch without a feed."
    )
    sources: tuple[AnySource, ...] = Field(
        default=(), description="Queues whose messages ask for checks or bring captures."
    )
    sinks: tuple[AnySink, ...] = Field(default=(), description="Where records and events go, beside the store.")
    alerts: AlertSettings = Field(default=AlertSettings(), description="Who is told what, and where.")
    retention: RetentionSettings = Field(default=RetentionSettings(), description="How long things stay.")
    viewer: ViewerSettings = Field(default=ViewerSettings(), description="The web pages over the store.")
    work: WorkSettings = Field(default=WorkSettings(), description="How the work is done on this machine.")
    monitor: MonitorSettings = Field(default=MonitorSettings(), description="How others see a job that never ends.")
    stream: StreamSettings | None = Field(default=None, description="The job that never ends.")

    @model_validator(mode="before")
    @classmethod
    def _name_what_is_missing(cls, data: Any) -> Any:
        """Have what is missing inside of a missing section named, key by key."""
        if not isinstance(data, dict):
            return data
        wanted: dict[str, Any] = {key: {} for key in ("instance", "fetch") if data.get(key) is None}
        return {**data, **wanted}
