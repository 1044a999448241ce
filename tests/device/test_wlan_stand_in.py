"""Test wlan_stand_in.py itself: each rule of the C sources that it implements.

ports/esp32/network_wlan.c (network_wlan_wifi_event_handler, network_wlan_status, network_wlan_config), extmod/network_cyw43.c,
cyw43-driver/src/cyw43_ctrl.c (cyw43_cb_process_async_event), ports/esp32/network_lan.c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.boards.agent.scripts import script

STAND_INS: dict[str, Any] = {}
exec(script("wlan_stand_in"), STAND_INS)
ESP32S = ("Esp32WithoutLimit", "Esp32Before122", "Esp32")
PASSWORDS = {"good": "sesame", "wrong": "letmein"}


@pytest.fixture
def station() -> Callable[..., Any]:
    """Make a station, switched on."""

    def make(name: str, story: str = "good") -> Any:
        made = STAND_INS[name](STAND_INS["Clock"](), STAND_INS["Air"](story))
        made.active(True)
        return made

    return make


def statuses(station: Any, *, seconds: float = 30) -> list[tuple[int, int]]:
    """Return (ms, status) from now on, at the start and at each change."""
    seen: list[tuple[int, int]] = []
    begin = station.clock.now
    while station.clock.now - begin <= seconds * 1000:
        status = station.status()
        if not seen or seen[-1][1] != status:
            seen.append((station.clock.now - begin, status))
        station.clock.sleep_ms(100)
    return seen


@pytest.mark.parametrize(
    ("name", "story", "key", "expected"),
    [
        # Connected: 1010, 3 on cyw43.
        ("Esp32Before122", "good", "good", [(0, 1001), (2500, 1010)]),
        ("Esp32", "good", "good", [(0, 1001), (2500, 1010)]),
        ("Cyw43", "good", "good", [(0, 1), (500, 3)]),
        # Wrong password: "connecting" forever, also from 1.22 on, where only some reasons are shown; -3 on cyw43.
        ("Esp32WithoutLimit", "good", "wrong", [(0, 1001)]),
        ("Esp32Before122", "good", "wrong", [(0, 1001)]),
        ("Esp32", "good", "wrong", [(0, 1001)]),
        ("Cyw43", "good", "wrong", [(0, 1), (500, -3)]),
        # No such access point: 201 is shown from 1.22 on; -2 on cyw43, which does not retry.
        ("Esp32Before122", "good", "absent", [(0, 1001)]),
        ("Esp32", "good", "absent", [(0, 1001), (2500, 201)]),
        ("Cyw43", "good", "absent", [(0, 1), (300, -2)]),
        # A bad first association: 205 is shown as 202; the driver continues; on cyw43 the join state is withdrawn.
        ("Esp32Before122", "bad-first", "good", [(0, 1001), (3000, 1010)]),
        ("Esp32", "bad-first", "good", [(0, 1001), (500, 202), (3000, 1010)]),
        ("Cyw43", "bad-first", "good", [(0, 1), (500, -3), (3000, 3)]),
        # The first scan misses the access point: the ESP32 continues, cyw43 waits for a new connect().
        ("Esp32", "missed-scan", "good", [(0, 1001), (2500, 201), (5000, 1010)]),
        ("Cyw43", "missed-scan", "good", [(0, 1), (300, -2)]),
        # The reason of an earlier attempt is shown until there is a new one.
        ("Esp32", "stale", "good", [(0, 202), (2500, 1010)]),
        ("Esp8266", "good", "wrong", [(0, 1), (2500, 2)]),
        ("Esp8266", "good", "absent", [(0, 1), (2500, 3)]),
        ("Esp8266", "good", "good", [(0, 1), (2500, 5)]),
    ],
)
def test_status_after_connect(
    station: Callable[..., Any], name: str, story: str, key: str, expected: list[tuple[int, int]]
) -> None:
    """The status develops after connect() as in the table."""
    made = station(name, story)
    made.connect("cafe" if key == "absent" else "lab", PASSWORDS.get(key, "sesame"))
    assert statuses(made) == expected
    up = expected[-1][1] == {"Esp8266": 5, "Cyw43": 3}.get(name, 1010)
    assert (made.isconnected(), made.ifconfig()[0]) == (up, "192.0.2.7" if up else "0.0.0.0")


@pytest.mark.parametrize(
    ("reason", "since_1_22"),
    [
        *((reason, 1001) for reason in (2, 4, 15, 200, 203, 204)),
        *((reason, reason) for reason in (201, 202, 210, 211, 212)),
        (205, 202),
        (8, 1000),
    ],
)
def test_which_reasons_are_shown(station: Callable[..., Any], reason: int, since_1_22: int) -> None:
    """While the driver goes on trying, 1.22 shows some reasons of the last association, and 1.21 none."""
    for name, expected in (("Esp32", since_1_22), ("Esp32Before122", 1001)):
        made = station(name)
        made.connect("lab", "letmein")
        made.reason = reason
        assert (name, made.status()) == (name, expected)


def test_a_wrong_password_ends_with_one_of_two_reasons(station: Callable[..., Any]) -> None:
    """4WAY_HANDSHAKE_TIMEOUT (15) and HANDSHAKE_TIMEOUT (204); both are shown as "connecting"."""
    made, reasons = station("Esp32"), set()
    made.connect("lab", "letmein")
    for _association in range(2):
        made.clock.sleep_ms(2500)
        assert made.status() == 1001
        reasons.add(made.reason)
    assert reasons == {15, 204}


def test_cyw43_connects_at_the_second_request(station: Callable[..., Any]) -> None:
    """A second connect() is a scan of its own."""
    made = station("Cyw43", "missed-scan")
    made.connect("lab", "sesame")
    statuses(made, seconds=1)
    made.connect("lab", "sesame")
    assert statuses(made, seconds=1) == [(0, 1), (500, 3)]


@pytest.mark.parametrize("name", ["Esp32Before122", "Esp32"])
def test_the_limit_of_attempts_shows_the_reason(station: Callable[..., Any], name: str) -> None:
    """reconnects=2 is three attempts; then status() reports the reason, on every version."""
    made = station(name)
    made.config(reconnects=2)
    made.connect("lab", "letmein")
    assert statuses(made)[:2] == [(0, 1001), (7500, 204)]
    assert made.air.requests == 3
    assert made.config("reconnects") == 2


def test_no_limit_is_minus_one(station: Callable[..., Any]) -> None:
    """conf_wifi_sta_reconnects is 0 initially, and the setting is one less."""
    made = station("Esp32")
    assert made.config("reconnects") == -1
    made.config(reconnects=-1)
    assert made.limit == 0
    with pytest.raises(ValueError, match="unknown config param"):
        station("Esp32WithoutLimit").config("reconnects")


def test_power_saving(station: Callable[..., Any]) -> None:
    """esp_wifi_set_ps refuses cyw43's value, cyw43 accepts it."""
    with pytest.raises(OSError, match="Wifi Invalid Argument"):
        station("Esp32").config(pm=0xA11140)
    with pytest.raises(ValueError, match="unknown config param"):
        station("Esp32Before122").config(pm=0xA11140)
    for name, value in (("Esp32", 0), ("Cyw43", 0xA11140)):
        made = station(name)
        made.config(pm=value)
        assert made.calls == [("pm", value)]


