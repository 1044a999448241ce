"""How many cases came to their subject."""

import json
from pathlib import Path

import pytest

from harness.model import Subject
from harness.reports.html import render_html
from harness.reports.html.overview import overview
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import RunRecord
from harness.reports.text.markdown import render_markdown
from harness.reports.text.reached_text import lines_of, reached_lines

RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))
SUBJECTS = {
    "cert/a": Subject.SERVER_CERTIFICATE,
    "cert/b": Subject.SERVER_CERTIFICATE,
    "mtls/a": Subject.CLIENT_CERTIFICATE,
    "suite/a": Subject.NEGOTIATION,
}
TO_CERTIFICATE = ["config", "hello", "negotiation", "server-certificate"]
SEEN = next(item["observed"] for item in RECORD["results"] if item["observed"])


def result(case, *reached, board="unix", observed=True):
    """A result whose evidence shows these points."""
    seen = {**SEEN, "reached": list(reached)} if observed else None
    return Result.of_json({**RECORD["results"][0], "board": board, "case": case, "observed": seen})


def lines(*results):
    """The lines of these results."""
    return lines_of(results, subjects=SUBJECTS)


def test_counts():
    """A case counts if its evidence shows the certificate, also where a later point is missing."""
    assert lines(result("cert/a", *TO_CERTIFICATE), result("cert/b", *TO_CERTIFICATE[:3])) == [
        "certificate seen by the board in 1 of 2 certificate cases"
    ]
    assert lines(result("mtls/a", *TO_CERTIFICATE)) == [
        "client certificate requested and answered in 0 of 1 client certificate case"
    ]


def test_without_a_handshake():
    """A case that was not run is one of the cases, and did not come to its subject."""
    assert lines(result("cert/a", observed=False)) == ["certificate seen by the board in 0 of 1 certificate case"]


def test_other_subjects():
    """A run without certificate cases, and a case that the record does not describe, say nothing."""
    assert lines(result("suite/a", *TO_CERTIFICATE), result("own/x", *TO_CERTIFICATE)) == []


def test_several_boards():
    """Each board has its own line: one that sees none must not hide behind another."""
    assert lines(result("cert/a", *TO_CERTIFICATE), result("cert/a", board="lab-1")) == [
        "unix: certificate seen by the board in 1 of 1 certificate case",
        "lab-1: certificate seen by the board in 0 of 1 certificate case",
    ]


@pytest.fixture
def run():
    """A run record with one certificate case."""
    case = {**RECORD["cases"][0], "case": "cert/a", "topic": "cert", "subject": "server-certificate"}
    results = [result("cert/a", *TO_CERTIFICATE).as_json()]
    return RunRecord.of_json({**RECORD, "cases": [case], "results": results, "missing": []})


def test_in_every_report(run):
    """Markdown and the HTML page have the lines."""
    (line,) = reached_lines(run)
    assert line == "certificate seen by the board in 1 of 1 certificate case"
    assert f"* {line}\n" in render_markdown(run)
    assert overview(run)["reached"] == [line]
    assert f"<li>{line}</li>" in render_html(run)


def test_an_older_record():
    """A record without subjects has no lines."""
    assert reached_lines(RunRecord.of_json({**RECORD})) == []
