"""`--baseline`: what is read before a run, and what of it counts after it."""

import copy
import json
from dataclasses import replace

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.baseline import (
    LISTED,
    baseline_json,
    baseline_lines,
    check_common,
    compare_with,
    read_baseline,
)
from harness.reports.record.cells import cell_json, cell_of


@pytest.fixture(scope="module")
def baseline(good_run):
    """A real run as the baseline."""
    return read_baseline("run.json", folder=good_run.parent)


@pytest.fixture
def record(baseline):
    """This run: the same, to be changed."""
    return copy.deepcopy(baseline.run)


def planned(record):
    """The cells of a record."""
    return [cell_of(result) for result in record["results"]]


def told(file, record, cells=None):
    """(kind, case) of each change, and how many cells were left out."""
    found = compare_with(file, record, planned=planned(record) if cells is None else cells)
    return [(change.kind.value, change.case) for change in found.changes], found.left_out


def test_a_wrong_file(good_run, tmp_path):
    """One line that names the option, the file and what is wanted."""
    with pytest.raises(
        UsageError, match=r"^--baseline none\.json: cannot be read \(No such file or directory\); wanted is"
    ):
        read_baseline("none.json", folder=tmp_path)
    empty = {**json.loads(good_run.read_text()), "results": []}
    (tmp_path / "empty.json").write_text(json.dumps(empty))
    with pytest.raises(UsageError) as caught:
        read_baseline("empty.json", folder=tmp_path)
    assert str(caught.value) == "--baseline empty.json: this run has no results, so there is nothing to compare with"


def test_other_boards(baseline, record):
    """Nothing in common is refused before the run: it would only be told that everything is new."""
    check_common(baseline, planned(record))
    check_common(baseline, [])
    with pytest.raises(UsageError) as caught:
        check_common(baseline, [replace(cell, board="desk") for cell in planned(record)])
    assert str(caught.value) == (
        "--baseline run.json: no board and server in common with this run: it has unix with in-process; "
        "this run has desk with in-process"
    )


def test_what_was_not_chosen_does_not_count(baseline, record):
    """-k leaves out cases: they are counted, and not gone."""
    record["results"] = record["results"][:3]
    record["run"]["whole"] = False
    assert told(baseline, record) == ([], len(baseline.run["results"]) - 3)


def test_what_was_to_come_counts(baseline, record):
    """A case that was planned and has no result is gone; so is one that the list has no more."""
    cells, last = planned(record), record["results"].pop()
    record["missing"] = [cell_json(cell_of(last))]
    record["run"]["whole"] = False
    assert told(baseline, record, cells) == ([("gone", last["case"])], 0)
    record["run"]["whole"] = True
    record["missing"] = []
    assert told(baseline, record) == ([("gone", last["case"])], 0)


def test_other_boards_of_the_baseline_do_not_count(baseline, record):
    """A baseline of the whole lab serves each of its boards."""
    more = copy.deepcopy(baseline.run["results"])
    for result in more:
        result["board"] = "desk"
    lab = copy.deepcopy(baseline)
    lab.run["results"] += more
    assert told(lab, record) == ([], len(more))


def test_the_record_and_the_terminal(baseline, record):
    """The record has every change, the terminal the first of each kind; the last line is the answer."""
    for result in record["results"]:
        result["verdict"] = "insecure"
    number = len(record["results"])
    assert number > LISTED
    found = compare_with(baseline, record, planned=planned(record))
    data = baseline_json(baseline, found)
    assert data["baseline"] == {
        "file": "run.json", "started": baseline.run["run"]["started"], "compared": number, "unchanged": 0, "left_out": 0, "notes": [],
    }  # fmt: skip
    assert [change["kind"] for change in data["changes"]] == ["new failure"] * number
    lines = baseline_lines(baseline, found)
    assert lines[0] == f"baseline: run.json, {baseline.run['run']['started']}, {number} results"
    assert lines[1] == f"new failure ({number}): regression"
    assert lines[-2] == f"  ... and {number - LISTED} more"
    assert lines[-1] == f"REGRESSION: {number} new failure ({number} compared, 0 unchanged)"
