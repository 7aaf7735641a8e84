"""Start a stream on an engine, follow it, and end it: one module for each engine.

Every engine is called by its name and nothing is fetched at run time. What differs between them is only here: how the
job gets there, how one learns that it has failed, and what is left of it when it is stopped.
"""

from __future__ import annotations

from typing import Protocol

from pipelines.config import Config


class Running(Protocol):
    """A job on its engine; `given_up` says that the engine itself starts a job again, and one that fails is over."""

    given_up: bool

    def failure(self) -> str | None:
        """Return in one sentence why the job is no more, or None while it runs."""

    def stop(self) -> str:
        """End the job and return in one sentence what is left of it."""

    def close(self) -> None:
        """Let go of what was started for it here."""


def start(config: Config, graph: object, *, savepoint: str | None = None) -> Running:
    """Start a graph on the engine that the configuration names; raise EngineFailed where it does not take it.

    `savepoint` is where Flink left an earlier job's state.
    """
    if config.stream.runner == "prism":
        from pipelines.engines.prism import Prism  # noqa: PLC0415 (each imports Beam, and one is enough)

        return Prism(config, graph)
    if config.stream.runner == "flink":
        from pipelines.engines.flink import Flink  # noqa: PLC0415

        return Flink(config, graph, savepoint=savepoint)
    from pipelines.engines.dataflow import Dataflow  # noqa: PLC0415

    return Dataflow(config, graph)
