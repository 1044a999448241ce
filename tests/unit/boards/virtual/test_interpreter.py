"""The interpreter that a virtual board runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.boards.virtual import interpreter
from harness.boards.virtual.interpreter import PACKAGE, find_interpreter
from harness.errors import BoardError, UsageError


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return an executable file."""
    path = tmp_path / "micropython"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine without $MICROPYTHON, without the package and with an empty PATH."""
    monkeypatch.delenv("MICROPYTHON", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(interpreter, "_packaged", lambda: None)
    return monkeypatch


def test_order(bare: pytest.MonkeyPatch, program: Path) -> None:
    """$MICROPYTHON, then the packaged one, then PATH."""
    bare.setenv("PATH", str(program.parent))
    assert find_interpreter("").launch == ("exec", str(program))
    bare.undo()
    bare.delenv("MICROPYTHON", raising=False)
    assert find_interpreter("").name == PACKAGE
    bare.setenv("MICROPYTHON", str(program))
    assert find_interpreter("").name == str(program)


def test_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path and ~ work."""
    monkeypatch.chdir(program.parent)
    assert find_interpreter("./micropython").launch == ("exec", str(program))
    monkeypatch.setenv("HOME", str(program.parent))
    assert find_interpreter("~/micropython").launch == ("exec", str(program))


def test_command_is_isolated(program: Path) -> None:
    """The launcher runs in isolated mode: neither PYTHONPATH nor a board's own files affect it."""
    command = find_interpreter(str(program)).command("-X", "heapsize=1M")
    assert command[:3] == [sys.executable, "-I", "-S"]
    assert os.path.basename(command[3]) == "launch.py"
    assert command[4:] == ["exec", str(program), "-X", "heapsize=1M"]


def test_nothing_found(bare: pytest.MonkeyPatch) -> None:
    """One line names every place that was tried, and what to do."""
    with pytest.raises(
        UsageError, match=r"no MicroPython interpreter here: jonnor-.*\$MICROPYTHON is not set.*unix:/path"
    ):
        find_interpreter("")


def test_wrong_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a directory and a file that is not a program are refused, with the source of the path."""
    with pytest.raises(UsageError, match=r"--board unix:/no/such: no such file; expected the path of a MicroPython"):
        find_interpreter("/no/such")
    with pytest.raises(UsageError, match="not an executable program"):
        find_interpreter(str(tmp_path))
    text = tmp_path / "text"
    text.write_text("no program")
    monkeypatch.setenv("MICROPYTHON", str(text))
    with pytest.raises(UsageError, match=r"\$MICROPYTHON = .*text: not an executable program"):
        find_interpreter("")


def test_without_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pseudo-terminals (Windows) one line says what works instead."""
    monkeypatch.setattr(interpreter.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(
        BoardError, match="need a pseudo-terminal, which Windows does not have; use WSL or a serial board"
    ) as raised:
        find_interpreter("")
    assert raised.value.kind == "missing"
