"""The JSON Schema that is shipped."""

import jsonschema
import pytest

from harness.model import Outcome, Side, Stage, Tier, VerdictWord
from harness.reports.record.run_record import SCHEMA
from harness.reports.record.schema import run_schema


def test_it_is_a_schema():
    """Valid itself, and of the version that runs are written in."""
    schema = run_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"]["const"] == schema["title"] == SCHEMA


def test_words():
    """Its words are the records' words."""
    definitions = run_schema()["$defs"]
    assert definitions["verdict"]["enum"] == list(VerdictWord)
    assert definitions["outcome"]["enum"] == list(Outcome)
    assert definitions["side"]["enum"] == list(Side)
    assert definitions["stage"]["enum"] == [*Stage, None]
    assert definitions["case"]["properties"]["tier"]["enum"] == list(Tier)


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"anything": {"new": 1}}, True),
        ({"verdict": "passed"}, False),
        ({"attempt": 0}, False),
        ({"reason": None}, False),
        ({"outcome": "refused"}, False),
        ({"timing_ms": {}}, False),
        ({"packets": [{"number": 1, "at_ms": 0, "from": "client", "bytes": 0, "info": "TCP FIN"}]}, True),
        ({"packets": [{"number": 1, "at_ms": 0, "from": "board", "bytes": 0, "info": "TCP FIN"}]}, False),
    ],
)
def test_a_result(change, valid):
    """More keys may come; a missing one, another word or a verdict without its reason is refused."""
    result = {
        "board": "b", "server": "s", "case": "c", "attempt": 1, "outcome": "not-run", "verdict": "error", "stage": None,
        "ended_by": None, "reason": "gone", "expected": None, "observed": None, "mismatches": [], "explanation": None,
        "timing_ms": {"handshake_board": None, "handshake_server": None, "case": None},
        "memory_bytes": {"free_before": None, "free_low": None, "free_after": None},
        "strangers": 0, "link_errors": [], "weak": None, "artifacts": {"pcapng": None, "transcript": None}, **change,
    }  # fmt: skip
    schema = run_schema()
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/result", "$defs": schema["$defs"]})
    assert validator.is_valid(result) is valid


@pytest.mark.parametrize(
    ("suite", "valid"),
    [
        ([0x003C, "TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA256"], True),
        ([0xFFFE, "TLSv1.2", "0xFFFE"], True),
        ([0x003C, "TLSv1.2", "AES128-SHA256"], False),
        (["TLS_RSA_WITH_AES_128_CBC_SHA256"], False),
    ],
)
def test_default_suites_of_a_server(suite, valid):
    """Code, protocol and IANA's name; OpenSSL's spelling is refused."""
    server = {"server": "s", "python": "3.8.18", "openssl": "OpenSSL 3", "default_suites": [suite], "platform": "p"}
    schema = run_schema()
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/server", "$defs": schema["$defs"]})
    assert validator.is_valid(server) is valid
