"""The formats of reports: each suffix that the command line accepts has its function."""

from __future__ import annotations

import json

from harness.pytest_plugin.options import REPORT_SUFFIXES
from harness.reports.formats import FORMATS, rendered

RUN = {"boards": [], "servers": [], "cases": [], "results": []}


def test_every_accepted_suffix_has_a_format() -> None:
    """The list of the command line (which imports no report) is the list of formats."""
    assert sorted(FORMATS) == sorted(REPORT_SUFFIXES)


def test_json_is_the_record_itself() -> None:
    """Nothing is lost between the record and its file."""
    assert json.loads(rendered(RUN, suffix=".json")) == RUN


def test_json_has_a_line_for_each_result() -> None:
    """So that `grep` shows one of thousands whole."""
    run = {"schema": "x", "boards": [], "results": [{"case": "a/\u00e9", "n": [1, {"x": None}]}, {"case": "b"}]}
    text = rendered(run, suffix=".json")
    assert json.loads(text) == run
    lines = [json.loads(line.rstrip(",")) for line in text.splitlines() if line.startswith("  {")]
    assert lines == run["results"]
    assert len(text.splitlines()) == 8


def test_markdown_is_a_page() -> None:
    """The Markdown format is a page with a heading."""
    assert rendered(RUN, suffix=".md").startswith("# TLS compatibility")
