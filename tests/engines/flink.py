"""A real Flink cluster on localhost: JobManager, two TaskManagers, each with a worker pool, and Beam's job server.

Each TaskManager finds its own pool under the same name, as it would on a machine of its own: a file says to it what
`localhost` is.

Checkpoints and savepoints lie on the disk. Heartbeats are short, so that a TaskManager that is killed is missed within
seconds, and a job that fails is started again from its last checkpoint after one.
"""

from __future__ import annotations

import json
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any, Final

from tests.engines.install import FLINK, JOB_SERVER
from tests.engines.processes import PATIENCE_SECONDS, Process, free_port, listens, until

_ADDRESSES: Final = ("127.0.0.1", "127.0.0.2")  # where the TaskManagers' pools listen
ROOT: Final = Path(__file__).parents[2]
# What Flink's own default configuration opens to it on Java 17 (`env.java.opts.all`).
_EXPORTS: Final = [
    "java.base/sun.net.util",
    "java.rmi/sun.rmi.registry",
    "java.security.jgss/sun.security.krb5",
    *(f"jdk.compiler/com.sun.tools.javac.{one}" for one in ("api", "file", "parser", "tree", "util")),
]
_OPENS: Final = [
    "java.base/sun.nio.ch",
    *(f"java.base/java.{one}" for one in ("lang", "lang.reflect", "net", "io", "nio", "text", "time", "util")),
    *(f"java.base/java.util.concurrent{one}" for one in ("", ".atomic", ".locks")),
]
JAVA: Final = [
    "java",
    "-XX:+UseSerialGC",
    *(f"--add-exports={one}=ALL-UNNAMED" for one in _EXPORTS),
    *(f"--add-opens={one}=ALL-UNNAMED" for one in _OPENS),
]
_TASK_MANAGER: Final = {
    "taskmanager.cpu.cores": "2.0",
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "64m",
    "taskmanager.memory.task.heap.size": "384m",
    "taskmanager.memory.task.off-heap.size": "64m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.managed.size": "64m",
    "taskmanager.memory.jvm-metaspace.size": "192m",
    "taskmanager.memory.jvm-overhead.min": "96m",
    "taskmanager.memory.jvm-overhead.max": "96m",
}
_LOG4J: Final = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c{1} - %m%n
"""


class Flink:
    """A session cluster of two TaskManagers with one slot each: a job of parallelism 2 is on both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.savepoints = folder / "savepoints"
        self.rest_port, self.rpc_port, blob_port = free_port(), free_port(), free_port()
        self.pool_port, self.job_port = free_port(), free_port()
        self._conf = folder / "conf"
        self._conf.mkdir(parents=True)
        settings = {
            "jobmanager.rpc.address": _ADDRESSES[0],
            "jobmanager.rpc.port": self.rpc_port,
            "jobmanager.bind-host": _ADDRESSES[0],
            "blob.server.port": blob_port,
            "rest.address": _ADDRESSES[0],
            "rest.bind-address": _ADDRESSES[0],
            "rest.port": self.rest_port,
            "taskmanager.host": _ADDRESSES[0],
            "taskmanager.bind-host": _ADDRESSES[0],
            "taskmanager.numberOfTaskSlots": 1,
            "parallelism.default": 1,
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "state.checkpoints.dir": (folder / "checkpoints").as_uri(),
            "state.savepoints.dir": self.savepoints.as_uri(),
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": 1000,
            "restart-strategy.fixed-delay.delay": "1 s",
            "heartbeat.interval": 500,
            "heartbeat.timeout": 4000,
            "resourcemanager.taskmanager-timeout": 5000,
            "io.tmp.dirs": str(folder),
        }
        lines = [f"{name}: {json.dumps(value)}\n" for name, value in settings.items()]
        (self._conf / "config.yaml").write_text("".join(lines))
        (self._conf / "log4j.properties").write_text(_LOG4J)
        self.job_manager = self._java(
            "job-manager", FLINK, "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "-Xmx512m"
        )
        self.pools = [self._pool(number) for number in (0, 1)]
        self.task_managers = [self._task_manager(number) for number in (0, 1)]
        self.job_server = self._job_server()
        try:
            until("the cluster is up", self._is_up, seconds=2 * PATIENCE_SECONDS)
        except BaseException:
            self.stop()
            raise

    @property
    def endpoint(self) -> str:
        return f"localhost:{self.job_port}"

    @property
    def workers(self) -> str:
        return f"localhost:{self.pool_port}"

    @property
    def rest(self) -> str:
        return f"http://{_ADDRESSES[0]}:{self.rest_port}"

    def ask(self, path: str, body: Any = None) -> Any:
        """Ask Flink's REST interface; a body is posted."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.rest}{path}", data=data, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def slots_by_manager(self) -> list[int]:
        """Return how many slots each TaskManager has that is known to the JobManager."""
        try:
            return [one["slotsNumber"] for one in self.ask("/taskmanagers")["taskmanagers"]]
        except OSError:
            return []

    def running(self) -> dict[str, str]:
        """Return the numbers of all jobs that run with all their tasks, by name."""
        jobs = self.ask("/jobs/overview")["jobs"]
        return {job["name"]: job["jid"] for job in jobs if job["tasks"]["running"] == job["tasks"]["total"] > 0}

    def unfinished(self) -> list[str]:
        """Return the numbers of all jobs that have not ended, whatever state they are in."""
        ended = ("FINISHED", "CANCELED", "FAILED")
        return [job["jid"] for job in self.ask("/jobs/overview")["jobs"] if job["state"] not in ended]

    def checkpoints(self, job: str) -> int:
        """Return how many checkpoints of a job were completed since it was submitted."""
        completed: int = self.ask(f"/jobs/{job}/checkpoints")["counts"]["completed"]
        return completed

    def restarts(self, job: str) -> int:
        """Return how often a job was started again."""
        answer = self.ask(f"/jobs/{job}/metrics?get=numRestarts")
        return int(answer[0]["value"]) if answer else 0

    def cancel(self, job: str) -> None:
        """End a job without a savepoint."""
        request = urllib.request.Request(f"{self.rest}/jobs/{job}?mode=cancel", method="PATCH")
        with urllib.request.urlopen(request, timeout=30):
            pass

    def kill_task_manager(self) -> None:
        """Kill a TaskManager with `kill -9` and start a new one in its place."""
        self.task_managers[0].kill()
        self.task_managers[0] = self._task_manager(0)

    def kill_pool(self) -> None:
        """Kill a worker pool and its workers with `kill -9` and start a new one in its place."""
        self.pools[0].kill()
        until("nobody listens at the pool's port", lambda: not listens(self.pool_port))
        self.pools[0] = self._pool(0)

    @property
    def processes(self) -> list[Process]:
        """All processes of the cluster."""
        return [self.job_server, *self.task_managers, *self.pools, self.job_manager]

    def stop(self) -> None:
        """End all processes of the cluster."""
        for process in self.processes:
            process.kill()

    def _is_up(self) -> bool:
        for process in self.processes:
            assert process.runs, f"{process.name} ended:\n{process.said()[-3000:]}"
        ports = [(self.job_port, _ADDRESSES[0]), *((self.pool_port, address) for address in _ADDRESSES)]
        return all(listens(port, address) for port, address in ports) and len(self.slots_by_manager()) == 2

    def _java(
        self, name: str, jars: Path, main: str, *options: str, arguments: tuple[str, ...] | None = None
    ) -> Process:
        log4j = f"-Dlog4j2.configurationFile={self._conf / 'log4j.properties'}"
        given = ("--configDir", str(self._conf)) if arguments is None else arguments
        # In this order: Beam's SDK harness carries older copies of what its runner's own jars have.
        path = ":".join(str(jar) for jar in sorted(jars.glob("*.jar")))
        return Process(name, [*JAVA, *options, log4j, "-cp", path, main, *given], self.folder)

    def _task_manager(self, number: int) -> Process:
        hosts = self._conf / f"hosts-{number}"
        hosts.write_text(f"{_ADDRESSES[number]} localhost\n{_ADDRESSES[0]} {socket.gethostname()}\n")
        sizes = [word for name, value in _TASK_MANAGER.items() for word in ("-D", f"{name}={value}")]
        return self._java(
            f"task-manager-{number}",
            FLINK,
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            "-Xmx512m",
            f"-Djdk.net.hosts.file={hosts}",
            arguments=("--configDir", str(self._conf), *sizes),
        )

    def _pool(self, number: int) -> Process:
        return Process(
            f"worker-pool-{number}",
            [sys.executable, "-m", "tests.engines.pool", f"{_ADDRESSES[number]}:{self.pool_port}"],
            self.folder,
            # Workers are started as `python`; the repository is where a test's own modules lie.
            env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        )

    def _job_server(self) -> Process:
        return self._java(
            "job-server",
            JOB_SERVER,
            "org.apache.beam.runners.flink.FlinkJobServerDriver",
            "-Xmx512m",
            arguments=(
                "--flink-master",
                f"{_ADDRESSES[0]}:{self.rest_port}",
                "--job-port",
                str(self.job_port),
                "--artifact-port",
                "0",
                "--expansion-port",
                "0",
                "--artifacts-dir",
                str(self.folder / "artifacts"),
            ),
        )
