"""Ctrl-C, SIGTERM and SIGKILL in the middle of a case."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.boards.locks.board_lock import holder_of
from harness.boards.serial.ports import identity
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.reports.formats import REPORT_SUFFIXES

CASES = """
def test_case(board, tls_case, run_case):
    run_case(board, tls_case)
"""
# The third case hangs (30 s), after two that have finished: the server sends nothing.
MIDDLE = """
def test_case(board, tls_case, run_case):
    if tls_case.id == "seed/pem-on-der-client":
        from harness.model import ServerProfile
        open("started", "w").close()
        board.connect(ServerProfile(behaviour={"name": "not-tls.silent"}))
    run_case(board, tls_case)
"""
JOURNAL = ["run", "plan", "case", "case", "case", "board", "server", "result", "result"]
MISSING = [{"board": "unix", "server": "in-process", "case": "seed/pem-on-der-client"}]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="virtual boards and these signals are POSIX's")


@pytest.fixture
def in_the_middle(suite):
    """Return a run that is in the middle of a case, and its process id."""
    suite.write("test_mine.py", MIDDLE)
    process = suite.start("--cases", "smoke", "-k", "rsa-1024-key or key-and-certificate-swapped or pem-on-der", "-s")
    suite.wait_for((suite.folder / "started").exists, what="the case has started")
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(suite, in_the_middle, number, children):
    """The exit code is 2; finished results are in journal, run.json and table; no process, port or private folder is left."""
    in_the_middle.send_signal(number)
    ran = suite.end(in_the_middle)
    assert ran.status == 2, ran.text
    record = ran.record()
    assert [result["case"] for result in record["results"]] == ["seed/rsa-1024-key", "seed/key-and-certificate-swapped"]
    assert record["run"]["finished"] is not None
    assert record["missing"] == MISSING
    assert [line["record"] for line in ran.journal()] == [*JOURNAL, "end"]
    assert any(line.split() == ["unix", "in-process", "seed", "2"] for line in ran.lines)
    assert "not run: unix in-process seed/pem-on-der-client" in ran.lines
    assert "KeyboardInterrupt" in ran.text
    assert children(in_the_middle.pid) == []


def test_interrupted_in_the_first_case(suite):
    """A run without any result also writes its record: an older run.json must not be mistaken for it."""
    suite.write("test_mine.py", MIDDLE)
    process = suite.start("--cases", "smoke", "-k", "pem-on-der", "-s")
    suite.wait_for((suite.folder / "started").exists, what="the case has started")
    process.send_signal(signal.SIGINT)
    ran = suite.end(process)
    assert ran.status == 2, ran.text
    assert (ran.record()["results"], ran.record()["missing"]) == ([], MISSING)
    assert [line["record"] for line in ran.journal()] == ["run", "plan", "case", "end"]
    assert "not run: unix in-process seed/pem-on-der-client" in ran.lines


def test_killed(suite, in_the_middle, children):
    """SIGKILL leaves a journal with complete lines only, and the board's interpreter ends with its terminal."""
    in_the_middle.kill()
    in_the_middle.communicate()
    lines = [line["record"] for line in suite_journal(suite)]
    assert lines == JOURNAL
    assert_every_format(suite)
    suite.running.clear()
    suite.wait_for(lambda: not children(in_the_middle.pid), what="the interpreter has ended")


