"""How Wirewatch asks: who it says it is, how long it waits, how much it takes and which addresses it may ask.

Every limit counts what is kept in memory: sizes are after decompression, and times are of one check's own requests,
without the waiting for slots.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wirewatch import __version__
from wirewatch.errors import ConfigurationError

MIB: Final = 1024 * 1024

_LEAST: Final = {
    **dict.fromkeys(("connect_seconds", "read_seconds", "total_seconds"), 0.1),
    **dict.fromkeys(("article_bytes", "feed_bytes", "parallel", "parallel_per_host"), 1),
    "max_redirects": 0,
}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Say what may be connected to beside public addresses.

    `allow_addresses` names networks (`10.0.0.0/8`), addresses (`127.0.0.1`) and hosts (`intranet.example`) that may be
    asked although they are not public. `connect_to` sends a host's requests to an address and port of its own,
    `{"courier.example": "127.0.0.1:8080"}`, whatever name service says; such a host is allowed by being named.
    """

    allow_addresses: tuple[str, ...] = ()
    connect_to: Mapping[str, str] = field(default_factory=dict)

    def allowed_networks(self) -> tuple[Network, ...]:
        """Return the networks that the configuration names, single addresses among them."""
        return tuple(network for entry in self.allow_addresses if (network := _network(entry)))

    def allowed_hosts(self) -> frozenset[str]:
        """Return the hosts that the configuration names, in small letters."""
        return frozenset(entry.lower() for entry in self.allow_addresses if _network(entry) is None)

    def endpoints(self) -> dict[str, tuple[Address, int]]:
        """Return the address and port of each host in `connect_to`, by its name in small letters."""
        found = {host.lower(): _endpoint(target) for host, target in self.connect_to.items()}
        return {host: endpoint for host, endpoint in found.items() if endpoint}


@dataclass(frozen=True, kw_only=True)
class FetchPolicy(Reach):
    """Hold the rules that every request of a process keeps to.

    `contact` is a mail address or web page at which a publisher reaches the operator. `ca_file` is a PEM file with
    certificate authorities to trust beside the system's own.
    Raises `ConfigurationError` with everything that is wrong.
    """

    contact: str
    connect_seconds: float = 10
    read_seconds: float = 30
    total_seconds: float = 60
    max_redirects: int = 10
    article_bytes: int = 5 * MIB
    feed_bytes: int = 15 * MIB
    ca_file: str | None = None
    parallel: int = 100  # requests under way at once in one process
    parallel_per_host: int = 6  # what a browser opens to one host

    def __post_init__(self) -> None:
        if problems := list(self._problems()):
            raise ConfigurationError("; ".join(problems), about="fetch")

    def _problems(self) -> Iterator[str]:
        if not self.contact.strip():
            yield "fetch.contact is missing: give a mail address or web page where publishers can reach you"
        elif not self.contact.isascii() or not self.contact.isprintable():
            yield "fetch.contact may only have printable ASCII characters"
        for name, least in _LEAST.items():
            if not getattr(self, name) >= least:
                yield f"fetch.{name} must be {least} or more"
        for entry in self.allow_addresses:
            if not is_allowable(entry):
                yield f"fetch.allow_addresses: {entry!r} is neither an address nor a network nor a host name"
        for host, target in self.connect_to.items():
            if not _is_name(host):
                yield f"fetch.connect_to: {host!r} is not a host name"
            if _endpoint(target) is None:
                yield f"fetch.connect_to: {target!r} is not an address with a port, such as 127.0.0.1:8080"

    @property
    def user_agent(self) -> str:
        return f"Wirewatch/{__version__} (+{self.contact.strip()})"


def is_allowable(entry: str) -> bool:
    """Tell whether an entry of `allow_addresses` is an address, a network or a host name."""
    return _network(entry) is not None or _is_name(entry)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _endpoint(text: str) -> tuple[Address, int] | None:
    address, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    try:
        return ipaddress.ip_address(address.removeprefix("[").removesuffix("]")), int(port)
    except ValueError:
        return None


def _is_name(text: str) -> bool:
    letters = text.replace("-", "").replace(".", "").replace("_", "")
    return letters.isascii() and letters.isalnum() and not letters.isdigit()
