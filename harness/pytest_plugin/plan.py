"""What a run is going to try, from the names of its tests: under pytest-xdist the controlling process knows nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.reports.record.cells import Cell
from harness.run.options import IN_PROCESS


def all_cells(*, boards: Sequence[str], servers: Sequence[str], cases: Sequence[str]) -> list[Cell]:
    """Every case on every board against every server, in the order of results.

    Args:
        boards: names of the boards.
        servers: names of `--server`, empty without that option.
        cases: ids of the cases.
    """
    return [Cell(board, server, case) for board in boards for server in servers or [IN_PROCESS] for case in cases]


def planned_cells(
    nodeids: Iterable[str], *, boards: Sequence[str], servers: Sequence[str], cases: Sequence[str], repeat: int = 1
) -> list[Cell]:
    """The cells that tests will fill, in the order of results.

    Args:
        nodeids: of the tests that were collected and not deselected; those that are none of ours are passed over.
        boards: names of the boards.
        servers: names of `--server`, empty without that option.
        cases: ids of the cases.
        repeat: the value of `--repeat`.
    """
    inner = {name[name.index("[") + 1 : -1] for name in nodeids if name.endswith("]") and "[" in name}
    if repeat > 1:
        inner = {re.sub(rf"-\d+of{repeat}-", "-", name, count=1) for name in inner}
    return [
        cell
        for cell in all_cells(boards=boards, servers=servers, cases=cases)
        if f"{cell.board}-{f'{cell.server}-' if servers else ''}{cell.case}" in inner
    ]
