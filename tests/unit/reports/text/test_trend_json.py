"""A trend as JSON: one line per run and cell."""

import json

from harness.reports.text.trend_json import SCHEMA, render_trend_json


def test_the_whole_trend(a_run, trend_of):
    """Lists of a cell have an item per run, null where the run has no such cell."""
    trend = trend_of(
        a_run(1, a_run.result("t/a", ms=5.123, heap=1000)),
        a_run(2, a_run.result("t/b"), firmware="1.29"),
        a_run(3, a_run.result("t/a", "fail", ms=7.0), firmware="1.29"),
    )
    text = render_trend_json(trend)
    data = json.loads(text)
    assert (data["schema"], data["notes"]) == (SCHEMA, [])
    assert [run["results"] for run in data["runs"]] == [{"pass": 1}, {"pass": 1}, {"fail": 1}]
    assert data["replaced"] == [{"run": 1, "name": "lab-1", "before": "1.28", "after": "1.29"}]
    cell = data["cells"][0]
    assert {key: cell[key] for key in ("case", "latest", "flaky", "history")} == {
        "case": "t/a", "latest": "fail", "flaky": False, "history": "p.f",
    }  # fmt: skip
    assert (cell["handshake_ms_by_run"], cell["heap_bytes_by_run"]) == ([5.12, None, 7.0], [1000, None, None])
    assert cell["last_change"] == {"run": 2, "before": "pass", "after": "fail", "replaced": "1.28 -> 1.29"}
    assert (cell["handshake_ms"]["median"], cell["handshake_ms"]["way"]) == (6.06, "steady")
    assert data["cells"][1]["handshake_ms"] is None
    assert sum(line.startswith('  {"board"') for line in text.splitlines()) == 2


def test_an_empty_trend(trend_of):
    """Empty lists, still JSON."""
    data = json.loads(render_trend_json(trend_of()))
    assert data == {"schema": SCHEMA, "notes": [], "runs": [], "replaced": [], "cells": []}
