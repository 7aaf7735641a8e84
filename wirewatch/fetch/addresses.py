"""Which addresses may be asked: the URL's own form, then the very address that a connection is made to.

A host name proves nothing, because whoever owns it decides where it leads, and may decide otherwise a moment later.
So the last word is spoken where the socket is made, after name resolution, for every hop of a redirect.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from wirewatch.errors import SourceRefuses
from wirewatch.fetch.policy import Address, FetchPolicy, Reach

# RFC 9110, 4.1, asks for at least 8000 octets; longer ones are traps or mistakes.
_LONGEST_URL: Final = 8000
_LEGAL_QUERY: Final = re.compile(r"[A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]*")  # RFC 3986, 3.4, and brackets

# Ports of other protocols, which a link in a hostile page could make us talk to: the Fetch standard's list of bad
# ports, https://fetch.spec.whatwg.org/#port-blocking.
_BAD_PORTS: Final = frozenset(
    {
        *(0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104),
        *(109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515),
        *(526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049),
        *(3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    }
)

# IANA's special-purpose registry for IPv4, multicast and the reserved class E, and 168.63.129.16, the public-looking
# address at which Azure's host answers its guests. Listed here because `is_global` differs between Python versions.
_NOT_PUBLIC_4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
# Of IPv6 only 2000::/3 is handed out as global unicast; these parts of it are not.
_GLOBAL_6: Final = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20"))
# Where an IPv6 address carries an IPv4 one, and how many bits follow it: mapped, compatible and NAT64 (RFC 6052) at
# the end, 6to4 (RFC 3056) behind its first 16 bits.
_CARRIERS: Final = tuple(
    (ipaddress.IPv6Network(network), shift)
    for network, shift in (("::ffff:0:0/96", 0), ("64:ff9b::/96", 0), ("2002::/16", 80))
)


def is_public(address: Address) -> bool:
    """Tell whether an address is handed out for use on the open internet; one inside another is what counts."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    for network, shift in _CARRIERS:
        if address in network:
            return is_public(ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF))
    return address in _GLOBAL_6 and not any(address in network for network in _NOT_PUBLIC_6)


def vet(url: str) -> URL:
    """Return `url`, parsed, if its form allows asking it, else raise `SourceRefuses`."""
    if len(url) > _LONGEST_URL:
        raise SourceRefuses(f"The address is longer than {_LONGEST_URL} characters", about=url[:200])
    try:
        url.encode()
        parsed = URL(url)
        port = parsed.port
    except ValueError as error:  # UnicodeError among them
        raise SourceRefuses("The address cannot be read as a URL", about=printable(url)) from error
    if parsed.scheme not in {"http", "https"}:
        raise SourceRefuses(f"Only http and https are asked, not {parsed.scheme[:20] or 'nothing'}", about=url)
    if not parsed.raw_host:
        raise SourceRefuses("The address names no host", about=url)
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise SourceRefuses("The address carries a user name or password, and Wirewatch never logs in", about="")
    if port is None or port in _BAD_PORTS:
        raise SourceRefuses(f"Port {port} is not one that serves web pages", about=url)
    # yarl spells queries its own way (`%2F` becomes `/`), which a signed one does not survive.
    query = url.partition("#")[0].partition("?")[2]
    if not _LEGAL_QUERY.fullmatch(query):
        query = parsed.raw_query_string
    return URL.build(
        scheme=parsed.scheme,
        authority=parsed.raw_authority,
        path=parsed.raw_path,
        query_string=query,
        encoded=True,
    )


def vet_unasked(url: str, policy: FetchPolicy) -> None:
    """Raise `SourceRefuses` if `url` says by itself, without a look at the network, that it may not be asked.

    A name may still turn out to lead to an address that is not public; that is found when the connection is made.
    """
    parsed = vet(url)
    host = host_of(parsed)
    address = _spelled_out(host)
    if address is None or host in policy.allowed_hosts() or host in policy.endpoints():
        return
    if not is_public(address) and not any(address in network for network in policy.allowed_networks()):
        raise SourceRefuses(f"{address} is not a public address", about=printable(url))


def _spelled_out(host: str) -> Address | None:
    """Return the address that a host name is, in any spelling that a resolver takes (`127.1`, `0x7f.0.0.1`)."""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, 6.3
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def host_of(url: str | URL) -> str:
    """Return the host whose rules a request to `url` falls under: its name in small letters, without the port.

    Two ports of one host are one machine, which is what must not be asked too often.
    """
    host = (URL(url) if isinstance(url, str) else url).raw_host or ""
    return host.lower().rstrip(".")


def origin_of(url: URL) -> str:
    """Return scheme, host and port, to which one robots.txt applies: `https://courier.example`."""
    return str(url.origin())


def printable(url: str | URL) -> str:
    """Return an address fit for a message: without credentials and query, without control characters, not too long."""
    text = str(url)
    text = "".join(letter for letter in text if letter.isprintable())
    scheme, slashes, rest = text.partition("://")
    if not slashes:
        return text.partition("?")[0][:200]
    path = rest.partition("#")[0]
    path, query, _ = path.partition("?")
    authority, slash, path = path.partition("/")
    authority = authority.rpartition("@")[2]
    return f"{scheme}://{authority}{slash}{path}"[:200] + ("?…" if query else "")


class AddressRefused(OSError):
    """The connection would have gone to an address that may not be asked; `address` is that one.

    The text is the same for all addresses, so that several refused ones of one host become one error again.
    """

    def __init__(self, address: str) -> None:
        super().__init__("an address that is not public")
        self.address = address


_ASKED: ContextVar[str] = ContextVar("asked")


class AddressBook(AbstractResolver):
    """Resolve names and make sockets, to allowed addresses only.

    Names are looked up on threads of its own: a dead name server must not hold up the threads that fetch slots.
    """

    def __init__(self, reach: Reach) -> None:
        self._networks = reach.allowed_networks()
        self._hosts = reach.allowed_hosts()
        self._endpoints = reach.endpoints()
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="names")

    @contextmanager
    def asking(self, host: str) -> Iterator[None]:
        """Let sockets made inside this block know the host they are for."""
        token = _ASKED.set(host)
        try:
            yield
        finally:
            _ASKED.reset(token)

    def allows(self, host: str, address: str, port: int) -> bool:
        """Tell whether a connection for `host` may go to this address and port."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        if host in self._endpoints:
            return self._endpoints[host] == (ip, port)
        return host in self._hosts or is_public(ip) or any(ip in network for network in self._networks)

    def make_socket(
        self, info: tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]
    ) -> socket.socket:
        """Return a socket for the very address that will be connected to, or raise `AddressRefused`."""
        family, kind, protocol, _, endpoint = info
        if not self.allows(_ASKED.get(""), endpoint[0], endpoint[1]):
            raise AddressRefused(endpoint[0])
        return socket.socket(family, kind, protocol)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return where `host` is to be reached: where the configuration says, else where name service says."""
        if endpoint := self._endpoints.get(host.lower().rstrip(".")):
            return [_result(host, str(endpoint[0]), endpoint[1])]
        infos = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
        )
        return [_result(host, str(where[0]), port) for *_, where in infos]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result(name: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=name, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
