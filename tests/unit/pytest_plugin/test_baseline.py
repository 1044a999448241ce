"""`--baseline`: what is read before a run, and what is compared after it."""

import json
from dataclasses import replace

import msgspec
import pytest

from harness.errors import UsageError
from harness.model import VerdictWord
from harness.pytest_plugin.baseline import (
    LISTED,
    baseline_entry,
    baseline_lines,
    check_common,
    compare_with,
    read_baseline,
)
from harness.reports.record.cells import missing_cells
from harness.reports.record.columns import cell_of


@pytest.fixture(scope="module")
def baseline(good_run):
    """Return a real run as the baseline."""
    return read_baseline("run.json", folder=good_run.parent)


@pytest.fixture
def record(baseline):
    """Return this run: a copy of the baseline, to be changed."""
    return baseline.run


def changed(record, *, whole=None, **fields):
    """Return a record with other fields."""
    run = record.run if whole is None else msgspec.structs.replace(record.run, whole=whole)
    return msgspec.structs.replace(record, run=run, **fields)


def planned(record):
    """Return the cells of a record."""
    return [cell_of(result) for result in record.results]


def told(file, record, cells=None):
    """Return (kind, case) of each change, and the number of cells that were not compared."""
    found = compare_with(file, record, planned=planned(record) if cells is None else cells)
    return [(change.kind.value, change.case) for change in found.changes], found.left_out


def test_a_wrong_file(good_run, tmp_path):
    """One line that names the option, the file and what is expected."""
    with pytest.raises(
        UsageError, match=r"^--baseline none\.json: cannot be read \(No such file or directory\); expected"
    ):
        read_baseline("none.json", folder=tmp_path)
    empty = {**json.loads(good_run.read_text()), "results": []}
    (tmp_path / "empty.json").write_text(json.dumps(empty))
    with pytest.raises(UsageError) as caught:
        read_baseline("empty.json", folder=tmp_path)
    assert str(caught.value) == "--baseline empty.json: this run has no results, so there is nothing to compare with"


def test_other_boards(baseline, record):
    """A baseline with nothing in common is refused before the run: everything would be new."""
    check_common(baseline, planned(record))
    check_common(baseline, [])
    with pytest.raises(UsageError) as caught:
        check_common(baseline, [replace(cell, board="desk") for cell in planned(record)])
    assert str(caught.value) == (
        "--baseline run.json: no board and server in common with this run: it has unix with in-process; "
        "this run has desk with in-process"
    )


def test_deselected_cells_do_not_count(baseline, record):
    """Cases that -k deselects are counted, and not gone."""
    less = changed(record, whole=False, results=record.results[:3])
    assert told(baseline, less) == ([], len(baseline.run.results) - 3)


def test_planned_cells_count(baseline, record):
    """A case that was planned and has no result is gone; so is one that is no longer in the list."""
    cells, *results, last = planned(record), *record.results
    missing = missing_cells(cells, results)
    less = changed(record, whole=False, results=tuple(results), missing=missing)
    assert told(baseline, less, cells) == ([("gone", last.case)], 0)
    assert told(baseline, changed(less, whole=True, missing=())) == ([("gone", last.case)], 0)


def test_other_boards_of_the_baseline_do_not_count(baseline, record):
    """A baseline of the whole lab can be used for each of its boards."""
    more = tuple(msgspec.structs.replace(result, board="desk") for result in baseline.run.results)
    lab = replace(baseline, run=changed(baseline.run, results=(*baseline.run.results, *more)))
    assert told(lab, record) == ([], len(more))


def test_the_record_and_the_terminal(baseline, record):
    """The record has every change, the terminal the first of each kind; the last line has the result."""
    number = len(record.results)
    assert number > LISTED
    insecure = [msgspec.structs.replace(result, verdict=VerdictWord.INSECURE) for result in record.results]
    found = compare_with(baseline, changed(record, results=tuple(insecure)), planned=planned(record))
    assert baseline_entry(baseline, found).as_json() == {
        "file": "run.json", "started": baseline.run.run.started, "compared": number, "unchanged": 0, "left_out": 0, "notes": (),
    }  # fmt: skip
    assert [change.kind for change in found.changes] == ["new failure"] * number
    lines = baseline_lines(baseline, found)
    assert lines[0] == f"baseline: run.json, {baseline.run.run.started}, {number} results"
    assert lines[1] == f"new failure ({number}): regression"
    assert lines[-2] == f"  ... and {number - LISTED} more"
    assert lines[-1] == f"REGRESSION: {number} new failure ({number} compared, 0 unchanged)"
