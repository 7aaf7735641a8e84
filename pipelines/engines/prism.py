"""Run a stream on Prism: one process beside this one, in which the work itself is done.

The program is ours to start and to end. It gets a session of its own, so that Ctrl-C reaches us alone and the stream
can come to rest before its engine goes.
"""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import grpc
from apache_beam.runners.runner import PipelineState
from apache_beam.version import __version__ as beam_version

from pipelines.config import Config
from pipelines.engines.submit import submit
from transforms.process import noted
from wirewatch.errors import ConfigurationError, EngineFailed, WirewatchError

_START_SECONDS: Final = 30.0  # it listens after 0.1
_END_SECONDS: Final = 10.0
_IDLE: Final = "60s"  # without a job for so long it ends by itself: whoever started it was killed
_GET_IT: Final = f"go install github.com/apache/beam/sdks/v2/go/cmd/prism@v{beam_version}"


class Prism:
    """A stream on a Prism of its own."""

    given_up = False

    def __init__(self, config: Config, graph: Any) -> None:
        threading.excepthook = _unless_engine_is_gone
        logging.getLogger("apache_beam.runners.worker").setLevel(logging.CRITICAL)  # `failure` says what went wrong
        self._met: WirewatchError | None = None
        program, port = _program(config), _free_port()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(  # noqa: S603 (the program is the user's own choice)
            [
                program,
                f"-job_port={port}",
                "-serve_http=false",
                "-log_kind=text",
                "-log_level=warn",
                f"-idle_shutdown_timeout={_IDLE}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait_for(port)
            options = ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}", "--environment_type=LOOPBACK"]
            self._result = submit(config, graph, options, to="Prism")
        except BaseException:
            self.close()
            raise

    def failure(self) -> str | None:
        """Return why the job is no more, or None while it runs."""
        if self._process.poll() is not None:
            return f"Prism ended, with exit code {self._process.returncode}: {self._last_words()}."
        try:
            state = self._result.state
        except grpc.RpcError:  # it may just have ended; if it has not, the next look says so
            return None
        met = noted()
        if not PipelineState.is_terminal(state):
            self._met = met  # what was met earlier than that has not ended the job
            return None
        if meant := met or self._met:
            return str(meant)
        return f"Prism ended the job ({state}): {self._last_words()}."

    def stop(self) -> str:
        """End the job."""
        with suppress(grpc.RpcError):  # it has ended already
            self._result.cancel()
        return "The job has ended; the store has all of it, and `wirewatch stream` goes on from there."

    def close(self) -> None:
        """End Prism."""
        self._process.terminate()
        try:
            self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise EngineFailed(f"Prism did not start: {self._last_words()}.")

    def _last_words(self) -> str:
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").splitlines()
        lines = [line for line in said if line.strip() and "level=WARN" not in line]  # it warns of every graph
        return lines[-1][:300] if lines else "it said nothing"


def _unless_engine_is_gone(problem: threading.ExceptHookArgs) -> None:
    """Say nothing of Beam's threads in this process that find their engine gone, and all of other threads' faults."""
    if not issubclass(problem.exc_type, grpc.RpcError):
        threading.__excepthook__(problem)


def _program(config: Config) -> str:
    named = config.stream.prism
    if named is not None:
        if not Path(named).is_file():
            raise ConfigurationError(f"There is no Prism at {named}: {_GET_IT} puts one into $(go env GOPATH)/bin.")
        return str(named)
    found = shutil.which("prism")
    if found is None:
        raise ConfigurationError(
            f"Prism is not on the PATH: {_GET_IT} makes it, and `prism:` under `stream:` says where it lies."
            " Without it, `wirewatch run --every 60s` does the same work in passes."
        )
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
