"""A small run record for the parts of the HTML report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

# A record of which these tests replace what they need.
RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))


def a_result(case: str = "key/p256", **more: Any) -> dict[str, Any]:
    """A connected result as in run.json; `seen` and other keys replace parts of it."""
    seen = {
        "server": None,
        "client": None,
        "alerts": [],
        "negotiated": {"version": "TLSv1.2", "suite": "TLS_RSA_WITH_AES_128_CBC_SHA", "group": None},
        "client_hello": {
            "record_version": "0301", "extensions": [],
            "versions": ["0303"], "suites": ["c02b", "zz"], "groups": ["0017"], "signature_algorithms": ["0403"],
            "sni": "tls.test", "fingerprint": "C3", "random": "00",
        },
        **more.pop("seen", {}),
    }  # fmt: skip
    return {
        "board": "desk", "server": "py", "case": case, "attempt": 1, "outcome": "connected", "verdict": "pass",
        "stage": None, "ended_by": None, "reason": None,
        "expected": {**RECORD["results"][0]["expected"], "source": "stated", "outcome": "connected"},
        "observed": seen, "mismatches": [], "explanation": None,
        "timing_ms": {"handshake_board": 4.0, "handshake_server": 4.1, "case": 6.0},
        "memory_bytes": {"free_before": 90000, "free_low": None, "free_after": 88000},
        "link_errors": [], "weak": None, "artifacts": {"pcapng": None, "transcript": None}, "packets": [],
        "rerun": "pytest x", **more,
    }  # fmt: skip


def a_run(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A run record around results; a case's title is its id in capitals."""
    cases = dict.fromkeys(item["case"] for item in results)
    boards = dict.fromkeys(item["board"] for item in results)
    return {
        "schema": "tls-harness/run/2",
        "run": {
            "harness": "0", "cases": "core", "started": "2026-11-25T08:36:00.000+00:00", "finished": "x", "arguments": ["-q"],
        },
        "host": {**RECORD["host"], "python": "3.11.7", "openssl": "OpenSSL 3.0.19", "platform": "Linux"},
        "boards": [
            {"board": name, "spec": name, "kind": "serial", "firmware": "1.24.1", "error": None, "notes": [], "facts": None}
            for name in boards
        ],
        "servers": [
            {**RECORD["servers"][0], "server": "py", "python": "3.11.7", "openssl": "OpenSSL 3.0.19 27 Jan",
             "default_suites_flag": None}
        ],
        "cases": [
            {**RECORD["cases"][0], "case": case, "topic": case.partition("/")[0], "title": case.upper(), "description": "Why."}
            for case in cases
        ],
        "results": list(results),
        **more,
    }  # fmt: skip


@pytest.fixture
def make_result():
    """Make one result."""
    return a_result


@pytest.fixture
def make_run():
    """Make a run record."""
    return a_run
