"""Test the probe on stand-ins of network.WLAN and network.LAN: what it waits for, and what it never does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from harness.boards.agent.probe import parse_probe, probe_steps
from harness.boards.agent.scripts import script
from harness.model import BoardInfo

FAMILIES = ("esp32-old", "esp32-1.21", "esp32", "cyw43", "esp8266")
STEPS = ("nics", "wlan", "ssid", "lan")


@pytest.fixture
def probe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], BoardInfo]:
    """Run the network steps one by one."""

    def run(bench: Any) -> BoardInfo:
        monkeypatch.setitem(sys.modules, "time", bench.clock)
        names: dict[str, Any] = {}
        exec(script("line"), names)
        texts = []
        for name, code in probe_steps():
            if name in STEPS:
                try:
                    exec(code, names)
                except Exception:
                    pass  # as on a board: earlier output is kept
                texts.append(capsys.readouterr().out)
        return parse_probe(texts)

    return run


@pytest.mark.parametrize("family", FAMILIES)
def test_f3_rb05_an_interface_that_is_joining(
    bench: Callable[..., Any], probe: Callable[[Any], BoardInfo], family: str
) -> None:
    """boot.py called connect() and continued: the address that arrives after 4 s is found."""
    made = bench(family, story="boot")
    assert probe(made).address == "192.0.2.7"
    assert 4000 <= made.clock.now < 4500


@pytest.mark.parametrize("family", FAMILIES)
def test_f2_d5_a_bare_board(bench: Callable[..., Any], probe: Callable[[Any], BoardInfo], family: str) -> None:
    """Its interfaces are named, and the probe does not wait."""
    made = bench(family)
    found = probe(made)
    assert (found.address, found.interfaces) == (None, ("WLAN", "LAN"))
    assert made.clock.now < 200


@pytest.mark.parametrize("family", FAMILIES)
def test_f15_the_current_network(bench: Callable[..., Any], probe: Callable[[Any], BoardInfo], family: str) -> None:
    """The probe reports the name of the network."""
    found = probe(bench(family, story="elsewhere"))
    assert (found.address, found.ssid) == ("192.0.2.7", "other")


@pytest.mark.parametrize("story", ["good", "elsewhere", "boot"])
def test_f7_rb10_no_interface_is_made(bench: Callable[..., Any], probe: Callable[[Any], BoardInfo], story: str) -> None:
    """Constructing a LAN would reset its PHY and drop the link."""
    made = bench("esp32", story=story)
    probe(made)
    assert made.lan.made == 0
    nic = made.lan(phy_addr=1, phy_type=0)
    made.network.route = lambda: [nic]
    assert probe(made).address == "192.0.2.8"
    assert made.lan.made == 1
