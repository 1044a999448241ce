"""The exit code of a run: 1 says something about TLS or the tests, 10 that boards or the harness kept it from saying it.

Knows reports and counts. Must not know why a test failed: its verdict, or the mark of a fault, decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from harness.errors import FAULT_EXIT_CODE

# The exit codes that say how the tests ended. All others (interrupted, internal error, usage) stay as they are.
ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


def is_fault(report: Any) -> bool:
    """Whether a report that failed did so because of a board, its line or the harness."""
    data = getattr(report, "tls", None) if getattr(report, "when", None) == "call" else None
    return bool(data["result"]["verdict"] == "error" if data else getattr(report, "tls_fault", False))


@dataclass(slots=True)
class Tally:
    """Counts the reports of a run that failed.

    `failed` are results of TLS and ordinary tests, `faults` those that a fault of a board, its line or the harness failed.
    """

    failed: int = 0
    faults: int = 0

    def take(self, report: Any) -> None:
        """Count one report of a phase of a test, or of collection."""
        if not report.failed:
            return
        if is_fault(report):
            self.faults += 1
        else:
            self.failed += 1


def exit_code(status: int, tally: Tally, *, worse: bool, untried: bool) -> int:
    """Return the exit code of a run.

    Args:
        status: pytest's own.
        tally: of all its reports.
        worse: whether the run fails although its tests may have passed: a regression, a changed verdict.
        untried: whether a board could try nothing, or a report is lost.
    """
    if status not in ENDED:
        return status
    if tally.failed or worse:
        return int(pytest.ExitCode.TESTS_FAILED)
    return FAULT_EXIT_CODE if tally.faults or untried else status
