"""Who has a board, found out without opening it."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.boards.kinds import occupancy
from harness.boards.locks import occupancy as module
from harness.boards.locks.board_lock import BoardLock, Holder, ourselves
from harness.boards.locks.occupancy import Occupancy, OccupancyState, of_port
from harness.boards.serial.ports import identity
from harness.boards.spec import parse_board


@pytest.fixture
def port() -> Iterator[str]:
    """The port of a pseudo-terminal."""
    far, near = pty.openpty()
    yield os.ttyname(near)
    os.close(far)
    os.close(near)


def test_free_and_in_use(port: str) -> None:
    """Free until a process has our lock; then the holder is named."""
    assert of_port(port) == Occupancy(state="free", port=port)
    lock = BoardLock(identity(port), label="desk")
    found = occupancy(parse_board(port, {}))
    lock.close()
    assert (found.state, found.holder is not None and found.holder.pid) == ("in-use", os.getpid())
    assert str(found) == f"in use by {found.holder}"
    assert str(of_port(port)) == "free"


def test_a_program_without_our_lock(port: str) -> None:
    """mpremote and others lock the port itself; they are found with pid, user and program."""
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
    """screen and ModemManager lock nothing: a program with the port open has it."""
    monkeypatch.setattr(module, "holders", lambda device: [(7, "screen")] if device == "/dev/ttyUSB0" else [])
    found = of_port("/dev/ttyUSB0")
    assert (found.state, found.holder) == ("in-use", Holder(pid=7, user=found.holder.user, command="screen", since="?"))  # type: ignore[union-attr]


def test_not_free() -> None:
    """A port that is missing, and one behind another machine."""
    assert str(of_port("/dev/ttyNOPE7")) == "missing: no such port"
    assert of_port("rfc2217://127.0.0.1:1").state == "unknown"


def test_looking_takes_nothing(port: str) -> None:
    """Looking takes no lock: it must not disturb a run that takes the board at the same moment."""
    lock = BoardLock(identity(port), label="desk")
    with lock.path.open("rb") as file:
        of_port(port)
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    lock.close()
    assert not lock.path.exists()
    of_port(port)
    assert not lock.path.exists()


def test_a_holder_elsewhere() -> None:
    """A holder on another machine is a reason, not a process."""
    found = Occupancy(state=OccupancyState.IN_USE, reason="alice on bench (labgrid)")
    assert str(found) == "in use by alice on bench (labgrid)"
