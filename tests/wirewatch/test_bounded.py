"""Whatever a page does to the process that works on it, its job ends, and the next job and the parent do not notice.

Real children throughout. What a job does is decided by its argument: an argument that is unpickled in the child can
call anything there, so that no hostile function need live in the package.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.bounded import WAITING_PER_CHILD, Pool
from wirewatch.bounded_child import HEADER, IMPORT, JOB
from wirewatch.canonical import article_uri, comparable, content_hash, storable
from wirewatch.errors import (
    BadContent,
    ConfigurationError,
    DeliveryFailed,
    RetryLater,
    SourceRefuses,
    StoreError,
    Superseded,
    TookTooLong,
    WirewatchError,
)
from wirewatch.identity import capture_aliases, normalise_url
from wirewatch.model import Alias, Capture, Wording

STATED_LIMIT = 256 << 20
MARKS = "a" + "\u0301\u0323" * 500_000  # NFC is quadratic in such a run: minutes


class Calls:
    """An argument that, as it arrives in the child, becomes what the call returns there."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def evaluates(expression: str) -> Any:
    return Calls(eval, expression)


def does(statement: str) -> Any:
    return Calls(exec, statement)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1, timeout_seconds=1, memory_bytes=STATED_LIMIT) as shared:
        yield shared


def child_id(pool: Pool) -> int:
    return int(pool.run(comparable, evaluates("str(__import__('os').getpid())"), returns=str))


def is_running(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")  # where there is none, a zombie counts as running until it is reaped
    try:
        os.kill(process, 0)
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):  # it may end between any two lines
        return False


def ends_soon(process: int) -> bool:
    for _ in range(200):
        if not is_running(process):
            return True
        time.sleep(0.05)
    return False


def test_result_comes_back_as_the_declared_type(pool: Pool) -> None:
    taken = Capture(url="https://courier.example/a", observed=datetime(2026, 3, 16, tzinfo=UTC), body=b"\0\xff" * 9)
    found = pool.run(capture_aliases, taken, canonical_url="/b?x=1", returns=tuple[Alias, ...])
    assert found == capture_aliases(taken, canonical_url="/b?x=1")
    assert pool.run(storable, "a\0b", returns=tuple[str, bool]) == ("a\ufffdb", True)


@given(text=st.text(max_size=200))
def test_result_is_what_the_function_returns_here(pool: Pool, text: str) -> None:
    assert pool.run(comparable, text, returns=str) == comparable(text)


def test_large_arguments_and_results_pass(pool: Pool) -> None:
    text = "ferry " * 300_000
    assert pool.run(storable, text, returns=tuple[str, bool]) == (text, False)


def test_children_are_used_again(pool: Pool) -> None:
    assert child_id(pool) == child_id(pool)


