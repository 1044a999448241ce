"""network_setup.py, set_clock.py and tcp_try.py: under CPython with stand-in network and machine modules, and for real."""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Callable
from typing import Any

import pytest

from harness.boards.agent.protocol import clock_code, network_code, read_objects, script, tcp_code


class StandInStation:
    """A WLAN interface as network.WLAN gives it; `statuses` are what status() says, one after the other."""

    def __init__(self) -> None:
        self.up = False
        self.connected = False
        self.statuses: list[int] = []
        self.connects_after = 0
        self.connect_errors: list[OSError] = []
        self.joined: list[tuple[str, str]] = []
        self.polls = 0

    def active(self, up: bool | None = None) -> bool:
        if up is not None:
            self.up = up
        return self.up

    def config(self, **words: int) -> None:
        raise ValueError("unknown config param")

    def connect(self, ssid: str, password: str) -> None:
        if self.connect_errors:
            raise self.connect_errors.pop(0)
        self.joined.append((ssid, password))

    def disconnect(self) -> None:
        pass

    def isconnected(self) -> bool:
        self.polls += 1
        return self.connected or bool(self.joined and self.connects_after and self.polls > self.connects_after)

    def status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def ifconfig(self) -> tuple[str, ...]:
        return ("192.0.2.7" if self.isconnected() else "0.0.0.0", "255.255.255.0", "192.0.2.1", "192.0.2.1")


@pytest.fixture
def station(monkeypatch: pytest.MonkeyPatch) -> StandInStation:
    """A stand-in network module with one station."""
    made = StandInStation()
    network = types.ModuleType("network")
    vars(network).update(STA_IF=0, WLAN=lambda interface: made)
    monkeypatch.setitem(sys.modules, "network", network)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return made


