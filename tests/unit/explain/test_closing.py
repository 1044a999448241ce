"""Closed connections and silence: each rule matches only its own failure and gives the stored text."""

import pytest

from harness.explain import candidates
from harness.model import ClientPlan, Outcome, Side, Stage
from harness.wire.reading import WireReading


def test_server_time_out(made, stored):
    """A slow board and a server with a short timeout (invented: the virtual board is fast)."""
    failure = {"type": "TimeoutError", "reason": None, "errno": None}
    stored("closing/server-time-out", made("OSError", -29312, server=failure, handshake_board_ms=6100.0))


@pytest.mark.parametrize("error", [-29312, 104, 32])
def test_d4_slow_board(made, stored, error):
    """The server gave up after its 30 s, and the board noticed later: no firewall, and no silent server."""
    failure = {"type": "TimeoutError", "reason": None, "errno": None}
    seen = made("OSError", error, server=failure, outcome=Outcome.HUNG, by=None, handshake_board_ms=41000.0)
    (said,) = candidates(seen)
    assert said.rule == "closing/slow-board"
    assert said.title == "the handshake takes longer than the harness's server waits: see timeout_multiplier"
    if error == -29312:
        stored("closing/slow-board", seen)


def test_unanswered(made, stored):
    """A foreign server closes instead of answering the board (invented; tests/unit/diagnose/remote/test_foreign.py has a real one)."""
    plan = ClientPlan(text="hello\r\n", any_answer=True)
    stored("closing/unanswered", made(by=Side.SERVER, stage=Stage.READ, client=plan, handshake_done=True))


def test_unanswered_with_an_alert(made):
    """The board knows that there was an alert, but not which."""
    plan = ClientPlan(text="x", any_answer=True)
    (said,) = candidates(made("OSError", -30592, by=Side.SERVER, stage=Stage.READ, client=plan, handshake_done=True))
    assert said.rule == "closing/unanswered"
    assert said.why[1] == "the server sent an encrypted fatal alert; the board cannot tell which"


def test_silent_after_handshake_at_a_foreign_server(made):
    """A foreign server's received text is unknown; the sent text is known."""
    plan = ClientPlan(text="hello", any_answer=True)
    (said,) = candidates(made("OSError", 110, stage=Stage.READ, outcome=Outcome.HUNG, client=plan, handshake_done=True))
    assert (said.rule, said.why[0]) == ("closing/silent-after-handshake", "the board sent 'hello'")


@pytest.mark.parametrize(("number", "rule"), [(110, "closing/silent-after-handshake"), (-29056, "peer/damaged-data")])
def test_only_a_board_that_waited_was_not_answered(made, number, rule):
    """A board that stopped reading for another reason and never closed is hung, too: its own error is the cause, not silence."""
    (said,) = candidates(made("OSError", number, stage=Stage.READ, outcome=Outcome.HUNG, by=None, handshake_done=True))
    assert said.rule == rule


@pytest.mark.parametrize("number", [-29312, 104])
def test_the_relay_ended_a_handshake_that_took_too_long(made, number):
    """A foreign server that is still in the handshake when its time is over did not close: the relay did. How much it sent is said."""
    for sent, title in (
        (0, "The server accepted the connection and never answered."),
        (30, "the server began to answer and did not complete the handshake in time"),
    ):
        result = made("OSError", number, by=None, outcome=Outcome.HUNG, wire=WireReading(server_bytes=sent))
        (said,) = candidates(result)
        assert (said.rule, said.title.lower().rstrip("."), said.why[0]) == (
            "closing/silent-server",
            title.lower().rstrip("."),
            f"it sent {sent} bytes",
        )
