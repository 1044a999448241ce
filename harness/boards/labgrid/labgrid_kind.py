"""The board kind `labgrid`: a place of a labgrid lab, acquired while the run has it.

Knows how such a spec is written, and in which order the place is acquired, kept and opened.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from harness.boards.board_kind import BoardKind
from harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.boards.locks.occupancy import Occupancy
    from harness.boards.session import BoardSession
    from harness.model import BoardSpec

PREFIX = "labgrid:"
# Asking labgrid costs a process and 0.4 s of CPU.
POLL_S = 1.0


def parse(text: str, *, source: str) -> str | None:
    """Accept `labgrid:PLACE`, and `labgrid:+` for a reservation.

    Raises:
        UsageError: the name of the place is missing or has spaces in it.
    """
    if not text.startswith(PREFIX):
        return None
    target = text.removeprefix(PREFIX)
    if not re.fullmatch(r"[!-~]+", target):
        raise UsageError(
            f"{source} {text!r}: expected the name of a labgrid place, e.g. labgrid:board0, or labgrid:+ for the place "
            "reserved with $LG_TOKEN"
        )
    return target


def open_place(spec: BoardSpec) -> BoardSession:
    """Acquire the place, flash its board if asked to, and open the port that its exporter serves."""
    from harness.boards.flash import flash, open_flashed
    from harness.boards.labgrid.board import KeptPlace
    from harness.boards.serial.raw_repl import RawRepl
    from harness.boards.session import BoardSession
    from harness.model import BoardSettings

    place = KeptPlace(spec.target, label=spec.label, strip_env=(spec.settings.password_env or "",))
    try:
        settings, port = spec.settings, place.address
        # The lab's own baud rate, unless boards.toml has another than the default.
        baud = port.baud if settings.baud == BoardSettings().baud else settings.baud
        flash(spec, port=port.url)
        link = open_flashed(spec, lambda: RawRepl(port.url, baud=baud, dtr=settings.dtr, rts=settings.rts))
        session = BoardSession(spec, link, owner=place, find_port=lambda: port.url)
    except BaseException:
        place.close()
        raise
    session.notes += place.notes
    return session


def identity(spec: BoardSpec) -> str:
    """The coordinator and the place, as named."""
    from harness.boards.labgrid import text

    return text.identity(spec.target, os.environ)


def occupancy(spec: BoardSpec) -> Occupancy:
    """Ask our own lock first, which knows the process; then the lab, which knows the user."""
    from harness.boards.labgrid.client import LISTING_S, LabgridClient
    from harness.boards.labgrid.text import who_has
    from harness.boards.locks.board_lock import holder_of
    from harness.boards.locks.occupancy import Occupancy, OccupancyState

    try:
        holder = holder_of(identity(spec))
        if holder is not None:
            return Occupancy(state=OccupancyState.IN_USE, holder=holder)
        client = LabgridClient(spec.label, timeout_s=LISTING_S)
        place = client.show(spec.target)
        if place.acquired is not None:
            return Occupancy(state=OccupancyState.IN_USE, reason=f"{who_has(place.acquired)} (labgrid)")
        refused = client.refusal(place, "")
    except HarnessError as error:
        return Occupancy(state=OccupancyState.MISSING, reason=str(error))
    if refused is not None:
        return Occupancy(state=OccupancyState.MISSING, reason=refused.message)
    return Occupancy(state=OccupancyState.FREE)


LABGRID = BoardKind(
    name="labgrid",
    prefix=PREFIX,
    forms=(("labgrid:PLACE", "a labgrid place; `labgrid:+` is the one reserved with `$LG_TOKEN`"),),
    parse=parse,
    open=open_place,
    identity=identity,
    occupancy=occupancy,
    poll_s=POLL_S,
)
