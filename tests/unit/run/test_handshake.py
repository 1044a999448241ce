"""What both sides' words mean together before anything is judged."""

import pytest

from harness.boards.agent.protocol import Answer
from harness.model import Observation, Outcome, ServerReport, Stage
from harness.run.handshake import Attempt, lacks, lie_in, unreachable


def attempt(kind, *, accepted, stage=None, text=None, done=False):
    """An attempt with this answer of the board."""
    seen = Observation(outcome=Outcome.NOT_RUN, stage=stage, ended_by=None, server=None, client=None)
    report = ServerReport(facts=None, failure=None, accepted=accepted, handshake_done=done, local_port=4)
    answer = Answer(kind=kind, stage=stage, text=text) if kind else None
    return Attempt(observation=seen, report=report, answer=answer)


NO_CONNECTION = (
    "the board says that it exchanged text, but no connection reached the server at h:4: something else answers there, or its "
    "agent is not ours"
)
NO_HANDSHAKE = (
    "the board says that it exchanged text, but the server had no finished handshake with it: its agent is not ours, or its "
    "answer is that of another connection"
)


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        (attempt("result", accepted=False), NO_CONNECTION),
        (attempt("result", accepted=True, text="Hallo"), NO_HANDSHAKE),
        (attempt("result", accepted=True, text="Hallo", done=True), None),
        (attempt("result", accepted=True, text=""), None),
        (attempt("exception", accepted=False), None),
        (attempt(None, accepted=False), None),
    ],
)
def test_lie_in(tried, expected):
    """A session that the server knows nothing of is a lie; one in which the board had nothing to read is a matter for the judge."""
    assert lie_in(tried, address="h") == expected


@pytest.mark.parametrize(
    ("stage", "accepted", "expected"),
    [(Stage.CONNECT, False, True), (Stage.CONNECT, True, False), (Stage.HANDSHAKE, False, False)],
)
def test_unreachable(stage, accepted, expected):
    """The network is at fault where the board says so and the server does not contradict."""
    assert unreachable(attempt("exception", accepted=accepted, stage=stage)) is expected
    assert not unreachable(attempt(None, accepted=accepted, stage=stage))  # a board that was not asked says nothing


def test_lacks():
    """What is missing, by the agent's name of it."""
    assert lacks(Answer(kind="error", missing="tls.SSLContext.set_ciphers")) == (
        "this firmware's TLS module has no tls.SSLContext.set_ciphers"
    )
