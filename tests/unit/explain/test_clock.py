"""Dates: each rule matches only its own failure and gives the stored text."""

from harness.explain import candidates
from harness.model import Expectation, Outcome

NOON = 1767960000
EXPIRED = "\nThe certificate validity has expired\n"


def test_board_clock_not_set(made, stored):
    """The clock shows 2000, so no current certificate is valid (invented: the virtual board has the host's clock)."""
    info = made.board("1.24.0", clock_unix_s=946684830)
    stored(
        "clock/board-clock-not-set", made("ValueError", "\nThe certificate validity starts in the future\n", info=info)
    )


def test_board_clock_wrong(made, stored):
    """A clock that was set but is a day off when the board's first ClientHello arrives (invented)."""
    stored(
        "clock/board-clock-wrong",
        made("ValueError", EXPIRED, info=made.board(clock_unix_s=NOON + 90000, hello_unix_s=NOON)),
    )
    right = made("ValueError", EXPIRED, info=made.board(clock_unix_s=NOON + 3600, hello_unix_s=NOON))
    assert [said.rule for said in candidates(right) if said.rule.startswith("clock/")] == ["clock/expired"]


def test_wrong_clock_among_several_reasons(made):
    """With a clock that was never set and another CA, the clock is named and is the first fix."""
    info = made.board(clock_unix_s=946684830)
    text = (
        "\nThe certificate is not correctly signed by the trusted CA\n\nThe certificate validity starts in the future\n"
    )
    (said,) = [
        said for said in candidates(made("ValueError", text, info=info)) if said.rule == "identity/several-reasons"
    ]
    assert said.title.endswith("not valid yet and not signed by a trusted CA; but the clock of the board is wrong")
    assert "the board's clock: 2000-01-01 00:00:30 UTC" in said.why
    assert said.fixes[0].title == "set the board's clock before connecting, in UTC"
    # The issuer does not depend on the clock.
    text = text.replace("validity starts in the future", "Common Name (CN) does not match with the expected CN")
    (said,) = [
        said for said in candidates(made("ValueError", text, info=info)) if said.rule == "identity/several-reasons"
    ]
    assert "clock" not in said.title


def test_dates_not_checked(made, stored):
    """Insecure: a library without a clock (invented: firmware before 1.22)."""
    expected = Expectation(
        source="stated", outcome=Outcome.REFUSED, client_flags=("expired",), note="built without a clock"
    )
    stored("clock/dates-not-checked", made(outcome=Outcome.CONNECTED, by=None, expected=expected))
