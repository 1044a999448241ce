"""Time real cases with the real plugin, next to a bare loop and mpremote. Run by `cases_per_second.py`; stopwatch.py has the options."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from bare import Bench
from classes import Timed, classes
from stopwatch import NOTES, STEP

from harness.system.deadline import Deadline

# Raw-REPL execs per round.
EXECS = 5
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
    elif kind == "exec":
        note["times_ms"] = [_exec_ms(board) for _ in range(EXECS)]
    elif kind == "mpremote":
        note["times_ms"] = [bench.mpremote(timed)]
    else:
        note["times_ms"] = [run_case(board, timed.case).observation.case_ms]


def _exec_ms(board: Any) -> float:
    """Return the milliseconds of one empty raw-REPL exec."""
    link = board.runner().board.link
    started = time.perf_counter()
    link.exec(b"pass", deadline=Deadline(10.0))
    return (time.perf_counter() - started) * 1000


@pytest.fixture
def one() -> int:
    """Return a value, as the cheapest fixture does."""
    return 1


@pytest.fixture
def two(one: int) -> int:
    """Return another."""
    return one + 1


@pytest.fixture
def three(two: int) -> int:
    """Return a third."""
    return two + 1


def test_floor(one: int, two: int, three: int, step: Any, request: pytest.FixtureRequest) -> None:
    """Do nothing, with three fixtures: what pytest needs for any test."""
    request.node.stash[STEP] = {"kind": "floor", "turn": step[1]}


def test_many(board: Any, timed: Timed, run_case: Any, number: int) -> None:
    """Run one case many times, so that what stays in memory for each can be measured."""
    run_case(board, timed.case)


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