@pytest.mark.parametrize("name", ESP32S)
def test_an_esp32_refuses_while_it_connects(station: Callable[..., Any], name: str) -> None:
    """connect() during an attempt is an error, and scan() finds nothing."""
    made = station(name)
    made.connect("lab", "letmein")
    with pytest.raises(OSError, match="Wifi Internal Error"):
        made.connect("lab", "sesame")
    assert made.scan() == []
    made.disconnect()
    assert made.scan()[0][0] == b"lab"
    made.connect("lab", "sesame")


def test_after_disconnect(station: Callable[..., Any]) -> None:
    """From 1.22 on WIFI_REASON_ASSOC_LEAVE (8) is shown as idle; nothing happens afterwards."""
    made = station("Esp32")
    made.connect("lab", "sesame")
    statuses(made, seconds=3)
    made.disconnect()
    assert statuses(made) == [(0, 1000)]
    other = station("Cyw43")
    other.connect("lab", "sesame")
    other.disconnect()
    assert statuses(other) == [(0, 0)]


def test_active(station: Callable[..., Any]) -> None:
    """On cyw43 it is the link status: False on an interface that is on but not connected."""
    made = station("Cyw43")
    assert made.active() is False
    made.connect("lab", "letmein")
    assert made.active() is True
    assert station("Esp32").active() is True
    with pytest.raises(OSError, match="STA must be active"):
        STAND_INS["Cyw43"](STAND_INS["Clock"](), STAND_INS["Air"]()).scan()
    with pytest.raises(OSError, match="Wifi Internal Error"):
        STAND_INS["Esp32"](STAND_INS["Clock"](), STAND_INS["Air"]()).connect("lab", "sesame")


@pytest.mark.parametrize(
    ("name", "expected"), [("Esp32", [(0, 1001), (4000, 1010)]), ("Cyw43", [(0, 1), (1000, 2), (4000, 3)])]
)
def test_boot_py_called_connect(station: Callable[..., Any], name: str, expected: list[tuple[int, int]]) -> None:
    """There is an address after 4 s; until then isconnected() is False."""
    made = station(name, "boot")
    assert (made.isconnected(), made.config("ssid")) == (False, "lab")
    assert statuses(made) == expected


@pytest.mark.parametrize("name", ["Esp32", "Cyw43"])
def test_elsewhere(station: Callable[..., Any], name: str) -> None:
    """It is connected, with the name of the other network."""
    made = station(name, "elsewhere")
    assert (made.isconnected(), made.config("essid"), made.active()) == (True, "other", True)


def test_lan() -> None:
    """phy_addr and phy_type are required, and each construction counts."""
    lan = STAND_INS["Lan"]()
    with pytest.raises(TypeError, match="phy_addr"):
        lan()
    assert lan.made == 0
    assert lan(phy_addr=1, phy_type=0).ifconfig()[0] == "192.0.2.8"
    assert lan.made == 1
