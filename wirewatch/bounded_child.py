"""Work on untrusted pages inside a child process: the other end of `wirewatch.bounded`.

Nothing that a page can make a library print, raise or allocate reaches the parent but through one answer in JSON. It
is bounded, not sandboxed: code that took over this process could do what its user may do.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import pickle
import resource
import signal
import struct
import sys
from operator import attrgetter
from typing import Any, BinaryIO, Final

import orjson

import wirewatch.errors
from wirewatch.errors import BadContent, RetryLater, WirewatchError

HEADER: Final = struct.Struct(">cQ")  # what follows, and its length in bytes
IMPORT: Final = b"I"  # to the child: a module's name
JOB: Final = b"J"  # to the child: pickle of function name, arguments, keyword arguments
READY: Final = b"R"  # from the child: the module is imported
ANSWER: Final = b"A"  # from the child: JSON of what the function returned
FAILURE: Final = b"F"  # from the child: JSON of a Failure
OUT_OF_MEMORY: Final = b"M"  # from the child: nothing follows

ANSWER_LIMIT: Final = 64 << 20  # bytes; a reading is a few times the 5 MiB of an article at most
MESSAGE_LIMIT: Final = 500  # characters of an error's text; a parser may quote the whole page
GARBAGE: Final = (50_000, 20, 20)  # a page's elements are many and nearly all freed without looking for circles
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def serve(parent: int, memory_bytes: int, timeout_seconds: float) -> None:
    """Answer jobs until the parent closes the pipe. Nothing printed by a library mixes with the answers."""
    jobs, answers = _take_pipes()
    _die_with_parent(parent)
    _limit_memory(memory_bytes)
    gc.set_threshold(*GARBAGE)
    waiting = True
    while header := jobs.read(HEADER.size):
        kind, length = HEADER.unpack(header)
        message = jobs.read(length)
        if kind == IMPORT:
            reply = _import(message.decode())
        else:
            if waiting:  # what was imported stays: looking through it again and again took a fifth of a page's time
                gc.freeze()
                waiting = False
            # The parent kills first. Where it is dead and the system has no PR_SET_PDEATHSIG, this ends a job that
            # holds the interpreter, which neither a thread nor a Python signal handler could.
            signal.setitimer(signal.ITIMER_REAL, timeout_seconds + 1)
            reply = _work(message)
            signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(HEADER.pack(reply[0], len(reply[1])) + reply[1])
        answers.flush()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # what libraries say of hostile text could steer the user's terminal
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return jobs, answers


def _die_with_parent(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before that took hold
        sys.exit(0)


def _limit_memory(memory_bytes: int) -> None:
    """Limit the address space. Linux and the BSDs keep to it; macOS refuses or ignores it, and only time limits."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _import(module: str) -> tuple[bytes, bytes]:
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 (whatever it is, the parent says that this module cannot be used)
        return FAILURE, _failure(error)
    return READY, b""


def _work(message: bytes) -> tuple[bytes, bytes]:
    try:
        name, arguments, keywords = pickle.loads(message)  # noqa: S301 (the parent's own)
        module, _, path = name.partition(":")
        value = attrgetter(path)(sys.modules[module])(*arguments, **keywords)
        answer = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
        if len(answer) > ANSWER_LIMIT:
            return FAILURE, _failure(BadContent(f"What came out of it is too long: {len(answer)} bytes"))
        return ANSWER, answer  # noqa: TRY300
    except MemoryError:
        return OUT_OF_MEMORY, b""
    except Exception as error:  # noqa: BLE001 (whatever a library raises over these bytes is a finding about them)
        return FAILURE, _failure(error)


def _failure(error: Exception) -> bytes:
    known = next(
        (base.__name__ for base in type(error).__mro__ if getattr(wirewatch.errors, base.__name__, 0) is base), ""
    )
    text = str(error) if known else f"{type(error).__name__}: {error}"
    failure: dict[str, Any] = {"error": known, "message": _printable(text)}
    if isinstance(error, WirewatchError):
        failure["about"] = _printable(error.about)
    if isinstance(error, RetryLater):
        failure["retry_after_seconds"] = error.retry_after_seconds
    return orjson.dumps(failure)


def _printable(text: str) -> str:
    cut = text if len(text) <= MESSAGE_LIMIT else text[:MESSAGE_LIMIT] + "…"
    return cut.encode(errors="replace").decode()
