"""Answers of network_setup.py as text."""

from typing import Any

import pytest

from harness.boards.agent.network_answer import failure_text, notes_of
from harness.boards.agent.scripts import script
from harness.model import BoardSettings, Network

WIFI = BoardSettings(network=Network.WIFI, ssid="lab")
LAN = BoardSettings(network=Network.LAN)
BOOT = BoardSettings(network=Network.BOOT)


@pytest.mark.parametrize(
    ("settings", "answer", "text"),
    [
        (WIFI, {"code": "password"}, "the board cannot join the WiFi 'lab': wrong password"),
        (
            WIFI,
            {"code": "unsure"},
            "the board cannot join the WiFi 'lab': the access point is in range, but the board got no IP address: the password is "
            "wrong, or DHCP does not answer (this firmware cannot tell which)",
        ),
        (
            WIFI,
            {"code": "not-found"},
            "the board cannot join the WiFi 'lab': no access point of that name was found (these radios use 2.4 GHz only; "
            "channels 12 and 13 need country in boards.toml)",
        ),
        (
            WIFI,
            {"code": "failed"},
            "the board cannot join the WiFi 'lab': the access point refused or dropped the association",
        ),
        (LAN, {"code": "no-link"}, "the board cannot join the LAN: no link; check the cable"),
        (LAN, {"code": "no-lan"}, "the board cannot join the LAN: this firmware has no wired network"),
        (WIFI, {"code": "no-wifi"}, "the board cannot join the WiFi 'lab': this firmware has no WiFi"),
        (BOOT, {"code": "no-module"}, "the board has no network after 2.5 s: this firmware has no network module"),
    ],
)
def test_each_code(settings: BoardSettings, answer: dict[str, Any], text: str) -> None:
    """The text says what failed, and why."""
    assert failure_text(answer, settings, timeout_s=2.5) == text


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"code": "exception", "type": "OSError", "args": ["16"]}, "OSError: 16"),
        ({"code": "exception", "type": "TypeError", "args": ["'phy_addr' required"]}, "TypeError: 'phy_addr' required"),
        ({"code": "exception", "type": "ValueError", "args": []}, "ValueError"),
        ({"code": "exception", "type": "x\n[31m", "args": "all"}, "an unknown error"),
        ({"code": "exception"}, "an unknown error"),
        ({"code": ["password"], "type": 7}, "an unknown error"),
        ({}, "an unknown error"),
    ],
)
def test_an_exception(answer: dict[str, Any], reason: str) -> None:
    """The text has its type and arguments; an invalid type name is not repeated."""
    assert failure_text(answer, LAN, timeout_s=30) == f"the board cannot join the LAN: {reason}"


def test_every_code_of_the_script_has_a_text() -> None:
    """No code of network_setup.py becomes an unknown error."""
    source = script("network_setup")
    codes = ("password", "unsure", "not-found", "failed", "no-address", "enterprise", "wpa3")
    codes += ("no-module", "no-wifi", "no-lan", "no-link", "boot")
    for code in codes:
        assert f'"{code}"' in source
        assert "unknown error" not in failure_text({"code": code}, WIFI, timeout_s=30)


@pytest.mark.parametrize(
    ("answer", "notes"),
    [
        ({}, []),
        ({"was_in": "cafe"}, ["the board was connected to the WiFi 'cafe'; now it uses 'lab'"]),
        ({"was_in": 7, "no_country": False}, []),
        ({"no_country": True}, ["this firmware cannot set country = None: channels 12 and 13 may be missing"]),
    ],
)
def test_notes(answer: dict[str, Any], notes: list[str]) -> None:
    """The notes say what was changed, and what could not be changed."""
    assert notes_of(answer, WIFI) == notes
