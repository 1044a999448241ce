"""Several boards, one after another or with one worker each; and crashed workers."""

import json
import sys
from dataclasses import replace

import pytest

from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.pytest_plugin.scheduler import FULL

pytest.importorskip("xdist")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="virtual boards need a pseudo-terminal")
LAB = "".join(f'[board.v{number}]\nspec = "unix"\ntags = ["soft"]\n\n' for number in (1, 2, 3))
# Records which process opens and closes which board, and which tests it runs.
WATCH = """
import os
import harness.run.lab

opened = harness.run.lab.open_board
worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

def note(*words):
    with open("seen", "a") as file:
        file.write(" ".join([worker, *words]) + "\\n")

def open_board(spec, **options):
    session = opened(spec, **options)
    closed = session.close
    def close(**options):
        note("close", spec.label)
        closed(**options)
    session.close = close
    note("open", spec.label)
    return session

if opened.__module__ == "harness.boards.kinds":  # pytest may start over in one process
    harness.run.lab.open_board = open_board

def pytest_runtest_setup(item):
    note("test", item.name)
"""
CASES_FILE = "def test_case(board, tls_case, run_case):\n    run_case(board, tls_case)\n"
PLAIN = "import pytest\n\n@pytest.mark.parametrize('n', range(8))\ndef test_plain(n):\n    pass\n"
DIES = """
import os, signal
from pathlib import Path

def pytest_runtest_call(item):
    if item.name == "test_case[v1-seed/rsa-1024-key]" and not Path("died").exists():
        Path("died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def lab(suite):
    """Three named virtual boards, and a record of which worker has them."""
    suite.write("boards.toml", LAB)
    suite.write("conftest.py", WATCH)
    suite.write("test_plain.py", PLAIN)
    return suite


def seen(suite, what):
    """Return (worker, name) of the recorded events."""
    lines = [line.split(" ", 2) for line in (suite.folder / "seen").read_text().splitlines()]
    return [(worker, name) for worker, word, name in lines if word == what]


def workers_of(suite, label):
    """Return the workers that ran tests on a board."""
    return {worker for worker, name in seen(suite, "test") if f"[{label}-" in name}


CASES = "rsa-1024-key or key-and-certificate-swapped"
# Two more cases follow the one in which a worker dies.
AND_LATER = f"{CASES} or ca-verified"


@pytest.mark.slow
def test_one_after_another(lab):
    """Without xdist a board is opened once, closed after its last test, and only then the next is opened; also with two servers."""
    ran = lab.run("--cases", "smoke", "-k", CASES, "--board", "tag:soft", "--server", sys.executable)
    assert (ran.status, ran.summary()) == (0, "6 passed"), ran.text
    words = [line.split()[1:3] for line in (lab.folder / "seen").read_text().splitlines() if " test " not in line]
    assert words == [[word, board] for board in ("v1", "v2", "v3") for word in ("open", "close")]


def test_a_worker_for_each_board(lab):
    """`-n auto` starts three workers; each opens one board; one report has all results, and tests without a board also run."""
    ran = lab.run("--cases", "smoke", "-k", f"{CASES} or plain", "--board", "tag:soft", "-n", "auto")
    assert (ran.status, ran.summary()) == (0, "14 passed"), ran.text
    assert "3 workers" in ran.text
    assert sorted(board for _worker, board in seen(lab, "open")) == ["v1", "v2", "v3"]
    assert len({worker for worker, _board in seen(lab, "open")}) == 3
    record = ran.record()
    assert [board["board"] for board in record["boards"]] != []
    assert [(result["board"], result["verdict"]) for result in record["results"]] == [
        (board, "pass") for board in ("v1", "v2", "v3") for _case in range(2)
    ]
    assert sum(line.get("record") == "result" for line in ran.journal()) == 6


@pytest.mark.slow
def test_more_boards_than_workers(lab):
    """No board is opened by two workers."""
    ran = lab.run("--cases", "smoke", "-k", f"{CASES} or plain", "--board", "tag:soft", "-n", "2")
    assert (ran.status, ran.summary()) == (0, "14 passed"), ran.text
    assert sorted(board for _worker, board in seen(lab, "open")) == ["v1", "v2", "v3"]
    assert [len(workers_of(lab, label)) for label in ("v1", "v2", "v3")] == [1, 1, 1]


def test_a_worker_that_crashes(lab):
    """Its case is an error that says so, and a replacement worker runs the rest of its board; no case is lost."""
    lab.write("conftest.py", WATCH + DIES)
    ran = lab.run("--cases", "smoke", "-k", AND_LATER, "--board", "v1", "--board", "v2", "-n", "auto")
    assert ran.status == 10
    results = ran.record()["results"]
    assert len(results) == 6
    (error,) = [result for result in results if result["verdict"] == "error"]
    assert (error["board"], error["case"], error["outcome"]) == ("v1", "seed/rsa-1024-key", "not-run")
    assert error["reason"] == "the worker process that had this board crashed in this case"
    assert len(workers_of(lab, "v1")) == 2
    assert len([line for line in ran.journal() if line.get("record") == "result"]) == 6


@pytest.mark.slow
def test_a_worker_that_crashes_and_is_not_replaced(lab):
    """Each case that no worker could run is an error with the reason, also if pytest-xdist stops the others; results are kept."""
    lab.write("conftest.py", WATCH + DIES)
    ran = lab.run(
        *("--cases", "smoke", "-k", AND_LATER, "--board", "v1", "--board", "v2", "-n", "auto"),
        *("--max-worker-restart", "0", "--junit-xml", "junit.xml"),
    )
    assert ran.status == 10
    results = ran.record()["results"]
    reasons = {result["reason"] for result in results if result["verdict"] == "error"}
    assert reasons == {
        "the worker process that had this board crashed in this case",
        "a worker process crashed and was not replaced",
    }
    assert sum(result["board"] == "v1" for result in results) == 3
    assert len(results) == 6
    assert {result["verdict"] for result in results if result["board"] == "v2" and result["reason"] is None} == {"pass"}
    assert json.dumps(results).count("was not replaced") == (lab.folder / "junit.xml").read_text().count(
        'message="error: a worker process crashed and was not replaced"'
    )


# Before the worker that replaces another one opens the board, the board was exchanged.
EXCHANGED = """
import dataclasses
from pathlib import Path

