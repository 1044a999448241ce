"""A run record as JSON: run.json. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.reports.record.result_types import Json
from harness.reports.record.run_types import RunRecord


def render_json(run: RunRecord, *, links: str = "") -> str:
    """Render a run record.

    Args:
        run: the record.
        links: not used.

    Returns:
        JSON with one line per board, server, case and result, so that `grep` finds one and a diff shows one.
    """
    return "{" + ",".join(f"\n {json.dumps(key)}: {_lines(value)}" for key, value in run.as_json().items()) + "\n}\n"


def _lines(value: Json) -> str:
    """Return JSON with each item of a list on its own line; `indent` would put every number on one."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        return json.dumps(value)
    return "[" + ",".join(f"\n  {json.dumps(item)}" for item in value) + "\n ]"
