"""Time real cases with the real plugin, next to a bare loop and mpremote. Run by `cases_per_second.py`; stopwatch.py has the options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bare import Bench
from classes import Timed, classes
from stopwatch import NOTES, STEP


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


@pytest.mark.parametrize("turn", ["first", "later"])
def test_serial_bytes(board: Any, tls_case: Any, run_case: Any, request: pytest.FixtureRequest, turn: str) -> None:
    """Run every case of the set and count its bytes on the serial line."""
    log = board.runner().board.link.log
    before = log.sent_bytes, log.received_bytes
    try:
        run_case(board, tls_case)
    finally:
        counts = [log.sent_bytes - before[0], log.received_bytes - before[1]]
        request.config.stash[NOTES]["bytes"].append([turn, tls_case.id, *counts])
