"""Tests of harness/run/board_facts.py: facts about a board are learned only from clear answers."""

from dataclasses import replace

import pytest

from harness.model import BoardInfo, ClientFailure, Observation, Outcome, ServerReport, Side, Stage
from harness.run.board_facts import learn_pem, learn_pkcs8, takes_own_pss
from harness.run.handshake import Handshake

API = ("tls.SSLContext.load_verify_locations", "tls.SSLContext.load_cert_chain")


class Board:
    """The part of a board session that holds the known facts."""

    def __init__(self) -> None:
        self.info = BoardInfo(api=API)

    def learn(self, **facts):
        self.info = replace(self.info, **facts)


class Made:
    """Handshakes that all end in the same way; they are counted."""

    def __init__(self, observation) -> None:
        self.board = Board()
        self.count = 0
        self._handshake = Handshake(observation=observation, report=ServerReport(facts=None, failure=None), answer=None)

    def make(self, profile, plan):
        self.count += 1
        return self._handshake


def observed(outcome, *, stage=None, ended_by=None, number=None):
    """Return an observation with this ending."""
    failure = ClientFailure(type="OSError", args=(number,), number=number, flags=None, name=None, stage=Stage.HANDSHAKE)
    client = failure if number is not None else None
    return Observation(outcome=outcome, stage=stage, ended_by=ended_by, server=None, client=client)


@pytest.mark.parametrize(
    ("outcome", "stage", "ended_by", "accepts"),
    [
        (Outcome.CONNECTED, None, None, True),
        (Outcome.REFUSED, Stage.CONFIG, Side.CLIENT, False),
        (Outcome.REFUSED, Stage.CONFIG, Side.SERVER, None),
        (Outcome.REFUSED, Stage.CONNECT, Side.CLIENT, None),
        (Outcome.REFUSED, Stage.HANDSHAKE, Side.CLIENT, None),
        (Outcome.HUNG, Stage.HANDSHAKE, None, None),
    ],
)
def test_a_format_is_learned_only_from_a_clear_answer(outcome, stage, ended_by, accepts):
    """A session means yes, and a refusal of the board's own settings means no; any other result is inconclusive."""
    made = Made(observed(outcome, stage=stage, ended_by=ended_by))
    learn_pem(made)
    learn_pkcs8(made)
    assert (made.board.info.reads_pem, made.board.info.reads_pkcs8, made.count) == (accepts, accepts, 2)
    learn_pem(made)
    assert made.count == (3 if accepts is None else 2)


@pytest.mark.parametrize(("number", "takes"), [(-26112, False), (-30592, True), (None, True)])
def test_rsa_pss_is_learned_once(number, takes):
    """Only illegal_parameter from the board itself means that it refuses the RSA-PSS that it offers."""
    made = Made(observed(Outcome.REFUSED if number else Outcome.CONNECTED, number=number))
    assert (takes_own_pss(made), takes_own_pss(made), made.count) == (takes, takes, 1)


def test_a_board_without_the_api_is_not_asked():
    """Firmware that cannot verify or present a certificate is not tested for formats."""
    made = Made(observed(Outcome.CONNECTED))
    made.board.info = BoardInfo()
    learn_pem(made)
    learn_pkcs8(made)
    assert (made.count, made.board.info) == (0, BoardInfo())
