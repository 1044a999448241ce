"""A soak run (`--repeat N`): what each cell of the matrix did, run after run. Pure.

A cell is one case on one board against one server. One that changes its verdict is `flaky`: it is listed with every verdict it had,
and it fails the run, whatever most of its runs said. Works on results as in run.json.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from harness.reports.record.plain import one_line

# A cell varies if one of its runs took this many times as long as the middle one, and the difference is one a person would notice.
SLOW_FACTOR = 3.0
SLOW_BY_MS = 100.0
# As many cells as fit on a screen; the rest is counted. All of them are in the run record.
LISTED = 20


def soak_json(results: Iterable[dict[str, Any]], *, repeat: int) -> dict[str, Any]:
    """The key `soak` of the run record.

    Args:
        results: of the run, each with its `repeat`.
        repeat: what was asked for; an interrupted run has cells with fewer `runs`.
    """
    cells: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for result in results:
        cells.setdefault((result["board"], result["server"], result["case"]), []).append(result)
    rows = [_cell(runs) for runs in cells.values()]
    return {"repeat": repeat, "flaky": sum(row["flaky"] for row in rows), "cells": rows}


def _cell(runs: list[dict[str, Any]]) -> dict[str, Any]:
    first = runs[0]
    verdicts = Counter(result["verdict"] for result in runs)
    return {
        "board": first["board"],
        "server": first["server"],
        "case": first["case"],
        "runs": len(runs),
        "flaky": len(verdicts) > 1,
        "connected": _how_often(result["outcome"] == "connected" for result in runs),
        "passed": _how_often(result["verdict"] == "pass" for result in runs),
        "verdicts": dict(verdicts),
        "outcomes": dict(Counter(result["outcome"] for result in runs)),
        "case_ms": _spread(result["timing_ms"]["case"] for result in runs),
        "handshake_board_ms": _spread(result["timing_ms"]["handshake_board"] for result in runs),
    }


def _how_often(answers: Iterable[bool]) -> str:
    seen = set(answers)
    return "sometimes" if len(seen) > 1 else "always" if seen == {True} else "never"


def _spread(values: Iterable[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"min": min(known), "median": round(statistics.median(known), 2), "max": max(known)}


def flaky_cells(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells of a run record that changed their verdict; empty where nothing was repeated."""
    return [cell for cell in (run.get("soak") or {}).get("cells", ()) if cell["flaky"]]


def varies(cell: dict[str, Any]) -> bool:
    """Whether one run of a cell took much longer than its others."""
    spread = cell["case_ms"]
    if spread is None:
        return False
    return bool(spread["max"] >= SLOW_FACTOR * spread["median"] and spread["max"] - spread["median"] >= SLOW_BY_MS)


def verdicts_text(cell: dict[str, Any]) -> str:
    """`pass 4, error 1`, the most frequent first."""
    return _ranked(cell["verdicts"])


def _ranked(counts: dict[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda entry: -entry[1])
    return ", ".join(f"{word} {count}" for word, count in ranked)


def times_text(cell: dict[str, Any]) -> str:
    """`5/9/40 ms`: shortest, median and longest; empty where nothing was timed."""
    spread = cell["case_ms"]
    return f"{spread['min']:.0f}/{spread['median']:.0f}/{spread['max']:.0f} ms" if spread else ""


def soak_lines(soak: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What the terminal says at the end.

    Args:
        soak: as in the run record.

    Returns:
        The line with the counts and those of cells whose outcomes or times vary under one verdict; and the lines of flaky cells,
        which are bad news.
    """
    cells = soak["cells"]
    flaky = [cell for cell in cells if cell["flaky"]]
    steady = Counter(next(iter(cell["verdicts"])) for cell in cells if not cell["flaky"])
    counts = [f"{number} always {word}" for word, number in steady.most_common()]
    if flaky:
        counts.append(f"{len(flaky)} flaky")
    news = [f"soak: {len(cells)} cell{'s' * (len(cells) != 1)}, {_times(soak)}: {', '.join(counts)}"]
    restless = [cell for cell in cells if not cell["flaky"] and len(cell["outcomes"]) > 1]
    news += _bounded(
        restless, lambda cell: f"varies: {_name(cell)}: {_ranked(cell['outcomes'])}; {verdicts_text(cell)}"
    )
    slow = [cell for cell in cells if not cell["flaky"] and varies(cell)]
    news += _bounded(slow, lambda cell: f"varies: {_name(cell)}: {times_text(cell)} (shortest, median, longest)")
    return news, _bounded(flaky, _flaky_text)


def _times(soak: dict[str, Any]) -> str:
    """How often each cell was run: not as often as was asked for where the run ended before, or tests were left out."""
    runs = sorted({cell["runs"] for cell in soak["cells"]})
    if runs == [soak["repeat"]]:
        return f"{soak['repeat']} times each"
    seen = f"{runs[0]} to {runs[-1]}" if len(runs) > 1 else f"{runs[0]}"
    return f"{seen} of {soak['repeat']} times each"


def _flaky_text(cell: dict[str, Any]) -> str:
    parts = [f"flaky: {_name(cell)}: {verdicts_text(cell)}", f"connected {cell['connected']}", times_text(cell)]
    return "; ".join(part for part in parts if part)


def _name(cell: dict[str, Any]) -> str:
    return f"{cell['board']} {cell['server']} {cell['case']}"


def _bounded(cells: list[dict[str, Any]], text: Callable[[dict[str, Any]], str]) -> list[str]:
    lines = [one_line(text(cell)) for cell in cells[:LISTED]]
    if len(cells) > LISTED:
        lines.append(f"... and {len(cells) - LISTED} more, in run.json under soak")
    return lines