kept = harness.run.lab.open_board

def open_exchanged(spec, **options):
    session = kept(spec, **options)
    first = Path(f"first-{spec.label}")
    if not first.exists():
        first.write_text(worker)
    if first.read_text() != worker:
        session.info = dataclasses.replace(session.info, unique_id="02")
    return session

harness.run.lab.open_board = open_exchanged
"""


@pytest.mark.slow
def test_a_replacement_worker_that_finds_another_board(lab):
    """Its results are errors that say what differs; the board's description is still that of the first worker.

    The worker that goes on is the new one, or the other one if that has no board left by then.
    """
    lab.write("conftest.py", WATCH + DIES.replace("rsa-1024-key", "ca-verified") + EXCHANGED)
    ran = lab.run("--cases", "smoke", "-k", AND_LATER, "--board", "v1", "--board", "v2", "-n", "auto")
    assert ran.status == 10
    record = ran.record()
    reason = "v1: another process of this run has a different board under this name: unique id none -> 02"
    assert [(result["verdict"], result["reason"]) for result in record["results"] if result["board"] == "v1"] == [
        ("pass", None),
        ("error", "the worker process that had this board crashed in this case"),
        ("error", reason),
    ]
    assert [board["facts"]["unique_id"] for board in record["boards"]] == [None, None]
    assert reason in ran.text


# Only after the other worker has reported its collection: before that the controller does not know the tests of the run.
ENDS_FIRST = """
import os, signal, time
from pathlib import Path

import pytest

if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(session):
        deadline = time.monotonic() + 60
        while not Path("collected").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGKILL)

def pytest_xdist_node_collection_finished(node, ids):
    if node.gateway.id == "gw0":
        Path("collected").touch()
"""


@pytest.mark.slow
def test_a_worker_that_crashes_before_its_first_test(lab):
    """Its board goes to another worker; no case is lost."""
    lab.write("conftest.py", ENDS_FIRST)
    ran = lab.run(
        *("--cases", "smoke", "-k", CASES, "--board", "v1", "--board", "v2", "-n", "auto", "--max-worker-restart", "0")
    )
    # Whether a test was sent to it before the controller noticed is a race; such a test would be named and fail the run.
    results = ran.record()["results"]
    assert [result["board"] for result in results] == ["v1", "v1", "v2", "v2"], ran.text
    assert ran.status == (10 if any(result["verdict"] == "error" for result in results) else 0)


FAILS = """
import time
from pathlib import Path

