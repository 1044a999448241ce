"""Who has a board or a port, found out without opening it: from our own locks, and from the programs that have the port open.

Knows the locks and, on Linux, /proc. For a port of another machine without a lock here, only opening it would show it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

from harness.boards.locks.board_lock import Holder, holder_by_pid, holder_of
from harness.boards.serial.ports import SerialPort, holders, identity, lock_holders


class OccupancyState(StrEnum):
    """Whether a board is available: `unknown` is behind another machine and not locked from here, `virtual` made when opened."""

    FREE = "free"
    IN_USE = "in-use"
    MISSING = "missing"
    UNKNOWN = "unknown"
    VIRTUAL = "virtual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """Whether a board is available.

    `holder` is the process that uses it, `reason` why it is missing or (without a holder on this machine) in use, `port` the port that
    would be opened.
    """

    state: OccupancyState
    port: str | None = None
    holder: Holder | None = None
    reason: str | None = None

    def __str__(self) -> str:
        if self.state is OccupancyState.IN_USE:
            return f"in use by {self.holder or self.reason}"
        return f"missing: {self.reason}" if self.reason else self.state


def of_port(port: str | SerialPort) -> Occupancy:
    """Say whether a port is available."""
    device = port if isinstance(port, str) else port.device
    holder = holder_of(identity(device)) or _other_program(device)
    if holder is not None:
        return Occupancy(state=OccupancyState.IN_USE, port=device, holder=holder)
    if "://" in device:
        return Occupancy(state=OccupancyState.UNKNOWN, port=device)
    if device.startswith("/") and not os.path.exists(device):
        return Occupancy(state=OccupancyState.MISSING, port=device, reason="no such port")
    return Occupancy(state=OccupancyState.FREE, port=device)


def _other_program(device: str) -> Holder | None:
    """The program that has the port open without our lock; for a PTY only one that locked it, since its server has it open too."""
    if not device.startswith("/"):
        return None
    found = lock_holders(device) or ([] if os.path.realpath(device).startswith("/dev/pts/") else holders(device))
    return holder_by_pid(*found[0]) if found else None
