"""The columns of the matrix: one combination of board, server, client and link. Pure.

With `--firmware`, a board with each of its firmwares is a board of the record, called BOARD@FIRMWARE.

Reports for people show a column under one name, so that they know boards and servers only: `by_column` makes that view of a record.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from harness.model import DEFAULT_CLIENT, Cell
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import BoardEntry, CellChange, CellEntry, JournalPlan, RunRecord, SoakCell

Placed = Result | CellEntry | SoakCell | CellChange
Item = TypeVar("Item", Result, CellEntry, SoakCell, CellChange)


def cell_of(item: Placed) -> Cell:
    """Return the cell of a result or of another entry that names one."""
    return Cell(
        board=item.board,
        server=item.server,
        client=item.client or DEFAULT_CLIENT,
        link=item.link or "",
        case=item.case,
    )


def cells_of_plan(plan: JournalPlan) -> list[Cell]:
    """Return the planned cells of one column."""
    return [cell_of(CellEntry(case=case, **{key: getattr(plan, key) for key in _COLUMN})) for case in plan.cases]


_COLUMN = ("board", "server", "client", "link")


def axes_of(cell: Cell) -> dict[str, str | None]:
    """Return the keys of an entry for the axes that older records do not have: None for the default."""
    client = cell.client if cell.client != DEFAULT_CLIENT else None
    return {"client": client, "link": cell.link or None}


def column_name(item: Placed) -> str:
    """Return `BOARD CLIENT LINK`; what is the default is left out. The server is shown apart."""
    return " ".join(text for text in (item.board, item.client, item.link) if text)


def column_title(cell: Cell) -> str:
    """Return `BOARD CLIENT LINK with SERVER`."""
    return (
        f"{column_name(CellEntry(board=cell.board, server=cell.server, case='', **axes_of(cell)))} with {cell.server}"
    )


def in_column(item: Item) -> Item:
    """Return an entry whose board is the name of its column."""
    name = column_name(item)
    return item if name == item.board else replace(item, board=name, client=None, link=None)


def by_column(run: RunRecord) -> RunRecord:
    """Return a record for reports that show boards and servers: each column is a board of its own, described like the board it is.

    Args:
        run: any record; one whose results have no other axes is returned unchanged.
    """
    names: dict[str, dict[str, None]] = {}
    placed: tuple[Placed, ...] = (*run.results, *run.missing)
    for item in placed:
        names.setdefault(item.board, {}).setdefault(column_name(item))
    if all(list(columns) == [board] for board, columns in names.items()):
        return run
    return replace(
        run,
        boards=tuple(_boards(run.boards, names)),
        results=tuple(map(in_column, run.results)),
        missing=tuple(map(in_column, run.missing)),
        soak=run.soak and replace(run.soak, cells=tuple(map(in_column, run.soak.cells))),
        changes=None if run.changes is None else tuple(map(in_column, run.changes)),
    )


def _boards(boards: Iterable[BoardEntry], names: dict[str, dict[str, None]]) -> Iterable[BoardEntry]:
    for board in boards:
        yield from (replace(board, board=name) for name in names.get(board.board, {board.board: None}))
