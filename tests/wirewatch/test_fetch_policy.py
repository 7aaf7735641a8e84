"""A policy that cannot be kept is refused before anything is asked, with every reason at once."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from tests.wirewatch.fetch_site import fetch, policy
from wirewatch.errors import ConfigurationError
from wirewatch.fetch.client import Fetcher
from wirewatch.fetch.connecting import has_authorities
from wirewatch.fetch.policy import FetchPolicy


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"contact": "  "}, "fetch.contact is missing"),
        ({"contact": "desk\r\nX: y"}, "printable"),
        ({"read_seconds": 0}, "fetch.read_seconds must be"),
        ({"feed_bytes": 0}, "fetch.feed_bytes must be"),
        ({"parallel": 0}, "fetch.parallel must be"),
        ({"allow_addresses": ("10.0.0.0/99",)}, "'10.0.0.0/99' is neither"),
        ({"connect_to": {"courier.example": "localhost:80"}}, "'localhost:80' is not an address with a port"),
        ({"connect_to": {"courier.example": "127.0.0.1"}}, "'127.0.0.1' is not an address with a port"),
        ({"connect_to": {"http://courier.example": "127.0.0.1:80"}}, "is not a host name"),
    ],
)
def test_policy_names_what_is_wrong_with_it(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(complaint)):
        policy(**changes)


def test_policy_survives_pickling() -> None:
    one = policy(connect_to={"courier.example": "[::1]:8080"})
    assert pickle.loads(pickle.dumps(one)) == one
    assert Fetcher(FetchPolicy(contact="https://courier.example/bot"))


def test_policy_names_everything_that_is_wrong_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"fetch\.contact .*; fetch\.total_seconds .*; fetch\.allow_addresses"):
        FetchPolicy(contact="", total_seconds=0, allow_addresses=("?",))


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_file_of_authorities_that_cannot_be_read_is_the_configurations_fault(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    with pytest.raises(ConfigurationError, match=r"ca_file .*ca\.pem cannot be read"):
        fetch("http://courier.example/", ca_file=str(tmp_path / "ca.pem"))


def test_system_without_authorities_is_noticed(tmp_path: Path) -> None:
    assert not has_authorities(None, None)
    assert not has_authorities(None, str(tmp_path))
    (tmp_path / "one.pem").touch()
    assert has_authorities(None, str(tmp_path))
    assert has_authorities(str(tmp_path / "one.pem"), None)
