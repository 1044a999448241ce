"""A run as CSV (RFC 4180): one line per result, for spreadsheets and databases. Pure.

Columns are named after the keys of the run record, and are only ever added at the end. Texts of boards and servers must not become
formulas when the file is opened.
"""

from __future__ import annotations

import csv
import io
import json

from harness.model import DEFAULT_CLIENT
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Json, Observed, Result
from harness.reports.record.run_types import BoardEntry, RunRecord, ServerEntry

COLUMNS = (
    "board", "firmware", "server", "python", "openssl", "case", "attempt", "repeat", "outcome", "verdict", "stage", "ended_by", "reason",
    "expected_source", "expected_outcome", "server_type", "server_reason", "server_errno", "verify_code",
    "client_type", "client_number", "client_name", "client_flags", "client_args",
    "alert_from", "alert_level", "alert_code", "alert_name", "version", "suite", "group",
    "mismatches", "rule", "title", "handshake_board_ms", "handshake_server_ms", "case_ms",
    "free_before_bytes", "free_low_bytes", "free_after_bytes", "weak", "pcapng", "transcript", "rerun", "held_bytes", "at", "source",
    "unverified", "client", "link",
)  # fmt: skip
# What spreadsheets read as the start of a formula (OWASP, "CSV Injection"), also in its full-width forms.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def render_csv(run: RunRecord, *, links: str = "") -> str:
    """Render a run record.

    Args:
        run: the record.
        links: not used.

    Returns:
        A head and one line per result, ended by CR LF. A value that is null or unknown is empty. Numbers are written as numbers; a text
        that a spreadsheet would read as a formula begins with an apostrophe. A list is one field: flags and mismatches are separated
        by `; `, the client's args are JSON.
    """
    boards = {board.board: board for board in run.boards}
    servers = {server.server: server for server in run.servers}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for result in run.results:
        row = _row(result, boards.get(result.board), servers.get(result.server))
        writer.writerow([csv_field(row[name]) for name in COLUMNS])
    return text.getvalue()


def csv_field(value: Json) -> str | int | float:
    """Return a value as a field of the file.

    Args:
        value: of the record. Only a number stays a number: `-1` sent as a text is protected like any other text.
    """
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = one_line(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def _row(result: Result, board: BoardEntry | None, server: ServerEntry | None) -> dict[str, Json]:
    explanation, time, heap = result.explanation, result.timing_ms, result.memory_bytes
    return {
        **{name: value for name, value in result.as_json().items() if name in COLUMNS},
        "unverified": True if result.unverified else None,
        "at": result.at,
        "rerun": result.rerun,
        "source": result.source,
        "firmware": result.firmware or (board.firmware if board else None),
        "client": result.client or DEFAULT_CLIENT,
        "link": result.link,
        "python": server.python if server else None,
        "openssl": server.openssl if server else None,
        "expected_source": result.expected.source if result.expected else None,
        "expected_outcome": result.expected.outcome if result.expected else None,
        **_seen(result.observed),
        "mismatches": "; ".join(
            f"{item.field}: expected {item.expected}, got {item.observed}" for item in result.mismatches
        ),
        "rule": explanation.rule if explanation else None,
        "title": explanation.title if explanation else None,
        "handshake_board_ms": time.handshake_board,
        "handshake_server_ms": time.handshake_server,
        "case_ms": time.case,
        "free_before_bytes": heap.free_before,
        "free_low_bytes": heap.free_low,
        "free_after_bytes": heap.free_after,
        "held_bytes": heap.held,
        "pcapng": result.artifacts.get("pcapng"),
        "transcript": result.artifacts.get("transcript"),
    }


def _seen(seen: Observed | None) -> dict[str, Json]:
    server, client, alert = (seen.server, seen.client, seen.fatal_alert) if seen else (None, None, None)
    return {
        "server_type": server.type if server else None,
        "server_reason": server.reason if server else None,
        "server_errno": server.errno if server else None,
        "verify_code": server.verify_code if server else None,
        "client_type": client.type if client else None,
        "client_number": client.number if client else None,
        "client_name": client.name if client else None,
        "client_flags": "; ".join((client.flags if client else None) or ()),
        "client_args": json.dumps(client.args) if client and client.args else None,
        "alert_from": alert.sender if alert else None,
        "alert_level": alert.level if alert else None,
        "alert_code": alert.code if alert else None,
        "alert_name": alert.name if alert else None,
        "version": seen.negotiated.version if seen else None,
        "suite": seen.negotiated.suite if seen else None,
        "group": seen.negotiated.group if seen else None,
    }
