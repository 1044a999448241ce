"""The JSON Schema of the run record, as shipped in the package: reads one file, knows nothing of runs."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def run_schema() -> dict[str, Any]:
    """The schema of run.json (`tls-harness/run/1`); a line of run.jsonl is its `$defs/journal_line`."""
    text = resources.files("harness.reports").joinpath("run.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
