"""What is in `deploy/` names commands, files, ports and services that are there.

No container is started here: no engine can be. `make image-steps` does the image's steps without one.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import typer.main
import yaml

from pipelines.cli.app import app
from pipelines.config import Config, load
from pipelines.engines import flex
from pipelines.engines.dataflow import options
from tests.deploy.image import Step, context, steps
from tests.pipelines.test_dataflow import IMAGE, PLACES
from wirewatch.errors import ConfigurationError

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = {name: one for name, one in SERVICES.items() if one["image"] == "wirewatch"}
UNITS: Final = sorted((DEPLOY / "systemd").iterdir())
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
STEPS: Final = steps(DOCKERFILE)
ENVIRON: Final = {"WIREWATCH_STORE_PASSWORD": "x", "WIREWATCH_CONTACT": "me@news.example"}


@pytest.fixture(scope="module")
def config() -> Config:
    return load(DEPLOY / "wirewatch.yaml", ENVIRON)


def understood(command: list[str]) -> None:
    """Fail unless a command of ours can be typed like that."""
    known: Any = typer.main.get_command(app)
    name, *words = command
    assert known.commands[name].make_context(name, list(words))


# The image


def test_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), "Dockerfile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def of_last_stage(word: str) -> list[Step]:
    return [step for step in STEPS if step.word == word and not step.stage]


def test_image_runs_as_nobody_special_and_is_asked_how_it_is() -> None:
    (user,) = of_last_stage("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user.rest)
    assert of_last_stage("HEALTHCHECK")
    (last,) = of_last_stage("ENTRYPOINT")
    assert json.loads(last.rest) == ["wirewatch-entrypoint"]


def test_all_that_is_installed_has_a_hash() -> None:
    """Nothing is built in an environment of its own either, for which pip fetches what has none."""
    runs = [step.rest for step in STEPS if step.word == "RUN" and "pip install" in step.rest]
    installs = [one for run in runs for one in run.split("&&") if "pip install" in one]
    assert len(installs) == 3
    assert all(("--require-hashes" in one) != ("--no-index" in one) for one in installs)
    assert all("--no-build-isolation" in one for one in installs if "setuptools.txt" not in one)


def test_image_has_the_version_of_beam_that_is_locked() -> None:
    (tag,) = re.findall(r"^FROM apache/beam_python3\.11_sdk:(\S+) AS beam$", DOCKERFILE, re.MULTILINE)
    assert f"\napache-beam=={tag} " in (DEPLOY / "requirements.lock").read_text()


def test_every_file_that_is_copied_is_given_to_whoever_builds() -> None:
    given = {path.relative_to(ROOT).as_posix() for path in context((ROOT / ".dockerignore").read_text())}
    for step in STEPS:
        if step.word == "COPY" and not any(option.startswith("--from") for option in step.options):
            for source in step.arguments[:-1]:
                assert source in given or any(path.startswith(f"{source}/") for path in given), source
    assert not [path for path in given if path.startswith(("tests", ".git", ".venv")) or path.endswith(".db")]


def test_lock_of_the_image_is_part_of_the_lock_of_all() -> None:
    def pins(path: Path) -> dict[str, list[str]]:
        """Return what is pinned with version and hashes; for which systems, the two may say differently."""
        found = re.split(r"\n(?=\S)", path.read_text().strip())
        return {one.partition("==")[0]: re.findall(r"==\S+|sha256:\w+", one) for one in found}

    ours, all_pins = pins(DEPLOY / "requirements.lock"), pins(ROOT / "requirements.lock")
    assert {name: all_pins.get(name) for name in ours} == ours
    assert not {"pytest", "mypy", "duckdb", "pandas", "playwright"} & ours.keys()


ENTRIES = {
    "a command": (["check", "a.yaml"], "wirewatch check a.yaml"),
    "nothing": ([], "wirewatch"),
    "help": (["--help"], "wirewatch --help"),
    "a worker": (["--id=1-1", "--provision_endpoint=localhost:1"], "boot --id=1-1 --provision_endpoint=localhost:1"),
    "a worker, its options in another order": (["--x=y", "--id", "1 1"], "boot --x=y --id 1 1"),
    "a worker pool": (["--worker_pool"], "boot --worker_pool"),
}


@pytest.mark.parametrize(("arguments", "run"), ENTRIES.values(), ids=ENTRIES)
def test_container_is_a_worker_for_engines_and_the_command_line_for_people(
    arguments: list[str], run: str, tmp_path: Path
) -> None:
    for name in ("wirewatch", "boot"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        program.chmod(0o755)
    entry = tmp_path / "entry"
    entry.write_text((DEPLOY / "entrypoint.sh").read_text().replace("/opt/apache/beam/boot", str(tmp_path / "boot")))
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["/bin/sh", entry, *arguments], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == run


@pytest.fixture
def health() -> Iterator[tuple[str, list[int]]]:
    """Give an address that says how something is, and the status with which it answers."""
    status = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in the base class)
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/healthz", status
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("answer", "well"), [(200, True), (503, False), (None, True)], ids=str)
def test_health_check_asks_where_there_is_something_to_ask(
    answer: int | None, well: bool, health: tuple[str, list[int]]
) -> None:
    address, status = health
    status[0] = answer or 200
    (step,) = of_last_stage("HEALTHCHECK")
    command = json.loads(step.rest.partition("CMD ")[2])
    environ = {"PATH": f"{Path(sys.executable).parent}"} | ({"WIREWATCH_HEALTH": address} if answer else {})
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    assert (done.returncode == 0) is well


# The compose file


def test_services_name_services_volumes_and_files_that_are_there() -> None:
    for name, service in SERVICES.items():
        needed = service.get("depends_on", [])
        mode = service.get("network_mode", "")
        assert set(needed) <= SERVICES.keys(), name
        assert not mode or mode.removeprefix("service:") in SERVICES, name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (DEPLOY / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]
            assert there, f"{name}: {volume}"
        for condition in needed.values() if isinstance(needed, dict) else ():
            assert condition["condition"] in {"service_started", "service_healthy", "service_completed_successfully"}
    assert "healthcheck" in SERVICES["postgres"]


def test_every_image_is_of_a_version() -> None:
    assert all(
        ":" in one["image"] and not one["image"].endswith(":latest")
        for one in SERVICES.values()
        if one not in OURS.values()
    )


@pytest.mark.parametrize("name", [name for name in OURS if "entrypoint" not in OURS[name]])
def test_command_of_a_service_can_be_typed_on_a_file_that_is_there(name: str) -> None:
    service = OURS[name]
    mounted = {target.split(":")[1] for target in service["volumes"]}
    assert service["command"][1] in mounted
    understood([*service["command"][:1], str(DEPLOY / "wirewatch.yaml"), *service["command"][2:]])


def test_configuration_is_right_and_names_the_services(config: Config) -> None:
    assert config.shown_store == "postgresql://wirewatch:***@postgres/wirewatch"
    assert config.stream.job_server == "jobserver:8099"
    assert config.stream.flink == "http://jobmanager:8081"
    (sink,) = config.sinks
    assert sink.model_dump()["emulator"] == "pubsub:8085"
    assert f"/v1/{sink.model_dump()['topic']}" in SERVICES["topics"]["command"][-1]
    assert {"jobserver", "jobmanager", "pubsub", "postgres"} <= SERVICES.keys()
    assert "--job-host=jobserver" in SERVICES["jobserver"]["command"]
    assert SERVICES["workers"]["network_mode"] == "service:taskmanager"
    assert config.stream.workers == "localhost:50000"
    assert SERVICES["workers"]["entrypoint"][-1] == "--service_port=50000"
    assert config.stream.parallelism == 2


def test_health_is_asked_where_it_is_answered(config: Config) -> None:
    assert urlsplit(OURS["job"]["environment"]["WIREWATCH_HEALTH"]).port == config.monitor.port
    viewer = urlsplit(OURS["viewer"]["environment"]["WIREWATCH_HEALTH"])
    assert f"reverse_proxy {viewer.netloc}" in (DEPLOY / "Caddyfile").read_text()


def test_nothing_is_reached_from_outside_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_secrets_come_from_the_environment() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if "PASSWORD" in variable:
                assert re.fullmatch(r"\$\{WIREWATCH_\w+:\?\}", value), f"{name}: {variable}"


# Units of systemd


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_command_of_a_unit_can_be_typed(unit: Path) -> None:
    (command,) = re.findall(r"^ExecStart=/opt/wirewatch/bin/wirewatch (.+)$", unit.read_text(), re.MULTILINE)
    understood(shlex.split(command))


def test_timer_has_its_service() -> None:
    timers = [unit for unit in UNITS if unit.suffix == ".timer"]
    assert [timer.with_suffix(".service") in UNITS for timer in timers] == [True]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_units_have_no_fault_that_systemd_knows(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace("/opt/wirewatch/bin/wirewatch", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *(tmp_path / unit.name for unit in UNITS)],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
        check=False,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "wirewatch" in line]) == (0, [])


# The Flex Template


METADATA: Final = json.loads((DEPLOY / "dataflow" / "metadata.json").read_text())
SCRIPT: Final = (DEPLOY / "dataflow" / "deploy.sh").read_text()


def flex_configuration(folder: Path, **stream: str) -> Path:
    path = folder / "wirewatch.yaml"
    settings = {
        "instance": {"authority": "news.example", "since": "2026"},
        "fetch": {"contact": "me@news.example"},
        "store": "postgresql://wirewatch:${WIREWATCH_STORE_PASSWORD}@db.example/wirewatch",
        "stream": {"runner": "dataflow", "image": IMAGE, **PLACES} | stream,
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def test_parameters_are_those_that_the_program_takes(tmp_path: Path) -> None:
    path = flex_configuration(tmp_path)
    examples = {"config": str(path), "environment": "WIREWATCH_STORE_PASSWORD=a=b OTHER=c"}
    assert {one["name"] for one in METADATA["parameters"]} == examples.keys()
    assert [one["name"] for one in METADATA["parameters"] if not one.get("isOptional")] == ["config"]
    launcher = ["--runner=DataflowRunner", "--job_name=mine", "--template_location=gs://newsroom/job"]
    config, given = flex.read([*(f"--{name}={value}" for name, value in examples.items()), *launcher], {})
    assert config.store == "postgresql://wirewatch:a=b@db.example/wirewatch"
    assert given == launcher
    (pattern,) = (one["regexes"][0] for one in METADATA["parameters"] if one["name"] == "environment")
    assert re.fullmatch(pattern, examples["environment"])


def test_options_of_the_launcher_go_before_the_configurations(tmp_path: Path) -> None:
    from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions  # noqa: PLC0415

    path = flex_configuration(tmp_path)
    config, given = flex.read([f"--config={path}", "--region=europe-north1"], ENVIRON)
    parsed = PipelineOptions([*options(config), *given]).view_as(GoogleCloudOptions)
    assert (parsed.project, parsed.region) == ("newsroom", "europe-north1")


def test_configuration_that_is_not_there_or_for_another_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        flex.read([f"--config={tmp_path / 'none.yaml'}"], ENVIRON)
    path = flex_configuration(tmp_path)
    path.write_text(path.read_text().replace("runner: dataflow", "runner: prism"))
    with pytest.raises(ConfigurationError, match="needs `runner: dataflow`"):
        flex.read([f"--config={path}"], ENVIRON)


def test_script_uses_files_and_parameters_that_are_there() -> None:
    assert subprocess.run(["/bin/sh", "-n", DEPLOY / "dataflow" / "deploy.sh"], check=False).returncode == 0
    assert "--metadata-file deploy/dataflow/metadata.json" in SCRIPT
    named = set(re.findall(r'--parameters "(\w+)=', SCRIPT))
    assert named <= {one["name"] for one in METADATA["parameters"]}


def test_image_runs_the_program_that_is_copied_into_it() -> None:
    (copied,) = [step for step in STEPS if step.word == "COPY" and "deploy/dataflow/main.py" in step.rest]
    (environ,) = of_last_stage("ENV")
    assert f"FLEX_TEMPLATE_PYTHON_PY_FILE={copied.arguments[-1]}" in environ.rest
