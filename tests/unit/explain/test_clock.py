"""Dates: each rule fits its own failure alone, and says it in the stored words."""

import pytest

from harness.model import Expectation, Outcome

REAL = {
    "clock/expired": "cert/expired",
    "clock/not-yet-valid": "cert/not-yet-valid",
}


@pytest.mark.parametrize("rule", REAL)
def test_real(rule, real, stored):
    """What the virtual board and a real server did, explained."""
    stored(rule, real(REAL[rule]))


def test_board_clock_not_set(made, stored):
    """The clock stands at 2000: no certificate of today is valid (hand-made: the virtual board has the host's clock)."""
    info = made.board("1.24.0", clock_unix_s=946684830)
    stored(
        "clock/board-clock-not-set", made("ValueError", "\nThe certificate validity starts in the future\n", info=info)
    )


def test_dates_not_checked(made, stored):
    """Insecure: a library without a clock (hand-made: firmware before 1.22)."""
    expected = Expectation(
        source="stated", outcome=Outcome.REFUSED, client_flags=("expired",), note="built without a clock"
    )
    stored("clock/dates-not-checked", made(outcome=Outcome.CONNECTED, by=None, expected=expected))
