"""Hand a graph over to an engine."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult

from pipelines.config import Config
from wirewatch.errors import EngineFailed


def job_name(config: Config) -> str:
    """Return what the job is called on its engine: letters, digits and hyphens, which is what Dataflow takes."""
    return f"wirewatch-{config.instance.authority.replace('.', '-')}"


def submit(config: Config, graph: Any, options: Sequence[str], *, to: str) -> PipelineResult:
    """Hand a graph over and return once the engine has taken it; `to` is the engine in words."""
    # Beam warns of options that are the job server's own, and it cannot know them.
    logging.getLogger("apache_beam.options.pipeline_options").setLevel(logging.ERROR)
    name = f"--job_name={job_name(config)}"
    pipeline = beam.Pipeline(options=PipelineOptions([name, *options, "--streaming"]))
    pipeline | "Wirewatch" >> graph
    try:
        return pipeline.run()
    except Exception as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise EngineFailed(f"{to} did not take the job: {said[-1][:300]}") from error
