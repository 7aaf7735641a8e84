"""A terminal shows alerts where Wirewatch runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.wirewatch.alerts.contract import ChannelContract
from tests.wirewatch.alerts.told import alert


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
