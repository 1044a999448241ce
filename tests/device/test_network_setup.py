"""Test network_setup.py on stand-ins of network.WLAN: every firmware family, every scenario, and the messages.

The clock is simulated and only sleeping advances it, so no test waits.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from harness.boards.agent.network_answer import failure_text, notes_of
from harness.boards.agent.protocol import network_code, read_objects
from harness.boards.agent.scripts import script
from harness.model import BoardSettings, Network

FAMILIES = ("esp32-old", "esp32-1.21", "esp32", "cyw43", "esp8266")
LIMIT_S = 30


def said(answer: dict[str, Any], *, ssid: str = "lab") -> str:
    """Return the harness's text for an answer: the address, or why there is none."""
    if answer["kind"] == "result":
        return str(answer["address"])
    return failure_text(answer, BoardSettings(network=Network.WIFI, ssid=ssid), timeout_s=LIMIT_S)


JOINED = "192.0.2.7"
WRONG = "the board cannot join the WiFi 'lab': wrong password"
UNSURE = (
    "the board cannot join the WiFi 'lab': the access point is in range, but the board got no IP address: the password is "
    "wrong, or DHCP does not answer (this firmware cannot tell which)"
)
ABSENT = (
    "the board cannot join the WiFi 'cafe': no access point of that name was found (these radios use 2.4 GHz only; channels 12 "
    "and 13 need country in boards.toml)"
)
STORIES = ("good", "bad-first", "missed-scan", "stale", "elsewhere", "boot")


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("family", FAMILIES)
def test_f4_f6_rb03_a_good_password_joins(bench: Callable[..., Any], family: str, story: str) -> None:
    """The board joins within the time limit, whatever the result of the first association, the first scan or an earlier attempt."""
    made = bench(family, story=story)
    answer = made.join()
    assert said(answer) == JOINED
    assert made.station.name == "lab"
    assert made.clock.now < LIMIT_S * 1000


@pytest.mark.parametrize("story", ["good", "stale", "elsewhere"])
@pytest.mark.parametrize(
    ("family", "words"),
    [("esp32-old", UNSURE), ("esp32-1.21", WRONG), ("esp32", WRONG), ("cyw43", WRONG), ("esp8266", WRONG)],
)
def test_f4_f6_rb03_a_wrong_password(bench: Callable[..., Any], family: str, words: str, story: str) -> None:
    """The message says that it is wrong, or names two possible reasons if the status cannot tell."""
    made = bench(family, story=story)
    assert said(made.join(password="letmein")) == words
    assert made.clock.now < 1.5 * LIMIT_S * 1000


@pytest.mark.parametrize("story", ["good", "stale", "elsewhere"])
@pytest.mark.parametrize("family", FAMILIES)
def test_f4_f6_rb03_no_such_access_point(bench: Callable[..., Any], family: str, story: str) -> None:
    """A final scan decides if the status does not."""
    made = bench(family, story=story)
    assert said(made.join(ssid="cafe"), ssid="cafe") == ABSENT
    assert made.clock.now < 1.5 * LIMIT_S * 1000


def test_f6_cyw43_is_retried_at_most_four_times(bench: Callable[..., Any]) -> None:
    """After a failure the driver does not retry by itself: one second later connect() is called again."""
    absent = bench("cyw43")
    absent.join(ssid="cafe")
    assert absent.called("connect") == ["cafe"] * 4
    refused = bench("cyw43")
    refused.join(password="letmein")
    assert refused.called("connect") == ["lab"] * 3


def test_f6_a_refusal_that_is_withdrawn(bench: Callable[..., Any]) -> None:
    """If the driver withdraws a refusal within one second, connect() is not called again."""
    made = bench("cyw43")
    refuse_first = made.station.connect

    def connect(ssid: str, key: str) -> None:
        refuse_first(ssid, "letmein")
        made.station.later(1400, made.station.join)  # the refusal comes after 500 ms

    made.station.connect = connect
    assert said(made.join()) == JOINED
    assert made.called("connect") == ["lab"]


def test_f4_an_old_status_does_not_count(bench: Callable[..., Any]) -> None:
    """A 202 from an earlier attempt does not mean a wrong password; a new, persistent 202 does."""
    stale = bench("esp32", story="stale")
    assert stale.station.status() == 202
    assert said(stale.join()) == JOINED
    fresh = bench("esp32")
    fresh.station.associate = lambda: fresh.station.later(100, setattr_reason(fresh.station, 202))
    assert fresh.join()["code"] == "password"
    again = bench("esp32", story="stale")
    again.station.associate = lambda: again.station.later(100, setattr_reason(again.station, 202))
    assert again.join()["code"] == "unsure"


