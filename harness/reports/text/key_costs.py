"""What each server key costs each board, over all its servers: time and heap of a handshake. Pure.

The matrix of keys has a column for each board and server; the choice of a key depends on the board.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from harness.reports.text.server_keys import Connects, KeyCell, KeyMatrix, KeyRow

# The most that a handshake takes of the heap, without and with verification of the server: measured on 32-bit builds of MicroPython 1.28
# whose mbedTLS allocates from the GC heap (rp2, stm32 and others). A board's own figure is in the run if it could be measured.
HEAP_RULE = {
    "key/rsa2048": (27_600, 29_700),
    "key/rsa4096": (33_000, 35_600),
    "key/p256": (25_800, 27_000),
    "key/p384": (27_400, 27_400),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCost:
    """One key on one board.

    Args:
        good: the number of servers with which it connects, of `total` servers with which it was run.
        time_ms: median over the servers; `low_ms` and `high_ms` are the fastest and the slowest of them.
        heap_bytes: what an open session holds of the heap, the maximum of all servers.
        reason: of the first server with which it does not connect.
        weak: what is weak in a session with one of the servers, in words.
        flaky: the number of servers with which the attempts differ.
        tried: whether there was a handshake at all.
        unverified: whether its firmware cannot verify the certificate.
        hosted: whether it is a process of this computer, whose times are no cost of a key.
        wrong: whether a result with it fails the run; a refusal may be expected.
    """

    board: str
    good: int
    total: int
    time_ms: float | None
    low_ms: float | None
    high_ms: float | None
    heap_bytes: float | None
    reason: str
    weak: str
    flaky: int
    tried: bool
    unverified: bool = False
    hosted: bool = False
    wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCost:
    """One key on all boards, in the order of the matrix."""

    row: KeyRow
    boards: tuple[BoardCost, ...]
    heap_rule: tuple[int, int] | None


def key_costs(matrix: KeyMatrix) -> tuple[KeyCost, ...]:
    """Return the single keys that connect some board, in the order in which they are recommended."""
    boards = list(dict.fromkeys(board for board, _server in matrix.columns))
    return tuple(
        KeyCost(
            row=row,
            boards=tuple(board_cost(board, [cell for cell in row.cells if cell.board == board]) for board in boards),
            heap_rule=HEAP_RULE.get(row.case),
        )
        for row in matrix.ranked()
        if row.recommendable and row.good
    )


def board_cost(board: str, cells: list[KeyCell]) -> BoardCost:
    """Sum up one key on one board over its servers."""
    row = KeyRow(case="", title="", cells=tuple(cells))
    times = [cell.time_ms for cell in row.good if cell.time_ms is not None]
    heap = [cell.heap_bytes for cell in row.good if cell.heap_bytes is not None]
    bad = next((cell for cell in cells if cell not in row.good), None)
    return BoardCost(
        board=board,
        good=len(row.good),
        total=len(cells),
        time_ms=statistics.median(times) if times else None,
        low_ms=min(times, default=None),
        high_ms=max(times, default=None),
        heap_bytes=max(heap, default=None),
        reason=_reason(bad) if bad else "",
        weak=row.weak,
        unverified=any(cell.unverified for cell in row.good),
        hosted=any(cell.hosted for cell in cells),
        wrong=any(cell.verdict is not None and cell.verdict.fails_run for cell in cells),
        flaky=sum(bool(cell.flaky) for cell in cells),
        tried=bool(row.tried),
    )


def _reason(cell: KeyCell) -> str:
    """Say in a word why a key does not count as connecting."""
    if cell.connects is Connects.YES:
        return cell.verdict or ""
    return cell.reason if cell.connects is Connects.NO else cell.connects.value


def kilobytes(value: float) -> str:
    """Return a number of bytes in the unit that fits."""
    return f"{value / 1e6:.1f} MB" if value >= 1e6 else f"{value / 1000:.1f} kB" if value >= 1000 else f"{value:.0f} B"
