"""Run one program in several real processes at once: two threads of one process would prove less."""

from __future__ import annotations

import subprocess
import sys


def run_together(program: str, *arguments: str, n: int = 2) -> list[str]:
    """Run the program n times at once and return what each printed; all must succeed."""
    command = [sys.executable, "-c", program, *arguments]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(n)]
    printed = []
    for process in started:
        output, problems = process.communicate(timeout=60)
        assert process.returncode == 0, problems
        printed.append(output)
    return printed
