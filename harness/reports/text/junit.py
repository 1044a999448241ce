"""The properties of one result in pytest's own JUnit XML (`--junitxml`). Pure."""

from __future__ import annotations

from harness.model import CaseResult
from harness.reports.record.plain import one_line
from harness.reports.text.failure_text import alert_text

# A dashboard shows a property in a cell of a table.
LIMIT = 500


def junit_properties(result: CaseResult, *, firmware: str | None) -> list[tuple[str, str]]:
    """Return names and values, always the same names in the same order; a value is empty if unknown.

    Args:
        result: of a case, tried or not.
        firmware: of its board; None if the board could not be probed.

    Returns:
        For `item.user_properties`: properties that are there before the report of the call is made reach JUnit, from a worker of
        pytest-xdist too. Control characters are escaped, so that the values are valid in XML whatever a board sent.
    """
    seen = result.observation
    fatal = seen.fatal_alert() if seen else None
    explanation = result.explanation
    values = {
        "board": result.board,
        "firmware": firmware or "",
        "server": result.server,
        "client": result.client,
        "link": result.link,
        "case": result.case,
        "outcome": seen.outcome.value if seen else "not-run",
        "verdict": result.verdict.word.value,
        "weak": "; ".join(seen.weak) if seen else "",
        "unverified": "true" if result.unverified else "",
        "alert": alert_text((fatal,)) if fatal else "",
        "explanation": f"{explanation.rule}: {explanation.title}" if explanation else "",
    }
    return [(name, _short(one_line(value))) for name, value in values.items()]


def _short(text: str) -> str:
    return text if len(text) <= LIMIT else text[: LIMIT - 3] + "..."
