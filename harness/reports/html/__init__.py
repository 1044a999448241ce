"""The HTML report: one file that needs nothing else. Pure; the page's own parts are read from the package.

Texts of boards and servers are data here: Jinja2 escapes them, they cannot end the JSON element, and the script writes textContent only.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from dataclasses import asdict
from importlib import resources
from typing import TYPE_CHECKING

from harness.reports.html.data import page_data, script_json, visible
from harness.reports.html.overview import overview
from harness.reports.html.plots import plots
from harness.reports.record.columns import by_column
from harness.reports.record.link_times import link_times
from harness.reports.record.run_types import RunRecord

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

# In this order they are one script, in one scope.
SCRIPTS = ("matrix.js", "folds.js", "cell.js", "start.js")
# Longer words than this may be broken, at these places only; `soft` in matrix.js is the same.
LONG_WORD = 12
_WORDS = re.compile(r"(\s+)")
_ENDS = re.compile(r"(?<=[A-Za-z0-9][:@_/-])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=\.[A-Za-z])")


def render_html(run: RunRecord, *, links: str = "") -> str:
    """Render a run record as one page.

    Args:
        run: the record.
        links: the relative path from the page to the artifacts; empty for the same folder.
    """
    from markupsafe import Markup

    networks = [asdict(row) for row in link_times(run.results)]
    run = by_column(run)
    style = part("style.css")
    script = f'"use strict";\n(() => {{\n{"".join(map(part, SCRIPTS))}}})();\n'
    values = {
        "view": visible(overview(run)),
        "plots": visible(plots(run)),
        "networks": visible(networks),
        "data": Markup(script_json({**page_data(run), "links": links})),
        "policy": policy(style=style, script=script),
    }
    template = environment().from_string(part("page.html.j2"))
    return template.render(style=Markup(style), script=Markup(script), **values)


def environment() -> jinja2.Environment:
    """Return the environment of the pages' templates: everything is escaped; the filter `soft` lets long names break where a word ends."""
    import jinja2

    made = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["soft"] = soft
    return made


@functools.lru_cache(maxsize=4096)
def soft(text: object) -> Markup:
    """Return a text in which a line may also end within a long name: after `:`, `@`, `_`, `/` or `-`, and before a file's ending."""
    from markupsafe import Markup, escape

    words = _WORDS.split(str(text))
    pieces = (_ENDS.split(word) if len(word) > LONG_WORD else [word] for word in words)
    return Markup("").join(Markup("<wbr>").join(escape(piece) for piece in word) for word in pieces)


def policy(*, style: str, script: str | None = None) -> str:
    """Return the Content-Security-Policy: this page's own style and script by their hashes, and nothing else."""
    scripts = "" if script is None else f"script-src '{_hash(script)}'; "
    return f"default-src 'none'; style-src '{_hash(style)}'; {scripts}base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def part(name: str) -> str:
    """Return a file of this package that becomes part of a page."""
    return resources.files("harness.reports.html").joinpath(name).read_text(encoding="utf-8")
