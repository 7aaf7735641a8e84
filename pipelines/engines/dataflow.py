"""Run a stream on Google Cloud Dataflow.

The service cannot be reached from the tests: they check the job's portable form for what Dataflow refuses, and so does
every start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apache_beam.runners.runner import PipelineState

from pipelines.config import Config
from pipelines.engines.portable import portable_form, refusals
from pipelines.engines.submit import job_name, submit
from wirewatch.errors import EngineFailed


def options(config: Config) -> list[str]:
    """Return the options that a job on Dataflow is submitted with."""
    stream = config.stream
    return [
        "--runner=DataflowRunner",
        f"--project={stream.project}",
        f"--region={stream.region}",
        f"--temp_location={stream.temp}",
        f"--sdk_container_image={stream.image}",
        "--sdk_location=container",
        "--experiments=use_runner_v2",
    ]


class Dataflow:
    """A stream on Google's service."""

    given_up = True

    def __init__(self, config: Config, graph: Any, *, given: Sequence[str] = ()) -> None:
        """Hand the job over; options that are `given` go before those of the configuration."""
        wanted = [*options(config), *given]
        _refuse(config, graph, wanted)
        self._result = submit(config, graph, wanted, to="Dataflow")

    def failure(self) -> str | None:
        """Return why the job is no more, or None while it runs."""
        state = self._result.state
        if not PipelineState.is_terminal(state):
            return None
        return f"Dataflow ended the job ({state}); its page in the console says why."

    def stop(self) -> str:
        """End the job."""
        self._result.cancel()
        return "The job has ended; the store has all of it, and `wirewatch stream` goes on from there."

    def close(self) -> None:
        """Do nothing: the service is not ours."""


def _refuse(config: Config, graph: Any, wanted: Sequence[str]) -> None:
    given = [f"--job_name={job_name(config)}", *wanted, "--streaming"]
    form = portable_form(graph, given, config.stream.image or "")
    if wrong := refusals(form, given, queues=len(config.sources)):
        raise EngineFailed(f"Dataflow would not take this job. {' '.join(wrong)}")
