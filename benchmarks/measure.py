"""Measure the real plugin: its time per case, its serial bytes, its start, and the agent's heap.

Knows how each measurement is started and what it returns; formats nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from classes import Timed

from harness.boards.agent.console import Console
from harness.boards.agent.deployment import load_into_ram, load_part
from harness.boards.serial.raw_repl import RawRepl
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.system.deadline import Deadline

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PROCESS_TIMEOUT_S = 300
HEAP_CODE = b"import gc\ngc.collect()\ngc.collect()\nprint(gc.mem_alloc())"


@dataclass(slots=True)
class Rounds:
    """The times of one class of case: a median in milliseconds per round."""

    case_ms: list[float] = field(default_factory=list)
    item_ms: list[float] = field(default_factory=list)
    bare_ms: list[float] = field(default_factory=list)
    mpremote_ms: list[float] = field(default_factory=list)
    fastest_case_ms: float = float("inf")
    fastest_bare_ms: float = float("inf")

    @property
    def added_ms(self) -> list[float]:
        """What the harness adds to a connection, in milliseconds."""
        return [mine - bare for mine, bare in zip(self.case_ms, self.bare_ms, strict=True)]

    @property
    def item_added_ms(self) -> list[float]:
        """The same, including all of pytest's work per test."""
        return [mine - bare for mine, bare in zip(self.item_ms, self.bare_ms, strict=True)]

    @property
    def ratio(self) -> list[float]:
        """How many tests run in the time that mpremote needs for one."""
        return [slow / mine for slow, mine in zip(self.mpremote_ms, self.item_ms, strict=True)]

    @property
    def ceiling(self) -> list[float]:
        """The ratio of the bare loop: that of a harness without any overhead."""
        return [slow / bare for slow, bare in zip(self.mpremote_ms, self.bare_ms, strict=True)]


def run_plugin(*arguments: str) -> tuple[dict[str, Any], float]:
    """Run pytest as a user does; return the stopwatch's records and the start time.

    Raises:
        RuntimeError: if a case did not pass; with pytest's output.
    """
    with tempfile.TemporaryDirectory(prefix="tls-harness-benchmark-") as folder:
        notes = Path(folder, "notes.json")
        command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pytest.ini"), "-p", "no:cacheprovider"]
        command += ["-x", "-p", "stopwatch", f"--timed-notes={notes}", f"--artifacts={folder}", *arguments]
        started = time.time()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(HERE)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROCESS_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        return json.loads(notes.read_text(encoding="ascii")), started


def time_class(timed: Timed, *, rounds: int, cases: int) -> Rounds:
    """Time cases with the plugin, the bare loop and mpremote in turn, all in one pytest run."""
    notes, _started = run_plugin(
        f"{HERE / 'timed_cases.py'}::test_in_turn",
        f"--timed-class={timed.name}",
        f"--timed-rounds={rounds}",
        f"--timed-cases={cases}",
    )
    found = Rounds()
    for turn in range(rounds):
        steps = [step for step in notes["steps"] if step["turn"] == turn]
        times = {
            kind: [value for step in steps if step["kind"] == kind for value in step["times_ms"]]
            for kind in ("case", "bare", "mpremote")
        }
        found.case_ms.append(median(times["case"]))
        found.item_ms.append(median(step["item_ms"] for step in steps if step["kind"] == "case"))
        found.bare_ms.append(median(times["bare"]))
        found.mpremote_ms.append(median(times["mpremote"]))
        found.fastest_case_ms = min(found.fastest_case_ms, *times["case"])
        found.fastest_bare_ms = min(found.fastest_bare_ms, *times["bare"])
    return found


def first_result_s() -> float:
    """Return the seconds from the start of `pytest` to the report of its first result."""
    notes, started = run_plugin("--cases=smoke")
    return float(notes["steps"][0]["ended_at"] - started)


@dataclass(slots=True)
class OnTheLine:
    """What the cases of a set cost on a serial line: bytes both ways, and milliseconds in addition to the handshake.

    `added_ms` has the times of each case that had a handshake, but for its first run, in which certificates are made and sent.
    """

    first_bytes: list[int] = field(default_factory=list)
    later_bytes: list[int] = field(default_factory=list)
    added_ms: dict[str, list[float]] = field(default_factory=dict)


def on_the_line(board: str, *, cases: str) -> OnTheLine:
    """Run each case of a set several times on a board, and return what it costs."""
    notes, _started = run_plugin(f"{HERE / 'timed_cases.py'}::test_on_the_line", f"--cases={cases}", f"--board={board}")
    cost = OnTheLine()
    for turn, case, sent, received, added_ms in notes["line"]:
        (cost.later_bytes if turn else cost.first_bytes).append(sent + received)
        if turn and added_ms is not None:
            cost.added_ms.setdefault(case, []).append(added_ms)
    return cost


def import_ms(module: str, *, rounds: int) -> float:
    """Return the median time of an import in a fresh Python that has imported pytest."""
    code = f"import time, pytest; t = time.perf_counter(); import {module}; print((time.perf_counter() - t) * 1000)"
    return median(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(rounds)
    )


def agent_heap_bytes(*, from_file: bool) -> int:
    """Return the heap that the agent uses on a fresh virtual board, loaded from its files or into RAM."""
    board = VirtualBoard(find_interpreter(""))
    try:
        link = RawRepl(board.port)
        try:
            return _agent_heap(link, from_file=from_file)
        finally:
            link.close()
    finally:
        board.close()


def _agent_heap(link: RawRepl, *, from_file: bool) -> int:
    def allocated() -> int:
        output = link.exec(HEAP_CODE, deadline=Deadline(10.0))
        if output.stderr:
            raise RuntimeError(output.stderr.decode("ascii", "replace"))
        return int(output.stdout)

    link.enter_raw_repl(deadline=Deadline(10.0))
    before = allocated()
    console = Console(link, label="benchmark")
    console.begin()
    if not from_file:
        load_into_ram(console)
    elif (why_ram := load_part(console, filesystem=".")) is not None:
        raise RuntimeError(why_ram)
    return allocated() - before
