"""Hooks: no shell, a deadline, and their output in errors. The hooks are this Python, since there is no power switch to try."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.boards.hooks import KEPT_BYTES, has_placeholder, hook_arguments, run_hook
from harness.errors import BoardError
from harness.system.deadline import Deadline


def hook(code: str, *words: str, seconds: float = 20) -> None:
    """Run Python code as a hook."""
    run_hook([sys.executable, "-c", code, *words], name="reset", board="lab-1", deadline=Deadline(seconds))


def test_arguments_reach_the_program_unchanged(tmp_path: Path) -> None:
    """No shell splits the arguments, and standard input is empty."""
    seen = tmp_path / "seen"
    hook(
        "import sys; open(sys.argv[1], 'w').write(repr((sys.argv[2:], sys.stdin.read())))",
        str(seen),
        "a b; $HOME",
        "'",
    )
    assert seen.read_text() == repr((["a b; $HOME", "'"], ""))


def test_the_password_is_not_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The output of a hook is shown, and some print their whole environment."""
    monkeypatch.setenv("LAB_WIFI", "sesame")
    monkeypatch.setenv("LAB_HUB", "1-1")
    code = "import os; print(sorted(name for name in os.environ if name.startswith('LAB_'))); raise SystemExit(1)"
    words = [sys.executable, "-c", code]
    with pytest.raises(BoardError, match=r"it printed: \['LAB_HUB'\]$"):
        run_hook(words, name="reset", board="lab-1", deadline=Deadline(60), strip_env=("LAB_WIFI",))


def test_a_failure_shows_the_output() -> None:
    """The error has its status and the end of its output, escaped and on one line; the rest is not kept."""
    with pytest.raises(BoardError, match=r"^lab-1: the reset hook '.*' ended with status 3; it printed: ") as raised:
        hook("import sys; print('x' * 100000); print('no \\x1b[31mhub\\nat 1-1', file=sys.stderr); sys.exit(3)")
    assert raised.value.kind == "hook"
    assert raised.value.message.endswith(r"no \x1b[31mhub | at 1-1")
    assert len(raised.value.message) < KEPT_BYTES
    with pytest.raises(BoardError, match=r"ended with status 1; it printed nothing$"):
        hook("raise SystemExit(1)")


@pytest.mark.slow
def test_a_hook_that_does_not_end(tmp_path: Path) -> None:
    """It is killed at the deadline with its child processes: the pipe that they hold is closed."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(BoardError, match=r"did not end within 3 s and was killed; it printed: waiting$"):
            hook(HOLDS_A_PIPE, str(pipe), seconds=3)
        assert ended(reading)
    finally:
        os.close(reading)


def test_ctrl_c_kills_the_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the harness is interrupted the hook must not continue."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def interrupted(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        monkeypatch.undo()
        select.select([reading], [], [], 20)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            hook(HOLDS_A_PIPE, str(pipe))
        assert ended(reading)
    finally:
        os.close(reading)


# A hook whose child also holds the pipe open for writing.
HOLDS_A_PIPE = """\
import subprocess, sys, time
pipe = open(sys.argv[1], 'wb', 0)
print('waiting', flush=True)
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], pass_fds=[pipe.fileno()])
pipe.write(b'both')
time.sleep(60)
"""


def ended(reading: int) -> bool:
    """Return whether the last writer of the pipe has ended, within some seconds."""
    while select.select([reading], [], [], 10)[0]:
        if not os.read(reading, 64):
            return True
    return False


def test_a_hook_that_leaves_something_running(tmp_path: Path) -> None:
    """A hook has ended even if one of its children holds the output open; the child is neither killed nor read."""
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
    )
    threads, descriptors = threading.active_count(), len(os.listdir("/dev/fd"))
    try:
        hook(code, str(pid))
        assert threading.active_count() == threads
        assert len(os.listdir("/dev/fd")) == descriptors
        os.kill(int(pid.read_text()), 0)
    finally:
        os.kill(int(pid.read_text()), 9)


def test_a_hook_that_kills_its_parent(tmp_path: Path) -> None:
    """The parent is the guard, not the harness; the hook is killed, too."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    code = "import os, sys, time; pipe = open(sys.argv[1], 'wb'); print('at 1-1', flush=True); os.kill(os.getppid(), 9); time.sleep(60)"
    try:
        with pytest.raises(BoardError, match=r"ended with status -9; it printed: at 1-1$"):
            hook(code, str(pipe))
        assert ended(reading)
    finally:
        os.close(reading)


def test_a_hook_that_is_killed() -> None:
    """The signal is its status."""
    with pytest.raises(BoardError, match=r"ended with status -15; it printed nothing$"):
        hook("import os; os.kill(os.getpid(), 15)")


def test_no_such_program(tmp_path: Path) -> None:
    """A program that cannot be started is reported with the system's reason."""
    words = [str(tmp_path / "uhubctl")]
    with pytest.raises(BoardError, match=rf"hook '{re.escape(words[0])}' cannot be started \(No such file") as raised:
        run_hook(words, name="power_cycle", board="lab-1", deadline=Deadline(60))
    assert raised.value.kind == "hook"


def test_not_a_program(tmp_path: Path) -> None:
    """A file that may not be run, or that this machine cannot run, is not reported as a hook that failed."""
    script = tmp_path / "hub.sh"
    script.write_text("uhubctl")
    for mode, reason in ((0o644, "Permission denied"), (0o755, "Exec format error")):
        script.chmod(mode)
        with pytest.raises(BoardError, match=rf"cannot be started \({reason}\)$"):
            run_hook([str(script)], name="reset", board="lab-1", deadline=Deadline(60))


def test_hook_arguments() -> None:
    """Port and board are filled in, in one pass; other braces are unchanged."""
    hook = ("mosquitto_pub", "-t", "lab/{board}/{port}", "-m", '{"POWER": "{board}"}', "{}")
    port = "/dev/{board}"
    words = ["mosquitto_pub", "-t", f"lab/desk/{port}", "-m", '{"POWER": "desk"}', "{}"]
    assert hook_arguments(hook, port=port, board="desk") == words
    flash = ("flash", "{port}", "--version={firmware}", "{file}", "{files}")
    values = {"port": "{file}", "board": "desk", "firmware": "1.28", "file": "/{port}.bin"}
    assert hook_arguments(flash, **values) == ["flash", "{file}", "--version=1.28", "/{port}.bin", "{files}"]
    assert hook_arguments(("{firmware}",), port=port, board="desk") == ["{firmware}"]
    assert [has_placeholder(flash, name) for name in ("port", "file", "board")] == [True, True, False]
