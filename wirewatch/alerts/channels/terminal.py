"""Print alerts where Wirewatch runs: for a laptop, for a log, for trying a rule."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Literal

from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.message import Message
from wirewatch.alerts.model import Alert


class TerminalChannel(Channel):
    """Print each alert on the standard output."""

    kind: Literal["terminal"]

    async def send(self, alert: Alert, message: Message, now: datetime) -> None:
        """Print the message."""
        sys.stdout.write(f"{message.text}\n\n")
        sys.stdout.flush()
