"""Memory over a soak run (`--repeat N`): whether a board has less from session to session. Pure.

Follows the free heap, its largest piece and, on an ESP32, ESP-IDF's heap. A straight line is fitted to each by least squares, with a
level of its own for every cell, because cases load different certificates. What is found is a fall that lasts: it must show in each
half of the sessions too, so that memory taken once, by a cache or a driver, is no leak.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from harness.model import Cell
from harness.reports.record.columns import cell_of
from harness.reports.record.result_types import Memory, Result
from harness.reports.record.run_types import Leak

# The first rounds fill caches. Fewer sessions than these show nothing.
WARM_UP_ROUNDS = 2
LEAST_SESSIONS = 20
# Less than a garbage collector's block a session is no leak (py/gc.c: 16 bytes on 32 bits, 32 on 64).
LEAST_BYTES = 32.0
# How many standard errors the fall is away from none, over all sessions and in each half.
CERTAIN, CERTAIN_HALF = 6.0, 2.0

_FOLLOWED: tuple[tuple[str, Callable[[Memory], int | None]], ...] = (
    ("free heap", lambda memory: memory.free_before),
    ("largest free piece", lambda memory: memory.largest_after),
    ("ESP-IDF's free heap", lambda memory: memory.idf_after),
)


class _Point(NamedTuple):
    cell: Cell
    session: int
    free: int


def leaks_of(results: Iterable[Result]) -> tuple[Leak, ...]:
    """Return what leaks on which board, at most one entry per board and kind of memory.

    Args:
        results: of a run, in the order in which they were made, each with its `repeat`.

    A board that was recovered begins anew: a reset gives its memory back, so sessions before and after are compared with none of the
    others; nor do those of merged runs. Not checked: memory outside these heaps, as that of the unix port's TLS.
    """
    boards: dict[str, list[Result]] = {}
    for result in results:
        boards.setdefault(result.board, []).append(result)
    found = (
        _leak(board, what, stretch, read)
        for board, ran in boards.items()
        for what, read in _FOLLOWED
        for stretch in _stretches(ran)
    )
    worst: dict[tuple[str, str], Leak] = {}
    for leak in filter(None, found):
        known = worst.get((leak.board, leak.what))
        if known is None or leak.bytes_per_session > known.bytes_per_session:
            worst[leak.board, leak.what] = leak
    return tuple(worst.values())


def leak_text(leak: Leak) -> str:
    """Return one line about a leak."""
    return f"leak: {leak.board}: the {leak.what} falls by {leak.bytes_per_session:.0f} bytes a session, over {leak.sessions} sessions"


def _stretches(results: Sequence[Result]) -> Iterable[list[tuple[int, Result]]]:
    """Split a board's results, numbered, where it was recovered, and between merged runs."""
    stretch: list[tuple[int, Result]] = []
    for number, result in enumerate(results):
        if stretch and (result.recovery or result.source != stretch[-1][1].source):
            yield stretch
            stretch = []
        stretch.append((number, result))
    if stretch:
        yield stretch


def _leak(
    board: str, what: str, stretch: list[tuple[int, Result]], read: Callable[[Memory], int | None]
) -> Leak | None:
    points = [
        _Point(cell_of(result), number, free)
        for number, result in stretch
        if result.repeat > WARM_UP_ROUNDS and (free := read(result.memory_bytes)) is not None
    ]
    if len(points) < LEAST_SESSIONS:
        return None
    fall, certainty = _fall(points)
    half = len(points) // 2
    lasts = all(_fall(part)[1] > CERTAIN_HALF for part in (points[:half], points[half:]))
    if fall < LEAST_BYTES or certainty <= CERTAIN or not lasts:
        return None
    return Leak(board=board, what=what, bytes_per_session=round(fall, 1), sessions=len(points))


def _fall(points: Sequence[_Point]) -> tuple[float, float]:
    """Return by how much memory falls per session, and how many standard errors that is; 0 where it does not change."""
    cells: dict[Cell, list[_Point]] = {}
    for point in points:
        cells.setdefault(point.cell, []).append(point)
    pairs = []
    for own in cells.values():
        middle = sum(point.session for point in own) / len(own)
        level = sum(point.free for point in own) / len(own)
        pairs += [(point.session - middle, point.free - level) for point in own]
    spread = sum(x * x for x, _y in pairs)
    freedom = len(pairs) - len(cells) - 1
    if not spread or freedom < 1:
        return 0.0, 0.0
    fall = -sum(x * y for x, y in pairs) / spread
    error = math.sqrt(sum((y + fall * x) ** 2 for x, y in pairs) / freedom / spread)
    return fall, fall / error if error else math.copysign(math.inf, fall) if fall else 0.0
