"""A board whose port disappeared is found by its identity; another board is never mistaken for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE

import pytest

from harness.boards.kinds import open_board
from harness.boards.locks import board_lock
from harness.boards.locks import identity as same_board
from harness.boards.locks.board_lock import holder_of
from harness.boards.locks.identity import SameBoard
from harness.boards.recovery import Recovery, take_steps
from harness.boards.serial import ports
from harness.boards.serial.ports import SerialPort
from harness.boards.serial.raw_repl import RawRepl
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.faults import FAULTS
from harness.boards.virtual.faulty import FaultyBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import BoardError
from harness.model import BoardSettings, BoardSpec
from harness.system.deadline import Deadline


@pytest.fixture(autouse=True)
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the locks of these tests."""
    folder = tmp_path / "locks"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setattr(board_lock, "FOLDERS", (folder,))
    return folder


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> list[SerialPort]:
    """The ports of this machine, as set by the test."""
    there: list[SerialPort] = []
    monkeypatch.setattr(ports, "list_ports", lambda: list(there))
    monkeypatch.setattr(same_board, "list_ports", lambda: list(there))
    return there


def usb(device: str, *, serial: str | None, at: str, usb_id: str = "2e8a:0005") -> SerialPort:
    """A USB port; the device need not exist, since nothing opens it."""
    return SerialPort(device=device, description="Board", usb_id=usb_id, serial_number=serial, by_id=None, location=at)


def test_another_name(plugged: list[SerialPort]) -> None:
    """A board is found by its serial number at any USB location; while it is away the error names it."""
    plugged += [usb("/dev/ttyX0", serial="A1", at="1-1"), usb("/dev/ttyX1", serial="B2", at="1-2")]
    board = SameBoard("/dev/ttyX0", label="desk")
    assert (board.port, board.identity, board.may_return, board.note) == (
        "/dev/ttyX0",
        "usb-2e8a-0005-A1",
        True,
        None,
    )
    plugged[:] = [usb("/dev/ttyX0", serial="B2", at="1-2")]
    with pytest.raises(BoardError, match="no port has the USB identity usb-2e8a-0005-A1") as raised:
        board.find()
    assert raised.value.kind == "missing"
    plugged.append(usb("/dev/ttyX7", serial="A1", at="2-4"))
    assert board.find() == "/dev/ttyX7"
    board.close()
    board.close()


@pytest.mark.parametrize("serial", [None, "0001"])
def test_twins(plugged: list[SerialPort], serial: str | None) -> None:
    """Cheap adapters differ only by their USB location: the twin that stayed is not mistaken for the one that left."""
    plugged += [usb("/dev/ttyX0", serial=serial, at="1-1"), usb("/dev/ttyX1", serial=serial, at="1-2")]
    board = SameBoard("/dev/ttyX0", label="desk")
    plugged[:] = [usb("/dev/ttyX1", serial=serial, at="1-2")]
    with pytest.raises(BoardError, match="no port has the USB identity"):
        board.find()
    plugged[:] = [usb("/dev/ttyX0", serial=serial, at="1-2"), usb("/dev/ttyX1", serial=serial, at="1-1")]
    assert board.find() == "/dev/ttyX1"
    board.close()


def test_a_twin_that_is_plugged_in_later(plugged: list[SerialPort], locks: Path) -> None:
    """A serial number may stop being unique: then the location decides, and the board is locked under that name, too."""
    plugged += [usb("/dev/ttyX0", serial="0001", at="1-1")]
    board = SameBoard("/dev/ttyX0", label="desk")
    plugged += [usb("/dev/ttyX1", serial="0001", at="1-2")]
    assert board.find() == "/dev/ttyX0"
    for identity in ("usb-2e8a-0005-0001", "usb-2e8a-0005-0001-at-1-1"):
        holder = holder_of(identity, folder=locks)
        assert holder is not None
        assert holder.pid == os.getpid()
    board.close()
    assert list(locks.iterdir()) == []


def test_a_url_stays(plugged: list[SerialPort]) -> None:
    """A board behind another machine keeps its URL."""
    board = SameBoard("socket://127.0.0.1:2217", label="desk")
    assert board.find() == "socket://127.0.0.1:2217"
    board.close()


def test_a_path_that_is_not_a_usb_port(plugged: list[SerialPort], tmp_path: Path) -> None:
    """A link is followed again; the name of a pseudo-terminal may be another board's afterwards."""
    link = tmp_path / "board"
    link.symlink_to("/dev/null")
    board = SameBoard(str(link), label="desk")
    link.unlink()
    with pytest.raises(BoardError, match=f"{link}: no such port"):
        board.find()
    link.symlink_to("/dev/zero")
    assert board.find() == str(link)
    board.close()
    direct = SameBoard("/dev/pts/9999", label="desk")
    assert not direct.may_return
    direct.close()


