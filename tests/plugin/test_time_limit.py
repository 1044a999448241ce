"""pytest-timeout's alarm at any point of a test fails at most the test, and never ends pytest itself."""

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pytest-timeout has no alarm there")

# The time expires while pytest handles the report of a phase.
ALARM = """
import signal

def pytest_runtest_logreport(report):
    if report.when == {phase!r} and "test_first" in report.nodeid:
        signal.raise_signal(signal.SIGALRM)
"""
TESTS = """
from pathlib import Path
import pytest

@pytest.fixture
def torn_down():
    yield
    Path("torn-down").touch()

def test_first(board, torn_down):
    assert board.info.has_tls

def test_second(board, torn_down):
    assert board.info.has_tls
"""
ENDED = "1 failed, 1 passed"


@pytest.mark.parametrize(("phase", "summary"), [("setup", ENDED), ("call", "2 passed"), ("teardown", "2 passed")])
def test_an_alarm_between_two_phases(suite, phase, summary):
    """After the setup the call fails with pytest-timeout's text; after the call the test has passed. Its fixtures are torn down."""
    suite.write("conftest.py", ALARM.format(phase=phase))
    suite.write("test_mine.py", TESTS)
    ran = suite.run("--timeout", "200")
    assert (ran.status, ran.summary()) == (int(summary == ENDED), summary), ran.text
    assert ("Failed: Timeout (>200.0s) from pytest-timeout." in ran.text) is (summary == ENDED)
    assert (suite.folder / "torn-down").exists()


@pytest.mark.slow
def test_an_alarm_while_the_board_is_checked_at_its_end(suite):
    """An alarm in the check after a board's last case fails the teardown, which still runs."""
    suite.write(
        "conftest.py",
        "import signal\nfrom harness.run.health import Health\n"
        "Health.check_healthy = lambda self, when: signal.raise_signal(signal.SIGALRM)\n",
    )
    suite.write("test_mine.py", "def test_case(board, tls_case, run_case):\n    run_case(board, tls_case)\n" + TESTS)
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key or first", "--timeout", "200")
    assert (ran.status, ran.summary()) == (1, "2 passed, 1 error"), ran.text
    assert "Failed: Timeout (>200.0s) from pytest-timeout." in ran.text
