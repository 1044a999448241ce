"""The JSON Schemas of what the harness writes, as shipped in the package: reads files, knows nothing of runs."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def run_schema() -> dict[str, Any]:
    """The schema of run.json (`tls-harness/run/1`); a line of run.jsonl is its `$defs/journal_line`."""
    return _read("run.schema.json")


def diagnosis_schema() -> dict[str, Any]:
    """The schema of `tls-harness diagnose --json` (`tls-harness/diagnose/1`), with the run's inside, whose results it holds."""
    schema = _read("diagnosis.schema.json")
    schema["$defs"]["run"] = run_schema()
    return schema


def _read(name: str) -> dict[str, Any]:
    text = resources.files("harness.reports.record").joinpath(name).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
