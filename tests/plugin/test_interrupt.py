"""Ctrl-C, SIGTERM and SIGKILL in the middle of a case."""

import signal
import sys

import pytest

# A case in the middle for ever (30 s), after two that are finished: the server says nothing.
MIDDLE = """
def test_middle(board, tls_server):
    from harness.model import ServerProfile
    open("started", "w").close()
    board.connect(ServerProfile(behaviour={"name": "raw.silent"}))
"""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="virtual boards and these signals are POSIX's")


@pytest.fixture
def in_the_middle(suite):
    """A run that is in the middle of a case, and the number of its process."""
    suite.write("test_zz.py", MIDDLE)
    process = suite.start("--cases", "smoke", "-k", "rsa-1024-key or key-and-certificate-swapped or middle", "-s")
    suite.wait_for((suite.folder / "started").exists, what="the case has started")
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(suite, in_the_middle, number, children):
    """Exit code 2; what was finished is in journal, run.json and table; no process, port or private folder is left."""
    in_the_middle.send_signal(number)
    ran = suite.end(in_the_middle, timeout_s=15)
    assert ran.status == 2, ran.text
    record = ran.record()
    assert [result["case"] for result in record["results"]] == ["seed/rsa-1024-key", "seed/key-and-certificate-swapped"]
    assert record["run"]["finished"] is not None
    assert [line["record"] for line in ran.journal()] == ["run", "board", "server", "result", "result"]
    assert any(line.split() == ["unix", "in-process", "seed", "2"] for line in ran.lines)
    assert "KeyboardInterrupt" in ran.text
    assert children(in_the_middle.pid) == []


def test_killed(suite, in_the_middle, children):
    """SIGKILL leaves a journal whose every line is whole, and the board's interpreter goes with its terminal."""
    in_the_middle.kill()
    in_the_middle.communicate()
    lines = [line["record"] for line in suite_journal(suite)]
    assert lines == ["run", "board", "server", "result", "result"]
    suite.running.clear()
    suite.wait_for(lambda: not children(in_the_middle.pid), what="the interpreter has ended")


def suite_journal(suite):
    """The journal's lines, each of which must be JSON."""
    import json

    text = (suite.folder / ".compat" / "run.jsonl").read_text(encoding="ascii")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]
