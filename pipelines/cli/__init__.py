"""The command line: `wirewatch COMMAND`.

What a command needs is imported when it is run, so that `wirewatch --help` answers at once and only what works on
pages waits for Beam. Errors are one sentence; `--debug` anywhere on the line shows where they came from.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from wirewatch.errors import WirewatchError

_INTERRUPTED = 130  # 128 and SIGINT, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 if it is done, 1 if it could not be, 2 for wrong usage or configuration."""
    from pipelines.cli.app import app  # noqa: PLC0415 (an interrupt during the import is caught here too)

    given = list(sys.argv[1:] if arguments is None else arguments)
    debug, given = _without_debug(given)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # text streams, unless someone replaced them
    try:
        app(given, prog_name="wirewatch")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        if code == _INTERRUPTED:
            _say("Stopped. What was kept stays; the next run goes on from there.")
        return _flushed(code)
    except WirewatchError as error:
        return _failed(error, str(error), debug=debug, code=error.exit_code)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _failed(error, f"{name}{error.strerror or error}. Mend that and try again.", debug=debug)
    except Exception as error:  # noqa: BLE001 (a fault of ours is told in one sentence, too)
        kind = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        return _failed(
            error, f"Wirewatch has a fault ({kind}). Run it with --debug and report what it prints.", debug=debug
        )
    return _flushed(0)


def _without_debug(given: list[str]) -> tuple[bool, list[str]]:
    end = given.index("--") if "--" in given else len(given)
    options = [argument for argument in given[:end] if argument != "--debug"]
    return len(options) < end, options + given[end:]


def _failed(error: BaseException, sentence: str, *, debug: bool, code: int = 1) -> int:
    if debug:
        traceback.print_exception(error)
    _say(sentence)
    return _flushed(code)


def _say(sentence: str) -> None:
    from pipelines.cli.screen import tell  # noqa: PLC0415

    tell(sentence)


def _flushed(code: int) -> int:
    """Return the exit code once everything is written; where nobody reads any more, that is no error of ours."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter would complain at its end
    return code
