"""Write the log of a job that never ends as lines of JSON, for programs that gather logs.

A message may repeat what a library says of an address; no password in one gets through.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import orjson

from pipelines.config import Config
from wirewatch.canonical import storable
from wirewatch.errors import WirewatchError

_log = logging.getLogger(__name__)

OURS: Final = ("pipelines", "transforms", "wirewatch")
_CREDENTIALS: Final = re.compile(r"(://[^/\s:@]*):[^@/\s]*@")
_SECRET_OPTIONS: Final = re.compile(
    r"(?i)\b(password|passwd|secret|token|api_?key)(['\"]?\s*[=:]\s*)(['\"]?)[^\s'\",&;]+"
)


class JsonLines(logging.Formatter):
    """Write a record as one line: time, level, logger, message, and the members of `fields`, if it was given some."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = without_secrets(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


@contextmanager
def logging_as(config: Config) -> Iterator[None]:
    """Log as the configuration says: all as lines of JSON, what ends the job too; or as everybody does.

    Of ours everything from `info` on is written, of the libraries what is a warning or worse.
    """
    if config.monitor.log == "text":
        yield
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        yield
    except WirewatchError as error:
        _log.critical("%s", error)
        raise SystemExit(error.exit_code) from error


def without_secrets(text: str) -> str:
    """Return a text with passwords in addresses, and what is called a password, left out."""
    return _SECRET_OPTIONS.sub(r"\1\2\3…", _CREDENTIALS.sub(r"\1:…@", storable(text)[0]))
