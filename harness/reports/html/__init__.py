"""The HTML report: one file that needs nothing else. Pure; the page's own parts are read from the package.

Texts of boards and servers are data here: Jinja2 escapes them, the JSON element cannot be left, and the script writes textContent only.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any

from harness.reports.html.data import page_data, script_json
from harness.reports.html.overview import overview
from harness.reports.html.plots import plots
from harness.reports.record.plain import plain


def render_html(run: dict[str, Any], *, links: str = "") -> str:
    """Render a run record as one page.

    Args:
        run: as in run.json; with a list `changes` where it was compared with a baseline.
        links: where the artifacts lie, as seen from the page: a relative path, empty for the same folder.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, script = _part("style.css"), _part("script.js")
    clean = _plain(run)
    return environment.from_string(_part("page.html.j2")).render(
        run=clean,
        view=overview(clean),
        plots=plots(clean),
        data=Markup(script_json(page_data(clean, links=links))),
        style=Markup(style),
        script=Markup(script),
        policy=policy(style=style, script=script),
    )


def policy(*, style: str, script: str) -> str:
    """The Content-Security-Policy: this page's own style and script by their hashes, nothing else from anywhere."""
    return f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _part(name: str) -> str:
    return resources.files("harness.reports.html").joinpath(name).read_text(encoding="utf-8")


def _plain(value: Any) -> Any:
    """Every text of a JSON value with its control characters made visible."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): _plain(item) for key, item in value.items()}
    return value
