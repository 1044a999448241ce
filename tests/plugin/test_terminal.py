"""Test a run's output on a pseudo-terminal of a given width, by the content of its screen at the end."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import termios

import pytest

from harness.cases import select
from harness.system.deadline import Deadline

_STEP = re.compile(r"\x1b\[(?P<number>[0-9;?]*)(?P<what>[A-Za-z])|\x1b\][^\x07]*\x07|(?P<text>[^\x1b])", re.DOTALL)


class Screen:
    """A terminal of unlimited height: text, carriage returns, cursor up, column, erase line; colours are recorded separately."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[list[str]] = [[]]
        self.row = self.column = 0
        self.colours: set[str] = set()

    def feed(self, text: str) -> None:
        """Show a piece of output."""
        for step in _STEP.finditer(text):
            if step["what"]:
                self._control(step["what"], step["number"])
            elif step["text"]:
                self._put(step["text"])

    def _control(self, what: str, number: str) -> None:
        if what == "m":
            self.colours.add(number)
        elif what == "K":
            self.rows[self.row] = [] if number == "2" else self.rows[self.row][: self.column]
        elif what == "A":
            self.row -= int(number or 1)
        elif what == "G":
            self.column = int(number) - 1
        else:
            raise AssertionError(f"the terminal received {number}{what}")

    def _put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self._down()
        else:
            if self.column >= self.width:
                self._down()
                self.column = 0
            line = self.rows[self.row]
            line += [" "] * (self.column + 1 - len(line))
            line[self.column] = char
            self.column += 1

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])

    @property
    def lines(self) -> list[str]:
        """Return the screen from its top."""
        return ["".join(row).rstrip() for row in self.rows]


class Terminal:
    """A program on a pseudo terminal."""

    def __init__(self, arguments: list[str], *, folder: os.PathLike, environment: dict[str, str], width: int) -> None:
        self.screen, self.raw = Screen(width), ""
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)

    def read(self) -> bool:
        """Show the next output; return False at the end."""
        try:
            data = os.read(self._master, 65536)
        except OSError:
            data = b""
        text = data.decode("utf-8", "replace")
        self.raw += text
        self.screen.feed(text)
        return bool(data)

    def read_until(self, pattern: str) -> None:
        """Read until the output matches."""
        deadline = Deadline(240)
        while not re.search(pattern, self.raw):
            assert self.read(), self.raw
            assert not deadline.expired, self.raw

    def finish(self) -> int:
        """Read to the end; return the exit code."""
        while self.read():
            pass
        os.close(self._master)
        return self.process.wait(timeout=240)


BAR = re.compile(r"(\d+)/(\d+)(?:  \d+ bad)?(?:  about [0-9:]+ left)?\r?\x1b\[2K")
LINE = re.compile(r"\[( ?\d+)/(\d+)\] (pass|fail|insecure|error)\s+(\S+/\S+)")
OWN = "import pytest\ndef test_one():\n    print('from a test')\ndef test_two():\n    pass\n"


@pytest.fixture
def on_terminal(suite):
    """Run the suite's pytest on a terminal; all processes end with the test."""
    started = []

    def start(*arguments, width=80, environment=None):
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "TOX", "MICROPYTHON"))
            and name not in ("CI", "BUILD_NUMBER", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PY_COLORS")
        }
        own = {**clean, "TERM": "xterm-256color", "PYTHONUTF8": "1", "PYTHONWARNINGS": "", **(environment or {})}
        started.append(Terminal(list(arguments), folder=suite.folder, environment=own, width=width))
        return started[-1]

    yield start
    for terminal in started:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()


CHOSEN = ("--cases", "smoke", "-k", "seed")
COUNT = sum(case.id.startswith("seed/") for case in select("smoke"))
FEW = ("--cases", "smoke", "-k", "rsa-1024-key or wrong-ca")


@pytest.mark.parametrize(("width", "colour"), [(60, ()), (160, ("--color=no",))])
def test_it_fits(on_terminal, width, colour):
    """Every case has one line with verdict and full id, at any width; the bar has disappeared at the end; the table is drawn.

    --color=no keeps bar and table, without colours.
    """
    terminal = on_terminal(*CHOSEN, *colour, width=width)
    assert terminal.finish() == 0
    lines = terminal.screen.lines
    found = [LINE.match(line) for line in lines if line.startswith("[")]
    assert len(found) == COUNT
    assert {match[4] for match in found} >= {"seed/rsa-key-no-shared-cipher", "seed/key-and-certificate-swapped"}
    assert [int(match[1]) for match in found] == list(range(1, COUNT + 1))
    last = next(number for number, line in enumerate(lines) if LINE.match(line) and f"[{COUNT}/{COUNT}]" in line)
    assert lines[last + 1] == ""
    assert "TLS compatibility" in lines[last + 2]
    assert [int(match[1]) for match in BAR.finditer(terminal.raw)][-1] >= COUNT - 2
    assert "about 0:0" in terminal.raw
    assert not any("left" in line or ("━" * 5 in line and "╇" not in line) for line in lines)
    assert f"unix  │ in-process │ seed  │ {COUNT:4}" in lines
    assert ("32" in terminal.screen.colours) is (not colour)
    assert not (colour and terminal.screen.colours)
    assert "\x1b[?25l" not in terminal.raw