import pytest

def pytest_runtest_call(item):
    if item.name.startswith("test_case[v1-"):
        pytest.fail("made to fail")
    deadline = time.monotonic() + 60
    while not Path("failed").exists() and time.monotonic() < deadline:
        time.sleep(0.02)

def pytest_runtest_logfinish(nodeid):
    if "[v1-" in nodeid:
        Path("failed").touch()  # its result is on the way already
"""


@pytest.mark.slow
def test_the_first_failure_ends_the_run(lab):
    """`-x` stops all workers, not only the one that failed: another board runs only the few tests that its worker already has."""
    lab.write("conftest.py", FAILS)
    ran = lab.run("--cases", "smoke", "--board", "v1", "--board", "v2", "-n", "auto", "-x")
    assert ran.status == 2, ran.text
    assert "stopping after 1 failures" in ran.text
    assert {result["board"] for result in ran.record()["results"]} <= {"v2"}
    assert len(ran.record()["results"]) <= FULL + 1


SHARED = """
from pathlib import Path

import harness.run.lab

opened = harness.run.lab.open_board

def open_board(spec, **options):
    session = opened(spec, **options)
    mine = Path("../" + spec.label)
    mine.mkdir()  # fails if another run has it
    closed = session.close
    def close(**options):
        mine.rmdir()
        closed(**options)
    session.close = close
    return session

if opened.__module__ == "harness.boards.kinds":  # pytest may start over in one process
    harness.run.lab.open_board = open_board
"""


@pytest.mark.slow
def test_two_runs_that_want_the_same_boards(suite):
    """One run has a worker for each board, one has no workers, both use --board-wait: no board is ever open in both, and both pass."""
    ports = [VirtualBoard(find_interpreter("")) for _ in range(2)]
    try:
        lab = "".join(f'[board.p{number}]\nspec = "{board.port}"\n' for number, board in enumerate(ports))
        other, mine = (replace(suite, folder=suite.folder / name) for name in ("other", "mine"))
        started = []
        for one, workers in ((mine, ("-n", "auto")), (other, ())):
            one.folder.mkdir()
            for name, text in (("test_mine.py", CASES_FILE), ("conftest.py", SHARED), ("boards.toml", lab)):
                one.write(name, text)
            started.append(one.start(*suite.quick, "--board", "p0", "--board", "p1", "--board-wait", "60", *workers))
        for one, process in zip((mine, other), started, strict=True):
            ran = one.end(process)
            assert (ran.status, ran.summary()) == (0, "4 passed"), ran.text
            assert {(result["board"], result["verdict"]) for result in ran.record()["results"]} == {
                ("p0", "pass"),
                ("p1", "pass"),
            }
    finally:
        for board in ports:
            board.close()


def test_another_way_to_distribute(lab):
    """With --board any other --dist is refused: it would give one board to two workers."""
    assert lab.refused("--board", "tag:soft", "-n", "2", "--dist", "each") == (
        "--dist each: not possible with --board, because each board belongs to one worker; "
        "leave --dist out, or give --dist load if pytest.ini sets another value"
    )


def test_another_way_to_distribute_without_workers(lab):
    """A `--dist` in pytest.ini does not matter if no workers are started."""
    lab.write("pytest.ini", "[pytest]\naddopts = --dist loadgroup\n")
    ran = lab.run("--cases", "smoke", "-k", "rsa-1024-key", "--board", "v1")
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text


@pytest.mark.slow
def test_without_board_xdist_is_as_it_was(lab):
    """A suite that uses no board keeps its own `--dist` and number of workers."""
    ran = lab.run(
        "-k", "test_plain", "-n", "auto", "--dist", "loadfile", environment={"PYTEST_XDIST_AUTO_NUM_WORKERS": "2"}
    )
    assert (ran.status, ran.summary()) == (0, "8 passed")
    assert "2 workers" in ran.text
