"""run.json as it is written."""

from __future__ import annotations

import json
from pathlib import Path

from harness.reports.record.run_types import RunRecord
from harness.reports.text.run_json import render_json

DATA = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))
DATA["schema"] = "tls-harness/run/2"


def test_the_file_is_the_record() -> None:
    """Nothing is lost between the record and its file."""
    assert json.loads(render_json(RunRecord.of_json(DATA))) == DATA


def test_a_line_for_each_result() -> None:
    """`grep` shows one of thousands of results whole."""
    run = {**DATA, "results": [{**item, "reason": "\u00e9"} for item in DATA["results"]]}
    text = render_json(RunRecord.of_json(run))
    assert text.isascii()
    lines = [json.loads(line.rstrip(",")) for line in text.splitlines() if line.startswith("  {")]
    assert [line for line in lines if "verdict" in line] == run["results"]
