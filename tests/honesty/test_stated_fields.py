"""Every field that decides a case, turned into something else: no case may pass.

The observations are those of one run; only the judging is repeated. Slow: the full set. `smoke` is in the fast tier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.expectations.builders import refused
from harness.model import Expectation, ExpectedAlert, Outcome, Side, Source, Stage, Subject, VerdictWord

TIERS = ("smoke", pytest.param("full", marks=[pytest.mark.slow, pytest.mark.timeout(900)]))
WORDS: dict[str, type[Outcome | Stage | Side]] = {"outcome": Outcome, "stage": Stage, "ended_by": Side}
TEXTS = ("server_type", "server_reason", "client_type", "client_name", "version", "suite", "group", "server_name")
NUMBERS = ("server_errno", "verify_code", "client_number")
FILLED = ("version", "suite", "group")
NO_SHARED_CIPHER = replace(
    refused(by=Side.SERVER, server="NO_SHARED_CIPHER", alert="handshake_failure", client=-30592),
    source=Source.PREDICTED,
)
# A claim that a side saw nothing, and the opposite of it.
SILENCES: dict[str, dict[str, Any]] = {
    "no_server_error": {"server_type": "SSLError", "server_reason": "NO_SHARED_CIPHER"},
    "no_client_error": {"client_type": "OSError", "client_number": -30592},
    "no_alert": {"alert": ExpectedAlert(sender=Side.SERVER, code=40, name="handshake_failure")},
}


def others(expected: Expectation) -> Iterator[tuple[str, Expectation]]:
    """Each field of an expectation that is not open, with each other value."""
    for name, words in WORDS.items():
        value = getattr(expected, name)
        yield from (
            (name, replace(expected, **{name: word})) for word in words if value is not None and word is not value
        )
    for name in TEXTS:
        if (value := getattr(expected, name)) is not None:
            yield name, replace(expected, **{name: f"{value}X"})
    for name in NUMBERS:
        if (value := getattr(expected, name)) is not None:
            yield name, replace(expected, **{name: value + 1})
    yield from _other_flags_and_alerts(expected)
    for name, opposite in SILENCES.items():
        if getattr(expected, name):
            yield name, replace(expected, **{name: False}, **opposite)


def _other_flags_and_alerts(expected: Expectation) -> Iterator[tuple[str, Expectation]]:
    flags, alert = expected.client_flags, expected.alert
    if flags is not None:
        yield "client_flags", replace(expected, client_flags=(*flags, "other"))
        yield "client_flags", replace(expected, client_flags=flags[1:])
    if alert is not None:
        other = Side.CLIENT if alert.sender is Side.SERVER else Side.SERVER
        yield "alert.code", replace(expected, alert=replace(alert, code=alert.code + 1))
        yield "alert.sender", replace(expected, alert=replace(alert, sender=other))
        yield "alert", replace(expected, alert=None, no_alert=True)


@pytest.fixture(params=TIERS)
def passed(request, judged_cases):
    """The cases of a set that passed."""
    found = [item for item in judged_cases(request.param) if item.ruling.verdict.word is VerdictWord.PASS]
    assert len(found) > 15
    return found


def survivors(passed, field, source):
    """Case and mutation of each case that still passes; `field` is what `source` gives the expectation of."""
    return [
        f"{item.case.id}: {name}"
        for item in passed
        if (expected := source(item)) is not None
        for name, mutant in others(expected)
        if item.again(**{field: mutant}).verdict.word is VerdictWord.PASS
    ]


def test_what_a_case_states(passed):
    """No case passes with another value of a field that it states."""
    assert survivors(passed, "stated", lambda item: item.stated) == []


def test_what_is_predicted_where_nothing_is_stated(passed):
    """A case about the negotiation only: no case passes with another prediction."""
    assert survivors(passed, "predicted", lambda item: None if item.stated else item.predicted) == []


def test_what_is_predicted_where_it_fills_what_is_stated(passed):
    """A wrong prediction of a value that the case leaves open never passes; nor does one of a refusal that did not happen."""
    wrong = []
    for item in passed:
        if item.stated is None or item.predicted is None or item.predicted.outcome is not Outcome.CONNECTED:
            continue
        found = [("outcome", NO_SHARED_CIPHER)]
        found += [(name, mutant) for name, mutant in others(item.predicted) if name in FILLED]
        wrong += [
            f"{item.case.id}: {name}"
            for name, mutant in found
            if getattr(item.stated, name) is None or name == "outcome"
            if item.again(predicted=mutant).verdict.word is VerdictWord.PASS
        ]
    assert wrong == []


def test_a_point_that_was_not_reached(passed):
    """No case passes whose evidence lacks the point that its expectation requires."""
    wrong = []
    for item in passed:
        point = item.ruling.expected.subject
        without = tuple(seen for seen in item.observed.reached if seen is not point)
        if item.again(observed=replace(item.observed, reached=without)).verdict.word is VerdictWord.PASS:
            wrong.append(f"{item.case.id}: {point}")
    assert wrong == []


def test_a_subject_that_was_not_reached(passed):
    """No session passes for a case about a later point than the one that its handshake reached."""
    wrong = [
        f"{item.case.id}: {subject}"
        for item in passed
        for subject in Subject
        if subject not in item.observed.reached and item.ruling.expected.outcome is Outcome.CONNECTED
        if item.again(case=replace(item.case, subject=subject)).verdict.word is VerdictWord.PASS
    ]
    assert wrong == []


def test_no_prediction_of_a_refusal_makes_a_stated_case_pass(passed):
    """Each stated session, ended by the server as predicted: unsupported or failed, never passed."""
    refusals = [item for item in passed if item.stated is None and item.ruling.expected.outcome is Outcome.REFUSED]
    if not refusals:
        pytest.skip("no case of this set was refused in its negotiation")
    refusal = refusals[0]
    verdicts = {
        item.again(observed=refusal.observed, predicted=refusal.predicted).verdict.word
        for item in passed
        if item.stated is not None and item.stated.outcome is Outcome.CONNECTED
    }
    assert verdicts == {VerdictWord.UNSUPPORTED}
