"""What a fault means: every kind has a row, and a row of its own."""

import pytest

from harness.errors import BoardError, FaultKind, ServerError
from harness.explain.faults import ROWS, explain_error, explain_fault


def test_every_kind_has_a_row():
    """A new kind of fault needs a sentence and something that helps."""
    assert set(ROWS) == set(FaultKind)


@pytest.mark.parametrize("kind", FaultKind)
def test_rows_differ(kind):
    """The rule carries the kind, and earlier tries are the evidence; the reason is left to the result."""
    said = explain_fault(kind, "lab-1: broke", faults=("lab-1: first", "lab-1: broke"))
    assert said.rule == f"fault/{kind}"
    assert said.why == ("lab-1: first",)
    assert said.title
    assert said.fixes
    assert sum(explain_fault(other, "x").title == said.title for other in FaultKind) == 1


def test_the_default_kind():
    """An error without a cause of its own is a fault of the link, with something to try."""
    said = explain_error(BoardError("lab-1: broke"))
    assert (said.rule, said.title) == ("fault/link", "the board or its line failed; this says nothing about TLS")
    assert [fix.title for fix in said.fixes] == ["run it again with --link-retries 1"]


def test_by_error():
    """A board's error is explained by its kind, anything else as the server side's."""
    assert explain_error(BoardError("x", kind=FaultKind.BUSY)).rule == "fault/busy"
    assert explain_error(ServerError("x"), faults=("y",)).rule == "fault/server"
