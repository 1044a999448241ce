"""Test network_setup.py on a wired board and on one whose boot.py connects it, with stand-ins of network.LAN and network.WLAN."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from harness.boards.agent.network_answer import failure_text
from harness.model import BoardSettings, Network

FAMILIES = ("esp32-old", "esp32-1.21", "esp32", "cyw43", "esp8266")
JOINED = "192.0.2.7"
LIMIT_S = 30
LINE = "network.LAN(mdc=Pin(23), mdio=Pin(18), phy_type=network.PHY_LAN8720, phy_addr=1)"


def test_f7_the_line_of_boards_toml_constructs_the_lan(
    bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The expression uses objects of the board and is evaluated once, with network, machine, Pin and SPI."""
    monkeypatch.setitem(sys.modules, "machine", types.SimpleNamespace(Pin=str, SPI=None))
    made = bench("esp32")
    assert made.bring_up("lan", lan=LINE)["address"] == "192.0.2.8"
    assert made.lan.made == 1


def test_f7_rb10_a_lan_that_needs_arguments(bench: Callable[..., Any]) -> None:
    """Without arguments the firmware's own error is shown."""
    answer = bench("esp32").bring_up("lan")
    assert (answer["code"], answer["type"]) == ("exception", "TypeError")
    text = failure_text(answer, BoardSettings(network=Network.LAN), timeout_s=LIMIT_S)
    assert text.startswith("the board cannot join the LAN: TypeError: ")
    assert "phy_addr" in text


@pytest.mark.parametrize("held", ["route", "global"])
def test_f7_a_lan_from_boot_py(bench: Callable[..., Any], held: str) -> None:
    """It is found through network.route() or a global variable of boot.py; a second one, which would reset its PHY, is not constructed."""
    made = bench("esp32")
    nic = made.lan(phy_addr=1, phy_type=0)
    if held == "route":
        made.network.route = lambda: [nic]
    else:
        made.names["lan"] = nic
    for kind, words in (("lan", {"lan": LINE}), ("lan", {}), ("boot", {})):
        assert made.bring_up(kind, **words)["address"] == "192.0.2.8"
    assert made.lan.made == 1


def test_f7_no_cable(bench: Callable[..., Any]) -> None:
    """A missing link and a missing address have different messages."""
    made = bench("esp32")
    made.lan.link = False
    made.names.update(Pin=str)
    assert made.bring_up("lan", lan="network.LAN(phy_addr=1, phy_type=0)")["code"] == "no-link"
    made.lan.link, made.lan.address = True, "0.0.0.0"
    assert made.bring_up("lan", lan="network.LAN(phy_addr=1, phy_type=0)")["code"] == "no-address"


@pytest.mark.parametrize("family", FAMILIES)
def test_f7_boot_py_brings_it_up(bench: Callable[..., Any], family: str) -> None:
    """With network = "boot" the script waits for an address and configures nothing."""
    made = bench(family, story="boot")
    assert made.bring_up("boot")["address"] == JOINED
    assert made.station.calls == []
    bare = bench(family)
    answer = bare.bring_up("boot")
    assert failure_text(answer, BoardSettings(network=Network.BOOT), timeout_s=LIMIT_S) == (
        "the board has no network after 30 s: boot.py brought up no interface with an IP address; if the board has one that it "
        "cannot report, set address in boards.toml"
    )
    assert bare.station.calls == []
