"""`--baseline RUN.json`: an earlier run that this one must not be worse than. Reads one file before the run; the rest is pure."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.model import Cell
    from harness.reports.record.diff import Comparison
    from harness.reports.record.reading import RunFile

OPTION = "--baseline"
# Of each kind so many changes are printed; run.json has all of them.
LISTED = 20


def read_baseline(path: str, *, folder: Path) -> RunFile:
    """Read the earlier run, before anything is opened.

    Args:
        path: as it was told.
        folder: where pytest was started.

    Raises:
        UsageError: it is no run record, or one without any result.
    """
    from harness.reports.record.reading import read_run

    file = read_run(path, told=OPTION, start=folder)
    if not file.run["results"]:
        raise UsageError(f"{OPTION} {path}: this run has no results, so there is nothing to compare with")
    return file


def check_common(file: RunFile, planned: Collection[Cell]) -> None:
    """Refuse a comparison that could only say "new".

    Raises:
        UsageError: the two runs have no board and server in common.
    """
    from harness.reports.record.plain import one_line

    there, here = (
        dict.fromkeys(columns)
        for columns in (
            ((item["board"], item["server"]) for item in file.run["results"]),
            ((cell.board, cell.server) for cell in planned),
        )
    )
    if here and not there.keys() & here.keys():
        names = [", ".join(f"{board} with {server}" for board, server in columns) for columns in (there, here)]
        raise UsageError(
            one_line(
                f"{OPTION} {file.path}: no board and server in common with this run: it has {names[0]}; this run has {names[1]}"
            )
        )


def compare_with(file: RunFile, record: dict[str, Any], *, planned: Collection[Cell]) -> Comparison:
    """What changed since the baseline.

    What this run was not asked for is no change: other boards and servers, a larger set, what `-k` left out.

    Args:
        file: the baseline.
        record: of this run, as in run.json.
        planned: the cells that this run was to fill.
    """
    from harness.reports.record.diff import asked_for, compare

    columns = {(cell.board, cell.server) for cell in planned}
    in_the_set = asked_for(record, known=file.run)
    return compare(file.run, record, wanted=lambda cell: (cell.board, cell.server) in columns and in_the_set(cell))


def baseline_json(file: RunFile, found: Comparison) -> dict[str, Any]:
    """What the run record says of the comparison: the keys `baseline` and `changes`."""
    about = {
        "file": file.path,
        "started": file.run["run"]["started"],
        "compared": found.compared,
        "unchanged": found.unchanged,
        "left_out": found.left_out,
        "notes": [*file.notes, *found.notes],
    }
    return {"baseline": about, "changes": [change.as_json() for change in found.changes]}


def baseline_lines(file: RunFile, found: Comparison) -> list[str]:
    """What the terminal says at the end; the last line is the answer."""
    from harness.reports.text.diff_text import change_lines, compared, summary

    head = f"baseline: {compared(file.path, file.run).as_text()}"
    return [head, *file.notes, *found.notes, *change_lines(found, limit=LISTED), summary(found)]
