"""Tests of harness/run/health.py: healthy, recovered and quarantined boards."""

from __future__ import annotations

import pytest

from harness.errors import BoardError, ServerError
from harness.run.health import FAULTS_IN_A_ROW, Health


@pytest.fixture
def board(lab, spec):
    """Return the session of the virtual board, usable again at the end."""
    session = lab.open(spec).session
    notes = list(session.notes)
    yield session
    session.quarantine_reason, session.notes[:] = None, notes


def test_a_board_that_became_unhealthy(board):
    """A board is unhealthy if it completed the baseline handshake once; a quarantined board is not tried."""
    health = Health(board, lambda deadline: False)
    health.check_healthy("at the end")
    health.was_healthy = True
    with pytest.raises(
        BoardError, match="unix: at the end the board no longer completes the baseline handshake"
    ) as raised:
        health.check_healthy("at the end")
    assert raised.value.kind == "sick"
    board.quarantine("seed/x: silence")
    health.check_healthy("at the end")


def test_recovered(board):
    """The steps and the transcript belong to the case; the board has recovered only when it connects."""
    answers = [False, True]
    health = Health(board, lambda deadline: answers.pop(0))
    health.was_healthy = True
    health.begin("seed/x")
    health.recover(BoardError("unix: silence", kind="timeout"))
    assert [(step.step, step.result) for step in health.recovery if step.result != "skipped"] == [
        ("ctrl-c", "failed"),
        ("raw-repl", "helped"),
    ]
    assert health.transcript is not None
    health.begin("seed/y")
    assert (health.recovery, health.transcript) == ([], None)


def test_a_transcript_of_the_fault_itself(board):
    """If the fault began during the case before, the transcript of the fault itself is kept."""
    health = Health(board, lambda deadline: True)
    board.begin_case()
    health.begin("seed/x")
    health.recover(BoardError("unix: restarted", kind="reset", transcript="< banner"))
    assert health.transcript == "< banner"


def test_a_server_that_fails_meanwhile(board):
    """A fault of the server does not make the board healthy; the reason names the server's fault."""

    def connects(deadline):
        raise ServerError("no port")

    health = Health(board, connects)
    health.was_healthy = True
    health.begin("seed/x")
    health.recover(BoardError("unix: silence", kind="timeout"))
    assert board.quarantine_reason == "unix: quarantined after seed/x: silence; no step recovered it"
    assert {step.reason for step in health.recovery if step.result == "failed"} == {
        "the baseline handshake after a fault failed: no port"
    }
    health.recover(BoardError("unix: again", kind="timeout"))
    assert health.recovery[-1].step == "set-aside"


def test_quarantined_after_consecutive_faults(board):
    """Faults in three consecutive cases quarantine a board even if it recovers each time; a case without one resets the count."""
    health = Health(board, lambda deadline: True)
    for faults in (["a"], ["b"], [], ["c"], ["d"]):
        health.begin("seed/x")
        health.end(faults)
        assert (board.quarantine_reason, health.recovery) == (None, [])
    health.begin("seed/y")
    health.end(["e", "f"])
    assert FAULTS_IN_A_ROW == 3
    assert board.quarantine_reason == "unix: quarantined after 3 cases in a row had a fault, the last seed/y: f"
    assert [step.result for step in health.recovery] == ["set-aside"]


def test_a_quarantined_board_stays_quarantined(board):
    """Nothing more is tried with the board, and the first reason is kept."""
    health = Health(board, lambda deadline: True)
    board.quarantine("seed/x: silence")
    health.begin("seed/y")
    health.recover(BoardError("unix: again", kind="timeout", transcript="< later"))
    for _ in range(FAULTS_IN_A_ROW):
        health.end(["again"])
    assert (health.recovery, health.transcript) == ([], None)
    assert board.quarantine_reason == "unix: quarantined after seed/x: silence"


def test_the_transcript_of_the_case_comes_first(board):
    """The transcript of the fault is kept only if the case itself has none."""
    health = Health(board, lambda deadline: True)
    health.recover(BoardError("unix: silence", kind="timeout"))
    own = board.transcript()
    health.begin("seed/x")
    health.recover(BoardError("unix: restarted", kind="reset", transcript="< banner"))
    assert health.transcript == own != ""
