"""The columns of one board: which board a column belongs to, and what tells it from the others."""

from __future__ import annotations

import pytest

from harness.reports.text.column_groups import board_of, grouped, heads


@pytest.mark.parametrize(
    ("column", "board", "firmware", "lines"),
    [
        ("desk", "desk", "1.24.1", ["firmware 1.24.1"]),
        ("desk", "desk", None, []),
        ("desk@1.24.1", "desk", "1.24.1", ["firmware 1.24.1"]),
        ("desk@1.24.1", "desk", None, ["firmware 1.24.1"]),
        ("desk@1.24.1 asyncio slow", "desk", "1.24.1", ["firmware 1.24.1", "asyncio", "slow"]),
        ("desk@1.24", "desk", "1.24.1", ["firmware 1.24.1"]),
        ("desk@1.2", "desk", "1.24.1", ["firmware 1.24.1", "1.2"]),
        ("desk asyncio", "desk", "1.24.1", ["firmware 1.24.1", "asyncio"]),
        ("unix:micropython@bench-2", "unix:micropython", "1.25.0", ["firmware 1.25.0", "bench-2"]),
        ("desk@1.24.1@bench-2", "desk", "1.24.1", ["firmware 1.24.1", "1.24.1@bench-2"]),
        ("@odd", "@odd", None, ["firmware odd"]),
        ("", "", None, []),
    ],
)
def test_a_column(column, board, firmware, lines):
    """Board, firmware, client and link are read from the name; a firmware that was probed is shown once."""
    assert board_of(column) == board
    assert heads(column, firmware=firmware) == lines


def test_columns_of_a_board_are_together():
    """Boards and their columns keep the order in which they come first."""
    assert grouped(["lab", "desk@1", "lab slow", "desk@2"]) == {
        "lab": ["lab", "lab slow"],
        "desk": ["desk@1", "desk@2"],
    }
