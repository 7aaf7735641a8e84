"""Run a graph once on Beam, in this process.

The engine is named: `DirectRunner` would turn into whichever engine it thinks fit, and try to download one. Importing
this module imports Beam, which takes seconds; whoever may have nothing to do asks the store first.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from pipelines.graph import Watch
from transforms.deliver import DELIVERED
from transforms.process import Job, noted
from transforms.sinks.base import Sink


def run_wave(job: Job, sinks: Sequence[Sink]) -> dict[str, int]:
    """Lease one wave of what is due, take it through the graph, and deliver; return rows delivered, by sink.

    Raise the WirewatchError that a step met, if one did; nothing of its bundle is lost then.
    """
    return run_graph("Tick" >> beam.Create([None]) | Watch(job, sinks))


def run_graph(graph: Any) -> dict[str, int]:
    """Run a chain of transforms that begins with a source; return rows delivered, by sink."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # what goes wrong is raised, not logged
    noted()
    pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([]))
    pipeline | "Wirewatch" >> graph
    try:
        result = pipeline.run()
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
