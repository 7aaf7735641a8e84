"""What every channel must do: inherit `ChannelContract`, say how to make the channel and how to read what arrived."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.builders import at
from tests.wirewatch.alerts.told import LINKS, alert, story
from wirewatch.alerts.channels import CHANNELS, channel_adapter
from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.model import Alert
from wirewatch.errors import RetryLater

SENT = at(155)
ALERTS = {
    "change": alert(),
    "digest": alert(story(), story(url="https://courier.example/b"), kind="digest"),
    "group": alert(*(story(url=f"https://courier.example/{n}", boilerplate=14) for n in range(14)), kind="group"),
    "follow-up": alert(story(happened="retracted"), kind="follow_up"),
    "withdrawn": alert(story(new=None, happened="withdrawn", detail="HTTP 410")),
    "more": alert(kind="more", more=37),
    "operator": alert(kind="operator", text="The feed https://courier.example/rss.xml has failed for a day."),
}


def channel_of(options: dict[str, Any]) -> Channel:
    return channel_adapter().validate_python(options)


async def deliver(channel: Channel, one: Alert) -> None:
    """Send an alert as a sender does, and close the channel."""
    try:
        await channel.send(one, channel.compose(one, LINKS), SENT)
    finally:
        await channel.close()


class ChannelContract(ABC):
    """Inherit in a class whose name begins with `Test`, in a file beside this one.

    `where` opens a place and gives the options of a channel to it, `kind` and `name` included; `arrived` is what a
    reader finds there, as one text for each message.
    """

    secret: str = ""
    """What of the options must never be shown."""

    @abstractmethod
    @asynccontextmanager
    def where(self, folder: Path) -> AsyncIterator[dict[str, Any]]: ...

    @abstractmethod
    def arrived(self) -> list[str]: ...

    @abstractmethod
    def broken(self, folder: Path) -> dict[str, Any] | None:
        """Return options of a place that takes nothing, or None where there is no such place."""

    def told(self, folder: Path, *alerts: Alert, **changes: Any) -> list[str]:
        async def send() -> list[str]:
            async with self.where(folder) as options:
                for one in alerts:
                    await deliver(channel_of(options | changes), one)
                return self.arrived()

        return asyncio.run(send())

    def options(self, folder: Path) -> dict[str, Any]:
        async def look() -> dict[str, Any]:
            async with self.where(folder) as options:
                return options

        return asyncio.run(look())

    def test_kind_is_found_without_a_list_to_keep(self, tmp_path: Path) -> None:
        assert type(channel_of(self.options(tmp_path))) in CHANNELS

    def test_configuration_is_frozen(self, tmp_path: Path) -> None:
        channel = channel_of(self.options(tmp_path))
        with pytest.raises(ValidationError, match="frozen"):
            channel.name = "other"

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"colour": "blue"}, "colour"),
            ({"name": "My Desk"}, "name"),
            ({"language": "tlh"}, "is no language that alerts are written in; there is en, de"),
            ({"zone": "Mars/Olympus"}, "is no time zone; write an IANA name"),
            ({"rate": "often"}, "is no rate; write it like 6/min or 20/h"),
            ({"rate": "0/h"}, "is no rate"),
            ({"quiet": "at night"}, "is no stretch of the day; write it like"),
            ({"quiet": "08:00-08:00"}, "begins when it ends"),
            ({"digest": {"count": 5}}, "would wait for ever"),
            ({"digest": "5s"}, "is not between 1m and 31d"),
        ],
        ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
    )
    def test_option_that_means_nothing_is_refused(self, tmp_path: Path, change: dict[str, Any], message: str) -> None:
        with pytest.raises(ValidationError, match=message):
            channel_of(self.options(tmp_path) | change)

    def test_check_finds_nothing_wrong_and_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        options = self.options(tmp_path)
        assert list(channel_of(options).problems()) == []
        assert list(channel_of(options | {"templates": tmp_path / "none"}).problems()) == [
            ("templates", f"there is no folder {tmp_path / 'none'}")
        ]

    @pytest.mark.parametrize("kind", ALERTS)
    def test_every_kind_of_alert_arrives(self, tmp_path: Path, kind: str) -> None:
        assert self.told(tmp_path, ALERTS[kind])

    def test_alert_says_what_it_is_about(self, tmp_path: Path) -> None:
        (arrived,) = self.told(tmp_path, alert())
        assert "12" in arrived
        assert "15" in arrived
        assert "https://courier.example/local/ferry" in arrived

    def test_alerts_arrive_in_their_order(self, tmp_path: Path) -> None:
        three = [alert(story(url=f"https://courier.example/{n}"), id=f"{n:032x}") for n in range(3)]
        arrived = self.told(tmp_path, *three)
        assert [next(n for n in range(3) if f"courier.example/{n}" in text) for text in arrived] == [0, 1, 2]

    def test_place_that_takes_nothing_is_tried_again_later(self, tmp_path: Path) -> None:
        options = self.broken(tmp_path)
        if options is None:
            pytest.skip("it always takes what it is given")
        with pytest.raises(RetryLater) as caught:
            asyncio.run(deliver(channel_of(options), alert()))
        assert str(caught.value).startswith(f"Channel {options['name']}: ")
        assert "\n" not in str(caught.value)
        if self.secret:
            assert self.secret not in f"{caught.value} {caught.value.about}"

    def test_secret_is_never_shown(self, tmp_path: Path) -> None:
        channel = channel_of(self.options(tmp_path))
        shown = f"{channel!r} {channel} {channel.model_dump()} {channel.model_dump_json()}"
        if self.secret:
            assert self.secret not in shown
            with pytest.raises(ValidationError) as caught:
                channel_of(self.options(tmp_path) | {"colour": "blue"})
            assert self.secret not in str(caught.value)

    def test_hostile_text_stays_text(self, tmp_path: Path) -> None:
        hostile = "\x1b[31m\r\nBcc: x@courier.example\r\n\r\n<script>alert(1)</script>\x00\u202e"
        one = alert(replace(story(), headline=hostile, publisher=hostile))
        for text in self.told(tmp_path, one):
            assert "\x1b" not in text
            assert "\x00" not in text
            assert "\u202e" not in text
