"""Opening a board by its spec: every kind, and nothing left behind."""

from __future__ import annotations

import os
import threading

import pytest

from harness.boards.kinds import BOARD_KINDS, open_board
from harness.boards.session import BoardSession
from harness.boards.spec import parse_board, parse_lab
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import BoardError
from harness.system.deadline import Deadline


def test_every_kind_of_spec_has_its_function() -> None:
    """What the command line accepts can be opened."""
    kinds = {
        parse_board(text, {}).kind
        for text in ("unix", "unix:/x", "u0", "COM3", "auto", "id:1", "socket://h:1", "faulty:slow", "labgrid:p")
    }
    assert kinds == set(BOARD_KINDS)


def test_serial() -> None:
    """A board at a path is opened as a serial port, with what boards.toml says of it."""
    virtual = VirtualBoard(find_interpreter(""))
    try:
        lab = parse_lab({"board": {"desk": {"spec": virtual.port, "baud": 9600, "dtr": False}}}, file="boards.toml")
        session = open_board(lab["desk"], deploy=False)
        assert session.info.implementation == "micropython"
        assert (session.link._port.port.baudrate, session.link._port.port.dtr) == (9600, False)
        session.close(deadline=Deadline(5))
    finally:
        virtual.close()


def test_heap_of_a_virtual_board() -> None:
    """boards.toml's heap_bytes reaches the interpreter."""
    lab = parse_lab({"board": {"small": {"spec": "unix", "heap_bytes": 400_000}}}, file="boards.toml")
    session = open_board(lab["small"], deploy=False)
    total = session.info.heap_total_bytes
    session.close(deadline=Deadline(5))
    assert total is not None
    assert 300_000 < total <= 400_000


def test_open_board_leaves_nothing() -> None:
    """Opened and closed, the process is as before."""
    open_board(parse_board("unix", {})).close(deadline=Deadline(5))
    before = (len(os.listdir("/proc/self/fd")), threading.active_count())
    session = open_board(parse_board("unix", {}))
    session.close(deadline=Deadline(5))
    session.close(deadline=Deadline(5))
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


def test_open_board_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does one whose start fails."""

    def broken(self: BoardSession, *, deploy: bool = True) -> None:
        raise BoardError("no", kind="silent")

    open_board(parse_board("unix", {})).close(deadline=Deadline(5))
    before = (len(os.listdir("/proc/self/fd")), threading.active_count())
    monkeypatch.setattr(BoardSession, "start", broken)
    with pytest.raises(BoardError, match="no"):
        open_board(parse_board("unix", {}))
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before
