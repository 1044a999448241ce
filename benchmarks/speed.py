"""Measure every goal of speed as a ratio or a limit, in one run on one machine: `python benchmarks/speed.py [--rounds N] [--only WORD]`.

Run it before and after a change, on an idle machine; it compiles the package first, so that all processes start with warm bytecode.

* added: what a case takes with all of pytest's work, without the bare MicroPython loop's own time, over the floor: an empty parametrised
  test with three fixtures and one raw-REPL exec.
* start: the first result of `pytest`, over a bare run of pytest with one test.
* boards: eight virtual boards with `-n auto`, over the larger of CPU time / CPUs and one board alone (`many_boards.py` has the details).
* waiting: what the full set on one virtual board takes beyond its CPU time. Other programs' time counts as waiting.
* memory: what the pytest process keeps for each case.
* page: the HTML page of 10,000 results. How soon a browser can use it, tests/browser checks.
* simulate: all firmwares against one local server.

Exits with 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import compileall
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

try:
    import harness
except ImportError:
    sys.exit("speed: the package is not installed; run `pip install -e .` in the repository's root")

import simulate
from cases_per_second import table
from classes import classes
from many_boards import ratios, timed_run
from measure import HERE, ROOT, run_plugin
from record_reading import RESULTS, big_record

from harness.reports.html import render_html
from harness.reports.record.reading import parse_run

ADDED_GOAL = 1.8
START_GOAL = 2.7
BOARDS_GOAL = 1.12
WAITING_GOAL_S = 4.0
MEMORY_GOAL_KB = 10.0
PAGE_GOAL_S = 2.0
BOARDS = 8
CASES = 5
FEW, MANY = 200, 2000

Row = tuple[str, str, str, bool]


def added(rounds: int) -> list[Row]:
    """Return what a case of each class adds, over the floor of the same process."""
    rows = []
    for timed in classes():
        notes, _started = run_plugin(
            f"{HERE / 'timed_cases.py'}::test_in_turn",
            f"{HERE / 'timed_cases.py'}::test_floor",
            f"--timed-class={timed.name}",
            f"--timed-rounds={rounds}",
            f"--timed-cases={CASES}",
        )
        floors, over = [], []
        for turn in range(rounds):
            own = [step for step in notes["steps"] if step.get("turn") == turn]
            bare, one_exec = (
                median(value for step in own if step["kind"] == kind for value in step["times_ms"])
                for kind in ("bare", "exec")
            )
            item = {kind: median(step["item_ms"] for step in own if step["kind"] == kind) for kind in ("case", "floor")}
            floors.append(item["floor"] + one_exec)
            over.append(item["case"] - bare)
        ratio = median(mine / floor for mine, floor in zip(over, floors, strict=True))
        seen = f"{ratio:.2f} x ({median(over):.2f} ms over {median(floors):.2f} ms)"
        rows.append((f"added per case: {timed.title}", seen, f"<= {ADDED_GOAL} x the floor", ratio <= ADDED_GOAL))
    return rows


def start(rounds: int) -> list[Row]:
    """Return the time to the first result, over a bare run of pytest with one test."""
    first, bare = [], []
    with tempfile.TemporaryDirectory(prefix="tls-harness-benchmark-") as folder:
        Path(folder, "test_one.py").write_text("def test_one():\n    pass\n", encoding="ascii")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:tls_harness",
            "test_one.py",
        ]
        for _ in range(rounds):
            began = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            bare.append(time.perf_counter() - began)
            notes, started = run_plugin("--cases=smoke")
            first.append(float(notes["steps"][0]["ended_at"] - started))
    ratio = median(one / other for one, other in zip(first, bare, strict=True))
    seen = f"{ratio:.2f} x ({median(first):.2f} s over {median(bare):.2f} s)"
    return [("first result of pytest", seen, f"<= {START_GOAL} x bare pytest", ratio <= START_GOAL)]


def boards(rounds: int) -> list[Row]:
    """Return the time of eight boards over the bound, and what one board alone waits for."""
    alone, together = [], []
    for _ in range(max(1, rounds // 10)):
        alone.append(timed_run(1, cases="full"))
        together.append(timed_run(BOARDS, cases="full"))
    best = min(ratios(alone, together))
    waiting = median(run.wall_s - run.cpu_s for run in alone)
    return [
        (f"{BOARDS} boards, full set", f"{best:.2f} x", f"<= {BOARDS_GOAL} x the bound", best <= BOARDS_GOAL),
        (
            "waiting in the full set, one board",
            f"{waiting:.1f} s",
            f"<= {WAITING_GOAL_S:.0f} s",
            waiting <= WAITING_GOAL_S,
        ),
    ]


def memory(_rounds: int) -> list[Row]:
    """Return what the process keeps for each case: the difference of two runs of one cheap case."""
    sizes = []
    for cases in (FEW, MANY):
        notes, _started = run_plugin(
            f"{HERE / 'timed_cases.py'}::test_many", "--timed-class=refused", f"--timed-cases={cases}"
        )
        sizes.append(float(notes["memory_kb"]))
    kept = (sizes[1] - sizes[0]) / (MANY - FEW)
    seen = f"{kept:.1f} KB ({sizes[0] / 1024:.0f} MB after {FEW}, {sizes[1] / 1024:.0f} MB after {MANY})"
    return [("memory kept per case", seen, f"<= {MEMORY_GOAL_KB:.0f} KB", kept <= MEMORY_GOAL_KB)]


def page(rounds: int) -> list[Row]:
    """Return how long the page of many results takes, in CPU time."""
    (run, _notes), times = parse_run(big_record(), where="benchmark"), []
    for _ in range(min(rounds, 3)):
        began = time.process_time()
        render_html(run)
        times.append(time.process_time() - began)
    seen = f"{min(times):.2f} s"
    return [(f"page of {RESULTS} results", seen, f"<= {PAGE_GOAL_S:.0f} s", min(times) <= PAGE_GOAL_S)]


def simulated(_rounds: int) -> list[Row]:
    """Return how long all firmwares take against one server."""
    times, count = simulate.measure()
    seen = f"{min(times):.2f} s for {count} firmwares"
    return [("simulate, one local server", seen, f"< {simulate.LIMIT_S:.0f} s", min(times) < simulate.LIMIT_S)]


PARTS: dict[str, Callable[[int], list[Row]]] = {
    "added": added, "start": start, "boards": boards, "memory": memory, "page": page, "simulate": simulated,
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run the chosen parts and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="Rounds. Default: 30")
    parser.add_argument(
        "--only", choices=list(PARTS), action="append", help="Part to measure, repeatable. Default: all"
    )
    parser.add_argument("--markdown", action="store_true", help="Print a Markdown table")
    options = parser.parse_args(arguments)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(str(Path(harness.__file__).parent), quiet=2)
    rows = [row for name, part in PARTS.items() if name in (options.only or PARTS) for row in part(options.rounds)]
    words = {True: "yes", False: "NO"}
    head = ["goal", "measured", "required", "met"]
    print(table([head, *([*row[:3], words[row[3]]] for row in rows)], markdown=options.markdown))
    print(f"tls-harness {harness.__version__}, {os.cpu_count()} processors, warm bytecode, in {ROOT}")
    return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
