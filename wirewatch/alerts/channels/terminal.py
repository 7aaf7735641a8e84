"""Print alerts where Wirewatch runs: for a laptop, for a log, for trying a rule.

The marks of the redline are always there; where the output is a terminal, they are coloured as well.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from wirewatch.alerts.channels.base import Channel
from wirewatch.alerts.model import Alert
from wirewatch.errors import RetryLater

if TYPE_CHECKING:
    from wirewatch.alerts.message import Message

# The marks of the redline; in what they enclose, others have been broken up.
_DELETED: Final = r"(?s)\[(?:\w+ \d+)?-.*?-\]"
_INSERTED: Final = r"(?s)\{(?:\w+ \d+)?\+.*?\+\}"


class TerminalChannel(Channel):
    """Print each alert on the standard output."""

    threads = 1
    kind: Literal["terminal"]

    async def send(self, alert: Alert, message: Message, now: datetime) -> None:
        """Print the message and a blank line."""
        await self.in_thread(self._print, message)

    def _print(self, message: Message) -> None:
        from rich.console import Console  # noqa: PLC0415 (to read a configuration must not wait for it)
        from rich.text import Text  # noqa: PLC0415

        text = Text(message.text)
        text.stylize("bold", 0, len(message.first_line) if message.text.startswith(message.first_line) else 0)
        text.highlight_regex(_DELETED, "red strike")
        text.highlight_regex(_INSERTED, "green underline")
        console = Console(highlight=False, soft_wrap=True)
        try:
            console.print(text, end="\n\n")
            console.file.flush()
        except OSError as error:
            raise RetryLater(
                f"Channel {self.name}: nothing can be printed: {error.strerror}", about=self.name
            ) from error
