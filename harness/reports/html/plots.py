"""Bars of handshake times and of heap: per board, by server key and by suite. Pure geometry; the template draws it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable

from harness.model import Outcome
from harness.reports.record.cells import lowest_heap
from harness.reports.record.result_types import Json, Result
from harness.reports.record.run_types import RunRecord
from harness.reports.text.key_costs import kilobytes
from harness.reports.text.server_keys import milliseconds, one_key

# In the units of the drawing, which is as wide as a phone and is scaled no further down.
WIDTH = 400
ROW = 36
TOP = 6

Values = dict[str, list[float]]
Panel = dict[str, Json]


def plots(run: RunRecord) -> list[Panel]:
    """Return the panels that have anything to show: times, then heap, by key and by suite; each per board."""
    titles = {case.case: case.title for case in run.cases if one_key(case.case)}
    found: list[Panel | None] = []
    for board in dict.fromkeys(item.board for item in run.results):
        done = [item for item in run.results if item.board == board and item.outcome is Outcome.CONNECTED]
        by_key = [(titles[item.case], item) for item in done if item.case in titles]
        by_suite = [((item.observed and item.observed.negotiated.suite) or "unknown", item) for item in done]
        found += [
            _panel("Handshake by server key", board, _values(by_key, _time), _milliseconds),
            _panel("Handshake by suite", board, _values(by_suite, _time), _milliseconds),
            *_heap_panels(board, by_key=by_key, by_suite=by_suite),
        ]
    return [panel for panel in found if panel]


def _heap_panels(
    board: str, *, by_key: list[tuple[str, Result]], by_suite: list[tuple[str, Result]]
) -> list[Panel | None]:
    """Show what sessions hold of the heap if it was measured, and the lowest free heap if it differs between keys or suites."""
    return [
        _panel(f"{title} by {what}", board, values, kilobytes)
        for what, items in (("server key", by_key), ("suite", by_suite))
        for title, values in (
            ("Heap held by a session", _values(items, _held)),
            ("Lowest free heap", _telling(_values(items, lowest_heap))),
        )
    ]


def _held(result: Result) -> float | None:
    return result.memory_bytes.held


def _milliseconds(value: float) -> str:
    return f"{milliseconds(value)} ms"


def _time(result: Result) -> float | None:
    return result.timing_ms.handshake_board


def _telling(values: Values) -> Values:
    """Return nothing if all values are within two per cent: TLS takes its memory elsewhere, and equal bars say nothing."""
    known = [value for series in values.values() for value in series]
    return values if known and min(known) < 0.98 * max(known) else {}


def _values(items: Iterable[tuple[str, Result]], measure: Callable[[Result], float | None]) -> Values:
    found: Values = {}
    for label, result in items:
        value = measure(result)
        if value is not None:
            found.setdefault(label, []).append(value)
    return found


def _panel(title: str, board: str, values: Values, text: Callable[[float], str]) -> Panel | None:
    """Return one drawing: a bar up to the median of each label, a line from the lowest to the highest value."""
    if not values:
        return None
    top = max(max(series) for series in values.values()) or 1.0

    def place(value: float) -> float:
        return round(WIDTH * value / top, 1)

    bars: list[Json] = []
    for number, (label, series) in enumerate(sorted(values.items(), key=lambda item: statistics.median(item[1]))):
        middle, low, high = statistics.median(series), min(series), max(series)
        span = f" ({text(low)} to {text(high)}, n = {len(series)})" if len(series) > 1 else ""
        bars.append(
            {
                "y": TOP + number * ROW,
                "label": label,
                "value": text(middle),
                "width": place(middle),
                "low": place(low),
                "high": place(high),
                "spread": len(series) > 1,
                "words": f"{label}: {text(middle)}{span}",
            }
        )
    return {"title": title, "board": board, "bars": bars, "width": WIDTH, "height": TOP + ROW * len(bars)}
