"""A diagnosis as JSON (schema `tls-harness/diagnose/1`). Pure; field names are fixed, scripts are written against them."""

from __future__ import annotations

from typing import Any

from harness.model import Diagnosis, Outcome, Trial, as_json
from harness.reports.record.plain import bounded
from harness.reports.record.run_record import fix_json, result_json

SCHEMA = "tls-harness/diagnose/1"


def diagnosis_json(found: Diagnosis) -> dict[str, Any]:
    """The whole diagnosis; `result` and the result of each trial are results of the run record (`tls-harness/run/1`)."""
    seen = found.result.observation
    info = found.info
    board = {
        "board": found.board,
        "firmware": info.firmware if info else None,
        "tls_version": info.tls_version if info else None,
    }
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "connected": seen is not None and seen.outcome is Outcome.CONNECTED,
        "board": board,
        "server": found.server,
        "server_lines": list(found.server_lines),
        "client_lines": list(found.client_lines),
        "result": result_json(found.result),
        "wire": [
            {"from": step.sender.value, "at_ms": step.at_ms, "name": step.name, "detail": step.detail}
            for step in found.wire
        ],
        "trials": [trial_json(trial) for trial in found.trials],
        "unseen": list(found.unseen),
        "notes": list(found.notes),
    }
    cut: dict[str, Any] = bounded(data)
    return cut


def trial_json(trial: Trial) -> dict[str, Any]:
    """One change: its words and lines, what the two sides were changed to, and the handshake that shows what came of it."""
    return {
        "fix": fix_json(trial.fix),
        "change": as_json(trial.fix.change),
        "general": trial.general,
        "note": trial.note,
        "server_lines": list(trial.server_lines),
        "client_lines": list(trial.client_lines),
        "result": result_json(trial.result) if trial.result else None,
    }
