"""The `report` command in this process, and a virtual board that a command opens as a serial port."""

import pytest

from harness import cli
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import HarnessError


@pytest.fixture(scope="module")
def interpreter():
    """The default interpreter of virtual boards."""
    try:
        return find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))


@pytest.fixture
def virtual_board(interpreter, tmp_path):
    """A virtual board that the commands open as a serial port; its filesystem is `virtual_board.folder`."""
    folder = tmp_path / "filesystem"
    folder.mkdir()
    virtual = VirtualBoard(interpreter, folder=folder)
    yield virtual
    virtual.close()


@pytest.fixture
def report(capsys):
    """Run the command in this process; return its exit code, lines of stdout and lines of stderr."""

    def run(*arguments):
        code = cli.main(["report", *(str(word) for word in arguments)])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run
