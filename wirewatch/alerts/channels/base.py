"""Say what a channel is: one frozen configuration that can send one finished message, and how fast it wants to be told.

A message can come twice, after a crash between sending and marking: `alert.id` is then the same, and a receiver that
remembers ids is told once. The fields below only say how fast; whoever sends keeps to them, for only the store knows
what was sent before.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from wirewatch.alerts.model import Alert
from wirewatch.times.zones import region
from wirewatch.units import seconds

if TYPE_CHECKING:
    from wirewatch.alerts.message import Links, Message

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Those of `wirewatch.wording`, whose import takes as long as all else of a configuration; a test compares them.
LANGUAGES: Final = ("en", "de")
_PERIODS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_RATE: Final = re.compile(r"([1-9][0-9]{0,5})\s*/\s*(s|min|h|d)")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_HOURS: Final = re.compile(rf"(?P<begin>{_CLOCK.pattern})\s*[-–]\s*(?P<end>{_CLOCK.pattern})")
_LONGEST_WAIT: Final = 31 * 86_400.0  # seconds; a digest that is rarer than monthly was mistyped


class Said:
    """Say in words what a key takes, for the reference."""

    def __init__(self, words: str) -> None:
        self.words = words


def _zone(text: str) -> str:
    if region(text) is None:
        raise ValueError("is no time zone; write an IANA name such as Europe/London")
    return text


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError(f"is no language that alerts are written in; there is {', '.join(LANGUAGES)}")
    return text


def _wait(value: object) -> float:
    wait = seconds(value)
    if not 60 <= wait <= _LONGEST_WAIT:
        raise ValueError("is not between 1m and 31d")
    return wait


def _time_of_day(value: object) -> time:
    if isinstance(value, time):
        return value
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('is no time of day; write it in quotes, like "08:00"')
    return time(int(found[1]), int(found[2]))


def _rate(value: object) -> object:
    if isinstance(value, Rate):
        return value
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is no rate; write it like 6/min or 20/h")
    return {"count": int(found[1]), "seconds": _PERIODS[found[2]]}


def _quiet(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _HOURS.fullmatch(value.strip())
    if found is None:
        raise ValueError('is no stretch of the day; write it like "22:00-07:00"')
    return {"begin": found["begin"], "end": found["end"]}


def _digest(value: object) -> object:
    return {"every": value} if isinstance(value, (str, int)) else value


Zone = Annotated[str, AfterValidator(_zone), Said("IANA time zone")]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day), Said("time of day")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Rate(_Part):
    """At most `count` messages in any `seconds`; written `20/h`."""

    count: int
    seconds: float


class Quiet(_Part):
    """The hours of the day in which nothing is sent; they may pass midnight. Written `"22:00-07:00"` for short."""

    begin: Annotated[TimeOfDay, Field(description="When silence begins.")]
    end: Annotated[TimeOfDay, Field(description="When it ends.")]
    zone: Zone | None = Field(default=None, description="Whose clock; left out, the channel's `zone`.")

    @model_validator(mode="after")
    def _lasts(self) -> Quiet:
        if self.begin == self.end:
            raise ValueError("begins when it ends; a channel that is always quiet is one to take out")
        return self

    def until(self, now: datetime, zone: str) -> datetime | None:
        """Return when the silence around `now` ends, in UTC, or None where there is none; `zone` is the channel's."""
        clock = ZoneInfo(self.zone or zone)
        local = now.astimezone(clock)
        at = local.time()
        if self.begin < self.end:
            quiet, day = self.begin <= at < self.end, local.date()
        else:
            quiet = at >= self.begin or at < self.end
            day = local.date() + timedelta(days=at >= self.begin)
        return _moment(day, self.end, clock) if quiet else None


