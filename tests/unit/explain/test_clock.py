"""Dates: each rule fits its own failure alone, and says it in the stored words."""

import pytest

from harness.model import Expectation, Outcome

NOON = 1767960000
EXPIRED = "\nThe certificate validity has expired\n"
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


def test_board_clock_wrong(made, stored):
    """A clock that was set, and wrong: a day from this machine's when the board's first ClientHello came (hand-made)."""
    stored(
        "clock/board-clock-wrong",
        made("ValueError", EXPIRED, info=made.board(clock_unix_s=NOON + 90000, hello_unix_s=NOON)),
    )
    right = made("ValueError", EXPIRED, info=made.board(clock_unix_s=NOON + 3600, hello_unix_s=NOON))
    assert [said.rule for said in right.fitting() if said.rule.startswith("clock/")] == ["clock/expired"]


def test_wrong_clock_among_several_reasons(made):
    """A certificate of another CA, met with a clock that was never set: the clock is named, and set first."""
    info = made.board(clock_unix_s=946684830)
    text = (
        "\nThe certificate is not correctly signed by the trusted CA\n\nThe certificate validity starts in the future\n"
    )
    (said,) = [
        said for said in made("ValueError", text, info=info).fitting() if said.rule == "identity/several-reasons"
    ]
    assert said.title.endswith("not valid yet and not signed by a trusted CA; but the clock of the board is wrong")
    assert "the board's clock: 2000-01-01 00:00:30 UTC" in said.why
    assert said.fixes[0].title == "set the board's clock before connecting, in UTC"
    # Who issued it has nothing to do with the clock.
    text = text.replace("validity starts in the future", "Common Name (CN) does not match with the expected CN")
    (said,) = [
        said for said in made("ValueError", text, info=info).fitting() if said.rule == "identity/several-reasons"
    ]
    assert "clock" not in said.title


def test_dates_not_checked(made, stored):
    """Insecure: a library without a clock (hand-made: firmware before 1.22)."""
    expected = Expectation(
        source="stated", outcome=Outcome.REFUSED, client_flags=("expired",), note="built without a clock"
    )
    stored("clock/dates-not-checked", made(outcome=Outcome.CONNECTED, by=None, expected=expected))
