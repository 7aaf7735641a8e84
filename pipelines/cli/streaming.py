"""Run the job that never ends until somebody asks it to end."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Mapping
from typing import Any, Final

from pipelines.cli import given
from pipelines.cli.screen import one_line, tell
from pipelines.config import Config
from pipelines.config.settings import StreamSettings
from pipelines.logs import logging_as
from pipelines.monitor import monitored
from wirewatch.clock import Clock
from wirewatch.errors import ConfigurationError

_log = logging.getLogger(__name__)
_INTERRUPTED: Final = 130


def stream(config: Config, options: Mapping[str, Any], clock: Clock, *, savepoint: str | None) -> None:
    """Stream until interrupted or asked to end, and come to rest then; the second time, end at once."""
    settled = config.streaming(_settings(config.stream, dict(options)))
    if savepoint is not None and settled.stream.runner != "flink":
        raise ConfigurationError(
            f"--from-savepoint: only Flink has savepoints; on {settled.stream.runner} the store says where to go on"
        )
    from pipelines.stream import stream as watch_for_ever  # noqa: PLC0415 (imports Beam)

    stop = threading.Event()

    def asked(*_: object) -> None:
        if stop.is_set():
            os._exit(_INTERRUPTED)  # nothing is lost by that: what was leased is due again when its lease has run out
        stop.set()

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, asked)
    logged = settled.monitor.log == "json"
    with logging_as(settled), monitored(settled, clock) as monitor:
        watch_for_ever(
            settled,
            clock,
            stop=stop,
            begun=monitor.follow,
            said=_log.info if logged else lambda line: tell(one_line(line, 500)),
            savepoint=savepoint,
        )


def _settings(configured: StreamSettings, options: dict[str, Any]) -> StreamSettings:
    """Return the configuration's settings with what was given on the command line put over them."""
    over = given.settings(StreamSettings, options)
    return configured.model_copy(update={name: getattr(over, name) for name in over.model_fields_set})
