"""A simulation as one HTML page that needs nothing else: the same tables and texts as on the terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.model import Outcome, Simulation
from harness.reports.html import environment, part, policy
from harness.reports.record.plain import one_line, plain
from harness.reports.text.recipe_text import recipe_lines
from harness.reports.text.simulation_text import (
    ASSUMED,
    NO_SESSION,
    causes,
    change_title,
    client_words,
    judgements,
    outcome_words,
    partly_assumed,
    problem_lines,
    summary,
    table_lines,
)


def render_simulations(found: Sequence[Simulation]) -> str:
    """Render one or more simulated servers as one page."""
    from markupsafe import Markup

    style = part("style.css")
    return (
        environment()
        .from_string(part("simulation.html.j2"))
        .render(
            servers=[_server(item) for item in found],
            no_session=NO_SESSION,
            assumed=ASSUMED,
            style=Markup(style),
            policy=policy(style=style, script=""),
        )
    )


def _server(found: Simulation) -> dict[str, Any]:
    numbers = {id(result): number for number, result in enumerate(causes(found), start=1)}
    return {
        "name": one_line(found.server),
        "summary": one_line(summary(found)),
        "lines": [plain(line) for line in found.server_lines],
        "certificate": one_line(found.certificate or ""),
        "rows": [
            {
                "port": line.port,
                "releases": line.releases + ("*" if line.assumed else ""),
                "words": one_line(outcome_words(line.result)),
                "good": line.result.outcome is Outcome.CONNECTED,
                "weak": bool(line.result.weak),
                "cause": numbers.get(id(line.result)),
                "library": ", ".join(dict.fromkeys(item.library for item in line.firmware)),
            }
            for line in table_lines(found)
        ],
        "partly": partly_assumed(found),
        "causes": [
            {
                "words": one_line(outcome_words(result)),
                "client": client_words(result),
                "title": one_line(result.explanation.title) if result.explanation else "",
                "why": [plain(line) for line in result.explanation.why] if result.explanation else [],
                "fixes": [
                    one_line(fix.title) + (" (discouraged)" if fix.discouraged else "")
                    for fix in (result.explanation.fixes if result.explanation else ())
                ],
            }
            for result in causes(found)
        ],
        "judgements": [problem_lines(found, result) for result in judgements(found)],
        "changes": [
            {
                "purpose": change_title(found, change).capitalize(),
                "title": one_line(change.fix.title),
                "because": one_line(change.fix.because or "") if change.fix.discouraged else "",
                "counts": f"{change.connecting} of {found.count} connect instead of {found.connecting}",
                "lines": [
                    plain(line)
                    for line in (
                        recipe_lines(change.recipe)
                        if change.recipe is not None and change is found.changes[0]
                        else change.server_lines or change.fix.server_lines
                    )
                ],
            }
            for change in found.changes
        ],
    }
