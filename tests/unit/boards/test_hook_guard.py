"""The guard of a hook: it ends as the hook does, and the hook is killed with the harness, whatever ends that."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from harness.boards import hooks

WAITS = """\
import subprocess, sys, time
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
print('waiting', flush=True)
time.sleep(60)
"""
HARNESS = """\
import sys
from harness.boards.hooks import run_hook
from harness.system.deadline import Deadline
run_hook([sys.executable, '-c', sys.argv[1], sys.argv[2]], name='reset', board='lab-1', deadline=Deadline(60))
"""
HOLDS_A_PIPE = "import sys; pipe = open(sys.argv[1], 'wb', 0); pipe.write(b'x'); import time; time.sleep(60)"


def guard(*words: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start the guard with a command; also returns the descriptor for the reason why that could not be started."""
    start_error, writing = os.pipe()
    command = [sys.executable, "-I", str(hooks.GUARD), str(writing), *words]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, pass_fds=[writing]
        )
    finally:
        os.close(writing)
    return process, start_error


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 15)", -15)])
def test_ends_as_the_hook(code: str, status: int) -> None:
    """The guard ends with the hook's status or signal, and reports no error."""
    process, start_error = guard(sys.executable, "-c", code)
    with process:
        assert process.wait(60) == status
    assert os.read(start_error, 16) == b""
    os.close(start_error)


def test_reports_why_it_cannot_start() -> None:
    """The guard writes errno, which the harness turns into text."""
    process, start_error = guard("/no/such/program")
    with process:
        assert process.wait(60) == 1
    assert int(os.read(start_error, 16)) == 2
    os.close(start_error)


def test_ends_when_its_input_ends() -> None:
    """The whole process group is killed, so the output is closed."""
    process, start_error = guard(sys.executable, "-c", WAITS)
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"waiting\n"
        process.stdin.close()
        assert select.select([process.stdout], [], [], 20)[0]
        assert process.stdout.read() == b""
        assert process.wait(60) == -9
    os.close(start_error)


def test_a_harness_that_is_killed(tmp_path: Path) -> None:
    """A hook must not continue to switch a board that the next run may already use."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with (
        subprocess.Popen([sys.executable, "-c", HARNESS, HOLDS_A_PIPE, str(pipe)]) as harness,
        open(pipe, "rb", 0) as held,
    ):
        assert held.read(1) == b"x"
        harness.kill()
        assert select.select([held], [], [], 20)[0]
        assert held.read(1) == b""
