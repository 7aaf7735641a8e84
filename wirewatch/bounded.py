"""Work on untrusted pages in child processes that are stopped when their time or memory is up.

A thread or a signal handler cannot do this: NFC over a long run of combining marks holds the interpreter for minutes.
What comes back is JSON, checked against the declared type, since unpickling what a process says that handles hostile
bytes would undo the point; so a function given here returns what JSON can carry: dataclasses and times, but no bytes.

    with Pool(preload=("wirewatch.extract",)) as pool:
        reading = pool.run(read_article, capture, source, returns=Reading)
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

import wirewatch.errors
from wirewatch.bounded_child import ANSWER, ANSWER_LIMIT, HEADER, IMPORT, JOB, MESSAGE_LIMIT, OUT_OF_MEMORY, READY
from wirewatch.errors import BadContent, RetryLater, TookTooLong, WirewatchError

T = TypeVar("T")

TIMEOUT_SECONDS: Final = 10.0
# Of address space. Over news pages of up to 2.2 MB, a child that reads articles mapped 390 MB at most (226 MB of it
# resident); from the second round to the sixth it grew by 0.5 %: children need not be replaced for their age.
MEMORY_BYTES: Final = 1 << 30
START_SECONDS: Final = 60.0  # to start and import; a loaded machine takes several seconds for trafilatura
WAITING_PER_CHILD: Final = 8  # jobs; each may hold a page of 5 MiB

_BOOT: Final = (
    "import sys; root = sys.argv[1]; root in sys.path or sys.path.insert(0, root); "
    "from wirewatch.bounded_child import serve; serve(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))"
)
_ROOT: Final = str(Path(__file__).resolve().parents[1])


class Pool:
    """Run functions of `wirewatch` in child processes, one job a child at a time.

    Children start when there is work for them and are used again and again; one that takes too long, needs too much
    memory or crashes is replaced, and only its own job fails. Usable from several threads, not across a fork. The
    children end with the pool, with the process, and when the process is killed.
    """

    def __init__(
        self,
        size: int | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
        preload: Iterable[str] = (),
    ) -> None:
        """Prepare `size` children (by default one for each core), which import the modules of `preload` first.

        `timeout_seconds` is for one job and counts its work alone, not its wait nor the import of its module.
        """
        self._state = _State(
            size=_cores() if size is None else size,
            timeout_seconds=timeout_seconds,
            memory_bytes=memory_bytes,
            preload=tuple(preload),
        )
        weakref.finalize(self, self._state.abandon)  # at the latest when the interpreter ends

    def submit(
        self, function: Callable[..., T], *arguments: object, returns: Any, about: str = "", **keywords: object
    ) -> Future[T]:
        """Queue `function(*arguments, **keywords)` and return the future of its result, read as type `returns`.

        Wait while too many jobs are queued. The future raises the function's own WirewatchError; TookTooLong where
        time or memory was up; BadContent for any other exception, a crash, or an answer that is no `returns`. These
        speak of `about` if they name nothing themselves.
        """
        job = _job(function, arguments, keywords, returns, about)
        self._state.put(job)
        return job.future

    def run(
        self, function: Callable[..., T], *arguments: object, returns: Any, about: str = "", **keywords: object
    ) -> T:
        """Do what `submit` does before all that is queued, and wait for the result."""
        job = _job(function, arguments, keywords, returns, about)
        self._state.put(job, first=True)
        result: T = job.future.result()
        return result

    def has_room(self) -> bool:
        """Tell whether a child is without work, or will soon be: fewer jobs are queued than there are children."""
        return self._state.has_room()

    def close(self) -> None:
        """Finish the queued jobs, then end the children. Closing twice is harmless."""
        self._state.close()
        self._state.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._state.abandon()
            self._state.join()


@dataclass(eq=False, kw_only=True)
class _Job:
    module: str
    message: bytes
    returns: TypeAdapter[Any]
    about: str
    future: Future[Any] = field(default_factory=Future)


@dataclass(eq=False, kw_only=True)
class _State:
    """What the pool and its threads share. It does not know the pool, so that a forgotten pool is cleaned up."""

    size: int
    timeout_seconds: float
    memory_bytes: int
    preload: tuple[str, ...]

    def __post_init__(self) -> None:
        self._process = os.getpid()
        self._lock = threading.RLock()  # the finalizer may come while this very thread holds it
        self._job_or_end = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._jobs: deque[_Job] = deque()
        self._threads: list[threading.Thread] = []
        self._children: set[_Child] = set()
        self._idle = 0
        self._closed = False
        self._abandoned = False

    def has_room(self) -> bool:
        with self._lock:
            return len(self._jobs) < self.size

    def put(self, job: _Job, *, first: bool = False) -> None:
        if os.getpid() != self._process:
            raise RuntimeError("A pool does not survive a fork: make one in each process")
        with self._lock:
            # A future's callback runs in one of the threads that make room: it must not wait for it.
            may_wait = not first and threading.current_thread() not in self._threads
            while len(self._jobs) >= self.size * WAITING_PER_CHILD and may_wait and not self._closed:
                self._room.wait()
            if self._closed:
                raise RuntimeError("The pool is closed")
            (self._jobs.appendleft if first else self._jobs.append)(job)
            if self._idle < len(self._jobs) and len(self._threads) < self.size:
                thread = threading.Thread(target=self._work, name="wirewatch-bounded", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._job_or_end.notify()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._job_or_end.notify_all()
            self._room.notify_all()

    def join(self) -> None:
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def abandon(self) -> None:
        """Drop the queued jobs and stop the running ones."""
        if os.getpid() != self._process:
            return
        with self._lock:
            self._abandoned = True
            dropped = tuple(self._jobs)
            self._jobs.clear()
            self.close()
            for child in self._children:
                child.kill()
        for job in dropped:
            job.future.cancel()

    def _take(self) -> _Job | None:
        with self._lock:
            self._idle += 1
            while not self._jobs and not self._closed:
                self._job_or_end.wait()
            self._idle -= 1
            self._room.notify()
            return self._jobs.popleft() if self._jobs else None

    def _work(self) -> None:
        # This thread starts its children itself, because PR_SET_PDEATHSIG fires when the thread ends that did.
        child: _Child | None = None
        while job := self._take():
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                if child is None or not child.is_alive():
                    child = self._replace(child)
                result = child.do(job)
            except BaseException as error:  # noqa: BLE001 (whatever went wrong here, nobody may wait for ever)
                stopped = RuntimeError("The pool was closed before this job was done")
                job.future.set_exception(stopped if self._abandoned else error)
            else:
                job.future.set_result(result)
            del job  # and with it a page, before waiting for the next
        if child is not None:
            self._retire(child)

    def _replace(self, old: _Child | None) -> _Child:
        if old is not None:
            self._retire(old)
        child = _Child(self.timeout_seconds, self.memory_bytes, self.preload)
        with self._lock:
            self._children.add(child)
            if self._abandoned:
                child.kill()
        return child

    def _retire(self, child: _Child) -> None:
        with self._lock:
            self._children.discard(child)
        child.end()


class _Silent(Exception):
    """The child did not take or say enough in time."""


class _Ended(Exception):
    """The child closed its pipe."""


class _Child:
    """One child process, used by one thread."""

    def __init__(self, timeout_seconds: float, memory_bytes: int, preload: tuple[str, ...]) -> None:
        self._timeout_seconds = timeout_seconds
        self._memory_bytes = memory_bytes
        self._preload = preload
        self._loaded: set[str] = set()
        self._killed = False
        settings = (_ROOT, os.getpid(), memory_bytes, timeout_seconds)
        self._process = subprocess.Popen(  # noqa: S603 (our own words)
            [sys.executable, "-c", _BOOT, *map(str, settings)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a crashing library's words; they could steer the user's terminal
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._jobs, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        for descriptor in (self._jobs, self._answers):
            os.set_blocking(descriptor, False)
        self._can_write, self._can_read = select.poll(), select.poll()
        self._can_write.register(self._jobs, select.POLLOUT)
        self._can_read.register(self._answers, select.POLLIN)

    def is_alive(self) -> bool:
        return not self._killed and self._process.poll() is None

    def kill(self) -> None:
        """Kill the process, from whichever thread; that which uses it sees its pipe end."""
        self._killed = True
        self._process.kill()

    def end(self) -> None:
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _load(self, module: str) -> None:
        if module in self._loaded:
            return
        try:
            kind, said = self._ask(IMPORT, module.encode(), START_SECONDS)
        except _Silent:
            self.kill()
            raise WirewatchError(f"A child process took more than {START_SECONDS:g} s to import {module}") from None
        except _Ended:
            raise WirewatchError(f"A child process ended ({self._how_it_ended()}) as it imported {module}") from None
        if kind != READY:
            raise WirewatchError(f"A child process cannot import {module}: {_FAILURE.validate_json(said).message}")
        self._loaded.add(module)

    def do(self, job: _Job) -> Any:
        """Return what the job's function returned; a plain WirewatchError says that the installation is at fault."""
        for module in (*self._preload, job.module):
            self._load(module)
        try:
            kind, said = self._ask(JOB, job.message, self._timeout_seconds)
        except _Silent:
            self.kill()
            reason = f"Working on it took longer than {self._timeout_seconds:g} s and was stopped"
            raise TookTooLong(reason, about=job.about) from None
        except _Ended:
            how = self._how_it_ended()
            kind_of_error = TookTooLong if how in ("SIGKILL", "SIGALRM") else BadContent
            raise kind_of_error(f"Working on it ended the child process ({how})", about=job.about) from None
        if kind == OUT_OF_MEMORY:
            self.kill()
            reason = f"Working on it took more than {self._memory_bytes >> 20} MiB of memory and was stopped"
            raise TookTooLong(reason, about=job.about)
        try:
            if kind == ANSWER:
                return job.returns.validate_json(said, strict=True)
            failure = _FAILURE.validate_json(said, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            reason = f"What came out of it is not what was asked for: {where}: {first['msg']}"
            raise BadContent(reason[:MESSAGE_LIMIT], about=job.about) from None
        raise failure.as_error(job.about)

    def _ask(self, kind: bytes, message: bytes, seconds: float) -> tuple[bytes, bytes]:
        deadline = time.monotonic() + seconds
        self._send(HEADER.pack(kind, len(message)), deadline)
        self._send(message, deadline)
        kind, length = HEADER.unpack(self._receive(HEADER.size, deadline))
        if length > ANSWER_LIMIT:
            self.kill()
            raise _Ended
        return kind, self._receive(length, deadline)

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._jobs, rest) :]
            except BlockingIOError:
                _wait(self._can_write, deadline)
            except BrokenPipeError:
                raise _Ended from None

    def _receive(self, length: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while length:
            _wait(self._can_read, deadline)
            part = os.read(self._answers, length)
            if not part:
                raise _Ended
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:  # it closed its pipe and lives on
            self.kill()
            code = self._process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


@dataclass(frozen=True, kw_only=True)
class _Failure:
    error: str
    message: str
    about: str = ""
    retry_after_seconds: float | None = None

    def as_error(self, about: str) -> WirewatchError:
        kind = getattr(wirewatch.errors, self.error, BadContent) if self.error else BadContent
        if kind is RetryLater:
            return RetryLater(self.message, about=self.about or about, retry_after_seconds=self.retry_after_seconds)
        if isinstance(kind, type) and issubclass(kind, WirewatchError):
            return kind(self.message, about=self.about or about)
        return BadContent(self.message, about=self.about or about)


_FAILURE: Final = TypeAdapter(_Failure)
_adapter: Final = lru_cache(TypeAdapter)


def _job(
    function: Callable[..., Any], arguments: tuple[object, ...], keywords: dict[str, object], returns: Any, about: str
) -> _Job:
    return _Job(
        module=function.__module__,
        message=pickle.dumps((_name(function), arguments, keywords), protocol=pickle.HIGHEST_PROTOCOL),
        returns=_adapter(returns),
        about=about,
    )


def _name(function: Callable[..., Any]) -> str:
    name = f"{function.__module__}:{function.__qualname__}"
    if not function.__module__.startswith("wirewatch.") or "<" in name:
        raise ValueError(f"Only functions at the top of a module of wirewatch can be run in a child, not {name}")
    return name


def _wait(ready: select.poll, deadline: float) -> None:
    if not ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise _Silent


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
