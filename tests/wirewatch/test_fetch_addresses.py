"""Addresses that are not on the open internet are not asked, however they are written."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wirewatch.fetch_site import policy
from wirewatch.errors import SourceRefuses
from wirewatch.fetch.addresses import AddressBook, AddressRefused, host_of, is_public, printable, vet
from wirewatch.fetch.policy import FetchPolicy


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("0.0.0.0", id="this host"),
        pytest.param("10.255.0.1", id="private 10"),
        pytest.param("172.16.0.1", id="private 172"),
        pytest.param("172.31.255.255", id="private 172, last"),
        pytest.param("192.168.1.1", id="private 192"),
        pytest.param("100.64.0.1", id="carrier-grade NAT"),
        pytest.param("100.100.100.200", id="Alibaba's metadata"),
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.255.255.254", id="loopback, last"),
        pytest.param("169.254.169.254", id="metadata"),
        pytest.param("168.63.129.16", id="Azure's host"),
        pytest.param("192.0.0.192", id="Oracle's metadata"),
        pytest.param("192.0.2.1", id="documentation"),
        pytest.param("198.19.0.1", id="benchmarks"),
        pytest.param("224.0.0.251", id="multicast"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::", id="any, IPv6"),
        pytest.param("::1", id="loopback, IPv6"),
        pytest.param("::ffff:127.0.0.1", id="mapped loopback"),
        pytest.param("::ffff:a9fe:a9fe", id="mapped metadata"),
        pytest.param("::127.0.0.1", id="compatible loopback"),
        pytest.param("64:ff9b::10.0.0.1", id="NAT64 private"),
        pytest.param("64:ff9b:1::1", id="NAT64 for local use"),
        pytest.param("2002:7f00:1::", id="6to4 loopback"),
        pytest.param("2002:c0a8:101::1", id="6to4 private"),
        pytest.param("2001:0:1:2:3:4:5:6", id="Teredo"),
        pytest.param("2001:db8::1", id="documentation, IPv6"),
        pytest.param("fc00::1", id="unique local"),
        pytest.param("fd00:ec2::254", id="metadata, IPv6"),
        pytest.param("fe80::1", id="link-local, IPv6"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("ff02::1", id="multicast, IPv6"),
        pytest.param("100::1", id="discard"),
        pytest.param("5f00::1", id="segment routing"),
    ],
)
def test_address_that_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "172.15.255.255", "172.32.0.1", "100.128.0.1", "193.0.0.1", "223.255.255.255"),
        *("2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"),
    ],
)
def test_address_that_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_nothing_that_python_calls_private_is_public(address: ipaddress.IPv4Address) -> None:
    special = not address.is_global or address.is_multicast or address.is_reserved or address.is_link_local
    assert not (special and is_public(address))


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_changes_nothing(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for wrapped in ((0xFFFF << 32) | number, (0x64FF9B << 96) | number, (0x2002 << 112) | (number << 80)):
        assert is_public(ipaddress.IPv6Address(wrapped)) is is_public(address)


@given(st.ip_addresses(v=6))
def test_of_ipv6_only_global_unicast_and_carriers_of_ipv4_can_be_public(address: ipaddress.IPv6Address) -> None:
    assert (
        not is_public(address)
        or address.packed[0] >> 5 == 1
        or address.packed[:4] == b"\0\x64\xff\x9b"
        or (address.ipv4_mapped is not None)
    )


def _socket(book: AddressBook, host: str, address: str, port: int = 80) -> bool:
    """Tell whether a socket to that address would be made for that host."""
    where = (address, port, 0, 0) if ":" in address else (address, port)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with book.asking(host):
        try:
            book.make_socket((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where)).close()
        except AddressRefused as refused:
            return refused.address != address
    return True


@pytest.mark.parametrize(
    ("changes", "host", "address", "made"),
    [
        ({}, "courier.example", "1.1.1.1", True),
        ({}, "courier.example", "127.0.0.1", False),
        ({}, "courier.example", "fe80::1%eth0", False),
        ({"allow_addresses": ("10.0.0.0/8",)}, "any.example", "10.1.2.3", True),
        ({"allow_addresses": ("10.0.0.0/8",)}, "any.example", "192.168.1.1", False),
        ({"allow_addresses": ("::1",)}, "any.example", "::1", True),
        ({"allow_addresses": ("intranet.example",)}, "intranet.example", "10.1.2.3", True),
        ({"allow_addresses": ("Intranet.example",)}, "other.example", "10.1.2.3", False),
        ({"connect_to": {"Courier.example": "127.0.0.1:80"}}, "courier.example", "127.0.0.1", True),
        ({"connect_to": {"courier.example": "127.0.0.1:81"}}, "courier.example", "127.0.0.1", False),
        ({"connect_to": {"courier.example": "127.0.0.1:80"}}, "other.example", "127.0.0.1", False),
    ],
)
def test_socket_is_made_only_for_an_address_the_host_may_have(
    changes: dict[str, tuple[str, ...]], host: str, address: str, made: bool
) -> None:
    assert _socket(AddressBook(policy(**{"allow_addresses": (), **changes})), host, address) is made


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("gopher://courier.example/", "Only http and https are asked, not gopher"),
        ("//courier.example/", "Only http and https are asked, not nothing"),
        ("story.html", "Only http and https are asked, not nothing"),
        ("data:text/html,x", "Only http and https are asked, not data"),
        ("http:/story", "names no host"),
        ("https://editor@courier.example/", "user name or password"),
        ("https://:secret@courier.example/", "user name or password"),
        ("https://courier.example:99999/", "cannot be read as a URL"),
        ("https://courier.example:22/", "Port 22"),
        ("http://[::1/", "cannot be read as a URL"),
        ("http://courier.example/\ud800", "cannot be read as a URL"),
        ("http://courier.example/" + "a" * 8000, "longer than 8000"),
    ],
)
def test_address_whose_form_is_refused(url: str, why: str) -> None:
    with pytest.raises(SourceRefuses, match=why):
        vet(url)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://courier.example/Story?id=1&b=%2F#top", "https://courier.example/Story?id=1&b=%2F"),
        ("HTTP://Courier.Example:8080", "http://courier.example:8080/"),
        ("https://courier.example:443/a/../b?", "https://courier.example/b"),
        ("https://courier.example/?q=ferry%20boat&x=ä b", "https://courier.example/?q=ferry%20boat&x=%C3%A4+b"),
        ("http://bücher.example/straße", "http://xn--bcher-kva.example/stra%C3%9Fe"),
    ],
)
def test_address_is_asked_without_its_fragment(url: str, asked: str) -> None:
    assert str(vet(url)) == asked


@given(st.text(max_size=50), st.sampled_from(["", "http://", "https://", "http://a/", "https://a:b@c/"]))
def test_any_text_is_refused_or_asked(text: str, start: str) -> None:
    try:
        vetted = vet(start + text)
    except SourceRefuses:
        return
    assert vetted.scheme in {"http", "https"}
    assert vetted.host
    assert vetted.user is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://editor:secret@courier.example/story?token=secret#x", "https://courier.example/story?…"),
        ("https://courier.example/\x1b[31mstory\n", "https://courier.example/[31mstory"),
        ("mailto:editor?subject=secret", "mailto:editor"),
    ],
)
def test_printed_address_has_no_secret_and_no_control_character(url: str, shown: str) -> None:
    assert printable(url) == shown


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Courier.Example:8443/story", "courier.example"),
        ("http://courier.example./", "courier.example"),
        ("http://bücher.example/", "xn--bcher-kva.example"),
        ("http://127.0.0.1:8080/", "127.0.0.1"),
        ("http://[::1]:8080/", "::1"),
    ],
)
def test_host_is_the_machine_whatever_the_port(url: str, host: str) -> None:
    assert host_of(url) == host


def test_policy_without_a_configured_address_allows_no_private_one() -> None:
    book = AddressBook(FetchPolicy(contact="desk@courier.example"))
    assert not book.allows("localhost", "127.0.0.1", 80)
