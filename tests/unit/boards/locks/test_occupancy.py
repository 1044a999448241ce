"""Who has a board, asked without opening it."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.boards.labgrid.text import identity as place_identity
from harness.boards.locks import occupancy as module
from harness.boards.locks.board_lock import BoardLock, Holder, ourselves
from harness.boards.locks.occupancy import Occupancy, OccupancyState, occupancy, of_port
from harness.boards.serial.ports import identity
from harness.boards.spec import parse_board


@pytest.fixture
def port() -> Iterator[str]:
    """A PTY."""
    far, near = pty.openpty()
    yield os.ttyname(near)
    os.close(far)
    os.close(near)


def test_free_and_in_use(port: str) -> None:
    """Free until somebody has our lock; then it is known who."""
    assert of_port(port) == Occupancy(state="free", port=port)
    lock = BoardLock(identity(port), label="desk")
    found = occupancy(parse_board(port, {}))
    lock.close()
    assert (found.state, found.holder is not None and found.holder.pid) == ("in-use", os.getpid())
    assert str(found) == f"in use by {found.holder}"
    assert str(of_port(port)) == "free"


def test_a_program_without_our_lock(port: str) -> None:
    """mpremote and others lock the port itself: found, too, with pid, user and program."""
    code = "import fcntl, sys; f = open(sys.argv[1], 'rb'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        found = of_port(port)
    finally:
        other.communicate("")
    assert found.state == "in-use"
    assert found.holder is not None
    assert (found.holder.pid, found.holder.user, found.holder.since) == (other.pid, ourselves().user, "?")
    assert found.holder.command.startswith("python")


def test_a_program_that_locks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """screen and ModemManager lock nothing: who has a serial port open has it."""
    monkeypatch.setattr(module, "holders", lambda device: [(7, "screen")] if device == "/dev/ttyUSB0" else [])
    found = of_port("/dev/ttyUSB0")
    assert (found.state, found.holder) == ("in-use", Holder(pid=7, user=found.holder.user, command="screen", since="?"))  # type: ignore[union-attr]


def test_what_cannot_be_told() -> None:
    """A port that is not there, one behind another machine, one that is made when it is opened."""
    assert str(of_port("/dev/ttyNOPE7")) == "missing: there is no such port"
    assert of_port("rfc2217://127.0.0.1:1").state == "unknown"
    assert occupancy(parse_board("unix", {})) == Occupancy(state="virtual")
    nobody = occupancy(parse_board("id:nobody-has-this", {}))
    assert nobody.state == "missing"
    assert "no port with this USB serial number" in str(nobody)


def test_looking_takes_nothing(port: str) -> None:
    """A look never is in the way of one who takes the board at the same moment: no lock is taken for it."""
    lock = BoardLock(identity(port), label="desk")
    with lock.path.open("rb") as file:
        of_port(port)
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    lock.close()
    assert not lock.path.exists()
    of_port(port)
    assert not lock.path.exists()


def test_a_labgrid_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own lock answers before the lab is asked; without a client it is said that there is none. A real lab: tests/plugin."""
    monkeypatch.setenv("LABGRID_CLIENT", "/nowhere/labgrid-client")
    monkeypatch.setenv("LG_COORDINATOR", "192.0.2.1:1")
    spec = parse_board("labgrid:board0", {})
    lock = BoardLock(place_identity("board0", os.environ), label="desk")
    found = occupancy(spec)
    lock.close()
    assert (found.state, found.holder is not None and found.holder.pid) == ("in-use", os.getpid())
    assert str(occupancy(spec)) == (
        "missing: $LABGRID_CLIENT = /nowhere/labgrid-client: there is no such program; it must name labgrid-client"
    )
    assert (
        str(Occupancy(state=OccupancyState.IN_USE, reason="alice on bench (labgrid)"))
        == "in use by alice on bench (labgrid)"
    )
