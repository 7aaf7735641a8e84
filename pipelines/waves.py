"""Run a graph once on Beam, in this process.

The engine is named: `DirectRunner` would turn into whichever engine it thinks fit, and try to download one. Importing
this module imports Beam, which takes seconds; whoever may have nothing to do asks the store first.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from pipelines.graph import Watch
from transforms.deliver import DELIVERED
from transforms.process import Job, StandingJob, noted, stand_in
from transforms.sinks.base import Sink


def run_wave(job: Job, sinks: Sequence[Sink]) -> dict[str, int]:
    """Lease one wave of what is due, take it through the graph, and deliver; return rows delivered, by sink.

    Raise the WirewatchError that a step met, if one did; nothing of its bundle is lost then.
    """
    graph = _graph_for(job, tuple(sinks))
    with graph.busy:
        stand_in(graph.job, job)
        return _done(graph.run)


def run_graph(graph: Any) -> dict[str, int]:
    """Run a chain of transforms that begins with a source; return rows delivered, by sink."""
    return _done(lambda: _pipeline(graph, FnApiRunner()).run())


@dataclass(kw_only=True)
class _Graph:
    """The graph of a wave in Beam's own terms: to say it in those takes as long as to work on a hundred pages."""

    job: StandingJob
    sinks: Sequence[Sink]
    said: Any = None
    busy: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> Any:
        runner = _Listening()
        if self.said is not None:
            return runner.run_via_runner_api(self.said, PipelineOptions([]))
        result = _pipeline("Tick" >> beam.Impulse() | Watch(self.job, self.sinks), runner).run()
        self.said = runner.said
        return result


class _Listening(FnApiRunner):
    """Beam's engine, which remembers what it was given to run."""

    said: Any = None

    def run_via_runner_api(self, pipeline_proto: Any, options: Any) -> Any:
        self.said = pipeline_proto
        return super().run_via_runner_api(pipeline_proto, options)


def _graph_for(job: Job, sinks: tuple[Sink, ...]) -> _Graph:
    """Return the graph for these sinks, made once in a process: of a job, it knows only that it has one."""
    with _making:
        return _graphs.setdefault(
            pickle.dumps(sinks),
            _Graph(job=StandingJob(**{**vars(job), "run": f"wave {len(_graphs)}"}), sinks=sinks),
        )


def _pipeline(graph: Any, runner: FnApiRunner) -> beam.Pipeline:
    pipeline = beam.Pipeline(runner=runner, options=PipelineOptions([]))
    pipeline | "Wirewatch" >> graph
    return pipeline


def _done(run: Callable[[], Any]) -> dict[str, int]:
    """Run something on Beam to its end; return rows delivered, by sink."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # what goes wrong is raised, not logged
    noted()
    try:
        result = run()
        result.wait_until_finish()
    except Exception as error:
        meant = noted()
        if meant is None:
            raise
        raise meant from error
    if (meant := noted()) is not None:
        raise meant
    found = result.metrics().query(MetricsFilter().with_namespace(DELIVERED))["counters"]
    return {metric.key.metric.name: metric.committed for metric in found}


_graphs: dict[bytes, _Graph] = {}
_making = threading.Lock()
