"""The exit code of a run, from its reports."""

import itertools
from types import SimpleNamespace

import pytest

from harness.model import VerdictWord
from harness.pytest_plugin.exit_codes import Tally, exit_code


def report(*, failed=True, verdict=None, when="call", fault=None):
    """Return a report as pytest and the plugin make it."""
    made = SimpleNamespace(failed=failed, when=when)
    if verdict is not None:
        made.tls = {"result": {"verdict": verdict}}
    if fault is not None:
        made.tls_fault = fault
    return made


@pytest.mark.parametrize(
    ("failing", "counts"),
    [
        (report(verdict="fail"), (1, 0)),
        (report(verdict="insecure"), (1, 0)),
        (report(verdict="error"), (0, 1)),
        (report(verdict="error", failed=False), (0, 0)),
        (report(), (1, 0)),
        (report(fault=True), (0, 1)),
        (report(fault=False), (1, 0)),
        (report(verdict="error", when="teardown"), (1, 0)),
        (report(verdict="pass", when="teardown", fault=True), (0, 1)),
        (SimpleNamespace(failed=True), (1, 0)),
        (SimpleNamespace(failed=True, when="call", tls=None), (1, 0)),
    ],
)
def test_tally(failing, counts):
    """The verdict decides; without one, the cause of the failure: a board, its line or the harness."""
    tally = Tally()
    tally.take(failing)
    assert (tally.failed, tally.faults) == counts


@pytest.mark.parametrize(
    ("status", "failed", "faults", "worse", "untried", "code"),
    [
        (0, 0, 0, False, False, 0),
        (5, 0, 0, False, False, 5),
        (1, 1, 0, False, False, 1),
        (1, 0, 1, False, False, 10),
        (1, 1, 1, False, True, 1),
        (0, 0, 0, True, False, 1),
        (1, 0, 1, True, False, 1),
        (0, 0, 0, False, True, 10),
        (1, 0, 0, False, False, 1),
        (2, 1, 1, True, True, 2),
        (3, 0, 1, True, True, 3),
        (4, 0, 1, True, True, 4),
    ],
)
def test_exit_code(status, failed, faults, worse, untried, code):
    """A failure takes precedence over a fault; pytest's own exit code takes precedence over both."""
    assert exit_code(status, Tally(failed=failed, faults=faults), worse=worse, untried=untried) == code


def test_every_verdict():
    """Which verdict counts as what: a statement about TLS fails the run with 1, a fault with 10, the rest does not fail it."""
    counted = {}
    for word in VerdictWord:
        tally = Tally()
        tally.take(report(failed=word.fails_run, verdict=word.value))
        counted[word.value] = exit_code(int(tally.failed + tally.faults > 0), tally, worse=False, untried=False)
    assert counted == {"pass": 0, "fail": 1, "insecure": 1, "known": 0, "unsupported": 0, "error": 10}


@pytest.mark.parametrize("status", range(6))
def test_every_combination(status):
    """1 wins over 10, both over a clean end; interrupted, internal error and usage error stay as they are."""
    wrong = {}
    for failed, faults, worse, untried in itertools.product((0, 1, 2), (0, 1, 2), (False, True), (False, True)):
        code = exit_code(status, Tally(failed=failed, faults=faults), worse=worse, untried=untried)
        if status in (2, 3, 4):
            right = status
        elif failed > 0 or worse is True:
            right = 1
        elif faults > 0 or untried is True:
            right = 10
        else:
            right = status
        if code != right:
            wrong[failed, faults, worse, untried] = code
    assert wrong == {}
