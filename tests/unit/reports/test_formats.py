"""The formats of reports: one table, which the command line, its help and the docs follow."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.reports.formats import FORMATS, REPORT_SUFFIXES, SUFFIX_HELP, Format, rendered
from harness.reports.record.run_types import RunRecord

ROOT = Path(__file__).resolve().parents[3]
DATA = json.loads((Path(__file__).parent / "record" / "data" / "run-1.json").read_text(encoding="ascii"))
RUN = RunRecord.of_json({**DATA, "schema": "tls-harness/run/2"})


@pytest.mark.parametrize("item", FORMATS, ids=lambda item: item.suffix)
def test_every_renderer_takes_the_same_arguments(item: Format) -> None:
    """A renderer is a function of a record and the path to the artifacts, and returns a text."""
    parameters = inspect.signature(item.render).parameters
    assert list(parameters) == ["run", "links"]
    assert parameters["links"].default == ""
    text = item.render(RUN, links="../.compat")
    assert text == rendered(RUN, suffix=item.suffix, links="../.compat")
    assert "in-process" in text


def test_the_docs_list_the_formats() -> None:
    """The table in docs/reports.md has the rows of this table, in its order; UPDATE_TEXTS=1 writes it."""
    page = ROOT / "docs" / "reports.md"
    before, head, rest = page.read_text(encoding="utf-8").partition("| suffix | for | content |\n|---|---|---|\n")
    old, blank, after = rest.partition("\n\n")
    assert head
    assert blank
    new = "\n".join(f"| `{item.suffix}` | {item.reader} | {item.content} |" for item in FORMATS)
    if os.environ.get("UPDATE_TEXTS"):
        page.write_text(f"{before}{head}{new}{blank}{after}", encoding="utf-8")
    else:
        assert old == new


def test_the_help_lists_the_suffixes() -> None:
    """Help texts take the suffixes from the table."""
    assert f"the suffix selects the format: {', '.join(REPORT_SUFFIXES)}" == SUFFIX_HELP


def test_the_table_imports_no_renderer() -> None:
    """pytest reads the table in every suite, so renderers and the run record are imported when they are used."""
    code = "import sys, harness.reports.formats; print([n for n in sys.modules if n.startswith(('msgspec', 'jinja2', 'harness.reports.'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['harness.reports.formats']"


def test_markdown_is_a_page() -> None:
    """The Markdown format is a page with a heading."""
    assert rendered(RUN, suffix=".md").startswith("# TLS compatibility")
