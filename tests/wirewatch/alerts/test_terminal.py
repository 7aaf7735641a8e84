"""A terminal shows alerts where Wirewatch runs."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.wirewatch.alerts.contract import SENT, ChannelContract, channel_of
from tests.wirewatch.alerts.told import LINKS, NEW, OLD, alert, story


async def test_terminal_that_takes_nothing_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "w") as screen:
        monkeypatch.setattr(sys, "stdout", screen)
        channel = channel_of({"kind": "terminal", "name": "screen"})
        long = alert(text="A line.\n" * 20)
        message = replace(channel.compose(long, LINKS), text="x" * 2**20)  # more than a pipe holds
        sending = asyncio.create_task(channel.send(long, message, SENT))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(sending), 0.2)
        await asyncio.to_thread(pipe.read, 2**20)
        await sending
        await channel.close()


class TestTerminal(ChannelContract):
    @pytest.fixture(autouse=True)
    def _screen(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.screen = capsys

    @asynccontextmanager
    async def where(self, folder: Path) -> AsyncIterator[dict[str, Any]]:
        yield {"kind": "terminal", "name": "screen"}

    def arrived(self) -> list[str]:
        return [text for text in self.screen.readouterr().out.split("Sent by Wirewatch.\n\n") if text]

    def broken(self, folder: Path) -> dict[str, Any] | None:
        return None

    def test_redline_has_marks_where_there_are_no_colours(self, tmp_path: Path) -> None:
        (arrived,) = self.told(tmp_path, alert())
        assert "The coastguard counted [-12-]{+15+} killed" in arrived
        assert "\x1b" not in arrived

    def test_redline_is_coloured_on_a_terminal_and_nothing_of_the_publishers_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        forged = story(old=replace(OLD, headline="x"), new=replace(NEW, headline="x [bold] [-y-] \x1b[31m"))
        (arrived,) = self.told(tmp_path, alert(forged))
        styled = re.findall(r"\x1b\[([0-9;]+)m(.*?)\x1b\[0m", arrived)
        assert ("9;31", "[-12-]") in styled
        assert ("4;32", "{+15+}") in styled
        assert [text for style, text in styled if style == "9;31"] == ["[-12-]"]
        assert "[bold]" in arrived
