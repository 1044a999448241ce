"""A trend as text: what was replaced, which cells are flaky, changed or became slower. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.model import VerdictWord
from harness.reports.record.plain import one_line
from harness.reports.record.trend import CellTrend, Measure, Replaced, Trend, Way
from harness.reports.text.key_costs import kilobytes
from harness.reports.text.server_keys import milliseconds

# As many as fit on a screen; the page and the JSON have all.
LISTED = 20
T = TypeVar("T")


def trend_text(trend: Trend) -> str:
    """Render the summary of a trend."""
    lines = [
        headline(trend),
        *_section("replaced between runs", trend.replaced, lambda item: replaced_text(trend, item)),
        *_section("flaky", flaky(trend), flaky_text),
        *_section("changed", turned(trend), lambda cell: turn_text(trend, cell)),
        *_section("slower", slower(trend), lambda cell: f"{name(cell)}: {measure_text(cell.handshake_ms, time_text)}"),
        *_section(
            "less free heap", smaller(trend), lambda cell: f"{name(cell)}: {measure_text(cell.heap_bytes, kilobytes)}"
        ),
    ]
    return "\n".join(lines) + "\n"


def headline(trend: Trend) -> str:
    """Return the number of runs and cells, the time they span, and what is worth a look, in one line."""
    runs, cells = len(trend.runs), len(trend.cells)
    span = f"{trend.runs[0].started[:10]} to {trend.runs[-1].started[:10]}" if runs else "no run"
    bad = sum(cell.latest.fails_run for cell in trend.cells)
    found = [
        f"{bad} failing now",
        f"{len(flaky(trend))} flaky",
        f"{len(slower(trend))} slower",
        f"{len(smaller(trend))} with less free heap",
    ]
    return one_line(f"{runs} run{'s' * (runs != 1)}, {span}; {cells} cell{'s' * (cells != 1)}: {', '.join(found)}")


def flaky(trend: Trend) -> list[CellTrend]:
    """Return the flaky cells, the most unsteady first."""
    return sorted((cell for cell in trend.cells if cell.flaky), key=lambda cell: -(cell.flips + cell.mixed))


def turned(trend: Trend) -> list[CellTrend]:
    """Return the cells that are not flaky and changed their verdict, the newest change first."""
    found = [cell for cell in trend.cells if cell.turn is not None and not cell.flaky]
    return sorted(found, key=lambda cell: (-(cell.turn.run if cell.turn else 0), cell.latest.severity))


def slower(trend: Trend) -> list[CellTrend]:
    """Return the cells whose handshake became slower."""
    return [cell for cell in trend.cells if cell.handshake_ms and cell.handshake_ms.way is Way.WORSE]


def smaller(trend: Trend) -> list[CellTrend]:
    """Return the cells that leave less free heap than before."""
    return [cell for cell in trend.cells if cell.heap_bytes and cell.heap_bytes.way is Way.WORSE]


def name(cell: CellTrend) -> str:
    """Return the name of a cell."""
    return f"{cell.board} {cell.server} {cell.case}"


def replaced_text(trend: Trend, item: Replaced) -> str:
    """Return one replacement: when, what, before and after."""
    return f"{trend.runs[item.run].started[:16]}  {item.name}: {item.before} -> {item.after}"


def flaky_text(cell: CellTrend) -> str:
    """Return what a flaky cell did."""
    mixed = f", {cell.mixed} run{'s' * (cell.mixed != 1)} with different verdicts" if cell.mixed else ""
    return f"{name(cell)}: {verdicts_text(cell)}; {cell.flips} change{'s' * (cell.flips != 1)}{mixed}"


def verdicts_text(cell: CellTrend) -> str:
    """Return `pass 190, fail 3, error 7`, the worst first."""
    return ", ".join(f"{word} {cell.verdicts[word]}" for word in VerdictWord.by_severity() if word in cell.verdicts)


def turn_text(trend: Trend, cell: CellTrend) -> str:
    """Return the last change of a verdict, and what was replaced with it."""
    turn = cell.turn
    if turn is None:
        return ""
    why = f"with {turn.replaced}" if turn.replaced else "same firmware and server"
    return f"{trend.runs[turn.run].started[:16]}  {name(cell)}: {turn.before} -> {turn.after} ({why})"


def measure_text(measure: Measure | None, text: Callable[[float], str]) -> str:
    """Return median, range, and where the measure went."""
    if measure is None:
        return ""
    spread = f" ({text(measure.min)} to {text(measure.max)})" if measure.min != measure.max else ""
    if measure.earlier is None or measure.recent is None or measure.way is Way.STEADY:
        return f"{text(measure.median)}{spread}"
    return f"{text(measure.earlier)} -> {text(measure.recent)}{spread}"


def time_text(value: float) -> str:
    """Return a time."""
    return f"{milliseconds(value)} ms"


def _section(title: str, items: Sequence[T], text: Callable[[T], str]) -> list[str]:
    if not items:
        return []
    lines = ["", f"{title} ({len(items)})", *(f"  {one_line(text(item))}" for item in items[:LISTED])]
    return lines + ([f"  ... and {len(items) - LISTED} more"] if len(items) > LISTED else [])