@pytest.fixture
def bring_up(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Run network_setup.py as the host does, on a port of this sys.platform."""

    def run(platform: str = "rp2", **settings: Any) -> dict[str, Any]:
        monkeypatch.setattr(sys, "platform", platform)
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(script("network_setup") + network_code({"timeout": 1, **settings}), names)
        printed = capsys.readouterr().out
        assert "sesame" not in printed
        (answer,) = read_objects(printed.encode())
        return answer

    return run


WIFI = {"kind": "wifi", "ssid": "lab", "password": "sesame"}


def test_nothing_is_done_when_connected(station: StandInStation, bring_up: Any) -> None:
    """An interface that is up is left alone."""
    station.up = station.connected = True
    assert bring_up(**WIFI) == {"kind": "result", "address": "192.0.2.7", "was_up": True}
    assert station.joined == []


def test_joins(station: StandInStation, bring_up: Any) -> None:
    """The network is joined and the address reported."""
    station.connects_after, station.statuses = 2, [1]
    assert bring_up(**WIFI) == {"kind": "result", "address": "192.0.2.7", "was_up": False}
    assert station.joined == [("lab", "sesame")]


@pytest.mark.parametrize(
    ("platform", "status", "code"),
    [
        ("rp2", -3, "password"),
        ("rp2", -2, "not-found"),
        ("rp2", -1, "failed"),
        ("rp2", 2, "no-address"),
        ("pyboard", -3, "password"),
        ("esp32", 202, "password"),
        ("esp32", 204, "password"),
        ("esp32", 201, "not-found"),
        ("esp32", 203, "failed"),
        ("esp32", 1001, "no-address"),
        ("esp8266", 2, "password"),
        ("esp8266", 3, "not-found"),
        ("esp8266", 1, "no-address"),
        ("rp2", 99, "failed"),
    ],
)
def test_status_in_words(station: StandInStation, bring_up: Any, platform: str, status: int, code: str) -> None:
    """The same four codes from every port's own numbers; only a missing network hints at 2.4 GHz."""
    station.statuses = [status]
    answer = bring_up(platform, **WIFI)
    assert (answer["kind"], answer["code"], answer["status"]) == ("error", code, status)
    assert ("2.4 GHz" in answer["message"]) is (code == "not-found")


def test_wifi_internal_error_is_tried_again(station: StandInStation, bring_up: Any) -> None:
    """An ESP32 still connecting from before a soft reset refuses connect() once."""
    station.connect_errors = [OSError("Wifi Internal Error")]
    station.connects_after, station.statuses = 10, [1001]
    assert bring_up("esp32", **WIFI)["kind"] == "result"
    station.connect_errors = [OSError("Wifi Internal Error")] * 2
    station.joined.clear()
    answer = bring_up("esp32", **WIFI)
    assert (answer["code"], answer["message"], answer["status"]) == ("exception", "OSError", ["Wifi Internal Error"])


def test_firmware_without_a_network(bring_up: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network module, no WLAN, no wired interface: each is named."""
    monkeypatch.setitem(sys.modules, "network", None)
    assert bring_up(**WIFI)["message"] == "this firmware has no network module"
    monkeypatch.setitem(sys.modules, "network", types.ModuleType("network"))
    assert bring_up(**WIFI)["message"] == "this firmware has no Wi-Fi"
    assert bring_up(kind="lan")["message"] == "this firmware has no wired network"


@pytest.mark.parametrize("name", ["LAN", "WIZNET5K"])
def test_wired(station: StandInStation, bring_up: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """LAN or WIZNET5K, with the keyword arguments of the lab's settings."""
    network = types.ModuleType("network")
    given: list[dict[str, Any]] = []

    def make(**words: Any) -> StandInStation:
        given.append(words)
        return station

    setattr(network, name, make)
    monkeypatch.setitem(sys.modules, "network", network)
    assert bring_up(kind="lan")["code"] == "no-link"
    station.connected = True
    assert bring_up(kind="lan", lan={"phy_addr": 1})["address"] == "192.0.2.7"
    assert given == [{}, {"phy_addr": 1}]


def test_clock_is_set_in_utc(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The RTC gets the fields with 0 as the port-dependent last one; the clock before is reported (stand-in machine)."""
    given: list[tuple[int, ...]] = []
    machine = types.ModuleType("machine")
    vars(machine).update(RTC=lambda: types.SimpleNamespace(datetime=given.append))
    monkeypatch.setitem(sys.modules, "machine", machine)
    exec(script("set_clock") + clock_code((2026, 8, 9, 7, 10, 11, 12)), {})
    (answer,) = read_objects(capsys.readouterr().out.encode())
    assert given == [(2026, 8, 9, 7, 10, 11, 12, 0)]
    assert (answer["kind"], answer["set"]) == ("result", True)
    assert abs(time.time() - time.mktime((*answer["before"], 0, 0, 0)) + time.timezone) < 60


def test_unix_has_no_clock_to_set(run_on: Callable[[str], bytes]) -> None:
    """The unix port reads its host's clock: said, not an error."""
    (answer,) = read_objects(run_on(script("set_clock") + clock_code((2026, 8, 9, 7, 10, 11, 12))))
    assert (answer["kind"], answer["set"]) == ("result", False)


def test_plain_tcp(run_on: Callable[[str], bytes], plain_server: int, closed_port: int) -> None:
    """A listener is reached; a closed port gives its errno, a name that does not resolve its own error."""
    source = script("tcp_try")
    calls = [tcp_code("127.0.0.1", port=port, timeout_ms=2000) for port in (plain_server, closed_port)]
    reached, refused = read_objects(run_on("\n".join([source, *calls])))
    assert (reached["kind"], refused["kind"]) == ("result", "exception")
    assert (refused["type"], refused["args"]) == ("OSError", [111])
    assert 0 <= refused["ms"] < 2000


def test_network_setup_on_an_interpreter_without_network(run_on: Callable[[str], bytes]) -> None:
    """The script compiles and answers where there is no network module."""
    (answer,) = read_objects(run_on(script("network_setup") + network_code(WIFI)))
    assert (answer["kind"], answer["code"]) == ("error", "no-interface")
