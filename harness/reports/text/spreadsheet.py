"""A run as CSV (RFC 4180): one line per result, for spreadsheets and data bases. Pure.

Knows the words of the run record: columns are named after them, and are only ever added at the end. Texts of boards and servers may not
become formulas of whoever opens the file.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from harness.reports.record.plain import one_line

COLUMNS = (
    "board", "firmware", "server", "python", "openssl", "case", "attempt", "repeat", "outcome", "verdict", "stage", "ended_by", "reason",
    "expected_source", "expected_outcome", "server_type", "server_reason", "server_errno", "verify_code",
    "client_type", "client_number", "client_name", "client_flags", "client_args",
    "alert_from", "alert_level", "alert_code", "alert_name", "version", "suite", "group",
    "mismatches", "rule", "title", "handshake_board_ms", "handshake_server_ms", "case_ms",
    "free_before_bytes", "free_low_bytes", "free_after_bytes", "weak", "pcapng", "transcript", "rerun", "held_bytes", "at", "source",
)  # fmt: skip
# What spreadsheets take for the start of a formula (OWASP, "CSV Injection"), also in its full-width forms.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def render_csv(run: dict[str, Any]) -> str:
    """Render a run record.

    Args:
        run: as in run.json.

    Returns:
        A head and one line per result, ended by CR LF. Empty: null or not known. Numbers are written as such; a text that a
        spreadsheet would take for a formula begins with an apostrophe. Lists stand in one cell: flags and mismatches with `; ` between
        them, the client's args as JSON.
    """
    boards = {board["board"]: board for board in run["boards"]}
    servers = {server["server"]: server for server in run["servers"]}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for result in run["results"]:
        row = _row(result, boards.get(result["board"]) or {}, servers.get(result["server"]) or {})
        writer.writerow([cell(row[name]) for name in COLUMNS])
    return text.getvalue()


def cell(value: Any) -> str | int | float:
    """A value as it stands in a cell.

    Args:
        value: of JSON. Only a real number stays one: `-1` sent as a text is protected like any other text.
    """
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = one_line(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def fatal_alert(observed: dict[str, Any]) -> dict[str, Any] | None:
    """The alert that ended the handshake: the first fatal one; None where there was none."""
    return next((alert for alert in observed.get("alerts") or () if alert["level"] == "fatal"), None)


def _row(result: dict[str, Any], board: dict[str, Any], server: dict[str, Any]) -> dict[str, Any]:
    expected, time, heap = result["expected"] or {}, result["timing_ms"], result["memory_bytes"]
    explanation, kept = result["explanation"] or {}, result["artifacts"]
    return {
        **{name: result.get(name) for name in COLUMNS},
        "firmware": board.get("firmware"),
        "python": server.get("python"),
        "openssl": server.get("openssl"),
        "expected_source": expected.get("source"),
        "expected_outcome": expected.get("outcome"),
        **_seen(result["observed"] or {}),
        "mismatches": "; ".join(
            f"{item['field']}: expected {item['expected']}, got {item['observed']}" for item in result["mismatches"]
        ),
        "rule": explanation.get("rule"),
        "title": explanation.get("title"),
        **{f"{name}_ms": time[name] for name in ("handshake_board", "handshake_server", "case")},
        **{f"{name}_bytes": heap[name] for name in ("free_before", "free_low", "free_after")},
        "held_bytes": heap.get("held"),
        "pcapng": kept.get("pcapng"),
        "transcript": kept.get("transcript"),
    }


def _seen(observed: dict[str, Any]) -> dict[str, Any]:
    server, client = observed.get("server") or {}, observed.get("client") or {}
    alert, negotiated = fatal_alert(observed) or {}, observed.get("negotiated") or {}
    return {
        "server_type": server.get("type"),
        "server_reason": server.get("reason"),
        "server_errno": server.get("errno"),
        "verify_code": server.get("verify_code"),
        "client_type": client.get("type"),
        "client_number": client.get("number"),
        "client_name": client.get("name"),
        "client_flags": "; ".join(client.get("flags") or ()),
        "client_args": json.dumps(client["args"]) if client.get("args") else None,
        **{f"alert_{name}": alert.get(name) for name in ("from", "level", "code", "name")},
        **{name: negotiated.get(name) for name in ("version", "suite", "group")},
    }
