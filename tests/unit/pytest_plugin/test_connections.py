"""The results of connections that tests of the user's make."""

import pytest

from harness.model import Mismatch, VerdictWord
from harness.pytest_plugin.connections import NOTHING_EXPECTED, Connection, Connections, case_name, own_results
from harness.pytest_plugin.expect import Expect
from harness.pytest_plugin.fixtures import Board
from harness.pytest_plugin.server_settings import make_server


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("test_mine.py::test_our_broker", "mine-our-broker"),
        ("suite/tls/test_mine.py::TestBroker::test_it[ec-1.2]", "mine-testbroker-it-ec-1-2"),
        ("mine_test.py::check", "mine-test-check"),
        ("test_x.py::test_\u00e4", "x"),
    ],
)
def test_names(test, expected):
    """A case id is made of file, class, function and parameters: lower-case words joined by dashes."""
    assert case_name(test) == expected


@pytest.mark.parametrize(
    ("connection", "failed", "word", "reason"),
    [
        ({"fault": "unix: gone"}, "x", VerdictWord.ERROR, "unix: gone"),
        (
            {"mismatches": (Mismatch(field="alert", expected="1", observed="2"),)},
            None,
            VerdictWord.FAIL,
            "not as expected: alert",
        ),
        ({}, "assert 1 == 2", VerdictWord.FAIL, "the test failed: assert 1 == 2"),
        ({"expected": object()}, "assert 1 == 2", VerdictWord.PASS, None),
        ({}, None, VerdictWord.PASS, NOTHING_EXPECTED),
    ],
)
def test_verdicts(connection, failed, word, reason):
    """A fault is an error; what `expect` found decides before the end of the test."""
    verdict = Connection(None, make_server("server-p256"), None, **connection).verdict(failed=failed)
    assert (verdict.word, verdict.reason) == (word, reason)


def test_a_board_and_its_connections(lab, spec, tmp_path):
    """A board adds each connection; `expect` finds it by the observation, and its failure says why."""
    made = Connections()
    board = Board(lab, spec, "in-process", connections=made)
    first = board.connect(make_server("server-p256", maximum_version="TLSv1.2"), verify="required", ca="ca-p256")
    second = board.connect(make_server("server-p256", maximum_version="TLSv1.2"), verify="required", ca="ca-other")
    assert [made.of(seen) for seen in (first, second)] == made.made
    with pytest.raises(AssertionError, match=r"  why         the server.*\[identity/unknown-issuer\]"):
        Expect(made).connected(second)
    taken = made.take()
    assert made.made == []
    results = own_results(
        taken, test="test_a.py::test_b", description="D", failed="x", folder=tmp_path, keep_wire=False
    )
    assert [(case.id, result.verdict.word) for case, result in results] == [("own/a-b", "fail"), ("own/a-b-2", "fail")]
    assert all((tmp_path / result.artifacts["pcapng"]).is_file() for _case, result in results)
    assert results[1][1].explanation.rule == "identity/unknown-issuer"
    assert results[0][1].explanation is None
