"""Hooks: no shell, a deadline, and their output where it helps. The programs are this Python: no power switch is here to try."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.boards.hooks import KEPT_BYTES, hook_arguments, run_hook
from harness.errors import BoardError
from harness.system.deadline import Deadline


def hook(code: str, *words: str, seconds: float = 20) -> None:
    """Run Python code as a hook."""
    run_hook([sys.executable, "-c", code, *words], name="reset", board="lab-1", deadline=Deadline(seconds))


def test_words_reach_the_program_as_they_are(tmp_path: Path) -> None:
    """No shell takes them apart, and nothing is on its standard input."""
    place = tmp_path / "seen"
    hook(
        "import sys; open(sys.argv[1], 'w').write(repr((sys.argv[2:], sys.stdin.read())))",
        str(place),
        "a b; $HOME",
        "'",
    )
    assert place.read_text() == repr((["a b; $HOME", "'"], ""))


def test_a_password_in_the_environment_is_kept_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hook prints is shown, and some print their whole environment."""
    monkeypatch.setenv("LAB_WIFI", "sesame")
    monkeypatch.setenv("LAB_HUB", "1-1")
    code = "import os; print(sorted(name for name in os.environ if name.startswith('LAB_'))); raise SystemExit(1)"
    words = [sys.executable, "-c", code]
    with pytest.raises(BoardError, match=r"it printed: \['LAB_HUB'\]$"):
        run_hook(words, name="reset", board="lab-1", deadline=Deadline(20), without=("LAB_WIFI",))


def test_failure_shows_what_it_said() -> None:
    """Its status and the last of its output, on one line and escaped; the rest is dropped, not kept."""
    with pytest.raises(BoardError, match=r"^lab-1: the reset hook '.*' ended with status 3; it printed: ") as raised:
        hook("import sys; print('x' * 100000); print('no \\x1b[31mhub\\nat 1-1', file=sys.stderr); sys.exit(3)")
    assert raised.value.kind == "hook"
    assert raised.value.message.endswith(r"no \x1b[31mhub | at 1-1")
    assert len(raised.value.message) < KEPT_BYTES
    with pytest.raises(BoardError, match=r"ended with status 1; it printed nothing$"):
        hook("raise SystemExit(1)")


def test_one_that_does_not_end(tmp_path: Path) -> None:
    """It is killed at the deadline with what it started: then nobody holds the pipe any more."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(BoardError, match=r"did not end within 3 s and was killed; it printed: waiting$"):
            hook(HOLDS_A_PIPE, str(pipe), seconds=3)
        assert ended(reading)
    finally:
        os.close(reading)


def test_ctrl_c_kills_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it is interrupted: it does not go on switching."""
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


# A hook whose child holds the pipe open for writing, too, and says so.
HOLDS_A_PIPE = """\
import subprocess, sys, time
pipe = open(sys.argv[1], 'wb', 0)
print('waiting', flush=True)
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], pass_fds=[pipe.fileno()])
pipe.write(b'both')
time.sleep(60)
"""


def ended(reading: int) -> bool:
    """Whether the last who could write to the pipe is gone, soon."""
    while select.select([reading], [], [], 10)[0]:
        if not os.read(reading, 64):
            return True
    return False


def test_one_that_leaves_something_running(tmp_path: Path) -> None:
    """A hook has ended when it has, also if a child of it holds its output open; the child is its own business, and nobody reads it."""
    place = tmp_path / "pid"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
    )
    threads, descriptors = threading.active_count(), len(os.listdir("/dev/fd"))
    try:
        hook(code, str(place))
        assert threading.active_count() == threads
        assert len(os.listdir("/dev/fd")) == descriptors
        os.kill(int(place.read_text()), 0)
    finally:
        os.kill(int(place.read_text()), 9)


def test_one_that_kills_its_parent(tmp_path: Path) -> None:
    """That is not the harness; and it does not live on."""
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


def test_one_that_is_killed() -> None:
    """The signal is its status."""
    with pytest.raises(BoardError, match=r"ended with status -15; it printed nothing$"):
        hook("import os; os.kill(os.getpid(), 15)")


def test_no_such_program(tmp_path: Path) -> None:
    """What cannot be started is said with the system's reason."""
    words = [str(tmp_path / "uhubctl")]
    with pytest.raises(BoardError, match=rf"hook '{re.escape(words[0])}' cannot be started \(No such file") as raised:
        run_hook(words, name="power_cycle", board="lab-1", deadline=Deadline(5))
    assert raised.value.kind == "hook"


def test_no_program_at_all(tmp_path: Path) -> None:
    """A file that may not be run, or is none of this machine's programs, is told from one that failed."""
    place = tmp_path / "hub.sh"
    place.write_text("uhubctl")
    for mode, reason in ((0o644, "Permission denied"), (0o755, "Exec format error")):
        place.chmod(mode)
        with pytest.raises(BoardError, match=rf"cannot be started \({reason}\)$"):
            run_hook([str(place)], name="reset", board="lab-1", deadline=Deadline(20))


def test_hook_arguments() -> None:
    """Port and board are filled in, in one pass; other braces are the program's own business."""
    hook = ("mosquitto_pub", "-t", "lab/{board}/{port}", "-m", '{"POWER": "{board}"}', "{}")
    port = "/dev/{board}"
    words = ["mosquitto_pub", "-t", f"lab/desk/{port}", "-m", '{"POWER": "desk"}', "{}"]
    assert hook_arguments(hook, port=port, board="desk") == words
