"""A soak run (`--repeat N`): what each cell of the matrix did, run after run. Pure.

A cell is one case on one board against one server. One that changes its verdict is `flaky`: it is listed with every verdict it had,
and it fails the run, whatever most of its runs said.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.model import Cell, Outcome, VerdictWord
from harness.reports.record.columns import axes_of, cell_of, column_name
from harness.reports.record.memory_trend import leak_text, leaks_of
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import HowOften, RunRecord, Soak, SoakCell, Spread

# A cell varies if one of its runs took this many times as long as the median, and the difference is noticeable.
SLOW_FACTOR = 3.0
SLOW_BY_MS = 100.0
# As many cells as fit on a screen; the rest is counted. All of them are in the run record.
LISTED = 20


def soak_of(results: Iterable[Result], *, repeat: int) -> Soak:
    """Compute the key `soak` of the run record.

    Args:
        results: of the run, each with its `repeat`.
        repeat: the requested number; an interrupted run has cells with fewer `runs`.
    """
    results = tuple(results)
    cells: dict[Cell, list[Result]] = {}
    for result in results:
        cells.setdefault(cell_of(result), []).append(result)
    rows = tuple(_cell(cell, runs) for cell, runs in cells.items())
    return Soak(repeat=repeat, flaky=sum(row.flaky for row in rows), cells=rows, leaks=leaks_of(results))


def soak_of_repeats(results: Sequence[Result]) -> Soak | None:
    """Compute it for results that may come from several runs; None if no cell was repeated."""
    most = max((result.repeat for result in results), default=1)
    return soak_of(results, repeat=most) if most > 1 else None


def _cell(cell: Cell, runs: list[Result]) -> SoakCell:
    verdicts = Counter(result.verdict for result in runs)
    return SoakCell(
        board=cell.board,
        server=cell.server,
        case=cell.case,
        **axes_of(cell),
        runs=len(runs),
        flaky=len(verdicts) > 1,
        connected=_how_often(result.outcome is Outcome.CONNECTED for result in runs),
        passed=_how_often(result.verdict is VerdictWord.PASS for result in runs),
        verdicts=dict(verdicts),
        outcomes=dict(Counter(result.outcome for result in runs)),
        case_ms=_spread(result.timing_ms.case for result in runs),
        handshake_board_ms=_spread(result.timing_ms.handshake_board for result in runs),
    )


def _how_often(answers: Iterable[bool]) -> HowOften:
    seen = set(answers)
    return "sometimes" if len(seen) > 1 else "always" if seen == {True} else "never"


def _spread(values: Iterable[float | None]) -> Spread | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(min=min(known), median=round(statistics.median(known), 2), max=max(known))


def flaky_cells(run: RunRecord) -> list[SoakCell]:
    """Return the cells of a run record that changed their verdict; empty if nothing was repeated."""
    return [cell for cell in run.soak.cells if cell.flaky] if run.soak else []


def varies(cell: SoakCell) -> bool:
    """Return whether one run of a cell took much longer than its others."""
    spread = cell.case_ms
    if spread is None:
        return False
    return spread.max >= SLOW_FACTOR * spread.median and spread.max - spread.median >= SLOW_BY_MS


def verdicts_text(cell: SoakCell) -> str:
    """Return `pass 4, error 1`, the most frequent first."""
    return _ranked(cell.verdicts)


def _ranked(counts: Mapping[VerdictWord, int] | Mapping[Outcome, int]) -> str:
    ranked = sorted(counts.items(), key=lambda entry: -entry[1])
    return ", ".join(f"{word} {count}" for word, count in ranked)


def times_text(cell: SoakCell) -> str:
    """Return `5/9/40 ms`: shortest, median and longest; empty if nothing was timed."""
    spread = cell.case_ms
    return f"{spread.min:.0f}/{spread.median:.0f}/{spread.max:.0f} ms" if spread else ""


def soak_lines(soak: Soak) -> tuple[list[str], list[str]]:
    """Write the lines for the end of the terminal output.

    Args:
        soak: of the run record.

    Returns:
        The line with the counts and those of cells whose outcomes or times vary under one verdict; and the lines of flaky cells and
        of leaks, which are failures.
    """
    flaky = [cell for cell in soak.cells if cell.flaky]
    steady = Counter(next(iter(cell.verdicts)) for cell in soak.cells if not cell.flaky)
    counts = [f"{number} always {word}" for word, number in steady.most_common()]
    if flaky:
        counts.append(f"{len(flaky)} flaky")
    news = [f"soak: {len(soak.cells)} cell{'s' * (len(soak.cells) != 1)}, {_times(soak)}: {', '.join(counts)}"]
    unstable = [cell for cell in soak.cells if not cell.flaky and len(cell.outcomes) > 1]
    news += _bounded(unstable, lambda cell: f"varies: {_name(cell)}: {_ranked(cell.outcomes)}; {verdicts_text(cell)}")
    slow = [cell for cell in soak.cells if not cell.flaky and varies(cell)]
    news += _bounded(slow, lambda cell: f"varies: {_name(cell)}: {times_text(cell)} (shortest, median, longest)")
    return news, [*_bounded(flaky, _flaky_text), *map(leak_text, soak.leaks)]


def _times(soak: Soak) -> str:
    """Say how often each cell was run: less often than requested if the run ended early or tests were deselected."""
    runs = sorted({cell.runs for cell in soak.cells})
    if runs == [soak.repeat]:
        return f"{soak.repeat} times each"
    seen = f"{runs[0]} to {runs[-1]}" if len(runs) > 1 else f"{runs[0]}"
    return f"{seen} of {soak.repeat} times each"


def _flaky_text(cell: SoakCell) -> str:
    parts = [f"flaky: {_name(cell)}: {verdicts_text(cell)}", f"connected {cell.connected}", times_text(cell)]
    return "; ".join(part for part in parts if part)


def _name(cell: SoakCell) -> str:
    return f"{column_name(cell)} {cell.server} {cell.case}"


def _bounded(cells: list[SoakCell], text: Callable[[SoakCell], str]) -> list[str]:
    lines = [one_line(text(cell)) for cell in cells[:LISTED]]
    if len(cells) > LISTED:
        lines.append(f"... and {len(cells) - LISTED} more, in run.json under soak")
    return lines
