"""The newsroom served by hand, as a new user does it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
import yaml

from wirewatch.demo import Newsroom
from wirewatch.demo.__main__ import configuration, main


def test_configuration_names_both_newspapers_and_where_they_are() -> None:
    with Newsroom() as newsroom:
        read = yaml.safe_load(configuration(newsroom))
        assert read["fetch"]["connect_to"] == newsroom.connect_to
        assert [feed["url"] for feed in read["feeds"]] == [site.feed_url for site in newsroom.sites]
        assert {feed["zone"] for feed in read["feeds"]} == {"Europe/London"}
        assert len(configuration(newsroom).splitlines()) <= 10


def test_serves_until_interrupted() -> None:
    command = [sys.executable, "-m", "wirewatch.demo", "--at", "15:31"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("It is 15:31 on Monday 16 March 2026 in the newsroom, at http://127.0.0.1:")
        address = first.split()[-1]
        with urllib.request.urlopen(address, timeout=10) as page:
            assert b"It is 15:31" in page.read()
        process.send_signal(signal.SIGINT)
        assert "The newsroom is closed." in process.stdout.read()
    assert process.returncode == 0


def test_port_in_use_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert f"cannot listen on port {port}" in capsys.readouterr().err


def test_time_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--at", "teatime"])
    assert ended.value.code == 2
    assert "not a time of day such as 15:31: teatime" in capsys.readouterr().err
