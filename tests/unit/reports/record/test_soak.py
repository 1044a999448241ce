"""What cells did, run after run."""

import json
import re

import jsonschema
import pytest

from harness.model import Outcome, VerdictWord
from harness.reports.record.result_types import Memory, Result, Timing
from harness.reports.record.run_types import RunRecord, Soak
from harness.reports.record.schema import run_schema
from harness.reports.record.soak import LISTED, flaky_cells, soak_lines, soak_of, times_text, varies, verdicts_text
from harness.reports.text.markdown import render_markdown


def result(verdict="pass", *, case="seed/x", took=10.0, outcome="connected", board="unix"):
    """A result without what the statistics do not read."""
    return Result(
        board=board,
        server="in-process",
        case=case,
        attempt=1,
        verdict=VerdictWord(verdict),
        outcome=Outcome(outcome),
        stage=None,
        ended_by=None,
        reason=None,
        expected=None,
        observed=None,
        mismatches=(),
        explanation=None,
        timing_ms=Timing(case=took, handshake_board=None if took is None else took / 2, handshake_server=None),
        memory_bytes=Memory(free_before=None, free_low=None, free_after=None),
        artifacts={},
    )


def a_run(results=(), *, soak=None):
    """A run record."""
    return RunRecord.of_json(
        {
            "schema": "tls-harness/run/2",
            "run": {"harness": "0", "cases": "core", "started": "1", "finished": "2", "arguments": []},
            "host": {
                "python": "3", "openssl": "3", "default_suites": [], "security_level": 1, "platform": "p", "implementation": "i",
            },
            "boards": [],
            "servers": [],
            "cases": [],
            "results": [item.as_json() for item in results],
            "soak": soak.as_json() if soak else None,
        }
    )  # fmt: skip


def only_cell(*results, repeat=None):
    """The one cell that these results make."""
    (cell,) = soak_of(results, repeat=repeat or max(2, len(results))).cells
    return cell


def test_steady():
    """Always the same: not flaky; times as shortest, median and longest."""
    cell = only_cell(*(result(took=took) for took in (30.0, 10.0, 11.5, 20.0)))
    assert json.loads(json.dumps(cell.as_json())) == {
        "board": "unix",
        "server": "in-process",
        "case": "seed/x",
        "runs": 4,
        "flaky": False,
        "connected": "always",
        "passed": "always",
        "verdicts": {"pass": 4},
        "outcomes": {"connected": 4},
        "case_ms": {"min": 10.0, "median": 15.75, "max": 30.0},
        "handshake_board_ms": {"min": 5.0, "median": 7.88, "max": 15.0},
    }
    assert (verdicts_text(cell), times_text(cell)) == ("pass 4", "10/16/30 ms")


@pytest.mark.parametrize(
    ("words", "flaky", "passed"),
    [
        (("pass", "pass"), False, "always"),
        (("fail", "fail"), False, "never"),
        (("known", "known"), False, "never"),
        (("pass", "fail"), True, "sometimes"),
        (("pass", "known"), True, "sometimes"),
        (("known", "unsupported"), True, "never"),
        (("pass", "error"), True, "sometimes"),
        (("pass",) * 99 + ("insecure",), True, "sometimes"),
    ],
)
def test_any_change_of_the_verdict_is_flaky(words, flaky, passed):
    """A change between any two verdicts counts, even once in a hundred runs, and even if both are good."""
    cell = only_cell(*map(result, words))
    assert (cell.flaky, cell.passed) == (flaky, passed)


def test_connected_sometimes():
    """How often it connected is recorded next to how often it passed."""
    cell = only_cell(result(), result("fail", outcome="refused"))
    assert (cell.connected, cell.outcomes) == ("sometimes", {"connected": 1, "refused": 1})
    assert only_cell(result("pass", outcome="refused")).connected == "never"


def test_without_times():
    """A case that never ran has no times, and is not slow."""
    cell = only_cell(result("error", took=None, outcome="not-run"))
    assert (cell.case_ms, times_text(cell), varies(cell)) == (None, "", False)


@pytest.mark.parametrize(
    ("times", "slow"),
    [
        ((10, 10, 10), False),
        ((10, 10, 109), False),
        ((10, 10, 110), True),
        ((200, 200, 400), False),
        ((60, 60, 179), False),
        ((60, 60, 180), True),
        ((60, 60, 200), True),
    ],
)
def test_varies(times, slow):
    """One run took three times as long as the median, and at least a tenth of a second longer."""
    assert varies(only_cell(*(result(took=float(took)) for took in times))) is slow


