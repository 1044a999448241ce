"""Every kind of fault has its own entry."""

import pytest

from harness.errors import BoardError, FaultKind, ServerError
from harness.explain.faults import ROWS, explain_error, explain_fault


def test_every_kind_has_an_entry():
    """Every kind of fault has a sentence and a fix."""
    assert set(ROWS) == set(FaultKind)


@pytest.mark.parametrize("kind", FaultKind)
def test_entries_differ(kind):
    """The rule's id contains the kind, and earlier attempts are the evidence; the reason stays in the result."""
    said = explain_fault(kind, "lab-1: broke", faults=("lab-1: first", "lab-1: broke"))
    assert said.rule == f"fault/{kind}"
    assert said.why == ("lab-1: first",)
    assert said.title
    assert said.fixes
    assert sum(explain_fault(other, "x").title == said.title for other in FaultKind) == 1


def test_the_default_kind():
    """An error without a more specific kind is a link fault, with a fix."""
    said = explain_error(BoardError("lab-1: broke"))
    assert (said.rule, said.title) == ("fault/link", "the board or its serial line failed; this says nothing about TLS")
    assert [fix.title for fix in said.fixes] == ["run it again with --link-retries 1"]


def test_by_error():
    """A board error is explained by its kind, any other error as a server fault."""
    assert explain_error(BoardError("x", kind=FaultKind.BUSY)).rule == "fault/busy"
    assert explain_error(ServerError("x"), faults=("y",)).rule == "fault/server"
