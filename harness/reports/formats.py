"""The formats of `--compat-report`: suffix -> function from the run record to text. Adding one is one line here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from harness.reports.html import render_html
from harness.reports.text.markdown import render_markdown
from harness.reports.text.spreadsheet import render_csv


def render_json(run: dict[str, Any]) -> str:
    """The run record itself, one line per board, case and result: `grep` finds one, and thousands are written in a second."""
    return "{" + ",".join(f"\n {json.dumps(key)}: {_lines(value)}" for key, value in run.items()) + "\n}\n"


def _lines(value: Any) -> str:
    """JSON, each item of a list on its own line; `indent` would have every number of it walked through in Python."""
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    return "[" + ",".join(f"\n  {json.dumps(item)}" for item in value) + "\n ]"


FORMATS: dict[str, Callable[[dict[str, Any]], str]] = {
    ".json": render_json,
    ".html": render_html,
    ".md": render_markdown,
    ".csv": render_csv,
}


def rendered(run: dict[str, Any], *, suffix: str, links: str = "") -> str:
    """Render a run record in the format of a file name's suffix.

    Args:
        run: as in run.json.
        suffix: with its dot.
        links: the artifacts folder as seen from the report, for the format that links to captures and transcripts.
    """
    return render_html(run, links=links) if suffix == ".html" else FORMATS[suffix](run)
