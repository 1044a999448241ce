"""What a test of pytest's own JUnit XML (`--junitxml`) says beyond pass and fail: properties of one result. Pure."""

from __future__ import annotations

from harness.model import CaseResult
from harness.reports.record.plain import one_line
from harness.reports.text.failure_text import alert_text

# A dashboard shows a property in a cell of a table.
LIMIT = 500


def junit_properties(result: CaseResult, *, firmware: str | None) -> list[tuple[str, str]]:
    """Names and values, always the same names in the same order; empty where there is nothing to say.

    Args:
        result: of a case, tried or not.
        firmware: of its board, None where the board could not be asked.

    Returns:
        For `item.user_properties`: what is put there before the report of the call is made reaches JUnit, also from a worker of
        pytest-xdist. Control characters are written out, so that the values are valid in XML whatever a board sent.
    """
    seen = result.observation
    fatal = seen.fatal_alert() if seen else None
    explanation = result.explanation
    values = {
        "board": result.board,
        "firmware": firmware or "",
        "server": result.server,
        "case": result.case,
        "outcome": seen.outcome.value if seen else "not-run",
        "verdict": result.verdict.word.value,
        "alert": alert_text((fatal,)) if fatal else "",
        "explanation": f"{explanation.rule}: {explanation.title}" if explanation else "",
    }
    return [(name, _short(one_line(value))) for name, value in values.items()]


def _short(text: str) -> str:
    return text if len(text) <= LIMIT else text[: LIMIT - 3] + "..."
