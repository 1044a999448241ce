"""What both sides' words mean together before anything is judged."""

import pytest

from harness.attempt import Attempt, lacks, lies, unreachable
from harness.boards.agent_protocol import Answer
from harness.model import Observation, Outcome, ServerReport, Stage


def attempt(kind, *, accepted, stage=None):
    """An attempt with this answer of the board."""
    seen = Observation(outcome=Outcome.NOT_RUN, stage=stage, ended_by=None, server=None, client=None)
    report = ServerReport(facts=None, failure=None, accepted=accepted)
    return Attempt(observation=seen, report=report, answer=Answer(kind=kind, stage=stage) if kind else None)


@pytest.mark.parametrize(
    ("kind", "accepted", "expected"),
    [("result", False, True), ("result", True, False), ("exception", False, False), (None, False, False)],
)
def test_lies(kind, accepted, expected):
    """A session that the server knows nothing of is a lie; one that it saw begin is a matter for the judge."""
    assert lies(attempt(kind, accepted=accepted)) is expected


@pytest.mark.parametrize(
    ("stage", "accepted", "expected"),
    [(Stage.CONNECT, False, True), (Stage.CONNECT, True, False), (Stage.HANDSHAKE, False, False)],
)
def test_unreachable(stage, accepted, expected):
    """The network is at fault where the board says so and the server does not contradict."""
    assert unreachable(attempt("exception", accepted=accepted, stage=stage)) is expected


def test_lacks():
    """What is missing, by the agent's name of it."""
    assert lacks(Answer(kind="error", missing="tls.SSLContext.set_ciphers")) == (
        "this firmware's TLS module has no tls.SSLContext.set_ciphers"
    )
