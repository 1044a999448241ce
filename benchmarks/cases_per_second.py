"""Measure the harness's speed: cases per second against a bare MicroPython loop and against mpremote, in one run.

    python benchmarks/cases_per_second.py [--rounds N] [--cases N] [--markdown]

Each class of case gets one pytest process with the real plugin. Each round times some cases, then as many connections of a bare
MicroPython loop (same interpreter, same kind of server, no serial line, no harness), then `mpremote connect PORT run client.py`.
These happen within a quarter of a second, so that load on the machine affects all of them equally. Rounds are short for the same
reason: under load the client's P-256 arithmetic alone alternates between 13 and 23 ms for seconds at a time. Figures are medians over
the rounds, with quartiles in brackets; "fastest" compares the fastest bare connection with the fastest case.
Exits with 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import ssl
import sys
from statistics import median, quantiles

try:
    import harness
except ImportError:
    sys.exit("cases_per_second: the package is not installed; run `pip install -e .` in the repository's root")

from classes import classes
from measure import Rounds, agent_heap_bytes, first_result_s, import_ms, on_the_line, time_class

ADDED_MS_GOAL = 3.0
MPREMOTE_GOAL = 15.0
BYTES_GOAL = 512
LINE_MS_GOAL = 30
# The stand-in of a board behind a UART of 115200 baud (docs/faults.md).
UART = "faulty:uart"
HEAP_GOAL = 16 * 1024
FIRST_RESULT_GOAL_S = 1.0

Row = tuple[str, str, str, bool | None]


def spread(values: list[float], *, digits: int = 1) -> str:
    """Return the median and the quartiles as text."""
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return f"{middle:.{digits}f} [{low:.{digits}f} to {high:.{digits}f}]"


def class_table(timed: dict[str, Rounds]) -> list[list[str]]:
    """Return the table of classes: a header and one row per class."""
    rows = [
        ["class of case", "bare loop, ms", "case, ms", "added, ms", "added with pytest, ms", "fastest, ms", "cases/s"]
    ]
    rows[0].append("mpremote, ms")
    for title, rounds in timed.items():
        parts = (rounds.bare_ms, rounds.case_ms, rounds.added_ms, rounds.item_added_ms)
        fastest = f"{rounds.fastest_bare_ms:.1f} -> {rounds.fastest_case_ms:.1f}"
        rate = f"{1000 / median(rounds.item_ms):.0f}"
        rows.append([title, *map(spread, parts), fastest, rate, spread(rounds.mpremote_ms, digits=0)])
    return rows


def speed_goals(timed: dict[str, Rounds]) -> list[Row]:
    """Return the added time and the ratio to mpremote per class."""
    rows: list[Row] = []
    for title, rounds in timed.items():
        added = median(rounds.added_ms)
        rows.append(
            (f"added per case over the bare loop: {title}", f"{added:.1f} ms", "<= 3 ms", added <= ADDED_MS_GOAL)
        )
    for title, rounds in timed.items():
        ratio = median(rounds.ratio)
        measured = f"{ratio:.0f} x; the bare loop itself: {median(rounds.ceiling):.0f} x"
        rows.append((f"against one mpremote process per case: {title}", measured, ">= 15 x", ratio >= MPREMOTE_GOAL))
    return rows


def size_goals() -> list[Row]:
    """Return the rows on the serial line and on the heap."""
    cost = on_the_line(UART, cases="core")
    first, later = median(cost.first_bytes), median(cost.later_bytes)
    usual = median(median(times) for times in cost.added_ms.values())
    fastest = median(min(times) for times in cost.added_ms.values())
    heap = {name: agent_heap_bytes(from_file=name == "files") for name in ("files", "RAM")}
    return [
        (
            f"serial bytes per case, both ways, median of the {len(cost.first_bytes)} core cases",
            f"{first:.0f} the first time, {later:.0f} later",
            "<= 512",
            max(first, later) <= BYTES_GOAL,
        ),
        (
            f"added per case over the handshake on a 115200-baud line, median of the {len(cost.added_ms)} core cases that have one",
            f"{usual:.1f} ms; the fastest run of each case: {fastest:.1f} ms",
            f"<= {LINE_MS_GOAL} ms",
            fastest <= LINE_MS_GOAL,
        ),
        (
            "heap the agent keeps, 64-bit interpreter",
            ", ".join(f"{size / 1024:.1f} KB from {name}" for name, size in heap.items()),
            "<= 16 KB",
            max(heap.values()) <= HEAP_GOAL,
        ),
    ]


def start_goals(*, rounds: int) -> list[Row]:
    """Return the time to the first result, and the plugin's import time, which is part of it."""
    started = [first_result_s() for _ in range(rounds)]
    return [
        (
            "time from pytest start to first result",
            f"{spread(started, digits=2)} s",
            "<= 1 s",
            median(started) <= FIRST_RESULT_GOAL_S,
        ),
        (
            "import of `harness.pytest_plugin.plugin` after pytest",
            f"{import_ms('harness.pytest_plugin.plugin', rounds=rounds):.0f} ms",
            "",
            None,
        ),
    ]


def table(rows: list[list[str]], *, markdown: bool) -> str:
    """Return rows as aligned text, or as a Markdown table."""
    if markdown:
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def main(arguments: list[str]) -> int:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="Rounds. Default: 30")
    parser.add_argument("--cases", type=int, default=5, help="Cases per class and round. Default: 5")
    parser.add_argument("--markdown", action="store_true", help="Print Markdown tables, as in README")
    options = parser.parse_args(arguments)
    load = f", load {os.getloadavg()[0]:.1f} before the start"
    timed = {item.title: time_class(item, rounds=options.rounds, cases=options.cases) for item in classes()}
    goals = [*speed_goals(timed), *size_goals(), *start_goals(rounds=min(options.rounds, 7))]
    words = {True: "yes", False: "NO", None: ""}
    print(table(class_table(timed), markdown=options.markdown), end="\n\n")
    rows = [
        ["goal", "measured", "required", "met"],
        *([name, seen, goal, words[met]] for name, seen, goal, met in goals),
    ]
    print(table(rows, markdown=options.markdown), end="\n\n")
    print(
        f"tls-harness {harness.__version__}, Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors{load}; "
        f"{options.rounds} rounds of {options.cases} cases per class; median [quartiles] over the rounds"
    )
    return 0 if all(met is not False for _name, _seen, _goal, met in goals) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