def test_back_under_another_name(tmp_path: Path, locks: Path) -> None:
    """A real port disappears and comes back: the step `port` finds it by its link, and the board kept its globals."""
    faulty = FaultyBoard(FAULTS["replug"], find_interpreter(""))
    board = SameBoard(faulty.port, label="desk")
    link = RawRepl(board.port)
    try:
        link.enter_raw_repl(deadline=Deadline(60))
        before = link.device
        link.exec(b"def th_run(text): return 1", deadline=Deadline(60))
        for _ in range(2):
            link.exec(b"th_run('{\"host\":1}')", deadline=Deadline(60))
        with pytest.raises(BoardError, match="the port disappeared"):
            link.exec(b"th_run('{\"host\":1}')", deadline=Deadline(60))
        spec = BoardSpec(text="desk", kind="serial", target=faulty.port, label="desk")
        log = take_steps(Recovery(spec, link, find_port=board.find).steps(), settle=lambda deadline: None)
        assert [(step.step, step.result) for step in log] == [("ctrl-c", "skipped"), ("port", "helped")]
        assert link.device != before
        assert link.exec(b"print(th_run(''))", deadline=Deadline(60)).stdout == b"1\n"
        assert len(list(locks.iterdir())) == 3  # its link, and the link's targets before and now
    finally:
        link.close()
        board.close()
        faulty.close()
    assert list(locks.iterdir()) == []


HOLDS = """
import pathlib, sys
from harness.boards.locks.board_lock import BoardLock
lock = BoardLock(sys.argv[1], label="x", folder=pathlib.Path(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""
SWITCHES = "import os, sys; os.symlink(sys.argv[1], sys.argv[2]); print('on')"


@pytest.fixture
def dark(tmp_path: Path) -> Iterator[BoardSpec]:
    """A board with a name of its own that is missing until its power switch (a stand-in) runs."""
    virtual = VirtualBoard(find_interpreter(""))
    name = tmp_path / "pico"
    hook = (sys.executable, "-c", SWITCHES, virtual.port, "{port}")
    settings = BoardSettings(power_cycle=hook)
    yield BoardSpec(text="pico", kind="serial", target=str(name), label="pico", settings=settings)
    virtual.close()


def test_a_port_that_is_missing_at_the_start(dark: BoardSpec) -> None:
    """The power is switched on, the run waits for the port, and the board is locked under both names."""
    session = open_board(dark)
    try:
        assert session.notes[0].startswith(f"its port was missing at first ({dark.target}: no such port; ")
        assert session.notes[0].endswith("; power-cycle helped")
        assert session.info.has_tls
        assert holder_of(dark.target) is not None
        assert holder_of(os.path.realpath(dark.target)) is not None
    finally:
        session.close(deadline=Deadline(60))
    assert holder_of(dark.target) is None


def test_a_missing_port_that_is_not_switched_on(dark: BoardSpec, locks: Path) -> None:
    """A probe does not switch it on, nor does a run if another run has the board or the name may be another board's."""
    with pytest.raises(BoardError, match="no such port") as raised:
        open_board(dark, deploy=False)
    assert "power-cycle" not in raised.value.message
    with subprocess.Popen([sys.executable, "-c", HOLDS, dark.target, str(locks)], stdin=PIPE, stdout=PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BoardError, match=rf"pico: the board is in use by pid {other.pid} "):
            open_board(dark)
        other.kill()
    with pytest.raises(BoardError, match="no such port") as raised:
        open_board(replace(dark, target="/dev/ttyNONE7"))
    assert "power-cycle" not in raised.value.message
    assert not os.path.lexists(dark.target)


def test_a_switch_that_does_not_help(dark: BoardSpec) -> None:
    """If the port stays missing, the error names what was tried."""
    hook = (sys.executable, "-c", "print('no such hub'); raise SystemExit(3)")
    with pytest.raises(
        BoardError, match=r"no such port\b.*; power-cycle failed: pico: the power_cycle hook .* no such hub$"
    ):
        open_board(replace(dark, settings=replace(dark.settings, power_cycle=hook)))
    short = replace(dark.settings, power_cycle=(sys.executable, "-c", ""), timeout_multiplier=0.02)
    with pytest.raises(BoardError, match=r"; power-cycle failed: .*no such port$") as raised:
        open_board(replace(dark, settings=short))
    assert raised.value.kind == "missing"
