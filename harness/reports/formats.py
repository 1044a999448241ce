"""The formats of `--compat-report` and `tls-harness report`, in one table. To add one, write its renderer and add a row.

The command line reads this table whenever pytest starts, so renderers are named here and imported when they are used.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.reports.record.run_types import RunRecord


class Renderer(Protocol):
    """A pure function from a run record to the text of a report."""

    def __call__(self, run: RunRecord, *, links: str = "") -> str:
        """Render a run record.

        Args:
            run: the record.
            links: the relative path from the report to the artifacts; empty for the same folder.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    Args:
        suffix: of the file's name, with its dot.
        renderer: `module:function`.
        reader: who reads it.
        content: what is in it; with `reader` a row of the table in docs/reports.md, in Markdown.
    """

    suffix: str
    renderer: str
    reader: str
    content: str

    @property
    def render(self) -> Renderer:
        """The function that renders a run record in this format."""
        render: Renderer = pkgutil.resolve_name(self.renderer)
        return render


FORMATS = (
    Format(
        suffix=".json",
        renderer="harness.reports.text.run_json:render_json",
        reader="scripts",
        content="the run record itself, as `run.json`; "
        "schema in [harness/reports/record/run.schema.json](../harness/reports/record/run.schema.json)",
    ),
    Format(
        suffix=".html",
        renderer="harness.reports.html:render_html",
        reader="people",
        content="one file that needs no network: which server key works with every board and what it costs, all results, why",
    ),
    Format(
        suffix=".md",
        renderer="harness.reports.text.markdown:render_markdown",
        reader="pull requests",
        content="counts, what is wrong (the worst first), the matrix of server keys",
    ),
    Format(
        suffix=".csv",
        renderer="harness.reports.text.spreadsheet:render_csv",
        reader="spreadsheets, databases",
        content="one line per result",
    ),
)
REPORT_SUFFIXES = tuple(item.suffix for item in FORMATS)
SUFFIX_HELP = f"the suffix selects the format: {', '.join(REPORT_SUFFIXES)}"


def rendered(run: RunRecord, *, suffix: str, links: str = "") -> str:
    """Render a run record in the format of a file name's suffix.

    Args:
        run: the record.
        suffix: one of `REPORT_SUFFIXES`.
        links: as `Renderer` takes it.
    """
    return next(item for item in FORMATS if item.suffix == suffix).render(run, links=links)
