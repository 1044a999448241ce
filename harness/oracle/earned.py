"""Rules on one case: what had to happen, and whether the evidence shows that the case came to its subject. Pure.

A prediction decides a case that is about the negotiation only. It never makes another case `pass`: where it explains why the
handshake ended before the subject, the case is `unsupported` on this board.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.expectations.builders import after_negotiation, connected
from harness.expectations.subjects import point_of
from harness.model import (
    Case,
    Expectation,
    Mismatch,
    Observation,
    Outcome,
    Source,
    Stage,
    Subject,
    Verdict,
    VerdictWord,
)
from harness.oracle.judge import judge

NOTHING_COMPLETED = "this board has completed no handshake with this server, so a refusal proves nothing"
CONFIGURED = "this server's OpenSSL is configured to refuse this board"
NOT_ITS_OWN = "although this board negotiates with these settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What this board did with this server before the case.

    `completed`: it has completed a handshake. `negotiates`: the negotiation of this case must succeed, by the board's unrestricted
    ClientHello or by an earlier handshake with the same settings. `configured`: the server's OpenSSL is configured to refuse this hello.
    """

    completed: bool = True
    negotiates: bool = False
    configured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What had to happen, and the verdict."""

    expected: Expectation
    verdict: Verdict


def rule(
    case: Case,
    observed: Observation,
    *,
    stated: Expectation | None,
    predicted: Expectation | None,
    history: History,
) -> Ruling:
    """Rule on one case.

    Args:
        case: the case.
        observed: what happened.
        stated: what the case states for this board and server; None if it is only about the negotiation.
        predicted: the result of the negotiation for this ClientHello; None if it was not predicted.
        history: what the board did before.
    """
    refusal = predicted if predicted is not None and predicted.outcome is not Outcome.CONNECTED else None
    if stated is None and refusal is not None and refusal.stage is not Stage.CONFIG:
        found = _ruling(case, refusal, observed, history=history)
        return replace(found, verdict=_only_refused(refusal, found.verdict, history=history))
    expected = stated or connected(source=Source.PREDICTED)
    if predicted is not None and refusal is None:
        expected = after_negotiation(predicted, expected)
    found = _ruling(case, expected, observed, history=history)
    if refusal is None or found.verdict.word is VerdictWord.INSECURE:
        return found
    by_prediction = _ruling(case, refusal, observed, history=history)
    if by_prediction.verdict.mismatches:
        return by_prediction  # the prediction is wrong, which must not go unnoticed
    if found.verdict.word is VerdictWord.PASS:
        return found
    return replace(found, verdict=_not_reached(case, refusal, observed, verdict=found.verdict, history=history))


def _ruling(case: Case, expected: Expectation, observed: Observation, *, history: History) -> Ruling:
    """Judge, and require the evidence for a `pass`."""
    point = point_of(case.subject, expected)
    expected = replace(expected, subject=point)
    verdict = judge(case, expected, observed)
    if verdict.word is VerdictWord.PASS:
        verdict = _unearned(point, expected, observed, history=history) or verdict
    return Ruling(expected=expected, verdict=verdict)


def _unearned(point: Subject, expected: Expectation, observed: Observation, *, history: History) -> Verdict | None:
    """Return why an outcome that is as expected shows nothing; None if it was earned."""
    if point not in observed.reached:
        last = observed.reached[-1] if observed.reached else None
        seen = last.value if last is not None else "nothing"
        missed = Mismatch(field="reached", expected=point.value, observed=seen)
        return Verdict(
            word=VerdictWord.FAIL, reason=f"never got as far as {point.phrase}: {_end(observed)}", mismatches=(missed,)
        )
    refused_hello = expected.outcome is Outcome.REFUSED and expected.stage is Stage.HANDSHAKE
    if refused_hello and point is Subject.NEGOTIATION and not history.completed:
        if history.configured:
            return Verdict(word=VerdictWord.UNSUPPORTED, reason=f"{CONFIGURED} ({_end(observed)})")
        return Verdict(word=VerdictWord.ERROR, reason=NOTHING_COMPLETED)
    return None


def _only_refused(refusal: Expectation, verdict: Verdict, *, history: History) -> Verdict:
    """Return the verdict of a refused negotiation: the prediction trusts a ClientHello, which must be the board's usual one."""
    if verdict.word is not VerdictWord.PASS or not history.negotiates:
        return verdict
    missed = Mismatch(field="outcome", expected=Outcome.CONNECTED.value, observed=Outcome.REFUSED.value)
    return Verdict(word=VerdictWord.FAIL, reason=f"refused: {_name(refusal)}, {NOT_ITS_OWN}", mismatches=(missed,))


def _not_reached(
    case: Case, refusal: Expectation, observed: Observation, *, verdict: Verdict, history: History
) -> Verdict:
    """Return the verdict of a case that the predicted refusal kept from its subject, or from the session that it states."""
    point = Subject.FINISHED if case.subject in observed.reached else case.subject
    # Scripts of labs read this wording.
    reason = f"never got as far as {point.phrase}: {_name(refusal)}"
    if history.negotiates and refusal.stage is not Stage.CONFIG:
        return Verdict(word=VerdictWord.FAIL, reason=f"{reason}, {NOT_ITS_OWN}", mismatches=verdict.mismatches)
    return Verdict(word=VerdictWord.UNSUPPORTED, reason=reason)


def _name(refusal: Expectation) -> str:
    return refusal.server_reason or (refusal.alert.name if refusal.alert else refusal.outcome.value)


def _end(observed: Observation) -> str:
    """Say how the connection ended, in a word."""
    server, client = observed.server, observed.client
    if server is not None:
        return server.reason or server.type
    if client is not None:
        return client.name or client.type
    return observed.outcome.value
