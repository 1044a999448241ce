"""Time real cases with the real plugin, next to a bare loop and mpremote. Run by `cases_per_second.py`; stopwatch.py has the options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bare import Bench
from classes import Timed, classes
from stopwatch import NOTES, STEP

# How often each case runs on the line.
TURNS = 6


@pytest.fixture(scope="session")
def timed(request: pytest.FixtureRequest) -> Timed:
    """Return the selected class of case."""
    wanted = request.config.getoption("timed_class")
    return next(item for item in classes() if item.name == wanted)


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """Provide the servers of the bare loop and of mpremote."""
    bench = Bench()
    yield bench
    bench.close()


def test_in_turn(
    board: Any, timed: Timed, run_case: Any, bench: Bench, step: Any, request: pytest.FixtureRequest
) -> None:
    """Run one step of a round: a case, the bare loop with as many connections, or one mpremote."""
    kind, turn, _number = step
    note = request.node.stash[STEP] = {"kind": kind, "turn": turn}
    if kind == "bare":
        note["times_ms"] = bench.bare_loop(timed, request.config.getoption("timed_cases"))
    elif kind == "mpremote":
        note["times_ms"] = [bench.mpremote(timed)]
    else:
        note["times_ms"] = [run_case(board, timed.case).observation.case_ms]


@pytest.mark.parametrize("turn", range(TURNS))
def test_on_the_line(board: Any, tls_case: Any, run_case: Any, request: pytest.FixtureRequest, turn: int) -> None:
    """Run every case of the set, count its bytes on the serial line, and note its time without its handshake."""
    log = board.runner().board.link.log
    before = log.sent_bytes, log.received_bytes
    seen = None
    try:
        seen = run_case(board, tls_case).observation
    finally:
        counts = [log.sent_bytes - before[0], log.received_bytes - before[1]]
        handshake_ms = None if seen is None else seen.handshake_board_ms
        added_ms = None if handshake_ms is None else seen.case_ms - handshake_ms
        request.config.stash[NOTES]["line"].append([turn, tls_case.id, *counts, added_ms])