def test_lines():
    """Counts and cells whose times vary; flaky cells are returned separately, because they are failures."""
    results = [
        result(),
        result(),
        result("unsupported", case="seed/y", took=None, outcome="not-run"),
        result("unsupported", case="seed/y", took=None, outcome="not-run"),
        result(case="seed/z", took=10.0),
        result("error", case="seed/z", took=None, outcome="not-run"),
        result(case="seed/slow", took=10.0),
        result(case="seed/slow", took=11.0),
        result(case="seed/slow", took=900.0),
    ]
    assert soak_lines(soak_of(results, repeat=3)) == (
        [
            "soak: 4 cells, 2 to 3 of 3 times each: 2 always pass, 1 always unsupported, 1 flaky",
            "varies: unix in-process seed/slow: 10/11/900 ms (shortest, median, longest)",
        ],
        ["flaky: unix in-process seed/z: pass 1, error 1; connected sometimes; 10/10/10 ms"],
    )


def test_fewer_runs_than_requested():
    """If a run ended early or tests were deselected, the number of runs is given, not only the requested number."""
    two = [result(), result(), result(case="seed/y")]
    assert soak_lines(soak_of(two, repeat=5))[0] == ["soak: 2 cells, 1 to 2 of 5 times each: 2 always pass"]
    assert soak_lines(soak_of([result()], repeat=5))[0] == ["soak: 1 cell, 1 of 5 times each: 1 always pass"]


def test_outcomes_that_change_under_one_verdict():
    """A cell that fails in two ways is listed with both outcomes."""
    runs = [result("fail", outcome=outcome) for outcome in ("hung", "refused", "hung")]
    assert soak_lines(soak_of(runs, repeat=3)) == (
        [
            "soak: 1 cell, 3 times each: 1 always fail",
            "varies: unix in-process seed/x: hung 2, refused 1; fail 3",
        ],
        [],
    )


def test_many_flaky_cells():
    """The list is limited, and the rest is counted."""
    results = [result(word, case=f"seed/{number}") for number in range(LISTED + 3) for word in ("pass", "fail")]
    _steady, bad = soak_lines(soak_of(results, repeat=2))
    assert (len(bad), bad[-1]) == (LISTED + 1, "... and 3 more, in run.json under soak")


def test_as_many_cells_as_fit_on_a_screen():
    """Twenty are listed in full, without a line about more."""
    results = [result(word, case=f"seed/{number}") for number in range(20) for word in ("pass", "fail")]
    _steady, bad = soak_lines(soak_of(results, repeat=2))
    assert len(bad) == LISTED == 20


def test_the_most_frequent_verdict_comes_first():
    """Of equally frequent ones the first that was seen; a cell that is flaky is not also called slow."""
    cell = only_cell(result("error", took=900.0), result(took=10.0), result(took=10.0), result("fail", took=10.0))
    assert verdicts_text(cell) == "pass 2, error 1, fail 1"
    assert varies(cell)
    steady, bad = soak_lines(Soak(repeat=4, flaky=1, cells=(cell,)))
    assert steady == ["soak: 1 cell, 4 times each: 1 flaky"]
    assert bad == ["flaky: unix in-process seed/x: pass 2, error 1, fail 1; connected always; 10/10/900 ms"]


def test_only_flaky_cells():
    """The cells of a record that changed their verdict, in their order."""
    results = [result(case="a"), result(case="a"), result(case="b"), result("fail", case="b")]
    assert [cell.case for cell in flaky_cells(a_run(soak=soak_of(results, repeat=2)))] == ["b"]
    assert flaky_cells(a_run()) == []


def test_one_cell():
    """The singular is used for one cell."""
    assert soak_lines(soak_of([result(), result()], repeat=2)) == (["soak: 1 cell, 2 times each: 1 always pass"], [])


def test_schema():
    """The schema describes the statistics."""
    schema = run_schema()
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/Soak", "$defs": schema["$defs"]})
    soak = soak_of([result(), result("error", took=None, outcome="not-run")], repeat=2)
    data = json.loads(json.dumps(soak.as_json()))
    assert list(validator.iter_errors(data)) == []
    assert not validator.is_valid({**data, "cells": [{**data["cells"][0], "passed": "often"}]})


def test_markdown_says_that_nothing_is_flaky():
    """A soak run whose cells were steady says so, which distinguishes it from a single run."""
    results = [result(), result()]
    text = render_markdown(a_run(results, soak=soak_of(results, repeat=2)))
    assert "soak: 1 cell, 2 times each: 1 always pass" in text
    assert "soak" not in render_markdown(a_run(results))


def test_markdown_shows_flaky_cells_first():
    """Flaky cells come before everything else that is wrong; without a soak there is no such section."""
    results = [result(board="x|y"), result("fail", board="x|y")]
    run = a_run(results, soak=soak_of(results, repeat=2))
    assert [cell.case for cell in flaky_cells(run)] == ["seed/x"]
    text = render_markdown(run)
    assert text.index("## Flaky") < text.index("## Not as expected")
    assert "| x\\|y | in-process | seed/x | pass 1, fail 1 | always | 10/10/10 ms |" in text
    assert "## Flaky" not in render_markdown(a_run(results))
    many = [result(word, case=f"seed/{number}") for number in range(999) for word in ("pass", "fail")]
    assert re.search(r"[0-9]+ rows of Flaky \(999\)", render_markdown(a_run(soak=soak_of(many, repeat=2))))
