"""What a fault means: every kind that the harness raises has a row, and a row of its own."""

import re
from pathlib import Path

import pytest

import harness
from harness.errors import BoardError, ServerError
from harness.explain.faults import explain_error, explain_fault, kinds

SOURCES = Path(harness.__file__).parent


def raised():
    """Every `kind=...` that is written anywhere in the harness, and the kinds that symptoms name."""
    texts = [path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py")]
    found = {
        kind
        for text in texts
        for pair in re.findall(r'kind="([a-z-]+)"(?: if \w+ else "([a-z-]+)")?', text)
        for kind in pair
        if kind
    }
    symptoms = (SOURCES / "boards" / "serial" / "symptoms.py").read_text(encoding="utf-8")
    return found | set(re.findall(r'"(silent|not-micropython|no-interrupt|reset|reset-loop)"', symptoms))


def test_every_kind_has_a_row():
    """A new kind of fault needs a sentence; `link` is the word for those without a cause of their own."""
    assert raised() - set(kinds()) <= {"link"}


@pytest.mark.parametrize("kind", kinds())
def test_rows_are_told_apart(kind):
    """The rule carries the kind, and earlier tries are the evidence; the reason stands in the result."""
    said = explain_fault(kind, "lab-1: broke", faults=("lab-1: first", "lab-1: broke"))
    assert said.rule == f"fault/{kind}"
    assert said.why == ("lab-1: first",)
    assert said.title
    assert said.fixes
    assert sum(explain_fault(other, "x").title == said.title for other in kinds()) == 1


def test_another_kind():
    """Said to be a fault all the same, with what can be tried."""
    said = explain_fault("link", "lab-1: broke")
    assert (said.rule, said.title) == ("fault/other", "the board or its line failed; this says nothing about TLS")
    assert [fix.title for fix in said.fixes] == ["run it again with --link-retries 1"]


def test_by_error():
    """A board's error by its kind, anything else as the server side's."""
    assert explain_error(BoardError("x", kind="busy")).rule == "fault/busy"
    assert explain_error(ServerError("x"), faults=("y",)).rule == "fault/server"