class Digest(_Part):
    """When what waits is told together: after a time, at times of the day, or as soon as so many wait."""

    every: Annotated[float, BeforeValidator(_wait), Said("duration, 1m to 31d")] | None = Field(
        default=None, description="How long the oldest waits."
    )
    at: tuple[TimeOfDay, ...] = Field(default=(), description='At which times of the day: `["08:00", "17:30"]`.')
    count: Annotated[int, Field(ge=2, le=1000), Said("2 to 1,000")] | None = Field(
        default=None, description="How many may wait: with these the digest goes at once."
    )

    @model_validator(mode="after")
    def _says_when(self) -> Digest:
        if self.every is None and not self.at:
            raise ValueError("must say `every` or `at`: with `count` alone, the last few would wait for ever")
        return self

    def due(self, oldest: datetime, waiting: int, zone: str) -> datetime:
        """Return when a digest goes whose oldest story was ready at `oldest`, in UTC; `zone` is the channel's."""
        if self.count is not None and waiting >= self.count:
            return oldest
        moments = [] if self.every is None else [oldest + timedelta(seconds=self.every)]
        clock = ZoneInfo(zone)
        today = oldest.astimezone(clock).date()
        for days in range(2):
            moments += [_moment(today + timedelta(days=days), at, clock) for at in self.at]
        return min(moment for moment in moments if moment >= oldest)


class Channel(BaseModel, ABC):
    """Configure a channel and send to it; the base class of all channels.

    A channel's file defines one subclass, with `kind: Literal["…"]` and its own options, and implements `send`. It is
    used on one event loop, and closed there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    threads: ClassVar[int] = 8  # for what blocks; 1 where one message has to come after the other

    kind: str
    name: Annotated[
        str,
        Field(
            pattern="^[a-z0-9][a-z0-9_-]{0,62}$",
            description="What rules call this channel, and the store what waits for it.",
        ),
    ]
    language: Annotated[str, AfterValidator(_language), Said(" or ".join(f"`{one}`" for one in LANGUAGES))] = Field(
        default="en", description="The language in which it is told."
    )
    zone: Zone = Field(default="UTC", description="Whose clock the times in its messages are, and its quiet hours.")
    templates: Path | None = Field(
        default=None, description="A folder with templates of your own; see [Alerts](alerts.md#templates)."
    )
    rate: Annotated[Rate, BeforeValidator(_rate), Said("number per `min`, `h` or `d`")] | None = Field(
        default=None, description="How many messages it gets at most: `6/min`, `20/h`; the rest waits."
    )
    quiet: Annotated[Quiet, BeforeValidator(_quiet), Said("hours, or mapping")] | None = Field(
        default=None, description='Hours in which it gets nothing: `"22:00-07:00"`, or `begin`, `end` and a `zone`.'
    )
    digest: Annotated[Digest, BeforeValidator(_digest), Said("duration, or mapping")] | None = Field(
        default=None, description='Tell together what waits: `1h`, or `every`, `at: ["08:00"]` and `count`.'
    )

    _threads: ThreadPoolExecutor | None = PrivateAttr(default=None)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the options though their form is right, by key: what `wirewatch check` looks at."""
        if self.templates is not None and not self.templates.is_dir():
            yield "templates", f"there is no folder {self.templates}"

    def compose(self, alert: Alert, links: Links) -> Message:
        """Return what this channel says about an alert, in its language, zone and templates."""
        from wirewatch.alerts.message import compose  # noqa: PLC0415 (a configuration is read without templates)

        return compose(alert, links, language=self.language, zone=self.zone, templates=self.templates)

    @abstractmethod
    async def send(self, alert: Alert, message: Message, now: datetime) -> None:
        """Send a message, within a time limit; `message` is what `compose` made of `alert`.

        Raises `RetryLater` where it may be taken later, with the wait that the receiver asked for if it did, and
        `perhaps_taken` where it may have arrived all the same;
        `DeliveryGone` where the receiver wants no more of them, ever; `DeliveryRefused` where this one will never be
        taken. Each error is a sentence without secrets.
        """

    async def in_thread(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return what a function that blocks returns, from a thread of this channel's own.

        No other channel and no call to the store waits for these threads, however long they hang.
        """
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.threads, thread_name_prefix=f"channel-{self.name}")
        work = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def close(self) -> None:
        """Give back what sending has opened; a thread that hangs is not waited for."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


def _moment(day: date, at: time, clock: ZoneInfo) -> datetime:
    """Return a time of day in UTC; one that clocks skip counts as if they had not been moved yet."""
    return datetime.combine(day, at, clock).astimezone(UTC)
