"""Run one program in two real processes at once: two threads of one process would prove less.

The processes are started once a session, since starting Python costs more than most tests. Run as a program, this
file is such a process: it takes jobs as lines of JSON and answers each with one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path


class Workers:
    """Two processes that wait for programs."""

    def __init__(self) -> None:
        command = [sys.executable, __file__]
        root = str(Path(__file__).resolve().parents[3])  # this checkout's code, wherever another one is installed
        environment = {**os.environ, "PYTHONPATH": root}
        self._processes = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
            )
            for _ in range(2)
        ]

    def run(self, program: str, *arguments: str) -> list[str]:
        """Run the program in both at once and return what each printed; both must succeed."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps([program, *arguments]) + "\n")
        answers = [json.loads(process.stdout.readline()) for process in self._processes if process.stdout]
        assert not any(problem for _, problem in answers), answers
        return [printed for printed, _ in answers]

    def stop(self) -> None:
        for process in self._processes:
            process.communicate(timeout=10)


def _work() -> None:
    for line in sys.stdin:
        program, *arguments = json.loads(line)
        sys.argv = ["worker", *arguments]
        printed, problem = StringIO(), ""
        try:
            with redirect_stdout(printed):
                exec(program, {})
        except Exception:  # noqa: BLE001 - whatever it is, the test shall see it
            problem = traceback.format_exc()
        print(json.dumps([printed.getvalue(), problem]), flush=True)


if __name__ == "__main__":
    _work()
