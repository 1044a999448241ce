"""CSV: RFC 4180, stable columns, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from harness.reports.record.run_types import RunRecord
from harness.reports.text import spreadsheet
from harness.reports.text.spreadsheet import COLUMNS, csv_field

# A record of which these tests replace what they need.
RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))
HELD = (
    "board,firmware,server,python,openssl,case,attempt,repeat,outcome,verdict,stage,ended_by,reason,expected_source,expected_outcome,"
    "server_type,server_reason,server_errno,verify_code,client_type,client_number,client_name,client_flags,client_args,"
    "alert_from,alert_level,alert_code,alert_name,version,suite,group,mismatches,rule,title,handshake_board_ms,handshake_server_ms,"
    "case_ms,free_before_bytes,free_low_bytes,free_after_bytes,weak,pcapng,transcript,rerun,held_bytes,at,source,unverified,client,link"
)


def render_csv(record: dict[str, Any]) -> str:
    """Render a record in JSON."""
    return spreadsheet.render_csv(RunRecord.of_json(record))


def result(**more: Any) -> dict[str, Any]:
    """A refusal as in run.json; `observed` replaces parts of it."""
    seen = {
        "server": {"type": "SSLError", "reason": "NO_SHARED_CIPHER", "errno": 1, "verify_code": None},
        "client": {"type": "OSError", "args": [-30592, "MBEDTLS"], "number": -30592, "flags": None, "name": "MBEDTLS",
                   "stage": "handshake"},
        "alerts": [
            {"from": "client", "level": "warning", "code": 0, "name": "close_notify"},
            {"from": "server", "level": "fatal", "code": 40, "name": "handshake_failure"},
        ],
        "negotiated": {"version": None, "suite": None, "group": None},
        "client_hello": None,
    }  # fmt: skip
    expected = {**RECORD["results"][0]["expected"], "source": "stated", "outcome": "connected"}
    return {
        **RECORD["results"][0], "board": "desk", "server": "py", "case": "seed/x", "attempt": 1, "repeat": 1, "outcome": "refused",
        "verdict": "fail",
        "stage": "handshake", "ended_by": "server", "reason": "outcome differs",
        "expected": expected,
        "observed": seen, "mismatches": [{"field": "outcome", "expected": "connected", "observed": "refused"},
                                         {"field": "alert", "expected": "none", "observed": "40"}],
        "explanation": {"rule": "ciphers/key-type", "title": "the key is RSA", "why": [], "fixes": []},
        "timing_ms": {"handshake_board": 6.1, "handshake_server": None, "case": 9.8},
        "memory_bytes": {"free_before": 90000, "free_low": None, "free_after": 88000, "held": 25200},
        "weak": None, "artifacts": {"pcapng": "a.pcapng", "transcript": None}, "rerun": "pytest x", "at": "2026-11-25T08:36:00+00:00",
        "source": "7f", **more,
    }  # fmt: skip


def run(*results: dict[str, Any]) -> dict[str, Any]:
    """A run record around results."""
    return {
        **RECORD,
        "boards": [{**RECORD["boards"][0], "board": "desk", "firmware": "1.24.1"}],
        "servers": [{**RECORD["servers"][0], "server": "py", "python": "3.11.7", "openssl": "OpenSSL 3.0.19"}],
        "results": list(results),
    }


def read(text: str) -> list[dict[str, str]]:
    """Return the lines as a strict reader of RFC 4180 does."""
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_columns_are_stable() -> None:
    """Scripts read columns by name: new ones are added at the end, and none is renamed."""
    assert ",".join(COLUMNS) == HELD
    assert render_csv(run()) == HELD + "\r\n"


def test_a_result_is_a_line() -> None:
    """Every value has a field of its own; a number stays a number; an unknown value is empty."""
    text = render_csv(run(result()))
    assert text.count("\r\n") == 2
    assert "\n" not in text.replace("\r\n", "")
    (row,) = read(text)
    assert {name: value for name, value in row.items() if value} == {
        "board": "desk", "firmware": "1.24.1", "server": "py", "python": "3.11.7", "openssl": "OpenSSL 3.0.19", "case": "seed/x",
        "attempt": "1", "repeat": "1", "outcome": "refused", "verdict": "fail", "stage": "handshake", "ended_by": "server",
        "reason": "outcome differs", "expected_source": "stated", "expected_outcome": "connected", "server_type": "SSLError",
        "server_reason": "NO_SHARED_CIPHER", "server_errno": "1", "client_type": "OSError", "client_number": "-30592",
        "client_name": "MBEDTLS", "client_args": '[-30592, "MBEDTLS"]', "alert_from": "server", "alert_level": "fatal", "alert_code": "40",
        "alert_name": "handshake_failure", "mismatches": "outcome: expected connected, got refused; alert: expected none, got 40",
        "rule": "ciphers/key-type", "title": "the key is RSA", "handshake_board_ms": "6.1", "case_ms": "9.8",
        "free_before_bytes": "90000", "free_after_bytes": "88000", "held_bytes": "25200", "pcapng": "a.pcapng", "rerun": "pytest x",
        "at": "2026-11-25T08:36:00+00:00", "source": "7f", "client": "socket",
    }  # fmt: skip


def test_a_result_without_a_handshake() -> None:
    """Unsupported and error have no observation; a board without a description has no firmware."""
    quiet = result(
        board="other",
        observed=None,
        expected=None,
        explanation=None,
        mismatches=[],
        verdict="error",
        reason="no prompt",
    )
    (row,) = read(render_csv(run(quiet)))
    assert (row["firmware"], row["verdict"], row["server_type"], row["alert_name"]) == ("", "error", "", "")
    assert row["reason"] == "no prompt"


def test_the_firmware_of_a_result() -> None:
    """A run that changed the firmware has it in each result; else it is the board's."""
    rows = read(render_csv(run(result(), result(firmware="1.29.0"))))
    assert [row["firmware"] for row in rows] == ["1.24.1", "1.29.0"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "＝", "＋", "－", "＠"])
def test_no_text_becomes_a_formula(start: str) -> None:
    """A board that calls its error `=cmd|'/c calc'!A0` gets quoted text, in any field."""
    hostile = f"{start}cmd|'/c calc'!A0"
    client = {**result()["observed"]["client"], "type": hostile, "args": [hostile], "name": hostile, "flags": [hostile]}
    seen = {**result()["observed"], "client": client}
    (row,) = read(render_csv(run(result(observed=seen, reason=hostile, server=hostile))))
    for name in ("client_type", "client_name", "client_flags", "reason", "server"):
        assert row[name] == "'" + hostile.strip(), name
    assert not any(value.startswith(tuple("=+@\t\r")) for value in row.values())


def test_quotes_commas_and_control_characters() -> None:
    """Quotes and commas are quoted; lines become one; control characters are escaped."""
    text = render_csv(run(result(reason='a "b", c\r\nd \x1b[2J\u202e\ud800')))
    assert '"a ""b"", c d \\x1b[2J\\u202e\\ud800"' in text
    text.encode("utf-8")


def test_numbers_and_words() -> None:
    """A boolean is not a number; zero is not empty."""
    assert [csv_field(value) for value in (0, -1.5, True, None, "-1", "ok")] == [0, -1.5, "True", "", "'-1", "ok"]
