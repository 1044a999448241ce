"""The child process of a virtual board: its own terminal, default signals, then the interpreter."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from harness.boards.virtual import interpreter
from harness.boards.virtual.interpreter import Interpreter

SAY = (
    "import os, signal\n"
    "with open('/dev/tty') as terminal: print(os.ttyname(terminal.fileno()), os.getsid(0) == os.getpid())\n"
    "mask = [line for line in open('/proc/self/status') if line.startswith('SigCgt')][0].split()[1]\n"
    "print(int(mask, 16) >> (signal.SIGINT - 1) & 1)\n"
)


def launched(launch: tuple[str, ...], *arguments: str) -> tuple[str, str]:
    """Run on a new terminal without a controlling process; return its output and the terminal's name."""
    far, slave = pty.openpty()
    try:
        command = Interpreter(name="test", launch=launch).command(*arguments)
        done = subprocess.run(
            command, stdin=slave, stdout=subprocess.PIPE, text=True, start_new_session=True, timeout=60, check=True
        )
        return done.stdout, os.ttyname(slave)
    finally:
        os.close(far)
        os.close(slave)


def test_exec() -> None:
    """The program leads its own session with standard input as its terminal: SIGHUP comes when the other end closes.

    It starts without a SIGINT handler, even if it is a Python script itself: the bridge knows by the handler whether code runs.
    """
    output, _terminal = launched(("exec", sys.executable), "-c", SAY)
    assert output.split()[1:] == ["True", "0"]


def test_module(tmp_path: Path) -> None:
    """A module's run_main gets the arguments and returns the status."""
    (tmp_path / "stand_in.py").write_text("def run_main(arguments):\n print(arguments, flush=True)\n return 0\n")
    output, _terminal = launched(("module", str(tmp_path), "stand_in"), "-X", "heapsize=1M")
    assert output.strip() == "['micropython', '-X', 'heapsize=1M']"


def test_packaged_interpreter_runs() -> None:
    """The packaged interpreter starts this way."""
    packaged = interpreter.find_interpreter("")
    output, _terminal = launched(packaged.launch, "-c", "import sys; print(sys.implementation.name)")
    assert output.strip() == "micropython"
