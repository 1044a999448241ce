"""Cells: the worst of their runs, their text, and when two of them ended in the same way."""

import copy
import itertools
import json
from dataclasses import replace

import pytest

from harness.model import Cell
from harness.reports.record import cells
from harness.reports.record.cells import cells_of, hidden_text, missing_cells, server_title, worst_of
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import RunRecord, ServerEntry


def happened(result):
    """The text of a result in JSON."""
    return cells.happened(Result.of_json(result))


def same_error(one, other):
    """The comparison of two results in JSON."""
    return cells.same_error(Result.of_json(one), Result.of_json(other))


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
    passed, failed = Result.of_json(refused), Result.of_json({**refused, "verdict": "fail", "repeat": 2})
    for runs in ([passed, failed], [failed, passed]):
        assert cells_of(runs) == {Cell(board="unix", case=refused["case"]): failed}


WORST_FIRST = ("insecure", "fail", "error", "known", "unsupported", "pass")


@pytest.mark.parametrize(("worse", "better"), list(itertools.combinations(WORST_FIRST, 2)))
def test_the_worst_verdict_counts(worse, better, refused):
    """A failure is never averaged away by passes: of two verdicts the worse one counts, in either order."""
    attempts = [Result.of_json({**refused, "verdict": word}) for word in (better, worse, better)]
    assert worst_of(attempts).verdict == worse
    assert worst_of(attempts[:2]).verdict == worse


@pytest.mark.parametrize("verdict", WORST_FIRST)
def test_of_equal_verdicts_a_refusal_counts(verdict, refused):
    """A session does not hide that another attempt was refused; of equal attempts the first counts."""
    session, refusal = (
        Result.of_json({**refused, "verdict": verdict, "outcome": outcome}) for outcome in ("connected", "refused")
    )
    for attempts in ([session, refusal], [refusal, session]):
        assert worst_of(attempts) is refusal
    assert worst_of([refusal, copy.copy(refusal)]) is refusal


def test_the_title_of_a_server(good_run):
    """Python and OpenSSL without its date; whose suites it has if they are OpenSSL's; the bare name of an unknown one."""
    record = json.loads(good_run.read_text(encoding="utf-8"))
    facts = {**record["servers"][0], "python": "3.11.2", "openssl": "OpenSSL 3.0.17 1 Jul 2025"}
    record["servers"] = [
        {**facts, "server": "a", "default_suites_flag": None},
        {**facts, "server": "b", "default_suites_flag": "openssl"},
        {**facts, "server": "d", "default_suites_flag": "openssl", "found": FOUND, "hidden": ["groups"]},
    ]
    assert [server_title(RunRecord.of_json(record), name) for name in ("a", "b", "c", "d")] == [
        "Python 3.11.2, OpenSSL 3.0.17",
        "Python 3.11.2, OpenSSL 3.0.17 (OpenSSL's default suites)",
        "c",
        "Python 3.11.2, OpenSSL 3.0.17 (OpenSSL's default suites; determined by test handshakes: groups x25519)",
    ]


FOUND = {"versions": [], "groups": [["x25519"]], "signature_algorithms": ["ed25519", "ed448", "a", "b", "c"]}


@pytest.mark.parametrize(
    ("hidden", "text"),
    [
        ([], ""),
        (["groups"], "determined by test handshakes: groups x25519"),
        (
            ["versions", "signature algorithms"],
            "determined by test handshakes: versions none; signature algorithms ed25519, ed448, a and 2 more",
        ),
        (["something new"], ""),
    ],
)
def test_hidden_settings_as_text(hidden, text, good_run):
    """What Python does not show, in the order of the record; nothing where all is shown or nothing was found."""
    record = json.loads(good_run.read_text(encoding="utf-8"))["servers"][0]
    assert hidden_text(ServerEntry.of_json({**record, "found": FOUND, "hidden": hidden})) == text
    assert hidden_text(ServerEntry.of_json({**record, "found": None, "hidden": hidden})) == ""


def test_cells_keep_the_order_of_their_first_results(refused):
    """Of equally bad runs the first counts; cells are in the order in which they first appear, under the names they are given."""
    runs = [
        Result.of_json({**refused, "case": case, "repeat": repeat})
        for repeat in (1, 2)
        for case in (refused["case"], "a/later")
    ]
    found = cells_of(runs)
    assert [(cell.case, result.repeat) for cell, result in found.items()] == [(refused["case"], 1), ("a/later", 1)]
    renamed = cells_of(runs, name=lambda cell: replace(cell, board="other"))
    assert [cell.board for cell in renamed] == ["other", "other"]


