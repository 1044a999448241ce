"""The page of a trend: one file without a script. Pure; the page's own parts are read from the package.

A cell's history is drawn as bars, one for each stretch of runs with the same verdict, and a line of its handshake times.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator, Sequence

from harness.model import VerdictWord
from harness.reports.html import environment, part, policy
from harness.reports.html.data import visible
from harness.reports.record.result_types import Json
from harness.reports.record.trend import WORDS, CellTrend, Measure, Trend
from harness.reports.text.key_costs import kilobytes
from harness.reports.text.trend_text import (
    flaky,
    flaky_text,
    headline,
    measure_text,
    name,
    replaced_text,
    slower,
    smaller,
    time_text,
    turn_text,
    turned,
    verdicts_text,
)

WIDTH, HEIGHT = 240, 24
# As many points of a line as can be told apart in that width.
POINTS = 60
# Of more runs the newest are listed.
LISTED_RUNS = 50


def render_trend_html(trend: Trend) -> str:
    """Render a trend as one page."""
    from markupsafe import Markup

    style = part("style.css") + part("trend.css")
    return (
        environment()
        .from_string(part("trend.html.j2"))
        .render(
            view=visible(_view(trend)),
            boards=_boards(trend),
            style=Markup(style),
            policy=policy(style=style),
        )
    )


def _view(trend: Trend) -> dict[str, Json]:
    numbered = list(enumerate(trend.runs, start=1))
    return {
        "headline": headline(trend),
        "legend": [{"word": word, "sign": word.sign, "meaning": word.meaning} for word in VerdictWord.by_severity()],
        "notes": trend.notes,
        "replaced": [replaced_text(trend, item) for item in reversed(trend.replaced)],
        "flaky": [flaky_text(cell) for cell in flaky(trend)],
        "turned": [turn_text(trend, cell) for cell in turned(trend)],
        "slower": [f"{name(cell)}: {measure_text(cell.handshake_ms, time_text)}" for cell in slower(trend)],
        "smaller": [f"{name(cell)}: {measure_text(cell.heap_bytes, kilobytes)}" for cell in smaller(trend)],
        "runs": [
            {
                "number": number,
                "started": run.started[:16].replace("T", " "),
                "file": run.file,
                "results": [{"word": word, "count": run.results.get(word, 0)} for word in VerdictWord.by_severity()],
                "boards": [f"{board}: {firmware}" for board, firmware in run.boards.items() if firmware],
            }
            for number, run in reversed(numbered[-LISTED_RUNS:])
        ],
        "more_runs": max(0, len(trend.runs) - LISTED_RUNS),
        "words": list(VerdictWord.by_severity()),
    }


def _boards(trend: Trend) -> Iterator[dict[str, object]]:
    """Yield each board and server with its cells, one at a time: all of them at once need ten times the memory of the trend."""
    places = {(cell.board, cell.server): None for cell in trend.cells}
    marks = {item.run for item in trend.replaced}
    for board, server in places:
        rows = [cell for cell in trend.cells if (cell.board, cell.server) == (board, server)]
        rows.sort(key=lambda cell: (not cell.flaky, cell.latest.severity, cell.case))
        yield {
            "title": visible(f"{board}, {server}"),
            "count": len(rows),
            "cells": (visible(_cell(cell, runs=len(trend.runs), marks=marks)) for cell in rows),
        }


def _cell(cell: CellTrend, *, runs: int, marks: set[int]) -> dict[str, Json]:
    letters, times = [], []
    for letter, time, _heap in cell.series(runs):
        letters.append(letter)
        times.append(time)
    return {
        "case": cell.case,
        "latest": cell.latest,
        "sign": cell.latest.sign,
        "flaky": cell.flaky,
        "verdicts": verdicts_text(cell),
        "time": measure_text(cell.handshake_ms, time_text),
        "way": cell.handshake_ms.way if cell.handshake_ms else "steady",
        "heap": measure_text(cell.heap_bytes, kilobytes),
        "heap_way": cell.heap_bytes.way if cell.heap_bytes else "steady",
        "bars": list(_bars(letters)),
        "line": _line(times, cell.handshake_ms),
        "marks": [round(WIDTH * run / runs, 1) for run in sorted(marks)],
        "words": f"{cell.case}: {verdicts_text(cell)}, last {cell.latest}",
    }


def _bars(letters: Sequence[str]) -> Iterator[Json]:
    """Yield a bar for each stretch of equal letters; runs without the cell have none."""
    at = 0
    for letter, group in itertools.groupby(letters, key=str.lower):
        count = len(list(group))
        if letter in WORDS:
            x, width = WIDTH * at / len(letters), WIDTH * count / len(letters)
            yield {"x": round(x, 1), "width": round(max(width, 1.0), 1), "word": WORDS[letter]}
        at += count


def _line(times: Sequence[float | None], measure: Measure | None) -> str:
    """Return the points of a line of medians, for the attribute `points`; empty if there are too few."""
    if measure is None or measure.runs < 2:
        return ""
    size = math.ceil(len(times) / POINTS)
    points = []
    for start in range(0, len(times), size):
        known = [time for time in times[start : start + size] if time is not None]
        if known:
            x = WIDTH * (start + min(size, len(times) - start) / 2) / len(times)
            y = HEIGHT * (1 - statistics.median(known) / (measure.max or 1.0))
            points.append(f"{x:.1f},{y:.1f}")
    return " ".join(points)
