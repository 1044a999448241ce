"""Errors, classified by the side at fault."""

import copy
import pickle

import pytest

from harness.errors import BoardError, HarnessError, ServerError, UsageError


@pytest.mark.parametrize("kind", [UsageError, ServerError, BoardError])
def test_all_are_harness_errors(kind):
    """One except clause catches every error of the harness, and its text is the message."""
    with pytest.raises(HarnessError, match="what failed"):
        raise kind("what failed")


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_board_error_survives_pickling(again):
    """pytest-xdist sends errors between processes: kind and transcript are preserved."""
    error = again(BoardError("the port disappeared", kind="lost", transcript="> x"))
    assert (str(error), error.message, error.kind, error.transcript) == (
        "the port disappeared",
        "the port disappeared",
        "lost",
        "> x",
    )


def test_board_error_can_be_raised_through_a_context():
    """Raising sets the traceback, so exceptions must not be frozen."""
    with pytest.raises(BoardError, match="first") as caught:
        raise BoardError("first") from ServerError("cause")
    error = caught.value
    assert (error.kind, error.transcript, str(error.__cause__)) == ("link", "", "cause")


def test_a_kind_is_one_of_the_list():
    """An unknown kind is refused when the error is raised, not when it is reported."""
    with pytest.raises(ValueError, match="'broken' is not a valid FaultKind"):
        BoardError("first", kind="broken")
