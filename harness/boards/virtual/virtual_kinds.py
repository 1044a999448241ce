"""The board kinds `unix` and `faulty`: a MicroPython interpreter of this machine behind a pseudo-terminal.

Knows how their specs are written and how they are started; what a fault does is in `faults` and `faulty`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.boards.board_kind import BoardKind
from harness.boards.virtual.faults import FAULTS
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.boards.locks.occupancy import Occupancy
    from harness.boards.session import BoardSession
    from harness.model import BoardSpec

# The time limits of a faulty board are a tenth, but a busy machine may take long to start it.
FAULTY_PATIENCE_S = 20.0


def parse_unix(text: str, *, source: str) -> str | None:
    """Accept `unix` and `unix:PATH`.

    Raises:
        UsageError: the path is missing.
    """
    if text == "unix:":
        raise UsageError(f"{source} 'unix:': missing interpreter path; `unix` alone runs the packaged interpreter")
    return text.removeprefix("unix").removeprefix(":") if text == "unix" or text.startswith("unix:") else None


def open_unix(spec: BoardSpec) -> BoardSession:
    """Start the virtual board and open its port. Its flash hook, if any, may replace the file of its interpreter before."""
    from harness.boards.flash import flash
    from harness.boards.serial.raw_repl import RawRepl
    from harness.boards.session import BoardSession
    from harness.boards.virtual.board import VirtualBoard
    from harness.boards.virtual.interpreter import find_interpreter

    flash(spec, port=spec.target)
    virtual = VirtualBoard(find_interpreter(spec.target), heap_bytes=spec.settings.heap_bytes)
    try:
        return BoardSession(spec, RawRepl(virtual.port), owner=virtual)
    except BaseException:
        virtual.close()
        raise


def check_unix(spec: BoardSpec) -> None:
    """Refuse a path that is not an interpreter. The packaged one may be missing in a suite that never uses a board."""
    from harness.boards.virtual.interpreter import find_interpreter

    if spec.target and os.name != "nt":
        find_interpreter(spec.target)


def parse_faulty(text: str, *, source: str) -> str | None:
    """Accept `faulty:NAME` with the name of a fault.

    Raises:
        UsageError: there is no such fault.
    """
    if text != "faulty" and not text.startswith("faulty:"):
        return None
    name = text.removeprefix("faulty").removeprefix(":")
    if name not in FAULTS:
        raise UsageError(f"{source} {text!r}: unknown fault; expected faulty:NAME with NAME one of {', '.join(FAULTS)}")
    return name


def open_faulty(spec: BoardSpec) -> BoardSession:
    """Start the virtual board with one fault and open its port."""
    from harness.boards.serial.raw_repl import RawRepl
    from harness.boards.session import BoardSession
    from harness.boards.virtual.faulty import FaultyBoard
    from harness.boards.virtual.interpreter import find_interpreter

    fault, settings = FAULTS[spec.target], spec.settings
    faulty = FaultyBoard(fault, find_interpreter(spec.interpreter), heap_bytes=settings.heap_bytes)
    quick = replace(settings, timeout_multiplier=settings.timeout_multiplier * fault.time_limits)
    try:
        session = BoardSession(
            replace(spec, settings=quick),
            RawRepl(faulty.port),
            owner=faulty,
            patience_s=FAULTY_PATIENCE_S,
            find_port=lambda: faulty.port,
        )
    except BaseException:
        faulty.close()
        raise
    session.clock_behind_s = fault.shift_s
    return session


def identity(spec: BoardSpec) -> str:
    """The text of the spec: each is a board of its own."""
    return spec.text


def occupancy(_spec: BoardSpec) -> Occupancy:
    """A virtual board is always free: it is created when it is opened."""
    from harness.boards.locks.occupancy import Occupancy, OccupancyState

    return Occupancy(state=OccupancyState.VIRTUAL)


UNIX = BoardKind(
    name="unix",
    prefix="unix:",
    forms=(
        ("unix", "a virtual board: `$MICROPYTHON`, the packaged interpreter or `micropython` on PATH"),
        ("unix:/path/to/micropython", "a virtual board with this interpreter, MicroPython's unix port from 1.14 on"),
    ),
    parse=parse_unix,
    open=open_unix,
    identity=identity,
    occupancy=occupancy,
    check=check_unix,
    is_virtual=True,
)

FAULTY = BoardKind(
    name="faulty",
    prefix="faulty:",
    forms=(("faulty:NAME", "a virtual board with one fault ([faults.md](faults.md))"),),
    parse=parse_faulty,
    open=open_faulty,
    identity=identity,
    occupancy=occupancy,
    is_virtual=True,
)
