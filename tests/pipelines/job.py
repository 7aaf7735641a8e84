"""Passes and replays in processes of their own, to be killed or starved.

It imports everything once, and then forks for each job that it is told of: importing Beam takes seconds. A line of
input is a list of jobs that run at once: `[{"config": FILE, "minutes": MINUTES, "inputs": [FILE…], "room": BYTES}, …]`,
with minutes after noon of the tests' day, or `now`, and with the size to which files may grow. It answers with the
numbers of the processes and, when all have ended, with their exit codes; the file `said` beside the configuration has
the last error's sentence.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import pipelines.waves
from pipelines.config import load
from pipelines.replay import replay
from pipelines.run import run_pass
from tests.builders import at
from wirewatch.clock import Clock, FixedClock, SystemClock
from wirewatch.errors import WirewatchError

PRELOADED = pipelines.waves


def serve() -> None:
    """Run the jobs that are asked for until nobody asks."""
    print(os.getpid(), flush=True)
    for line in sys.stdin:
        numbers = [_fork(**job) for job in json.loads(line)]
        print(json.dumps(numbers), flush=True)
        codes = [os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) for number in numbers]
        print(json.dumps(codes), flush=True)


def _fork(config: str, minutes: float | str, inputs: Sequence[str] = (), room: int | None = None) -> int:
    number = os.fork()
    if number:
        return number
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    path = Path(config)
    clock: Clock = SystemClock() if minutes == "now" else FixedClock(at(float(minutes)))
    if room is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        if inputs:
            replay(load(path, {}), [Path(one) for one in inputs], clock)
        else:
            run_pass(load(path, {}), clock)
    except WirewatchError as error:
        path.with_name("said").write_text(str(error))
        sys.exit(error.exit_code)
    sys.exit(0)


if __name__ == "__main__":
    serve()
