"""A trend as JSON (`tls-harness/trend/1`). Pure.

The lists of a cell have one item per run, in the order of `runs`; null for a run without the cell. `history` has a letter for each:
`p`ass, `f`ail, `i`nsecure, `k`nown, `u`nsupported, `e`rror, `.` for none; upper case if the attempts of that run disagreed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from harness.reports.record.result_types import Json
from harness.reports.record.trend import CellTrend, Measure, Trend

SCHEMA = "tls-harness/trend/1"


def render_trend_json(trend: Trend) -> str:
    """Render a trend, with one line per run, replacement and cell."""
    parts = {
        "runs": (asdict(run) for run in trend.runs),
        "replaced": (asdict(item) for item in trend.replaced),
        "cells": (_cell(cell, runs=len(trend.runs)) for cell in trend.cells),
    }
    lines = [f' "schema": {json.dumps(SCHEMA)}', f' "notes": {json.dumps(list(trend.notes))}']
    lines += [f" {json.dumps(name)}: {_lines(items)}" for name, items in parts.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _lines(items: Iterable[dict[str, Json]]) -> str:
    text = ",".join(f"\n  {json.dumps(item)}" for item in items)
    return f"[{text}\n ]" if text else "[]"


def _cell(cell: CellTrend, *, runs: int) -> dict[str, Json]:
    series = list(cell.series(runs))
    return {
        "board": cell.board,
        "server": cell.server,
        "case": cell.case,
        "latest": cell.latest,
        "verdicts": {word.value: count for word, count in cell.verdicts.items()},
        "flaky": cell.flaky,
        "flips": cell.flips,
        "mixed": cell.mixed,
        "last_change": asdict(cell.turn) if cell.turn else None,
        "handshake_ms": _measure(cell.handshake_ms),
        "heap_bytes": _measure(cell.heap_bytes),
        "history": "".join(letter for letter, _time, _heap in series),
        "handshake_ms_by_run": [time for _letter, time, _heap in series],
        "heap_bytes_by_run": [heap for _letter, _time, heap in series],
    }


def _measure(measure: Measure | None) -> Json:
    if measure is None:
        return None
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in asdict(measure).items()}
