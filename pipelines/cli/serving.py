"""Show the store in a browser until somebody stops it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipelines.cli import given
from pipelines.cli.screen import tell
from pipelines.config import Config
from pipelines.config.settings import ViewerSettings
from pipelines.logs import logging_as
from pipelines.serving import serve as serve_until_stopped
from wirewatch.clock import Clock


def serve(config: Config, options: Mapping[str, Any], clock: Clock) -> int:
    """Serve the viewer and return the exit code."""
    over = given.settings(ViewerSettings, dict(options))
    changes = {name: getattr(over, name) for name in over.model_fields_set}
    settled = replace(config, viewer=config.viewer.model_copy(update=changes))
    with logging_as(settled):
        serve_until_stopped(settled, clock, tell)
    return 0
