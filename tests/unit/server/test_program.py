"""A program of its own process: heard, and gone at the end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.boards.hooks import GUARD
from harness.errors import ServerError
from harness.server.program import RunningProgram
from harness.system.deadline import Deadline

FOREVER = "import os\nprint('up', os.getpid(), os.environ.get('SECRET'), flush=True)\nwhile True:\n    input()\n"


def ended(process):
    """Return whether a process ends; one that nobody waits for stays in the table as a zombie."""
    deadline = Deadline(60)
    while not deadline.expired:
        try:
            os.kill(process, 0)
            # It can end between any two of these calls (ESRCH from read(2) of its file as well).
            if (
                sys.platform == "linux"
                and Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
            ):
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
    return False


def started(folder, text, **words):
    """Return a running program with this text."""
    (folder / "p.py").write_text(text)
    return RunningProgram([sys.executable, "p.py"], folder=folder, **words)


@pytest.mark.parametrize("guard", [GUARD, None])
def test_it_is_heard_and_ended(tmp_path, monkeypatch, guard):
    """It runs in its folder without the secrets, and is ended."""
    monkeypatch.setenv("SECRET", "x")
    text = FOREVER.replace("input()", "__import__('time').sleep(60)") if guard else FOREVER
    program = started(tmp_path, text, guard=guard, strip_env={"SECRET"})
    line = program.wait_for(lambda line: line.startswith("up"), deadline=Deadline(60))
    _up, process, secret = line.split()
    program.close()
    assert secret == "None"
    assert ended(int(process))


def test_a_program_that_ends(tmp_path):
    """Its traceback is kept, and waiting ends at once."""
    program = started(tmp_path, "print('a')\n1 / 0\n", guard=GUARD)
    assert program.wait_for(lambda line: line == "never", deadline=Deadline(60)) is None
    program.close()
    assert (program.lines[0], program.lines[-1]) == ("a", "ZeroDivisionError: division by zero")


def test_it_ends_with_the_harness(tmp_path):
    """Killed without a chance to clean up, the harness leaves no server behind."""
    (tmp_path / "p.py").write_text(FOREVER.replace("input()", "__import__('time').sleep(60)"))
    code = (
        "import sys; from pathlib import Path; from harness.boards.hooks import GUARD; from harness.server.program import RunningProgram; "
        "from harness.system.deadline import Deadline; "
        f"p = RunningProgram([sys.executable, 'p.py'], folder=Path({str(tmp_path)!r}), guard=GUARD); "
        "print(p.wait_for(lambda line: True, deadline=Deadline(60)), flush=True); sys.stdin.read()"
    )
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as harness:
        process = int(harness.stdout.readline().split()[1])
        harness.send_signal(signal.SIGKILL)
        harness.wait(60)
        assert ended(process)


def test_a_program_that_cannot_be_started(tmp_path):
    """The reason is the system's."""
    with pytest.raises(ServerError) as caught:
        RunningProgram([str(tmp_path / "none")], folder=tmp_path)
    assert str(caught.value) == f"'{tmp_path / 'none'}' cannot be started (No such file or directory)"
