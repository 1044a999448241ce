"""The board kinds `unix` and `faulty`: their specs, and what is known about such a board before it is opened."""

from __future__ import annotations

import pytest

from harness.boards.kinds import BOARD_KINDS, occupancy
from harness.boards.locks.occupancy import Occupancy, OccupancyState
from harness.boards.spec import parse_board
from harness.boards.virtual.faults import FAULTS
from harness.boards.virtual.virtual_kinds import parse_faulty, parse_unix
from harness.errors import UsageError


@pytest.mark.parametrize(
    ("text", "target"), [("unix", ""), ("unix:/opt/mp", "/opt/mp"), ("unix:mp://x", "mp://x"), ("unixx", None)]
)
def test_unix(text: str, target: str | None) -> None:
    """`unix` is the default interpreter, `unix:PATH` another."""
    assert parse_unix(text, source="--board") == target


def test_unix_without_a_path() -> None:
    """A colon without a path is an error, not the default interpreter."""
    with pytest.raises(UsageError) as raised:
        parse_unix("unix:", source="--board")
    assert str(raised.value) == "--board 'unix:': missing interpreter path; `unix` alone runs the packaged interpreter"


def test_check() -> None:
    """A path that is not an interpreter is refused before the run; the default may be missing until it is used."""
    with pytest.raises(UsageError, match=r"^--board unix:/nowhere/mp: "):
        BOARD_KINDS["unix"].check(parse_board("unix:/nowhere/mp", {}))
    BOARD_KINDS["unix"].check(parse_board("unix", {}))


@pytest.mark.parametrize("text", ["faulty", "faulty:", "faulty:Slow"])
def test_unknown_fault(text: str) -> None:
    """The error for an unknown fault lists all faults."""
    with pytest.raises(UsageError) as raised:
        parse_faulty(text, source="--board")
    names = ", ".join(FAULTS)
    assert str(raised.value) == f"--board {text!r}: unknown fault; expected faulty:NAME with NAME one of {names}"


@pytest.mark.parametrize("text", ["unix", "faulty:slow"])
def test_occupancy(text: str) -> None:
    """A board that is made when it is opened is never in use."""
    assert occupancy(parse_board(text, {})) == Occupancy(state=OccupancyState.VIRTUAL)
