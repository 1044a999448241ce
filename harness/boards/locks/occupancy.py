"""Who has a board, without opening it: our own locks, and other programs that have the port open.

Knows the locks and, on Linux, /proc. A port behind another machine can only be asked by opening it: nobody's lock here says nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

from harness.boards.locks.board_lock import Holder, holder_by_pid, holder_of
from harness.boards.serial.ports import SerialPort, holders, identity, lock_holders, resolve_serial
from harness.boards.spec import MADE_WHEN_OPENED
from harness.errors import HarnessError
from harness.model import BoardSpec


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

    `holder` is the process that has it, `reason` why it is missing or (without a holder on this machine) in use, `port` what would
    be opened.
    """

    state: OccupancyState
    port: str | None = None
    holder: Holder | None = None
    reason: str | None = None

    def __str__(self) -> str:
        if self.state is OccupancyState.IN_USE:
            return f"in use by {self.holder or self.reason}"
        return f"missing: {self.reason}" if self.reason else self.state


def occupancy(spec: BoardSpec) -> Occupancy:
    """Say whether a board of a spec can be had."""
    if spec.kind in MADE_WHEN_OPENED:
        return Occupancy(state=OccupancyState.VIRTUAL)
    if spec.kind == "labgrid":
        return _of_place(spec)
    if spec.kind != "serial":
        return Occupancy(state=OccupancyState.UNKNOWN)
    try:
        return of_port(resolve_serial(spec.target))
    except HarnessError as error:
        return Occupancy(state=OccupancyState.MISSING, reason=str(error))


def _of_place(spec: BoardSpec) -> Occupancy:
    """Ask our own lock first, which knows the process; then the lab, which knows the user."""
    from harness.boards.labgrid.client import LISTING_S, LabgridClient
    from harness.boards.labgrid.text import identity as place_identity
    from harness.boards.labgrid.text import who_has

    try:
        holder = holder_of(place_identity(spec.target, os.environ))
        if holder is not None:
            return Occupancy(state=OccupancyState.IN_USE, holder=holder)
        client = LabgridClient(spec.label, timeout_s=LISTING_S)
        place = client.show(spec.target)
        if place.acquired is not None:
            return Occupancy(state=OccupancyState.IN_USE, reason=f"{who_has(place.acquired)} (labgrid)")
        refused = client.refusal(place, "")
    except HarnessError as error:
        return Occupancy(state=OccupancyState.MISSING, reason=str(error))
    return (
        Occupancy(state=OccupancyState.FREE)
        if refused is None
        else Occupancy(state=OccupancyState.MISSING, reason=refused.message)
    )


def of_port(port: str | SerialPort) -> Occupancy:
    """Say whether a port can be had."""
    device = port if isinstance(port, str) else port.device
    holder = holder_of(identity(device)) or _other_program(device)
    if holder is not None:
        return Occupancy(state=OccupancyState.IN_USE, port=device, holder=holder)
    if "://" in device:
        return Occupancy(state=OccupancyState.UNKNOWN, port=device)
    if device.startswith("/") and not os.path.exists(device):
        return Occupancy(state=OccupancyState.MISSING, port=device, reason="there is no such port")
    return Occupancy(state=OccupancyState.FREE, port=device)


def _other_program(device: str) -> Holder | None:
    """Who has the port open without our lock; of a PTY only who locked it: the program that serves it has it open, too."""
    if not device.startswith("/"):
        return None
    found = lock_holders(device) or ([] if os.path.realpath(device).startswith("/dev/pts/") else holders(device))
    return holder_by_pid(*found[0]) if found else None
