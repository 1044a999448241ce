"""Whether all processes of a run have the same board under one name: pytest-xdist's workers, and those that replace a crashed one.

Each process checks its own board (`harness.boards.agent.same_board`); this compares what they report. The first one counts.
"""

from __future__ import annotations

from typing import Any


class Identities:
    """The boards of a run, as the first process that used each of them saw it."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str, str | None]] = {}
        self._hardware: dict[str, dict[str, str | None]] = {}  # of one board, whatever firmware the run flashes

    def check(self, report: Any, data: dict[str, Any]) -> None:
        """Make a result an `error` if its board is not the one that had this name before.

        Args:
            report: of the test; it fails then.
            data: the result that it carries, with the identity of its board; changed in place.
        """
        label, now = data["result"]["board"], data.get("identity")
        if not now:
            return  # the board could not be probed
        from harness.boards.agent.same_board import changed_facts, hardware_changes
        from harness.model import board_name

        changes = changed_facts(self._first.setdefault(label, now), now)
        changes = changes or hardware_changes(self._hardware.setdefault(board_name(label), now), now)
        if not changes:
            return
        reason = f"{label}: another process of this run has a different board under this name: {'; '.join(changes)}"
        data["board"] = None
        data["line"] = report.longrepr = reason
        report.outcome = "failed"
        data["result"] |= {
            **dict.fromkeys(("stage", "ended_by", "expected", "observed", "explanation", "weak")),
            "outcome": "not-run",
            "verdict": "error",
            "reason": reason,
            "mismatches": [],
        }