def test_what_is_missing(refused):
    """The planned cells without a result, in their order."""
    planned = [Cell(board="unix", case=name) for name in ("b/b", refused["case"], "a/a")]
    assert [item.case for item in missing_cells(planned, [Result.of_json(refused)])] == ["b/b", "a/a"]


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


ALERT = {"from": "client", "level": "fatal", "code": 48, "name": "unknown_ca"}
SERVER = {"type": "T", "reason": None, "errno": None, "verify_code": None}
CLIENT = {"type": "ValueError", "args": [], "number": None, "flags": None, "name": None, "stage": "handshake"}
CUT = {"outcome": "hung", "ended_by": None, "stage": None}


@pytest.mark.parametrize(
    ("changes", "seen", "text"),
    [
        ({"verdict": "error", "reason": "the line dropped"}, {}, "error: the line dropped"),
        ({"verdict": "unsupported", "reason": None}, {}, "unsupported: no reason"),
        ({"verdict": "error", "reason": None, "observed": None}, None, "error: no reason"),
        ({"verdict": "fail", "reason": "x", "observed": None}, None, "fail: x"),
        (
            {"outcome": "connected", "weak": "no forward secrecy"},
            {"negotiated": {"version": "TLSv1.2", "suite": "S", "group": None}},
            "pass: connected TLSv1.2 S [weak: no forward secrecy]",
        ),
        (
            {"outcome": "connected"},
            {"negotiated": {"version": "TLSv1.2", "suite": "S", "group": None}},
            "pass: connected TLSv1.2 S",
        ),
        (
            {"outcome": "connected", "reason": "CERT_OPTIONAL: why"},
            {"negotiated": {"version": "TLSv1.2", "suite": "S", "group": None}},
            "pass: connected TLSv1.2 S (CERT_OPTIONAL: why)",
        ),
        (
            {"outcome": "connected", "verdict": "fail", "reason": "version: wrong"},
            {"negotiated": {"version": "TLSv1.2", "suite": "S", "group": None}},
            "fail: connected TLSv1.2 S",
        ),
        (CUT, {"server": None, "client": None, "alerts": []}, "pass: hung: server - | client - | no alert"),
        (
            CUT,
            {
                "server": {**SERVER, "type": "OSError"},
                "client": {**CLIENT, "type": "ValueError"},
                "alerts": [{**ALERT, "level": "warning"}],
            },
            "pass: hung: server OSError | client ValueError | no alert",
        ),
        (
            CUT,
            {
                "client": {**CLIENT, "number": 0, "flags": ["expired"]},
                "server": {**SERVER, "reason": "R"},
                "alerts": [],
            },
            "pass: hung: server R | client 0 | no alert",
        ),
        (
            CUT,
            {
                "client": {**CLIENT, "flags": ["expired", "future"]},
                "alerts": [{**ALERT, "level": "warning", "code": 90}, ALERT, {**ALERT, "code": 40}],
            },
            "pass: hung: server NO_SHARED_CIPHER | client expired+future | unknown_ca(48) from the client",
        ),
    ],
)
def test_what_happened_in_words(refused, changes, seen, text):
    """The reason if there is nothing else; of each side the most exact name; of several alerts the first fatal one."""
    result = {**refused, **changes}
    if seen is not None:
        result["observed"] = {**refused["observed"], **seen}
    assert happened(result) == text


def test_times_do_not_count(results):
    """A real result ended in the same way as a copy with other times."""
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
    for pinned in ({"open_because": None, "client_number": None}, {"client_number": -30592}):
        strict = {**other, "expected": other["expected"] | pinned}
        assert same_error(refused, strict)
        assert same_error(strict, refused)
        assert not same_error({**refused, "expected": strict["expected"]}, strict)
    other["observed"]["server"]["reason"] = "OTHER"
    assert not same_error(refused, other)


def test_without_an_observation(refused):
    """Results without an observation are the same if they ended at the same stage; a reason may be missing."""
    one = {**refused, "observed": None}
    assert same_error(one, {**one})
    assert not same_error(one, {**one, "stage": "read"})
    never = {**one, "outcome": "not-run", "reason": None}
    assert same_error(never, {**never, "reason": ""})
    assert not same_error(never, {**never, "reason": "x"})


def test_reasons_of_the_line(refused):
    """A fault of the line is the same with another port in its text."""
    one = {
        **refused,
        "observed": None,
        "outcome": "not-run",
        "verdict": "error",
        "reason": "no connection to 127.0.0.1:40123 after 3.0 s",
    }
    assert same_error(one, {**one, "reason": "no connection to 127.0.0.1:9 after 12.4 s"})
    assert not same_error(one, {**one, "reason": "the port is missing"})
