"""Run a stream on a Flink cluster, through Beam's job server.

The cluster holds the job: it goes on when this process is killed, and it starts the job again from its last checkpoint
when a machine of its own is. It is followed and stopped by Flink's own REST interface, because the job server forgets
its jobs when it is restarted and knows no savepoints.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any, Final

from pipelines.config import Config
from pipelines.engines.submit import job_name, submit
from wirewatch.errors import EngineFailed

_TIMEOUT_SECONDS: Final = 30.0  # for one question
_PAUSE_SECONDS: Final = 0.5
_TAKEN_SECONDS: Final = 300.0  # from the job server to the cluster: Beam's jars are uploaded with every job, 300 MB
_LOST_SECONDS: Final = 120.0  # a JobManager that does not answer for so long is gone
_LONGEST_ANSWER: Final = 10_000  # bytes, of an error
_ENDED: Final = ("FAILED", "CANCELED", "FINISHED")


class _Refused(EngineFailed):
    """Flink answered and would not."""


class Flink:
    """A stream on a cluster."""

    given_up = True

    def __init__(self, config: Config, graph: Any, *, savepoint: str | None = None) -> None:
        stream = config.stream
        self._rest = (stream.flink or "").rstrip("/")
        self._checkpoint_seconds = stream.checkpoint_timeout
        self._name = job_name(config)
        self._answered = time.monotonic()
        if self._jobs():
            raise EngineFailed(
                f"A job {self._name} runs on {self._rest} already, and one is enough for a store: stop that one first."
            )
        options = [
            "--runner=PortableRunner",
            f"--job_endpoint={stream.job_server}",
            "--environment_type=EXTERNAL",
            f"--environment_config={stream.workers}",
            f"--parallelism={stream.parallelism}",
            f"--checkpointing_interval={round((stream.checkpoint_interval or 0) * 1000)}",
            f"--checkpoint_timeout_millis={round(stream.checkpoint_timeout * 1000)}",
            # Else what a bundle gives that a checkpoint ends, pages included, is written down with it and handed on
            # only when the next bundle begins, which may be never.
            "--finish_bundle_before_checkpointing",
        ]
        if savepoint is not None:
            options.append(f"--savepoint_path={savepoint}")
        submit(config, graph, options, to=f"Beam's job server at {stream.job_server}")
        self._job = self._taken()

    def failure(self) -> str | None:
        """Return why the job is no more, or None while it runs, or is started again."""
        try:
            state = self._ask(f"/jobs/{self._job}")["state"]
        except EngineFailed as error:
            return str(error) if time.monotonic() - self._answered > _LOST_SECONDS else None
        if state not in _ENDED:
            return None
        root = (self._ask(f"/jobs/{self._job}/exceptions").get("root-exception") or "").splitlines()
        why = f": {root[0][:300]}" if state == "FAILED" and root else ""
        return f"Flink ended the job ({state.lower()}{why})."

    def stop(self) -> str:
        """Stop the job with a savepoint; one that is just being started again is waited for."""
        deadline = time.monotonic() + self._checkpoint_seconds
        while True:
            try:
                return f"The job has ended. Go on with: wirewatch stream --from-savepoint {self._savepoint(deadline)}"
            except _Refused as refusal:
                if time.monotonic() > deadline or self.failure() is not None:
                    raise EngineFailed(f"{refusal} The job runs on; see {self._rest}.") from refusal
            time.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Do nothing: the cluster is not ours."""

    def _savepoint(self, deadline: float) -> str:
        trigger = self._ask(f"/jobs/{self._job}/stop", {"drain": False})["request-id"]
        while True:
            answer = self._ask(f"/jobs/{self._job}/savepoints/{trigger}")
            if answer["status"]["id"] == "COMPLETED":
                break
            if time.monotonic() > deadline:
                raise _Refused(f"Flink wrote no savepoint in {self._checkpoint_seconds:g} s.")
            time.sleep(_PAUSE_SECONDS)
        operation = answer.get("operation") or {}
        if "location" not in operation:
            why = str(operation.get("failure-cause", {}).get("class", "no reason given"))
            raise _Refused(f"Flink could not write a savepoint ({why}).")
        return str(operation["location"])

    def _jobs(self) -> list[str]:
        jobs = self._ask("/jobs/overview")["jobs"]
        return [job["jid"] for job in jobs if job["name"] == self._name and job["state"] not in _ENDED]

    def _taken(self) -> str:
        """Return the job's number once the cluster has it; the job server answers before it has handed it on."""
        deadline = time.monotonic() + _TAKEN_SECONDS
        while time.monotonic() < deadline:
            if found := self._jobs():
                return found[0]
            time.sleep(_PAUSE_SECONDS)
        raise EngineFailed(f"The job has not reached {self._rest}; the job server's log says why.")

    def _ask(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (a web address, by its settings)
            f"{self._rest}{path}", data=data, headers={"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                found = json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(_LONGEST_ANSWER).decode(errors="replace").splitlines() or [error.reason]
            raise _Refused(f"Flink refused {path} ({error.code}: {said[0][:200]}).") from error
        except (OSError, ValueError) as error:
            raise EngineFailed(f"Flink does not answer at {self._rest} ({error}): see that it runs.") from error
        self._answered = time.monotonic()
        return found
