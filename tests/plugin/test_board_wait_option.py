"""Two runs never share a board: `--board-wait SECONDS`, and the message that names the holder."""

import os
import sys

import pytest

from harness.boards.locks.board_lock import holder_of, lock_folder, lock_path, ourselves
from harness.boards.serial.ports import identity
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import HarnessError

HOLD = """
from pathlib import Path
import pytest

def test_hold(board):
    board.info
    Path("started").touch()
    Path("go").read_text()

def test_after():
    Path("given-back").touch()
    Path("end").read_text()
"""
USE = "def test_use(board):\n    assert board.info.has_tls\n"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a PTY stands for the board's port")


@pytest.fixture
def port():
    """A board at a port that any process can open."""
    try:
        virtual = VirtualBoard(find_interpreter(""))
    except HarnessError as error:
        pytest.skip(str(error))
    yield virtual.port
    virtual.close()


@pytest.fixture
def holding(suite, port):
    """Start a run that uses the board until the file `go` exists, and then continues without it until `end` exists."""
    for name in ("go", "end"):
        os.mkfifo(suite.folder / name)
    suite.write("test_hold.py", HOLD)
    suite.write("test_use.py", USE)
    process = suite.start("test_hold.py", "--board", port)
    suite.wait_for((suite.folder / "started").exists, what="the first run has the board")
    return process


def test_a_busy_board_is_refused_and_its_holder_named(suite, port, holding):
    """Without --board-wait the second run fails at once, naming pid, user and command of the first."""
    ran = suite.run("test_use.py", "--board", port)
    assert ran.status == 10
    who = f"pid {holding.pid} ({ourselves().user}) since 2"
    assert f"error: pts{port.rpartition('/')[2]}: the board is in use by {who}" in ran.text.replace("\n", "")
    assert f"pytest -p no:cacheprovider test_hold.py --board {port}" in ran.text


def test_waiting_for_a_board(suite, port, holding):
    """With --board-wait the second run names the holder, and continues when the first has run its last test on the board."""
    waiting = suite.start("test_use.py", "--board", port, "--board-wait", "60")
    line = waiting.stdout.readline()
    while "waiting up to" not in line:
        assert line, "the run ended without waiting"
        line = waiting.stdout.readline()
    assert f"waiting up to 60 s: pts{port.rpartition('/')[2]}: the board is in use by pid {holding.pid} (" in line
    (suite.folder / "go").write_text("on")
    ran = suite.end(waiting)
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
    # The first run still exists: it released the board after its last test on it.
    assert (suite.folder / "given-back").exists()
    assert holding.poll() is None
    (suite.folder / "end").write_text("on")
    assert suite.end(holding).status == 0


# Which boards had been tried, and with what result, when pytest-timeout started its timer.
AT_THE_TIMER = """
from pathlib import Path
import pytest
from harness.pytest_plugin.run import lab_of

@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item):
    Path("at-the-timer").write_text("".join(str(board.error) for board in lab_of(item.config).boards()))
"""


def test_the_wait_ends(suite, port, holding):
    """When the time has expired the run reports it; pytest-timeout starts its timer after the wait."""
    suite.write("conftest.py", AT_THE_TIMER)
    ran = suite.run("test_use.py", "--board", port, "--board-wait", "0.2", "--timeout", "200")
    assert ran.status == 10
    assert "(waited 0.2 s)" in ran.text.replace("\n", " ")
    assert (suite.folder / "at-the-timer").read_text().endswith("(waited 0.2 s)")


def test_a_killed_run_holds_nothing(suite, port, holding):
    """SIGKILL frees the board: the next run gets it at once."""
    holding.kill()
    holding.communicate()
    ran = suite.run("test_use.py", "--board", port)
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
    suite.running.clear()  # ended on purpose
    suite.wait_for(lambda: holder_of(identity(port)) is None, what="the board is free")
    assert not lock_path(identity(port), folder=lock_folder()).exists()


@pytest.mark.parametrize("text", ["", "-1", "soon", "1e3", "86401"])
def test_invalid_time(suite, text):
    """An invalid time is refused in one line."""
    message = f"--board-wait {text!r}: expected a number of seconds from 0 to 86400"
    assert suite.refused(f"--board-wait={text}") == message
