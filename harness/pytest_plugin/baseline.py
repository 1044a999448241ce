"""`--baseline RUN.json`: compare with an earlier run. Reads one file before the run; the rest is pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.model import Cell
    from harness.reports.record.diff import Comparison
    from harness.reports.record.reading import RunFile
    from harness.reports.record.run_types import Baseline, RunRecord

OPTION = "--baseline"
# How many changes of each kind are printed; run.json has all of them.
LISTED = 20
# The beginning of the names of the files of a run that would replace a larger baseline.
PART = "part-"


def read_baseline(path: str, *, folder: Path) -> RunFile:
    """Read the earlier run, before anything is opened.

    Args:
        path: as given.
        folder: where pytest was started.

    Raises:
        UsageError: it is not a run record, or has no result.
    """
    from harness.reports.record.reading import read_run

    file = read_run(path, source=OPTION, start=folder)
    if not file.run.results:
        raise UsageError(f"{OPTION} {path}: this run has no results, so there is nothing to compare with")
    return file


def would_replace(file: RunFile, folder: Path, *, planned: Collection[Cell]) -> bool:
    """Whether the record of this run would replace the baseline although it leaves out some of its cells.

    Args:
        file: the baseline.
        folder: the artifacts folder of this run.
        planned: the cells that this run includes.
    """
    from harness.reports.record.columns import cell_of

    there = {cell_of(result) for result in file.run.results}
    own = {(folder / name).resolve() for name in ("run.json", "run.jsonl")}
    return (file.folder / Path(file.path).name).resolve() in own and not there <= set(planned)


def check_common(file: RunFile, planned: Collection[Cell]) -> None:
    """Refuse a comparison in which every case would be new.

    Raises:
        UsageError: the two runs have no board and server in common.
    """
    from harness.reports.record.columns import cell_of, column_title
    from harness.reports.record.plain import one_line

    there, here = (
        dict.fromkeys(columns)
        for columns in (
            (replace(cell_of(item), case="") for item in file.run.results),
            (replace(cell, case="") for cell in planned),
        )
    )
    if here and not there.keys() & here.keys():
        names = [", ".join(map(column_title, columns)) for columns in (there, here)]
        raise UsageError(
            one_line(
                f"{OPTION} {file.path}: no board and server in common with this run: it has {names[0]}; this run has {names[1]}"
            )
        )


def compare_with(file: RunFile, record: RunRecord, *, planned: Collection[Cell]) -> Comparison:
    """Return what changed since the baseline.

    Cells that this run does not include are not a change: other boards and servers, a larger set, cases excluded with `-k`.

    Args:
        file: the baseline.
        record: of this run.
        planned: the cells that this run includes.
    """
    from harness.reports.record.diff import asked_for, compare

    columns = {replace(cell, case="") for cell in planned}
    in_the_set = asked_for(record, known=file.run)
    return compare(file.run, record, wanted=lambda cell: replace(cell, case="") in columns and in_the_set(cell))


def baseline_entry(file: RunFile, found: Comparison) -> Baseline:
    """Return the key `baseline` of the run record."""
    from harness.reports.record.run_types import Baseline

    return Baseline(
        file=file.path,
        started=file.run.run.started,
        compared=found.compared,
        unchanged=found.unchanged,
        left_out=found.left_out,
        notes=(*file.notes, *found.notes),
    )


def baseline_lines(file: RunFile, found: Comparison) -> list[str]:
    """Return the lines for the terminal; the last one is the summary."""
    from harness.reports.text.diff_text import change_lines, compared, summary

    head = f"baseline: {compared(file.path, file.run).as_text()}"
    return [head, *file.notes, *found.notes, *change_lines(found, limit=LISTED), summary(found)]