def setattr_reason(station: Any, reason: int) -> Callable[[Any], None]:
    """Return a driver that gives up with this reason."""
    return lambda _: (setattr(station, "reason", reason), setattr(station, "trying", False))[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_f4_a_failed_attempt_is_disconnected(bench: Callable[..., Any], family: str) -> None:
    """Otherwise the board would keep trying with the wrong password."""
    made = bench(family)
    made.join(password="letmein")
    last = [call for call in made.station.calls if call[0] in ("connect", "disconnect")][-1]
    assert last == ("disconnect",)
    assert not made.station.due


@pytest.mark.parametrize("family", ["esp32-1.21", "esp32"])
@pytest.mark.parametrize("password", ["sesame", "letmein"])
def test_f4_the_limit_of_attempts_is_restored(bench: Callable[..., Any], family: str, password: str) -> None:
    """Two retries are allowed while it joins; then the limit is restored, so that a restart of the access point does not end the run."""
    made = bench(family)
    made.join(password=password)
    assert made.called("reconnects") == [2, -1]
    assert made.station.config("reconnects") == -1


@pytest.mark.parametrize(
    ("family", "off"), [("esp32", 0), ("esp32-1.21", None), ("esp32-old", None), ("cyw43", 0xA11140)]
)
@pytest.mark.parametrize("story", ["good", "elsewhere", "boot"])
def test_f10_power_saving_is_off(bench: Callable[..., Any], family: str, off: int | None, story: str) -> None:
    """Power saving is off if the port has it, with the port's own value, also on a board that is already connected."""
    made = bench(family, story=story)
    ssid = "other" if story == "elsewhere" else "lab"
    answer = made.join(ssid=ssid)
    assert (answer["address"], answer["was_up"]) == (JOINED, story != "good")
    assert answer["pm"] == off
    assert made.called("pm") == ([] if off is None else [off])


def test_f10_an_esp32_that_does_not_name_its_value(bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Firmware with `pm` and without PM_NONE takes 0; cyw43's value would be refused."""
    made = bench("esp32")
    monkeypatch.delattr(type(made.station), "PM_NONE")
    assert (made.join()["pm"], made.called("pm")) == (0, [0])


def test_f10_the_port_names_its_value(bench: Callable[..., Any]) -> None:
    """PM_NONE takes precedence over the known value of the family."""
    made = bench("cyw43")
    made.station.PM_NONE = 16
    assert made.join()["pm"] == 16


@pytest.mark.parametrize("family", FAMILIES)
def test_f15_another_network(bench: Callable[..., Any], family: str) -> None:
    """A board on another network switches to the one in boards.toml, and a note says so."""
    made = bench(family, story="elsewhere")
    answer = made.join()
    assert answer["was_in"] == "other"
    assert notes_of(answer, BoardSettings(network=Network.WIFI, ssid="lab")) == [
        "the board was connected to the WiFi 'other'; now it uses 'lab'"
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_f3_an_interface_that_is_joining(bench: Callable[..., Any], family: str) -> None:
    """boot.py called connect() and continued: the script waits for that attempt and does not abort it."""
    made = bench(family, story="boot")
    assert made.join()["was_up"] is True
    assert made.called("connect") == made.called("disconnect") == []
    assert 4000 <= made.clock.now < 4200


@pytest.mark.parametrize("family", FAMILIES)
def test_f3_an_interface_that_joins_something_else(bench: Callable[..., Any], family: str) -> None:
    """The script does not wait for a different network."""
    made = bench(family, story="boot")
    made.station.name = "other"
    assert said(made.join()) == JOINED
    assert made.called("connect")[0] == "lab"


@pytest.mark.parametrize(
    ("family", "auth", "password", "words"),
    [
        (
            "esp32",
            5,
            "letmein",
            "the access point uses WPA2-Enterprise (a login per user), which MicroPython cannot join",
        ),
        ("esp32", 6, "letmein", "the access point accepts WPA3 only; check the password, or allow WPA2 there"),
        ("cyw43", 5, "letmein", "wrong password"),  # cyw43's numbers are bits: 5 is WEP and WPA2
    ],
)
def test_f20_security_that_no_password_opens(
    bench: Callable[..., Any], family: str, auth: int, password: str, words: str
) -> None:
    """The message names it if the scan's numbers show it."""
    made = bench(family, auth=auth)
    assert said(made.join(password=password)) == f"the board cannot join the WiFi 'lab': {words}"


def test_a_driver_that_names_no_status(bench: Callable[..., Any]) -> None:
    """Without network.STAT_GOT_IP it is cyw43 (PYBD up to 1.20)."""
    made = bench("cyw43")
    del made.network.STAT_GOT_IP
    assert said(made.join(password="letmein")) == WRONG


def test_an_access_point_in_range_that_refuses(bench: Callable[..., Any]) -> None:
    """A scan that sees the access point takes precedence over a status "not found"."""
    made = bench("cyw43")
    made.air.request = lambda ssid, key: "absent"
    assert made.join()["code"] == "failed"


def test_a_hidden_name(bench: Callable[..., Any]) -> None:
    """A scan does not list it; a wrong password is still reported as wrong."""
    assert bench("cyw43", story="hidden").join(password="letmein")["code"] == "password"


@pytest.mark.parametrize(("family", "status"), [("cyw43", 2)])
def test_no_address(bench: Callable[..., Any], family: str, status: int) -> None:
    """A link without an address is reported as a DHCP failure."""
    made = bench(family)
    made.station.join = lambda _=None: made.station.become(status)
    assert said(made.join()).endswith("DHCP gave no IP address; boards.toml can set a static one")


@pytest.mark.parametrize("family", FAMILIES)
def test_f20_a_static_address(bench: Callable[..., Any], family: str) -> None:
    """It is set before the board joins."""
    four = ["192.168.7.20", "255.255.255.0", "192.168.7.1", "192.168.7.1"]
    made = bench(family)
    assert made.join(static=four)["address"] == "192.168.7.20"
    assert made.station.static == tuple(four)


def test_f20_the_country(bench: Callable[..., Any]) -> None:
    """It is set with network.country, or rp2.country before 1.20; a note says if firmware has neither."""
    made = bench("cyw43")
    assert "no_country" not in made.join(country="DE")
    assert made.network.countries == ["DE"]
    old = bench("esp32")
    old.network.country = None
    answer = old.join(country="DE")
    assert (answer["kind"], answer["no_country"]) == ("result", True)
    settings = BoardSettings(network=Network.WIFI, ssid="lab", country="DE")
    assert notes_of(answer, settings) == ["this firmware cannot set country = 'DE': channels 12 and 13 may be missing"]


def test_wifi_internal_error_is_tried_again(bench: Callable[..., Any]) -> None:
    """An ESP32 that is still connecting refuses connect() once; a second refusal is final."""
    made = bench("esp32")
    made.station.on = True
    made.station.connect("lab", "letmein")
    made.station.name = "before"
    assert said(made.join()) == JOINED
    broken = bench("esp32")
    broken.station.connect = refuse
    answer = broken.join()
    assert (answer["code"], answer["type"], answer["args"]) == ("exception", "OSError", [])
    assert said(answer) == "the board cannot join the WiFi 'lab': OSError"


def refuse(ssid: str, key: str) -> None:
    """A driver that prints its arguments."""
    raise OSError(f"Wifi Internal Error: {key}")


def test_firmware_without_a_network(bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """No network module, no WLAN, no wired interface: each is named."""
    made = bench("esp32")
    monkeypatch.setitem(sys.modules, "network", None)
    assert made.join()["code"] == "no-module"
    monkeypatch.setitem(sys.modules, "network", types.ModuleType("network"))
    assert made.join()["code"] == "no-wifi"
    assert made.bring_up("lan")["code"] == "no-lan"


def test_on_an_interpreter_without_network(run_on: Callable[[str], bytes], agent_source: str) -> None:
    """The script compiles and answers where there is no network module."""
    words = {"kind": "wifi", "ssid": "lab", "password": "sesame"}
    (answer,) = read_objects(run_on(agent_source + script("network_setup") + network_code(words)))
    assert (answer["kind"], answer["code"]) == ("error", "no-module")


@pytest.mark.parametrize("name", ["Esp32Before122", "Esp32", "Cyw43"])
def test_on_an_interpreter_with_a_stand_in(run_on: Callable[[str], bytes], name: str, agent_source: str) -> None:
    """Script and stand-in run on MicroPython with the same results as under CPython."""
    code = f"""
import sys
clock = Clock()
sys.modules['time'] = sys.modules['utime'] = clock
sys.modules['network'] = Network({name}(clock, Air(story='bad-first')))
"""
    source = script("network_setup")
    words = {"kind": "wifi", "ssid": "lab", "password": "sesame", "timeout": LIMIT_S}
    output = run_on("\n".join([agent_source, script("wlan_stand_in"), code, source, network_code(words)]))
    (answer,) = read_objects(output)
    assert said(answer) == JOINED
