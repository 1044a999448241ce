"""Cells: the worst of their runs, their text, and when two of them ended alike."""

import copy
import json

import pytest

from harness.reports.record.cells import Cell, cells_of, happened, same_error


@pytest.fixture(scope="module")
def results(good_run):
    """Real results by case."""
    record = json.loads(good_run.read_text(encoding="utf-8"))
    return {result["case"]: result for result in record["results"]}


@pytest.fixture
def refused(results):
    """A real refusal, to be changed."""
    return copy.deepcopy(results["seed/rsa-key-no-shared-cipher"])


def test_a_cell_is_as_good_as_its_worst_run(refused):
    """Of several runs of a cell the worst one counts, in any order."""
    failed = {**refused, "verdict": "fail", "repeat": 2}
    for runs in ([refused, failed], [failed, refused]):
        assert cells_of(runs) == {Cell("unix", "in-process", refused["case"]): failed}


def test_what_happened(results, bad_run):
    """One line: the session, both errors with the alert, or the reason."""
    assert happened(results["seed/rsa-key-no-shared-cipher"]) == (
        "pass: refused by the server at handshake: server NO_SHARED_CIPHER | client -30592 | handshake_failure(40) from the server"
    )
    assert happened(results["seed/rsa-1024-key"]).startswith(
        "pass: refused by the server at config: server EE_KEY_TOO_SMALL | client - | no"
    )
    assert happened(results["seed/wrong-ca"]).startswith(
        "pass: refused by the client at handshake: server TLSV1_ALERT_UNKNOWN_CA | client not_trusted"
    )
    assert happened(results["seed/ecdsa-key-connects"]).startswith("pass: connected TLSv1.2 TLS_ECDHE_ECDSA_")
    error = json.loads(bad_run.read_text(encoding="utf-8"))["results"][0]
    assert happened(error).startswith("error: ")
    assert happened(error).isprintable()


def test_every_real_result_is_like_itself(results):
    """And like a copy with other times."""
    for result in results.values():
        later = copy.deepcopy(result)
        later["timing_ms"] = {"handshake_board": 1.0, "handshake_server": 2.0, "case": 3.0}
        assert same_error(result, later)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("stage",), "read"),
        (("ended_by",), "client"),
        (("outcome",), "hung"),
        (("observed", "server", "type"), "OSError"),
        (("observed", "server", "reason"), "OTHER"),
        (("observed", "server", "verify_code"), 10),
        (("observed", "server"), None),
        (("observed", "client", "type"), "ValueError"),
        (("observed", "client", "number"), 5),
        (("observed", "client", "flags"), ["expired"]),
        (("observed", "client"), None),
        (("observed", "alerts"), []),
        (("mismatches",), [{"field": "suite", "expected": "A", "observed": "B"}]),
    ],
)
def test_another_error(refused, place, value):
    """Every part of a refusal counts, in both directions."""
    other = copy.deepcopy(refused)
    at = other
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    assert not same_error(refused, other)
    assert not same_error(other, refused)


def test_a_race_is_no_change(refused):
    """What an expectation leaves open for a race may differ from run to run; what it pins may not."""
    refused["expected"] |= {"open_because": "the reset may overtake the alert", "client_number": None}
    other = copy.deepcopy(refused)
    other["observed"]["client"]["number"] = 104
    assert same_error(refused, other)
    other["observed"]["server"]["reason"] = "OTHER"
    assert not same_error(refused, other)


def test_reasons_of_the_line():
    """A fault of the line is the same with another port in its text."""
    one = {"outcome": "not-run", "verdict": "error", "reason": "no connection to 127.0.0.1:40123 after 3.0 s"}
    assert same_error(one, {**one, "reason": "no connection to 127.0.0.1:9 after 12.4 s"})
    assert not same_error(one, {**one, "reason": "the port is gone"})
