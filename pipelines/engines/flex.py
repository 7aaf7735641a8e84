"""Start the stream as a Flex Template does: hand it over with the launcher's options, and do not wait for it.

The launcher calls this in the image, and adds options of Beam's own that say where the finished job is to be written. A
job that is started so is followed, and stopped, in Google's console: its store goes on with any other.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from apache_beam.io.filesystems import FileSystems

from pipelines.config import Config, load
from pipelines.engines.dataflow import Dataflow
from pipelines.run import open_store
from pipelines.stream import WatchForEver
from wirewatch.clock import Clock
from wirewatch.errors import ConfigurationError


def launch(arguments: Sequence[str], environ: Mapping[str, str], clock: Clock) -> Dataflow:
    """Hand the stream over and return once it is taken.

    Raise ConfigurationError for a configuration that cannot be used, EngineFailed where Dataflow does not take the job.
    """
    config, given = read(arguments, environ)
    open_store(config, clock.now()).close()
    job = config.stream_job(clock, f"stream-{secrets.token_hex(8)}")
    graph = WatchForEver(job, config.sinks, clock.now(), config.sources, engine="dataflow")
    return Dataflow(config, graph, given=given)


def read(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[Config, list[str]]:
    """Return the configuration that the template's parameters name, and the options that are Beam's own."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--config", required=True)
    parser.add_argument("--environment", default="")
    ours, given = parser.parse_known_args(list(arguments))
    values = dict(one.partition("=")[::2] for one in ours.environment.split())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wirewatch.yaml"
        try:
            with FileSystems.open(ours.config) as file:
                path.write_bytes(file.read())
        except OSError as error:
            raise ConfigurationError(f"{ours.config} cannot be read ({error}).", about=ours.config) from error
        config = load(path, {**environ, **values})
    if config.stream.runner != "dataflow":
        raise ConfigurationError(f"{ours.config}: a Flex Template needs `runner: dataflow` under `stream`.")
    return config, given
