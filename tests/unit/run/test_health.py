"""When a board counts as well, when as sick, and when it is given up."""

from __future__ import annotations

import pytest

from harness.errors import BoardError, ServerError
from harness.run.health import FAULTS_IN_A_ROW, Health


@pytest.fixture
def board(lab, spec):
    """The session of the virtual board, used again at the end."""
    session = lab.open(spec).session
    notes = list(session.notes)
    yield session
    session.set_aside, session.notes[:] = None, notes


def test_a_board_that_got_sick(board):
    """It is named where it could once, not where it never could; one that is set aside is not asked."""
    health = Health(board, lambda deadline: False)
    health.still_well("at the end")
    health.was_well = True
    with pytest.raises(
        BoardError, match="unix: at the end the board no longer completes the session it began"
    ) as raised:
        health.still_well("at the end")
    assert raised.value.kind == "sick"
    board.put_aside("seed/x: silence")
    health.still_well("at the end")


def test_brought_back(board):
    """The steps and the transcript belong to the case; the board is well again only when it connects."""
    answers = [False, True]
    health = Health(board, lambda deadline: answers.pop(0))
    health.was_well = True
    health.begin("seed/x")
    health.bring_back(BoardError("unix: silence", kind="timeout"))
    assert [(step.step, step.result) for step in health.recovery if step.result != "skipped"] == [
        ("ctrl-c", "failed"),
        ("raw-repl", "helped"),
    ]
    assert health.transcript is not None
    health.begin("seed/y")
    assert (health.recovery, health.transcript) == ([], None)


def test_a_transcript_of_the_fault_itself(board):
    """What came while the case before had the line is not in this case's transcript: then what the fault shows counts."""
    health = Health(board, lambda deadline: True)
    board.begin_case()
    health.begin("seed/x")
    health.bring_back(BoardError("unix: restarted", kind="reset", transcript="< banner"))
    assert health.transcript == "< banner"


def test_a_server_that_fails_meanwhile(board):
    """It is no sign that the board is well; the reason says whose fault it was."""

    def connects(deadline):
        raise ServerError("no port")

    health = Health(board, connects)
    health.was_well = True
    health.begin("seed/x")
    health.bring_back(BoardError("unix: silence", kind="timeout"))
    assert board.set_aside == "unix: set aside after seed/x: silence; nothing brought it back"
    assert {step.reason for step in health.recovery if step.result == "failed"} == {
        "the session after a fault failed: no port"
    }
    health.bring_back(BoardError("unix: again", kind="timeout"))
    assert health.recovery[-1].step == "set-aside"


def test_given_up(board):
    """One that meets a fault in each case is set aside, also if it comes back each time; a good case begins the count anew."""
    health = Health(board, lambda deadline: True)
    for faults in (["a"], ["b"], [], ["c"], ["d"]):
        health.begin("seed/x")
        health.end(faults)
        assert (board.set_aside, health.recovery) == (None, [])
    health.begin("seed/y")
    health.end(["e", "f"])
    assert FAULTS_IN_A_ROW == 3
    assert board.set_aside == "unix: set aside after 3 cases in a row met a fault, the last seed/y: f"
    assert [step.result for step in health.recovery] == ["set-aside"]


def test_a_board_that_is_set_aside_stays_so(board):
    """Nothing more is tried with it, and its first reason stays."""
    health = Health(board, lambda deadline: True)
    board.put_aside("seed/x: silence")
    health.begin("seed/y")
    health.bring_back(BoardError("unix: again", kind="timeout", transcript="< later"))
    for _ in range(FAULTS_IN_A_ROW):
        health.end(["again"])
    assert (health.recovery, health.transcript) == ([], None)
    assert board.set_aside == "unix: set aside after seed/x: silence"


def test_the_case_s_own_transcript_goes_first(board):
    """What the fault carries counts only where this case had no line of its own."""
    health = Health(board, lambda deadline: True)
    health.bring_back(BoardError("unix: silence", kind="timeout"))
    own = board.transcript()
    health.begin("seed/x")
    health.bring_back(BoardError("unix: restarted", kind="reset", transcript="< banner"))
    assert health.transcript == own != ""