def suite_journal(suite):
    """Return the journal's lines, each of which must be JSON."""
    text = (suite.folder / ".compat" / "run.jsonl").read_text(encoding="ascii")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def assert_every_format(suite):
    """`report render` renders every format from the journal and says that the run was interrupted."""
    outputs = [f"out{suffix}" for suffix in REPORT_SUFFIXES]
    done = subprocess.run(
        [sys.executable, "-m", "harness", "report", "render", ".compat/run.jsonl", *(f"-o{name}" for name in outputs)],
        cwd=suite.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert (
        done.stderr == "tls-harness: .compat/run.jsonl: the run was killed or is still running; it has 2 of 3 results\n"
    )
    assert [name for name in outputs if "unix" not in (suite.folder / name).read_text(encoding="utf-8")] == []
    record = json.loads((suite.folder / "out.json").read_text())
    assert [result["case"] for result in record["results"]] == ["seed/rsa-1024-key", "seed/key-and-certificate-swapped"]
    assert [case["case"] for case in record["cases"]] == [
        *(result["case"] for result in record["results"]),
        "seed/pem-on-der-client",
    ]
    assert record["missing"] == MISSING


WORKING = """
import os
from pathlib import Path

def test_middle(board, tls_server):
    from harness.model import ServerProfile
    board.info
    Path("started-" + os.environ["PYTEST_XDIST_WORKER"]).write_text(str(os.getpid()))
    board.connect(ServerProfile(behaviour={"name": "not-tls.silent"}))
"""


def is_there(pid):
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks processes up in /proc")
@pytest.mark.parametrize(
    ("number", "whom"), [(signal.SIGINT, "all"), (signal.SIGTERM, "main"), (signal.SIGKILL, "main")]
)
def test_with_workers(suite, number, whom):
    """Ctrl-C goes to all processes of a terminal, a CI runner's SIGTERM only to the first; SIGKILL leaves the journal.

    In each case no worker is left, each board is free and at its prompt, and finished results are kept.
    """
    pytest.importorskip("xdist")
    boards = [VirtualBoard(find_interpreter("")) for _ in range(2)]
    try:
        lab = [f'[board.p{place}]\nspec = "{board.port}"\n' for place, board in enumerate(boards)]
        suite.write("boards.toml", "".join(lab))
        suite.write("test_zz.py", WORKING)
        process = suite.start(
            *("--cases", "smoke", "-k", "rsa-1024-key or middle", "--board", "p0", "--board", "p1", "-n", "auto")
        )
        files = [suite.folder / f"started-gw{place}" for place in range(2)]
        suite.wait_for(lambda: all(file.exists() and file.read_text() for file in files), what="both are in the middle")
        journal = suite.folder / ".compat" / "run.jsonl"
        suite.wait_for(lambda: journal.read_text().count('"record": "result"') == 2, what="both first results")
        workers = [int(file.read_text()) for file in files]
        for pid in [process.pid, *workers] if whom == "all" else [process.pid]:
            os.kill(pid, number)
        ran = suite.end(process)
        if number != signal.SIGKILL:
            assert ran.status == 2, ran.text
            assert [result["board"] for result in ran.record()["results"]] == ["p0", "p1"]
            assert ran.record()["run"]["finished"] is not None
        assert sum(line["record"] == "result" for line in suite_journal(suite)) == 2
        suite.running.clear()
        suite.wait_for(
            lambda: not any(map(is_there, workers)) and not any(holder_of(identity(board.port)) for board in boards),
            what="no worker is left, and each board is free",
        )
        for board in boards:
            assert at_prompt(board.port)
    finally:
        for board in boards:
            board.close()


# The controller tells its workers that the run is over only after they have been interrupted.
PATIENT_CONTROLLER = """
import signal
import threading
from pathlib import Path
import pytest
from harness.system.deadline import Deadline

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    deadline, pause = Deadline(40), threading.Event()
    if hasattr(session.config, "workerinput"):
        signal.raise_signal(signal.SIGINT)  # as the terminal and execnet may
        signal.raise_signal(signal.SIGTERM)
        Path("still-ending").touch()
        return
    while not Path("interrupted").exists() and not deadline.expired:
        pause.wait(0.02)
    if not deadline.expired:
        Path("in-time").touch()
"""
INTERRUPTED = """
import os
from pathlib import Path
import pytest

def test_middle(board):
    board.info
    Path("started").touch()
    try:
        os.read(os.open("never", os.O_RDWR), 1)
    finally:
        Path("interrupted").touch()
"""


def test_workers_are_interrupted_at_once(suite):
    """SIGTERM to the controller interrupts each worker exactly once, before its channel closes: its board is at its prompt."""
    pytest.importorskip("xdist")
    board = VirtualBoard(find_interpreter(""))
    try:
        os.mkfifo(suite.folder / "never")
        suite.write("conftest.py", PATIENT_CONTROLLER)
        suite.write("test_mine.py", CASES + INTERRUPTED)
        process = suite.start("--cases", "smoke", "-k", "rsa-1024-key or middle", "--board", board.port, "-n", "1")
        suite.wait_for((suite.folder / "started").exists, what="the test has started")
        process.send_signal(signal.SIGTERM)
        ran = suite.end(process, timeout_s=120)
        assert ran.status == 2, ran.text
        assert (suite.folder / "in-time").exists(), ran.text
        assert (suite.folder / "still-ending").exists(), ran.text
        assert at_prompt(board.port)
    finally:
        board.close()


# Records what SIGTERM would do while the lab closes.
WATCHED_CLOSE = """
import signal
from pathlib import Path
from harness.run.lab import Lab

close = Lab.close

def watched(self):
    Path("handler").write_text(str(signal.getsignal(signal.SIGTERM)))
    close(self)

Lab.close = watched
"""


def test_sigterm_while_boards_are_closed(suite):
    """SIGTERM does not kill a run that is closing its boards: its handler stays installed until they are closed."""
    suite.write("conftest.py", WATCHED_CLOSE)
    suite.write("test_mine.py", "def test_info(board):\n    assert board.info.has_tls\n")
    ran = suite.run("--board", "unix")
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
    assert "_carry_on" in (suite.folder / "handler").read_text()


def test_sigterm_during_the_report(suite):
    """A signal while pytest prints its report is no traceback: the run ends with its own exit code and all of its reports."""
    suite.write(
        "conftest.py",
        "import os, signal\ndef pytest_terminal_summary():\n    os.kill(os.getpid(), signal.SIGTERM)\n    print('carried on')\n",
    )
    ran = suite.run(*suite.quick)
    assert (ran.status, ran.summary()) == (0, "2 passed"), ran.text
    assert "carried on" in ran.lines
    assert "Traceback" not in ran.text
    assert len(ran.record()["results"]) == 2


def at_prompt(port):
    """Return whether a board answers an empty line with its prompt."""
    import serial

    with serial.Serial(port, timeout=60) as line:
        line.write(b"\r\n")
        return line.read_until(b">>> ").endswith(b">>> ")
