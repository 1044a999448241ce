"""Ends and silence: each rule fits its own failure alone, and says it in the stored words."""

import pytest

from harness.model import ClientPlan, Outcome, Side, Stage

REAL = {
    "closing/closed-by-server": "not-tls/close-after-ch",
    "closing/reset": "not-tls/reset-after-ch",
    "closing/silent-server": "timing/silent-server",
    "closing/silent-after-handshake": "timing/no-answer",
}


@pytest.mark.parametrize("rule", REAL)
def test_real(rule, real, stored):
    """What the virtual board and a real server did, explained."""
    stored(rule, real(REAL[rule]))


def test_server_time_out(made, stored):
    """A slow board against a server with little patience (hand-made: the virtual board is quick)."""
    failure = {"type": "TimeoutError", "reason": None, "errno": None}
    stored("closing/server-time-out", made("OSError", -29312, server=failure, handshake_board_ms=6100.0))


def test_unanswered(made, stored):
    """A server that is not ours closes on what the board says (hand-made; tests/unit/diagnose/remote/test_foreign.py has it for real)."""
    plan = ClientPlan(text="hello\r\n", any_answer=True)
    stored("closing/unanswered", made(by=Side.SERVER, stage=Stage.READ, client=plan, handshake_done=True))


def test_unanswered_with_an_alert(made):
    """The board knows that it was one, and not which."""
    plan = ClientPlan(text="x", any_answer=True)
    (said,) = made("OSError", -30592, by=Side.SERVER, stage=Stage.READ, client=plan, handshake_done=True).fitting()
    assert said.rule == "closing/unanswered"
    assert said.why[1] == "the server sent a fatal alert, encrypted: the board cannot say which"


def test_silent_after_handshake_at_a_server_that_is_not_ours(made):
    """What it received is not known, what was sent is."""
    plan = ClientPlan(text="hello", any_answer=True)
    (said,) = made("OSError", 110, stage=Stage.READ, outcome=Outcome.HUNG, client=plan, handshake_done=True).fitting()
    assert (said.rule, said.why[0]) == ("closing/silent-after-handshake", "the board sent 'hello'")
