"""A board without a network: how it is recognised, and which settings are missing. Pure.

Knows the probe's facts and the user's options. Opens nothing.
"""

from __future__ import annotations

import json
import re

from harness.boards.spec import is_spec
from harness.model import HOSTED_PLATFORMS, BoardInfo, BoardSettings, BoardSpec, Network
from harness.run.addresses import EVERY_ADDRESS
from harness.run.options import RunOptions

_WIRED = ("LAN", "WIZNET5K")
_WIFI_LINE = 'wifi = {ssid = "NAME", password = {env = "WIFI_PASSWORD"}}'
_LINES = (
    (_WIFI_LINE, "the variable WIFI_PASSWORD holds the password"),
    ('network = "lan"', "wired, where network.LAN() needs no arguments"),
    ('lan = "network.LAN(...)"', "wired, with the arguments of your board"),
    ('network = "boot"', "boot.py connects the board"),
)


def uses_host_network(info: BoardInfo) -> bool:
    """Whether the firmware runs on an operating system whose network it uses, as the unix port does."""
    return info.platform in HOSTED_PLATFORMS and "network" not in info.modules


def has_way(info: BoardInfo, options: RunOptions, settings: BoardSettings) -> bool:
    """Whether a connection can be tried at all: the board has an address, or the user named one that leads to the server.

    Args:
        info: of the board.
        options: of the run: `--advertise`, `--bind` and `--peer` are the user's own decision.
        settings: of boards.toml.
    """
    bind = options.bind or settings.bind
    named = options.advertise or options.peers or (bind and bind not in EVERY_ADDRESS)
    return bool(info.address or named or uses_host_network(info))


def bare_text(spec: BoardSpec, info: BoardInfo) -> str:
    """Return what is missing, and lines for boards.toml, all but one commented out.

    Args:
        spec: of the board; its port goes into the lines.
        info: of the board; an interface that it does not have is not proposed.
    """
    if spec.settings.network != Network.NONE:
        return (
            f'{spec.label}: the board joined its network but reports no IP address; set address = "..." in '
            f"[board.{spec.text}] of boards.toml"
        )
    own = is_spec(spec.text)
    lines = [f"[board.{_name(spec)}]"]
    if own:
        lines.append(f"spec = {json.dumps(spec.text, ensure_ascii=False)}")
    first, *others = [f"{line}   # {use}" for line, use in _LINES if _possible(line, info.interfaces)]
    lines += [first, *(f"# {line}" for line in others)]
    head = f"{spec.label}: the board is not on a network: it has no IP address{_seen(info)}."
    then = f"then run with --board {_name(spec)}, " if own else ""
    choice = f" (one of the last {len(others) + 1} lines)" if others else ""
    ask = f"Add to boards.toml{choice}, {then}or name its address with --peer:"
    return "\n".join([head, ask, *(f"  {line}" for line in lines)])


def _seen(info: BoardInfo) -> str:
    """Return the probe's facts about its interfaces."""
    if len(info.interfaces) == 1:
        return f", and its {info.interfaces[0]} is not connected"
    if info.interfaces:
        return f", and none of {', '.join(info.interfaces)} is connected"
    return "" if "network" in info.modules else ", and its firmware has no network module"


def _possible(line: str, interfaces: tuple[str, ...]) -> bool:
    """Whether an interface for this line may exist; unknown interfaces may."""
    if not interfaces:
        return True
    if line.startswith("wifi"):
        return "WLAN" in interfaces
    return "boot" in line or any(name in interfaces for name in _WIRED)


def _name(spec: BoardSpec) -> str:
    """Return a name for the board that boards.toml accepts: its own there, else one made from its port."""
    if not is_spec(spec.text):
        return spec.text
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", spec.label).strip("-")
    return name if name and not is_spec(name) else "my-board"