@pytest.mark.parametrize(
    ("argument", "error", "words"),
    [
        pytest.param(MARKS, TookTooLong, "longer than 1 s", id="a million combining marks"),
        pytest.param(Calls(os._exit, 3), BadContent, "exit code 3", id="os._exit"),
        pytest.param(Calls(sys.exit, 0), BadContent, "exit code 0", id="sys.exit"),
        pytest.param(Calls(os.abort), BadContent, "SIGABRT", id="crash"),
        pytest.param(does("import os; os.kill(os.getpid(), 9)"), TookTooLong, "SIGKILL", id="killed by the system"),
        pytest.param(evaluates("1 / 0"), BadContent, "ZeroDivisionError: division by zero", id="exception"),
        pytest.param(does("raise ValueError('x' * 10**7)"), BadContent, "ValueError: xxx", id="long message"),
        pytest.param(does(r"raise ValueError('\ud800')"), BadContent, "ValueError: ?", id="unprintable message"),
        pytest.param(evaluates("(lambda f: f(f))(lambda f: f(f))"), BadContent, "RecursionError", id="recursion"),
    ],
)
def test_job_that_goes_wrong_fails_alone(pool: Pool, argument: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(BadContent) as caught:
        pool.run(comparable, argument, returns=str, about="https://courier.example/a")
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert len(str(caught.value)) < 600
    assert caught.value.about == "https://courier.example/a"
    assert pool.run(comparable, " next  job ", returns=str) == "next job"


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not keep to RLIMIT_AS; only time limits a child there")
@pytest.mark.parametrize(
    "expression", ["bytes(10**10)", "[bytes(10**6) for _ in range(10**4)]"], ids=["at once", "bit by bit"]
)
def test_memory_bomb_is_stopped(pool: Pool, expression: str) -> None:
    with pytest.raises(TookTooLong, match="more than 256 MiB of memory"):
        pool.run(comparable, evaluates(expression), returns=str)
    assert pool.run(comparable, " next  job ", returns=str) == "next job"


@pytest.mark.parametrize(
    "kind",
    [
        WirewatchError,
        ConfigurationError,
        StoreError,
        Superseded,
        BadContent,
        TookTooLong,
        SourceRefuses,
        DeliveryFailed,
    ],
)
def test_errors_come_back_as_they_were_raised(pool: Pool, kind: type[WirewatchError]) -> None:
    raising = does(f"from wirewatch.errors import *; raise {kind.__name__}('Fähre “aground”', about='uri')")
    with pytest.raises(kind) as caught:
        pool.run(comparable, raising, returns=str, about="the job's own")
    assert type(caught.value) is kind
    assert (str(caught.value), caught.value.about) == ("Fähre “aground”", "uri")


def test_error_keeps_its_retry_time(pool: Pool) -> None:
    raising = does("from wirewatch.errors import *; raise RetryLater('Busy', about='uri', retry_after_seconds=2.5)")
    with pytest.raises(RetryLater) as caught:
        pool.run(comparable, raising, returns=str)
    assert caught.value.retry_after_seconds == 2.5


def test_error_of_a_kind_of_its_own_comes_back_as_the_nearest_known(pool: Pool) -> None:
    raising = does("from wirewatch.errors import TookTooLong as T; raise type('Odd', (T,), {})('Slow')")
    with pytest.raises(TookTooLong, match=r"^Slow$"):
        pool.run(comparable, raising, returns=str)


def test_real_error_of_a_real_function_comes_back(pool: Pool) -> None:
    with pytest.raises(BadContent, match="no web address") as caught:
        pool.run(normalise_url, "mailto:desk@courier.example", returns=str)
    assert caught.value.about == "mailto:desk@courier.example"


@pytest.mark.parametrize("returns", [int, tuple[str, bool], Wording, None], ids=str)
def test_result_of_another_type_is_bad_content(pool: Pool, returns: Any) -> None:
    with pytest.raises(BadContent, match="not what was asked for"):
        pool.run(comparable, "words", returns=returns)


def test_result_that_json_cannot_carry_is_bad_content(pool: Pool) -> None:
    with pytest.raises(BadContent, match="surrogates"):
        pool.run(comparable, "\ud800", returns=str)


def test_result_that_is_too_long_is_bad_content() -> None:
    # orjson asks for eight times the length of a text at once, and crashes where it does not get that.
    with Pool(1, memory_bytes=4 << 30) as pool, pytest.raises(BadContent, match="too long: 6"):
        pool.run(article_uri, "example", "2026", evaluates("'a' * (61 << 20) + 'bcd' * (1 << 20)"), returns=str)


def test_what_a_library_prints_does_not_mix_with_the_answer(pool: Pool, capfd: pytest.CaptureFixture[str]) -> None:
    noise = "__import__('os').system('echo noise; echo noise >&2') or print('noise', flush=True) or 'a'"
    assert pool.run(comparable, evaluates(noise), returns=str) == "a"
    assert capfd.readouterr() == ("", "")


def test_child_imports_neither_beam_nor_what_only_the_parent_needs(pool: Pool) -> None:
    loaded = "' '.join({m.partition('.')[0] for m in __import__('sys').modules})"
    modules = pool.run(comparable, evaluates(loaded), returns=str).split()
    assert "wirewatch" in modules
    assert not {"apache_beam", "pydantic", "sqlalchemy", "aiohttp"} & set(modules)


def test_only_functions_of_wirewatch_are_run(pool: Pool) -> None:
    with pytest.raises(ValueError, match="Only functions"):
        pool.submit(os.getpid, returns=int)
    with pytest.raises(ValueError, match="Only functions"):
        pool.submit(lambda: 1, returns=int)


def test_a_hundred_jobs_on_two_children_each_get_their_own_answer() -> None:
    with Pool(2) as pool:
        waiting = {n: pool.submit(content_hash, Wording(headline=f"{n}"), returns=str) for n in range(100)}
        found = {n: waiting[n].result() for n in sorted(waiting, key=lambda n: n * 37 % 100)}
    assert found == {n: content_hash(Wording(headline=f"{n}")) for n in range(100)}


def test_a_slow_page_delays_nobody_else() -> None:
    with Pool(2, timeout_seconds=1.5) as pool:
        slow = pool.submit(comparable, MARKS, returns=str)
        quick = [pool.submit(comparable, f" {n}", returns=str) for n in range(30)]
        assert [future.result() for future in quick] == [f"{n}" for n in range(30)]
        assert not slow.done()
        assert isinstance(slow.exception(), TookTooLong)


def test_several_threads_may_share_a_pool() -> None:
    found: dict[int, list[str]] = {}

    def work(n: int) -> None:
        found[n] = [shared.run(comparable, f"{n}  {m}", returns=str) for m in range(20)]

    with Pool(2) as shared:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {n: [f"{n} {m}" for m in range(20)] for n in range(5)}


def test_submit_waits_when_too_much_is_queued() -> None:
    with Pool(1, timeout_seconds=0.5) as pool:
        slow = pool.submit(comparable, does("import time; time.sleep(99)"), returns=str)
        while not slow.running():
            time.sleep(0.01)
        later = [pool.submit(comparable, f"{n}", returns=str) for n in range(WAITING_PER_CHILD + 1)]
        assert isinstance(slow.exception(timeout=0), TookTooLong), "the last of them fits only when the first is over"
        assert [future.result() for future in later] == [f"{n}" for n in range(WAITING_PER_CHILD + 1)]


def test_a_callback_may_submit_though_the_queue_is_full() -> None:
    followed: list[Any] = []

    def follow(_: object) -> None:
        followed.extend(shared.submit(comparable, f"{n}", returns=str) for n in range(2 * WAITING_PER_CHILD))

    with Pool(1) as shared:
        shared.submit(comparable, "first", returns=str).add_done_callback(follow)
        while len(followed) < 2 * WAITING_PER_CHILD:
            time.sleep(0.01)
        assert [future.result() for future in followed] == [f"{n}" for n in range(2 * WAITING_PER_CHILD)]


def test_import_of_a_module_does_not_count_as_work() -> None:
    with Pool(1, timeout_seconds=0.5, preload=("wirewatch.model", "wirewatch.identity")) as pool:
        loaded = "str('w3lib' in __import__('sys').modules)"
        assert pool.run(comparable, evaluates(loaded), returns=str) == "True"


def test_a_module_that_cannot_be_imported_is_no_finding_about_a_page() -> None:
    with (
        Pool(1, preload=("wirewatch.no_such_module",)) as pool,
        pytest.raises(WirewatchError, match="no_such_module") as e,
    ):
        pool.run(comparable, "a", returns=str)
    assert not isinstance(e.value, BadContent)


def test_closing_finishes_what_was_queued_and_ends_the_children() -> None:
    pool = Pool(1)
    child = child_id(pool)
    waiting = [pool.submit(comparable, f"{n}", returns=str) for n in range(5)]
    pool.close()
    pool.close()
    assert [future.result(timeout=0) for future in waiting] == [f"{n}" for n in range(5)]
    assert not is_running(child)
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(comparable, "a", returns=str)


def test_leaving_by_an_error_stops_what_runs_and_drops_what_waits() -> None:
    with suppress(KeyboardInterrupt), Pool(1) as pool:
        child = child_id(pool)
        running = pool.submit(comparable, MARKS, returns=str)
        queued = pool.submit(comparable, "a", returns=str)
        while not running.running():
            time.sleep(0.01)
        raise KeyboardInterrupt
    assert isinstance(running.exception(timeout=0), RuntimeError)
    with pytest.raises(CancelledError):
        queued.result(timeout=0)
    assert not is_running(child)


def test_a_cancelled_job_is_not_run() -> None:
    with Pool(1, timeout_seconds=0.5) as pool:
        slow = pool.submit(comparable, does("import time; time.sleep(99)"), returns=str)
        cancelled = pool.submit(comparable, Calls(os._exit, 3), returns=str)
        assert cancelled.cancel()
        wait([slow])
        assert pool.run(comparable, "a", returns=str) == "a"


def test_a_forgotten_pool_ends_its_children() -> None:
    pool = Pool(1)
    child = child_id(pool)
    del pool
    assert ends_soon(child)


def test_a_child_that_died_while_idle_is_replaced() -> None:
    with Pool(1) as pool:
        child = child_id(pool)
        os.kill(child, signal.SIGKILL)
        assert ends_soon(child)
        assert pool.run(comparable, "a", returns=str) == "a"
        assert child_id(pool) != child


PARENT = """
import os, sys
from wirewatch.bounded import Pool
from wirewatch.canonical import comparable

class Calls:
    def __init__(self, expression): self.expression = expression
    def __reduce__(self): return eval, (self.expression,)

pool = Pool(1, timeout_seconds=60)
print(pool.run(comparable, Calls("str(__import__('os').getpid())"), returns=str), flush=True)
{then}
"""
HOLDS_THE_INTERPRETER = f"job = pool.submit(comparable, {'a'!r} + {chr(0x301)!r} * 1_000_000, returns=str)\n"


@pytest.mark.parametrize(
    "then",
    ["sys.stdin.read()", HOLDS_THE_INTERPRETER + "sys.stdin.read()"],
    ids=["idle", "at work"],
)
def test_children_end_when_the_parent_is_killed(then: str) -> None:
    if "job" in then and sys.platform != "linux":
        pytest.skip("without PR_SET_PDEATHSIG a job ends by its alarm, a minute later here")
    with start(PARENT.format(then=then)) as parent:
        child = int(first_line(parent))
        time.sleep(0.2 if "job" in then else 0)
        parent.kill()
        assert ends_soon(child)


@pytest.mark.parametrize("then", ["", HOLDS_THE_INTERPRETER, "raise SystemExit(0)"], ids=["end", "at work", "exit"])
def test_program_that_does_not_close_its_pool_ends_all_the_same(then: str) -> None:
    with start(PARENT.format(then=then)) as parent:
        child = int(first_line(parent))
        assert parent.wait(timeout=20) == 0
        assert ends_soon(child)


def test_a_job_ends_without_its_parent_by_the_alarm_alone() -> None:
    """This process stands for a parent that cannot kill any more, so that PR_SET_PDEATHSIG has no part in it."""
    job = pickle.dumps(("wirewatch.canonical:comparable", (MARKS,), {}))
    with start("import os; from wirewatch.bounded_child import serve; serve(os.getppid(), 1 << 30, 0.2)") as child:
        assert child.stdin is not None
        for kind, message in ((IMPORT, b"wirewatch.canonical"), (JOB, job)):
            child.stdin.write(HEADER.pack(kind, len(message)) + message)
        child.stdin.flush()
        assert child.wait(timeout=20) == -signal.SIGALRM


def test_memory_does_not_grow_from_the_second_round_to_the_tenth() -> None:
    page = Capture(
        url="https://courier.example/a", observed=datetime(2026, 3, 16, tzinfo=UTC), body=os.urandom(400_000)
    )
    peak = evaluates("str(__import__('resource').getrusage(0).ru_maxrss)")
    with Pool(1) as pool:
        rounds = []
        for _ in range(10):
            for n in range(30):
                pool.run(capture_aliases, page, canonical_url=f"/{n}", returns=tuple[Alias, ...])
                pool.run(storable, "words " * 20_000, returns=tuple[str, bool])
            rounds.append(int(pool.run(comparable, peak, returns=str)))
    assert rounds[9] <= rounds[1] * 1.05


def start(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()
