"""Cases that a board without verification runs unverified, on the virtual board without the API that loads a CA."""

from dataclasses import replace

import pytest

from harness.cases import all_cases, find_case
from harness.model import Outcome, VerdictWord, Verify
from harness.reports.record.run_record import result_entry

FORMS = [item for item in all_cases() if item.unverified is not None]
CA_FUNCTIONS = ("SSLContext.load_verify_locations", "wrap_socket(cadata)")


@pytest.fixture
def cannot_verify(lab, spec, monkeypatch):
    """A runner on a board that cannot load a CA."""
    runner = lab.runner(spec, "in-process")
    info = runner.board.info
    api = tuple(name for name in info.api if not name.endswith(CA_FUNCTIONS))
    monkeypatch.setattr(runner.board, "info", replace(info, api=api))
    return runner


def test_which_cases_have_such_a_form():
    """Each single server key, without the ones about what a board that verifies refuses."""
    assert {item.topic for item in FORMS} == {"key"}
    left = {item.id for item in all_cases() if item.topic == "key" and item.client.verify is not Verify.NONE} - {
        item.id for item in FORMS
    }
    assert left == {"key/rsa1024-sec0", "key/p256-ca-rsa1024"}
    assert {(item.unverified.client.verify, item.unverified.client.ca) for item in FORMS} == {(Verify.NONE, ())}


@pytest.mark.parametrize("item", FORMS, ids=lambda item: item.id)
def test_a_board_that_cannot_verify_runs_the_keys_unverified(cannot_verify, item):
    """Every key is tried there, and its result says that nothing was verified."""
    result = cannot_verify.run(item)
    assert result.verdict.word in (VerdictWord.PASS, VerdictWord.UNSUPPORTED), result.verdict
    assert (result.observation is not None, result.unverified) == (True, True)
    assert result_entry(result).unverified is True
    if item.id in ("key/rsa2048", "key/p256"):
        assert (result.verdict.word, result.observation.outcome) == (VerdictWord.PASS, Outcome.CONNECTED)


def test_a_board_that_can_verify_does(lab, spec):
    """There, the case itself runs, and its result has no such mark."""
    result = lab.runner(spec, "in-process").run(find_case("key/p256"))
    assert (result.verdict.word, result.unverified) == (VerdictWord.PASS, False)
    assert "unverified" not in result_entry(result).as_json()


def test_a_case_about_verification_stays_untried(cannot_verify):
    """What a board that verifies must refuse says nothing where nothing is verified."""
    result = cannot_verify.run(find_case("key/rsa1024-sec0"))
    assert (result.verdict.word, result.unverified, result.observation) == (VerdictWord.UNSUPPORTED, False, None)
    assert "cannot verify the server's certificate" in result.verdict.reason
