"""Addresses and port ranges: accepted values, and the one-line error for others."""

from __future__ import annotations

import socket

import pytest

from harness.errors import ServerError, UsageError
from harness.server.address import check_bind, free_port, local_address_for, parse_ports


def test_address_towards_the_loopback() -> None:
    """The kernel chooses the source address for the route to the board."""
    assert local_address_for("127.0.0.1") == "127.0.0.1"
    assert local_address_for("127.0.0.9") in ("127.0.0.1", "127.0.0.9")


def test_no_route_to_the_board() -> None:
    """An address that cannot be reached is named, with the option that helps."""
    with pytest.raises(ServerError, match=r"no route to the board at '999\.1\.1\.1' .*--bind"):
        local_address_for("999.1.1.1")


def test_bind_of_this_machine() -> None:
    """An address of this machine is accepted unchanged."""
    assert check_bind("127.0.0.1") == "127.0.0.1"
    assert check_bind("0.0.0.0") == "0.0.0.0"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("203.0.113.7", r"--bind '203\.0\.113\.7': not an address of this machine \(EADDRNOTAVAIL\)"),
        ("nonsense", r"--bind 'nonsense': not an IP address \(expected an address of this machine\)"),
        ("", r"--bind '': not an IP address"),
        ("zz::1", r"--bind 'zz::1': not an IP address"),
    ],
)
def test_bad_bind(address: str, message: str) -> None:
    """An address that cannot be bound gives one line."""
    with pytest.raises(UsageError, match=message):
        check_bind(address)


@pytest.mark.parametrize(
    ("text", "ports"), [("42000-42099", (42000, 42099)), ("8883", (8883, 8883)), (" 1-65535 ", (1, 65535))]
)
def test_good_ports(text: str, ports: tuple[int, int]) -> None:
    """A range or a single port is accepted."""
    assert parse_ports(text) == ports


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"--ports '': not a port range \(expected A-B or A, for example 42000-42099\)"),
        ("a-b", r"--ports 'a-b': not a port range"),
        ("10-", r"--ports '10-': not a port range"),
        ("-10", r"--ports '-10': not a port range"),
        ("1-2-3", r"--ports '1-2-3': not a port range"),
        ("\u0661-\u0662", r"not a port range"),
        ("0-10", r"--ports '0-10': out of range \(expected 1 <= A <= B <= 65535\)"),
        ("20-10", r"--ports '20-10': out of range"),
        ("1-65536", r"--ports '1-65536': out of range"),
    ],
)
def test_bad_ports(text: str, message: str) -> None:
    """Anything else gives one line that shows what is expected."""
    with pytest.raises(UsageError, match=message):
        parse_ports(text)


def test_a_free_port():
    """The usual port if it is free, else any other; of a range the first free one, and None if all are in use."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", first=port) not in (None, port)
        assert free_port("127.0.0.1", among=(port, port)) is None
    assert free_port("127.0.0.1", first=port) == port
    assert free_port("127.0.0.1", among=(port, port)) == port
