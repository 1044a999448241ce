"""Entries of the run record, made of the records of a run."""

import json

import jsonschema
import pytest

from harness.cases import all_cases
from harness.expectations.builders import refused
from harness.model import (
    Alert,
    BoardInfo,
    BoardSettings,
    BoardSpec,
    CaseResult,
    ClientFailure,
    Explanation,
    Fix,
    HelloFacts,
    Observation,
    Outcome,
    Packet,
    ServerFailure,
    Side,
    Stage,
    Verdict,
    VerdictWord,
)
from harness.reports.record import run_record
from harness.reports.record.run_record import case_entry
from harness.reports.record.schema import run_schema

HELLO = HelloFacts(
    record_version="0301", versions=("0303",), suites=("c024",), groups=("0019",), signature_algorithms=("0603",), extensions=(0, 13),
    sni="tls.test", fingerprint="B",
)  # fmt: skip
SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix", settings=BoardSettings())


def as_written(entry):
    """An entry as it is in the file."""
    return json.loads(json.dumps(entry.as_json()))


def result_json(result):
    """A result as it is in the file."""
    return as_written(run_record.result_entry(result))


def board_json(*arguments, **options):
    """A board as it is in the file."""
    return as_written(run_record.board_entry(*arguments, **options))


def observation(**client):
    """A refusal; what the client raised may be given."""
    raised = {
        "type": "OSError",
        "args": (-30592, "X"),
        "number": -30592,
        "flags": None,
        "name": "X",
        "stage": Stage.HANDSHAKE,
        **client,
    }
    return Observation(
        outcome=Outcome.REFUSED,
        stage=Stage.HANDSHAKE,
        ended_by=Side.SERVER,
        server=ServerFailure(type="SSLError", reason="NO_SHARED_CIPHER", errno=1),
        client=ClientFailure(**raised),
        alerts=(Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure"),),
        client_hello=HELLO,
        case_ms=9.8,
    )


def result(seen=None, word=VerdictWord.PASS, **more):
    """One result around an observation."""
    expected = refused(by="server", server="NO_SHARED_CIPHER", alert=40, client=-30592)
    return CaseResult(
        board="lab-1", server="in-process", case="seed/x", attempt=1, verdict=Verdict(word=word, reason=more.pop("reason", None)),
        expected=expected, observation=seen, **more,
    )  # fmt: skip


def validate(data, name):
    """Check against one definition of the schema."""
    jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": run_schema()["$defs"]}).validate(data)


def test_result():
    """The words and numbers of a refusal; keys of axes and of the run are absent until they are known."""
    data = result_json(result(observation()))
    validate(data, "Result")
    assert (data["outcome"], data["verdict"], data["stage"], data["ended_by"]) == (
        "refused",
        "pass",
        "handshake",
        "server",
    )
    assert data["observed"]["client"]["args"] == [-30592, "X"]
    assert data["observed"]["client_hello"]["extensions"] == [0, 13]
    assert data["observed"]["alerts"][0]["from"] == "server"
    assert data["artifacts"] == {"pcapng": None, "transcript": None}
    assert not {"at", "rerun", "source", "firmware", "client", "link"} & data.keys()


def test_result_with_packets():
    """The packet list as rows, the sender by the word that alerts use."""
    packet = Packet(number=1, at_ms=0.5, sender=Side.CLIENT, length=136, info="Client Hello (no SNI)")
    data = result_json(result(observation(), packets=(packet,)))
    validate(data, "Result")
    assert data["packets"] == [
        {"number": 1, "at_ms": 0.5, "from": "client", "bytes": 136, "info": "Client Hello (no SNI)"}
    ]


def test_result_of_nothing():
    """All is null for a case that was not tried, but for the reason."""
    data = result_json(result(word=VerdictWord.ERROR, reason="gone", link_errors=("gone",)))
    validate(data, "Result")
    assert (data["outcome"], data["observed"], data["reason"], data["link_errors"]) == (
        "not-run",
        None,
        "gone",
        ["gone"],
    )


def test_result_with_an_explanation():
    """Rule, title, evidence, fixes."""
    explanation = Explanation(rule="a/b", title="T", why=("w",), fixes=(Fix(title="f", proved=True),))
    data = result_json(result(observation(), explanation=explanation))
    validate(data, "Result")
    fix = {"title": "f", "proved": True, "discouraged": False}
    assert data["explanation"]["fixes"] == [{**fix, "because": None, "server_lines": [], "client_lines": []}]


@pytest.mark.parametrize("text", ["\x1b[31m<script>alert(1)</script>", "\ud800", "x" * 10**6, "\u202e\x00"])
def test_hostile_texts(text):
    """Texts of a board stay JSON strings of bounded size."""
    data = result_json(result(observation(type=text, args=(text, [text] * 5000))))
    written = json.dumps(data)
    assert len(written) < 4_000_000 if len(text) > 1000 else len(written) < 200_000
    assert written.isascii()
    assert "\x1b" not in written
    assert json.loads(written) == data


def test_open_fields_are_null():
    """Every field of an expectation is written, as null if it is left open, and with the reason why."""
    data = as_written(run_record.expected_entry(refused(by="client", open_because="the reset may overtake it")))
    validate(data, "Expected")
    assert (data["server_reason"], data["alert"], data["open_because"]) == (None, None, "the reset may overtake it")


def test_board():
    """What was asked for, what the probe found, firmware and ClientHello family."""
    info = BoardInfo(implementation="micropython", version=(1, 20, 0), machine="ESP32", hello=HELLO)
    data = board_json(SPEC, info, error=None, notes=("n",))
    validate(data, "BoardEntry")
    assert (data["board"], data["firmware"], data["facts"]["fingerprint"], data["notes"]) == (
        "unix",
        "1.20.0",
        "B",
        ["n"],
    )


def test_board_that_was_not_opened():
    """There are no facts, but the reason."""
    data = board_json(SPEC, None, error="busy")
    validate(data, "BoardEntry")
    assert (data["facts"], data["error"]) == (None, "busy")


def test_cases():
    """Every case of the list matches the schema."""
    schema = {"type": "array", "items": {"$ref": "#/$defs/CaseEntry"}, "$defs": run_schema()["$defs"]}
    assert (
        list(
            jsonschema.Draft202012Validator(schema).iter_errors([as_written(case_entry(case)) for case in all_cases()])
        )
        == []
    )
