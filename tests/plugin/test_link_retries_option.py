"""`--link-retries N` applies to line faults, never to a TLS result."""

import sys

import pytest

# Kills the virtual board's interpreter before the first attempts: to the harness, a board that resets by itself.
CONFTEST = """
import os
import signal
from pathlib import Path

import pytest


def children():
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            status = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(status[1]) == os.getpid():
            found.append(int(place.name))
    return found


@pytest.fixture(autouse=True)
def trouble(board):
    left = [int(os.environ["FAULTS"])]
    session = board.runner().board
    begin_case = session.begin_case

    def begin():
        begin_case()
        if left[0]:
            left[0] -= 1
            for child in children():
                os.kill(child, signal.SIGKILL)

    session.begin_case = begin
    yield
    session.begin_case = begin_case
"""


pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the interpreter's process in /proc")


def run(suite, *arguments, faults):
    """Run one case with this number of board faults."""
    suite.write("conftest.py", CONFTEST)
    suite.write("boards.toml", '[board.desk]\nspec = "unix"\n')
    return suite.run(
        "--cases", "smoke", "-k", "ca-verified", "--board", "desk", *arguments, environment={"FAULTS": str(faults)}
    )


def test_without(suite):
    """By default a line fault gives the verdict `error`, with the attempt and its reason in the report."""
    ran = run(suite, faults=1)
    assert (ran.status, ran.summary()) == (10, "1 failed"), ran.text
    (result,) = ran.record()["results"]
    assert (result["verdict"], result["outcome"], result["attempt"]) == ("error", "not-run", 1)
    assert result["link_errors"] == [result["reason"]]


def test_retried(suite):
    """With a retry left the case runs again; the fault stays in the report."""
    ran = run(suite, "--link-retries", "2", faults=1)
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
    (result,) = ran.record()["results"]
    assert (result["verdict"], result["outcome"], result["attempt"], len(result["link_errors"])) == (
        "pass",
        "connected",
        2,
        1,
    )


def test_used_up(suite):
    """When every attempt fails the verdict is `error` and all attempts are shown."""
    ran = run(suite, "--link-retries", "1", faults=2)
    assert ran.status == 10
    (result,) = ran.record()["results"]
    assert (result["verdict"], result["attempt"], len(result["link_errors"])) == ("error", 2, 2)
    assert [line.split()[1] for line in ran.lines if line.startswith("  attempt ")] == ["1", "2"]


def test_bad_value(suite):
    """Refused in one line; tests/unit/pytest_plugin/test_options.py has more."""
    assert suite.refused("--link-retries=-1") == "--link-retries '-1': expected a non-negative integer"
