"""A diagnosis as JSON matches its schema, and each proof has its handshake."""

import json

import jsonschema
import pytest

from harness.model import BoardInfo, Command, Diagnosis, Explanation, Fix, Program, Recipe, Trial, VerdictWord
from harness.reports.record.diagnosis_record import SCHEMA, diagnosis_record
from harness.reports.record.schema import diagnosis_schema


def diagnosis_json(found):
    """A diagnosis as the command prints it."""
    return json.loads(json.dumps(diagnosis_record(found).as_json()))


def check(data):
    """Check against the schema."""
    jsonschema.Draft202012Validator(diagnosis_schema()).validate(data)


@pytest.fixture
def data(sample):
    """The seed with a proof and a change that cannot be tried."""
    trials = (
        Trial(fix=sample.EC_KEY, result=sample.result(sample.CONNECTED, word=VerdictWord.PASS)),
        Trial(fix=Fix(title="update"), note="not from here", general=True),
    )
    return diagnosis_json(sample.diagnosis(trials=trials, info=BoardInfo(version=(1, 20, 0))))


def test_it_fits_its_schema(data):
    """Every field is present; the result is a result of run.json."""
    check(data)
    assert data["schema"] == SCHEMA == "tls-harness/diagnose/1"
    assert (data["connected"], data["board"]["firmware"], data["result"]["outcome"]) == (False, "1.20.0", "refused")
    assert data["wire"][0] == {"from": "client", "at_ms": 0.0, "name": "ClientHello", "detail": "TLSv1.2"}


def test_a_proof_carries_its_handshake(data):
    """A trial has its change and the record of the session; the schema rejects a proof without one."""
    first, second = data["trials"]
    assert first["fix"]["proved"] is True
    assert first["change"] == {"server": {"certificates": ["server-p256"]}, "client": {}}
    assert first["result"]["outcome"] == "connected"
    assert (second["fix"]["proved"], second["change"], second["result"], second["note"]) == (
        None,
        None,
        None,
        "not from here",
    )
    first["result"]["outcome"] = "refused"
    with pytest.raises(jsonschema.ValidationError):
        check(data)


def test_a_recipe_is_in_it_line_by_line(sample):
    """A script can write the files and run the commands; the problems come in their order."""
    recipe = Recipe(
        texts=(Program(name="a.pem", text="x\ny\n"),),
        commands=(Command(arguments=("cat", "a b"), creates=("c",), output="c"),),
        board=Program(name="board.py", text="import tls\n"),
        board_start=(("micropython", "board.py"),),
    )
    problems = tuple(Explanation(rule=rule, title=rule) for rule in ("a/b", "c/d"))
    trials = (Trial(fix=sample.EC_KEY, result=sample.result(sample.CONNECTED), problem=2, recipe=recipe),)
    data = diagnosis_json(sample.diagnosis(trials=trials, problems=problems))
    check(data)
    (trial,) = data["trials"]
    assert trial["recipe"] == {
        "texts": [{"name": "a.pem", "lines": ["x", "y"]}],
        "commands": [{"arguments": ["cat", "a b"], "creates": ["c"], "output": "c"}],
        "server": None,
        "board": {"name": "board.py", "lines": ["import tls"]},
        "server_start": [],
        "board_start": [["micropython", "board.py"]],
    }
    assert ([problem["rule"] for problem in data["problems"]], trial["problem"]) == (["a/b", "c/d"], 2)


def test_connected(sample):
    """`connected` says what the exit code says."""
    found = Diagnosis(board="u", info=None, server="s", result=sample.result(sample.CONNECTED, word=VerdictWord.PASS))
    data = diagnosis_json(found)
    check(data)
    assert (data["connected"], data["board"]) == (True, {"board": "u", "firmware": None, "tls_version": None})
