"""Check run.json and run.jsonl of real runs against the shipped JSON Schema and the fixed keys."""

import re
from pathlib import Path

import jsonschema
import pytest

from harness.reports.record.schema import run_schema

PYTHON_ORG_SERVER = Path(__file__).parents[1] / "data" / "python_org_server.py"

# Every key of one result, with the type of its value if it is not null.
RESULT = {
    "board": str, "server": str, "case": str, "attempt": int, "outcome": str, "verdict": str, "stage": str, "ended_by": str, "reason": str,
    "expected": {
        "source": str, "outcome": str, "stage": str, "ended_by": str, "server_type": str, "server_reason": str, "verify_code": int,
        "client_type": str, "client_number": int, "client_flags": list, "alert": {"from": str, "code": int, "name": str},
        "version": str, "suite": str, "group": str,
    },
    "observed": {
        "server": {"type": str, "reason": str, "errno": int, "verify_code": int},
        "client": {"type": str, "args": list, "number": int, "flags": list, "name": str, "stage": str},
        "alerts": [{"from": str, "level": str, "code": int, "name": str}],
        "negotiated": {"version": str, "suite": str, "group": str},
        "client_hello": {
            "record_version": str, "versions": list, "suites": list, "groups": list, "signature_algorithms": list, "extensions": list,
            "sni": str, "fingerprint": str,
        },
    },
    "mismatches": list, "explanation": dict, "timing_ms": {"handshake_board": float, "handshake_server": float, "case": float},
    "memory_bytes": {"free_before": int, "free_low": int, "free_after": int, "held": int}, "artifacts": {"pcapng": str, "transcript": str},
}  # fmt: skip
QUESTION = ["c024", "c00a", "c023", "c009", "003d", "0035", "003c", "002f"]


def check(value, wanted, where="result"):
    """Check that every fixed key exists, with its type or null."""
    if value is None:
        return
    if isinstance(wanted, dict):
        assert set(wanted) <= set(value), where
        for key, inner in wanted.items():
            check(value[key], inner, f"{where}.{key}")
    elif isinstance(wanted, list):
        for item in value:
            check(item, wanted[0], where)
    else:
        assert isinstance(value, (int, float) if wanted is float else wanted), where


def validate(ran):
    """Check both files against the schema."""
    schema = run_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(ran.record())
    line_validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/JournalLine", "$defs": schema["$defs"]})
    for line in ran.journal():
        line_validator.validate(line)


@pytest.mark.parametrize("arguments", [(), ("--board", "/dev/ttyNOPE7"), ("--peer", "127.0.0.2")])
def test_schema(suite, arguments):
    """The records of a good run, one without a board and one without a network are all valid."""
    ran = suite.run(*(suite.quick if arguments else ("--cases", "smoke")), *arguments)
    validate(ran)
    record = ran.record()
    assert {result["case"] for result in record["results"]} == {case["case"] for case in record["cases"]}
    assert [line for line in ran.journal() if line["record"] == "result"] == [
        {"record": "result", **result} for result in record["results"]
    ]


@pytest.fixture(scope="module")
def seed_story(shared_suite):
    """The results of the first two cases by name; whether the first is refused depends on the defaults of the server's Python."""
    shared_suite.write("conftest.py", PYTHON_ORG_SERVER.read_text(encoding="utf-8"))
    ran = shared_suite.run("--cases", "smoke", "-k", "rsa-key-no-shared-cipher or ecdsa-key-connects")
    return {result["case"]: result for result in ran.record()["results"]}


def test_the_first_seed_case(seed_story):
    """Its result has the documented keys, each with its value."""
    result = seed_story["seed/rsa-key-no-shared-cipher"]
    check(result, RESULT)
    assert (result["outcome"], result["verdict"], result["stage"], result["ended_by"]) == (
        "refused",
        "pass",
        "handshake",
        "server",
    )
    assert result["observed"]["server"]["reason"] == "NO_SHARED_CIPHER"
    assert result["observed"]["client"]["args"] == [-30592, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"]
    assert result["observed"]["client_hello"]["suites"][:8] == QUESTION
    assert result["observed"]["client_hello"]["sni"] == "tls.test"
    assert result["observed"]["client_hello"]["fingerprint"] is None
    assert result["expected"]["alert"] == {"from": "server", "code": 40, "name": "handshake_failure"}
    assert result["mismatches"] == []


def test_the_first_seed_case_connected(seed_story):
    """A session's result has the same keys, with its values."""
    result = seed_story["seed/ecdsa-key-connects"]
    check(result, RESULT)
    text = result["observed"]["text"]
    assert (re.sub(r"\d{9}", "N", text["server_received"]), text["client_received"]) == (
        "Hallo, Server! N",
        "Hallo, Client!",
    )
    assert (result["observed"]["server"], result["observed"]["client"]) == (None, None)
    assert result["observed"]["negotiated"]["version"] == "TLSv1.2"
    assert result["timing_ms"]["handshake_board"] > 0
    assert result["timing_ms"]["handshake_server"] > 0
    assert result["memory_bytes"]["free_before"] > 0
