"""No TCP connection: each rule fits its own failure alone, and says it in the stored words."""

import pytest

from harness.model import Stage


@pytest.mark.parametrize(("rule", "number"), [("name-not-found", -2), ("refused", 111), ("unreachable", 113)])
def test_before_tls(rule, number, made, stored):
    """The number says what is wrong with the network (hand-made: a case that cannot connect is a board error)."""
    result = made(
        "OSError", number, stage=Stage.CONNECT, server_address="192.168.1.2:8443", board_address="192.168.1.9:50000"
    )
    stored(f"link/{rule}", result)
