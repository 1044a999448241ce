"""Boards: one small interface, and a table of the kinds there are. Adding a kind is one function and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.boards.locks import board_lock
from harness.boards.locks.board_lock import Patience, patiently
from harness.boards.session import BoardSession
from harness.errors import BoardError, FaultKind
from harness.model import BoardSettings, BoardSpec

__all__ = ["BOARD_KINDS", "BoardSession", "Patience", "open_board"]

AT_ONCE = Patience()
# Seconds between two attempts to have a board that somebody else has; asking labgrid costs a process and 0.4 s of CPU.
POLL_S = {"labgrid": 1.0}
# A faulty board's time limits: nothing on it is slow by nature, but a busy machine may take a second to run it.
FAULTY_TIME_LIMITS = 0.1
FAULTY_PATIENCE_S = 20.0


def _open_serial(spec: BoardSpec) -> BoardSession:
    """A board at a serial port of this machine or behind an RFC 2217 or raw TCP server."""
    from harness.boards.locks.identity import SameBoard
    from harness.boards.recovery import switch_on
    from harness.boards.serial.raw_repl import Link

    settings, board, switched = spec.settings, SameBoard(spec.target, label=spec.label), None
    try:
        try:
            link = Link(board.port, baud=settings.baud, dtr=settings.dtr, rts=settings.rts)
        except BoardError as fault:
            if fault.kind != FaultKind.MISSING or not settings.power_cycle or not board.may_be_switched:
                raise
            switched = switch_on(spec, fault, port=board.port, wait=board.wait)
            link = Link(board.find(), baud=settings.baud, dtr=settings.dtr, rts=settings.rts)
        session = BoardSession(spec, link, owner=board, find_port=board.find if board.may_return else None)
    except BaseException:
        board.close()
        raise
    session.notes += [note for note in (board.note, switched) if note is not None]
    return session


def _open_unix(spec: BoardSpec) -> BoardSession:
    """The virtual board: a real interpreter behind a pseudo-terminal."""
    from harness.boards.serial.raw_repl import Link
    from harness.boards.virtual.board import VirtualBoard
    from harness.boards.virtual.interpreter import find_interpreter

    virtual = VirtualBoard(find_interpreter(spec.target), heap_bytes=spec.settings.heap_bytes)
    try:
        return BoardSession(spec, Link(virtual.port), owner=virtual)
    except BaseException:
        virtual.close()
        raise


def _open_faulty(spec: BoardSpec) -> BoardSession:
    """The virtual board with one fault. Its time limits are a tenth: nothing on it is slow by nature."""
    from harness.boards.serial.raw_repl import Link
    from harness.boards.virtual.faults import FAULTS
    from harness.boards.virtual.faulty import FaultyBoard
    from harness.boards.virtual.interpreter import find_interpreter

    fault, settings = FAULTS[spec.target], spec.settings
    faulty = FaultyBoard(fault, find_interpreter(""), heap_bytes=settings.heap_bytes)
    quick = replace(settings, timeout_multiplier=settings.timeout_multiplier * FAULTY_TIME_LIMITS)
    try:
        session = BoardSession(
            replace(spec, settings=quick),
            Link(faulty.port),
            owner=faulty,
            patience_s=FAULTY_PATIENCE_S,
            find_port=lambda: faulty.port,
        )
    except BaseException:
        faulty.close()
        raise
    session.clock_behind_s = fault.shift_s
    return session


def _open_labgrid(spec: BoardSpec) -> BoardSession:
    """A board of a labgrid lab: acquired while the run has it."""
    from harness.boards.labgrid.board import KeptPlace
    from harness.boards.serial.raw_repl import Link

    place = KeptPlace(spec.target, label=spec.label, without=(spec.settings.password_env or "",))
    try:
        settings, port = spec.settings, place.address
        # What the lab says of its own port, unless boards.toml says something of its own.
        baud = port.baud if settings.baud == BoardSettings().baud else settings.baud
        link = Link(port.url, baud=baud, dtr=settings.dtr, rts=settings.rts)
        session = BoardSession(spec, link, owner=place, find_port=lambda: port.url)
    except BaseException:
        place.close()
        raise
    session.notes += place.notes
    return session


BOARD_KINDS: dict[str, Callable[[BoardSpec], BoardSession]] = {
    "serial": _open_serial,
    "unix": _open_unix,
    "faulty": _open_faulty,
    "labgrid": _open_labgrid,
}


def open_board(spec: BoardSpec, *, deploy: bool = True, patience: Patience = AT_ONCE) -> BoardSession:
    """Open a board and take it over.

    Args:
        spec: a parsed `--board`.
        deploy: False only looks at the board (`tls-harness boards --probe`).
        patience: how long to wait for a board that somebody else has.

    Raises:
        BoardError: what is wrong with the port, the board or its network.
        UsageError: the spec names nothing that exists.
    """
    from harness.system.deadline import Deadline

    if not deploy:  # whoever only looks switches nothing
        spec = replace(spec, settings=replace(spec.settings, power_cycle=()))
    poll_s = POLL_S.get(spec.kind, board_lock.POLL_S)
    session = patiently(lambda: BOARD_KINDS[spec.kind](spec), patience, label=spec.label, poll_s=poll_s)
    session.report_to(patience.tell)
    try:
        session.start(deploy=deploy)
    except BaseException:
        session.close(deadline=Deadline(2.0))
        raise
    return session
