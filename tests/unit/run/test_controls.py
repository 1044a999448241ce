"""Positive controls; tests with a real board are in tests/unit/run/test_case_runner.py."""

import pytest

from harness.model import ClientReport, Observation, Outcome, Verdict, VerdictWord
from harness.run.controls import Controls, slack_bytes


@pytest.mark.parametrize(
    ("free", "slack"), [(0, 1024), (20_479, 1024), (20_480, 1024), (20_500, 1025), (200_000, 10_000)]
)
def test_f5_slack(free, slack):
    """The slack is a twentieth of the free memory, but at least one kilobyte."""
    assert slack_bytes(free) == slack


def seen(**memory):
    """Return an observation with this much memory."""
    return Observation(outcome=Outcome.CONNECTED, stage=None, ended_by=None, server=None, client=None, **memory)


def test_f5_rb08_what_counts_on_an_esp32():
    """TLS lives in ESP-IDF's heap there: its largest block counts, and gc.mem_free() does not."""
    assert seen(free_before=90_000, idf_largest=31_000).free_for_tls == 31_000
    assert seen(free_before=90_000).free_for_tls == 90_000
    assert seen().free_for_tls is None
    assert ClientReport(done=True, failure=None).idf_largest is None


@pytest.mark.parametrize(
    ("word", "reason", "expected"),
    [
        (VerdictWord.ERROR, "the refusal proves nothing: positive control x had 7 more bytes of memory", True),
        (VerdictWord.FAIL, "the refusal proves nothing: x", False),
        (VerdictWord.ERROR, "the line dropped", False),
        (VerdictWord.PASS, None, False),
    ],
)
def test_is_inconclusive(word, reason, expected):
    """Only a case with this reason of the control is run once more."""
    assert Controls.is_inconclusive(Verdict(word=word, reason=reason)) is expected
