"""Test recovery of a board after a fault in a pytest run, by the lab's hooks, step by step."""

import json
import os
import signal
import sys

import pytest

from harness.boards.virtual.faults import POWER_WORD

BOARDS = """\
[board.bench]
spec = "faulty:reset-loop"
reset = {reset}
power_cycle = {power}
"""
SWITCH = f"import sys; open(sys.argv[1], 'wb').write({POWER_WORD!r}); print('off, on')"


def test_hooks_recover_a_board(suite, children):
    """The reset hook fails and the power hook helps: one case is `error` with its transcript, all others have their result."""
    reset = [sys.executable, "-c", "import sys; print('no such hub'); sys.exit(7)", "{port}"]
    power = [sys.executable, "-c", SWITCH, "{port}"]
    suite.write("boards.toml", BOARDS.format(reset=json.dumps(reset), power=json.dumps(power)))
    suite.write(
        "pytest.ini", "[pytest]\ntimeout = 3\n"
    )  # too little for all recovery steps: raised for a test with a board
    process = suite.start("--cases", "smoke", "-k", "seed", "--board", "bench")
    ran = suite.end(process)
    assert ran.status == 10
    results = ran.record()["results"]
    (faulty,) = [result for result in results if result["verdict"] == "error"]
    assert len(results) > 5
    assert {result["verdict"] for result in results} == {"pass", "error"}
    assert all(result["recovery"] == [] for result in results if result is not faulty)
    steps = [(step["step"], step["result"]) for step in faulty["recovery"] if step["result"] != "skipped"]
    assert steps == [
        ("ctrl-c", "failed"),
        ("raw-repl", "failed"),
        ("soft-reset", "failed"),
        ("reset", "failed"),
        ("power-cycle", "helped"),
    ]
    assert "the reset hook" in faulty["recovery"][4]["reason"]
    assert faulty["recovery"][4]["reason"].endswith("ended with status 7; it printed: no such hub")
    journal = [
        entry["recovery"] for entry in ran.journal() if entry.get("case") == faulty["case"] and "recovery" in entry
    ]
    assert journal == [faulty["recovery"]]
    assert "board bench had faults: power-cycle helped 1x" in ran.lines
    # The failure block says the same, and the case's own transcript is kept.
    assert "the interpreter of the virtual board ended (SIGKILL) and was started again" in ran.text
    assert "recovery    reset failed after " in ran.text
    assert "recovery    power-cycle helped after " in ran.text
    assert "th_run(" in (suite.folder / ".compat" / faulty["artifacts"]["transcript"]).read_text()
    assert children(process.pid) == []


WAITS = """\
import subprocess, sys, time
pipe = open(sys.argv[1], 'wb', 0)
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], pass_fds=[pipe.fileno()])
pipe.write(b'x')
time.sleep(60)
"""


@pytest.mark.slow
def test_ctrl_c_while_a_hook_runs(suite, children):
    """The hook and all its children end, the run ends at once, and its results are written."""
    pipe = suite.folder / "pipe"
    os.mkfifo(pipe)
    hook = json.dumps([sys.executable, "-c", WAITS, str(pipe)])
    suite.write("boards.toml", f'[board.bench]\nspec = "faulty:unplug"\nreset = {hook}\n')
    process = suite.start("--cases", "smoke", "-k", "seed", "--board", "bench")
    with open(pipe, "rb", buffering=0) as reading:
        assert reading.read(1) == b"x"
        process.send_signal(signal.SIGINT)
        ran = suite.end(process)
        assert reading.read(1) == b""
    assert ran.status == 2
    (result,) = ran.record()["results"]
    assert result["verdict"] == "pass"
    assert children(process.pid) == []


# pytest-timeout's alarm in the session in which the board becomes silent, as if the limit had expired then.
TOO_SOON = """
import signal
from harness.boards.serial.raw_repl import RawRepl
from harness.errors import BoardError

execute = RawRepl.exec

def watched(self, code, *, deadline):
    try:
        return execute(self, code, deadline=deadline)
    except BoardError:
        if signal.getitimer(signal.ITIMER_REAL)[0]:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.raise_signal(signal.SIGALRM)
        raise

RawRepl.exec = watched
"""


@pytest.mark.slow
def test_pytest_timeout_ends_a_case(suite):
    """If the user's own time limit is too short, the case has a result, and the board is tried once, then quarantined."""
    suite.write("conftest.py", TOO_SOON)
    ran = suite.run("--cases", "smoke", "-k", "seed", "--board", "faulty:unplug", "--timeout", "250")
    assert ran.status == 10
    faulty, *rest = [result for result in ran.record()["results"] if result["verdict"] == "error"]
    assert faulty["reason"] == (
        "stopped from outside before the harness's own time limits expired: Timeout (>250.0s) from pytest-timeout."
    )
    assert faulty["explanation"]["rule"] == "fault/stopped"
    assert [step["step"] for step in faulty["recovery"] if step["result"] != "skipped"][-1] == "set-aside"
    assert "th_run(" in (suite.folder / ".compat" / faulty["artifacts"]["transcript"]).read_text()
    assert rest
    assert {result["explanation"]["rule"] for result in rest} == {"fault/set-aside"}
    assert not [line for line in ran.lines if line.startswith("not run")]


OWN = """
import pytest

@pytest.mark.parametrize("number", range(5))
def test_own(board, tls_server, expect, number):
    expect.connected(board.connect(tls_server("server-p256")))
"""


@pytest.mark.slow
def test_a_fault_in_a_users_own_test(suite):
    """The board is recovered for the next test; otherwise it is quarantined, and the rest is not run."""
    suite.write("test_own.py", OWN)
    # The time limits of a faulty board are a tenth.
    suite.write("boards.toml", '[board.resets]\nspec = "faulty:reset"\ntimeout_multiplier = 10\n')
    boards = ("--board", "faulty:unplug", "--board", "resets", "-n", "2")
    ran = suite.end(suite.start("test_own.py", *boards, "-k", "own", "-rs"))
    assert ran.line("SKIPPED [3] ").endswith(": not run: board faulty:unplug is not usable, see above")
    assert (ran.status, ran.summary()) == (10, "2 failed, 5 passed, 3 skipped"), ran.text
    assert "; port failed; quarantined" in ran.text
    assert "; raw-repl helped" in ran.text
    assert ran.text.count(" serial transcript ") == 2
