"""The JSON Schemas that are generated from the definition of the run record."""

import json
import os
from pathlib import Path

import jsonschema
import pytest

from harness.model import Outcome, Side, Stage, Tier, VerdictWord
from harness.reports.record import schema as module
from harness.reports.record.result_types import RULES, broken_rule
from harness.reports.record.run_types import SCHEMA, Result
from harness.reports.record.schema import diagnosis_schema, run_schema, schema_text, simulation_schema

FOLDER = Path(module.__file__).parent


def test_it_is_a_schema():
    """It is valid itself, and names the version that runs are written in."""
    schema = run_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == SCHEMA
    assert SCHEMA in schema["$defs"]["RunRecord"]["properties"]["schema"]["enum"]


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("run.schema.json", run_schema()),
        ("diagnosis.schema.json", diagnosis_schema()),
        ("simulation.schema.json", simulation_schema()),
    ],
)
def test_the_packaged_file_is_current(name, schema):
    """The file in the package is what the definition generates. UPDATE_TEXTS=1 writes it."""
    path = FOLDER / name
    if os.environ.get("UPDATE_TEXTS"):
        path.write_text(schema_text(schema), encoding="ascii")
    assert path.read_text(encoding="ascii") == schema_text(schema)
    assert json.loads(path.read_text(encoding="ascii")) == json.loads(json.dumps(schema))


def test_words():
    """Its words are the records' words."""
    definitions = run_schema()["$defs"]
    for words in (VerdictWord, Outcome, Side, Stage, Tier):
        assert set(definitions[words.__name__]["enum"]) == set(words)


def test_every_journal_line_is_described():
    """A line of the journal is one of its kinds; another kind does not match."""
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/JournalLine", "$defs": run_schema()["$defs"]})
    assert validator.is_valid({"record": "plan", "board": "b", "server": "s", "cases": ["c/d"]})
    assert not validator.is_valid({"record": "plan", "board": "b", "server": "s"})
    assert not validator.is_valid({"record": "weather"})


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
    """Other keys are allowed; a missing key, another word or a verdict without its reason is rejected."""
    result = {
        "board": "b", "server": "s", "case": "c", "attempt": 1, "outcome": "not-run", "verdict": "error", "stage": None,
        "ended_by": None, "reason": "gone", "expected": None, "observed": None, "mismatches": [], "explanation": None,
        "timing_ms": {"handshake_board": None, "handshake_server": None, "case": None},
        "memory_bytes": {"free_before": None, "free_low": None, "free_after": None},
        "strangers": 0, "link_errors": [], "weak": None, "artifacts": {"pcapng": None, "transcript": None}, **change,
    }  # fmt: skip
    schema = run_schema()
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/Result", "$defs": schema["$defs"]})
    assert validator.is_valid(result) is valid


@pytest.mark.parametrize("rule", RULES)
def test_a_rule(rule):
    """The schema and the reader reject the same results: a value that must not be null, and one that must be empty."""
    mismatch = {"field": "f", "expected": "a", "observed": "b"}
    result = {
        "board": "b", "server": "s", "case": "c", "attempt": 1, "outcome": "hung", "verdict": "known", "stage": None,
        "ended_by": None, "reason": None, "expected": None, "mismatches": [mismatch], "explanation": None,
        "observed": {"server": None, "client": None, "alerts": [], "negotiated": {}, "client_hello": None},
        "timing_ms": {"handshake_board": None, "handshake_server": None, "case": None},
        "memory_bytes": {"free_before": None, "free_low": None, "free_after": None}, "artifacts": {},
    }  # fmt: skip
    if rule.field == "observed":
        result["observed"] = None
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/Result", "$defs": run_schema()["$defs"]})
    for word in rule.words:
        broken = {**result, rule.key: word}
        assert not validator.is_valid(broken)
        assert broken_rule(Result.of_json(broken)).startswith(f"{rule.field} must ") or rule.field == "mismatches"
    good = {**result, "outcome": "not-run", "observed": None}
    assert validator.is_valid(good)
    assert broken_rule(Result.of_json(good)) == ""


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
    """Code, protocol and IANA's name; OpenSSL's spelling is rejected."""
    server = {"server": "s", "python": "3.8.18", "openssl": "OpenSSL 3", "default_suites": [suite], "platform": "p"}
    schema = run_schema()
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/ServerEntry", "$defs": schema["$defs"]})
    assert validator.is_valid(server) is valid
