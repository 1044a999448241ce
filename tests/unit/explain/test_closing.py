"""Ends and silence: each rule fits its own failure alone, and says it in the stored words."""

import pytest

REAL = {
    "closing/closed-by-server": "raw/close-after-ch",
    "closing/reset": "raw/reset-after-ch",
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