def test_plain_lines(on_terminal):
    """A CI log has the plain table and no bar; lines are as long as they are (tests/unit/pytest_plugin/test_screen.py)."""
    terminal = on_terminal(*FEW, environment={"CI": "true"})
    assert terminal.finish() == 0
    assert "board  server      topic  pass" in terminal.screen.lines
    assert "unix   in-process  seed   2" in terminal.screen.lines
    assert "\x1b[2K" not in terminal.raw
    assert "unknown_ca(48) from the client" in terminal.raw


def test_no_bar_with_other_output(suite, on_terminal):
    """With -s tests write while they run: no bar to run into; the table is drawn all the same."""
    suite.write("test_own.py", OWN)
    terminal = on_terminal("--cases", "smoke", "-k", "rsa-1024-key or one", "-s")
    assert terminal.finish() == 0
    assert "\x1b[2K" not in terminal.raw
    assert "unix  │ in-process │ seed  │    1" in terminal.screen.lines
    assert any("from a test" in line for line in terminal.screen.lines)


def test_among_other_tests(suite, on_terminal):
    """Before and after a suite's own tests nothing is overwritten, and no part of the bar remains."""
    suite.write("test_own.py", OWN)
    suite.write("test_own_again.py", OWN)
    order = ("test_own.py", "test_mine.py", "test_own_again.py")
    terminal = on_terminal(*order, "--cases", "smoke", "-k", "rsa-1024-key or wrong-ca or one or two")
    assert terminal.finish() == 0
    lines = terminal.screen.lines
    assert len([line for line in lines if LINE.match(line)]) == 2
    own = [line.partition(" ")[0] for line in lines if line.startswith(("test_own.py ..", "test_own_again.py .."))]
    assert own == ["test_own.py", "test_own_again.py"]
    assert not any("left" in line for line in lines)


def test_with_xdist(on_terminal):
    """Only the controller draws; the workers' results appear line by line as without a bar."""
    terminal = on_terminal(*FEW, "-n", "1")
    assert terminal.finish() == 0
    lines = terminal.screen.lines
    assert len([line for line in lines if LINE.match(line)]) == 2
    assert BAR.search(terminal.raw)
    assert not any("left" in line for line in lines)
    assert "unix  │ in-process │ seed  │    2" in lines


def test_stopping_at_the_first_failure(on_terminal):
    """-x leaves no bar behind, and the failure block and pytest's own messages begin on new lines."""
    terminal = on_terminal(*CHOSEN, "-x", "--board", "/dev/ttyNOPE7", "--tb=short")
    assert terminal.finish() == 10
    lines = terminal.screen.lines
    assert sum(LINE.match(line) is not None for line in lines) == 0  # the board's line has the reason
    assert any("stopping after 1 failures" in line and line.startswith("!!!") for line in lines)
    assert not any(re.fullmatch(rf"[━╸╺ ]*  1/{COUNT}.*", line) for line in lines)


WAITING = """
import pathlib, time
def test_case(board, tls_case, run_case):
    run_case(board, tls_case)
    if "1024" in tls_case.id:
        pathlib.Path("waiting").touch()
        while True:
            time.sleep(0.05)
"""


def test_ctrl_c(suite, on_terminal):
    """After Ctrl-C in the terminal the bar disappears, pytest reports it on a new line, and the report is written."""
    suite.write("test_mine.py", WAITING)
    terminal = on_terminal("--cases", "smoke", "-k", "ecdsa-key-connects or rsa-1024-key or wrong-ca")
    terminal.read_until(r"1/3  about")
    deadline = Deadline(240)
    while not (suite.folder / "waiting").exists():
        assert not deadline.expired
    os.kill(terminal.process.pid, signal.SIGINT)
    assert terminal.finish() == 2
    lines = terminal.screen.lines
    assert any(line.startswith("!!!") and "KeyboardInterrupt" in line for line in lines)
    assert not any("left" in line for line in lines)
    assert any(line.startswith("report: ") for line in lines)
    assert (suite.folder / ".compat" / "run.json").exists()
