"""The keys of boards.toml about a board's network: country, static, lan and address. Pure; one `UsageError` for each mistake.

Knows what device_scripts/network_setup.py can do with them. The spec, WiFi name and password are in `harness.boards.lab_file`.
"""

from __future__ import annotations

import ast
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, TypedDict

from harness.errors import UsageError
from harness.model import Network

KEYS = frozenset({"country", "static", "lan", "address"})
_STATIC_KEYS = ("address", "gateway", "dns")
_STATIC_EXAMPLE = '{address = "192.168.7.20/24", gateway = "192.168.7.1"}'
_LAN_EXAMPLE = '"network.LAN(mdc=Pin(23), mdio=Pin(18), phy_type=network.PHY_LAN8720, phy_addr=1)"'
# It is sent over the serial line in one request and compiled on the board.
_LAN_LIMIT = 400


class NetworkKeys(TypedDict):
    """The fields of `BoardSettings` that these keys set."""

    country: str | None
    static: tuple[str, ...]
    lan: str | None
    address: str | None


def chosen_network(table: Mapping[str, Any], *, wifi: bool) -> str:
    """Return the value of a missing `network`: what the other keys imply."""
    return Network.WIFI if wifi else Network.LAN if "lan" in table else Network.NONE


def network_keys(table: Mapping[str, Any], *, network: str, where: str) -> NetworkKeys:
    """Read the keys.

    Args:
        table: of one board.
        network: how the board gets its network, to refuse a key that would do nothing.
        where: the table's place, for messages.

    Raises:
        UsageError: a value of the wrong form, or a key that this `network` does not use.
    """
    for key, users in (
        ("country", (Network.WIFI,)),
        ("static", (Network.WIFI, Network.LAN)),
        ("lan", (Network.LAN,)),
    ):
        if key in table and network not in users:
            raise UsageError(f"{where}.{key}: only used with network = {' or '.join(map(repr, map(str, users)))}")
    return NetworkKeys(
        country=_country(table.get("country"), where=f"{where}.country"),
        static=_static(table.get("static"), where=f"{where}.static"),
        lan=_lan(table.get("lan"), where=f"{where}.lan"),
        address=ip_address_text(
            table.get("address"),
            where=f"{where}.address",
            expected='the IP address of the board, e.g. "192.168.7.20"',
        ),
    )


def _country(value: Any, *, where: str) -> str | None:
    if value is None or (isinstance(value, str) and re.fullmatch("[A-Z]{2}", value)):
        return value
    raise UsageError(f'{where} = {value!r}: expected two capital letters (ISO 3166-1), e.g. "DE"')


def ip_address_text(value: Any, *, where: str, expected: str) -> str | None:
    """Return an IP address in its usual spelling, None if there is none.

    Raises:
        UsageError: it is not an address.
    """
    if value is None:
        return None
    try:
        return str(ipaddress.ip_address(value if isinstance(value, str) else ""))
    except ValueError:
        raise UsageError(f"{where} = {value!r}: expected {expected}") from None


def _static(value: Any, *, where: str) -> tuple[str, ...]:
    """Address, netmask, gateway and name server, as ifconfig() takes them."""
    if value is None:
        return ()
    if not isinstance(value, Mapping) or not {"address", "gateway"} <= set(value) <= set(_STATIC_KEYS):
        raise UsageError(f"{where} = {value!r}: expected {_STATIC_EXAMPLE}; dns is optional, by default the gateway")
    try:
        interface = ipaddress.IPv4Interface(str(value["address"]))
        gateway = ipaddress.IPv4Address(value["gateway"])
        dns = ipaddress.IPv4Address(value.get("dns", value["gateway"]))
    except ValueError as error:
        raise UsageError(f"{where}: {error}; expected {_STATIC_EXAMPLE}") from None
    if "/" not in str(value["address"]):
        raise UsageError(f"{where}.address = {value['address']!r}: the prefix length is missing; write e.g. /24")
    if gateway not in interface.network:
        raise UsageError(f"{where}: the gateway {gateway} is not in the network {interface.network}")
    return (str(interface.ip), str(interface.netmask), str(gateway), str(dns))


def _lan(value: Any, *, where: str) -> str | None:
    """Check one expression. It is the user's own code: the board evaluates it unchanged, with network, machine, Pin and SPI."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise UsageError(f"{where} = {value!r}: expected a line of MicroPython, e.g. {_LAN_EXAMPLE}")
    if not value.isascii() or not value.isprintable() or len(value) > _LAN_LIMIT:
        raise UsageError(f"{where}: expected one line of printable ASCII, at most {_LAN_LIMIT} characters")
    try:
        called = isinstance(ast.parse(value, mode="eval").body, ast.Call)
    except SyntaxError:
        called = False
    if not called:
        raise UsageError(f"{where} = {value!r}: expected one expression that makes the interface, e.g. {_LAN_EXAMPLE}")
    return value
