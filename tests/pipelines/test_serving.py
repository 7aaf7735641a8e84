"""`wirewatch serve`: a real server over a deployment's store, and where it refuses to listen."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pipelines.config import load
from pipelines.serving import serving
from wirewatch.clock import SystemClock

CONFIGURATION = """\
instance: {authority: news.example, since: "2026"}
fetch: {contact: desk@news.example}
viewer: {port: PORT}
"""
SERVE = "import sys; from pipelines.cli import main; sys.exit(main(['serve', *sys.argv[1:]]))"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "wirewatch.yaml"
    path.write_text(CONFIGURATION.replace("PORT", str(free_port())))
    return path


def test_deployment_is_served_over_http(config: Path) -> None:
    with serving(load(config, {}), SystemClock()) as address, httpx.Client(base_url=address, timeout=60) as client:
        assert client.get("/changes.json").json()["changes"] == []
        assert client.get("/", headers={"host": "evil.example"}).status_code == 421
        assert client.get(f"/?q={'a' * 10_000}").status_code == 414
        assert client.head("/").status_code == 200
        assert "server" not in client.get("/").headers


def test_command_serves_until_it_is_stopped(config: Path) -> None:
    command = [sys.executable, "-c", SERVE, str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        assert told.startswith("The viewer is at http://127.0.0.1:")
        try:
            assert httpx.get(told.split()[4], timeout=60).status_code == 200
        finally:
            process.terminate()
        rest = process.stderr.read()
    assert "Traceback" not in rest


REFUSED = {
    "everybody": (["--address", "0.0.0.0"], "put a reverse proxy in front"),
    "a port that is none": (["--port", "0"], "--port"),
    "a port in words": (["--port", "http"], "--port: 'http'"),
    "a header that is none": (["--user-header", "X Y"], "--user-header"),
    "no time at all": (["--time-limit", "0s"], "--time-limit"),
    "an address of another machine": (["--address", "192.0.2.1", "--user-header", "X-User"], "cannot be listened at"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_served_is_refused_in_a_sentence(
    config: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from pipelines.cli import main  # noqa: PLC0415

    options, says = REFUSED[name]
    assert main(["serve", str(config), *options]) == 2
    told = capfd.readouterr().err
    assert says in told
    assert "Traceback" not in told


def test_port_that_is_taken_is_named(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from pipelines.cli import main  # noqa: PLC0415

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["serve", str(config), "--port", str(port)]) == 2
    assert f"127.0.0.1:{port} cannot be listened at" in capfd.readouterr().err
