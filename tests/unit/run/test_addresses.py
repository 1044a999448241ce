"""Tests of harness/run/addresses.py."""

from harness.model import BoardInfo, ClientFailure, Stage
from harness.run.addresses import Addresses, unreachable_text


def test_unreachable_text():
    """The message has both addresses, the board's error and every option that may help."""
    failure = ClientFailure(type="OSError", args=(113,), number=113, flags=None, name=None, stage=Stage.CONNECT)
    text = unreachable_text(
        BoardInfo(address="192.0.2.9"), Addresses(bind="0.0.0.0", advertise="192.0.2.1"), failure=failure, port=4433
    )
    assert text.startswith("the board (192.0.2.9) cannot reach this server at 192.0.2.1:4433 (OSError 113): ")
    assert all(option in text for option in ("--bind", "--advertise", "--peer"))
    nothing = unreachable_text(BoardInfo(), Addresses(bind="127.0.0.1", advertise="127.0.0.1"), failure=None, port=None)
    assert nothing.startswith("the board (address unknown) cannot reach")
