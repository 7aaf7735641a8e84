"""Processes that a test starts, waits for and ends, each by its own number."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 90.0  # for what takes ten on an idle machine


def free_port() -> int:
    """Return a port of localhost that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int, address: str = "127.0.0.1") -> bool:
    """Tell whether somebody listens at a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def until(what: str, answer: Callable[[], T], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Ask again and again until the answer is true, and return it; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := answer()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s still not so: {what}")
        time.sleep(0.05)
    return found


def _end_with_parent() -> None:
    """Have Linux kill this process when the tests are killed: nothing is left behind then."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, prctl(2)


class Process:
    """One process with all that it starts, in a session of its own; what it says goes into a file."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 (no thread of ours holds a lock at that moment)
            )

    @property
    def number(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        """Return all that it has said."""
        return self.log.read_text(errors="replace")

    def ask_to_end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send the process alone a signal, as a person or a service manager would."""
        self._process.send_signal(how)

    def wait(self, *, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for its end and return its exit code."""
        return self._process.wait(timeout=seconds)

    def kill(self) -> None:
        """Kill it and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
