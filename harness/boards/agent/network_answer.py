"""The answers of device_scripts/network_setup.py as text. Pure: a code of the board in, a sentence out.

Knows the codes and the keys of boards.toml that help. The board's own text is untrusted: only its integers and words are used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.model import BoardSettings

_FREQUENCY = "these radios use 2.4 GHz only"
_WORDS = {
    "password": "wrong password",
    "unsure": "the access point is in range, but the board got no IP address: the password is wrong, or DHCP does not answer (this "
    "firmware cannot tell which)",
    "not-found": f"no access point of that name was found ({_FREQUENCY}; channels 12 and 13 need country in boards.toml)",
    "failed": "the access point refused or dropped the association",
    "no-address": "the link is up, but DHCP gave no IP address; boards.toml can set a static one",
    "enterprise": "the access point uses WPA2-Enterprise (a login per user), which MicroPython cannot join",
    "wpa3": "the access point accepts WPA3 only; check the password, or allow WPA2 there",
    "no-module": "this firmware has no network module",
    "no-wifi": "this firmware has no WiFi",
    "no-lan": "this firmware has no wired network",
    "no-link": "no link; check the cable",
    "boot": "boot.py brought up no interface with an IP address; if the board has one that it cannot report, set address in boards.toml",
}
# Parts of an answer that come from a driver or a network.
FREE_TEXTS = ("type", "args", "was_in")
# What was not done, by fact.
_NO_COUNTRY = "this firmware cannot set country = {country!r}: channels 12 and 13 may be missing"
_MOVED = "the board was connected to the WiFi {was!r}; now it uses {ssid!r}"


def failure_text(answer: Mapping[str, Any], settings: BoardSettings, *, timeout_s: float) -> str:
    """Return why the board is not on its network.

    Args:
        answer: what the board printed, with a `code`.
        settings: of boards.toml.
        timeout_s: the board's time limit.
    """
    if settings.network == "boot":
        where = f"the board has no network after {timeout_s:g} s"
    elif settings.network == "wifi":
        where = f"the board cannot join the WiFi {settings.ssid!r}"
    else:
        where = "the board cannot join the LAN"
    return f"{where}: {_reason(answer)}"


def _reason(answer: Mapping[str, Any]) -> str:
    known = _WORDS.get(str(answer.get("code")))
    if known is not None:
        return known
    kind = answer.get("type")
    name = kind if isinstance(kind, str) and re.fullmatch(r"[A-Za-z]\w{0,60}", kind) else "an unknown error"
    given = answer.get("args")
    args = [item for item in given[:2] if isinstance(item, str)] if isinstance(given, list) else []
    return " ".join(f"{name}: {', '.join(args)}".split()) if args else name


def notes_of(answer: Mapping[str, Any], settings: BoardSettings) -> list[str]:
    """Return notes for readers of the results about how the board joined its network."""
    notes = []
    was = answer.get("was_in")
    if isinstance(was, str):
        notes.append(_MOVED.format(was=was[:32], ssid=settings.ssid))
    if answer.get("no_country"):
        notes.append(_NO_COUNTRY.format(country=settings.country))
    return notes
