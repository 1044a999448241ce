"""No TCP connection: each rule matches only its own failure and gives the stored text."""

import pytest

from harness.model import Stage


@pytest.mark.parametrize(("rule", "number"), [("name-not-found", -2), ("refused", 111), ("unreachable", 113)])
def test_before_tls(rule, number, made, stored):
    """The errno identifies the network problem (invented: a case that cannot connect is a board error)."""
    result = made(
        "OSError", number, stage=Stage.CONNECT, server_address="192.168.1.2:8443", board_address="192.168.1.9:50000"
    )
    stored(f"link/{rule}", result)


def test_target(made, stored):
    """A server that the harness itself cannot reach: no board has a part in it (hand-made: no server is started for this)."""
    server = {"type": "ConnectionRefusedError", "reason": "ECONNREFUSED", "errno": 111}
    stored("link/target", made(stage=Stage.CONNECT, server=server, server_address="192.168.1.2:8443"))
