"""Every way in which users name an interpreter gives the same board."""

from __future__ import annotations

import os
import select
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.boards.kinds import open_board
from harness.boards.serial.raw_repl import RawRepl
from harness.boards.session import BoardSession
from harness.boards.spec import parse_board
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import BoardError
from harness.system.deadline import Deadline

pytestmark = pytest.mark.slow

#: The packaged interpreter's console script: a Python program, which installs its own SIGINT handler by default.
CONSOLE_SCRIPT = shutil.which("micropython", path=str(Path(sys.executable).parent))

needs_console_script = pytest.mark.skipif(CONSOLE_SCRIPT is None, reason="no packaged MicroPython for this machine")

Opened = Callable[[str], BoardSession]


@pytest.fixture
def opened() -> Opened:
    """Return a function that opens a board by its spec; the boards are closed at the end of the test."""
    sessions: list[BoardSession] = []

    def start(spec: str) -> BoardSession:
        session = open_board(parse_board(spec, {}))
        sessions.append(session)
        return session

    yield start
    for session in sessions:
        session.close(deadline=Deadline(60))


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the same interpreter under many names."""
    assert CONSOLE_SCRIPT is not None
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "my micropython").symlink_to(CONSOLE_SCRIPT)
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\nexec "{CONSOLE_SCRIPT}" "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    parent = tmp_path / "parent"
    parent.write_text(f'#!/bin/sh\n"{CONSOLE_SCRIPT}" "$@"\n', encoding="utf-8")
    parent.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    return {
        "console script": CONSOLE_SCRIPT,
        "relative": os.path.relpath(CONSOLE_SCRIPT),
        "symlink, relative, with a space": "my micropython",
        "space": str(folder / "my micropython"),
        "home": "~/wrapper",
        "wrapper": str(wrapper),
        "wrapper without exec": str(parent),
    }


@needs_console_script
@pytest.mark.parametrize(
    "name",
    [
        "console script",
        "relative",
        "symlink, relative, with a space",
        "space",
        "home",
        "wrapper",
        "wrapper without exec",
    ],
)
def test_spellings(name: str, places: dict[str, str], opened: Opened) -> None:
    """A path is relative to the folder in which pytest was started; spaces, `~`, links and scripts work."""
    info = opened(f"unix:{places[name]}").info
    assert (info.implementation, info.tls_module) == ("micropython", "tls")


@needs_console_script
def test_environment_variable(places: dict[str, str], opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """$MICROPYTHON takes precedence over the packaged interpreter for `unix`."""
    monkeypatch.setenv("MICROPYTHON", places["wrapper"])
    assert opened("unix").info.implementation == "micropython"


def test_without_raw_repl(debian_program: Callable[..., str], opened: Opened) -> None:
    """The probe finds that MicroPython 1.25 has TLS 1.3, but no raw REPL and no ssl module."""
    info = opened(f"unix:{debian_program('micropython', suite='trixie')}").info
    assert (info.version[:2], info.tls_module) == ((1, 25), "tls")
    assert "ssl" not in info.modules


@needs_console_script
@pytest.mark.parametrize("name", ["console script", "wrapper", "wrapper without exec"])
def test_ctrl_c_reaches_the_interpreter(name: str, places: dict[str, str]) -> None:
    """Ctrl-C ends the program on the interpreter, even if the interpreter was started by a wrapper."""
    board = VirtualBoard(find_interpreter(places[name]))
    try:
        link = RawRepl(board.port)
        link.enter_raw_repl(deadline=Deadline(60))
        with pytest.raises(BoardError):
            link.exec(b"while True: pass", deadline=Deadline(0.3))
        link.enter_raw_repl(deadline=Deadline(60))
        assert link.exec(b"print(1)", deadline=Deadline(60)).stdout.strip() == b"1"
        link.close()
    finally:
        board.close()


@needs_console_script
@pytest.mark.parametrize("script_repl", [False, True])
def test_ctrl_c_at_once(script_repl: bool) -> None:
    """A Ctrl-C that arrives as soon as the port exists does not end the starting interpreter."""
    for _ in range(10):
        board = VirtualBoard(find_interpreter(""), script_repl=script_repl)
        try:
            port = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
            os.write(port, b"\r\x03\r\x01")
            seen, deadline = b"", Deadline(60)
            while b"raw REPL" not in seen:
                ready, _, _ = select.select([port], [], [], deadline.remaining_s)
                assert ready, seen
                seen += os.read(port, 4096)
            os.close(port)
        finally:
            board.close()
        assert b"interpreter ended" not in seen
