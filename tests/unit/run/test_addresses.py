"""Tests of harness/run/addresses.py."""

import pytest

from harness.model import BoardInfo, ClientFailure, Stage
from harness.run.addresses import Addresses, no_peer_text, peers_of, unreachable_text


def test_unreachable_text():
    """The message has both addresses, the board's error and every option that may help."""
    failure = ClientFailure(type="OSError", args=(113,), number=113, flags=None, name=None, stage=Stage.CONNECT)
    text = unreachable_text(
        BoardInfo(address="192.0.2.9"),
        Addresses(bind="0.0.0.0", advertise="192.0.2.1", peers=("192.0.2.9",)),
        failure=failure,
        port=4433,
    )
    assert text.startswith("the board (192.0.2.9) cannot reach this server at 192.0.2.1:4433 (OSError 113): ")
    assert all(option in text for option in ("--bind", "--advertise", "--peer"))
    own = Addresses(bind="127.0.0.1", advertise="127.0.0.1", peers=("127.0.0.1",))
    nothing = unreachable_text(BoardInfo(), own, failure=None, port=None)
    assert nothing.startswith("the board (address unknown) cannot reach")
    assert "(OSError ?)" in nothing
    for number, shown in ((0, "0"), (None, "TypeError")):
        strange = ClientFailure(type="TypeError", args=(), number=number, flags=None, name=None, stage=Stage.CONNECT)
        assert f"(OSError {shown})" in unreachable_text(BoardInfo(), own, failure=strange, port=1)


@pytest.mark.parametrize(
    ("address", "given", "hosted", "bind", "advertise", "peers"),
    [
        ("192.0.2.9", ("198.51.100.1",), False, "192.0.2.1", "192.0.2.1", ("198.51.100.1",)),
        ("192.0.2.9", (), False, "0.0.0.0", "192.0.2.1", ("192.0.2.9",)),
        (None, (), True, "127.0.0.1", "127.0.0.1", ("127.0.0.1",)),
        (None, (), True, "0.0.0.0", "127.0.0.1", ("127.0.0.1",)),
        (None, (), True, "::", "192.0.2.1", ("127.0.0.1", "192.0.2.1")),
        (None, (), True, "192.0.2.1", "192.0.2.1", ("127.0.0.1", "192.0.2.1")),
        (None, (), False, "127.0.0.1", "127.0.0.1", ("127.0.0.1",)),
        (None, (), False, "192.0.2.1", "192.0.2.1", ()),
        (None, (), False, "0.0.0.0", "127.0.0.1", ()),
    ],
)
def test_who_may_connect(address, given, hosted, bind, advertise, peers):
    """What the user names, else the board's address, else this machine for a board that runs on it; never everybody."""
    info = BoardInfo(address=address)
    assert peers_of(info, given=given, hosted=hosted, bind=bind, advertise=advertise) == peers


def test_nobody_can_be_named():
    """The message says why there is no server, and both ways to name the board."""
    assert no_peer_text("u0", bind="0.0.0.0") == (
        "u0: the board reports no IP address, and a server on 0.0.0.0 would serve any client: specify the address that the board's "
        'connections come from with --peer ADDR, or as address = "ADDR" in boards.toml'
    )
