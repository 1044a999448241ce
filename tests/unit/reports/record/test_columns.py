"""The columns of the matrix, and the view of a record in which each is a board of its own."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.model import Cell
from harness.reports.record.columns import (
    axes_of,
    by_column,
    cell_of,
    cells_of_plan,
    column_name,
    column_title,
    in_column,
)
from harness.reports.record.run_types import CellEntry, JournalPlan

FULL = Cell(board="lab-1@1.29", server="s", client="asyncio", link="slow-3g", case="t/a")
PLAIN = Cell(board="lab-1", server="s", case="t/a")


def entry(cell: Cell) -> CellEntry:
    """The cell as the record has it."""
    return CellEntry(board=cell.board, server=cell.server, case=cell.case, **axes_of(cell))


@pytest.mark.parametrize("cell", [FULL, PLAIN])
def test_a_cell_survives_the_record(cell: Cell) -> None:
    """Every axis is in the record; the defaults are left out, as in records of older versions."""
    assert cell_of(entry(cell)) == cell
    plan = JournalPlan(board=cell.board, server=cell.server, cases=("t/a",), **axes_of(cell))
    assert cells_of_plan(plan) == [cell]


def test_names() -> None:
    """A column has the name of its board, and of each axis that is not the default."""
    assert column_name(entry(PLAIN)) == "lab-1"
    assert column_name(entry(FULL)) == "lab-1@1.29 asyncio slow-3g"
    assert column_title(FULL) == "lab-1@1.29 asyncio slow-3g with s"
    assert in_column(entry(FULL)) == CellEntry(board="lab-1@1.29 asyncio slow-3g", server="s", case="t/a")


def test_a_view_by_column(a_run) -> None:
    """Each column is a board with the description of the real one; entries of the same board without another axis stay."""
    run = a_run(1, {**result("t/a")}, {**result("t/a"), "client": "asyncio"}, {**result("t/a", board="lab-2")})
    run = replace(run, missing=(CellEntry(board="lab-1", server="s", case="t/b", client="asyncio"),))
    view = by_column(run)
    assert [board.board for board in view.boards] == ["lab-1", "lab-1 asyncio", "lab-2"]
    assert [board.firmware for board in view.boards] == ["1.28"] * 3
    assert [item.board for item in view.results] == ["lab-1", "lab-1 asyncio", "lab-2"]
    assert [item.client for item in view.results] == [None] * 3
    assert [item.board for item in view.missing] == ["lab-1 asyncio"]


def test_a_record_without_other_axes_is_its_own_view(a_run) -> None:
    """Nothing is copied, and a board without any result stays."""
    run = a_run(1, result("t/a"))
    assert by_column(run) is run


def result(case: str, *, board: str = "lab-1") -> dict[str, object]:
    """One result in JSON."""
    return {
        "board": board, "server": "s", "case": case, "verdict": "error", "attempt": 1, "outcome": "not-run", "observed": None,
        "expected": None, "stage": None, "ended_by": None, "reason": "x", "mismatches": [], "explanation": None,
        "timing_ms": {"handshake_board": None, "handshake_server": None, "case": None},
        "memory_bytes": {"free_before": None, "free_low": None, "free_after": None}, "artifacts": {},
    }  # fmt: skip
