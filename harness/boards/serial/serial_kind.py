"""The board kind `serial`: a port of this machine, or one behind an RFC 2217 or raw TCP server.

Knows how such a spec is written, and in which order a port is locked, opened and, if it is missing, powered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.boards.board_kind import BoardKind
from harness.errors import BoardError, FaultKind, HarnessError, UsageError

if TYPE_CHECKING:
    from harness.boards.locks.occupancy import Occupancy
    from harness.boards.session import BoardSession
    from harness.model import BoardSpec

SCHEMES = ("rfc2217", "socket")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)")
_HOST_PORT = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[^:/?\[\]]+):([0-9]{1,5})(?:[/?].*)?")
_PORT = re.compile(r"auto|id:.+|[ua]\d+|COM\d+|/.+")


def parse(text: str, *, source: str) -> str | None:
    """Accept a device path, a short name of one, `id:`, `auto`, or a URL.

    Raises:
        UsageError: a URL with another scheme, or without host and port.
    """
    url = _URL.fullmatch(text)
    if url is None:
        return text if _PORT.fullmatch(text) else None
    scheme = url[1]
    if scheme not in SCHEMES:
        raise UsageError(f"{source} {text!r}: unknown scheme {scheme!r}; expected rfc2217:// or socket://")
    where = _HOST_PORT.fullmatch(url[2])
    if where is None:
        raise UsageError(f"{source} {text!r}: expected host and port, e.g. {scheme}://192.0.2.7:2217")
    if not 1 <= int(where[1]) <= 65535:
        raise UsageError(f"{source} {text!r}: invalid port {where[1]}: expected 1 to 65535")
    return text


def open_serial(spec: BoardSpec) -> BoardSession:
    """Lock the board, flash it if asked to, and open its port; switch its power on first if the port is missing and there is a hook."""
    from harness.boards.flash import flash, open_flashed
    from harness.boards.locks.identity import SameBoard
    from harness.boards.recovery import switch_on
    from harness.boards.serial.raw_repl import RawRepl
    from harness.boards.session import BoardSession

    settings, board, switched = spec.settings, SameBoard(spec.target, label=spec.label), None

    def opened() -> RawRepl:
        port = board.port if spec.firmware is None else board.find()
        return RawRepl(port, baud=settings.baud, dtr=settings.dtr, rts=settings.rts)

    try:
        flash(spec, port=board.port)
        try:
            link = open_flashed(spec, opened)
        except BoardError as fault:
            if fault.kind != FaultKind.MISSING or not settings.power_cycle or not board.may_be_switched:
                raise
            switched = switch_on(spec, fault, port=board.port, wait=board.wait)
            link = RawRepl(board.find(), baud=settings.baud, dtr=settings.dtr, rts=settings.rts)
        session = BoardSession(spec, link, owner=board, find_port=board.find if board.may_return else None)
    except BaseException:
        board.close()
        raise
    session.notes += [note for note in (board.note, switched) if note is not None]
    return session


def identity(spec: BoardSpec) -> str:
    """The USB device, network address or real path behind the spec."""
    from harness.boards.serial import ports

    return ports.identity(ports.resolve_serial(spec.target))


def occupancy(spec: BoardSpec) -> Occupancy:
    """Who holds our lock or has the port open."""
    from harness.boards.locks.occupancy import Occupancy, OccupancyState, of_port
    from harness.boards.serial.ports import resolve_serial

    try:
        return of_port(resolve_serial(spec.target))
    except HarnessError as error:
        return Occupancy(state=OccupancyState.MISSING, reason=str(error))


SERIAL = BoardKind(
    name="serial",
    forms=(
        ("a device path", "a serial port, e.g. `/dev/ttyUSB0` or `/dev/serial/by-id/...`"),
        ("COM3", "a serial port of Windows"),
        ("u0", "`/dev/ttyUSB0`"),
        ("a0", "`/dev/ttyACM0`"),
        ("id:SERIAL", "the port with this USB serial number, whatever its name is"),
        ("auto", "the only USB serial port of this machine"),
        ("rfc2217://HOST:PORT", "a port served by ser2net or a labgrid exporter, with its modem lines"),
        ("socket://HOST:PORT", "a port served as plain TCP"),
    ),
    parse=parse,
    open=open_serial,
    identity=identity,
    occupancy=occupancy,
)
